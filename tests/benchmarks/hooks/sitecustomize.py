# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Loaded by Python itself at the start of a run that `where.py` looks at: each worker leaves a profile when it ends."""

from __future__ import annotations

import cProfile
import json
import multiprocessing.process
import multiprocessing.util
import os
import resource
import time


class _Here:
    """Something for the registration to hold on to."""


def _worker_begins(_here: _Here) -> None:
    worker = multiprocessing.process.current_process()
    if not hasattr(worker, "_task"):
        return
    profile = cProfile.Profile(time.process_time) if os.environ["WHERE_PROFILE"] == "1" else None

    def ends() -> None:
        name = f"{os.environ['WHERE']}/{os.getpid()}"
        usage = resource.getrusage(resource.RUSAGE_SELF)
        if profile:
            profile.disable()
            profile.dump_stats(f"{name}.part")
            # Ansible ends the last workers without waiting for them: half a file is none.
            os.rename(f"{name}.part", f"{name}.profile")
        with open(f"{name}.part", "w", encoding="utf-8") as out:
            json.dump({"task": worker._task.get_name(), "user": usage.ru_utime, "system": usage.ru_stime}, out)
        os.rename(f"{name}.part", f"{name}.json")

    multiprocessing.util.Finalize(None, ends, exitpriority=100)
    if profile:
        profile.enable()


if "WHERE" in os.environ:
    here = _Here()
    multiprocessing.util.register_after_fork(here, _worker_begins)
