# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The requests and answers of one look: the same request is sent once."""

from __future__ import annotations

import concurrent.futures
import copy
import threading
from collections.abc import Callable, Hashable

from .response import Response


class Memory:
    """Answers by their requests. Threads share it: who asks what another one is asking waits for its answer."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, concurrent.futures.Future[Response]] = {}
        self._lock = threading.Lock()

    def once(self, request: Hashable, ask: Callable[[], Response]) -> Response:
        """Return the answer, asked for by whoever comes first.

        Raises:
            Exception: What the first one met; a copy of it, since an exception belongs to the thread that raises it.
        """
        with self._lock:
            known = self._answers.get(request)
            mine = self._answers.setdefault(request, concurrent.futures.Future())
        if known is None:
            try:
                mine.set_result(ask())
            except BaseException as met:
                mine.set_exception(met)
                raise
        elif error := known.exception():
            raise copy.copy(error)
        return mine.result()
