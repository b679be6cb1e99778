# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Segment Profile API and the Tracking API.

Documented: paths, Basic authorization, error codes, ``Request-Id``, cursors, 14 days of events; the Tracking API's 200 for almost
everything, its size limits, and that a message id counts once. Inferred: 401 for a good token and another space (can be
switched), the order of what is listed, and that a source has the same id here as in the Public API.
"""

from __future__ import annotations

import base64
import datetime
import json
import typing as t
import urllib.parse
import uuid

from starlette.requests import Request
from starlette.routing import Route

from . import stream
from .http import REGIONS, Body, Service, basic_user
from .world import Environment, Problem, World, iso

PROFILE = "/v1/spaces/{space}/collections/users/profiles/{profile}"
EVENTS_KEPT = datetime.timedelta(days=14)
MAX_CALL, MAX_BATCH = 32 * 1024, 500 * 1024
CALLS = ("identify", "track", "batch", "page", "screen", "group", "alias")


def error(problem: Problem) -> Body:
    code = "invalid_request_error" if problem.code == "input-validation" else problem.code
    return {"error": {"code": code, "message": problem.message}}


# Profile API


def auth(world: World, region: str, request: Request) -> Environment:
    found = world.holder(basic_user(request)[0])
    if found is None or found[1] != "profile_token" or found[0].region != region:
        raise Problem(401, "authentication_error", "Invalid access token.")
    if found[0].space["id"] != request.path_params["space"]:
        status = world.switches["foreign_space"]
        code = "not_found" if status == 404 else "authentication_error"
        raise Problem(status, code, "Space was not found." if status == 404 else "Invalid access token.")
    return found[0]


def profile_of(env: Environment, request: Request) -> Body:
    """Identifiers are lower case; another spelling finds nothing."""
    kind, colon, value = request.path_params["profile"].partition(":")
    if not (kind and colon and value):
        raise Problem(400, "invalid_request_error", "The profile must be given as type:value.")
    id_ = value if kind == "segment_id" else env.identities.get(f"{kind}:{value}")
    if id_ not in env.profiles:
        raise Problem(404, "not_found", "Profile was not found.")
    return env.profiles[id_]


def listing(request: Request, name: str, items: list[t.Any], most: int = 100) -> Body:
    try:
        limit = int(request.query_params.get("limit", "10"))
        given = request.query_params.get("next")
        start = int(base64.urlsafe_b64decode(given)) if given else 0
    except ValueError:
        raise Problem(400, "validation_error", "limit or next is invalid.") from None
    if not 1 <= limit <= most or not 0 <= start <= len(items):
        raise Problem(400, "validation_error", f"limit must be from 1 to {most}.")
    more = start + limit < len(items)
    following = base64.urlsafe_b64encode(str(start + limit).encode()).decode() if more else ""
    path = request.url.path.split("/", 3)[3]
    url = f"/{path}?limit={limit}" + (f"&next={urllib.parse.quote(following)}" if more else "")
    cursor = {"url": url if more else "", "has_more": more, "next": following, "limit": limit}
    return {name: items[start : start + limit], "cursor": cursor}


def traits(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    found = listing(request, "traits", sorted(profile_of(env, request)["traits"].items()), 200)
    return {**found, "traits": dict(found["traits"])}


def external_ids(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    return listing(request, "data", profile_of(env, request)["external_ids"])


def events(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    """Newest first."""
    oldest = world.now() - EVENTS_KEPT
    found = [m for m in profile_of(env, request)["messages"] if m["type"] == "track" and m["at"] >= oldest]
    found.sort(key=lambda message: message["at"], reverse=True)
    shown = [
        {
            "type": "track",
            "message_id": message["message_id"],
            "source_id": message["source"],
            "event": message["event"],
            "timestamp": iso(message["at"]),
            "properties": message.get("properties") or {},
            "context": {},
            "related": {},
            "external_ids": [],
        }
        for message in found
    ]
    return listing(request, "data", shown)


def metadata(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    profile = profile_of(env, request)
    first, last = profile["messages"][0], profile["messages"][-1]
    return {
        "metadata": {
            "created_at": profile["created_at"],
            "updated_at": profile["updated_at"],
            "expires_at": None,
            "first_message_id": first["message_id"],
            "first_source_id": first["source"],
            "last_message_id": last["message_id"],
            "last_source_id": last["source"],
        }
    }


def links(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    profile_of(env, request)
    return listing(request, "data", [])


# Tracking API


def writer(world: World, region: str, request: Request) -> Environment | None:
    """Whose key it is, for the journal alone: a wrong key is answered like a right one."""
    found = world.source_of_key(basic_user(request)[0], region)
    return found[0] if found else None


def _accepts(request: Request, size: int) -> None:
    most = MAX_BATCH if request.url.path.endswith("/batch") else MAX_CALL
    if size > most:
        raise Problem(400, "invalid_request_error", f"The body is larger than {most // 1024} KB.")


def tracked(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    """200 for almost everything: an unknown key, one of the other region, a disabled source, a message without a user."""
    key = basic_user(request)[0] or body.get("writeKey")
    if not isinstance(key, str) or len(key) < 8:
        raise Problem(400, "invalid_request_error", "The write key is missing or too short.")
    call = request.url.path.rsplit("/", 1)[1]
    messages = body.get("batch") if call == "batch" else [{**body, "type": call}]
    if not isinstance(messages, list) or any(not isinstance(m, dict) for m in messages):
        raise Problem(400, "invalid_request_error", "batch must be an array of objects.")
    if any(len(json.dumps(m)) > MAX_CALL for m in messages):
        raise Problem(400, "invalid_request_error", f"A message is larger than {MAX_CALL // 1024} KB.")
    region = request.url.path.split("/")[2]
    if found := world.source_of_key(key, region):
        for message in messages:
            _take(world, *found, message)
    return {"success": True}


def _take(world: World, env: Environment, source: t.Any, message: Body) -> None:
    kind, event = message.get("type"), message.get("event")
    user, anonymous = (str(message.get(name) or "") for name in ("userId", "anonymousId"))
    if kind not in CALLS or (kind == "track" and not (isinstance(event, str) and event)) or not (user or anonymous):
        return
    at, now = _time(message.get("timestamp")), world.now()
    taken = {
        "type": kind,
        "event": event if kind == "track" else None,
        "user_id": user or None,
        "anonymous_id": anonymous or None,
        "message_id": str(message.get("messageId") or f"api-{uuid.uuid4()}")[:100],
        "properties": message.get("properties") if isinstance(message.get("properties"), dict) else {},
        "traits": message.get("traits") if kind == "identify" and isinstance(message.get("traits"), dict) else {},
        "at": at if at and at < now else now,
    }
    stream.ingest(world, env, source, taken)


def _time(text: t.Any) -> datetime.datetime | None:
    try:
        at = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
        return (at if at.tzinfo else at.replace(tzinfo=datetime.timezone.utc)).astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None


PATHS = (
    ("GET", PROFILE + "/metadata", metadata),
    ("GET", PROFILE + "/events", events),
    ("GET", PROFILE + "/traits", traits),
    ("GET", PROFILE + "/external_ids", external_ids),
    ("GET", PROFILE + "/links", links),
)


def routes(world: World) -> list[Route]:
    found = []
    for region in REGIONS:
        profile_api = Service("profiles", auth, error, region)
        found += [profile_api.route(world, *path, prefix=f"/profiles/{region}") for path in PATHS]
        tracking = Service("tracking", writer, error, region, accepts=_accepts)
        found += [tracking.route(world, "POST", f"/v1/{call}", tracked, f"/tracking/{region}") for call in CALLS]
    return found
