# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run leaves and shows: for people, for programs, for a part of the environments, and of inventories with mistakes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
import yaml
from support.project import HANGS, ROOT

OPERATOR = ("-e", "unified_profiles_channel=operator")
CALLBACK = """
import json
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = "name: my_json\\ntype: stdout\\nshort_description: One document at the end"


class CallbackModule(CallbackBase):
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "my_json"
    CALLBACK_VERSION = 2.0
    outcomes = {}

    def v2_runner_on_ok(self, result):
        self.outcomes = result._result.get("outcomes", self.outcomes)

    def v2_playbook_on_stats(self, stats):
        print(json.dumps({name: [card["step"] for card in of["cards"]] for name, of in self.outcomes.items()}))
"""


def test_a_program_gets_its_json_with_the_cards_and_nothing_else(project):
    (project.folder / "callbacks").mkdir()
    (project.folder / "callbacks/my_json.py").write_text(CALLBACK)
    for playbook in ("connect", "drift"):
        done = subprocess.run(
            [
                *(Path(sys.executable).with_name("ansible-playbook"), ROOT / f"playbooks/{playbook}.yml"),
                *("-i", project.inventory, *OPERATOR),
            ],
            env={
                **os.environ,
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_CALLBACK_PLUGINS": str(project.folder / "callbacks"),
                "ANSIBLE_STDOUT_CALLBACK": "my_json",
                "SANDBOX_PORT": project.sandbox.url.rpartition(":")[2],
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=HANGS,
        )
        cards = {name: ["connection"] for name in ("dev", "prod", "eu")}
        assert json.loads(done.stdout) == cards, done.stdout[:2000] + done.stderr[-2000:]


def test_a_run_ends_with_its_verdicts_and_the_path_of_the_report(project):
    project.hosts(dev={"channel": "operator"}, bad={"space_id": "x y"})
    output = project.run("connect").output
    card, counts = (
        output.index("(connection, digest"),
        output.index("\n2 environments: 1 pending (dev), 1 failed (bad)\n"),
    )
    assert card < counts
    assert f"Report: {project.inventory}/.unified_profiles/report.html" in output
    assert "\nbad  failed " in output[card:counts]
    # A failure is reported in the summary, and by the task that fails, whose message newer releases of Ansible show twice.
    assert output.count("space_id: is empty or has characters") <= 3
    page = (project.inventory / ".unified_profiles/report.html").read_text()
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    assert re.search(rf"UTC, {project.inventory}, flexops\.unified_profiles {version}, \d+ s\.", page)


def test_a_part_of_the_environments_leaves_the_report_on_all_of_them(project):
    folder = project.inventory / ".unified_profiles"
    project.run("connect", *OPERATOR)
    before = (folder / "report.html").read_text()
    report = folder / "report.md"
    (project.folder / "kept.md").write_text(report.read_text())
    run = project.run("connect", *OPERATOR, "--limit", "dev,prod")
    assert set(run.report) == {"dev", "prod"}
    assert f"Report: {folder}/report-limited.html" in run.output
    assert (folder / "report.html").read_text() == before


@pytest.mark.parametrize("playbook", ["connect", "export"])
def test_an_inventory_that_was_read_in_part_fails_the_run(project, playbook):
    hosts = yaml.safe_load((project.inventory / "hosts.yml").read_text())["unified_profiles"]["hosts"]
    document = {"unified_profiles": {"hosts": {"dev": hosts["dev"], 1001: hosts["prod"]}}}
    (project.inventory / "hosts.yml").write_text(yaml.safe_dump(document, sort_keys=False))
    run = project.run(playbook)
    assert (run.status, run.report) == (2, {})
    assert project.sandbox.journal() == []
    assert "hosts.yml: Ansible could not read this inventory in whole" in " ".join(run.output.split())


@pytest.mark.parametrize("playbook", ["connect", "drift"])
def test_an_inventory_without_a_folder_is_refused_with_the_way_out(project, sandbox, playbook):
    """As a shell hands over what a command prints."""
    project.hosts(dev={"sandbox_url": sandbox.url, "allow_write_events": True, "channel": "operator"})
    program, playbook = Path(sys.executable).with_name("ansible-playbook"), ROOT / f"playbooks/{playbook}.yml"
    done = subprocess.run(
        ["bash", "-c", f"'{program}' '{playbook}' -i <(cat '{project.inventory}/hosts.yml')"],
        cwd=project.folder,
        env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=HANGS,
    )
    told = " ".join((done.stdout + done.stderr).split())
    # Older releases of Ansible read no pipe, and say that there is no such group.
    refused = "state_dir: is not known, because this inventory has no folder of its own that lasts."
    way_out = "Set it to a folder that outlives the run. Or keep the ledger in Twilio Sync"
    assert (done.returncode, f"{refused} {way_out}" in told) == (2, True) or (
        done.returncode == 1 and "Could not match supplied host pattern" in told
    ), told
    assert sandbox.journal(writes=True) == []
    assert [path.name for path in project.folder.iterdir()] == ["inventory"]


def test_the_example_says_which_secret_is_missing(project):
    shutil.rmtree(project.inventory)
    shutil.copytree(ROOT / "inventories/example", project.inventory)
    document = "unified_profiles: {hosts: {staging: {unified_profiles_segment_token: sgp_x}}}"
    (project.inventory / "vault.yml").write_text(document)
    # There is no sandbox, and nothing to wait for.
    at_once = ("-e", "unified_profiles_retry_budget=0", "-e", "unified_profiles_timeout=1")
    consent = ("-e", "unified_profiles_allow_write_events=true")
    run = project.run("connect", *at_once, *consent, SEGMENT_TOKEN="sgp_of_another")
    assert "segment_token: is empty" in run.report["production"]["what was found, and why"]
    assert "has no attribute" not in run.output


def test_the_examples_secrets_are_encrypted_and_none_is_used_without_them(project, sandbox):
    """A file of the inventory that stays closed must not be a run with other credentials."""
    hosts = project.inventory / "hosts.yml"
    document = yaml.safe_load(hosts.read_text())
    secrets = {
        name: {
            option: settings.pop(option) for option in [*settings] if option.endswith(("_token", "_secret", "_api_key"))
        }
        for name, settings in document["unified_profiles"]["hosts"].items()
    }
    hosts.write_text(yaml.safe_dump(document))
    vault, password = project.inventory / "vault.yml", project.folder / "password"
    password.write_text("password\n")
    vault.write_text(yaml.safe_dump({"unified_profiles": {"hosts": secrets}}))
    command = [Path(sys.executable).with_name("ansible-vault"), "encrypt", "--vault-password-file", password, vault]
    subprocess.run(command, check=True)
    run = project.run("connect")
    assert run.status != 0
    assert "vault.yml: Ansible could not read this inventory in whole" in " ".join(run.output.split())
    assert sandbox.journal() == []
    run = project.run("connect", "--vault-password-file", str(password))
    assert run.status == 0, run.output


def test_the_end_of_input_at_a_prompt_means_no(project):
    command = [str(ROOT / "playbooks/connect.yml"), "-i", str(project.inventory), *OPERATOR]
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("AWX_ISOLATED_DATA_DIR", "JOB_ID")},
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "SANDBOX_PORT": project.sandbox.url.rpartition(":")[2],
    }
    asking = ["-e", "unified_profiles_prompt=true", "-e", "unified_profiles_confirmed_by=jane"]
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    child = pexpect.spawn(
        program, [*command, *asking], env=environment, encoding="utf-8", timeout=HANGS, dimensions=(50, 400)
    )
    child.expect("type done")
    child.send("\x04")
    child.expect("the rest stays pending")
    child.expect(pexpect.EOF)
    assert project.sandbox.journal(writes=True) == []


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.newest_only
def test_a_report_in_all_forms_that_no_prediction_replaces_and_since_when(project, sandbox):
    folder = project.inventory / ".unified_profiles"
    project.run("connect")
    sandbox.clear_journal()
    project.run("connect")
    sent = sum(e["environment"] == "dev" for e in sandbox.journal())
    before = files_of(folder)
    assert {*before} >= {"report.md", "report.html", "report.json", "junit.xml", "metrics.prom", "seen.json"}
    known = json.loads(before["report.json"])["environments"]["dev"]
    assert (known["was"], known["requests"], known["rate_limited"]) == ("well", sent, 0)
    assert known["since"] == json.loads(before["seen.json"])["environments"]["dev"]["since"] != ""
    # What is only looked at, and only in part.
    sandbox.sabotage("dev", "disable-source")
    check = project.run("connect", "--check", "--limit", "dev")
    assert f"Report: {folder}/report-check-limited.html" in check.output
    after = files_of(folder)
    new = {"report-check-limited.md", "report-check-limited.html", "report-check-limited.json"}
    assert {*after} - {*before} == {*new, "junit-check-limited.xml"}
    assert {name: after[name] for name in before if name != "report.md"} == {
        name: text for name, text in before.items() if name != "report.md"
    }


@pytest.mark.newest_only
def test_observations_in_sync_are_the_only_writes(project, sandbox):
    project.run("connect")
    in_sync = ("-e", "unified_profiles_remember=sync", "--limit", "dev,eu")
    sandbox.clear_journal()
    run = project.run("connect", *in_sync, "--check")
    assert (run.status, sandbox.journal(writes=True)) == (0, []), run.output
    project.run("drift", *in_sync)
    written = sandbox.journal(writes=True)
    assert {(e["environment"], e["service"]) for e in written} == {("dev", "sync"), ("eu", "sync")}
    dev = sandbox.world.environments["dev"]
    documents = {of["unique_name"] for it in dev.services.values() for of in it["documents"].values()}
    (source,) = (one.id for one in dev.sources.values() if one.name == "twilio-unified-profiles")
    assert documents == {"seen-of-unified-profiles-dev", f"snapshot-of-unified-profiles-{source}"}
    sandbox.clear_journal()
    again = project.run("drift", *in_sync)
    assert (sum(again.changed.values()), sandbox.journal(writes=True)) == (0, [])
    report = json.loads((project.inventory / ".unified_profiles/report-limited.json").read_text())
    assert report["environments"]["dev"]["was"] == "well"


@pytest.mark.newest_only
def test_what_cannot_be_kept_is_told_and_fails_nothing(project, sandbox):
    folder = project.inventory / ".unified_profiles"
    project.run("connect")
    (folder / "seen.json").write_text('{"format": 7}')
    (project.folder / "taken").write_text("")
    elsewhere, log = f"{project.folder}/taken/reports", project.folder / "log"
    run = project.run("connect", "-e", f"unified_profiles_report_dir={elsewhere}", ANSIBLE_LOG_PATH=str(log))
    # In the order in which it was shown.
    output = " ".join(re.sub(r"^.*? \| ", "", line) for line in log.read_text().splitlines())
    assert run.status == 0
    told = output.index(f"The report cannot be written to {elsewhere}: Not a directory.")
    assert told < output.index("ok: [dev -> localhost]")
    assert "3 environments: 3 proven" in output
    assert "seen.json has format 7, written by a newer release. It is left alone" in output
    assert (folder / "seen.json").read_text() == '{"format": 7}'
