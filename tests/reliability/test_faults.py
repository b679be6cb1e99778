# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One fault in one request of a run, for every request and every fault; then a run without faults mends everything."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from chain import Chain
from conftest import FULL
from sandbox.server import Running
from scenarios import SCENARIOS, Scenario, Snapshot, assert_connected, sample, settle

# A share of the cases in every run of the tests, all of them with RELIABILITY=full.
SHARE = 1.0 if FULL else 0.1
TIMEOUT, LATE = 0.2, 0.4  # seconds; the answer comes after the time-out
FAULTS = {
    "dropped before": {"kind": "drop_before"},
    "dropped after": {"kind": "drop_after"},
    "500": {"kind": "status", "status": 500},
    "502": {"kind": "status", "status": 502},
    "503": {"kind": "status", "status": 503, "headers": {"Retry-After": "2"}},
    "429": {"kind": "rate_limited", "seconds": 1.5},
    "late": {"kind": "latency", "seconds": LATE},
    "HTML": {"kind": "html"},
    "HTML 502": {"kind": "html", "status": 502},
    "malformed": {"kind": "malformed"},
}


def requests_of(chain: Chain, scenario: Scenario) -> list[tuple[str, int]]:
    """Every request of an undisturbed run, as method and path, and how many like it went before."""
    settle(chain, scenario.playbook)
    seen: Counter[str] = Counter()
    found = []
    for entry in chain.sandbox.journal():
        line = f"{entry['method']} {re.sub('user_id:.*/', 'user_id:.*/', entry['path'])}"
        found.append((line, seen[line]))
        seen[line] += 1
    return found


@pytest.mark.parametrize("name", SCENARIOS)
def test_one_fault_anywhere(sandbox: Running, tmp_path: Path, name: str, count) -> None:
    scenario = SCENARIOS[name]
    chain = scenario.begin(sandbox, tmp_path)
    start = Snapshot(chain)
    requests = requests_of(chain, scenario)
    cases = [(request, fault) for request in dict.fromkeys(requests) for fault in FAULTS]
    wrong = []
    for (line, nth), fault in sample(cases, SHARE, name):
        start.restore()
        match = "^" + line.replace("user_id:.*", "user_id:[^/]*") + "$"
        sandbox.fault(match=match, skip=nth, **FAULTS[fault])
        try:
            check(chain, scenario, start, TIMEOUT if fault == "late" else 10.0)
        except AssertionError as error:
            wrong.append(f"{fault} at {line} #{nth}: {error}")
        count("faults")
        count("faults: " + scenario.playbook)
    assert not wrong, f"{len(wrong)} of them:\n" + "\n".join(wrong)


def check(chain: Chain, scenario: Scenario, start: Snapshot, timeout: float) -> None:
    chain.options["timeout"] = timeout
    disturbed = settle(chain, scenario.playbook)
    chain.options["timeout"] = 10.0
    told(disturbed.failure)
    assert not [rule for rule in chain.sandbox.world.faults if rule["count"]], "the fault was never met"
    chain.sandbox.world.faults.clear()
    mended = settle(chain, scenario.playbook)
    if scenario.refused:
        assert mended.failure
        assert chain.sandbox.journal(writes=True) == []
        return
    assert_connected(chain, mended)
    start.assert_nothing_lost()
    chain.sandbox.clear_journal()
    again = settle(chain, scenario.playbook)
    assert not again.failure
    assert again.changed == []
    assert chain.sandbox.journal(writes=True) == []


def told(failure: dict | None) -> None:
    """A run that fails says what failed, and what to do next; a defect is never the reason."""
    if failure:
        assert failure["failure"]["kind"] != "defect", failure
        assert failure["msg"]
