# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When Segment may disable a source by itself, by what is known of its age."""

from __future__ import annotations

import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.times import parse_time
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import HttpSettings
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._source.keeping import (
    enabled_since,
    foresee,
    warning,
)
from ansible_collections.flexops.unified_profiles.plugins.modules import profiles_info
from support.conversation import FakeClock
from support.environment import checked

NOW = parse_time("2026-11-24T12:00:00Z")


def ago(days):
    return parse_time(f"2026-{10 if days > 23 else 11}-{(55 if days > 23 else 24) - days:02}T12:00:00Z")


@pytest.mark.parametrize(
    ("since", "has_trail", "handed_over", "told"),
    [
        (ago(1), True, None, "on 2026-12-07: "),
        (ago(1), True, ago(20), "on 2026-12-07: "),
        (ago(14), True, None, "on 2026-11-24: "),
        (ago(15), True, None, "at any time (2026-11-23 has passed): "),
        (ago(21), True, None, "at any time (2026-11-17 has passed): "),
        # It outlived what would have ended it.
        (ago(22), True, None, ""),
        # Made or enabled before the audit trail begins.
        (None, True, ago(1), ""),
        (None, False, ago(1), "on 2026-12-07 or before: "),
        (None, False, ago(22), ""),
        (None, False, None, "14 days after it was made or enabled, a day that is not known: "),
    ],
)
def test_what_is_foreseen(since, has_trail, handed_over, told):
    said = warning(since, has_trail, handed_over, NOW)
    assert said.startswith(f"Segment may disable the source by itself {told}") if told else said == ""


def test_the_days_count_from_the_last_time_it_was_enabled():
    events = [("Source Created", 40), ("Source Enabled", 3), ("Source Enabled", 20), ("Source Modified", 1)]
    rows = [{"type": type_, "at": ago(days).isoformat()} for type_, days in events]
    assert enabled_since(rows) == ago(3)
    assert enabled_since([*rows, {"type": "Source Enabled", "at": "?"}]) == ago(3)
    assert enabled_since(rows[3:]) is None


def test_a_service_that_is_down_takes_nothing_from_the_budget_of_other_reads(tmp_path):
    asked = []

    def down(request):
        asked.append(request.url.path)
        return httpx.Response(503, json={})

    transport = Transport(
        HttpSettings(retry_budget=5.0), read_only=True, clock=FakeClock(), http_transport=httpx.MockTransport(down)
    )
    options = {"environment": "dev", "state_dir": str(tmp_path), "space_id": "spa_1", "segment_token": "sgp_x"}
    call = ModuleContext(checked(profiles_info, options), True, transport)
    assert foresee(call, "source1", {}) == []
    assert (set(asked), transport.budget.left) == ({"/sources/source1/connected-destinations"}, 5.0)
    assert len(asked) > 1
