# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Makes requests fail as asked."""

from __future__ import annotations

import email.utils
import re
import time
import typing as t

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .world import World


class Dropped(Exception):
    """Raised to break the connection off; the server closes it without an answer."""


class Faults:
    """Makes requests fail as asked, keeps the clock in the Date header, and drops connections for real."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self.app, self.world = app, world

    def _due(self, scope: Scope) -> dict[str, t.Any] | None:
        line = f"{scope['method']} {scope['path']}"
        if scope["path"].startswith("/_sandbox"):
            return None
        with self.world.lock:
            for rule in self.world.faults:
                if rule["count"] > 0 and re.search(str(rule.get("match", "")), line):
                    rule["count"] -= 1
                    return rule
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                date = email.utils.format_datetime(self.world.now(), usegmt=True).encode()
                message["headers"] = [*message["headers"], (b"date", date)]
            await send(message)

        async def nothing(message: Message) -> None:
            return None

        rule = self._due(scope)
        kind = rule.get("kind", "status") if rule else None
        if rule is None or kind == "latency":
            if rule:
                await run_in_threadpool(time.sleep, float(rule.get("seconds", 1)))
            await self.app(scope, receive, dated)
        elif kind in ("drop_before", "drop_after"):
            if kind == "drop_after":
                await self.app(scope, receive, nothing)
            # A promised body that never comes: the server closes the connection, and the client sees it broken.
            await dated({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
            raise Dropped
        else:
            await self._fault(kind, rule)(scope, receive, dated)

    def _fault(self, kind: str | None, rule: dict[str, t.Any]) -> Response:
        if kind == "html":
            return Response("<html><body>Gateway</body></html>", int(rule.get("status", 200)), media_type="text/html")
        if kind == "malformed":
            return Response('{"data": {', 200, media_type="application/json")
        headers = {str(k): str(v) for k, v in (rule.get("headers") or {}).items()}
        status = 429 if kind == "rate_limited" else int(rule.get("status", 500))
        data = {"remainingPoints": 0, "msBeforeNext": int(float(rule.get("seconds", 0.1)) * 1000), "consumedPoints": 21}
        error = {"type": "RequestError", "message": "Too many requests" if status == 429 else "fault", "data": data}
        return JSONResponse({"errors": [error]}, status, headers)
