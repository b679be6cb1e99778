# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the processor's time of a run goes, by samples of what holds the interpreter's lock in each of its processes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

SPY = [
    str(Path(sys.executable).parent / "py-spy"),
    "record",
    "--subprocesses",
    "--gil",
    "--rate",
    "250",
    "--format",
    "raw",
]
# The first kind with a part that is in any frame of a sample has it. py-spy tells files from the folder on that is imported from.
KINDS = {
    "importing, and the TLS context": ("<frozen importlib",),
    "variables of hosts": ("(/ansible/vars/", "(/ansible/inventory/"),
    "settings: templates and checks": ("(/plugin_utils/_environment.py", "(/module_utils/_module/arguments.py"),
    "requests": ("(/module_utils/_http/",),
    "what answers and ledger say": ("(/module_utils/_checks/", "(/module_utils/_handover/", "(/module_utils/_module/"),
    "threads, comparing and reporting": ("(/module_utils/_", "(/plugin_utils/", "(/profiles_"),
    "reading playbooks and roles": ("(/ansible/playbook/", "(/ansible/parsing/", "(/yaml/"),
    "forks, results and output": ("",),
}


def kind(stack: str) -> str:
    """The kind of a sample, ``outermost;...;innermost``, each a function and its file in parentheses."""
    frames = stack.replace(" (", " (/")
    return next(name for name, parts in KINDS.items() if any(part in frames for part in parts))


def where(command: list[str], settings: dict[str, str]) -> dict[str, float]:
    """Run a command twice, once with samples; the seconds of the processor by what they went for."""
    environment = {**os.environ, **settings}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    times: Counter[str] = Counter()
    with tempfile.NamedTemporaryFile("r") as samples:
        subprocess.run(
            [*SPY, "--output", samples.name, "--", *command],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        for line in samples:
            stack, _space, count = line.rpartition(" ")
            times[kind(stack)] += int(count)
    return {name: round(times[name] / times.total() * whole, 3) for name in KINDS}
