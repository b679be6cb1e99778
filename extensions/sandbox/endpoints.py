# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts that every endpoint shares.

The parts are authorization, bodies, envelopes, errors, rate limits, the journal, and headers.
"""

from __future__ import annotations

import asyncio
import base64
import datetime
import json
import re
import typing as t
import unicodedata
import urllib.parse
from dataclasses import dataclass

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from .fault_rules import shown
from .limits import Limits
from .model import ApiProblem, Environment, iso
from .world import World

Body = dict[str, t.Any]
REGIONS = ("us", "eu")


@dataclass(frozen=True)
class Exchange:
    """One authorized request to a service.

    A handler takes it, and returns the answer; or the answer, a status and, where there are any, headers of its own.
    """

    world: World
    env: Environment
    request: Request
    body: Body

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def path(self) -> dict[str, t.Any]:
        """The parts of the path that the route names."""
        return self.request.path_params

    @property
    def media_type(self) -> str:
        """The media type of the body, without parameters, in lower case."""
        return self.request.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def query(self) -> QueryParams:
        return self.request.query_params

    def text(self, name: str, default: str | None = None) -> str:
        """A string in the body.

        Raises:
            ApiProblem: 400; it is missing without a default, empty, or no string.
        """
        value = self.body.get(name, default)
        if not isinstance(value, str) or (not value and default is None):
            raise ApiProblem(400, "input-validation", f'"{name}" is required', name)
        return value

    def moment(self, name: str, code: str = "input-validation") -> datetime.datetime | None:
        """A time in the query, in UTC.

        Raises:
            ApiProblem: 400 with this code; it is no ISO 8601 time.
        """
        text = self.query.get(name)
        if not text:
            return None
        try:
            at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
            at = at if at.tzinfo else at.replace(tzinfo=datetime.timezone.utc)
            return at.astimezone(datetime.timezone.utc)
        except (ValueError, OverflowError):
            raise ApiProblem(400, code, f'"{name}" must be an ISO 8601 time', name) from None

    def indexed(self, name: str) -> list[str]:
        """The values of an array in the query, in any of the spellings that clients use.

        ``name.0=a&name.1=b``, ``name[0]=a`` or ``name[]=a``, ``name=a&name=b``, ``name=a,b`` and ``name=["a","b"]``.

        Raises:
            ApiProblem: 400; it begins like JSON, and is no array of strings.
        """
        found: list[str] = []
        for key, value in self.query.multi_items():
            if key != name:
                found += [value] if re.fullmatch(rf"{name}(\.\d+|\[\d*\])", key) else []
                continue
            if not value.startswith("["):
                found += value.split(",")
                continue
            try:
                values = json.loads(value)
            except (ValueError, RecursionError):
                values = [None]
            if not all(isinstance(one, str) for one in values):
                raise ApiProblem(400, "input-validation", f'"{name}" must be an array of strings', name)
            found += values
        return found

    def page(self, name: str, items: list[t.Any], forward_only: bool = False) -> Body:
        """One page of a listing of the Public API; the cursor is opaque to clients.

        Three spellings are in use (documented by the API, its Go SDK and its Python SDK): ``pagination.count=2``,
        ``pagination[count]=2`` and ``pagination={"count":2}``.

        Raises:
            ApiProblem: 400; count or cursor is invalid.
        """
        count: t.Any = self._one_of("pagination.count", "pagination[count]")
        cursor = self._one_of("pagination.cursor", "pagination[cursor]")
        try:
            if as_json := self.query.get("pagination"):
                asked = json.loads(as_json)
                count, cursor = asked.get("count", count), asked.get("cursor", cursor)
            size = int(200 if count in (None, "") else count)
            start = int(base64.b64decode(cursor, validate=True)) if cursor else 0
        except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
            raise ApiProblem(400, "input-validation", '"pagination" is invalid', "pagination") from None
        if not 1 <= size <= 1000 or not 0 <= start <= len(items):
            message = '"pagination" must have a count from 1 to 1000'
            raise ApiProblem(400, "input-validation", message, "pagination")

        def code(n: int) -> str:
            return base64.b64encode(str(n).encode()).decode()

        paging: Body = {"current": code(start), "totalEntries": len(items)}
        paging["next"] = code(start + size) if start + size < len(items) else None
        if not forward_only:
            paging["previous"] = code(max(0, start - size)) if start else None
        return {name: items[start : start + size], "pagination": paging}

    def _one_of(self, *names: str) -> str | None:
        return next((self.query[name] for name in names if name in self.query), None)


Handler = t.Callable[[Exchange], t.Any]
# Methods, separated by spaces; path; handler.
Paths = t.Iterable[tuple[str, str, Handler]]


@dataclass(frozen=True)
class Service:
    """How one service speaks.

    Attributes:
        name: As in the journal.
        auth: Returns the environment that a request's credentials belong to, or raises an ApiProblem.
        error: The body of an error.
        region: ``us``, ``eu``, or empty where there is none.
        form: Whether it takes forms instead of JSON.
        accepts: Refuses a body by its size, in bytes.
    """

    world: World
    limits: Limits
    name: str
    auth: t.Callable[[World, str, Request], Environment | None]
    error: t.Callable[[ApiProblem], Body]
    region: str = ""
    form: bool = False
    accepts: t.Callable[[Request, int], None] | None = None

    def routes(self, prefix: str, paths: Paths) -> list[Route]:
        """The routes of these paths, below ``prefix``."""
        return [
            Route(prefix + path, self._serve(handler, path), methods=methods.split(), name=path)
            for methods, path, handler in paths
        ]

    def _serve(self, handler: Handler, path: str) -> t.Callable[[Request], t.Awaitable[Response]]:
        world = self.world

        async def serve(request: Request) -> Response:
            raw = await request.body()
            with world.lock:
                env, status, answer, more = self._answer(handler, path, request, raw)
                n = _journal(world, self.name, request, status, env)
            if delay := request.scope.get("delay"):
                await asyncio.sleep(delay)
            for watch in world.watchers:
                watch(self.name, request.method, path, status, answer)
            content = b"" if status == 204 else json.dumps(answer).encode()
            headers = {"content-type": _content_type(request), "request-id": f"req-{n:08d}", **more}
            return Response(content, status, headers)

        return serve

    def _answer(
        self, handler: Handler, path: str, request: Request, raw: bytes
    ) -> tuple[Environment | None, int, t.Any, dict[str, str]]:
        env: Environment | None = None
        more: dict[str, str] = {}
        try:
            env = self.auth(self.world, self.region, request)
            if refusal := self.limits.refusal(self.name, path, request):
                return env, *refusal
            body = self._body(request, raw)
            # A stale read, where a fault asks for one.
            shown_env = t.cast(Environment, request.scope.get("as_of") or env)
            answer = handler(Exchange(self.world, shown_env, request, body))
            answer, status, more = (*answer, {})[:3] if isinstance(answer, tuple) else (answer, 200, {})
            if self.name == "segment":
                answer = {"data": answer}
        except ApiProblem as problem:
            status, answer = problem.status, self.error(problem)
        finally:
            self.world.actor = None
        if self.name == "segment":
            more = self.limits.headers(path, request)
        return env, status, answer, more

    def _body(self, request: Request, raw: bytes) -> Body:
        if self.accepts:
            self.accepts(request, len(raw))
        if not raw.strip():
            return {}
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            if self.form:
                if kind != "application/x-www-form-urlencoded":
                    # Inferred: what the real service says to another type of body is not documented.
                    raise ApiProblem(415, "20001", "The body must be application/x-www-form-urlencoded")
                return dict(urllib.parse.parse_qsl(raw.decode(), keep_blank_values=True))
        except ValueError:
            raise ApiProblem(400, "input-validation", "the body cannot be read") from None
        return json_object(raw)


def _content_type(request: Request) -> str:
    """Of the vendor's media types the first that is asked for, else plain JSON."""
    accept = request.headers.get("accept", "")
    found = re.search(r"application/vnd\.segment\.v1(?:alpha|beta)?\+json", accept)
    return found[0] if found and request.url.path.startswith("/segment/") else "application/json"


def _journal(world: World, service: str, request: Request, status: int, env: Environment | None) -> int:
    world.journal.append(
        {
            "n": len(world.journal) + 1,
            "at": iso(world.now()),
            "service": service,
            "method": request.method,
            "path": shown(request.url.path),
            "query": request.url.query,
            "status": status,
            "write": request.method not in ("GET", "HEAD"),
            "environment": env.name if env else None,
        }
    )
    return len(world.journal)


def basic_user(request: Request) -> tuple[str, str]:
    """User and password of HTTP Basic; both empty where there is none."""
    scheme, _unused, value = request.headers.get("authorization", "").partition(" ")
    try:
        user, _unused, password = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return (user, password) if scheme.lower() == "basic" else ("", "")


def owner_of(world: World, request: Request) -> Environment | None:
    """The environment whose credentials a request carries; the sandbox's own paths name it."""
    service, name = [*request.scope["path"].split("/"), "", ""][1:3]
    if service in ("handover", "console"):
        return world.environments.get(name)
    scheme, _unused, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        credential = basic_user(request)[0]
    found = world.source_of_key(credential, name) if service == "tracking" else world.holder(credential)
    return found[0] if found else None


def refuse_control_characters(given: t.Mapping[str, t.Any], except_for: str = "") -> None:
    """Refuse strings that a terminal would obey, in what people type into the sandbox's own pages and control plane.

    Raises:
        ApiProblem: 400, with the name of the field.
    """
    for name, value in given.items():
        typed = name if name == except_for or not isinstance(value, str) else name + value
        if any(unicodedata.category(character) == "Cc" for character in typed):
            raise ApiProblem(400, "input-validation", f"{name!a} must not hold control characters")


def json_object(raw: bytes) -> dict[str, t.Any]:
    """The JSON object in a request's body; an empty one where there is no body.

    Raises:
        ApiProblem: 400; it is none, or holds what JSON cannot carry back: NaN, halves of surrogate pairs.
    """

    def refuse(constant: str) -> t.NoReturn:
        raise ValueError(constant)

    try:
        body = json.loads(raw, parse_constant=refuse) if raw else {}
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise ApiProblem(400, "input-validation", "the body is not JSON") from None
    if not isinstance(body, dict):
        raise ApiProblem(400, "input-validation", "the body must be a JSON object")
    return body
