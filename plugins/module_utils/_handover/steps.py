# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three hand-overs: what each one hands over, and what makes it due again."""

from __future__ import annotations

import functools

from .._base.errors import OptionError, Refused
from .._base.secret import Secret, fingerprint
from .._clients.source import find, require_java
from .._module.context import ModuleContext
from .._module.values import check_space_id
from .handover import HandOver
from .ledger import STEPS, Steps
from .ledger_place import open_ledger


def check_consent(call: ModuleContext) -> None:
    """Refuse an environment that may not be connected, or whose owner has not agreed.

    Raises:
        Refused: It is subject to a regulation (docs: Twilio > Unified Profiles).
        OptionError: The form's acknowledgement is not given.
    """
    if call["regulated"]:
        named = " and ".join(name.upper() for name in call["regulated"])
        raise Refused(
            f"regulated: the environment is marked as subject to {named}. Unified Profiles is not a HIPAA Eligible "
            "Service or PCI compliant and should not be used in workflows that are subject to HIPAA or PCI.",
            "Do not connect this environment.",
            problem="regulated",
        )
    if call["allow_write_events"] is not True:
        raise OptionError(
            "allow_write_events",
            "is not true. The form asks for the acknowledgement 'Allow Unified Profiles to write events to Segment' "
            "(Flex stores contact center events in your space, Studio may update profiles).",
            "Set it to true if you agree; there is no default.",
        )


def connection(call: ModuleContext) -> HandOver:
    """The Connect form. Due again for another space, token, name or account."""
    check_consent(call)
    check_space_id(call["space_id"])
    token, account = call.required("profile_token"), call.required("twilio_account_sid")
    subject = {
        "account_sid": account,
        "allow_write_events": True,
        "friendly_name": call["friendly_name"],
        "space_id": call["space_id"],
        "profile_token_fingerprint": fingerprint(token),
    }
    values = {name: str(subject[name]) for name in ("account_sid", "friendly_name", "space_id")}
    ledger = open_ledger(call)
    return HandOver(
        call,
        "connection",
        ledger,
        ledger.read().steps,
        subject,
        lambda: {**values, "profile_token": Secret(token)},
        harmless=functools.partial(_makes_no_rival, call),
    )


def _makes_no_rival(call: ModuleContext) -> None:
    """The form makes a source of its own, so what stands in its way is looked for before it is handed over.

    Raises:
        Refused: The older official source stands there, or a source of the name that is not Java.
        Ambiguous: Several sources fit the name.
    """
    if call["segment_token"]:
        source = find(call.public_api().sources(), call["source_name"], call["ignore_legacy"])
        if source is not None:
            require_java(source)


def link(call: ModuleContext) -> HandOver:
    """Profiles sources > Connect source. Due again for another source or space."""
    check_space_id(call["space_id"])
    subject = {"source_id": call["source_id"], "space_id": call["space_id"]}
    values = {**subject, "source_name": call["source_name"]}
    ledger = open_ledger(call)
    return HandOver(
        call, "link", ledger, ledger.read().steps, subject, lambda: values, done_by_form=call["done_by_form"]
    )


def key(call: ModuleContext) -> HandOver:
    """Flex > Update key. Due again for another source, key or account."""
    visible = call["key_fingerprints"]
    account = call.required("twilio_account_sid")
    ledger = open_ledger(call)
    steps = ledger.read().steps
    recorded = recorded_facts(steps)["key_fingerprint"]
    chosen = call["key_fingerprint"] or (recorded if recorded in visible else None)
    if not visible:
        raise Refused(
            f"The write keys of the source {call['source_id']} cannot be seen, so none can be handed over.",
            "segment_token needs the role Source Admin (or Workspace Owner).",
            problem="keys_not_visible",
        )
    if chosen is None and len(visible) > 1:
        raise OptionError(
            "key_fingerprint",
            f"is needed: the source has {len(visible)} keys ({', '.join(visible)}), and none of them is recorded.",
            "Say which one Flex shall have, or remove the others.",
        )
    chosen = chosen or visible[0]
    if chosen not in visible:
        raise OptionError("key_fingerprint", f"the source has no key {chosen}.", f"It has {', '.join(visible)}.")
    subject = {"account_sid": account, "key_fingerprint": chosen, "source_id": call["source_id"]}

    def values() -> dict[str, str]:
        keys = call.public_api().source(call["source_id"]).keys
        if chosen not in keys:
            raise Refused(f"The key {chosen} has left the source meanwhile.", "Run again.", problem="changed_since")
        named = {"source_name": call["source_name"], "account_sid": account}
        return {**named, "source_id": call["source_id"], "write_key": keys[chosen]}

    # The form gave Flex the key of the source that it made and linked, not of one that was linked later.
    linked = steps.get("link", {})
    of_form = not linked or (set(linked) == {"done"} and linked["done"]["how"] == "form")
    return HandOver(
        call,
        "key",
        ledger,
        steps,
        subject,
        values,
        done_by_form=call["done_by_form"] and of_form,
        observed={"keys": sorted(visible)},
    )


def recorded_facts(steps: Steps) -> dict[str, str | None]:
    """Source and key that the ledger names as handed over."""
    records = {step: steps.get(step, {}).get("done") for step in STEPS}
    done = {step: record["subject"] if record else {} for step, record in records.items()}
    return {
        "source_id": done["key"].get("source_id") or done["link"].get("source_id"),
        "key_fingerprint": done["key"].get("key_fingerprint"),
        "connected": done["connection"].get("space_id"),
    }
