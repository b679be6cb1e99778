# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Killed (SIGKILL) before or after any request, and while the ledger is written; then a run mends everything."""

from __future__ import annotations

import faulthandler
import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sandbox.server import SandboxHandle
from support.chain import Chain, Run
from support.project import ROOT
from support.scenarios import SCENARIOS, Scenario, Snapshot, assert_connected, check_settled, sample, settle

# Seconds, less than a look may take. What still runs then hangs, and says where.
HANGS = 100
NAMES = [name for name, scenario in SCENARIOS.items() if not scenario.refused and "operator" not in name]


def kill_at(sandbox: SandboxHandle, run: Callable[[], object], nth: int, phase: str) -> int:
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
    told, says = os.pipe()
    child = os.fork()
    # Of the sandbox's thread in this process, and of the run's threads in the other one.
    faulthandler.dump_traceback_later(HANGS, file=says)
    if child == 0:
        try:
            ended = f"It ended, and failed with {getattr(run(), 'failure', None)}"
        except BaseException:
            ended = traceback.format_exc()
        os.write(says, ended.encode()[-4000:])
        os._exit(0)
    started.set()
    try:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    finally:
        sandbox.on_request(None)
        faulthandler.cancel_dump_traceback_later()
        os.close(says)
    with open(told, encoding="utf-8", errors="replace") as pipe:
        # A run that ends before its request says why.
        assert status, pipe.read()
    return status


@pytest.mark.parametrize("name", NAMES)
def test_killed_at_any_request(sandbox: SandboxHandle, tmp_path: Path, name: str, full: bool, count) -> None:
    scenario = SCENARIOS[name]
    chain = scenario.begin(sandbox, tmp_path)
    start = Snapshot(chain)
    play = getattr(chain, scenario.playbook)
    play()
    journal = sandbox.journal()
    writes = [n for n, entry in enumerate(journal, 1) if entry["write"]]
    reads = [n for n in range(1, len(journal) + 1) if n not in writes]
    chosen = [*writes, *reads] if full else [*sample(writes, 0.25, name), *sample(reads, 0.07, name)]
    cases = [(n, phase) for n in chosen for phase in ("before", "after")]
    wrong = []
    for nth, phase in cases:
        start.restore()
        try:
            assert kill_at(sandbox, play, nth, phase) == -signal.SIGKILL
            sandbox.clear_journal()
            mends(chain, scenario, start, "" if chain.options.get("read_back", True) else journal[nth - 1]["path"])
        except AssertionError as error:
            wrong.append(f"{phase} request {nth} ({journal[nth - 1]['method']} {journal[nth - 1]['path']}): {error}")
        count("killed before or after a request, then a run")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["first connect", "connect again, ledger in Sync", "recover, deleted"])
def test_a_look_that_is_killed_loses_nothing(
    sandbox: SandboxHandle, tmp_path: Path, name: str, full: bool, count
) -> None:
    scenario = SCENARIOS[name]
    chain = scenario.begin(sandbox, tmp_path)
    start = Snapshot(chain)

    def look() -> None:
        chain.look(Run(), scenario.playbook, chain.variables, check=False)

    look()
    cases = [(nth, phase) for nth in range(1, len(sandbox.journal()) + 1) for phase in ("before", "after")]
    for nth, phase in sample(cases, 1.0 if full else 0.2, name):
        start.restore()
        assert kill_at(sandbox, look, nth, phase) == -signal.SIGKILL
        assert start.same()
        assert sandbox.journal(writes=True) == []
        count("killed during a look")
    assert_connected(chain, settle(chain, scenario.playbook))


@pytest.mark.parametrize("call", ["os.replace", "os.fsync"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("nth", [1, 2, 3, 4, 6])  # a look at the place, then the ledger, for each step
@pytest.mark.parametrize("name", ["first connect", "recover, deleted"])
def test_killed_while_the_ledger_is_written(
    sandbox: SandboxHandle, tmp_path: Path, name: str, call: str, after: bool, nth: int, count
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


def mends(chain: Chain, scenario: Scenario, start: Snapshot, blind: str = "") -> None:
    """One more run puts all right; and what went to an endpoint that cannot be looked at is not sent again."""
    assert_connected(chain, settle(chain, scenario.playbook))
    if blind.startswith("/handover/"):
        assert blind not in [entry["path"] for entry in chain.sandbox.journal(writes=True)], "sent again"
    start.assert_nothing_lost()
    check_settled(chain, scenario.playbook)


# Of the playbooks as a whole, some in every run of the tests: scenario, request and phase.
WHOLE = (
    ("first connect", "POST /handover/dev/connection", "before"),
    ("first connect", "POST /handover/dev/connection", "after"),
    ("recover, deleted", "POST /segment/us/sources", "after"),
    ("recover, deleted", "GET /twilio/monitor/v1/Alerts", "before"),
)
SLOW = (
    *("first connect", "connect, renamed", "connect, labels lost"),
    *("recover, deleted", "recover, key removed", "recover, renamed"),
)


@pytest.mark.parametrize(("name", "match", "phase"), WHOLE)
def test_the_whole_playbook_killed(sandbox: SandboxHandle, project, name: str, match: str, phase: str, count) -> None:
    chain = SCENARIOS[name].begin(sandbox, project.inventory / ".unified_profiles")
    start = Snapshot(chain)
    kill_the_playbook(sandbox, project, SCENARIOS[name], match, phase)
    run_again(project, chain, SCENARIOS[name], start)
    count("whole playbook killed, then a run")


def test_nothing_is_sent_once_the_terminal_is_closed(sandbox: SandboxHandle, project) -> None:
    """SIGHUP between the last request that reads and the hand-over: its worker lives on, and sends nothing."""
    chain = SCENARIOS["first connect"].begin(sandbox, project.inventory / ".unified_profiles")
    start = Snapshot(chain)
    chain.connect()
    lines = [line_of(entry) for entry in sandbox.journal()]
    at = lines.index("POST /handover/dev/connection") - 1
    start.restore()
    rest = iter(range(lines[:at].count(lines[at]), -1, -1))
    controller, terminal = pty.openpty()
    alive, ended = os.pipe()
    started, closing = threading.Event(), threading.Event()

    def read() -> None:
        while not closing.is_set():
            if select.select([controller], [], [], 0.05)[0]:
                os.read(controller, 65536)

    reader = threading.Thread(target=read)

    def close_the_terminal(phase: str, entry: dict[str, Any]) -> None:
        if phase == "after" and line_of(entry) == lines[at] and next(rest, -1) == 0:
            started.wait(10)
            closing.set()
            reader.join()
            os.close(controller)
            process.wait(120)

    def take_the_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        # Tests that nohup runs ignore it, and what they start would too.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    sandbox.on_request(close_the_terminal)
    process = subprocess.Popen(
        [
            *(Path(sys.executable).with_name("ansible-playbook"), "-i", project.inventory),
            *(ROOT / "playbooks/connect.yml", "--limit", "dev"),
        ],
        cwd=project.folder,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "SANDBOX_PORT": sandbox.url.rpartition(":")[2]},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=take_the_terminal,
        pass_fds=[ended],
    )
    os.close(terminal)
    os.close(ended)
    reader.start()
    started.set()
    # Every process of the run holds the other end.
    assert os.read(alive, 1) == b""
    os.close(alive)
    assert closing.is_set()
    # Another thread waits for it as well, and may have seen its end first.
    assert process.wait() == -signal.SIGHUP
    assert sandbox.journal(writes=True) == []


@pytest.mark.full
@pytest.mark.parametrize("name", SLOW)
def test_the_whole_playbook_killed_at_every_write(sandbox: SandboxHandle, project, name: str, count) -> None:
    """Before and after every request that writes, and a sample of those that read."""
    scenario = SCENARIOS[name]
    chain = scenario.begin(sandbox, project.inventory / ".unified_profiles")
    start = Snapshot(chain)
    getattr(chain, scenario.playbook)()
    lines = [(line_of(entry), entry["write"]) for entry in sandbox.journal()]
    # By line and how many like it went before, since some requests go out together.
    nth = [(line, sum(other == line for other, _write in lines[:n])) for n, (line, _write) in enumerate(lines)]
    writes = [at for at, (_line, write) in zip(nth, lines) if write]
    reads = sample([at for at, (_line, write) in zip(nth, lines) if not write], 0.2, name)
    for line, before in writes + reads:
        for phase in ("before", "after"):
            start.restore()
            kill_the_playbook(sandbox, project, scenario, line, phase, before)
            run_again(project, chain, scenario, start)
            count("whole playbook killed, then a run")


def line_of(entry: dict[str, Any]) -> str:
    """Method and path. The user that the Profile API is asked for is another one in every run."""
    return f"{entry['method']} {re.sub('user_id:[^/]*', 'user_id:', entry['path'])}"


def kill_the_playbook(
    sandbox: SandboxHandle, project: Any, scenario: Scenario, line: str, phase: str, before: int = 0
) -> None:
    """Start the playbook, and SIGKILL it with all its workers at such a request, after so many like it."""
    started, hit, rest = threading.Event(), [], iter(range(before, -1, -1))

    def hook(at: str, entry: dict[str, Any]) -> bool | None:
        if hit or (at, line_of(entry)) != (phase, line) or next(rest) > 0:
            return None
        started.wait(10)
        hit.append(entry)
        os.killpg(process.pid, signal.SIGKILL)
        return at == "after"  # the request that was killed before it arrived is not processed

    sandbox.on_request(hook)
    process = subprocess.Popen(
        [
            *(Path(sys.executable).with_name("ansible-playbook"), "-i", project.inventory),
            *(ROOT / f"playbooks/{scenario.playbook}.yml", "--limit", "dev"),
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


def run_again(project: Any, chain: Chain, scenario: Scenario, start: Snapshot) -> None:
    run = project.run(scenario.playbook, "--limit", "dev")
    assert run.status == 0, run.output
    start.assert_nothing_lost()
    assert_connected(chain, check_settled(chain, scenario.playbook))
