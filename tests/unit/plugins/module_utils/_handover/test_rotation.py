# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes next in a rotation: named cases, and every combination of facts."""

from __future__ import annotations

import datetime
import itertools
from dataclasses import replace

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Refused
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.times import format_time
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger import LedgerDocument
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.rotation import (
    REMOVES,
    Facts,
    first_seen,
    next_step,
    open_rotation,
    wanted_key,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.rotation_record import after

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

OLD, NEW, ODD, GONE = "a" * 12, "b" * 12, "c" * 12, "d" * 12
NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.timezone.utc)
DAY, HOUR = datetime.timedelta(days=1), datetime.timedelta(hours=1)
QUARTER = {"max_age": 90 * DAY}


def ago(span):
    return format_time(NOW - span)


def done(key, span=100 * DAY, **more):
    said = {"channel": "operator", "how": "attested", "by": "jane"}
    return {"subject": {"key_fingerprint": key}, "digest": "0" * 12, "at": ago(span), "keys": [key], **said, **more}


def handed(key, status="done", span=2 * HOUR, read_back=None, sent=False):
    return {"status": status, "at": ago(span), "read_back": read_back, "sent": sent, "how": "attested", "by": "jane"}


def facts(phase="", keys=(OLD,), rotation=None, key=OLD, records=None, history=(), **more):
    """Facts of a rotation in this phase, or of none."""
    steps = {"connection": {}, "link": {}, "key": {"done": done(key)} if records is None else records}
    found = {"at": ago(5 * HOUR), "phase": phase, "old": OLD, "before": [OLD], "source_id": "S1", **(rotation or {})}
    if phase and phase != "add":
        found.setdefault("new", NEW)
    told = [
        {"at": ago(HOUR), "what": what, "by": "", "why": "", "subject": {"key_fingerprint": of}} for what, of in history
    ]
    document = LedgerDocument("dev", steps=steps, history=told, rotation=found if phase else None)
    return Facts(document, "S1", keys, NOW, **more)


BOTH = (OLD, NEW)
FAILED = {"test_failed": ago(HOUR)}
NOT_SEEN = {"key_fingerprint": NEW, "status": "not_seen", "reason": "it did not come", "sent_at": ago(HOUR)}
TABLE = {
    # Nothing open
    "nothing is asked for": (facts(), "none", ""),
    "the key is young": (facts(max_age=200 * DAY), "none", "is at least 100 days old, and due at 2027-03-06"),
    "the bound has not passed": (facts(max_age=100 * DAY + HOUR), "none", ""),
    "the bound passes": (facts(max_age=100 * DAY), "add", "at least 100 days old"),
    "the key is old": (facts(**QUARTER), "add", "at least 100 days old"),
    "a key that the ledger never saw has no age": (facts(records={}, **QUARTER), "none", "run connect"),
    "it leaked": (facts(leaked=OLD), "add", "is lost"),
    "another one leaked, which is gone": (facts(leaked=GONE), "none", "nothing is due"),
    "it leaked, and may be retired at once": (facts(leaked=OLD, retire=OLD), "add", ""),
    "the one that leaked is rotated already": (
        facts(key=NEW, keys=(NEW,), leaked=OLD, retire=OLD, history=[("retired", OLD)]),
        "none",
        "",
    ),
    "rolled back already, and it is old": (
        facts(roll_back=NEW, history=[("rolled back", NEW)], **QUARTER),
        "none",
        "",
    ),
    "rolled back already": (facts(roll_back=NEW, history=[("rolled back", NEW)]), "none", ""),
    # Adding
    "a key was to be added": (facts("add"), "add", "whether that was done was not recorded"),
    "a key was added": (facts("add", BOTH), "add", ""),
    "it is adopted": (facts("add", BOTH, {"new": NEW}), "hand_over", ""),
    "it was removed before it was used": (facts("add", (OLD,), {"new": NEW}), "close", "removed by somebody"),
    "never handed over, and not wanted": (
        facts("add", BOTH, {"new": NEW}, roll_back=NEW),
        "remove",
        "never handed over",
    ),
    "never handed over, not wanted, and gone": (
        facts("add", (OLD,), {"new": NEW}, roll_back=NEW),
        "close",
        "removed by somebody",
    ),
    "never adopted, and not wanted": (facts("add", BOTH, roll_back=NEW), "remove", "never handed over"),
    # Handing over
    "it is looked at": (facts("hand_over", BOTH), "hand_over", ""),
    "somebody is to do it": (facts("hand_over", BOTH, handover=handed(NEW, "pending")), "wait", "waits for somebody"),
    "it overlaps": (facts("hand_over", BOTH, handover=handed(NEW)), "wait", "2026-11-27T10:00:00Z"),
    "it overlaps, whatever is said": (facts("hand_over", BOTH, handover=handed(NEW), retire=OLD), "wait", ""),
    "the overlap is over": (
        facts("hand_over", BOTH, handover=handed(NEW, span=DAY)),
        "wait",
        f'now, by a run with -e \'{{"unified_profiles_retire": {{"dev": "{OLD}"}}}}\'',
    ),
    "it may be retired": (
        facts("hand_over", BOTH, handover=handed(NEW, span=DAY), retire=OLD),
        "retire",
        "given the word",
    ),
    "it leaked, so nothing overlaps": (
        facts("hand_over", BOTH, {"why": "leaked"}, handover=handed(NEW), retire=OLD),
        "retire",
        "",
    ),
    "it leaked meanwhile": (facts("hand_over", BOTH, handover=handed(NEW), retire=OLD, leaked=OLD), "retire", ""),
    "it leaked, and nobody says more": (facts("hand_over", BOTH, {"why": "leaked"}, handover=handed(NEW)), "wait", ""),
    "an endpoint's word is not asked for": (
        facts("hand_over", BOTH, handover=handed(NEW, span=DAY, read_back=True)),
        "wait",
        "",
    ),
    "an endpoint's word counts": (
        facts("hand_over", BOTH, handover=handed(NEW, span=DAY, read_back=True), retire_on_read_back=True),
        "retire",
        "the endpoint reads the new key back",
    ),
    "an endpoint's word counts after the overlap": (
        facts("hand_over", BOTH, handover=handed(NEW, read_back=True), retire_on_read_back=True),
        "wait",
        "is retired by a run from 2026-11-27T10:00:00Z on",
    ),
    "nobody reads back": (
        facts("hand_over", BOTH, handover=handed(NEW, span=DAY), retire_on_read_back=True),
        "wait",
        "",
    ),
    "what is sent and read back is foretold": (
        facts("hand_over", BOTH, handover=handed(NEW, span=DAY, read_back=False, sent=True), retire_on_read_back=True),
        "retire",
        "",
    ),
    "somebody removed the old one": (facts("hand_over", (NEW,), handover=handed(NEW)), "retired", "is gone"),
    "somebody removed the old one before": (facts("hand_over", (NEW,)), "hand_over", ""),
    "the overlap is for what did not leak": (facts("hand_over", BOTH, handover=handed(NEW), retire=OLD), "wait", ""),
    "another key was handed over since": (facts("hand_over", (OLD, ODD), key=ODD), "close", f"{ODD} was handed over"),
    "another key was handed over since, and it is alone": (
        facts("hand_over", (ODD,), key=ODD, roll_back=NEW),
        "close",
        f"the key {ODD} was handed over since",
    ),
    "both are gone": (facts("hand_over", (ODD,), key=NEW), "close", "run recover"),
    "both are gone, while it is rolled back": (facts("roll_back", (ODD,)), "close", "run recover"),
    # Testing
    "it is to be tested": (facts("hand_over", BOTH, handover=handed(NEW), test=True, retire=OLD), "test", ""),
    "the test of another key says nothing": (
        facts(
            "hand_over", BOTH, handover=handed(NEW), test=True, test_event={"key_fingerprint": OLD, "status": "arrived"}
        ),
        "test",
        "",
    ),
    "it was tested": (
        facts(
            "hand_over", BOTH, handover=handed(NEW), test=True, test_event={"key_fingerprint": NEW, "status": "arrived"}
        ),
        "tested",
        "",
    ),
    "it was tested, and does not feed the space": (
        facts(
            *("hand_over", BOTH),
            handover=handed(NEW, span=DAY),
            test=True,
            retire=OLD,
            test_event={**NOT_SEEN, "sent_at": ago(HOUR)},
        ),
        "untested",
        "no test event reaches the space",
    ),
    "that it does not feed the space is recorded": (
        facts(*("hand_over", BOTH, FAILED), handover=handed(NEW), test=True, retire=OLD, test_event=NOT_SEEN),
        "wait",
        "it did not come. Another test event is sent from 2026-11-27T11:00:00Z on, or by a run with -e",
    ),
    "it was tested in vain": (
        facts("hand_over", BOTH, FAILED, handover=handed(NEW), test=True),
        "wait",
        f"the test event of {FAILED['test_failed']} did not reach the space",
    ),
    "it was tested in vain, and somebody wants to retire": (
        facts("hand_over", BOTH, FAILED, handover=handed(NEW), test=True, retire=OLD),
        "test",
        "",
    ),
    "it was tested in vain a day ago": (
        facts("hand_over", BOTH, {"test_failed": ago(DAY)}, handover=handed(NEW), test=True),
        "test",
        "",
    ),
    "it was tested before": (
        facts("hand_over", BOTH, {"tested": ago(HOUR)}, handover=handed(NEW, span=DAY), test=True, retire=OLD),
        "retire",
        "",
    ),
    # Proving
    "nothing has come": (facts("prove", (NEW,), {"retired_at": ago(DAY)}, key=NEW), "wait", ago(DAY)),
    "nothing has come for long": (
        facts("prove", (NEW,), {"retired_at": ago(4 * DAY)}, key=NEW, events_a_day=12.0),
        "wait",
        "about 12 engagements a day came before; look at the key in Flex",
    ),
    "it is proven": (facts("prove", (NEW,), key=NEW, proven_at=ago(HOUR)), "close", "Flex wrote through"),
    "the retired one shows again in a stale answer": (facts("prove", BOTH, key=NEW), "wait", ""),
    "nothing has come since it was handed over again": (
        facts("prove", (NEW,), {"retired_at": ago(4 * DAY)}, records={"done": done(NEW, HOUR)}),
        "wait",
        ago(4 * DAY),
    ),
    "what comes cannot be read": (
        facts("prove", (NEW,), {"retired_at": ago(4 * DAY)}, key=NEW, unread="HTTP 403."),
        "wait",
        "cannot be read: HTTP 403",
    ),
    "the new one leaked": (facts("prove", (NEW,), key=NEW, leaked=NEW, retire=NEW), "close", "said to have leaked"),
    "another one was handed over since": (facts("prove", (ODD,), key=ODD), "close", "handed over since"),
    "all others are gone": (facts("prove", (ODD,), key=NEW), "close", "run recover"),
    "retired before": (facts("prove", (NEW,), key=NEW, retire=OLD, history=[("retired", OLD)]), "wait", ""),
    # Rolling back
    "somebody wants it back": (facts("hand_over", BOTH, roll_back=NEW), "back", ""),
    "somebody wants it back after a run was killed": (
        facts("hand_over", BOTH, {"removing": ago(HOUR)}, roll_back=NEW),
        "back",
        "",
    ),
    "somebody wants it back, and the new one is gone": (facts("hand_over", (OLD,), roll_back=NEW), "back", ""),
    "the old one is handed over again": (facts("roll_back", BOTH, {"back_at": ago(HOUR)}), "hand_over", ""),
    "the old one waits": (
        facts("roll_back", BOTH, {"back_at": ago(HOUR)}, handover=handed(OLD, "pending"), roll_back=NEW),
        "wait",
        "waits for somebody",
    ),
    "the old one overlaps": (
        facts("roll_back", BOTH, {"back_at": ago(DAY)}, handover=handed(OLD, span=HOUR), roll_back=NEW),
        "wait",
        "2026-11-27T11:00:00Z",
    ),
    "the old one leaked, and the new one overlaps": (
        facts("roll_back", BOTH, {"why": "leaked"}, handover=handed(OLD), roll_back=NEW, leaked=OLD),
        "wait",
        "2026-11-27T10:00:00Z",
    ),
    "nobody says more": (
        facts("roll_back", BOTH, {"back_at": ago(2 * DAY)}, handover=handed(OLD, span=DAY)),
        "wait",
        "unified_profiles_rotate_rollback",
    ),
    "the new one goes": (
        facts("roll_back", BOTH, {"back_at": ago(2 * DAY)}, handover=handed(OLD, span=DAY), roll_back=NEW),
        "remove",
        "",
    ),
    "the new one is gone": (
        facts("roll_back", (OLD,), {"back_at": ago(DAY)}, handover=handed(OLD)),
        "close",
        "is gone",
    ),
    "the old one is gone": (facts("roll_back", (NEW,), {"back_at": ago(DAY)}), "close", "the new one stays"),
    # Another source
    "the source was made again": (facts("hand_over", (ODD,), {"source_id": "S0"}), "close", "source of the rotation"),
}


@pytest.mark.parametrize("name", TABLE)
def test_what_comes_next(name):
    of, do, told = TABLE[name]
    step = next_step(of)
    assert step.do == do
    assert told in step.why


REFUSED = {
    "several keys, and it is old": (facts(keys=BOTH, **QUARTER), f"has 2: {OLD}, {NEW}. Nothing was added."),
    "several keys, and one leaked": (facts(keys=BOTH, key=GONE, leaked=NEW), "has 2"),
    "nothing is recorded": (facts(records={}, leaked=OLD), "is not recorded as done"),
    "another hand-over waits": (facts(records={"done": done(OLD), "asked": done(OLD)}, leaked=OLD), "is not recorded"),
    "one key only, and it shall be retired": (facts(retire=OLD), f"no rotation is open (the source has {OLD})"),
    "a strange one shall be retired": (facts("hand_over", BOTH, retire=NEW), f"replaces {OLD} with {NEW}"),
    "nothing to roll back": (facts(roll_back=NEW), "There is nothing to roll back"),
    "another one to roll back": (facts("hand_over", BOTH, roll_back=ODD), "Name the new key"),
    "too late to roll back": (facts("prove", (NEW,), key=NEW, roll_back=NEW), "was retired already"),
    "the new one leaked": (facts("hand_over", BOTH, leaked=NEW), "Let that rotation end first"),
    "several were added": (facts("add", (OLD, NEW, ODD)), f"{NEW}, {ODD} beside {OLD}"),
    "a run is about to remove the old one": (
        facts("hand_over", BOTH, {"removing": ago(HOUR / 2)}, roll_back=NEW),
        "still has the old key after 2026-11-26T12:30:00Z",
    ),
    "a stranger": (facts("hand_over", (OLD, NEW, ODD), handover=handed(NEW, span=DAY), retire=OLD), ODD),
    "a stranger while it is proven": (facts("prove", (NEW, ODD), key=NEW, proven_at=ago(HOUR)), ODD),
    "a stranger while it is rolled back": (
        facts("roll_back", (OLD, NEW, ODD), {"back_at": ago(DAY)}, handover=handed(OLD, span=DAY), roll_back=NEW),
        ODD,
    ),
    "the new one is gone": (facts("hand_over", (OLD,)), "unified_profiles_rotate_rollback"),
    "too late to roll back, since somebody removed the old one": (
        facts("hand_over", (NEW,), roll_back=NEW),
        f"the old key {OLD} was removed already",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_person_has_to_put_right(name):
    of, told = REFUSED[name]
    with pytest.raises(Refused) as refused:
        next_step(of)
    assert told in refused.value.full_message
    assert refused.value.next_step


ROTATIONS = [
    ("", {}),
    ("add", {}),
    ("add", {"new": NEW}),
    *((phase, {"back_at": ago(HOUR)}) for phase in ("hand_over", "roll_back")),
    ("prove", {"retired_at": ago(HOUR)}),
    ("hand_over", {"why": "leaked"}),
    ("hand_over", {"tested": ago(HOUR)}),
]


def test_whatever_the_facts_a_key_goes_only_when_it_may():
    """Every combination: of what a step removes one key stays that was handed over after, by a word of this run or an endpoint."""
    removed = 0
    for (phase, rotation), keys, how, word, read_back, test in itertools.product(
        ROTATIONS,
        [(OLD,), (NEW,), BOTH, (OLD, ODD), (OLD, NEW, ODD)],
        [
            None,
            handed(NEW, "pending"),
            *(handed(NEW, span=n * HOUR, read_back=b) for n in (2, 24) for b in (None, True)),
        ],
        [{}, *({name: key} for name in ("retire", "roll_back", "leaked") for key in (OLD, NEW, ODD))],
        (False, True),
        (False, True),
    ):
        if phase == "add" and how:
            continue  # it leaves this phase before it is handed over
        of = facts(phase, keys, rotation, handover=how, retire_on_read_back=read_back, test=test, **word, **QUARTER)
        try:
            step = next_step(of)
        except Refused:
            continue
        if step.do not in REMOVES:
            continue
        removed += 1
        # A key that was not adopted yet may have any fingerprint.
        assert set(keys) == {OLD, step.key if phase == "add" else NEW}
        if step.do == "retire":
            assert step.key == OLD
            assert how["status"] == "done"
            assert word == {"retire": OLD} or (read_back and how["read_back"])
            assert rotation.get("why") == "leaked" or word == {"leaked": OLD} or how["at"] <= ago(DAY)
            assert rotation.get("tested") or not test
        else:
            assert word == {"roll_back": step.key}
            assert phase == "add" or (phase == "roll_back" and how["status"] == "done" and how["at"] <= ago(DAY))
    assert removed > 20


@pytest.mark.parametrize("name", TABLE)
def test_what_a_step_leaves_keeps_a_key(name):
    of, do, _told = TABLE[name]
    step = next_step(of)
    if not step.due or do == "test":
        return
    left, keys = after(step, of.document, of.keys, "S1", format_time(NOW))
    assert keys
    assert set(keys) >= set(of.keys) - ({step.key} if do in REMOVES else set())
    if do in ("retire", "retired", "remove"):
        record = left.steps["key"]["done"]
        if record["subject"]["key_fingerprint"] in keys:
            assert (record["keys"], record["only_since"]) == (keys, format_time(NOW))


def test_a_test_event_that_does_not_come_is_recorded_once():
    of = facts("hand_over", BOTH, handover=handed(NEW), test=True, test_event=NOT_SEEN)
    left, _keys = after(next_step(of), of.document, of.keys, "S1", format_time(NOW))
    assert left.rotation["test_failed"] == NOT_SEEN["sent_at"]
    assert next_step(replace(of, document=left)).do == "wait"


def test_what_flex_shall_hold():
    assert wanted_key(None) is None
    assert [wanted_key(facts(phase).rotation) for phase in ("add", "hand_over", "prove", "roll_back")] == [
        OLD,
        NEW,
        NEW,
        OLD,
    ]


def test_an_old_key_that_was_handed_over_before_is_handed_over_again():
    step = next_step(facts("roll_back", BOTH, {"back_at": ago(HOUR)}))
    assert (step.key, step.again) == (OLD, True)
    since = facts("roll_back", BOTH, {"back_at": ago(HOUR)}, records={"done": done(OLD, HOUR)})
    assert next_step(since).again is False


def test_the_age_is_since_the_ledger_first_saw_the_key():
    document = facts(records={"done": done(OLD, DAY), "asked": done(NEW, HOUR)}).document
    assert first_seen(document, OLD) == NOW - DAY
    assert first_seen(replace(document, seen_keys={OLD: ago(9 * DAY)}), OLD) == NOW - 9 * DAY
    assert first_seen(document, ODD) is None


def test_another_playbook_says_that_a_rotation_is_open():
    assert open_rotation(facts())["told"] == ""
    assert "run rotate" in open_rotation(facts("roll_back", BOTH))["told"]
    assert "run rotate" in open_rotation(facts("prove", (NEW,), key=NEW, proven_at=ago(HOUR)))["told"]


@pytest.mark.parametrize(("days", "late"), [(2, False), (4, True)])
def test_another_playbook_says_what_a_rotation_waits_for(days, late):
    told = open_rotation(facts("prove", (NEW,), {"retired_at": ago(days * DAY)}, key=NEW, events_a_day=12.0))
    assert (told["pending"], told["next"]) == (late, ago((days - 3) * DAY))
    assert f"are waited for since {ago(days * DAY)}" in told["told"]
    assert "about 12 engagements a day" in told["told"]


def test_after_a_key_was_handed_over_again_its_proof_has_as_long_as_before():
    since = {"retired_at": ago(4 * DAY)}
    assert next_step(facts("prove", (NEW,), since, key=NEW)).pending
    again = next_step(facts("prove", (NEW,), since, records={"done": done(NEW, HOUR)}))
    assert (again.pending, again.at) == (False, ago(HOUR - 3 * DAY))


def test_nobody_is_told_to_hand_a_key_over_again_while_events_cannot_be_read():
    step = next_step(facts("prove", (NEW,), {"retired_at": ago(4 * DAY)}, key=NEW, unread="HTTP 403."))
    assert step.pending
    assert "handed over again" not in step.why


@pytest.mark.parametrize("word", [{"retire": OLD}, {"roll_back": NEW}, {"leaked": OLD}, {}])
def test_what_was_said_to_a_rotation_that_was_given_up_is_said_in_vain(word):
    of = facts("hand_over", (ODD,), key=ODD, **word)
    left, keys = after(next_step(of), of.document, of.keys, "S1", format_time(NOW))
    assert left.rotation is None
    then = next_step(replace(of, document=left, keys=keys))
    assert then.do == "none"
    assert ("was handed over since" in then.why) == ("leaked" not in word)


def test_nobody_is_told_to_remove_what_flex_may_hold():
    with pytest.raises(Refused) as refused:
        next_step(facts("hand_over", (NEW, ODD), key=ODD))
    assert f"{ODD} beside {NEW}. Nothing" in refused.value.full_message
    assert "see that Flex holds none of them" in refused.value.full_message
