# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The traces that a step of a rotation leaves in the ledger and on the source. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Collection, Sequence
from dataclasses import replace

from .._module.state import SET_BY_SEGMENT
from .ledger import Entry, LedgerDocument, Record, Rotation
from .rotation import GIVEN_UP, LEAKED, NO_OVERLAP, REMOVES, RETIRED, ROLLED_BACK, Next


def after(
    step: Next, document: LedgerDocument, keys: Collection[str], source_id: str, now: str
) -> tuple[LedgerDocument, list[str]]:
    """The ledger, and the keys of the source, after a step. The hand-over records itself.

    Args:
        step: What is done.
        document: The ledger before.
        keys: The keys before.
        source_id: The source.
        now: The time, by Segment's clock.
    """
    left = sorted(set(keys) - ({step.key} if step.do in REMOVES else set()))
    was = document.rotation
    if step.do == "add":
        begun = begin(step, was, source_id, now)
        new = next(iter(sorted(set(keys) - set(begun["before"]))), SET_BY_SEGMENT)
        seen = {begun["old"]: now, **({} if new == SET_BY_SEGMENT else {new: now}), **document.seen_keys}
        found = replace(document, rotation={**begun, "new": new}, seen_keys=seen)
        return _told(found, now, "rotation begun", new, step.why), sorted({*left, new})
    rotation = t.cast(Rotation, was)
    if step.do == "hand_over":
        # Before it is handed over: from then on it may be in Flex.
        return replace(document, rotation={**rotation, "phase": _phase(rotation)}), left
    if step.do == "tested":
        return replace(document, rotation={**rotation, "tested": now}), left
    if step.do == "untested":
        return replace(document, rotation={**rotation, "test_failed": step.at}), left
    if step.do == "back":
        found = replace(document, rotation={**rotation, "phase": "roll_back", "back_at": now})
        return _told(found, now, "rolling back", rotation.get("new", ""), step.why), left
    if step.do in ("retire", "retired"):
        found = replace(
            document, rotation={**rotation, "phase": "prove", "retired_at": now, "relied_on": step.relied or step.why}
        )
        return _told(_only(found, rotation.get("new", ""), now), now, RETIRED, rotation["old"], step.why), left
    found = replace(document, rotation=None)
    if step.do == "remove":
        return _told(_only(found, rotation["old"], now), now, ROLLED_BACK, step.key, step.why), left
    if step.end == ROLLED_BACK:
        found = _only(found, rotation["old"], now)
    old = {"replaced": rotation["old"]} if step.end == GIVEN_UP else {}
    return _told(found, now, step.end, step.key, step.why, **old), left


def _phase(rotation: Rotation) -> str:
    return "hand_over" if rotation["phase"] == "add" else rotation["phase"]


def begin(step: Next, was: Rotation | None, source_id: str, now: str) -> Rotation:
    """The rotation that is open, or a new one."""
    if was:
        return was
    why = LEAKED if step.why.endswith(NO_OVERLAP) else "age"
    return {"at": now, "phase": "add", "old": step.key, "before": [step.key], "why": why, "source_id": source_id}


def _only(document: LedgerDocument, key: str, now: str) -> LedgerDocument:
    """The ledger once this key is the only one. What comes through it from then on proves that Flex has it."""
    done = document.steps["key"].get("done")
    if not done or done["subject"].get("key_fingerprint") != key:
        return document
    record: Record = {**done, "keys": [key], "only_since": now}
    return replace(document, steps={**document.steps, "key": {**document.steps["key"], "done": record}})


def _told(document: LedgerDocument, at: str, what: str, key: str, why: str, **more: str) -> LedgerDocument:
    subject = {"subject": {"key_fingerprint": key, **more}} if key else {}
    entry = t.cast(Entry, {"at": at, "what": what, "by": "", "why": why, "step": "key", **subject})
    return replace(document, history=[*document.history, entry])


def state(document: LedgerDocument, keys: Sequence[str]) -> dict[str, t.Any]:
    """The state of a rotation, as a diff shows it."""
    rotation = document.rotation
    open_ = {name: rotation.get(name, "") for name in ("phase", "old", "new")} if rotation else None
    return {"rotation": open_, "key_fingerprints": sorted(keys)}
