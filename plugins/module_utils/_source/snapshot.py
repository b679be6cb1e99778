# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The parts that would be lost with a source: those that can be put back, and the names of the others.

This module has the format of a snapshot. Pure.

A snapshot is JSON, without a secret in it: of schema settings it has the known fields alone, of destinations no settings at all. A part
that could not be read is in ``unread``, with what is known of it from the snapshot before.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator

from .._base.errors import SnapshotError
from .._base.shapes import format_number, misfits
from .._clients.segment_attachments import SCHEMA_SETTINGS, Destination, Named, known_settings

FORMAT = 1
# What is for people to read, the first that gives way where there is no room.
FOR_PEOPLE = ("spaces", "rights", "functions", "destinations")
NO_ROOM = "there is no room for it in a Sync document"


class Label(t.TypedDict):
    """A label of the source."""

    key: str
    value: str


class Warehouse(Named, total=False):
    """A warehouse of the source.

    ``not_synced`` has by collection the properties that the warehouse does not take, an empty name for all of it. Without it
    nobody knows. ``read_at`` is when it was last read, or tried to.
    """

    not_synced: dict[str, list[str]]
    read_at: str


class _Snapshot(t.TypedDict):
    format: int
    environment: str
    source_id: str
    at: str


class Snapshot(_Snapshot, total=False):
    """The parts of a source at one time; see the module.

    ``functions``, ``rights`` and ``spaces`` are names for people.
    """

    slug: str
    labels: list[Label]
    schema_settings: dict[str, t.Any]
    warehouses: list[Warehouse]
    tracking_plan: Named
    destinations: list[Destination]
    functions: list[str]
    rights: list[str]
    spaces: list[str]
    unread: dict[str, str]


def parse(found: t.Any, environment: str, source_id: str, where: str) -> Snapshot:
    """A snapshot, checked.

    Args:
        found: The decoded JSON; None where it was none.
        environment: Whose it has to be.
        source_id: Which source it has to be of.
        where: What to call it in a message.

    Raises:
        SnapshotError: It is damaged, of a newer format, of another environment or of another source.
    """

    def damaged(what: str) -> SnapshotError:
        return SnapshotError(f"{where} is damaged: {what}.", "Restore the file from a backup.")

    if not (number := format_number(found)):
        raise damaged("it is no JSON object with a format number")
    if number > FORMAT:
        raise SnapshotError(
            f"{where} has format {number}, written by a newer release; this release reads format {FORMAT}.",
            "Update the collection here.",
        )
    if problem := next(misfits(found, Snapshot, "snapshot"), ""):
        raise damaged(problem)
    for name, wanted, what in (("source_id", source_id, "source"), ("environment", environment, "environment")):
        if found[name] != wanted:
            raise SnapshotError(
                f"{where} is the one of another {what} ({found[name][:100]}), and not of {wanted}.",
                "Put the right file in its place.",
            )
    if "schema_settings" in found:
        found = {**found, "schema_settings": known_settings(found["schema_settings"], SCHEMA_SETTINGS)}
    return t.cast(Snapshot, found)


def things(snapshot: Snapshot) -> dict[str, t.Any]:
    """The things that can be put back, by item: the part, and after a colon which of its things, if it has several."""
    found: dict[str, t.Any] = {}
    for label in snapshot.get("labels", []):
        found[f"labels:{label['key']}={label['value']}"] = label
    if settings := snapshot.get("schema_settings"):
        found["schema_settings"] = settings
    for warehouse in snapshot.get("warehouses", []):
        found[f"warehouses:{warehouse['id']}"] = warehouse
    for warehouse in snapshot.get("warehouses", []):
        if warehouse.get("not_synced"):
            found[f"selective_sync:{warehouse['id']}"] = warehouse
    if plan := snapshot.get("tracking_plan"):
        found[f"tracking_plan:{plan['id']}"] = plan
    return found


def called(item: str, thing: t.Any) -> str:
    """An item as a person calls it."""
    part, _colon, rest = item.partition(":")
    name = thing.get("name") or rest
    return {
        "labels": f"the label {rest}",
        "schema_settings": "the schema settings",
        "warehouses": f"the connection to the warehouse '{name}' ({rest})",
        "selective_sync": f"the selective sync of the warehouse '{name}' ({rest})",
        "tracking_plan": f"the connection to the tracking plan '{name}' ({rest})",
    }[part]


def shortened(snapshot: Snapshot, most: int) -> str:
    """A snapshot as JSON of so many bytes at most. What has no room is among what is ``unread``, and nothing else is left out.

    Raises:
        SnapshotError: There is no room for what cannot be left out.
    """
    for shorter in _shorter(snapshot):
        data = json.dumps(shorter, separators=(",", ":"), sort_keys=True)
        if len(data) <= most:
            return data
    raise SnapshotError(
        f"The snapshot of the source {snapshot['source_id']} would have {len(data)} bytes; Sync takes {most}.",
        "Keep it in a file, with unified_profiles_remember: file.",
    )


def _shorter(snapshot: Snapshot) -> Iterator[Snapshot]:
    """A snapshot, and what is left of it as one part after the other gives way: selective syncs, the longest first, then names."""
    yield snapshot
    whole = [one for one in snapshot.get("warehouses", []) if one.get("not_synced")]
    syncs = {one["id"]: len(json.dumps(one["not_synced"])) for one in whole}
    for id_ in sorted(syncs, key=lambda one: -syncs[one]):
        warehouses = [
            t.cast(Warehouse, {name: value for name, value in one.items() if one["id"] != id_ or name != "not_synced"})
            for one in snapshot["warehouses"]
        ]
        unread = {**snapshot.get("unread", {}), f"selective_sync:{id_}": NO_ROOM}
        snapshot = {**snapshot, "warehouses": warehouses, "unread": unread}
        yield snapshot
    for part in FOR_PEOPLE:
        unread = {**snapshot.get("unread", {}), part: NO_ROOM}
        snapshot = t.cast(Snapshot, {**{name: of for name, of in snapshot.items() if name != part}, "unread": unread})
        yield snapshot
