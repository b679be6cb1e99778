# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import functools
import typing as t
from collections.abc import Mapping

from ansible import context
from ansible.template import Templar
from ansible.utils.display import Display
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.times import format_time
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.private_names import variables_by_host
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _pages as pages
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._environment import LOOK, environment_settings
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._fleet import (
    about_run,
    for_a_machine,
    how_to_run,
    look_times,
    looks,
    snapshots,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._forms import handed_on
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._remember import (
    SettingsOf,
    keep,
    record_looks,
    remember,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._report_files import report_folder, write

# More than a person reads in a terminal; the rest is in the files.
MAX_CARDS_SHOWN = 20
MAX_LINES_SHOWN = 40
MAX_ACCEPTED_SHOWN = 5

display = Display()


class ActionModule(ControllerAction):
    """Writes the report. See the module of the same name, which is its documentation."""

    options: t.ClassVar[dict[str, t.Any]] = {
        "report_dir": {"type": "str"},
        "playbook": {"type": "str", "default": "connect"},
    }

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        outcomes = looks(task_vars)
        arguments, more = how_to_run(context.CLIARGS, options["playbook"])
        now = format_time(datetime.datetime.now(datetime.timezone.utc))
        run = pages.Run(options["playbook"], now, self._task.check_mode, arguments, more, about_run(task_vars, now))
        folder, told = report_folder(task_vars, self._templar, options["report_dir"])
        files: list[str] = []
        problems = [told]
        if folder:
            # A part of the environments must not take the place of the report on all of them.
            whole = {*task_vars["groups"].get("unified_profiles", ())} <= {*outcomes}
            files, told = write(folder, outcomes, run, whole)
            problems.append(told)
        if not self._task.check_mode:
            # No change of an environment, and nothing that a run may fail for.
            settings_of = self._settings_of(task_vars)
            places = task_vars[LOOK].get("remembered") or {}
            problems += remember(places, outcomes, now, settings_of)
            record_looks(places, options["playbook"], look_times(task_vars), settings_of)
            problems += keep(snapshots(task_vars), settings_of)
        if not for_a_machine():
            _show(outcomes, run, files)
        # What set_stats returns, without a task of its own.
        stats = {"data": {"unified_profiles": handed_on(outcomes)}, "per_host": False, "aggregate": True}
        failing = [name for name, found in outcomes.items() if found["fails"]]
        return {
            "warnings": [problem for problem in problems if problem],
            "changed": False,
            "outcomes": outcomes,
            "failing": failing,
            "files": files,
            "ansible_stats": stats,
        }

    def _settings_of(self, task_vars: dict[str, t.Any]) -> SettingsOf:
        variables = variables_by_host(task_vars["hostvars"], self._task)

        @functools.cache  # asked for observations and for snapshots
        def settings_of(name: str) -> tuple[dict[str, t.Any], list[str]]:
            of_host = variables(name)
            return environment_settings(of_host, Templar(loader=self._loader, variables=of_host))

        return settings_of


def _show(outcomes: Mapping[str, t.Any], run: pages.Run, files: list[str]) -> None:
    cards = [card for found in outcomes.values() for card in found["cards"]]
    shown = cards[:MAX_CARDS_SHOWN] if files else cards
    for card in shown:
        display.display("\n" + pages.card_text(card, run))
    if len(cards) > len(shown):
        display.display(f"\n{len(cards) - len(shown)} more steps are pending: see {files[-1]}.")
    if accepting := pages.acceptance_text(outcomes, run, MAX_ACCEPTED_SHOWN if files else len(outcomes)):
        display.display("\n" + accepting)
    # Last, because the cards scroll away.
    display.display("\n" + pages.summary_text(outcomes, MAX_LINES_SHOWN if files else len(outcomes)))
    if files:
        display.display(f"Report: {files[-1]}")
