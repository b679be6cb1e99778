# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWX as code: what configure.yml would make, by awx.awx's own argument specs, and the jobs of its workflow by hand.

There is no AWX here. The modules of awx.awx check their arguments and write them down, instead of sending them.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import jinja2
import jinja2.sandbox
import pytest
import yaml
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import complete
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _forms as forms
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._survey import SPEC
from sandbox import handovers
from support.project import HANGS, ROOT

pytestmark = pytest.mark.newest_only
AWX = ROOT / "extensions/awx"
CACHE = ROOT / ".cache/awx"
# After awx.awx's own module_utils, so that its argument specs are the real ones, and nothing is sent.
RECORDER = """

def _record(self, argument_spec, direct_params=None, error_callback=None, warn_callback=None, **kwargs):
    AnsibleModule.__init__(self, argument_spec={**ControllerModule.AUTH_ARGSPEC, **argument_spec}, **kwargs)
    given = {name: value for name, value in self.params.items() if value is not None}
    with open(environ["RECORD"], "a") as record:
        record.write(dumps([self._name.rpartition(".")[2], given]) + chr(10))
    self.exit_json(changed=True)


ControllerModule.__init__ = ControllerAPIModule.__init__ = _record
"""


def command(name, *arguments, **environment):
    return subprocess.run(
        [Path(sys.executable).with_name(name), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )


@pytest.fixture(scope="module")
def awx_collection():
    """A folder with ansible_collections/awx/awx, from the last release of the package ansible that carries it."""
    if not CACHE.exists():
        CACHE.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE.parent) as folder:
            download = ("-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "--python-version=3.12")
            done = command("python", *download, "ansible==12.*", "-d", folder)
            wheels = list(Path(folder).glob("*.whl"))
            if done.returncode or not wheels:
                pytest.skip("the package ansible 12, which carries awx.awx, cannot be downloaded here")
            with zipfile.ZipFile(wheels[0]) as wheel:
                names = [name for name in wheel.namelist() if name.startswith("ansible_collections/awx/awx/")]
                wheel.extractall(Path(folder) / "awx", names)
            try:
                (Path(folder) / "awx").rename(CACHE)
            except OSError:
                assert CACHE.exists()  # another worker was faster
    return CACHE


def configure(awx_collection, folder, *arguments):
    """What configure.yml asks the modules for: {module: [arguments]}."""
    shutil.copytree(awx_collection, folder / "collections")
    with open(folder / "collections/ansible_collections/awx/awx/plugins/module_utils/controller_api.py", "a") as code:
        code.write(RECORDER)
    record = folder / "record"
    options = {"ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"), "RECORD": str(record), "ANSIBLE_NOCOLOR": "1"}
    done = command("ansible-playbook", AWX / "configure.yml", *arguments, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    found = {}
    for module, arguments in map(json.loads, record.read_text().splitlines()):
        found.setdefault(module, []).append(arguments)
    return found


def configured_once(awx_collection, tmp_path_factory, name, *arguments):
    """The same for every worker of a run, since it takes half a minute."""
    # Above it, each worker of pytest-xdist has a folder of its own.
    base = tmp_path_factory.getbasetemp()
    common = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    found = common / f"awx-{name}.json"
    with open(common / f"awx-{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            found.write_text(json.dumps(configure(awx_collection, tmp_path_factory.mktemp("awx"), *arguments)))
    return json.loads(found.read_text())


@pytest.fixture(scope="module")
def made(awx_collection, tmp_path_factory):
    return configured_once(awx_collection, tmp_path_factory, "made")


@pytest.fixture(scope="module")
def configured(awx_collection, tmp_path_factory, made):
    """With environments that have credentials of their own, and with notifications."""
    environments = [{"name": name, "credentials": of} for name, of in own_credentials(made).items()]
    given = json.dumps({"awx_environments": environments, "awx_notifications": NOTIFICATIONS})
    return configured_once(awx_collection, tmp_path_factory, "configured", "-e", given)


def test_the_syntax_is_right(awx_collection):
    path = f"{awx_collection}:{ROOT / '.collections'}"
    playbooks = (AWX / "configure.yml", *sorted(AWX.glob("project/*.yml")))
    inventory = ("-i", ROOT / "inventories/example")
    done = command("ansible-playbook", *inventory, "--syntax-check", *playbooks, ANSIBLE_COLLECTIONS_PATH=path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("playbook: ") == len(playbooks)


def test_the_arguments_are_those_of_the_modules(made):
    counts = {module: len(arguments) for module, arguments in made.items()}
    assert counts == {
        "credential_type": 2,
        "execution_environment": 1,
        "project": 1,
        "inventory": 1,
        "inventory_source": 1,
        "job_template": 10,
        "workflow_job_template": 3,
        "schedule": 3,
    }


def test_the_injected_variables_are_those_that_the_modules_read(made):
    fallbacks = {name for option in SPEC.values() for name in option.get("fallback", (0, []))[1]}
    for kind in made["credential_type"]:
        fields = {field["id"]: field for field in kind["inputs"]["fields"]}
        assert set(kind["injectors"]["env"]) <= fallbacks
        used = {re.fullmatch(r"\{\{ (\w+) }}", value)[1] for value in kind["injectors"]["env"].values()}
        assert used == set(fields) == set(kind["inputs"]["required"])
        secret = {name for name, field in fields.items() if field.get("secret")}
        assert secret == {name for name in fields if "token" in name or "secret" in name}


def test_the_job_templates_fit_the_playbooks(made):
    specs = yaml.safe_load((ROOT / "roles/settings/meta/argument_specs.yml").read_text())["argument_specs"]
    known = {*specs["main"]["options"], *specs["run"]["options"]}
    templates = {template["name"].rpartition(": ")[2]: template for template in made["job_template"]}
    assert {name: template["job_type"] for name, template in templates.items() if template["job_type"] == "check"} == {
        "check": "check"
    }
    for template in templates.values():
        assert (AWX / "project" / template["playbook"]).exists()
        assert template["extra_vars"]["unified_profiles_ledger"] == "sync"
        assert set(template["extra_vars"]) <= known
        # Whoever may launch a job cannot send its credentials to another server.
        assert template["ask_variables_on_launch"] is False
        asked = {question["variable"] for question in template.get("survey_spec", {}).get("spec", [])}
        assert asked <= {"unified_profiles_confirm"}


def workflow_of(made, name):
    (found,) = (workflow for workflow in made["workflow_job_template"] if workflow["name"].rpartition(": ")[2] == name)
    return found


def test_the_workflow_waits_between_hand_over_and_verification(made):
    workflow = workflow_of(made, "connect with approval")
    names = {template["name"] for template in made["job_template"]}
    order = ("hand-over", "approval", "verify")
    nodes = sorted(workflow["workflow_nodes"], key=lambda node: order.index(node["identifier"]))
    assert [node for node in nodes if "limit" in node or "credentials" in node.get("related", {})] == []
    assert workflow["ask_limit_on_launch"] is True
    kinds = [node["unified_job_template"]["type"] for node in nodes]
    assert kinds == ["job_template", "workflow_approval", "job_template"]
    follows = [[after["identifier"] for after in node.get("related", {}).get("success_nodes", [])] for node in nodes]
    assert follows == [[nodes[1]["identifier"]], [nodes[2]["identifier"]], []]
    assert {nodes[0]["unified_job_template"]["name"], nodes[2]["unified_job_template"]["name"]} <= names
    schedules = {schedule["name"].rpartition(": ")[2]: schedule for schedule in made["schedule"]}
    assert {schedule["unified_job_template"] for schedule in schedules.values()} <= names
    assert {name: schedule["enabled"] for name, schedule in schedules.items()} == {
        "nightly": False,
        "nightly drift": True,
        "nightly rotate": False,
    }


def test_a_key_is_retired_only_after_an_approval(made):
    nodes = {node["identifier"]: node for node in workflow_of(made, "retire with approval")["workflow_nodes"]}
    assert nodes["rotate"]["related"]["success_nodes"] == [{"identifier": "approval"}]
    assert nodes["approval"]["unified_job_template"]["type"] == "workflow_approval"
    assert nodes["approval"]["related"]["success_nodes"] == [{"identifier": "retire"}]
    words = {
        template["name"].rpartition(": ")[2]: template["extra_vars"].get("unified_profiles_retire")
        for template in made["job_template"]
    }
    assert [name for name, word in words.items() if word] == ["retire"]
    handed_on = {"to_retire": {"dev": "3f29a1b07c55"}}
    assert jinja2.Template(words["retire"]).render(unified_profiles=handed_on) == str(handed_on["to_retire"])
    assert jinja2.Template(words["retire"]).render() == "{}"


def own_credentials(made):
    """Credentials of their own, by environment."""
    organization = {"name": "Default"}
    return {
        name: [{"name": f"{name} {kind['name']}", "organization": organization} for kind in made["credential_type"]]
        for name in ("prod", "eu")
    }


def test_credentials_of_its_own_need_a_workflow_of_its_own(made, configured):
    """An environment with credentials of its own has a workflow of its own."""
    credentials, found = own_credentials(made), configured
    asking = {template["name"] for template in found["job_template"] if template["ask_credential_on_launch"]}
    assert [workflow["name"].rpartition(", ")[2] for workflow in found["workflow_job_template"]] == ["prod", "eu"] * 3
    for workflow, (name, of) in zip(found["workflow_job_template"], credentials.items()):
        assert workflow["ask_limit_on_launch"] is False
        nodes = {node["identifier"]: node for node in workflow["workflow_nodes"]}
        for job in (nodes["hand-over"], nodes["verify"]):
            assert (job["limit"], job["related"]["credentials"]) == (name, of)
            # AWX refuses on a node what its template does not ask for.
            assert job["unified_job_template"]["name"] in asking
        assert "limit" not in nodes["approval"]
        assert nodes["hand-over"]["related"]["success_nodes"] == [{"identifier": "approval"}]


class Jobs:
    """Runs the job templates as AWX would: in a folder that is thrown away, with the inventory as a script."""

    def __init__(self, folder, sandbox, made, hosts, *arguments, **environment):
        self.folder, self.environment, self.arguments = folder, environment, arguments
        self.templates = {template["name"].rpartition(": ")[2]: template for template in made["job_template"]}
        inventory = folder / "inventory.yml"
        shared = {"ansible_connection": "local", "unified_profiles_allow_write_events": True}
        shared["unified_profiles_sandbox_url"] = sandbox.url
        group = {"hosts": {host: {} for host in hosts}, "vars": shared}
        inventory.write_text(yaml.safe_dump({"unified_profiles": group}))
        for host, lines in hosts.items():
            (folder / "host_vars").mkdir(exist_ok=True)
            (folder / f"host_vars/{host}.yml").write_text("\n".join(lines) + "\n")
        # As AWX's inventory update does, which has no vault password.
        self.exported = command("ansible-inventory", "-i", inventory, "--list", "--export").stdout

    def run(self, name, **survey):
        template = self.templates[name]
        variables = {**template["extra_vars"], **survey, "awx_user_name": "jane", "awx_job_id": 7}
        with tempfile.TemporaryDirectory() as private:
            script = Path(private) / "inventory/hosts"
            script.parent.mkdir()
            script.write_text(f"#!/bin/sh\ncat <<'END'\n{self.exported}\nEND\n")
            script.chmod(0o755)
            (Path(private) / "vars.json").write_text(json.dumps(variables))
            check = ["--check"] if template["job_type"] == "check" else []
            return command(
                "ansible-playbook",
                AWX / "project" / template["playbook"],
                *("-i", script, "-e", f"@{private}/vars.json"),
                *check,
                *self.arguments,
                ANSIBLE_NOCOLOR="1",
                AWX_PRIVATE_DATA_DIR=private,
                **self.environment,
            )


def press_connect(sandbox, name):
    environment = sandbox.world.environments[name]
    form = {"space_id": environment.space["id"], "profile_token": environment.profile_token, "allow_write_events": True}
    handovers.connect(sandbox.world, environment, form)


def pasted(output):
    """What a person copies from the task cards of a job's output."""
    return "\r\n".join(re.findall(r", digest ([0-9a-f]{12})\)", output))


def test_one_environment_with_the_credential_types(tmp_path, sandbox, made):
    dev = sandbox.world.environments["dev"]
    inputs = {
        "segment_token": dev.segment_token,
        "profile_token": dev.profile_token,
        "account_sid": dev.account_sid,
        "api_key": dev.api_key,
        "api_secret": dev.api_secret,
    }
    environment = {
        name: jinja2.Template(value).render(inputs)
        for kind in made["credential_type"]
        for name, value in kind["injectors"]["env"].items()
    }
    hosts = {"dev": [f"unified_profiles_space_id: {dev.space['id']}"]}
    jobs = Jobs(tmp_path, sandbox, made, hosts, **environment)
    sandbox.clear_journal()
    check = jobs.run("check")
    assert check.returncode == 0 or "pending" in check.stdout, check.stdout + check.stderr
    assert sandbox.journal(writes=True) == []
    first = jobs.run("hand over")
    assert first.returncode == 0, first.stdout + first.stderr
    press_connect(sandbox, "dev")
    # Approved without a confirmation: nothing is taken for done.
    hasty = jobs.run("connect")
    assert hasty.returncode != 0
    assert "dev is pending" in hasty.stdout
    confirmed = jobs.run("confirm", unified_profiles_confirm=pasted(first.stdout))
    assert confirmed.returncode == 0, confirmed.stdout + confirmed.stderr
    stored = str([service["documents"] for service in dev.services.values()])
    assert "'by': 'jane'" in stored
    assert jobs.run("connect").returncode == 0
    # What the job before handed on is the word.
    retire = jobs.run("retire", unified_profiles={"to_retire": {"dev": "3f29a1b07c55"}})
    assert "names the key 3f29a1b07c55, and no rotation is open" in " ".join(retire.stdout.split())


def test_many_environments_with_inline_vaulted_secrets(tmp_path, sandbox, made):
    password = tmp_path / "password"
    password.write_text("correct horse battery staple\n")
    hosts = {}
    for name in ("dev", "prod"):
        of = sandbox.world.environments[name]
        secrets = {
            "segment_token": of.segment_token,
            "profile_token": of.profile_token,
            "twilio_api_secret": of.api_secret,
        }
        hosts[name] = [
            f"unified_profiles_space_id: {of.space['id']}",
            f"unified_profiles_twilio_account_sid: {of.account_sid}",
            f"unified_profiles_twilio_api_key: {of.api_key}",
        ]
        for option, value in secrets.items():
            name_of = ("--name", f"unified_profiles_{option}", value)
            hosts[name].append(
                command("ansible-vault", "encrypt_string", "--vault-password-file", password, *name_of).stdout
            )
    jobs = Jobs(tmp_path, sandbox, made, hosts, "--vault-password-file", password)
    assert sandbox.world.environments["dev"].segment_token not in jobs.exported
    first = jobs.run("hand over")
    assert first.returncode == 0, first.stdout + first.stderr
    for name in hosts:
        press_connect(sandbox, name)
    confirmed = jobs.run("confirm", unified_profiles_confirm=pasted(first.stdout))
    assert confirmed.returncode == 0, confirmed.stdout + confirmed.stderr
    assert re.search(r"dev .*changed=0", jobs.run("connect").stdout)


NOTIFICATIONS = [
    {"name": "operations", "type": "slack", "configuration": {"channels": ["#ops"], "token": "t"}},
    {"name": "mail", "type": "email", "configuration": {"host": "mail.example.com", "recipients": ["ops@example.com"]}},
    {"name": "tickets", "type": "webhook", "configuration": {"url": "https://tickets.example.com", "headers": {}}},
]
# What AWX lets a message see of a job, among others (awx/main/models/notifications.py, JOB_FIELDS_ALLOWED_LIST).
ALLOWED = ("id", "name", "status", "artifacts")
MAX_SLACK = 3000


def rendered(configured, kind, artifacts):
    """What AWX would send: message and body, in its sandbox."""
    (template,) = (one for one in configured["notification_template"] if one["notification_type"] == kind)
    assert set(template["messages"]) == {"error"}
    job = {"id": 7, "name": "Unified Profiles: drift", "status": "failed", "artifacts": artifacts, "secret": "never"}
    context = {
        "job": {name: job[name] for name in ALLOWED},
        "job_friendly_name": "Job",
        "url": "https://awx.example.com/7",
    }
    environment = jinja2.sandbox.ImmutableSandboxedEnvironment()
    return {
        part: environment.from_string(text).render(**context) for part, text in template["messages"]["error"].items()
    }


def handed(**outcomes):
    return {"unified_profiles": forms.handed_on({name: complete(found) for name, found in outcomes.items()})}


EVIL = "\"quoted\" 'once' {{ 7 * 7 }} <b>&amp;</b> \\ {% raw %} \x1b[2J\n"


def test_drift_tells_people(configured):
    drift = {template["name"].rpartition(": ")[2]: template for template in configured["job_template"]}["drift"]
    assert drift["notification_templates_error"] == [f"Unified Profiles: {one['name']}" for one in NOTIFICATIONS]
    assert all("notification_templates_error" not in of for of in configured["job_template"] if of is not drift)
    for template in configured["notification_template"]:
        # AWX refuses one.
        assert "\n" not in template["messages"]["error"].get("message", "")
    artifacts = handed(
        dev={"status": "drifted", "fails": True, "reasons": [EVIL]}, prod={"status": "in_sync", "fails": False}
    )
    slack = rendered(configured, "slack", artifacts)["message"]
    first, line = slack.split("\n", 1)
    assert first == "Unified Profiles, Unified Profiles: drift: 1 drifted, 1 in_sync. https://awx.example.com/7"
    assert line.startswith("dev is drifted: ")
    assert "{{ 7 * 7 }} <b>&amp;</b>" in line
    assert "prod" not in slack
    mail = rendered(configured, "email", artifacts)
    assert "\n" not in mail["message"]
    assert mail["body"] == slack
    webhook = json.loads(rendered(configured, "webhook", artifacts)["body"])
    assert webhook["unified_profiles"] == artifacts["unified_profiles"]


@pytest.mark.parametrize("kind", ["slack", "email", "webhook"])
def test_a_thousand_environments_and_long_texts_survive(configured, kind):
    outcomes = {f"env{n}": {"status": "drifted", "fails": True, "reasons": [EVIL + "x" * 3000]} for n in range(1000)}
    artifacts = handed(**outcomes)
    found = rendered(configured, kind, artifacts)
    if kind == "webhook":
        assert json.loads(found["body"])["unified_profiles"]["counts"] == {"drifted": 1000}
        return
    text = found["body" if kind == "email" else "message"]
    assert "1000 drifted" in text
    assert len(text) <= MAX_SLACK
    assert text.endswith("...")


@pytest.mark.parametrize("artifacts", [{}, None, "$hidden due to Ansible no_log flag$"])
@pytest.mark.parametrize("kind", ["slack", "email", "webhook"])
def test_a_job_without_artifacts_is_told_as_well(configured, kind, artifacts):
    """So are the stubs with which AWX checks a message."""
    found = rendered(configured, kind, artifacts)
    if kind == "webhook":
        assert json.loads(found["body"])["unified_profiles"] == {}
    else:
        assert "it ended before its report" in found["message"]


def test_the_approval_appears_only_where_something_drifted(made):
    nodes = {node["identifier"]: node for node in workflow_of(made, "drift with approval")["workflow_nodes"]}
    follows = {
        name: {
            when: [after["identifier"] for after in found] for when, found in node.get("related", {}).items() if found
        }
        for name, node in nodes.items()
    }
    assert follows == {
        "drift": {"failure_nodes": ["anything-drifted"]},
        "anything-drifted": {"success_nodes": ["approval"]},
        "approval": {"success_nodes": ["repair"]},
        "repair": {"success_nodes": ["verify"]},
        "verify": {},
    }
    jobs = {name: node["unified_job_template"]["name"] for name, node in nodes.items() if name != "approval"}
    assert set(jobs.values()) <= {template["name"] for template in made["job_template"]}


def test_a_look_that_failed_asks_for_no_approval(tmp_path, made):
    inventory = tmp_path / "hosts.yml"
    inventory.write_text("{unified_profiles: {hosts: {dev: {}, prod: {}}}}")
    for artifacts, status in (
        (handed(dev={"status": "drifted", "fails": True}), 0),
        (handed(dev={"status": "broken", "fails": True}), 0),
        (handed(dev={"status": "failed", "fails": True}), 2),
        (handed(dev={"status": "pending", "fails": True}), 2),
        ({}, 2),
    ):
        given = ("-i", inventory, "--limit", "prod", "-e", json.dumps(artifacts))
        done = command("ansible-playbook", AWX / "project/drifted.yml", *given)
        assert done.returncode == status, done.stdout
