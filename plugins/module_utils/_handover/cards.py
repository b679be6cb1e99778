# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Task cards: what a person has to do in a console, exactly. Pure data; ``plugin_utils/_pages.py`` renders it."""

from __future__ import annotations

import json
import shlex
import typing as t
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

from .steps import STEPS

# In the command on a card, for the name of who did it.
NAME_PLACEHOLDER = "YOUR NAME"
HOW_TO_RUN = ("ansible-playbook", "flexops.unified_profiles.connect", "-i", "INVENTORY")


class Link(t.TypedDict):
    """A page to open."""

    label: str
    url: str


class CardAction(t.TypedDict):
    """One thing to do. ``value`` is exactly what to copy, empty for a secret and where there is none."""

    do: str
    label: str
    value: str
    hint: str


class Card(t.TypedDict):
    """One step of one environment, for a person."""

    environment: str
    step: str
    title: str
    page: list[str]
    links: list[Link]
    actions: list[CardAction]
    warnings: list[str]
    check: str
    digest: str
    confirm_command: str


class Console(t.TypedDict, total=False):
    """What is known of the consoles: Segment's region (``us`` or ``eu``), the slugs in its URLs, and the sandbox's URL."""

    region: str
    workspace_slug: str
    source_slug: str
    sandbox_url: str


class _Shown(dict[str, str]):
    """Values by placeholder; one that is not known yet, as in check mode, shows as its name."""

    def __missing__(self, name: str) -> str:
        return f"<{name}>"


def build_card(step: str, environment: str, digest: str, values: Mapping[str, str]) -> Card:
    """The card of one step.

    Args:
        step: A name in the table of steps.
        environment: Its name in the ledger.
        digest: What a confirmation has to name.
        values: What to fill in, by placeholder, as shown: secrets only as fingerprint and last four characters. A value
            that is not known yet may be left out.
    """
    known, shown = STEPS[step], _Shown({"source_name": "twilio-unified-profiles", **values})
    return {
        "environment": environment,
        "step": step,
        "title": known.title,
        "page": list(known.page),
        "links": links(step, environment, {}),
        "actions": [
            {
                "do": action.do,
                "label": action.label.format_map(shown),
                "value": action.value.format_map(shown),
                "hint": action.hint.format_map(shown),
            }
            for action in known.actions
        ],
        "warnings": [warning.format_map(shown) for warning in known.warnings],
        "check": known.check,
        "digest": digest,
        "confirm_command": command(HOW_TO_RUN, confirmation(environment, step, digest)),
    }


def links(step: str, environment: str, console: Console) -> list[Link]:
    """Where a browser should go for a step. With a sandbox, all links lead to its own consoles.

    Args:
        step: A name in the table of steps.
        environment: Names the page in the sandbox.
        console: What is known.
    """
    known = STEPS[step]
    if (sandbox := console.get("sandbox_url", "")) and urlsplit(sandbox).scheme in ("http", "https"):
        url = f"{sandbox.rstrip('/')}/console/{quote(environment, safe='')}/{step}"
        return [{"label": f"Sandbox console: {known.page[-1]}", "url": url}]
    app = "https://eu1.app.segment.com" if console.get("region") == "eu" else "https://app.segment.com"
    pages: dict[str, Link] = {
        "twilio": {"label": "Twilio Console", "url": "https://console.twilio.com/"},
        "unify": {"label": "Segment: Unify", "url": f"{app}/goto-my-workspace/unify"},
    }
    path = [console.get("workspace_slug", ""), "sources", console.get("source_slug", ""), "overview"]
    if all(path):
        page = "/".join(quote(part, safe="") for part in path)
        pages["source"] = {"label": "Segment: the source", "url": f"{app}/{page}"}
    return [pages[name] for name in known.links if name in pages]


def confirmation(
    environment: str, step: str, digest: str, by: str = NAME_PLACEHOLDER
) -> dict[str, dict[str, dict[str, str]]]:
    """The value of ``unified_profiles_confirm`` that confirms one step of one environment."""
    return {environment: {step: {"by": by, "digest": digest}}}


def extra_vars(confirm: Mapping[str, t.Any]) -> str:
    """What to give as extra variables, in a shell or in AWX."""
    return json.dumps({"unified_profiles_confirm": confirm})


def command(run: Iterable[str], confirm: Mapping[str, t.Any]) -> str:
    """A command line for a POSIX shell: the run's own arguments, and the confirmation."""
    return shlex.join([*run, "-e", extra_vars(confirm)])
