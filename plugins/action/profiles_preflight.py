# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import typing as t
from collections.abc import Collection, Mapping

from ansible.utils.vars import load_extra_vars
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.steps import STEPS
from ansible_collections.flexops.unified_profiles.plugins.modules import profiles_preflight
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._in_process import InProcessAction
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import (
    OLD_NAMES,
    SETTINGS,
    resolve,
    run_only_problem,
    settings_of,
    table,
)

ROLE = "flexops.unified_profiles.preflight"
DIGEST = re.compile("[0-9a-f]{12}")
SPEC = {**SETTINGS, **OLD_NAMES, **table("preflight")["main"]}


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
            if problem := run_only_problem(task_vars, load_extra_vars(self._loader)):
                return {"failed": True, "msg": problem}
            given, problems = resolve(SPEC, task_vars, self._templar)
            confirm = given.get("unified_profiles_confirm") or {}
            if isinstance(confirm, Mapping) and (problem := confirmation_problem(confirm, task_vars["groups"]["all"])):
                problems.append(problem)
            if not problems:
                settings, problems = settings_of(
                    given,
                    hostname=task_vars["inventory_hostname"],
                    inventory_dir=task_vars.get("inventory_dir"),
                    awx_user_name=task_vars.get("awx_user_name"),
                    spec=SPEC,
                )
            if problems:
                told = f"The settings are wrong: {' '.join(problems)}"
                return {"failed": True, "msg": f"{told} See ansible-doc -t role flexops.unified_profiles.settings."}
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
    """What is wrong with the run's confirmations, or nothing. One that is misspelt confirms nothing, so all are refused with it.

    Digests need no mapping: each names environment and step.
    """
    digests = [confirm] if isinstance(confirm, str) else confirm
    if isinstance(digests, list) and digests and all(DIGEST.fullmatch(str(digest)) for digest in digests):
        return ""
    if not (isinstance(confirm, dict) and all(isinstance(steps, dict) for steps in confirm.values())):
        problem = (
            "is neither the digest of a card, nor a list of digests, nor a mapping of environments to mappings of steps"
        )
    elif unknown := [name for name in confirm if name not in hosts] + [
        f"the step {step}" for step in sorted({step for steps in confirm.values() for step in steps} - {*STEPS})
    ]:
        problem = f"names {', '.join(unknown)}, which this inventory does not have"
    else:
        return ""
    return (
        f"unified_profiles_confirm: {problem}. Write -e unified_profiles_confirm=DIGEST -e unified_profiles_confirmed_by=NAME; or "
        f"-e '{{\"unified_profiles_confirm\": {{environment: {{step: {{by, digest}}}}}}}}', "
        f"with the steps {', '.join(STEPS)}. Nothing was done."
    )
