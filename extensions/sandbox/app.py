# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP face of the world: Segment, Twilio, a hand-over gateway and a control plane, on one port."""

from __future__ import annotations

import base64
import binascii
import datetime
import email.utils
import json
import re
import time
import typing as t

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .world import CATALOG, LAG, Environment, Problem, Source, World, fingerprint, iso

Handler = t.Callable[[World, Environment, Request, dict[str, t.Any]], t.Any]


class Dropped(Exception):
    """Raised to break the connection off; the server closes it without an answer."""


def metadata(id_: str) -> dict[str, t.Any]:
    name, slug, category = CATALOG[id_]
    return {
        "id": id_,
        "name": name,
        "slug": slug,
        "description": f"{name} source",
        "logos": {"default": "https://example.com/logo.svg", "mark": None, "alt": None},
        "options": [],
        "categories": [category],
        "isCloudEventSource": False,
        "status": "PUBLIC",
        "partnerOwned": False,
    }


def source_view(env: Environment, source: Source, see_keys: bool) -> dict[str, t.Any]:
    return {
        "id": source.id,
        "slug": source.slug,
        "name": source.name,
        "workspaceId": env.workspace["id"],
        "enabled": source.enabled,
        "writeKeys": list(source.keys) if see_keys else [],
        "metadata": metadata(source.metadata),
        "settings": source.settings,
        "labels": source.labels,
    }


def is_owner(env: Environment, request: Request) -> bool:
    return request.headers.get("authorization") == f"Bearer {env.segment_token}"


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


# Segment Public API


def get_workspace(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    return {"workspace": env.workspace}


def list_spaces(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    return page(request, "spaces", [env.space])


def get_space(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    id_ = request.path_params["id"]
    if id_ != env.space["id"]:
        raise Problem(404, "not-found", f"Space with id '{id_}' not found")
    return {"space": env.space}


def space_events(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    get_space(world, env, request, body)
    wanted = request.query_params.get("search", "")
    found = [{"name": n, "type": "TRACK", "lastSeenAt": at} for n, at in env.in_space.items() if wanted in n]
    return page(request, "events", found)


def list_sources(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    owner = is_owner(env, request)
    return page(request, "sources", [source_view(env, s, owner) for s in env.sources.values()])


def create_source(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    slug, kind, enabled = body.get("slug"), body.get("metadataId"), body.get("enabled")
    if not isinstance(slug, str) or not slug or not isinstance(kind, str) or not isinstance(enabled, bool):
        raise Problem(400, "input-validation", '"slug", "enabled" and "metadataId" are required')
    return {"source": source_view(env, world.make_source(env, slug, kind, enabled), True)}, 201


def one_source(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    source = world.source(env, request.path_params["id"])
    if request.method == "DELETE":
        world.delete_source(env, source)
        return {"status": "SUCCESS"}
    if request.method == "PATCH":
        world.patch_source(env, source, body)
    extra = {"trackingPlanId": None} if request.method == "GET" else {}
    return {"source": source_view(env, source, is_owner(env, request)), **extra}


def add_key(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    source = world.source(env, request.path_params["id"])
    source.keys.append(world.new_key(env))
    world.record(env, "Source Modified", source)
    return {"source": source_view(env, source, True)}


def remove_key(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    source = world.source(env, request.path_params["id"])
    if request.path_params["key"] not in source.keys:
        raise Problem(404, "not-found", "Write key not found")
    source.keys.remove(request.path_params["key"])
    world.record(env, "Source Modified", source)
    return {"status": "SUCCESS"}


def source_labels(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    source = world.source(env, request.path_params["id"])
    world.set_labels(env, source, body.get("labels"), replace=request.method == "PUT")
    return {"labels": source.labels}


def labels(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    if request.method == "GET":
        return {"labels": env.labels}
    label = body.get("label")
    if not isinstance(label, dict) or not all(isinstance(label.get(k), str) for k in ("key", "value")):
        raise Problem(400, "input-validation", '"label" is required')
    env.labels.append({"key": label["key"], "value": label["value"]})
    return {"label": env.labels[-1]}, 201


def catalog(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    return page(request, "sourcesCatalog", [metadata(id_) for id_ in CATALOG])


def audit_events(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    if not is_owner(env, request):
        raise Problem(403, "forbidden", "Only a workspace owner may read the audit trail")
    since, kind = moment(request, "startTime"), request.query_params.get("resourceType")
    events = [
        e
        for e in reversed(env.audit)
        if (since is None or e["timestamp"] >= iso(since)) and kind in (None, e["resourceType"])
    ]
    return page(request, "events", events)


def events_volume(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    start, end = moment(request, "startTime"), moment(request, "endTime")
    if start is None or end is None or request.query_params.get("granularity") not in ("MINUTE", "HOUR", "DAY"):
        raise Problem(400, "input-validation", '"granularity", "startTime" and "endTime" are required')
    groups, names, sources = (indexed(request, name) for name in ("groupBy", "eventName", "sourceId"))
    visible = min(end, world.now() - LAG)
    rows: dict[tuple[t.Any, ...], dict[str, int]] = {}
    for event in env.received:
        if not start <= event["at"] < visible or (names and event["event"] not in names):
            continue
        if sources and event["source"] not in sources:
            continue
        row = (event["event"] if "eventName" in groups else None, event["source"] if "source" in groups else None)
        minute = iso(event["at"].replace(second=0, microsecond=0))
        series = rows.setdefault(row, {})
        series[minute] = series.get(minute, 0) + event["count"]
    result = [
        {
            "eventName": name,
            "source": source,
            "total": sum(series.values()),
            "series": [{"time": time_, "count": count} for time_, count in series.items()],
        }
        for (name, source), series in rows.items()
    ]
    return page(request, "result", result)


def echo(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    if request.query_params.get("triggerError") == "true":
        status = request.query_params.get("statusCode", "500")
        raise Problem(int(status) if re.fullmatch("[45][0-9][0-9]", status) else 500, "echo", "as you asked")
    return {"message": request.query_params.get("message", ""), "method": request.method}


SEGMENT: list[tuple[str, str, Handler]] = [
    ("GET", "/", get_workspace),
    ("GET", "/spaces", list_spaces),
    ("GET", "/spaces/{id}", get_space),
    ("GET", "/spaces/{id}/events", space_events),
    ("GET", "/sources", list_sources),
    ("POST", "/sources", create_source),
    ("GET PATCH DELETE", "/sources/{id}", one_source),
    ("POST", "/sources/{id}/writekey", add_key),
    ("DELETE", "/sources/{id}/writekey/{key}", remove_key),
    ("POST PUT", "/sources/{id}/labels", source_labels),
    ("GET POST", "/labels", labels),
    ("GET", "/catalog/sources", catalog),
    ("GET", "/audit-events", audit_events),
    ("GET", "/events/volume", events_volume),
    ("GET", "/echo", echo),
]


def segment_auth(world: World, region: str, request: Request) -> Environment:
    header = request.headers.get("authorization", "")
    if not header:
        raise Problem(401, "unauthorized", "Authorization header is required")
    for env in world.environments.values():
        if env.region == region and "segment_token" not in env.revoked:
            if header == f"Bearer {env.segment_token}":
                return env
            if header == f"Bearer {env.read_only_token}":
                if request.method != "GET":
                    raise Problem(403, "forbidden", "The token lacks the permission")
                return env
    raise Problem(401, "unauthorized", "The token is not valid")


# Segment Profile and Tracking API, Twilio, the gateway


def basic_user(request: Request) -> tuple[str, str]:
    scheme, value = [*request.headers.get("authorization", "").split(" ", 1), ""][:2]
    try:
        user, password = [*base64.b64decode(value, validate=True).decode().split(":", 1), ""][:2]
    except (ValueError, binascii.Error):
        return "", ""
    return (user, password) if scheme.lower() == "basic" else ("", "")


def profile_auth(world: World, region: str, request: Request) -> Environment:
    user = basic_user(request)[0]
    for env in world.environments.values():
        if env.region == region and user == env.profile_token and "profile_token" not in env.revoked:
            if env.space["id"] == request.path_params["space"]:
                return env
    raise Problem(401, "authentication_error", "Invalid access token.")


def profile(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    raise Problem(404, "not_found", "Profile was not found.")


def tracked(world: World, env: Environment | None, request: Request, body: dict[str, t.Any]) -> t.Any:
    key = basic_user(request)[0] or body.get("writeKey")
    if not isinstance(key, str) or len(key) < 8:
        raise Problem(400, "invalid_request_error", "write key is missing")
    return {"success": True}


def twilio_auth(world: World, region: str, request: Request) -> Environment:
    given = basic_user(request)
    for env in world.environments.values():
        if given in ((env.api_key, env.api_secret), (env.account_sid, env.auth_token)):
            if "twilio" not in env.revoked:
                return env
    raise Problem(401, "20003", "Authenticate")


def configuration(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    return {"account_sid": env.account_sid, "status": "ok", "ui_version": "2.8.0", "date_updated": iso(world.now())}


def provision(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    return {"status": "active", "url": "https://flex-api.twilio.com/v1/account/provision/status"}


def alerts(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    since = moment(request, "StartDate")
    start = since.strftime("%Y-%m-%dT%H:%M:%SZ") if since else ""
    found = [a for a in reversed(env.alerts) if a["date_generated"] >= start]
    return {"alerts": found, "meta": {"page": 0, "page_size": 100, "next_page_url": None, "key": "alerts"}}


def documents(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    name = request.path_params.get("name") or body.get("UniqueName")
    found = env.documents.get(str(name))
    if request.method == "POST" and "name" not in request.path_params:
        if found or not isinstance(name, str):
            raise Problem(409, "54301", "Unique name already exists")
        env.documents[name] = {"unique_name": name, "revision": "0", "data": body.get("Data", {})}
        return env.documents[name], 201
    if found is None:
        raise Problem(404, "20404", "The requested resource was not found")
    if request.method == "POST":
        if request.headers.get("if-match", found["revision"]) != found["revision"]:
            raise Problem(412, "54103", "The revision of the Document does not match the expected revision")
        found.update(revision=str(int(found["revision"]) + 1), data=body.get("Data", found["data"]))
    return found


def gateway_auth(world: World, region: str, request: Request) -> Environment:
    env = world.environment(request.path_params["environment"])
    if request.headers.get("authorization") != f"Bearer {env.gateway_token}":
        raise Problem(401, "unauthorized", "The gateway token is missing or wrong")
    return env


def handover(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    step, posted = request.path_params["step"], request.method == "POST"
    if step == "connection":
        if posted:
            world.connect(env, body)
        token = env.connection.get("profile_token")
        return {
            "connected": bool(env.connection),
            "friendly_name": env.connection.get("friendly_name"),
            "space_id": env.connection.get("space_id"),
            "profile_token_fingerprint": fingerprint(token) if token else None,
            "allow_write_events": bool(env.connection),
        }
    if step == "link":
        if posted:
            world.link(env, body)
        return {
            "space_id": env.space["id"],
            "source_ids": env.linked,
            "source_id": env.linked[-1] if env.linked else None,
        }
    if step == "key":
        if posted:
            world.store_key(env, body.get("write_key"))
        key = env.flex_key
        return {"write_key_fingerprint": fingerprint(key) if key else None, "set_at": env.flex_key_set_at}
    raise Problem(404, "not-found", "the steps are connection, link and key")


# Answers


def segment_error(problem: Problem) -> dict[str, t.Any]:
    return {"errors": [{"type": problem.code, "message": problem.message}]}


def profile_error(problem: Problem) -> dict[str, t.Any]:
    return {"error": {"code": problem.code, "message": problem.message}}


def twilio_error(problem: Problem) -> dict[str, t.Any]:
    code = int(problem.code) if problem.code.isdigit() else 20001
    more = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": problem.message, "more_info": more, "status": problem.status}


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
                body = json.loads(raw) if raw else {}
                if not isinstance(body, dict):
                    raise Problem(400, "input-validation", "the body must be a JSON object")
                answer = handler(world, env, request, body)
                if isinstance(answer, tuple):
                    answer, status = answer
                if service == "segment":
                    answer = {"data": answer}
            except Problem as problem:
                status, answer = problem.status, error(problem)
            except (ValueError, RecursionError):
                status, answer = 400, error(Problem(400, "input-validation", "the body is not JSON"))
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


def control(world: World) -> list[Route]:
    """The control plane, for tests and rehearsals."""

    def route(path: str, method: str, handler: t.Callable[[Request, dict[str, t.Any]], t.Any]) -> Route:
        async def serve(request: Request) -> Response:
            raw = await request.body()
            try:
                body = json.loads(raw) if raw else {}
                if not isinstance(body, dict):
                    raise Problem(400, "input-validation", "the body must be a JSON object")
                with world.lock:
                    return JSONResponse(handler(request, body) or {"ok": True})
            except Problem as problem:
                return JSONResponse({"error": problem.message}, problem.status)
            except (ValueError, RecursionError):
                return JSONResponse({"error": "the body is not what this takes"}, 400)

        return Route("/_sandbox" + path, serve, methods=[method])

    def info(request: Request, body: dict[str, t.Any]) -> t.Any:
        base = str(request.base_url).rstrip("/")
        regions = {
            f"{name}_api": {region: f"{base}/{path}/{region}" for region in ("us", "eu")}
            for name, path in (("segment", "segment"), ("profile", "profiles"), ("tracking", "tracking"))
        }
        products = {name: f"{base}/twilio/{name}" for name in ("flex", "monitor", "sync")}
        return {
            "name": "flexops.unified_profiles sandbox",
            "version": 1,
            "now": iso(world.now()),
            "base_urls": {**regions, **products, "handover": f"{base}/handover"},
            "environments": {
                env.name: {
                    "region": env.region,
                    "workspace": env.workspace,
                    "space": env.space,
                    "segment_token": env.segment_token,
                    "segment_token_read_only": env.read_only_token,
                    "profile_token": env.profile_token,
                    "twilio": {
                        "account_sid": env.account_sid,
                        "api_key": env.api_key,
                        "api_secret": env.api_secret,
                        "auth_token": env.auth_token,
                    },
                    "gateway_token": env.gateway_token,
                    "handover_url": f"{base}/handover/{env.name}",
                }
                for env in world.environments.values()
            },
        }

    def sabotage(request: Request, body: dict[str, t.Any]) -> None:
        args = {k: v for k, v in body.items() if k not in ("environment", "name")}
        world.sabotage(world.environment(body.get("environment")), str(body.get("name")), args)

    def add_fault(request: Request, body: dict[str, t.Any]) -> None:
        try:
            re.compile(str(body.get("match", "")))
        except re.error:
            raise Problem(400, "input-validation", "match must be a regular expression") from None
        world.faults.append({"count": 1, **body})

    def advance(request: Request, body: dict[str, t.Any]) -> t.Any:
        seconds = body.get("advance")
        if not isinstance(seconds, (int, float)) or not 0 <= seconds <= 1e8:
            raise Problem(400, "input-validation", "advance takes seconds, forward only")
        world.offset += datetime.timedelta(seconds=seconds)
        return {"now": iso(world.now())}

    def engage(request: Request, body: dict[str, t.Any]) -> None:
        count = body.get("count", 1)
        if not isinstance(count, int) or not 0 < count < 1_000_000:
            raise Problem(400, "input-validation", "count takes a whole number")
        world.engage(world.environment(body.get("environment")), count)

    return [
        route("", "GET", info),
        route("/reset", "POST", lambda request, body: world.reset()),
        route("/sabotage", "POST", sabotage),
        route("/faults", "GET", lambda request, body: {"faults": world.faults}),
        route("/faults", "POST", add_fault),
        route("/faults", "DELETE", lambda request, body: world.faults.clear()),
        route("/journal", "GET", lambda request, body: {"journal": world.journal}),
        route("/journal", "DELETE", lambda request, body: world.journal.clear()),
        route("/clock", "POST", advance),
        route("/engagements", "POST", engage),
    ]


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


def make_app(world: World) -> ASGIApp:
    routes = control(world)
    for region in ("us", "eu"):
        for methods, path, handler in SEGMENT:
            serve = endpoint(world, "segment", region, segment_auth, handler, segment_error)
            routes.append(Route(f"/segment/{region}{path}", serve, methods=methods.split()))
        path = f"/profiles/{region}/v1/spaces/{{space}}/collections/users/profiles/{{profile}}/{{what}}"
        routes.append(Route(path, endpoint(world, "profiles", region, profile_auth, profile, profile_error)))
        serve = endpoint(world, "tracking", region, None, tracked, profile_error)
        for call in ("identify", "track", "batch"):
            routes.append(Route(f"/tracking/{region}/v1/{call}", serve, methods=["POST"]))
    sync = "/twilio/sync/v1/Services/{service}/Documents"
    for methods, path, handler in (
        ("GET", "/twilio/flex/v1/Configuration", configuration),
        ("GET", "/twilio/flex/v1/account/provision/status", provision),
        ("GET", "/twilio/monitor/v1/Alerts", alerts),
        ("POST", sync, documents),
        ("GET POST", sync + "/{name}", documents),
    ):
        serve = endpoint(world, path.split("/")[2], "", twilio_auth, handler, twilio_error)
        routes.append(Route(path, serve, methods=methods.split()))
    serve = endpoint(world, "handover", "", gateway_auth, handover, segment_error)
    routes.append(Route("/handover/{environment}/{step}", serve, methods=["GET", "POST"]))
    return Faults(Starlette(routes=routes), world)
