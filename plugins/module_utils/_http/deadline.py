# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One deadline for a whole exchange. httpx knows only time-outs between two bytes, and a server may trickle for ever.

What httpcore calls a network backend (its docs: Network Backends) passes the connection's reads and writes on, each with
no more time than is left.
"""

from __future__ import annotations

import threading
import typing as t

if t.TYPE_CHECKING:
    import httpx


class Deadline:
    """When the exchange of this thread must be over; threads share connections, and each has its own.

    Args:
        monotonic: Gives the time, in seconds.
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

    def remaining_timeout(self, timeout: float | None, step: str) -> float:
        """The time-out of one ``step``: Connect, Read or Write.

        Raises:
            httpcore.TimeoutException: The one of this step: no time is left.
        """
        left = self.left
        if left <= 0:
            import httpcore  # as late as httpx itself, which makes an error of its own of it

            raise getattr(httpcore, f"{step}Timeout")("the exchange took too long")
        return left if timeout is None else min(timeout, left)

    def watch(self, transport: httpx.HTTPTransport) -> httpx.HTTPTransport:
        """The same transport, with all its connections under this deadline."""
        # httpx has no option for what httpcore's pools have one for.
        pool: t.Any = transport._pool
        pool._network_backend = _Backend(self, pool._network_backend)
        return transport


class _Backend:
    def __init__(self, deadline: Deadline, inner: t.Any) -> None:
        self._deadline, self._inner = deadline, inner

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *args: t.Any, **kwargs: t.Any) -> _Stream:
        left = self._deadline.remaining_timeout(timeout, "Connect")
        return _Stream(self._deadline, self._inner.connect_tcp(host, port, left, *args, **kwargs))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream:
    def __init__(self, deadline: Deadline, inner: t.Any) -> None:
        self._deadline, self._inner = deadline, inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return t.cast(bytes, self._inner.read(max_bytes, self._deadline.remaining_timeout(timeout, "Read")))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadline.remaining_timeout(timeout, "Write"))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: t.Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        try:
            left = self._deadline.remaining_timeout(timeout, "Connect")
        except Exception:
            self.close()
            raise
        return _Stream(self._deadline, self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> t.Any:
        return self._inner.get_extra_info(info)
