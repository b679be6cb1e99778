# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Segment Public API: what is attached to a source, and is lost with it. Paths and shapes: its OpenAPI document."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Iterable, Mapping

from .._base.errors import ApiError
from .._http.response import Response, value_at
from .segment_public import ALPHA, PublicApi

# Each field, and its type. Nothing else is kept or sent: what a later release adds could be a secret.
OF_TRAITS = {"allowUnplannedTraits": bool, "allowTraitsOnViolations": bool, "commonEventOnViolations": str}
SCHEMA_SETTINGS: dict[str, t.Any] = {
    "track": {
        "allowUnplannedEvents": bool,
        "allowUnplannedEventProperties": bool,
        "allowEventOnViolations": bool,
        "allowPropertiesOnViolations": bool,
        "commonEventOnViolations": str,
    },
    "identify": OF_TRAITS,
    "group": OF_TRAITS,
    "forwardingViolationsTo": str,
    "forwardingBlockedEventsTo": str,
}


class Named(t.TypedDict):
    """A warehouse or a tracking plan."""

    id: str
    name: str


class Destination(t.TypedDict):
    """A destination of a source. Its settings hold secrets, and are never read."""

    id: str
    name: str
    type: str
    enabled: bool


class AttachmentsApi(PublicApi):
    """The attachments of the sources of one workspace."""

    def schema_settings(self, source: str) -> dict[str, t.Any]:
        """The fields of :data:`SCHEMA_SETTINGS` that are there (operation listSchemaSettingsInSource)."""
        answer = self.service.get("/sources/{source}/settings", path_params={"source": source})
        return known_settings(answer.get("data.settings", dict), SCHEMA_SETTINGS)

    def set_schema_settings(self, source: str, settings: Mapping[str, t.Any]) -> None:
        """Set these fields (operation updateSchemaSettingsInSource)."""
        self.service.request("PATCH", "/sources/{source}/settings", body=dict(settings), path_params={"source": source})

    def add_label(self, source: str, label: Mapping[str, str]) -> None:
        """Add a label that the workspace has (operation addLabelsToSource)."""
        body = {"labels": [{"key": label["key"], "value": label["value"]}]}
        self.service.request("POST", "/sources/{source}/labels", body=body, path_params={"source": source})

    def warehouses(self, source: str) -> list[Named]:
        """Those that the source is connected to (operation listConnectedWarehousesFromSource)."""
        path = "/sources/{source}/connected-warehouses"
        return [_warehouse(one, a) for one, a in self._pages(path, "data.warehouses", path_params={"source": source})]

    def warehouse(self, warehouse: str) -> Named | None:
        """One warehouse, by id, or None when there is none (operation getWarehouse)."""
        answer = self._or_none("/warehouses/{id}", warehouse)
        return _warehouse(answer.get("data.warehouse", dict), answer) if answer else None

    def connect_warehouse(self, warehouse: str, source: str) -> None:
        """Connect a source to a warehouse (operation addConnectionFromSourceToWarehouse)."""
        path = "/warehouses/{warehouse}/connected-sources/{source}"
        self.service.request("POST", path, path_params={"warehouse": warehouse, "source": source})

    def not_synced(self, warehouse: str, source: str) -> dict[str, list[str]]:
        """The properties of each collection that the warehouse does not take; an empty name where it takes none of the collection.

        Operation listSelectiveSyncsFromWarehouseAndSource, which Segment answers twice a minute.
        """
        found = {}
        path = "/warehouses/{warehouse}/connected-sources/{source}/selective-syncs"
        where = {"warehouse": warehouse, "source": source}
        for item, answer in self._pages(path, "data.items", path_params=where):
            parts = {"": item, **value_at(item, "properties", dict, {}, answer)}
            left_out = sorted(name for name, one in parts.items() if not value_at(one, "enabled", bool, True, answer))
            if left_out:
                found[value_at(item, "collection", str, ..., answer)] = left_out
        return found

    def set_not_synced(self, warehouse: str, source: str, left_out: Mapping[str, Iterable[str]]) -> list[str]:
        """Have a warehouse leave these out, as :meth:`not_synced` returns them (operation updateSelectiveSyncForWarehouse).

        Returns:
            What Segment warns of.
        """
        overrides = [
            {"sourceId": source, "enabled": False, "collection": collection, **({"property": name} if name else {})}
            for collection, properties in left_out.items()
            for name in properties
        ]
        path = "/warehouses/{warehouse}/selective-sync"
        answer = self.service.request(
            "PATCH", path, body={"syncOverrides": overrides}, path_params={"warehouse": warehouse}
        )
        return [str(warning) for warning in answer.get("data.warnings", list, [])]

    def tracking_plan_id(self, source: str) -> str:
        """The tracking plan that the source is connected to, empty if it is to none (operation getSource)."""
        answer = self.service.get("/sources/{source}", path_params={"source": source})
        return t.cast(str, answer.get("data.trackingPlanId", str, ""))

    def tracking_plan(self, plan: str) -> Named | None:
        """One tracking plan, by id, or None when there is none (operation getTrackingPlan)."""
        answer = self._or_none("/tracking-plans/{id}", plan)
        return {"id": plan, "name": answer.get("data.trackingPlan.name", str, "")} if answer else None

    def connect_tracking_plan(self, plan: str, source: str) -> None:
        """Connect a source to a tracking plan, in place of the one that it has (operation addSourceToTrackingPlan)."""
        body = {"sourceId": source}
        self.service.request("POST", "/tracking-plans/{plan}/sources", body=body, path_params={"plan": plan})

    def destinations(self, source: str) -> list[Destination]:
        """Those of a source (operation listConnectedDestinationsFromSource). The Unify space is never among them."""
        path = "/sources/{source}/connected-destinations"
        return [
            {
                "id": value_at(one, "id", str, ..., answer),
                "name": value_at(one, "name", str, "", answer),
                "type": value_at(one, "metadata.name", str, "", answer),
                "enabled": value_at(one, "enabled", bool, ..., answer),
            }
            for one, answer in self._pages(path, "data.destinations", path_params={"source": source})
        ]

    def functions(self, destinations: Collection[str]) -> list[str]:
        """The names of the insert functions that work for these destinations (operations listFunctions, listInsertFunctionInstances)."""
        if not destinations:
            return []
        names = []
        query = {"resourceType": "INSERT_DESTINATION"}
        for one, answer in self._pages("/functions", "data.functions", query=query):
            id_ = value_at(one, "id", str, "", answer)
            instances = self._pages(
                "/insert-function-instances", "data.instances", query={"functionId": id_}, headers=ALPHA
            )
            if any(value_at(found, "integrationId", str, "", a) in destinations for found, a in instances):
                names.append(value_at(one, "displayName", str, id_, answer))
        return names

    def rights(self, source: str) -> list[str]:
        """Return who has a role on this very source, as ``name (role)`` (operations listUsers, listUserGroups)."""
        found = []
        for path, items in (("/users", "data.users"), ("/groups", "data.userGroups")):
            for one, answer in self._pages(path, items):
                name = value_at(one, "name", str, "", answer) or value_at(one, "email", str, "", answer)
                for permission in value_at(one, "permissions", list, [], answer):
                    resources = value_at(permission, "resources", list, [], answer)
                    if any(value_at(resource, "id", str, "", answer) == source for resource in resources):
                        found.append(f"{name} ({value_at(permission, 'roleName', str, '', answer)})")
        return found

    def _or_none(self, path: str, id_: str) -> Response | None:
        try:
            return self.service.get(path, path_params={"id": id_})
        except ApiError as error:
            if error.status != 404:
                raise
            return None


def known_settings(found: t.Any, known: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The settings that are known, of the type that each has."""
    kept: dict[str, t.Any] = {}
    for name, kind in known.items():
        value = found.get(name)
        if isinstance(kind, Mapping):
            if isinstance(value, Mapping) and (inner := known_settings(value, kind)):
                kept[name] = inner
        elif isinstance(value, kind):
            kept[name] = value
    return kept


def _warehouse(item: t.Any, answer: Response) -> Named:
    id_ = value_at(item, "id", str, ..., answer)
    return {"id": id_, "name": value_at(item, "settings.name", str, "", answer)}
