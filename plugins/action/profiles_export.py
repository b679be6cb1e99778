# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import functools
import os
import typing as t
from pathlib import Path

from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import OptionError, Refused
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.files import (
    kept_by_awx,
    replace_file,
    way_out,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._controller import (
    MOST_TOLD,
    ControllerAction,
    told,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._export import (
    FILE,
    TABLE,
    Export,
    exported_before,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._folders import named_path
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._hosts import Hosts
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._in_process import prepare_workers
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._inventory_text import Entry, render

prepare_workers()


class ActionModule(ControllerAction):
    """Writes an inventory of what exists. See the module of the same name, which is its documentation."""

    options: t.ClassVar[dict[str, t.Any]] = {"export_from": {"type": "path"}, "export_dir": {"type": "str"}}

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        hosts, names = self._hosts(self.setting("export_from", options["export_from"], task_vars), task_vars)
        settings = hosts.run_settings(names)
        beside = f"{hosts.variables(names[0]).get('inventory_dir')}/.unified_profiles/export"
        folder = self.folder("export_dir", options["export_dir"], beside, task_vars)
        kept_by_awx("export_dir", folder, os.environ)
        _text, before = exported_before(folder)
        if left := sorted(({*before} & {*hosts.environments}) - {*names}):
            raise Refused(
                f"The export in {folder} has {', '.join(left[:MOST_TOLD])}, which --limit leaves out. Nothing was written.",
                "Export all, or name another folder with export_dir.",
            )
        export = Export(before, settings, self.show)
        settings_of = functools.partial(hosts.settings, playbook="export", table=TABLE)
        entries = export.entries(names, hosts.variables, settings_of, hosts.extra)
        if export.wrong:
            lines = told(f"{name}: {problem}" for name, problem in export.wrong.items())
            raise Refused(f"The settings of {len(export.wrong)} environments are wrong. Nothing was written. {lines}")
        return self._written(folder, entries)

    def _hosts(self, given: t.Any, task_vars: dict[str, t.Any]) -> tuple[Hosts, list[str]]:
        """The hosts of the inventory that is exported, and which of them are."""
        if given is None:
            hosts = Hosts(task_vars["hostvars"], task_vars["groups"], self._task, self._loader)
            among = frozenset(task_vars["ansible_play_hosts_all"])
            return hosts, [name for name in hosts.environments if name in among]
        export_from = named_path("unified_profiles_export_from", given)
        if not export_from.exists():
            raise OptionError(
                "export_from",
                f"there is no {export_from}.",
                "Name a file or a folder that Ansible reads as an inventory.",
            )
        hosts = Hosts.of_another(str(export_from.absolute()), self._task, self._loader)
        return hosts, hosts.environments

    def _written(self, folder: Path, entries: list[Entry]) -> dict[str, t.Any]:
        """Put the inventory in place, unless somebody has written there meanwhile; the result."""
        file, after = folder / FILE, render(entries)
        before, _hosts = exported_before(folder)
        changed = before != after
        if changed and not self._task.check_mode:
            try:
                replace_file(file, after)
            except OSError as error:
                raise Refused(
                    f"export_dir: {file} cannot be written: {error.strerror}. Nothing was written.",
                    f"{way_out(error)}; or name another folder.",
                ) from None
        problems = {entry.name: entry.found["problems"] for entry in entries if entry.found["problems"]}
        result = {
            "changed": changed,
            "diff": {"before": before, "after": after, "before_header": str(file), "after_header": str(file)},
            "file": str(file),
            "environments": {entry.name: {"problems": problems.get(entry.name, [])} for entry in entries},
        }
        if problems:
            lines = told(f"{name}: {' '.join(of)}" for name, of in problems.items())
            count = f"{len(problems)} of {len(entries)} environments"
            return {
                **result,
                "failed": True,
                "msg": f"{count} have something to settle, which {file} says as well. {lines}",
            }
        return result
