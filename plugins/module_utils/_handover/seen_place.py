# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Where it is kept what looks saw: one file for all environments of a folder, or a Twilio Sync document for each."""

from __future__ import annotations

import contextlib
import json
import typing as t
from collections.abc import Iterator, Mapping
from pathlib import Path

from .._base.errors import ApiError, Failure, UnknownOutcome
from .._base.file_names import file_name_for
from .._base.files import Busy, UnusableFile, locked, read_text, replace_file, way_out
from .._clients.twilio_sync import SyncApi
from .._module.context import ModuleContext
from .seen import Observation, Observations, Unreadable, differs, document, is_news, observe, parse

# Ten thousand environments.
MAX_FILE = 32 * 1024 * 1024
ATTEMPTS = 5
REMEMBER: dict[str, t.Any] = {
    "remember": {"type": "str", "choices": ["file", "sync", "none"], "default": "file"},
}


def open_seen(call: ModuleContext) -> SeenSync:
    """The document of the environment that the options of a run name."""
    return SeenSync(call.sync(), call["sync_service"], call["environment"])


class SeenFile:
    """The file in a folder that lasts.

    Args:
        folder: That of the ledger.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "seen.json"

    def read(self) -> Observations:
        """The observations, by environment; empty where there is no file.

        Raises:
            Failure: It cannot be read, is damaged, or was written by a newer release.
        """
        with self._explained("read"):
            try:
                text = read_text(self.path, MAX_FILE)
            except FileNotFoundError:
                return {}
            except UnusableFile as error:
                raise Unreadable(f"{self.path} {error}, and nothing is reported of since when.", "Remove it.") from None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        return parse(found, str(self.path))

    def remember(self, found: Mapping[str, t.Any], now: str) -> None:
        """Add what a look found, by environment, to the content at that moment.

        Raises:
            Failure: As :meth:`read`, or it cannot be written.
        """
        with self._explained("written"), locked(self.path.with_suffix(".lock")):
            before = self.read()
            after = {name: observe(before.get(name), of, now) for name, of in found.items()}
            news = {name: seen for name, seen in after.items() if differs(before.get(name), seen)}
            if news:
                replace_file(self.path, json.dumps(document({**before, **news}), indent=1, sort_keys=True) + "\n")

    @contextlib.contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        try:
            yield
        except (OSError, Busy) as error:
            reason = error.strerror if isinstance(error, OSError) else "another process has locked it"
            what = way_out(error) if isinstance(error, OSError) else "Run again later"
            raise Failure(
                f"{self.path} cannot be {done}: {reason}. Nothing is remembered of this run.",
                f"{what}; or set unified_profiles_remember to sync or none.",
            ) from None


class SeenSync:
    """The document of one environment, on the account that it speaks about.

    Args:
        api: The account's Sync.
        service: SID or unique name of the Sync service.
        environment: Whose it is.
    """

    def __init__(self, api: SyncApi, service: str, environment: str) -> None:
        self.api, self.service, self.environment = api, service.strip() or "default", environment
        self.name = f"seen-of-unified-profiles-{file_name_for(environment)}"
        self._revision: str | None = None

    def read(self) -> Observation | None:
        """The observation of the environment; None where there is none.

        Raises:
            Failure: It cannot be read, is damaged, or was written by a newer release.
        """
        found = self.api.document(self.service, self.name)
        self._revision = found.revision if found else None
        where = f"The document '{self.name}' of the Twilio Sync service '{self.service}'"
        return parse(found.data, where).get(self.environment) if found else None

    def remember(self, found: Mapping[str, t.Any], now: str) -> None:
        """Add what a look found, if it is news, to the content at that moment.

        Raises:
            Failure: As :meth:`read`, or it cannot be written.
        """
        for attempt in range(ATTEMPTS):
            before = self.read()
            after = observe(before, found, now)
            if not is_news(before, after):
                return
            data = json.dumps(document({self.environment: after}), separators=(",", ":"))
            try:
                self.api.save(self.service, self.name, data, self._revision)
            except (ApiError, UnknownOutcome) as error:
                # Somebody else has just made it, written or removed it. Once more, with its content now.
                taken = isinstance(error, UnknownOutcome) or error.status in (404, 409, 412)
                if attempt == ATTEMPTS - 1 or not taken:
                    raise
            else:
                return
