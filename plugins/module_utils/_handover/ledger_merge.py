# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The ledger after two writers changed what both had seen, and how much of it is kept. All of it is pure.

Whatever only one of the two changed is as that one left it. Where both changed the same thing, the later record counts. A rotation
or a restore that is open is the exception: each phase relies on the one before, so the second writer is refused.
"""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import replace

from .._base.errors import LedgerError
from .._clients.twilio_sync import MAX_DATA
from .ledger import LedgerDocument, Record
from .steps import STEPS

# In bytes, of JSON without blanks. In a file as well, so that a ledger can move.
MAX_BYTES = MAX_DATA
MAX_HISTORY = 50
MAX_FINDINGS = 20
# Twilio Monitor shows an alert for 30 days, so an acknowledgement is of no use for longer.
MAX_ACKNOWLEDGED = 30
# Fifteen years of a rotation in every quarter.
MAX_SEEN_KEYS = 60
# Characters of a string that somebody gives or a service sends.
MAX_TEXT = 300

V = t.TypeVar("V")


def _later(mine: t.Any, other: t.Any) -> t.Any:
    return max(mine, other, key=_age)


def _age(item: Mapping[str, t.Any]) -> tuple[str, str]:
    """Orders by time, and the same in every writer where two are of one second."""
    return item["at"], _text(item)


def _text(item: t.Any) -> str:
    return json.dumps(item, sort_keys=True)


def merge(seen: LedgerDocument, ours: LedgerDocument, theirs: LedgerDocument) -> LedgerDocument:
    """The document that holds the changes of both writers.

    Args:
        seen: What this writer had read.
        ours: What it wants to write.
        theirs: What is there now.

    Raises:
        LedgerError: Both have changed the rotation, or the restore.
    """

    seen, ours, theirs = _cut(seen), _cut(ours), _cut(theirs)

    def each(name: str, choose: Callable[[t.Any, t.Any], t.Any] = _later) -> dict[str, t.Any]:
        return _each(getattr(seen, name), getattr(ours, name), getattr(theirs, name), choose)

    def listed(name: str, key: Callable[[t.Any], str]) -> list[t.Any]:
        was, mine, other = ({key(item): item for item in getattr(side, name)} for side in (seen, ours, theirs))
        return sorted(_each(was, mine, other, _later).values(), key=_age)

    return bounded(
        LedgerDocument(
            seen.environment,
            steps={
                step: merge_records(seen.steps.get(step, {}), ours.steps.get(step, {}), theirs.steps.get(step, {}))
                for step in STEPS
            },
            history=listed("history", _text),
            acknowledged=listed("acknowledged", lambda item: str(item["alert"])),
            proofs=each("proofs"),
            findings=listed("findings", lambda item: _text([item["at"], item["what"], item.get("step")])),
            seen_keys=each("seen_keys", min),
            rotation=_undisputed("rotation", seen.rotation, ours.rotation, theirs.rotation),
            restore=_undisputed("restore", seen.restore, ours.restore, theirs.restore),
            other=each("other", lambda mine, other: max(mine, other, key=_text)),
        )
    )


def merge_records(
    seen: Mapping[str, Record], ours: Mapping[str, Record], theirs: Mapping[str, Record]
) -> dict[str, Record]:
    """The same for the records of one step."""
    return _each(seen, _still_open(seen, ours, theirs), _still_open(seen, theirs, ours), _later)


def _still_open(
    seen: Mapping[str, Record], mine: Mapping[str, Record], other: Mapping[str, Record]
) -> Mapping[str, Record]:
    """One writer's records without what it asked for, where the other, whom it could not know of, recorded that as done."""
    asked, done = mine.get("asked"), other.get("done")
    if asked is None or asked == seen.get("asked") or done is None or done in (seen.get("done"), mine.get("done")):
        return mine
    if asked["subject"] == done["subject"]:
        return {state: record for state, record in mine.items() if state != "asked"}
    return mine


def bounded(document: LedgerDocument) -> LedgerDocument:
    """The same without what is too old to be kept. Steps, proofs, and what is open are always kept.

    The alert of a dropped acknowledgement counts again, and a dropped key counts as a stranger. Both are reported, and
    neither makes anything pass.
    """
    keys = sorted(document.seen_keys.items(), key=lambda seen: (seen[1], seen[0]))
    lists: dict[str, list[t.Any]] = {
        "history": document.history[-MAX_HISTORY:],
        "findings": document.findings[-MAX_FINDINGS:],
        "acknowledged": document.acknowledged[-MAX_ACKNOWLEDGED:],
    }
    kept = replace(document, seen_keys=dict(keys[-MAX_SEEN_KEYS:]))
    for name, items in lists.items():
        kept = replace(kept, **{name: items})  # type: ignore[arg-type]
    for name, items in lists.items():
        while items and size(kept) > MAX_BYTES:
            items = items[1:]
            kept = replace(kept, **{name: items})  # type: ignore[arg-type]
    return kept


def size(document: LedgerDocument) -> int:
    """In bytes, as :func:`compact` writes it."""
    return len(compact(document))


def compact(document: LedgerDocument) -> str:
    """The JSON text, in ASCII, of a document that goes over the wire."""
    return json.dumps(document.as_json(), sort_keys=True, separators=(",", ":"))


def _each(
    seen: Mapping[str, V], ours: Mapping[str, V], theirs: Mapping[str, V], choose: Callable[[V, V], V]
) -> dict[str, V]:
    merged: dict[str, V] = {}
    for name in sorted({*ours, *theirs}):
        was, mine, other = seen.get(name), ours.get(name), theirs.get(name)
        if other == was or mine == other:
            chosen = mine
        elif mine == was or mine is None:
            chosen = other
        else:
            chosen = mine if other is None else choose(mine, other)
        if chosen is not None:
            merged[name] = chosen
    return merged


def _undisputed(name: str, was: V, mine: V, other: V) -> V:
    if other == was or mine == other:
        return mine
    if mine == was:
        return other
    raise LedgerError(
        f"Another run has changed the {name} of this environment since it was read.",
        "Nothing was recorded. Run again, when that run has ended.",
        problem="changed_since",
    )


def _cut(document: LedgerDocument) -> LedgerDocument:
    """The same with strings that are short enough, before anything is compared: what the ledger holds has been cut."""

    def cut(item: t.Any) -> t.Any:
        return {name: value[:MAX_TEXT] if isinstance(value, str) else value for name, value in item.items()}

    return replace(
        document,
        history=[cut(item) for item in document.history],
        acknowledged=[cut(item) for item in document.acknowledged],
        findings=[cut(item) for item in document.findings],
        proofs={step: cut(proof) for step, proof in document.proofs.items()},
    )
