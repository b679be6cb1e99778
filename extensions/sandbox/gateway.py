# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hand-over endpoint such as users may run for themselves. No service of Twilio or Segment has one."""

from __future__ import annotations

import typing as t

from starlette.requests import Request
from starlette.routing import Route

from . import handovers
from .access import error
from .endpoints import Exchange, Service
from .limits import Limits
from .model import ApiProblem, Environment, fingerprint
from .world import World


def gateway_auth(world: World, region: str, request: Request) -> Environment:
    """The environment in the path, for whoever has its gateway token.

    Raises:
        ApiProblem: 401, 404.
    """
    env = world.environment(request.path_params["environment"])
    if request.headers.get("authorization") != f"Bearer {env.gateway_token}":
        raise ApiProblem(401, "unauthorized", "The gateway token is missing or wrong")
    return env


def handover(exchange: Exchange) -> t.Any:
    """Do a step, or show what is set there."""
    world, env, body = exchange.world, exchange.env, exchange.body
    step, posted = exchange.path["step"], exchange.method == "POST"
    if step == "connection":
        if posted:
            handovers.connect(world, env, body)
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
            handovers.link(world, env, body)
        return {
            "space_id": env.space["id"],
            "source_ids": env.linked,
            "source_id": env.linked[-1] if env.linked else None,
        }
    if step == "key":
        if posted:
            handovers.store_key(world, env, body.get("write_key"))
        key = env.flex_key
        return {"write_key_fingerprint": fingerprint(key) if key else None, "set_at": env.flex_key_set_at}
    raise ApiProblem(404, "not-found", "the steps are connection, link and key")


def routes(world: World, limits: Limits) -> list[Route]:
    """The gateway's route."""
    paths = [("GET POST", "/{environment}/{step}", handover)]
    return Service(world, limits, "handover", gateway_auth, error).routes("/handover", paths)
