# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The three hand-overs: what each one hands over, and what makes it due again. One function for each step of the table."""

from __future__ import annotations

import functools
import typing as t

from .._base.errors import OptionError, Refused
from .._clients.source import Source, find, require_java
from .._module.context import ModuleContext
from .._module.state import SET_BY_SEGMENT
from .._module.values import check_keys_visible, check_space_id
from .._module.wait import wait_for
from .cards import NAME_PLACEHOLDER
from .endpoint import Values
from .handover import HandOver
from .ledger import Steps
from .ledger_place import open_ledger
from .rotation import wanted_key


class RecordedFacts(t.TypedDict):
    """Source, key and space that the ledger names as handed over."""

    source_id: str | None
    key_fingerprint: str | None
    connected: str | None


def check_regulated(call: ModuleContext) -> None:
    """Refuse an environment that may not be connected (docs: Twilio > Unified Profiles).

    Raises:
        Refused: It is subject to a regulation.
    """
    if call["regulated"]:
        named = " and ".join(name.upper() for name in call["regulated"])
        raise Refused(
            f"regulated: the environment is marked as subject to {named}. Unified Profiles is not a HIPAA Eligible "
            "Service or PCI compliant. It should not be used in workflows that are subject to HIPAA or PCI.",
            "Do not connect this environment.",
            problem="regulated",
        )


def check_consent(call: ModuleContext) -> None:
    """Refuse an environment that may not be connected, or whose owner has not agreed.

    Raises:
        Refused: It is subject to a regulation.
        OptionError: The form's acknowledgement is not given.
    """
    check_regulated(call)
    if call["allow_write_events"] is not True:
        raise OptionError(
            "allow_write_events",
            "is not true. The form requires the acknowledgement 'Allow Unified Profiles to write events to Segment'. "
            "Flex stores contact center events in your space, and Studio may update profiles.",
            "Set it to true if you agree; there is no default.",
        )


def connection(call: ModuleContext) -> HandOver:
    """The Connect form. Due again for another space, token, name or account."""
    check_consent(call)
    check_space_id(call["space_id"])
    token, account = call.secret("profile_token"), call.sid("twilio_account_sid")
    shown = {"account_sid": account, "friendly_name": call["friendly_name"], "space_id": call["space_id"]}
    ledger = open_ledger(call)
    steps = ledger.read().steps
    return HandOver(
        call,
        "connection",
        ledger,
        steps,
        expected={**shown, "allow_write_events": True, "profile_token_fingerprint": token.fingerprint},
        values=lambda: {**shown, "profile_token": token},
        precheck=functools.partial(_refuse_rival, call, steps),
        warnings=functools.partial(_warn_of_rival, call, steps),
        is_there=functools.partial(_wait_for_source, call),
    )


def find_source(call: ModuleContext) -> Source | None:
    """The source that is meant: the one that ``source_id`` names where that exists, else the one of the name.

    Raises:
        Refused: Only the older official source exists.
        Ambiguous: Several sources fit the name.
    """
    api, name = call.public_api(), call["source_name"]
    return api.source_named(call["source_id"], name) or find(api.sources(), name, call["ignore_legacy"])


def _rival(call: ModuleContext, steps: Steps) -> Source | None:
    """A source in the form's way, which creates one of its own. Without a Segment token nobody looks.

    Raises:
        Refused: The older official source is there, or a source of the name that is not Java.
        Ambiguous: Several sources fit the name.
    """
    if not call["segment_token"]:
        return None
    source = find_source(call)
    if source is None:
        return None
    require_java(source)
    link = steps.get("link", {}).get("done")
    if link is None:
        # What appeared since the form was asked for is the form's.
        return None if steps.get("connection") else source
    return None if link["subject"].get("source_id") == source.id and link["how"] in ("form", "existing") else source


def _refuse_rival(call: ModuleContext, steps: Steps, send: bool) -> None:
    source = _rival(call, steps)
    if source and send:
        raise Refused(
            f"The source '{source.name}' ({source.id}) exists already, and the form did not create it. The form creates one of its own, and "
            "two of the name break the environment. Nothing was sent.",
            "Rename or delete that source first. If the connection exists already, attest it (attest_existing), or mend it without the "
            "form and confirm it (channel operator).",
            candidates=[source.id],
            problem="rival",
        )


def _warn_of_rival(call: ModuleContext, steps: Steps) -> list[str]:
    source = _rival(call, steps)
    if source is None:
        return []
    told = (
        f"The form creates a source of its own, and '{source.name}' ({source.id}), which it did not create, exists already. Rename or delete "
        "that one before you press Connect, or mend the connection without the form."
    )
    if any(steps.values()):
        return [told]
    # The ledger may have been lost, or never kept.
    taken_over = f"-e unified_profiles_attest_existing={NAME_PLACEHOLDER}"
    return [f"If the environment is connected already, follow no card but take it over: {taken_over}", told]


def _wait_for_source(call: ModuleContext, how: str) -> None:
    """See the source that the form makes. After a form that was just filled in it may take a moment to appear.

    Raises:
        Refused: It is not there, so the form was not filled in, or another workspace is looked at.
    """
    seconds = call["wait_timeout"] if how == "attested" else 0
    source = wait_for(call, "the source of the form", lambda: find_source(call), seconds)
    if source is None:
        why = f"there is no source '{call['source_name']}' in the workspace, which the form creates"
        raise _not_there(call, how, "connection", why)
    require_java(source)


def _see_source(call: ModuleContext, step: str, key: str | None, how: str) -> None:
    """See the source, and the key where one is handed over.

    Raises:
        Refused: It is not there.
    """
    source = call.public_api().source_or_none(call["source_id"])
    if source is None:
        raise _not_there(call, how, step, f"the source {call['source_id']} is not there")
    if key and key not in source.keys:
        raise _not_there(call, how, step, f"the source {source.id} has no key {key}")


def _not_there(call: ModuleContext, how: str, step: str, why: str) -> Refused:
    option = "confirm" if how == "attested" else "attest_existing"
    return Refused(
        f"{option}: says that the {step} hand-over of {call['environment']} is done, and {why}. Nothing was recorded.",
        "Run without it and follow the task card. If it was followed, look whether space and token are of the same workspace.",
        problem="not_there",
    )


def link(call: ModuleContext) -> HandOver:
    """Profiles sources > Connect source. Due again for another source or space."""
    check_space_id(call["space_id"])
    expected = {"source_id": call["source_id"], "space_id": call["space_id"]}
    ledger = open_ledger(call)
    steps = ledger.read().steps
    return HandOver(
        call,
        "link",
        ledger,
        steps,
        expected=expected,
        values=lambda: {**expected, "source_name": call["source_name"]},
        is_there=functools.partial(_see_source, call, "link", None),
        done_by_form=_form_filled_in_by(call, steps),
        form_due=_form_is_due(call),
    )


def key(call: ModuleContext, rotated: str | None = None) -> HandOver:
    """Flex > Update key. Due again for another source, key or account.

    Args:
        call: The module's run.
        rotated: The key that a rotation hands over; by default the one that the ledger's rotation wants, if one is open.
    """
    account = call.sid("twilio_account_sid")
    ledger = open_ledger(call)
    document = ledger.read()
    steps = document.steps
    chosen = _choose_key(call, recorded_facts(steps)["key_fingerprint"], rotated or wanted_key(document.rotation))
    expected = {"account_sid": account, "key_fingerprint": chosen, "source_id": call["source_id"]}

    def values() -> Values:
        keys = call.public_api().source(call["source_id"]).keys
        if chosen not in keys:
            raise Refused(f"The key {chosen} has left the source meanwhile.", "Run again.", problem="changed_since")
        named = {"source_name": call["source_name"], "account_sid": account}
        return {**named, "source_id": call["source_id"], "write_key": keys[chosen]}

    # The form gave Flex the key of the source that it created and linked, not of one that was linked later.
    linked = steps.get("link", {})
    of_form = not linked or ("done" in linked and linked["done"]["how"] == "form" and "asked" not in linked)
    return HandOver(
        call,
        "key",
        ledger,
        steps,
        expected=expected,
        values=values,
        is_there=functools.partial(_see_source, call, "key", chosen),
        done_by_form=_form_filled_in_by(call, steps) if of_form else None,
        form_due=_form_is_due(call),
        extra_facts={"keys": sorted(call["key_fingerprints"])},
    )


def _choose_key(call: ModuleContext, recorded: str | None, rotated: str | None) -> str:
    """The fingerprint of the key that Flex shall have: a rotation's, the named one, the recorded one, or the only one."""
    visible: list[str] = call["key_fingerprints"]
    check_keys_visible(call["source_id"], visible)
    listed = ", ".join(visible)
    named = call["key_fingerprint"]
    if rotated in visible:
        if named and named != rotated:
            problem = f"names {named}, and the rotation that is open hands {rotated} over."
            raise OptionError("key_fingerprint", problem, "Leave it out until the rotation has ended.")
        return str(rotated)
    if named:
        if named not in visible:
            raise OptionError("key_fingerprint", f"the source has no key {named}.", f"It has {listed}.")
        return str(named)
    if recorded in visible:
        return recorded
    if len(visible) > 1:
        raise OptionError(
            "key_fingerprint",
            f"is needed: the source has {len(visible)} keys ({listed}), and none of them is recorded.",
            "Say which one Flex shall have, or remove the others.",
        )
    return visible[0]


def _form_filled_in_by(call: ModuleContext, steps: Steps) -> str | None:
    """Return who filled in the connection form, if that counts, as long as nobody has been asked to do it again."""
    if not call["done_by_form"]:
        return None
    if call.check_mode and call["form_done_by"]:
        return str(call["form_done_by"])
    form = steps.get("connection", {})
    return form["done"]["by"] if set(form) == {"done"} else None


def _form_is_due(call: ModuleContext) -> bool:
    """Return whether a form is foretold that creates the source: it links the source and stores its key before these steps come."""
    return bool(call["done_by_form"] and call["source_id"] == SET_BY_SEGMENT)


def recorded_facts(steps: Steps) -> RecordedFacts:
    """Source, key and space that were last handed over."""
    subjects = {step: records["done"]["subject"] for step, records in steps.items() if "done" in records}
    connection, link, key = (subjects.get(step, {}) for step in ("connection", "link", "key"))
    return {
        "source_id": key.get("source_id") or link.get("source_id"),
        "key_fingerprint": key.get("key_fingerprint"),
        "connected": connection.get("space_id"),
    }
