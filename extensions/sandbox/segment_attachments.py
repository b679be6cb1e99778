# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Segment Public API: what sources are connected to: destinations, warehouses, tracking plans."""

from __future__ import annotations

import copy
import typing as t

from .access import require
from .catalog import LOGOS, WEBHOOK
from .endpoints import Body, Exchange, Handler
from .model import ApiProblem, Environment
from .segment_sources import found_in, source_of, source_view


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
    """The selective syncs of a source to a warehouse, by collection.

    The SDKs of 73.2.0 want ``enabled``; the older document does not know it.
    """
    warehouse, source = warehouse_of(exchange), exchange.world.source(exchange.env, exchange.path["source"])
    usual = {"type": "string", "createdAt": "2026-01-02T15:04:05.000Z", "lastSeenAt": "2026-01-02T15:04:05.000Z"}
    items = [
        {
            "sourceId": source.id,
            "warehouseId": exchange.path["id"],
            "collection": collection,
            "enabled": properties.get("", True),
            "properties": {name: {"enabled": enabled, **usual} for name, enabled in properties.items() if name},
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
        of_source.setdefault(collection, {})[name or ""] = enabled
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


PATHS: list[tuple[str, str, Handler]] = [
    ("GET", "/sources/{id}/connected-destinations", connected_destinations),
    ("GET", "/sources/{id}/connected-warehouses", connected_warehouses),
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
