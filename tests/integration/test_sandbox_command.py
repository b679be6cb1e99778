# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox as a command: a rehearsal that survives a restart, over HTTPS, and errors that say what to do."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading

import httpx
import pytest
import yaml
from sandbox import events, handovers, inventory, sabotage, state
from sandbox.__main__ import environments, main, options
from sandbox.model import ApiProblem
from sandbox.server import run_sandbox
from sandbox.world import World
from support.project import ROOT

# The sandbox, which Ansible has no part in.
pytestmark = pytest.mark.newest_only


@contextlib.contextmanager
def command(folder, *arguments):
    """`python -m sandbox` in this folder: its URL, and its output, complete once it was stopped."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--port", "0", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "extensions")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = []
    first = process.stdout.readline()
    # A full pipe would stop it.
    reader = threading.Thread(target=lambda: lines.extend(process.stdout))
    reader.start()
    try:
        yield re.search(r"ready: (\S+)/_sandbox", first)[1], lines
    finally:
        process.terminate()
        status = process.wait(20)
        reader.join(20)
    assert status == 0, lines
    assert not [line for line in lines if "Warning" in line or "Traceback" in line]


def test_a_rehearsal_over_https_survives_a_restart(project, tmp_path):
    options = ("--https", "ca.pem", "--state", "state.json", "--inventory", "rehearsal")
    ca = ssl.create_default_context(cafile=None)

    def connect():
        return project.command(
            "ansible-playbook", str(ROOT / "playbooks/connect.yml"), "--limit", "dev", inventory="rehearsal"
        )

    with command(tmp_path, *options) as (url, log):
        assert url.startswith("https://")
        first = connect()
        assert first.changed["dev"] > 0, first.output
        saved = httpx.post(url + "/_sandbox/save", verify=_trusting(tmp_path / "ca.pem"))
        assert saved.json() == {"file": "state.json"}
        with pytest.raises(httpx.ConnectError):
            httpx.get(url + "/_sandbox", verify=ca)
    assert any(re.search(r" dev POST /handover/dev/connection 200 \d+ ms$", line) for line in log), log
    world = World()
    state.load(world, tmp_path / "state.json")
    (source,) = [s for s in world.environments["dev"].sources.values() if s.name == "twilio-unified-profiles"]
    with command(tmp_path, *options) as (_unused, more):
        again = connect()
        assert again.changed == {"dev": 0}, again.output
    env = world.environments["dev"]
    for secret in (source.keys[0], env.segment_token, env.profile_token, env.api_secret, env.gateway_token):
        assert secret not in "".join(log + more)


def _trusting(ca_file):
    return ssl.create_default_context(cafile=str(ca_file))


def test_a_thousand_environments_and_their_inventory(tmp_path):
    with command(tmp_path, "--environments", "1000", "--inventory", "many", "--quiet") as (url, log):
        told = httpx.get(url + "/_sandbox").json()["environments"]
    assert (len(told), told["env-1000"]["region"], told["env-0999"]["region"]) == (1000, "us", "eu")
    assert not any("GET" in line for line in log)
    hosts = (tmp_path / "many/hosts.yml").read_text()
    assert len(re.findall("^    env-", hosts, re.MULTILINE)) == 1000
    assert told["env-1000"]["profile_token"] in hosts


def test_the_same_command_goes_on_and_another_one_is_refused(tmp_path, capsys):
    options = ("--environments", "b:eu,a", "--state", "state.json")
    with command(tmp_path, *options) as (url, _log):
        httpx.post(url + "/_sandbox/clock", json={"advance": 3600})
    with command(tmp_path, *options) as (url, _log):
        told = httpx.get(url + "/_sandbox").json()
    assert (list(told["environments"]), told["environments"]["b"]["region"]) == (["b", "a"], "eu")
    world = World()
    state.load(world, tmp_path / "state.json")
    assert world.offset.total_seconds() == 3600
    for others in ("a", "a,b", "2"):
        assert main(["--port", "0", "--environments", others, "--state", str(tmp_path / "state.json")]) == 1
        assert "holds other environments: leave --environments out" in capsys.readouterr().err


def test_the_inventory_of_the_repository_is_what_is_written(tmp_path):
    """The inventory in the repository is the one that is written."""
    inventory.write(World(), "http://127.0.0.1:1", tmp_path)
    assert (tmp_path / "hosts.yml").read_text() == (ROOT / "inventories/sandbox/hosts.yml").read_text()
    # What it wrote it may write again; what others wrote stays.
    inventory.write(World(3), "http://127.0.0.1:1", tmp_path)
    assert "env-0003" in (tmp_path / "hosts.yml").read_text()
    (tmp_path / "hosts.yml").write_text("mine")
    with pytest.raises(inventory.InventoryError, match="was not written by the sandbox"):
        inventory.write(World(), "http://127.0.0.1:1", tmp_path)
    assert (tmp_path / "hosts.yml").read_text() == "mine"


@pytest.mark.parametrize("foreign", ["hosts.yml", inventory.SETTINGS])
def test_no_file_is_written_beside_somebody_elses(tmp_path, foreign):
    """Neither file of an inventory is written where one is somebody else's."""
    path = tmp_path / foreign
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    with pytest.raises(inventory.InventoryError, match=r"stays as it is: name another with --inventory"):
        inventory.write(World(), "http://127.0.0.1:1", tmp_path)
    assert [(found, found.read_text()) for found in tmp_path.rglob("*.yml")] == [(path, "mine")]


@pytest.mark.parametrize("option", ["--inventory", "--variables", "--https"])
def test_what_others_wrote_stays(tmp_path, capsys, option):
    mine = tmp_path / "mine"
    if option == "--inventory":
        mine = tmp_path / "mine" / inventory.SETTINGS
        mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    assert main(["--port", "0", option, str(tmp_path / "mine")]) == 1
    assert f"so it stays as it is: name another with {option}." in capsys.readouterr().err
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["true", "Null", "YES", "off", "n", "none", "NaN", "all", "ungrouped", "localhost", "unified_profiles"]
)
def test_names_that_yaml_or_ansible_takes_otherwise_are_refused(capsys, name):
    for names in (name, f"dev,{name}:eu"):
        assert main(["--port", "0", "--environments", names]) == 1
        assert f"takes {name} for something else than a host" in capsys.readouterr().err


def test_what_is_written_reads_back_as_it_was_named(tmp_path):
    """Whatever name is taken, YAML gives back as a string."""
    names = ["nullable", "all_of_it", "on_call", "e1", "_1", "a.b", "x-1", "True_"]
    world = World(environments(",".join(names)))
    inventory.write(world, "http://127.0.0.1:1", tmp_path)
    hosts = yaml.safe_load((tmp_path / "hosts.yml").read_text())["unified_profiles"]["hosts"]
    assert list(hosts) == names


def test_missing_libraries_are_named(tmp_path):
    """As from the installed archive: nothing of site-packages is there."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "extensions")}
    command = [sys.executable, "-S", "-m", "sandbox"]
    done = subprocess.run(
        [*command, "--port", "0"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(
        r"sandbox: the Python library \w+ is missing, which only the sandbox needs: pip install starlette uvicorn\.\n",
        done.stderr,
    )
    helped = subprocess.run(
        [*command, "--help"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (helped.returncode, "--environments" in helped.stdout) == (0, True)


def test_an_inventory_of_ones_own_is_rehearsed(project, tmp_path):
    """The example, with hosts that have real-looking ids, secrets that open nothing, and a gateway elsewhere."""
    own = tmp_path / "own"
    shutil.copytree(ROOT / "inventories/example", own)
    settings = own / "group_vars/unified_profiles.yml"
    settings.write_text(
        settings.read_text().replace("allow_write_events: false", "allow_write_events: true")
        + "unified_profiles_proxy: http://proxy.invalid:3128\n"
        + "unified_profiles_endpoints: {key: {url: 'https://gateway.invalid'}}\n"
    )
    with command(tmp_path, "--environments", "staging,production:eu", "--variables", "rehearsal.yml") as (url, log):

        def connect(*more):
            # What a shell may have set for other work.
            elsewhere = {"TWILIO_FLEX_URL": "https://flex.invalid", "SEGMENT_API_URL": "https://segment.invalid"}
            playbook = str(ROOT / "playbooks/connect.yml")
            return project.command(
                "ansible-playbook", playbook, "-e", "@rehearsal.yml", *more, inventory=str(own), **elsewhere
            )

        run = connect()
        assert run.status != 0
        told = httpx.get(url + "/_sandbox").json()["environments"]
        assert told["production"]["space"]["id"] in (tmp_path / "rehearsal.state/report.md").read_text()
        run = connect("-e", "unified_profiles_channel=endpoint")
        assert run.status == 0, run.output
        (own / "vault.yml").unlink()
        (own / "hosts.yml").write_text('{"unified_profiles": {"hosts": {"staging": {}, "elsewhere": {}}}}')
        run = connect()
        assert run.status != 0
        # A setting that cannot be evaluated is reported by its name alone, whatever the template says.
        rows = (tmp_path / "rehearsal.state/report.md").read_text().splitlines()
        (row,) = (row for row in rows if row.startswith("| elsewhere | failed |"))
        assert "space\\_id: cannot be evaluated as a template" in row or "space_id: cannot be evaluated" in row
        (own / "hosts.yml").write_text('{"customers": {"hosts": {"staging": {}}}}')
        run = connect()
        assert run.status != 0
        assert "Could not match supplied host pattern" in run.output
    assert any("production POST /handover/production/connection 200" in line for line in log)
    assert not list(own.rglob(".unified_profiles"))
    assert sorted(path.stem for path in (tmp_path / "rehearsal.state/ledger").glob("*.json")) == [
        "production",
        "staging",
    ]


def test_a_saved_world_is_the_same_world(tmp_path):
    world = World()
    env = world.environments["dev"]
    form = {"friendly_name": "f", "space_id": env.space["id"], "profile_token": env.profile_token}
    handovers.connect(world, env, {**form, "allow_write_events": True})
    events.engage(world, env, 3)
    sabotage.sabotage(world, env, "revoke-token", {"which": "profile"})
    sabotage.sabotage(world, env, "wrong-key-in-flex", {})
    events.engage(world, env, 3)
    world.switch({"duplicate_slug": 422})
    world.advance(3600)
    state.save(world, tmp_path / "state")
    other = World(1)
    state.load(other, tmp_path / "state")
    assert other.environments == world.environments
    assert [vars(a) == vars(b) for a, b in zip(other.environments.values(), world.environments.values())] == [True] * 3
    assert (other.offset, other.switches) == (world.offset, world.switches)
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0
    # The next ids go on from there: no id is given out twice.
    world.make_source(env, "next", "V6ynUvQgbc")
    other.make_source(other.environments["dev"], "next", "V6ynUvQgbc")
    assert other.environments["dev"].sources == env.sources


def _saved(change):
    def content(folder):
        state.save(World(), folder / "good")
        document = json.loads((folder / "good").read_text())
        change(document)
        return json.dumps(document)

    return content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lambda folder: "", "is not JSON"),
        (lambda folder: "[" * 100_000, "is not JSON"),
        (lambda folder: "{}", "holds no saved sandbox"),
        (_saved(lambda d: d.update(version=99)), "it has version 99"),
        (_saved(lambda d: d.pop("clock_offset")), "'clock_offset' is missing"),
        (_saved(lambda d: d.update(switches={"duplicate_slug": 200})), "duplicate_slug must be one of"),
        (_saved(lambda d: d.update(environments=[])), "no environments"),
        (_saved(lambda d: d.update(environments=[1])), "no environments"),
        (_saved(lambda d: d["environments"][0]["$Environment"].pop("linked")), "other attributes than today: linked"),
        (_saved(lambda d: d["environments"][0]["$Environment"].update(linked=1)), "linked is of another type"),
        (_saved(lambda d: d["environments"].append({"$Popen": {}})), "Popen is unknown"),
    ],
)
def test_a_bad_state_file_says_what_is_wrong_and_what_to_do(tmp_path, capsys, content, said):
    (tmp_path / "state").write_text(content(tmp_path))
    before = (tmp_path / "state").read_text()
    assert main(["--port", "0", "--state", str(tmp_path / "state")]) == 1
    error = capsys.readouterr().err
    assert said in error
    assert "move this one away" in error
    assert (tmp_path / "state").read_text() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "0.0.0.0"), "--allow-remote"),
        (("--host", "example.com"), "not an IP address"),
        (("--host", "192.0.2.1", "--allow-remote"), "cannot be used"),
        (("--port", "70000"), "from 1 to 65535"),
        (("--environments", "0"), "from 1 to 100000"),
        (("--environments", "a,a"), "different names"),
        (("--environments", "a b"), "different names"),
        (("--environments", "1a"), "different names"),
        (("--environments", "a" * 101), "at most 100 characters"),
        (("--port", "0", "--variables", "/proc/nowhere"), "name another"),
        (("--port", "0", "--state", "/nowhere/state"), "name another file"),
        (("--port", "0", "--https", "/nowhere/ca.pem"), "name another file"),
        (("--port", "0", "--inventory", "/proc/nowhere"), "name another"),
    ],
)
def test_options_that_cannot_be_used(arguments, said, capsys):
    assert main(arguments) == 1
    assert said in capsys.readouterr().err


def test_the_page_and_the_help_name_every_option():
    page, told = (ROOT / "docs/sandbox.md").read_text(), options().format_help()
    names = re.findall(r"^  (--[\w-]+)", told, re.MULTILINE)
    assert len(names) > 8
    assert [name for name in names if name not in page] == []


def test_a_busy_port_is_named_with_the_way_out(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    assert f"port {port} cannot be used (Address already in use): choose another with --port" in capsys.readouterr().err


def test_saving_and_loading_over_the_control_plane(sandbox, tmp_path):
    """Saving without a file and loading over the control plane."""
    answer = httpx.post(sandbox.url + "/_sandbox/save")
    assert (answer.status_code, "--state FILE" in answer.text) == (409, True)
    with run_sandbox(2) as other:
        other.world.state_file = tmp_path / "state"
        assert httpx.post(other.url + "/_sandbox/save").status_code == 200
        other.world.delete_source(other.world.environments["env-0001"], _first(other.world))
        assert httpx.post(other.url + "/_sandbox/load").status_code == 200
        assert _first(other.world).slug == "website"
        (tmp_path / "state").write_text("spoilt")
        answer = httpx.post(other.url + "/_sandbox/load")
        assert (answer.status_code, "is not JSON" in answer.text) == (409, True)
        assert _first(other.world).slug == "website"


def _first(world):
    return next(iter(world.environments["env-0001"].sources.values()))


def test_the_clock_only_moves_forward(sandbox):
    before = sandbox.world.now()
    sandbox.advance(3600)
    assert (sandbox.world.now() - before).total_seconds() >= 3600
    with pytest.raises(ApiProblem, match="a thousand years"):
        sandbox.advance(1e11)
