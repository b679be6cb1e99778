# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every endpoint needs: authorization, envelopes, errors, paging, the journal, and headers."""

from __future__ import annotations

import base64
import binascii
import datetime
import email.utils
import json
import re
import typing as t

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .world import Environment, Problem, World, fingerprint, iso

Handler = t.Callable[[World, Environment, Request, dict[str, t.Any]], t.Any]


def page(request: Request, name: str, items: list[t.Any]) -> dict[str, t.Any]:
    """One page of a listing; the cursor is opaque to clients."""
    count: t.Any = request.query_params.get("pagination.count") or request.query_params.get("pagination[count]")
    cursor = request.query_params.get("pagination.cursor") or request.query_params.get("pagination[cursor]")
    as_json = request.query_params.get("pagination")
    try:
        if as_json:
            asked = json.loads(as_json)
            count, cursor = asked.get("count", count), asked.get("cursor", cursor)
        size = int(count or 200)
        start = int(base64.b64decode(cursor)) if cursor else 0
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise Problem(400, "input-validation", '"pagination" is invalid') from None
    if not 1 <= size <= 1000 or start < 0:
        raise Problem(400, "input-validation", '"pagination.count" must be from 1 to 1000')

    def code(n: int) -> str:
        return base64.b64encode(str(n).encode()).decode()

    more = start + size < len(items)
    paging = {"current": code(start), "next": code(start + size) if more else None, "previous": None}
    return {name: items[start : start + size], "pagination": {**paging, "totalEntries": len(items)}}


def moment(request: Request, name: str) -> datetime.datetime | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise Problem(400, "input-validation", f'"{name}" must be an ISO 8601 time') from None
    return at if at.tzinfo else at.replace(tzinfo=datetime.timezone.utc)


def indexed(request: Request, name: str) -> list[str]:
    return [value for key, value in request.query_params.items() if re.fullmatch(rf"{name}\.\d+", key)]


def basic_user(request: Request) -> tuple[str, str]:
    scheme, value = [*request.headers.get("authorization", "").split(" ", 1), ""][:2]
    try:
        user, password = [*base64.b64decode(value, validate=True).decode().split(":", 1), ""][:2]
    except (ValueError, binascii.Error):
        return "", ""
    return (user, password) if scheme.lower() == "basic" else ("", "")


def json_object(raw: bytes) -> dict[str, t.Any]:
    """The JSON object in a request's body; an empty one where there is no body.

    Raises:
        Problem: 400; it is none, or holds what JSON cannot carry back: NaN, halves of surrogate pairs.
    """

    def refuse(constant: str) -> t.NoReturn:
        raise ValueError(constant)

    try:
        body = json.loads(raw, parse_constant=refuse) if raw else {}
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Problem(400, "input-validation", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Problem(400, "input-validation", "the body must be a JSON object")
    return body


def endpoint(
    world: World,
    service: str,
    region: str,
    auth: t.Callable[[World, str, Request], Environment] | None,
    handler: t.Callable[..., t.Any],
    error: t.Callable[[Problem], dict[str, t.Any]],
) -> t.Callable[[Request], t.Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        raw = await request.body()
        started = world.now()
        env: Environment | None = None
        status, answer = 200, None
        with world.lock:
            try:
                env = auth(world, region, request) if auth else None
                body = json_object(raw)
                # A stale read, where a fault asks for one.
                answer = handler(world, request.scope.get("as_of") or env, request, body)
                if isinstance(answer, tuple):
                    answer, status = answer
                if service == "segment":
                    answer = {"data": answer}
            except Problem as problem:
                status, answer = problem.status, error(problem)
            path = request.url.path
            if key := request.path_params.get("key"):
                path = path.replace(key, fingerprint(key))
            world.journal.append(
                {
                    "n": len(world.journal) + 1,
                    "at": iso(started),
                    "service": service,
                    "method": request.method,
                    "path": path,
                    "query": request.url.query,
                    "status": status,
                    "write": request.method not in ("GET", "HEAD"),
                    "environment": env.name if env else None,
                }
            )
            n = len(world.journal)
        headers = {"Request-Id": f"req-{n:08d}"}
        if service == "segment":
            reset = email.utils.format_datetime(world.now() + datetime.timedelta(seconds=60), usegmt=True)
            headers |= {"X-RateLimit-Consumed": "1", "X-RateLimit-Remaining": "199", "X-RateLimit-Reset": reset}
        return JSONResponse(answer, status, headers)

    return serve
