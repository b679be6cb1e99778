# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hand-over as a managed resource: desired is what must stand in the console, current what is known to."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable, Mapping

from ..errors import Failure, OptionError, Refused, UnknownOutcome
from ..resource import SET_BY_SEGMENT, Plan, State
from ..runner import Call
from ..secret import fingerprint
from . import cards
from .channels import Endpoint
from .ledger import LEDGER_OPTIONS, Record, digest, open_ledger

OPTIONS: dict[str, t.Any] = {
    **LEDGER_OPTIONS,
    "channel": {"type": "str", "choices": ["operator", "endpoint"], "default": "operator"},
    "endpoint": {
        "type": "dict",
        "options": {
            "url": {"type": "str", "required": True},
            "method": {"type": "str", "choices": ["POST", "PUT", "PATCH"], "default": "POST"},
            "headers": {"type": "dict", "no_log": True},
            "body": {"type": "dict"},
            "read_url": {"type": "str"},
            "read_path": {"type": "str"},
        },
    },
    "confirm": {
        "type": "dict",
        "options": {"by": {"type": "str", "required": True}, "digest": {"type": "str", "required": True}},
    },
    "existing_by": {"type": "str"},
    "clock_skew": {"type": "float", "default": 0.0},
}


class HandOver:
    """One step of one environment.

    Args:
        call: The module's run.
        step: ``connection``, ``link`` or ``key``.
        subject: What must stand in the console; secrets as fingerprints.
        secrets: Gives the secrets and other values that a card or an endpoint needs, by placeholder name. Called only
            when the step is carried out.
        read_back: The value that the endpoint's read is expected to show.
        by_form: Whether the connection form did this step as well, if it is recorded and this step is not.
        observed: More facts to record beside the subject, which do not make the step due when they change.
    """

    computed: State = {}

    def __init__(
        self,
        call: Call,
        step: str,
        subject: Mapping[str, t.Any],
        secrets: Callable[[], dict[str, str]],
        read_back: str,
        by_form: bool = False,
        observed: Mapping[str, t.Any] | None = None,
    ) -> None:
        self.call = call
        self.step = step
        self.subject = dict(subject)
        self.secrets = secrets
        self.read_back = read_back
        self.ledger = open_ledger(call)
        self.all_steps = self.ledger.read()
        self.records = self.all_steps.get(step, {})
        self.digest = digest(call["environment"], step, self.subject)
        self.endpoint = None
        self.card: cards.Card | None = None
        self.stands: bool | None = None
        self.observed = dict(observed or {})
        self.by_form = by_form and not self.records and "done" in self.all_steps.get("connection", {})
        # What was once recorded and has changed since is no longer "what stands there from before".
        self.existing_by = None if "done" in self.records else call["existing_by"]
        if call["channel"] == "endpoint":
            if not call["endpoint"]:
                raise OptionError("endpoint", "is missing, and channel is 'endpoint'.", "Give its url.")
            self.endpoint = Endpoint(call, self.step)
        confirm = call["confirm"]
        if confirm and confirm["digest"] != self.digest:
            raise Refused(
                f"confirm: the {step} hand-over of {call['environment']} was confirmed with the digest "
                f"'{confirm['digest'][:40]}', and what is to be handed over now has the digest {self.digest}: "
                "it has changed since the task card was written.",
                "Follow the new task card, then confirm that one.",
                problem="changed_since",
            )

    def desired(self) -> State:
        return {"status": "done" if self._will_be_done() else "pending", "subject": self.subject}

    def fetch(self) -> State | None:
        """The recorded subject; what the endpoint can read back overrules the record."""
        done, asked = self.records.get("done"), self.records.get("asked")
        if self.endpoint and (value := self.endpoint.read()) is not Endpoint.UNREADABLE:
            self.stands = value == self.read_back
            if not self.stands:
                return {"status": "done", "subject": {"read_back": value}} if value else None
        if done and done["subject"] == self.subject:
            return {"status": "done", "subject": self.subject}
        if asked and asked["subject"] == self.subject:
            return {"status": "pending", "subject": self.subject}
        return {"status": "done", "subject": done["subject"]} if done else None

    def await_(self) -> State | None:
        return None

    assumed = await_

    def apply(self, plan: Plan) -> State:
        if plan.after["status"] == "pending":
            self._record("asked", how="asked", by="")
        else:
            how, by = self._done_by()
            # One value read back does not show that all of a changed subject stands; only an unrecorded one is adopted.
            adopted = self.stands and "done" not in self.records
            if how == "endpoint" and not adopted:
                self._send()
            self._record("done", how=how, by=by)
        return plan.after

    def result(self, status: str) -> dict[str, t.Any]:
        """What a later task, the report and a person need to know."""
        record = self.records.get("done" if status == "done" else "asked", {})
        if status == "pending":
            self.card = cards.make(self.step, self.call["environment"], self.digest, self._card_values())
        return {
            "step": self.step,
            "status": status,
            "digest": self.digest,
            "channel": self.call["channel"],
            "how": record.get("how"),
            "by": record.get("by"),
            "at": record.get("at"),
            "subject": self.subject,
            "read_back": self.stands,
            "card": self.card,
        }

    def _card_values(self) -> dict[str, str]:
        if SET_BY_SEGMENT in str(self.subject):
            return {}
        values = self.secrets()
        return {
            k: (f"{fingerprint(v)}, ends in ...{v[-4:]}" if k in ("profile_token", "write_key") else v)
            for k, v in values.items()
        }

    def _will_be_done(self) -> bool:
        done = self.records.get("done", {}).get("subject") == self.subject
        return done or bool(self.endpoint or self.by_form or self.call["confirm"] or self.existing_by)

    def _done_by(self) -> tuple[str, str]:
        if self.call["confirm"]:
            return "attested", self.call["confirm"]["by"]
        if self.existing_by:
            return "existing", self.existing_by
        if self.by_form:
            return "form", self.all_steps["connection"]["done"].get("by", "")
        return "endpoint", "endpoint"

    def _send(self) -> None:
        endpoint = t.cast(Endpoint, self.endpoint)
        try:
            endpoint.send(self.secrets())
        except UnknownOutcome:
            if endpoint.read() != self.read_back:
                raise
        value = endpoint.read()
        self.stands = None if value is Endpoint.UNREADABLE else value == self.read_back
        if self.stands is False:
            raise Failure(
                f"The endpoint accepted the {self.step} hand-over, and then read back another value "
                f"({value or 'nothing'} instead of {self.read_back}).",
                "Look at the endpoint and at the console; nothing was recorded.",
            )

    def _record(self, state: str, how: str, by: str) -> None:
        at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.call["clock_skew"])
        record: Record = {
            "subject": self.subject,
            "digest": self.digest,
            "channel": self.call["channel"],
            "how": how,
            "by": by,
            "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            **self.observed,
        }
        # Done replaces whatever was asked; asking leaves the older record of what was done.
        self.records = {state: record} if state == "done" else {**self.records, state: record}
        self.ledger.write(self.step, self.records)
