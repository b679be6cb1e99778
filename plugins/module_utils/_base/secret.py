# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets: told apart by fingerprint, never shown."""

from __future__ import annotations

import datetime
import hashlib
import typing as t
from collections.abc import Mapping

# The first that fits: a boolean is a whole number as well.
KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (int, "a whole number"),
    (float, "a number"),
    (datetime.date, "a date"),
    (Mapping, "a mapping"),
    (list, "a list"),
    (tuple, "a list"),
    (type(None), "null"),
)

# Characters. Whoever has the fingerprint of a shorter secret can try all that it may be.
LONG = 20
# At most a quarter of a secret is shown.
LONG_ENOUGH_FOR_LAST_FOUR = 16


class Secret(str):
    """A string that must not be shown: it prints as its fingerprint, and only :meth:`reveal` gives the value.

    A subclass of str would leak through f-strings if only ``__repr__`` were changed, so formatting is overridden as well.
    """

    __slots__ = ()

    def reveal(self) -> str:
        """The value itself, for the one line that sends it."""
        return str.__str__(self[:])

    def __repr__(self) -> str:
        return f"<secret {fingerprint(self)}>"

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)


def fingerprint(value: str) -> str:
    """The first 12 hex digits of the value's SHA-256: tells two secrets apart and gives neither away."""
    return hashlib.sha256(str.encode(value, errors="surrogatepass")).hexdigest()[:12]


def hint(value: str) -> str:
    """What a person can compare: the fingerprint, and the last four characters where that is at most a quarter of them."""
    tail = f", ends in ...{value[-4:]}" if len(value) >= LONG_ENOUGH_FOR_LAST_FOUR else ""
    return fingerprint(value) + tail


def shape(value: t.Any) -> str:
    """What kind of value it is, for a message about any option: it may hold a secret by mistake."""
    if isinstance(value, str):
        marked = f" (fingerprint {fingerprint(value)})" if len(value) >= LONG else ""
        return f"a text of {len(value)} characters{marked}" if value else "an empty text"
    return next((name for kind, name in KINDS if isinstance(value, kind)), "of another type")
