# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret in any output: canaries are put wherever a secret can be, and everything that a run leaves is searched for them."""

from __future__ import annotations

import base64
import html
import http.client
import http.server
import json
import os
import re
import secrets
import shlex
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from sandbox import inventory
from sandbox.server import SandboxHandle, run_sandbox
from sandbox.world import World
from support.hostile import HOSTILE, make_hostile
from support.project import ROOT

# What has to be escaped in URLs, JSON, YAML, HTML or a shell.
ODD = "\"'\\/+&=%41$(id)<b>;|?#!*~^[`"
PROXY_USER, PROXY_PASSWORD = "canary-user", "canary-of-the-proxy/+&=%41$(id)'!*~"
VAULT_PASSWORD = "canary-of-the-vault"
REGISTERED = (
    *("preflight_space", "connection_result", "source_ledger", "source_found", "source_result", "link_and_key_link"),
    *("link_and_key_key", "verify_result", "report_result", "unified_profiles_failure"),
)


def forms(secret: str) -> set[str]:
    """What is left of the secret however it was escaped, and how often: its beginning, which nothing escapes; and that in base64."""
    beginning = re.match(r"[\w-]*", secret)[0]  # type: ignore[index]
    assert len(beginning) > 12, "too short to be told from anything else"
    found = {beginning}
    for before in (b"", b"x", b"xx"):  # somewhere in a longer text, such as "user:password"
        whole = base64.b64encode(before + beginning.encode()).decode().rstrip("=")
        found.add(whole[0 if not before else 4 : len(whole) - 4])
    return found | {urllib.parse.quote(form, safe="") for form in found}


class Search:
    """Looks for the secrets in everything it is shown."""

    def __init__(self) -> None:
        # Other tests run at the same time, and the processes of all are watched.
        self.mark = secrets.token_hex(4)
        self.secrets: dict[str, str] = {}
        self.hits: set[tuple[str, str, str]] = set()
        self.bytes = 0

    def add(self, name: str, secret: str) -> None:
        self.secrets[name] = secret

    def look(self, where: str, text: str) -> None:
        self.bytes += len(text)
        # A terminal or a YAML scalar may break a line anywhere.
        joined = "".join(text.split())
        for name, secret in list(self.secrets.items()):  # new keys come while processes are watched
            for form in forms(secret):
                if form in text or "".join(form.split()) in joined:
                    at = max(text.find(form), 0)
                    self.hits.add((name, where, text[max(0, at - 160) : at + 40]))

    def files(self, folder: Path, besides: Callable[[Path], bool] = lambda path: False) -> None:
        for path in folder.rglob("*"):
            if path.is_file() and not besides(path):
                self.look(str(path.relative_to(folder)), path.read_bytes().decode("utf-8", "replace"))


@contextmanager
def watched_processes(search: Search) -> Iterator[None]:
    """Looks at the command line of every process for as long as this lasts."""
    over = threading.Event()

    def watch() -> None:
        seen: set[bytes] = set()
        while not over.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = path.read_bytes()
                except OSError:
                    continue
                if line not in seen:
                    seen.add(line)
                    search.look("/proc/*/cmdline", line.replace(b"\0", b" ").decode("utf-8", "replace"))
            time.sleep(0.02)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


class Proxy(http.server.BaseHTTPRequestHandler):
    """Lets nobody through, and says aloud whom it turned away."""

    refused = 0

    def do_CONNECT(self) -> None:
        Proxy.refused += 1
        given = self.headers.get("proxy-authorization", "").rpartition(" ")[2]
        self.send_response(407, f"Denied for {base64.b64decode(given).decode()} ({given})")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        password = urllib.parse.quote(PROXY_PASSWORD, safe="")
        yield f"http://{PROXY_USER}:{password}@127.0.0.1:{server.server_address[1]}"
        server.shutdown()


# More ways to fail in which a secret could slip out.
WAYS: dict[str, dict[str, Any]] = {
    **{name: {} for name in HOSTILE},
    "echoed": {"echo": 400},
    "echoed by a server that fails": {"echo": 500},
    "white space in a token": {"variables": {"segment_token": "canary-token-with\nwhite space"}},
    "a password where a mapping belongs": {"variables": {"endpoints": {"connection": "canary-instead-of-a-mapping"}}},
    "a secret in an endpoint's URL": {
        "variables": {"gateway": "http://canary-user:canary-in-an-url@127.0.0.1:9/handover"}
    },
    # Without the sandbox, since loopback is never proxied; none of them lets anything out.
    "a proxy that refuses": {"variables": {"sandbox_url": None}},
    "nobody there": {"variables": {"sandbox_url": None, "proxy": "http://canary-user:canary-of-no-proxy@127.0.0.1:9"}},
    "a proxy that is none": {
        "variables": {"sandbox_url": None, "proxy": "nonsense://canary-user:canary-of-nonsense@x"}
    },
    "auth token": {"auth_token": True},
    "secrets in environment:": {"environment": True},
}
# Breaks the collection from within: errors that nobody expects, and that quote all there is to quote.
BREAKER = """
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_NAME, CALLBACK_NEEDS_ENABLED = 2.0, "breaker", True

    def v2_playbook_on_play_start(self, play):
        from ansible_collections.flexops.unified_profiles.plugins.module_utils import service

        def broken(self, wire, limit):
            told = f"{self.authorization} {dict(wire.headers)} {wire.content}"
            if "/handover" in str(wire.url) or BROKEN in told:
                try:
                    raise LookupError(told)
                except LookupError as error:
                    raise RuntimeError(told) from error
            return exchange(self, wire, limit)

        exchange = getattr(service.Service, "whole", service.Service._exchange)
        service.Service.whole, service.Service._exchange = exchange, broken
"""


class Fleet:
    """A sandbox whose every secret is a canary, and the inventory of it."""

    def __init__(self, sandbox: SandboxHandle, folder: Path, search: Search, proxy: str) -> None:
        self.sandbox, self.folder, self.search = sandbox, folder, search
        world = sandbox.world
        for name, env in world.environments.items():
            for kind in ("segment_token", "profile_token", "api_secret", "auth_token", "gateway_token"):
                secret = f"canary-{search.mark}-{kind}-{name}{ODD}"
                setattr(env, kind, secret)
                search.add(f"{kind} of {name}", secret)
        world.environments = dict(world.environments)  # the index of credentials is made again
        search.add("proxy password", PROXY_PASSWORD)
        search.add("vault password", VAULT_PASSWORD)
        inventory.write(world, sandbox.url, folder)
        document = yaml.safe_load((ROOT / "inventories/sandbox/hosts.yml").read_text())
        hosts: dict[str, dict[str, Any]] = {}
        ways = dict(zip(list(world.environments)[2:], WAYS))
        vault = VaultLib([("default", VaultSecret(VAULT_PASSWORD.encode()))])
        (folder / "host_vars").mkdir(exist_ok=True)
        for name, env in world.environments.items():
            hosts[name] = {
                f"unified_profiles_{key}": value
                for key, value in inventory._variables(env).items()
                if key != "profile_token"
            }
            variable = "unified_profiles_profile_token"
            if "environment" in WAYS.get(ways.get(name, ""), {}):
                variable = "profile_token_of_the_environment"
                hosts[name]["for_the_tasks"] = {
                    "SEGMENT_TOKEN": hosts[name].pop("unified_profiles_segment_token"),
                    "SEGMENT_PROFILE_TOKEN": f"{{{{ {variable} }}}}",
                    "TWILIO_API_KEY": hosts[name].pop("unified_profiles_twilio_api_key"),
                    "TWILIO_API_SECRET": hosts[name].pop("unified_profiles_twilio_api_secret"),
                }
            kept = vault.encrypt(env.profile_token.encode()).decode()
            lines = ["---", f"{variable}: !vault |", *("  " + line for line in kept.splitlines())]
            (folder / f"host_vars/{name}").mkdir()
            (folder / f"host_vars/{name}/vault.yml").write_text("\n".join(lines) + "\n")
        document["unified_profiles"]["hosts"] = hosts
        document["unified_profiles"]["vars"] = {
            "unified_profiles_proxy": proxy,
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",  # for ordinary modules
        }
        (folder / "hosts.yml").write_text(json.dumps(document))
        self.vault = folder.parent / "vault-password"
        self.vault.write_text(VAULT_PASSWORD)
        for name, way in ways.items():
            self.spoil(name, way)

    def spoil(self, name: str, way: str) -> None:
        how, env = WAYS[way], self.sandbox.world.environments[name]
        if way in HOSTILE:
            make_hostile(self.sandbox, self.folder, name, HOSTILE[way])
        if "echo" in how:
            said = " ".join([env.segment_token, env.profile_token, env.api_secret, env.gateway_token])
            body = {"errors": [{"type": "x", "message": said}], "message": said, "code": 1, "data": {"x": said}}
            self.sandbox.fault(
                environment=name,
                count=None,
                match="POST /|PATCH /",
                status=how["echo"],
                body=body,
                headers={"x-request-id": said},
            )
        variables = dict(how.get("variables", {}))
        if how.get("auth_token"):
            variables |= {"twilio_api_key": None, "twilio_api_secret": None, "twilio_auth_token": env.auth_token}
        if variables:
            text = "".join(f"unified_profiles_{k}: {json.dumps(v)}\n" for k, v in variables.items())
            (self.folder / f"host_vars/{name}/more.yml").write_text("---\n" + text)
            for value in map(str, variables.values()):
                if "canary" in value and "auth_token" not in value:
                    self.search.add(
                        f"{way} of {name}", value[value.index("canary") :].partition("@")[0].rpartition(":")[2]
                    )

    def run(self, playbook: str, *arguments: str, **environment: str) -> str:
        """The playbook, and then all that it registered, shown; looks at all that it leaves, and gives what it printed."""
        wrapper = self.folder.parent / f"{playbook}-and-show.yml"
        show = {
            "hosts": "unified_profiles",
            "gather_facts": False,
            "tasks": [{"ansible.builtin.debug": {"var": name}, "when": f"{name} is defined"} for name in REGISTERED],
        }
        whole = []
        for part in yaml.safe_load((ROOT / f"playbooks/{playbook}.yml").read_text()):
            if imported := part.get("ansible.builtin.import_playbook"):
                plays = yaml.safe_load((ROOT / "playbooks" / imported).read_text())
                whole += [{**play, "vars": {**play.get("vars", {}), **part.get("vars", {})}} for play in plays]
            else:
                whole.append(part)
        for play in whole:
            play["environment"] = "{{ for_the_tasks | default({}) }}"
            for task in play["tasks"]:
                if path := task.get("ansible.builtin.import_tasks"):
                    task["ansible.builtin.import_tasks"] = str(ROOT / "playbooks" / path)
        # The report fails the job at last, so what is shown comes before it.
        wrapper.write_text(json.dumps([*whole[:-1], show, whole[-1]]))
        scratch = self.folder.parent / "scratch"
        for name in ("tmp", "local", "remote", "cache"):
            (scratch / name).mkdir(parents=True, exist_ok=True)
        log = scratch / "ansible.log"
        with watched_processes(self.search):
            done = subprocess.run(
                [
                    *(Path(sys.executable).with_name("ansible-playbook"), "-i", self.folder, wrapper),
                    *("-vvvv", "--diff", *arguments),
                ],
                cwd=self.folder.parent,
                env={
                    **os.environ,
                    "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                    "ANSIBLE_LOG_PATH": str(log),
                    "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
                    "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(scratch / "cache"),
                    "ANSIBLE_SHOW_CUSTOM_STATS": "1",
                    "ANSIBLE_KEEP_REMOTE_FILES": "1",
                    "ANSIBLE_LOCAL_TEMP": str(scratch / "local"),
                    "ANSIBLE_REMOTE_TEMP": str(scratch / "remote"),
                    "TMPDIR": str(scratch / "tmp"),
                    "ANSIBLE_VAULT_PASSWORD_FILE": str(self.vault),
                    **environment,
                },
                capture_output=True,
                text=True,
                check=False,
                timeout=240,
            )
        printed = done.stdout + done.stderr
        self.search.look(f"output of {playbook}", printed)
        assert log.stat().st_size > 1000
        self.search.files(scratch)
        self.search.files(self.folder / ".unified_profiles")
        return printed


@pytest.fixture
def canaries(proxy: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    search = Search()
    real = World.new_key

    def new_key(world: World, env: Any) -> str:
        key = f"canary-{search.mark}-{real(world, env)}{ODD}"
        world._keys[key] = env
        search.add(f"write key {key[:20]} of {env.name}", key)
        return key

    monkeypatch.setattr(World, "new_key", new_key)
    # A short path, because Ansible makes a socket below its temporary folder, and a socket's path is limited to 107 bytes.
    with run_sandbox(2 + len(WAYS)) as sandbox, tempfile.TemporaryDirectory(prefix="leaks-") as folder:
        yield Fleet(sandbox, Path(folder) / "fleet", search, proxy)


def assert_silent(fleet: Fleet) -> None:
    told = [f"{name}, in {where}: ...{text!r}..." for name, where, text in sorted(fleet.search.hits)]
    assert not told, f"{len(told)} of them:\n" + "\n".join(told[:20])


def test_the_search_finds_every_form() -> None:
    secret = "canary-of-this-test" + ODD
    quoted = urllib.parse.quote(secret, safe="")
    dumped = yaml.safe_dump({"x": secret}, width=20)
    shown = [secret, quoted, json.dumps({"x": secret}), json.dumps(json.dumps(secret)), html.escape(secret), dumped]
    shown += [shlex.quote(f"X={shlex.quote(secret)} python3"), json.dumps({"cmd": shlex.quote(secret)})]
    shown += [base64.b64encode(f"{'u' * n}:{secret}".encode()).decode() for n in range(4)]
    for text in shown:
        search = Search()
        search.add("it", secret)
        search.look("here", f"before {text} after")
        assert search.hits, text
    search.look("there", "nothing")
    assert {where for _name, where, _text in search.hits} == {"here"}


def test_no_secret_anywhere(canaries: Fleet, count) -> None:
    """First connect, recover of what was broken, in every way to fail."""
    printed = canaries.run("connect", ANSIBLE_CALLBACK_RESULT_FORMAT="json")
    names = list(canaries.sandbox.world.environments)
    assert canaries.sandbox.world.environments[names[0]].flex_key, printed[-3000:]
    assert Proxy.refused > 0
    assert "unified_profiles_failure" in printed
    for name in names[:2]:
        canaries.sandbox.sabotage(name, "delete-source" if name == names[0] else "remove-key")
    printed += canaries.run("recover", ANSIBLE_CALLBACK_RESULT_FORMAT="yaml")
    assert "link_and_key_key" in printed
    canaries.sandbox.sabotage(names[0], "delete-source")
    printed += canaries.run("recover", "-e", "unified_profiles_channel=operator", "--limit", ",".join(names[:2]))
    assert "ends in ..." in printed
    assert "Traceback" not in printed
    assert canaries.sandbox.world.environments[names[-1]].flex_key, "no secrets came from environment:"
    assert_silent(canaries)
    count("bytes of output, logs, caches, reports and temporary files searched for secrets", canaries.search.bytes)
    count("secrets looked for", len(canaries.search.secrets))


def test_ordinary_modules_show_no_secret_either(canaries: Fleet) -> None:
    """Ansible's own file of a module, which holds its arguments, stays only because ANSIBLE_KEEP_REMOTE_FILES asks for it."""
    names = list(canaries.sandbox.world.environments)
    printed = canaries.run("connect", "-e", "unified_profiles_in_process=false", "--limit", f"{names[0]},{names[-2]}")
    assert "ANSIBALLZ" in printed.upper()
    assert canaries.sandbox.world.environments[names[0]].flex_key, printed[-3000:]
    canaries.search.hits = {hit for hit in canaries.search.hits if "AnsiballZ" not in hit[1]}
    assert_silent(canaries)


def test_a_defect_shows_no_secret_either(canaries: Fleet, count) -> None:
    """Errors that nobody expects and that quote secrets, with tracebacks wanted; and a task that Ansible itself breaks off."""
    names = list(canaries.sandbox.world.environments)
    plugins = canaries.folder.parent / "callbacks"
    plugins.mkdir()
    (plugins / "breaker.py").write_text(f"BROKEN = 'segment_token-{names[0]}'\n{BREAKER}")
    tracebacks = {"ANSIBLE_DISPLAY_TRACEBACK": "always"}
    broken = {"ANSIBLE_CALLBACK_PLUGINS": str(plugins), "ANSIBLE_CALLBACKS_ENABLED": "breaker"}
    printed = canaries.run("connect", "--limit", ",".join(names[:2]), **tracebacks, **broken)
    for name in names[:2]:
        row = re.search(rf"{name} is failed\. .*", printed)
        assert row, printed[-3000:]
        assert "A defect in flexops.unified_profiles: RuntimeError at breaker.py" in row[0]
    slow = names[2 + list(WAYS).index("trickles")]
    (canaries.folder / f"host_vars/{slow}/more.yml").write_text(
        "---\nunified_profiles_timeout: 4\nunified_profiles_retry_budget: 1\n"
    )
    printed = canaries.run("connect", "--limit", slow, ANSIBLE_TASK_TIMEOUT="2", **tracebacks)
    assert f"{slow} is failed. " in printed, printed[-3000:]
    assert_silent(canaries)
    count("bytes of output, logs, caches, reports and temporary files searched for secrets", canaries.search.bytes)


def test_where_ordinary_modules_show_what_is_in_environment(canaries: Fleet) -> None:
    """The commands that Ansible starts begin with it: at -vvv they are shown, and every user of the machine sees them."""
    name = list(canaries.sandbox.world.environments)[-1]
    canaries.run("connect", "-e", "unified_profiles_in_process=false", "--limit", name)
    assert canaries.sandbox.world.environments[name].flex_key
    places = {where for _secret, where, _text in canaries.search.hits if "AnsiballZ" not in where}
    assert places == {"output of connect", "ansible.log", "/proc/*/cmdline"}
