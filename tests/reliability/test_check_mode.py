# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check mode sends no write, and predicts exactly the changes that the real run then makes."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._report_files import FORMS
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sandbox import handovers
from sandbox.catalog import CATALOG
from sandbox.model import LEGACY_NAME, SOURCE_NAME
from sandbox.server import SandboxHandle
from support.chain import Chain
from support.scenarios import (
    CONNECT,
    RECOVER,
    SCENARIOS,
    Snapshot,
    assert_foretold,
    by_hand,
    connected,
    forgotten,
)

UNDERSCORES = SOURCE_NAME.replace("-", "_")
NAMES = (SOURCE_NAME, UNDERSCORES, LEGACY_NAME, SOURCE_NAME.title(), SOURCE_NAME + " ", "renamed by hand")
SLUGS = (SOURCE_NAME, UNDERSCORES, LEGACY_NAME, SOURCE_NAME.title(), "renamed-by-hand")
SABOTAGE = (
    *("delete-source", "rename-source", "disable-source", "swap-type", "remove-key", "add-key", "duplicate-name"),
    *("legacy-source", "wrong-key-in-flex", "disconnect-from-space"),
)
LABELS = ({"key": "managed-by", "value": "ansible"}, {"key": "environment", "value": "dev"})

sources = st.fixed_dictionaries(
    {
        "name": st.sampled_from(NAMES),
        "slug": st.sampled_from(SLUGS),
        "metadata": st.sampled_from(list(CATALOG)),
        "enabled": st.booleans(),
        "labels": st.lists(st.sampled_from(LABELS), unique_by=lambda x: x["key"]),
        "keys": st.integers(1, 2),
    }
)
changes = st.fixed_dictionaries(
    {
        "lost": st.sets(st.sampled_from(["connection", "link", "key"])),
        "sabotage": st.lists(
            st.sampled_from(SABOTAGE),
            max_size=2,
            unique=True,
        ),
    }
)
states = st.fixed_dictionaries(
    {
        "playbook": st.sampled_from([CONNECT, RECOVER]),
        "connected": st.none() | changes,
        "others": st.lists(sources, max_size=2, unique_by=lambda x: x["slug"]),
        "friendly_name": st.sampled_from(["dev", "another"]),
        "options": st.fixed_dictionaries(
            {
                "channel": st.sampled_from(["endpoint", "operator"]),
                "read_back": st.booleans(),
                "labels": st.sampled_from(
                    [{}, {"managed-by": "ansible"}, {"environment": "dev", "managed-by": "ansible"}]
                ),
                "attest_existing": st.sampled_from([None, "jane"]),
            }
        ),
    }
)


def build(sandbox: SandboxHandle, folder: Path, state: dict[str, Any]) -> Chain:
    sandbox.reset()
    chain = Chain(sandbox, folder)
    world, env = sandbox.world, chain.env
    if state["connected"] is not None:
        connected(chain)
        forgotten(*state["connected"]["lost"])(chain)
        for name in state["connected"]["sabotage"]:
            if chain.twilio_sources or name in ("legacy-source", "wrong-key-in-flex"):
                sandbox.sabotage(chain.name, name)
    for other in state["others"]:
        if other["slug"] not in {s.slug for s in env.sources.values()}:
            made = world.make_source(env, other["slug"], other["metadata"], other["enabled"], name=other["name"])
            made.labels = [dict(label) for label in other["labels"]]
            made.keys += [world.new_key(env) for _unused in range(other["keys"] - 1)]
    chain.options |= {**state["options"], "friendly_name": state["friendly_name"]}
    sandbox.clear_journal()
    return chain


PATIENT = settings(
    database=None,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@settings(PATIENT, max_examples=48, phases=[Phase.generate])
@given(state=states)
def test_the_prediction_comes_true(shared_sandbox: SandboxHandle, count, state: dict[str, Any]) -> None:
    compare(shared_sandbox, count, state)


@pytest.mark.full
@settings(PATIENT, max_examples=600)
@given(state=states)
def test_the_prediction_comes_true_for_many_more(shared_sandbox: SandboxHandle, count, state: dict[str, Any]) -> None:
    compare(shared_sandbox, count, state)


def message(run: Any) -> str:
    """What a run failed with, without the time that only a real run waits for a source."""
    return re.sub(r" It did not appear within \d+ s\.", "", (run.failure or {}).get("msg", ""))


def compare(sandbox: SandboxHandle, count: Callable[[str], None], state: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chain = build(sandbox, Path(folder), state)
        start = Snapshot(chain)
        play = getattr(chain, state["playbook"])
        foretold = play(check=True)
        assert sandbox.journal(writes=True) == []
        assert start.same(), "something was changed"
        form = chain.env.form_source
        fitting = [s for s in chain.env.sources.values() if {s.name, s.slug} & {SOURCE_NAME, UNDERSCORES}]
        real = play()
        sent = "connection" in foretold.changed and foretold.results["connection"]["handover"]["sent"]
        if sent and fitting and (real.failure or chain.env.form_source != form):
            return  # nobody foresees what the vendor's form makes beside a source that looks like its own
        count("starting states for check mode")
        if foretold.failure or real.failure:
            assert message(foretold) == message(real)
            assert (foretold.failure or {}).get("failure", {}).get("kind") != "defect"
        assert list(foretold.results) == list(real.results)
        for name, result in foretold.results.items():
            if "diff" in result:
                assert result["changed"] == real.results[name]["changed"], name
                assert_foretold(result["diff"], real.results[name]["diff"], name)
        if not real.failure:
            due = set(real.looks[0]["due"])
            if not due:
                # Its tasks were spared: they would have changed nothing.
                chain.act(real, state["playbook"], chain.variables, check=False)
            if "connection" not in due:
                # What is recorded of a repair is a part of it.
                assert set(real.changed) - {"recorded"} == due
            sandbox.clear_journal()
            again = play()
            assert again.changed == []
            assert sandbox.journal(writes=True) == []


def another_source_linked(chain: Chain) -> None:
    other = next(source for source in chain.env.sources.values() if source.name == "server")
    handovers.link(chain.sandbox.world, chain.env, {"space_id": chain.env.space["id"], "source_id": other.id})


def an_old_key_in_flex(chain: Chain) -> None:
    other = next(source for source in chain.env.sources.values() if source.name == "server")
    handovers.store_key(chain.sandbox.world, chain.env, other.keys[0])


def deleted_and_due_again(chain: Chain) -> None:
    connected(chain)
    chain.sandbox.sabotage(chain.name, "delete-source")
    chain.options["friendly_name"] = "another"


@pytest.mark.parametrize("before", [another_source_linked, an_old_key_in_flex, deleted_and_due_again])
@pytest.mark.parametrize("read_back", [True, False])
def test_what_stands_before_the_form_is_not_what_it_leaves(sandbox, tmp_path, before, read_back) -> None:
    chain = Chain(sandbox, tmp_path, read_back=read_back)
    before(chain)
    foretold, real = chain.connect(check=True), chain.connect()
    assert (foretold.failure, real.failure, foretold.changed) == (None, None, real.changed)
    for step in ("connection", "link", "key"):
        assert_foretold(foretold.results[step]["diff"], real.results[step]["diff"], step)


def test_a_confirmed_form_foretells_link_and_key(sandbox, tmp_path) -> None:
    chain = Chain(sandbox, tmp_path, channel="operator")
    asked = chain.connect().pending["connection"]
    confirm = {"connection": by_hand(chain, "connection", asked)}
    foretold, real = chain.connect(confirm=confirm, check=True), chain.connect(confirm=confirm)
    assert (foretold.failure, real.failure, foretold.changed) == (None, None, real.changed)
    for step in ("connection", "link", "key"):
        assert foretold.results[step]["diff"] == real.results[step]["diff"], step
        assert foretold.results[step]["handover"]["by"] == "jane"


def test_no_write_leaves_a_playbook(sandbox: SandboxHandle, project) -> None:
    for name in ("first connect", "recover, deleted", "recover, renamed"):
        chain = SCENARIOS[name].begin(sandbox, project.inventory / ".unified_profiles")
        start = Snapshot(chain)
        run = project.run(SCENARIOS[name].playbook, "--check", "--diff", "--limit", chain.name)
        assert run.status == 0, run.output
        assert sandbox.journal()
        assert sandbox.journal(writes=True) == []
        assert start.same(besides=tuple(f"{name}-check-limited.{ending}" for name, ending in FORMS))
