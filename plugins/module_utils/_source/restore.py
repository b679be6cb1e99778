# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Puts back what was lost with a source, one item after the other. Each fails alone.

Nothing is taken from a warehouse, a tracking plan or a source: labels and connections are added. A tracking plan that
somebody has connected to the new source stays.
"""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Callable, Collection, Mapping

from .._base.errors import ApiError, Failure
from .._base.gather import gather
from .._module.context import ModuleContext
from .._module.state import SET_BY_SEGMENT, Plan, Resource, State
from .snapshot import Snapshot, called, things

# By part, the role of the token that is thought to be needed. Segment documents none of them for these operations.
ROLES = {
    "labels": "Source Admin",
    "schema_settings": "Source Admin",
    "warehouses": "Warehouse Admin",
    "selective_sync": "Warehouse Admin",
    "tracking_plan": "Tracking Plan Admin",
}
# What may be left out. The slug is no item: the source is made with it.
PARTS = (*ROLES, "slug")
# The states of an item that is still to be put back, and why.
STILL_OPEN = {"open": "", "denied": "the token lacked the right", "failed": "it failed"}
# The states of what a person has to do, and why.
BY_HAND = {
    "gone": "it no longer exists in the workspace",
    "taken": "the source has another one",
    "refused": "Segment refused it",
    "unknown": "what it took of the source is not known, so choose that when you connect it",
}


def part_of(item: str) -> str:
    """The part that an item belongs to."""
    return item.partition(":")[0]


def still_open(items: Mapping[str, str]) -> list[str]:
    """The items that are still to be put back."""
    return [item for item, state in items.items() if state in STILL_OPEN]


def items_of(snapshot: Snapshot, wanted: Collection[str], own_labels: Collection[str]) -> dict[str, str]:
    """The items of a snapshot that shall be put back, all open.

    Args:
        snapshot: What the source had.
        wanted: The parts that are wanted, of :data:`PARTS`.
        own_labels: The keys of the labels that the inventory names. It decides about those.
    """
    return {
        item: "open"
        for item, thing in things(snapshot).items()
        if part_of(item) in wanted and not (part_of(item) == "labels" and thing["key"] in own_labels)
    }


class Restoring(Resource):
    """The items of a restore as a managed resource: open ones, that shall be done.

    Args:
        call: The run, with the option ``restore``.
        snapshot: What the lost source had.
        items: The state of each item.
        known_id: The source that is recorded to take its place, empty if none is yet.
        source_id: The source that takes its place; the placeholder where check mode made none.
        save: Records that source and the states of the items. Called before the first and after each.

    Attributes:
        problems: Why an item was not put back, for a person.
    """

    def __init__(
        self,
        call: ModuleContext,
        snapshot: Snapshot,
        items: Mapping[str, str],
        known_id: str,
        source_id: str,
        save: Callable[[dict[str, str]], None],
    ) -> None:
        self.call, self.known_id, self.source_id, self.items, self.save = call, known_id, source_id, dict(items), save
        self.api = call.attachments_api()
        self.snapshot, self.things = snapshot, things(snapshot)
        self.states: dict[str, str] = {}
        self.problems: dict[str, str] = {}

    def fetch(self) -> State:
        wanted = [item for item in still_open(self.items) if part_of(item) in self.call["restore"]]
        reads: dict[str, Callable[[], t.Any]] = {}
        for part, rest in (item.split(":", 1) for item in wanted if ":" in item):
            if part == "labels":
                reads["labels"] = self.api.labels
            elif part == "tracking_plan":
                reads[rest] = functools.partial(self.api.tracking_plan, rest)
                if self.source_id != SET_BY_SEGMENT:
                    reads["tracking plan"] = functools.partial(self.api.tracking_plan_id, self.source_id)
            else:
                reads[rest] = functools.partial(self.api.warehouse, rest)
        found = gather(reads, self.call.workers)
        # What cannot be read shows when it is put back.
        known = {name: value for name, value in found.items() if not isinstance(value, Failure)}
        self.states = {item: self._foreseen(item, known) for item in wanted}
        return {"source_id": self.known_id, "items": dict(self.items)}

    def desired(self, current: State | None) -> State:
        return {
            "source_id": self.source_id,
            "items": {
                item: self.states.get(item, "left out") if state in STILL_OPEN else state
                for item, state in self.items.items()
            },
        }

    def apply(self, plan: Plan) -> State:
        if "source_id" in plan.changes:
            self.save(self.items)
        # A ledger sorts its names, and a warehouse is connected before its selective sync is set.
        for item, state in sorted(plan.changes.get("items", {}).items(), key=lambda one: PARTS.index(part_of(one[0]))):
            if self.items[item] != state:
                self.items[item] = self._put_back(item) if state == "done" else state
                self.save(self.items)
        return {"source_id": self.source_id, "items": dict(self.items)}

    def _foreseen(self, item: str, known: Mapping[str, t.Any]) -> str:
        """The state that an item will have, as far as it is known what exists."""
        part, _colon, rest = item.partition(":")
        thing = self.things.get(item)
        if thing is None or known.get(rest, thing) is None:
            return "gone"
        # Connected again without what it left out, it would take everything.
        if part == "warehouses" and "not_synced" not in thing and "selective_sync" in self.call["restore"]:
            return "unknown"
        if part == "labels" and (thing["key"], thing["value"]) not in known.get(
            "labels", [(thing["key"], thing["value"])]
        ):
            return "gone"
        if part == "tracking_plan" and known.get("tracking plan", "") not in ("", rest):
            return "taken"
        return "done"

    def _put_back(self, item: str) -> str:
        """Send one item, and return its state."""
        part = part_of(item)
        try:
            warnings = self._send(part, self.things[item])
        except Failure as failure:
            status = failure.status if isinstance(failure, ApiError) else 0
            state = "denied" if status in (401, 403) else "refused" if status in (400, 409, 422) else "failed"
            right = (
                f" segment_token needs the role {ROLES[part]} for it, or Workspace Owner." if state == "denied" else ""
            )
            self.problems[item] = f"{failure.message}{right}"
            return state
        if warnings:
            self.problems[item] = f"Segment warns: {'; '.join(warnings)}."
        return "refused" if warnings else "done"

    def _send(self, part: str, thing: t.Any) -> list[str]:
        """Send one item, and return what Segment warns of."""
        if part == "labels":
            self.api.add_label(self.source_id, thing)
        elif part == "schema_settings":
            self.api.set_schema_settings(self.source_id, thing)
        elif part == "warehouses":
            self.api.connect_warehouse(thing["id"], self.source_id)
        elif part == "tracking_plan":
            self.api.connect_tracking_plan(thing["id"], self.source_id)
        elif self.items.get(f"warehouses:{thing['id']}", "done") != "done":
            raise Failure("The source is not connected to that warehouse yet.")
        else:
            return self.api.set_not_synced(thing["id"], self.source_id, thing["not_synced"])
        return []

    def told(self) -> list[str]:
        """A sentence for each item that was not put back."""
        return [
            f"Not put back: {called(item, self.things.get(item, {}))}. {problem}"
            for item, problem in self.problems.items()
        ]
