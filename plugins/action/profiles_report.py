# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible import context
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import OptionError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.files import (
    lasting_folder,
    replace_file,
    way_out,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.arguments import check
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _pages as pages
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._fleet import (
    for_a_machine,
    how_to_run,
    looks,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import resolve

OPTIONS = {
    "report_dir": {"type": "str"},
    "playbook": {"type": "str", "default": "connect"},
}
# More than a person reads in a terminal; the rest is in the files.
MAX_CARDS_SHOWN = 20
MAX_LINES_SHOWN = 40

display = Display()


class ActionModule(ActionBase):
    """Writes the report. See the module of the same name, which is its documentation."""

    _supports_check_mode = True
    _supports_async = False
    _requires_connection = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        task_vars = task_vars or {}
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        del tmp
        options, problems = check(OPTIONS, self._task.args, self._task.action)
        if problems:
            return {**result, "failed": True, "msg": " ".join(problems)}
        outcomes, problem = looks(task_vars)
        if problem:
            return {**result, "failed": True, "msg": problem}
        arguments, more = how_to_run(context.CLIARGS)
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        run = pages.Run(options["playbook"], now, self._task.check_mode, arguments, more)
        # The first environment's folder serves the whole run.
        given, _problems = resolve(
            ("unified_profiles_report_dir", "unified_profiles_state_dir"), task_vars, self._templar
        )
        beside = f"{task_vars.get('inventory_dir')}/.unified_profiles"
        wanted = [options["report_dir"], *given.values(), beside]
        folder, warnings = _folder([str(wish) for wish in wanted if wish is not None])
        # A part of the environments must not take the place of the report on all of them.
        whole = {*task_vars["groups"].get("unified_profiles", ())} <= {*outcomes}
        files, problem = _write(folder, "report" if whole else "report-limited", outcomes, run)
        if warnings := [*warnings, *filter(None, [problem])]:
            result["warnings"] = warnings
        if not for_a_machine():
            _show(outcomes, run, files)
        # What set_stats returns, without a task of its own.
        stats = {"data": {"unified_profiles": outcomes}, "per_host": False, "aggregate": True}
        failing = [name for name, found in outcomes.items() if found["fails"]]
        return {
            **result,
            "changed": False,
            "outcomes": outcomes,
            "failing": failing,
            "files": files,
            "ansible_stats": stats,
        }


def _folder(wanted: list[str]) -> tuple[Path | None, list[str]]:
    """The first folder that can be one, so that a report exists whatever somebody wrote; and what is wrong with those before."""
    problems: list[str] = []
    for folder in wanted:
        try:
            return lasting_folder("report_dir", folder, "").absolute(), problems
        except OptionError as error:
            problems.append(error.full_message)
    return None, [f"No report was written. {problems[0]}"]


def _write(folder: Path | None, name: str, outcomes: Mapping[str, t.Any], run: pages.Run) -> tuple[list[str], str]:
    """The files written, and what went wrong. Whoever reads while they are written sees the old ones."""
    files: list[str] = []
    if folder is None:
        return files, ""
    try:
        for ending, render in (("md", pages.report_markdown), ("html", pages.report_html)):
            file = folder / f"{name}.{ending}"
            replace_file(file, render(outcomes, run))
            files.append(str(file))
    except OSError as error:
        return (
            files,
            f"The report cannot be written to {folder}: {error.strerror}. {way_out(error)}; or set report_dir to another folder.",
        )
    return files, ""


def _show(outcomes: Mapping[str, t.Any], run: pages.Run, files: list[str]) -> None:
    cards = [card for found in outcomes.values() for card in found["cards"]]
    shown = cards[:MAX_CARDS_SHOWN] if files else cards
    for card in shown:
        display.display("\n" + pages.card_text(card, run))
    if len(cards) > len(shown):
        display.display(f"\n{len(cards) - len(shown)} more steps are pending: see {files[-1]}.")
    # Last, because the cards scroll away.
    display.display("\n" + pages.summary_text(outcomes, MAX_LINES_SHOWN if files else len(outcomes)))
    if files:
        display.display(f"Report: {files[-1]}")
