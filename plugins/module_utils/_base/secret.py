# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

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
    (set, "a set"),
    (bytes, "binary"),
    (type(None), "null"),
)

# Characters. Whoever has the fingerprint of a shorter secret can try all that it may be.
LONG = 20


class Secret:
    """A value that must not be shown. It is no string: whoever forgets :meth:`reveal` gets a TypeError, and nobody sees the value."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value, for the one line that sends it."""
        return self._value

    @property
    def fingerprint(self) -> str:
        return fingerprint(self._value)

    @property
    def hint(self) -> str:
        """The part that a person can compare: the fingerprint and the last four characters, a fifth of them at most."""
        if len(self._value) < LONG:
            return "too short for a fingerprint"
        return f"{self.fingerprint}, ends in ...{self._value[-4:]}"

    def __str__(self) -> str:
        """The fingerprint, except where one could try all that it may be."""
        return f"<secret {self.fingerprint}>" if len(self._value) >= LONG else "<secret>"

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


def fingerprint(value: str) -> str:
    """The first 12 hex digits of the value's SHA-256: tells two secrets apart and gives neither away."""
    return hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()[:12]


def shape(value: t.Any) -> str:
    """The kind of a value, for a message about any option: the value may be a secret by mistake."""
    if isinstance(value, str):
        if len(value) >= LONG:
            return f"a string of {len(value)} characters (fingerprint {fingerprint(value)})"
        return "a short string" if value else "an empty string"
    return next((name for kind, name in KINDS if isinstance(value, kind)), "of another type")
