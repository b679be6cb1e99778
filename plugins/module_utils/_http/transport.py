# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Connections: TLS, proxies, time and the budget for waits of one task. What is sent over them is service.py's."""

from __future__ import annotations

import base64
import contextlib
import copy
import datetime
import os
import ssl
import sys
import threading
import time
import urllib.parse
from dataclasses import dataclass

from .._base.errors import OptionError
from .._base.hidden import Hidden
from .._base.secret import Secret
from . import libraries
from .proxy import Proxy, proxy_for

if libraries.PROBLEM is None:
    import httpx

    from .certificates import context_for, tls_context
    from .deadline import Deadline, DeadlineBackend
    from .pool import PoolTransport

# Seconds: a day.
LONGEST = 86400.0


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


class Clock:
    """Time, so that tests can bring their own."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.timezone.utc)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Budget:
    """The time that one task may lose to waits and failed attempts. Shared by its threads."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._spent = 0.0
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        return max(0.0, self.seconds - self._spent)

    def spend(self, seconds: float) -> None:
        with self._lock:
            self._spent += seconds


class Transport:
    """The connections of one task: at most one pool of connections per server, one budget for all.

    Args:
        settings: How to reach servers.
        read_only: Refuse whatever is not a read. Check mode sets it, so that no code above can write by mistake.
        clock: Time source.
        http_transport: What requests go over instead of connections, for tests.

    Raises:
        MissingLibrary: A library is not there, or of a version that will not do.
    """

    def __init__(
        self,
        settings: HttpSettings,
        *,
        read_only: bool = False,
        clock: Clock | None = None,
        http_transport: httpx.BaseTransport | None = None,
    ) -> None:
        if libraries.PROBLEM is not None:
            raise libraries.PROBLEM
        self.settings = settings
        self.read_only = read_only
        self.clock = clock or Clock()
        self.budget = Budget(settings.retry_budget)
        self.deadline = Deadline(self.clock.monotonic)
        self.hidden = Hidden()
        self._parent = os.getppid()
        self._http_transport = http_transport
        self._clients: dict[tuple[str, str], httpx.Client] = {}
        self._lock = threading.Lock()

    def with_separate_budget(self) -> Transport:
        """The same connections for somebody whose waits are not to use up the others' budget. Closed with this one."""
        twin = copy.copy(self)
        twin.budget = Budget(self.settings.retry_budget)
        return twin

    @property
    def orphaned(self) -> bool:
        """Whether the run that this task is part of has ended, as when its terminal was closed: its workers live on."""
        return os.getppid() != self._parent

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def client(self, base_url: str) -> httpx.Client:
        """The client for the server of this URL; created on first use."""
        parts = urllib.parse.urlsplit(base_url)
        with self._lock:
            key = (parts.scheme, parts.netloc)
            if key not in self._clients:
                over = self._http_transport or self._pool(self.proxy(base_url))
                self._clients[key] = httpx.Client(transport=over, trust_env=False)
            return self._clients[key]

    def proxy(self, base_url: str) -> Proxy | None:
        """The proxy on the way to the server of this URL.

        Raises:
            OptionError: The option or the environment variable that names it cannot be used.
        """
        parts = urllib.parse.urlsplit(base_url)
        return proxy_for(parts.scheme, parts.hostname or "", parts.port, self.settings.proxy)

    def _pool(self, proxy: Proxy | None) -> PoolTransport:
        backend, tls = DeadlineBackend(self.deadline), tls_context(self.settings.validate_certs, self.settings.ca_path)
        if proxy is None:
            return PoolTransport(backend, tls, None)
        user, password = proxy.credentials
        self.hidden.add(Secret(password))
        self.hidden.add_doubtful(user, base64.b64encode(f"{user}:{password}".encode()).decode())
        try:
            return PoolTransport(backend, tls, proxy)
        except ValueError:
            raise proxy.unusable() from None
        except RuntimeError:
            raise OptionError(
                proxy.source,
                "is a SOCKS proxy, and those take the Python library socksio, which is not installed.",
                f"Install it: {sys.executable} -m pip install socksio. Or name an HTTP proxy.",
            ) from None


def warm_up() -> None:
    """Build the TLS context of this environment, once for all processes that are forked from this one."""
    if libraries.PROBLEM is None:
        with contextlib.suppress(OSError, ssl.SSLError):
            context_for(os.environ.get("SSL_CERT_FILE"))
