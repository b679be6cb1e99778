# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The state of one environment, as far as the services and the ledger show it: the settings for its inventory."""

from __future__ import annotations

import contextlib
import functools
import typing as t
from collections.abc import Callable

from .._base.errors import Ambiguous, ApiError, Failure, OptionError, Refused
from .._base.gather import gather
from .._clients.source import Source, find, require_java
from .._handover.handovers import check_regulated, recorded_facts
from .._handover.ledger import Steps
from .._handover.ledger_place import LEDGER_OPTIONS, open_ledger
from .._module.context import ModuleContext
from .._module.options import CONNECTION_OPTIONS, IGNORE_LEGACY, PROFILE_TOKEN, SOURCE_NAME
from .._module.values import check_keys_visible, check_space_id, space_in_messages
from .flex import check_flex
from .space import pair_check

REGIONS: list[str] = CONNECTION_OPTIONS["segment_region"]["choices"]
# Written in place of a region that nobody knows. Then the token goes to both regions of Segment.
ASK = "ask"
OPTIONS: dict[str, t.Any] = {
    **PROFILE_TOKEN,
    **SOURCE_NAME,
    **IGNORE_LEGACY,
    **LEDGER_OPTIONS,
    "segment_region": {**CONNECTION_OPTIONS["segment_region"], "choices": [*REGIONS, ASK]},
    "space_id": {"type": "str"},
    "friendly_name": {"type": "str"},
    "source_id": {"type": "str"},
    "key_fingerprint": {"type": "str", "no_log": False},
    "regulated": {"type": "list", "elements": "str", "choices": ["hipaa", "pci"], "default": []},
    # The space that an export before this one has written.
    "exported_space_id": {"type": "str"},
}


class Standing(t.TypedDict):
    """The state of one environment, for its inventory.

    Attributes:
        facts: Settings by option, as they are at the services.
        hints: For settings that are not known: what may be written there, by option.
        notes: What a reader of the inventory should know.
        problems: What has to be settled before the inventory can be used, a sentence or more each.
        workspace: ``{id, name, slug}`` of the Segment workspace.
    """

    facts: dict[str, t.Any]
    hints: dict[str, str]
    notes: list[str]
    problems: list[str]
    workspace: dict[str, str]


def nothing_exists(*problems: str) -> Standing:
    """An environment of which nothing is known, but what is wrong with it."""
    return {"facts": {}, "hints": {}, "notes": [], "problems": [*problems], "workspace": {}}


def look_what_exists(call: ModuleContext) -> Standing:
    """Look what exists. Only reads, and never raises: what cannot be found is among the problems.

    Args:
        call: The environment's options (:data:`OPTIONS` and the connection options), read-only.
    """
    found = nothing_exists()
    facts, hints = found["facts"], found["hints"]
    hints |= {
        "segment_region": " or ".join(REGIONS),
        "twilio_account_sid": "AC...",
        "space_id": "spa_...",
        "friendly_name": f"{call['environment']} (counts where it is left out; only the Twilio console shows which one is set there)",
    }
    facts["source_name"] = call["source_name"]
    if call["friendly_name"]:
        facts["friendly_name"] = call["friendly_name"]
    if call["segment_region"] != ASK:
        facts["segment_region"] = call["segment_region"]
    # Anything else may be a token by mistake.
    if (space := call["space_id"] or call["exported_space_id"] or "").startswith("spa_"):
        facts["space_id"] = space
    with contextlib.suppress(OptionError):
        facts["twilio_account_sid"] = call.sid("twilio_account_sid")
    parts: tuple[Callable[[ModuleContext, Standing], None], ...] = (_account, _workspace)
    try:
        check_regulated(call)
    except Refused as refused:
        found["problems"].append(f"{refused.full_message} Nothing was asked about it.")
        parts = ()
    for part in parts:
        try:
            part(call, found)
        except Failure as failure:
            found["problems"].append(failure.full_message)
    for late in call.transport.not_reached[:1]:
        found["problems"] = [late.full_message]
    found["hints"] = {option: hint for option, hint in hints.items() if option not in facts}
    return found


def _account(call: ModuleContext, found: Standing) -> None:
    """The Twilio account that the credentials belong to. One that was given stays, also where they belong to another."""
    flex = check_flex(call, fail=False)["flex"]
    if flex["account_sid"]:
        found["facts"].setdefault("twilio_account_sid", flex["account_sid"])
    if flex["reason"]:
        found["problems"].append(flex["reason"])


def _workspace(call: ModuleContext, found: Standing) -> None:
    """Region, workspace, space, source, and what the ledger has of them."""
    call = _in_its_region(call)
    found["facts"]["segment_region"] = call["segment_region"]
    api = call.public_api()
    try:
        workspace = found["workspace"] = api.workspace()
    except ApiError as failure:
        if failure.status in (401, 403):
            failure.next_step += f" Where the region is not known, write segment_region: {ASK}."
        raise
    found["notes"].append(f"Workspace {workspace['name']} ({workspace['slug']}, {workspace['id']})")
    reads: dict[str, Callable[[], t.Any]] = {
        "spaces": api.spaces,
        "sources": api.sources,
        "ledger": lambda: open_ledger(call).read().steps,
    }
    read: dict[str, t.Any] = gather(reads, call.workers)
    recorded: Steps = {} if isinstance(read["ledger"], Failure) else read["ledger"]
    # An inventory that was never connected with this collection may have no folder for a ledger.
    if isinstance(read["ledger"], Failure) and not isinstance(read["ledger"], OptionError):
        found["problems"].append(read["ledger"].full_message)
    if filled_in := recorded.get("connection", {}).get("done"):
        found["facts"].setdefault("friendly_name", filled_in["subject"]["friendly_name"])
    for part, items in ((_space, read["spaces"]), (_source, read["sources"])):
        try:
            if isinstance(items, Failure):
                raise items
            part(call, found, items, recorded)
        except Failure as failure:
            found["problems"].append(failure.full_message)


def _in_its_region(call: ModuleContext) -> ModuleContext:
    """The call with a region that is known.

    Raises:
        Failure: It is to be asked for, and not one region alone takes the token.
    """
    if call["segment_region"] != ASK:
        return call
    asked = gather({region: functools.partial(_knows, call, region) for region in REGIONS}, call.workers)
    known = [region for region, answer in asked.items() if not isinstance(answer, Failure)]
    if len(known) == 1:
        return call.derived(segment_region=known[0])
    for answer in asked.values():
        if isinstance(answer, Failure) and not (isinstance(answer, ApiError) and answer.status in (401, 403)):
            raise answer
    told = f"both regions take the token ({' and '.join(REGIONS)})" if known else "the token is refused in both regions"
    raise Refused(f"segment_region: is {ASK}, and {told}.", "Write the region, or check segment_token.")


def _knows(call: ModuleContext, region: str) -> None:
    call.derived(segment_region=region).public_api().workspace()


def _space(call: ModuleContext, found: Standing, spaces: list[dict[str, str]], recorded: Steps) -> None:
    """The space that was given or recorded before; else the only one. One that is gone is never replaced."""
    names = {space["id"]: space["name"] for space in spaces}
    listed = ", ".join(f"{space} ({name})" for space, name in names.items())
    if before := call["space_id"] or call["exported_space_id"] or recorded_facts(recorded)["connected"]:
        check_space_id(before)
        if before not in names:
            if before.startswith("spa_"):
                found["facts"]["space_id"] = before
            there = f"which has {listed}" if names else "which has none"
            raise Refused(
                f"space_id: the space {space_in_messages(before)} is not in the workspace, {there}. It was replaced, or is in another "
                "workspace.",
                "A space is never taken in place of another. Write the one that is meant.",
            )
    if not names:
        raise Refused(
            "space_id: the workspace has no space.",
            "Make one in Segment (Unify), or give the token of another workspace.",
        )
    chosen = before or (next(iter(names)) if len(names) == 1 else "")
    if not chosen:
        fitting = (
            [space for space in names if _opens(call, space)["verdict"] == "passed"] if call["profile_token"] else []
        )
        found["hints"]["space_id"] = " or ".join(fitting or names)
        told = f" profile_token belongs to {' and '.join(fitting)}." if fitting else ""
        raise Refused(
            f"space_id: the workspace has {len(names)} spaces: {listed}.{told}", "Write the one that is meant."
        )
    found["facts"]["space_id"] = chosen
    found["notes"].append(f"Space {names[chosen]}")
    pair = _opens(call, chosen)
    if pair["verdict"] != "passed":
        raise Refused(pair["reason"], pair["next_step"])


def _opens(call: ModuleContext, space: str) -> dict[str, str]:
    """Return whether the Profile API token belongs to a space."""
    return pair_check(gather({"pair": lambda: call.profile_api().check_token_matches_space(space)})["pair"])


def _source(call: ModuleContext, found: Standing, sources: list[Source], recorded: Steps) -> None:
    """The source: its name as it shall be, and its labels as they are."""
    name, hints = call["source_name"], found["hints"]
    source = next((source for source in sources if source.id == call["source_id"]), None)
    try:
        source = source or find(sources, name, call["ignore_legacy"])
    except (Ambiguous, Refused) as failure:
        option = "source_id" if isinstance(failure, Ambiguous) else "ignore_legacy"
        hints[option] = " or ".join(failure.facts["candidates"]) if option == "source_id" else "true"
        raise
    if source is None:
        raise Refused(
            f"There is no source '{name}' in the workspace.",
            "If the environment was connected before, run the playbook recover once the inventory is in use; else connect.",
        )
    state = "" if source.enabled else ", disabled"
    called = "" if source.name == name else f", called '{source.name}' now"
    found["notes"].append(f"Source {source.id}{state}{called}")
    found["facts"]["source_labels"] = dict(sorted(source.labels.items()))
    require_java(source)
    check_keys_visible(source.id, source.keys)
    known = call["key_fingerprint"] or recorded_facts(recorded)["key_fingerprint"]
    if len(source.keys) > 1 and known not in source.keys:
        hints["key_fingerprint"] = " or ".join(sorted(source.keys))
        raise Refused(
            f"key_fingerprint: the source {source.id} has {len(source.keys)} keys: {', '.join(sorted(source.keys))}.",
            "Write the one that Flex has.",
        )
