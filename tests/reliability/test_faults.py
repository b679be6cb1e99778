# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One fault in one request of a run, for every request and every fault; then a run without faults mends everything."""

from __future__ import annotations

import copy
import itertools
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sandbox.server import SandboxHandle
from support.chain import Chain, Run, surveyed
from support.scenarios import SCENARIOS, Scenario, Snapshot, assert_connected, check_settled, sample, settle
from support.waiting import HELD, eventually, giving_up_on

SHARE = 0.01  # of the cases in every run of the tests; `make test-all` has all of them
STALE: dict[str, Any] = {"kind": "stale", "changes": 1}
FAULTS: dict[str, dict[str, Any]] = {
    "dropped before": {"kind": "drop_before"},
    "dropped after": {"kind": "drop_after"},
    "500": {"status": 500},
    "500 after": {"status": 500, "commit": True},
    "502": {"status": 502},
    "503 with Retry-After": {"status": 503, "headers": {"Retry-After": "2"}},
    "429 with seconds": {"kind": "rate_limited", "seconds": 2, "hint": "seconds"},
    "429 with a date": {"kind": "rate_limited", "seconds": 2, "hint": "date"},
    "429 with milliseconds": {"kind": "rate_limited", "seconds": 1.5, "hint": "msBeforeNext"},
    "429 with a reset date": {"kind": "rate_limited", "seconds": 2, "hint": "reset"},
    "429 without a hint": {"kind": "rate_limited", "hint": "none"},
    "timeout, processed late": HELD,
    "timeout, answered late": {**HELD, "commit": True},
    "truncated": {"kind": "truncated"},
    "malformed": {"kind": "malformed"},
    "malformed after": {"kind": "malformed", "commit": True},
    "HTML": {"kind": "html"},
    "HTML 502 after": {"kind": "html", "status": 502, "commit": True},
    "stale": STALE,
    "dropped after, then stale": {"kind": "drop_after"},
}


def fits(line: str, fault: str) -> bool:
    """Return whether the fault says anything about such a request that another one does not say."""
    segment, read = " /segment" in line, line.startswith("GET")
    if "milliseconds" in fault or "reset" in fault:
        return segment
    if fault == "stale":
        return segment and read
    return not (read and ("after," in fault or ("late" in fault and "answered" in fault)))


def line_of(entry: dict[str, Any]) -> str:
    """Method and path. The user that the Profile API is asked for is another one in every run."""
    return f"{entry['method']} {re.sub('user_id:[^/]*', 'user_id:*', entry['path'])}"


def requests_of(chain: Chain, scenario: Scenario) -> list[tuple[str, int]]:
    """Every request of an undisturbed run, as method and path, and how many like it went before."""
    settle(chain, scenario.playbook)
    seen: Counter[str] = Counter()
    found = []
    for entry in chain.sandbox.journal():
        line = line_of(entry)
        found.append((line, seen[line]))
        seen[line] += 1
    return found


@pytest.mark.parametrize("name", SCENARIOS)
def test_one_fault_anywhere(sandbox: SandboxHandle, tmp_path: Path, name: str, full: bool, count) -> None:
    scenario = SCENARIOS[name]
    chain = scenario.begin(sandbox, tmp_path)
    start = Snapshot(chain)
    requests = requests_of(chain, scenario)
    cases = [(request, fault) for request in requests for fault in FAULTS if fits(request[0], fault)]
    wrong = []
    for (line, nth), fault in sample(cases, 1.0 if full else SHARE, name):
        start.restore()
        rule = sandbox.fault(match=f"^{line}$", skip=nth, **FAULTS[fault])
        if "stale" in fault:
            late = rule if fault == "stale" else sandbox.fault(match="GET /segment", **STALE)
            if fault == "stale" and chain.past:
                late.past[chain.name] = [(sandbox.world.now(), copy.deepcopy(chain.past))]
        seen: dict[str, list[str]] = {"before": [], "after": []}
        sandbox.on_request(lambda at, entry, seen=seen: seen[at].append(entry["method"] + entry["path"]))
        sent = seen["before"]
        try:
            with giving_up_on(rule):
                disturbed = settle(chain, scenario.playbook)
            assert rule.hits or fault == "stale", "the fault was never met"
            if "429" not in fault:
                # The ledger in Sync records one step after the other in the same document. Only a lost answer of such a record counts.
                blindly = [
                    one
                    for one, next_ in itertools.pairwise(sent)
                    if one == next_ and one.startswith("POST") and ("/Documents/" not in one or "/Documents/" in line)
                ]
                assert not blindly, "sent again, and nobody looked in between"
            if "processed late" in fault:
                eventually(lambda seen=seen: len(seen["after"]) == len(seen["before"]), "what was held back")
            check(chain, scenario, start, disturbed)
        except AssertionError as error:
            wrong.append(f"{fault} at {line} #{nth}: {error}")
        count("one fault in one request, then a run without")
    assert not wrong, f"{len(wrong)} of them:\n" + "\n".join(wrong)


def check(chain: Chain, scenario: Scenario, start: Snapshot, disturbed: Run) -> None:
    if disturbed.failure:
        assert disturbed.failure["msg"]
        assert disturbed.statuses[-1]["fails"] or disturbed.results, "nothing is reported"
    chain.sandbox.clear_faults()
    mended = settle(chain, scenario.playbook)
    if scenario.refused:
        assert mended.failure
        assert chain.sandbox.journal(writes=True) == []
        return
    assert_connected(chain, mended)
    start.assert_nothing_lost()
    assert not [entry for entry in chain.sandbox.journal() if entry["method"] == "DELETE"]
    check_settled(chain, scenario.playbook)


@pytest.mark.parametrize("name", ["first connect", "connect again", "recover, deleted", "recover, nothing wrong"])
def test_one_fault_in_a_survey(sandbox: SandboxHandle, tmp_path: Path, name: str, full: bool, count) -> None:
    """It is its environment's failure, or something that could not be read; the others are seen as without it."""
    scenario = SCENARIOS[name]
    chain = scenario.begin(sandbox, tmp_path)
    chains = [chain, *(Chain(sandbox, tmp_path, other) for other in ("prod", "eu"))]

    def look() -> dict[str, Any]:
        found = surveyed(scenario.playbook, {one.name: one.variables for one in chains})[1]
        return {
            of: (it["status"], it["due"], {s: v["verdict"] for s, v in it["steps"].items()}) for of, it in found.items()
        }

    undisturbed = look()
    start = Snapshot(chain)
    lines = sorted({line_of(entry) for entry in sandbox.journal() if entry["environment"] == chain.name})
    faults = [fault for fault in FAULTS if "stale" not in fault]
    wrong = []
    for line, fault in sample(
        [(line, fault) for line in lines for fault in faults if fits(line, fault)], 1.0 if full else 0.15, name
    ):
        start.restore()
        rule = sandbox.fault(match=f"^{line}$", environment=chain.name, **FAULTS[fault])
        with giving_up_on(rule):
            seen = look()
        try:
            assert rule.hits, "the fault was never met"
            assert sandbox.journal(writes=True) == []
            assert start.same()
            status = seen.pop(chain.name)
            assert status[0] in ("failed", "unknown") or status == undisturbed[chain.name], status
            assert seen == {other.name: undisturbed[other.name] for other in chains[1:]}, "others are touched"
        except AssertionError as error:
            wrong.append(f"{fault} at {line}: {error}")
        count("one fault in one request of a survey")
    assert not wrong, f"{len(wrong)} of them:\n" + "\n".join(wrong)
