# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Killed (SIGKILL) before or after any request, and while the ledger is written; then a run mends everything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from chain import Chain
from sandbox.server import Running
from scenarios import CONNECT, SCENARIOS, Scenario, Snapshot, assert_connected, check_settled, sample, settle

NAMES = [name for name, scenario in SCENARIOS.items() if not scenario.refused and "operator" not in name]
ROOT = Path(__file__).resolve().parent.parent.parent


def kill_at(sandbox: Running, chain: Chain, playbook: str, nth: int, phase: str) -> int:
    """Kill the run when its nth request arrives, or when its answer is ready."""
    child = 0
    started = threading.Event()

    def hook(at: str, entry: dict[str, Any]) -> bool | None:
        if (at, entry["n"]) != (phase, nth):
            return None
        started.wait(10)
        os.kill(child, signal.SIGKILL)
        return at == "after"  # the request that was killed before it arrived is not processed

    sandbox.on_request(hook)
    child = os.fork()
    if child == 0:
        try:
            getattr(chain, playbook)()
        finally:
            os._exit(0)
    started.set()
    try:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        sandbox.on_request(None)


@pytest.mark.parametrize("name", NAMES)
def test_killed_at_any_request(sandbox: Running, tmp_path: Path, name: str, full: bool, count) -> None:
    scenario = SCENARIOS[name]
    chain = scenario.begin(sandbox, tmp_path)
    start = Snapshot(chain)
    getattr(chain, scenario.playbook)()
    journal = sandbox.journal()
    writes = [n for n, entry in enumerate(journal, 1) if entry["write"]]
    reads = [n for n in range(1, len(journal) + 1) if n not in writes]
    cases = [
        (n, phase) for n in (*writes, *sample(reads, 1.0 if full else 0.15, name)) for phase in ("before", "after")
    ]
    wrong = []
    for nth, phase in cases:
        start.restore()
        try:
            assert kill_at(sandbox, chain, scenario.playbook, nth, phase) == -signal.SIGKILL
            mends(chain, scenario, start)
        except AssertionError as error:
            wrong.append(f"{phase} request {nth} ({journal[nth - 1]['method']} {journal[nth - 1]['path']}): {error}")
        count("killed before or after a request, then a run")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("call", ["os.replace", "os.fsync"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("name", ["first connect", "recover, deleted"])
def test_killed_while_the_ledger_is_written(
    sandbox: Running, tmp_path: Path, name: str, call: str, after: bool, nth: int, count
) -> None:
    """What was done and not recorded is done or asked for again, never taken for granted."""
    scenario = SCENARIOS[name]
    chain = scenario.begin(sandbox, tmp_path)
    start = Snapshot(chain)
    module = __import__(call.split(".")[0])
    real, calls = getattr(module, call.split(".")[1]), iter(range(1, 100))

    def deadly(*args: Any, **kwargs: Any) -> Any:
        last = next(calls) == nth
        result = real(*args, **kwargs) if after or not last else None
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    child = os.fork()
    if child == 0:
        try:
            setattr(module, call.split(".")[1], deadly)
            getattr(chain, scenario.playbook)()
        finally:
            os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert ended == -signal.SIGKILL or nth > 2
    mends(chain, scenario, start)
    count("killed while the ledger is written, then a run")


def mends(chain: Chain, scenario: Scenario, start: Snapshot) -> None:
    assert_connected(chain, settle(chain, scenario.playbook))
    start.assert_nothing_lost()
    check_settled(chain, scenario.playbook)


@pytest.mark.parametrize(
    ("playbook", "match", "phase"),
    [
        (CONNECT, "POST /handover/dev/connection", "before"),
        (CONNECT, "POST /handover/dev/connection", "after"),
        ("recover", "POST /segment/us/sources", "after"),
        ("recover", "POST /handover/dev/key", "after"),
        ("recover", "GET /twilio/monitor/v1/Alerts", "before"),
    ],
)
def test_the_whole_playbook_killed(sandbox: Running, project, playbook: str, match: str, phase: str, count) -> None:
    name = "first connect" if playbook == CONNECT else "recover, deleted"
    chain = SCENARIOS[name].begin(sandbox, project.inventory / ".unified_profiles")
    start = Snapshot(chain)
    started, hit = threading.Event(), []

    def hook(at: str, entry: dict[str, Any]) -> bool | None:
        if at != phase or hit or f"{entry['method']} {entry['path']}" != match:
            return None
        started.wait(10)
        hit.append(entry)
        os.killpg(process.pid, signal.SIGKILL)
        return at == "after"

    sandbox.on_request(hook)
    process = subprocess.Popen(
        [
            *(Path(sys.executable).with_name("ansible-playbook"), "-i", project.inventory),
            *(ROOT / f"playbooks/{playbook}.yml", "--limit", "dev"),
        ],
        cwd=project.folder,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "SANDBOX_PORT": sandbox.url.rpartition(":")[2]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    started.set()
    assert process.wait(120) == -signal.SIGKILL
    sandbox.on_request(None)
    assert hit
    run = project.run(playbook, "--limit", "dev")
    assert run.status == 0, run.output
    start.assert_nothing_lost()
    check_settled(chain, playbook)
    assert_connected(chain, chain.run)
    count("whole playbook killed, then a run")
