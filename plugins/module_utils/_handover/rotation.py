# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The rotation of a write key: what comes next. Pure.

The ledger's rotation has one of these phases::

    add        a key is being added; once it is there it is ``new``, and nobody was asked to use it
    hand_over  the new key may be in Flex: it is handed over, tested, and then the old one is retired
    prove      the old key is gone, and Flex events have to come through the new one
    roll_back  the old key is handed over again, and then the new one is removed

While there are two keys nothing proves which one Flex holds. So a key is removed only on a word that is given to that
run, or that of an endpoint that reads Flex. It is removed after an overlap, while the source has exactly the old and the
new key.
"""

from __future__ import annotations

import datetime
import json
import typing as t
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from .._base.errors import Refused
from .._base.times import format_time, parse_time
from .ledger import HELD_SECONDS, LedgerDocument, Record, Rotation

if t.TYPE_CHECKING:
    from .handover import HandOverResult

LEAKED = "leaked"
NO_OVERLAP = ", and nothing overlaps: what is on its way with it when it is removed is lost"
# What was done with a key, in the ledger's history.
RETIRED, ROLLED_BACK, COMPLETE, GIVEN_UP = "retired", "rolled back", "rotated", "rotation given up"
# What a person calls the phases.
PHASES = {"add": "add", "hand_over": "hand over", "test": "test", "retire": "retire", "prove": "prove"}
PHASES |= {"roll_back": "roll back"}
REMOVES = ("retire", "remove")
# After so long a test event that did not come is sent again, without anybody's word.
TEST_AGAIN = datetime.timedelta(days=1)
Do = t.Literal[
    "none", "wait", "add", "hand_over", "test", "tested", "untested", "retire", "retired", "back", "remove", "close"
]


class RotationStatus(t.TypedDict):
    """How far the rotation of an environment is, for the report.

    ``phase`` is empty where none is open. ``key`` is the key that it is about, and ``age_days`` the least that its age
    can be. ``since`` is when the rotation began, ``next`` when what is waited for comes or the key is due.
    """

    phase: str
    since: str
    key: str
    age_days: int | None
    next: str
    told: str
    pending: bool


@dataclass(frozen=True)
class Facts:
    """The known facts of the keys of one environment.

    Attributes:
        document: The ledger.
        source_id: The source.
        keys: The fingerprints of the keys that can be seen now.
        now: The time by Segment's clock.
        max_age: From which age on a key is replaced; None where age makes nothing due.
        overlap: How long the old key stays after the new one was handed over.
        leaked: The key that somebody wants replaced at once; empty where nobody does.
        retire: The old key that this run may remove; empty where it may not.
        roll_back: The new key that this run shall take back.
        retire_on_read_back: Whether the word of an endpoint is enough to remove the old key.
        test: Whether a test event through the new key is wanted.
        test_event: What became of the one that this run sent.
        handover: The hand-over of the phase's key; None where it was not looked at.
        proven_at: When Flex events last came through the only key; empty where none did.
        proof_max_age: How long to wait for them before somebody has to look.
        events_a_day: How many came before.
        unread: Why they cannot be read; empty where they can.
    """

    document: LedgerDocument
    source_id: str
    keys: Collection[str]
    now: datetime.datetime
    max_age: datetime.timedelta | None = None
    overlap: datetime.timedelta = datetime.timedelta(days=1)
    leaked: str = ""
    retire: str = ""
    roll_back: str = ""
    retire_on_read_back: bool = False
    test: bool = False
    test_event: Mapping[str, t.Any] = field(default_factory=dict)
    handover: HandOverResult | None = None
    proven_at: str = ""
    proof_max_age: datetime.timedelta = datetime.timedelta(days=3)
    events_a_day: float | None = None
    unread: str = ""

    @property
    def rotation(self) -> Rotation | None:
        return self.document.rotation

    @property
    def done(self) -> Record | None:
        """The hand-over of a key that is recorded as done."""
        return self.document.steps["key"].get("done")

    @property
    def present(self) -> str:
        """The key that Flex holds as far as the ledger tells; empty where that cannot be said."""
        recorded = str(self.done["subject"].get("key_fingerprint", "")) if self.done else ""
        return recorded if recorded in self.keys else ""

    def did(self, key: str, *what: str) -> bool:
        """Return whether one of these was done with a key before."""
        return any(it["what"] in what and key in it.get("subject", {}).values() for it in self.document.history)


@dataclass(frozen=True)
class Next:
    """The next step of a rotation.

    Attributes:
        do: ``none`` and ``wait`` are nothing, all others are due.
        phase: As a person calls it; empty where no rotation is open.
        why: Why it is due, or what is waited for.
        key: The key that it is about.
        at: When what is waited for comes; empty where that is not a matter of time. With ``untested``, when the test event was sent.
        pending: Whether a person is waited for.
        again: Whether the key is handed over although the ledger has that as done.
        end: With ``close``, how the rotation ended.
        relied: With ``retire``, what is relied on.
    """

    do: Do
    phase: str
    why: str
    key: str = ""
    at: str = ""
    pending: bool = False
    again: bool = False
    end: str = ""
    relied: str = ""

    @property
    def due(self) -> bool:
        return self.do not in ("none", "wait")


def wanted_key(rotation: Rotation | None) -> str | None:
    """The key that Flex shall hold while a rotation is open; None where that is not the rotation's matter."""
    if rotation is None:
        return None
    return rotation["old"] if rotation["phase"] in ("add", "roll_back") else rotation.get("new")


def first_seen(document: LedgerDocument, key: str) -> datetime.datetime | None:
    """Since when the ledger has known a key, which is the least that its age can be; None where it does not know it."""
    records = [record for record in document.steps["key"].values() if _names(record, key)]
    times = [parse_time(at) for at in (document.seen_keys.get(key), *(record["at"] for record in records))]
    return min((at for at in times if at), default=None)


def next_step(facts: Facts) -> Next:
    """The next step of the rotation; where none is open, whether one is due.

    Raises:
        Refused: Something has to be put right by a person first. Says what.
    """
    rotation = facts.rotation
    if rotation and (why := _overtaken(facts, rotation)):
        return Next("close", "", why, rotation.get("new", ""), end=GIVEN_UP)
    _check_words(facts)
    if rotation is None:
        return _start(facts)
    return {"add": _add, "prove": _prove, "roll_back": _roll_back}.get(rotation["phase"], _hand_over)(facts, rotation)


def _overtaken(facts: Facts, rotation: Rotation) -> str:
    """Return why a rotation can neither go on nor back; empty where it can."""
    old, new = rotation["old"], rotation.get("new", "")
    if rotation.get("source_id") not in (None, facts.source_id):
        return "the source of the rotation is gone"
    if rotation["phase"] == "add" or new in facts.keys:
        return ""
    if facts.present not in ("", old):
        return f"the key {facts.present} was handed over since"
    return "" if old in facts.keys else f"neither {old} nor {new} is on the source any more: run recover"


def _names(record: Record, key: str) -> bool:
    return key in record.get("keys", ()) or record["subject"].get("key_fingerprint") == key


# What is said to one run


def _check_words(facts: Facts) -> None:
    """Refuse what was said to this run about a key that it cannot be about. What was done before is said in vain, not wrongly."""
    rotation, waits = facts.rotation, "no rotation is open"
    old, new = (rotation["old"], _new(facts, rotation)) if rotation else ("", "")
    if rotation:
        waits = f"the rotation that is open replaces {old}{' with ' + new if new else ''}"
    phase = rotation["phase"] if rotation else ""
    retiring = phase in ("add", "hand_over")
    # The only key that leaked is named before there is another one.
    begins = phase in ("", "prove") and list(facts.keys) == [facts.retire] == [facts.leaked]
    gone = facts.did(facts.retire, RETIRED) or (facts.retire not in facts.keys and facts.did(facts.retire, GIVEN_UP))
    if facts.retire and facts.retire != (old if retiring else None) and not gone and not begins:
        way = "Name the old key." if retiring else "Rotate first: a key is retired once the source has another one."
        raise Refused(f"retire: names the key {facts.retire}, and {waits}{_visible(facts)}.", way, problem="not_open")
    if facts.roll_back and not facts.did(facts.roll_back, ROLLED_BACK, GIVEN_UP):
        if phase == "prove":
            told = f"rotate_rollback: the old key {old} was retired already, and cannot come back."
            raise Refused(told, "Rotate again: name the present key in rotate_now.", problem="not_open")
        if phase == "hand_over" and old not in facts.keys:
            told = f"rotate_rollback: the old key {old} was removed already, and cannot come back."
            raise Refused(told, "Leave it out: the rotation goes on with the new key.", problem="not_open")
        if facts.roll_back != (new or None):
            way = "Name the new key." if new else "There is nothing to roll back. Leave it out."
            raise Refused(f"rotate_rollback: names the key {facts.roll_back}, and {waits}.", way, problem="not_open")
    if phase not in ("", "prove") and facts.leaked and facts.leaked != old and facts.leaked in facts.keys:
        told = f"rotate_now: names the key {facts.leaked}, and {waits}."
        raise Refused(told, "Let that rotation end first, or roll it back.", problem="open")


def _new(facts: Facts, rotation: Rotation) -> str:
    """The new key: the one that was adopted, or the one that an interrupted run has added."""
    added = sorted(set(facts.keys) - set(rotation["before"])) if rotation["phase"] == "add" else []
    return rotation.get("new") or (added[0] if len(added) == 1 else "")


def _visible(facts: Facts) -> str:
    return f" (the source has {', '.join(sorted(facts.keys))})"


# The phases


def _start(facts: Facts) -> Next:
    key = facts.present or (next(iter(facts.keys)) if len(facts.keys) == 1 else "")
    seen, at, age = first_seen(facts.document, key), "", ""
    if seen:
        age = f"the key {key} is at least {_days(facts.now - seen)} old"
        at = format_time(seen + facts.max_age) if facts.max_age is not None else ""
    if facts.leaked in facts.keys:
        key, why = facts.leaked, f"the key {facts.leaked} is said to have leaked{NO_OVERLAP}"
    elif facts.max_age is not None and seen and facts.now - seen >= facts.max_age and not facts.roll_back:
        why = age
    elif facts.leaked and not facts.did(facts.leaked, RETIRED):
        return Next(
            "none",
            "",
            f"the key {facts.leaked}, which rotate_now names, is not on the source, so nothing is due",
            key,
            at,
        )
    elif facts.max_age is not None and key and not seen:
        return Next(
            "none", "", f"how old the key {key} is is not known, since the ledger never saw it: run connect", key
        )
    else:
        return Next(
            "none", "", "; ".join(filter(None, (_given_up(facts), f"{age}, and due at {at}" if at else ""))), key, at
        )
    if len(facts.keys) > 1:
        raise Refused(
            f"A rotation starts with one write key, and the source has {len(facts.keys)}: {', '.join(sorted(facts.keys))}. Nothing was "
            "added.",
            f"Remove all but the one that Flex holds{' (the ledger says ' + facts.present + ')' if facts.present else ''} in Segment, "
            "Connections > Sources > the source > Settings > API Keys.",
            problem="several_keys",
            keys=sorted(facts.keys),
        )
    if facts.present != key or set(facts.document.steps["key"]) != {"done"}:
        raise Refused(
            f"The hand-over of the present key {key} is not recorded as done, so a rotation does not start. Nothing was added.",
            "Run connect and finish that hand-over first; attest what exists already (unified_profiles_attest_existing).",
            problem="not_handed_over",
        )
    return Next("add", PHASES["add"], why, key)


def _given_up(facts: Facts) -> str:
    """Return why the rotation before was given up, until something else is recorded."""
    history = facts.document.history
    newest = max((it["at"] for it in history), default="")  # there may be several of one second
    told = [
        f"{it['what']} at {it['at']}: {it['why']}" for it in history if it["at"] == newest and it["what"] == GIVEN_UP
    ]
    return "; ".join(told)


def _add(facts: Facts, rotation: Rotation) -> Next:
    old, new, adopted = rotation["old"], _new(facts, rotation), rotation.get("new")
    if adopted and adopted not in facts.keys:
        why = f"the new key {adopted} was removed by somebody before it was handed over"
        return Next("close", "", why, adopted, end=GIVEN_UP)
    if facts.roll_back and facts.roll_back == new:
        _exactly(facts, old, new)
        return Next("remove", PHASES["roll_back"], "it was never handed over", new)
    if adopted:
        _no_strangers(facts, rotation, adopted)
        return _handed_over(facts, rotation, adopted)
    added(facts.document, facts.keys, none_yet=True)
    return Next("add", PHASES["add"], "a key was to be added, and whether that was done was not recorded", old)


def _hand_over(facts: Facts, rotation: Rotation) -> Next:
    new = rotation.get("new", "")
    if facts.roll_back and facts.roll_back == new:
        _not_removing(facts, rotation)
        return Next("back", PHASES["roll_back"], "somebody wants the old key back", rotation["old"])
    _no_strangers(facts, rotation, new)
    if new not in facts.keys:
        raise Refused(
            f"The new key {new} is no longer on the source, and Flex may hold it.",
            f"Have the old key handed over again at once: {word('rotate_rollback', facts.document.environment, new)}",
            problem="key_removed",
        )
    return _handed_over(facts, rotation, new)


def _handed_over(facts: Facts, rotation: Rotation, new: str) -> Next:
    """Hand the new key over; then test, and retire the old one."""
    old, phase = rotation["old"], PHASES["hand_over"]
    if (done := facts.handover) is None:
        return Next("hand_over", phase, f"the new key {new} is to be handed over", new)
    if done["status"] != "done":
        return Next("wait", phase, f"the hand-over of the new key {new} waits for somebody", new, pending=True)
    if old not in facts.keys:
        return Next("retired", PHASES["retire"], f"the old key {old} is gone", old)
    if facts.test and not rotation.get("tested"):
        return _test(facts, rotation, new)
    # What is sent is read back as well; where that is only foretold, it will be.
    shown = facts.retire_on_read_back and done["read_back"] is not None and (done["read_back"] or done["sent"])
    said = facts.retire == old or shown
    command = word("retire", facts.document.environment, old)
    leaked = rotation.get("why") == LEAKED or facts.leaked == old
    if not (wait := "" if leaked else _overlap(facts, done)) and said:
        _exactly(facts, old, new)
        said_by = "this run was given the word" if facts.retire == old else "the endpoint reads the new key back"
        relied = f"{said_by}, and the new one was handed over ({_by(done)}){_untested(facts, rotation)}"
        return Next("retire", PHASES["retire"], f"the old key {old} is to be removed: {relied}", old, relied=relied)
    told = f"the old key {old} may be retired {'from ' + wait + ' on' if wait else 'now'}, by a run with {command}"
    if facts.retire_on_read_back and shown:
        told = f"the old key {old} is retired by a run from {wait} on"
    return Next("wait", PHASES["retire"], f"{told}{_untested(facts, rotation)}", old, wait, pending=not wait)


def _test(facts: Facts, rotation: Rotation, new: str) -> Next:
    """Have a test event sent through the new key. One that did not come is sent again where somebody wants to retire, or after a day."""
    phase, failed = PHASES["test"], rotation.get("test_failed", "")
    sent = facts.test_event if facts.test_event.get("key_fingerprint") == new else {}
    if sent.get("status") == "arrived":
        return Next("tested", phase, f"a test event reaches the space through the new key {new}", new)
    if sent and sent["sent_at"] != failed:
        return Next(
            "untested", phase, f"no test event reaches the space through the new key {new}", new, sent["sent_at"]
        )
    again = (parse_time(failed) or facts.now) + TEST_AGAIN
    if not sent and (not failed or facts.now >= again or facts.retire == rotation["old"]):
        return Next("test", phase, f"a test event is to be sent through the new key {new}", new)
    told = sent.get("reason") or f"the test event of {failed} did not reach the space"
    command, at = word("retire", facts.document.environment, rotation["old"]), format_time(again)
    why = f"the new key {new} was tested: {told}. Another test event is sent from {at} on, or by a run with {command}"
    return Next("wait", phase, why, new, at, pending=True)


def _prove(facts: Facts, rotation: Rotation) -> Next:
    new = rotation.get("new", "")
    _no_strangers(facts, rotation, new)
    if facts.leaked == new and not facts.proven_at:
        return Next("close", "", f"the new key {new} is said to have leaked", new, end=GIVEN_UP)
    return proof(facts, rotation)


def proof(facts: Facts, rotation: Rotation) -> Next:
    """The end of the rotation, once Flex events show that Flex has the new key, or else the wait for them."""
    new, retired, phase = rotation.get("new", ""), parse_time(rotation.get("retired_at")) or facts.now, PHASES["prove"]
    if facts.proven_at:
        return Next("close", phase, f"Flex wrote through the only key {new} at {facts.proven_at}", new, end=COMPLETE)
    before = f"; about {facts.events_a_day:.3g} engagements a day came before" if facts.events_a_day is not None else ""
    # Somebody may have handed it over again meanwhile.
    handed = parse_time(facts.done["at"]) if facts.done else None
    until = max(retired, handed or retired) + facts.proof_max_age
    late, missing = facts.now > until, ""
    if facts.unread:
        missing = f"; whether any came cannot be read: {facts.unread.rstrip('.')}"
    elif late:
        missing = "; look at the key in Flex, or have it handed over again"
    relied = f" ({rotation['relied_on']})" if rotation.get("relied_on") else ""
    since = f"since {format_time(retired)}, when the old one was retired{relied}"
    why = f"Flex events through the new key {new} are waited for {since}{before}{missing}"
    return Next("wait", phase, why, new, format_time(until), pending=late)


def _roll_back(facts: Facts, rotation: Rotation) -> Next:
    old, new, phase = rotation["old"], rotation.get("new", ""), PHASES["roll_back"]
    _no_strangers(facts, rotation, new)
    if old not in facts.keys:
        return Next("close", "", f"the old key {old} is gone, so the new one stays: run connect", new, end=GIVEN_UP)
    if (done := facts.handover) is None:
        since, recorded = rotation.get("back_at", ""), facts.done
        again = bool(recorded and recorded["subject"].get("key_fingerprint") == old and recorded["at"] < since)
        return Next("hand_over", phase, f"the old key {old} is to be handed over again", old, again=again)
    if done["status"] != "done":
        return Next("wait", phase, f"the hand-over of the old key {old} waits for somebody", old, pending=True)
    if new not in facts.keys:
        return Next("close", phase, f"the new key {new} is gone", new, end=ROLLED_BACK)
    # What may have leaked is the old key, so the new one overlaps in any case.
    if not (wait := _overlap(facts, done)) and facts.roll_back == new:
        _exactly(facts, old, new)
        return Next("remove", phase, f"the new key {new} is to be removed: this run was given the word", new)
    command = word("rotate_rollback", facts.document.environment, new)
    told = f"the new key {new} may be removed {'from ' + wait + ' on' if wait else 'now'}, by a run with {command}"
    return Next("wait", phase, told, new, wait, pending=not wait)


def _overlap(facts: Facts, done: HandOverResult) -> str:
    """Return when the overlap ends; empty where it has ended."""
    until = (parse_time(done["at"]) or facts.now) + facts.overlap
    return format_time(until) if facts.now < until else ""


def _by(done: HandOverResult) -> str:
    return f"{done['how']}{' by ' + done['by'] if done['by'] not in ('', done['how']) else ''}"


def _untested(facts: Facts, rotation: Rotation) -> str:
    if rotation.get("tested"):
        return f"; a test event came through the new key at {rotation['tested']}"
    return "; that the new key feeds the space was not tested (unified_profiles_test_event)"


def _no_strangers(facts: Facts, rotation: Rotation, new: str) -> None:
    if strangers := set(facts.keys) - set(rotation["before"]) - {new}:
        raise _too_many(strangers, rotation, facts.keys)


def added(document: LedgerDocument, keys: Collection[str], none_yet: bool = False) -> None:
    """See that exactly one key has come to those that were there before.

    Raises:
        Refused: Several did; or none, unless that may be.
    """
    rotation = t.cast(Rotation, document.rotation)
    strangers = set(keys) - set(rotation["before"])
    if len(strangers) > 1:
        raise _too_many(strangers, rotation, keys)
    if not strangers and not none_yet:
        raise Refused(
            "A write key was added, and the source does not show it yet.", "Run again.", problem="changed_since"
        )


def _too_many(strangers: Collection[str], rotation: Rotation, keys: Collection[str]) -> Refused:
    known = ", ".join(key for key in (rotation["old"], rotation.get("new", "")) if key in keys)
    return Refused(
        f"The source has write keys that are not this rotation's: {', '.join(sorted(strangers))} beside {known}. Nothing was changed.",
        "Find out who added them, and see that Flex holds none of them. Remove them in Segment (Connections > Sources > the source > "
        "Settings > API Keys), and run again."
        if rotation.get("new")
        else "Remove all but one of them there: Segment, Connections > Sources > the source > Settings > API Keys. Then run again.",
        problem="foreign_keys",
        keys=sorted(strangers),
    )


def _not_removing(facts: Facts, rotation: Rotation) -> None:
    """See that no other run is about to remove the old key.

    Raises:
        Refused: One may be.
    """
    began = parse_time(rotation.get("removing"))
    until = began + datetime.timedelta(seconds=HELD_SECONDS) if began else facts.now
    if rotation["old"] in facts.keys and facts.now < until:
        raise Refused(
            f"rotate_rollback: a run has been about to remove the old key {rotation['old']} since {rotation['removing']}.",
            f"If the source still has the old key after {format_time(until)}, run again.",
            problem="at_work",
        )


def _exactly(facts: Facts, old: str, new: str) -> None:
    """See that there are exactly these two keys, before one of them is removed.

    Raises:
        Refused: Others do.
    """
    if set(facts.keys) != {old, new}:
        raise Refused(
            f"The keys of the source are {', '.join(sorted(facts.keys))}, and not exactly {old} and {new}. Nothing was removed.",
            "Look who changed them, and run again.",
            problem="foreign_keys",
            keys=sorted(facts.keys),
        )


def word(option: str, environment: str, key: str) -> str:
    """The argument with which a run may remove a key."""
    return f"-e '{json.dumps({f'unified_profiles_{option}': {environment: key}})}'"


def _days(age: datetime.timedelta) -> str:
    return f"{age.days} day{'s' if age.days != 1 else ''}"


def nothing_open() -> RotationStatus:
    """The status where no rotation is open and no key has a date."""
    return {"phase": "", "since": "", "key": "", "age_days": None, "next": "", "told": "", "pending": False}


def open_rotation(facts: Facts) -> RotationStatus:
    """Return how far the rotation is, for a playbook that does not rotate; empty where none is open."""
    rotation = facts.rotation
    if rotation is None:
        return nothing_open()
    phase = PHASES.get(rotation["phase"], rotation["phase"])
    waits = proof(facts, rotation) if rotation["phase"] == "prove" else None
    told = waits.why if waits and not waits.due else "run rotate"
    return {
        **nothing_open(),
        "phase": phase,
        "since": rotation["at"],
        "key": rotation.get("new", rotation["old"]),
        "next": waits.at if waits else "",
        "told": f"a rotation of the write key is open since {rotation['at']} (phase {phase}): {told}",
        "pending": waits.pending if waits else False,
    }
