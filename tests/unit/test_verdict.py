# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdicts: what proves, what does not, and that nothing else ever does."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils.handover.verdict import (
    FLEX_EVENTS,
    Evidence,
    verdicts,
)
from hypothesis import given
from hypothesis import strategies as st

AT, BEFORE, AFTER = "2026-11-24T10:00:30Z", "2026-11-24T10:00:00Z", "2026-11-24T10:05:00Z"
KEY, SOURCE = "aaaaaaaaaaaa", "source1"


def done(**subject):
    return {"done": {"subject": subject, "how": "attested", "by": "jane", "at": AT, "keys": [KEY]}}


def ledger():
    return {
        "connection": done(space_id="spa"),
        "link": done(source_id=SOURCE, space_id="spa"),
        "key": done(source_id=SOURCE, key_fingerprint=KEY),
    }


def volume(at=AFTER, source=SOURCE, count=3, event=FLEX_EVENTS[0]):
    return {"event": event, "source": source, "series": [(at, count)]}


def evidence(rows=None, seen=AFTER, alerts=()):
    events = [{"name": FLEX_EVENTS[0], "last_seen_at": seen}]
    return Evidence(alerts=list(alerts), volume=[volume()] if rows is None else rows, space_events=events)


def judged(found, keys=(KEY,), steps=None, source=SOURCE):
    told = verdicts(steps or ledger(), source, list(keys), found)
    return [told[step]["verdict"] for step in ("connection", "link", "key")]


TABLE = {
    "events prove all three": (evidence(), {}, ["proven", "proven", "proven"]),
    "no events": (evidence([]), {}, ["attested"] * 3),
    "events in the minute of the hand-over": (evidence([volume(BEFORE)]), {}, ["attested"] * 3),
    "late events with old times in the space": (evidence(seen=BEFORE), {}, ["attested", "attested", "proven"]),
    "another source sends too": (
        evidence([volume(), volume(source="other")]),
        {},
        ["attested", "attested", "proven"],
    ),
    "only another source sends": (evidence([volume(source="other")]), {}, ["attested"] * 3),
    "events of another name": (evidence([volume(event="Order Completed")]), {}, ["attested"] * 3),
    "a second key": (evidence(), {"keys": (KEY, "bbbbbbbbbbbb")}, ["attested", "proven", "attested"]),
    "another key": (evidence(), {"keys": ("bbbbbbbbbbbb",)}, ["attested", "proven", "pending"]),
    "another source": (evidence(), {"source": "source2"}, ["attested", "pending", "pending"]),
    "an alert since": (
        evidence(alerts=[{"code": "49009", "at": AFTER, "meaning": "malformed"}]),
        {},
        ["broken", "proven", "broken"],
    ),
    "an alert before": (evidence(alerts=[{"code": "49009", "at": BEFORE, "meaning": "malformed"}]), {}, ["proven"] * 3),
    "nothing could be read": (Evidence(), {}, ["attested"] * 3),
    "asked and not done": (evidence(), {"steps": {"key": {"asked": {"at": AT}}}}, ["unknown", "unknown", "pending"]),
}


@pytest.mark.parametrize("case", TABLE)
def test_table(case):
    found, arguments, expected = TABLE[case]
    assert judged(found, **arguments) == expected


def test_a_key_that_was_one_of_two_at_the_hand_over_is_not_proven():
    steps = ledger()
    steps["key"]["done"]["keys"] = [KEY, "bbbbbbbbbbbb"]
    assert judged(evidence(), steps=steps)[2] == "attested"


def test_the_reason_says_what_was_seen():
    assert "Flex wrote 3 events" in verdicts(ledger(), SOURCE, [KEY], evidence())["key"]["reason"]


TIMES = st.sampled_from([BEFORE, AT, AFTER, "", "nonsense", "2099-01-01T00:00:00Z"])
ROWS = st.lists(
    st.builds(volume, TIMES, st.sampled_from([SOURCE, "other", ""]), st.integers(-1, 5), st.sampled_from(FLEX_EVENTS))
)


@given(ROWS, TIMES)
def test_without_a_record_nothing_is_better_than_unknown(rows, seen):
    assert judged(evidence(rows, seen), steps={"key": {}}) == ["unknown"] * 3


@given(st.lists(st.builds(volume, st.sampled_from([BEFORE, "", "nonsense"]), st.just(SOURCE), st.integers(1, 5))))
def test_old_events_never_prove_a_key(rows):
    assert judged(evidence(rows))[2] == "attested"
