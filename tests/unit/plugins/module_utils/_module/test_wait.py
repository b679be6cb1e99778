# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody else does is waited for, with a line about every ten seconds."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.gather import PROGRESS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import (
    Connections,
    HttpSettings,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.wait import wait_for
from support.conversation import FakeClock

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def call(clock):
    found = ModuleContext({}, True, Transport(HttpSettings(), connections=Connections(clock)))
    found.told = []
    found.tell = lambda line: found.told.append((clock.elapsed, line))
    return found


def test_a_long_wait_is_told_about_every_ten_seconds(call, clock):
    assert wait_for(call, "the source", lambda: None, 60) is None
    assert clock.elapsed == 60
    assert [line for _at, line in call.told] == [
        f"Waiting for the source since {seconds} s, for at most 60 s." for seconds in (10, 20, 30, 40, 50)
    ]
    times = [0.0, *(at for at, _line in call.told)]
    assert all(later - earlier >= PROGRESS for earlier, later in itertools.pairwise(times))


def test_what_comes_within_ten_seconds_is_waited_for_without_a_line(call, clock):
    assert wait_for(call, "the source", lambda: "there" if clock.elapsed >= 8 else None, 60) == "there"
    assert (clock.elapsed, call.told) == (8, [])


def test_what_is_there_is_not_waited_for_and_nothing_is_looked_at_once_more(call, clock):
    looked = []
    assert wait_for(call, "the source", lambda: "there", 0) == "there"
    assert wait_for(call, "the source", lambda: looked.append(clock.elapsed), 5) is None
    assert clock.slept == [2, 2, 1]
    # Once more at the end.
    assert looked == [0, 2, 4, 5]


def test_what_was_looked_at_a_moment_ago_is_waited_for_first(call, clock):
    looked = []
    assert wait_for(call, "the source", lambda: looked.append(clock.elapsed), 5, looked=True) is None
    assert looked == [2, 4, 5]
