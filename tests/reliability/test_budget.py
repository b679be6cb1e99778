# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""However a server makes a task wait, it ends within its budget, and says what it waited for and how to raise it."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import deadline
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.auth import Bearer
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.clock import Clock
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import (
    Connections,
    HttpSettings,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.service import Service
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from sandbox.server import SandboxHandle
from support.chain import Chain, QuickClock, Run
from support.scenarios import SCENARIOS, assert_connected, connected, settle

BUDGET = 30.0
# Of a look only: a 429 on a token that sent little shows a limit by address. Its pause is charged to no environment.
PAUSES = 12.0
# Where the storm begins, as how many reads of the sources go before. One in a task is met again by the look after it.
WHERE = {"look": 0, "act": 1}


def limited(sandbox: SandboxHandle, tmp_path: Path, where: str = "look", **rule: object) -> tuple[Run, float, float]:
    """A first connect that meets the rule, and how many seconds all of its threads slept, and the one that slept longest."""
    chain = Chain(sandbox, tmp_path, retry_budget=BUDGET)
    sandbox.fault(**{"match": "GET /segment/us/sources", "count": None, "skip": WHERE[where], **rule})
    QuickClock.slept.clear()
    run, slept = chain.connect(), list(QuickClock.slept.values())
    return run, sum(slept), max(slept, default=0.0)


def assert_told(run: Run, where: str = "look") -> None:
    assert run.failure
    if where == "look":
        # Nothing was done, and the report has it.
        assert not run.results
        assert (run.statuses[-1]["status"], run.statuses[-1]["why"]) == ("failed", run.failure["msg"])
    else:
        assert run.failure["failure"]["kind"] == "budget"
        assert run.failure["failure"]["waits_for"]
    assert f"retry_budget of {BUDGET:g} s" in run.failure["msg"]
    assert re.search("Raise (unified_profiles_)?retry_budget", run.failure["msg"])
    assert "GET /sources" in run.failure["msg"]


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("hint", ["seconds", "date", "msBeforeNext", "reset", "none"])
def test_a_storm_that_never_ends(sandbox: SandboxHandle, tmp_path: Path, where: str, hint: str) -> None:
    run, _all, slept = limited(sandbox, tmp_path, where, kind="rate_limited", seconds=4, hint=hint)
    assert_told(run, where)
    assert "HTTP 429" in run.failure["msg"]
    assert 0 < slept <= BUDGET + PAUSES
    # It waited as the server said, instead of hammering.
    assert sandbox.faults.rules[0].hits <= (1 + WHERE[where]) * (BUDGET + PAUSES) / 3


def test_a_slow_endpoint_is_not_blamed_for_the_storm_beside_it(sandbox: SandboxHandle, tmp_path: Path) -> None:
    sandbox.fault(match="GET /handover", count=None, kind="slow", seconds=0.5)
    run, *_slept = limited(sandbox, tmp_path, kind="rate_limited", seconds=1, hint="seconds")
    assert_told(run)


def test_an_endpoints_storm_costs_the_others_nothing(sandbox: SandboxHandle, tmp_path: Path) -> None:
    """Before the run an endpoints storm costs the others nothing."""
    storm = {"kind": "rate_limited", "seconds": 4, "hint": "seconds", "count": 6}
    sandbox.fault(match="GET /handover", **storm)
    run, slept, _longest = limited(sandbox, tmp_path, match="GET /segment/us/spaces", **storm)
    assert not run.failure
    assert slept > 2 * 6 * 4 - 1 > BUDGET


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("hint", ["seconds", "date", "msBeforeNext", "reset"])
def test_a_storm_that_ends_in_time(sandbox: SandboxHandle, tmp_path: Path, where: str, hint: str) -> None:
    run, _all, slept = limited(sandbox, tmp_path, where, kind="rate_limited", seconds=4, hint=hint, count=3)
    assert not run.failure
    assert 3 * 3 <= slept <= BUDGET


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("hint", ["seconds", "date", "msBeforeNext", "reset"])
def test_a_server_that_says_an_hour(sandbox: SandboxHandle, tmp_path: Path, where: str, hint: str) -> None:
    run, _all, slept = limited(sandbox, tmp_path, where, kind="rate_limited", seconds=3600, hint=hint)
    assert_told(run, where)
    assert slept == 0  # waiting would have been in vain
    assert "due in 3600 s" in run.failure["msg"] or "due in 3599 s" in run.failure["msg"]
    assert sandbox.faults.rules[0].hits == 1 + WHERE[where]


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize(
    "rule", [{"status": 500}, {"status": 503, "headers": {"Retry-After": "0"}}, {"kind": "drop_before"}]
)
def test_a_server_that_never_stops_failing(
    sandbox: SandboxHandle, tmp_path: Path, where: str, rule: dict[str, object]
) -> None:
    run, _all, slept = limited(sandbox, tmp_path, where, **rule)
    assert_told(run, where)
    assert slept <= BUDGET
    assert sandbox.faults.rules[0].hits < 60


def test_a_body_that_trickles(sandbox: SandboxHandle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the client's clock, each byte of it takes a second."""
    read, clock = deadline._Stream.read, QuickClock()

    def trickle(self: deadline._Stream, max_bytes: int, timeout: float | None = None) -> bytes:
        if self.get_extra_info("client_addr") in rule.held:
            clock.sleep(1)
        return read(self, 1, timeout)

    monkeypatch.setattr(deadline._Stream, "read", trickle)
    chain = Chain(sandbox, tmp_path, retry_budget=BUDGET)
    rule = sandbox.fault(match="GET /segment/us/sources", count=None, kind="slow", seconds=0)
    run = chain.connect()
    assert_told(run)
    assert "no complete answer" in run.failure["msg"]
    assert rule.hits == BUDGET / chain.options["timeout"]


def test_pages_that_never_end(sandbox: SandboxHandle, tmp_path: Path) -> None:
    body = {"data": {"sources": [], "pagination": {"current": "MA==", "next": "MQ=="}}}
    run, *_slept = limited(sandbox, tmp_path, status=200, body=body)
    assert run.failure
    assert "pages that never end" in run.failure["msg"]
    assert sandbox.faults.rules[0].hits == 2


def test_a_storm_changes_nothing_for_the_next_run(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain = SCENARIOS["first connect"].begin(sandbox, tmp_path)
    sandbox.fault(match="POST /handover", count=None, kind="rate_limited", seconds=3600, hint="seconds")
    run = chain.connect()
    assert run.failure
    assert chain.recorded().get("connection", {}) == {}
    sandbox.clear_faults()
    assert_connected(chain, settle(chain, "connect"))
    connected(chain)


class SandboxClock(Clock):
    """The sandbox's time: who sleeps moves it."""

    def __init__(self, sandbox: SandboxHandle) -> None:
        self.sandbox, self.elapsed = sandbox, 0.0

    def monotonic(self) -> float:
        return self.elapsed

    def now(self) -> datetime.datetime:
        return self.sandbox.world.now()

    def sleep(self, seconds: float) -> None:
        self.elapsed += seconds
        self.sandbox.advance(seconds)


def test_a_limit_by_address_costs_no_environment_its_budget(sandbox: SandboxHandle) -> None:
    """Whose request it is that comes too many is chance."""
    sandbox.switch(address_limit=10)
    connections = Connections(SandboxClock(sandbox))
    services = [
        Service(
            Transport(HttpSettings(retry_budget=1.0), connections=connections, read_only=True, until=1000.0),
            "Segment",
            f"{sandbox.url}/segment/{env.region}",
            auth=Bearer(Secret(env.segment_token)),
            credentials="segment_token",
            url_option="segment_api_url",
        )
        for env in sandbox.world.environments.values()
    ]
    for _round in range(8):
        for service in services:
            assert service.get("/spaces").status == 200
    refused = sum(entry["status"] == 429 for entry in sandbox.journal())
    assert refused == len(services) * 8 // 10 == 2
    assert [service.transport.budget.left for service in services] == [1.0] * len(services)
    assert 60 < connections.clock.monotonic() < 2 * 62
    connections.close()
