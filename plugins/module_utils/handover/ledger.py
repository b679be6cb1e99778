# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of hand-overs: one JSON file per environment, without a secret in it.

Format 1: ``{"format": 1, "environment": str, "steps": {step: {"done"?: Record, "asked"?: Record}}}`` where a Record has
``subject`` (what was handed over, fingerprints only), ``digest`` of it, ``channel``, ``how``, ``by`` and ``at`` (UTC).
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import tempfile
import typing as t
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import LedgerError, OptionError
from ..runner import Call

FORMAT = 1
STEPS = ("connection", "link", "key")
Record = dict[str, t.Any]
Steps = dict[str, dict[str, Record]]
# Of every module that reads or writes the ledger; documented in doc_fragments/ledger.py.
LEDGER_OPTIONS: dict[str, t.Any] = {
    "environment": {"type": "str", "required": True},
    "ledger": {"type": "str", "choices": ["file", "sync"], "default": "file"},
    "state_dir": {"type": "path"},
    "sync_service": {"type": "str", "default": "default"},
}


class Ledger(t.Protocol):
    """The record of one environment's hand-overs."""

    def read(self) -> Steps:
        """All steps, each with its records ``done`` and ``asked`` where there are any."""

    def write(self, step: str, records: Mapping[str, Record]) -> None:
        """Replace the records of one step, and leave the others as any other writer has left them."""


def open_ledger(call: Call) -> Ledger:
    """The ledger that the options of a module's run name.

    Raises:
        OptionError: It cannot be kept there.
    """
    if call["ledger"] == "sync":
        raise OptionError("ledger", "'sync' is not there yet.", "Use 'file'.")
    return FileLedger(call["state_dir"], call["environment"])


def digest(environment: str, step: str, subject: Mapping[str, t.Any]) -> str:
    """What a confirmation has to name: changes with everything that is to be handed over."""
    text = json.dumps([environment, step, subject], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class FileLedger:
    """The ledger of one environment in a folder that lasts.

    Raises:
        OptionError: There is no folder to keep it in.
    """

    def __init__(self, folder: str | None, environment: str) -> None:
        if not folder or not folder.strip() or folder.startswith("/.unified_profiles"):
            raise OptionError(
                "state_dir",
                "is not known, because this inventory has no folder of its own that lasts.",
                "Set it to a folder that outlives the job (in AWX the project folder does not).",
            )
        name = re.sub(r"[^A-Za-z0-9._-]", "_", environment).lstrip(".") or "_"
        if name != environment:
            name += "-" + hashlib.sha256(environment.encode()).hexdigest()[:6]
        self.environment = environment
        self.path = Path(folder).expanduser() / "ledger" / f"{name}.json"

    def read(self) -> Steps:
        """The steps, each with its records.

        Raises:
            LedgerError: The file cannot be read, is damaged, or was written by a newer release.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise LedgerError(f"The ledger {self.path} cannot be read: {error}.", "Mend its permissions.") from None
        try:
            document = json.loads(text)
            version = document["format"]
            steps = {step: dict(document["steps"].get(step, {})) for step in STEPS}
        except (ValueError, LookupError, TypeError, AttributeError):
            raise LedgerError(
                f"The ledger {self.path} is damaged.",
                "Restore it from version control, or remove it to be asked again.",
            ) from None
        if version != FORMAT:
            raise LedgerError(
                f"The ledger {self.path} has format {version}; this release reads format {FORMAT}.",
                "Update the collection.",
            )
        return steps

    def write(self, step: str, records: Mapping[str, Record]) -> None:
        """Replace the records of one step, and leave the others as any other writer has left them."""
        try:
            with self._locked():
                steps = self.read()
                steps[step] = dict(records)
                document = {
                    "format": FORMAT,
                    "environment": self.environment,
                    "steps": {k: v for k, v in steps.items() if v},
                }
                self._replace(json.dumps(document, indent=2, sort_keys=True) + "\n")
        except OSError as error:
            raise LedgerError(f"The ledger {self.path} cannot be written: {error}.", "Mend its permissions.") from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # A file of its own: a rename gives the ledger a new inode, and a lock on the old one would lock nobody out.
        with open(self.path.with_suffix(".lock"), "w", encoding="utf-8") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _replace(self, text: str) -> None:
        descriptor, temporary = tempfile.mkstemp(dir=self.path.parent, prefix=".ledger-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
                handle.write(text)
                handle.flush()
                os.fsync(handle.fileno())
            os.replace(temporary, self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
