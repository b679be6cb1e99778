# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is loaded before workers are forked, where a module's arguments come from, and what is reported of its options."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import types

import pytest
from ansible import constants
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.flexops.unified_profiles.plugins.action import profiles_export, profiles_link, segment_source
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import OptionError
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _in_process
from support.project import ROOT

PLUGINS = "ansible_collections.flexops.unified_profiles.plugins"
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
# For these Ansible's check only collects what the user has to know, and the module reports it when it ends.
TOLD_LATER = {"aliases", "deprecated_aliases", "removed_at_date", "removed_from_collection", "removed_in_version"}


def test_workers_inherit_what_every_task_needs():
    # httpx imports httpcore with the first client. ansible-core 2.16 finds its own plugins once a program has set up their loader.
    code = (
        "import sys; from ansible.plugins.loader import init_plugin_loader; init_plugin_loader();"
        f"import {PLUGINS}.plugin_utils._in_process; sys.exit('httpcore' not in sys.modules)"
    )
    path = os.pathsep.join(filter(None, sys.path))
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, check=True)


def told_later(options):
    for name, option in options.items():
        if TOLD_LATER & option.keys():
            yield name
        yield from told_later(option.get("options") or {})


@pytest.mark.parametrize("name", MODULES)
def test_no_option_needs_ansibles_module_to_tell_of_it(name):
    """An option that is deprecated, or has an alias, must first be reported in process: see _module/arguments.py."""
    module = importlib.import_module(f"{PLUGINS}.modules.{name}")
    if hasattr(module, "SPEC"):
        assert list(told_later(module.SPEC.argument_spec)) == []


def test_an_option_that_needs_it_is_found():
    inner = {"type": "dict", "options": {"old": {"type": "str", "removed_in_version": "2.0.0"}}}
    assert list(told_later({"outer": inner, "name": {"aliases": ["called"]}})) == ["old", "name"]


SETTINGS = {
    "inventory_hostname": "dev",
    "inventory_dir": "/inventory",
    "unified_profiles_space_id": "spa_1",
    "unified_profiles_timeout": "5",
    "unified_profiles_channel": "endpoint",
    "unified_profiles_endpoints": {"link": {"url": "https://gateway.example/link"}},
    "unified_profiles_source_labels": {"managed-by": "ansible"},
}


def arguments(of, variables=None, **given):
    """What a task's module is given, and what is wrong with the settings."""
    variables = SETTINGS if variables is None else variables
    task = Task.load({"name": "x", "ansible.builtin.debug": {}})
    task.args = given
    templar = Templar(loader=DataLoader(), variables=variables)
    action = of.ActionModule(task, None, None, DataLoader(), templar, None)
    return action._arguments(variables)


def test_without_settings_a_module_is_given_what_its_task_says():
    assert arguments(segment_source, create=True) == ({"create": True}, [])
    assert arguments(segment_source, create=True, settings=False) == ({"create": True}, [])


@pytest.mark.parametrize("settings", [True, "yes"])
def test_with_settings_a_module_is_given_those_it_has_an_option_for(settings):
    found, problems = arguments(segment_source, settings=settings, create=True)
    assert problems == []
    assert found == found | {"create": True, "timeout": 5.0, "source_labels": {"managed-by": "ansible"}}
    assert not {"settings", "space_id", "channel", "endpoints"} & found.keys()


def test_what_the_task_says_itself_wins():
    found, _problems = arguments(segment_source, settings=True, timeout=9, source_labels=None)
    assert (found["timeout"], found["source_labels"]) == (9, None)


def test_a_hand_over_is_given_the_endpoint_of_its_own_step():
    found, _problems = arguments(profiles_link, settings=True)
    assert found["endpoint"]["url"] == "https://gateway.example/link"
    assert found["environment"] == "dev"


def test_settings_that_are_wrong_are_told():
    _found, problems = arguments(segment_source, {**SETTINGS, "unified_profiles_timeout": "soon"}, settings=True)
    assert problems[0].startswith("unified_profiles_timeout: must be a finite number")
    # No caller wants them.
    assert arguments(segment_source, {**SETTINGS, "unified_profiles_timeout": "soon"}) == ({}, [])


def test_settings_is_a_boolean():
    _found, problems = arguments(segment_source, settings="ture")
    assert problems == ["settings: must be true or false, and is a short string."]


@pytest.mark.parametrize(
    ("of", "method", "given", "named"),
    [
        (segment_source, "_run_here", {}, "state_dir"),
        (segment_source, "_run_here", {"settings": True}, "unified_profiles_state_dir"),
        (profiles_export, "act", {}, "unified_profiles_state_dir"),
    ],
)
def test_a_failure_names_settings_where_there_are_no_options(of, method, given, named, monkeypatch):
    task = Task.load({"name": "x", "ansible.builtin.debug": {}})
    task.args = given
    templar = Templar(loader=DataLoader(), variables=SETTINGS)
    local = types.SimpleNamespace(transport="local", _shell=types.SimpleNamespace(tmpdir="/none"))
    action = of.ActionModule(task, local, None, DataLoader(), templar, None)
    failure = OptionError("state_dir", "is wrong.", "Set state_dir.")

    def fails(*_given):
        if method == "act":
            raise failure
        return failure.as_result()

    monkeypatch.setattr(action, method, fails)
    assert action.run(None, SETTINGS)["msg"].startswith(f"{named}: is wrong. Set {named}")


@pytest.mark.parametrize("callback", ["default", "json", "ansible.posix.jsonl", "null"])
def test_how_far_a_wait_is_is_for_people(callback, monkeypatch):
    """And never in what a program reads."""
    shown = []

    def waits(spec, body, given, name, check_mode, tell):
        tell("waiting for the source (10 s).")
        return {"changed": False}

    task = Task.load({"name": "x", "ansible.builtin.debug": {}})
    action = segment_source.ActionModule(task, None, None, DataLoader(), Templar(loader=DataLoader()), None)
    monkeypatch.setattr(constants, "DEFAULT_STDOUT_CALLBACK", callback)
    monkeypatch.setattr(_in_process, "run", waits)
    monkeypatch.setattr(_in_process, "display", types.SimpleNamespace(display=lambda line, **_how: shown.append(line)))
    monkeypatch.setattr(action, "_compute_environment_string", lambda environment: None)
    action._run_here({}, "dev")
    assert [line for line in shown if "waiting for the source" in line] == shown
    assert bool(shown) == (callback == "default")
