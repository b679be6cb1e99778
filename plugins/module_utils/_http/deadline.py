# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""One deadline for a whole exchange. httpcore knows only timeouts between two bytes, and a server may trickle forever.

A network backend (httpcore's docs: Network Backends) passes the connection's reads and writes on, each with no more time than
is left.
"""

from __future__ import annotations

import threading
import types
import typing as t

# What is missing is reported by libraries.py, before this file is used.
try:
    import httpcore
except ImportError:
    httpcore = t.cast(t.Any, types.SimpleNamespace(NetworkBackend=object, NetworkStream=object))


class Deadline:
    """When the exchange of this thread must be over; threads share connections, and each has its own.

    Args:
        monotonic: Returns the time, in seconds.
    """

    def __init__(self, monotonic: t.Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._thread = threading.local()

    def start(self, seconds: float) -> None:
        self._thread.until = self._monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, never less than none; without end before the first exchange of this thread."""
        return max(0.0, float(getattr(self._thread, "until", float("inf"))) - self._monotonic())

    def remaining_timeout(self, timeout: float | None, too_late: type[httpcore.TimeoutException]) -> float:
        """Return the timeout of one step, in seconds.

        Raises:
            httpcore.TimeoutException: The one that is given: no time is left.
        """
        left = self.left
        if left <= 0:
            raise too_late("the exchange took too long")
        return left if timeout is None else min(timeout, left)


class DeadlineBackend(httpcore.NetworkBackend):
    """Sockets under a deadline."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline, self._inner = deadline, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: t.Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        left = self._deadline.remaining_timeout(timeout, httpcore.ConnectTimeout)
        return _Stream(self._deadline, self._inner.connect_tcp(host, port, left, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, deadline: Deadline, inner: httpcore.NetworkStream) -> None:
        self._deadline, self._inner = deadline, inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadline.remaining_timeout(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.remaining_timeout(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: t.Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            left = self._deadline.remaining_timeout(timeout, httpcore.ConnectTimeout)
        except httpcore.ConnectTimeout:
            self.close()
            raise
        return _Stream(self._deadline, self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> t.Any:
        return self._inner.get_extra_info(info)
