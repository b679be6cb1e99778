# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The record of one environment's hand-overs, without a secret in it: its format, and what a place to keep it has to do.

Format 2, the same in a file (ledger_file.py) and in a Twilio Sync document (ledger_sync.py). docs/ledger.md shows it to people. The
classes below are its parts; a part that is empty is left out::

    {"format": 2, "environment": str, "steps": {step: {"done"?: Record, "asked"?: Record}}, "history": [Entry],
     "acknowledged": [Acknowledgement], "proofs": {step: Proof}, "findings": [Finding],
     "seen_keys": {fingerprint: when it was first seen}, "rotation": Rotation, "restore": Restore}

``asked`` outranks ``done``: somebody may have carried out what was asked for, so what was done before is no longer certain. The two
are side by side until one of them is settled. All times are strings, in UTC, as :func:`format_time` writes them.

Other names at the top, and other fields in a part, are kept as they are. A later release may add some without a new
format, and an older one beside it loses nothing. Other steps and other states of a step are refused: a run would ignore
what they say.

Format 1 (0.1.0) has only the steps, and no ``asked_at``. It is read, and becomes format 2 when it is next written. 0.1.0 refuses
every format above 1.
"""

from __future__ import annotations

import abc
import hashlib
import json
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from .._base.errors import LedgerError
from .._base.shapes import format_number, misfits
from .steps import STEPS

FORMAT = 2
# A lock ends so long after it was last renewed, where nobody can see whether its run goes on.
HELD_SECONDS = 3600
# Deeper than any ledger. What is nested further cannot be worked with: Python's own functions give up on it.
MAX_DEPTH = 20


class _Record(t.TypedDict):
    subject: dict[str, t.Any]
    digest: str
    channel: str
    how: str
    by: str
    at: str


class Record(_Record, total=False):
    """A hand-over that was asked for or done in one step.

    ``subject`` is what was handed over, with fingerprints for secrets, ``digest`` identifies it. ``keys`` are the fingerprints
    of all keys that the source had then. ``only_since`` says since when the key that was handed over is the only one, where it
    was not then. ``asked_at`` is when the step was first asked for: it stays while the step is pending.
    """

    asked_at: str
    keys: list[str]
    only_since: str


Steps = dict[str, dict[str, Record]]


class _Entry(t.TypedDict):
    at: str
    what: str
    by: str
    why: str


class Entry(_Entry, total=False):
    """An event of the history.

    ``what`` is a verb's past, such as attested, sent, asked, withdrawn, acknowledged, rotated, restored.
    """

    step: str
    digest: str
    subject: dict[str, t.Any]


class Acknowledgement(t.TypedDict):
    """Somebody's word that an alert was mended. ``alert`` names the alert, and there is one for each."""

    alert: str
    at: str
    by: str
    why: str


class _Proof(t.TypedDict):
    at: str
    reason: str


class Proof(_Proof, total=False):
    """When a step was last proven, by what, and when the last event of it was seen."""

    last_event: str


class _Finding(t.TypedDict):
    at: str
    what: str
    detail: str


class Finding(_Finding, total=False):
    """A problem that was found, who caused it, and what was done about it. It stays until all is proven again."""

    step: str
    by: str
    since: str
    mended: str


class _Rotation(t.TypedDict):
    at: str
    phase: str
    old: str
    before: list[str]


class Rotation(_Rotation, total=False):
    """A key that is being replaced. ``before`` are the fingerprints seen before one was added, ``new`` is the one adopted.

    ``phase`` is one of those in rotation.py. ``attempt`` is another string in each run that adds or removes a key, so that
    of two runs one is refused. ``removing`` is when one was about to remove a key. ``tested`` is when a test event came
    through the new key, ``test_failed`` when the last one was sent that did not. ``back_at`` is when it was decided to back
    out. ``retired_at`` is when the old key was found to be gone, and ``relied_on`` the word that its removal relied on.
    """

    new: str
    why: str
    by: str
    source_id: str
    attempt: str
    removing: str
    tested: str
    test_failed: str
    back_at: str
    retired_at: str
    relied_on: str


class _Restore(t.TypedDict):
    at: str
    snapshot: str
    items: dict[str, str]


class Restore(_Restore, total=False):
    """A source that is being put back: from which snapshot, of which source, as which one, and the state of each item.

    ``slug`` is the one that the source is made with: until ``source_id`` is known, a source that has it is this one.
    """

    lost_source_id: str
    source_id: str
    slug: str


@dataclass(frozen=True)
class LedgerDocument:
    """All that a ledger holds; see the module. ``other`` are the names at the top that this release does not know.

    A reader changes nothing in it: a writer makes a new one with :func:`dataclasses.replace`.
    """

    environment: str
    steps: Steps = field(default_factory=lambda: {step: {} for step in STEPS})
    history: list[Entry] = field(default_factory=list)
    acknowledged: list[Acknowledgement] = field(default_factory=list)
    proofs: dict[str, Proof] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    seen_keys: dict[str, str] = field(default_factory=dict)
    rotation: Rotation | None = None
    restore: Restore | None = None
    other: dict[str, t.Any] = field(default_factory=dict)

    @property
    def slug_to_find(self) -> str:
        """The slug of a source that a run was about to make, and may not have named. Empty once the source is known, or without one."""
        return self.restore.get("slug", "") if self.restore and not self.restore.get("source_id") else ""

    def as_json(self) -> dict[str, t.Any]:
        parts = {name: getattr(self, name) for name in PARTS}
        steps = {step: records for step, records in self.steps.items() if records}
        known = {"format": FORMAT, "environment": self.environment, "steps": steps}
        return {**self.other, **{name: part for name, part in parts.items() if part}, **known}


# What each part that may be left out holds.
PARTS: dict[str, t.Any] = {
    "history": list[Entry],
    "acknowledged": list[Acknowledgement],
    "proofs": dict[str, Proof],
    "findings": list[Finding],
    "seen_keys": dict[str, str],
    "rotation": Rotation,
    "restore": Restore,
}


class Ledger(abc.ABC):
    """The record of one environment's hand-overs. Nothing that another writer has recorded meanwhile is ever lost.

    Attributes:
        seen: What it held when it was last read or written here.
    """

    def __init__(self, environment: str) -> None:
        self.environment = environment
        self.seen = LedgerDocument(environment)

    @abc.abstractmethod
    def read(self) -> LedgerDocument:
        """All of it; nothing but the environment's name where nothing is recorded yet.

        Raises:
            LedgerError: It cannot be read, is damaged, or was written by a newer release.
        """

    @abc.abstractmethod
    def save(self, wanted: LedgerDocument) -> LedgerDocument:
        """Record what differs between ``wanted`` and ``seen``, in the document as it is now. The rest stays as others wrote it.

        Returns:
            The document from now on. Whoever saves again goes on from this: what an older document lacks would count as deleted.

        Raises:
            LedgerError: It cannot be written; or another writer has changed the rotation or restore that this one changes.
        """

    @abc.abstractmethod
    def ensure_writable(self) -> None:
        """See that :meth:`save` would not fail for the place's sake, and leave everything as it was.

        Raises:
            LedgerError: It would. Says what to do about it.
        """

    @property
    @abc.abstractmethod
    def lock_name(self) -> str:
        """The name of the lock beside the ledger, for somebody who has to find it."""

    @abc.abstractmethod
    def read_lock(self) -> t.Any:
        """The content of the lock beside the ledger; None where there is no lock, or no content that can be parsed.

        Raises:
            LedgerError: It cannot be read.
        """

    @abc.abstractmethod
    def write_lock(self, holder: Mapping[str, t.Any] | None) -> bool:
        """Replace what the lock held when it was last read, or remove it; False if somebody else has changed it since.

        Raises:
            LedgerError: It cannot be written.
            UnknownOutcome: It may have been written: read it again.
        """

    def write(self, step: str, records: Mapping[str, Record], *entries: Entry) -> None:
        """Replace the records of one step, as they were last seen, by these, and add to the history. Their keys are seen from then on.

        Raises:
            LedgerError: See :meth:`save`.
        """
        steps = {**self.seen.steps, step: dict(records)}
        keys = {key: record["at"] for record in records.values() for key in record.get("keys", ())}
        seen_keys = {**keys, **self.seen.seen_keys}
        self.save(replace(self.seen, steps=steps, history=[*self.seen.history, *entries], seen_keys=seen_keys))


def digest(environment: str, step: str, subject: Mapping[str, t.Any]) -> str:
    """The digest that a confirmation has to name: it changes with everything that is to be handed over."""
    text = json.dumps([environment, step, subject], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


# Reading. People edit and merge files, so everything is checked, against the classes above.


def parse(found: t.Any, environment: str, where: str) -> LedgerDocument:
    """A document of format 1 or 2, checked.

    Args:
        found: The decoded JSON; None where it was none.
        environment: Whose ledger it has to be.
        where: What to call it in a message.

    Raises:
        LedgerError: It is damaged, of a newer format, or belongs to another environment.
    """

    def damaged(what: str) -> LedgerError:
        way_out = "Restore it (from version control, if it is a file), or remove it to be asked again."
        return LedgerError(f"{where} is damaged: {what}.", way_out)

    if not isinstance(found, dict):
        raise damaged("it is no JSON object")
    if not (number := format_number(found)):
        raise damaged("it has no format number")
    if number > FORMAT:
        raise LedgerError(
            f"{where} has format {number}, written by a newer release; this release reads formats 1 to {FORMAT}.",
            "Update the collection here.",
        )
    if (owner := found.get("environment")) != environment:
        named = f"'{owner[:100]}'" if isinstance(owner, str) else "without a name"
        raise LedgerError(
            f"{where} is the one of the environment {named}, not of '{environment}'.",
            "Each environment has its own; it starts without one.",
        )
    if _deeper_than(found, MAX_DEPTH):
        raise damaged(f"it is nested more than {MAX_DEPTH} levels deep")
    if problem := next(_problems(found), ""):
        raise damaged(problem)
    steps: Steps = {step: dict(found["steps"].get(step, {})) for step in STEPS}
    for records in steps.values():
        if asked := records.get("asked"):  # format 1 has no better time
            records["asked"] = {**asked, "asked_at": asked.get("asked_at", asked["at"])}
    parts = {name: found[name] for name in PARTS if found.get(name)}
    other = {name: value for name, value in found.items() if name not in ("format", "environment", "steps", *PARTS)}
    return LedgerDocument(environment, steps, **parts, other=other)


def _problems(found: Mapping[str, t.Any]) -> Iterator[str]:
    steps = found.get("steps")
    if not isinstance(steps, dict) or not set(steps) <= set(STEPS):
        yield f"'steps' should have {', '.join(STEPS)} and nothing else"
        return
    for step, records in steps.items():
        if not isinstance(records, dict) or not set(records) <= {"done", "asked"}:
            yield f"'{step}' should have 'done', 'asked' and nothing else"
            return
    for name, kind in {"steps": Steps, **PARTS}.items():
        if found.get(name) is not None:
            yield from misfits(found[name], kind, name)


def _deeper_than(found: t.Any, levels: int) -> bool:
    inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    return levels < 0 or any(_deeper_than(value, levels - 1) for value in inner)
