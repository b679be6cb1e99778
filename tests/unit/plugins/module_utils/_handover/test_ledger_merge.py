# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two writers of one ledger: neither loses what the other has recorded, and what is kept is bounded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import LedgerError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger import LedgerDocument
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_merge import (
    MAX_ACKNOWLEDGED,
    MAX_BYTES,
    MAX_FINDINGS,
    MAX_HISTORY,
    MAX_SEEN_KEYS,
    MAX_TEXT,
    bounded,
    compact,
    merge,
    merge_records,
)
from hypothesis import assume, given
from hypothesis import strategies as st
from support.ledgers import DOCUMENTS, EXAMPLES, FEWER, RECORDS, STEP, asked, entry, record, recorded

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

EMPTY = LedgerDocument("dev")


def merged(seen: LedgerDocument, ours: LedgerDocument, theirs: LedgerDocument) -> LedgerDocument | None:
    """None where it is refused."""
    try:
        return merge(seen, ours, theirs)
    except LedgerError:
        return None


def settled(document: LedgerDocument) -> LedgerDocument:
    """As a writer leaves it: in order, and each thing once."""
    return merge(EMPTY, document, EMPTY)


def alone(seen: LedgerDocument, now: LedgerDocument) -> LedgerDocument:
    """What one writer leaves where no other one is."""
    return merge(seen, now, seen)


# The records of a step


def test_two_writers_of_one_step_keep_both_records():
    one, two = {"done": record("k1")}, {"asked": asked("k2")}
    assert merge_records({}, one, two) == {**one, **two}


def test_what_was_confirmed_meanwhile_is_not_asked_for_again():
    done = {"done": record("k1")}
    assert merge_records({}, {"asked": asked("k1")}, done) == done
    # What that writer asked for after that is another thing.
    more = {**done, "asked": asked("k2")}
    assert merge_records({}, {"asked": asked("k1", at="2026-11-24T11:00:00Z")}, more) == more
    # Asked for again by one writer, though: it had been asked to do something else since.
    again = {"done": record("k1"), "asked": asked("k1", at="2026-11-24T11:00:00Z")}
    seen = {"done": record("k1"), "asked": asked("k2")}
    assert merge_records(seen, again, seen) == again


@EXAMPLES
@given(STEP, STEP)
def test_a_writer_alone_gets_what_it_wrote(seen, now):
    assert merge_records(seen, now, seen) == now
    assert merge_records(seen, seen, now) == now
    assert merge_records(seen, now, now) == now


@EXAMPLES
@given(STEP, STEP, STEP)
def test_what_either_writer_recorded_as_done_stays(seen, ours, theirs):
    found = merge_records(seen, ours, theirs)
    new = [side["done"] for side in (ours, theirs) if side.get("done") not in (None, seen.get("done"))]
    if new:
        assert found["done"] in new
        assert found["done"]["at"] == max(done["at"] for done in new)
    assert all(found[state] in (ours.get(state), theirs.get(state)) for state in found)


@EXAMPLES
@given(STEP, STEP, STEP)
def test_what_either_writer_asked_for_stays_unless_the_other_has_done_it(seen, ours, theirs):
    found = merge_records(seen, ours, theirs)
    still_open = [
        side["asked"]
        for side, other in ((ours, theirs), (theirs, ours))
        if side.get("asked") not in (None, seen.get("asked"))
        and (
            other.get("done") in (None, seen.get("done"), side.get("done"))
            or other["done"]["subject"] != side["asked"]["subject"]
        )
    ]
    if still_open:
        assert found["asked"] in still_open
        assert found["asked"]["at"] == max(one["at"] for one in still_open)


# What one write makes of a step.
ACTS = st.sampled_from(["nothing", "ask", "do", "take back"])


def acted(seen: dict[str, Any], act: str, new: dict[str, Any]) -> dict[str, Any]:
    made = {"nothing": seen, "ask": {**seen, "asked": new}, "do": {"done": new}, "take back": {}}
    return made[act]


@EXAMPLES
@given(STEP, ACTS, RECORDS, STEP)
def test_a_write_that_is_tried_again_changes_nothing(seen, act, new, theirs):
    """After a write without an answer, what is there is read and merged again."""
    ours = acted(seen, act, new)
    first = merge_records(seen, ours, theirs)
    assert merge_records(seen, ours, first) == first


# Whole documents


@FEWER
@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_it_does_not_matter_who_wrote_first(seen, ours, theirs):
    assert merged(seen, ours, theirs) == merged(seen, ours=theirs, theirs=ours)


@FEWER
@given(DOCUMENTS, DOCUMENTS)
def test_what_one_writer_alone_changed_is_as_it_left_it(seen, now):
    seen = settled(seen)
    now = alone(seen, now)
    assert merge(seen, now, seen) == merge(seen, seen, now) == merge(seen, now, now) == now


@FEWER
@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_writing_the_same_again_changes_nothing(seen, ours, theirs):
    """The same of the other parts. Of the steps it is shown above, for what one write can make of them."""
    ours, theirs = replace(alone(seen, ours), steps=seen.steps), alone(seen, theirs)
    first = merged(seen, ours, theirs)
    assume(first is not None)
    assert merged(seen, ours, first) == first


@FEWER
@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_nothing_that_either_writer_added_is_lost(seen, ours, theirs):
    seen, ours, theirs = settled(seen), settled(ours), settled(theirs)
    found = merged(seen, ours, theirs)
    assume(found is not None)

    def added(name: str, key: Any) -> set[str]:
        return {key(item) for side in (ours, theirs) for item in getattr(side, name) if item not in getattr(seen, name)}

    def left(name: str, key: Any) -> set[str]:
        return {key(item) for item in getattr(found, name)}

    for name, key in {
        "history": lambda item: str(sorted(item.items())),
        "acknowledged": lambda item: item["alert"],
        "findings": lambda item: (item["at"], item["what"]),
    }.items():
        assert added(name, key) <= left(name, key), name
    for side in (ours, theirs):
        for fingerprint, at in side.seen_keys.items():
            if seen.seen_keys.get(fingerprint) != at:
                assert found.seen_keys[fingerprint] <= at, "a key was seen earlier than it now seems"
        for step, proof in side.proofs.items():
            if seen.proofs.get(step) != proof:
                assert found.proofs[step]["at"] >= proof["at"]
    assert found.history == sorted(found.history, key=lambda item: item["at"])


OPEN = {"at": "2026-11-24T10:00:00Z", "phase": "add", "old": "k1", "before": ["k1"]}
NEXT, BACK = {**OPEN, "phase": "hand_over", "new": "k2"}, {**OPEN, "phase": "roll_back"}


@pytest.mark.parametrize(
    ("seen", "ours", "theirs", "stands"),
    [
        (None, OPEN, None, OPEN),
        (OPEN, OPEN, NEXT, NEXT),
        (OPEN, NEXT, OPEN, NEXT),
        (OPEN, None, OPEN, None),
        (OPEN, OPEN, None, None),
        (OPEN, NEXT, NEXT, NEXT),
        (None, OPEN, {**OPEN, "at": "2026-11-24T10:00:01Z"}, "refused"),
        (OPEN, NEXT, BACK, "refused"),
        # Ended by one run, and taken a phase further by another, which has handed over a key meanwhile.
        (OPEN, None, NEXT, "refused"),
        (OPEN, NEXT, None, "refused"),
    ],
)
@pytest.mark.parametrize("part", ["rotation", "restore"])
def test_of_two_runs_that_go_on_with_the_same_rotation_one_is_refused(part, seen, ours, theirs, stands):
    sides = [replace(EMPTY, **{part: side}) for side in (seen, ours, theirs)]
    if stands == "refused":
        with pytest.raises(LedgerError, match=f"Another run has changed the {part}") as caught:
            merge(*sides)
        assert "Run again" in caught.value.next_step
    else:
        assert getattr(merge(*sides), part) == stands


# Bounds


def many(what: str, n: int) -> LedgerDocument:
    def at(number: int) -> str:
        return f"2026-11-24T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"

    parts: dict[str, Any] = {
        "history": [entry("asked", at(i)) for i in range(n)],
        "acknowledged": [{"alert": f"NO{i}", "at": at(i), "by": "", "why": ""} for i in range(n)],
        "findings": [{"at": at(i), "what": "renamed", "detail": ""} for i in range(n)],
        "seen_keys": {f"k{n - i}": at(i) for i in range(n)},
    }
    return replace(EMPTY, **{what: parts[what]})


@pytest.mark.parametrize(
    ("what", "most"),
    [
        ("history", MAX_HISTORY),
        ("acknowledged", MAX_ACKNOWLEDGED),
        ("findings", MAX_FINDINGS),
        ("seen_keys", MAX_SEEN_KEYS),
    ],
)
def test_of_too_many_the_newest_are_kept(what, most):
    full = many(what, most)
    assert merge(EMPTY, full, EMPTY) == full
    kept = getattr(merge(EMPTY, many(what, most + 5), EMPTY), what)
    assert len(kept) == most
    oldest = min(kept.values()) if isinstance(kept, dict) else kept[0]["at"]
    assert oldest == "2026-11-24T00:00:05Z"


@FEWER
@given(DOCUMENTS, st.integers(0, 80), st.integers(0, 40), st.integers(0, 40))
def test_it_never_has_more_bytes_than_there_is_room_for(document, history, findings, acknowledged):
    long = "\u00e9" * 1000
    full = replace(
        document,
        history=[entry("asked", why=f"{n} {long}") for n in range(history)],
        findings=[{"at": "", "what": str(n), "detail": long} for n in range(findings)],
        acknowledged=[{"alert": str(n), "at": "", "by": long, "why": long} for n in range(acknowledged)],
    )
    found = merge(EMPTY, full, EMPTY)
    assert len(compact(found)) <= MAX_BYTES
    # What has to be known for the next step always is.
    never_go = ("steps", "proofs", "seen_keys", "rotation", "restore", "other")
    wanted = settled(replace(document, history=[], findings=[], acknowledged=[]))
    assert [getattr(found, name) for name in never_go] == [getattr(wanted, name) for name in never_go]
    assert all(len(item["why"]) <= MAX_TEXT for item in found.history)


def test_the_oldest_history_goes_first_and_the_newest_stays():
    entries = [entry("asked", at=f"2026-11-24T10:00:{n:02}Z", why="x" * 290) for n in range(50)]
    large = recorded(key={"done": record("k1", by="x" * 6000)})
    found = bounded(replace(large, history=entries))
    assert 10 < len(found.history) < 50
    assert found.history == entries[-len(found.history) :]
    assert found.steps == large.steps


def test_what_stands_is_never_dropped_however_large():
    large = recorded(key={"done": record("k1", by="x" * 20_000)})
    assert bounded(large) == large
