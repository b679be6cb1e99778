# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The problems found with a source, who caused them and what was done, until every step is proven again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .._clients.source import DISABLED_BY_SEGMENT
from .ledger import Finding, LedgerDocument
from .ledger_merge import MAX_TEXT
from .verdict import Verdict

# The others are reported by every look, until they are mended, and stop the run or speak of the token.
KEPT = ("deleted", "renamed", "disabled", DISABLED_BY_SEGMENT, "key_removed")


def with_found(
    document: LedgerDocument, given: Iterable[Mapping[str, str]], source_id: str | None, at: str
) -> list[Finding]:
    """The ledger's findings and those of them that it does not have yet.

    Args:
        document: The ledger.
        given: Of :func:`diagnose`, with ``mended`` where something was done. Of two that say the same the last one counts.
        source_id: The source that there is now.
        at: When they were found.
    """
    known = {(found["what"], found["detail"]) for found in document.findings}
    new: dict[tuple[str, str], Finding] = {}
    for one in given:
        what, detail, mended = one["problem"], one["detail"][:MAX_TEXT], one.get("mended", "")
        if what not in KEPT or ((what, detail) in known and not mended):
            continue
        if what == "deleted" and source_id:
            mended = f"made again as {source_id}"
        found: Finding = {"at": at, "what": what, "detail": detail}
        found |= {"by": one.get("by", ""), "since": one.get("since", ""), "mended": mended}
        new[what, detail] = found
    return [*document.findings, *new.values()]


def still_open(document: LedgerDocument, steps: Mapping[str, Verdict]) -> list[Finding]:
    """The ledger's findings since which not every step was proven."""
    proven = min(said["proven_at"] for said in steps.values())
    return [found for found in document.findings if proven < found["at"]]


def shown(document: LedgerDocument, found: Finding) -> dict[str, str]:
    """A finding as looks have it."""
    mended = found.get("mended", "")
    mended = f"{mended} at {found['at']}" if mended else ""
    key = document.steps["key"].get("done")
    if found["what"] == "key_removed" and key and key["at"] >= found["at"]:
        mended = f"replaced by {key['subject'].get('key_fingerprint')} at {key['at']}"
    return {
        "problem": found["what"],
        "detail": found["detail"],
        "by": found.get("by", ""),
        "since": found.get("since", ""),
        "mended": mended,
    }
