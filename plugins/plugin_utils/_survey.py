# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Looks at all environments of a play in one process, and compares them with each other."""

from __future__ import annotations

import abc
import functools
import time
import typing as t
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.gather import all_at_once
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.chain import OPTIONS, Look, nothing_seen
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.survey import look
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.accepted import accept
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import (
    FAIL_ON,
    EnvironmentStatus,
    environment_status,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import Connections
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.arguments import check
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import (
    ModuleContext,
    http_settings,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import (
    ArgumentSpec,
    defect,
    result_of,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._environment import PACE
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._names import as_settings
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._options import PREFIX, options
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._remember import Remembered

SPEC = ArgumentSpec(OPTIONS).argument_spec
# As many environments as this are looked at one read after the other: then the threads are enough to keep all services busy.
MANY = 8
READS_AT_ONCE = 8

Settings = Mapping[str, t.Any]
L = t.TypeVar("L")


class AtOnce(abc.ABC, t.Generic[L]):
    """One look at each of many environments. Nothing that is wrong with one of them stops another.

    Args:
        spec: What a look takes of an environment's settings: the specification of its options.
        settings: Those of the run: how many environments are looked at at the same time, and how long that may take.
        progress: Called about every ten seconds, with a line to show.

    Attributes:
        settings: Of each environment, once it was looked at.
        failures: What stopped the look, by environment.
    """

    def __init__(self, spec: Mapping[str, t.Any], settings: Settings, progress: Callable[[str], None]) -> None:
        self.spec, self.progress = spec, progress
        self.threads, self.limit, self.total = (settings[name] for name in PACE)
        self.settings: dict[str, Settings] = {}
        self.failures: dict[str, str] = {}
        self.connections = Connections()

    @abc.abstractmethod
    def see(self, call: ModuleContext) -> L:
        """Look at one environment."""

    def more(self, name: str, settings: Settings) -> dict[str, t.Any]:
        """Options of a look that are no settings."""
        return {}

    @abc.abstractmethod
    def nothing(self, failure: str) -> L:
        """A look that failed before it could see anything."""

    @abc.abstractmethod
    def failure_of(self, found: L) -> str:
        """The message of the failure that stopped a look; empty if none did."""

    def look(self, names: Sequence[str], settings_of: Callable[[str], tuple[Settings, Sequence[str]]]) -> dict[str, L]:
        """Look at each environment.

        Args:
            names: The environments.
            settings_of: Returns the settings of one, and a sentence for each that is wrong. Called once for each, in this thread.

        Returns:
            What was found, by environment, in the order of the names.
        """
        wrong: list[str] = []

        def jobs() -> Iterator[tuple[str, Callable[[], L]]]:
            for name in names:
                try:
                    settings, problems = settings_of(name)
                except Exception as error:  # of this environment alone
                    settings, problems = {}, [defect(error)["msg"]]
                self.settings[name] = settings
                if problems:
                    wrong.append(name)
                    self.failures[name] = f"The settings are wrong: {' '.join(problems)}"
                else:
                    yield (
                        name,
                        functools.partial(self._look, name, settings, 1 if len(names) >= MANY else READS_AT_ONCE),
                    )

        def progress(done: int, seconds: float) -> None:
            count, failed = done + len(wrong), len(self.failures)
            self.progress(f"Looked at {count} of {len(names)} environments, {failed} failed so far ({seconds:.0f} s).")

        def charged() -> float:
            return time.monotonic() - self.connections.traffic.paused()

        found = all_at_once(jobs(), self.threads, self.limit, progress, total=self.total, charged=charged)
        self.connections.close()
        late = (
            f"Not reached: the look took longer than unified_profiles_survey_timeout ({self.limit:g} s), or those at all environments "
            f"longer than unified_profiles_survey_total_timeout ({self.total:g} s). Run again."
        )
        return {name: found.get(name) or self.nothing(self.failures.get(name, late)) for name in names}

    def _look(self, name: str, settings: Settings, workers: int) -> L:
        params, problems = check(self.spec, {**options(settings, self.spec, name), **self.more(name, settings)})
        if problems:
            return self.nothing(as_settings(" ".join(problems), for_people=True))

        def context() -> ModuleContext:
            until = self.connections.traffic.time() + self.limit
            transport = Transport(
                http_settings(params), read_only=True, connections=self.connections, remember=True, until=until
            )
            return ModuleContext(params, True, transport, workers)

        try:
            result = as_settings(result_of(lambda call: dict(t.cast("dict[str, t.Any]", self.see(call))), context))
            found = self.nothing(result["msg"]) if result.get("failed") else t.cast(L, result)
            failure = self.failure_of(found)
        except Exception as error:  # nothing would tell of it in this thread, and the run would wait for it
            failure = defect(error)["msg"]
            found = self.nothing(failure)
        if failure:
            self.failures[name] = failure
        return found


class Survey(AtOnce[Look]):
    """A look at many environments, and how they are.

    Args:
        playbook: Whose chain of tasks each look goes through.
        settings: Those of the run.
        progress: Called about every ten seconds, with a line to show.
    """

    def __init__(self, playbook: str, settings: Settings, progress: Callable[[str], None]) -> None:
        super().__init__(SPEC, settings, progress)
        self.playbook = playbook
        self.remembered = Remembered()

    def see(self, call: ModuleContext) -> Look:
        return look(call, self.playbook)

    def more(self, name: str, settings: Settings) -> dict[str, t.Any]:
        return {"seen": self.remembered.of(name, settings)}

    def nothing(self, failure: str) -> Look:
        return nothing_seen(failure)

    def failure_of(self, found: Look) -> str:
        return found["failure"]

    def outcomes(
        self, looks: Mapping[str, Look], check_mode: bool, again: bool = False
    ) -> dict[str, EnvironmentStatus]:
        """Return how each environment is, once all are compared with each other.

        Args:
            looks: What was found, by environment.
            check_mode: Whether nothing was, or will be, done.
            again: Whether this look is of those alone where something was due. Their part of all was judged before.
        """
        claims = {
            name: (
                str(found["workspace"]["id"]),
                str(self.settings[name][f"{PREFIX}source_name"]),
                found["workspace"]["slug"],
            )
            for name, found in looks.items()
            if found["workspace"].get("id")
        }
        refused = shared_sources(claims)
        if self.playbook == "recover" and not again:
            gone = [name for name, found in looks.items() if found["source_gone"] and not found["failure"]]
            most = min((self.settings[name][f"{PREFIX}recover_max_percentage"] for name in gone), default=0)
            refused |= mass_deletion(gone, len(looks), most)
        found = {}
        for name, seen in looks.items():
            settings = self.settings[name]
            fail_on = {option: settings[PREFIX + option] for option in FAIL_ON if PREFIX + option in settings}
            failure = seen["failure"] or refused.get(name, "")
            # Where the look failed, nobody knows what an entry fits.
            entries = [] if seen["failure"] else settings.get(f"{PREFIX}accepted_drift", [])
            differences, told = accept(seen["differences"], entries, self.connections.clock.now().date())
            seen["warnings"] += told
            found[name] = environment_status(
                {**seen, "failure": failure, "differences": differences}, check_mode, fail_on, self.playbook
            )
        return found


def shared_sources(claims: Mapping[str, tuple[str, str, str]]) -> dict[str, str]:
    """The problems of environments that would manage the same source.

    Args:
        claims: Workspace id, source name and the workspace's slug, by environment.

    Returns:
        A sentence by environment, for those that are not alone.
    """
    by_source: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, (workspace, source, _slug) in claims.items():
        by_source[workspace, source].append(name)
    return {
        name: f"unified_profiles_source_name: {', '.join(other for other in names if other != name)} and {name} have the same Segment "
        f"workspace ({claims[name][2] or claims[name][0]}) and the same source name. Give each its own workspace, or its own source name."
        for names in by_source.values()
        if len(names) > 1
        for name in names
    }


def mass_deletion(gone: Iterable[str], looked_at: int, percentage: float) -> dict[str, str]:
    """Return why so many sources are not made again at once: a wrong token or region is likelier than a disaster.

    Args:
        gone: The environments whose source is gone.
        looked_at: How many there are.
        percentage: How many of a hundred may be.

    Returns:
        A sentence by environment, if they are more than two and more than that.
    """
    names = list(gone)
    if len(names) <= 2 or len(names) * 100 <= percentage * looked_at:
        return {}
    told = (
        f"The source looks deleted in {len(names)} of {looked_at} environments at once, which is more than "
        f"unified_profiles_recover_max_percentage ({percentage:g}). That is more often a wrong token or region than a disaster. Nothing was "
        "done. Look at one of them; then raise the percentage, or recover at most two at a time with --limit."
    )
    return dict.fromkeys(names, told)
