# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Segment Public API."""

from __future__ import annotations

import re
import typing as t

from starlette.requests import Request
from starlette.routing import Route

from .http import Handler, endpoint, indexed, moment, page
from .world import CATALOG, LAG, Environment, Problem, Source, World, iso


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


def error(problem: Problem) -> dict[str, t.Any]:
    return {"errors": [{"type": problem.code, "message": problem.message}]}


def routes(world: World) -> list[Route]:
    return [
        Route(
            f"/segment/{region}{path}",
            endpoint(world, "segment", region, segment_auth, handler, error),
            methods=methods.split(),
        )
        for region in ("us", "eu")
        for methods, path, handler in SEGMENT
    ]
