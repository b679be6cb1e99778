# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rate limits by IP address and token: always told in headers, enforced when the switch ``rate_limits`` is on.

Documented: labels and events volume 60 a minute, events and traits of a space 25 a minute, the Profile API 100 a second and
space. Inferred: 200 a minute for the rest of the Public API, and that windows are fixed.
"""

from __future__ import annotations

import datetime
import email.utils
import json
import typing as t
from dataclasses import dataclass

from starlette.requests import Request

from .rules import Rule

if t.TYPE_CHECKING:
    from .world import World

USUAL = (200, 60.0)
LIMITS = {
    "/labels": (60, 60.0),
    "/labels/{key}/{value}": (60, 60.0),
    "/events/volume": (60, 60.0),
    "/spaces/{id}/events": (25, 60.0),
    "/spaces/{id}/traits": (25, 60.0),
}
PROFILES = (100, 1.0)


@dataclass
class Window:
    end: datetime.datetime
    consumed: int = 0


@dataclass(frozen=True)
class Wait:
    """A refusal, and how long to wait."""

    seconds: float
    hint: str

    def answer(self, path: str, now: datetime.datetime) -> tuple[int, t.Any, dict[str, str]]:
        status, headers, content = Rule(kind="rate_limited", seconds=self.seconds, hint=self.hint).answer(path, now)
        more = {name.decode(): value.decode() for name, value in headers if name != b"content-length"}
        return status, json.loads(content), more


def limited(world: World, service: str, path: str, request: Request) -> Wait | None:
    """Count a request; give the wait when it is one too many, and that is enforced."""
    if service not in ("segment", "profiles"):
        return None
    most, seconds = LIMITS.get(path, USUAL) if service == "segment" else PROFILES
    window, now = _window(world, path if path in LIMITS else service, seconds, request), world.now()
    window.consumed += 1
    if window.consumed <= most or not world.switches["rate_limits"]:
        return None
    return Wait(max(0.001, (window.end - now).total_seconds()), world.switches["rate_limit_hint"])


def headers_of(world: World, path: str, request: Request) -> dict[str, str]:
    """What the Public API tells of its limits."""
    most, seconds = LIMITS.get(path, USUAL)
    window = _window(world, path if path in LIMITS else "segment", seconds, request)
    return {
        "x-ratelimit-consumed": str(window.consumed),
        "x-ratelimit-remaining": str(max(0, most - window.consumed)),
        "x-ratelimit-reset": email.utils.formatdate(int(window.end.timestamp()) + 1, usegmt=True),
    }


def _window(world: World, what: str, seconds: float, request: Request) -> Window:
    client = request.client.host if request.client else ""
    key = (client, request.headers.get("authorization", ""), what)
    window, now = world.windows.get(key), world.now()
    if window is None or window.end <= now:
        if len(world.windows) > 10_000:
            world.windows.clear()
        window = world.windows[key] = Window(now + datetime.timedelta(seconds=seconds))
    return window
