# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-runner, the engine of AWX, gets from connect and recover: status, set_stats and artifacts.

A whole rollout through it, compared with the other ways to run one, is in test_rollout.py.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import ansible_runner
import pytest
import yaml
from sandbox import handovers
from support.project import HANGS, ROOT

SECRETS = {
    "SEGMENT_TOKEN": "segment_token",
    "SEGMENT_PROFILE_TOKEN": "profile_token",
    "TWILIO_ACCOUNT_SID": "account_sid",
    "TWILIO_API_KEY": "api_key",
    "TWILIO_API_SECRET": "api_secret",
}


class Job:
    """Runs on one environment, whose credentials come from variables of the job's environment, as AWX injects them."""

    def __init__(self, project, sandbox):
        self.project, self.dev = project, sandbox.world.environments["dev"]
        shutil.rmtree(project.inventory)
        (project.inventory / "group_vars").mkdir(parents=True)
        hosts = {"dev": {"unified_profiles_space_id": self.dev.space["id"]}}
        (project.inventory / "hosts.yml").write_text(yaml.safe_dump({"unified_profiles": {"hosts": hosts}}))
        settings = {"ansible_connection": "local", "unified_profiles_allow_write_events": True}
        settings["unified_profiles_sandbox_url"] = sandbox.url
        (project.inventory / "group_vars/unified_profiles.yml").write_text(yaml.safe_dump(settings))
        self.secrets = {name: getattr(self.dev, field) for name, field in SECRETS.items()}

    def run(self, playbook, **extra):
        # One for each job, since a runner takes what an earlier one left in it for its own.
        private = self.project.folder / f"jobs/{len(list(self.project.folder.glob('jobs/*')))}"
        private.mkdir(parents=True)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        run = ansible_runner.run(
            private_data_dir=str(private),
            playbook=str(ROOT / f"playbooks/{playbook}.yml"),
            inventory=str(self.project.inventory),
            envvars={"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "PATH": path, **self.secrets},
            extravars=extra,
            quiet=True,
            timeout=HANGS,
        )
        folder = Path(run.config.artifact_dir)
        # What AWX reads from the folder, and not from the process.
        events = [json.loads(file.read_text()) for file in (folder / "job_events").glob("*.json")]
        (stats,) = [event["event_data"] for event in events if event["event"] == "playbook_on_stats"]
        self.stdout = (folder / "stdout").read_text()
        assert (folder / "status").read_text() == run.status
        assert int((folder / "rc").read_text()) == run.rc
        return run.status, stats["artifact_data"]["unified_profiles"]["environments"]["dev"]

    def confirm(self, outcome):
        """As a person does who carries the task cards out."""
        return {"dev": {card["step"]: {"by": "jane", "digest": card["digest"]} for card in outcome["cards"]}}

    def press_connect(self, world):
        space = {"space_id": self.dev.space["id"], "profile_token": self.dev.profile_token}
        with world.lock:
            handovers.connect(world, self.dev, {**space, "friendly_name": "dev", "allow_write_events": True})

    def leaked(self):
        """The files of all artifacts that have a secret in them. AWX keeps and shows them."""
        world_secrets = [self.dev.segment_token, self.dev.profile_token, self.dev.api_secret, self.dev.flex_key]
        texts = {path: path.read_text() for path in self.project.folder.glob("jobs/*/artifacts/**/*") if path.is_file()}
        assert any("job_events" in str(path) for path in texts)
        # ansible-runner writes the job's environment into this one; AWX masks it there.
        return [p for p, text in texts.items() if p.name != "command" and any(s and s in text for s in world_secrets)]


@pytest.fixture
def job(project, sandbox):
    return Job(project, sandbox)


@pytest.mark.newest_only
def test_pending_fails_the_job_only_where_that_is_asked_for(job, sandbox):
    status, outcome = job.run("connect", unified_profiles_fail_on_pending=False)
    assert (status, outcome["status"]) == ("successful", "pending"), job.stdout
    assert [card["step"] for card in outcome["cards"]] == ["connection"]
    status, outcome = job.run("connect")
    assert (status, outcome["status"]) == ("failed", "pending")
    assert "dev is pending" in job.stdout
    job.press_connect(sandbox.world)
    status, outcome = job.run("connect", unified_profiles_confirm=job.confirm(outcome))
    assert (status, outcome["status"], outcome["cards"]) == ("successful", "attested", []), job.stdout
    assert job.leaked() == []


def test_what_is_broken_fails_the_job(job, sandbox):
    """What is broken fails the job and recover tells what to do."""
    outcome = job.run("connect", unified_profiles_fail_on_pending=False)[1]
    job.press_connect(sandbox.world)
    assert job.run("connect", unified_profiles_confirm=job.confirm(outcome))[0] == "successful", job.stdout
    sandbox.sabotage("dev", "lose-connector")
    sandbox.work("dev", count=3)
    # Not softened by the switch, which is for what waits.
    status, outcome = job.run("connect", unified_profiles_fail_on_pending=False)
    assert (status, outcome["status"]) == ("failed", "broken"), job.stdout
    assert "49008" in outcome["why"]
    sandbox.sabotage("dev", "delete-source")
    status, outcome = job.run("recover", unified_profiles_fail_on_pending=False)
    assert status == "successful", job.stdout
    # The form creates the source, so nobody else does.
    assert [card["step"] for card in outcome["cards"]] == ["connection"]
    assert outcome["findings"][0]["problem"] == "deleted"
    assert [source for source in job.dev.sources.values() if source.name == "twilio-unified-profiles"] == []
    assert job.leaked() == []


@pytest.mark.full
@pytest.mark.newest_only
def test_a_long_survey_shows_how_far_it_is(job, project, sandbox):
    """The runner keeps each line as an event, which AWX shows while the job runs."""
    line = "Looked at 0 of 1 environments, 0 failed so far"

    def slow():
        sandbox.fault(match="GET /segment/us/sources", kind="latency", seconds=11.0, commit=True)

    slow()
    job.run("connect", unified_profiles_timeout=30)
    assert job.stdout.count(line) == 1, job.stdout
    slow()
    run = project.run("connect", "-e", "unified_profiles_timeout=30", **job.secrets)
    assert run.output.count(line) == 1, run.output
