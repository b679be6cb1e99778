# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The table of steps: everything that is known of a hand-over before an environment is. Pure data.

Cards, endpoints, options, the ledger and the report read it. Pages, labels and warnings are those of the vendor's page
"Connect your Segment space (Public Beta)".
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


class Action(t.NamedTuple):
    """One thing to do on a page. ``value`` is exactly what to copy; placeholders in braces are filled in by the card."""

    do: str
    label: str
    value: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Step:
    """One step that only a console can do.

    Attributes:
        name: What ledger, options and results call it.
        title: What it is about, for a card.
        page: Where to do it, from the top menu down.
        actions: What to do there, in order.
        check: How it shows that it worked.
        warnings: What to mind.
        placeholders: The values that a card and an endpoint's body may use.
        read_back_field: The field of the expected state that an endpoint reads back.
        links: The pages to open, by the names that ``cards.links`` knows.
        attest_when_asked: Whether an attestation of what exists still counts once this collection has asked for the step.
    """

    name: str
    title: str
    page: tuple[str, ...]
    actions: tuple[Action, ...]
    check: str
    warnings: tuple[str, ...]
    placeholders: tuple[str, ...]
    read_back_field: str
    links: tuple[str, ...]
    attest_when_asked: bool = False

    @property
    def reads_back_secret(self) -> bool:
        """Return whether the value that an endpoint reads back is a secret, which is compared and shown as its fingerprint."""
        return self.read_back_field.endswith("fingerprint")


NAME_MUST_STAY = "The source must keep its name, {source_name}, to work correctly."

STEPS: dict[str, Step] = {
    step.name: step
    for step in (
        Step(
            name="connection",
            title="Connect the space",
            page=("Twilio Console", "Explore products", "Unified Profiles", "Overview"),
            actions=(
                Action("press", "Use existing Segment Unify workspace"),
                Action("enter", "Connection friendly name", "{friendly_name}"),
                Action("enter", "Segment Unify space ID", "{space_id}"),
                Action(
                    "enter",
                    "Profile API access token",
                    hint="the token with the fingerprint {profile_token}. Copy it from where your team keeps it: Segment "
                    "showed it once, on Unify > your space > Unify settings, tab API access",
                ),
                Action("tick", "Allow Unified Profiles to write events to Segment"),
                Action("press", "Connect"),
            ),
            check="The page shows the status Connected, and Segment has a source twilio-unified-profiles under "
            "Connections > Sources.",
            warnings=(
                "Public beta: no SLA, and pages may change.",
                "Not a HIPAA Eligible Service or PCI compliant: not for workflows that are subject to HIPAA or PCI.",
                "A lost token cannot be shown again. Generate a new one, put it into the inventory and run again for a new "
                "card.",
                NAME_MUST_STAY,
            ),
            placeholders=("environment", "digest", "account_sid", "friendly_name", "space_id", "profile_token"),
            read_back_field="profile_token_fingerprint",
            links=("twilio", "unify"),
            attest_when_asked=True,
        ),
        Step(
            name="link",
            title="Connect the source to the space",
            page=("Segment", "Unify", "Unify settings", "Profiles sources"),
            actions=(
                Action(
                    "check", "Segment Unify space ID", "{space_id}", "on the tab API access, to be sure of the space"
                ),
                Action("press", "Connect source"),
                Action("select", "{source_name}", hint="its id is {source_id}"),
                Action("press", "Connect source"),
            ),
            check="The source is listed on the tab Profiles sources.",
            warnings=(
                NAME_MUST_STAY,
                "Segment replays about a month of the source's data into the space, which can take hours.",
            ),
            placeholders=("environment", "digest", "space_id", "source_id", "source_name"),
            read_back_field="source_id",
            links=("unify", "source"),
        ),
        Step(
            name="key",
            title="Give Flex the write key",
            page=("Twilio Console", "Flex", "Contact center settings", "Unified Profiles"),
            actions=(
                Action(
                    "copy",
                    "Write key",
                    hint="in Segment, from Connections > Sources > {source_name} > Settings > API Keys: the key with the "
                    "fingerprint {write_key}",
                ),
                Action("press", "Update key", hint="next to Flex source write key"),
                Action("paste", "Flex source write key", hint="compare the last four characters"),
                Action("press", "Save"),
            ),
            check="The page took the key. Whether it is the right one shows when agents wrap up their next engagements.",
            warnings=(
                "A wrong key raises no error: Segment answers success to any key of plausible length. So compare before you "
                "save.",
                NAME_MUST_STAY,
            ),
            placeholders=("environment", "digest", "account_sid", "source_id", "source_name", "write_key"),
            read_back_field="key_fingerprint",
            links=("twilio", "source"),
        ),
    )
}
