# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reads of the Segment Public API that tell what happened: audit trail, volumes, a space's events and traits; and echo."""

from __future__ import annotations

import datetime
import re
import typing as t

from .access import require
from .endpoints import Body, Exchange, Handler
from .model import ApiProblem, iso

GRANULARITIES = {
    "MINUTE": {"second": 0, "microsecond": 0},
    "HOUR": {"minute": 0, "second": 0, "microsecond": 0},
    "DAY": {"hour": 0, "minute": 0, "second": 0, "microsecond": 0},
}
LAG = datetime.timedelta(seconds=60)
AUDIT_KEPT = datetime.timedelta(days=90)
MOST_ROWS = 5000
# Seconds.
LONGEST_DELAY = 10
DIMENSIONS = ("eventName", "eventType", "source", "appVersion")


def space_of(exchange: Exchange) -> Body:
    """The space that the path names.

    Raises:
        ApiProblem: 404; the workspace has no such space.
    """
    id_ = exchange.path["id"]
    for space in exchange.env.spaces:
        if space["id"] == id_:
            return space
    raise ApiProblem(404, "not-found", f"Space with id '{id_}' not found")


def sorted_as_asked(exchange: Exchange, items: list[Body], names: tuple[str, str], by: str, order: str) -> list[Body]:
    """The items in the order that the query asks for.

    Raises:
        ApiProblem: 400; there is no such order.
    """
    by, order = exchange.query.get("sortBy", by), exchange.query.get("sortDir", order)
    if by not in names or order not in ("asc", "desc"):
        raise ApiProblem(400, "input-validation", f'"sortBy" must be one of {", ".join(names)}', "sortBy")
    return sorted(items, key=lambda item: item[by], reverse=order == "desc")


def space_events(exchange: Exchange) -> t.Any:
    """The events that a space saw, by name."""
    env, wanted = exchange.env, exchange.query.get("search", "").lower()
    events = env.in_space if space_of(exchange)["id"] == env.space["id"] else {}
    found = [{"name": n, "type": "TRACK", "lastSeenAt": at} for n, at in events.items() if wanted in n.lower()]
    return exchange.page("events", sorted_as_asked(exchange, found, ("lastSeenAt", "name"), "lastSeenAt", "desc"))


def space_traits(exchange: Exchange) -> t.Any:
    """The traits that a space saw, by name."""
    env, wanted = exchange.env, exchange.query.get("search", "").lower()
    profiles = env.profiles if space_of(exchange)["id"] == env.space["id"] else {}
    seen: dict[str, str] = {}
    for profile in profiles.values():
        for name in profile["traits"]:
            seen[name] = max(seen.get(name, ""), profile["updated_at"])
    found: list[Body] = [
        {"trait": n, "type": "CUSTOM", "lastSeenAt": at} for n, at in seen.items() if wanted in n.lower()
    ]
    if exchange.query.get("includeSampleValues") == "true":
        for trait in found:
            values = [p["traits"].get(trait["trait"]) for p in profiles.values()]
            trait["samples"] = [str(value) for value in values if value is not None][:20]
    ordered = sorted_as_asked(exchange, found, ("trait", "lastSeenAt"), "trait", "asc")
    return exchange.page("traits", ordered, forward_only=True)


def audit_events(exchange: Exchange) -> t.Any:
    """Newest first, of the last 90 days. That it takes an owner's token is inferred."""
    require(exchange.world, "audit")
    oldest = exchange.world.now() - AUDIT_KEPT
    start, end = exchange.moment("startTime"), exchange.moment("endTime")
    since = iso(max(start, oldest) if start else oldest)
    until = iso(end) if end else None
    wanted = {name: exchange.query.get(name) for name in ("resourceId", "resourceType")}
    events = [
        event
        for event in reversed(exchange.env.audit)
        if event["timestamp"] >= since
        and (until is None or event["timestamp"] < until)
        and all(value in (None, event[name]) for name, value in wanted.items())
    ]
    return exchange.page("events", events)


def events_volume(exchange: Exchange) -> t.Any:
    """Counts per bucket; what happened in the last minute does not show yet."""
    start, end, granularity = (
        exchange.moment("startTime"),
        exchange.moment("endTime"),
        exchange.query.get("granularity"),
    )
    if start is None or end is None or granularity not in GRANULARITIES:
        raise ApiProblem(
            400, "input-validation", '"granularity", "startTime" and "endTime" are required', "granularity"
        )
    if start >= end:
        raise ApiProblem(400, "input-validation", '"startTime" must be before "endTime"', "startTime")
    groups = exchange.indexed("groupBy")
    if not set(groups) <= set(DIMENSIONS):
        raise ApiProblem(400, "input-validation", f'"groupBy" takes {", ".join(DIMENSIONS)}', "groupBy")
    filters = {name: exchange.indexed(name) for name in ("eventName", "eventType", "sourceId")}
    visible = min(end, exchange.world.now() - LAG)
    rows: dict[tuple[t.Any, ...], dict[str, int]] = {}
    for event in exchange.env.received:
        told = {"eventName": event["event"], "eventType": event["type"], "source": event["source"]}
        values = {**told, "sourceId": event["source"], "appVersion": None}
        if not start <= event["at"] < visible or any(w and values[name] not in w for name, w in filters.items()):
            continue
        row = tuple(values[name] if name in groups else None for name in DIMENSIONS)
        bucket = iso(event["at"].replace(**GRANULARITIES[granularity]))
        series = rows.setdefault(row, {})
        series[bucket] = series.get(bucket, 0) + event["count"]
    number = float if exchange.world.switches["volume_floats"] else int
    result = []
    for (name, kind, source, _version), series in rows.items():
        counts = [{"time": bucket, "count": number(count)} for bucket, count in series.items()]
        shown: Body = {"total": number(sum(series.values())), "series": counts}
        if name is not None:
            shown["eventName"] = name
        if kind is not None:
            shown["eventType"] = kind
        if source is not None:
            known = exchange.env.sources.get(source)
            shown["source"] = {"id": source, **({"name": known.name, "slug": known.slug} if known else {})}
        result.append(shown)
    result = sorted(result, key=lambda shown: -shown["total"])[:MOST_ROWS]
    query: Body = {
        "workspaceId": exchange.env.workspace["id"],
        "startTime": iso(start),
        "endTime": iso(end),
        "granularity": granularity,
    }
    query |= {name: values for name, values in {**filters, "groupBy": groups}.items() if values}
    return {"path": "/observability/event_volume/v2.json", "query": query, **exchange.page("result", result)}


def echo(exchange: Exchange) -> t.Any:
    """Errors of the caller's choice, for trying a client; inferred: 400 where no status is asked for, and the longest delay."""
    asked = exchange.query
    if "message" not in asked:
        raise ApiProblem(400, "input-validation", '"message" is required', "message")
    try:
        delay = float(asked.get("delay") or 0) / 1000
    except ValueError:
        delay = -1
    if not 0 <= delay <= LONGEST_DELAY:
        raise ApiProblem(400, "input-validation", f'"delay" takes up to {LONGEST_DELAY * 1000} milliseconds', "delay")
    # Waited for when the world is free for other requests again.
    exchange.request.scope["delay"] = delay
    # In the order in which one outweighs the next.
    errors = {"triggerError": (400, 1), "triggerMultipleErrors": (400, 2), "triggerUnexpectedError": (500, 1)}
    for name, (usual, times) in errors.items():
        if asked.get(name) == "true":
            status = asked.get("statusCode", "")
            status_code = int(status) if re.fullmatch("[45][0-9][0-9]", status) else usual
            raise ApiProblem(status_code, "echo", asked["message"], times=times)
    return {"message": asked["message"], "method": "get", "headers": {}}


PATHS: list[tuple[str, str, Handler]] = [
    ("GET", "/spaces/{id}/events", space_events),
    ("GET", "/spaces/{id}/traits", space_traits),
    ("GET", "/audit-events", audit_events),
    ("GET", "/events/volume", events_volume),
    ("GET", "/echo", echo),
]
