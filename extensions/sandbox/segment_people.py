# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Segment Public API: who has rights in a workspace, and its functions. Inferred: who may see the people."""

from __future__ import annotations

import typing as t

from .access import require
from .endpoints import Exchange, Handler
from .model import ApiProblem

TYPES = ("DESTINATION", "INSERT_DESTINATION", "SOURCE")
MADE = "2026-01-02T15:04:05.000Z"


def list_users(exchange: Exchange) -> t.Any:
    """Everybody with access to the workspace, and to what."""
    require(exchange.world, "people")
    return exchange.page("users", exchange.env.users)


def list_groups(exchange: Exchange) -> t.Any:
    """All groups of users, and what they have access to."""
    require(exchange.world, "people")
    return exchange.page("userGroups", exchange.env.groups)


def list_functions(exchange: Exchange) -> t.Any:
    """The functions of a type."""
    if (kind := exchange.query.get("resourceType")) not in TYPES:
        raise ApiProblem(400, "input-validation", '"resourceType" is required', "resourceType")
    found = [
        {"id": id_, "resourceType": kind, "displayName": one["name"], "createdAt": MADE}
        for id_, one in exchange.env.functions.items()
        if one["type"] == kind
    ]
    return exchange.page("functions", found)


def list_instances(exchange: Exchange) -> t.Any:
    """The destinations that an insert function works for."""
    if (id_ := exchange.query.get("functionId", "")) not in exchange.env.functions:
        raise ApiProblem(404, "not-found", f"Function with id '{id_}' not found")
    function = exchange.env.functions[id_]
    found = [
        {
            "id": f"{id_}-{number}",
            "name": function["name"],
            "integrationId": destination,
            "classId": id_,
            "enabled": True,
            "createdAt": MADE,
            "updatedAt": MADE,
            "settings": {},
            "encryptedSettings": {},
        }
        for number, destination in enumerate(function.get("instances", ()))
    ]
    return exchange.page("instances", found)


PATHS: list[tuple[str, str, Handler]] = [
    ("GET", "/users", list_users),
    ("GET", "/groups", list_groups),
    ("GET", "/functions", list_functions),
    ("GET", "/insert-function-instances", list_instances),
]
