# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An environment of the sandbox that is looked at, and never written to by a look."""

from __future__ import annotations

import typing as t
from pathlib import Path
from types import ModuleType

from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.chain import OPTIONS, Look
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.survey import look
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.arguments import check
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import (
    ModuleContext,
    http_settings,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec
from ansible_collections.flexops.unified_profiles.plugins.modules import (
    flex_source_key,
    profiles_connection,
    profiles_link,
    segment_source,
)
from sandbox.server import SandboxHandle

from .environment import STEPS, Environment

SPEC = ArgumentSpec(OPTIONS).argument_spec
LABELS = {"managed-by": "ansible"}


class Looked(Environment):
    """An environment that is looked at, and acted on as the role connect does."""

    def __init__(self, sandbox: SandboxHandle, state_dir: Path, name: str = "dev", **options: t.Any) -> None:
        consent = {"allow_write_events": True, "source_labels": LABELS, "snapshot": False}
        super().__init__(sandbox, state_dir, name, **{"channel": "endpoint", **consent, **options})
        self.options |= {"friendly_name": name, "profile_token": self.env.profile_token}

    def endpoints(self) -> dict[str, t.Any]:
        return {step: self.endpoint(step) for step in STEPS} if self.options["channel"] == "endpoint" else {}

    def look(self, playbook: str = "connect", workers: int = 1, **options: t.Any) -> Look:
        given = {name: value for name, value in {**self.known, **options}.items() if name in SPEC}
        params, problems = check(SPEC, {"endpoints": self.endpoints(), **given})
        assert problems == []
        self.sandbox.clear_journal()
        files = {path: path.read_bytes() for path in self.state_dir.rglob("*") if path.is_file()}
        transport = Transport(http_settings(params), read_only=True, remember=True)
        found = look(ModuleContext(params, True, transport, workers), playbook)
        assert self.sandbox.journal(writes=True) == []
        assert {path: path.read_bytes() for path in self.state_dir.rglob("*") if path.is_file()} == files
        return found

    def hand_over(self, step: str, module: ModuleType, **options: t.Any) -> dict[str, t.Any]:
        endpoint = self.endpoint(step) if self.options["channel"] == "endpoint" else None
        return dict(self.run(module, endpoint=endpoint, **options)["handover"])

    def connect(self, **confirm: t.Any) -> dict[str, t.Any]:
        """Do what is due, as far as it goes; the hand-overs."""
        done = {"connection": self.hand_over("connection", profiles_connection, confirm=confirm.get("connection"))}
        if done["connection"]["status"] == "done":
            source = self.run(segment_source, create=False, wait_timeout=60)["source"]
            form = {"source_id": source["id"], "done_by_form": True}
            done["link"] = self.hand_over("link", profiles_link, **form)
            keys = source["key_fingerprints"]
            done["key"] = self.hand_over("key", flex_source_key, key_fingerprints=keys, **form)
        return done


def verdicts(found: Look) -> dict[str, str]:
    return {step: said["verdict"] for step, said in found["verdicts"].items()}
