# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task cards: what a person has to do in a console, exactly. Pure; the labels are those of the vendor's page."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping

Card = dict[str, t.Any]

TASKS: dict[str, dict[str, t.Any]] = {
    "connection": {
        "title": "Connect the space",
        "page": [
            "Twilio Console",
            "Explore products",
            "Unified Profiles",
            "Overview",
            "Use existing Segment Unify workspace",
        ],
        "actions": [
            ("fill in", "Connection friendly name", "{friendly_name}", ""),
            ("fill in", "Segment Unify space ID", "{space_id}", ""),
            ("fill in", "Profile API access token", "{profile_token}", ""),
            ("tick", "Allow Unified Profiles to write events to Segment", "", ""),
            ("press", "Connect", "", ""),
        ],
        "check": "The page shows the status Connected.",
    },
    "link": {
        "title": "Connect the source to the space",
        "page": ["Segment", "Unify", "Unify settings", "Profiles sources"],
        "actions": [
            ("press", "Connect source", "", "in the space {space_id}"),
            ("select", "{source_name}", "", "source id {source_id}"),
            ("press", "Connect source", "", ""),
        ],
        "check": "The source is listed on the tab Profiles sources.",
    },
    "key": {
        "title": "Give Flex the write key",
        "page": ["Twilio Console", "Flex", "Contact center settings", "Unified Profiles"],
        "actions": [
            ("press", "Update key", "", "next to Flex source write key"),
            (
                "paste",
                "Flex source write key",
                "{write_key}",
                "copy it in Segment from Connections > Sources > {source_name} > Settings > API Keys",
            ),
            ("press", "Save", "", ""),
        ],
        "check": "The page says that the key was saved.",
    },
}


def make(
    step: str,
    environment: str,
    digest: str,
    values: Mapping[str, str],
    *,
    console: Mapping[str, str] | None = None,
) -> Card:
    """The card of one step, as JSON types.

    Args:
        step: ``connection``, ``link`` or ``key``.
        environment: Its name in the ledger.
        digest: What a confirmation has to name.
        values: What to fill in, by name, as shown: secrets only as fingerprint and last four characters. A value that is
            not known yet (in check mode) may be left out.
        console: What a link to the consoles needs (``region``, ``workspace_slug``, ``source_slug``), where known.

    Returns:
        ``{environment, step, title, page: [str], links: [{label, url}], actions: [{do, label, value, hint}],
        warnings: [str], check, digest, confirm_command}``.
    """

    class Known(dict[str, str]):
        def __missing__(self, key: str) -> str:
            return f"<{key}>"

    task, known = TASKS[step], Known(values)
    confirm = json.dumps({"unified_profiles_confirm": {environment: {step: {"by": "YOUR NAME", "digest": digest}}}})
    return {
        "environment": environment,
        "step": step,
        "title": task["title"],
        "page": list(task["page"]),
        "links": [],
        "actions": [
            dict(zip(("do", "label", "value", "hint"), (part.format_map(known) for part in action)))
            for action in task["actions"]
        ],
        "warnings": [],
        "check": task["check"],
        "digest": digest,
        "confirm_command": f"ansible-playbook ... -e '{confirm}'",
    }


def text(card: Card) -> str:
    """The card for a terminal."""
    lines = [f"{card['environment']}: {card['step']}", f"Where: {' > '.join(card['page'])}"]
    for action in card["actions"]:
        value = f": {action['value']}" if action["value"] else ""
        hint = f" ({action['hint']})" if action["hint"] else ""
        lines.append(f"  {action['do'].capitalize()}: {action['label']}{value}{hint}")
    return "\n".join([*lines, f"Check: {card['check']}", f"Then confirm: {card['confirm_command']}"])
