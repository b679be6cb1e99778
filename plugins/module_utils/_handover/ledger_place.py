# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Where the ledger of a run is kept."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Mapping
from pathlib import Path

from .._base.errors import OptionError
from .._base.files import kept_by_awx, lasting_folder
from .._module.context import ModuleContext
from .ledger import Ledger
from .ledger_file import FileLedger
from .ledger_sync import SyncLedger

# Of every module that reads or writes the ledger; documented in doc_fragments/_ledger.py.
LEDGER_OPTIONS: dict[str, t.Any] = {
    "environment": {"type": "str", "required": True},
    "ledger": {"type": "str", "choices": ["file", "sync"], "default": "file"},
    "state_dir": {"type": "path"},
    "sync_service": {"type": "str", "default": "default"},
}
IN_SYNC = "Or keep the ledger in Twilio Sync with ledger: sync."


def open_ledger(call: ModuleContext) -> Ledger:
    """The ledger that the options of a module's run name.

    Raises:
        OptionError: It cannot be kept there.
    """
    if call["ledger"] == "sync":
        return SyncLedger(call.sync(), call["sync_service"], call["environment"])
    return FileLedger(state_folder(call), call["environment"])


def state_folder(call: ModuleContext) -> Path:
    """The folder of what is kept in files.

    Raises:
        OptionError: See :func:`persistent_dir`.
    """
    return persistent_dir(call["state_dir"], os.environ)


def persistent_dir(folder: str | None, environ: Mapping[str, str]) -> Path:
    """The folder of a file ledger, if it can be one.

    Args:
        folder: The option ``state_dir``.
        environ: The process's environment variables; AWX tells there which folders it throws away.

    Raises:
        OptionError: There is none, it would not outlive the job, or it would be another one in another working folder.
    """
    path = lasting_folder("state_dir", folder, IN_SYNC)
    # Relative to what? A module does not know the inventory, of which a run may have several. The working folder
    # changes from run to run: two ledgers would send a hand-over twice.
    if not path.is_absolute():
        raise OptionError(
            "state_dir",
            f"is {path}, which is another folder in each working folder, and so would be its record.",
            f"Write the folder from / on, such as {{{{ inventory_dir }}}}/{path}.",
        )
    return kept_by_awx("state_dir", path, environ, IN_SYNC)
