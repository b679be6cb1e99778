# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rate limits by IP address and token: always in headers, enforced when the switch ``rate_limits`` is on.

``rate_limit_scope`` counts by address alone. The switches ``token_limit`` and ``address_limit`` add a limit per token, and one per
address whatever the token, over all endpoints of the Public API.

Documented: labels and events volume 60 a minute, events and traits of a space 25 a minute, selective sync 2 a minute.
Documented, too: the Profile API 100 a second and space. Inferred: 200 a minute for the rest of the Public API, the
number of the limit per token, and that windows are fixed.
"""

from __future__ import annotations

import datetime
import email.utils
import json
import typing as t
from dataclasses import dataclass

from starlette.requests import Request

from .fault_rules import Rule
from .world import World

DEFAULT_LIMIT = (200, 60.0)
LIMITS = {
    "/labels": (60, 60.0),
    "/labels/{key}/{value}": (60, 60.0),
    "/events/volume": (60, 60.0),
    "/warehouses/{id}/connected-sources/{source}/selective-syncs": (2, 60.0),
    "/warehouses/{id}/selective-sync": (2, 60.0),
    "/spaces/{id}/events": (25, 60.0),
    "/spaces/{id}/traits": (25, 60.0),
}
PROFILES = (100, 1.0)
# Of the limits over all endpoints: requests, and seconds.
TOKEN_LIMIT, WINDOW = 100, 60.0
Refusal = tuple[int, t.Any, dict[str, str]]


@dataclass
class Window:
    """The number of counted requests, and when the count ends."""

    end: datetime.datetime
    consumed: int = 0


class Limits:
    """The windows of a world. A reset of the world empties them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._windows: dict[tuple[str, str, str], Window] = {}
        world.on_reset.append(self._windows.clear)

    def refusal(self, service: str, path: str, request: Request) -> Refusal | None:
        """Count a request; return status, body and headers when it is one too many, and limits are enforced."""
        if service not in ("segment", "profiles"):
            return None
        switches = self.world.switches
        if service == "segment" and switches["address_limit"]:
            window = self._window("address", WINDOW, request)
            if refusal := self._count(switches["address_limit"], window, "seconds", request):
                refusal[2]["x-ratelimit-reset"] = _reset(window)
                return refusal
        if service == "segment" and switches["token_limit"]:
            refusal = self._count(TOKEN_LIMIT, self._window("token", WINDOW, request), "seconds", request)
            if refusal:
                return refusal
        limit = LIMITS.get(path, DEFAULT_LIMIT) if service == "segment" else PROFILES
        window = self._window(path if path in LIMITS else service, limit[1], request)
        refusal = self._count(limit[0], window, switches["rate_limit_hint"], request)
        return refusal if switches["rate_limits"] else None

    def _count(self, most: int, window: Window, hint: str, request: Request) -> Refusal | None:
        window.consumed += 1
        if window.consumed <= most:
            return None
        now = self.world.now()
        wait = max(0.001, (window.end - now).total_seconds())
        status, headers, content = Rule(kind="rate_limited", seconds=wait, hint=hint).answer(request.url.path, now)
        more = {name.decode(): value.decode() for name, value in headers if name != b"content-length"}
        return status, json.loads(content), more

    def headers(self, path: str, request: Request) -> dict[str, str]:
        """The headers in which the Public API reports its limits."""
        most, seconds = LIMITS.get(path, DEFAULT_LIMIT)
        window = self._window(path if path in LIMITS else "segment", seconds, request)
        return {
            "x-ratelimit-consumed": str(window.consumed),
            "x-ratelimit-remaining": str(max(0, most - window.consumed)),
            "x-ratelimit-reset": _reset(window),
        }

    def _window(self, what: str, seconds: float, request: Request) -> Window:
        client = request.client.host if request.client else ""
        token = request.headers.get("authorization", "")
        if what == "token":
            client = ""
        elif what == "address" or self.world.switches["rate_limit_scope"] == "address":
            token = ""
        key = (client, token, what)
        window, now = self._windows.get(key), self.world.now()
        if window is None or window.end <= now:
            if len(self._windows) > 10_000:
                self._windows.clear()
            window = self._windows[key] = Window(now + datetime.timedelta(seconds=seconds))
        return window


def _reset(window: Window) -> str:
    return email.utils.formatdate(int(window.end.timestamp()) + 1, usegmt=True)
