# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that never stops sending, and never gets to an end: scripted, byte by byte, and once with real sockets."""

from __future__ import annotations

import datetime
import gzip
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import httpcore
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import (
    BudgetExceeded,
    UnexpectedAnswer,
    UnknownOutcome,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import HttpSettings
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.deadline import Deadline
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.service import Service
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

TIMEOUT, BUDGET = 30.0, 60.0
HEADERS = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n"
GOOD = b'HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{"data": 1}'
# What comes at once, and what never ends after it.
TRICKLES = {
    "nothing at all": (b"", b""),
    "status line": (b"", b"HTTP/1.1 200 OK" + b" " * 10_000),
    "header": (b"HTTP/1.1 200 OK\r\n", b"x-filler: " + b"a" * 10_000),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"x-filler: a\r\n" * 1_000),
    "informational answers": (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1_000),
    "body": (HEADERS, b" " * 10_000),
    "chunks": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 1_000),
    "tunnel": (b"", b"HTTP/1.1 200 Connection established\r\nx-filler: " + b"a" * 10_000),
}


class Clock:
    elapsed = 0.0

    def monotonic(self) -> float:
        return self.elapsed

    def now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self.elapsed, datetime.timezone.utc)

    def sleep(self, seconds: float) -> None:
        self.elapsed += seconds


class Server(httpcore.NetworkBackend, httpcore.NetworkStream):
    """Sends the beginning at once, and then one byte every ``pause`` seconds of the clock; silence in the end."""

    def __init__(self, clock: Clock, at_once: bytes, rest: bytes, pause: float) -> None:
        self.clock, self.at_once, self.rest, self.pause = clock, at_once, rest, pause
        self.connections = self.closed = self.sent = 0

    def connect_tcp(self, *args: object, **kwargs: object) -> Server:
        self.connections += 1
        begin = [self.at_once] if self.at_once else []
        self.script = iter([*begin, *(self.rest[n : n + 1] for n in range(len(self.rest)))])
        return self

    def start_tls(self, *args: object, **kwargs: object) -> Server:
        return self

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        chunk = next(self.script, b"")
        if chunk and chunk == self.at_once:
            return chunk
        assert timeout is not None
        if not chunk or self.pause > timeout:
            self.clock.elapsed += timeout
            raise httpcore.ReadTimeout
        self.clock.elapsed += self.pause
        self.sent += 1
        return chunk

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        assert timeout

    def close(self) -> None:
        self.closed += 1

    def get_extra_info(self, info: str) -> None:
        return None


Begin = Callable[..., Service]


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> Begin:
    """Makes a service whose connections all end at a server."""

    def make(server: Server, clock: Clock, url: str, **http: object) -> Service:
        monkeypatch.setattr(httpcore, "SyncBackend", lambda: server)
        transport = Transport(HttpSettings(timeout=TIMEOUT, retry_budget=BUDGET, **http), clock=clock)
        return Service(transport, "Segment", url, auth=None, credentials="segment_token", url_option="segment_api_url")

    return make


@pytest.mark.parametrize("pause", [0.01, 1.0, 29.0])
@pytest.mark.parametrize("trickle", TRICKLES)
def test_whatever_trickles_ends_with_the_timeout_and_the_budget(begin: Begin, trickle: str, pause: float) -> None:
    clock = Clock()
    server = Server(clock, *TRICKLES[trickle], pause)
    proxy = {"proxy": "http://proxy.test:3128"} if trickle == "tunnel" else {}
    service = begin(server, clock, "https://api.test", **proxy)
    with pytest.raises(BudgetExceeded, match="no complete answer from Segment") as caught:
        service.get("/")
    assert "Raise retry_budget" in caught.value.next_step
    assert clock.elapsed <= BUDGET + TIMEOUT
    assert server.connections == server.closed > 1
    before = clock.elapsed
    with pytest.raises(UnknownOutcome, match="no complete answer"):
        service.request("POST", "/", body={})
    assert clock.elapsed - before <= TIMEOUT


def test_what_arrives_in_time_is_taken(begin: Begin) -> None:
    clock = Clock()
    server = Server(clock, b"", GOOD, 0.5)
    service = begin(server, clock, "https://api.test")
    assert service.get("/").body == {"data": 1}
    assert (server.sent, server.connections) == (len(GOOD), 1)
    # The next exchange has all of its time again.
    server.script = iter([GOOD])
    server.at_once = GOOD
    assert service.get("/").body == {"data": 1}
    assert server.connections == 1


@pytest.mark.parametrize("coding", ["gzip, gzip", "gzip", "deflate, gzip", "br"])
def test_a_packed_answer_takes_no_memory(begin: Begin, coding: str) -> None:
    """64 MiB of blanks in a few hundred bytes."""
    layer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = gzip.compress(b"".join(layer.compress(b" " * (1 << 20)) for _layer in range(64)) + layer.flush())
    head = f"HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {len(bomb)}\r\n\r\n"
    clock = Clock()
    service = begin(Server(clock, head.encode() + bomb, b"", 0.0), clock, "https://api.test")
    tracemalloc.start()
    try:
        with pytest.raises(UnexpectedAnswer, match="content coding that was not asked for"):
            service.get("/")
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_headers_without_end_are_cut_off(begin: Begin) -> None:
    clock = Clock()
    server = Server(clock, b"HTTP/1.1 200 OK\r\n" + b"x-filler: a\r\n" * 20_000, b"", 0.0)
    with pytest.raises(BudgetExceeded, match="broke the connection off"):
        begin(server, clock, "https://api.test").get("/")


def test_each_thread_has_a_deadline_of_its_own() -> None:
    clock = Clock()
    deadline = Deadline(clock.monotonic)
    deadline.start(5)
    lefts: list[float] = []

    def other() -> None:
        lefts.append(deadline.left)
        deadline.start(100)
        clock.elapsed += 6
        lefts.append(deadline.left)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert lefts == [float("inf"), 94]
    assert deadline.left == 0


@pytest.fixture
def trickling() -> Iterator[tuple[str, list[int]]]:
    """A real server that sends a header byte by byte; its URL, and how many bytes each connection took."""
    taken: list[int] = []

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            taken.append(0)
            place = len(taken) - 1
            try:
                for byte in b"HTTP/1.1 200 OK\r\nx-filler: " + b"a" * 6_000:
                    connection.sendall(bytes([byte]))
                    taken[place] += 1
                    if over.wait(0.02):
                        return
            except OSError:
                pass  # the other side has hung up, as it should

    def accept() -> None:
        while not over.is_set():
            try:
                connection, _address = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", taken
        over.set()


def test_real_sockets(trickling: tuple[str, list[int]]) -> None:
    """By its clock each byte takes a second, however slow the machine is."""
    url, taken = trickling
    clock = Clock()
    clock.monotonic = lambda: float(sum(taken))  # type: ignore[method-assign]
    transport = Transport(HttpSettings(timeout=10.0, retry_budget=0.0), clock=clock)
    service = Service(transport, "Segment", url, auth=None, credentials="segment_token", url_option="segment_api_url")
    with pytest.raises(BudgetExceeded, match="no complete answer"):
        service.get("/")
    transport.close()
    # Two minutes would pass before the header had an end.
    assert len(taken) == 1
    assert 0 < taken[0] < 6_000
