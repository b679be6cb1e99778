# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Collection
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.steps import STEPS
from ansible_collections.flexops.unified_profiles.plugins.modules import profiles_preflight
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._fleet import NOTHING, to_builtin
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._in_process import InProcessAction

ROLE = "flexops.unified_profiles.preflight"
SECRETS = ("segment_token", "profile_token", "twilio_api_secret", "twilio_auth_token", "proxy", "endpoints")
# Read once, before Ansible forks.
_FILE = Path(__file__).parents[2] / "roles/preflight/meta/argument_specs.yml"
SETTINGS: dict[str, t.Any] = yaml_load(_FILE.read_bytes())["argument_specs"]["main"]["options"]
for _name in SECRETS:
    SETTINGS[f"unified_profiles_{_name}"]["no_log"] = True


class ActionModule(InProcessAction):
    """In its role it checks the settings as well, as Ansible's own check of the role's argument specs would, and the endpoints among them.

    That one takes a task of its own for every environment, and its results hold all specs, which at a thousand is most of the memory.
    """

    module = profiles_preflight

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        task_vars = task_vars or {}
        role = self._task._role
        if role is not None and role.get_name() == ROLE:
            given = self._templar.template({name: task_vars[name] for name in SETTINGS if name in task_vars})
            given = to_builtin(given, task_vars.get("omit", NOTHING))
            if problem := confirmation_problem(given.get("unified_profiles_confirm") or {}, task_vars["groups"]["all"]):
                return {"failed": True, "msg": problem}
            checked = ArgumentSpecValidator(SETTINGS).validate(given)
            if checked.error_messages:
                msg = f"The settings are wrong: {'; '.join(checked.error_messages)}. See ansible-doc -t role {ROLE}."
                return t.cast("dict[str, t.Any]", remove_values({"failed": True, "msg": msg}, checked._no_log_values))
            if checked.validated_parameters["unified_profiles_channel"] == "endpoint":
                steps = checked.validated_parameters["preflight_steps"]
                endpoints = given.get("unified_profiles_endpoints") or {}
                if missing := [step for step in steps if not endpoints.get(step)]:
                    named = f"has no {' and no '.join(missing)}, and unified_profiles_channel is endpoint"
                    return {
                        "failed": True,
                        "msg": f"unified_profiles_endpoints: {named}. Describe the endpoint of each step.",
                    }
                self.more = {
                    "endpoints": {step: it for step, it in endpoints.items() if step in steps or step not in STEPS}
                }
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        return result


def confirmation_problem(confirm: t.Any, hosts: Collection[str]) -> str:
    """What is wrong with the run's confirmations, or nothing. One that is misspelt confirms nothing, so all are refused with it."""
    if not (isinstance(confirm, dict) and all(isinstance(steps, dict) for steps in confirm.values())):
        problem = "is no mapping of environments to mappings of steps; -e NAME=VALUE makes a text of it"
    elif unknown := [name for name in confirm if name not in hosts] + [
        f"the step {step}" for step in sorted({step for steps in confirm.values() for step in steps} - {*STEPS})
    ]:
        problem = f"names {', '.join(unknown)}, which this inventory does not have"
    else:
        return ""
    return (
        f"unified_profiles_confirm: {problem}. Write -e '{{\"unified_profiles_confirm\": {{environment: {{step: {{by, digest}}}}}}}}', "
        f"with the steps {', '.join(STEPS)}. Nothing was done."
    )
