# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of each sabotage of the sandbox, as the table in docs/reliability.md says it."""

from __future__ import annotations

import re

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import connections
from sandbox import handovers, sabotage
from support.chain import Chain, Run, world_clock
from support.project import ROOT
from support.scenarios import settle

HOUR = 3600
# By what is done: when it is found, what it is said to be, the rest of the row.
ROW = re.compile(r"\| `([^`]+)` \| (at once|with traffic|not|harmless) \|([^|]*)\|")
TABLE = {
    name: (found, re.findall(r"`([^`]+)`", told))
    for name, found, told in ROW.findall((ROOT / "docs/reliability.md").read_text())
}
CREDENTIALS = ("segment", "profile", "twilio")
SILENT_TRAIL = "disconnect-from-space, and the trail does not say which source"
# What no name of a sabotage says.
MORE = {
    SILENT_TRAIL: lambda life: life.sandbox.sabotage("dev", "disconnect-from-space"),
    "the key of another source in Flex": lambda life: handovers.store_key(
        life.sandbox.world, life.env, next(s for s in life.env.sources.values() if s.slug == "server").keys[0]
    ),
    **{
        f"revoke-token {which}": lambda life, which=which: life.sandbox.sabotage("dev", "revoke-token", which=which)
        for which in CREDENTIALS
    },
}


def test_every_sabotage_has_a_row():
    assert set(TABLE) == {name for name in sabotage.NAMES if name != "revoke-token"} | set(MORE)


def loud(run: Run) -> bool:
    """Return whether the job fails, or says what it repaired."""
    status = run.statuses[-1]
    return bool(run.failure or status["fails"] or any(it.get("mended") for it in status["findings"]))


def told(run: Run) -> str:
    status = run.statuses[-1]
    return " ".join([status["why"], *(step["reason"] for step in status["steps"].values())])


def to_do(run: Run) -> bool:
    """Return whether it says what to do: on a card, as the failure's way out, or that it was done."""
    status = run.statuses[-1]
    done, mends = [it for it in status["findings"] if it.get("mended")], [it["mend"] for it in status["differences"]]
    return bool(status["cards"] or status["failure"] or done or any(mends))


@pytest.mark.parametrize("name", TABLE)
def test_a_sabotage_is_found_as_the_table_says(sandbox, tmp_path, monkeypatch, name):
    found, phrases = TABLE[name]
    monkeypatch.setattr(connections, "Clock", world_clock(sandbox))
    chain = Chain(sandbox, tmp_path, channel="operator")
    sandbox.switch(space_event_resource="space" if name == SILENT_TRAIL else "source")
    settle(chain, "connect")
    sandbox.work("dev")
    before = chain.connect()
    assert (before.verdicts, loud(before)) == (["proven"] * 3, False)
    sandbox.advance(HOUR / 2)
    MORE.get(name, lambda life: sandbox.sabotage("dev", name))(chain)
    run = chain.connect()
    assert loud(run) == (found == "at once"), told(run)
    if found != "at once":
        # Work that is late enough after it, and long enough ago.
        for hours in (6, 6):
            sandbox.advance(hours * HOUR)
            sandbox.engage("dev")
        run = chain.connect()
        assert loud(run) == (found == "with traffic"), told(run)
    if found == "not":
        # The proof ends with its age.
        sandbox.advance(4 * 24 * HOUR)
        run = chain.connect()
        assert run.verdicts == ["attested", "proven", "attested"]
    assert [phrase for phrase in phrases if phrase not in told(run)] == [], told(run)
    assert to_do(run) == loud(run), told(run)
