# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the processor's time of a run goes: what the parent uses, and what the workers use for what."""

from __future__ import annotations

import json
import os
import pstats
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

BIN = Path(sys.executable).parent
HOOKS = Path(__file__).resolve().parent / "hooks"
# The first that fits a function's file says what its time was used for.
KINDS = {
    "templating": ("/jinja2/", "/_templating/", "/ansible/template/", "/_datatag/", "/ansible/_internal/_task.py"),
    "argument validation": ("/module_utils/common/", "/copy.py"),
    "HTTP and TLS": (
        "/httpx/",
        "/httpcore/",
        "/h11/",
        "/ssl.py",
        "/socket.py",
        "/unified_profiles/plugins/module_utils/_http/service.py",
        "/unified_profiles/plugins/module_utils/_http/transport.py",
    ),
    "the collection's own code": ("/flexops/unified_profiles/",),
    "handing results over": ("/multiprocessing/", "/_json/", "/json/", "/pickle.py", "/task_queue_manager.py"),
    "importing": ("importlib", "/plugins/loader.py", "/collection_loader/"),
    "Ansible's executor": ("",),
}
# The same for the parent, which reads the playbooks, forks, and takes the results in: by the innermost function that fits.
PARENT = {
    "importing, and the TLS context": ("<frozen importlib",),
    "forking": ("/multiprocessing/popen_fork", "/multiprocessing/process", "/executor/process/"),
    "reading playbooks and roles": ("/ansible/playbook/", "/ansible/parsing/", "/yaml/"),
    "templating": KINDS["templating"],
    "variables": ("/ansible/vars/", "/ansible/inventory/"),
    "strategy, results and output": (
        "/plugins/strategy/",
        "/ansible/executor/",
        "/plugins/callback/",
        "/utils/display",
    ),
    "the rest": ("",),
}


def parent(samples: str) -> dict[str, float]:
    """Shares of the parent's time by kind, from what py-spy says: lines of ``outermost;...;innermost COUNT``."""
    times: Counter[str] = Counter()
    for line in samples.splitlines():
        stack, _space, count = line.rpartition(" ")
        frames = [f"/{frame.rpartition('(')[2]}" for frame in reversed(stack.split(";"))]
        fits = (
            name
            for frame in frames
            for name, parts in PARENT.items()
            if name != "the rest" and any(part in frame for part in parts)
        )
        # Whatever an import does belongs to it, and the context is built by one.
        name = "importing, and the TLS context" if "<frozen importlib" in stack else next(fits, "the rest")
        times[name] += int(count)
    return {name: round(times[name] / times.total(), 3) for name in PARENT}


def kind(file: str) -> str:
    return next(name for name, parts in KINDS.items() if any(part in file for part in parts))


def split(profiles: list[Path]) -> dict[str, float]:
    """Shares of the time by kind. What is built in counts for its callers."""
    stats = pstats.Stats(str(profiles[0]))
    for profile in profiles[1:]:
        stats.add(str(profile))
    times: Counter[str] = Counter()
    for (file, _line, _name), (_calls, _own, own_time, _all, callers) in stats.stats.items():
        if file == "~" and callers:
            for (calling, _l, _n), (_c, _p, time, _t) in callers.items():
                times[kind(calling)] += time
        else:
            times[kind(file)] += own_time
    whole = sum(times.values())
    return {name: round(times[name] / whole, 3) for name in KINDS}


def look(command: list[str], environment: dict[str, str]) -> dict[str, object]:
    """Run a command three times, once only to count and twice with profiles, and say where its time went. Milliseconds."""
    found: dict[str, object] = {}
    with tempfile.NamedTemporaryFile("r") as samples:
        # Only who holds the interpreter's lock: the others wait.
        spy = [
            str(BIN / "py-spy"),
            "record",
            "--gil",
            "--rate",
            "250",
            "--format",
            "raw",
            "--output",
            samples.name,
            "--",
        ]
        subprocess.run(
            [*spy, *command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
        )
        found["parent_split"] = parent(Path(samples.name).read_text())
    for profiled in ("0", "1"):
        with tempfile.TemporaryDirectory() as folder:
            hooked = {**environment, "WHERE": folder, "WHERE_PROFILE": profiled}
            hooked["PYTHONPATH"] = f"{HOOKS}:{environment['PYTHONPATH']}"
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, env=hooked, stdout=subprocess.DEVNULL, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if profiled == "1":
                found["split"] = split(list(Path(folder).glob("*.profile")))
                break
            workers = [json.loads(path.read_text()) for path in Path(folder).glob("*.json")]
            user, system = (sum(worker[name] for worker in workers) for name in ("user", "system"))
            whole = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            found |= {
                "tasks": len(workers),
                "worker_user": round(user / len(workers) * 1000, 1),
                "worker_system": round(system / len(workers) * 1000, 1),
                "parent": round((whole - user - system) / len(workers) * 1000, 1),
            }
    return found


def both(ours: list[str], floor: list[str], settings: dict[str, str]) -> dict[str, object]:
    environment = {**os.environ, **settings}
    return {"ours": look(ours, environment), "floor": look(floor, environment)}
