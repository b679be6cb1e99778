# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A look at many environments: nothing that is wrong with one stops another, and they are compared with each other."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.chain import nothing_seen
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _survey
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import settings_of
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._survey import (
    Survey,
    mass_deletion,
    shared_sources,
)
from support.environment import Environment
from support.settings import pace

NAMES = ("dev", "prod", "eu")


@pytest.fixture
def environments(sandbox, tmp_path):
    return {name: Environment(sandbox, tmp_path / "state", name, allow_write_events=True) for name in NAMES}


def settings(environment, **more):
    """The settings of an environment as its host would have them, checked."""
    known = {**environment.known, "profile_token": environment.env.profile_token, **more}
    given = {f"unified_profiles_{name}": value for name, value in known.items() if name != "environment"}
    return settings_of(given, hostname=environment.name, inventory_dir=None, awx_user_name=None)


def survey(playbook="connect", threads=4, limit=60.0, total=3600.0):
    lines = []
    return Survey(playbook, pace(threads, limit, total), lines.append), lines


@pytest.mark.parametrize("threads", [1, 4])
def test_all_are_looked_at_in_the_order_of_the_names(environments, threads):
    looking, lines = survey(threads=threads)
    looks = looking.look(NAMES, lambda name: settings(environments[name]))
    assert [*looks] == [*NAMES]
    assert [found["failure"] for found in looks.values()] == [""] * 3
    assert [found["workspace"]["slug"] for found in looks.values()] == [f"{name}-workspace" for name in NAMES]
    assert lines == []


def test_nothing_that_is_wrong_with_one_stops_another(environments):
    def settings_of_each(name):
        if name == "prod":
            return {}, ["unified_profiles_tiemout: is no setting.", "unified_profiles_channel: must be one of x, y."]
        if name == "eu":
            return settings(environments[name], segment_token="sgp_wrong")
        return settings(environments[name])

    looking, _lines = survey()
    looks = looking.look(NAMES, settings_of_each)
    assert looks["dev"]["failure"] == ""
    assert looks["dev"]["due"]
    assert looks["prod"]["failure"] == (
        "The settings are wrong: unified_profiles_tiemout: is no setting. unified_profiles_channel: must be one of x, y."
    )
    assert "The credential in unified_profiles_segment_token is missing" in looks["eu"]["failure"]
    statuses = {name: found["status"] for name, found in looking.outcomes(looks, check_mode=False).items()}
    assert statuses == {"dev": "pending", "prod": "failed", "eu": "failed"}


def test_a_setting_that_no_module_could_take_fails_before_anything_is_requested(environments):
    good, _problems = settings(environments["dev"])
    looking, _lines = survey()
    found = looking.look(["dev"], lambda name: ({**good, "unified_profiles_space_id": None}, []))
    assert "unified_profiles_space_id" in found["dev"]["failure"]
    assert environments["dev"].sandbox.journal() == []


def test_a_defect_is_told_as_one_and_stops_no_other(environments, monkeypatch):
    look = _survey.look

    def broken(call, playbook):
        if call["environment"] == "prod":
            raise ZeroDivisionError
        return look(call, playbook)

    monkeypatch.setattr(_survey, "look", broken)
    looks = survey()[0].look(NAMES, lambda name: settings(environments[name]))
    assert looks["prod"]["failure"].startswith("A defect in flexops.unified_profiles: ZeroDivisionError at ")
    assert looks["dev"]["failure"] == looks["eu"]["failure"] == ""


def test_a_defect_beside_the_look_is_told_and_not_waited_for(environments, monkeypatch):
    looking, _lines = survey(limit=3600)
    monkeypatch.setattr(looking, "failure_of", lambda found: found["nosuch"])
    looks = looking.look(["dev"], lambda name: settings(environments[name]))
    assert looks["dev"]["failure"].startswith("A defect in flexops.unified_profiles: KeyError at ")
    assert looking.failures["dev"] == looks["dev"]["failure"]


def test_a_defect_in_the_settings_of_one_stops_no_other(environments):
    def settings_of(name):
        if name == "prod":
            raise ZeroDivisionError("marked")
        return settings(environments[name])

    looks = survey()[0].look(NAMES, settings_of)
    assert looks["prod"]["failure"].startswith(
        "The settings are wrong: A defect in flexops.unified_profiles: ZeroDivisionError at test_survey.py"
    )
    assert looks["dev"]["failure"] == looks["eu"]["failure"] == ""


def test_the_settings_of_each_are_resolved_once(environments):
    asked = []
    survey()[0].look(NAMES, lambda name: asked.append(name) or settings(environments[name]))
    assert asked == [*NAMES]


def taken(monkeypatch, found=(), told=()):
    """Look as :func:`all_at_once` would have, if it had come to this."""

    def instead(jobs, _threads, _limit, progress, **_more):
        done = dict.fromkeys(name for name, _look in jobs)
        for line in told:
            progress(*line)
        return {name: nothing_seen() for name in done if name in found}

    monkeypatch.setattr(_survey, "all_at_once", instead)


def test_what_was_not_reached_fails_whatever_may_be_unknown(monkeypatch):
    taken(monkeypatch, found=["dev"])
    looking, _lines = survey(limit=7.5)
    found = looking.look(NAMES, lambda name: ({"unified_profiles_fail_on_unknown": False}, []))
    assert [name for name in NAMES if found[name]["failure"]] == ["prod", "eu"]
    assert found["eu"]["failure"] == (
        "Not reached: the look took longer than unified_profiles_survey_timeout (7.5 s), or those at all environments longer than "
        "unified_profiles_survey_total_timeout (3600 s). Run again."
    )
    eu = looking.outcomes(found, check_mode=False)["eu"]
    assert (eu["status"], eu["fails"], eu["due"]) == ("failed", True, {})


def test_a_line_of_progress_counts_each_environment_once(monkeypatch):
    taken(monkeypatch, told=[(0, 10.2), (2, 20.4)])
    looking, lines = survey()
    looking.failures["dev"] = "Its look failed, so it is one of those that are done."
    looking.look(NAMES, lambda name: ({}, ["is wrong."] if name == "eu" else []))
    assert lines == [
        "Looked at 1 of 3 environments, 2 failed so far (10 s).",
        "Looked at 3 of 3 environments, 2 failed so far (20 s).",
    ]


def test_a_look_that_failed_is_counted_as_failed(environments):
    looking, _lines = survey()
    looking.look(["dev"], lambda name: settings(environments[name], segment_token="sgp_wrong"))
    assert [*looking.failures] == ["dev"]


def outcomes(looking, again=False, **looks):
    seen = {name: {**nothing_seen(), **look} for name, look in looks.items()}
    return looking.outcomes(seen, check_mode=False, again=again)


def workspace(name, **seen):
    return {"workspace": {"id": name, "slug": f"{name}-slug"}, "due": {"source": "there is none"}, **seen}


def with_settings(looking, names, **of_all):
    given = {"source_name": "twilio-unified-profiles", "recover_max_percentage": 20.0, **of_all}
    looking.settings = {name: {f"unified_profiles_{key}": value for key, value in given.items()} for name in names}
    return looking


def test_environments_of_one_source_are_refused_and_another_is_not():
    looking = with_settings(survey()[0], NAMES)
    found = outcomes(looking, dev=workspace("a"), prod=workspace("b"), eu=workspace("a"))
    assert found["dev"]["failure"].startswith(
        "unified_profiles_source_name: eu and dev have the same Segment workspace"
    )
    assert found["eu"]["failure"].startswith("unified_profiles_source_name: dev and eu have the same Segment workspace")
    assert (found["prod"]["failure"], found["prod"]["status"]) == ("", "pending")


def test_what_stopped_the_look_is_told_rather_than_what_it_has_in_common():
    looking = with_settings(survey()[0], NAMES)
    found = outcomes(looking, dev=workspace("a", failure="No Flex."), eu=workspace("a"))
    assert found["dev"]["failure"] == "No Flex."
    assert "the same Segment workspace" in found["eu"]["failure"]


def test_an_environment_whose_settings_are_wrong_is_compared_with_none():
    looking, _lines = survey()
    looking.settings = {"dev": {}}
    assert outcomes(looking, dev={"failure": "The settings are wrong: x"})["dev"]["status"] == "failed"


def test_only_recover_is_refused_where_many_look_deleted():
    names = [f"e{number}" for number in range(10)]
    gone = {name: workspace(name, source_gone=True) for name in names[:3]}
    others = {name: workspace(name) for name in names[3:]}
    refused = outcomes(with_settings(survey("recover")[0], names), **gone, **others)
    assert [name for name, of in refused.items() if of["failure"]] == names[:3]
    assert outcomes(with_settings(survey()[0], names), **gone, **others)["e0"]["failure"] == ""
    allowed = with_settings(survey("recover")[0], names, recover_max_percentage=30.0)
    assert outcomes(allowed, **gone, **others)["e0"]["failure"] == ""
    # The second look is of those alone where something was due.
    assert outcomes(allowed, again=True, **gone)["e0"]["failure"] == ""


def test_what_failed_is_not_counted_as_deleted():
    names = [f"e{number}" for number in range(10)]
    looks = {name: workspace(name, source_gone=True) for name in names}
    for name in names[2:]:
        looks[name]["failure"] = "No."
    found = outcomes(with_settings(survey("recover")[0], names), **looks)
    assert found["e0"]["failure"] == found["e1"]["failure"] == ""


def test_each_environments_own_settings_say_what_fails_the_job():
    looking = with_settings(survey()[0], NAMES)
    looking.settings["dev"]["unified_profiles_fail_on_pending"] = False
    found = outcomes(looking, dev=workspace("a"), prod=workspace("b"))
    assert (found["dev"]["fails"], found["prod"]["fails"]) == (False, True)


@pytest.mark.parametrize(
    ("gone", "all_of_them", "percentage", "refused"),
    [
        (0, 10, 0, False),
        (2, 2, 0, False),  # two may be
        (3, 3, 99, True),
        (3, 3, 100, False),
        (3, 15, 20, False),
        (3, 14, 20, True),
        (200, 1000, 20, False),
        (201, 1000, 20, True),
        (3, 1000, 0, True),
    ],
)
def test_more_than_two_and_more_than_the_percentage_look_deleted(gone, all_of_them, percentage, refused):
    names = [str(number) for number in range(gone)]
    found = mass_deletion(names, all_of_them, percentage)
    assert [*found] == (names if refused else [])
    if refused:
        assert f"deleted in {gone} of {all_of_them} environments at once" in found["0"]
        assert "Nothing was done." in found["0"]
        assert "recover at most two at a time with --limit" in found["0"]


def test_a_source_is_its_workspace_and_its_name():
    claims = {"a": ("w1", "x", "one"), "b": ("w1", "y", "one"), "c": ("w2", "x", "two")}
    assert shared_sources(claims) == {}
    assert shared_sources({}) == {}


def test_all_who_share_a_source_are_named():
    claims = dict.fromkeys("abc", ("w1", "x", "")) | {"d": ("w2", "x", "two")}
    found = shared_sources(claims)
    assert [*found] == ["a", "b", "c"]
    assert found["b"].startswith("unified_profiles_source_name: a, c and b have the same Segment workspace (w1) and")
