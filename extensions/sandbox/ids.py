# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids, secrets and times in the shapes that Segment and Twilio use."""

from __future__ import annotations

import hashlib
from datetime import datetime, timezone

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def fingerprint(secret: str) -> str:
    """Tell two secrets apart without showing either."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def hex_id(seed: str, length: int = 32) -> str:
    """Hexadecimal digits that depend on the seed only."""
    return hashlib.shake_256(seed.encode()).hexdigest(length)[:length]


def base62_id(seed: str, length: int = 22) -> str:
    """Letters and digits that depend on the seed only."""
    number = int.from_bytes(hashlib.shake_256(seed.encode()).digest(length), "big")
    digits = []
    for _position in range(length):
        number, digit = divmod(number, 62)
        digits.append(BASE62[digit])
    return "".join(digits)


def iso(seconds: float) -> str:
    """A time as Segment writes it, with milliseconds."""
    return _utc(seconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_seconds(seconds: float) -> str:
    """A time as Twilio writes it, in whole seconds."""
    return _utc(seconds).isoformat(timespec="seconds").replace("+00:00", "Z")


def parse_time(text: str) -> float:
    """Seconds since the epoch for an ISO 8601 date or time (UTC unless it says otherwise).

    Raises ValueError for anything else.
    """
    cleaned = text.strip()
    if cleaned.endswith(("Z", "z")):
        cleaned = cleaned[:-1] + "+00:00"
    if "." in cleaned:  # Python 3.10 knows three or six digits of a second only
        head, _dot, tail = cleaned.partition(".")
        digits = len(tail) - len(tail.lstrip("0123456789"))
        cleaned = f"{head}.{tail[:digits][:6]:0<6}{tail[digits:]}"
    moment = datetime.fromisoformat(cleaned)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    try:
        return moment.timestamp()
    except OverflowError as exc:
        raise ValueError(f"out of range: {text}") from exc


def _utc(seconds: float) -> datetime:
    # beyond these years the standard library gives up; nothing in a rehearsal is that far away
    return datetime.fromtimestamp(min(max(seconds, -2_000_000_000), 250_000_000_000), timezone.utc)
