# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Runs a module inside the Ansible process: no copy, no new interpreter, no second TLS context."""

from __future__ import annotations

import contextlib
import os
import typing as t
from collections.abc import Iterator, Mapping
from types import ModuleType

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader, filter_loader, lookup_loader, shell_loader, test_loader
from ansible.utils.display import Display
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import warm_up
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.arguments import check
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import run
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._environment import environment_settings
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._fleet import for_a_machine
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._names import as_settings
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._options import options
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import SETTINGS, resolve

display = Display()
FROM_SETTINGS = {"settings": {"type": "bool", "default": False}}
IN_PROCESS = {"unified_profiles_in_process": SETTINGS["unified_profiles_in_process"]}


class InProcessAction(ActionBase):
    """Base of all action plugins: the same module, in process where the connection is local."""

    module: ModuleType
    controller_only = False
    # The hand-over that the module carries out, if it does.
    step = ""
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        task_vars = task_vars or {}
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        del tmp
        if self.controller_only and self._task.async_val:
            raise AnsibleActionFail(f"{self._task.action} keeps records on the controller and cannot run with async.")
        # A string from the command line or a template as well.
        given, problems = resolve(IN_PROCESS, task_vars, self._templar)
        if not problems:
            wanted, problems = check(IN_PROCESS, given)
        if problems:
            return {"failed": True, "msg": " ".join(problems)}
        local = self._connection.transport == "local" and wanted["unified_profiles_in_process"]
        arguments, problems = self._arguments(task_vars)
        if problems:
            return {**result, "failed": True, "msg": " ".join(problems)}
        if self.controller_only or (local and not self._task.async_val):
            found = self._run_here(arguments, str(task_vars.get("inventory_hostname", "")))
            # Who has an inventory knows settings and no options.
            from_settings = boolean(self._task.args.get("settings", False), strict=False)
            result.update(as_settings(found) if from_settings else found)
        else:
            in_background = bool(self._task.async_val)
            result.update(self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=in_background))
        return result

    def _arguments(self, task_vars: Mapping[str, t.Any]) -> tuple[dict[str, t.Any], list[str]]:
        """The task's arguments, and with ``settings`` what the environment's settings have besides."""
        arguments = dict(self._task.args)
        wanted, problems = check(FROM_SETTINGS, {"settings": arguments.pop("settings", None)})
        if problems or not wanted["settings"]:
            return arguments, problems
        spec = self.module.SPEC.argument_spec
        settings, problems = environment_settings(task_vars, self._templar)
        found = options(settings, spec, task_vars["inventory_hostname"], self.step)
        return {**found, **arguments}, problems

    def _run_here(self, arguments: Mapping[str, t.Any], environment_name: str) -> dict[str, t.Any]:
        def tell(line: str) -> None:
            if not for_a_machine():
                display.display(f"{environment_name}: {line}")

        environment: dict[str, t.Any] = {}
        self._compute_environment_string(environment)
        with _environment(environment):
            return run(self.module.SPEC, self.module.run, arguments, self._task.action, self._task.check_mode, tell)


@contextlib.contextmanager
def _environment(values: Mapping[str, t.Any]) -> Iterator[None]:
    """The task's ``environment:``, for option fallbacks and proxies; undone, since a loop shares the process."""
    before = dict(os.environ)
    os.environ.update({name: str(value) for name, value in values.items()})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def prepare_workers() -> None:
    """Load what every task needs: httpx, a TLS context, and the plugins that any template or local task takes.

    This happens when the file is imported: the strategy looks the action plugin up in the parent, before the first
    task. Every task of every host runs in a fork of the parent. What the parent has loaded they inherit, and what it
    has not each of them loads for itself.
    """
    warm_up()
    for loader, name in (
        (filter_loader, "ansible.builtin.default"),
        (test_loader, "ansible.builtin.defined"),
        (lookup_loader, "ansible.builtin.env"),
    ):
        loader.get(name)
    for loader, name in ((connection_loader, "ansible.builtin.local"), (shell_loader, "ansible.builtin.sh")):
        loader.get(name, class_only=True)


prepare_workers()
