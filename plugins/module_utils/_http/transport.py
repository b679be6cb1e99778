# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections: TLS, proxies, time and the budget for waits of one task. What is sent over them is service.py's."""

from __future__ import annotations

import base64
import contextlib
import copy
import datetime
import functools
import logging
import os
import ssl
import threading
import time
import urllib.parse
from dataclasses import dataclass

from .._base.errors import MissingLibrary, OptionError
from .._base.hidden import Hidden
from .deadline import Deadline
from .proxy import Proxy, proxy_for

try:
    import certifi
    import httpx
except ImportError as error:
    HTTPX_ERROR: ImportError | None = error
else:
    HTTPX_ERROR = None
    # At INFO they log full URLs, and a write key can be part of one.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)


@dataclass(frozen=True)
class HttpSettings:
    """How to reach servers. Times in seconds."""

    validate_certs: bool = True
    ca_path: str | None = None
    proxy: str | None = None
    timeout: float = 30.0
    retry_budget: float = 60.0


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
    """

    def __init__(self, settings: HttpSettings, read_only: bool = False, clock: Clock | None = None) -> None:
        if HTTPX_ERROR is not None:
            raise MissingLibrary(
                f"The Python library {HTTPX_ERROR.name or 'httpx'} is not installed for {_interpreter()}.",
                f"Install it there: {_interpreter()} -m pip install 'httpx>=0.27,<1'",
                library=HTTPX_ERROR.name or "httpx",
                interpreter=_interpreter(),
            )
        self.settings = settings
        self.read_only = read_only
        self.clock = clock or Clock()
        self.budget = Budget(settings.retry_budget)
        self.deadline = Deadline(self.clock.monotonic)
        self.hidden = Hidden()
        self._clients: dict[tuple[str, str], httpx.Client] = {}
        self._lock = threading.Lock()

    def with_separate_budget(self) -> Transport:
        """The same connections for somebody whose waits are not to use up the others' budget. Closed with this one."""
        twin = copy.copy(self)
        twin.budget = Budget(self.settings.retry_budget)
        return twin

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def client(self, base_url: str) -> httpx.Client:
        """The client for the server of this URL; created on first use."""
        parts = urllib.parse.urlsplit(base_url)
        with self._lock:
            key = (parts.scheme, parts.netloc)
            if key not in self._clients:
                verify = _tls_context(self.settings)
                wires = self._wires(verify, self.proxy(base_url))
                self._clients[key] = httpx.Client(transport=self.deadline.watch(wires), trust_env=False)
            return self._clients[key]

    def proxy(self, base_url: str) -> Proxy | None:
        """The proxy on the way to the server of this URL.

        Raises:
            OptionError: The option or the environment variable that names it cannot be used.
        """
        parts = urllib.parse.urlsplit(base_url)
        return proxy_for(parts.scheme, parts.hostname or "", parts.port, self.settings.proxy)

    def _wires(self, verify: ssl.SSLContext, proxy: Proxy | None) -> httpx.HTTPTransport:
        if proxy is None:
            return httpx.HTTPTransport(verify=verify, trust_env=False)
        user, password = proxy.credentials
        self.hidden.add(password)
        self.hidden.add_doubtful(user, base64.b64encode(f"{user}:{password}".encode()).decode())
        try:
            return httpx.HTTPTransport(verify=verify, proxy=proxy.url, trust_env=False)
        except (ValueError, httpx.InvalidURL):
            raise proxy.unusable() from None
        except ImportError:
            raise OptionError(
                proxy.source,
                "is a SOCKS proxy, and those take the Python library socksio, which is not installed.",
                f"Install it: {_interpreter()} -m pip install socksio. Or name an HTTP proxy.",
            ) from None


def _interpreter() -> str:
    import sys

    return sys.executable


@functools.lru_cache(maxsize=8)
def _context_for(ca_path: str | None) -> ssl.SSLContext:
    if ca_path is None:
        # The system's store for companies' own roots, certifi's for Pythons built without one.
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        return context
    if os.path.isdir(ca_path):
        return ssl.create_default_context(capath=ca_path)
    return ssl.create_default_context(cafile=ca_path)


def _tls_context(settings: HttpSettings) -> ssl.SSLContext:
    if not settings.validate_certs:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        return _context_for(settings.ca_path)
    except (OSError, ssl.SSLError) as error:
        raise OptionError(
            "ca_path",
            f"no certificates could be read from {settings.ca_path} ({error}).",
            "Name a PEM file or a folder.",
        ) from None


def warm_up() -> None:
    """Import all of httpx, which loads its half only with the first client, and build the TLS context of this environment.

    Processes that are forked from this one inherit both.
    """
    if HTTPX_ERROR is None:
        with (
            contextlib.suppress(OSError, ssl.SSLError),
            httpx.Client(verify=_context_for(os.environ.get("SSL_CERT_FILE")), trust_env=False),
        ):
            pass
