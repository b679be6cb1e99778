# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Reads what would be lost with a source. A part that cannot be read leaves what was known of it before."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from .._base.errors import Failure
from .._base.gather import gather
from .._base.times import format_time
from .._clients.segment_attachments import Named
from .._clients.source import Source
from .._module.context import ModuleContext
from .snapshot import FORMAT, Snapshot, Warehouse

# Segment answers this one twice a minute. Of a source with more warehouses, each snapshot reads the next ones.
SELECTIVE_SYNCS_AT_ONCE = 2
NOT_YET = "A later snapshot reads it, since Segment answers it twice a minute."


def take(call: ModuleContext, source: Source, before: Snapshot | None) -> Snapshot:
    """Read a snapshot of a source.

    Args:
        call: The run, with the options ``environment`` and ``space_id``.
        source: The source.
        before: The last snapshot of it, if there is one.
    """
    api = call.attachments_api()
    known_before: t.Mapping[str, t.Any] = before or {}
    reads: dict[str, Callable[[], t.Any]] = {
        "schema_settings": lambda: api.schema_settings(source.id),
        "warehouses": lambda: api.warehouses(source.id),
        "tracking_plan": lambda: _plan(call, source.id, known_before.get("tracking_plan")),
        "destinations": lambda: api.destinations(source.id),
        "rights": lambda: api.rights(source.id),
        "spaces": lambda: [space["name"] for space in api.spaces() if space["id"] != call["space_id"]],
    }
    found: dict[str, t.Any] = gather(reads, call.workers)
    if isinstance(found["destinations"], list):
        ids = [one["id"] for one in found["destinations"]]
        found |= gather({"functions": lambda: api.functions(ids)}, 1)
    else:
        # Which functions are the source's is reported by its destinations.
        found["functions"] = found["destinations"]
    unread = {name: value.message for name, value in found.items() if isinstance(value, Failure)}
    known = {name: known_before.get(name) if name in unread else value for name, value in found.items()}
    snapshot: dict[str, t.Any] = {
        "format": FORMAT,
        "environment": call["environment"],
        "source_id": source.id,
        "at": format_time(call.segment_now()),
        "slug": source.slug,
        "labels": [{"key": key, "value": value} for key, value in sorted(source.pairs)],
    }
    snapshot |= {name: value for name, value in known.items() if value}
    if "warehouses" not in unread:
        snapshot["warehouses"] = _with_selective_sync(call, source.id, found["warehouses"], known_before, unread)
    for one in snapshot.get("warehouses", []):
        if "not_synced" not in one:
            name = f"selective_sync:{one['id']}"
            unread.setdefault(name, known_before.get("unread", {}).get(name, NOT_YET))
    return t.cast(Snapshot, {**snapshot, "unread": unread})


def _plan(call: ModuleContext, source_id: str, before: Named | None) -> Named | None:
    api = call.attachments_api()
    plan = api.tracking_plan_id(source_id)
    if not plan:
        return None
    try:
        return api.tracking_plan(plan)
    except Failure:
        # Its id is enough to put it back.
        return before if before and before["id"] == plan else {"id": plan, "name": ""}


def _with_selective_sync(
    call: ModuleContext,
    source_id: str,
    warehouses: list[t.Any],
    before: t.Mapping[str, t.Any],
    unread: dict[str, str],
) -> list[Warehouse]:
    """The warehouses with what they do not take: read of those where it was tried longest ago, of the others as known."""
    api, at = call.attachments_api(), format_time(call.segment_now())
    known = {one["id"]: one for one in before.get("warehouses", [])}
    by_age = sorted(warehouses, key=lambda one: known.get(one["id"], {}).get("read_at", ""))
    found: dict[str, t.Any] = {one["id"]: {**known.get(one["id"], {}), **one} for one in warehouses}
    for one in by_age[:SELECTIVE_SYNCS_AT_ONCE]:
        # Also where it fails: two that always fail would keep the others from their turn.
        found[one["id"]]["read_at"] = at
        try:
            found[one["id"]]["not_synced"] = api.not_synced(one["id"], source_id)
        except Failure as failure:
            unread[f"selective_sync:{one['id']}"] = failure.message
    return list(found.values())
