# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""One look at one environment: what is checked, what exists, what is due, and what the evidence says.

The look goes through the chain of a playbook as its tasks do, with the same resources, in check mode. So it foretells exactly what they
would do. It is over a transport that refuses writes and remembers reads, so that what two of them read is requested once.
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from .._base.errors import Failure, NotFound, Refused
from .._handover.form import broken_connection, read_back
from .._handover.handovers import find_source
from .._handover.ledger_place import open_ledger
from .._handover.rotate import rotate
from .._handover.steps import STEPS
from .._module.context import ModuleContext
from .chain import Chain, Look

# By playbook, the hand-overs whose endpoints must be there.
HANDED_OVER = {"connect": tuple(STEPS), "recover": ("link", "key"), "drift": (), "export": (), "rotate": ("key",)}
NOT_RECORDED = "nothing is recorded of it: run connect"
FORM_MAKES_IT = "the form creates it, so its id and key cannot be predicted"


def look(call: ModuleContext, playbook: str) -> Look:
    """Look at an environment.

    Args:
        call: Its options (:data:`OPTIONS` and the connection options), read-only.
        playbook: A name in :data:`CHAINS`: whose chain of tasks the look goes through.

    Returns:
        What was found. What the collection cannot do for this environment is in its ``failure``.
    """
    chain = Chain(call, HANDED_OVER[playbook])
    found = chain.found
    try:
        CHAINS[playbook](chain)
        chain.judge()
        # Whatever is done is recorded: what cannot be is found before anything is sent. Drift does nothing.
        if chain.due and playbook != "drift":
            open_ledger(chain.call).ensure_writable()
    except Failure as failure:
        chain.fail(failure)
    try:
        if chain.asked:
            chain.compare()
        for late in call.transport.not_reached[:1]:
            raise late
        # Last, because nothing waits for them, and no failure of them counts.
        # The alarm leads to a run that acts, whose card has the name.
        if playbook != "drift":
            chain.name_account()
        chain.take_snapshot()
    except Failure as failure:
        chain.fail(failure)
    tally = call.transport.tally
    found["requests"], found["rate_limited"] = tally.requests, tally.rate_limited
    found["warnings"] = list(dict.fromkeys(call.warnings))
    return found


def _connect(chain: Chain) -> None:
    """Connection, source, link, key. Nothing creates a source but Twilio's form."""
    chain.check()
    try:
        decision = chain.hand_over("connection")
    except Refused as refused:
        # The form may have been filled in a moment ago. Only the task waits for its source.
        if refused.facts.get("problem") != "not_there":
            raise
        chain.due["connection"] = "it was confirmed, and the source that the form creates is not there yet"
        return
    if decision.status != "done":
        return
    if "connection" in chain.due:
        if find_source(chain.call) is None:
            chain.due["source"] = FORM_MAKES_IT
    else:
        try:
            chain.have_source(create=False)
        except NotFound as failure:
            raise chain.never_seen(failure) from None
        _link_and_key(chain, done_by_form=True, form_done_by=None)


def _recover(chain: Chain) -> None:
    """Diagnosis, source, restore, link, key."""
    chain.check()
    source = chain.diagnose()
    connection = chain.of_step("connection")
    if source is None and (broken := broken_connection(connection)):
        # The form creates a source of its own, so nobody else may.
        if chain.plan("connection", broken).status == "done":
            chain.due["source"] = FORM_MAKES_IT
            chain.intend()
        return
    chain.read_back["connection"] = read_back(connection)
    slug = chain.intend() if source is None else open_ledger(chain.call).read().slug_to_find
    chain.have_source(create=True, source_id=(source or {}).get("id"), slug=slug)
    chain.restore()
    _link_and_key(chain, done_by_form=False, form_done_by=None, attest_existing=None)


def _rotate(chain: Chain) -> None:
    """The write key alone. What else is not well is left to the other playbooks, and so is what somebody says of it."""
    chain.check()
    chain.call = chain.call.derived(acknowledge=[])
    source = chain.found["source"] = chain.diagnose(recover_without_trace=True)
    done = rotate(chain.of_step("key", source_id=(source or {}).get("id")))
    # The result has it already; in the verdicts it is no matter.
    chain.call = chain.call.derived(sent_test_event=None)
    if done.did:  # which is only foretold, so the rotation is as the ledger has it
        chain.due["rotation"] = "; ".join(step.why for step in done.did)
    else:
        chain.found["rotation"] = done.status
    if done.handover:
        chain.found["handovers"]["key"] = done.handover
    chain.looked_at = chain.drift.handovers({})
    # What an endpoint shows before a step is not what it shows after it.
    chain.read_back |= {
        step: it.facts.read_back for step, it in chain.looked_at.items() if step != "key" or not done.did
    }


def _link_and_key(chain: Chain, **options: t.Any) -> None:
    source = chain.found["source"] or {}
    chain.hand_over("link", source_id=source["id"], **options)
    chain.hand_over("key", source_id=source["id"], key_fingerprints=source["key_fingerprints"], **options)


def _drift(chain: Chain) -> None:
    """Nothing is due, and nothing that is found stops the look."""
    chain.begin()
    chain.found["credentials"] = chain.call.credentials
    checked = chain.drift.reach()
    chain.found["workspace"], chain.found["clock_skew"] = checked["workspace"], checked["clock_skew"]
    chain.call = chain.drift.call = chain.drift.call.derived(clock_skew=checked["clock_skew"])
    sources, recorded = chain.drift.sources, chain.drift.recorded
    if sources is None and recorded["source_id"]:
        # What cannot be seen is taken for what the ledger says.
        chain.found["source"] = {"id": recorded["source_id"], "key_fingerprints": []}
    elif sources:
        chain.source, chain.found["source"] = sources[0], sources[0].view()
    chain.looked_at = chain.drift.handovers({})
    for step, handover in chain.looked_at.items():
        chain.read_back[step] = handover.facts.read_back
        if handover.decision.status == "pending" and handover.decision.at:
            chain.found["handovers"][step] = handover.result()
    chain.due.update({step: NOT_RECORDED for step, records in chain.drift.document.steps.items() if not records})


CHAINS: dict[str, Callable[[Chain], None]] = {
    "connect": _connect,
    "recover": _recover,
    "drift": _drift,
    "rotate": _rotate,
}
