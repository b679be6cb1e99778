# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A project folder as a person has it, and the commands of Ansible in it."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import typing as t
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import yaml
from sandbox.server import SandboxHandle

from . import warm

ROOT = Path(__file__).resolve().parents[2]
# Seconds. Only what hangs takes longer, on the busiest machine.
HANGS = 1200
# None is the collection's. Ansible warns of its own options, and of files that are no UTF-8.
DEPRECATED = re.compile(r"\[DEPRECATION WARNING\]: (?![A-Z0-9_]+\s+option|File\s).*")


@dataclass
class Run:
    """One run of ansible-playbook."""

    status: int
    output: str
    report: dict[str, dict[str, str]]

    @property
    def changed(self) -> Counter[str]:
        """Return how many tasks changed something, by host. A host with no task, as of one with nothing due, has none."""
        found = re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+)", self.output, re.MULTILINE)
        return Counter({host: int(count) for host, count in found})

    @property
    def diffs(self) -> list[str]:
        """The lines of all diffs, sorted, since hosts answer in any order."""
        return sorted(line.strip() for line in self.output.splitlines() if re.match(r"[+-] ", line))


class Project:
    """A folder with an inventory, and the commands a person would run in it."""

    def __init__(self, folder: Path, sandbox: SandboxHandle) -> None:
        self.folder, self.sandbox = folder, sandbox
        self.inventory = folder / "inventory"
        shutil.copytree(
            ROOT / "inventories/sandbox", self.inventory, ignore=shutil.ignore_patterns(".unified_profiles")
        )

    def run(self, playbook: str, *arguments: str, inventory: str | None = None, **environment: str) -> Run:
        path = playbook if "." in playbook else str(ROOT / f"playbooks/{playbook}.yml")
        return self.command("ansible-playbook", path, *arguments, inventory=inventory, **environment)

    def command(self, command: str, *arguments: str, inventory: str | None = None, **environment: str) -> Run:
        kinds = ("", "-limited", "-check", "-check-limited")
        reports = [self.inventory / f".unified_profiles/report{kind}.md" for kind in kinds]
        for report in reports:
            report.unlink(missing_ok=True)
        done = warm.run(
            [str(Path(sys.executable).with_name(command)), "-i", str(inventory or self.inventory), *arguments],
            self.folder,
            {
                **os.environ,
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_NOCOLOR": "1",
                "SANDBOX_PORT": self.sandbox.url.rpartition(":")[2],
            },
            environment,
            HANGS,
        )
        # Every run of the tests shows that, on every core.
        assert not DEPRECATED.search(done.stdout + done.stderr), DEPRECATED.findall(done.stdout + done.stderr)
        rows: dict[str, dict[str, str]] = {}
        for report in filter(Path.exists, reports):
            # As a reader of the rendered Markdown sees it.
            text = re.sub(r"\\([\\`*\[\]<>|~_&:.])", r"\1", report.read_text())
            first = text[text.index("| environment") :].partition("\n\n")[0]
            table = [line.strip("| \n") for line in first.splitlines() if line.startswith("| ")]
            names = table[0].split(" | ")
            rows = {row.split(" | ")[0]: dict(zip(names, row.split(" | "))) for row in table[1:]}
        return Run(done.returncode, done.stdout + done.stderr, rows)

    def hosts(self, **hosts: dict[str, t.Any]) -> None:
        """Replace the inventory's hosts; a host takes the settings of the sandbox environment in its key `like`."""
        merged = {}
        for name, chosen in hosts.items():
            like = chosen.pop("like", "dev")
            gateway = {"unified_profiles_gateway": f"{{{{ unified_profiles_sandbox_url }}}}/handover/{like}"}
            merged[name] = {**self.settings(like), **gateway, **{f"unified_profiles_{k}": v for k, v in chosen.items()}}
        document = {"unified_profiles": {"hosts": merged}}
        (self.inventory / "hosts.yml").write_text(json.dumps(document))

    def settings(self, like: str) -> dict[str, t.Any]:
        """The variables of an environment of the sandbox's own inventory."""
        hosts: dict[str, dict[str, t.Any]] = yaml.safe_load((ROOT / "inventories/sandbox/hosts.yml").read_text())[
            "unified_profiles"
        ]["hosts"]
        return hosts[like]

    def ledger(self, environment: str) -> dict[str, t.Any]:
        path = self.inventory / f".unified_profiles/ledger/{environment}.json"
        steps: dict[str, t.Any] = json.loads(path.read_text())["steps"] if path.exists() else {}
        return steps
