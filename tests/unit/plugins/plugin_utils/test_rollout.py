# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is a size of a batch, and what is a percentage."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._rollout import batches_problem, limit_problem

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
