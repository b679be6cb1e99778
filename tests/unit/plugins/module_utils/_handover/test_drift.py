# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is accepted, until when, and what an acceptance that fits nothing says."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.drift import (
    ATTRIBUTES,
    accept,
    as_text,
    is_day,
    sentence,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.steps import STEPS
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import SETTINGS

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
