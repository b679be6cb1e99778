# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hand-over as a managed resource: desired is what must stand in the console, current what is known to."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from .._base.errors import ApiError, BudgetExceeded, Failure, OptionError, Refused, UnknownOutcome, Unreachable
from .._base.secret import Secret, fingerprint
from .._base.times import format_time
from .._module.context import ModuleContext
from .._module.state import SET_BY_SEGMENT, Plan, State
from . import cards
from .endpoint import ENDPOINT_OPTIONS, NO_READ_BACK, READ_BACK_FIELD, Endpoint
from .ledger import Entry, Ledger, Record, Steps, digest
from .ledger_place import LEDGER_OPTIONS

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
    "seen": {
        "type": "dict",
        "options": {
            "at": {"type": "float", "required": True},
            **{step: {"type": "str", "no_log": False} for step in READ_BACK_FIELD},
        },
    },
    "attest_existing": {"type": "str"},
    "clock_skew": {"type": "float", "default": 0.0},
}
# Seconds for which it counts what an endpoint was seen to show. A rollout that takes longer looks again.
READ_BACK_MAX_AGE = 300.0
# An answer, or the lack of a connection, that shows that nothing was done.
NOT_DONE = (ApiError, Unreachable, BudgetExceeded)


class HandOver:
    """One step of one environment.

    Args:
        call: The module's run.
        step: ``connection``, ``link`` or ``key``.
        ledger: Where it is recorded.
        steps: What the ledger showed when it was read for this run.
        subject: What must stand in the console; secrets as fingerprints.
        values: Gives what a card or an endpoint needs, by placeholder name; secrets as :class:`Secret`. Called only when
            the step is carried out or asked for.
        done_by_form: Whether the connection form did this step as well, if it is recorded and this step is not.
        observed: More facts to record beside the subject, which do not make the step due when they change.
        harmless: Raises what speaks against handing the step over. Called only when that is due, in check mode as well.

    Raises:
        OptionError: An option cannot be used.
        Refused: A confirmation of something that has changed since.
    """

    known_after_apply: State = {}

    def __init__(
        self,
        call: ModuleContext,
        step: str,
        ledger: Ledger,
        steps: Steps,
        subject: Mapping[str, t.Any],
        values: Callable[[], dict[str, str]],
        done_by_form: bool = False,
        observed: Mapping[str, t.Any] | None = None,
        harmless: Callable[[], None] = lambda: None,
    ) -> None:
        self.call, self.step, self.ledger = call, step, ledger
        self.all_steps = steps
        self.records: dict[str, Record] = dict(steps.get(step, {}))
        self.subject = dict(subject)
        self.proof = READ_BACK_FIELD[step]
        self.values = values
        self.observed = dict(observed or {})
        self.harmless = harmless
        self.digest = digest(call["environment"], step, self.subject)
        # Whether the endpoint's read showed the expected value; None when it was not read.
        self.stands: bool | None = None
        self.sent = False
        self.done_by_form = done_by_form and not self.records and set(steps.get("connection", {})) == {"done"}
        self.attest_existing = self._existing_by()
        self.endpoint: Endpoint | None = None
        if call["channel"] == "endpoint":
            if not call["endpoint"]:
                raise OptionError("endpoint", "is missing, and channel is 'endpoint'.", "Give its url.")
            self.endpoint = Endpoint(call.transport, step, call["endpoint"])
        self.confirm = self._confirmation()

    # The resource

    def desired(self) -> State:
        return {"status": "done" if self._will_be_done() else "pending", "subject": self.subject}

    def fetch(self) -> State | None:
        with ThreadPoolExecutor(1) as pool:
            # Where nothing is recorded, something will most likely be sent: what speaks against it is read beside the endpoint.
            likely = self.endpoint is not None and not self.records and self._done_by()[0] == "endpoint"
            early = pool.submit(self.harmless) if likely else None
            current = self._current()
        if current != self.desired():
            # Something will be recorded. That it cannot be is told before anything is sent, and in check mode as well.
            self.ledger.ensure_writable()
            if self._done_by()[0] == "endpoint" and not self._adopts():
                early.result() if early else self.harmless()
                self.sent = self.endpoint is not None and self._will_be_done()
        return current

    def _current(self) -> State | None:
        """What the endpoint reads back, if it is something else than expected; otherwise what the ledger says."""
        if self.endpoint and (value := self._read(self.endpoint)) is not NO_READ_BACK:
            self.stands = value == self.subject[self.proof]
            if not self.stands:
                self._refuse_contradiction(value)
                return {"status": "done", "subject": {"read_back": value}} if value else None
        # Somebody may have done what was asked for: then what was done before no longer stands, so "asked" comes first.
        for state, status in (("asked", "pending"), ("done", "done")):
            if state in self.records:
                return {"status": status, "subject": self.records[state]["subject"]}
        return None

    def _read(self, endpoint: Endpoint) -> t.Any:
        """What the endpoint shows. Only that all is well is believed of what was seen before: whatever else follows is seen anew."""
        seen = self.call["seen"]
        if not seen or endpoint.reader is None or seen[self.step] != self.subject[self.proof]:
            return endpoint.read()
        age = self.call.transport.clock.now().timestamp() - seen["at"]
        return seen[self.step] if 0 <= age < READ_BACK_MAX_AGE else endpoint.read()

    def wait_for_creation(self) -> State | None:
        return None

    expected_creation = wait_for_creation

    def apply(self, plan: Plan) -> State:
        if plan.after["status"] == "pending":
            self._record("asked", how="asked", by=self.confirm["by"].strip() if self.confirm else "")
        else:
            how, by = self._done_by()
            if how == "endpoint" and not self._adopts():
                self._send()
            self._record("done", how=how, by=by)
        return plan.after

    def result(self, status: str) -> dict[str, t.Any]:
        """What a later task, the report and a person need to know."""
        record: Mapping[str, t.Any] = self.records.get("done" if status == "done" else "asked", {})
        if record.get("subject") != self.subject:  # not recorded: check mode tells what would be
            record = dict(zip(("how", "by"), self._done_by() if status == "done" else ("asked", "")))
        return {
            "step": self.step,
            "status": status,
            "digest": self.digest,
            "channel": self.call["channel"],
            "how": record.get("how"),
            "sent": self.sent,
            "by": record.get("by"),
            "at": record.get("at"),
            "subject": self.subject,
            "read_back": self.stands,
            "card": self._card() if status == "pending" else None,
        }

    # Who or what says that it is done

    def _existing_by(self) -> str | None:
        by = self.call["attest_existing"]
        if by is not None and not by.strip():
            raise OptionError("attest_existing", "is empty.", "Name who attests the existing connection.")
        # What was once recorded and has changed since is not "what stands there from before". Neither is a link or a key
        # that was asked for: that happens to what this collection made.
        asked = "asked" in self.records and self.step != "connection"
        return None if "done" in self.records or asked else by

    def _confirmation(self) -> Mapping[str, t.Any] | None:
        confirm: Mapping[str, t.Any] | None = self.call["confirm"]
        if confirm and confirm["by"].strip() in ("", cards.NAME_PLACEHOLDER):
            raise OptionError("confirm.by", "is empty, or still as the task card has it.", "Name who did it.")
        if not confirm or confirm["digest"] == self.digest:
            return confirm
        given = confirm["digest"]
        then: State = next((r["subject"] for r in self.records.values() if r["digest"] == given), {})
        changes = {
            name: (then.get(name), self.subject.get(name))
            for name in sorted({*then, *self.subject} if then else ())
            if then.get(name) != self.subject.get(name)
        }
        told = "; ".join(f"{name} was {was} and is {now}" for name, (was, now) in changes.items())
        raise Refused(
            f"confirm: the {self.step} hand-over of {self.call['environment']} was confirmed with the digest "
            f"'{given[:40]}', and what is to be handed over now has the digest {self.digest}: it has changed since the task "
            f"card was written{f' ({told})' if told else ''}.",
            "Run without this confirmation, follow the new task card, then confirm that one.",
            problem="changed_since",
            changed=sorted(changes),
        )

    def _refuse_contradiction(self, value: str | None) -> None:
        """Nobody's word counts against what the endpoint shows."""
        option = (
            "confirm" if self.confirm and self.confirm["done"] else "attest_existing" if self.attest_existing else ""
        )
        if option:
            raise Refused(
                f"{option}: says that the {self.step} hand-over of {self.call['environment']} is done, and the endpoint reads "
                f"back {value or 'nothing'} where {self.subject[self.proof]} should stand.",
                "Look at the console. If it is right there, correct endpoint.read_url and endpoint.read_path.",
                problem="contradicted",
            )

    def _sent_and_unknown(self) -> bool:
        """Whether this was sent and nobody knows whether it was carried out. Then a person has to look."""
        asked = self.records.get("asked")
        sent = asked is not None and asked["how"] == "sent" and asked["subject"] == self.subject
        return sent and not (self.endpoint and self.endpoint.repeatable)

    def _will_be_done(self) -> bool:
        if self.confirm and not self.confirm["done"]:
            return self.endpoint is not None
        if self.confirm or self.attest_existing or self.done_by_form:
            return True
        if self.endpoint:
            return not self._sent_and_unknown()
        return set(self.records) == {"done"} and self.records["done"]["subject"] == self.subject

    def _done_by(self) -> tuple[str, str]:
        if self.confirm and self.confirm["done"]:
            return "attested", self.confirm["by"].strip()
        if self.attest_existing:
            return "existing", self.attest_existing.strip()
        if self.done_by_form and self.stands is not False:
            return "form", self.all_steps["connection"]["done"]["by"]
        return "endpoint", "endpoint"

    # The endpoint

    def _adopts(self) -> bool:
        """Whether what the endpoint read back shows that nothing has to be sent.

        One value shows that it stands, and nothing about the rest of a subject that was recorded differently.
        """
        if "done" not in self.records:
            return self.stands is True
        before = self.records["done"]["subject"]
        changed = {name for name in {*before, *self.subject} if before.get(name) != self.subject.get(name)}
        return self.stands is True and changed <= {self.proof}

    def _send(self) -> None:
        endpoint = t.cast(Endpoint, self.endpoint)
        values = self._values()
        before = dict(self.records)
        stood = self.stands is True
        if not endpoint.repeatable:
            # Recorded first: a run that is killed now must not be followed by one that sends it blindly again.
            self._record("asked", how="sent", by="")
        try:
            endpoint.send(values)
        except UnknownOutcome as failure:
            # What stood there before it was sent does not show that it arrived.
            if stood or self._read_again(failure) is not True:
                raise self._unknown(failure) from None
            return
        except NOT_DONE:
            if not endpoint.repeatable:
                self.records = before
                self.ledger.write(self.step, before)
            raise
        value = endpoint.read()
        self.stands = None if value is NO_READ_BACK else value == self.subject[self.proof]
        if self.stands is False:
            raise Failure(
                f"The endpoint accepted the {self.step} hand-over, and then read back another value "
                f"({value or 'nothing'} instead of {self.subject[self.proof]}).",
                "Look at the endpoint and at the console; it was not recorded as done.",
            )

    def _read_again(self, failure: Failure) -> bool | None:
        """What the endpoint shows after a request whose outcome is not known."""
        try:
            value = t.cast(Endpoint, self.endpoint).read()
        except Failure:
            raise failure from None
        self.stands = None if value is NO_READ_BACK else value == self.subject[self.proof]
        return self.stands

    def _unknown(self, failure: UnknownOutcome) -> UnknownOutcome:
        if t.cast(Endpoint, self.endpoint).repeatable:
            return failure
        return UnknownOutcome(
            f"{failure.message} It is recorded as asked for, and is not sent again.",
            f"Look at the console. Confirm the {self.step} hand-over with the digest {self.digest} if it is done; if it is "
            "not, confirm it with done: false, and it is sent again. With endpoint.read_url the module looks for itself.",
            **failure.facts,
        )

    # Values, cards, records

    def _values(self) -> dict[str, str]:
        return {**self.values(), "environment": self.call["environment"], "digest": self.digest}

    def _card(self) -> cards.Card | None:
        """The task for a person; None as long as Segment has yet to choose what is to be handed over."""
        if SET_BY_SEGMENT in str(self.subject):
            return None
        shown = {
            name: f"{fingerprint(value)}, ends in ...{value[-4:]}" if isinstance(value, Secret) else value
            for name, value in self._values().items()
        }
        card = cards.make(self.step, self.call["environment"], self.digest, shown)
        if self._sent_and_unknown():
            sent = f"This was sent to the endpoint at {self.records['asked']['at']}, and whether it was carried out is not known"
            card["warnings"] = [f"{sent}: look first, and confirm it if it is done.", *card["warnings"]]
        return card

    def _record(self, state: str, how: str, by: str) -> None:
        at = format_time(self.call.transport.clock.now() + datetime.timedelta(seconds=self.call["clock_skew"]))
        entry: Entry = {"at": at, "what": how, "by": by, "why": "", "step": self.step, "digest": self.digest}
        record: Record = {
            "subject": self.subject,
            "digest": self.digest,
            "channel": self.call["channel"],
            "how": how,
            "by": by,
            "at": at,
            **self.observed,  # type: ignore[typeddict-item]
        }
        if state == "asked":
            # When it was first asked for stays as long as the step is pending.
            record["asked_at"] = self.records["asked"]["asked_at"] if "asked" in self.records else at
        # Done replaces whatever was asked; asking leaves the older record of what was done.
        self.records = {state: record} if state == "done" else {**self.records, state: record}
        self.ledger.write(self.step, self.records, entry)
