# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what can show that a hand-over took effect, and has it judged."""

from __future__ import annotations

import datetime
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ..errors import Failure
from ..runner import Call
from .ledger import STEPS, open_ledger
from .steps import recorded_facts
from .verdict import FLEX_EVENTS, Evidence, moment, verdicts

# Segment says to lag a minute behind; per-minute counts of more than a day would be long answers.
LAG = datetime.timedelta(minutes=1)
LONGEST = datetime.timedelta(days=1)


def judge(call: Call) -> dict[str, t.Any]:
    """See the module profiles_info."""
    steps = open_ledger(call).read()
    evidence = _read(call, steps) if call["evidence"] else Evidence()
    return {
        "steps": verdicts(steps, call["source_id"], call["key_fingerprints"], evidence),
        "recorded": recorded_facts(steps),
        "unread": list(evidence.problems),
    }


def _read(call: Call, steps: dict[str, dict[str, t.Any]]) -> Evidence:
    done = [moment(steps.get(step, {}).get("done", {}).get("at")) for step in STEPS]
    times = [at for at in done if at is not None]
    if not times:
        return Evidence()
    now = call.transport.clock.now() + datetime.timedelta(seconds=call["clock_skew"])
    end = now - LAG
    start = max(min(times), now - LONGEST)
    public, monitor = call.public_api(), call.monitor()
    reads: dict[str, t.Callable[[], t.Any]] = {"alerts": lambda: monitor.connector_alerts(min(times))}
    if call["source_id"] and start < end:
        reads["volume"] = lambda: public.events_volume(start, end, FLEX_EVENTS)
        reads["space_events"] = lambda: public.space_events(call["space_id"], "Flex - Engagement")
    problems: list[str] = []

    def attempt(read: t.Callable[[], t.Any]) -> t.Any:
        try:
            return read()
        except Failure as failure:
            problems.append(failure.message)
            return None

    with ThreadPoolExecutor(len(reads)) as pool:
        found = dict(zip(reads, pool.map(attempt, reads.values())))
    return Evidence(**found, problems=tuple(problems))
