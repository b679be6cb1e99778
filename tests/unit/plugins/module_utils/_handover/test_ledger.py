# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger's format: what it holds, what of it is read, and what is refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import LedgerError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.file_names import file_name_for
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger import (
    STEPS,
    LedgerDocument,
    digest,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st
from support.ledgers import DOCUMENTS, EXAMPLES, FEWER, FULL, asked, record

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only


def refused(found: object) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        parse(found, "dev", "The ledger X")
    assert caught.value.message.startswith("The ledger X")
    assert caught.value.next_step
    return caught.value


@FEWER
@given(DOCUMENTS)
def test_what_is_written_is_what_is_read(document: LedgerDocument):
    records = [step["asked"] for step in document.steps.values() if "asked" in step]
    for one in records:
        one["asked_at"] = one["at"]
    assert parse(json.loads(json.dumps(document.as_json())), "dev", "") == document


def test_every_part_is_read_and_written_again_those_of_a_later_release_too():
    found = parse(FULL, "dev", "")
    assert found.steps["key"]["asked"]["asked_at"] == "2026-11-24T10:00:00Z"
    assert found.rotation == FULL["rotation"]
    assert found.other == {"added_later": {"by": ["a release"]}}
    assert found.as_json() == FULL


def test_parts_that_are_empty_or_null_are_left_out():
    found = parse({**FULL, "history": [], "rotation": None, "proofs": {}}, "dev", "")
    assert {"history", "rotation", "proofs"} & set(found.as_json()) == set()
    assert LedgerDocument("dev").as_json() == {"format": 2, "environment": "dev", "steps": {}}


def test_format_1_is_read_and_written_as_format_2():
    old = asked("k1", how="sent")
    del old["asked_at"]
    found = parse({"format": 1, "environment": "dev", "steps": {"key": {"asked": old}, "link": {}}}, "dev", "")
    assert found.steps == {"connection": {}, "link": {}, "key": {"asked": {**old, "asked_at": old["at"]}}}
    assert found.as_json()["format"] == 2


def test_reading_leaves_what_was_given_as_it_was():
    before = copy.deepcopy(FULL)
    parse(FULL, "dev", "").steps["key"].clear()
    assert before == FULL


@pytest.mark.parametrize("number", [True, False, None, 0, -1, 1.5, 1.0, "1", "2", [2], {}])
def test_what_is_no_format_number_is_refused(number: object):
    assert "it has no format number" in refused({**FULL, "format": number}).message


@pytest.mark.parametrize("number", [3, 4, 10**30])
def test_a_newer_format_is_refused_and_is_not_damage(number: int):
    error = refused({**FULL, "format": number})
    assert f"format {number}, written by a newer release; this release reads formats 1 to 2" in error.message
    assert error.next_step == "Update the collection here."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"environment": "prod"}, "the one of the environment 'prod', not of 'dev'"),
        ({"environment": 7}, "the one of the environment without a name"),
        ({"steps": None}, "'steps' should have connection, link, key and nothing else"),
        ({"steps": []}, "'steps' should have connection, link, key and nothing else"),
        ({"steps": {"keys": {}}}, "'steps' should have connection, link, key and nothing else"),
        ({"steps": {"key": []}}, "'key' should have 'done', 'asked' and nothing else"),
        ({"steps": {"key": {"Done": {}}}}, "'key' should have 'done', 'asked' and nothing else"),
        ({"steps": {"key": {"done": None}}}, "'steps.key.done' should be an object"),
        ({"steps": {"key": {"done": {}}}}, "'steps.key.done.subject' is missing"),
        ({"steps": {"key": {"done": record("k1", subject=[])}}}, "'steps.key.done.subject' should be an object"),
        ({"steps": {"key": {"done": record("k1", at=None)}}}, "'steps.key.done.at' should be a string"),
        ({"steps": {"key": {"done": record("k1", keys="k1")}}}, "'steps.key.done.keys' should be a list"),
        ({"steps": {"key": {"done": record("k1", keys=[1])}}}, "'steps.key.done.keys.0' should be a string"),
        ({"steps": {"key": {"asked": asked("k1", asked_at=1)}}}, "'steps.key.asked.asked_at' should be a string"),
        ({"history": {}}, "'history' should be a list"),
        ({"history": [FULL["history"][0], "x"]}, "'history.1' should be an object"),
        ({"history": [{"at": ""}]}, "'history.0.what' is missing"),
        ({"acknowledged": [{"alert": 49008}]}, "'acknowledged.0.alert' should be a string"),
        ({"proofs": []}, "'proofs' should be an object"),
        ({"proofs": {"key": {"at": "", "reason": "", "last_event": 0}}}, "'proofs.key.last_event' should be a string"),
        ({"findings": [{"at": "", "what": ""}]}, "'findings.0.detail' is missing"),
        ({"seen_keys": ["k1"]}, "'seen_keys' should be an object"),
        ({"seen_keys": {"k1": 1}}, "'seen_keys.k1' should be a string"),
        ({"rotation": []}, "'rotation' should be an object"),
        ({"rotation": {**FULL["rotation"], "before": "k1"}}, "'rotation.before' should be a list"),
        ({"restore": {**FULL["restore"], "items": {"labels": True}}}, "'restore.items.labels' should be a string"),
    ],
)
def test_what_is_damaged_is_named(change: dict, said: str):
    assert said in refused({**FULL, **change}).message


def nested(levels: int) -> Any:
    found: Any = {}
    for _level in range(levels):
        found = {"a": [found]}
    return found


@pytest.mark.parametrize("place", ["other", "subject"])
@pytest.mark.parametrize("levels", [11, 1000])
def test_what_is_nested_without_end_is_damaged(place: str, levels: int):
    deep = nested(levels)
    change = {"other": deep} if place == "other" else {"steps": {"key": {"done": record("k1", subject=deep)}}}
    assert "is nested more than 20 levels deep" in refused({**FULL, **change}).message


@EXAMPLES
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=4))
def test_anything_else_than_a_ledger_is_damaged(found: object):
    refused(found)
    refused({**FULL, "steps": found or 0})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)


@EXAMPLES
@given(st.sampled_from([name for name in FULL if name not in ("format", "environment")]), JSON)
def test_no_part_ends_in_anything_but_an_answer_or_a_refusal(name: str, value: object):
    """Whatever is in a part: it is refused, or it can be worked with."""
    try:
        found = parse({**FULL, name: value}, "dev", "The ledger")
    except LedgerError:
        return
    assert parse(found.as_json(), "dev", "The ledger") == found


@EXAMPLES
@given(st.text(min_size=1), st.text(min_size=1))
def test_no_two_environments_share_a_file(one: str, other: str):
    assert "/" not in file_name_for(one)
    assert not file_name_for(one).startswith(".")
    if one != other:
        assert file_name_for(one) != file_name_for(other)


VALUES = st.dictionaries(st.sampled_from("abc"), st.text(max_size=3) | st.booleans(), max_size=3)


@EXAMPLES
@given(VALUES, VALUES, st.sampled_from(list(STEPS)), st.sampled_from(["dev", "prod"]))
def test_a_digest_stands_for_one_subject_of_one_step_of_one_environment(one, other, step, environment):
    same = (one, "link", "dev") == (other, step, environment)
    assert (digest("dev", "link", one) == digest(environment, step, other)) == same
    assert digest("dev", "link", one) == digest("dev", "link", dict(reversed(one.items())))
