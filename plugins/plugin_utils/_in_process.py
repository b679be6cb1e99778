# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module inside the Ansible process: no copy, no new interpreter, no second TLS context."""

from __future__ import annotations

import contextlib
import os
import typing as t
from collections.abc import Iterator, Mapping
from types import ModuleType

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ModuleArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import connection_loader, filter_loader, lookup_loader, shell_loader, test_loader
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import warm_up
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import run_in_process

# In the parent, when the strategy looks the plugin up. Every task of every host is a fork of it: what it has loaded they inherit,
# and what it has not they load each for themselves, the filters and tests of any template among it.
warm_up()
for loader, name in (
    (filter_loader, "ansible.builtin.default"),
    (test_loader, "ansible.builtin.defined"),
    (lookup_loader, "ansible.builtin.env"),
):
    loader.get(name)
for loader, name in ((connection_loader, "ansible.builtin.local"), (shell_loader, "ansible.builtin.sh")):
    loader.get(name, class_only=True)

# Characters. What is shorter hides nothing, and is part of many words.
MIN_SECRET_LENGTH = 8


class InProcessAction(ActionBase):
    """Base of all action plugins: the same module, in process where the connection is local."""

    module: ModuleType
    controller_only = False
    # Arguments in process, beside those of the task: Ansible keeps a copy of these for each environment until all are done with it.
    more: Mapping[str, t.Any] = {}
    _supports_check_mode = True
    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        task_vars = task_vars or {}
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        del tmp
        if self.controller_only and self._task.async_val:
            raise AnsibleActionFail(f"{self._task.action} keeps records on the controller and cannot run with async.")
        wanted = task_vars.get("unified_profiles_in_process", True)
        # A text from the command line or a template as well.
        local = self._connection.transport == "local" and boolean(self._templar.template(wanted))
        if self.controller_only or (local and not self._task.async_val):
            result.update(self._run_here(task_vars))
        else:
            result.update(self._execute_module(task_vars=task_vars, wrap_async=bool(self._task.async_val)))
        return result

    def _run_here(self, task_vars: Mapping[str, t.Any]) -> dict[str, t.Any]:
        spec = self.module.SPEC
        environment: dict[str, t.Any] = {}
        self._compute_environment_string(environment)
        with _environment(environment):
            validator = ModuleArgumentSpecValidator(spec.argument_spec, **spec.constraints)
            checked = validator.validate({**self._task.args, **self.more})
            if checked.error_messages:
                msg = "; ".join(checked.error_messages)
                return t.cast("dict[str, t.Any]", remove_values({"failed": True, "msg": msg}, checked._no_log_values))
            params = checked.validated_parameters
            for name, option in spec.argument_spec.items():
                if option["type"] == "path" and params.get(name):
                    params[name] = os.path.expanduser(os.path.expandvars(params[name]))
            result = run_in_process(self.module.run, params, self._task.check_mode)
        # A header such as "X-Environment: prod" is no secret, and hiding it would spoil what the result says of that environment.
        names = {params.get(name) for name in ("environment", "space_id", "source_name", "twilio_account_sid")}
        hidden = {value for value in checked._no_log_values if len(value) >= MIN_SECRET_LENGTH}
        hidden -= names | {task_vars.get("inventory_hostname")}
        return t.cast("dict[str, t.Any]", remove_values(result, hidden))


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
