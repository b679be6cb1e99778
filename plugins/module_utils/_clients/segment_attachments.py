# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Segment Public API: what is attached to a source, and is lost with it. Paths and shapes: its OpenAPI document."""

from __future__ import annotations

import typing as t

from .._http.response import Response, value_at
from .segment_public import PublicApi


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
    """What is attached to the sources of one workspace."""

    def warehouses(self, source: str) -> list[Named]:
        """Those that the source is connected to (operation listConnectedWarehousesFromSource)."""
        path = "/sources/{source}/connected-warehouses"
        return [_warehouse(one, a) for one, a in self._pages(path, "data.warehouses", path_params={"source": source})]

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


def _warehouse(item: t.Any, answer: Response) -> Named:
    id_ = value_at(item, "id", str, ..., answer)
    return {"id": id_, "name": value_at(item, "settings.name", str, "", answer)}
