# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's private names: what they give, on the core that runs these tests."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.private_names import variables_by_host
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._fleet import unread_inventories

GOOD = "unified_profiles:\n  hosts:\n    dev: {}\n"
PARTIAL = GOOD + "    1001: {}\n    prod: {}\n"
INVENTORY = """
unified_profiles:
  hosts:
    dev: {of_host: dev, token: "{{ of_play }}"}
    prod: {of_host: prod}
  vars: {of_group: group, over: group}
others:
  hosts:
    elsewhere: {of_host: elsewhere}
"""
PLAY = {
    "name": "Look",
    "hosts": "unified_profiles",
    "gather_facts": False,
    "vars": {"of_play": "play", "over": "play", "of_extra": "play"},
    "vars_files": ["more.yml"],
    "roles": ["described"],
    "tasks": [{"name": "Look", "ansible.builtin.debug": {"msg": ""}, "vars": {"of_task": "task"}}],
}


class Controller:
    """An inventory and a play as ansible-playbook has them, and the variables that the survey takes from there."""

    def __init__(self, folder, hosts="unified_profiles"):
        (folder / "hosts.yml").write_text(INVENTORY)
        (folder / "more.yml").write_text("of_file: file\n")
        for name, variables in {"defaults": {"of_default": "default"}, "vars": {"of_role": "role"}}.items():
            (folder / f"roles/described/{name}").mkdir(parents=True)
            (folder / f"roles/described/{name}/main.yml").write_text(yaml.safe_dump(variables))
        loader = DataLoader()
        loader.set_basedir(str(folder))
        self.inventory = InventoryManager(loader=loader, sources=[str(folder / "hosts.yml")])
        self.variables = VariableManager(loader=loader, inventory=self.inventory)
        self.variables._extra_vars = {"of_extra": "extra"}
        self.play = Play.load({**PLAY, "hosts": hosts}, variable_manager=self.variables, loader=loader)
        self.hostvars = HostVars(inventory=self.inventory, variable_manager=self.variables, loader=loader)
        self.task = self.play.get_tasks()[-1][0]

    def of(self, name):
        return variables_by_host(self.hostvars, self.task)(name)


@pytest.fixture
def controller(tmp_path):
    return Controller(tmp_path)


@pytest.mark.parametrize("level", ["play", "file", "group", "extra", "task", "default", "role"])
def test_a_host_has_the_variables_that_a_task_of_the_play_has(controller, level):
    assert controller.of("dev")[f"of_{level}"] == level


def test_each_host_has_its_own(controller):
    of = variables_by_host(controller.hostvars, controller.task)
    assert [of(name)["of_host"] for name in ("dev", "prod")] == ["dev", "prod"]
    assert [of(name)["inventory_hostname"] for name in ("dev", "prod")] == ["dev", "prod"]


def test_the_play_wins_over_the_group_as_in_a_task(controller):
    assert controller.of("dev")["over"] == "play"


def test_an_answer_to_a_prompt_is_a_variable_of_the_play(controller):
    controller.play.vars["of_prompt"] = "prompt"
    assert controller.of("dev")["of_prompt"] == "prompt"


def test_what_set_fact_or_a_task_registered_is_there(controller):
    controller.variables.set_nonpersistent_facts("dev", {"of_fact": "fact"})
    controller.variables.set_host_variable("dev", "of_register", {"a": 1})
    assert (controller.of("dev")["of_fact"], controller.of("dev")["of_register"]) == ("fact", {"a": 1})
    assert "of_fact" not in controller.of("prod")


def test_nothing_is_evaluated_yet(controller):
    assert str(controller.of("dev")["token"]) == "{{ of_play }}"


def test_a_host_knows_the_folder_of_its_inventory_and_the_other_hosts(controller, tmp_path):
    found = controller.of("dev")
    assert str(found["inventory_dir"]) == str(tmp_path)
    assert {*found["groups"]["all"]} == {"dev", "prod", "elsewhere"}


def unread(*sources):
    manager = InventoryManager(DataLoader(), sources=[str(source) for source in sources])
    return unread_inventories(SimpleNamespace(_inventory=manager))


def test_the_inventory_is_where_hostvars_have_it(controller):
    assert unread_inventories(controller.hostvars) == []


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
