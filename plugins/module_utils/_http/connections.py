# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Connections that many environments share, each used by one exchange at a time. They keep no cookies, and no credentials but a proxy's."""

from __future__ import annotations

import contextlib
import re
import ssl
import sys
import threading
import typing as t
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass

from .._base.errors import OptionError
from . import libraries
from .clock import Clock
from .proxy import Proxy
from .traffic import Traffic

if libraries.PROBLEM is None:
    import httpx

    from .certificates import tls_context
    from .deadline import Deadline, DeadlineBackend
    from .pool import PoolTransport

# Seconds: a day.
LONGEST = 86400.0
# What a proxy says of a wrong user or password: HTTP, and SOCKS.
REFUSES_USER = re.compile(r"407\b|Invalid username/password")


@dataclass(frozen=True)
class HttpSettings:
    """How to reach servers. Times in seconds."""

    validate_certs: bool = True
    ca_path: str | None = None
    proxy: str | None = None
    timeout: float = 30.0
    retry_budget: float = 60.0

    def __post_init__(self) -> None:
        """Raises OptionError for a time that no request and no operating system can keep."""
        for name, least in (("timeout", 0.001), ("retry_budget", 0.0)):
            if not least <= getattr(self, name) <= LONGEST:
                problem = f"must be from {least:g} to {LONGEST:g} seconds."
                raise OptionError(name, problem, "Correct it, or leave it out.")


class Connections:
    """Connections, and who may send how much over them. Threads share them.

    There are never more to one server than exchanges were under way at once.

    Args:
        clock: Time source of all that use them.

    Raises:
        MissingLibrary: A library is not there, or of a version that will not do.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        if libraries.PROBLEM is not None:
            raise libraries.PROBLEM
        self.clock = clock or Clock()
        self.traffic = Traffic(self.clock)
        self.deadline = Deadline(self.clock.monotonic)
        self._closed = False
        self._idle: dict[tuple[t.Any, ...], list[PoolTransport]] = {}
        # By the proxy's URL: set once one exchange has shown whether it takes its user, and what it said if not.
        self._judged: dict[str, threading.Event] = {}
        self._refused: dict[str, str] = {}

    @contextlib.contextmanager
    def borrow(self, base_url: str, settings: HttpSettings, proxy: Proxy | None) -> Iterator[PoolTransport]:
        """Lend a connection to the server of this URL: one that is idle, or a new one. The last one used is lent first.

        Raises:
            OptionError: Certificates or proxy cannot be used.
            httpx.ProxyError: The proxy has refused its user before.
        """
        asked = self._asked_once(proxy) if proxy else contextlib.nullcontext()
        with asked, self._lent(base_url, settings, proxy) as connection:
            yield connection

    @contextlib.contextmanager
    def _asked_once(self, proxy: Proxy) -> Iterator[None]:
        """Let one exchange find out whether a proxy takes its user. If not, nobody asks again: that may lock the account."""
        own = threading.Event()
        judged = self._judged.setdefault(proxy.url, own)
        if judged is not own:
            # No longer than this exchange may take: a name server may hang.
            judged.wait(min(self.deadline.left, LONGEST))
        if proxy.url in self._refused:
            raise httpx.ProxyError(self._refused[proxy.url])
        try:
            yield
        except httpx.ProxyError as error:
            if REFUSES_USER.match(str(error)):
                self._refused[proxy.url] = str(error)
            raise
        finally:
            judged.set()

    @contextlib.contextmanager
    def _lent(self, base_url: str, settings: HttpSettings, proxy: Proxy | None) -> Iterator[PoolTransport]:
        parts = urllib.parse.urlsplit(base_url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        way = (settings.validate_certs, settings.ca_path, proxy and proxy.url)
        idle = self._idle.setdefault((parts.scheme, parts.hostname, port, way), [])
        try:
            connection = idle.pop()
        except IndexError:
            connection = self._connection(settings, proxy, parts.scheme == "https")
        usable = False
        try:
            yield connection
            usable = True
        finally:
            if usable:
                idle.append(connection)
            else:
                # A tunnel without TLS in it would stay open, and in the way of the next exchange.
                connection.close()
            if self._closed:
                self.close()

    def close(self) -> None:
        """Close those that are idle, and the others as soon as they are."""
        self._closed = True
        for idle in list(self._idle.values()):
            while idle:
                idle.pop().close()

    def _connection(self, settings: HttpSettings, proxy: Proxy | None, encrypted: bool) -> PoolTransport:
        # Certificates are read only where they are needed. The other context trusts nobody.
        tls = (
            tls_context(settings.validate_certs, settings.ca_path)
            if encrypted
            else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        )
        backend = DeadlineBackend(self.deadline)
        try:
            return PoolTransport(backend, tls, proxy)
        except ValueError:
            raise t.cast(Proxy, proxy).unusable() from None
        except RuntimeError:
            raise OptionError(
                t.cast(Proxy, proxy).source,
                "is a SOCKS proxy, and those take the Python library socksio, which is not installed.",
                f"Install it: {sys.executable} -m pip install socksio. Or name an HTTP proxy.",
            ) from None
