# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-playbook in forks of a process that has imported Ansible and the collection, half the work of a short run."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
from multiprocessing import forkserver
from pathlib import Path
from unittest import mock

TESTS = Path(__file__).resolve().parents[1]
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["support.preloaded"])
# Ansible reads none of them, and they differ by test.
OTHERS = ("SANDBOX_PORT", "PYTEST_CURRENT_TEST")

_lock = threading.Lock()
_imported_with: dict[str, str] = {}


def run(
    command: list[str], folder: Path, environment: dict[str, str], own: dict[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Return what ``subprocess.run`` does of the same command, with its output as text.

    Ansible reads the environment when it is imported. So a run with variables of its own gets a process of its own,
    and so does one whose tests have changed theirs.
    """
    if own or Path(command[0]).name != "ansible-playbook":
        return _alone(command, folder, {**environment, **own}, timeout)
    read = {name: value for name, value in environment.items() if name not in OTHERS}
    with _lock:
        if not _imported_with:
            _imported_with.update(read)
            path = os.pathsep.join([str(TESTS), environment.get("PYTHONPATH", "")])
            with mock.patch.dict(os.environ, {**environment, "PYTHONPATH": path}, clear=True):
                forkserver.ensure_running()
    if read != _imported_with:
        return _alone(command, folder, environment, timeout)
    with tempfile.NamedTemporaryFile("r") as out, tempfile.NamedTemporaryFile("r") as err:
        process = FORKS.Process(target=_play, args=(command, folder, environment, (out.name, err.name)))
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(command, timeout, out.read(), err.read())
        return subprocess.CompletedProcess(command, process.exitcode, out.read(), err.read())


def _alone(
    command: list[str], folder: Path, environment: dict[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=timeout
    )


def _play(command: list[str], folder: Path, environment: dict[str, str], outputs: tuple[str, str]) -> None:
    for number, name in enumerate(outputs, 1):
        file = os.open(name, os.O_WRONLY)
        os.dup2(file, number)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = command
    # multiprocessing closes it, and Ansible asks whether it is a terminal before it prompts.
    sys.__stdin__ = sys.stdin  # type: ignore[assignment, misc]
    from ansible import constants
    from ansible.cli.playbook import main

    # Made when Ansible is imported, and each run has its own.
    with tempfile.TemporaryDirectory() as constants.DEFAULT_LOCAL_TMP:
        main()
