# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the ledger may be kept: folders as people write them, and those that do not last."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import OptionError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.files import lasting_folder
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_place import persistent_dir

AWX = {"AWX_PRIVATE_DATA_DIR": "/tmp/awx_61_x", "AWX_ISOLATED_DATA_DIR": "/runner/artifacts/61"}


@pytest.mark.parametrize(
    ("folder", "environ"),
    [
        (None, {}),
        ("  ", {}),
        ("/.unified_profiles", {}),
        # What Ansible makes of an inventory that is no file.
        ("None/.unified_profiles", {}),
        ("None", {}),
        ("/runner/project/inventories/prod/.unified_profiles", AWX),
        ("/runner/inventory/.unified_profiles", AWX),
        ("/runner/inventory/.unified_profiles", {"AWX_PRIVATE_DATA_DIR": "/tmp/awx_1_y"}),
        ("/tmp/awx_61_x/project/.unified_profiles", AWX),
        ("/srv/../runner/state", AWX),
    ],
)
def test_a_folder_that_does_not_last_is_refused_with_the_way_out(folder, environ):
    with pytest.raises(OptionError) as caught:
        persistent_dir(folder, environ)
    assert caught.value.facts["option"] == "state_dir"
    assert "ledger: sync" in caught.value.next_step


@pytest.mark.parametrize(
    ("folder", "environ"),
    [
        ("/srv/state", {}),
        ("/srv/state", AWX),
        # ansible-runner on its own keeps its folder.
        ("/home/ops/private/inventory/.unified_profiles", {"AWX_ISOLATED_DATA_DIR": "/home/ops/private/artifacts/1"}),
        ("/runners/state", AWX),
        ("/runner/../srv/state", AWX),
    ],
)
def test_a_folder_that_lasts_is_taken(folder, environ):
    assert persistent_dir(folder, environ) == Path(folder)


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        ("~nosuchuser/up", "begins with ~nosuchuser, and no such user is known"),
        ("~nosuchuser", "begins with ~nosuchuser"),
        ("$NOT_SET_ANYWHERE/up", "has $NOT_SET_ANYWHERE in it, and no such environment variable is set"),
        ("/srv/${NOT_SET_ANYWHERE}/up", "has ${NOT_SET_ANYWHERE} in it"),
        ("/srv/${NOT_SET", "has ${NOT_SET in it"),
        ("~/$NOT_SET_ANYWHERE", "has $NOT_SET_ANYWHERE in it"),
        ("state", "is state, which is another folder in each working folder"),
        ("./state", "is state, which is another folder in each working folder"),
        ("../state", "is ../state, which is another folder in each working folder"),
        ("/srv/a\nb", "has a character that cannot be seen"),
        ("/srv/a\0b", "has a character that cannot be seen"),
        ("/srv/\ud800", "has a character that cannot be seen"),
    ],
)
def test_a_folder_that_is_none_is_refused_with_what_is_wrong(folder, said, monkeypatch):
    monkeypatch.delenv("NOT_SET_ANYWHERE", raising=False)
    with pytest.raises(OptionError) as caught:
        persistent_dir(folder, {})
    assert caught.value.message.startswith("state_dir: ")
    assert said in caught.value.message
    assert caught.value.next_step


def test_a_users_folder_and_variables_are_put_in_place(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("STATE", "kept")
    assert persistent_dir("~/$STATE/${STATE}", {}) == tmp_path / "kept/kept"
    assert persistent_dir(f" {tmp_path}/x ", {}) == tmp_path / "x"


def test_the_same_folder_whatever_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError) as caught:
        persistent_dir("state", {})
    assert "{{ inventory_dir }}/state" in caught.value.next_step
    assert os.listdir(tmp_path) == []


def test_another_option_has_its_own_name_and_way_out():
    with pytest.raises(OptionError) as caught:
        lasting_folder("report_dir", None, "")
    assert caught.value.full_message == (
        "report_dir: is not known, because this inventory has no folder of its own that lasts. "
        "Set it to a folder that outlives the run."
    )
