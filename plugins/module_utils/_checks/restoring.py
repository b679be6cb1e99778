# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""A source that is put back: its snapshot, its record in the ledger, and the card for what a person has to do.

The ledger records what is to be put back before the source is made. So the run after a killed one finds the source,
also by a slug that says nothing, and knows what is left. Where a snapshot lies is in ``snapshot_place.py``.
"""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Mapping
from dataclasses import replace

from .._base.errors import Failure, OptionError, SnapshotError
from .._base.times import format_time, parse_time
from .._clients.source import Source
from .._handover.cards import HOW_TO_RUN, Card, again, where
from .._handover.evidence import restore_name
from .._handover.handovers import recorded_facts
from .._handover.ledger import Entry, LedgerDocument, Restore
from .._handover.ledger_place import LEDGER_OPTIONS, open_ledger
from .._handover.seen_place import REMEMBER
from .._module.context import ModuleContext
from .._module.run import change_result
from .._module.state import SET_BY_SEGMENT, Plan, Reconciled, Resource, State
from .._source.restore import BY_HAND, PARTS, STILL_OPEN, Restoring, items_of, still_open
from .._source.snapshot import Snapshot, called, things
from .._source.take_snapshot import take
from .snapshot_place import ToStore, snapshot_place

RESTORE: dict[str, t.Any] = {
    "restore": {"type": "list", "elements": "str", "choices": list(PARTS), "default": list(PARTS)},
}
# A job that runs once a day does not begin at the same second.
SOONER = datetime.timedelta(hours=1)
OPTIONS: dict[str, t.Any] = {**LEDGER_OPTIONS, **REMEMBER, **RESTORE, "clock_skew": {"type": "float", "default": 0.0}}


def snapshot_due(call: ModuleContext, source: Source) -> ToStore | None:
    """A new snapshot of a source, where the last one is too old. None where none is wanted, and while a restore is open.

    Args:
        call: The look, with the options ``snapshot`` and ``snapshot_max_age``.
        source: The source that was handed over.
    """
    document = open_ledger(call).read()
    if not call["snapshot"] or open_restore(document) or recorded_facts(document.steps)["source_id"] != source.id:
        return None
    try:
        place = snapshot_place(call, source.id)
    except OptionError:
        return None  # as in AWX without a folder that lasts
    if place is None:
        return None
    try:
        before = place.read()
    except SnapshotError:
        before = None
    except Failure as failure:
        call.warnings.append(f"No snapshot is taken. {failure.full_message}")
        return None
    taken = parse_time(before["at"]) if before else None
    if taken and call.segment_now() - taken < datetime.timedelta(days=call["snapshot_max_age"]) - SOONER:
        return None
    return {"folder": place.folder, "snapshot": take(call, source, before)}


def open_restore(document: LedgerDocument) -> Restore | None:
    """The restore of an environment that is not finished yet."""
    return document.restore if document.restore and _is_open(document.restore) else None


def _is_open(record: Mapping[str, t.Any]) -> bool:
    return bool(not record.get("source_id") or still_open(record["items"]))


class Intent(Resource):
    """The record of what is to be put back, before the source is made.

    Attributes:
        slug: The slug to make the source with; empty for the usual one.
    """

    def __init__(self, call: ModuleContext) -> None:
        self.call, self.ledger = call, open_ledger(call)
        self.slug = ""

    def fetch(self) -> State | None:
        self.document = self.ledger.read()
        record = self.document.restore
        self.wanted = self._wanted(record, recorded_facts(self.document.steps)["source_id"])
        if self.wanted and not self.wanted.get("source_id"):
            self.slug = self.wanted.get("slug", "")
        # When it was recorded is no part of what is compared.
        return {name: value for name, value in record.items() if name != "at"} if record else None

    def desired(self, current: State | None) -> State | None:
        return self.wanted

    def apply(self, plan: Plan) -> State:
        record = t.cast(Restore, {**plan.after, "at": format_time(self.call.segment_now())})
        self.ledger.save(replace(self.document, restore=record))
        return plan.after

    def _wanted(self, record: Restore | None, lost: str | None) -> dict[str, t.Any] | None:
        same = {name: value for name, value in record.items() if name != "at"} if record else None
        if record and _is_open(record):
            if record.get("source_id"):  # what took its place is gone as well
                items = {item: "open" if state == "done" else state for item, state in record["items"].items()}
                return {**t.cast("dict[str, t.Any]", same), "source_id": "", "items": items}
            return same
        known = [lost or "", record.get("lost_source_id", "") if record and record.get("source_id") == lost else ""]
        for source_id in filter(None, known):
            if snapshot := usable_snapshot(self.call, source_id):
                items = items_of(snapshot, self.call["restore"], self.call["source_labels"] or {})
                found = {"snapshot": snapshot["at"], "lost_source_id": source_id, "items": items, "source_id": ""}
                return {**found, "slug": self._slug(snapshot)}
        if lost:
            self.call.warnings.append(
                f"There is no snapshot of the source {lost}, so nothing that was attached to it is put back. Set warehouses, a "
                "tracking plan and schema settings by hand."
            )
        return same

    def _slug(self, snapshot: Snapshot) -> str:
        """The slug of the lost source, if it may be used: whoever has it would be taken for the new source."""
        slug = snapshot.get("slug", "")
        taken = {source.slug for source in self.call.public_api().sources()}
        return slug if "slug" in self.call["restore"] and slug not in taken else ""


def usable_snapshot(call: ModuleContext, source_id: str) -> Snapshot | None:
    """The snapshot of a source. One that cannot be used is a warning, and stops nothing."""
    try:
        return place.read() if (place := snapshot_place(call, source_id)) else None
    except (SnapshotError, OptionError) as failure:
        call.warnings.append(failure.full_message)
        return None


def restoring(call: ModuleContext) -> Restoring | None:
    """The parts that are still to be put back to the source that ``source_id`` names.

    None where there are none, or where some are wanted and the snapshot cannot be used.
    """
    ledger, source_id = open_ledger(call), call["source_id"]
    record: Mapping[str, t.Any] | None = open_restore(ledger.read())
    if source_id == SET_BY_SEGMENT:  # nothing is recorded in check mode
        intent = Intent(call)
        intent.fetch()
        record = intent.wanted
    if not record or not _is_open(record) or source_id == record.get("lost_source_id"):
        return None
    snapshot = usable_snapshot(call, record.get("lost_source_id", ""))
    if snapshot is None:
        if call["restore"]:
            return None
        snapshot = t.cast(Snapshot, {})  # nothing of it is wanted any more

    def save(items: dict[str, str]) -> None:
        told: list[Entry] = []
        if not still_open(items):
            why = f"from the snapshot of {record['snapshot']}"
            told = [{"at": format_time(call.segment_now()), "what": "restored", "by": "", "why": why}]
        wanted = t.cast(Restore, {**record, "items": dict(items), "source_id": source_id})
        ledger.save(replace(ledger.seen, restore=wanted, history=[*ledger.seen.history, *told]))

    return Restoring(call, snapshot, record["items"], record.get("source_id", ""), source_id, save)


def put_back(call: ModuleContext) -> dict[str, t.Any]:
    """See the module segment_source_restore."""
    if not call["source_id"]:
        intent = Intent(call)
        outcome = call.reconcile(intent)
        return change_result(outcome, **_told(intent.wanted), slug=intent.slug)
    resource = restoring(call)
    if resource is None:
        nothing = Reconciled(Plan("none"), None)
        return change_result(nothing, **_told(open_ledger(call).read().restore), slug="")
    outcome = call.reconcile(resource)
    call.warnings += resource.told()
    # What failed has changed nothing, and is no difference.
    reached = Reconciled(replace(outcome.plan, after=outcome.state or {}), outcome.state)
    changed = outcome.state != outcome.plan.before
    return {**change_result(reached, states=dict((outcome.state or {})["items"])), "changed": changed, "slug": ""} | {
        "snapshot": resource.snapshot.get("at", "")
    }


def _told(record: Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    return {"states": dict(record["items"]) if record else {}, "snapshot": record["snapshot"] if record else ""}


def still_to_do(call: ModuleContext, record: Mapping[str, t.Any]) -> str:
    """The parts that are still to be put back, and why they are not, in words."""
    snapshot = usable_snapshot(call, record.get("lost_source_id", ""))
    if snapshot is None:
        call.warnings.append(
            f"What was lost with the source {record.get('lost_source_id')} cannot be put back without its snapshot. Bring that back, or give "
            "it up with unified_profiles_restore: []."
        )
    known = things(snapshot or t.cast(Snapshot, {}))
    told = []
    for item in still_open(record["items"]):
        why = STILL_OPEN[record["items"][item]]
        told.append(f"{called(item, known.get(item, {}))}{f' ({why})' if why else ''}")
    return f"from the snapshot of {record['snapshot']}: {', '.join(told) or 'nothing but its slug'}"


def restore_card(call: ModuleContext, document: LedgerDocument) -> Card | None:
    """The card of what a person has to put back, with names and places.

    None where there is nothing, where the snapshot cannot be used, or once the card is acknowledged.
    """
    record = document.restore
    if not record or not record.get("source_id"):
        return None
    name = restore_name(document)
    if name in {said["alert"] for said in document.acknowledged}:
        return None
    try:
        place = snapshot_place(call, record.get("lost_source_id", ""))
        snapshot = place.read() if place else None
    except Failure:
        snapshot = None
    if snapshot is None:
        return None
    known = things(snapshot)
    actions = [
        ("restore", called(item, known.get(item, {})), BY_HAND[state])
        for item, state in record["items"].items()
        if state in BY_HAND
    ]
    for one in snapshot.get("destinations", []):
        state = "enabled" if one["enabled"] else "disabled"
        actions.append(
            ("connect", f"the destination '{one['name']}'", f"{one['type']}, {state}; Connections > Destinations")
        )
    actions += [("connect", f"the function '{it}'", "Connections > Functions") for it in snapshot.get("functions", [])]
    actions += [("give", f"{it} the right to the source", "Settings > Access") for it in snapshot.get("rights", [])]
    unread = "; ".join(f"{part}: {why}" for part, why in snapshot.get("unread", {}).items())
    if unread:
        actions.append(("look", "whether the source had what is not known", "the warnings name it"))
    if not actions:
        return None
    actions += [
        ("look", f"whether the space '{it}' had the source", "Unify settings > Profiles sources")
        for it in snapshot.get("spaces", [])
    ]
    values = {"account_sid": call["twilio_account_sid"] or "", "region": call["segment_region"]}
    return {
        "environment": call["environment"],
        "step": "restore",
        "title": "Put back by hand what was lost with the source",
        "where": where(values),
        "page": ["Segment", "Connections", "Sources", f"the source {record['source_id']}"],
        "links": [],
        "actions": [{"do": do, "label": label, "value": "", "hint": hint} for do, label, hint in actions],
        "warnings": [
            f"This is how it was at {snapshot['at']}, when the snapshot of the lost source {snapshot['source_id']} was taken.",
            *([f"Not known, because it could not be read: {unread}"] if unread else []),
        ],
        "check": "The new source has what the lost one had.",
        "digest": "",
        "confirm_command": again(HOW_TO_RUN, "", name),
        "handover_again": "",
        "acknowledge": name,
    }
