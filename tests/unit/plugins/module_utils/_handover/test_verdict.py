# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdicts: what proves, what does not, and that nothing else ever does.

Three views of the same rules: named cases to read, every combination of facts against a second statement of the rules, and
properties over generated evidence.
"""

from __future__ import annotations

import datetime
import itertools

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.times import parse_time
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.verdict import (
    FLEX_EVENTS,
    Evidence,
    verdicts,
)
from hypothesis import given, settings
from hypothesis import strategies as st

STEPS = ("connection", "link", "key")
AT, BEFORE, CLOSE, AFTER, LATER = (
    f"2026-11-24T10:{minute}Z" for minute in ("00:30", "00:00", "01:00", "05:00", "30:00")
)
LONG_AGO, FUTURE = "2026-11-01T00:00:00Z", "2099-01-01T00:00:00Z"
NOW = parse_time("2026-11-24T12:00:00Z")
KEY, OTHER_KEY, SOURCE, OTHER = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "source1", "source2"


def done(at=AT, keys=(KEY,), **subject):
    return {"done": {"subject": subject, "how": "attested", "by": "jane", "at": at, "keys": list(keys)}}


def ledger(**steps):
    recorded = {
        "connection": done(space_id="spa"),
        "link": done(source_id=SOURCE, space_id="spa"),
        "key": done(source_id=SOURCE, key_fingerprint=KEY),
    }
    return {**recorded, **steps}


def row(at=AFTER, source=SOURCE, count=3, event=FLEX_EVENTS[0]):
    return {"event": event, "source": source, "series": [(at, count)]}


def alert(at=AFTER):
    return {"code": "49009", "at": at, "meaning": "stored credentials malformed"}


def seen(at=AFTER, event=FLEX_EVENTS[0]):
    return [{"name": event, "last_seen_at": at}]


def canary(status="arrived", source=SOURCE, at=AFTER):
    return {
        "status": status,
        "source_id": source,
        "space_id": "spa",
        "sent_at": at,
        "reason": f"the test event: {status}",
    }


def evidence(**changes):
    """All that there is to see of an environment in order: events arrive, and nothing speaks against it."""
    known = {"alerts": [], "volume": [row()], "senders": [row(LONG_AGO), row()], "space_events": seen(), "changes": []}
    return Evidence(**{**known, **changes})


def judged(found, keys=(KEY,), steps=None, source=SOURCE):
    told = verdicts(ledger() if steps is None else steps, source, list(keys), found, NOW)
    assert list(told) == list(STEPS)
    assert all(told[step]["reason"] for step in STEPS)
    return [told[step]["verdict"] for step in STEPS]


ATTESTED, PROVEN = ["attested"] * 3, ["proven"] * 3
ONLY_KEY, ONLY_LINK = ["attested", "attested", "proven"], ["attested", "proven", "attested"]
READ_BACK = dict.fromkeys(STEPS, True)
NOTHING = evidence(volume=[], senders=[], space_events=[])

TABLE = {
    # Evidence for
    "events prove all three": (evidence(), {}, PROVEN),
    "an endpoint reads all values back": (Evidence(read_back=READ_BACK), {}, PROVEN),
    "a read-back proves its own step only": (Evidence(read_back={"link": True}), {}, ONLY_LINK),
    "a read-back of key and link proves the connection": (Evidence(read_back={"link": True, "key": True}), {}, PROVEN),
    "a read-back needs no record": (Evidence(read_back=READ_BACK), {"steps": {}}, PROVEN),
    "the canary proves the link": (Evidence(test_event=canary()), {}, ONLY_LINK),
    "the canary needs no record": (Evidence(test_event=canary()), {"steps": {}}, ["unknown", "proven", "unknown"]),
    "the canary and events on the source": (evidence(space_events=[], test_event=canary()), {}, PROVEN),
    "the other source is gone, and sent before": (
        evidence(senders=[row(LONG_AGO, OTHER), row()], gone={OTHER}),
        {},
        PROVEN,
    ),
    "link and key prove a connection that nobody recorded": (evidence(), {"steps": ledger(connection={})}, PROVEN),
    "the keys changed, and events came later": (
        evidence(changes=[{"at": CLOSE}], volume=[row(LATER)], space_events=seen(LATER)),
        {"steps": ledger(key=done(keys=[KEY, OTHER_KEY], source_id=SOURCE, key_fingerprint=KEY))},
        PROVEN,
    ),
    # No evidence
    "nothing was read": (Evidence(), {}, ATTESTED),
    "no events": (NOTHING, {}, ATTESTED),
    "counts of zero and less": (evidence(volume=[row(count=0), row(count=-5)]), {}, ATTESTED),
    "only the volume could be read": (Evidence(volume=[row()]), {}, ONLY_KEY),
    "the audit trail could not be read": (evidence(changes=None), {}, PROVEN),
    # Late and early
    "events before the hand-over": (evidence(volume=[row(BEFORE)], space_events=seen(BEFORE)), {}, ATTESTED),
    "events within a minute of the hand-over": (evidence(volume=[row(CLOSE)], space_events=seen(CLOSE)), {}, ATTESTED),
    "old events, seen in the space after the hand-over": (evidence(volume=[row(BEFORE)]), {}, ATTESTED),
    "new events, and the space saw old ones last": (evidence(space_events=seen(BEFORE)), {}, ONLY_KEY),
    "the space saw its last before the source sent": (evidence(volume=[row(LATER)]), {}, ONLY_KEY),
    "the space saw the other kind of event": (evidence(space_events=seen(event=FLEX_EVENTS[1])), {}, ONLY_KEY),
    "events of the future": (evidence(volume=[row(FUTURE)], space_events=seen(FUTURE)), {}, ATTESTED),
    "the space claims the future": (evidence(space_events=seen(FUTURE)), {}, ONLY_KEY),
    "the form was pressed again since": (evidence(), {"steps": ledger(connection=done(LATER))}, ATTESTED),
    # Foreign
    "another source sends too": (evidence(volume=[row(), row(source=OTHER)]), {}, ONLY_KEY),
    "only another source sends": (evidence(volume=[row(source=OTHER)]), {}, ATTESTED),
    "another source sent a month ago and could be replayed": (
        evidence(senders=[row(LONG_AGO, OTHER), row()]),
        {},
        ONLY_KEY,
    ),
    "another source that is gone, and sent since": (
        evidence(volume=[row(), row(source=OTHER)], gone={OTHER}),
        {},
        ONLY_KEY,
    ),
    "a sender without a name": (evidence(senders=[row(source="")]), {}, ONLY_KEY),
    "a sender whose counts cannot be read": (evidence(senders=[row("?", OTHER)]), {}, ONLY_KEY),
    "events of another name": (evidence(volume=[row(event="Order Completed")]), {}, ATTESTED),
    # Keys
    "a second key": (evidence(), {"keys": (KEY, OTHER_KEY)}, ONLY_LINK),
    "keys that cannot be seen": (evidence(), {"keys": ()}, ONLY_LINK),
    "another key": (evidence(), {"keys": (OTHER_KEY,)}, ["attested", "proven", "pending"]),
    "two keys at the hand-over, and no trace of a change": (
        evidence(),
        {"steps": ledger(key=done(keys=[KEY, OTHER_KEY], source_id=SOURCE, key_fingerprint=KEY))},
        ONLY_LINK,
    ),
    "two keys at the hand-over, and no audit trail": (
        evidence(changes=None),
        {"steps": ledger(key=done(keys=[KEY, OTHER_KEY], source_id=SOURCE, key_fingerprint=KEY))},
        ONLY_LINK,
    ),
    "the source was changed after the events": (evidence(changes=[{"at": LATER}]), {}, ONLY_LINK),
    "the source was changed at a time that cannot be read": (evidence(changes=[{"at": "?"}]), {}, ONLY_LINK),
    # Evidence against
    "an alert since": (evidence(alerts=[alert()]), {}, ["broken", "proven", "broken"]),
    "an alert before": (evidence(alerts=[alert(BEFORE)]), {}, PROVEN),
    "an alert among old ones": (
        evidence(alerts=[alert(BEFORE), alert(), alert(BEFORE)]),
        {},
        ["broken", "proven", "broken"],
    ),
    "an alert outweighs a read-back": (
        Evidence(read_back=READ_BACK, alerts=[alert()]),
        {},
        ["broken", "proven", "broken"],
    ),
    "an alert before the key was handed over again": (
        evidence(alerts=[alert(CLOSE)], volume=[row(LATER)], space_events=seen(LATER)),
        {"steps": ledger(key=done(AFTER, source_id=SOURCE, key_fingerprint=KEY))},
        PROVEN,
    ),
    "an alert before the link was handed over again": (
        evidence(alerts=[alert(CLOSE)]),
        {"steps": ledger(link=done(AFTER, source_id=SOURCE))},
        ONLY_KEY,
    ),
    "the endpoint reads another value": (evidence(read_back={"key": False}), {}, ["attested", "proven", "broken"]),
    # The canary elsewhere
    "the canary of another source": (Evidence(test_event=canary(source=OTHER)), {}, ATTESTED),
    "the canary came back with another id": (Evidence(test_event=canary("other_source")), {}, ATTESTED),
    "the canary was not seen": (Evidence(test_event=canary("not_seen")), {}, ATTESTED),
    "the canary was sent before the hand-over": (Evidence(test_event=canary(at=BEFORE)), {}, ATTESTED),
    "a connector proves nothing": (Evidence(connector=True), {}, ATTESTED),
    # Not done
    "nothing recorded": (evidence(), {"steps": {}}, ["unknown"] * 3),
    "asked and not done": (evidence(), {"steps": ledger(key={"asked": {"at": AT}})}, ["attested", "proven", "pending"]),
    "done once, and asked again": (
        evidence(),
        {"steps": ledger(connection={**done(), "asked": {"at": AT}})},
        ["pending", "proven", "proven"],
    ),
    "another source": (evidence(), {"source": OTHER}, ["attested", "pending", "pending"]),
    "no source": (evidence(), {"source": None}, ["attested", "pending", "pending"]),
}


@pytest.mark.parametrize("case", TABLE)
def test_table(case):
    found, arguments, expected = TABLE[case]
    assert judged(found, **arguments) == expected


REASONS = {
    "how many, and since when": (evidence(), "key", "Flex wrote 3 engagements through the only key since " + AT),
    "one kind of event for each engagement": (
        evidence(volume=[row(count=2), row(count=5, event=FLEX_EVENTS[1])]),
        "key",
        "Flex wrote 5 engagements",
    ),
    "what an unreadable audit trail hides": (evidence(changes=None), "key", "a key that came and went"),
    "no more than what was looked at": (evidence(since=parse_time(CLOSE)), "key", "only key since " + CLOSE),
    "where the key stands": (NOTHING, "key", "look at the key in Flex > Contact center settings > Unified Profiles"),
    "whose key Flex has": (evidence(volume=[row(source=OTHER)]), "key", "through the source source2 and not"),
    "where sources are linked": (
        evidence(space_events=[]),
        "link",
        "look at Unify > Unify settings > Profiles sources",
    ),
    "who else may have sent": (evidence(senders=[row(source=OTHER)]), "link", "Flex events of the source source2 may"),
    "what became of the canary": (Evidence(test_event=canary("not_seen")), "link", "the test event: not_seen"),
    "which alert": (evidence(alerts=[alert()]), "key", "alert 49009 (stored credentials malformed) at " + AFTER),
    "that a connector says little": (Evidence(connector=True), "connection", "proves nothing about its settings"),
}


@pytest.mark.parametrize("case", REASONS)
def test_the_reason_says(case):
    found, step, said = REASONS[case]
    assert said in verdicts(ledger(), SOURCE, [KEY], found, NOW)[step]["reason"]


# Every combination of facts. The rules are stated a second time, in terms of the facts and not of the evidence.

RECORDS = ("none", "asked", "done", "done, asked again")
SOURCES = {"same": SOURCE, "other": OTHER, "gone": None}
KEYS = {"one": [KEY], "several": [KEY, OTHER_KEY], "other": [OTHER_KEY], "unseen": []}
ALERTS = {"unread": None, "none": [], "before": [alert(BEFORE)], "since": [alert(BEFORE), alert()]}
EVENTS = {
    "unread": None,
    "none": [],
    "ours, early": [row(BEFORE), row(CLOSE)],
    "ours": [row(BEFORE), row()],
    "foreign": [row(source=OTHER)],
    "both": [row(), row(source=OTHER)],
}
HISTORY = {"unread": None, "ours": [row(LONG_AGO), row()], "foreign": [row(LONG_AGO, OTHER), row()]}
SPACE = {"unread": None, "none": [], "early": seen(BEFORE), "since": seen(), "future": seen(FUTURE)}
CHANGES = {"unread": None, "none": [], "before events": [{"at": CLOSE}], "after events": [{"at": LATER}]}
CANARIES = {
    "none": None,
    "arrived": canary(),
    "other": canary(source=OTHER),
    "lost": canary("not_seen"),
    "old": canary(at=BEFORE),
}
READS = (None, True, False)


def records(state, step):
    subjects = {"connection": {}, "link": {"source_id": SOURCE}, "key": {"source_id": SOURCE, "key_fingerprint": KEY}}
    asked = {"asked": {"at": AT, "subject": {}}}
    whole = {"none": {}, "asked": asked, "done": done(**subjects[step])}
    return whole.get(state, {**done(**subjects[step]), **asked})


def standing(record, source="same"):
    if record == "none":
        return "unknown"
    return "attested" if record == "done" and source == "same" else "pending"


def test_every_combination_for_the_link():
    dimensions = (RECORDS, SOURCES, EVENTS, HISTORY, (False, True), SPACE, CANARIES, READS)
    for record, source, events, history, gone, space, bird, read in itertools.product(*dimensions):
        found = Evidence(
            read_back={"link": read},
            test_event=CANARIES[bird],
            volume=EVENTS[events],
            senders=HISTORY[history],
            gone={OTHER} if gone else frozenset(),
            space_events=SPACE[space],
        )
        alone = history == "ours" or (history == "foreign" and gone)
        fits = (SOURCES[source] == SOURCE and bird in ("arrived", "old")) or (source == "other" and bird == "other")
        in_time = bird != "old" or record in ("none", "asked")
        if read or (fits and in_time and not (read is False and standing(record, source) == "attested")):
            expected = "proven"
        elif standing(record, source) != "attested":
            expected = standing(record, source)
        elif read is False:
            expected = "broken"
        else:
            expected = "proven" if events == "ours" and alone and space == "since" else "attested"
        told = verdicts({"link": records(record, "link")}, SOURCES[source], [KEY], found, NOW)
        assert told["link"]["verdict"] == expected, (record, source, events, history, gone, space, bird, read)


def test_every_combination_for_the_key():
    dimensions = (RECORDS, SOURCES, KEYS, (True, False), ALERTS, EVENTS, CHANGES, READS)
    for record, source, keys, only, alerts, events, changes, read in itertools.product(*dimensions):
        found = Evidence(
            read_back={"key": read}, alerts=ALERTS[alerts], volume=EVENTS[events], changes=CHANGES[changes]
        )
        base = standing(record, source)
        if base == "attested" and keys == "other":
            base = "pending"
        settled = changes == "before events" or (only and changes != "after events")
        if base == "attested" and alerts == "since":
            expected = "broken"
        elif read:
            expected = "proven"
        elif base != "attested":
            expected = base
        elif read is False:
            expected = "broken"
        else:
            expected = "proven" if keys == "one" and events in ("ours", "both") and settled else "attested"
        steps = {"key": records(record, "key")}
        if "done" in steps["key"] and not only:
            steps["key"]["done"]["keys"] = [KEY, OTHER_KEY]
        told = verdicts(steps, SOURCES[source], KEYS[keys], found, NOW)
        assert told["key"]["verdict"] == expected, (record, source, keys, only, alerts, events, changes, read)


def test_every_combination_for_the_connection():
    for record, alerts, read, link, key in itertools.product(RECORDS, ALERTS, READS, (None, True), (None, True)):
        found = Evidence(read_back={"connection": read, "link": link, "key": key}, alerts=ALERTS[alerts])
        base = standing(record)
        if base == "attested" and alerts == "since":
            expected = "broken"
        elif read:
            expected = "proven"
        elif base == "pending":
            expected = "pending"
        elif base == "attested" and read is False:
            expected = "broken"
        else:
            expected = "proven" if link and key else base
        told = verdicts({"connection": records(record, "connection")}, SOURCE, [KEY], found, NOW)
        assert told["connection"]["verdict"] == expected, (record, alerts, read, link, key)


# Properties

TIMES = st.sampled_from([LONG_AGO, BEFORE, AT, CLOSE, AFTER, LATER, FUTURE, "", "nonsense", "9999-12-31T23:59:59Z"])
SENDERS = st.sampled_from([SOURCE, OTHER, ""])
ROWS = st.lists(st.builds(row, TIMES, SENDERS, st.integers(-1, 5), st.sampled_from([*FLEX_EVENTS, "Order Completed"])))
READ_BACK_MAX_AGE = st.lists(st.builds(lambda at, name: seen(at, name)[0], TIMES, st.sampled_from(FLEX_EVENTS)))
CHANGED = st.none() | st.lists(st.builds(lambda at: {"at": at}, TIMES))
WITHOUT_A_WORD = st.builds(
    Evidence,
    connector=st.booleans(),
    alerts=st.none() | st.lists(st.builds(alert, TIMES)),
    volume=st.none() | ROWS,
    senders=st.none() | ROWS,
    gone=st.frozensets(SENDERS),
    space_events=st.none() | READ_BACK_MAX_AGE,
    changes=CHANGED,
)
unhurried = settings(database=None, deadline=None)


@unhurried
@given(WITHOUT_A_WORD)
def test_without_a_word_from_anybody_nothing_is_better_than_unknown(found):
    assert judged(found, steps={}) == ["unknown"] * 3


@unhurried
@given(WITHOUT_A_WORD)
def test_what_was_only_asked_stays_pending(found):
    assert judged(found, steps={step: {"asked": {"at": LONG_AGO}} for step in STEPS}) == ["pending"] * 3


@unhurried
@given(
    st.lists(st.builds(row, st.sampled_from([LONG_AGO, BEFORE, AT, CLOSE, FUTURE]), SENDERS)),
    ROWS,
    READ_BACK_MAX_AGE,
    CHANGED,
)
def test_late_and_early_events_prove_nothing(rows, before, events, changes):
    found = evidence(volume=rows, senders=before, space_events=events, changes=changes)
    assert judged(found) == ATTESTED


@unhurried
@given(ROWS, READ_BACK_MAX_AGE, st.sampled_from([LONG_AGO, BEFORE, AFTER]))
def test_a_source_that_is_not_linked_is_never_proven_by_the_replay_of_another(rows, replayed, at):
    # Whether a replayed event is seen at its own time or at that of its arrival: the space shows any time at all.
    found = evidence(volume=[row(), *rows], senders=[row(at, OTHER), *rows], space_events=replayed)
    assert judged(found)[:2] == ["attested", "attested"]


@unhurried
@given(st.lists(st.builds(row, TIMES, st.sampled_from([OTHER, ""]))), READ_BACK_MAX_AGE, CHANGED)
def test_foreign_events_prove_nothing(rows, events, changes):
    assert judged(evidence(volume=rows, senders=rows, space_events=events, changes=changes)) == ATTESTED


@unhurried
@given(WITHOUT_A_WORD, st.sampled_from([[], [KEY, OTHER_KEY]]))
def test_no_event_tells_one_of_several_keys_from_another(found, keys):
    assert judged(found, keys=keys)[2] in ("attested", "broken")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | TIMES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*STEPS, "at", "subject"]), inner),
    max_leaves=4,
)
ODD_RECORDS = st.dictionaries(
    st.sampled_from(["done", "asked"]),
    JSON | st.fixed_dictionaries({"at": JSON}, optional={"subject": JSON, "how": JSON, "keys": JSON}),
)
ODD_ROWS = st.lists(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("event", "source", "series", "name", "last_seen_at", "at", "code"), JSON)
    )
)


@unhurried
@given(
    st.dictionaries(st.sampled_from(list(STEPS)), ODD_RECORDS | JSON),
    st.sampled_from([SOURCE, None]),
    ODD_ROWS,
    st.none() | st.dictionaries(st.sampled_from(["status", "source_id", "sent_at"]), JSON),
)
def test_odd_input_is_judged_and_never_raises(steps, source, rows, bird):
    found = Evidence(
        test_event=bird, alerts=rows, volume=[row(), *rows], senders=rows, space_events=[*seen(), *rows], changes=rows
    )
    for verdict in verdicts(steps, source, [KEY], found, NOW).values():
        assert verdict["verdict"] in ("attested", "pending", "broken", "unknown", "proven")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T10:00:00Z", "2026-11-24T10:00:00+00:00"),
        ("2026-11-24T12:00:00+02:00", "2026-11-24T10:00:00+00:00"),
        ("2026-11-24T10:00:00", "2026-11-24T10:00:00+00:00"),
        ("2026-11-24T10:00:00.5Z", "2026-11-24T10:00:00.500000+00:00"),
        ("2026-11-24T10:00:00.123456789Z", "2026-11-24T10:00:00.123456+00:00"),
        ("2026-11-24", "2026-11-24T00:00:00+00:00"),
    ],
)
def test_times_in_the_spellings_of_both_vendors(text, expected):
    assert parse_time(text).isoformat() == expected


@pytest.mark.parametrize("text", [None, "", "now", 5, True, {}, "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_what_is_no_time(text):
    assert parse_time(text) is None


def test_times_far_apart_never_overflow():
    assert judged(evidence(), steps={step: done("8999-12-31T23:59:59-23:59") for step in STEPS})
    assert datetime.timezone.utc == parse_time(AT).tzinfo
