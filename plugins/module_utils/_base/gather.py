# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Several reads at the same time, with failures as values."""

from __future__ import annotations

import threading
import typing as t
from collections.abc import Callable, Mapping

from .errors import Failure

T = t.TypeVar("T")


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
