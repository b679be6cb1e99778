# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The environments that one task looks at, and what Ansible knows of them."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from ansible.inventory.manager import InventoryManager
from ansible.template import Templar
from ansible.utils.vars import load_extra_vars
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Refused
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.private_names import variables_by_host
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._environment import (
    OF_NO_HOST,
    run_settings,
    survey_settings,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._fleet import unread_inventories
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import SETTINGS

GROUP = "unified_profiles"
NONE = (
    "No environment: none of the hosts is in the group unified_profiles, or the limit leaves none of it. Check the name of the group in "
    "the inventory, and --limit. Nothing was looked at."
)
UNREAD = (
    "Ansible could not read this inventory in whole, as its warnings at the beginning say. Environments or their secrets may "
    "be missing from the run. Mend the file; a host whose name is a number must be in quotation marks, and a vaulted file takes its password. "
    "Nothing was done."
)

Found = tuple[dict[str, t.Any], list[str]]


class Hosts:
    """The hosts of an inventory, as a task has them.

    Args:
        hostvars: Ansible's, of the inventory.
        groups: The names of the hosts of each group.
        task: The task.
        loader: Ansible's.

    Attributes:
        environments: Those that are environments.
        extra: The names of the extra variables.
    """

    def __init__(self, hostvars: t.Any, groups: Mapping[str, Sequence[str]], task: t.Any, loader: t.Any) -> None:
        self.loader = loader
        self.environments = [str(name) for name in groups.get(GROUP, ())]
        self.extra = frozenset(load_extra_vars(loader))
        self.variables = variables_by_host(hostvars, task)
        self._all = frozenset(groups["all"])
        self._unread = unread_inventories(hostvars)

    @classmethod
    def of_another(cls, source: str, task: t.Any, loader: t.Any) -> Hosts:
        """The hosts of another inventory than the run's.

        Args:
            source: What ``-i`` would take: a file or a folder.
            task: The task.
            loader: Ansible's.
        """
        inventory = InventoryManager(loader=loader, sources=[source])
        variables = VariableManager(loader=loader, inventory=inventory)
        hostvars = HostVars(inventory=inventory, variable_manager=variables, loader=loader)
        return cls(hostvars, inventory.get_groups_dict(), task, loader)

    def run_settings(self, names: Sequence[str]) -> dict[str, t.Any]:
        """The settings of the run as a whole, from the first environment that has them right; one that has not fails alone.

        Args:
            names: The environments of the run.

        Raises:
            Refused: There is none, an inventory could not be read in whole, or a setting is wrong in all of them. Batches in an inventory
                are refused wherever they are.
        """
        if self._unread:
            raise Refused(f"{', '.join(self._unread)}: {UNREAD}")
        if not names:
            raise Refused(NONE)
        told: list[str] = []
        for name in names:
            variables = self.variables(name)
            settings, problems = run_settings(variables, Templar(loader=self.loader, variables=variables), self.extra)
            if not problems:
                return settings
            told = told or problems
            if OF_NO_HOST in problems:
                break
        raise Refused(" ".join(told))

    def settings(self, variables: Mapping[str, t.Any], playbook: str, table: Mapping[str, t.Any] = SETTINGS) -> Found:
        """The settings of one environment, from its variables, and a sentence for each that is wrong."""
        templar = Templar(loader=self.loader, variables=variables)
        return survey_settings(variables, templar, playbook, self.extra, self._all, table)
