# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdicts: what proves, what does not, and that nothing else ever does.

Three views of the same rules: named cases, every combination of facts against a second statement of the rules, and
properties over generated evidence.
"""

from __future__ import annotations

import datetime
import itertools
from dataclasses import replace

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.times import parse_time
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.counts import FLEX_EVENTS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.verdict import (
    CONNECTED,
    DISCONNECTED,
    HOUR,
    LATENESS,
    Evidence,
    judge,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from support.project import ROOT

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

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


CREATED = {"type": "Source Created", "at": LONG_AGO}


def edited(*times):
    """Of the keys, a label, a tracking plan: all look the same."""
    return [CREATED, *({"type": "Source Modified", "at": at} for at in times)]


def trail(*events):
    """The audit trail about the source in the space, the oldest first."""
    return [CREATED, *({"type": kind, "at": at, "by": "ann"} for kind, at in events)]


def verdicts(*args, **more):
    return judge(*args, **more)[0]


def evidence(**changes):
    """All that there is to see of an environment in order: events arrive, and nothing speaks against it."""
    known = {
        "alerts": [],
        "volume": [row()],
        "senders": [row(LONG_AGO), row()],
        "space_events": seen(),
        "audit": [CREATED],
    }
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
    "a read-back of key and link says nothing of the connection": (
        Evidence(read_back={"link": True, "key": True}),
        {},
        ["attested", "proven", "proven"],
    ),
    "a read-back of the key, and events": (evidence(read_back={"key": True}), {}, PROVEN),
    "a read-back of link and key, and the events of the key alone": (
        evidence(read_back={"link": True, "key": True}, space_events=[]),
        {},
        ["attested", "proven", "proven"],
    ),
    "the audit trail says that it was connected": (
        evidence(space_events=[], audit=trail((DISCONNECTED, BEFORE), (CONNECTED, CLOSE)), only_space=True),
        {},
        PROVEN,
    ),
    "the audit trail says so, and it was before the confirmation": (
        evidence(volume=[], audit=trail((CONNECTED, BEFORE)), only_space=True),
        {},
        ONLY_LINK,
    ),
    "the audit trail says so, and there is another space": (
        evidence(space_events=[], audit=trail((CONNECTED, CLOSE))),
        {},
        ONLY_KEY,
    ),
    "connected, and disabled since": (
        evidence(space_events=[], audit=trail((CONNECTED, CLOSE), ("Source Disabled", AFTER)), only_space=True),
        {},
        ONLY_KEY,
    ),
    "disconnected a little before it was handed over, and the trail is late": (
        evidence(space_events=[], audit=trail((DISCONNECTED, BEFORE)), only_space=True),
        {},
        ONLY_KEY,
    ),
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
        evidence(audit=edited(CLOSE), volume=[row(LATER)], space_events=seen(LATER)),
        {"steps": ledger(key=done(keys=[KEY, OTHER_KEY], source_id=SOURCE, key_fingerprint=KEY))},
        PROVEN,
    ),
    "the keys changed, and events came before the removed key was forgotten": (
        evidence(audit=edited(CLOSE)),
        {"steps": ledger(key=done(keys=[KEY, OTHER_KEY], source_id=SOURCE, key_fingerprint=KEY))},
        ONLY_LINK,
    ),
    "a label was changed after the events": (evidence(audit=edited(LATER)), {}, PROVEN),
    "edited twice, and events came later": (
        evidence(audit=edited(AT, CLOSE), volume=[row(LATER)], space_events=seen(LATER)),
        {},
        PROVEN,
    ),
    # No evidence
    "nothing was read": (Evidence(), {}, ATTESTED),
    "no events": (NOTHING, {}, ATTESTED),
    "counts of zero and less": (evidence(volume=[row(count=0), row(count=-5)]), {}, ATTESTED),
    "only the volume could be read": (Evidence(volume=[row()]), {}, ONLY_KEY),
    "the audit trail could not be read": (evidence(audit=None), {}, PROVEN),
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
        evidence(audit=None),
        {"steps": ledger(key=done(keys=[KEY, OTHER_KEY], source_id=SOURCE, key_fingerprint=KEY))},
        ONLY_LINK,
    ),
    "the keys changed after the events": (
        evidence(audit=edited(LATER)),
        {"steps": ledger(key=done(keys=[KEY, OTHER_KEY], source_id=SOURCE, key_fingerprint=KEY))},
        ONLY_LINK,
    ),
    "the keys changed at a time that cannot be read": (
        evidence(audit=edited("?")),
        {"steps": ledger(key=done(keys=[KEY, OTHER_KEY], source_id=SOURCE, key_fingerprint=KEY))},
        ONLY_LINK,
    ),
    "a key may have come before the events and gone after them": (
        evidence(audit=edited(CLOSE, LATER)),
        {},
        ONLY_LINK,
    ),
    "a key may have gone so shortly before the events that it was still taken": (
        evidence(audit=edited("2026-11-24T10:00:45Z", CLOSE)),
        {},
        ONLY_LINK,
    ),
    "other keys at the hand-over, and no edit but that the source was connected": (
        evidence(audit=trail((CONNECTED, CLOSE)), volume=[row(LATER)], space_events=seen(LATER)),
        {"steps": ledger(key=done(keys=[KEY, OTHER_KEY], source_id=SOURCE, key_fingerprint=KEY))},
        ONLY_LINK,
    ),
    # Evidence against
    "an alert since": (evidence(alerts=[alert()]), {}, ["broken", "proven", "proven"]),
    "an alert before": (evidence(alerts=[alert(BEFORE)]), {}, PROVEN),
    "an alert among old ones": (
        evidence(alerts=[alert(BEFORE), alert(), alert(BEFORE)]),
        {},
        ["broken", "proven", "proven"],
    ),
    "an alert outweighs a read-back": (
        Evidence(read_back=READ_BACK, alerts=[alert()]),
        {},
        ["broken", "proven", "proven"],
    ),
    "an alert before the key was handed over again": (
        evidence(alerts=[alert(CLOSE)], volume=[row(LATER)], space_events=seen(LATER)),
        {"steps": ledger(key=done(AFTER, source_id=SOURCE, key_fingerprint=KEY))},
        ["broken", "proven", "proven"],
    ),
    "an alert before the connection was handed over again": (
        evidence(alerts=[alert(CLOSE)], volume=[row(LATER)], space_events=seen(LATER)),
        {"steps": ledger(connection=done(AFTER, space_id="spa"))},
        PROVEN,
    ),
    "an alert before the link was handed over again": (
        evidence(alerts=[alert(CLOSE)]),
        {"steps": ledger(link=done(AFTER, source_id=SOURCE))},
        ["broken", "attested", "proven"],
    ),
    "an alert since, and nobody recorded the connection": (
        evidence(alerts=[alert()]),
        {"steps": ledger(connection={})},
        ["unknown", "proven", "proven"],
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


UNCHANGED = "its keys are unchanged since, if each change of a key is in the audit trail as an edit"
REASONS = {
    "how many, and since when": (evidence(), "key", "Flex wrote 3 engagements through the only key since " + AT),
    "one kind of event for each engagement": (
        evidence(volume=[row(count=2), row(count=5, event=FLEX_EVENTS[1])]),
        "key",
        "Flex wrote 5 engagements",
    ),
    "what an empty audit trail hides": (evidence(audit=[]), "key", "a key that came and went"),
    "what a trail hides without what must be there": (
        evidence(audit=[{"type": CONNECTED, "at": CLOSE}]),
        "key",
        "a key that came and went",
    ),
    "what is taken for granted where the creation shows": (evidence(), "key", UNCHANGED),
    "what is taken for granted where an edit shows": (
        evidence(audit=[{"type": "Source Modified", "at": BEFORE}]),
        "key",
        UNCHANGED,
    ),
    "that a source was connected, and not which": (
        evidence(space_events=[], hints=[{"type": CONNECTED, "at": CLOSE, "by": "ann"}]),
        "link",
        f"the audit trail has Source Connected To Space by ann at {CLOSE} for this space, and does not say of which source",
    ),
    "what an unreadable audit trail hides": (evidence(audit=None), "key", "a key that came and went"),
    "no more than what was looked at": (evidence(since=parse_time(CLOSE)), "key", "only key since " + CLOSE),
    "where the key stands": (NOTHING, "key", "look at the key in Flex > Contact center settings > Unified Profiles"),
    "where sources are linked": (
        evidence(space_events=[]),
        "link",
        "Flex events reach the source, and the space has not shown them yet",
    ),
    "who else may have sent": (evidence(senders=[row(source=OTHER)]), "link", "Flex events of the source source2 may"),
    "what became of the canary": (Evidence(test_event=canary("not_seen")), "link", "the test event: not_seen"),
    "which alert": (evidence(alerts=[alert()]), "connection", "alert 49009 (stored credentials malformed) at " + AFTER),
    "that a connector says little": (Evidence(connector=True), "connection", "proves nothing about its settings"),
}


@pytest.mark.parametrize("case", REASONS)
def test_the_reason_says(case):
    found, step, said = REASONS[case]
    assert said in verdicts(ledger(), SOURCE, [KEY], found, NOW)[step]["reason"]


# A verdict has a time


def at_time(text, **more):
    known = {"steps": ledger(), "source_id": SOURCE, "keys": [KEY], "evidence": evidence(), **more}
    return judge(now=parse_time(text), **known)


def test_a_verdict_says_when_it_was_proven_and_until_when_that_holds():
    for said in verdicts(ledger(), SOURCE, [KEY], evidence(), NOW).values():
        times = (said["proven_at"], said["holds_until"], said["last_event"])
        assert times == ("2026-11-24T10:05:00Z", "2026-11-27T10:05:00Z", "2026-11-24T10:05:00Z")


@pytest.mark.parametrize(("now", "verdict"), [("2026-11-27T10:05:00Z", "proven"), ("2026-11-27T10:05:01Z", "attested")])
def test_a_proof_that_is_too_old_says_was(now, verdict):
    told, suspicions = at_time(now)
    assert [said["verdict"] for said in told.values()] == [verdict] * 3
    assert not suspicions
    if verdict == "attested":
        assert "last proven at 2026-11-24T10:05:00Z: Flex wrote 3 engagements" in told["key"]["reason"]


def test_how_old_a_proof_may_be_is_the_users_choice():
    told, _suspicions = at_time("2026-11-24T12:00:00Z", max_age=datetime.timedelta(hours=1))
    assert [said["verdict"] for said in told.values()] == ATTESTED


def test_the_ledger_knows_of_a_proof_that_no_read_shows_any_more():
    proofs = {"key": {"at": LATER, "reason": "Flex wrote 5 engagements"}}
    told, _suspicions = at_time("2026-12-24T12:00:00Z", evidence=NOTHING, last_proofs=proofs)
    assert told["key"]["verdict"] == "attested"
    assert f"last proven at {LATER}: Flex wrote 5 engagements; no Flex event has come since" in told["key"]["reason"]


def test_a_proof_of_what_was_handed_over_before_is_forgotten():
    told, _suspicions = at_time(
        "2026-12-24T12:00:00Z", evidence=NOTHING, last_proofs={"key": {"at": BEFORE, "reason": "x"}}
    )
    assert (told["key"]["proven_at"], "last proven" in told["key"]["reason"]) == ("", False)


# Contradiction and suspicion

EVENING, NEXT_DAY = "2026-11-24T20:00:00Z", "2026-11-25T12:00:00Z"
DISCONNECTION = (
    "the audit trail's newest event about it is Source Disconnected From Space by ann at 2026-11-24T10:05:00Z"
)


def test_a_disconnection_is_a_contradiction():
    found = evidence(audit=trail((CONNECTED, CLOSE), (DISCONNECTED, AFTER)), only_space=True)
    told, suspicions = at_time("2026-11-24T12:00:00Z", evidence=found)
    assert [said["verdict"] for said in told.values()] == ["attested", "broken", "proven"]
    assert DISCONNECTION in told["link"]["reason"]
    assert suspicions == []


def test_an_old_disconnection_speaks_against_once_the_trail_cannot_be_late():
    found = evidence(space_events=[], volume=[], audit=trail((DISCONNECTED, BEFORE)), only_space=True)
    assert at_time("2026-11-24T13:00:00Z", evidence=found)[0]["link"]["verdict"] == "attested"
    assert at_time("2026-11-24T14:00:00Z", evidence=found)[0]["link"]["verdict"] == "broken"


def suspected(now, **changes):
    told, suspicions = at_time(now, evidence=evidence(**changes))
    for suspicion in suspicions:
        assert told[suspicion["step"]]["verdict"] == "attested"
        assert suspicion["detail"].rstrip(".") in told[suspicion["step"]]["reason"]
    return [(suspicion["problem"], suspicion["since"]) for suspicion in suspicions]


def test_events_on_the_source_and_none_in_the_space_are_suspicious():
    rows = [row(), row(EVENING)]
    unlinked = [("suspected_unlinked", EVENING)]
    assert suspected(NEXT_DAY, volume=rows, senders=rows, space_events=seen(AFTER)) == unlinked
    # Not before the event can no longer be late.
    assert suspected("2026-11-24T23:59:00Z", volume=rows, senders=rows, space_events=seen(AFTER)) == []
    assert suspected("2026-11-25T00:00:00Z", volume=rows, senders=rows, space_events=seen(AFTER)) == unlinked
    # Not where the space was only a little behind, nor where it showed the other event, nor where its time cannot be read.
    assert suspected(NEXT_DAY, volume=rows, senders=rows, space_events=seen("2026-11-24T17:30:00Z")) == []
    assert suspected(NEXT_DAY, volume=rows, senders=rows, space_events=seen(EVENING, FLEX_EVENTS[1])) == []
    assert suspected(NEXT_DAY, volume=rows, senders=rows, space_events=seen("?")) == []
    assert suspected(NEXT_DAY, volume=rows, senders=rows, space_events=None) == []


def test_a_space_that_never_showed_an_event_is_suspicious():
    assert suspected(NEXT_DAY, volume=[row(EVENING)], space_events=[]) == [("suspected_unlinked", EVENING)]


def test_the_audit_trail_and_the_endpoint_take_a_suspicion_away():
    found = {"volume": [row(EVENING)], "space_events": []}
    assert suspected(NEXT_DAY, **found, audit=trail((CONNECTED, CLOSE)), only_space=True) == []
    assert suspected(NEXT_DAY, **found, read_back={"link": True}) == []


def test_events_through_another_source_in_place_of_this_one_are_suspicious():
    wrong = [("suspected_wrong_key", EVENING)]
    rows = [row(), row(EVENING, OTHER)]
    assert suspected(NEXT_DAY, volume=rows, senders=rows) == wrong
    # The last of ours is from before the hand-over, and older than what is read by the hour.
    assert suspected(NEXT_DAY, volume=[row(EVENING, OTHER)], senders=[row(LONG_AGO)]) == wrong
    # Not where ours never came, where ours still comes, nor before it can no longer be late.
    assert suspected(NEXT_DAY, volume=[row(EVENING, OTHER)], senders=[row(EVENING, OTHER)]) == []
    assert suspected(NEXT_DAY, volume=[*rows, row(EVENING)], senders=rows, space_events=seen(EVENING)) == []
    assert suspected("2026-11-24T23:59:00Z", volume=rows, senders=rows) == []
    # A day is not over before its end: when in it the events came is not known.
    days = [row("2026-11-24T00:00:00Z"), row("2026-11-25T00:00:00Z", OTHER)]
    noon = [row("2026-11-25T11:00:00Z", OTHER)]
    assert suspected(NEXT_DAY, volume=[row(), *noon], senders=days) == []


def test_a_source_that_always_sent_is_another_flex():
    beside = [row("2026-11-24T08:00:00Z", OTHER)]
    rows = [row(), row(EVENING, OTHER)]
    assert suspected(NEXT_DAY, volume=[*rows, *beside], senders=rows) == []


def test_an_acknowledged_suspicion_is_silent():
    rows = [row(), row(EVENING, OTHER)]
    found = evidence(volume=rows, senders=rows)
    (suspicion,) = at_time(NEXT_DAY, evidence=found)[1]
    looked_at = {(suspicion["problem"], suspicion["about"])}
    assert at_time(NEXT_DAY, evidence=evidence(volume=rows, senders=rows, acknowledged=looked_at))[1] == []


def test_silence_is_no_suspicion():
    for found in (NOTHING, Evidence(), evidence(volume=None, senders=None)):
        told, suspicions = at_time("2026-12-24T12:00:00Z", evidence=found)
        assert suspicions == []
        assert [said["verdict"] for said in told.values()] == ATTESTED


# Every combination of facts. The rules are stated a second time, in terms of the facts and not of the evidence.

RECORDS = ("none", "asked", "done", "done, asked again")
SOURCES = {"same": SOURCE, "other": OTHER, "gone": None}
KEYS = {"one": [KEY], "several": [KEY, OTHER_KEY], "other": [OTHER_KEY], "unseen": []}
ALERTS = {"unread": None, "none": [], "before": [alert(BEFORE)], "since": [alert(BEFORE), alert()]}
EVENTS = {
    "unread": None,
    "none": [],
    "ours, early": [row(BEFORE), row(CLOSE)],
    "ours": [row(BEFORE), row(), row(LATER)],
    "foreign": [row(source=OTHER)],
    "both": [row(), row(LATER), row(source=OTHER)],
}
HISTORY = {"unread": None, "ours": [row(LONG_AGO), row()], "foreign": [row(LONG_AGO, OTHER), row()]}
SPACE = {"unread": None, "none": [], "early": seen(BEFORE), "since": seen(), "future": seen(FUTURE)}
CHANGES = {
    "unread": None,
    "none": [CREATED],
    "long before events": edited("2026-11-24T10:00:45Z"),
    "after events": edited("2026-11-24T11:00:00Z"),
    "around events": edited("2026-11-24T10:00:45Z", "2026-11-24T11:00:00Z"),
}
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
        found = Evidence(read_back={"key": read}, alerts=ALERTS[alerts], volume=EVENTS[events], audit=CHANGES[changes])
        base = standing(record, source)
        if base == "attested" and keys == "other":
            base = "pending"
        settled = (only and changes != "around events") or changes == "long before events"
        if read:
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
        elif read and not (record == "done, asked again" and alerts == "since"):
            expected = "proven"
        elif base == "pending":
            expected = "pending"
        elif base == "attested" and read is False:
            expected = "broken"
        else:
            expected = base  # what endpoints read back of link and key says nothing of it
        told = verdicts({"connection": records(record, "connection")}, SOURCE, [KEY], found, NOW)
        assert told["connection"]["verdict"] == expected, (record, alerts, read, link, key)


# Properties

TIMES = st.sampled_from([LONG_AGO, BEFORE, AT, CLOSE, AFTER, LATER, FUTURE, "", "nonsense", "9999-12-31T23:59:59Z"])
SENDERS = st.sampled_from([SOURCE, OTHER, ""])
ROWS = st.lists(st.builds(row, TIMES, SENDERS, st.integers(-1, 5), st.sampled_from([*FLEX_EVENTS, "Order Completed"])))
SEEN = st.lists(st.builds(lambda at, name: seen(at, name)[0], TIMES, st.sampled_from(FLEX_EVENTS)))
CHANGED = st.none() | st.lists(st.builds(lambda at: {"type": "Source Modified", "at": at}, TIMES))
HINTS = st.lists(
    st.fixed_dictionaries({"type": st.sampled_from([CONNECTED, DISCONNECTED]), "at": TIMES, "by": st.just("ann")})
)
WITHOUT_A_WORD = st.builds(
    Evidence,
    connector=st.booleans(),
    alerts=st.none() | st.lists(st.builds(alert, TIMES)),
    volume=st.none() | ROWS,
    senders=st.none() | ROWS,
    gone=st.frozensets(SENDERS),
    space_events=st.none() | SEEN,
    audit=CHANGED,
    hints=HINTS,
)
unhurried = settings(database=None, deadline=None)


@unhurried
@given(WITHOUT_A_WORD)
def test_without_a_word_nothing_is_better_than_unknown(found):
    """Without a word from anybody nothing is better than unknown."""
    assert judged(found, steps={}) == ["unknown"] * 3


@unhurried
@given(WITHOUT_A_WORD)
def test_what_was_only_asked_stays_pending(found):
    assert judged(found, steps={step: {"asked": {"at": LONG_AGO}} for step in STEPS}) == ["pending"] * 3


@unhurried
@given(
    st.lists(st.builds(row, st.sampled_from([LONG_AGO, BEFORE, AT, CLOSE, FUTURE]), SENDERS)),
    ROWS,
    SEEN,
    CHANGED,
)
def test_late_and_early_events_prove_nothing(rows, before, events, changes):
    found = evidence(volume=rows, senders=before, space_events=events, audit=changes)
    assert judged(found) == ATTESTED


@unhurried
@given(ROWS, SEEN, st.sampled_from([LONG_AGO, BEFORE, AFTER]))
def test_a_replay_of_another_source_proves_nothing(rows, replayed, at):
    """A source that is not linked is never proven by the replay of another."""
    # Whether a replayed event is seen at its own time or at that of its arrival: the space shows any time at all.
    found = evidence(volume=[row(), *rows], senders=[row(at, OTHER), *rows], space_events=replayed)
    assert judged(found)[:2] == ["attested", "attested"]


@unhurried
@given(st.lists(st.builds(row, TIMES, st.sampled_from([OTHER, ""]))), SEEN, CHANGED)
def test_foreign_events_prove_nothing(rows, events, changes):
    assert judged(evidence(volume=rows, senders=rows, space_events=events, audit=changes)) == ATTESTED


@unhurried
@given(WITHOUT_A_WORD, st.booleans())
def test_a_hint_is_no_proof_and_never_against(found, only_space):
    plain, hinted = (replace(found, only_space=only_space, hints=hints) for hints in ((), found.hints))
    assert judged(hinted) == judged(plain)


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
        test_event=bird,
        alerts=rows,
        volume=[row(), *rows],
        senders=rows,
        space_events=[*seen(), *rows],
        audit=rows,
        hints=rows,
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


# Whole worlds: hours of a life of one environment, and what its services would show at any time

START = parse_time("2026-01-05T00:30:00Z")
MARGINS = 2 * LATENESS + datetime.timedelta(hours=1)
HOURS_LIVED = 14 * 24


def clock(hours):
    return START + datetime.timedelta(hours=hours)


def text(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@st.composite
def lives(draw, breaks):
    """Traffic by the hour, delays and skews within what the margin allows, and at most one break."""
    return {
        "traffic": sorted(draw(st.sets(st.integers(1, HOURS_LIVED), max_size=40))),
        "other": sorted(draw(st.sets(st.integers(-24 * 20, HOURS_LIVED), max_size=12))) if draw(st.booleans()) else [],
        "delay": draw(st.floats(0, 1.5)),
        "skew": draw(st.floats(-60, 60)),
        "arrival": draw(st.booleans()),
        "replayed": draw(st.integers(0, HOURS_LIVED)),
        "break": draw(st.sampled_from(breaks)),
        "at": draw(st.integers(2, HOURS_LIVED - 24)),
        "now": draw(st.integers(1, HOURS_LIVED)),
    }


def world(life):
    """The evidence, the time, and the hours of traffic that showed the break."""
    now_hour, broken = life["now"], life["break"]
    ours = [h for h in life["traffic"] if broken != "wrong key" or h < life["at"]]
    others = life["other"] + [h for h in life["traffic"] if broken == "wrong key" and h >= life["at"]]
    told_ours = [h for h in ours if h < now_hour]
    linked = [h for h in told_ours if broken != "unlinked" or h < life["at"]]
    known = [h for h in linked if h + life["delay"] <= now_hour]
    last = [clock(h + (life["delay"] if life["arrival"] else 0)) for h in known]
    # A replay shows old events again, maybe as of now.
    if broken == "" and life["arrival"] and life["replayed"] <= now_hour and known and known[0] < life["replayed"]:
        last.append(clock(life["replayed"]))
    skewed = datetime.timedelta(seconds=life["skew"])
    events = [{"name": FLEX_EVENTS[0], "last_seen_at": text(max(last) + skewed)}] if last else []

    def rows(floor, *lists):
        for source, hours in lists:
            for hour in hours:
                if hour < now_hour:
                    at = clock(hour).replace(**floor)
                    yield row(text(at), source)

    both = ((SOURCE, ours), (OTHER, others))
    recent = tuple((source, [h for h in hours if h >= now_hour - 168]) for source, hours in both)
    found = Evidence(
        alerts=[],
        volume=list(rows({"minute": 0}, *recent)),
        senders=list(rows({"minute": 0, "hour": 0}, *both)),
        space_events=events,
        audit=[CREATED],
    )
    shown = [h for h in life["traffic"] if h >= life["at"]]
    return found, clock(now_hour), shown


def lived(life):
    found, now, shown = world(life)
    at = text(START)
    steps = ledger(
        connection=done(at, space_id="spa"),
        link=done(at, source_id=SOURCE, space_id="spa"),
        key=done(at, source_id=SOURCE, key_fingerprint=KEY),
    )
    return (*judge(steps, SOURCE, [KEY], found, now), now, shown)


def test_the_guides_have_the_margin_of_the_code():
    """An event of an hour's count is so long after a break, and so long ago."""
    late, ago, after = (("three", "four", "five", "six")[int(LATENESS / HOUR) - 3 + more] for more in range(3))
    guide, report = (" ".join((ROOT / f"docs/{name}.md").read_text().split()) for name in ("hand-overs", "reliability"))
    assert f"**{late.capitalize()} hours** is how far two views of the same traffic may be apart" in guide
    assert guide.count(f"{late} hours") >= 3
    for text in (guide, report):
        assert f"at least {after} hours after it, and at least {ago} hours ago" in text


@settings(unhurried, max_examples=300)
@given(lives(["unlinked", "wrong key"]))
def test_nothing_is_proven_for_longer_than_the_margin_after_a_break_that_traffic_shows(life):
    told, suspicions, now, shown = lived(life)
    step, problem = {"unlinked": ("link", "suspected_unlinked"), "wrong key": ("key", "suspected_wrong_key")}[
        life["break"]
    ]
    # An event is a while after the break, and a while ago.
    if not any(life["at"] + 7 <= hour and clock(hour) + MARGINS <= now for hour in shown):
        return
    recent = [hour for hour in life["traffic"] if life["now"] - 168 < hour]
    seen_late = max((hour for hour in recent if clock(hour) + MARGINS <= now), default=0) >= life["at"] + 7
    if life["break"] == "wrong key" and (life["other"] or not any(hour < life["at"] for hour in life["traffic"])):
        return
    if seen_late:
        assert told[step]["verdict"] == told["connection"]["verdict"] == "attested"
        problems = {suspicion["problem"] for suspicion in suspicions}
        assert {problem} <= problems <= {problem, *(["suspected_wrong_key"] if takes_over(life) else [])}


def takes_over(life):
    """Return whether another source, quiet for a week before, sends Flex events once this one no longer does: it looks like a wrong key."""
    ours = max(hour for hour in life["traffic"] if hour < life["now"])
    others = [hour for hour in life["other"] if hour < life["now"]]
    return any(hour > ours for hour in others) and not any(ours - 168 - 24 <= hour <= ours for hour in others)


@settings(unhurried, max_examples=300)
@given(lives([""]))
def test_a_healthy_environment_is_never_broken_nor_suspected(life):
    told, suspicions, _now, _shown = lived({**life, "other": []})
    assert suspicions == []
    assert "broken" not in [said["verdict"] for said in told.values()]


@settings(unhurried, max_examples=300)
@given(lives([""]), st.integers(1, 6))
def test_a_flex_beside_it_does_not_make_it_suspicious(life, days):
    every_day = list(range(-24 * 20, HOURS_LIVED, 24 * days))
    _told, suspicions, _now, _shown = lived({**life, "other": every_day})
    assert suspicions == []
