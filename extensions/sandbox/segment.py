# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Segment Public API: workspace, spaces, catalog, and the paths of all.

Paths, bodies and statuses are documented (OpenAPI document 36.2.0, SDKs of 73.2.0) unless a line says inferred. Inferred too:
403 for a token without the permission, 409 for a taken slug (both can be switched), which characters slugs and labels take.
"""

from __future__ import annotations

import typing as t

from starlette.requests import Request
from starlette.routing import Route

from . import segment_attachments, segment_observability, segment_people, segment_sources
from .access import auth, error
from .catalog import CATALOG, metadata
from .endpoints import REGIONS, Exchange, Handler, Service
from .limits import Limits
from .model import ApiProblem
from .segment_observability import space_of
from .segment_sources import found_in
from .world import World

MAX_BODY = 1024 * 1024


# Workspace and spaces


def get_workspace(exchange: Exchange) -> t.Any:
    """The workspace of the token."""
    return {"workspace": exchange.env.workspace}


def list_spaces(exchange: Exchange) -> t.Any:
    """All spaces; mostly there is one."""
    return exchange.page("spaces", exchange.env.spaces)


def get_space(exchange: Exchange) -> t.Any:
    """A space by its id."""
    return {"space": space_of(exchange)}


# Catalog


def list_catalog(exchange: Exchange) -> t.Any:
    """All source types."""
    found = exchange.page("sourcesCatalog", list(CATALOG))
    return {**found, "sourcesCatalog": [metadata(id_) for id_ in found["sourcesCatalog"]]}


def get_catalog(exchange: Exchange) -> t.Any:
    """A source type."""
    found_in(CATALOG, "Source metadata", exchange.path["id"])
    return {"sourceMetadata": metadata(exchange.path["id"])}


# Methods, path, handler. Whatever the collection asks most comes first.
PATHS: list[tuple[str, str, Handler]] = [
    ("GET", "/", get_workspace),
    ("GET", "/spaces", list_spaces),
    ("GET", "/spaces/{id}", get_space),
    *segment_sources.PATHS,
    *segment_observability.PATHS,
    *segment_attachments.PATHS,
    *segment_people.PATHS,
    ("GET", "/catalog/sources", list_catalog),
    ("GET", "/catalog/sources/{id}", get_catalog),
]


def _accepts(request: Request, size: int) -> None:
    """That there is a 413 is documented, from which size on is inferred."""
    if size > MAX_BODY:
        raise ApiProblem(413, "payload-too-large", f"The body is larger than {MAX_BODY // 1024} KB")


def routes(world: World, limits: Limits) -> list[Route]:
    """The routes of both regions."""
    return [
        route
        for region in REGIONS
        for route in Service(world, limits, "segment", auth, error, region, accepts=_accepts).routes(
            f"/segment/{region}", PATHS
        )
    ]
