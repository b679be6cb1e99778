# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of one environment's hand-overs, without a secret in it: a file, or a document in Twilio Sync.

Format 1, in both places: ``{"format": 1, "environment": str, "steps": {step: {"done"?: Record, "asked"?: Record}}}``. A
Record has ``subject`` (what was handed over, fingerprints only), ``digest`` of it, ``channel``, ``how``, ``by`` and ``at``
(UTC). ``asked`` outranks ``done``: somebody may have carried out what was asked for, so what was done before is no longer
certain. The two stand side by side until one of them is settled.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import time
import typing as t
from collections.abc import Iterator, Mapping
from pathlib import Path

from .._base.errors import ApiError, LedgerError, OptionError, UnknownOutcome
from .._base.files import replace_file
from .._clients.twilio_sync import MAX_DATA, Document, SyncApi
from .._module.context import ModuleContext

FORMAT = 1
STEPS = ("connection", "link", "key")
LOCK_SECONDS = 30.0
ATTEMPTS = 20
Record = dict[str, t.Any]
Steps = dict[str, dict[str, Record]]
# Of every module that reads or writes the ledger; documented in doc_fragments/_ledger.py.
LEDGER_OPTIONS: dict[str, t.Any] = {
    "environment": {"type": "str", "required": True},
    "ledger": {"type": "str", "choices": ["file", "sync"], "default": "file"},
    "state_dir": {"type": "path"},
    "sync_service": {"type": "str", "default": "default"},
}


class Ledger(t.Protocol):
    """The record of one environment's hand-overs. Nothing that another writer has recorded meanwhile is ever lost."""

    def read(self) -> Steps:
        """All steps, each with its records ``done`` and ``asked`` where there are any.

        Raises:
            LedgerError: It cannot be read, is damaged, or was written by a newer release.
        """

    def write(self, step: str, records: Mapping[str, Record]) -> None:
        """Replace the records of one step, as they were last read, by these.

        Raises:
            LedgerError: It cannot be written.
        """


def open_ledger(call: ModuleContext) -> Ledger:
    """The ledger that the options of a module's run name.

    Raises:
        OptionError: It cannot be kept there.
    """
    if call["ledger"] == "sync":
        return SyncLedger(call.sync(), call["sync_service"], call["environment"])
    return FileLedger(persistent_dir(call["state_dir"], os.environ), call["environment"])


# The document, which is the same in both places. All of it is pure.


def digest(environment: str, step: str, subject: Mapping[str, t.Any]) -> str:
    """What a confirmation has to name: changes with everything that is to be handed over."""
    text = json.dumps([environment, step, subject], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def file_name_for(environment: str) -> str:
    """A name for a file or document that no other environment has."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", environment).lstrip(".")[:100] or "_"
    return name if name == environment else f"{name}-{hashlib.sha256(environment.encode()).hexdigest()[:6]}"


def document(environment: str, steps: Steps) -> dict[str, t.Any]:
    return {"format": FORMAT, "environment": environment, "steps": {k: v for k, v in steps.items() if v}}


def parse(found: t.Any, environment: str, where: str) -> Steps:
    """The steps of a document, checked, since people edit and merge files.

    Raises:
        LedgerError: It is damaged, of a newer format, or belongs to another environment.
    """

    def damaged(what: str) -> LedgerError:
        way_out = "Restore it (from version control, if it is a file), or remove it to be asked again."
        return LedgerError(f"{where} is damaged: {what}.", way_out)

    if not isinstance(found, dict) or not isinstance(found.get("format"), int):
        raise damaged("it has no format number")
    if found["format"] > FORMAT:
        raise LedgerError(
            f"{where} has format {found['format']}, written by a newer release; this release reads format {FORMAT}.",
            "Update the collection here.",
        )
    if found.get("environment") != environment:
        raise LedgerError(
            f"{where} is the one of the environment '{found.get('environment')}', not of '{environment}'.",
            "Each environment has its own; it starts without one.",
        )
    steps = found.get("steps")
    if not isinstance(steps, dict) or not set(steps) <= set(STEPS):
        raise damaged(f"'steps' should have {', '.join(STEPS)} and nothing else")
    for step, records in steps.items():
        if not isinstance(records, dict) or not set(records) <= {"done", "asked"}:
            raise damaged(f"'{step}' should have 'done', 'asked' and nothing else")
        for state, record in records.items():
            texts = ("digest", "channel", "how", "by", "at")
            if not isinstance(record, dict) or not isinstance(record.get("subject"), dict):
                raise damaged(f"'{step}.{state}' has no subject")
            if missing := [name for name in texts if not isinstance(record.get(name), str)]:
                raise damaged(f"'{step}.{state}.{missing[0]}' is missing or no text")
    return {step: dict(steps.get(step, {})) for step in STEPS}


def merge(seen: Mapping[str, Record], ours: Mapping[str, Record], theirs: Mapping[str, Record]) -> dict[str, Record]:
    """The records of one step after two writers changed what both had seen.

    Args:
        seen: What this writer had read.
        ours: What it wants to stand.
        theirs: What stands there now.
    """
    merged: dict[str, Record] = {}
    for state in ("done", "asked"):
        was, mine, other = seen.get(state), ours.get(state), theirs.get(state)
        if other == was or mine == other:
            chosen = mine
        elif mine == was or mine is None:
            chosen = other
        else:
            chosen = other if other is not None and other["at"] > mine["at"] else mine
        if chosen is not None:
            merged[state] = chosen
    done, asked = merged.get("done"), merged.get("asked")
    # One writer recorded as done what the other, who could not know, was about to ask for.
    if (
        done
        and asked
        and done != seen.get("done")
        and asked != seen.get("asked")
        and done["subject"] == asked["subject"]
    ):
        del merged["asked"]
    return merged


def persistent_dir(folder: str | None, environ: Mapping[str, str]) -> Path:
    """The folder of a file ledger, if it can be one.

    Args:
        folder: The option ``state_dir``.
        environ: The process's environment variables; AWX tells there which folders it throws away.

    Raises:
        OptionError: There is none, or it would not outlive the job.
    """
    if not folder or not folder.strip() or folder.startswith("/.unified_profiles"):
        raise OptionError(
            "state_dir",
            "is not known, because this inventory has no folder of its own that lasts.",
            "Set it to a folder that outlives the run, or keep the ledger in Twilio Sync with ledger: sync.",
        )
    path = Path(folder).expanduser().absolute()
    if private := environ.get("AWX_PRIVATE_DATA_DIR"):
        # In its container, AWX's private folder is the one above artifacts/<job id>.
        inside = Path(environ.get("AWX_ISOLATED_DATA_DIR") or "/runner/artifacts/0").parent.parent
        for temporary in (Path(private), inside):
            if path.is_relative_to(temporary):
                raise OptionError(
                    "state_dir",
                    f"is {path}, and AWX throws {temporary} away when the job ends; the record would be lost.",
                    "Keep the ledger in Twilio Sync with ledger: sync, or set state_dir to a folder that is mounted into the "
                    "execution environment.",
                )
    return path


class FileLedger:
    """The ledger of one environment as a file in a folder that lasts: stable order, one fact a line, for a review."""

    def __init__(self, folder: Path, environment: str) -> None:
        self.environment = environment
        self.path = folder / "ledger" / f"{file_name_for(environment)}.json"
        self.seen: Steps = {}

    def read(self) -> Steps:
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            self.seen = {}
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise LedgerError(f"The ledger {self.path} cannot be read: {error}.", "Mend its permissions.") from None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        self.seen = parse(found, self.environment, f"The ledger {self.path}")
        return self.seen

    def write(self, step: str, records: Mapping[str, Record]) -> None:
        seen = self.seen.get(step, {})
        try:
            with self._locked():
                steps = dict(self.read())
                merged = merge(seen, records, steps.get(step, {}))
                if merged == steps.get(step, {}):
                    return
                steps[step] = merged
                text = json.dumps(document(self.environment, steps), indent=2, sort_keys=True) + "\n"
                # The lock is ours, so a file of this name is only what a killed writer has left behind.
                replace_file(self.path, text, self.path.with_suffix(".new"))
                self.seen = steps
        except OSError as error:
            raise LedgerError(
                f"The ledger {self.path} cannot be written: {error}.",
                "Mend the permissions of its folder, or set state_dir to another one.",
            ) from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other writers out. The kernel gives the lock back when a process ends, however it ends."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # A file of its own: a rename gives the ledger a new inode, and a lock on the old one would lock nobody out.
        lock = self.path.with_suffix(".lock")
        try:
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except PermissionError:
            # Made by another user who shares the folder; to lock it, reading is enough.
            descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
        try:
            until = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise LedgerError(
                            f"The ledger {self.path} has been locked by another process for {LOCK_SECONDS:g} s.",
                            f"See who holds {lock} (fuser, lsof) and end it, or run again later. Removing the file is no way "
                            "out: it is only a handle, and stale ones do no harm.",
                        ) from None
                    time.sleep(0.02)
            yield
        finally:
            os.close(descriptor)


class SyncLedger:
    """The ledger of one environment as a document in Twilio Sync, on the account that it speaks about.

    A document is written only if it still has the revision that was read; if not, it is read and merged again.
    """

    def __init__(self, api: SyncApi, service: str, environment: str) -> None:
        self.api = api
        self.service = service.strip() or "default"
        self.environment = environment
        self.name = f"unified-profiles-{file_name_for(environment)}"
        self.where = f"The ledger (document '{self.name}' of the Twilio Sync service '{self.service}')"
        self.seen: Steps = {}
        self.revision: str | None = None

    def read(self) -> Steps:
        with self._explained():
            found = self.api.document(self.service, self.name)
            if found is None:
                # Said before anything is handed over, not when it is to be recorded.
                self.api.check_service(self.service)
        self._take(found)
        return self.seen

    def write(self, step: str, records: Mapping[str, Record]) -> None:
        seen = self.seen.get(step, {})
        unknown = 0
        for _attempt in range(ATTEMPTS):
            merged = merge(seen, records, self.seen.get(step, {}))
            if merged == self.seen.get(step, {}):
                return
            steps = {**self.seen, step: merged}
            data = json.dumps(document(self.environment, steps), sort_keys=True)
            if len(data.encode()) > MAX_DATA:
                raise LedgerError(
                    f"{self.where} would have {len(data.encode())} bytes; Sync takes {MAX_DATA}.",
                    "Shorten the friendly name, or keep the ledger in a file.",
                )
            try:
                with self._explained(missing=self.revision is None):
                    saved = self.api.save(self.service, self.name, data, self.revision)
            except UnknownOutcome:
                unknown += 1
                if unknown == 3:
                    raise
            except ApiError as error:
                # 409: somebody else has just made it. 412: somebody else has just written. 404: removed meanwhile.
                if error.status not in (404, 409, 412):
                    raise
            else:
                self.seen, self.revision = steps, saved.revision
                return
            self.read()
        raise LedgerError(f"{self.where} was changed by somebody else {ATTEMPTS} times in a row.", "Run again.")

    def _take(self, found: Document | None) -> None:
        self.revision = found.revision if found else None
        self.seen = parse(found.data, self.environment, self.where) if found else {}

    @contextlib.contextmanager
    def _explained(self, missing: bool = True) -> Iterator[None]:
        """Say what to do about an error; ``missing``: a 404 means that the service is not there."""
        try:
            yield
        except ApiError as error:
            if error.status in (401, 403):
                problem, way_out = (
                    "is not open to these credentials",
                    "Use an API key of this account that may read and write Sync, or keep the ledger in a file.",
                )
            elif error.status == 404 and missing:
                problem, way_out = (
                    "has no place: this account has no such service",
                    "Make one in the Twilio Console under Sync > Services, or name another one with sync_service (its SID or "
                    "unique name).",
                )
            else:
                raise
            raise LedgerError(f"{self.where} {problem}: {error.message}", way_out, **error.facts) from None
