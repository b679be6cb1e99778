# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two playbooks that act on one environment at once: the second says who is at work."""

from __future__ import annotations

import datetime
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.process import run_process
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.times import format_time
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.at_work import Holder
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger import HELD_SECONDS
from support.chain import Chain
from support.project import ROOT

ONE_HOUR = datetime.timedelta(seconds=HELD_SECONDS)
SINCE = "2026-11-24T10:02:31Z"


@pytest.fixture
def other() -> Iterator[subprocess.Popen]:
    """The process of another run."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        yield child
        child.kill()


def held(pid: int, host: str = "") -> dict:
    process = replace(run_process(), pid=pid, started="")
    if host:
        process = replace(process, host=host)
    return asdict(Holder("jane", since=SINCE, renewed=SINCE, **asdict(process)))


def lock_file(project) -> Path:
    return project.inventory / ".unified_profiles/ledger/dev.run"


@pytest.mark.newest_only
def test_the_second_run_is_told_who_is_at_work_and_the_rest_goes_on(project, sandbox, other):
    lock_file(project).parent.mkdir(parents=True)
    lock_file(project).write_text(json.dumps(held(other.pid)))
    run = project.run("connect", "--limit", "dev,prod")
    assert run.status == 2
    assert run.report["dev"]["status"] == "failed"
    told = f"jane@{run_process().host.split()[0]} (process {other.pid}) has been at work on dev since {SINCE}."
    assert told in run.report["dev"]["what was found, and why"]
    assert run.report["prod"]["status"] == "proven", run.report
    assert {entry["environment"] for entry in sandbox.journal(writes=True)} == {"prod"}
    # A run that was refused leaves the lock, and one that was not leaves none.
    assert [path.name for path in lock_file(project).parent.glob("*.run")] == ["dev.run"]
    # A check says the same.
    check = project.run("connect", "--limit", "dev", "--check")
    assert told in check.report["dev"]["what was found, and why"]
    # That run ends, however it does.
    other.kill()
    other.wait()
    again = project.run("connect", "--limit", "dev")
    assert again.status == 0, again.output
    assert not lock_file(project).exists()


# The roles differ in what they do, and not in how they take the lock.
@pytest.mark.parametrize(
    "name", ["connect", *(pytest.param(name, marks=pytest.mark.newest_only) for name in ("recover", "rotate"))]
)
def test_a_role_that_is_used_alone_keeps_other_runs_out(project, sandbox, other, name):
    """And knows that it can record what it does, before the first write."""
    given = {}
    if name != "connect":
        chain = Chain(sandbox, project.inventory / ".unified_profiles")
        chain.connect()
        if name == "recover":
            sandbox.sabotage("dev", "delete-source")
        else:
            given["unified_profiles_rotate_now"] = {"dev": fingerprint(chain.twilio_sources[0].keys[0])}
        sandbox.clear_journal()
    role = {"ansible.builtin.include_role": {"name": f"flexops.unified_profiles.{name}"}}
    play = {"hosts": "dev", "connection": "local", "gather_facts": False, "tasks": [role]}
    own = project.folder / "own.yml"
    own.write_text(json.dumps([play]))
    lock_file(project).parent.mkdir(parents=True, exist_ok=True)
    lock_file(project).write_text(json.dumps(held(other.pid)))
    refused = project.run(str(own), "-e", json.dumps(given))
    assert refused.status == 2
    assert f"(process {other.pid}) has been at work on dev" in " ".join(refused.output.split())
    assert json.loads(lock_file(project).read_text()) == held(other.pid)
    assert sandbox.journal(writes=True) == []
    lock_file(project).unlink()
    lock_file(project).with_suffix(".lock").unlink(missing_ok=True)
    lock_file(project).with_suffix(".lock").mkdir()
    unwritable = project.run(str(own), "-e", json.dumps(given))
    assert "dev.lock" in unwritable.output
    assert sandbox.journal(writes=True) == []
    lock_file(project).with_suffix(".lock").rmdir()
    done = project.run(str(own), "-e", json.dumps(given))
    assert done.status == 0, done.output
    assert sandbox.journal(writes=True) != []
    assert not lock_file(project).exists()


def test_a_run_that_fails_gives_its_lock_back_and_tells_its_own_failure(project, sandbox):
    sandbox.fault(match="POST /handover/dev/connection", kind="status", status=403, count=100)
    run = project.run("connect", "--limit", "dev")
    assert run.status == 2
    assert "403" in run.report["dev"]["what was found, and why"]
    assert lock_file(project).with_suffix(".lock").exists()  # it was taken
    assert not lock_file(project).exists()


def test_a_run_that_is_killed_frees_its_lock(project, sandbox):
    """Only itself: its worker lives on for a while."""
    seen: list[dict] = []

    def hook(at, entry):
        if not seen and at == "before" and entry["path"] == "/handover/dev/connection" and entry["method"] == "POST":
            seen.append(json.loads(lock_file(project).read_text()))
            os.kill(process.pid, signal.SIGKILL)

    sandbox.on_request(hook)
    process = subprocess.Popen(
        [
            *(Path(sys.executable).with_name("ansible-playbook"), "-i", project.inventory),
            *(ROOT / "playbooks/connect.yml", "--limit", "dev"),
        ],
        cwd=project.folder,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "SANDBOX_PORT": sandbox.url.rpartition(":")[2]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert process.wait(120) == -signal.SIGKILL
    sandbox.on_request(None)
    # What was locked was the run, and not the task.
    assert seen[0]["pid"] == process.pid
    assert lock_file(project).exists()
    run = project.run("connect", "--limit", "dev")
    assert run.status == 0, run.output
    assert not lock_file(project).exists()


def lock_of(documents: dict) -> list[dict]:
    return [document for document in documents.values() if document["unique_name"] == "run-of-unified-profiles-dev"]


@pytest.mark.newest_only
def test_in_sync_the_lock_of_another_host_ends_by_itself(project, sandbox):
    in_sync = ("-e", "unified_profiles_ledger=sync", "--limit", "dev")
    environment = sandbox.world.environments["dev"]
    documents, now = environment.services[environment.default_service]["documents"], sandbox.world.now()
    documents["ET" + "0" * 32] = {
        **{"unique_name": "run-of-unified-profiles-dev", "revision": 0, "made_at": now, "updated_at": now},
        "data": {**held(4711, "job-12"), "renewed": format_time(now)},
        "expires": now + ONE_HOUR,
    }
    refused = project.run("connect", *in_sync)
    assert refused.status == 2
    assert "jane@job-12 (process 4711)" in refused.report["dev"]["what was found, and why"]
    assert "delete the document 'run-of-unified-profiles-dev'" in refused.report["dev"]["what was found, and why"]
    assert sandbox.journal(writes=True) == []
    sandbox.advance(HELD_SECONDS)
    taken = []
    sandbox.on_request(lambda at, entry: taken.extend(lock_of(documents)) if at == "after" else None)
    run = project.run("connect", *in_sync)
    sandbox.on_request(None)
    assert run.status == 0, run.output
    assert {(document["expires"] - document["updated_at"]).seconds for document in taken} == {HELD_SECONDS}
    assert lock_of(documents) == []
