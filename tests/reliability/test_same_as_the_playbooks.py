# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chains that these tests run in process send what the playbooks send."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.times import parse_time
from sandbox.server import SandboxHandle
from support.chain import Chain
from support.scenarios import CONNECT, RECOVER, SCENARIOS, Snapshot, settle

COMPARED = ("first connect", "connect again", "recover, deleted", "recover, wrong type", "recover, deleted, put back")


def requests(sandbox: SandboxHandle) -> tuple[list[str], list[str]]:
    """All requests, sorted, since some go out together; and the writes in their order."""

    def line(entry: dict[str, Any]) -> str:
        query = re.sub(r"[0-9]{4}-[0-9-]+T[0-9%A:.]+Z", "<time>", entry["query"])
        return re.sub("user_id:[^/]*", "<user>", f"{entry['method']} {entry['path']}?{query} {entry['status']}")

    journal = [line(entry) for entry in sandbox.journal()]
    return sorted(journal), [entry for entry in journal if not entry.startswith("GET")]


def snapshots(chain: Chain) -> tuple[str, str]:
    """The settings of a chain that differ from their defaults."""
    given = {
        name: chain.options[name] for name in ("snapshot", "snapshot_max_age", "remember") if name in chain.options
    }
    return "-e", json.dumps({f"unified_profiles_{name}": value for name, value in given.items()})


@pytest.mark.parametrize(
    ("name", "check"), [(name, False) for name in COMPARED] + [(name, True) for name in COMPARED[::2]]
)
def test_the_same_requests(sandbox: SandboxHandle, project, tmp_path: Path, name: str, check: bool) -> None:
    scenario = SCENARIOS[name]
    chain = scenario.begin(sandbox, project.inventory / ".unified_profiles")
    start = Snapshot(chain)
    getattr(chain, scenario.playbook)(check=check)
    mine = requests(sandbox)
    start.restore()
    project.run(scenario.playbook, "--limit", chain.name, *snapshots(chain), *(["--check"] if check else []))
    assert requests(sandbox) == mine


def test_an_operator_is_asked_for_the_same(sandbox: SandboxHandle, project, tmp_path: Path) -> None:
    scenario = SCENARIOS["recover, deleted, operator"]
    chain = scenario.begin(sandbox, project.inventory / ".unified_profiles")
    start = Snapshot(chain)
    chain.recover()
    mine, ledger = requests(sandbox), project.ledger("dev")
    start.restore()
    project.run(RECOVER, "--limit", "dev", "-e", "unified_profiles_channel=operator", *snapshots(chain))
    assert requests(sandbox) == mine
    asked = {step: records["asked"]["subject"] for step, records in ledger.items() if "asked" in records}
    assert asked
    theirs = project.ledger("dev")
    assert {step: theirs[step]["asked"]["subject"] for step in asked} == asked


def test_tasks_have_the_time_from_the_look(sandbox: SandboxHandle, project, tmp_path: Path) -> None:
    """What is recorded is compared with Segment's times, so it has Segment's time."""
    sandbox.advance(1800)
    project.run(CONNECT, "--limit", "dev", "-e", "unified_profiles_channel=operator")
    asked = parse_time(project.ledger("dev")["connection"]["asked"]["at"])
    assert abs((sandbox.world.now() - asked).total_seconds()) < 900


def test_the_end_is_the_same(sandbox: SandboxHandle, project, tmp_path: Path) -> None:
    """A playbook has nothing left to do after a chain, and a chain nothing after a playbook."""
    chain = SCENARIOS["first connect"].begin(sandbox, project.inventory / ".unified_profiles")
    settle(chain, CONNECT)
    assert project.run(CONNECT, "--limit", "dev").changed == {"dev": 0}
    sandbox.sabotage("dev", "delete-source")
    project.run(RECOVER, "--limit", "dev")
    assert settle(chain, RECOVER).changed == []
