# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run found of all its environments: as the survey saw them first, or as they were left by what was done."""

from __future__ import annotations

import json

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Refused
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._fleet import (
    ENDED,
    how_to_run,
    look_times,
    looks,
)
from hypothesis import given
from hypothesis import strategies as st

VERDICT = {"verdict": "proven", "reason": "it was read back", "proven_at": ""}
PROVEN = {"status": "proven", "why": "key: it was read back", "steps": {"key": VERDICT}, "source_id": "s1"}
WAITS = {"status": "pending", "fails": True, "why": "Due: link (it is to be asked for).", "due": {"link": "it waits"}}
RENAMED = {"problem": "renamed", "detail": "It was renamed."}
UNLINKED = {"problem": "unlinked", "detail": "It was unlinked."}


class HostVars(dict):
    """As much of Ansible's as is used: what a host has, unevaluated."""

    def raw_get(self, name):
        return self[name]


def run(environments, due=(), asked=None, **hosts):
    return {
        "unified_profiles_look": {"environments": environments, "due": [*due]},
        "hostvars": HostVars({name: hosts.get(name, {}) for name in environments}),
        **({"unified_profiles_asked": {"confirmations": {name: {} for name in asked}}} if asked else {}),
    }


def again(**environments):
    return {"unified_profiles_look_again": {"environments": environments, "due": []}}


def test_an_environment_with_nothing_due_is_as_it_was_seen():
    found = looks(run({"prod": PROVEN, "dev": WAITS}, due=["dev"]))
    assert [*found] == ["prod", "dev"]
    # What the survey left out is empty.
    assert found["prod"] == found["prod"] | {**PROVEN, "fails": False, "findings": [], "failure": "", "due": {}}


def test_what_was_acted_on_is_as_it_was_left():
    found = looks(run({"dev": WAITS}, due=["dev"], dev=again(dev=PROVEN)))
    assert (found["dev"]["status"], found["dev"]["fails"], found["dev"]["due"]) == ("proven", False, {})


def test_what_was_confirmed_at_the_terminal_is_as_it_was_left():
    variables = run({"dev": WAITS}, asked=["dev"], dev=again(dev=PROVEN))
    assert looks(variables)["dev"]["status"] == "proven"


def test_only_what_was_acted_on_is_looked_at_again():
    assert looks(run({"dev": WAITS}, dev=again(dev=PROVEN)))["dev"]["status"] == "pending"


@pytest.mark.parametrize("second", [{}, again(), again(prod=PROVEN)])
def test_without_a_second_look_the_first_one_counts(second):
    assert looks(run({"dev": WAITS}, due=["dev"], dev=second))["dev"]["status"] == "pending"


def test_when_looks_began_and_after_an_act_the_last_one_from_the_next_second_on():
    """By Segment's clock, which may be ahead."""
    ahead = {**PROVEN, "clock_skew": 90.0}
    variables = run({"prod": PROVEN, "eu": ahead, "dev": WAITS, "qa": WAITS}, dev=again(dev=ahead), qa=again(dev=ahead))
    variables["unified_profiles_look"]["began"] = "2026-11-26T10:00:00Z"
    variables["hostvars"]["dev"]["unified_profiles_look_again"]["began"] = "2026-11-26T10:05:00Z"
    assert look_times(variables) == {
        "prod": {"first": "2026-11-26T10:00:00Z", "last": "2026-11-26T10:00:00Z"},
        "eu": {"first": "2026-11-26T10:01:30Z", "last": "2026-11-26T10:01:30Z"},
        "dev": {"first": "2026-11-26T10:00:00Z", "last": "2026-11-26T10:06:31Z"},
        "qa": {"first": "2026-11-26T10:00:00Z", "last": "2026-11-26T10:00:00Z"},
    }


def test_who_was_given_up_by_ansible_is_not_pending():
    """As where a variable that Ansible evaluates for each task cannot be: not even the failure can be recorded."""
    variables = {
        **run({"dev": WAITS, "eu": WAITS}, due=["dev", "eu"], eu=again(eu=PROVEN)),
        "ansible_play_hosts": ["eu"],
    }
    found = looks(variables)
    assert (found["dev"]["status"], found["dev"]["failure"], found["eu"]["status"]) == ("failed", ENDED, "proven")


def test_what_was_found_before_it_was_repaired_is_told():
    first, second = {**WAITS, "findings": [RENAMED, UNLINKED]}, {**PROVEN, "findings": [UNLINKED]}
    repaired = {**RENAMED, "mended": "renamed back by this run"}
    found = looks(run({"dev": first}, due=["dev"], dev=again(dev=second)))
    assert found["dev"]["findings"] == [repaired, UNLINKED]
    assert found["dev"]["why"] == "It was renamed. It was renamed back by this run. key: it was read back"


def test_what_the_second_look_tells_of_a_repair_stands_for_what_the_first_one_found():
    mended = {**RENAMED, "mended": "renamed back at 2026-11-24T10:00:00Z"}
    first, second = {**WAITS, "findings": [RENAMED]}, {**PROVEN, "findings": [mended]}
    found = looks(run({"dev": first}, due=["dev"], dev=again(dev=second)))
    assert found["dev"]["findings"] == [mended]


def test_what_enabling_does_not_cure_is_not_called_repaired():
    itself = {"problem": "disabled_by_segment", "detail": "Segment did it."}
    first = {**WAITS, "findings": [itself, {"problem": "may_be_disabled", "detail": "On Monday."}]}
    later = {"problem": "may_be_disabled", "detail": "In two weeks."}
    found = looks(run({"dev": first}, due=["dev"], dev=again(dev={**PROVEN, "findings": [later]})))
    assert found["dev"]["findings"] == [{**itself, "mended": "enabled again by this run"}, later]


def test_what_was_found_is_not_called_repaired_where_a_task_failed():
    failed = {"unified_profiles_failure": "No.", **again(dev=PROVEN)}
    found = looks(run({"dev": {**WAITS, "findings": [RENAMED]}}, due=["dev"], dev=failed))
    assert (found["dev"]["findings"], found["dev"]["why"]) == ([RENAMED], "No.")


def test_a_task_that_failed_decides_and_keeps_what_the_look_showed():
    failed = {"unified_profiles_failure": "The token was refused.", **again(dev=PROVEN)}
    found = looks(run({"dev": WAITS}, due=["dev"], dev=failed))
    assert found["dev"] == found["dev"] | {
        **{"status": "failed", "fails": True, "why": "The token was refused.", "failure": "The token was refused."},
        **{"steps": {"key": VERDICT}, "source_id": "s1"},
    }


def test_an_environment_that_is_acted_on_and_was_not_looked_at_is_passed_over():
    variables = run({"dev": PROVEN}, due=["gone"])
    assert [*looks(variables)] == ["dev"]


@pytest.mark.parametrize("look", [None, "", {}, {"skipped": True}, {"failed": True, "msg": "No."}])
def test_a_run_that_left_the_survey_out_says_so(look):
    for variables in ({"unified_profiles_look": look}, {}):
        with pytest.raises(Refused, match="--start-at-task"):
            looks({**variables, "hostvars": HostVars()})


@given(st.text())
def test_texts_of_the_services_are_taken_as_they_are(text):
    first = {**WAITS, "findings": [{"problem": "x", "detail": text}], "why": text}
    found = looks(run({"dev": first}, due=["dev"], dev={"unified_profiles_failure": text}))
    assert (found["dev"]["why"], found["dev"]["findings"][0]["detail"]) == (text, text)
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize(
    ("given", "playbook", "acts"),
    [
        ("flexops.unified_profiles.drift", "drift", "flexops.unified_profiles.connect"),
        ("nightly.yml", "drift", "flexops.unified_profiles.connect"),
        ("drift/connect.yml", "connect", "drift/connect.yml"),
    ],
)
def test_what_drift_shows_is_confirmed_to_connect(given, playbook, acts):
    """Whatever the playbook is called that imports drift."""
    assert how_to_run({"args": [given]}, playbook)[0] == ("ansible-playbook", acts)
