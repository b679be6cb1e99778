# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Segment Public API: workspace, spaces, sources, keys, labels, catalog, and what sources are connected to.

Paths, bodies and statuses are documented (OpenAPI document 36.2.0, SDKs of 73.2.0) unless a line says inferred. Inferred too:
403 for a token without the permission, 409 for a taken slug (both can be switched), which characters slugs and labels take.
"""

from __future__ import annotations

import typing as t

from starlette.requests import Request
from starlette.routing import Route

from . import observe
from .access import auth, error, may, require
from .catalog import CATALOG, metadata
from .http import REGIONS, Body, Handler, Service, page, text
from .world import Environment, Problem, Source, World

MAX_BODY = 1024 * 1024


def found_in(items: t.Mapping[str, t.Any], what: str, id_: str) -> t.Any:
    if id_ not in items:
        raise Problem(404, "not-found", f"{what} with id '{id_}' not found")
    return items[id_]


# Workspace and spaces


def get_workspace(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    return {"workspace": env.workspace}


def list_spaces(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    return page(request, "spaces", [env.space])


def get_space(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    observe.space_of(env, request)
    return {"space": env.space}


# Sources


def source_view(world: World, env: Environment, source: Source) -> Body:
    return {
        "id": source.id,
        "slug": source.slug,
        "name": source.name,
        "workspaceId": env.workspace["id"],
        "enabled": source.enabled,
        "writeKeys": list(source.keys) if may(world, "keys") else [],
        "metadata": metadata(source.metadata),
        "settings": source.settings,
        "labels": source.labels,
    }


def list_sources(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    found = page(request, "sources", list(env.sources.values()))
    return {**found, "sources": [source_view(world, env, source) for source in found["sources"]]}


def create_source(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    require(world, "sources")
    slug, kind = text(body, "slug"), text(body, "metadataId")
    for name, type_, default in (
        ("enabled", bool, None),
        ("settings", dict, {}),
        ("disconnectAllWarehouses", bool, False),
    ):
        if not isinstance(body.get(name, default), type_):
            raise Problem(400, "input-validation", f'"{name}" is required, or of a wrong type', name)
    source = world.make_source(env, slug, kind, body["enabled"])
    source.settings = dict(body.get("settings", {}))
    if body.get("disconnectAllWarehouses"):
        for warehouse in env.warehouses.values():
            warehouse["sources"].remove(source.id)
    return {"source": source_view(world, env, source)}, 201


def get_source(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    source = world.source(env, request.path_params["id"])
    plan = next((id_ for id_, plan in env.tracking_plans.items() if source.id in plan["sources"]), None)
    return {"source": source_view(world, env, source), "trackingPlanId": plan}


def update_source(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    require(world, "sources")
    source = world.source(env, request.path_params["id"])
    world.patch_source(env, source, body)
    return {"source": source_view(world, env, source)}


def delete_source(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    require(world, "sources")
    world.delete_source(env, world.source(env, request.path_params["id"]))
    return {"status": "SUCCESS"}


def add_key(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    require(world, "keys")
    source = world.source(env, request.path_params["id"])
    source.keys.append(world.new_key(env))
    world.changed(env, source)
    return {"source": source_view(world, env, source)}


def remove_key(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    require(world, "keys")
    source, key = world.source(env, request.path_params["id"]), request.path_params["key"]
    if key not in source.keys:
        raise Problem(404, "not-found", "Write key not found")
    source.keys.remove(key)
    world.changed(env, source)
    return {"status": "SUCCESS"}


# Schema settings of a source

VIOLATIONS = ("ALLOW", "BLOCK", "OMIT_TRAITS")
TRAITS = {"allowUnplannedTraits": bool, "allowTraitsOnViolations": bool, "commonEventOnViolations": VIOLATIONS}
SCHEMA: dict[str, t.Any] = {
    "track": {
        **dict.fromkeys(("allowUnplannedEvents", "allowUnplannedEventProperties", "allowEventOnViolations"), bool),
        "allowPropertiesOnViolations": bool,
        "commonEventOnViolations": ("ALLOW", "BLOCK", "OMIT_PROPERTIES"),
    },
    "identify": TRAITS,
    "group": TRAITS,
    "forwardingViolationsTo": str,
    "forwardingBlockedEventsTo": str,
}


def _usual(kind: t.Any) -> t.Any:
    if isinstance(kind, dict):
        return {name: _usual(inner) for name, inner in kind.items()}
    return True if kind is bool else "" if kind is str else "ALLOW"


def _merged(current: Body, given: Body, kinds: Body) -> Body:
    merged = dict(current)
    for name, value in given.items():
        kind = kinds.get(name)
        if isinstance(kind, dict) and isinstance(value, dict):
            merged[name] = _merged(current[name], value, kind)
        elif (isinstance(kind, type) and isinstance(value, kind)) or (isinstance(kind, tuple) and value in kind):
            merged[name] = value
        else:
            raise Problem(400, "input-validation", f'"{name}" is not a schema setting, or its value is wrong', name)
    return merged


def get_schema(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    source = world.source(env, request.path_params["id"])
    return {"sourceId": source.id, "settings": source.schema or _usual(SCHEMA)}


def update_schema(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    require(world, "sources")
    source = world.source(env, request.path_params["id"])
    source.schema = _merged(source.schema or _usual(SCHEMA), body, SCHEMA)
    world.changed(env, source)
    return {"sourceId": source.id, "settings": source.schema}


# Labels


def _label(given: t.Any, field: str) -> dict[str, str]:
    if not isinstance(given, dict):
        raise Problem(400, "input-validation", f'"{field}" is required', field)
    found: dict[str, t.Any] = {
        name: given.get(name) for name in ("key", "value", "description") if given.get(name) is not None
    }
    good = all(isinstance(found.get(name), str) and found[name].strip() for name in ("key", "value"))
    if not good or not isinstance(found.get("description", ""), str):
        raise Problem(400, "input-validation", '"key" and "value" are required, as texts', field)
    return found


def _pair(label: t.Mapping[str, str]) -> tuple[str, str]:
    return label["key"], label["value"]


def list_labels(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    return {"labels": env.labels}


def create_label(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    require(world, "labels")
    label = _label(body.get("label"), "label")
    name = ":".join(_pair(label))
    if any(_pair(label) == _pair(other) for other in env.labels):
        raise Problem(world.switches["duplicate_slug"], "conflict", f"The label {name} already exists", "label")
    env.labels.append(label)
    world.record(env, "Label Created", name, name, "label")
    return {"label": label}, 201


def delete_label(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    """Inferred: a label that goes, goes from the sources too."""
    require(world, "labels")
    pair = request.path_params["key"], request.path_params["value"]
    if not any(_pair(label) == pair for label in env.labels):
        raise Problem(404, "not-found", f"Label {':'.join(pair)} not found")
    env.labels = [label for label in env.labels if _pair(label) != pair]
    for source in env.sources.values():
        source.labels = [label for label in source.labels if _pair(label) != pair]
    world.record(env, "Label Deleted", ":".join(pair), ":".join(pair), "label")
    return {"status": "SUCCESS"}


def label_source(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    """A label must exist in the workspace first. POST adds, PUT replaces."""
    require(world, "sources")
    source, given = world.source(env, request.path_params["id"]), body.get("labels")
    if not isinstance(given, list):
        raise Problem(400, "input-validation", '"labels" must be an array', "labels")
    known, wanted = {_pair(label) for label in env.labels}, {}
    for label in (_label(item, "labels") for item in given):
        if _pair(label) not in known:
            raise Problem(400, "input-validation", f"label {':'.join(_pair(label))} does not exist", "labels")
        wanted[_pair(label)] = {"key": label["key"], "value": label["value"]}
    kept = {} if request.method == "PUT" else {_pair(label): label for label in source.labels}
    source.labels = list({**kept, **wanted}.values())
    world.changed(env, source)
    return {"labels": source.labels}


# Catalog


def list_catalog(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    found = page(request, "sourcesCatalog", list(CATALOG))
    return {**found, "sourcesCatalog": [metadata(id_) for id_ in found["sourcesCatalog"]]}


def get_catalog(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    found_in(CATALOG, "Source metadata", request.path_params["id"])
    return {"sourceMetadata": metadata(request.path_params["id"])}


# Destinations, warehouses, tracking plans


def warehouse_view(env: Environment, id_: str) -> Body:
    logos = {"default": "https://example.com/logo.svg", "mark": None, "alt": None}
    kind = {"id": "55d3d3aea3", "slug": "postgres", "name": "Postgres", "description": "Warehouse", "logos": logos}
    found = {"id": id_, "workspaceId": env.workspace["id"], "enabled": True, "metadata": {**kind, "options": []}}
    return {**found, "settings": {"name": env.warehouses[id_]["name"]}}


def plan_view(env: Environment, id_: str) -> Body:
    name = env.tracking_plans[id_]["name"]
    return {"id": id_, "name": name, "slug": name.replace(" ", "-"), "type": "LIVE"}


def sources_of(world: World, env: Environment, request: Request, holder: Body) -> Body:
    found = page(request, "sources", holder["sources"])
    return {**found, "sources": [source_view(world, env, env.sources[id_]) for id_ in found["sources"]]}


def connected_destinations(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    """Never shows the Unify space: absence here proves nothing."""
    world.source(env, request.path_params["id"])
    return page(request, "destinations", [])


def connected_warehouses(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    source = world.source(env, request.path_params["id"])
    ids = [id_ for id_, warehouse in env.warehouses.items() if source.id in warehouse["sources"]]
    return page(request, "warehouses", [warehouse_view(env, id_) for id_ in ids])


def list_warehouses(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    return page(request, "warehouses", [warehouse_view(env, id_) for id_ in env.warehouses])


def get_warehouse(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    found_in(env.warehouses, "Warehouse", request.path_params["id"])
    return {"warehouse": warehouse_view(env, request.path_params["id"])}


def warehouse_sources(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    return sources_of(world, env, request, found_in(env.warehouses, "Warehouse", request.path_params["id"]))


def warehouse_source(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    require(world, "sources")
    id_ = request.path_params["id"]
    warehouse = found_in(env.warehouses, "Warehouse", id_)
    source = world.source(env, request.path_params["source"])
    warehouse["sources"] = [other for other in warehouse["sources"] if other != source.id]
    world.record(env, "Storage Destination Modified", id_, warehouse["name"], "warehouse")
    if request.method == "DELETE":
        return {"status": "SUCCESS"}
    warehouse["sources"].append(source.id)
    return {"status": "CONNECTED"}, 201


def list_plans(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    return page(request, "trackingPlans", [plan_view(env, id_) for id_ in env.tracking_plans])


def get_plan(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    found_in(env.tracking_plans, "Tracking plan", request.path_params["id"])
    return {"trackingPlan": plan_view(env, request.path_params["id"])}


def plan_sources(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    """A source has at most one tracking plan."""
    if request.method != "GET":
        require(world, "sources")
    plan = found_in(env.tracking_plans, "Tracking plan", request.path_params["id"])
    if request.method == "GET":
        return sources_of(world, env, request, plan)
    asked = text(body, "sourceId") if request.method == "POST" else request.query_params.get("sourceId", "")
    source = world.source(env, asked)
    for other in env.tracking_plans.values():
        other["sources"] = [id_ for id_ in other["sources"] if id_ != source.id]
    if request.method == "POST":
        plan["sources"].append(source.id)
    world.changed(env, source)
    return {"status": "SUCCESS"}


# Methods, path, handler. Whatever the collection asks most comes first.
PATHS: list[tuple[str, str, Handler]] = [
    ("GET", "/", get_workspace),
    ("GET", "/sources", list_sources),
    ("POST", "/sources", create_source),
    ("GET", "/sources/{id}", get_source),
    ("PATCH", "/sources/{id}", update_source),
    ("DELETE", "/sources/{id}", delete_source),
    ("POST PUT", "/sources/{id}/labels", label_source),
    ("POST", "/sources/{id}/writekey", add_key),
    ("DELETE", "/sources/{id}/writekey/{key}", remove_key),
    ("GET", "/spaces", list_spaces),
    ("GET", "/spaces/{id}", get_space),
    *observe.PATHS,
    ("GET", "/labels", list_labels),
    ("POST", "/labels", create_label),
    ("DELETE", "/labels/{key}/{value}", delete_label),
    ("GET", "/sources/{id}/settings", get_schema),
    ("PATCH", "/sources/{id}/settings", update_schema),
    ("GET", "/sources/{id}/connected-destinations", connected_destinations),
    ("GET", "/sources/{id}/connected-warehouses", connected_warehouses),
    ("GET", "/catalog/sources", list_catalog),
    ("GET", "/catalog/sources/{id}", get_catalog),
    ("GET", "/warehouses", list_warehouses),
    ("GET", "/warehouses/{id}", get_warehouse),
    ("GET", "/warehouses/{id}/connected-sources", warehouse_sources),
    ("POST DELETE", "/warehouses/{id}/connected-sources/{source}", warehouse_source),
    ("GET", "/tracking-plans", list_plans),
    ("GET", "/tracking-plans/{id}", get_plan),
    ("GET POST DELETE", "/tracking-plans/{id}/sources", plan_sources),
]


def _accepts(request: Request, size: int) -> None:
    """That there is a 413 is documented, from which size on is inferred."""
    if size > MAX_BODY:
        raise Problem(413, "payload-too-large", f"The body is larger than {MAX_BODY // 1024} KB")


def routes(world: World) -> list[Route]:
    found = []
    for region in REGIONS:
        service = Service("segment", auth, error, region, accepts=_accepts)
        found += [service.route(world, *path, prefix=f"/segment/{region}") for path in PATHS]
    return found
