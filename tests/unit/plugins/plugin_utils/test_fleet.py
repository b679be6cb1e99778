# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read of a whole run: inventories that Ansible read in part, and settings that only the report uses."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._fleet import environments, unread_inventories

GOOD = "unified_profiles:\n  hosts:\n    dev: {}\n"
PARTIAL = GOOD + "    1001: {}\n    prod: {}\n"


def unread(*sources):
    manager = InventoryManager(DataLoader(), sources=[str(source) for source in sources])
    return unread_inventories(SimpleNamespace(_inventory=manager))


def test_an_inventory_that_was_read_in_part_is_named(tmp_path):
    (tmp_path / "good.yml").write_text(GOOD)
    (tmp_path / "partial.yml").write_text(PARTIAL)
    assert unread(tmp_path / "good.yml", tmp_path / "partial.yml") == [str(tmp_path / "partial.yml")]
    assert unread(tmp_path / "good.yml", "other,") == []


def test_a_folder_names_its_files_and_nothing_that_is_no_inventory(tmp_path):
    folder = tmp_path / "inventory"
    for name, text in {
        "hosts.yml": GOOD,
        "partial.yaml": PARTIAL,
        "group_vars/all.yml": "a: [",
        "README.md": "[",
        "more/broken.json": "a: [",
        "LICENSE": "x: [",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    assert unread(folder) == [str(folder / "more/broken.json"), str(folder / "partial.yaml")]


@pytest.mark.parametrize(
    ("value", "fails"),
    [
        (True, True),
        (False, False),
        ("no", False),
        ("false", False),
        ("ture", True),
        ("", True),
        (None, True),
        (0, False),
    ],
)
def test_only_what_means_no_keeps_a_pending_environment_from_failing_the_job(value, fails):
    variables = {"ansible_play_hosts_all": ["dev"], "hostvars": {"dev": {"unified_profiles_fail_on_pending": value}}}
    assert environments(variables)["dev"]["fail_on_pending"] is fails
