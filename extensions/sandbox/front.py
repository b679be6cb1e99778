# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layer that every request meets first: it keeps web pages out, bounds bodies, sets the Date header, and logs.

A browser on the machine reaches the loopback interface, and any web page can make it send requests there. The Host header shows
a page whose name was bound to this address (DNS rebinding), Origin and Sec-Fetch-Site show a page of another origin.
"""

from __future__ import annotations

import email.utils
import ipaddress
import re
import time
import typing as t
import unicodedata
import urllib.parse

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .endpoints import owner_of
from .fault_rules import shown
from .model import ApiProblem, iso
from .world import World

# Bytes. More than any service takes, so that the services' own bounds are the ones that clients meet.
MAX_BODY = 2 * 1024 * 1024
READS = ("GET", "HEAD", "OPTIONS")
# Console pages and control plane show tokens: they are not framed, kept, embedded or named to others.
PRIVATE = [
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"same-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
]


class Front:
    """The outermost layer.

    Args:
        host: The address that the server was started with.
        refuse: Makes an answer of a problem, in the words of the service that the request is for.
    """

    def __init__(
        self, app: ASGIApp, world: World, host: str, refuse: t.Callable[[Request, ApiProblem], Response]
    ) -> None:
        self.app, self.world, self.refuse = app, world, refuse
        self._address = ipaddress.ip_address(host)
        self._second, self._date = 0, b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        world, started, status = self.world, time.perf_counter(), "dropped"
        more = PRIVATE if scope["path"].split("/")[1:2] in (["console"], ["_sandbox"]) else []

        async def dated(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
                message["headers"] = [*message["headers"], (b"date", self._now()), *more]
            await send(message)

        request = Request(scope)
        try:
            self._admit(request)
            receive = await _arrived(request, receive)
        except ApiProblem as problem:
            await self.refuse(request, problem)(scope, receive, dated)
        else:
            await self.app(scope, receive, dated)
        if world.log:
            environment, took = owner_of(world, request), (time.perf_counter() - started) * 1000
            line = f"{scope['method']} {urllib.parse.quote(shown(scope['path']))}"
            world.log(f"{iso(world.now())} {environment.name if environment else '-'} {line} {status} {took:.0f} ms")

    def _now(self) -> bytes:
        """The Date header's value, formatted once a second."""
        second = int(self.world.now().timestamp())
        if second != self._second:
            self._second, self._date = second, email.utils.formatdate(second, usegmt=True).encode()
        return self._date

    def _admit(self, request: Request) -> None:
        host = request.headers.get("host", "")
        if not self._is_ours(host):
            message = (
                "The Host header names another server: use localhost or the address that the sandbox was started with"
            )
            raise ApiProblem(421, "misdirected-request", message)
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
        foreign = origin is not None and origin.partition("://")[2].lower() != host.lower()
        if request.method not in READS and (foreign or site in ("cross-site", "same-site")):
            raise ApiProblem(403, "forbidden", "A web page of another origin must not change anything here")
        if any(unicodedata.category(character) == "Cc" for character in request.scope["path"]):
            raise ApiProblem(400, "bad-request", "The path holds a control character")

    def _is_ours(self, host: str) -> bool:
        found = re.fullmatch(r"\[?([^\[\]/@]*?)\]?(:[0-9]*)?", host)
        name = found[1].lower() if found else ""
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return name == "localhost"
        # Names can be bound to any address by whoever owns them; an address in the Host header cannot.
        return address.is_loopback or address == self._address or self._address.is_unspecified


async def _arrived(request: Request, receive: Receive) -> Receive:
    """Wait until the request is complete. From then on it is processed even if its client goes away.

    Raises:
        ApiProblem: 413, before more than MAX_BODY was read.
    """
    too_large = ApiProblem(413, "payload-too-large", f"The body is larger than {MAX_BODY // 1024} KB")
    length = request.headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit() and len(length) < 12 and int(length) <= MAX_BODY):
        raise too_large
    messages: list[Message] = []
    size = 0
    while not messages or messages[-1].get("more_body"):
        messages.append(await receive())
        size += len(messages[-1].get("body", b""))
        if size > MAX_BODY:
            raise too_large
    rest = iter(messages)

    async def again() -> Message:
        message = next(rest, None)
        return message if message is not None else await receive()

    return again
