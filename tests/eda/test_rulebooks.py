# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rulebooks under the real ansible-rulebook: events come from the sandbox, and playbooks start."""

from __future__ import annotations

import http.server
import json
import os
import signal
import socket
import subprocess
import threading
import time
import typing as t
import urllib.parse
from pathlib import Path

import httpx
import pytest
import yaml
from sandbox.forwarding import Forwarder, forwarded
from sandbox.model import iso
from support.project import ROOT

RULEBOOK = ROOT / ".venv-eda/bin/ansible-rulebook"
pytestmark = [
    pytest.mark.newest_only,
    pytest.mark.skipif(
        not RULEBOOK.exists(), reason="needs Java 17 and ansible-rulebook, which `make .venv-eda/ready` installs"
    ),
]
SECRET = "signed-with-this"
LONG = 240  # seconds after which a test fails; none waits for them
# In place of ansible-playbook: says that it was started, and waits until it may begin.
GATE = """#!/bin/sh
echo $$ >> {folder}/begun
while [ -e {folder}/closed ]; do sleep 0.05; done
exec {real} "$@"
"""


class Activation:
    """A rulebook that runs."""

    def __init__(self, name, project, folder: Path, environments, options=(), **variables) -> None:
        self.folder, self.log, self.closed = folder, folder / "log.txt", folder / "closed"
        self.state, self.sandbox = project.inventory / ".unified_profiles", project.sandbox
        gate = folder / "bin/ansible-playbook"
        gate.parent.mkdir(exist_ok=True)
        gate.write_text(GATE.format(folder=folder, real=RULEBOOK.with_name("ansible-playbook")))
        gate.chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        given = {
            "events_host": "127.0.0.1",
            "events_port": self.port,
            "events_secret": SECRET,
            "events_recover": False,
            "unified_profiles_state_dir": str(self.state),
            **variables,
        }
        (folder / "vars.yml").write_text(yaml.safe_dump(given))
        rulebook = name if isinstance(name, Path) else ROOT / f"extensions/eda/rulebooks/{name}.yml"
        self.command = [RULEBOOK, "-r", rulebook, "--verbose", *options]
        self.command += ["-i", project.inventory, "--vars", folder / "vars.yml"]
        self.environment = {
            **os.environ,
            "PATH": f"{gate.parent}:{RULEBOOK.parent}:{os.environ['PATH']}",
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
            "ANSIBLE_NOCOLOR": "1",
            "SANDBOX_PORT": project.sandbox.url.rpartition(":")[2],
            "UNIFIED_PROFILES_ENVIRONMENTS": json.dumps(environments),
            "UNIFIED_PROFILES_OWN_ACTORS": "robot",
            "UNIFIED_PROFILES_STATE_DIR": str(self.state),
        }
        self.start()

    def start(self) -> None:
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )
        before = self.told("Waiting for events, ruleset")
        self.wait(lambda: self.told("Waiting for events, ruleset") > before)

    def told(self, text: str) -> int:
        return self.log.read_text().count(text)

    @property
    def begun(self) -> list[int]:
        """The processes of all playbooks that were started."""
        path = self.folder / "begun"
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def looked(self, playbook="drift", name="dev") -> str:
        """When the last run of a playbook that reported looked at an environment."""
        path = self.state / "looked.json"
        found = json.loads(path.read_text())["environments"] if path.exists() else {}
        return found.get(name, {}).get(playbook, {}).get("last", "")

    def poll(self, times=5) -> None:
        """Wait until the audit trail was requested some times more."""

        def polls():
            return len([entry for entry in self.sandbox.journal() if entry["path"].endswith("/audit-events")])

        before = polls()
        self.wait(lambda: polls() >= before + times)

    def wait(self, until) -> None:
        began = time.monotonic()
        while not until():
            assert time.monotonic() - began < LONG, self.log.read_text()[-5000:]
            assert self.process.poll() is None, self.log.read_text()[-5000:]
            time.sleep(0.05)

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def activate(project, tmp_path, sandbox):
    """Starts a rulebook, which knows the workspaces and accounts of dev and prod."""
    running = []

    def start(name, **variables):
        known = {}
        for environment in ("dev", "prod"):
            env = sandbox.world.environments[environment]
            known[environment] = {"workspace_id": env.workspace["id"], "twilio_account_sid": env.account_sid}
        running.append(Activation(name, project, tmp_path, known, **variables))
        return running[-1]

    yield start
    for one in running:
        if one.process.poll() is None:
            one.kill()


@pytest.fixture
def follow(activate, sandbox, tmp_path):
    """Starts a rulebook that follows the audit trail of dev."""

    def start(name="audit_trail", **variables):
        dev, cursor = sandbox.world.environments["dev"], tmp_path / "cursor.json"
        given = {
            "events_environments": {"dev": {"segment_token": dev.segment_token, "segment_region": dev.region}},
            "events_cursor": str(cursor),
            "events_interval": 0.2,
            "unified_profiles_sandbox_url": sandbox.url,
        }
        activation = activate(name, **given, **variables)
        activation.wait(lambda: cursor.exists() and "dev" in cursor.read_text())
        return activation

    return start


def again(folder: Path, seconds: int) -> Path:
    """A copy of the rulebook, where an event is handed on again so soon."""
    text = (ROOT / "extensions/eda/rulebooks/audit_trail.yml").read_text()
    assert "        state_dir:" in text
    (folder / "soon.yml").write_text(
        text.replace("        state_dir:", f"        again: {seconds}\n        state_dir:")
    )
    return folder / "soon.yml"


def looks(sandbox, name="dev") -> int:
    """Return how many playbooks looked at an environment: each lists its sources once."""
    return len(
        [entry for entry in sandbox.journal() if entry["environment"] == name and entry["path"].endswith("/sources")]
    )


def test_a_signed_event_starts_the_playbook_once_and_a_wrong_one_starts_nothing(activate, project, sandbox, count):
    assert project.run("connect").status == 0
    activation = activate("segment_audit")
    url = f"http://127.0.0.1:{activation.port}/audit"
    sandbox.clear_journal()
    wrong = Forwarder(url, "another secret")
    dev, prod, eu = (sandbox.world.environments[name] for name in ("dev", "prod", "eu"))
    # Of now: no run has looked since.
    event = {"id": "e0", "type": "Source Deleted", "timestamp": iso(sandbox.world.now()), "actor": "user_1"}
    event |= {"resourceId": "x", "resourceType": "SOURCE", "resourceName": "x"}
    wrong(dev, event)
    activation.wait(lambda: wrong.answers)
    assert wrong.answers == [401]
    # What the collection did itself is no reason to look. An event of a workspace that nobody named is reported.
    right = Forwarder(url, SECRET)
    right(prod, {**event, "actor": "robot"})
    right(eu, event)
    activation.wait(lambda: activation.told("no environment is known for it"))
    assert looks(sandbox) == 0
    sandbox.world.forwarders.append(right)
    began = time.monotonic()
    sandbox.sabotage("dev", "delete-source")
    activation.wait(lambda: looks(sandbox))
    # Reported, and not asserted: a busy machine takes longer.
    count(
        "milliseconds from a deletion to its playbook's first look at the source",
        round(1000 * (time.monotonic() - began)),
    )
    # A storm of the same: none starts a second run.
    body = json.dumps(forwarded(dev, dev.audit[-1]))
    for _n in range(100):
        right._waiting.put(body.encode())
    activation.wait(lambda: len(right.answers) >= 103)
    assert set(right.answers) == {200}
    activation.wait(lambda: activation.told("PLAY RECAP"))
    assert (looks(sandbox), looks(sandbox, "prod")) == (1, 0)
    assert sandbox.journal(writes=True) == []
    assert "eu " not in activation.log.read_text().partition("PLAY RECAP")[2], "it is limited to the environment"


class StandIn(http.server.BaseHTTPRequestHandler):
    """What ansible-rulebook asks an AWX that has one workflow."""

    launched: list[dict]
    workflow: t.ClassVar[dict] = {
        **{"id": 1, "type": "workflow_job_template", "related": {"launch": "/launch/"}},
        **dict.fromkeys((f"ask_{what}_on_launch" for what in ("labels", "inventory", "variables")), False),
        "ask_limit_on_launch": True,
    }

    def do_GET(self) -> None:
        name = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("name", [""])[0]
        found = {**self.workflow, "name": name, "summary_fields": {"organization": {"name": "Default"}}}
        job = {"id": 7, "status": "successful", "url": "/api/v2/workflow_jobs/7/", "created": "2026-11-26T10:00:00Z"}
        self._answer({"results": [found if name else job], "count": 1, "next": None, "version": "24.6.1", **job})

    def do_POST(self) -> None:
        self.launched.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self._answer({"id": 7, "url": "/api/v2/workflow_jobs/7/"})

    def _answer(self, body: dict) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.mark.full
def test_an_event_launches_the_workflow_that_asks_for_an_approval(activate, project, sandbox, tmp_path):
    """With the action that the guide shows."""
    assert project.run("connect").status == 0
    shown = (ROOT / "docs/events.md").read_text().partition("```yaml\naction:")[2].partition("```")[0]
    (ruleset,) = yaml.safe_load((ROOT / "extensions/eda/rulebooks/segment_audit.yml").read_text())
    (rule,) = (rule for rule in ruleset["rules"] if rule["name"] == "Look at the environment")
    rule |= yaml.safe_load(f"action:{shown}")
    (tmp_path / "own.yml").write_text(yaml.safe_dump([ruleset]))
    handler = type("OfThisTest", (StandIn,), {"launched": []})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as awx:
        threading.Thread(target=awx.serve_forever, daemon=True).start()
        at = ("--controller-url", f"http://127.0.0.1:{awx.server_port}", "--controller-token", "of-awx")
        activation = activate(tmp_path / "own.yml", options=at)
        sandbox.world.forwarders.append(Forwarder(f"http://127.0.0.1:{activation.port}/audit", SECRET))
        sandbox.clear_journal()
        sandbox.sabotage("dev", "disable-source")
        activation.wait(lambda: handler.launched)
        awx.shutdown()
    assert [body["limit"] for body in handler.launched] == ["dev"]
    assert looks(sandbox) == 0


@pytest.mark.full
def test_a_recovery_without_a_person_is_opt_in(activate, project, sandbox):
    assert project.run("connect").status == 0
    project.hosts(dev={"like": "dev"}, prod={"like": "prod", "channel": "operator", "endpoints": {}})
    activation = activate("segment_audit", events_recover=True)
    sandbox.world.forwarders.append(Forwarder(f"http://127.0.0.1:{activation.port}/audit", SECRET))
    # Nobody would link a source that was made for this one.
    prod, dev = (sandbox.world.environments[name] for name in ("prod", "dev"))
    sandbox.sabotage("prod", "delete-source")
    activation.wait(lambda: activation.told("unified_profiles_channel is endpoint"))
    assert "twilio-unified-profiles" not in {source.name for source in prod.sources.values()}
    sandbox.sabotage("dev", "delete-source")

    def recovered():
        return [
            source
            for source in dev.sources.values()
            if source.name == "twilio-unified-profiles" and source.keys[0] == dev.flex_key
        ]

    activation.wait(recovered)
    activation.wait(lambda: project.ledger("dev")["key"]["done"]["subject"]["source_id"] == recovered()[0].id)


@pytest.mark.full
def test_twilios_errors_need_the_token(activate, project, sandbox):
    assert project.run("connect").status == 0
    activation = activate("twilio_errors")
    sandbox.clear_journal()
    data = {"account_sid": sandbox.world.environments["dev"].account_sid, "error_code": "49008"}
    # No look began after it yet.
    event = {"specversion": "1.0", "type": "com.twilio.error-logs.error.logged", "id": "EV1"}
    event["time"] = activation.looked("connect")
    event["data"] = data
    url = f"http://127.0.0.1:{activation.port}/twilio"
    with httpx.Client(trust_env=False, timeout=30) as twilio:
        assert twilio.post(url, json=[event]).status_code == 401
        right = {"Authorization": f"Bearer {SECRET}"}
        assert twilio.post(url, json=[event], headers=right).status_code == 200
        activation.wait(activation.looked)
        # Sent again after a crash, and then one that is reported.
        activation.kill()
        activation.start()
        another = {**event, "data": {**data, "account_sid": "AC9"}}
        assert [twilio.post(url, json=[one], headers=right).status_code for one in (event, another)] == [200, 200]
        activation.wait(lambda: activation.told("no environment is known for it"))
    assert (looks(sandbox), len(activation.begun)) == (1, 1)


@pytest.mark.full
@pytest.mark.parametrize("name", ["segment_audit", "twilio_errors"])
def test_the_source_can_be_swapped_for_an_event_stream(activate, project, sandbox, tmp_path, name):
    """With an event as the controller of Event-Driven Ansible hands it on; the filters and rules stay."""
    assert project.run("connect").status == 0
    dev = sandbox.world.environments["dev"]
    audit = {"id": "e1", "type": "Source Modified", "timestamp": iso(sandbox.world.now()), "actor": "user_1"}
    audit |= {"resourceId": "x", "resourceType": "SOURCE", "resourceName": "x"}
    logged = {
        "type": "com.twilio.error-logs.error.logged",
        "data": {"account_sid": dev.account_sid, "error_code": "49008"},
    }
    payload = forwarded(dev, audit) if name == "segment_audit" else {"body": [logged]}
    meta = {"endpoint": "/eda-event-streams/1/post/", "eda_event_stream_name": name, "headers": {"Accept": "*/*"}}
    (ruleset,) = yaml.safe_load((ROOT / f"extensions/eda/rulebooks/{name}.yml").read_text())
    (source,) = ruleset["sources"]
    del source["eda.builtin.webhook"]
    source["eda.builtin.generic"] = {"payload": [{"payload": payload, "meta": meta}], "shutdown_after": LONG}
    (tmp_path / "swapped.yml").write_text(yaml.safe_dump([ruleset]))
    sandbox.clear_journal()
    activation = activate(tmp_path / "swapped.yml")
    activation.wait(lambda: looks(sandbox))
    assert looks(sandbox, "prod") == 0


@pytest.mark.full
def test_killed_at_any_point_nothing_is_lost_and_nothing_is_looked_into_twice(follow, project, sandbox, tmp_path):
    assert project.run("connect").status == 0
    activation = follow()
    activation.kill()
    sandbox.sabotage("dev", "disable-source")  # while nothing runs
    activation.closed.touch()
    activation.start()
    activation.wait(lambda: len(activation.begun) == 1)
    # The playbook was started, and has not begun. It outlives ansible-rulebook, so it is not started a second time.
    activation.kill()
    activation.start()
    activation.poll()
    (first,) = activation.begun
    # Now it is gone as well.
    activation.kill()
    os.kill(first, signal.SIGKILL)
    activation.closed.unlink()
    soon = follow(again(tmp_path, 1))
    soon.wait(soon.looked)
    # The same event after a crash: a run has looked since.
    soon.kill()
    activation = follow()
    activation.poll()
    assert len(activation.begun) == 2
    # The collection's own token enables the source: nobody has named it.
    assert project.run("connect", "--limit", "dev").changed["dev"]
    assert sandbox.world.environments["dev"].audit[-1]["type"] == "Source Enabled"
    activation.poll()
    assert len(activation.begun) == 2
    sandbox.sabotage("dev", "disable-source")
    activation.wait(lambda: len(activation.begun) == 3)
    token = sandbox.world.environments["dev"].segment_token
    assert token not in "".join(path.read_text() for path in activation.folder.glob("*.*") if path.name != "vars.yml")


@pytest.mark.full
def test_a_recovery_comes_once_in_its_throttle(follow, project, sandbox, tmp_path):
    assert project.run("connect").status == 0
    dev = sandbox.world.environments["dev"]

    def recovered():
        of_name = [source for source in dev.sources.values() if source.name == "twilio-unified-profiles"]
        return bool(of_name) and of_name[0].keys[0] == dev.flex_key

    activation = follow(events_recover=True)
    sandbox.sabotage("dev", "delete-source")
    activation.wait(lambda: recovered() and activation.looked("recover"))
    # Within the hour no second one is started, and the event is not forgotten.
    sandbox.sabotage("dev", "delete-source")
    activation.poll(10)
    assert (len(activation.begun), recovered()) == (1, False)
    activation.kill()
    soon = again(tmp_path, 1)
    soon.write_text(soon.read_text().replace("once_within: 1 hour", "once_within: 1 second"))
    activation = follow(soon, events_recover=True)
    activation.wait(recovered)
    sandbox.sabotage("dev", "delete-source")
    activation.wait(recovered)
