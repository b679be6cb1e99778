# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The ledger in a Twilio Sync document."""

from __future__ import annotations

import contextlib
import json
import typing as t
from collections.abc import Iterator, Mapping

from .._base.errors import ApiError, LedgerError, UnknownOutcome
from .._base.file_names import file_name_for
from .._clients.twilio_sync import MAX_DATA, Document, SyncApi
from .ledger import HELD_SECONDS, Ledger, LedgerDocument, parse
from .ledger_merge import compact, merge

ATTEMPTS = 20


class SyncLedger(Ledger):
    """The ledger of one environment as a document in Twilio Sync, on the account that it speaks about.

    A document is written only if it still has the revision that was read; if not, it is read and merged again.
    """

    def __init__(self, api: SyncApi, service: str, environment: str) -> None:
        super().__init__(environment)
        self.api = api
        self.service = service.strip() or "default"
        self.name = f"unified-profiles-{file_name_for(environment)}"
        self.where = f"The ledger (document '{self.name}' of the Twilio Sync service '{self.service}')"
        self.revision: str | None = None
        # No ledger has a name like this.
        self._lock = f"run-of-{self.name}"
        self._lock_seen: Document | None = None

    def read(self) -> LedgerDocument:
        with self._explained():
            found = self.api.document(self.service, self.name)
            if found is None:
                # Said before anything is handed over, not when it is to be recorded.
                self.api.check_service(self.service)
        self.revision = found.revision if found else None
        self.seen = parse(found.data, self.environment, self.where) if found else LedgerDocument(self.environment)
        return self.seen

    def save(self, wanted: LedgerDocument) -> LedgerDocument:
        seen = self.seen
        unknown = 0
        for _attempt in range(ATTEMPTS):
            merged = merge(seen, wanted, self.seen)
            if merged == self.seen:
                return merged
            data = compact(merged)
            if len(data) > MAX_DATA:
                raise LedgerError(
                    f"{self.where} would have {len(data)} bytes; Sync takes {MAX_DATA}.",
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
                self.seen, self.revision = merged, saved.revision
                return merged
            self.read()
        raise LedgerError(f"{self.where} was changed by somebody else {ATTEMPTS} times in a row.", "Run again.")

    def ensure_writable(self) -> None:
        """See the base class. What shows without a write showed when it was read: the service, and the right to use it."""

    @property
    def lock_name(self) -> str:
        return f"the document '{self._lock}' of the Twilio Sync service '{self.service}'"

    def read_lock(self) -> t.Any:
        with self._explained():
            self._lock_seen = self.api.document(self.service, self._lock)
        return self._lock_seen.data if self._lock_seen else None

    def write_lock(self, holder: Mapping[str, t.Any] | None) -> bool:
        revision = self._lock_seen.revision if self._lock_seen else None
        try:
            with self._explained(missing=revision is None):
                if holder is None:
                    self.api.delete(self.service, self._lock)
                else:
                    self.api.save(self.service, self._lock, json.dumps(holder), revision, ttl=HELD_SECONDS)
        except ApiError as error:
            # As in save().
            if error.status not in (404, 409, 412):
                raise
            return False
        return True

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
