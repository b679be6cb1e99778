# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Several reads at the same time, with failures as values."""

from __future__ import annotations

import contextlib
import math
import queue
import threading
import time
import typing as t
from collections.abc import Callable, Iterable, Mapping

from .errors import Failure

T = t.TypeVar("T")

# Seconds between two lines of progress, and between two looks at the clock.
PROGRESS = 10.0
TICK = 0.5
# Seconds that a call may take beyond its own deadline, which ends its requests. What still hangs then, as on a name server, never ends.
GRACE = 5.0


def gather(reads: Mapping[str, Callable[[], T]], workers: int = 8) -> dict[str, T | Failure]:
    """Return what each read returns, or the failure that it raises.

    Args:
        reads: What to call, by name.
        workers: How many may run at the same time. With one, all run in the calling thread.

    Raises:
        Exception: What a read raises and is no Failure: a defect.
    """
    results: dict[str, T | Failure] = {}
    defects: list[BaseException] = []
    waiting = iter(reads.items())
    lock = threading.Lock()

    def work() -> None:
        while not defects:
            with lock:
                name, read = next(waiting, ("", None))
            if read is None:
                return
            try:
                results[name] = read()
            except Failure as failure:
                results[name] = failure
            except BaseException as defect:
                defects.append(defect)

    # Daemons, so that a run that has ended does not wait for a server.
    threads = [threading.Thread(target=work, daemon=True) for _thread in range(min(workers, len(reads)) - 1)]
    for thread in threads:
        thread.start()
    work()
    for thread in threads:
        thread.join()
    if defects:
        raise defects[0]
    return {name: results[name] for name in reads}


def all_at_once(
    looks: Iterable[tuple[str, Callable[[], T]]],
    threads: int,
    limit: float,
    progress: Callable[[int, float], None] = lambda done, seconds: None,
    clock: Callable[[], float] = time.monotonic,
    *,
    total: float = math.inf,
    charged: Callable[[], float] | None = None,
) -> dict[str, T]:
    """Call each look, in daemon threads: what hangs keeps no process alive.

    Args:
        looks: Names, and what to call for each. None of these may raise. They are taken while others are called already.
        threads: How many are called at the same time.
        limit: Seconds that each may take. One that takes longer, and :data:`GRACE` besides, is left alone, and its thread replaced.
        progress: Called about every :data:`PROGRESS` seconds, with how many are done and how long it took so far.
        clock: Time in seconds.
        total: Seconds that all may take together. Then those under way are left alone, and the others are not called.
        charged: Time in seconds of which each has ``limit``; ``clock`` by default.

    Returns:
        What was returned, by name. What was left alone or not called is missing.
    """
    workers = _Workers[T](charged or clock)
    results: dict[str, T] = {}
    left_alone: set[str] = set()
    began = told = clock()

    def collect(wait: bool) -> None:
        nonlocal told
        results.update(workers.next_result(wait))
        left_alone.update(workers.replace_overdue(limit + GRACE))
        if (now := clock()) - told >= PROGRESS:
            told = now
            progress(len(results) + len(left_alone), now - began)

    given = 0
    for job in looks:
        if clock() - began > total:
            break
        workers.waiting.put(job)
        given += 1
        if given <= threads:
            workers.start()
        if not workers.finished.empty():
            collect(wait=False)
    while len(results) + len(left_alone) < given and clock() - began <= total:
        collect(wait=True)
    workers.drop_what_waits()
    while not workers.finished.empty():
        collect(wait=False)
    for _thread in range(threads + len(left_alone)):
        workers.waiting.put(None)
    return results


class _Workers(t.Generic[T]):
    """Daemon threads that call what waits."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.waiting: queue.SimpleQueue[tuple[str, Callable[[], T]] | None] = queue.SimpleQueue()
        self.finished: queue.SimpleQueue[tuple[str, T]] = queue.SimpleQueue()
        # Since when each look is under way.
        self.running: dict[str, float] = {}

    def start(self) -> None:
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while job := self.waiting.get():
            name, look = job
            self.running[name] = self.clock()
            found = look()
            # Its thread was replaced.
            if self.running.pop(name, None) is None:
                return
            self.finished.put((name, found))

    def drop_what_waits(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self.waiting.get_nowait()

    def next_result(self, wait: bool) -> dict[str, T]:
        """The next result, by name; nothing if there is none within a moment."""
        try:
            return dict([self.finished.get(wait, TICK)])
        except queue.Empty:
            return {}

    def replace_overdue(self, limit: float) -> list[str]:
        """Leave those alone that take longer, and start a thread in the place of each."""
        now = self.clock()
        late = [name for name, since in list(self.running.items()) if now - since > limit]
        replaced = [name for name in late if self.running.pop(name, None) is not None]
        for _name in replaced:
            self.start()
        return replaced
