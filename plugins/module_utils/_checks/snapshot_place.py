# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Where the snapshot of a source is kept: in a file beside the ledger, or in a Twilio Sync document, one for each source."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from .._base.errors import ApiError, SnapshotError
from .._base.file_names import file_name_for
from .._base.files import UnusableFile, read_text, replace_file, way_out
from .._clients.twilio_sync import MAX_DATA, SyncApi
from .._handover.ledger_place import state_folder
from .._module.context import ModuleContext
from .._source.snapshot import Snapshot, parse, shortened

# A file has more than a ledger: a warehouse may leave out thousands of properties.
MAX_FILE = 4 * 1024 * 1024
# The folder of the files, in that of the ledger.
SNAPSHOTS = "snapshots"


class ToStore(t.TypedDict):
    """A snapshot that was taken, and the folder of its file; empty where it belongs in a document."""

    folder: str
    snapshot: Snapshot


class SnapshotFile:
    """A file beside the ledger.

    Args:
        folder: That of the ledger.
        environment: Whose source it is.
        source_id: Which.
    """

    def __init__(self, folder: Path, environment: str, source_id: str) -> None:
        self.folder, self.environment, self.source_id = str(folder), environment, source_id
        self.path = folder / SNAPSHOTS / f"{file_name_for(source_id)}.json"

    def read(self) -> Snapshot | None:
        """The snapshot, None where there is none.

        Raises:
            SnapshotError: It cannot be read; see :func:`parse` as well.
        """
        try:
            found = json.loads(read_text(self.path, MAX_FILE))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._failed("read", error) from None
        except UnusableFile as error:
            raise SnapshotError(
                f"The snapshot {self.path} cannot be used: it {error}.", "Restore it from a backup."
            ) from None
        except (ValueError, RecursionError):
            found = None
        return parse(found, self.environment, self.source_id, f"The snapshot {self.path}")

    def write(self, snapshot: Snapshot) -> None:
        """Write it as a whole, or not at all.

        Raises:
            SnapshotError: It cannot be written.
        """
        try:
            replace_file(self.path, json.dumps(snapshot, indent=2, sort_keys=True) + "\n")
        except OSError as error:
            raise self._failed("written", error) from None

    def _failed(self, done: str, error: OSError) -> SnapshotError:
        return SnapshotError(f"The snapshot {self.path} cannot be {done}: {error.strerror}.", f"{way_out(error)}.")


class SnapshotDocument:
    """A document, on the account that the environment speaks about.

    Args:
        api: The account's Sync.
        service: SID or unique name of the Sync service.
        environment: Whose source it is.
        source_id: Which.
    """

    folder = ""

    def __init__(self, api: SyncApi, service: str, environment: str, source_id: str) -> None:
        self.api, self.service = api, service.strip() or "default"
        self.environment, self.source_id = environment, source_id
        self.name = f"snapshot-of-unified-profiles-{file_name_for(source_id)}"

    def read(self) -> Snapshot | None:
        """The snapshot, None where there is none.

        Raises:
            SnapshotError: The credentials may not read it; see :func:`parse` as well.
            Failure: Sync fails. Another time it can be read, so nobody may go on as if there were none.
        """
        where = f"The snapshot (document '{self.name}' of the Twilio Sync service '{self.service}')"
        try:
            found = self.api.document(self.service, self.name)
        except ApiError as error:
            if error.status not in (401, 403):
                raise
            raise SnapshotError(
                f"{where} is not open to these credentials: {error.message}",
                "Use an API key of this account that may read and write Sync.",
            ) from None
        return parse(found.data, self.environment, self.source_id, where) if found else None

    def write(self, snapshot: Snapshot) -> None:
        """Write what of it a document has room for.

        Raises:
            Failure: It cannot be written.
        """
        data = shortened(snapshot, MAX_DATA)
        found = self.api.document(self.service, self.name)
        try:
            self.api.save(self.service, self.name, data, found.revision if found else None)
        except ApiError as error:
            # Somebody else has just written theirs, which is as good.
            if error.status not in (409, 412):
                raise


def snapshot_place(call: ModuleContext, source_id: str) -> SnapshotFile | SnapshotDocument | None:
    """Return where the snapshot of a source is kept, by the option ``remember``; None where none is.

    Raises:
        OptionError: There is no folder that lasts.
    """
    if call["remember"] == "none":
        return None
    if call["remember"] == "sync":
        return SnapshotDocument(call.sync(), call["sync_service"], call["environment"], source_id)
    return SnapshotFile(state_folder(call), call["environment"], source_id)
