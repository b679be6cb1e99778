# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Collection, Mapping
from pathlib import Path

from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.steps import STEPS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.arguments import check
from ansible_collections.flexops.unified_profiles.plugins.modules import profiles_preflight
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._in_process import InProcessAction
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import resolve

ROLE = "flexops.unified_profiles.preflight"
# Read once, before Ansible forks.
_FILE = Path(__file__).parents[2] / "roles/preflight/meta/argument_specs.yml"
SETTINGS: dict[str, t.Any] = yaml_load(_FILE.read_bytes())["argument_specs"]["main"]["options"]


class ActionModule(InProcessAction):
    """In its role it takes its options from the settings, and checks them all, the endpoints among them.

    Ansible's own check of a role's argument specs takes a task of its own for every environment, and its results hold all specs,
    which at a thousand is most of the memory. And both that check and a task's arguments show what cannot be evaluated.
    """

    module = profiles_preflight

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        task_vars = task_vars or {}
        role = self._task._role
        if role is not None and role.get_name() == ROLE:
            given, problems = resolve(SETTINGS, task_vars, self._templar)
            if not problems:
                if problem := confirmation_problem(
                    given.get("unified_profiles_confirm") or {}, task_vars["groups"]["all"]
                ):
                    return {"failed": True, "msg": problem}
                settings, problems = check(SETTINGS, given)
            if problems:
                return {
                    "failed": True,
                    "msg": f"The settings are wrong: {' '.join(problems)} See ansible-doc -t role {ROLE}.",
                }
            if problem := endpoints_problem(settings):
                return {"failed": True, "msg": problem}
            self.more = options(settings)
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        return result


def options(settings: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The module's options: those settings that have the name of one, and who attests what exists, if that is the plan."""
    found = {option: settings.get(f"unified_profiles_{option}") for option in profiles_preflight.SPEC.argument_spec}
    endpoints = found.pop("endpoints", None) or {}
    if settings["unified_profiles_channel"] == "endpoint":
        steps = settings["preflight_steps"]
        found["endpoints"] = {step: it for step, it in endpoints.items() if step in steps or step not in STEPS}
    if settings["unified_profiles_handover_existing"]:
        found["attest_existing"] = settings["unified_profiles_confirmed_by"]
    return found


def endpoints_problem(settings: Mapping[str, t.Any]) -> str:
    """What is missing of the endpoints, or nothing."""
    endpoints = settings["unified_profiles_endpoints"]
    missing = [step for step in settings["preflight_steps"] if not endpoints.get(step)]
    if settings["unified_profiles_channel"] != "endpoint" or not missing:
        return ""
    named = f"has no {' and no '.join(missing)}, and unified_profiles_channel is endpoint"
    return f"unified_profiles_endpoints: {named}. Describe the endpoint of each step."


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
