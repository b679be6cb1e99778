# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may send when: limits by token and by address, requests at once, and the time of an environment."""

from __future__ import annotations

import threading
import time

import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import BudgetExceeded, NotReached
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.auth import Bearer
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import (
    Connections,
    HttpSettings,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.service import Service
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.traffic import AT_ONCE, LOWEST_LIMIT
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from support.conversation import BASE, FakeClock

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

OTHER_HOST = "https://other.test"


class Survey:
    """Environments that share connections. Whoever is in ``limited`` gets that many 429; what was sent is in ``sent``, with its time."""

    def __init__(self):
        self.clock = FakeClock()
        self.connections = Connections(self.clock)
        self.limited: dict[str, int] = {}
        self.wait = 30
        self.sent: list[tuple[str, float]] = []

    def environment(self, name, until=500.0, base_url=BASE, budget=60.0):
        transport = Transport(
            HttpSettings(retry_budget=budget),
            http_transport=httpx.MockTransport(self.answer),
            connections=self.connections,
            until=until,
        )
        auth = Bearer(Secret(name)) if name else None
        return Service(transport, "Segment", base_url, auth=auth, credentials="token", url_option="url")

    def answer(self, request):
        name = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.sent.append((name, self.clock.elapsed))
        if self.limited.get(name, 0) > 0:
            self.limited[name] -= 1
            return httpx.Response(429, headers={"retry-after": str(self.wait)}, json={})
        return httpx.Response(200, json={})


@pytest.fixture
def survey():
    return Survey()


def test_a_limit_by_address_slows_the_host_for_all_and_is_charged_to_none(survey):
    first, second = survey.environment("first"), survey.environment("second")
    request = httpx.Request("GET", BASE, headers={"authorization": "Bearer another"})
    assert survey.connections.traffic.limited(request, 30.0)
    survey.environment("third", base_url=OTHER_HOST).get("/")
    assert survey.sent == [("third", 0.0)], "another host is not slowed"
    for service in (first, second, second):
        service.get("/")
    assert survey.sent[1:] == [("first", 30.0), ("second", 30.0), ("second", 30.0)]
    assert first.transport.budget.left == second.transport.budget.left == 60.0


def test_pauses_take_nothing_of_the_time_of_a_look(survey):
    """Also two of them, each longer than what is left."""
    service = survey.environment("first", until=100.0)
    survey.wait = 61
    for _time in range(2):
        survey.limited["first"] = 1
        assert service.get("/").status == 200
    assert survey.clock.elapsed == 122.0
    assert survey.connections.traffic.time() == 0.0
    survey.clock.elapsed += 100
    with pytest.raises(NotReached):
        service.get("/")


def test_pauses_of_several_hosts_at_once_stand_still_once(survey):
    traffic = survey.connections.traffic
    for host, at, wait in (("a", 0, 30), ("b", 10, 30), ("c", 20, 5), ("d", 100, 10)):
        survey.clock.elapsed = float(at)
        assert traffic.limited(httpx.Request("GET", f"https://{host}.example.com"), float(wait))
    assert traffic.time() == 60.0
    survey.clock.elapsed = 200.0
    assert traffic.time() == 150.0


def test_who_met_it_sends_again_after_the_pause(survey):
    service = survey.environment("first", budget=0.0)
    survey.limited["first"] = 1
    assert service.get("/").status == 200
    assert survey.sent == [("first", 0.0), ("first", 30.0)]


@pytest.mark.parametrize(
    ("before", "later", "charged"), [(LOWEST_LIMIT - 2, 0, 0), (LOWEST_LIMIT - 1, 0, 30), (LOWEST_LIMIT - 1, 60, 0)]
)
def test_a_limit_is_of_the_token_that_sent_as_much_as_one_may(survey, before, later, charged):
    service = survey.environment("first")
    for _request in range(before):
        service.get("/")
    survey.clock.elapsed += later
    survey.limited["first"] = 1
    service.get("/")
    assert 60.0 - service.transport.budget.left == charged
    assert survey.clock.slept == [30.0]


def test_a_busy_tokens_limit_slows_nobody_else(survey):
    first, second = survey.environment("first", until=20.0), survey.environment("second")
    for _request in range(LOWEST_LIMIT):
        first.get("/")
    survey.limited["first"] = 1
    with pytest.raises(NotReached):
        first.get("/")
    second.get("/")
    assert survey.sent[-1] == ("second", 0.0)


def test_a_limit_that_stays_after_the_pause_is_the_tokens_own(survey):
    """Somebody else uses the token: the others wait once, and no more."""
    first, second = survey.environment("first"), survey.environment("second")
    survey.limited["first"] = 100
    with pytest.raises(BudgetExceeded):
        first.get("/")
    assert [at for _name, at in survey.sent] == [0.0, 30.0, 60.0, 90.0]
    second.get("/")
    assert survey.sent[-1] == ("second", 90.0)


def test_a_token_that_was_served_again_meets_a_new_limit_by_address(survey):
    service = survey.environment("first")
    for _time in range(3):
        survey.limited["first"] = 1
        service.get("/")
    assert service.transport.budget.left == 60.0


def test_those_that_were_under_way_met_the_same_limit(survey):
    request = httpx.Request("GET", BASE, headers={"authorization": "Bearer first"})
    traffic = survey.connections.traffic
    assert [traffic.limited(request, 30.0) for _time in range(2)] == [True, True]
    survey.clock.elapsed = 30.0
    assert traffic.limited(request, 30.0) is False


def test_a_wait_that_no_limit_for_a_minute_takes_slows_nobody_else(survey):
    survey.limited["first"], survey.wait = 1, 3600
    with pytest.raises(BudgetExceeded, match="due in 3600 s"):
        survey.environment("first", until=10_000.0).get("/")
    survey.environment("second").get("/")
    assert survey.sent[-1] == ("second", 0.0)


def test_without_an_end_the_budget_pays_for_every_wait(survey):
    service = survey.environment("first", until=None)
    survey.limited["first"] = 100
    with pytest.raises(BudgetExceeded):
        service.get("/")
    assert len(survey.sent) == 3


class Crowd:
    """Threads that all ask at once. Answers are held back until the test has seen enough."""

    def __init__(self, survey, monkeypatch):
        self.survey, self.go = survey, threading.Event()
        self.waiting, self.changed = 0, threading.Condition()
        self.threads: list[threading.Thread] = []
        monkeypatch.setattr(survey, "answer", self.answer)

    def answer(self, request):
        if request.url.path == "/held":
            with self.changed:
                self.waiting += 1
                self.changed.notify_all()
            assert self.go.wait(20)
        return httpx.Response(200, json={})

    def ask(self, times, name):
        service = self.survey.environment(name)
        for _time in range(times):
            self.threads.append(threading.Thread(target=service.get, args=("/held",), daemon=True))
            self.threads[-1].start()

    def reach(self, number, timeout=20.0):
        with self.changed:
            return self.changed.wait_for(lambda: self.waiting >= number, timeout)

    def end(self):
        self.go.set()
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()


@pytest.fixture
def crowd(survey, monkeypatch):
    found = Crowd(survey, monkeypatch)
    yield found
    found.end()


def test_a_few_requests_at_once_on_one_token(survey, crowd):
    crowd.ask(3 * AT_ONCE, "first")
    assert crowd.reach(AT_ONCE)
    assert not crowd.reach(AT_ONCE + 1, timeout=0.2)
    # Neither another token nor another host waits for them.
    survey.environment("second").get("/")
    survey.environment("first", base_url=OTHER_HOST).get("/")
    crowd.end()
    assert crowd.waiting == 3 * AT_ONCE, "each had its turn in the end"


def test_without_a_token_none_waits_for_another(crowd):
    crowd.ask(3 * AT_ONCE, None)
    assert crowd.reach(3 * AT_ONCE)


def test_to_wait_for_ones_turn_costs_no_budget_and_ends_in_time(survey, crowd):
    crowd.ask(AT_ONCE, "first")
    assert crowd.reach(AT_ONCE)
    late = survey.environment("first", until=0.05)
    began = time.monotonic()
    with pytest.raises(NotReached, match="used up at Segment"):
        late.get("/")
    assert time.monotonic() - began < 10
    assert late.transport.budget.left == 60.0
    assert crowd.waiting == AT_ONCE, "it was not sent"
