# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task cards: what a person has to do in a console, exactly. Pure data; ``plugin_utils/_pages.py`` renders it.

Pages, labels and warnings are those of the vendor's page "Connect your Segment space (Public Beta)".
"""

from __future__ import annotations

import json
import shlex
import typing as t
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

Card = dict[str, t.Any]

NAME_MUST_STAY = "The source must keep its name, {source_name}, to work correctly."
TASKS: dict[str, dict[str, t.Any]] = {
    "connection": {
        "title": "Connect the space",
        "page": ["Twilio Console", "Explore products", "Unified Profiles", "Overview"],
        "actions": [
            ("press", "Use existing Segment Unify workspace", "", ""),
            ("enter", "Connection friendly name", "{friendly_name}", ""),
            ("enter", "Segment Unify space ID", "{space_id}", ""),
            (
                "enter",
                "Profile API access token",
                "",
                "the token with the fingerprint {profile_token}. Copy it from where your team keeps it: Segment showed it "
                "once, on Unify > your space > Unify settings, tab API access",
            ),
            ("tick", "Allow Unified Profiles to write events to Segment", "", ""),
            ("press", "Connect", "", ""),
        ],
        "check": "The page shows the status Connected, and Segment has a source twilio-unified-profiles under Connections > Sources.",
        "warnings": [
            "Public beta: no SLA, and pages may change.",
            "Not a HIPAA Eligible Service or PCI compliant: not for workflows that are subject to HIPAA or PCI.",
            "A lost token cannot be shown again. Generate a new one, put it into the inventory and run again for a new card.",
            NAME_MUST_STAY,
        ],
    },
    "link": {
        "title": "Connect the source to the space",
        "page": ["Segment", "Unify", "Unify settings", "Profiles sources"],
        "actions": [
            ("check", "Segment Unify space ID", "{space_id}", "on the tab API access, to be sure of the space"),
            ("press", "Connect source", "", ""),
            ("select", "{source_name}", "", "its id is {source_id}"),
            ("press", "Connect source", "", ""),
        ],
        "check": "The source is listed on the tab Profiles sources.",
        "warnings": [
            NAME_MUST_STAY,
            "Segment replays about a month of the source's data into the space, which can take hours.",
        ],
    },
    "key": {
        "title": "Give Flex the write key",
        "page": ["Twilio Console", "Flex", "Contact center settings", "Unified Profiles"],
        "actions": [
            (
                "copy",
                "Write key",
                "",
                "in Segment, from Connections > Sources > {source_name} > Settings > API Keys: the key with the fingerprint "
                "{write_key}",
            ),
            ("press", "Update key", "", "next to Flex source write key"),
            ("paste", "Flex source write key", "", "compare the last four characters"),
            ("press", "Save", "", ""),
        ],
        "check": "The page took the key. Whether it is the right one shows when agents wrap up their next engagements.",
        "warnings": [
            "A wrong key raises no error: Segment answers success to any key of plausible length. So compare before you save.",
            NAME_MUST_STAY,
        ],
    },
}
# In the command on a card, for the name of who did it.
NAME_PLACEHOLDER = "YOUR NAME"
HOW_TO_RUN = ("ansible-playbook", "flexops.unified_profiles.connect", "-i", "INVENTORY")


def make(
    step: str, environment: str, digest: str, values: Mapping[str, str], *, console: Mapping[str, str] | None = None
) -> Card:
    """The card of one step, as JSON types.

    Args:
        step: ``connection``, ``link`` or ``key``.
        environment: Its name in the ledger.
        digest: What a confirmation has to name.
        values: What to fill in, by placeholder, as shown: secrets only as fingerprint and last four characters. A value
            that is not known yet (in check mode) may be left out.
        console: See :func:`links`.

    Returns:
        ``{environment, step, title, page: [str], links: [{label, url}], actions: [{do, label, value, hint}],
        warnings: [str], check, digest, confirm_command}``. An action's ``value`` is exactly what to copy.
    """

    class Known(dict[str, str]):
        def __missing__(self, name: str) -> str:
            return f"<{name}>"

    task, known = TASKS[step], Known({"source_name": "twilio-unified-profiles", **values})
    return {
        "environment": environment,
        "step": step,
        "title": task["title"],
        "page": list(task["page"]),
        "links": links(step, environment, console or {}),
        "actions": [
            dict(zip(("do", "label", "value", "hint"), (part.format_map(known) for part in action)))
            for action in task["actions"]
        ],
        "warnings": [warning.format_map(known) for warning in task["warnings"]],
        "check": task["check"],
        "digest": digest,
        "confirm_command": command(HOW_TO_RUN, confirmation(environment, step, digest)),
    }


def links(step: str, environment: str, console: Mapping[str, str]) -> list[dict[str, str]]:
    """Where a browser should go for a step.

    Args:
        step: The step.
        environment: Names the page in the sandbox.
        console: What is known of ``region`` (``us`` or ``eu``), ``workspace_slug``, ``source_slug``, and ``sandbox_url``,
            which sends all links to the sandbox's own consoles.
    """
    if (sandbox := console.get("sandbox_url", "")) and urlsplit(sandbox).scheme in ("http", "https"):
        url = f"{sandbox.rstrip('/')}/console/{quote(environment, safe='')}/{step}"
        return [{"label": f"Sandbox console: {TASKS[step]['page'][-1]}", "url": url}]
    app = "https://eu1.app.segment.com" if console.get("region") == "eu" else "https://app.segment.com"
    twilio = {"label": "Twilio Console", "url": "https://console.twilio.com/"}
    unify = {"label": "Segment: Unify", "url": f"{app}/goto-my-workspace/unify"}
    path = [console.get("workspace_slug", ""), "sources", console.get("source_slug", ""), "overview"]
    page = "/".join(quote(part, safe="") for part in path)
    source = [{"label": "Segment: the source", "url": f"{app}/{page}"}] if all(path) else []
    return {"connection": [twilio, unify], "link": [unify, *source], "key": [twilio, *source]}[step]


def confirmation(environment: str, step: str, digest: str, by: str = NAME_PLACEHOLDER) -> dict[str, t.Any]:
    """The value of ``unified_profiles_confirm`` that confirms one step of one environment."""
    return {environment: {step: {"by": by, "digest": digest}}}


def extra_vars(confirm: Mapping[str, t.Any]) -> str:
    """What to give as extra variables, in a shell or in AWX."""
    return json.dumps({"unified_profiles_confirm": confirm})


def command(run: t.Iterable[str], confirm: Mapping[str, t.Any]) -> str:
    """A command line for a POSIX shell: the run's own arguments, and the confirmation."""
    return shlex.join([*run, "-e", extra_vars(confirm)])
