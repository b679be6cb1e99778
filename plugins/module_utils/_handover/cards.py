# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Task cards: what a person has to do in a console, exactly. Pure data; ``plugin_utils/_pages.py`` renders it."""

from __future__ import annotations

import shlex
import typing as t
from collections.abc import Iterable, Mapping
from urllib.parse import quote, urlsplit

from .._base.errors import OptionError
from .steps import STEPS

# In the command on a card, for the name of who did it. One word: Ansible splits what follows -e at blanks.
NAME_PLACEHOLDER = "NAME"
SIGNED = {"confirmed_by": NAME_PLACEHOLDER}
ACCOUNT = "Twilio account"
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
    """One step of one environment, for a person.

    ``where`` names the Twilio account and the Segment workspace. What waits for a confirmation has a digest. A card
    about a done step that evidence speaks against has none: ``handover_again`` and ``acknowledge`` name what to give
    instead.
    """

    environment: str
    step: str
    title: str
    where: list[str]
    page: list[str]
    links: list[Link]
    actions: list[CardAction]
    warnings: list[str]
    check: str
    digest: str
    confirm_command: str
    handover_again: str
    acknowledge: str


class Console(t.TypedDict, total=False):
    """The known facts of the consoles: Segment's region (``us`` or ``eu``), slugs in its URLs, the sandbox's URL."""

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
        "where": where(values),
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
        "confirm_command": confirm(HOW_TO_RUN, [digest]),
        "handover_again": "",
        "acknowledge": "",
    }


def evidence_card(
    step: str, environment: str, reason: str, values: Mapping[str, str], handover_again: str, acknowledge: str
) -> Card:
    """The card of a step that was done, and that evidence speaks against.

    Args:
        step: A name in the table of steps.
        environment: Its name in the ledger.
        reason: What speaks against it.
        values: As for :func:`build_card`.
        handover_again: The digest of what was done; empty where none is recorded.
        acknowledge: The name of the alert or suspicion; empty where there is none to acknowledge.
    """
    card = build_card(step, environment, "", values)
    ways = [f"unified_profiles_handover_again={handover_again}"] if handover_again else []
    ways += [f"unified_profiles_acknowledge={acknowledge}"] if acknowledge else []
    told = [f"Look first, this was done before: {reason}"]
    if handover_again:
        told.append(f"To be asked for it again: -e {ways[0]}")
    if acknowledge:
        told.append(f"If it is in order or mended: -e {ways[-1]} -e unified_profiles_confirmed_by={NAME_PLACEHOLDER}")
    card["warnings"] = [*told, *card["warnings"]]
    card["confirm_command"] = again(HOW_TO_RUN, handover_again, acknowledge)
    card["handover_again"], card["acknowledge"] = handover_again, acknowledge
    return card


def where(values: Mapping[str, str]) -> list[str]:
    """The account, region and space that a card is about, as far as they are known."""
    known = {
        ACCOUNT: values.get("account_sid"),
        "Segment region": values.get("region"),
        "space": values.get("space_id"),
    }
    return [f"{name} {value}" for name, value in known.items() if value]


def with_names(where: Iterable[str], account: str, workspace: str) -> list[str]:
    """Return where a card is about, with the account's name and the workspace's slug. Either is empty where it is not known."""
    named = [f"{it} ({account})" if account and it.startswith(f"{ACCOUNT} ") else it for it in where]
    return [*named, *([f"Segment workspace {workspace}"] if workspace else [])]


def again(run: Iterable[str], handover_again: str, acknowledge: str) -> str:
    """The command line that asks for a step again, or else says that what speaks against it was looked at."""
    # Whoever says that it is in order is named; to be asked again needs no name.
    given = {"handover_again": handover_again} if handover_again else {"acknowledge": acknowledge, **SIGNED}
    return _with(run, given)


def links(step: str, environment: str, console: Console) -> list[Link]:
    """Return where a browser should go for a step. With a sandbox, all links lead to its own consoles.

    Args:
        step: A name in the table of steps.
        environment: Names the page in the sandbox.
        console: What is known.
    """
    if step not in STEPS:  # what several pages are needed for
        return []
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


def signature(by: str | None, option: str, way_out: str = "Name who did it.") -> str:
    """Return who says something, for the ledger.

    Raises:
        OptionError: Nobody is named.
    """
    name = (by or "").strip()
    if name in ("", NAME_PLACEHOLDER):
        raise OptionError(option, "is empty, or still as the task card has it.", way_out)
    return name


def confirm(run: Iterable[str], digests: Iterable[str]) -> str:
    """The command line, for a POSIX shell, that confirms cards: a digest names environment and step."""
    return _with(run, {"confirm": ",".join(digests), **SIGNED})


def _with(run: Iterable[str], given: Mapping[str, str]) -> str:
    return shlex.join(
        [*run, *(word for name, value in given.items() for word in ("-e", f"unified_profiles_{name}={value}"))]
    )
