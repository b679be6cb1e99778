# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hand-over endpoint such as users may run for themselves. No service of Twilio or Segment has one."""

from __future__ import annotations

import typing as t

from starlette.requests import Request
from starlette.routing import Route

from .access import error
from .http import Service
from .world import Environment, Problem, World, fingerprint


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


def routes(world: World) -> list[Route]:
    return [
        Service("handover", gateway_auth, error).route(
            world, "GET POST", "/{environment}/{step}", handover, "/handover"
        )
    ]
