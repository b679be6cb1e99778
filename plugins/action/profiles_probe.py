# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import contextlib
import datetime
import typing as t
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Refused
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.files import (
    probed,
    replace_file,
    way_out,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.judges import CONTRADICTED
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._controller import ControllerAction, told
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._hosts import Hosts
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._in_process import prepare_workers
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._probe import (
    Probe,
    probe_json,
    probe_markdown,
    probe_text,
    summed_up,
    verdict_counts,
)

prepare_workers()


class ActionModule(ControllerAction):
    """Reports what the services answer. See the module of the same name, which is its documentation."""

    options: t.ClassVar[dict[str, t.Any]] = {"probe_dir": {"type": "str"}}

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        hosts = Hosts(task_vars["hostvars"], task_vars["groups"], self._task, self._loader)
        among = frozenset(task_vars["ansible_play_hosts_all"])
        names = [name for name in hosts.environments if name in among]
        settings = hosts.run_settings(names)
        beside = f"{hosts.variables(names[0]).get('inventory_dir')}/.unified_profiles/probe"
        folder = self.folder("probe_dir", options["probe_dir"], beside, task_vars)
        if not self._task.check_mode:
            # At once, since the look can take long.
            with _writing(folder), probed(folder):
                pass
        probe = Probe(settings, self.show)
        # It looks as drift does, so what is wrong for drift is wrong here.
        found = probe.look(names, lambda name: hosts.settings(hosts.variables(name), "drift"))
        lines = told(f"{name}: {failure}" for name, failure in probe.failures.items())
        if not any(of["judgements"] for of in found.values()):
            raise Refused(f"No environment was asked anything, so no report is written. {lines}")
        summary = summed_up(found, probe.settings, f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}")
        files: list[str] = []
        for form, render in (("md", probe_markdown), ("json", probe_json)):
            if not self._task.check_mode:
                with _writing(folder):
                    replace_file(folder / f"probe.{form}", render(summary))
                files.append(str(folder / f"probe.{form}"))
        self.show("\n" + probe_text(summary))
        if files:
            self.show(f"Report: {files[0]}")
        result = {
            "changed": False,
            "files": files,
            "verdicts": {name.replace(" ", "_"): number for name, number in verdict_counts(summary).items()},
            "contradicted": [row["name"] for row in summary["assumptions"] if row["verdict"] == CONTRADICTED],
        }
        if probe.failures:
            count = f"{len(probe.failures)} of {len(names)} environments"
            return {**result, "failed": True, "msg": f"The look at {count} ended early, so it saw less. {lines}"}
        return result


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Refuse to continue where the folder of the report cannot be written to.

    Raises:
        Refused: It cannot be written to.
    """
    try:
        yield
    except OSError as error:
        raise Refused(
            f"probe_dir: {folder} cannot be written to: {error.strerror}.", f"{way_out(error)}; or name another folder."
        ) from None
