# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""A hand-over as a managed resource: reads, sends and records. What that means for the step is decided in ``decide.py``."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from .._base.errors import ApiError, BudgetExceeded, Failure, OptionError, Refused, UnknownOutcome, Unreachable
from .._base.secret import Secret
from .._base.times import format_time
from .._module.context import ModuleContext
from .._module.state import SET_BY_SEGMENT, Plan, Resource, State
from .cards import Card, build_card, signature
from .decide import Confirmation, Facts, Records, decide
from .endpoint import ENDPOINT_OPTIONS, Endpoint, Values
from .ledger import Entry, Ledger, Record, Steps, digest
from .ledger_place import LEDGER_OPTIONS
from .steps import STEPS

# Documented in doc_fragments/_handover.py.
OPTIONS: dict[str, t.Any] = {
    **LEDGER_OPTIONS,
    "channel": {"type": "str", "choices": ["operator", "endpoint"], "default": "operator"},
    "endpoint": ENDPOINT_OPTIONS,
    "confirm": {
        "type": "dict",
        "options": {
            "by": {"type": "str", "required": True},
            "digest": {"type": "str", "required": True},
            "done": {"type": "bool", "default": True},
        },
    },
    "confirm_digests": {"type": "list", "elements": "str", "default": []},
    "withdraw": {"type": "list", "elements": "str", "default": []},
    "handover_again": {"type": "list", "elements": "str", "default": []},
    "confirmed_by": {"type": "str"},
    "reason": {"type": "str"},
    "attest_existing": {"type": "str"},
    "clock_skew": {"type": "float", "default": 0.0},
}
# A refusal, or the lack of a connection: nothing was done.
NOT_DONE = (ApiError, Unreachable, BudgetExceeded)


class HandOverResult(t.TypedDict):
    """The facts of a hand-over for a later task, the report and a person; documented in the modules."""

    step: str
    status: str
    digest: str
    channel: str
    how: str
    sent: bool
    by: str
    at: str | None
    subject: dict[str, t.Any]
    read_back: bool | None
    card: Card | None


class ExtraFacts(t.TypedDict, total=False):
    """Facts that are recorded beside the expected state and do not make the step due when they change."""

    keys: list[str]


class HandOver(Resource):
    """One step of one environment.

    Args:
        call: The module's run.
        step: A name in the table of steps.
        ledger: Where it is recorded.
        steps: What the ledger held when it was read for this run.
        expected: What must be in the console; secrets as fingerprints.
        values: Returns what a card or an endpoint needs, by placeholder; secrets as :class:`Secret`. Called only when the step
            is sent or asked for.
        done_by_form: Who filled in the connection form, if it did this step as well.
        form_due: Whether check mode foretells a form that does this step as well. What an endpoint shows before it is not what the
            real run finds.
        extra_facts: What to record beside.
        precheck: Raises what speaks against handing the step over, given whether it would be sent. Reads only; called when that is due,
            in check mode too.
        warnings: Returns what a card has to warn of besides. Reads only.
        is_there: Raises Refused where what a person attests cannot be, given how the person knows (``attested`` or ``existing``).
            Reads only; called before a word is recorded, in check mode too.

    Raises:
        OptionError: An option cannot be used.
        Refused: A confirmation of something that has changed since.
    """

    def __init__(
        self,
        call: ModuleContext,
        step: str,
        ledger: Ledger,
        steps: Steps,
        *,
        expected: Mapping[str, t.Any],
        values: Callable[[], Values],
        is_there: Callable[[str], None],
        done_by_form: str | None = None,
        form_due: bool = False,
        extra_facts: ExtraFacts | None = None,
        precheck: Callable[[bool], None] = lambda send: None,
        warnings: Callable[[], list[str]] = list,
    ) -> None:
        self.call, self.ledger, self.all_steps = call, ledger, steps
        self.values, self.extra_facts = values, extra_facts or ExtraFacts()
        self.precheck, self.is_there, self.warnings = precheck, is_there, warnings
        self.endpoint, self.form_due = _endpoint(call, step), form_due
        recorded = steps.get(step, {})
        again = "asked" not in recorded and "done" in recorded and recorded["done"]["digest"] in call["handover_again"]
        known = _digest(call, step, expected, recorded, again)
        self.facts = Facts(
            step=STEPS[step],
            expected=dict(expected),
            digest=known,
            recorded=recorded,
            again=again,
            confirmation=_confirmation(call, known, recorded),
            attested_by=attested_by(call),
            done_by_form=done_by_form,
            endpoint="none" if not self.endpoint else "repeatable" if self.endpoint.repeatable else "blind",
        )
        self.decision = decide(self.facts)
        if self.decision.refuse:
            raise self._changed_since()

    # The resource

    def fetch(self) -> State | None:
        if self.endpoint and not self.form_due:
            self.facts = replace(self.facts, shown=self.endpoint.read())
        self.decision = decide(self.facts)
        return self.facts.current

    def desired(self, current: State | None) -> State:
        return {"status": self.decision.status, "subject": self.facts.expected}

    def check(self, plan: Plan) -> None:
        if self.decision.refuse:
            raise self._contradicted()
        if self.decision.by_word:
            self.is_there(self.decision.how)
        # What cannot be recorded is refused before it is sent.
        self.ledger.ensure_writable()
        if self.decision.hands_over:
            self.precheck(self.decision.send)

    def apply(self, plan: Plan) -> State:
        if self.endpoint and self.decision.send:
            self._send(self.endpoint)
        state = "done" if self.decision.status == "done" else "asked"
        self.record(state, self.decision.how, self.decision.by)
        return plan.after

    def result(self) -> HandOverResult:
        decision, facts = self.decision, self.facts
        return {
            "step": facts.step.name,
            "status": decision.status,
            "digest": facts.digest,
            "channel": self.call["channel"],
            "how": decision.how,
            "sent": decision.send,
            "by": decision.by,
            "at": decision.at or None,
            "subject": dict(facts.expected),
            "read_back": facts.read_back,
            "card": self._card() if decision.status == "pending" else None,
        }

    # Refusals

    def _changed_since(self) -> Refused:
        facts = self.facts
        given = t.cast(Confirmation, facts.confirmation)["digest"]
        before: State = next((r["subject"] for r in facts.recorded.values() if r["digest"] == given), {})
        changes = {
            name: (before.get(name), facts.expected.get(name))
            for name in sorted({*before, *facts.expected} if before else ())
            if before.get(name) != facts.expected.get(name)
        }
        listed = "; ".join(f"{name} was {was} and is {now}" for name, (was, now) in changes.items())
        return Refused(
            f"confirm: the {facts.step.name} hand-over of {self.call['environment']} was confirmed with the digest "
            f"'{given[:40]}'. What is to be handed over now has the digest {facts.digest}: it has changed since the task "
            f"card was written{f' ({listed})' if listed else ''}.",
            "Run without this confirmation, follow the new task card, then confirm that one.",
            problem="changed_since",
            changed=sorted(changes),
            card=self._card(),
        )

    def _contradicted(self) -> Refused:
        facts = self.facts
        option = "confirm" if self.decision.how == "attested" else "attest_existing"
        return Refused(
            f"{option}: says that the {facts.step.name} hand-over of {self.call['environment']} is done, and the endpoint reads "
            f"back {facts.shown or 'nothing'} where {facts.expected[facts.step.read_back_field]} is expected.",
            "Look at the console. If it is right there, correct endpoint.read_url and endpoint.read_path.",
            problem="contradicted",
        )

    # The endpoint

    def _send(self, endpoint: Endpoint) -> None:
        values, before = self._values(), self.facts
        if not endpoint.reader:
            # Recorded first, for the run after one that is killed now. It must not send blindly again, nor take the
            # form's source for a rival.
            self.record("asked", "sent", "")
        try:
            endpoint.send(values)
        except UnknownOutcome as failure:
            # A value that was there before it was sent does not show that it arrived.
            if before.read_back or not self._arrived(endpoint):
                raise self._unknown(failure, endpoint) from None
            return
        except NOT_DONE:
            if not endpoint.reader:
                self.facts = before
                self.ledger.write(before.step.name, before.recorded)
            raise
        self.facts = replace(self.facts, shown=endpoint.read())
        if self.facts.read_back is False:
            raise Failure(
                f"The endpoint accepted the {before.step.name} hand-over, and then read back another value "
                f"({self.facts.shown or 'nothing'} instead of {before.expected[before.step.read_back_field]}).",
                "Look at the endpoint and at the console; it was not recorded as done.",
            )

    def _arrived(self, endpoint: Endpoint) -> bool:
        """Return whether the endpoint shows what was sent without an answer."""
        with suppress(Failure):  # the failure that counts is the one of sending
            self.facts = replace(self.facts, shown=endpoint.read())
        return self.facts.read_back is True

    def _unknown(self, failure: UnknownOutcome, endpoint: Endpoint) -> UnknownOutcome:
        if endpoint.repeatable:
            return failure
        return UnknownOutcome(
            f"{failure.message} It is recorded as asked for, and is not sent again.",
            f"Look at the console. Confirm the {self.facts.step.name} hand-over with the digest {self.facts.digest} if it is "
            "done. If it is not, confirm it with done: false, and it is sent again. With endpoint.read_url the module looks for "
            "itself.",
            **failure.facts,
        )

    # Values, cards, records

    def _values(self) -> Values:
        return {**self.values(), "environment": self.call["environment"], "digest": self.facts.digest}

    def _card(self) -> Card | None:
        """The task for a person; None as long as Segment has yet to choose what is to be handed over."""
        if SET_BY_SEGMENT in str(self.facts.expected):
            return None
        shown = {name: value.hint if isinstance(value, Secret) else value for name, value in self._values().items()}
        shown = {"account_sid": self.call["twilio_account_sid"] or "", "region": self.call["segment_region"], **shown}
        card = build_card(self.facts.step.name, self.call["environment"], self.facts.digest, shown)
        card["warnings"] = [*self.warnings(), *card["warnings"]]
        if self.decision.how == "sent":
            sent = f"This was sent to the endpoint at {self.decision.at}, and whether it was carried out is not known"
            card["warnings"].insert(0, f"{sent}: look first, and confirm it if it is done.")
        return card

    def record(self, state: str, how: str, by: str) -> None:
        at = format_time(self.call.segment_now())
        step, recorded = self.facts.step.name, self.facts.recorded
        # The time of the first request stays as long as the step is pending.
        asked_at = recorded["asked"]["asked_at"] if "asked" in recorded else at
        if state == "asked":
            asked_for = _asked_for(self.call, step, self.facts.expected, asked_at)
            self.facts = replace(self.facts, digest=asked_for)
        record: Record = {
            "subject": dict(self.facts.expected),
            "digest": self.facts.digest,
            "channel": self.call["channel"],
            "how": how,
            "by": by,
            "at": at,
        }
        if "keys" in self.extra_facts:
            record["keys"] = self.extra_facts["keys"]
        if state == "asked":
            record["asked_at"] = asked_at
        # Done replaces whatever was asked; asking leaves the older record of what was done.
        records: Records = {state: record} if state == "done" else {**recorded, state: record}
        self.facts = replace(self.facts, recorded=records)
        self.decision = replace(self.decision, at=record["at"])
        entries: list[Entry] = []
        if "asked" not in recorded and (self.facts.again or self.facts.denied):
            # Who made it due again, and of which record.
            what, name = ("handed over again", self.call["confirmed_by"]) if self.facts.again else ("withdrawn", by)
            why, of = self.call["reason"] or "", recorded["done"]["digest"] if "done" in recorded else ""
            entries.append({"at": at, "what": what, "by": name or "", "why": why, "step": step, "digest": of})
        entries.append({"at": at, "what": how, "by": by, "why": "", "step": step, "digest": self.facts.digest})
        self.ledger.write(step, records, *entries)


def _endpoint(call: ModuleContext, step: str) -> Endpoint | None:
    if call["channel"] != "endpoint":
        return None
    if not call["endpoint"]:
        raise OptionError("endpoint", "is missing, and channel is 'endpoint'.", "Give its url.")
    return Endpoint(call.transport, step, call["endpoint"])


def _asked_for(call: ModuleContext, step: str, expected: Mapping[str, t.Any], at: str) -> str:
    """The digest of a card: of what is handed over, and of when it was asked for, so that it is confirmed once."""
    return digest(call["environment"], step, {**expected, "asked_at": at})


def _digest(call: ModuleContext, step: str, expected: Mapping[str, t.Any], recorded: Records, again: bool) -> str:
    """The recorded one, if it is of what is expected. What is not asked for yet follows on what was recorded last."""
    newest = recorded.get("asked") or recorded.get("done")
    if newest and newest["subject"] == expected and not again:
        return newest["digest"]
    return _asked_for(call, step, expected, newest["at"] if newest else "")


def _confirmation(call: ModuleContext, known: str, recorded: Records) -> Confirmation | None:
    """A person's word on this step: on its card, or that what is recorded as done was not; None without any."""
    if confirm := call["confirm"]:
        return {"by": signature(confirm["by"], "confirm.by"), "digest": confirm["digest"], "done": confirm["done"]}
    done, asked = recorded.get("done"), recorded.get("asked")
    if done and not asked and done["digest"] in call["withdraw"]:
        return {"by": signature(call["confirmed_by"], "confirmed_by"), "digest": done["digest"], "done": False}
    # The card that was asked for last is this step's as well: confirmed when something has changed since, it is refused.
    for card in (known, asked["digest"] if asked else known):
        if card in call["confirm_digests"]:
            return {"by": signature(call["confirmed_by"], "confirmed_by"), "digest": card, "done": True}
    return None


def attested_by(call: ModuleContext) -> str | None:
    """Return who attests what exists, None where nobody does.

    Raises:
        OptionError: The name is none.
    """
    by = call["attest_existing"]
    if by is None:
        return None
    return signature(by, "attest_existing", "Name who attests the existing connection.")
