# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""When the looks at each environment began: an event that is older than that has been looked into.

The file has no secret, and whoever loses it loses nothing: at worst an environment is looked at once more. The event filter and the event
source of ansible-rulebook read it, see docs/events.md::

    {"format": 1, "environments": {name: {playbook: {"first": time, "last": time}}}}

Only looks of runs that wrote their report are in it. Times are Segment's, in UTC. A run acts on what its first look
found. Its last look shows what it caused itself.
"""

from __future__ import annotations

import contextlib
import json
import typing as t
from collections.abc import Mapping
from pathlib import Path

from .._base.files import Busy, UnusableFile, locked, read_text, replace_file

# Bytes. Ten thousand environments.
MAX_FILE = 8 * 1024 * 1024


class Looks(t.TypedDict):
    """When the first and the last look of a run began."""

    first: str
    last: str


class LookedFile:
    """The file in a folder that lasts.

    Args:
        folder: That of the ledger.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "looked.json"

    def record(self, playbook: str, looks: Mapping[str, Looks]) -> None:
        """Record when the looks of a run began, by environment.

        No run fails for the file, and none reports that it could not be written. The folder's other files say so, and the event source does.
        """
        with contextlib.suppress(OSError, Busy), locked(self.path.with_suffix(".lock")):
            known = self._read()
            for name, at in looks.items():
                known[name] = {**known.get(name, {}), playbook: at}
            replace_file(self.path, json.dumps({"format": 1, "environments": known}, indent=1, sort_keys=True) + "\n")

    def _read(self) -> dict[str, dict[str, Looks]]:
        """What is known; nothing of a file that is missing or damaged."""
        try:
            found = json.loads(read_text(self.path, MAX_FILE))["environments"]
            return {
                str(name): {str(playbook): _looks(times) for playbook, times in of.items()}
                for name, of in found.items()
            }
        except (FileNotFoundError, UnusableFile, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {}


def _looks(times: Mapping[str, t.Any]) -> Looks:
    return {"first": str(times["first"]), "last": str(times["last"])}
