# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every recipe does what its first line says. The command in its head is what runs here, on a sandbox with the example's two hosts."""

from __future__ import annotations

import datetime
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from sandbox import handovers, inventory, state
from sandbox.model import SOURCE_NAME
from sandbox.server import run_sandbox
from support.project import HANGS, ROOT

pytestmark = pytest.mark.newest_only
RECIPES = {path.stem: path.read_text() for path in sorted((ROOT / "examples").glob("*.yml"))}
PAGE = (ROOT / "docs/recipes.md").read_text()
HOSTS = (("staging", "us"), ("production", "eu"))


class Desk:
    """A folder as a user has it, with `examples` and `inventories/mine`, and the sandbox that its requests go to."""

    def __init__(self, folder, sandbox):
        self.folder, self.sandbox = folder, sandbox
        self.kept = folder / "inventories/mine/.unified_profiles"

    def run(self, recipe, *more, replace=(), **environment):
        text = re.search(r"^# (?:\w+=\S+ )?(ansible-playbook .*(?:\n#   .*)*)", RECIPES[recipe], re.MULTILINE)[1]
        text = text.replace("\n#  ", "")
        for old, new in replace:
            assert old in text
            text = text.replace(old, new)
        return self.shell(" ".join([text, *more]), **environment)

    def shell(self, text, **environment):
        known = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", "COLUMNS": "500"}
        path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        done = subprocess.run(
            ["bash", "-c", text],
            cwd=self.folder,
            env={**os.environ, **known, **path, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=HANGS,
        )
        return done.returncode, done.stdout + done.stderr

    def environment(self, name="staging"):
        return self.sandbox.world.environments[name]

    def source(self, name="staging"):
        (source,) = (one for one in self.environment(name).sources.values() if one.name == SOURCE_NAME)
        return source

    def report(self, kind="report.json"):
        return json.loads((self.kept / kind).read_text())["environments"]

    def credentials(self):
        """The environment variables that the lists of the recipes read."""
        return {
            f"{variable}_{env.name}": value
            for env in self.sandbox.world.environments.values()
            for variable, value in (
                ("SEGMENT_TOKEN", env.segment_token),
                ("PROFILE_TOKEN", env.profile_token),
                ("TWILIO_ACCOUNT", env.account_sid),
                ("TWILIO_KEY", env.api_key),
                ("TWILIO_SECRET", env.api_secret),
            )
        }


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A sandbox, and the folder in which the recipe for a gateway has connected both environments; what that printed."""
    folder = tmp_path_factory.mktemp("recipes")
    with run_sandbox(HOSTS) as sandbox:
        shutil.copytree(ROOT / "examples", folder / "examples")
        # A day that has not passed, whenever this runs.
        accepted = folder / "examples/04_drift_nightly.yml"
        tomorrow = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
        accepted.write_text(accepted.read_text().replace("2026-12-31", f"{tomorrow:%Y-%m-%d}"))
        inventory.write(sandbox.world, sandbox.url, folder / "inventories/mine")
        state.save(sandbox.world, folder / "new.json")
        desk = Desk(folder, sandbox)
        gateway = f"{sandbox.url}/handover/{{{{ inventory_hostname }}}}"
        token = "{{ unified_profiles_gateway_token }}"
        ended = desk.run("02_connect_by_endpoint", f"-e gateway='{gateway}' -e gateway_token='{token}'")
        state.save(sandbox.world, folder / "connected.json")
        yield folder, sandbox, ended


def desk_of(made, tmp_path, world):
    folder, sandbox, _ended = made
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    state.load(sandbox.world, folder / f"{world}.json")
    return Desk(tmp_path, sandbox)


@pytest.fixture
def new(made, tmp_path):
    """Two environments that were never connected."""
    desk = desk_of(made, tmp_path, "new")
    shutil.rmtree(desk.kept)
    return desk


@pytest.fixture
def connected(made, tmp_path):
    return desk_of(made, tmp_path, "connected")


def test_the_page_has_every_recipe_as_it_is():
    quoted = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert quoted == [*RECIPES.values()]
    assert re.findall(r"^\[`examples/(\w+)\.yml`\]", PAGE, re.MULTILINE) == [*RECIPES]
    assert len(RECIPES) == 14


def test_every_recipe_is_run_here():
    assert {*re.findall(r'\.run\(\s*"(\d\d_\w+)"', Path(__file__).read_text())} == {*RECIPES}


def test_a_card_is_carried_out_and_confirmed(new):
    status, output = new.run("01_connect_by_card")
    assert (status, new.report("report-limited.json")["staging"]["status"]) == (2, "pending"), output
    env = new.environment()
    form = {"friendly_name": "staging", "space_id": env.space["id"], "profile_token": env.profile_token}
    with new.sandbox.world.lock:
        handovers.connect(new.sandbox.world, env, {**form, "allow_write_events": True})
    (told,) = {line.strip() for line in output.splitlines() if "unified_profiles_confirm=" in line}
    status, output = new.shell(told.replace("NAME", "jane"))
    steps = new.report("report-limited.json")["staging"]["steps"]
    assert (status, steps["connection"]["verdict"], steps["key"]["verdict"]) == (0, "attested", "attested"), output


def test_a_gateway_connects_all(made, connected):
    status, output = made[2]
    assert status == 0, output
    assert {name: one["status"] for name, one in connected.report().items()} == {
        "staging": "proven",
        "production": "proven",
    }


def test_after_a_canary_that_failed_no_other_is_tried(new):
    new.sandbox.fault(match="POST /handover/staging/connection$", status=500, count=None)
    status, output = new.run("03_canary_first")
    new.sandbox.clear_faults()
    assert status == 2
    assert "Not tried, because 1 of the 1 environments in the batches before failed (staging)" in output
    assert not new.environment("production").connection


def test_accepted_drift_fails_no_night_and_other_drift_does(connected):
    connected.sandbox.sabotage("staging", "rename-source")
    connected.sandbox.sabotage("production", "disable-source")
    connected.sandbox.clear_journal()
    status, output = connected.run("04_drift_nightly")
    found = {name: one["status"] for name, one in connected.report().items()}
    assert (status, found) == (2, {"staging": "in_sync", "production": "drifted"}), output
    assert "accepted: a trial of the data team, OPS-4711" in output
    assert connected.sandbox.journal(writes=True) == []


def test_a_source_comes_back_without_its_warehouses(connected):
    env, lost = connected.environment(), connected.source()
    assert [one["sources"] for one in env.warehouses.values() if lost.id in one["sources"]]
    connected.sandbox.sabotage("staging", "delete-source")
    status, output = connected.run("05_recover_without_warehouses")
    assert status == 0, output
    source = connected.source()
    assert source.id != lost.id
    assert [{"key": "managed-by", "value": "ansible"}] == source.labels
    assert not [one for one in env.warehouses.values() if source.id in one["sources"]]


def test_a_key_of_91_days_is_replaced(connected):
    connected.sandbox.advance(91 * 86400)
    (old,) = connected.source().keys
    for name, _region in HOSTS:
        connected.source(name).enabled = True  # Segment itself disables a source without a destination
    status, output = connected.run("06_rotate_after_90_days")
    assert status == 0, output
    assert old in connected.source().keys
    assert connected.environment().flex_key in {*connected.source().keys} - {old}


def test_a_leaked_key_is_gone_after_one_run(connected):
    (leaked,) = connected.source().keys
    status, output = connected.run("07_rotate_a_leaked_key", replace=[("LEAKED", fingerprint(leaked))])
    (key,) = connected.source().keys
    assert key != leaked
    assert connected.environment().flex_key == key
    assert status == 0, output


def test_a_list_of_names_becomes_an_inventory(connected):
    url = f"-e unified_profiles_sandbox_url={connected.sandbox.url} -e unified_profiles_allow_write_events=true"
    status, output = connected.run("08_export_a_list", url, **connected.credentials())
    assert status == 0, output
    written = yaml.safe_load((connected.folder / "inventories/exported/hosts.yml").read_text())
    hosts = written["unified_profiles"]["hosts"]
    assert {name: host["unified_profiles_space_id"] for name, host in hosts.items()} == {
        name: connected.environment(name).space["id"] for name, _region in HOSTS
    }


def test_the_policy_fails_only_what_nothing_proves(connected):
    (connected.kept / "ledger/production.json").unlink()
    (connected.kept / "seen.json").unlink(missing_ok=True)
    wanting = connected.folder / "inventories/mine/host_vars/production.yml"
    wanting.parent.mkdir()
    wanting.write_text("unified_profiles_channel: operator\n")
    status, output = connected.run("09_policy_proven_in_30_days")
    assert status == 2
    assert re.findall(r"(?:fatal|failed): \[(\w+)\]", output) == ["production"], output
    assert "No environment is unproven for 30 days" in output


def test_each_region_gets_its_own_requests(new):
    text = (new.folder / "examples/10_two_regions.yml").read_text()
    for name, placeholders in (
        ("production", ("spa_replace_me_too", "AC" + "1" * 32)),
        ("staging", ("spa_replace_me", "AC" + "0" * 32)),
    ):
        env = new.environment(name)
        for placeholder, value in zip(placeholders, (env.space["id"], env.account_sid)):
            text = text.replace(placeholder, value)
    (new.folder / "examples/10_two_regions.yml").write_text(text)
    new.sandbox.clear_journal()
    url = f"-e unified_profiles_sandbox_url={new.sandbox.url}"
    status, output = new.run("10_two_regions", url, **new.credentials())
    assert status == 2
    assert len(re.findall(r"^\w+ is pending\.", output, re.MULTILINE)) <= 2
    asked = {
        (e["path"].split("/")[2], e["environment"]) for e in new.sandbox.journal() if e["path"].startswith("/segment")
    }
    assert asked == {("us", "staging"), ("eu", "production")}


def test_the_ledger_is_in_sync_and_in_no_file(new):
    status, output = new.run("11_ledger_in_sync")
    assert status == 0, output
    assert not (new.kept / "ledger").exists()
    assert not (new.kept / "seen.json").exists()
    for name, _region in HOSTS:
        stored = str([service["documents"] for service in new.environment(name).services.values()])
        assert "profile_token_fingerprint" in stored
        assert "seen-of-unified-profiles" in stored


def test_the_reports_are_where_ci_collects_them(connected):
    connected.sandbox.sabotage("production", "disable-source")
    status, output = connected.run("12_report_in_ci")
    assert status == 2, output
    reports = connected.folder / "reports"
    suites = ElementTree.parse(reports / "junit.xml").getroot()
    assert [case.get("name") for case in suites.iter("testcase") if case.find("failure") is not None] == ["enabled"]
    assert 'unified_profiles_fails{environment="production"} 1' in (reports / "metrics.prom").read_text()
    assert (reports / "report.html").exists()


def test_a_probe_fails_where_a_service_answers_otherwise(connected):
    for switches, ended in (({}, 0), ({"ui_version": "null"}, 2)):
        connected.sandbox.switch(**switches)
        status, output = connected.run("13_probe_weekly")
        assert status == ended, output
    assert "Contradicted: Flex tells the version of its UI as a single version. Look into" in output
    (week,) = (connected.folder / "inventories/mine/probe").iterdir()
    assert {path.name for path in week.iterdir()} == {"probe.json", "probe.md"}


@pytest.fixture
def chat():
    """The URL of a chat, and what was posted to it."""
    posted = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["content-length"])))["text"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/secret", posted
        server.shutdown()


def test_a_chat_is_told_what_is_not_well_and_nothing_else(connected, chat):
    url, posted = chat
    status, output = connected.run("14_tell_a_chat", CHAT_URL=url)
    assert (status, posted) == (0, []), output
    connected.sandbox.sabotage("production", "disable-source")
    assert connected.run("04_drift_nightly")[0] == 2
    status, output = connected.run("14_tell_a_chat", "-v", CHAT_URL=url)
    assert status == 0, output
    (text,) = posted
    assert re.fullmatch(r"production is drifted\. .+\n", text)
    assert url not in output
