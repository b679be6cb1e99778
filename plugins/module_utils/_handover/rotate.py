# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Rotates a write key as far as this run may: reads, adds, hands over, removes and records. What comes next is decided in rotation.py."""

from __future__ import annotations

import datetime
import typing as t
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .._base.errors import NotFound, OptionError, Refused
from .._base.secret import Secret
from .._base.times import format_time
from .._module.context import ModuleContext
from .._module.options import SOURCE_NAME, SPACE
from .._module.state import SET_BY_SEGMENT, Plan, Resource, State
from .._module.values import DIGEST, check_keys_visible
from .evidence import evaluate
from .handover import OPTIONS as HANDOVER_OPTIONS
from .handover import HandOverResult
from .handovers import key as key_handover
from .ledger import LedgerDocument, Rotation
from .ledger_place import open_ledger
from .rotation import (
    REMOVES,
    Facts,
    Next,
    RotationStatus,
    added,
    first_seen,
    next_step,
    nothing_open,
)
from .rotation_record import after, begin, state

# Documented in the module profiles_rotation.
ROTATION_OPTIONS: dict[str, t.Any] = {
    "key_max_age": {"type": "float", "no_log": False},
    "key_overlap": {"type": "float", "default": 24.0, "no_log": False},
    "rotate_now": {"type": "dict", "default": {}},
    "rotate_rollback": {"type": "dict", "default": {}},
    "retire": {"type": "dict", "default": {}},
    "retire_on_read_back": {"type": "bool", "default": False},
    "key_fingerprint": {"type": "str", "no_log": False},
    "proof_max_age": {"type": "float", "default": 3.0},
    "test_event": {"type": "bool", "default": False},
    "sent_test_event": {"type": "dict"},
}
OPTIONS: dict[str, t.Any] = {
    **SPACE,
    **SOURCE_NAME,
    **HANDOVER_OPTIONS,
    "source_id": {"type": "str"},
    **ROTATION_OPTIONS,
}
# Of the evidence, which is read where a rotation waits for its proof.
OF_EVIDENCE: dict[str, t.Any] = {"read_back": None, "read_evidence": True, "read_connector": False, "acknowledge": []}
# Options that are about one key of each environment.
WORDS = ("rotate_now", "rotate_rollback", "retire")
# After these it is another hand-over, or none, that is looked at.
TURNS = ("back", "remove", "close")
# More steps than one run can take.
MOST = 12


@dataclass
class Rotated:
    """The result of a run.

    Attributes:
        status: The state of the rotation.
        did: What was done, or in check mode would be, in order.
        before, after: For the diff.
        handover: The hand-over, if one was looked at.
        test_key: The key through which a test event is wanted now; empty where none is.
    """

    status: RotationStatus
    did: list[Next] = field(default_factory=list)
    before: State = field(default_factory=dict)
    after: State = field(default_factory=dict)
    handover: HandOverResult | None = None
    test_key: str = ""

    @property
    def changed(self) -> bool:
        return bool(self.did)


def rotate(call: ModuleContext) -> Rotated:
    """Go as far as this run may; see the module profiles_rotation.

    Raises:
        OptionError: A value that cannot be used.
        Refused: A person has to put something right first.
        Failure: What the reads and the writes raise.
    """
    _check(call)
    if call["source_id"] is None:
        if open_ledger(call).read().rotation or any(call[name].get(call["environment"]) for name in WORDS):
            raise NotFound(
                "There is no source, so there is no write key to rotate.", "Run recover.", problem="source_gone"
            )
        return Rotated(nothing_open())
    return _Run(call).go()


class _Run:
    def __init__(self, call: ModuleContext) -> None:
        self.call, self.api, self.ledger = call, call.public_api(), open_ledger(call)
        self.source_id: str = call["source_id"]
        self.document = self.ledger.read()
        self.secrets: Mapping[str, Secret] = {}
        self.keys = self.look()
        self.facts = self._facts()

    def look(self) -> list[str]:
        """Read the keys of the source."""
        self.secrets = self.api.source(self.source_id).keys
        check_keys_visible(self.source_id, self.secrets)
        return sorted(self.secrets)

    def now(self) -> datetime.datetime:
        return self.call.segment_now()

    def go(self) -> Rotated:
        done = Rotated(status=nothing_open(), before=state(self.document, self.keys))
        for _turn in range(MOST):
            step = next_step(replace(self.facts, document=self.document, keys=self.keys, now=self.now()))
            if step.do == "test":
                done.test_key = step.key
                if self.call.check_mode:
                    done.did.append(step)
                    self.facts = replace(self.facts, test_event={"key_fingerprint": step.key, "status": "arrived"})
                    continue
            if not step.due or step.do == "test":
                break
            if step.do == "hand_over":
                done.handover = self._hand_over(step, done)
                continue
            self._do(step, done)
        done.after = state(self.document, self.keys)
        done.status = self._status(step)
        return done

    def _do(self, step: Next, done: Rotated) -> None:
        if step.do == "add":
            _check_not_pinned(self.call)
        if step.do in TURNS:
            self.facts = replace(self.facts, handover=None, proven_at="")
        found = t.cast(State, self.call.reconcile(_Step(self, step)).state)
        self.document, self.keys = found["document"], found["keys"]
        done.did.append(step)

    def _hand_over(self, step: Next, done: Rotated) -> HandOverResult:
        """Hand the key of this phase over, or see that this was done."""
        if t.cast(Rotation, self.document.rotation)["phase"] == "add":
            # Recorded first: from now on the new key may be in Flex.
            self._do(step, done)
        record = self.document.steps["key"].get("done")
        handover = key_handover(
            self.call.derived(
                key_fingerprints=self.keys,
                key_fingerprint=None,
                attest_existing=None,
                done_by_form=False,
                handover_again=[record["digest"]] if step.again and record else self.call["handover_again"],
            ),
            step.key,
        )
        if self.call.reconcile(handover).plan.changed and step not in done.did:
            done.did.append(step)
        result = handover.result()
        self.document = replace(self.document, steps={**self.document.steps, "key": dict(handover.facts.recorded)})
        self.facts = replace(self.facts, handover=result)
        return result

    def _facts(self) -> Facts:
        call, environment = self.call, self.call["environment"]
        facts = Facts(
            document=self.document,
            source_id=self.source_id,
            keys=self.keys,
            now=self.now(),
            max_age=_time(call["key_max_age"], days=True),
            overlap=t.cast(datetime.timedelta, _time(call["key_overlap"])),
            leaked=call["rotate_now"].get(environment, ""),
            retire=call["retire"].get(environment, ""),
            roll_back=call["rotate_rollback"].get(environment, ""),
            retire_on_read_back=call["retire_on_read_back"],
            test=bool(call["test_event"]),
            test_event=call["sent_test_event"] or {},
            proof_max_age=t.cast(datetime.timedelta, _time(call["proof_max_age"], days=True)),
        )
        rotation = self.document.rotation
        if rotation is None or rotation["phase"] != "prove" or rotation.get("new") not in self.keys:
            return facts
        said = evaluate(call.derived(**OF_EVIDENCE, sent_test_event=None, key_fingerprints=self.keys))["rotation"]
        if said is None:  # another run has ended it meanwhile
            self.document = self.ledger.read()
            return facts
        return replace(facts, **said)

    def _status(self, step: Next) -> RotationStatus:
        key, rotation = step.key, self.document.rotation
        seen = first_seen(self.document, key) if key else None
        return {
            "phase": step.phase,
            "since": rotation["at"] if rotation else "",
            "key": key if key != SET_BY_SEGMENT else "",
            "age_days": (self.now() - seen).days if seen and self.facts.max_age is not None else None,
            "next": step.at,
            "told": f"{step.phase}: {step.why}" if step.phase and step.why else step.why,
            "pending": step.pending,
        }


class _Step(Resource):
    """One step of a rotation, as a change of the ledger and of the source's keys."""

    def __init__(self, run: _Run, step: Next) -> None:
        self.run, self.step = run, step

    def fetch(self) -> State:
        return {"document": self.run.document, "keys": self.run.keys}

    def desired(self, current: State | None) -> State:
        return self._after(self.run.document, self.run.keys)

    def check(self, plan: Plan) -> None:
        self.run.ledger.ensure_writable()

    def apply(self, plan: Plan) -> State:
        run, document, keys = self.run, self.run.document, self.run.keys
        if self.step.do == "add":
            document, keys = self._add()
        elif self.step.do in REMOVES:
            document = self._remove()
        # By the time after it: what came until then may have come through a key that is gone.
        found = self._after(document, keys)
        return {**found, "document": run.ledger.save(found["document"])}

    def _remove(self) -> LedgerDocument:
        """Record that a key is being removed, so that no other run turns back meanwhile; read the keys again, and remove it."""
        run, before = self.run, self.run.keys
        rotation: Rotation = {
            **t.cast(Rotation, run.document.rotation),
            "removing": format_time(run.now()),
            "attempt": _attempt(),
        }
        document = run.ledger.save(replace(run.document, rotation=rotation))
        if (now := run.look()) != before:
            raise Refused(
                f"The keys of the source have changed meanwhile: they were {', '.join(before)}, and are {', '.join(now)}. Nothing was "
                "removed.",
                "Look who changed them, and run again.",
                problem="foreign_keys",
            )
        run.api.remove_key(run.source_id, run.secrets[self.step.key])
        return document

    def _add(self) -> tuple[LedgerDocument, list[str]]:
        """Record what was there, add a key, and see that exactly one came of it. Of two runs at once one is refused by the ledger."""
        run = self.run
        begun = begin(self.step, run.document.rotation, run.source_id, format_time(run.now()))
        document = replace(run.document, rotation={**begun, "attempt": _attempt()})
        if set(run.keys) <= set(begun["before"]):
            document = run.ledger.save(document)
            run.secrets = run.api.add_key(run.source_id, run.keys).keys
        keys = sorted(run.secrets)
        added(document, keys)
        return document, keys

    def _after(self, document: LedgerDocument, keys: list[str]) -> State:
        left, keys = after(self.step, document, keys, self.run.source_id, format_time(self.run.now()))
        return {"document": left, "keys": keys}


def _check(call: ModuleContext) -> None:
    for name in ("key_max_age", "proof_max_age"):
        if call[name] is not None and not 0 < call[name] <= 36500:
            raise OptionError(name, "is not a number of days above 0.", "Write it like 90 or 0.5.")
    if not 0 <= call["key_overlap"] <= 8760:
        raise OptionError("key_overlap", "is not a number of hours from 0 to 8760.", "Write it like 24 or 0.5.")
    for name in WORDS:
        for key in call[name].values():
            if not DIGEST.fullmatch(str(key)):
                raise OptionError(
                    name,
                    "does not have the fingerprint of a key for each environment.",
                    f'Write -e \'{{"unified_profiles_{name}": {{"ENVIRONMENT": "FINGERPRINT"}}}}\', with the 12 digits that the report shows.',
                )


def _attempt() -> str:
    return uuid.uuid4().hex[:12]


def _check_not_pinned(call: ModuleContext) -> None:
    if call["key_fingerprint"]:
        raise OptionError(
            "key_fingerprint",
            "names the key that Flex shall have, so no other one can be handed over.",
            "Take unified_profiles_key_fingerprint out of the inventory, and rotate again.",
        )


def _time(number: float | None, days: bool = False) -> datetime.timedelta | None:
    return None if number is None else datetime.timedelta(hours=number * (24 if days else 1))
