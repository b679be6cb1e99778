# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's own ways to run a playbook, and its many places for a variable, with the survey."""

from __future__ import annotations

import json
import re
import sys

import pytest
import yaml

COLLECTION = "flexops.unified_profiles"
WHY = "what was found, and why"


def host_variables(project, host, **variables):
    (project.inventory / "host_vars").mkdir(exist_ok=True)
    (project.inventory / f"host_vars/{host}.yml").write_text(yaml.safe_dump(variables))


def test_tags_leave_the_survey_in_and_everything_else_out(project, sandbox):
    run = project.run("connect", "--tags", "nosuch")
    assert run.status == 2
    assert sandbox.journal(writes=True) == []
    assert {row["status"] for row in run.report.values()} == {"pending"}
    assert "Due: connection (it is to be sent to the endpoint)" in run.report["dev"][WHY]


@pytest.mark.newest_only
def test_marks_of_editors_are_read_over_and_no_server_begins_a_line(project, sandbox):
    """Files with byte order marks, or of no UTF-8 at all; and an answer with lines of its own."""
    ledgers = project.inventory / ".unified_profiles/ledger"
    ledgers.mkdir(parents=True)
    for name, encoding in (("prod", "utf-8-sig"), ("eu", "utf-16")):
        ledger = {"format": 1, "environment": name, "steps": {}}
        (ledgers / f"{name}.json").write_text(json.dumps(ledger), encoding=encoding)
    for file in [*project.inventory.rglob("*.yml")]:
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    forged = "no\r\nPLAY RECAP ****\ndev : ok=9 failed=0\n| forged |"
    body = {"errors": [{"type": "forged", "message": forged}]}
    sandbox.fault(match="GET /segment/us/sources", status=400, count=None, environment="dev", body=body)
    run = project.run("connect", "--check")
    assert run.report["dev"]["status"] == "failed"
    assert r"no\r\nPLAY RECAP ****\ndev : ok=9" in run.output
    assert run.report["prod"]["status"] == "predicted", "the variables of the group were read"
    assert "it is not UTF-8" in run.report["eu"][WHY]
    page = (project.inventory / ".unified_profiles/report-check.md").read_text()
    lines = [line.strip() for line in (run.output + page).splitlines()]
    assert not [line for line in lines if line.startswith(("dev : ok=9", "| forged", "PLAY RECAP ****\\"))]
    assert sum(line.startswith("PLAY RECAP") for line in lines) == 1
    # Ansible itself reads no such variables.
    settings = project.inventory / "group_vars/unified_profiles.yml"
    settings.write_text(settings.read_text(encoding="utf-8-sig"), encoding="utf-16")
    sandbox.clear_journal()
    run = project.run("connect")
    assert run.status != 0
    assert "'utf-8' codec can't" in run.output
    assert sandbox.journal() == []


NO_ENVIRONMENT = {
    "a misspelt group": ("unified_profile", ()),
    "a limit of hosts that are none": ("unified_profiles", ("--limit", "other")),
    "a limit that leaves nothing": ("unified_profiles", ("--limit", "dev:&other")),
    "a name that no host has": ("unified_profiles", ("--limit", "nosuch")),
    "an empty group": ("", ()),
}


@pytest.mark.parametrize("case", NO_ENVIRONMENT)
def test_where_nothing_would_be_looked_at_the_run_fails(project, sandbox, case):
    group, limit = NO_ENVIRONMENT[case]
    hosts = {"all": {"hosts": {"other": {}}, "children": {"unified_profiles": {}, group or "unified_profiles": {}}}}
    if group:
        hosts["all"]["children"][group] = {"hosts": {"dev": project.settings("dev")}}
    (project.inventory / "hosts.yml").write_text(yaml.safe_dump(hosts))
    run = project.run("connect", *limit)
    assert run.status != 0, run.output
    # Of some limits Ansible says so itself, before any play.
    ours, its = "No environment: none of the hosts is in the group", "--limit|Could not match supplied host pattern"
    assert re.search(f"{ours}|{its}", " ".join(run.output.split())), run.output
    assert "Traceback" not in run.output
    assert sandbox.journal() == []


@pytest.mark.parametrize("task", ["Act on this environment", "Write the report*", "nosuch"])
def test_a_start_past_the_survey_is_refused(project, sandbox, task):
    run = project.run("connect", "--start-at-task", task)
    assert run.status != 0
    assert "--start-at-task: would leave out the survey" in " ".join(run.output.split())
    assert "Traceback" not in run.output
    assert sandbox.journal() == []


def test_one_fork_and_a_cache_of_facts(project, sandbox):
    """A playbook of one's own gathers and sets facts, which a later run of connect alone has from the cache."""
    cache = project.folder / "cache"
    outside = {
        "ANSIBLE_CACHE_PLUGIN": "jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(cache),
        "ANSIBLE_CACHE_PLUGIN_TIMEOUT": "86400",
        "ANSIBLE_GATHERING": "implicit",
    }
    fact = {"unified_profiles_friendly_name": "from a fact", "cacheable": True}
    gather = {
        "hosts": "unified_profiles",
        "connection": "local",
        "gather_facts": True,
        "gather_subset": ["!all"],
        "vars": {"ansible_python_interpreter": sys.executable},
        "tasks": [{"ansible.builtin.set_fact": fact}],
    }
    own = project.folder / "own.yml"
    own.write_text(yaml.safe_dump([gather, {"ansible.builtin.import_playbook": f"{COLLECTION}.connect"}]))
    first = project.run(str(own), "--forks", "1", "--limit", "dev", **outside)
    assert (first.status, first.report["dev"]["status"]) == (0, "proven"), first.output
    assert sandbox.world.environments["dev"].connection["friendly_name"] == "from a fact"
    (file,) = cache.glob("*")
    facts = file.read_text()
    assert "ansible_python_version" in facts
    sandbox.clear_journal()
    again = project.run("connect", "--forks", "1", "--limit", "dev", **outside)
    assert (again.status, again.changed.total()) == (0, 0), again.output
    assert {e["environment"] for e in sandbox.journal()} == {"dev"}
    assert sandbox.journal(writes=True) == []
    # What the playbooks register and set is of their run alone.
    assert file.read_text() == facts
    assert {*re.findall("unified_profiles_[a-z_]+", facts)} == {"unified_profiles_friendly_name"}


@pytest.mark.parametrize("role", ["connect", "recover", "rotate"])
def test_a_role_that_is_used_alone_refuses_a_misspelt_setting(project, sandbox, role):
    play = {
        "hosts": "dev",
        "connection": "local",
        "gather_facts": False,
        "tasks": [{"ansible.builtin.include_role": {"name": f"{COLLECTION}.{role}"}}],
    }
    (project.folder / "own.yml").write_text(yaml.safe_dump([play]))
    run = project.run(str(project.folder / "own.yml"), "-e", "unified_profiles_tiemout=5")
    assert run.status == 2, run.output
    said = "unified_profiles_tiemout: is no setting. Did you mean unified_profiles_timeout?"
    assert said in " ".join(run.output.split())
    assert sandbox.journal() == []


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "ansible_connection",
            "ssh",
            "ansible_connection: is not local, and the playbooks work on the controller. Set ansible_connection: local",
        ),
        ("ansible_connection", "{{ nosuch }}", "ansible_connection: refers to a variable that is not defined"),
        ("ansible_become", "{{ nosuch }}", "ansible_become: refers to a variable that is not defined"),
        # The settings of the run are taken from another host then.
        ("unified_profiles_max_fail_percentage", "half", "unified_profiles_max_fail_percentage: is no percentage"),
    ],
)
def test_a_first_host_that_gets_no_task_fails_alone(project, sandbox, variable, value, said):
    host_variables(project, "dev", **{variable: value})
    run = project.run("connect")
    assert run.status == 2
    assert {name: row["status"] for name, row in run.report.items()} == {
        "dev": "failed",
        "prod": "proven",
        "eu": "proven",
    }, run.output
    assert said in run.report["dev"][WHY]
    assert {e["environment"] for e in sandbox.journal()} == {"prod", "eu"}


# A number is wanted there, so each of these is refused by its name, wherever it is set.
PLACES = {
    "timeout": "play",
    "retry_budget": "vars_files",
    "proof_max_age": "vars_prompt",
    "test_event_timeout": "set_fact",
    "validate_certs": "role",
    "read_connector": "role defaults",
    "prompt": "group",
    "ignore_legacy": "host",
    "fail_on_unknown": "extra",
}


def test_settings_count_wherever_ansible_takes_variables_from(project):
    """The survey and the tasks that act see the same ones."""
    standing = {}
    for setting, place in PLACES.items():
        standing.setdefault(place, {})[f"unified_profiles_{setting}"] = f"given by the tester from {place}"
    folder = project.folder
    (folder / "more.yml").write_text(yaml.safe_dump(standing["vars_files"]))
    for name, variables in {"vars": standing["role"], "defaults": standing["role defaults"]}.items():
        (folder / f"roles/own/{name}").mkdir(parents=True)
        (folder / f"roles/own/{name}/main.yml").write_text(yaml.safe_dump(variables))
    host_variables(project, "dev", **standing["host"])
    (project.inventory / "group_vars/all.yml").write_text(yaml.safe_dump(standing["group"]))
    prompts = [{"name": name, "default": value} for name, value in standing["vars_prompt"].items()]
    look = {f"{COLLECTION}.profiles_survey": {}, "register": "looked", "run_once": True, "delegate_to": "localhost"}
    act = {f"{COLLECTION}.profiles_connection": {"settings": True}, "register": "acted", "ignore_errors": True}
    told = {"looked": "{{ looked.environments.dev.reasons | first }}", "acted": "{{ acted.msg }}"}
    save = {"content": "{{ told | to_json }}", "dest": str(folder / "told.json")}
    play = {
        "hosts": "dev",
        "gather_facts": False,
        "vars": {**standing["play"], "ansible_python_interpreter": sys.executable},
        "vars_files": ["more.yml"],
        "vars_prompt": prompts,
        "roles": ["own"],
        "tasks": [
            {"ansible.builtin.set_fact": standing["set_fact"]},
            *(look, act, {"ansible.builtin.copy": save, "vars": {"told": told}}),
        ],
    }
    (folder / "own.yml").write_text(yaml.safe_dump([play]))
    run = project.run(str(folder / "own.yml"), "-e", json.dumps(standing["extra"]))
    assert (folder / "told.json").exists(), run.output
    found = json.loads((folder / "told.json").read_text())
    for setting, place in PLACES.items():
        shown = f"is a string of {len(f'given by the tester from {place}')} characters (fingerprint "
        for text in found.values():
            assert f"unified_profiles_{setting}: must be" in text, (place, run.output)
            assert shown in text.partition(f"unified_profiles_{setting}: ")[2].partition(" unified_profiles_")[0], place


def test_a_playbook_of_ones_own_sets_what_connect_takes(project, sandbox):
    fact = {"ansible.builtin.set_fact": {"unified_profiles_friendly_name": "from a fact"}}
    first = {"hosts": "unified_profiles", "gather_facts": False, "connection": "local", "tasks": [fact]}
    connect = {
        "ansible.builtin.import_playbook": f"{COLLECTION}.connect",
        "vars": {"unified_profiles_source_labels": {"environment": "dev"}},
    }
    (project.folder / "own.yml").write_text(yaml.safe_dump([first, connect]))
    run = project.run(str(project.folder / "own.yml"), "--limit", "dev")
    assert (run.status, run.report["dev"]["status"]) == (0, "proven"), run.output
    assert {e["environment"] for e in sandbox.journal()} == {"dev"}
    environment = sandbox.world.environments["dev"]
    assert environment.connection["friendly_name"] == "from a fact"
    (source,) = [s for s in environment.sources.values() if s.name == "twilio-unified-profiles"]
    assert source.labels == [{"key": "environment", "value": "dev"}]
