# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks' chains of modules without the playbooks: milliseconds instead of seconds for each run.

Each run calls the bodies of the modules with the parameters that the roles pass, in the roles' order, against the
sandbox. That this is what the playbooks do is a test of its own (test_same_as_the_playbooks.py), which compares the
requests of both.
"""

from __future__ import annotations

import threading
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_place import open_ledger
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.clock import Clock
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.modules import (
    flex_source_key,
    profiles_connection,
    profiles_info,
    profiles_link,
    profiles_preflight,
    segment_source,
    segment_source_info,
)
from sandbox.model import SOURCE_NAME
from sandbox.model import Environment as Model
from sandbox.server import SandboxHandle

from .environment import STEPS, Environment, Result, checked

LABELS = {"managed-by": "ansible"}
# Options of the chain, which it gives to the modules as the roles do.
PASSED_ON = ("channel", "labels", "read_back", "friendly_name", "attest_existing")
HARM = ("legacy_name", "wrong_type", "ambiguous")


class QuickClock(Clock):
    """Sleeps at once: time that was slept away counts for the thread that slept, and nobody waits for it.

    For that thread alone, since what another one waits for on the wire meanwhile does not come any sooner.
    """

    skipped = 0.0  # of all threads
    _of_thread = threading.local()

    def monotonic(self) -> float:
        return super().monotonic() + getattr(self._of_thread, "skipped", 0.0)

    def sleep(self, seconds: float) -> None:
        QuickClock.skipped += seconds
        self._of_thread.skipped = getattr(self._of_thread, "skipped", 0.0) + seconds


@dataclass
class Run:
    """What a run of a chain led to: the modules' results in order, and the failure that ended it, if any."""

    results: dict[str, Result] = field(default_factory=dict)
    failure: Result | None = None

    @property
    def changed(self) -> list[str]:
        return [name for name, result in self.results.items() if result.get("changed")]

    @property
    def pending(self) -> dict[str, Result]:
        steps = {name: r["handover"] for name, r in self.results.items() if "handover" in r}
        return {name: handover for name, handover in steps.items() if handover["status"] == "pending"}

    @property
    def verdicts(self) -> list[str]:
        return [said["verdict"] for said in self.results["verify"]["steps"].values()]


class Stop(Exception):
    pass


class Chain(Environment):
    """One environment as a run of the playbooks sees it."""

    def __init__(self, sandbox: SandboxHandle, state_dir: Path, name: str = "dev", **options: t.Any) -> None:
        defaults = {"channel": "endpoint", "labels": LABELS, "timeout": 10.0, "retry_budget": 20.0}
        super().__init__(sandbox, state_dir, name, **{**defaults, **options})
        self.last = Run()
        self.check = False
        self.past: Model | None = None  # what a stale answer shows, see Scenario.begin

    @property
    def known(self) -> dict[str, t.Any]:
        return {option: value for option, value in super().known.items() if option not in PASSED_ON}

    def connect(self, confirm: dict[str, t.Any] | None = None, check: bool = False) -> Run:
        return self._play(self._connect, confirm, check)

    def recover(self, confirm: dict[str, t.Any] | None = None, check: bool = False) -> Run:
        return self._play(self._recover, confirm, check)

    def _play(self, play: t.Callable[[dict[str, t.Any]], None], confirm: dict[str, t.Any] | None, check: bool) -> Run:
        self.last, self.check = Run(), check
        try:
            play(confirm or {})
        except Stop:
            pass
        return self.last

    def _connect(self, confirm: dict[str, t.Any]) -> None:
        self._preflight(*STEPS)
        connection = self._do(
            "connection",
            profiles_connection,
            profile_token=self.env.profile_token,
            friendly_name=self.options.get("friendly_name", self.name),
            allow_write_events=True,
            **self._handover("connection", confirm),
        )
        source = None
        if connection["handover"]["status"] == "done":
            how, sent = connection["handover"]["how"], connection["handover"]["sent"]
            may_come = connection["changed"] and how != "existing" and (how == "attested" or sent or not self.check)
            source = self._source(create=False, wait_timeout=60 if may_come else 0)
            self._link_and_key(source, confirm, done_by_form=True)
        self._verify(source)

    def _recover(self, confirm: dict[str, t.Any]) -> None:
        self._preflight("link", "key")
        ledger = self._do("ledger", profiles_info, read_evidence=False)
        recorded = ledger["recorded"]
        found = self._do(
            "diagnosis",
            segment_source_info,
            recorded_source_id=recorded["source_id"],
            recorded_key_fingerprint=recorded["key_fingerprint"],
            read_audit_trail=True,
        )
        harm = (*HARM, "absent")
        if stop := [f for f in found["findings"] if f["problem"] in harm]:
            self.last.failure = {"failed": True, "msg": stop[0]["detail"], "failure": {"kind": "refused"}}
            raise Stop
        source = self._source(create=True, wait_timeout=0, source_id=(found["source"] or {}).get("id"))
        self._link_and_key(source, confirm, done_by_form=False)
        self._verify(source)

    def _preflight(self, *steps: str) -> None:
        token, existing = self.env.profile_token, self.options.get("attest_existing")
        endpoints = None
        if self.options["channel"] == "endpoint":
            endpoints = {step: self.endpoint(step) for step in steps}
        common = {"profile_token": token, "allow_write_events": True, "attest_existing": existing}
        self._do("space", profiles_preflight, **common, endpoints=endpoints)

    def _source(self, **parameters: t.Any) -> Result:
        return t.cast(
            Result, self._do("source", segment_source, source_labels=self.options["labels"], **parameters)["source"]
        )

    def _link_and_key(self, source: Result, confirm: dict[str, t.Any], done_by_form: bool) -> None:
        common = {"source_id": source["id"], "source_name": SOURCE_NAME, "done_by_form": done_by_form}
        self._do("link", profiles_link, **common, **self._handover("link", confirm, done_by_form))
        keys = {"key_fingerprints": source["key_fingerprints"]}
        self._do("key", flex_source_key, **common, **keys, **self._handover("key", confirm, done_by_form))

    def _verify(self, source: Result | None) -> None:
        self._do(
            "verify",
            profiles_info,
            source_id=source["id"] if source else None,
            key_fingerprints=source["key_fingerprints"] if source else [],
            read_back={name: self._read_back(name) for name in STEPS},
            clock_skew=self._skew,
        )

    def _read_back(self, step: str) -> bool | None:
        return t.cast("bool | None", self.last.results.get(step, {}).get("handover", {}).get("read_back"))

    @property
    def _skew(self) -> float:
        return float(self.last.results["space"]["clock_skew"])

    def recorded(self) -> dict[str, t.Any]:
        """What the ledger says, wherever it is kept."""
        context = ModuleContext(checked(profiles_info, self.arguments(profiles_info)), check_mode=True)
        return dict(open_ledger(context).read().steps)

    def _handover(self, step: str, confirm: dict[str, t.Any], existing: bool = True) -> dict[str, t.Any]:
        parameters = {"channel": self.options["channel"], "confirm": confirm.get(step), "clock_skew": self._skew}
        parameters |= {"attest_existing": self.options.get("attest_existing") if existing else None}
        if self.options["channel"] == "endpoint":
            parameters["endpoint"] = self.endpoint(step)
            if not self.last.results.get("connection", {}).get("changed"):
                parameters["seen"] = self.last.results["space"]["seen"]
        return parameters

    def endpoint(self, step: str, read_back: bool = True) -> dict[str, t.Any]:
        return super().endpoint(step, read_back and self.options.get("read_back", True))

    def _do(self, name: str, module: ModuleType, **options: t.Any) -> Result:
        result = self.last.results[name] = self.run(module, self.check, **options)
        if result.get("failed"):
            self.last.failure = result
            raise Stop
        return result
