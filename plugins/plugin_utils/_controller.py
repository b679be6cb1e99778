# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Actions that are about the run and not about one host, so that they have no module that runs anywhere else."""

from __future__ import annotations

import abc
import typing as t
from collections.abc import Iterable
from pathlib import Path

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Failure, Refused
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.files import lasting_folder
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.arguments import check
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._fleet import for_a_machine
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._folders import named_path
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._names import as_settings
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import resolve

display = Display()
# More than a person reads in a message.
MOST_TOLD = 20


class ControllerAction(ActionBase):
    """Base of an action that runs on the controller alone, once for all environments."""

    options: t.ClassVar[dict[str, t.Any]] = {}
    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    @abc.abstractmethod
    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Do it, and return the result.

        Args:
            options: The task's, checked.
            task_vars: The variables of the host that the task runs for.

        Raises:
            Failure: It cannot be done.
        """

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        task_vars = task_vars or {}
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        del tmp
        options, problems = check(self.options, self._task.args, self._task.action)
        if problems:
            return {**result, **Refused(" ".join(problems)).as_result()}
        try:
            return {**result, **self.act(options, task_vars)}
        except Failure as failure:
            # Who has an inventory knows settings and no options.
            return {**result, **as_settings(failure.as_result())}

    def setting(self, option: str, given: t.Any, task_vars: dict[str, t.Any]) -> t.Any:
        """The value of an option in the task, or else the setting of the same name; None where there is neither.

        A playbook does not hand settings on: Ansible would quote one that it cannot evaluate.

        Raises:
            Refused: The setting cannot be evaluated.
        """
        name = f"unified_profiles_{option}"
        values, problems = ({name: given}, []) if given else resolve([name], task_vars, self._templar)
        if problems:
            raise Refused(" ".join(problems))
        # Anything else that is no path is refused by its name.
        return None if values.get(name) == "" else values.get(name)

    def folder(self, option: str, given: str | None, beside: str, task_vars: dict[str, t.Any]) -> Path:
        """The folder that an option or the setting of the same name names, or else the one beside the inventory, from / on.

        Raises:
            Refused: The setting cannot be evaluated.
            OptionError: It can be no folder, or the inventory has none.
        """
        name, value = f"unified_profiles_{option}", self.setting(option, given, task_vars)
        return (lasting_folder(name, beside, "") if value is None else named_path(name, value)).absolute()

    def show(self, line: str) -> None:
        """Show a line to a person, and nothing where a program reads the output."""
        if not for_a_machine():
            display.display(line)


def told(lines: Iterable[str]) -> str:
    """Lines for a message, each on a line of its own, and no more than a person reads."""
    lines = list(lines)
    more = f"\nAnd {len(lines) - MOST_TOLD} more." if len(lines) > MOST_TOLD else ""
    return "\n" + "\n".join(lines[:MOST_TOLD]) + more
