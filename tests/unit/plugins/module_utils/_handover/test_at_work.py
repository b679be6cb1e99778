# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run at a time acts on an environment, whether the ledger is in a file or in Sync."""

from __future__ import annotations

import datetime
import json
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import UnknownOutcome
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.process import Process, run_process
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.times import parse_time
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients.twilio_sync import SyncApi
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover import at_work
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.at_work import Holder
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger import HELD_SECONDS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_file import FileLedger
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.clock import Clock
from ansible_collections.flexops.unified_profiles.plugins.modules import profiles_lock
from sandbox.server import SandboxHandle
from support.environment import Environment

FORK = multiprocessing.get_context("fork")


@pytest.fixture(params=["file", "sync"])
def environment(request: pytest.FixtureRequest, sandbox: SandboxHandle, tmp_path: Path) -> Environment:
    return Environment(sandbox, tmp_path, ledger=request.param)


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """The process of another run."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        yield child
        child.kill()


def documents(environment: Environment) -> dict[str, Any]:
    env = environment.env
    return env.services[env.default_service]["documents"]


def lock(environment: Environment) -> Any:
    """What the lock holds."""
    if environment.options["ledger"] == "file":
        path = environment.state_dir / "ledger/dev.run"
        return json.loads(path.read_text()) if path.exists() else None
    now = environment.sandbox.world.now()
    live = [
        d
        for d in documents(environment).values()
        if d["unique_name"] == "run-of-unified-profiles-dev" and d["expires"] > now
    ]
    return live[0]["data"] if live else None


def held_by(environment: Environment, process: Process, at: str = "", **more: Any) -> None:
    """Have another run's lock there."""
    environment.run(profiles_lock)
    document = {**lock(environment), **asdict(process), "user": "jane", "since": "2026-11-24T10:02:31Z", **more}
    if environment.options["ledger"] == "file":
        (environment.state_dir / "ledger/dev.run").write_text(json.dumps(document))
    else:
        (held,) = documents(environment).values()
        held.update(data=document, revision=held["revision"] + 1)


def live(child: subprocess.Popen[bytes]) -> Process:
    return replace(run_process(), pid=child.pid, started="")


ELSEWHERE = Process("elsewhere pid:[1]", 4711, "12345")


def test_a_lock_is_taken_renewed_and_given_back(environment, monkeypatch):
    first = environment.run(profiles_lock)
    assert (first["changed"], first["taken"], first["holder"]["pid"]) == (False, True, os.getppid())
    before = lock(environment)
    later = Clock().now() + datetime.timedelta(minutes=1)
    monkeypatch.setattr(Clock, "now", lambda self: later)
    assert environment.run(profiles_lock) == {**first, "taken": False}
    assert lock(environment) == {**before, "renewed": lock(environment)["renewed"]}
    assert lock(environment)["renewed"] > before["renewed"]
    assert environment.run(profiles_lock, state="released") == {"changed": False, "taken": False, "holder": None}
    assert lock(environment) is None
    assert environment.run(profiles_lock, state="released")["changed"] is False


@pytest.mark.parametrize("check", [False, True])
def test_a_second_run_is_told_who_is_at_work(environment, other, check):
    held_by(environment, live(other))
    before = lock(environment)
    refused = environment.run(profiles_lock, check_mode=check)
    assert refused["failed"]
    assert refused["failure"]["kind"] == "refused"
    assert refused["failure"]["holder"] == {
        "user": "jane",
        "host": run_process().host.split()[0],
        "pid": other.pid,
        "since": "2026-11-24T10:02:31Z",
    }
    place = "dev.run" if environment.options["ledger"] == "file" else "'run-of-unified-profiles-dev'"
    for part in (f"jane@{run_process().host.split()[0]}", str(other.pid), "2026-11-24T10:02:31Z", "delete", place):
        assert part in refused["msg"]
    # Nor does it take the lock away when it ends.
    environment.run(profiles_lock, state="released", check_mode=check)
    assert lock(environment) == before


def test_the_lock_of_a_run_that_ended_is_free_at_once(environment, other):
    held_by(environment, live(other))
    other.kill()
    other.wait()
    assert environment.run(profiles_lock)["holder"]["pid"] == os.getppid()
    assert lock(environment)["pid"] == os.getppid()
    assert lock(environment)["since"] != "2026-11-24T10:02:31Z"


@pytest.mark.parametrize(
    ("seconds", "free"),
    [(-HELD_SECONDS, True), (1 - HELD_SECONDS, False), (HELD_SECONDS - 1, False), (HELD_SECONDS, True)],
)
def test_the_lock_of_another_host_ends_after_an_hour(environment, monkeypatch, seconds, free):
    """Or was written by a clock that is as far ahead."""
    held_by(environment, ELSEWHERE)
    refused = environment.run(profiles_lock)
    assert "jane@elsewhere (process 4711)" in refused["msg"]
    assert "ends at" in refused["msg"]
    renewed = parse_time(lock(environment)["renewed"])
    monkeypatch.setattr(Clock, "now", lambda self: renewed + datetime.timedelta(seconds=seconds))
    assert bool(environment.run(profiles_lock).get("failed")) is not free
    assert (lock(environment)["host"] == run_process().host) is free


def test_sync_deletes_a_lock_that_nobody_renews(sandbox, tmp_path):
    environment = Environment(sandbox, tmp_path, ledger="sync")
    held_by(environment, ELSEWHERE, renewed="2999-01-01T00:00:00Z")
    sandbox.clear_journal()
    sandbox.advance(HELD_SECONDS + 1)
    assert lock(environment) is None
    assert not environment.run(profiles_lock).get("failed")


def test_check_mode_writes_nothing(environment):
    held = environment.run(profiles_lock, check_mode=True)
    assert held["holder"]["pid"] == os.getppid()
    environment.run(profiles_lock)
    environment.sandbox.clear_journal()
    environment.run(profiles_lock, state="released", check_mode=True)
    assert environment.sandbox.journal() == []
    assert lock(environment)


def test_check_mode_makes_no_folder(sandbox, tmp_path):
    Environment(sandbox, tmp_path).run(profiles_lock, check_mode=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": true}', "\0", '{"user": "jane", "pid": 1}'])
def test_a_lock_that_names_nobody_keeps_nobody_out(sandbox, tmp_path, text):
    environment = Environment(sandbox, tmp_path, ledger="file")
    (tmp_path / "ledger").mkdir()
    (tmp_path / "ledger/dev.run").write_text(text)
    assert not environment.run(profiles_lock).get("failed")
    assert lock(environment)["pid"] == os.getppid()


def race(workers: int, attempt: Callable[[], bool]) -> int:
    """In how many of the processes, each with a parent of its own, the attempt succeeds."""
    barrier, ends = FORK.Barrier(workers), FORK.Event()

    def work(results: Any) -> None:
        barrier.wait(20)
        results.put(attempt())
        ends.wait(20)  # the winner lives until all have tried

    results = FORK.Queue()
    children = [FORK.Process(target=work, args=(results,)) for _worker in range(workers)]
    for child in children:
        child.start()
    won = sum(results.get(timeout=20) for _child in children)
    ends.set()
    for child in children:
        child.join()
    return won


@pytest.mark.parametrize("stale", [False, True])
def test_of_several_takers_one_wins(environment, other, monkeypatch, stale):
    if stale:
        held_by(environment, live(other))
        other.kill()
        other.wait()
    # Each of them is a run.
    me = run_process()
    monkeypatch.setattr(at_work, "run_process", lambda: replace(me, pid=os.getpid(), started=""))
    assert race(6, lambda: not environment.run(profiles_lock).get("failed")) == 1


def test_a_taker_that_came_in_between_is_seen(environment, other, monkeypatch):
    """After the look and before the write."""
    real, calls = type(_ledger(environment)).read_lock, iter([True])

    def read_lock(self: Any) -> Any:
        found = real(self)
        if next(calls, False):
            held_by(environment, live(other))
        return found

    monkeypatch.setattr(type(_ledger(environment)), "read_lock", read_lock)
    assert environment.run(profiles_lock)["failure"]["holder"]["pid"] == other.pid


def _ledger(environment: Environment) -> Any:
    from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_sync import SyncLedger

    return (
        FileLedger(environment.state_dir, "dev")
        if environment.options["ledger"] == "file"
        else SyncLedger(None, "default", "dev")  # type: ignore[arg-type]
    )


def test_a_write_whose_answer_was_lost_is_looked_up(sandbox, tmp_path, monkeypatch):
    environment, real, lost = Environment(sandbox, tmp_path, ledger="sync"), SyncApi.save, iter([True])

    def save(*args: Any, **kwargs: Any) -> Any:
        saved = real(*args, **kwargs)
        if next(lost, False):
            raise UnknownOutcome("no answer")
        return saved

    monkeypatch.setattr(SyncApi, "save", save)
    assert not environment.run(profiles_lock).get("failed")
    assert lock(environment)["pid"] == os.getppid()
    assert len(documents(environment)) == 1


def test_a_run_that_was_killed_takes_nothing(environment, monkeypatch):
    monkeypatch.setattr(at_work, "run_process", lambda: replace(run_process(), pid=2**22 + 1))
    assert "run has ended" in environment.run(profiles_lock)["msg"]
    assert lock(environment) is None


def test_a_lock_that_cannot_be_given_back_is_a_warning(environment, monkeypatch):
    environment.run(profiles_lock)
    if environment.options["ledger"] == "file":
        path = environment.state_dir / "ledger/dev.lock"
        path.unlink()
        path.mkdir()
    else:
        environment.options["twilio_api_secret"] = "wrong"
    released = environment.run(profiles_lock, state="released")
    assert not released.get("failed")
    assert "The lock of dev stays until this run has ended" in released["warnings"][0]


def test_the_lock_is_no_ledger(sandbox, tmp_path):
    """Not even that of an environment with a name like it."""
    for kind in ("file", "sync"):
        names = set()
        for name in ("dev", "dev.run", "run-of-dev", "run-of-unified-profiles-dev"):
            environment = Environment(sandbox, tmp_path, ledger=kind)
            ledger = _ledger(environment)
            ledger = FileLedger(tmp_path, name) if kind == "file" else type(ledger)(ledger.api, "default", name)
            names |= {ledger.lock_name, str(ledger.path) if kind == "file" else ledger.name}
        assert len(names) == 8


def test_a_user_without_a_name(monkeypatch):
    def getuser() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(at_work.getpass, "getuser", getuser)
    assert at_work._user() == "somebody"


def test_what_the_lock_holds(environment):
    environment.run(profiles_lock)
    assert Holder.parse(lock(environment)) is not None
    assert set(lock(environment)) == {"user", "host", "pid", "started", "since", "renewed"}
