# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the playbooks on one environment, without ansible-playbook.

A run takes milliseconds instead of seconds.

The looks are the survey's own, and what is done between them are the tasks of the role, read from its file. Only the order of the
playbooks is said again: look, act where something is due, look again. That this is what they do is a test of its own
(test_same_as_the_playbooks.py), which compares the requests of both.
"""

from __future__ import annotations

import functools
import importlib
import re
import threading
import typing as t
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import yaml
from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.chain import Look
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_place import open_ledger
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import EnvironmentStatus
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.clock import Clock
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import run as run_module
from ansible_collections.flexops.unified_profiles.plugins.modules import profiles_info
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._environment import (
    LOOK,
    environment_settings,
    survey_settings,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._options import PREFIX, options
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._remember import keep
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import RUN_ONLY, SETTINGS
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._survey import Survey
from sandbox.model import Environment as Model
from sandbox.server import SandboxHandle

from .environment import STEPS, Environment, Result, checked
from .project import ROOT
from .settings import pace

LABELS = {"managed-by": "ansible"}
COLLECTION = "flexops.unified_profiles."
INCLUDE = "ansible.builtin.include_tasks"
OMIT = object()
JINJA = jinja2.Environment()
JINJA.filters["bool"] = boolean
JINJA.tests["skipped"] = lambda result: result.get("skipped", False)
# Settings that the modules get in a run, and not where a test calls one of them.
OF_A_RUN = ("channel", "source_labels", "friendly_name", "attest_existing", "read_back", "snapshot", "restore")


class QuickClock(Clock):
    """Sleeps at once: time that was slept away counts for the thread that slept, and nobody waits for it.

    For that thread alone, since what another one waits for on the wire meanwhile does not come any sooner.
    """

    slept: dict[int, float] = defaultdict(float)  # by thread, since somebody cleared it
    _of_thread = threading.local()

    def monotonic(self) -> float:
        return super().monotonic() + getattr(self._of_thread, "skipped", 0.0)

    def sleep(self, seconds: float) -> None:
        QuickClock.slept[threading.get_ident()] += seconds
        self._of_thread.skipped = getattr(self._of_thread, "skipped", 0.0) + seconds


def world_clock(sandbox: SandboxHandle) -> type[Clock]:
    """The clock of machines that live in the sandbox's time, so that ninety days are a minute."""
    return type("WorldClock", (QuickClock,), {"now": lambda self: sandbox.world.now()})


@dataclass
class Run:
    """The result of a run.

    Attributes:
        looks: The first one, and the one after something was done.
        statuses: The same for a report.
        results: What the tasks in between returned, by what they register, without the role's name.
        failure: What ended the run, or a look.
        problems: Why a snapshot was not stored.
    """

    looks: list[Look] = field(default_factory=list)
    statuses: list[EnvironmentStatus] = field(default_factory=list)
    results: dict[str, Result] = field(default_factory=dict)
    failure: Result | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def changed(self) -> list[str]:
        return [name for name, result in self.results.items() if result.get("changed")]

    @property
    def pending(self) -> dict[str, t.Any]:
        return {step: found for step, found in self.looks[-1]["handovers"].items() if found["status"] == "pending"}

    @property
    def verdicts(self) -> list[str]:
        return [said["verdict"] for said in self.looks[-1]["verdicts"].values()]


class Stop(Exception):
    """A task failed."""


class Chain(Environment):
    """One environment as a run of the playbooks sees it. Its options are settings, without the prefix, and ``read_back``."""

    def __init__(self, sandbox: SandboxHandle, state_dir: Path, name: str = "dev", **options: t.Any) -> None:
        # Snapshots are read where they are what a test is about: eight requests more in each run are eight more that can go wrong.
        defaults = {
            "channel": "endpoint",
            "source_labels": LABELS,
            "timeout": 10.0,
            "retry_budget": 20.0,
            "snapshot": False,
        }
        super().__init__(sandbox, state_dir, name, **{**defaults, **options})
        self.past: Model | None = None  # what a stale answer shows, see Scenario.begin
        self.had: dict[str, t.Any] = {}  # what was attached to a source that was lost

    @property
    def known(self) -> dict[str, t.Any]:
        return {option: value for option, value in super().known.items() if option not in OF_A_RUN}

    @property
    def variables(self) -> dict[str, t.Any]:
        """The variables of its host."""
        values = {**super().known, "profile_token": self.env.profile_token, "allow_write_events": True}
        values["endpoints"] = {step: self.endpoint(step) for step in STEPS}
        variables = {PREFIX + option: value for option, value in values.items()}
        return {name: value for name, value in variables.items() if name in SETTINGS} | {
            "inventory_hostname": self.name
        }

    def connect(self, confirm: dict[str, t.Any] | None = None, check: bool = False) -> Run:
        return self.play("connect", confirm, check)

    def recover(self, confirm: dict[str, t.Any] | None = None, check: bool = False) -> Run:
        return self.play("recover", confirm, check)

    def rotate(self, confirm: dict[str, t.Any] | None = None, check: bool = False) -> Run:
        return self.play("rotate", confirm, check)

    def play(self, playbook: str, confirm: dict[str, t.Any] | None = None, check: bool = False) -> Run:
        """Look, act where something is due, look again."""
        run, variables = Run(), self.variables
        if confirm:
            variables[f"{PREFIX}confirm"] = {self.name: confirm}
        due = self.look(run, playbook, variables, check)
        if due:
            self.act(run, playbook, variables, check)
            # What the role registers under a setting's name is a variable of the host.
            variables |= {name: result for name, result in run.results.items() if name.startswith(PREFIX)}
            self.look(run, playbook, variables, check)
        taken = [look["snapshot"] for look in run.looks if look["snapshot"]]
        if taken and not check:
            # As profiles_report does.
            run.problems = keep({self.name: taken[-1]}, lambda name: environment_settings(variables, None))
        return run

    def look(self, run: Run, playbook: str, variables: t.Mapping[str, t.Any], check: bool) -> bool:
        """Look as profiles_survey does; whether something is due."""
        survey = Survey(playbook, pace(1), lambda line: None)
        # Nothing in these variables is a template.
        looks = survey.look([self.name], lambda name: survey_settings(variables, None, playbook, RUN_ONLY, [self.name]))
        status = survey.outcomes(looks, check)[self.name]
        run.looks.append(looks[self.name])
        run.statuses.append(status)
        assert "A defect" not in status["failure"], status["failure"]
        if status["failure"] and not run.failure:
            run.failure = {"failed": True, "msg": status["failure"]}
        return bool(status["due"]) and not status["failure"]

    def act(self, run: Run, playbook: str, variables: t.Mapping[str, t.Any], check: bool) -> None:
        """Carry out the tasks of the role."""
        looked = {"environments": {self.name: run.statuses[-1]}}
        settings, problems = environment_settings({**variables, LOOK: looked}, None)
        assert not problems, problems
        defaults = ROOT / f"roles/{playbook}/defaults/main.yml"
        known = {
            **variables,
            **(read(defaults) if defaults.exists() else {}),
            "ansible_check_mode": check,
            "omit": OMIT,
        }

        def carry_out(tasks: t.Iterable[dict[str, t.Any]]) -> None:
            for task in tasks:
                seen = {**known, **{name: value(text, known) for name, text in task.get("vars", {}).items()}}
                when = task.get("when", [])
                if not all(evaluate(condition, seen) for condition in ([when] if isinstance(when, str) else when)):
                    known[task.get("register", "")] = {"changed": False, "skipped": True}
                    continue
                if "block" in task:
                    carry_out(task["block"])
                elif INCLUDE in task:
                    carry_out(read(ROOT / f"roles/{playbook}/tasks/{task[INCLUDE]}"))
                else:
                    (name,) = [key for key in task if key.startswith(COLLECTION)]
                    given = {option: value(text, seen) for option, text in (task[name] or {}).items()}
                    result = self._task(name.removeprefix(COLLECTION), settings, given, check)
                    registered = task.get("register", name)
                    known[registered] = result
                    run.results[registered.removeprefix(f"{playbook}_")] = result
                    if result.get("failed"):
                        run.failure = result
                        raise Stop

        try:
            carry_out(read(ROOT / f"roles/{playbook}/tasks/act.yml"))
        except Stop:
            pass

    def _task(self, name: str, settings: t.Mapping[str, t.Any], given: dict[str, t.Any], check: bool) -> Result:
        action = importlib.import_module(f"ansible_collections.{COLLECTION}plugins.action.{name}").ActionModule
        module, from_settings = action.module, given.pop("settings", False)
        known = options(settings, module.SPEC.argument_spec, self.name, action.step) if from_settings else {}
        given = {option: value for option, value in given.items() if value is not OMIT}
        result = run_module(module.SPEC, module.run, {**known, **given}, name, check)
        # Whatever happens: a defect of the collection is never the reason.
        assert result.get("failure", {}).get("kind") != "defect", result
        return result

    def recorded(self) -> dict[str, t.Any]:
        """The steps in the ledger, wherever it is kept."""
        context = ModuleContext(checked(profiles_info, self.arguments(profiles_info)), check_mode=True)
        return dict(open_ledger(context).read().steps)

    def endpoint(self, step: str, read_back: bool = True) -> dict[str, t.Any]:
        return super().endpoint(step, read_back and self.options.get("read_back", True))


def surveyed(
    playbook: str, variables: t.Mapping[str, t.Mapping[str, t.Any]], check: bool = False, threads: int = 32
) -> tuple[dict[str, Look], dict[str, EnvironmentStatus]]:
    """Look at all of these hosts at once, by their variables. Nothing in them is a template."""
    survey = Survey(playbook, pace(threads), lambda line: None)
    names = list(variables)
    looks = survey.look(names, lambda name: survey_settings(variables[name], None, playbook, RUN_ONLY, names))
    statuses = survey.outcomes(looks, check)
    defects = [status["failure"] for status in statuses.values() if "A defect" in status["failure"]]
    assert not defects, defects
    return looks, statuses


@functools.cache
def read(path: Path) -> t.Any:
    return yaml.safe_load(path.read_text())


@functools.cache
def compiled(expression: str) -> t.Callable[..., t.Any]:
    return JINJA.compile_expression(expression)


def evaluate(expression: str, variables: t.Mapping[str, t.Any]) -> t.Any:
    return compiled(expression)(**variables)


def value(text: t.Any, variables: t.Mapping[str, t.Any]) -> t.Any:
    """A task's argument: an expression in braces, or a value as it is."""
    found = re.fullmatch(r"\{\{(.*)\}\}", text.strip(), re.DOTALL) if isinstance(text, str) else None
    return evaluate(found[1], variables) if found else text
