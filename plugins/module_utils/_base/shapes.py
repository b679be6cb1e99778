# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Checks decoded JSON against types. People edit and merge files, so whatever is read from one is checked."""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Iterator

WORDS: dict[t.Any, str] = {str: "a string", bool: "true or false"}


def format_number(found: t.Any) -> int:
    """The number of a document's format; 0 if it is no JSON object, or has none."""
    number = found.get("format") if isinstance(found, dict) else None
    # A boolean is a number to Python, and no format.
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else 0


def misfits(found: t.Any, kind: t.Any, path: str) -> Iterator[str]:
    """The parts of decoded JSON that are not of their type, a sentence without a full stop for each.

    Args:
        found: The JSON.
        kind: A TypedDict, dict, list, str or bool, with what is in it. Fields that a TypedDict does not name are let pass.
        path: What to call it.
    """
    of, inner = t.get_origin(kind) or kind, t.get_args(kind)
    if t.is_typeddict(kind) or of is dict:
        if not isinstance(found, dict):
            yield f"'{path}' should be an object"
            return
        if inner:
            for name, value in found.items():
                yield from misfits(value, inner[1], f"{path}.{name}")
            return
        for name, of_field in _fields(kind).items():
            if name in found:
                yield from misfits(found[name], of_field, f"{path}.{name}")
            elif name in kind.__required_keys__:
                yield f"'{path}.{name}' is missing"
    elif of is list:
        if not isinstance(found, list):
            yield f"'{path}' should be a list"
            return
        for number, value in enumerate(found):
            yield from misfits(value, inner[0], f"{path}.{number}")
    elif kind in WORDS and not isinstance(found, kind):
        yield f"'{path}' should be {WORDS[kind]}"


# A survey reads the ledgers of a thousand environments, and Python evaluates the annotations anew each time.
_fields = functools.cache(t.get_type_hints)
