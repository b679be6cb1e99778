# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which process a run is, and whether it lives."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base import process
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.process import Process, run_process


@pytest.fixture
def sleeper():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        yield child
        child.kill()


def of(pid: int) -> Process:
    return replace(run_process(), pid=pid, started=process._state_and_start(pid)[1])


def test_a_process_lives_until_it_ends(sleeper):
    found = of(sleeper.pid)
    assert found.lives
    sleeper.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    # Nobody has asked for its end yet, as where the parent of a killed run does not care.
    assert not found.lives or sys.platform != "linux"
    sleeper.wait()
    assert not found.lives


def test_a_number_that_is_used_again_is_another_process(sleeper):
    assert not replace(of(sleeper.pid), started="1").lives
    assert replace(of(sleeper.pid), started="").lives  # where the kernel does not say


@pytest.mark.parametrize("pid", [2**40, 2**22 + 1])
def test_a_number_that_no_process_has(pid):
    assert not replace(run_process(), pid=pid).lives


def test_the_process_of_another_user_lives(monkeypatch):
    def kill(pid, number):
        raise PermissionError

    monkeypatch.setattr(os, "kill", kill)
    assert run_process().lives


def test_the_run_of_a_worker_is_its_parent():
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(run_process) == of(os.getpid())


def test_the_run_of_a_worker_whose_parent_was_killed_is_dead():
    code = (
        "import multiprocessing, os, signal, sys, time\n"
        f"from {process.__name__} import run_process\n"
        "def work():\n"
        "    parent = os.getppid()\n"
        "    os.kill(parent, signal.SIGKILL)\n"
        "    while os.getppid() == parent: time.sleep(0.01)\n"
        "    run, until = run_process(), time.monotonic() + 60\n"
        # Its children have another parent before it is gone.
        "    while run.lives and time.monotonic() < until: time.sleep(0.01)\n"
        "    print(run.pid == parent, run.lives, flush=True)\n"
        "worker = multiprocessing.get_context('fork').Process(target=work)\n"
        "worker.start()\n"
        "worker.join()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment) as child:
        child.wait()
        assert child.communicate()[0].split() == ["True", "False"]


def test_a_command_with_brackets_and_blanks(tmp_path):
    program = tmp_path / "a) Z (b"
    program.symlink_to("/bin/cat")
    with subprocess.Popen([program], stdin=subprocess.PIPE) as child:
        assert of(child.pid).lives
        child.kill()


def test_another_container_of_the_same_host_name_is_not_here(monkeypatch):
    assert run_process().is_here
    if sys.platform == "linux":
        here = run_process()
        monkeypatch.setattr(os, "readlink", lambda path: "pid:[1]")
        assert not here.is_here
