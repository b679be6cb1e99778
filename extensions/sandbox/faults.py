# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The faults that are set, and the layer that makes requests fail by them.

The layer is plain ASGI around the application. It also tells a test of each request.
"""

from __future__ import annotations

import asyncio
import copy
import time
import typing as t

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .endpoints import owner_of
from .fault_rules import Rule, Seen, rule_from, shown
from .world import World

Headers = list[tuple[bytes, bytes]]
Hook = t.Callable[[str, dict[str, t.Any]], t.Any]


class Dropped(Exception):
    """Breaks the connection off where there is no socket to close, as with an ASGI client in a test."""


class Faults:
    """The rules that are set for a world, and the hook of a test. A reset of the world takes both away."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.rules: list[Rule] = []
        self._hook: Hook | None = None
        self._hooked = 0
        world.on_reset.append(self._forget)

    def _forget(self) -> None:
        self.rules.clear()
        self.hook(None)

    @property
    def active(self) -> bool:
        """Return whether requests have to be looked at."""
        return bool(self.rules or self._hook)

    def add(self, given: dict[str, t.Any]) -> Rule:
        """Check a rule and set it.

        Raises:
            ApiProblem: 400 or 404, naming what is wrong with it.
        """
        rule = rule_from(given)
        if rule.environment is not None:
            self.world.environment(rule.environment)
        if rule.kind == "stale":
            names = [rule.environment] if rule.environment else list(self.world.environments)
            rule.last = {name: copy.deepcopy(self.world.environments[name]) for name in names}
        self.rules.append(rule)
        return rule

    def due(self, seen: Seen) -> Rule | None:
        """The rule that hits this request; counts it."""
        return next((rule for rule in self.rules if rule.due(seen, self.world.now())), None)

    def note_changes(self, environment: str | None) -> None:
        """Keep, for the rules with stale reads, what environments were like before their sources or labels changed."""
        for rule in self.rules:
            for name in [environment] if environment else list(rule.last):
                current, last = self.world.environments.get(name), rule.last.get(name)
                if current and last and (current.sources, current.labels) != (last.sources, last.labels):
                    rule.past.setdefault(name, []).append((self.world.now(), last))
                    rule.last[name] = copy.deepcopy(current)

    def hook(self, callback: Hook | None) -> None:
        """Call back for each request from now on; see :meth:`.server.SandboxHandle.on_request`."""
        self._hook, self._hooked = callback, 0

    def goes_on(self, phase: str, seen: Seen, **more: t.Any) -> bool:
        """Tell the hook of a request; whether the connection stays open."""
        if self._hook is None:
            return True
        if phase == "before":
            self._hooked += 1
            seen.n = self._hooked
        write = seen.method not in ("GET", "HEAD")
        entry = {"n": seen.n, "method": seen.method, "path": shown(seen.path), "environment": seen.environment}
        return self._hook(phase, {**entry, "write": write, **more}) is not False


class FaultLayer:
    """The application with the faults that are set. Without any, a request passes through."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self.app, self.faults, self.world = app, faults, faults.world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watched = scope["type"] == "http" and self.faults.active and not scope["path"].startswith("/_sandbox")
        await (self._watched if watched else self.app)(scope, receive, send)

    async def _watched(self, scope: Scope, receive: Receive, send: Send) -> None:
        world, faults = self.world, self.faults
        with world.lock:
            environment = owner_of(world, Request(scope))
            seen = Seen(scope["method"], scope["path"], environment.name if environment else None)
            faults.note_changes(seen.environment)
            rule = faults.due(seen)
            if rule and rule.kind == "stale" and environment:
                scope["as_of"] = rule.past_of(environment.name, world.now())
        if not faults.goes_on("before", seen):
            return await _drop(scope, receive)
        if rule and rule.kind == "latency" and not rule.commit:
            await _hold(rule, scope)
        status, headers, body = 0, Headers(), b""
        if rule is None or rule.processes:
            status, headers, body = await self._process(scope, receive)
            with world.lock:
                faults.note_changes(seen.environment)
            if not faults.goes_on("after", seen, status=status):
                return await _drop(scope, receive)
        if rule:
            if rule.kind in ("drop_before", "drop_after"):
                return await _drop(scope, receive)
            if rule.kind == "latency" and rule.commit:
                await _hold(rule, scope)
            if not rule.keeps_answer:
                status, headers, body = rule.answer(seen.path, world.now())
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if rule and rule.kind == "truncated":
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
            return await _drop(scope, receive)
        if rule and rule.kind == "slow":
            size = max(1, len(body) // 10)
            for start in range(0, len(body), size):
                await send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
                await _hold(rule, scope, size / len(body))
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


async def _hold(rule: Rule, scope: Scope, share: float = 1.0) -> None:
    """Wait for this share of the rule's seconds, which a test may shorten meanwhile."""
    rule.held.add(scope.get("client"))
    began = time.monotonic()
    while (left := began + rule.seconds * share - time.monotonic()) > 0:
        await asyncio.sleep(min(left, 0.02))


async def _drop(scope: Scope, receive: Receive) -> None:
    """Close the connection as it is, with no (further) byte."""
    abort = scope.get("state", {}).get("abort")
    if abort is None:
        raise Dropped
    abort()
    while (await receive())["type"] != "http.disconnect":
        pass
