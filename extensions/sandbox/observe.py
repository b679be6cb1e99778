# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reads of the Segment Public API that tell what happened: audit trail, volumes, a space's events and traits; and echo."""

from __future__ import annotations

import re
import typing as t

from starlette.requests import Request

from .access import require
from .http import Body, Handler, indexed, moment, page
from .world import AUDIT_KEPT, LAG, Environment, Problem, World, iso

GRANULARITIES = {
    "MINUTE": {"second": 0, "microsecond": 0},
    "HOUR": {"minute": 0, "second": 0, "microsecond": 0},
    "DAY": {"hour": 0, "minute": 0, "second": 0, "microsecond": 0},
}
# Seconds.
LONGEST_DELAY = 10
DIMENSIONS = ("eventName", "eventType", "source", "appVersion")


def space_of(env: Environment, request: Request) -> Body:
    id_ = request.path_params["id"]
    if id_ != env.space["id"]:
        raise Problem(404, "not-found", f"Space with id '{id_}' not found")
    return env.space


def sorted_as_asked(request: Request, items: list[Body], names: tuple[str, str], by: str, order: str) -> list[Body]:
    by, order = request.query_params.get("sortBy", by), request.query_params.get("sortDir", order)
    if by not in names or order not in ("asc", "desc"):
        raise Problem(400, "input-validation", f'"sortBy" must be one of {", ".join(names)}', "sortBy")
    return sorted(items, key=lambda item: item[by], reverse=order == "desc")


def space_events(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    space_of(env, request)
    wanted = request.query_params.get("search", "").lower()
    found = [{"name": n, "type": "TRACK", "lastSeenAt": at} for n, at in env.in_space.items() if wanted in n.lower()]
    return page(request, "events", sorted_as_asked(request, found, ("lastSeenAt", "name"), "lastSeenAt", "desc"))


def space_traits(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    space_of(env, request)
    wanted = request.query_params.get("search", "").lower()
    seen: dict[str, str] = {}
    for profile in env.profiles.values():
        for name in profile["traits"]:
            seen[name] = max(seen.get(name, ""), profile["updated_at"])
    found: list[Body] = [
        {"trait": n, "type": "CUSTOM", "lastSeenAt": at} for n, at in seen.items() if wanted in n.lower()
    ]
    if request.query_params.get("includeSampleValues") == "true":
        for trait in found:
            values = [p["traits"].get(trait["trait"]) for p in env.profiles.values()]
            trait["samples"] = [str(value) for value in values if value is not None][:20]
    ordered = sorted_as_asked(request, found, ("trait", "lastSeenAt"), "trait", "asc")
    return page(request, "traits", ordered, forward_only=True)


def audit_events(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    """Newest first, of the last 90 days. That it takes an owner's token is inferred."""
    require(world, "audit")
    oldest = world.now() - AUDIT_KEPT
    start, end = moment(request, "startTime"), moment(request, "endTime")
    since = iso(max(start, oldest) if start else oldest)
    until = iso(end) if end else None
    wanted = {name: request.query_params.get(name) for name in ("resourceId", "resourceType")}
    events = [
        event
        for event in reversed(env.audit)
        if event["timestamp"] >= since
        and (until is None or event["timestamp"] < until)
        and all(value in (None, event[name]) for name, value in wanted.items())
    ]
    return page(request, "events", events)


def events_volume(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    """Counts per bucket; what happened in the last minute does not show yet."""
    start, end, granularity = (
        moment(request, "startTime"),
        moment(request, "endTime"),
        request.query_params.get("granularity"),
    )
    if start is None or end is None or granularity not in GRANULARITIES:
        raise Problem(400, "input-validation", '"granularity", "startTime" and "endTime" are required', "granularity")
    if start >= end:
        raise Problem(400, "input-validation", '"startTime" must be before "endTime"', "startTime")
    groups = indexed(request, "groupBy")
    if not set(groups) <= set(DIMENSIONS):
        raise Problem(400, "input-validation", f'"groupBy" takes {", ".join(DIMENSIONS)}', "groupBy")
    filters = {name: indexed(request, name) for name in ("eventName", "eventType", "sourceId")}
    visible = min(end, world.now() - LAG)
    rows: dict[tuple[t.Any, ...], dict[str, int]] = {}
    for event in env.received:
        told = {"eventName": event["event"], "eventType": event["type"], "source": event["source"]}
        values = {**told, "sourceId": event["source"], "appVersion": None}
        if not start <= event["at"] < visible or any(w and values[name] not in w for name, w in filters.items()):
            continue
        row = tuple(values[name] if name in groups else None for name in DIMENSIONS)
        bucket = iso(event["at"].replace(**GRANULARITIES[granularity]))
        series = rows.setdefault(row, {})
        series[bucket] = series.get(bucket, 0) + event["count"]
    result = []
    for (name, kind, source, _version), series in rows.items():
        shown: Body = {"total": sum(series.values()), "series": [{"time": k, "count": n} for k, n in series.items()]}
        if name is not None:
            shown["eventName"] = name
        if kind is not None:
            shown["eventType"] = kind
        if source is not None:
            known = env.sources.get(source)
            shown["source"] = {"id": source, **({"name": known.name, "slug": known.slug} if known else {})}
        result.append(shown)
    result.sort(key=lambda shown: -shown["total"])
    query: Body = {
        "workspaceId": env.workspace["id"],
        "startTime": iso(start),
        "endTime": iso(end),
        "granularity": granularity,
    }
    query |= {name: values for name, values in {**filters, "groupBy": groups}.items() if values}
    return {"path": "/observability/event_volume/v2.json", "query": query, **page(request, "result", result)}


def echo(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    """Errors of the caller's choice, for trying a client; inferred: 400 where no status is asked for, and the longest delay."""
    asked = request.query_params
    if "message" not in asked:
        raise Problem(400, "input-validation", '"message" is required', "message")
    try:
        delay = float(asked.get("delay") or 0) / 1000
    except ValueError:
        delay = -1
    if not 0 <= delay <= LONGEST_DELAY:
        raise Problem(400, "input-validation", f'"delay" takes up to {LONGEST_DELAY * 1000} milliseconds', "delay")
    # Waited for when the world is free for other requests again.
    request.scope["delay"] = delay
    # In the order in which one outweighs the next.
    errors = {"triggerError": (400, 1), "triggerMultipleErrors": (400, 2), "triggerUnexpectedError": (500, 1)}
    for name, (usual, times) in errors.items():
        if asked.get(name) == "true":
            status = asked.get("statusCode", "")
            status_code = int(status) if re.fullmatch("[45][0-9][0-9]", status) else usual
            raise Problem(status_code, "echo", asked["message"], times=times)
    return {"message": asked["message"], "method": "get", "headers": {}}


PATHS: list[tuple[str, str, Handler]] = [
    ("GET", "/spaces/{id}/events", space_events),
    ("GET", "/spaces/{id}/traits", space_traits),
    ("GET", "/audit-events", audit_events),
    ("GET", "/events/volume", events_volume),
    ("GET", "/echo", echo),
]
