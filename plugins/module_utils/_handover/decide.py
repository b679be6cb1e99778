# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Whether a hand-over is done, who says so, and whether something must be sent. Pure.

Every question that a hand-over asks is answered here, once, from :class:`Facts`. Who says that a step is done, the first that
applies:

1. the record, if it is of what is expected, nothing was asked for since, and the endpoint shows nothing else;
2. a person who confirms the card;
3. a person who attests what existed before;
4. whoever filled in the connection form, if it did this step as well;
5. the endpoint, which has to be called unless it shows that everything is in place.

A person who says that the step was **not** done outranks 2 to 4.
"""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

from .._module.state import State
from .ledger import Record
from .steps import Step

Records = Mapping[str, Record]


class Confirmation(t.TypedDict):
    """A person's word on one card."""

    by: str
    digest: str
    done: bool


@dataclass(frozen=True)
class Facts:
    """The known facts of one step of one environment.

    Attributes:
        step: The step.
        expected: What must be in the console, with fingerprints for secrets.
        digest: Of what is expected.
        recorded: The ledger's records of the step, ``done`` and ``asked``.
        confirmation: What a person says about the card.
        attested_by: Who attests what existed before the collection came.
        done_by_form: Who filled in the connection form, if it did this step as well.
        endpoint: How a hand-over can be sent. ``blind``: nobody can tell afterwards whether it arrived, so it is never repeated
            without a look.
        shown: What the endpoint reads back, empty when there is nothing; None when it was not read.
        again: Whether somebody wants the step handed over again, although it is recorded as done.
    """

    step: Step
    expected: State
    digest: str
    recorded: Records = field(default_factory=dict)
    confirmation: Confirmation | None = None
    attested_by: str | None = None
    done_by_form: str | None = None
    endpoint: t.Literal["none", "repeatable", "blind"] = "none"
    shown: str | None = None
    again: bool = False

    @property
    def read_back(self) -> bool | None:
        """Return whether the endpoint shows the expected value; None when it was not read."""
        if self.shown is None:
            return None
        return self.shown != "" and self.shown == self.expected[self.step.read_back_field]

    @property
    def denied(self) -> bool:
        """Return whether a person says that the step was not done."""
        return self.confirmation is not None and not self.confirmation["done"]

    @property
    def current(self) -> State | None:
        """The state that is known: what the endpoint shows if that is unexpected, or else what the ledger says."""
        if self.read_back is False:
            return {"status": "done", "subject": {"read_back": self.shown}} if self.shown else None
        # Somebody may have done what was asked for. Then what was done before no longer holds, so "asked" comes first.
        for state, status in (("asked", "pending"), ("done", "due again" if self.again else "done")):
            if state in self.recorded:
                return {"status": status, "subject": self.recorded[state]["subject"]}
        return None

    def record(self, state: str) -> Record | None:
        """The record of this state, if it is of what is expected."""
        record = self.recorded.get(state)
        return record if record and record["subject"] == self.expected else None

    @property
    def in_place(self) -> bool:
        """Return whether the endpoint shows that nothing has to be sent.

        It shows one value. That says nothing of the other fields, if they were recorded differently.
        """
        before = self.recorded["done"]["subject"] if "done" in self.recorded else self.expected
        changed = {name for name in {*before, *self.expected} if before.get(name) != self.expected.get(name)}
        return self.read_back is True and changed <= {self.step.read_back_field}


@dataclass(frozen=True)
class Decision:
    """The decision on a step.

    Attributes:
        status: The status that the step has at the end of the run.
        how: Who or what says so: ``attested``, ``existing``, ``form``, ``endpoint``; or, of a pending step, ``asked``, ``sent``.
        by: Their name; empty where nobody did.
        at: When that was recorded; empty when it is not recorded yet.
        send: Whether the endpoint has to be called.
        refuse: Why the run must not go on.
    """

    status: t.Literal["done", "pending"]
    how: str
    by: str = ""
    at: str = ""
    send: bool = False
    refuse: t.Literal["", "changed_since", "contradicted"] = ""

    @property
    def hands_over(self) -> bool:
        """Return whether the step is handed over: to the endpoint now, or to a person with a card."""
        return self.send or self.status == "pending"

    @property
    def by_word(self) -> bool:
        """Return whether nothing but a person's word says that the step is done."""
        return self.status == "done" and self.how in ("attested", "existing")


def decide(facts: Facts) -> Decision:
    """Answer all questions of one step."""
    done, asked = facts.record("done"), facts.record("asked")
    if facts.confirmation and facts.confirmation["digest"] != facts.digest:
        if facts.denied and asked and asked["how"] == "asked":  # it says no more than is recorded
            return Decision("pending", asked["how"], asked["by"], asked["at"])
        return Decision("pending", "asked", refuse="changed_since")
    # What a person takes back is no longer settled. What an endpoint took is: it is not called for a word alone.
    taken_back = facts.again or (facts.denied and facts.endpoint == "none")
    if done and "asked" not in facts.recorded and facts.read_back is not False and not taken_back:
        return Decision("done", done["how"], done["by"], done["at"])
    if word := _word(facts):
        how, by = word
        return Decision("done", how, by, refuse="contradicted" if facts.read_back is False else "")
    # A request whose outcome nobody knows is not sent again before a person has looked.
    unknown = asked is not None and asked["how"] == "sent" and not facts.denied
    if facts.endpoint == "none" or (facts.endpoint == "blind" and unknown):
        if asked:
            return Decision("pending", asked["how"], asked["by"], asked["at"])
        return Decision("pending", "asked", facts.confirmation["by"] if facts.confirmation else "")
    return Decision("done", "endpoint", "endpoint", send=facts.again or not facts.in_place)


def _word(facts: Facts) -> tuple[str, str] | None:
    """Return how, and by whom, the step is said to be done. What the record and the endpoint say is no word."""
    if facts.denied or facts.again:
        return None
    if facts.confirmation:
        return "attested", facts.confirmation["by"]
    # What was recorded once and has changed since did not exist before. Neither did what this collection asked for.
    existed = "done" not in facts.recorded and (facts.step.attest_when_asked or "asked" not in facts.recorded)
    if facts.attested_by and existed:
        return "existing", facts.attested_by
    # A value that the endpoint shows and the form did not set takes the form's word away.
    if facts.done_by_form and not facts.recorded and facts.read_back is not False:
        return "form", facts.done_by_form
    return None
