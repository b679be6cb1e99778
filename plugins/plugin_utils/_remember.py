# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Observations of looks, and snapshots: only the report's task writes them. No failure here fails the run."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import typing as t
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Failure, OptionError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.files import probed, way_out
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.gather import all_at_once
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.chain import OPTIONS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.snapshot_place import (
    SNAPSHOTS,
    SnapshotFile,
    ToStore,
    snapshot_place,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_place import persistent_dir
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.looked import LookedFile, Looks
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.seen import Observation, Observations
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.seen_place import SeenFile, open_seen
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import EnvironmentStatus
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec, run
from ansible_collections.flexops.unified_profiles.plugins.module_utils._source.snapshot import Snapshot
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._options import PREFIX, options

SPEC = ArgumentSpec(OPTIONS)
# In place of a folder.
SYNC = "sync"
THREADS, SECONDS = 16, 60.0

SettingsOf = Callable[[str], tuple[Mapping[str, t.Any], list[str]]]
Save = Callable[[ModuleContext], object]

# The environments by where it is kept what was seen of them: a folder, or :data:`SYNC`. Of those in none nothing is kept.
Places = dict[str, list[str]]


class Remembered:
    """The observations that the files have of a survey's environments.

    Each file is read once; the threads of the survey share it.

    Attributes:
        places: Where it is kept.
        problems: What a person should know, a sentence each.
    """

    def __init__(self) -> None:
        self.places: Places = {}
        self.problems: list[str] = []
        self._files: dict[str, Observations] = {}
        self._lock = threading.Lock()

    def of(self, name: str, settings: Mapping[str, t.Any]) -> Observation | None:
        """The observation of an environment in its file. None where there is none, or where it is kept elsewhere."""
        with self._lock:
            where = settings[f"{PREFIX}remember"]
            if where == "file":
                where = self._folder(settings)
            if where != "none":
                self.places.setdefault(where, []).append(name)
            return self._files.get(where, {}).get(name)

    def _folder(self, settings: Mapping[str, t.Any]) -> str:
        try:
            folder = str(persistent_dir(settings[f"{PREFIX}state_dir"], os.environ))
        except OptionError as error:
            # Where the ledger wants the same folder, the look says so.
            if settings[f"{PREFIX}ledger"] == "sync":
                lost = "and no snapshot of a source is kept, so recover cannot put back what is lost with it"
                self._tell(
                    f"No report of this run says since when anything is so{f', {lost}' * settings[f'{PREFIX}snapshot']}. "
                    f"unified_profiles_{error.message} Set unified_profiles_remember to sync, or to none."
                )
            return "none"
        if folder not in self._files:
            self._files[folder] = {}
            try:
                self._files[folder] = SeenFile(Path(folder)).read()
            except Failure as failure:
                self._tell(failure.full_message)
            self._see_that_it_can_be_written(Path(folder))
        return folder

    def _see_that_it_can_be_written(self, folder: Path) -> None:
        # In check mode nothing else would tell, and in a run not before everything is done.
        for place in (folder, folder / SNAPSHOTS):
            try:
                with probed(place):
                    pass
            except OSError as error:
                self._tell(
                    f"{place} cannot be written: {error.strerror}. What this run sees is not remembered there. {way_out(error)}; "
                    "or set unified_profiles_remember to sync or none."
                )
                return

    def _tell(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)


def remember(
    places: Mapping[str, Iterable[str]],
    outcomes: Mapping[str, EnvironmentStatus],
    now: str,
    settings_of: SettingsOf,
) -> list[str]:
    """Write down what the looks of a run saw.

    Args:
        places: See :data:`Places`.
        outcomes: How each environment is.
        now: The time.
        settings_of: Returns the settings of an environment, and what is wrong with them. Asked only for what goes to Sync.

    Returns:
        A sentence for each that could not be written.
    """
    problems: list[str] = []
    for place, names in places.items():
        found = {name: outcomes[name] for name in names if name in outcomes}
        if place == SYNC:
            saves = {name: functools.partial(_observe, of, now) for name, of in found.items()}
            problems += _in_sync(saves, settings_of)
            continue
        try:
            SeenFile(Path(place)).remember(found, now)
        except Failure as failure:
            problems.append(failure.full_message)
    return problems


def _observe(found: EnvironmentStatus, now: str, call: ModuleContext) -> None:
    open_seen(call).remember(found, now)


def record_looks(places: Places, playbook: str, looks: Mapping[str, Looks], settings_of: SettingsOf) -> None:
    """Record when the looks of a run began, in the folders of the ledgers.

    An environment whose observations are in Sync may have a folder as well.

    Args:
        places: See :data:`Places`.
        playbook: Whose run it was.
        looks: By environment, see ``looked.py``.
        settings_of: See :func:`remember`.
    """
    folders: Places = {}
    for place, names in places.items():
        for name in names:
            folder = settings_of(name)[0].get(f"{PREFIX}state_dir") if place == SYNC else place
            with contextlib.suppress(OptionError):
                folders.setdefault(str(persistent_dir(folder, os.environ)), []).append(name)
    for folder, names in folders.items():
        LookedFile(Path(folder)).record(playbook, {name: looks[name] for name in names if name in looks})


def keep(snapshots: Mapping[str, ToStore], settings_of: SettingsOf) -> list[str]:
    """Store the snapshots that the looks of a run took.

    Args:
        snapshots: By environment.
        settings_of: See :func:`remember`.

    Returns:
        A sentence for each that could not be stored.
    """
    problems: list[str] = []
    in_sync: dict[str, Save] = {}
    for name, stored in snapshots.items():
        snapshot = stored["snapshot"]
        if not stored["folder"]:
            in_sync[name] = functools.partial(_store, snapshot)
            continue
        try:
            SnapshotFile(Path(stored["folder"]), name, snapshot["source_id"]).write(snapshot)
        except Failure as failure:
            problems.append(f"{name}: {failure.full_message}")
    return problems + _in_sync(in_sync, settings_of)


def _store(snapshot: Snapshot, call: ModuleContext) -> None:
    if place := snapshot_place(call, snapshot["source_id"]):
        place.write(snapshot)


def _in_sync(saves: Mapping[str, Save], settings_of: SettingsOf) -> list[str]:
    """Write documents, each over a transport of its own: that of a survey sends no write."""

    def write(name: str, params: Mapping[str, t.Any]) -> str:
        def save(call: ModuleContext) -> dict[str, t.Any]:
            saves[name](call)
            return {}

        result = run(SPEC, save, params, "profiles_report", check_mode=False)
        return f"{name}: {result['msg']}" if result.get("failed") else ""

    def jobs() -> t.Iterator[tuple[str, Callable[[], str]]]:
        for name in saves:
            settings, problems = settings_of(name)
            if not problems:
                yield name, functools.partial(write, name, options(settings, SPEC.argument_spec, name))

    told = all_at_once(jobs(), THREADS, SECONDS)
    return [problem for problem in told.values() if problem]
