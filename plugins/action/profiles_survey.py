# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t

from ansible.template import Templar
from ansible.utils.display import Display
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.times import format_time
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.survey import CHAINS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import compact
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._environment import LOOK
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._hosts import Hosts
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._in_process import prepare_workers
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._report_files import (
    folder_problem,
    report_folder,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._survey import Survey

display = Display()
prepare_workers()


class ActionModule(ControllerAction):
    """Looks at all environments of the play. See the module of the same name, which is its documentation."""

    options: t.ClassVar[dict[str, t.Any]] = {
        "playbook": {"type": "str", "choices": sorted(CHAINS), "default": "connect"}
    }

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        hosts = Hosts(task_vars["hostvars"], task_vars["groups"], self._task, self._loader)
        group = frozenset(hosts.environments)
        names = [str(name) for name in task_vars["ansible_play_hosts_all"] if name in group]
        settings = hosts.run_settings(names)

        began = format_time(datetime.datetime.now(datetime.timezone.utc))

        def settings_of(name: str) -> t.Any:
            return hosts.settings(hosts.variables(name), options["playbook"])

        again = LOOK in task_vars
        if not again:
            of_first = hosts.variables(names[0])
            folder, told = report_folder(of_first, Templar(loader=self._loader, variables=of_first))
            # At once, since the look can take long.
            if told or (folder and (told := folder_problem(folder))):
                display.warning(told)
        survey = Survey(options["playbook"], settings, self.show)
        looks = survey.look(names, settings_of)
        found = survey.outcomes(looks, self._task.check_mode, again)
        warnings = [f"{name}: {warning}" for name, seen in looks.items() for warning in seen["warnings"]]
        environments = {name: compact(of) for name, of in found.items()}
        due = [name for name, of in found.items() if of["due"] and not of["failure"]]
        prompt = any(of.get("unified_profiles_prompt") for of in survey.settings.values())
        return {
            "warnings": [*survey.remembered.problems, *warnings],
            "changed": False,
            "began": began,
            "environments": environments,
            "due": due,
            "prompt": prompt,
            "remembered": survey.remembered.places,
            "snapshots": {name: seen["snapshot"] for name, seen in looks.items() if seen["snapshot"]},
        }
