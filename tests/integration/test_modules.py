# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules on their own: in process and as ordinary modules, keys, deleting, and the built collection."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.project import ROOT

COLLECTION = "flexops.unified_profiles"


def play(project, tasks, **variables):
    environment = project.sandbox.world.environments["dev"]
    connection = {
        "segment_token": environment.segment_token,
        "segment_api_url": project.sandbox.url + "/segment/{region}",
        "profile_api_url": project.sandbox.url + "/profiles/{region}",
    }
    document = [
        {
            "hosts": "dev",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": sys.executable, **variables},
            "module_defaults": {f"group/{COLLECTION}.all": connection},
            "tasks": tasks,
        }
    ]
    path = project.folder / "play.yml"
    path.write_text(yaml.safe_dump(document))
    return path


def results(project, tasks, *arguments, **variables):
    """The results of tasks, and the run."""
    out = project.folder / "results.json"
    out.unlink(missing_ok=True)
    given = [{**task, "register": f"found{n}", "ignore_errors": True} for n, task in enumerate(tasks)]
    names = ", ".join(task["register"] for task in given)
    save = {
        "ansible.builtin.copy": {"content": f"{{{{ [{names}] | to_json }}}}", "dest": str(out)},
        "check_mode": False,
    }
    path = play(project, [*given, save], **variables)
    run = project.run(str(path), *arguments)
    assert out.exists(), run.output
    return json.loads(out.read_text()), run


def result(project, task, *arguments, **variables):
    """The result of one task, and the run."""
    (found,), run = results(project, [task], *arguments, **variables)
    return found, run


WAYS = {
    "in process": {},
    "ordinary module": {"unified_profiles_in_process": False},
}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_result_both_ways(project, way):
    found, _run = result(
        project, {f"{COLLECTION}.segment_source": {"source_labels": {"environment": "dev"}}}, **WAYS[way]
    )
    assert found["changed"], found
    source = found["source"]
    assert (source["name"], source["enabled"], source["labels"]) == (
        "twilio-unified-profiles",
        True,
        {"environment": "dev"},
    )
    again, _run = result(
        project, {f"{COLLECTION}.segment_source": {"source_labels": {"environment": "dev"}}}, **WAYS[way]
    )
    assert not again["changed"]
    assert again["source"] == source


WRONG = "sgp_marked0123456789abcdef0123456789abcdef"
WRONG_ARGUMENTS = [
    (
        {"segment_region": WRONG},
        "segment_region: must be one of us, eu, and is a string of 42 characters (fingerprint ",
    ),
    (
        {"wait_timeout": WRONG},
        "wait_timeout: must be a whole number, and is a string of 42 characters (fingerprint ",
    ),
    (
        {"source_labels": WRONG + "="},
        "source_labels: must be a mapping, and is a string of 43 characters (fingerprint ",
    ),
    ({"wait_timeout": float("inf")}, "wait_timeout: must be a whole number, and is a number."),
    (
        {"name": WRONG},
        f"Unsupported parameters for ({COLLECTION}.segment_source) module: name. Supported parameters include: accounts_url,",
    ),
    ({"twilio_edge": WRONG, "state": None, "source_id": "nowhere", "create": False}, ""),
]


@pytest.mark.parametrize("way", WAYS)
def test_no_argument_is_shown_either_way(project, way):
    tasks = [{f"{COLLECTION}.segment_source": given} for given, _said in WRONG_ARGUMENTS]
    found, run = results(project, tasks, "-vvv", **WAYS[way])
    for (given, said), one in zip(WRONG_ARGUMENTS, found):
        assert one.get("failed", False) == bool(said or "source_id" in given), one
        assert one["msg"].startswith(said), one["msg"]
    assert WRONG[4:] not in run.output
    assert "Traceback" not in run.output


def test_async_runs_as_an_ordinary_module(project):
    # Ansible writes the result where HOME says, and reads it where the password database does.
    folder = {"ansible_async_dir": str(project.folder / "async")}
    found, _run = result(project, {f"{COLLECTION}.segment_space_info": {}, "async": 30, "poll": 1, "vars": folder})
    assert found["workspace"]["slug"] == "dev-workspace"


def test_task_environment_feeds_the_fallbacks(project, sandbox):
    token = sandbox.world.environments["prod"].segment_token
    task = {
        f"{COLLECTION}.segment_space_info": {"segment_token": "{{ omit }}"},
        "environment": {"SEGMENT_TOKEN": token},
    }
    path = play(
        project, [{**task, "register": "found"}, {"ansible.builtin.debug": {"msg": "{{ found.workspace.slug }}"}}]
    )
    document = yaml.safe_load(path.read_text())
    del document[0]["module_defaults"][f"group/{COLLECTION}.all"]["segment_token"]
    path.write_text(yaml.safe_dump(document))
    assert "prod-workspace" in project.run(str(path)).output


def test_check_mode_on_one_task_and_loops(project, sandbox):
    task = {f"{COLLECTION}.segment_source": {"source_name": "{{ item }}"}, "loop": ["one", "two"], "check_mode": True}
    found, _run = result(project, task)
    assert [r["source"]["id"] for r in found["results"]] == ["<set by Segment>"] * 2
    assert sandbox.journal(writes=True) == []


@pytest.mark.newest_only
def test_keys_are_added_once_and_the_last_is_never_removed(project):
    made, _run = result(project, {f"{COLLECTION}.segment_source": {}})
    source, (old,) = made["source"]["id"], made["source"]["key_fingerprints"]
    add = {f"{COLLECTION}.segment_source_key": {"source_id": source, "known_fingerprints": [old]}}
    added, _run = result(project, add)
    assert len(added["key_fingerprints"]) == 2
    assert not result(project, add)[0]["changed"]
    remove = {f"{COLLECTION}.segment_source_key": {"source_id": source, "state": "absent", "key_fingerprint": old}}
    assert old not in result(project, remove)[0]["key_fingerprints"]
    assert not result(project, remove)[0]["changed"]
    (last,) = [f for f in added["key_fingerprints"] if f != old]
    remove[f"{COLLECTION}.segment_source_key"]["key_fingerprint"] = last
    refused, _run = result(project, remove)
    assert "the last one of the source" in refused["msg"]


@pytest.mark.newest_only
def test_deleting_needs_the_id(project, sandbox):
    made, _run = result(project, {f"{COLLECTION}.segment_source": {}})
    refused, _run = result(project, {f"{COLLECTION}.segment_source": {"state": "absent"}})
    assert refused["failure"]["kind"] == "refused"
    assert made["source"]["id"] in refused["msg"]
    options = {"state": "absent", "confirm_delete": made["source"]["id"]}
    assert result(project, {f"{COLLECTION}.segment_source": options})[0]["changed"]
    assert not result(project, {f"{COLLECTION}.segment_source": options})[0]["changed"]
    assert len(sandbox.world.environments["dev"].sources) == 2


@pytest.mark.parametrize("kind", ["drop_after", "drop_before"])
@pytest.mark.newest_only
def test_a_create_without_an_answer_makes_one_source(project, sandbox, kind):
    sandbox.fault(match="POST /segment/us/sources$", kind=kind)
    found, _run = result(project, {f"{COLLECTION}.segment_source": {}})
    assert found["changed"], found
    assert [s.name for s in sandbox.world.environments["dev"].sources.values()].count("twilio-unified-profiles") == 1


def test_a_failure_is_structured(project):
    found, _run = result(project, {f"{COLLECTION}.segment_source_key": {"source_id": "nowhere"}})
    failure = found["failure"]
    assert (failure["kind"], failure["status"], failure["method"]) == ("api", 404, "GET")
    assert failure["request_id"]
    assert failure["path"] == "/sources/nowhere"


def twilio(project):
    environment = project.sandbox.world.environments["dev"]
    return {
        "twilio_account_sid": environment.account_sid,
        "twilio_api_key": environment.api_key,
        "twilio_api_secret": environment.api_secret,
        "flex_url": project.sandbox.url + "/twilio/flex",
        "monitor_url": project.sandbox.url + "/twilio/monitor",
    }


@pytest.mark.newest_only
def test_flex_info_shows_the_alerts_of_the_connector(project, sandbox):
    # Flex holds a key, and the connector is not there.
    sandbox.sabotage("dev", "wrong-key-in-flex")
    sandbox.engage("dev", 1)
    task = {f"{COLLECTION}.flex_info": {**twilio(project), "alerts_since": "2020-01-01T00:00:00Z"}}
    found, _run = result(project, task)
    assert found["flex"]["ready"]
    assert [alert["code"] for alert in found["alerts"]] == ["49008"]


@pytest.mark.newest_only
def test_flex_info_tells_another_account(project, sandbox):
    account = sandbox.world.environments["prod"].account_sid
    task = {f"{COLLECTION}.flex_info": {**twilio(project), "twilio_account_sid": account, "fail_on_problem": True}}
    found, _run = result(project, task)
    assert "the credentials belong to" in found["msg"]


@pytest.mark.newest_only
def test_validate_reports_all_checks_at_once(project, sandbox):
    task = {
        f"{COLLECTION}.segment_space_validate": {
            "space_id": "spa_no",
            "profile_token": "wrong",
            "fail_on_problem": False,
        }
    }
    found, _run = result(project, task)
    assert {check["check"]: check["verdict"] for check in found["checks"]} == {
        "format": "passed",
        "space": "failed",
        "pair": "failed",
        "region": "passed",
        "rights": "passed",
    }


@pytest.mark.newest_only
def test_the_survey_says_everything_that_is_wrong_at_once(project, sandbox):
    sandbox.sabotage("dev", "revoke-token", which="twilio")
    survey = {f"{COLLECTION}.profiles_survey": {"playbook": "connect"}}
    wrong = {"unified_profiles_space_id": "spa_no", "unified_profiles_profile_token": "wrong"}
    found, _run = result(project, survey, "-e", json.dumps(wrong))
    assert not found["changed"]
    for said in ("no space 'spa_no' is known", "profile_token", "Twilio Flex API answered"):
        assert said in found["environments"]["dev"]["reasons"][0], found
    sandbox.clear_journal()
    refused, _run = result(project, survey, "-e", json.dumps({**wrong, "unified_profiles_allow_write_events": False}))
    assert "allow_write_events: is not true" in refused["environments"]["dev"]["reasons"][0]
    assert sandbox.journal() == []


@pytest.mark.newest_only
def test_validate_tells_a_token_that_cannot_see_keys(project, sandbox):
    environment = sandbox.world.environments["dev"]
    options = {"space_id": environment.space["id"], "profile_token": environment.profile_token}
    task = {f"{COLLECTION}.segment_space_validate": {**options, "segment_token": environment.read_only_token}}
    found, _run = result(project, task)
    assert found["failure"]["problem"] == "rights"
    assert "cannot see the write keys" in found["msg"]


@pytest.mark.newest_only
def test_source_info_diagnoses(project):
    task = {f"{COLLECTION}.segment_source_info": {"recorded_source_id": "gone", "read_audit_trail": True}}
    found, _run = result(project, task)
    assert [finding["problem"] for finding in found["findings"]] == ["deleted"]
    assert found["source"] is None


def test_missing_httpx_names_the_python_and_the_way_out(project, tmp_path):
    broken = tmp_path / "broken/httpx"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('no httpx', name='httpx')\n")
    path = play(project, [{f"{COLLECTION}.segment_space_info": {}}])
    run = project.run(str(path), PYTHONPATH=str(broken.parent))
    assert "The Python library httpx is not installed for" in run.output
    assert "-m pip install" in run.output


@pytest.mark.parametrize("extra", [{}, {"delegate_to": "prod"}])
def test_defaults_by_module_and_delegation(project, extra):
    task = {f"{COLLECTION}.segment_source": {}, **extra}
    defaults = {f"{COLLECTION}.segment_source": {"source_name": "by-module-default"}}
    path = play(project, [{"block": [{**task, "register": "found"}], "module_defaults": defaults}])
    run = project.run(str(path), "--diff")
    assert "name: by-module-default" in run.output, run.output


def elsewhere(project):
    """Variables for a host behind a connection that is not local, whose Python has no httpx."""
    broken = project.folder / "broken/httpx"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('no httpx', name='httpx')\n")
    return {"PYTHONPATH": str(broken.parent)}


@pytest.fixture
def remote(monkeypatch):
    monkeypatch.setenv("ANSIBLE_CONNECTION_PLUGINS", str(Path(__file__).parent / "connection_plugins"))
    return {"ansible_connection": "elsewhere"}


def test_on_another_host_a_module_runs_there(project, remote):
    task = {f"{COLLECTION}.segment_space_info": {}, "environment": elsewhere(project)}
    found, _run = result(project, {**task, "vars": remote})
    assert found["failure"]["kind"] == "missing_library"
    assert found["failure"]["interpreter"] == sys.executable


def test_on_another_host_a_hand_over_stays_on_the_controller(project, remote):
    options = {"environment": "dev", "state_dir": str(project.folder / "state"), "space_id": "spa_1", "source_id": "s1"}
    task = {f"{COLLECTION}.profiles_link": options, "environment": elsewhere(project)}
    found, _run = result(project, {**task, "vars": remote})
    assert found["handover"]["status"] == "pending"
    assert (project.folder / "state/ledger/dev.json").exists()


def test_the_built_collection_runs_connect(project, sandbox, tmp_path):
    command = Path(sys.executable).with_name("ansible-galaxy")
    path = tmp_path / "installed"
    environment = {**os.environ, "PYTHONPATH": "", "ANSIBLE_COLLECTIONS_PATH": str(path)}
    quiet = {"capture_output": True, "text": True, "env": environment}
    subprocess.run([command, "collection", "build", "--output-path", tmp_path, ROOT], check=True, **quiet)
    (archive,) = tmp_path.glob("*.tar.gz")
    subprocess.run([command, "collection", "install", archive, "-p", path, "--offline"], check=True, **quiet)
    config = tmp_path / "empty.cfg"
    config.write_text("[defaults]\n")
    only_this = {"ANSIBLE_CONFIG": str(config), "ANSIBLE_COLLECTIONS_PATH": str(path), "PYTHONPATH": ""}
    run = project.run(f"{COLLECTION}.connect", **only_this)
    assert run.status == 0, run.output
    assert {row["status"] for row in run.report.values()} == {"proven"}
    # What checks nothing is no success here either.
    sandbox.sabotage("dev", "rename-source")
    left_out = project.run(f"{COLLECTION}.connect", "--tags", "nosuch", **only_this)
    assert (left_out.status, left_out.report["dev"]["status"]) == (2, "pending"), left_out.output
    hosts = project.inventory / "hosts.yml"
    hosts.write_text(hosts.read_text().replace("\nunified_profiles:", "\nunified_profile:"))
    nobody = project.run(f"{COLLECTION}.connect", **only_this)
    assert nobody.status == 2, nobody.output
    assert "No environment: none of the hosts is in the group" in " ".join(nobody.output.split())
    nothing = project.run(f"{COLLECTION}.connect", "--limit", "dev:!dev", **only_this)
    assert nothing.status != 0, nothing.output
    names = [p.relative_to(path).as_posix() for p in path.rglob("*")]
    assert not [n for n in names if ".venv" in n or ".collections" in n]


@pytest.mark.parametrize(
    ("module", "given", "said"),
    [
        ("profiles_report", {"playbook": {"a": WRONG}}, "playbook: must be a string, and is a mapping."),
        (
            "profiles_survey",
            {"playbook": WRONG},
            "playbook: must be one of connect, drift, recover, rotate, and is a string of 42 characters",
        ),
        ("profiles_report", {"report_dir": [WRONG]}, "report_dir: must be a string, and is a list."),
        ("profiles_ask", {"timeout": WRONG}, "timeout: must be a whole number, and is a string of 42 characters"),
        ("profiles_ask", {"name": WRONG}, f"Unsupported parameters for ({COLLECTION}.profiles_ask) module: name."),
    ],
)
def test_what_only_the_controller_runs_shows_no_argument_either(project, module, given, said):
    found, run = result(project, {f"{COLLECTION}.{module}": given}, "-vvv")
    assert found["msg"].startswith(said), found["msg"]
    assert WRONG[4:] not in run.output
