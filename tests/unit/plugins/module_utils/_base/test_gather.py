# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads that run together."""

from __future__ import annotations

import itertools
import threading

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base import gather as _gather
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Failure
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.gather import (
    GRACE,
    PROGRESS,
    all_at_once,
    gather,
)


def refuse():
    raise Failure("no")


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_results_and_failures_come_in_the_order_of_the_reads(workers):
    results = gather({"a": lambda: 1, "b": refuse, "c": lambda: 3}, workers)
    assert list(results) == ["a", "b", "c"]
    assert (results["a"], str(results["b"]), results["c"]) == (1, "no", 3)


def test_as_many_run_together_as_there_are_workers():
    barrier = threading.Barrier(3, timeout=60)
    assert set(gather({str(n): barrier.wait for n in range(3)}, 3).values()) == {0, 1, 2}


def test_one_worker_is_the_calling_thread():
    assert set(gather({str(n): threading.get_ident for n in range(3)}, 1).values()) == {threading.get_ident()}


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_a_defect_is_raised(workers):
    with pytest.raises(ZeroDivisionError):
        gather({str(n): lambda: 1 / 0 for n in range(3)}, workers)


def test_no_reads():
    assert gather({}) == {}


# A test that would hang fails after so many seconds; none waits for them.
LONG = 60
LIMIT = 100.0


class Clock:
    """Stands still until a look says how long it took."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(_gather, "TICK", 0.001)
    return Clock()


@pytest.fixture
def never():
    """What a look that hangs waits for. It ends with the test."""
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize("threads", [1, 3, 50])
def test_every_look_is_called_once(threads):
    called = []
    looks = [(str(n), lambda n=n: called.append(n) or n) for n in range(20)]
    assert all_at_once(looks, threads, LIMIT) == {str(n): n for n in range(20)}
    assert sorted(called) == [*range(20)]


def test_no_looks():
    assert all_at_once([], 4, LIMIT) == {}


def test_as_many_looks_run_together_as_there_are_threads():
    barrier, running, most = threading.Barrier(3, timeout=LONG), set(), []

    def look():
        running.add(threading.get_ident())
        most.append(len(running))
        barrier.wait()
        return threading.current_thread().daemon

    # What hangs must not keep the process alive.
    assert {*all_at_once([(str(n), look) for n in range(6)], 3, LIMIT).values()} == {True}
    assert max(most) == 3


def test_looks_are_taken_while_others_are_called():
    called = threading.Event()

    def looks():
        yield "first", called.set
        assert called.wait(LONG)
        yield "second", lambda: None

    assert [*all_at_once(looks(), 1, LIMIT)] == ["first", "second"]


def test_a_look_that_hangs_is_left_alone_and_its_thread_replaced(clock, never):
    def hang():
        clock.now += LIMIT + GRACE + 1
        never.wait(LONG)
        return "too late"

    looks = [("before", lambda: 1), ("hangs", hang), *[(str(n), lambda: 2) for n in range(5)]]
    assert all_at_once(looks, 1, LIMIT, clock=clock) == {"before": 1, **{str(n): 2 for n in range(5)}}


def test_where_all_hang_none_is_reached_and_the_survey_ends(clock, never):
    def hang():
        clock.now += LIMIT + GRACE + 1
        never.wait(LONG)

    assert all_at_once([(str(n), hang) for n in range(7)], 2, LIMIT, clock=clock) == {}


def test_thirty_of_a_thousand_that_hang_cost_two_deadlines(clock, never, monkeypatch):
    """In the worst order: those that hang come first, and are more than there are threads."""
    next_result, threads, step, healthy = _gather._Workers.next_result, 20, 1, set()

    def time_passes_where_all_hang(workers, wait):
        found = next_result(workers, wait)
        healthy.update(found)
        if not found and (len(healthy) == 970 or sum(int(name) < 30 for name in [*workers.running]) == threads):
            clock.now += step
        return found

    monkeypatch.setattr(_gather._Workers, "next_result", time_passes_where_all_hang)
    looks = [(str(n), (lambda: never.wait(LONG)) if n < 30 else lambda: None) for n in range(1000)]
    assert {*all_at_once(looks, threads, LIMIT, clock=clock)} == {str(n) for n in range(30, 1000)}
    # The healthy ones take no time.
    assert 2 * LIMIT < clock.now <= 2 * (LIMIT + GRACE + step)


def test_all_together_have_an_end(clock, never):
    """Those under way are left alone, and the others are not called."""
    called = []

    def hang():
        clock.now += 50
        never.wait(LONG)

    def look():
        called.append(1)
        clock.now += 50

    looks = [("first", look), ("hangs", hang), *[(str(n), look) for n in range(20)]]
    assert [*all_at_once(looks, 1, LIMIT, clock=clock, total=80.0)] == ["first"]
    assert len(called) == 1


def test_time_that_nobody_is_charged_for_makes_none_late(clock):
    def look():
        clock.now += 10 * LIMIT
        return "in time"

    looks = [(str(n), look) for n in range(9)]
    assert {*all_at_once(looks, 1, LIMIT, clock=clock, charged=lambda: 0.0)} == {str(n) for n in range(9)}


def test_a_look_within_its_time_is_waited_for(clock):
    def slow():
        clock.now += LIMIT + GRACE
        return "in time"

    assert all_at_once([("slow", slow)], 1, LIMIT, clock=clock) == {"slow": "in time"}


def test_progress_is_told_about_every_ten_seconds(clock):
    told = []

    def look():
        clock.now += 4

    def progress(done, seconds):
        told.append((done, seconds))

    all_at_once([(str(n), look) for n in range(30)], 1, LIMIT, progress, clock)
    assert told
    seconds = [0.0, *[after for _done, after in told]]
    assert all(later - earlier >= PROGRESS for earlier, later in itertools.pairwise(seconds))
    assert [done for done, _after in told] == sorted(done for done, _after in told)
    assert told[-1][0] <= 30


def test_progress_counts_what_was_left_alone(clock, never):
    told = []

    def hang():
        clock.now += LIMIT + GRACE + 1
        never.wait(LONG)

    all_at_once([("hangs", hang)], 1, LIMIT, lambda done, seconds: told.append(done), clock)
    assert told == [1]


def test_a_survey_of_less_than_ten_seconds_shows_nothing(clock):
    told = []
    looks = [(str(n), lambda: None) for n in range(30)]
    all_at_once(looks, 4, LIMIT, lambda *line: told.append(line), clock)
    assert told == []
