# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a look at all environments is: shown to a person, and never where a program reads the output."""

from __future__ import annotations

import types

import pytest
from ansible import constants
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar
from ansible_collections.flexops.unified_profiles.plugins.action import (
    profiles_export,
    profiles_probe,
    profiles_survey,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _controller

LOOKS = {"Survey": profiles_survey, "Export": profiles_export, "Probe": profiles_probe}
TASK_VARS = {"hostvars": {}, "groups": {}, "ansible_play_hosts_all": ["dev"], "unified_profiles_look": {}}


class Looking(Exception):
    """A look begins."""


@pytest.mark.parametrize("callback", ["default", "json", "ansible.posix.json", "ansible.posix.jsonl", "null"])
@pytest.mark.parametrize("name", LOOKS)
def test_progress_is_for_people(name, callback, tmp_path, monkeypatch):
    def begin(*arguments):
        raise Looking(arguments[-1])

    hosts = types.SimpleNamespace(
        environments=["dev"],
        extra=frozenset(),
        variables=lambda _name: {"inventory_dir": str(tmp_path)},
        run_settings=lambda _names: {},
        settings=None,
    )
    shown = []
    monkeypatch.setattr(LOOKS[name], "Hosts", lambda *_of_ansible: hosts)
    monkeypatch.setattr(LOOKS[name], name, begin)
    monkeypatch.setattr(constants, "DEFAULT_STDOUT_CALLBACK", callback)
    monkeypatch.setattr(_controller, "display", types.SimpleNamespace(display=shown.append))
    task = Task.load({"name": "x", "ansible.builtin.debug": {}})
    task.check_mode = True
    loader = DataLoader()
    action = LOOKS[name].ActionModule(task, None, None, loader, Templar(loader=loader), None)
    with pytest.raises(Looking) as began:
        action.act({"playbook": "connect", "export_from": None, "export_dir": None, "probe_dir": None}, TASK_VARS)
    (progress,) = began.value.args
    progress("Looked at 1 of 2 environments.")
    assert shown == (["Looked at 1 of 2 environments."] if callback == "default" else [])
