# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Segment Public API: workspace, spaces, sources, keys, labels, catalog, and what sources are connected to.

Paths, bodies and statuses are documented (OpenAPI document 36.2.0, SDKs of 73.2.0) unless a line says inferred. Inferred too:
403 for a token without the permission, 409 for a taken slug (both can be switched), which characters slugs and labels take.
"""

from __future__ import annotations

import copy
import typing as t

from starlette.requests import Request
from starlette.routing import Route

from . import segment_observability, segment_people
from .access import auth, error, may, require
from .catalog import CATALOG, LOGOS, WEBHOOK, metadata
from .endpoints import REGIONS, Body, Exchange, Handler, Service
from .limits import Limits
from .model import ApiProblem, Environment, Source
from .segment_observability import space_of
from .world import World

MAX_BODY = 1024 * 1024
ALPHA = "application/vnd.segment.v1alpha+json"


def found_in(items: t.Mapping[str, t.Any], what: str, id_: str) -> t.Any:
    """One of the items.

    Raises:
        ApiProblem: 404; there is none of this id.
    """
    if id_ not in items:
        raise ApiProblem(404, "not-found", f"{what} with id '{id_}' not found")
    return items[id_]


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


# Sources


def source_of(exchange: Exchange) -> Source:
    """The source that the path names."""
    return exchange.world.source(exchange.env, exchange.path["id"])


def source_view(exchange: Exchange, source: Source) -> Body:
    """A source as the API shows it."""
    return {
        "id": source.id,
        "slug": source.slug,
        "name": source.name,
        "workspaceId": exchange.env.workspace["id"],
        "enabled": source.enabled,
        "writeKeys": list(source.keys) if may(exchange.world, "keys") else [],
        "metadata": metadata(source.metadata),
        "settings": source.settings,
        "labels": source.labels,
    }


def list_sources(exchange: Exchange) -> t.Any:
    """All sources."""
    found = exchange.page("sources", list(exchange.env.sources.values()))
    return {**found, "sources": [source_view(exchange, source) for source in found["sources"]]}


def create_source(exchange: Exchange) -> t.Any:
    """Make a source.

    Two bodies are documented: that of the alpha media type has an optional name, and no ``disconnectAllWarehouses``. Inferred:
    what a body does not have is ignored.
    """
    require(exchange.world, "sources")
    body, slug, kind = exchange.body, exchange.text("slug"), exchange.text("metadataId")
    alpha = exchange.media_type == ALPHA
    for name, type_, default in (
        ("enabled", bool, None),
        ("settings", dict, {}),
        ("name", str, "") if alpha else ("disconnectAllWarehouses", bool, False),
    ):
        if not isinstance(body.get(name, default), type_):
            raise ApiProblem(400, "input-validation", f'"{name}" is required, or of a wrong type', name)
    shown = body.get("name", "") if alpha else ""
    source = exchange.world.make_source(exchange.env, slug, kind, body["enabled"], shown)
    source.settings = dict(body.get("settings", {}))
    if body.get("disconnectAllWarehouses") and not alpha:
        for warehouse in exchange.env.warehouses.values():
            warehouse["sources"].remove(source.id)
    return {"source": source_view(exchange, source)}, 201


def get_source(exchange: Exchange) -> t.Any:
    """A source, and its tracking plan."""
    source = source_of(exchange)
    plan = next((id_ for id_, plan in exchange.env.tracking_plans.items() if source.id in plan["sources"]), None)
    return {"source": source_view(exchange, source), "trackingPlanId": plan}


def update_source(exchange: Exchange) -> t.Any:
    """Change a source."""
    require(exchange.world, "sources")
    source = source_of(exchange)
    exchange.world.patch_source(exchange.env, source, exchange.body)
    return {"source": source_view(exchange, source)}


def delete_source(exchange: Exchange) -> t.Any:
    """Delete a source for good."""
    require(exchange.world, "sources")
    exchange.world.delete_source(exchange.env, source_of(exchange))
    return {"status": "SUCCESS"}


def add_key(exchange: Exchange) -> t.Any:
    """Add a write key."""
    require(exchange.world, "keys")
    source = source_of(exchange)
    source.keys.append(exchange.world.new_key(exchange.env))
    exchange.world.changed(exchange.env, source)
    return {"source": source_view(exchange, source)}


def remove_key(exchange: Exchange) -> t.Any:
    """Remove a write key."""
    require(exchange.world, "keys")
    source, key = source_of(exchange), exchange.path["key"]
    if key not in source.keys:
        raise ApiProblem(404, "not-found", "Write key not found")
    source.keys.remove(key)
    exchange.world.changed(exchange.env, source)
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
            raise ApiProblem(400, "input-validation", f'"{name}" is not a schema setting, or its value is wrong', name)
    return merged


def get_schema(exchange: Exchange) -> t.Any:
    """The schema settings of a source."""
    source = source_of(exchange)
    return {"sourceId": source.id, "settings": source.schema or _usual(SCHEMA)}


def update_schema(exchange: Exchange) -> t.Any:
    """Change some of them."""
    require(exchange.world, "sources")
    source = source_of(exchange)
    source.schema = _merged(source.schema or _usual(SCHEMA), exchange.body, SCHEMA)
    exchange.world.changed(exchange.env, source)
    return {"sourceId": source.id, "settings": source.schema}


# Labels


def _label(given: t.Any, field: str) -> dict[str, str]:
    if not isinstance(given, dict):
        raise ApiProblem(400, "input-validation", f'"{field}" is required', field)
    found: dict[str, t.Any] = {
        name: given.get(name) for name in ("key", "value", "description") if given.get(name) is not None
    }
    good = all(isinstance(found.get(name), str) and found[name].strip() for name in ("key", "value"))
    if not good or not isinstance(found.get("description", ""), str):
        raise ApiProblem(400, "input-validation", '"key" and "value" are required, as texts', field)
    return found


def _pair(label: t.Mapping[str, str]) -> tuple[str, str]:
    return label["key"], label["value"]


def list_labels(exchange: Exchange) -> t.Any:
    """All labels of the workspace."""
    return {"labels": exchange.env.labels}


def create_label(exchange: Exchange) -> t.Any:
    """Make a label."""
    require(exchange.world, "labels")
    label = _label(exchange.body.get("label"), "label")
    name = ":".join(_pair(label))
    if any(_pair(label) == _pair(other) for other in exchange.env.labels):
        raise ApiProblem(
            exchange.world.switches["duplicate_slug"], "conflict", f"The label {name} already exists", "label"
        )
    exchange.env.labels.append(label)
    exchange.world.record(exchange.env, "Label Created", name, name, "label")
    return {"label": label}, 201


def delete_label(exchange: Exchange) -> t.Any:
    """Inferred: a label that goes, goes from the sources too."""
    require(exchange.world, "labels")
    pair = exchange.path["key"], exchange.path["value"]
    if not any(_pair(label) == pair for label in exchange.env.labels):
        raise ApiProblem(404, "not-found", f"Label {':'.join(pair)} not found")
    exchange.env.labels = [label for label in exchange.env.labels if _pair(label) != pair]
    for source in exchange.env.sources.values():
        source.labels = [label for label in source.labels if _pair(label) != pair]
    exchange.world.record(exchange.env, "Label Deleted", ":".join(pair), ":".join(pair), "label")
    return {"status": "SUCCESS"}


def label_source(exchange: Exchange) -> t.Any:
    """A label must exist in the workspace first. POST adds, PUT replaces."""
    require(exchange.world, "sources")
    source, given = source_of(exchange), exchange.body.get("labels")
    if not isinstance(given, list):
        raise ApiProblem(400, "input-validation", '"labels" must be an array', "labels")
    known, wanted = {_pair(label) for label in exchange.env.labels}, {}
    for label in (_label(item, "labels") for item in given):
        if _pair(label) not in known:
            raise ApiProblem(400, "input-validation", f"label {':'.join(_pair(label))} does not exist", "labels")
        wanted[_pair(label)] = {"key": label["key"], "value": label["value"]}
    kept = {} if exchange.method == "PUT" else {_pair(label): label for label in source.labels}
    source.labels = list({**kept, **wanted}.values())
    exchange.world.changed(exchange.env, source)
    return {"labels": source.labels}


# Catalog


def list_catalog(exchange: Exchange) -> t.Any:
    """All source types."""
    found = exchange.page("sourcesCatalog", list(CATALOG))
    return {**found, "sourcesCatalog": [metadata(id_) for id_ in found["sourcesCatalog"]]}


def get_catalog(exchange: Exchange) -> t.Any:
    """A source type."""
    found_in(CATALOG, "Source metadata", exchange.path["id"])
    return {"sourceMetadata": metadata(exchange.path["id"])}


# Destinations, warehouses, tracking plans


def warehouse_of(exchange: Exchange) -> Body:
    """The warehouse that the path names."""
    return t.cast(Body, found_in(exchange.env.warehouses, "Warehouse", exchange.path["id"]))


def plan_of(exchange: Exchange) -> Body:
    """The tracking plan that the path names."""
    return t.cast(Body, found_in(exchange.env.tracking_plans, "Tracking plan", exchange.path["id"]))


def warehouse_view(env: Environment, id_: str) -> Body:
    """A warehouse as the API shows it."""
    kind = {"id": "55d3d3aea3", "slug": "postgres", "name": "Postgres", "description": "Warehouse", "logos": LOGOS}
    found = {"id": id_, "workspaceId": env.workspace["id"], "enabled": True, "metadata": {**kind, "options": []}}
    return {**found, "settings": {"name": env.warehouses[id_]["name"]}}


def destination_view(id_: str, destination: Body) -> Body:
    """A destination as the API shows it."""
    shown = {"id": id_, "name": destination["name"], "enabled": destination["enabled"], "metadata": WEBHOOK}
    return {**shown, "sourceId": destination["source"], "settings": destination.get("settings", {})}


def plan_view(env: Environment, id_: str) -> Body:
    """A tracking plan as the API shows it."""
    name = env.tracking_plans[id_]["name"]
    return {"id": id_, "name": name, "slug": name.replace(" ", "-"), "type": "LIVE"}


def sources_of(exchange: Exchange, holder: Body) -> Body:
    """The sources that are connected to a warehouse or a tracking plan."""
    found = exchange.page("sources", holder["sources"])
    return {**found, "sources": [source_view(exchange, exchange.env.sources[id_]) for id_ in found["sources"]]}


def connected_destinations(exchange: Exchange) -> t.Any:
    """Never shows the Unify space: absence here proves nothing."""
    source = source_of(exchange)
    found = [destination_view(id_, one) for id_, one in exchange.env.destinations.items() if one["source"] == source.id]
    return exchange.page("destinations", found)


def connected_warehouses(exchange: Exchange) -> t.Any:
    """The warehouses of a source."""
    source = source_of(exchange)
    ids = [id_ for id_, warehouse in exchange.env.warehouses.items() if source.id in warehouse["sources"]]
    return exchange.page("warehouses", [warehouse_view(exchange.env, id_) for id_ in ids])


def list_warehouses(exchange: Exchange) -> t.Any:
    """All warehouses."""
    return exchange.page("warehouses", [warehouse_view(exchange.env, id_) for id_ in exchange.env.warehouses])


def get_warehouse(exchange: Exchange) -> t.Any:
    """A warehouse."""
    warehouse_of(exchange)
    return {"warehouse": warehouse_view(exchange.env, exchange.path["id"])}


def warehouse_sources(exchange: Exchange) -> t.Any:
    """The sources of a warehouse."""
    return sources_of(exchange, warehouse_of(exchange))


def warehouse_source(exchange: Exchange) -> t.Any:
    """POST connects a source to a warehouse, DELETE disconnects it."""
    require(exchange.world, "warehouses")
    env, warehouse = exchange.env, warehouse_of(exchange)
    source = exchange.world.source(env, exchange.path["source"])
    warehouse["sources"] = [other for other in warehouse["sources"] if other != source.id]
    exchange.world.record(env, "Storage Destination Modified", exchange.path["id"], warehouse["name"], "warehouse")
    if exchange.method == "DELETE":
        return {"status": "SUCCESS"}
    warehouse["sources"].append(source.id)
    return {"status": "CONNECTED"}, 201


def selective_syncs(exchange: Exchange) -> t.Any:
    """What a warehouse takes of a source, by collection."""
    warehouse, source = warehouse_of(exchange), exchange.world.source(exchange.env, exchange.path["source"])
    usual = {"type": "string", "createdAt": "2026-01-02T15:04:05.000Z", "lastSeenAt": "2026-01-02T15:04:05.000Z"}
    items = [
        {
            "sourceId": source.id,
            "warehouseId": exchange.path["id"],
            "collection": collection,
            "properties": {name: {"enabled": enabled, **usual} for name, enabled in properties.items()},
        }
        for collection, properties in warehouse.get("syncs", {}).get(source.id, {}).items()
    ]
    return exchange.page("items", items)


def update_selective_sync(exchange: Exchange) -> t.Any:
    """Override what is synced. What happens for a collection that the source never sent is documented nowhere: see the switch."""
    require(exchange.world, "warehouses")
    warehouse, given = warehouse_of(exchange), exchange.body.get("syncOverrides")
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise ApiProblem(400, "input-validation", '"syncOverrides" must be an array', "syncOverrides")
    syncs, before = warehouse.setdefault("syncs", {}), copy.deepcopy(warehouse.get("syncs"))
    warnings = []
    for one in given:
        collection, name, enabled = one.get("collection"), one.get("property"), one.get("enabled")
        if one.get("sourceId") not in warehouse["sources"] or not isinstance(enabled, bool):
            raise ApiProblem(400, "input-validation", '"sourceId" or "enabled" is wrong', "syncOverrides")
        of_source = syncs.setdefault(one["sourceId"], {})
        if collection not in of_source and exchange.world.switches["sync_of_unseen"] == "warned":
            warnings.append(f"collection {collection} was not found")
            continue
        properties = of_source.setdefault(collection, {})
        properties.update({name: enabled} if name else dict.fromkeys(properties, enabled))
    exchange.world.record(
        exchange.env, "Storage Destination Modified", exchange.path["id"], warehouse["name"], "warehouse"
    )
    return {"status": "UNCHANGED" if syncs == before else "UPDATED", "warnings": warnings}


def list_plans(exchange: Exchange) -> t.Any:
    """All tracking plans."""
    return exchange.page("trackingPlans", [plan_view(exchange.env, id_) for id_ in exchange.env.tracking_plans])


def get_plan(exchange: Exchange) -> t.Any:
    """A tracking plan."""
    plan_of(exchange)
    return {"trackingPlan": plan_view(exchange.env, exchange.path["id"])}


def plan_sources(exchange: Exchange) -> t.Any:
    """A source has at most one tracking plan."""
    if exchange.method != "GET":
        require(exchange.world, "plans")
    plan = plan_of(exchange)
    if exchange.method == "GET":
        return sources_of(exchange, plan)
    asked = exchange.text("sourceId") if exchange.method == "POST" else exchange.query.get("sourceId", "")
    source = exchange.world.source(exchange.env, asked)
    for other in exchange.env.tracking_plans.values():
        if source.id in other["sources"]:
            other["sources"].remove(source.id)
            exchange.world.changed(exchange.env, source, "Source Disconnected From Tracking Plan")
    if exchange.method == "POST":
        plan["sources"].append(source.id)
        exchange.world.changed(exchange.env, source, "Source Connected To Tracking Plan")
    exchange.world.changed(exchange.env, source)
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
    *segment_observability.PATHS,
    ("GET", "/labels", list_labels),
    ("POST", "/labels", create_label),
    ("DELETE", "/labels/{key}/{value}", delete_label),
    ("GET", "/sources/{id}/settings", get_schema),
    ("PATCH", "/sources/{id}/settings", update_schema),
    ("GET", "/sources/{id}/connected-destinations", connected_destinations),
    ("GET", "/sources/{id}/connected-warehouses", connected_warehouses),
    *segment_people.PATHS,
    ("GET", "/catalog/sources", list_catalog),
    ("GET", "/catalog/sources/{id}", get_catalog),
    ("GET", "/warehouses", list_warehouses),
    ("GET", "/warehouses/{id}", get_warehouse),
    ("GET", "/warehouses/{id}/connected-sources", warehouse_sources),
    ("POST DELETE", "/warehouses/{id}/connected-sources/{source}", warehouse_source),
    ("GET", "/warehouses/{id}/connected-sources/{source}/selective-syncs", selective_syncs),
    ("PATCH", "/warehouses/{id}/selective-sync", update_selective_sync),
    ("GET", "/tracking-plans", list_plans),
    ("GET", "/tracking-plans/{id}", get_plan),
    ("GET POST DELETE", "/tracking-plans/{id}/sources", plan_sources),
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
