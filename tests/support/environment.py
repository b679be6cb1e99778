# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An environment of the sandbox, and the modules' bodies on it: milliseconds instead of seconds for each run."""

from __future__ import annotations

import copy
import json
import typing as t
from pathlib import Path
from types import ModuleType

import yaml
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.arguments import check
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import run_in_process
from sandbox.model import SOURCE_NAME, Source
from sandbox.model import Environment as Model
from sandbox.server import SandboxHandle

from .project import ROOT

Result = dict[str, t.Any]
STEPS = ("connection", "link", "key")
# As the sandbox's own inventory calls its gateway.
ENDPOINTS: dict[str, dict[str, t.Any]] = yaml.safe_load(
    (ROOT / "inventories/sandbox/group_vars/unified_profiles.yml").read_text()
)["unified_profiles_endpoints"]


def checked(module: ModuleType, options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """A module's parameters as its body gets them: checked, with defaults."""
    params, problems = check(module.SPEC.argument_spec, copy.deepcopy(options), **module.SPEC.constraints)
    assert not problems, problems
    return params


class Environment:
    """One environment of the sandbox.

    Attributes:
        env: The sandbox's model of it.
        options: Given to each module that has an option of the name.
    """

    def __init__(self, sandbox: SandboxHandle, state_dir: Path, name: str = "dev", **options: t.Any) -> None:
        self.sandbox, self.state_dir, self.name, self.options = sandbox, state_dir, name, options

    @property
    def env(self) -> Model:
        return self.sandbox.world.environments[self.name]

    @property
    def twilio_sources(self) -> list[Source]:
        return [source for source in self.env.sources.values() if source.name == SOURCE_NAME]

    @property
    def known(self) -> dict[str, t.Any]:
        """The options that every module gets, as far as it has an option of the name."""
        return {
            "sandbox_url": self.sandbox.url,
            "segment_region": self.env.region,
            "segment_token": self.env.segment_token,
            "twilio_account_sid": self.env.account_sid,
            "twilio_api_key": self.env.api_key,
            "twilio_api_secret": self.env.api_secret,
            "space_id": self.env.space["id"],
            "environment": self.name,
            "state_dir": str(self.state_dir),
            "timeout": 5.0,
            "retry_budget": 0.0,
            **self.options,
        }

    def arguments(self, module: ModuleType, **options: t.Any) -> dict[str, t.Any]:
        """A task's arguments: what is known of the environment, and these options, all of which the module must have."""
        return {name: value for name, value in self.known.items() if name in module.SPEC.argument_spec} | options

    def run(self, module: ModuleType, check_mode: bool = False, **options: t.Any) -> Result:
        """A module as it runs in process, without ansible-playbook around it; its result, also when it failed."""
        result = run_in_process(module.run, checked(module, self.arguments(module, **options)), check_mode)
        # Whatever happens: a defect of the collection is never the reason.
        assert result.get("failure", {}).get("kind") != "defect", result
        return result

    def endpoint(self, step: str, read_back: bool = True) -> dict[str, t.Any]:
        """The sandbox's gateway for a step, with or without a way to read back what is set in the console."""
        url, of_inventory = f"{self.sandbox.url}/handover/{self.name}/{step}", ENDPOINTS[step]
        headers = {"Authorization": f"Bearer {self.env.gateway_token}"}
        endpoint = {"url": url, "headers": headers, "body": of_inventory["body"]}
        return {**endpoint, "read_url": url, "read_path": of_inventory["read_path"]} if read_back else endpoint

    def ledger(self, step: str) -> dict[str, t.Any]:
        """The records of a step in the ledger's file; empty where there are none."""
        path = self.state_dir / f"ledger/{self.name}.json"
        steps: dict[str, dict[str, t.Any]] = json.loads(path.read_text())["steps"] if path.exists() else {}
        return steps.get(step, {})

    def work(self, engagements: int = 3) -> None:
        """Agents end engagements, a while after whatever was done before, and Segment counts them."""
        self.sandbox.work(self.name, count=engagements)
