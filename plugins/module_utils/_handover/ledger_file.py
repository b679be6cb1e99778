# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The ledger in a file, on whatever file system people have: shared, full, read-only, without locks."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import typing as t
from collections.abc import Iterator, Mapping
from pathlib import Path

from .._base.errors import LedgerError
from .._base.file_names import file_name_for
from .._base.files import (
    LOCK_SECONDS,
    Busy,
    NoLocks,
    UnusableFile,
    is_there,
    lock_now,
    locked,
    opened_lock,
    probed,
    read_text,
    replace_file,
    way_out,
)
from .ledger import Ledger, LedgerDocument, parse
from .ledger_merge import merge

# A file may have more than Twilio Sync takes, and is never of another order of size.
MAX_FILE = 1024 * 1024
ELSEWHERE = "set state_dir to another folder, or keep the ledger in Twilio Sync with ledger: sync."
GITIGNORE = """\
# Made by flexops.unified_profiles where there was none; yours to change. The ledger is worth a commit, these are not.
/ledger/*.lock
/ledger/*.new
/ledger/*.run
/ledger/*.ran
/ledger/.*
/seen.*
/looked.*
/report*
/junit*
/metrics.prom
"""


class FileLedger(Ledger):
    """The ledger of one environment as a file in a folder that lasts: stable order, one fact a line, for a review.

    Args:
        folder: The folder that has the folder ``ledger``.
        environment: Whose it is.
    """

    def __init__(self, folder: Path, environment: str) -> None:
        super().__init__(environment)
        self.folder = folder
        self.path = folder / "ledger" / f"{file_name_for(environment)}.json"
        self._lock_seen: t.Any = None

    @property
    def target(self) -> Path:
        """The file itself, where the ledger is a link: whoever links to the same file has to take the same lock."""
        return Path(os.path.realpath(self.path))

    def read(self) -> LedgerDocument:
        where = f"The ledger {self.path}"
        with self._explained("read"):
            try:
                text = read_text(self.path, MAX_FILE)
            except FileNotFoundError:
                if self.path.is_symlink():
                    raise LedgerError(
                        f"{where} is a link to {self.target}, which is not there.",
                        "Mount or restore what it links to, or remove the link to be asked again.",
                    ) from None
                self.seen = LedgerDocument(self.environment)
                return self.seen
            except UnusableFile as error:
                raise LedgerError(
                    f"{where} cannot be used: it {error}.",
                    "Restore it (from version control, say), save it as UTF-8, or remove it to be asked again.",
                ) from None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        self.seen = parse(found, self.environment, where)
        return self.seen

    def save(self, wanted: LedgerDocument) -> LedgerDocument:
        seen = self.seen
        with self._explained("written"), self._locked():
            now = self.read()
            merged = merge(seen, wanted, now)
            if merged != now:
                text = json.dumps(merged.as_json(), indent=2, sort_keys=True) + "\n"
                # The lock is ours, so a file of this name is only what a killed writer has left behind.
                replace_file(self.target, text, self.target.with_suffix(".new"))
                self.seen = merged
                self._keep_out_of_git()
        return self.seen

    def ensure_writable(self) -> None:
        """See the base class. Takes a lock and writes a file, both beside the ledger; where its folder is yet to be made, where that
        would be."""
        lock = self.target.with_suffix(".lock")
        with self._explained("written"), probed(self.target.parent, f"{self.path.stem}-") as probe:
            with opened_lock(lock if is_there(lock) else probe) as descriptor:
                # That another process has it shows as well that there are locks.
                lock_now(descriptor)

    @property
    def _lock_file(self) -> Path:
        # Not the file that writers lock for a moment: there, somebody else's could only be read, not replaced.
        return self.target.with_suffix(".run")

    @property
    def lock_name(self) -> str:
        return f"the file {self._lock_file}"

    def read_lock(self) -> t.Any:
        with self._explained("read"):
            self._lock_seen = self._read_lock()
        return self._lock_seen

    def write_lock(self, holder: Mapping[str, t.Any] | None) -> bool:
        with self._explained("written"), self._locked():
            if self._read_lock() != self._lock_seen:
                return False
            if holder is None:
                # Kept, because the run looks again before it ends: until then its events are its own (docs/events.md).
                with contextlib.suppress(FileNotFoundError):
                    self._lock_file.replace(self._lock_file.with_suffix(".ran"))
            else:
                replace_file(self._lock_file, json.dumps(holder, indent=2) + "\n", self._lock_file.with_suffix(".new"))
        return True

    def _read_lock(self) -> t.Any:
        try:
            return json.loads(read_text(self._lock_file, MAX_FILE))
        except (FileNotFoundError, UnusableFile, ValueError, RecursionError):
            return None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other writers out."""
        lock = self.target.with_suffix(".lock")
        try:
            with locked(lock):
                yield
        except Busy:
            raise LedgerError(
                f"The ledger {self.path} has been locked by another process for {LOCK_SECONDS:g} s.",
                f"See who holds {lock} (fuser, lsof) and end it, or run again later. Removing the file is no way "
                "out: it is only a handle, and stale ones do no harm.",
            ) from None

    @contextlib.contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        """Say of an error of the operating system where it was and what to do about it."""
        try:
            yield
        except NoLocks as error:
            if error.errno == errno.EBADF:
                problem = "this file system locks a file only for those who may write to it"
                advice = f"Give the user of this run the right to write to {self.target.with_suffix('.lock')}"
            else:
                problem = f"the file system of {self.target.parent} has no locks"
                advice = "Mount it with locks (NFS: nfsvers=4, or lockd; FUSE: flock)"
            raise LedgerError(
                f"The ledger {self.path} cannot be {done}: {problem} ({error.strerror}).", f"{advice}; or {ELSEWHERE}"
            ) from None
        except OSError as error:
            place = f" ({error.filename})" if error.filename not in (None, str(self.path)) else ""
            raise LedgerError(
                f"The ledger {self.path} cannot be {done}: {error.strerror}{place}.",
                f"{way_out(error)}; or {ELSEWHERE}",
            ) from None

    def _keep_out_of_git(self) -> None:
        # A convenience: no run fails for it.
        with contextlib.suppress(OSError), (self.folder / ".gitignore").open("x", encoding="utf-8") as handle:
            handle.write(GITIGNORE)
