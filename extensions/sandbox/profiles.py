# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Segment Profile API and the Tracking API.

Documented: paths, Basic authorization, error codes, ``Request-Id``, cursors, 14 days of events. Documented of the
Tracking API: 200 for almost everything, its size limits, and that a message id counts once. Inferred: 401 for a good
token and another space (can be switched), and the order of what is listed. Inferred, too: a source has the same id here
as in the Public API.
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

from .endpoints import REGIONS, Body, Exchange, Handler, Service, basic_user
from .events import ingest
from .limits import Limits
from .model import ApiProblem, Environment, iso
from .world import World

PROFILE = "/v1/spaces/{space}/collections/users/profiles/{profile}"
EVENTS_KEPT = datetime.timedelta(days=14)
MAX_CALL, MAX_BATCH = 32 * 1024, 500 * 1024
CALLS = ("identify", "track", "batch", "page", "screen", "group", "alias")


def error(refusal: ApiProblem) -> Body:
    """A problem in the words of both APIs."""
    code = "invalid_request_error" if refusal.code == "input-validation" else refusal.code
    return {"error": {"code": code, "message": refusal.message}}


# Profile API

# Its codes are an open set. These are its words for the codes of other services.
OTHER_CODES = {
    "authentication_error": "unauthorized",
    "invalid_request_error": "bad_request",
    "validation_error": "bad_request",
}


def problem(world: World, status: int, code: str, message: str) -> ApiProblem:
    """A refusal of the Profile API, with the code that the switch ``profile_codes`` chooses."""
    return ApiProblem(
        status, OTHER_CODES.get(code, code) if world.switches["profile_codes"] == "other" else code, message
    )


def auth(world: World, region: str, request: Request) -> Environment:
    """The environment of an access token; its space must be the one in the path.

    Raises:
        ApiProblem: 401 for an unknown token; by the switch ``foreign_space`` for another space.
    """
    found = world.holder(basic_user(request)[0])
    if found is None or found[1] != "profile_token" or found[0].region != region:
        raise problem(world, 401, "authentication_error", "Invalid access token.")
    env = found[0]
    if env.space["id"] != request.path_params["space"] or env.space not in env.spaces:
        status = world.switches["foreign_space"]
        code = {401: "authentication_error", 403: "forbidden", 404: "not_found"}[status]
        raise problem(world, status, code, "The resource was not found." if status == 404 else "Invalid access token.")
    return env


def profile_of(exchange: Exchange) -> Body:
    """The profile that the path names. Identifiers are lower case; another spelling finds nothing.

    Raises:
        ApiProblem: 400, 404.
    """
    env = exchange.env
    kind, colon, value = exchange.path["profile"].partition(":")
    if not (kind and colon and value):
        raise problem(exchange.world, 400, "invalid_request_error", "The profile must be given as type:value.")
    id_ = value if kind == "segment_id" else env.identities.get(f"{kind}:{value}")
    if id_ not in env.profiles:
        raise ApiProblem(404, "not_found", "Profile was not found.")
    return env.profiles[id_]


def listing(exchange: Exchange, name: str, items: list[t.Any], most: int = 100) -> Body:
    """One page, with its cursor.

    Raises:
        ApiProblem: 400; limit or cursor is invalid.
    """
    try:
        limit = int(exchange.query.get("limit", "10"))
        given = exchange.query.get("next")
        start = int(base64.urlsafe_b64decode(given)) if given else 0
    except ValueError:
        raise problem(exchange.world, 400, "validation_error", "limit or next is invalid.") from None
    if not 1 <= limit <= most or not 0 <= start <= len(items):
        raise problem(exchange.world, 400, "validation_error", f"limit must be from 1 to {most}.")
    more = start + limit < len(items)
    following = base64.urlsafe_b64encode(str(start + limit).encode()).decode() if more else ""
    path = exchange.request.url.path.split("/", 3)[3]
    url = f"/{path}?limit={limit}" + (f"&next={urllib.parse.quote(following)}" if more else "")
    cursor = {"url": url if more else "", "has_more": more, "next": following, "limit": limit}
    return {name: items[start : start + limit], "cursor": cursor}


def traits(exchange: Exchange) -> t.Any:
    """The traits of a profile."""
    found = listing(exchange, "traits", sorted(profile_of(exchange)["traits"].items()), 200)
    return {**found, "traits": dict(found["traits"])}


def external_ids(exchange: Exchange) -> t.Any:
    """The identifiers of a profile."""
    return listing(exchange, "data", profile_of(exchange)["external_ids"])


def events(exchange: Exchange) -> t.Any:
    """Newest first."""
    oldest = exchange.world.now() - EVENTS_KEPT
    found = [m for m in profile_of(exchange)["messages"] if m["type"] == "track" and m["at"] >= oldest]
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
    return listing(exchange, "data", shown)


def metadata(exchange: Exchange) -> t.Any:
    """Return when a profile was made and changed, and by which messages."""
    profile = profile_of(exchange)
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


def links(exchange: Exchange) -> t.Any:
    """Always empty."""
    profile_of(exchange)
    return listing(exchange, "data", [])


# Tracking API


def writer(world: World, region: str, request: Request) -> Environment | None:
    """Whose key it is, for the journal alone: a wrong key is answered like a right one."""
    found = world.source_of_key(basic_user(request)[0], region)
    return found[0] if found else None


def _accepts(request: Request, size: int) -> None:
    most = MAX_BATCH if request.url.path.endswith("/batch") else MAX_CALL
    if size > most:
        raise ApiProblem(400, "invalid_request_error", f"The body is larger than {most // 1024} KB.")


def tracked(exchange: Exchange) -> t.Any:
    """200 for almost everything: an unknown key, one of the other region, a disabled source, a message without a user."""
    key = basic_user(exchange.request)[0] or exchange.body.get("writeKey")
    if not isinstance(key, str) or len(key) < 8:
        raise ApiProblem(400, "invalid_request_error", "The write key is missing or too short.")
    call = exchange.request.url.path.rsplit("/", 1)[1]
    messages = exchange.body.get("batch") if call == "batch" else [{**exchange.body, "type": call}]
    if not isinstance(messages, list) or any(not isinstance(m, dict) for m in messages):
        raise ApiProblem(400, "invalid_request_error", "batch must be an array of objects.")
    if any(len(json.dumps(m)) > MAX_CALL for m in messages):
        raise ApiProblem(400, "invalid_request_error", f"A message is larger than {MAX_CALL // 1024} KB.")
    region = exchange.request.url.path.split("/")[2]
    if found := exchange.world.source_of_key(key, region):
        for message in messages:
            _take(exchange.world, *found, message)
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
    ingest(world, env, source, taken)


def _time(text: t.Any) -> datetime.datetime | None:
    try:
        at = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
        return (at if at.tzinfo else at.replace(tzinfo=datetime.timezone.utc)).astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None


PATHS: list[tuple[str, str, Handler]] = [
    ("GET", PROFILE + "/metadata", metadata),
    ("GET", PROFILE + "/events", events),
    ("GET", PROFILE + "/traits", traits),
    ("GET", PROFILE + "/external_ids", external_ids),
    ("GET", PROFILE + "/links", links),
]
TRACKING_PATHS: list[tuple[str, str, Handler]] = [("POST", f"/v1/{call}", tracked) for call in CALLS]


def routes(world: World, limits: Limits) -> list[Route]:
    """The routes of both APIs in both regions."""
    found = []
    for region in REGIONS:
        found += Service(world, limits, "profiles", auth, error, region).routes(f"/profiles/{region}", PATHS)
        tracking = Service(world, limits, "tracking", writer, error, region, accepts=_accepts)
        found += tracking.routes(f"/tracking/{region}", TRACKING_PATHS)
    return found
