# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Segment Public API: sources, their write keys, schema settings and labels."""

from __future__ import annotations

import typing as t

from .access import may, require
from .catalog import metadata
from .endpoints import Body, Exchange, Handler
from .model import ApiProblem, Source

ALPHA = "application/vnd.segment.v1alpha+json"


def found_in(items: t.Mapping[str, t.Any], what: str, id_: str) -> t.Any:
    """One of the items.

    Raises:
        ApiProblem: 404; there is none of this id.
    """
    if id_ not in items:
        raise ApiProblem(404, "not-found", f"{what} with id '{id_}' not found")
    return items[id_]


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


def _label(given: t.Any, field: str) -> dict[str, str]:
    if not isinstance(given, dict):
        raise ApiProblem(400, "input-validation", f'"{field}" is required', field)
    found: dict[str, t.Any] = {
        name: given.get(name) for name in ("key", "value", "description") if given.get(name) is not None
    }
    good = all(isinstance(found.get(name), str) and found[name].strip() for name in ("key", "value"))
    if not good or not isinstance(found.get("description", ""), str):
        raise ApiProblem(400, "input-validation", '"key" and "value" are required, as strings', field)
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


PATHS: list[tuple[str, str, Handler]] = [
    ("GET", "/sources", list_sources),
    ("POST", "/sources", create_source),
    ("GET", "/sources/{id}", get_source),
    ("PATCH", "/sources/{id}", update_source),
    ("DELETE", "/sources/{id}", delete_source),
    ("POST PUT", "/sources/{id}/labels", label_source),
    ("POST", "/sources/{id}/writekey", add_key),
    ("DELETE", "/sources/{id}/writekey/{key}", remove_key),
    ("GET", "/labels", list_labels),
    ("POST", "/labels", create_label),
    ("DELETE", "/labels/{key}/{value}", delete_label),
    ("GET", "/sources/{id}/settings", get_schema),
    ("PATCH", "/sources/{id}/settings", update_schema),
]
