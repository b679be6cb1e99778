# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of an environment and of a run, from the variables of a host."""

from __future__ import annotations

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _environment
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._environment import (
    OF_NO_HOST,
    PACE,
    environment_settings,
    run_settings,
    survey_settings,
)
from support.settings import pace

try:
    from ansible.template import trust_as_template
except ImportError:  # Before 2.19 every text is a template.

    def trust_as_template(text):
        return text


WORD = {"by": "jane", "digest": "0123456789ab"}
TOKEN = "sgp_marked0123456789"


def variables(**settings):
    named = {f"unified_profiles_{name}": value for name, value in {"space_id": "spa_1", **settings}.items()}
    return {"inventory_hostname": "dev", "inventory_dir": "/inventory", **named}


def templar(of):
    return Templar(loader=DataLoader(), variables=of)


def environment(**settings):
    of = variables(**settings)
    return environment_settings(of, templar(of))


def surveyed(playbook="connect", extra=(), besides=(), **settings):
    of = {**variables(**settings), **dict(besides)}
    return survey_settings(of, templar(of), playbook, {*extra}, {"dev", "prod"})


def of_run(extra=(), **settings):
    of = variables(**settings)
    return run_settings(of, templar(of), {f"unified_profiles_{name}" for name in extra})


def test_the_settings_of_an_environment_are_complete_and_evaluated():
    found, problems = environment(timeout=trust_as_template("{{ 2 + 3 }}"), channel="operator")
    assert problems == []
    assert (found["unified_profiles_timeout"], found["unified_profiles_channel"]) == (5.0, "operator")
    assert found["unified_profiles_friendly_name"] == "dev"
    assert found["unified_profiles_state_dir"] == "/inventory/.unified_profiles"


def test_what_the_run_knows_besides_is_there():
    found, _problems = environment(
        look={"environments": {"dev": {"clock_skew": 4.5}, "prod": {"clock_skew": 9.0}}},
        sent_test_event={"test_event": {"status": "seen"}, "changed": True},
    )
    assert found["unified_profiles_clock_skew"] == 4.5
    assert found["unified_profiles_sent_test_event"] == {"status": "seen"}


@pytest.mark.parametrize("look", [None, {}, {"environments": {}}, {"environments": {"dev": {}}}, {"skipped": True}])
def test_a_role_that_is_used_alone_needs_no_look(look):
    found, problems = environment(look=look, sent_test_event=None, asked=None)
    assert problems == []
    assert found["unified_profiles_clock_skew"] == 0.0
    assert found["unified_profiles_sent_test_event"] is None


def test_what_was_confirmed_at_the_terminal_counts_for_its_environment():
    asked = {"confirmations": {"dev": {"link": WORD}}}
    assert environment(asked=asked)[0]["unified_profiles_confirm"] == {"dev": {"link": WORD}}
    of_others = {"confirmations": {"prod": {"link": WORD}}}
    assert environment(asked=of_others, confirm="0" * 12)[0]["unified_profiles_confirm"] == "0" * 12
    assert environment(asked={"skipped": True})[0]["unified_profiles_confirm"] == {}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"space_id": None}, "missing required arguments: unified_profiles_space_id"),
        ({"timeout": "soon"}, "unified_profiles_timeout: must be a finite number"),
        ({"segment_token": trust_as_template("{{ nosuch }}")}, "unified_profiles_segment_token: refers to a variable"),
        ({"segment_token": trust_as_template("{{ sgp_")}, "unified_profiles_segment_token: cannot be evaluated"),
        ({"tiemout": 5}, "unified_profiles_tiemout: is no setting. Did you mean unified_profiles_timeout?"),
        (
            {"handover_existing": True},
            "unified_profiles_handover_existing: is called unified_profiles_attest_existing now.",
        ),
    ],
)
def test_what_is_wrong_is_told_by_name(settings, said):
    for _found, problems in (environment(**settings), surveyed(**settings)):
        assert problems[0].startswith(said), problems


# What only the survey tells
PROBLEMS = {
    "a setting for one run": ({"withdraw": "0123456789ab"}, "unified_profiles_withdraw: is given to one run, with -e"),
    "a confirmation of nobody": ({"confirm": {"dve": {}}}, "unified_profiles_confirm: names dve, which this inventory"),
    "a confirmation that is none": ({"confirm": False}, "unified_profiles_confirm: is neither the digest of a card"),
    "no endpoints": ({"channel": "endpoint"}, "unified_profiles_endpoints: has no connection and no link and no key"),
}


@pytest.mark.parametrize("case", PROBLEMS)
def test_what_is_refused_before_anything_is_requested(case):
    settings, said = PROBLEMS[case]
    assert environment(**settings)[1] == []
    _found, problems = surveyed(**settings)
    assert problems[0].startswith(said), problems


def test_a_setting_for_one_run_may_be_given_to_it():
    assert surveyed(withdraw="0123456789ab", extra=["unified_profiles_withdraw"])[1] == []


def test_own_variables_are_left_alone():
    assert surveyed(tiemout=5, own_variables=["unified_profiles_tiemout"])[1] == []
    assert surveyed(tiemout=5, own_variables="unified_profiles_tiemout")[1] == []
    assert surveyed(tiemout=5, own_variables=["unified_profiles_other"])[1] != []


def test_own_variables_are_names():
    assert surveyed(own_variables=[[1]])[1] == ["unified_profiles_own_variables[0]: must be a string, and is a list."]


@pytest.mark.parametrize(("playbook", "fine"), [("connect", False), ("recover", True)])
def test_only_the_hand_overs_that_a_playbook_makes_need_an_endpoint(playbook, fine):
    endpoints = {step: {"url": f"https://gateway.example/{step}"} for step in ("link", "key")}
    assert (surveyed(playbook, channel="endpoint", endpoints=endpoints)[1] == []) is fine


@pytest.mark.parametrize("connection", ["local", "ansible.builtin.local", trust_as_template("{{ 'local' }}")])
def test_a_local_connection(connection):
    assert surveyed(besides={"ansible_connection": connection})[1] == []


def test_a_host_whose_connection_is_not_local_is_told_which_setting_to_change():
    _found, problems = surveyed(besides={"ansible_connection": "ssh"})
    assert problems[0].startswith("ansible_connection: is not local")
    assert "Set ansible_connection: local" in problems[0]


def test_a_connection_that_cannot_be_evaluated_fails_its_host():
    _found, problems = surveyed(besides={"ansible_connection": trust_as_template("{{ nosuch }}")})
    assert problems[0].startswith("ansible_connection: refers to a variable that is not defined.")


def test_no_value_is_shown():
    for value in (TOKEN, [TOKEN], {TOKEN: TOKEN}, trust_as_template(f"{{{{ {TOKEN} }}}}")):
        for name in ("confirm", "endpoints", "regulated", "timeout", "ledger", "source_labels"):
            assert TOKEN not in " ".join(surveyed(**{name: value})[1]), (name, value)


def test_the_settings_of_a_run_have_defaults():
    found, problems = of_run()
    assert problems == []
    assert {name: found[name] for name in PACE} == pace()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"serial": "x"}, "unified_profiles_serial: is no size of a batch."),
        ({"max_fail_percentage": "half"}, "unified_profiles_max_fail_percentage: is no percentage."),
        ({"survey_threads": 0}, "unified_profiles_survey_threads: must be 1 or more."),
        ({"survey_timeout": "soon"}, "unified_profiles_survey_timeout: must be a finite number"),
        (
            {"survey_threads": trust_as_template("{{ nosuch }}")},
            "unified_profiles_survey_threads: refers to a variable",
        ),
    ],
)
def test_what_is_wrong_with_a_run_is_told(settings, said):
    _found, problems = of_run(extra=settings, **settings)
    assert problems[0].startswith(said)


def test_batches_come_from_extra_variables_only():
    assert of_run(serial=[1, "10%"])[1] == [OF_NO_HOST]
    assert of_run(serial=[1, "10%"], extra=["serial"])[1] == []


def test_each_setting_is_evaluated_once(monkeypatch):
    asked = []
    resolve = _environment.resolve

    def counted(names, of, of_host):
        asked.extend(names)
        return resolve(names, of, of_host)

    monkeypatch.setattr(_environment, "resolve", counted)
    surveyed()
    twice = {name for name in asked if asked.count(name) > 1}
    # Which names are one's own must be known before any of the others.
    assert twice == {"unified_profiles_own_variables"}
