# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes requests fail as asked, tells a test of each request, and keeps the world's clock in the Date header.

Plain ASGI around the application. With no rule and no hook set, a request costs one Date header and nothing else.
"""

from __future__ import annotations

import asyncio
import email.utils
import time
import typing as t
import urllib.parse

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .http import basic_user
from .rules import Seen, note_changes, shown
from .world import Environment, World, iso

Headers = list[tuple[bytes, bytes]]


class Dropped(Exception):
    """Breaks the connection off where there is no socket to close, as with an ASGI client in a test."""


class Faults:
    def __init__(self, app: ASGIApp, world: World) -> None:
        self.app, self.world = app, world
        self._second, self._date = 0, b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        world, started, status = self.world, time.perf_counter(), "dropped"

        async def dated(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
                message["headers"] = [*message["headers"], (b"date", self._now())]
            await send(message)

        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        watched = (world.faults or world.hook) and not scope["path"].startswith("/_sandbox")
        await (self._watched if watched else self.app)(scope, receive, dated)
        if world.log:
            environment, took = self._owner(scope), (time.perf_counter() - started) * 1000
            line = f"{scope['method']} {urllib.parse.quote(shown(scope['path']))}"
            world.log(f"{iso(world.now())} {environment.name if environment else '-'} {line} {status} {took:.0f} ms")

    def _now(self) -> bytes:
        """The Date header's value, formatted once a second."""
        second = int(self.world.now().timestamp())
        if second != self._second:
            self._second, self._date = second, email.utils.formatdate(second, usegmt=True).encode()
        return self._date

    def _owner(self, scope: Scope) -> Environment | None:
        """Whose credentials a request carries; the sandbox's own paths name the environment."""
        service, name = [*scope["path"].split("/"), "", ""][1:3]
        if service in ("handover", "console"):
            return self.world.environments.get(name)
        request = Request(scope)
        scheme, _unused, credential = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            credential = basic_user(request)[0]
        found = self.world.source_of_key(credential, name) if service == "tracking" else self.world.holder(credential)
        return found[0] if found else None

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        world, receive = self.world, await _arrived(receive)
        with world.lock:
            environment = self._owner(scope)
            seen = Seen(scope["method"], scope["path"], environment.name if environment else None)
            note_changes(world, seen.environment)
            rule = next((rule for rule in world.faults if rule.due(seen, world.now())), None)
            if rule and rule.kind == "stale" and environment:
                scope["as_of"] = rule.past_of(environment.name, world.now())
        if self._told("before", seen) is False:
            return await _drop(scope, receive)
        if rule and rule.kind == "latency" and not rule.commit:
            await asyncio.sleep(rule.seconds)
        status, headers, body = 0, Headers(), b""
        if rule is None or rule.processes:
            status, headers, body = await self._process(scope, receive)
            with world.lock:
                note_changes(world, seen.environment)
            if self._told("after", seen, status=status) is False:
                return await _drop(scope, receive)
        if rule:
            if rule.kind in ("drop_before", "drop_after"):
                return await _drop(scope, receive)
            if rule.kind == "latency" and rule.commit:
                await asyncio.sleep(rule.seconds)
            if not rule.keeps_answer:
                status, headers, body = rule.answer(seen.path, world.now())
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if rule and rule.kind == "truncated":
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            return await _drop(scope, receive)
        if rule and rule.kind == "slow":
            size = max(1, len(body) // 10)
            for start in range(0, len(body), size):
                await asyncio.sleep(rule.seconds * size / len(body))
                await send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
            body = b""
        await send({"type": "http.response.body", "body": body})

    async def _process(self, scope: Scope, receive: Receive) -> tuple[int, Headers, bytes]:
        """Let the application answer, and keep the answer back."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, keep)
        body = b"".join(m.get("body", b"") for m in messages[1:])
        return messages[0]["status"], list(messages[0]["headers"]), body

    def _told(self, phase: str, seen: Seen, **more: t.Any) -> bool | None:
        hook = self.world.hook
        if hook is None:
            return None
        if phase == "before":
            self.world.hooked += 1
            seen.n = self.world.hooked
        write = seen.method not in ("GET", "HEAD")
        entry = {"n": seen.n, "method": seen.method, "path": shown(seen.path), "environment": seen.environment}
        return hook(phase, {**entry, "write": write, **more})


async def _arrived(receive: Receive) -> Receive:
    """Wait until the request is complete. From then on it is processed even if its client goes away."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    rest = iter(messages)

    async def again() -> Message:
        message = next(rest, None)
        return message if message is not None else await receive()

    return again


async def _drop(scope: Scope, receive: Receive) -> None:
    """Close the connection as it is, with no (further) byte."""
    abort = scope.get("state", {}).get("abort")
    if abort is None:
        raise Dropped
    abort()
    while (await receive())["type"] != "http.disconnect":
        pass
