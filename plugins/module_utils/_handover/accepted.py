# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Drift that the inventory accepts by name. Pure."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Sequence

from .drift import Difference


class Accepted(t.TypedDict):
    """An entry of ``unified_profiles_accepted_drift``. ``until`` is the last day, as YYYY-MM-DD in UTC."""

    attribute: str
    value: t.Any
    reason: str
    until: str


def accept(
    differences: Sequence[Difference], entries: Sequence[Accepted], today: datetime.date
) -> tuple[list[Difference], list[str]]:
    """Mark what is accepted.

    Args:
        differences: What was found.
        entries: What the inventory accepts, checked.
        today: The day, in UTC.

    Returns:
        The differences, and a sentence for each entry that accepts nothing.
    """
    found = list(differences)
    told = []
    for entry in entries:
        value, until = as_text(entry["value"]), entry["until"]
        named = f"unified_profiles_accepted_drift: the entry for {entry['attribute']} with the value '{value}'"
        if datetime.date.fromisoformat(until) < today:
            told.append(f"{named} ended on {until}. Take it out, or give it a new end.")
            continue
        fits = [it["attribute"] == entry["attribute"] and it["found"] == value for it in found]
        if not any(fits):
            told.append(f"{named} fits nothing that was found. Take it out, or correct it.")
        reason = f"{entry['reason']} (until {until})"
        found = [{**it, "accepted": reason} if fit else it for it, fit in zip(found, fits)]
    return found, told


def is_day(text: str) -> bool:
    """Return whether it is a day, as YYYY-MM-DD."""
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").strftime("%Y-%m-%d") == text
    except ValueError:
        return False


def as_text(value: t.Any) -> str:
    """The value as a difference has it, whatever YAML made of it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ", ".join(map(as_text, value))
    return str(value)
