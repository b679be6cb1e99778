# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of steps is the only list of them: a fourth one is known everywhere, and strings that cannot be derived agree."""

from __future__ import annotations

import importlib
import re
import runpy
import string

import pytest
import yaml
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import OptionError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover import cards, ledger, status
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.endpoint import Endpoint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.handover import HandOver
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.steps import STEPS, Action, Step
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import HttpSettings
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

PLUGINS = "ansible_collections.flexops.unified_profiles.plugins"
MODULES = {"connection": "profiles_connection", "link": "profiles_link", "key": "flex_source_key"}
ERASE = Step(
    name="erase",
    title="Erase the profile",
    page=("Segment", "Privacy"),
    actions=(Action("enter", "User ID", "{user_id}"), Action("press", "Erase")),
    check="The page lists the request.",
    warnings=("It cannot be undone.",),
    placeholders=("environment", "digest", "user_id"),
    read_back_field="user_id",
    links=("unify",),
)


@pytest.fixture
def fourth(monkeypatch):
    """One step more in the table, and nothing else."""
    monkeypatch.setitem(STEPS, ERASE.name, ERASE)
    return ERASE


@pytest.fixture
def transport():
    return Transport(HttpSettings())


def fresh(name):
    """What a file makes of the table when it is imported."""
    return runpy.run_module(f"{PLUGINS}.{name}")


def test_a_fourth_step_has_a_card(fourth):
    card = cards.build_card("erase", "dev", "0" * 12, {"user_id": "u1"})
    assert (card["title"], card["page"], card["warnings"]) == (ERASE.title, list(ERASE.page), list(ERASE.warnings))
    assert card["actions"] == [
        {"do": "enter", "label": "User ID", "value": "u1", "hint": ""},
        {"do": "press", "label": "Erase", "value": "", "hint": ""},
    ]
    assert [link["label"] for link in card["links"]] == ["Segment: Unify"]


def test_an_endpoint_fills_in_the_placeholders_of_a_fourth_step(fourth, transport):
    Endpoint(transport, "erase", {"url": "https://gateway.example.com", "method": "PUT", "body": {"a": "{user_id}"}})
    with pytest.raises(OptionError) as refused:
        Endpoint(transport, "erase", {"url": "https://gateway.example.com", "body": {"a": "{write_key}"}})
    assert "user_id" in refused.value.next_step


@pytest.mark.parametrize(
    ("name", "spec", "option"),
    [
        ("module_utils._checks.chain", "OPTIONS", "endpoints"),
        ("module_utils._checks.chain", "OPTIONS", "confirmations"),
        ("modules.profiles_info", "SPEC", "read_back"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_options_take_a_fourth_step(fourth, name, spec, option):
    found = fresh(name)[spec]
    assert "erase" in getattr(found, "options", found)[option]["options"]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_the_settings_take_the_endpoint_of_a_fourth_step(fourth):
    assert "erase" in fresh("plugin_utils._settings")["SETTINGS"]["unified_profiles_endpoints"]["options"]


def test_the_report_shows_a_fourth_step(fourth):
    card = cards.build_card("erase", "dev", "0" * 12, {})
    look = {
        "handovers": {"erase": {"status": "pending", "card": card}},
        "verdicts": {"erase": {"verdict": "pending", "reason": "asked for"}},
    }
    found = status.environment_status(look, check_mode=False)
    assert (found["status"], found["why"]) == ("pending", "erase: asked for")
    assert [card["step"] for card in found["cards"]] == ["erase"]


class Memory:
    """A ledger that forgets everything with the process."""

    def __init__(self):
        self.steps = {}

    def ensure_writable(self):
        pass

    def write(self, step, records, *entries):
        self.steps[step] = records


def test_a_fourth_step_is_handed_over(fourth, transport):
    options = {
        **dict.fromkeys(("validate_certs", "ca_path", "proxy")),
        **{"timeout": 5.0, "retry_budget": 0.0},
        **{"environment": "dev", "channel": "operator", "endpoint": None, "confirm": None},
        **{"attest_existing": None, "clock_skew": 0.0, "confirmed_by": None, "reason": None},
        **{"confirm_digests": [], "withdraw": [], "handover_again": []},
        **{"twilio_account_sid": None, "segment_region": "us"},
    }
    memory, expected = Memory(), {"user_id": "u1"}

    def run(**more):
        call = ModuleContext({**options, **more}, False, transport)
        step = HandOver(
            call, "erase", memory, memory.steps, expected=expected, values=lambda: expected, is_there=lambda how: None
        )
        return call.reconcile(step).plan.changed, step.result()

    changed, asked = run()
    assert (changed, asked["status"], asked["card"]["title"]) == (True, "pending", ERASE.title)
    confirm = {"by": "jane", "digest": asked["digest"], "done": True}
    changed, done = run(confirm=confirm)
    assert (changed, done["status"], done["by"]) == (True, "done", "jane")
    assert not run(confirm=confirm)[0]


# What the table cannot give to others, and what it has to agree with.


def test_the_ledger_has_the_steps_of_the_table():
    assert ledger.STEPS is STEPS


@pytest.mark.parametrize("step", STEPS)
def test_a_card_uses_only_values_that_its_step_has(step):
    texts = [text for action in STEPS[step].actions for text in action] + list(STEPS[step].warnings)
    used = {name for text in texts for _literal, name, *_spec in string.Formatter().parse(text) if name}
    assert used <= set(STEPS[step].placeholders) | {"source_name"}


@pytest.mark.parametrize("step", STEPS)
def test_the_module_of_a_step_documents_its_placeholders(step):
    documentation = yaml.safe_load(importlib.import_module(f"{PLUGINS}.modules.{MODULES[step]}").DOCUMENTATION)
    (note,) = (note for note in documentation["notes"] if "placeholders" in note)
    assert tuple(re.findall(r"C\((\w+)\)", note)) == STEPS[step].placeholders
