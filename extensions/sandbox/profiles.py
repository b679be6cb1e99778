# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Segment Profile API and the Tracking API."""

from __future__ import annotations

import typing as t

from starlette.requests import Request
from starlette.routing import Route

from .http import basic_user, endpoint
from .world import Environment, Problem, World


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


def error(problem: Problem) -> dict[str, t.Any]:
    return {"error": {"code": problem.code, "message": problem.message}}


def routes(world: World) -> list[Route]:
    found = []
    for region in ("us", "eu"):
        path = f"/profiles/{region}/v1/spaces/{{space}}/collections/users/profiles/{{profile}}/{{what}}"
        found.append(Route(path, endpoint(world, "profiles", region, profile_auth, profile, error)))
        serve = endpoint(world, "tracking", region, None, tracked, error)
        for call in ("identify", "track", "batch"):
            found.append(Route(f"/tracking/{region}/v1/{call}", serve, methods=["POST"]))
    return found
