# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is accepted, until when, and what an acceptance that fits nothing says."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients.source import Source
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.accepted import accept, as_text, is_day
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.decide import Facts
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.drift import (
    ATTRIBUTES,
    Seen,
    candidates,
    compare,
    sentence,
    with_culprits,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger import LedgerDocument
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.steps import STEPS
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import SETTINGS

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

TODAY = datetime.date(2026, 11, 26)


def difference(attribute="name", found="renamed by hand", **more):
    empty = {"expected": "x", "since": "", "by": "", "mend": "Run connect.", "accepted": ""}
    return {"attribute": attribute, "found": found, **empty, **more}


def entry(attribute="name", value="renamed by hand", until="2026-12-31", reason="a trial"):
    return {"attribute": attribute, "value": value, "reason": reason, "until": until}


def test_the_settings_take_the_attributes_that_there_are():
    assert SETTINGS["unified_profiles_accepted_drift"]["options"]["attribute"]["choices"] == [*ATTRIBUTES]
    assert {step for attribute in ATTRIBUTES.values() for step in attribute.steps} == {*STEPS}


@pytest.mark.parametrize("until", ["2026-11-26", "2026-12-31"])
def test_what_is_accepted_stays_listed(until):
    (found,), told = accept([difference()], [entry(until=until)], TODAY)
    assert (found, told) == (difference(accepted=f"a trial (until {until})"), [])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (entry(until="2026-11-25"), "ended on 2026-11-25"),
        (entry(value="renamed again"), "fits nothing that was found"),
        (entry(attribute="labels"), "fits nothing that was found"),
    ],
)
def test_it_comes_back(given, said):
    found, (told,) = accept([difference()], [given], TODAY)
    assert found == [difference()]
    assert said in told
    assert told.startswith("unified_profiles_accepted_drift: the entry for ")


def test_each_entry_accepts_its_own():
    found, told = accept([difference(), difference("enabled", "false")], [entry("enabled", False), entry()], TODAY)
    assert [it["accepted"] for it in found] == ["a trial (until 2026-12-31)"] * 2
    assert told == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(False, "false"), (True, "true"), (["b", "a"], "b, a"), (12, "12"), ("false", "false")],
)
def test_whatever_yaml_makes_of_a_value_it_is_the_text_of_the_report(value, text):
    assert as_text(value) == text


@pytest.mark.parametrize("text", ["2026-12-31", "2028-02-29"])
def test_a_day(text):
    assert is_day(text)


@pytest.mark.parametrize(
    "text", ["2026-02-30", "31.12.2026", "20261231", "2026-12-31 10:00", "2026-W01-1", "soon", "", "٢٠٢٦-١٢-٣١"]
)
def test_no_day(text):
    assert not is_day(text)


def test_a_sentence_says_who_changed_it_and_since_when():
    told = sentence(difference(by="ops@example.com", since="2026-11-25T10:00:00Z"))
    assert told == "name: is renamed by hand, and should be x (changed by ops@example.com at 2026-11-25T10:00:00Z)."
    assert sentence(difference(accepted="a trial (until 2026-12-31)")).endswith(
        "; accepted: a trial (until 2026-12-31)."
    )


# The facts alone tell what was read from what should be there.

JAVA = {"type": "java", "type_id": "V6ynUvQgbc"}
KEY, OTHER, THIRD = "aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"


def source(id_="s1", name="twilio-unified-profiles", slug="twilio-unified-profiles", keys=(KEY,), **more):
    known = {"enabled": True, "labels": {}, **JAVA, **more}
    return Source(id=id_, slug=slug, name=name, keys=dict.fromkeys(keys, Secret("k")), **known)


def document(keys=(KEY,), handed_over=KEY, **parts):
    subject = {"source_id": "s1", "key_fingerprint": handed_over, "account_sid": "AC1"}
    record = {"subject": subject, "digest": "d", "channel": "operator", "how": "attested", "by": "jane", "at": "t"}
    steps = {"connection": {}, "link": {}, "key": {"done": {**record, "keys": [*keys]}}}
    return LedgerDocument("dev", steps, **parts)


def step(name, recorded, expected=None, shown=None):
    record = {"subject": recorded, "digest": "d", "channel": "endpoint", "how": "endpoint", "by": "", "at": "t"}
    facts = Facts(STEPS[name], expected or recorded, "d", {"done": record} if recorded else {}, shown=shown)
    return {name: facts}


LINK, FLEX_KEY = (
    {"source_id": "s1", "space_id": "spa_1"},
    {"source_id": "s1", "key_fingerprint": KEY, "account_sid": "AC1"},
)
ROTATION = {"at": "t", "phase": "added", "old": KEY, "before": [KEY], "new": OTHER}
BROKEN = {"verdict": "broken", "reason": "r"}
# What differs from what is well -> attribute, expected, found; nothing where it is well all the same
COMPARED = {
    "well": ({}, []),
    "gone": ({"sources": []}, [("source", "s1", "nothing")]),
    "gone, and never there": ({"sources": [], "source_id": None}, []),
    "not readable": ({"sources": None}, []),
    "another": ({"sources": [source("s2")]}, [("source", "s1", "s2")]),
    "several": ({"sources": [source(), source("s2")]}, [("source", "s1", "s1, s2")]),
    "renamed": ({"sources": [source(name="x")]}, [("name", "twilio-unified-profiles", "x")]),
    "without a name": ({"sources": [source(name="")]}, [("name", "twilio-unified-profiles", "nothing")]),
    "disabled": ({"sources": [source(enabled=False)]}, [("enabled", "true", "false")]),
    "another type": ({"sources": [source(type="http-api", type_id="x")]}, [("type", "java", "http-api")]),
    "more labels": ({"sources": [source(labels={"a": "b"})]}, []),
    "label missing": ({"labels": {"a": "b", "c": "d"}}, [("labels", "a: b, c: d", "no a, no c")]),
    "label of another value": (
        {"labels": {"a": "b"}, "sources": [source(labels={"a": "x"})]},
        [("labels", "a: b", "a: x")],
    ),
    "unknown key": ({"sources": [source(keys=(KEY, OTHER))]}, [("write_keys", KEY, f"{KEY}, {OTHER}")]),
    "key gone": (
        {"sources": [source(keys=(OTHER,))], "document": document((KEY, OTHER))},
        [("write_keys", f"{KEY}, {OTHER}", OTHER)],
    ),
    "key replaced": ({"sources": [source(keys=(OTHER,))]}, [("write_keys", KEY, OTHER)]),
    "keys not visible": ({"sources": [source(keys=())]}, []),
    "key seen before": ({"sources": [source(keys=(KEY, OTHER))], "document": document(seen_keys={OTHER: "t"})}, []),
    "key of a rotation": ({"sources": [source(keys=(KEY, OTHER))], "document": document(rotation=ROTATION)}, []),
    "unknown key beside a rotation": (
        {"sources": [source(keys=(KEY, OTHER, THIRD))], "document": document(rotation=ROTATION)},
        [("write_keys", f"{KEY}, {OTHER}", f"{KEY}, {OTHER}, {THIRD}")],
    ),
    "keys of another source": ({"sources": [source("s2", keys=(OTHER,))], "source_id": None}, []),
    "space gone": ({"space_gone": True}, [("space", "spa_1", "nothing")]),
    "another space handed over": (
        {"steps": step("link", {**LINK, "space_id": "spa_2"}, LINK)},
        [("space", "spa_1", "spa_2")],
    ),
    "flex not ready": ({"flex": "notstarted"}, [("flex", "ready", "notstarted")]),
    "link reads back": ({"steps": step("link", LINK, shown="s1")}, []),
    "link reads back nothing": ({"steps": step("link", LINK, shown="")}, [("link", "s1", "nothing")]),
    "link reads back another": ({"steps": step("link", LINK, shown="s9")}, [("link", "s1", "s9")]),
    "link disconnected": (
        {"steps": step("link", LINK), "verdicts": {"link": BROKEN}},
        [("link", "connected", "disconnected")],
    ),
    "link never handed over": ({"steps": step("link", {}, LINK, shown="s9")}, []),
    "key reads back another": ({"steps": step("key", FLEX_KEY, shown=OTHER)}, [("key", KEY, OTHER)]),
    "key of another account": (
        {"steps": step("key", FLEX_KEY, {**FLEX_KEY, "account_sid": "AC2"})},
        [("key", "account_sid: AC2", "account_sid: AC1")],
    ),
    "key chosen anew, since the old one is gone": (
        {"steps": step("key", FLEX_KEY, {**FLEX_KEY, "key_fingerprint": OTHER})},
        [],
    ),
    "another key named": (
        {"steps": step("key", FLEX_KEY, {**FLEX_KEY, "key_fingerprint": OTHER}), "key_named": True},
        [("key", f"key_fingerprint: {OTHER}", f"key_fingerprint: {KEY}")],
    ),
    "connection with alerts": (
        {
            "steps": step("connection", {"profile_token_fingerprint": KEY}),
            "verdicts": {"connection": BROKEN},
            "alerts": ["49008", "49009"],
        },
        [("connection", "no alert", "alert 49008, alert 49009")],
    ),
}


@pytest.mark.parametrize("case", COMPARED)
def test_what_is_compared(case):
    changed, expected = COMPARED[case]
    facts = {"source_id": "s1", "document": document(), "sources": [source()], **changed}
    found = compare(Seen("twilio-unified-profiles", "spa_1", **facts))
    assert [(it["attribute"], it["expected"], it["found"]) for it in found] == expected
    assert all(it["mend"] and not it["by"] and not it["accepted"] for it in found)


@pytest.mark.parametrize(
    ("listed", "source_id", "found"),
    [
        ([source()], None, ["s1"]),
        ([source(name="x")], None, ["s1"]),
        ([source(name="x", type="http-api", type_id="x")], None, []),
        ([source(name="x", type="http-api", type_id="x")], "s1", ["s1"]),
        ([source("s2"), source()], "s1", ["s1", "s2"]),
        ([source("s2", name="x"), source()], "s1", ["s1"]),
        ([source("s2", name="x", slug="y")], "s1", []),
    ],
)
def test_which_sources_may_be_meant(listed, source_id, found):
    assert [it.id for it in candidates(listed, source_id, "twilio-unified-profiles")] == found


def event(kind, id_, by, at):
    return {"type": kind, "id": id_, "by": by, "at": at, "name": ""}


def test_the_newest_change_of_that_kind_and_resource_tells_who():
    trail = [
        event("Source Modified", "s1", "first", "2026-11-01T00:00:00Z"),
        event("Source Modified", "s1", "last", "2026-11-03T00:00:00Z"),
        event("Source Modified", "s2", "another's", "2026-11-04T00:00:00Z"),
        event("Source Disabled", "s1", "another kind", "2026-11-05T00:00:00Z"),
        event("Space Deleted", "spa_1", "of the space", "2026-11-06T00:00:00Z"),
        event("Source Deleted", "s0", "of the lost one", "2026-11-07T00:00:00Z"),
    ]
    found = [difference("name"), difference("space"), difference("source", "s1", expected="s0"), difference("key")]
    told = with_culprits(found, trail, "s1", "spa_1")
    assert [(it["attribute"], it["by"]) for it in told] == [
        ("name", "last"),
        ("space", "of the space"),
        ("source", "of the lost one"),
        ("key", ""),
    ]


@pytest.mark.parametrize(
    ("limit", "rotation", "found"),
    [(None, None, []), (90.0, None, ["k1 since 2026-07-01"]), (200.0, None, []), (90.0, "open", [])],
)
def test_a_key_is_too_old_only_where_that_is_asked_for(limit, rotation, found):
    record = {"subject": {"source_id": "S1", "key_fingerprint": "k1"}, "at": "2026-11-01T10:00:00Z", "keys": ["k1"]}
    steps = {"connection": {}, "link": {}, "key": {"done": record}}
    opened = {"at": "2026-11-01T10:00:00Z", "phase": "add", "old": "k1", "before": ["k1"]} if rotation else None
    document = LedgerDocument("dev", steps=steps, seen_keys={"k1": "2026-07-01T10:00:00Z"}, rotation=opened)
    source = Source("S1", "x", "x", True, "java", "", keys={"k1": Secret("a secret")})
    now = datetime.datetime(2026, 11, 26, tzinfo=datetime.timezone.utc)
    seen = Seen("x", "spa_1", source_id="S1", document=document, sources=[source], key_max_age=limit, now=now)
    assert [it["found"] for it in compare(seen) if it["attribute"] == "key_age"] == found
