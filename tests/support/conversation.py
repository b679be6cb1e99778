# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP in scripted conversations: every request is checked in order, and an extra or a missing one fails the test."""

from __future__ import annotations

import datetime
import json
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.auth import Bearer
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.clock import Clock
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import HttpSettings
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.service import Service
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from hypothesis import settings

BASE = "https://api.test"
START = datetime.datetime(2026, 3, 1, 12, 0, 0, tzinfo=datetime.timezone.utc)
TOKEN = "sgp_token-that-nobody-may-see"
EXAMPLES = settings(database=None, deadline=None, max_examples=300)


class FakeClock(Clock):
    """Time that passes only by sleeping, or when a test says so."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.elapsed

    def now(self) -> datetime.datetime:
        return START + datetime.timedelta(seconds=self.elapsed)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.elapsed += seconds


@dataclass
class Turn:
    """One expected request and its answer: a status with a body, or an exception."""

    method: str
    path: str
    status: int = 200
    body: object = None
    answer_headers: dict[str, str] = field(default_factory=dict)
    raises: Exception | None = None
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    sent: object = None


class Body(httpx.SyncByteStream):
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self.chunks


class Conversation:
    """A service whose server follows a script."""

    def __init__(self, *turns: Turn) -> None:
        self.turns = list(turns)
        self.requests: list[httpx.Request] = []
        self.wrong: list[str] = []
        self.clock = FakeClock()

    def service(self, read_only: bool = False, base_url: str = BASE, **kwargs: t.Any) -> Service:
        transport = Transport(
            kwargs.pop("http", HttpSettings()),
            read_only=read_only,
            clock=self.clock,
            http_transport=httpx.MockTransport(self.answer),
        )
        options = {
            "name": "Segment",
            "auth": Bearer(Secret(TOKEN)),
            "credentials": "public_api_token",
            "url_option": "public_api_url",
        }
        return Service(transport, base_url=base_url, **{**options, **kwargs})

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if len(self.requests) > len(self.turns):
            self.wrong.append(f"not in the script: {request.method} {request.url}")
            return httpx.Response(418)
        turn = self.turns[len(self.requests) - 1]
        got = (request.method, request.url.raw_path.decode().partition("?")[0], dict(request.url.params))
        if got != (turn.method, turn.path, turn.query):
            self.wrong.append(f"{got} instead of {(turn.method, turn.path, turn.query)}")
        self.wrong.extend(
            f"{name}: {request.headers.get(name)!r} instead of {value!r}"
            for name, value in turn.headers.items()
            if request.headers.get(name) != value
        )
        content = request.read()
        if turn.sent is not None and json.loads(content or b"null") != turn.sent:
            self.wrong.append(f"sent {content!r} instead of {turn.sent!r}")
        if turn.raises is not None:
            raise turn.raises
        content = turn.body if isinstance(turn.body, bytes) else json.dumps(turn.body).encode()
        chunks = iter([] if turn.body is None else [content])
        return httpx.Response(turn.status, headers=turn.answer_headers, stream=Body(chunks))


OK: dict[str, dict[str, object]] = {"data": {}}


def conversations() -> Iterator[Callable[..., Conversation]]:
    """Makes conversations, and checks in the end that they went as scripted."""
    made: list[Conversation] = []

    def make(*turns: Turn) -> Conversation:
        made.append(Conversation(*turns))
        return made[-1]

    yield make
    for conversation in made:
        assert conversation.wrong == []
        assert len(conversation.requests) == len(conversation.turns), "requests of the script that never came"
