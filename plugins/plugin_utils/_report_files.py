# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The files of a report: where, under which names, and whether they can be written."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from pathlib import Path

from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import OptionError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.files import (
    lasting_folder,
    probed,
    replace_file,
    way_out,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _forms as forms
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _pages as pages
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._folders import named_path
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import resolve

# The page is the last, for a person who hears of one file.
FORMS: dict[tuple[str, str], Callable[[forms.Outcomes, pages.Run], str]] = {
    ("report", "md"): pages.report_markdown,
    ("report", "json"): forms.report_json,
    ("junit", "xml"): forms.junit_xml,
    ("metrics", "prom"): forms.metrics_prom,
    ("report", "html"): pages.report_html,
}


def report_folder(task_vars: Mapping[str, t.Any], templar: t.Any, given: str | None = None) -> tuple[Path | None, str]:
    """The first folder that can be one, so that a report exists whatever somebody wrote.

    Args:
        task_vars: The variables of a task. The first environment's folder serves the whole run.
        templar: Ansible's, for the same host.
        given: The folder that a task names.

    Returns:
        The folder, and what is wrong with those before it.
    """
    names = ("unified_profiles_report_dir", "unified_profiles_state_dir")
    known, _problems = resolve(names, task_vars, templar)
    of_settings = [(name, known.get(name)) for name in names]
    beside = f"{task_vars.get('inventory_dir')}/.unified_profiles"
    problems: list[str] = []
    for option, folder in (("unified_profiles_report_dir", given), *of_settings, ("", beside)):
        if folder is None:
            continue
        try:
            found = named_path(option, folder) if option else lasting_folder("unified_profiles_report_dir", beside, "")
            if found.is_absolute():
                return found, " ".join(problems)
            relative = "is relative to the folder where the run was started."
            raise OptionError(option, relative, "Write it from / on.")
        except OptionError as error:
            problems.append(error.full_message)
    return None, f"No report is written. {problems[0]}"


def folder_problem(folder: Path) -> str:
    """Return why no report can be written there, or nothing."""
    try:
        with probed(folder):
            return ""
    except OSError as error:
        return _unwritable(folder, error)


def write(folder: Path, outcomes: forms.Outcomes, run: pages.Run, whole: bool) -> tuple[list[str], str]:
    """Write the report in all forms. Whoever reads meanwhile sees the old files.

    A prediction, and a part of the environments, do not take the place of the report on how all of them are. Of both there are no
    numbers: node_exporter reads all files of a folder, and would have an environment twice.

    Returns:
        The files written, and what went wrong.
    """
    kind = ("-check" if run.check_mode else "") + ("" if whole else "-limited")
    files: list[str] = []
    try:
        for (name, ending), render in FORMS.items():
            if name == "metrics" and kind:
                continue
            file = folder / f"{name}{kind}.{ending}"
            replace_file(file, render(outcomes, run))
            files.append(str(file))
    except OSError as error:
        return files, _unwritable(folder, error)
    return files, ""


def _unwritable(folder: Path, error: OSError) -> str:
    return (
        f"The report cannot be written to {folder}: {error.strerror}. {way_out(error)}; or set "
        "unified_profiles_report_dir to another folder. The terminal shows it all the same."
    )
