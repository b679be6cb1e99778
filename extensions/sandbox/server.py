# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the sandbox: for the command line, and in a thread for tests."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import typing as t
from collections.abc import Iterator

import uvicorn

from .app import make_app
from .world import World


class _NoDrops(logging.Filter):
    """Connections that are broken on purpose are no errors of the server."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and record.exc_info[0] is not None and record.exc_info[0].__name__ == "Dropped")


def make_server(world: World, log_level: str = "error") -> uvicorn.Server:
    logging.getLogger("uvicorn.error").addFilter(_NoDrops())
    return uvicorn.Server(
        uvicorn.Config(
            make_app(world),
            log_level=log_level,
            access_log=False,
            date_header=False,
            server_header=False,
            lifespan="off",
        )
    )


def bind(host: str, port: int) -> socket.socket:
    # With the protocol named, asyncio switches Nagle's algorithm off; otherwise every keep-alive answer waits 40 ms.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    return sock


class Running:
    """A sandbox that runs in this process, and short ways to its world."""

    def __init__(self, world: World, url: str) -> None:
        self.world, self.url = world, url

    def reset(self) -> None:
        with self.world.lock:
            self.world.reset()

    def journal(self, writes: bool = False) -> list[dict[str, t.Any]]:
        with self.world.lock:
            return [entry for entry in self.world.journal if entry["write"] or not writes]

    def clear_journal(self) -> None:
        with self.world.lock:
            self.world.journal.clear()

    def sabotage(self, environment: str, name: str, **args: t.Any) -> None:
        with self.world.lock:
            self.world.sabotage(self.world.environment(environment), name, args)

    def fault(self, **rule: t.Any) -> None:
        with self.world.lock:
            self.world.faults.append({"count": 1, **rule})

    def advance(self, seconds: float) -> None:
        import datetime

        with self.world.lock:
            self.world.offset += datetime.timedelta(seconds=seconds)

    def engage(self, environment: str, count: int = 1) -> None:
        with self.world.lock:
            self.world.engage(self.world.environment(environment), count)


@contextlib.contextmanager
def running() -> Iterator[Running]:
    """A sandbox on a free port of the loopback interface, stopped at the end."""
    world = World()
    server = make_server(world)
    sock = bind("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]}, daemon=True)
    thread.start()
    try:
        yield Running(world, f"http://127.0.0.1:{sock.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join(10)
        sock.close()
