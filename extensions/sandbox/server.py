# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the sandbox: for the command line, and in a thread for tests."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import threading
import typing as t
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from . import events, sabotage
from .app import make_app
from .fault_rules import Rule
from .faults import Faults, Hook
from .inventory import HEADER, refuse_foreign
from .world import ENVIRONMENTS, World


class _NoCancels(logging.Filter):
    """Answers that a fault held back until the server stopped are no errors."""

    def filter(self, record: logging.LogRecord) -> bool:
        cancelled = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
        return not (cancelled or record.getMessage().startswith("Cancel "))


class _Protocol(H11Protocol):
    """HTTP, with a way for the application to close the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, "abort": transport.abort}


def make_server(world: World, faults: Faults, host: str = "127.0.0.1") -> uvicorn.Server:
    """A server of this world that is yet to be run, for this address."""
    logging.getLogger("uvicorn.error").addFilter(_NoCancels())
    return uvicorn.Server(
        uvicorn.Config(
            make_app(world, faults, host),
            http=_Protocol,
            log_level="error",
            access_log=False,
            date_header=False,
            server_header=False,
            lifespan="off",
            # Longer than clients keep idle connections, so that none is closed while a request is on its way.
            timeout_keep_alive=60,
            # Answers that a fault still holds back do not keep it from stopping.
            timeout_graceful_shutdown=1,
        )
    )


def own_certificate(server: uvicorn.Server, ca_file: Path, host: str) -> None:
    """Serve HTTPS with a certificate made just now; what verifies it is written to ``ca_file``.

    Raises:
        InventoryError: The file is somebody else's.
        OSError: The file cannot be written.
        ImportError: trustme is not installed.
    """
    import trustme

    ca = trustme.CA(organization_name="flexops.unified_profiles sandbox")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(*dict.fromkeys(("localhost", "127.0.0.1", "::1", host))).configure_cert(context)
    refuse_foreign(ca_file, "--https")
    ca_file.write_bytes(f"# {HEADER}\n".encode() + ca.cert_pem.bytes())
    server.config.load()
    server.config.ssl = context


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens on this IP address.

    Raises:
        OSError: The port is taken, or the address is not one of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's algorithm off; otherwise every keep-alive answer waits 40 ms.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    # From here on whoever connects is served, as soon as the server runs.
    sock.listen(1024)
    return sock


class SandboxHandle:
    """A sandbox that runs in this process, and short ways to its world."""

    def __init__(self, world: World, faults: Faults, url: str) -> None:
        self.world, self.faults, self.url = world, faults, url

    def reset(self) -> None:
        """Everything as it was at the start: no faults, no hook, the clock at the present."""
        with self.world.lock:
            self.world.reset()

    def journal(self, writes: bool = False) -> list[dict[str, t.Any]]:
        """The requests that were processed, or those of them that change something."""
        with self.world.lock:
            return [entry for entry in self.world.journal if entry["write"] or not writes]

    def clear_journal(self) -> None:
        """Forget the requests so far."""
        with self.world.lock:
            self.world.journal.clear()

    def sabotage(self, environment: str, name: str, **options: t.Any) -> None:
        """Break something in an environment, by name; see :mod:`.sabotage`."""
        with self.world.lock:
            sabotage.sabotage(self.world, self.world.environment(environment), name, options)
            self.faults.note_changes(environment)

    def fault(self, **rule: t.Any) -> Rule:
        """Set a fault; its ``hits`` tell whether it was hit. See :class:`.fault_rules.Rule` for what it takes."""
        with self.world.lock:
            return self.faults.add(rule)

    def clear_faults(self) -> None:
        """Take all faults away."""
        with self.world.lock:
            self.faults.rules.clear()

    def on_request(self, callback: Hook | None) -> None:
        """Call back for each request, before it is processed and after, before its answer is sent; None stops that.

        The callback gets the phase, ``"before"`` or ``"after"``, and ``{n, method, path, environment, write}``, where n
        counts the requests since this call; after it there is also ``status``. It runs in the server's thread, which
        waits for it. When it returns False the connection is closed: before, the request is not processed; after, its
        answer is lost. A reset takes the callback away.
        """
        with self.world.lock:
            self.faults.hook(callback)

    def switch(self, **changes: t.Any) -> None:
        """Decide what no document settles; see :data:`.world.SWITCHES`."""
        with self.world.lock:
            self.world.switch(changes)

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        with self.world.lock:
            self.world.advance(seconds)

    def engage(self, environment: str, count: int = 1) -> None:
        """Agents wrap up engagements; Flex writes with whatever key it holds."""
        with self.world.lock:
            events.engage(self.world, self.world.environment(environment), count)

    def work(self, *environments: str, count: int = 1) -> None:
        """Agents wrap up engagements in these environments, or in all; late enough to prove what was done before, and counted by Segment."""
        self.advance(120)
        for environment in environments or self.world.environments:
            self.engage(environment, count)
        self.advance(120)


@contextlib.contextmanager
def run_sandbox(
    environments: int | t.Sequence[tuple[str, str]] = ENVIRONMENTS, ca_file: Path | None = None
) -> Iterator[SandboxHandle]:
    """A sandbox on a free port of the loopback interface, stopped at the end.

    Args:
        environments: How many, or their names and regions.
        ca_file: Serve HTTPS, and write here what verifies it.
    """
    world = World(environments)
    faults = Faults(world)
    server = make_server(world, faults)
    if ca_file:
        own_certificate(server, ca_file, "127.0.0.1")
    sock = bind("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    try:
        yield SandboxHandle(world, faults, f"{'https' if ca_file else 'http'}://127.0.0.1:{sock.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join(10)
        sock.close()
