# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Which process a run is, and whether it still lives."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One process, told apart from all others.

    Attributes:
        host: The name of its host, and of the container that numbers its processes where that can be known.
        pid: Its number there.
        started: When it started, in the kernel's own units; empty where the kernel does not say. Numbers are used again.
    """

    host: str
    pid: int
    started: str

    @property
    def is_here(self) -> bool:
        """Return whether it can be seen from here if it lives."""
        return self.host == _here()

    @property
    def lives(self) -> bool:
        """Return whether it has not ended. To be asked of a process that can be seen from here."""
        try:
            os.kill(self.pid, 0)
        except (ProcessLookupError, OverflowError):
            return False
        except PermissionError:
            pass  # of another user
        state, started = _state_and_start(self.pid)
        # A killed process whose parent has not asked for its end is still listed.
        return state not in ("Z", "X") and (not started or not self.started or started == self.started)


def run_process() -> Process:
    """The process of the run that this task is a worker of."""
    # Of a worker whose run was killed, the parent by the kernel's count is another process.
    parent = multiprocessing.parent_process()
    pid = parent.pid if parent and parent.pid else os.getppid()
    return Process(_here(), pid, _state_and_start(pid)[1])


def _here() -> str:
    namespace = ""
    # Two containers can have one host name, and number their processes each for itself.
    with contextlib.suppress(OSError):
        namespace = " " + os.readlink("/proc/self/ns/pid")
    return socket.gethostname() + namespace


def _state_and_start(pid: int) -> tuple[str, str]:
    try:
        # The name of the command comes first, in brackets, and may itself have brackets and blanks.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return fields[0], fields[19]
    except (OSError, IndexError):
        return "", ""
