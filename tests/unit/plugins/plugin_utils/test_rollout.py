# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is a size of a batch, what is a percentage, and when a rollout stops."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.filter.rollout_stop import FilterModule
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._rollout import (
    NOT_TRIED,
    batches_problem,
    limit_problem,
    stop,
)

NO_SIZES = [
    "",
    None,
    "1,5",
    -1,
    0,
    "0",
    "0%",
    "101%",
    "33.3%",
    True,
    1.5,
    [],
    [1, ""],
    [[1]],
    {},
    "all",
    "-5%",
    "-1",
    "abc%",
    "1 ",
    "\u0661",
]


@pytest.mark.parametrize("serial", [1, "1", "10%", [1, "10%", "100%"], 1000, (1, "5")])
def test_sizes_of_batches(serial):
    assert batches_problem(serial) == ""


@pytest.mark.parametrize("serial", NO_SIZES)
def test_what_is_no_size_of_a_batch_is_refused(serial):
    assert batches_problem(serial).startswith("unified_profiles_serial: is no size of a batch. Write a number")


@pytest.mark.parametrize("value", [20, "20", "50%", "12.5", 12.5, 0, 100, "100%"])
def test_percentages(value):
    assert limit_problem(value) == ""


@pytest.mark.parametrize("value", ["", None, "half", -1, 101, "101%", True, "1,5", [], "5%%", "nan", "1e1"])
def test_what_is_no_percentage_is_refused(value):
    assert limit_problem(value).startswith("unified_profiles_max_fail_percentage: is no percentage. Write a number")


ORDER = ["a", "b", "c", "d", "e", "f"]


@pytest.mark.parametrize(
    ("batch", "failed", "percentage", "stops"),
    [
        ("ab", "", 0, False),
        # None was tried before the first batch, whatever was found wrong elsewhere.
        ("ab", "cdef", 0, False),
        ("cd", "a", 0, True),
        ("cd", "a", 49, True),
        ("cd", "a", 50, False),
        ("cd", "a", "50%", False),
        ("cd", "a", "49.9%", True),
        ("cd", "ab", 100, False),
        # Those of this batch and of later ones do not count.
        ("cd", "cdef", 0, False),
        ("ef", "a", 25, False),
        ("ef", "a", 24, True),
    ],
)
def test_a_rollout_stops_once_too_many_failed_before(batch, failed, percentage, stops):
    assert bool(stop(ORDER, [*batch], dict.fromkeys(failed, "No."), percentage)) is stops


def test_why_it_stops_names_those_that_failed():
    told = stop(ORDER, ["e", "f"], {"b": "No.", "d": "No."}, "20%")
    assert told == (
        f"{NOT_TRIED}, because 2 of the 4 environments in the batches before failed (b, d): more than "
        "unified_profiles_max_fail_percentage, which is 20%. Mend those, then run again."
    )


def test_what_was_not_tried_counts_neither_as_tried_nor_as_failed():
    before = {"a": "No.", "c": f"{NOT_TRIED}, because of a.", "d": f"{NOT_TRIED}, because of a."}
    # One of two failed, so a batch that was stopped stops the next for the same reason.
    assert "1 of the 2 environments" in stop(ORDER, ["e", "f"], before, 49)
    assert stop(ORDER, ["e", "f"], before, 50) == ""


def test_the_filter_takes_the_failures_from_the_hosts_variables():
    tell = FilterModule().filters()["rollout_stop"]
    hostvars = {name: {} for name in ORDER} | {"a": {"unified_profiles_failure": "No."}}
    assert "(a)" in tell(hostvars, ORDER, ["c", "d"], 20)
    assert tell(hostvars, ORDER, ["a", "b"], 20) == tell(hostvars, ORDER, ["c", "d"], 50) == ""
