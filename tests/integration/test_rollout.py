# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rollout by hand over three environments, at a terminal, by confirmations, and through ansible-runner: all end alike."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pexpect
import pytest
from sandbox import handovers
from support.project import HANGS, ROOT

OPERATOR = ["-e", "unified_profiles_channel=operator"]
ASKING = [*OPERATOR, "-e", "unified_profiles_prompt=true"]
NAMES = ("dev", "prod", "eu")


def fill_in_the_form(sandbox, name):
    environment = sandbox.world.environments[name]
    form = {"space_id": environment.space["id"], "profile_token": environment.profile_token, "allow_write_events": True}
    with sandbox.world.lock:
        handovers.connect(sandbox.world, environment, {**form, "friendly_name": name})


def connect_source(sandbox, name):
    environment = sandbox.world.environments[name]
    (source,) = [s for s in environment.sources.values() if s.name == "twilio-unified-profiles"]
    with sandbox.world.lock:
        handovers.link(sandbox.world, environment, {"space_id": environment.space["id"], "source_id": source.id})


def update_key(sandbox, name):
    environment = sandbox.world.environments[name]
    (source,) = [s for s in environment.sources.values() if s.name == "twilio-unified-profiles"]
    with sandbox.world.lock:
        handovers.store_key(sandbox.world, environment, source.keys[0])


DO = {"connection": fill_in_the_form, "link": connect_source, "key": update_key}


class AtTheTerminal:
    """A person who reads the cards, does the steps in the consoles, and types what was done."""

    def __init__(self, project, sandbox):
        self.project, self.sandbox = project, sandbox

    def run(self, playbook, leave=()):
        command = [str(ROOT / f"playbooks/{playbook}.yml"), "-i", str(self.project.inventory), *ASKING]
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "SANDBOX_PORT": self.sandbox.url.rpartition(":")[2],
        }
        for name in ("AWX_ISOLATED_DATA_DIR", "JOB_ID"):
            environment.pop(name, None)
        program = str(Path(sys.executable).with_name("ansible-playbook"))
        child = pexpect.spawn(program, command, env=environment, encoding="utf-8", timeout=HANGS, dimensions=(50, 400))
        shown = []
        while True:
            met = child.expect([r"Your name, for the record:", r"(\w+), (\w+): type done .*?pending:", pexpect.EOF])
            shown.append(child.before)
            if met == 2:
                break
            if met == 0:
                child.send("jane\r")
                continue
            name, step = child.match.group(1), child.match.group(2)
            if name in leave:
                child.send("not yet\r")
            else:
                DO[step](self.sandbox, name)
                child.send("done\r")
        child.close()
        return child.exitstatus, "".join(shown)


class Unattended:
    """The same person with the report, the consoles and a second run."""

    def __init__(self, project, sandbox):
        self.project, self.sandbox = project, sandbox

    def play(self, playbook, variables):
        run = self.project.run(playbook, *OPERATOR, "-e", json.dumps(variables))
        return run.status, run.output

    def run(self, playbook, leave=()):
        status, output = self.play(playbook, {})
        confirm = {}
        for name in NAMES:
            for step, records in self.project.ledger(name).items():
                if "asked" in records and name not in leave:
                    DO[step](self.sandbox, name)
                    confirm.setdefault(name, {})[step] = {"by": "jane", "digest": records["asked"]["digest"]}
        if confirm:
            status, output = self.play(playbook, {"unified_profiles_confirm": confirm})
        return status, output


class ThroughRunner(Unattended):
    """Through ansible-runner, the engine of AWX, whose pseudo-terminal nobody answers. Asking is switched on all the same."""

    def play(self, playbook, variables):
        import ansible_runner

        private = self.project.folder / "runner"
        private.mkdir(exist_ok=True)
        environment = {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "SANDBOX_PORT": self.sandbox.url.rpartition(":")[2],
        }
        extra = {"unified_profiles_channel": "operator", "unified_profiles_prompt": True, **variables}
        run = ansible_runner.run(
            private_data_dir=str(private),
            playbook=str(ROOT / f"playbooks/{playbook}.yml"),
            inventory=str(self.project.inventory),
            extravars=extra,
            envvars=environment,
            quiet=True,
            timeout=300,
        )
        assert run.status in ("successful", "failed"), run.status
        stats = [e["event_data"] for e in run.events if e["event"] == "playbook_on_stats"][-1]
        self.stats = stats["artifact_data"]["unified_profiles"]["environments"]
        assert set(self.stats) == set(NAMES)
        return run.rc, run.stdout.read()


def final_state(project, sandbox):
    """What is left in the ledger, in the world and in the report, without times and generated ids."""
    world, ledger = {}, {}
    for name in NAMES:
        environment = sandbox.world.environments[name]
        sources = {s.id: s for s in environment.sources.values()}
        world[name] = {
            "sources": sorted((s.name, s.slug, s.enabled, str(s.labels), len(s.keys)) for s in sources.values()),
            "linked": [sources[id_].name for id_ in environment.linked],
            "flex holds": [s.name for s in sources.values() if environment.flex_key in s.keys],
        }
        ledger[name] = {
            step: {state: (r["how"], r["by"], r["channel"]) for state, r in records.items()}
            for step, records in project.ledger(name).items()
        }
    text = (project.inventory / ".unified_profiles/report.md").read_text()
    rows = re.findall(rf"^\| ({'|'.join(NAMES)}) \| (\w+) \| (\w+) \| (\w+) \| (\w+) \|", text, re.MULTILINE)
    return {"world": world, "ledger": ledger, "report": sorted(rows)}


def rollout(way, project, sandbox):
    """Two environments are connected, one is declined; the person comes back for it; then a source is lost and recovered."""
    states = []
    status, output = way.run("connect", leave=("prod",))
    assert status != 0, output  # one still waits
    states.append(final_state(project, sandbox))
    status, output = way.run("connect")
    assert status == 0, output
    states.append(final_state(project, sandbox))
    sandbox.sabotage("eu", "delete-source")
    status, output = way.run("recover")
    assert status == 0, output
    states.append(final_state(project, sandbox))
    return states


@pytest.mark.parametrize(
    "ways", [(AtTheTerminal, Unattended), pytest.param((Unattended, ThroughRunner), marks=pytest.mark.full)]
)
@pytest.mark.newest_only
def test_rollouts_end_alike(sandbox, projects, ways):
    """In one test, so that the ends can be compared."""
    ends = []
    for way in ways:
        sandbox.reset()
        project = projects(way.__name__)
        ends.append(rollout(way(project, sandbox), project, sandbox))
    first, second, third = ends[0]
    assert {row[0]: row[1] for row in first["report"]} == {"dev": "attested", "prod": "pending", "eu": "attested"}
    assert {row[1] for row in second["report"]} == {"attested"}
    said, form = ("attested", "jane", "operator"), ("form", "jane", "operator")
    done_by_form = {"connection": {"done": said}, "link": {"done": form}, "key": {"done": form}}
    assert second["ledger"] == dict.fromkeys(NAMES, done_by_form)
    by_hand = {step: {"done": said} for step in DO}
    assert third["ledger"] == {"dev": done_by_form, "prod": done_by_form, "eu": by_hand}
    assert third["world"]["eu"]["flex holds"] == ["twilio-unified-profiles"]
    assert third["world"]["eu"]["linked"] == ["twilio-unified-profiles"]
    assert ends[1] == ends[0]


def test_without_a_terminal_nobody_is_asked(project):
    run = project.run("connect", *ASKING, "--limit", "dev")
    assert run.report["dev"]["status"] == "pending"
    assert "there is no terminal to ask on" in run.output


@pytest.mark.newest_only
def test_the_ledger_can_live_in_twilio_sync(project, sandbox):
    """As in AWX, where no folder outlives the job: a second job, with nothing left of the first, knows what was done."""
    in_sync = ("-e", "unified_profiles_ledger=sync", "--limit", "dev")
    first = project.run("connect", *in_sync)
    assert first.status == 0, first.output
    assert project.ledger("dev") == {}
    environment = sandbox.world.environments["dev"]
    stored = str([service["documents"] for service in environment.services.values()])
    assert "profile_token_fingerprint" in stored
    for secret in (environment.profile_token, environment.flex_key, environment.api_secret):
        assert secret not in stored
    shutil.rmtree(project.inventory / ".unified_profiles")
    sandbox.clear_journal()
    again = project.run("connect", *in_sync)
    assert again.changed["dev"] == 0
    assert sandbox.journal(writes=True) == []
    reads = [e for e in sandbox.journal() if e["service"] == "sync"]
    assert len(reads) == 1, reads  # the survey reads it once


@pytest.mark.parametrize(
    ("confirm", "said"),
    [
        ({"deb": {"key": {}}}, "names deb"),
        ({"dev": {"conection": {}}}, "names the step conection"),
        ("{dev: {key: {}}}", "is neither the digest of a card"),
        ({"dev": None}, "nor a mapping of environments to mappings of steps"),
        ({}, ""),
    ],
)
def test_a_confirmation_of_what_does_not_exist_is_refused_before_anything_is_done(project, sandbox, confirm, said):
    run = project.run("connect", "--limit", "dev", "-e", json.dumps({"unified_profiles_confirm": confirm}))
    assert said in run.output
    assert bool(sandbox.journal(writes=True)) is (not said)
