# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people say that is not so, through whole chains: nothing comes of it, and the message says how to go on."""

from __future__ import annotations

import json
import shlex

import pytest
from sandbox import handovers
from support.chain import Chain
from support.scenarios import settle


def press_connect(chain):
    env = chain.env
    form = {"space_id": env.space["id"], "profile_token": env.profile_token, "allow_write_events": True}
    handovers.connect(chain.sandbox.world, env, {**form, "friendly_name": chain.name})


@pytest.mark.newest_only
def test_a_take_over_in_bulk_records_nothing_of_what_was_never_connected(sandbox, tmp_path):
    taken, never = (
        Chain(sandbox, tmp_path, name, channel="operator", attest_existing="jane") for name in ("dev", "prod")
    )
    press_connect(taken)
    assert set(settle(taken, "connect").verdicts) <= {"attested", "proven"}
    refused = never.connect()
    assert (
        "attest_existing: says that the connection hand-over of prod is done, and there is no source"
        in refused.failure["msg"]
    )
    assert {step: records for step, records in never.recorded().items() if records} == {}
    assert "no trace that there ever was one" in never.recover().failure["msg"]
    assert never.twilio_sources == []
    # Without the word the card comes.
    never.options["attest_existing"] = None
    assert list(never.connect().pending) == ["connection"]


@pytest.mark.newest_only
def test_a_word_that_is_recorded_and_was_never_true_is_taken_back_as_told(sandbox, tmp_path):
    """As release 0.1.0 recorded it: Connect was confirmed and not pressed."""
    chain = Chain(sandbox, tmp_path, channel="operator")
    chain.connect()
    path = tmp_path / "ledger/dev.json"
    document = json.loads(path.read_text())
    asked = document["steps"]["connection"].pop("asked")
    document["steps"]["connection"]["done"] = {**asked, "how": "attested", "by": "jane"}
    path.write_text(json.dumps(document))
    assert "The ledger names no source" in chain.recover().failure["msg"]
    assert chain.twilio_sources == []
    told = chain.connect().failure["msg"]
    assert "says nothing but the ledger (attested by jane at " in told
    chain.options |= {"withdraw": [asked["digest"]], "confirmed_by": "ann"}
    assert f"-e unified_profiles_withdraw={asked['digest']} -e unified_profiles_confirmed_by=NAME" in told
    again = chain.connect()
    assert (again.failure, list(again.pending)) == (None, ["connection"])
    assert set(settle(chain, "connect").verdicts) <= {"attested", "proven"}


@pytest.mark.newest_only
@pytest.mark.parametrize("playbook", ["connect", "recover", "rotate"])
def test_check_mode_judges_by_the_same_evidence(sandbox, tmp_path, playbook):
    chain = Chain(sandbox, tmp_path, channel="operator")
    settle(chain, "connect")
    sandbox.work("dev")
    assert chain.play(playbook, check=True).verdicts == ["proven"] * 3
    sandbox.sabotage("dev", "lose-connector")
    sandbox.work("dev")
    broken = chain.play(playbook, check=True)
    assert (broken.verdicts[0], broken.statuses[-1]["status"], broken.statuses[-1]["fails"]) == (
        "broken",
        "broken",
        True,
    )
    assert [card["step"] for card in broken.statuses[-1]["cards"]] == ["connection"]


@pytest.mark.newest_only
@pytest.mark.parametrize("check", [True, False])
def test_a_label_that_is_missing_leaves_no_recovery_half_done(sandbox, tmp_path, check):
    chain = Chain(sandbox, tmp_path, channel="operator")
    settle(chain, "connect")
    sandbox.sabotage("dev", "delete-source")
    chain.options["source_labels"] = {"managed-by": "ansible", "no": "such"}
    run = chain.recover(check=check)
    assert (run.failure, run.results["source"]["changed"]) == (None, True)
    assert "the workspace has no label 'no: such'" in str(run.results["source"]["warnings"])
    if not check:
        assert list(run.pending) == ["link", "key"]
        assert all(found["card"]["digest"] for found in run.pending.values())
        assert len(chain.twilio_sources) == 1


@pytest.mark.newest_only
def test_the_command_of_a_card_confirms_where_the_run_kept_its_ledger(project, sandbox):
    """With what the run was given, in a shell, with nothing but the name filled in."""
    given = ("-e", "unified_profiles_channel=operator unified_profiles_ledger=sync", "--limit", "dev")
    asked = project.run("connect", *given)
    line = next(line for line in asked.output.splitlines() if "unified_profiles_confirm=" in line)
    press_connect(Chain(sandbox, project.folder / "unused"))
    _program, playbook, *arguments = shlex.split(line.replace("=NAME", "=jane"))
    arguments = [it for at, it in enumerate(arguments) if "-i" not in (it, arguments[at - 1])]
    done = project.run(playbook, *arguments)
    assert (done.status, done.report["dev"]["connection"]) == (0, "attested"), done.output
    assert project.ledger("dev") == {}
