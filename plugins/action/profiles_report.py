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
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import environment_status
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _pages as pages
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._fleet import environments, how_to_run

OPTIONS = {
    "environments": {"type": "dict"},
    "report_dir": {"type": "str"},
    "playbook": {"type": "str", "default": "connect"},
}
# More cards than a person reads in a terminal; the rest is in the files.
MAX_CARDS_SHOWN = 20

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
        _validated, options = self.validate_argument_spec(argument_spec=OPTIONS)
        found = options["environments"] or environments(task_vars)
        outcomes = {name: environment_status(of, self._task.check_mode) for name, of in found.items()}
        arguments, more = how_to_run(context.CLIARGS)
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
        run = pages.Run(options["playbook"], now, self._task.check_mode, arguments, more)
        beside = f"{task_vars.get('inventory_dir')}/.unified_profiles"
        folder, warnings = _folder([options["report_dir"], beside])
        files, problem = _write(folder, outcomes, run)
        if warnings := [*warnings, *filter(None, [problem])]:
            result["warnings"] = warnings
        _show(outcomes, run, files)
        # What set_stats returns, without a task of its own.
        stats = {"data": {"unified_profiles": outcomes}, "per_host": False, "aggregate": True}
        return {**result, "changed": False, "outcomes": outcomes, "files": files, "ansible_stats": stats}


def _folder(wanted: list[str | None]) -> tuple[Path | None, list[str]]:
    """The first folder that can be one, so that a report exists whatever somebody wrote; and what is wrong with those before."""
    problems: list[str] = []
    for folder in wanted:
        try:
            return lasting_folder("report_dir", folder, "").absolute(), problems
        except OptionError as error:
            problems.append(error.full_message)
    return None, [f"No report was written. {problems[0]}"]


def _write(folder: Path | None, outcomes: Mapping[str, t.Any], run: pages.Run) -> tuple[list[str], str]:
    """The files written, and what went wrong. Whoever reads while they are written sees the old ones."""
    files: list[str] = []
    if folder is None:
        return files, ""
    try:
        for name, render in (("report.md", pages.report_markdown), ("report.html", pages.report_html)):
            replace_file(folder / name, render(outcomes, run))
            files.append(str(folder / name))
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
    elif cards and files:
        display.display(f"The same, to copy from: {files[-1]}")
