# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The parts of Ansible that the collection needs and that have no public name.

This is the only file that knows such names; each is tested on every core.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping

from ansible.module_utils.basic import AnsibleModule


class BareModule(AnsibleModule):
    """Ansible's own, which only carries the arguments and the result.

    Its check quotes wrong arguments. Its log and its result show those that are right. Its masking of secrets replaces
    their strings wherever else they are in the result.

    Attributes:
        name: What the task calls the module.
        arguments: The task's, unchecked.
    """

    def __init__(self, argument_spec: Mapping[str, t.Any], constraints: Mapping[str, t.Any]) -> None:
        self.constraints = constraints
        super().__init__(argument_spec=argument_spec, supports_check_mode=True, **constraints)
        self.name: str = self._name

    def _load_params(self) -> None:
        super()._load_params()
        self.arguments = {name: self.params.pop(name) for name in [*self.params] if not name.startswith("_ansible_")}
        self.argument_spec: dict[str, t.Any] = {}
        for name in self.constraints:
            setattr(self, name, None)


def variables_by_host(hostvars: t.Any, task: t.Any) -> Callable[[str], dict[str, t.Any]]:
    """Return a function that gives a host's variables as a task of its play has them.

    What hostvars themselves give lacks the variables of the play: ``vars``, ``vars_files`` and ``vars_prompt``.
    """
    manager, inventory = hostvars._variable_manager, hostvars._inventory
    play = task.get_play()
    names = [host.name for host in inventory.get_hosts(play.hosts)]

    def variables(name: str) -> dict[str, t.Any]:
        host = inventory.get_host(name)
        # Without the lists of hosts Ansible would gather them anew for each.
        found = manager.get_vars(play=play, host=host, task=task, _hosts=names, _hosts_all=names)
        return t.cast("dict[str, t.Any]", found)

    return variables


def inventory_sources(hostvars: t.Any) -> tuple[list[str], set[str]]:
    """The inventory's sources as they were given, and the files that were read in whole."""
    manager = hostvars._inventory
    return [*map(str, manager._sources)], set(map(str, manager._inventory.processed_sources))
