# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Text that a terminal shows as it is: control and invisible characters made visible. And names that were misspelt."""

from __future__ import annotations

import difflib
import itertools
import re
import typing as t
from collections.abc import Iterable, Mapping

from .secret import Secret

# Controls, spaces that are not the space, what has no width, what turns the direction, and halves of characters.
INVISIBLE = re.compile(
    r"[\x00-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u2000-\u200f\u2028-\u202f"
    r"\u205f-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff]"
)


def printable(value: t.Any, hide: t.Callable[[str], str] = str) -> t.Any:
    """The value with its strings as ``hide`` gives them, and control and invisible characters made visible.

    A name must not steer a terminal or begin a line of its own. Two names must not differ in nothing but what nobody
    sees.
    """
    if isinstance(value, Secret):
        return repr(value)
    if isinstance(value, str):
        return INVISIBLE.sub(_visible, hide(value))
    if isinstance(value, Mapping):
        return {printable(k, hide): printable(v, hide) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [printable(v, hide) for v in value]
    return value


def nearest(name: str, known: Iterable[str], alike: float = 0.6) -> str:
    """The known name that a misspelt one is most like, by at least this part of their letters; empty where none is."""
    plain = name.lower().replace("-", "_")
    close = difflib.get_close_matches(plain, list(known), 3, alike)

    def unlike(one: str) -> tuple[float, int]:
        # Of those that are as alike, the one that has the most letters in their places.
        apart = sum(a != b for a, b in itertools.zip_longest(one, plain))
        return -difflib.SequenceMatcher(None, one, plain).ratio(), apart

    return min(close, key=unlike, default="")


def _visible(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode()
