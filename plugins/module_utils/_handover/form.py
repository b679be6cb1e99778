# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Whether the connection form has to be filled in again before anything else can be recovered."""

from __future__ import annotations

from .._base.errors import Failure
from .._module.context import ModuleContext
from .evidence import evaluate
from .handover import HandOver
from .handovers import connection
from .ledger_place import open_ledger


def read_back(call: ModuleContext) -> bool | None:
    """Return whether the endpoint of the connection shows the expected values; None where that cannot be read."""
    if not call["endpoint"]:
        return None
    handover = connection(call.derived(confirm=None, confirm_digests=[], attest_existing=None))
    try:
        handover.fetch()
    except Failure as failure:
        # A recovery that has nothing to do with the form needs no answer of its endpoint.
        call.warnings.append(f"What the endpoint of the connection shows is not known. {failure.full_message}")
    return handover.facts.read_back


def broken_connection(call: ModuleContext) -> HandOver | None:
    """The hand-over of a connection that is broken, or that waits for the form already; None for any other.

    Only where there is no source may it be used: the form creates one of its own.
    """
    said = evaluate(
        call.derived(
            source_id=None,
            key_fingerprints=[],
            read_back={"connection": read_back(call)},
            sent_test_event=None,
            read_evidence=True,
            read_connector=False,
        )
    )
    if said["steps"]["connection"]["verdict"] not in ("broken", "pending"):
        return None
    done = open_ledger(call).read().steps.get("connection", {}).get("done")
    again = [*call["handover_again"], *([done["digest"]] if done else [])]
    return connection(call.derived(handover_again=again, attest_existing=None))
