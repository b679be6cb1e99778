# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Drift: what should stand and does not, attribute by attribute, and which of it is accepted. Pure."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Sequence

from .steps import STEPS


class _Difference(t.TypedDict):
    attribute: str
    expected: str
    found: str
    since: str
    by: str
    mend: str
    accepted: str


class Difference(_Difference, total=False):
    """One attribute that is not as it should be. All texts, fit for a report.

    Attributes:
        attribute: A name in :data:`ATTRIBUTES`.
        expected: What should stand; of a secret the fingerprint.
        found: What stands. An acceptance names exactly this text.
        since: When the audit trail has it changed, in UTC; empty where it does not tell.
        by: Who changed it; empty where the trail does not tell.
        mend: What would mend it.
        accepted: Why it is accepted, and until when; empty where it is not.
        seen: When a look first found it; empty where this one did.
    """

    seen: str


class Accepted(t.TypedDict):
    """An entry of ``unified_profiles_accepted_drift``. ``until`` is the last day, as YYYY-MM-DD in UTC."""

    attribute: str
    value: t.Any
    reason: str
    until: str


class Attribute(t.NamedTuple):
    """What is known of an attribute. docs/drift.md has the same table.

    Attributes:
        expected: Where the expected value comes from.
        drift: What counts as a difference.
        unknown: When it cannot be read.
        steps: The hand-overs that cannot be better than the attribute is.
    """

    expected: str
    drift: str
    unknown: str
    steps: tuple[str, ...] = ()


NO_SOURCES = "The token may not list sources."
NO_TRAIL = "No endpoint reads it back, and what could prove it cannot be read."
ATTRIBUTES: dict[str, Attribute] = {
    "source": Attribute(
        "ledger, or unified_profiles_source_id",
        "The source is gone, is another one, or one of several of its name.",
        NO_SOURCES,
        ("link", "key"),
    ),
    "name": Attribute("unified_profiles_source_name", "The source has another name.", NO_SOURCES),
    "enabled": Attribute("always true", "The source is disabled.", NO_SOURCES),
    "type": Attribute("always java", "The source is of another type.", NO_SOURCES),
    "labels": Attribute(
        "unified_profiles_source_labels",
        "A label is missing, or has another value. Others may be there as well.",
        NO_SOURCES,
    ),
    "write_keys": Attribute(
        "ledger",
        "The key that was handed over is gone, or there is one that the ledger does not know.",
        "The token does not see write keys (it lacks Source Admin).",
        ("key",),
    ),
    "space": Attribute(
        "unified_profiles_space_id",
        "The space is gone, or another one was handed over.",
        "The token may not read the space.",
        ("connection", "link"),
    ),
    "connection": Attribute(
        "inventory, as it was handed over",
        "The endpoint reads back something else, Twilio raised an alert since the hand-over, or the inventory has changed since.",
        NO_TRAIL,
        ("connection",),
    ),
    "link": Attribute(
        "ledger",
        "The audit trail shows that the source was disconnected from the space, or the endpoint reads back something else.",
        NO_TRAIL,
        ("link",),
    ),
    "key": Attribute(
        "ledger, or unified_profiles_key_fingerprint",
        "The endpoint reads back the fingerprint of another key, or the inventory names another one.",
        NO_TRAIL,
        ("key",),
    ),
    "flex": Attribute(
        "always ready",
        "Flex is not set up on the account, too old, or of another account.",
        "Twilio refuses the credentials for Flex.",
    ),
}


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
    """Whether it is a day, as YYYY-MM-DD."""
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


def sentence(difference: Difference) -> str:
    """A difference, for a person."""
    by = f" by {difference['by']}" if difference["by"] else ""
    since = f" at {difference['since']}" if difference["since"] else ""
    changed = (
        f" (changed{by}{since})" if by or since else f" (seen since {seen})" if (seen := difference.get("seen")) else ""
    )
    told = f"{difference['attribute']}: is {difference['found']}, and should be {difference['expected']}{changed}"
    return f"{told}; accepted: {difference['accepted']}." if difference["accepted"] else f"{told}."


def explained(differences: Sequence[Difference]) -> set[str]:
    """The hand-overs that cannot be better than what is accepted."""
    return {step for it in differences if it["accepted"] for step in ATTRIBUTES[it["attribute"]].steps if step in STEPS}
