# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may do what in the Segment Public API, and how it says no."""

from __future__ import annotations

from starlette.requests import Request

from .endpoints import Body
from .model import ApiProblem, Environment
from .world import World

# What each token may do, beside reading. Inferred: which role may do what.
RIGHTS = {
    "segment_token": ("sources", "labels", "audit", "keys", "warehouses", "plans", "people"),
    "admin_token": ("sources", "keys"),
}
TOKENS = (*RIGHTS, "read_only_token")


def auth(world: World, region: str, request: Request) -> Environment:
    """A token belongs to one workspace, and to one region: the other does not know it."""
    header = request.headers.get("authorization", "")
    if not header:
        raise ApiProblem(401, "unauthorized", "Authorization header is required")
    scheme, _unused, token = header.partition(" ")
    found = world.holder(token) if scheme.lower() == "bearer" else None
    if found is None or found[1] not in TOKENS or found[0].region != region:
        raise ApiProblem(401, "unauthorized", "The token is not valid")
    world.actor = token
    return found[0]


def may(world: World, right: str) -> bool:
    """Return whether the token that acts has the right."""
    found = world.holder(world.actor or "")
    return found is not None and right in RIGHTS.get(found[1], ())


def require(world: World, right: str) -> None:
    """Refuse a token without the right.

    Raises:
        ApiProblem: By the switch ``lacks_permission``.
    """
    if not may(world, right):
        raise ApiProblem(world.switches["lacks_permission"], "forbidden", "The token lacks the permission for this")


def error(problem: ApiProblem) -> Body:
    """A problem in the words of the Public API."""
    found = {"type": problem.code, "message": problem.message}
    return {"errors": [{**found, "field": problem.field} if problem.field else found] * problem.times}
