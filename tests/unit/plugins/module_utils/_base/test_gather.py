# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads that run together."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Failure
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.gather import gather


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
