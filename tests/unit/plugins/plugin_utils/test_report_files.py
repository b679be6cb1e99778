# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the report goes when the first environment's folders are none."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible.plugins.action import ActionBase
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import OptionError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import environment_status
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._pages import Run
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._report_files import FORMS, report_folder, write

SECRET = "sgp_marked0123456789abcdefghijklmnopqrstuv"
NO_FOLDERS = {
    "token": SECRET,
    "token in a path": f"/srv/{SECRET}",
    "relative": "reports",
    "URL": f"http://user:{SECRET}@127.0.0.1:9/x",
    "true": True,
    "list": ["a", SECRET],
    "mapping": {"a": SECRET},
    "date": 20260101,
}


@pytest.mark.parametrize("kind", NO_FOLDERS)
@pytest.mark.parametrize("setting", ["unified_profiles_report_dir", "unified_profiles_state_dir"])
def test_what_is_no_folder_gets_no_report_and_is_not_shown(setting, kind):
    folder, told = report_folder({setting: NO_FOLDERS[kind], "inventory_dir": "/srv/inventory"}, None)
    assert folder == Path("/srv/inventory/.unified_profiles")
    assert told.startswith(f"{setting}: ")
    assert "marked" not in told


def test_an_absolute_folder_is_taken():
    assert report_folder({"unified_profiles_report_dir": "/srv/reports"}, None) == (Path("/srv/reports"), "")


def test_what_an_action_refuses_is_named_as_a_setting(monkeypatch):
    class Action(ControllerAction):
        def act(self, options, task_vars):
            raise OptionError("export_dir", "is none.", "Set export_dir.")

    monkeypatch.setattr(ActionBase, "run", lambda self, tmp, task_vars: {})
    action = Action.__new__(Action)
    action._task = SimpleNamespace(args={}, action="x")
    assert action.run()["msg"] == "unified_profiles_export_dir: is none. Set unified_profiles_export_dir."


@pytest.mark.parametrize("form", [f"{name}.{ending}" for name, ending in FORMS])
@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_form_is_written_at_once_or_not_at_all(tmp_path, monkeypatch, form, call):
    """Whoever reads meanwhile, as node_exporter does, has the old file in whole."""
    before = {"dev": environment_status({"failure": "No."}, False)}
    assert write(tmp_path, before, Run(at="2026-11-24T10:02:31Z"), True)[1] == ""
    old = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert {*old} == {f"{name}.{ending}" for name, ending in FORMS}
    real, open_files = getattr(os, call), {}

    def failing(of, *more):
        path = os.readlink(f"/proc/self/fd/{of}") if call == "fsync" else str(of)
        if form in path:
            open_files[form] = path
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(of, *more)

    monkeypatch.setattr(os, call, failing)
    after = {"dev": before["dev"], "prod": before["dev"]}
    _files, told = write(tmp_path, after, Run(at="2026-11-25T10:02:31Z"), True)
    assert open_files
    assert "No space left on device" in told
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found[form] == old[form]
    assert {*found} == {*old}, "nothing half written is left"
