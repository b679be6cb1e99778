# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""How one task sends: settings, proxies, time and the budget for its waits. What is sent is service.py's."""

from __future__ import annotations

import base64
import contextlib
import copy
import os
import ssl
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import replace

from .._base.errors import NotReached
from .._base.hidden import Hidden
from .._base.secret import Secret
from . import libraries
from .clock import Clock
from .connections import Connections, HttpSettings
from .memory import Memory
from .proxy import Proxy, proxy_for
from .response import Exchange

if libraries.PROBLEM is None:
    import httpx

    from .certificates import context_for

# Seconds for what is asked in passing: a firewall that lets this one service pass nowhere must not hold a look.
IN_PASSING = 5.0


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


class Tally:
    """How many requests one task sent, and how many of them were answered with 429. Its threads share it.

    Attributes:
        wrote: Whether one of them changed something, or may have.
    """

    def __init__(self) -> None:
        self.requests = self.rate_limited = 0
        self.wrote = False
        self._lock = threading.Lock()

    def count(self, limited: bool) -> None:
        with self._lock:
            self.requests += 1
            self.rate_limited += limited


class Transport:
    """How one task, or one environment of a survey, sends: its settings, one budget for its waits, and what it must not show.

    Args:
        settings: How to reach servers.
        read_only: Refuse whatever is not a read. Check mode sets it, so that no code above can write by mistake.
        clock: Time source, unless the connections have one.
        http_transport: What requests go over instead of connections, for tests.
        connections: Shared with others, who close them. Its own by default.
        remember: Send the same GET once, and give its answer again. For one look, which needs ``read_only``.
        until: When all must be over, by the time of :class:`Traffic`; never by default.

    Raises:
        MissingLibrary: A library is not there, or of a version that will not do.
        ValueError: It is to remember, and may write.
    """

    def __init__(
        self,
        settings: HttpSettings,
        *,
        read_only: bool = False,
        clock: Clock | None = None,
        http_transport: httpx.BaseTransport | None = None,
        connections: Connections | None = None,
        remember: bool = False,
        until: float | None = None,
    ) -> None:
        if remember and not read_only:
            raise ValueError("only what is read can be remembered")
        self.settings = settings
        self.read_only = read_only
        self.connections = connections or Connections(clock)
        self.clock = self.connections.clock
        self.memory = Memory() if remember else None
        self.until = float("inf") if until is None else until
        self.budget = Budget(settings.retry_budget)
        # What was left out because the time was over. Who goes on without an answer must not pass that for a whole look.
        self.not_reached: list[NotReached] = []
        self.hidden = Hidden()
        self.tally = Tally()
        # Called with each answer, in the thread that asked.
        self.watch: Callable[[Exchange], None] | None = None
        self._parent = os.getppid()
        self._http_transport = http_transport
        self._shared = connections is not None
        self._proxies: dict[str, Proxy | None] = {}

    def with_separate_budget(self) -> Transport:
        """The same connections for somebody whose waits are not to use up the others' budget. Closed with this one."""
        twin = copy.copy(self)
        twin.budget = Budget(self.settings.retry_budget)
        return twin

    def in_passing(self) -> Transport:
        """The same connections for requests that are sent once and may take no more than a few seconds. Closed with this one."""
        twin = copy.copy(self)
        twin.settings = replace(self.settings, timeout=min(self.settings.timeout, IN_PASSING), retry_budget=0.0)
        twin.budget = Budget(0.0)
        return twin

    @property
    def orphaned(self) -> bool:
        """Return whether the run that this task is part of has ended, as when its terminal was closed: its workers live on."""
        return os.getppid() != self._parent

    def close(self) -> None:
        """Close the connections, unless they are shared."""
        if not self._shared:
            self.connections.close()

    def connection(self, base_url: str) -> contextlib.AbstractContextManager[httpx.BaseTransport]:
        """A connection to the server of this URL, for one exchange.

        Raises:
            OptionError: Certificates or proxy cannot be used.
        """
        if self._http_transport:
            return contextlib.nullcontext(self._http_transport)
        return self.connections.borrow(base_url, self.settings, self.proxy(base_url))

    def proxy(self, base_url: str) -> Proxy | None:
        """The proxy on the way to the server of this URL. From then on nothing shows its credentials.

        Raises:
            OptionError: The option or the environment variable that names it cannot be used.
        """
        if base_url not in self._proxies:
            parts = urllib.parse.urlsplit(base_url)
            proxy = proxy_for(parts.scheme, parts.hostname or "", parts.port, self.settings.proxy)
            if proxy:
                user, password = proxy.credentials
                self.hidden.add(Secret(password))
                self.hidden.add_doubtful(user, base64.b64encode(f"{user}:{password}".encode()).decode())
            self._proxies[base_url] = proxy
        return self._proxies[base_url]


def warm_up() -> None:
    """Build the TLS context of this environment, once for all processes that are forked from this one."""
    if libraries.PROBLEM is None:
        with contextlib.suppress(OSError, ssl.SSLError):
            context_for(os.environ.get("SSL_CERT_FILE"))
