# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was wrong, who did it and what was done about it stays in the reports until every step was proven again."""

from __future__ import annotations

import json

import pytest
from support.chain import Chain
from support.scenarios import settle

OPERATOR = ("-e", "unified_profiles_channel=operator", "--limit", "dev")
BY = "(Source Modified by ops@example.com at "


@pytest.fixture
def chain(sandbox, tmp_path):
    """An environment that was connected by hand, so that only events can prove anything."""
    made = Chain(sandbox, tmp_path, channel="operator")
    settle(made, "connect")
    return made


def last(run):
    """The findings, without what may come of itself one day."""
    return [it for it in run.statuses[-1]["findings"] if it["problem"] != "may_be_disabled"]


def recorded(chain):
    return json.loads((chain.state_dir / "ledger/dev.json").read_text()).get("findings", [])


def told(run):
    return run.statuses[-1]["why"]


@pytest.mark.newest_only
@pytest.mark.parametrize(
    ("sabotage", "problem", "detail", "mended"),
    [
        ("rename-source", "renamed", "was renamed to 'renamed by hand' (Source Modified by", "renamed back at"),
        ("disable-source", "disabled", "was disabled (Source Disabled by", "enabled again at"),
    ],
)
def test_a_repair_by_connect_is_told_until_all_is_proven_again(chain, sandbox, sabotage, problem, detail, mended):
    sandbox.work("dev")
    assert chain.connect().verdicts == ["proven"] * 3
    sandbox.sabotage("dev", sabotage)
    foretold = chain.connect(check=True)
    assert (recorded(chain), last(foretold)[0].get("mended")) == ([], None)
    for run in (chain.connect(), chain.connect()):
        assert detail in told(run)
        assert f"It was {mended}" in told(run)
        assert run.statuses[-1]["fails"] is False
    assert run.changed == []
    (finding,) = recorded(chain)
    assert (finding["what"], finding["by"]) == (problem, "ops@example.com")
    assert finding["since"] in finding["detail"]
    # After an edit only what comes a while later proves the key.
    sandbox.advance(1800)
    sandbox.work("dev")
    assert last(chain.connect()) == []


@pytest.mark.newest_only
def test_the_same_break_is_told_anew(chain, sandbox):
    for _time in range(2):
        sandbox.advance(60)
        sandbox.sabotage("dev", "rename-source")
        assert "It was renamed back at " in told(chain.connect())
    assert len(recorded(chain)) == 2
    # Never as mended while it is so.
    chain.options["repair"] = False
    sandbox.advance(60)
    sandbox.sabotage("dev", "rename-source")
    left = chain.connect()
    assert (left.statuses[-1]["status"], left.statuses[-1]["fails"]) == ("drifted", True)
    assert last(left)[-1]["detail"].endswith("It is left so.")


@pytest.mark.newest_only
def test_who_deleted_a_source_is_known_until_the_new_one_is_proven(chain, sandbox):
    sandbox.advance(60)
    (old,) = chain.twilio_sources
    sandbox.sabotage("dev", "delete-source")
    first = chain.recover()
    (new,) = chain.twilio_sources
    for run in (first, chain.recover(), settle(chain, "recover"), chain.connect()):
        assert f"The source {old.id} is gone (Source Deleted by ops@example.com at " in told(run)
        assert f"It was made again as {new.id} at " in told(run)
        assert "no longer on the source" not in told(run)
    assert len(recorded(chain)) == 1
    sandbox.work("dev")
    assert last(chain.connect()) == []


@pytest.mark.newest_only
def test_a_removed_key_is_told_with_the_one_that_came_in_its_place(chain, sandbox):
    sandbox.advance(60)
    sandbox.sabotage("dev", "remove-key")
    waiting = chain.recover()
    assert "that Twilio was given is no longer on the source. key: asked for" in told(waiting)
    done = settle(chain, "recover")
    assert "is no longer on the source. It was replaced by " in told(done)


@pytest.mark.newest_only
def test_connect_tells_what_it_repairs_and_leaves_it_where_it_is_told_to(project, sandbox):
    project.run("connect", "--limit", "dev")
    sandbox.sabotage("dev", "rename-source")
    left = project.run("connect", *OPERATOR, "-e", "unified_profiles_repair=false")
    assert (left.status, left.report["dev"]["status"]) == (2, "drifted"), left.output
    assert "name: is renamed by hand, and should be twilio-unified-profiles" in left.output
    page = (project.inventory / ".unified_profiles/report-limited.html").read_text()
    assert "(Source Modified by ops@example.com at " in page
    assert "It is left so." in page
    (source,) = [s for s in sandbox.world.environments["dev"].sources.values() if s.name == "renamed by hand"]
    mended = project.run("connect", *OPERATOR)
    assert source.name == "twilio-unified-profiles"
    for run in (mended, project.run("connect", *OPERATOR)):
        assert run.status == 0, run.output
        assert "is now called" not in run.output
        assert "It was renamed back at " in run.report["dev"]["what was found, and why"]
        assert BY in run.output
