# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Drift raises no alarm where nothing is wrong, however an environment came to be well, and writes nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sandbox.catalog import CATALOG
from sandbox.server import SandboxHandle
from support.chain import Chain
from support.scenarios import CONNECT, RECOVER, Snapshot, connected, settle

# What recover mends, and what only it can see where an endpoint reads back.
MENDED = ("delete-source", "rename-source", "disable-source", "remove-key")
SEEN_BY_ENDPOINTS = ("disconnect-from-space", "wrong-key-in-flex")
# What is nobody's setting.
HAPPENS = ("rename-space", "add-space", "add-destination", "disconnect-warehouses")

healthy = st.fixed_dictionaries(
    {
        "options": st.fixed_dictionaries(
            {
                "channel": st.sampled_from(["endpoint", "operator"]),
                "read_back": st.booleans(),
                "ledger": st.sampled_from(["file", "sync"]),
                "source_labels": st.sampled_from(
                    [{}, {"managed-by": "ansible"}, {"environment": "dev", "managed-by": "ansible"}]
                ),
            }
        ),
        "others": st.lists(st.sampled_from(list(CATALOG)), max_size=2),
        "mended": st.lists(st.sampled_from(MENDED + SEEN_BY_ENDPOINTS), max_size=2, unique=True),
        "happens": st.sets(st.sampled_from(HAPPENS), max_size=2),
        "engagements": st.integers(0, 3),
        "later": st.sampled_from([0, 90, 3600, 2 * 86400]),
        "friendly_name": st.sampled_from(["dev", "another"]),
    }
)
PATIENT = settings(
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@settings(PATIENT, max_examples=6, phases=[Phase.generate])
@given(state=healthy)
def test_no_alarm_where_all_is_well(shared_sandbox: SandboxHandle, count, state: dict[str, Any]) -> None:
    look(shared_sandbox, count, state)


@pytest.mark.full
@settings(PATIENT, max_examples=600)
@given(state=healthy)
def test_no_alarm_in_many_more(shared_sandbox: SandboxHandle, count, state: dict[str, Any]) -> None:
    look(shared_sandbox, count, state)


def look(sandbox: SandboxHandle, count: Callable[[str], None], state: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chain = well(sandbox, Path(folder), state)
        start = Snapshot(chain)
        sandbox.clear_journal()
        found: Any = chain.play("drift")
        (status,) = found.statuses
        assert (status["status"], status["differences"], status["unread"]) == ("in_sync", [], {}), status["why"]
        assert status["fails"] is False
        assert sandbox.journal(writes=True) == []
        assert start.same()
        count("healthy environments without an alarm")


def well(sandbox: SandboxHandle, folder: Path, state: dict[str, Any]) -> Chain:
    """An environment that was connected, broken, mended, worked in, and left alone for a while."""
    sandbox.reset()
    chain = Chain(sandbox, folder, **state["options"])
    for number, metadata in enumerate(state["others"]):
        sandbox.world.make_source(chain.env, f"website-{number}", metadata)
    connected(chain)
    # Before anything is mended: the form that is due then would make a rival to what the form did not make.
    chain.options["friendly_name"] = state["friendly_name"]
    assert not settle(chain, CONNECT).failure
    reads_back = state["options"]["channel"] == "endpoint" and state["options"]["read_back"]
    for name in state["mended"]:
        if name in MENDED or reads_back:
            sandbox.sabotage(chain.name, name)
            assert not settle(chain, RECOVER).failure
    for name in state["happens"]:
        sandbox.sabotage(chain.name, name)
    if state["engagements"]:
        chain.work(state["engagements"])
    sandbox.advance(state["later"])
    return chain
