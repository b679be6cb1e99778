# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Canaries wherever a secret can be, and a search of everything that a run leaves."""

from __future__ import annotations

import base64
import http.client
import http.server
import json
import os
import re
import secrets
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from sandbox import inventory
from sandbox.server import SandboxHandle

from .hostile import HOSTILE, make_hostile, write_variables
from .project import ROOT

# What has to be escaped in URLs, JSON, YAML, HTML or a shell.
ODD = "\"'\\/+&=%41$(id)<b>;|?#!*~^[`"
PROXY_USER, PROXY_PASSWORD = "canary-user", "canary-of-the-proxy/+&=%41$(id)'!*~"
VAULT_PASSWORD = "canary-of-the-vault"


def registered(folder: str) -> list[str]:
    """The names that the tasks in a folder register."""
    texts = (file.read_text() for file in (ROOT / folder).rglob("*.yml"))
    return sorted({name for text in texts for name in re.findall(r"register: (\w+)", text)})


OF_A_HOST = ["unified_profiles_failure", *registered("roles")]
OF_THE_RUN = registered("playbooks")


# With what all canaries begin.
CANARY = "canary-"


def _in_base64(text: str) -> Iterator[str]:
    """The text in base64, somewhere in a longer text, such as ``user:password``; without what its neighbours are a part of."""
    for before in (b"", b"x", b"xx"):
        raw = before + text.encode()
        yield base64.b64encode(raw[: len(raw) // 3 * 3]).decode()[4 if before else 0 :]


def forms(secret: str) -> set[str]:
    """The beginning of a secret, which no escaping changes however often, and its forms in base64 and in URLs."""
    beginning = re.match(r"[\w-]*", secret)[0]  # type: ignore[index]
    assert beginning.startswith(CANARY), "not found by its beginning"
    assert len(beginning) > 12, "too short to be told from anything else"
    found = {beginning, *_in_base64(beginning)}
    return found | {urllib.parse.quote(form, safe="") for form in found}


class Search:
    """Looks for the secrets in everything it is shown."""

    # With what each form begins, so that a string is gone through once and not once for each secret.
    BEGINNINGS = re.compile("|".join([CANARY, *_in_base64(CANARY)]))

    def __init__(self) -> None:
        # Other tests run at the same time, and the processes of all are watched.
        self.mark = secrets.token_hex(4)
        self.secrets: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.hits: set[tuple[str, str, str]] = set()
        self.bytes = 0

    def add(self, name: str, secret: str) -> None:
        self.secrets[name] = secret
        # Replaced and not changed: new keys come while processes are watched.
        self.names = {**self.names, **dict.fromkeys(forms(secret), name)}

    def look(self, where: str, text: str) -> None:
        self.bytes += len(text)
        # A terminal or a YAML scalar may break a line anywhere.
        joined, names = "".join(text.split()), self.names
        for found in self.BEGINNINGS.finditer(joined):
            at = found.start()
            for form, name in names.items():
                if joined.startswith(form, at):
                    self.hits.add((name, where, joined[max(0, at - 160) : at + 40]))

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


@contextmanager
def refusing_proxy() -> Iterator[str]:
    """A proxy that asks for a password; gives its URL."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        password = urllib.parse.quote(PROXY_PASSWORD, safe="")
        try:
            yield f"http://{PROXY_USER}:{password}@127.0.0.1:{server.server_address[1]}"
        finally:
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


def plays_of(playbook: Path) -> list[dict[str, Any]]:
    """The plays of a playbook and of those that it imports, with their variables and with whole paths."""
    found = []
    for part in yaml.safe_load(playbook.read_text()):
        if imported := part.get("ansible.builtin.import_playbook"):
            found += [
                {**play, "vars": {**play.get("vars", {}), **part.get("vars", {})}}
                for play in plays_of(playbook.parent / imported)
            ]
            continue
        for task in part["tasks"]:
            for how in ("ansible.builtin.import_tasks", "ansible.builtin.include_tasks"):
                if how in task:
                    task[how] = str(playbook.parent / task[how])
        found.append(part)
    return found


def _and_show(playbook: str) -> list[dict[str, Any]]:
    """The plays of a playbook, with one that shows all that they register."""
    show = {
        "hosts": "unified_profiles",
        "gather_facts": False,
        "tasks": [
            # In one task, since each costs a process for each host.
            {
                "ansible.builtin.debug": {
                    "var": "{" + ", ".join(f"'{name}': {name} | default" for name in OF_A_HOST) + "}"
                }
            },
            # The same for all hosts that have it, and long.
            *(
                {
                    "ansible.builtin.debug": {
                        "var": f"ansible_play_hosts_all | map('extract', hostvars) | selectattr('{name}', 'defined') "
                        f"| map(attribute='{name}') | first | default"
                    },
                    "run_once": True,
                }
                for name in OF_THE_RUN
            ),
        ],
    }
    # What Ansible puts into the environment of a task reaches the tasks of a role, and not the look at all environments.
    alone = {
        "hosts": "unified_profiles",
        "gather_facts": False,
        "environment": "{{ for_the_tasks }}",
        "tasks": [
            {
                "ansible.builtin.include_role": {"name": f"flexops.unified_profiles.{playbook}"},
                "when": "for_the_tasks is defined",
            }
        ],
    }
    *plays, failing = plays_of(ROOT / f"playbooks/{playbook}.yml")
    if (ROOT / f"roles/{playbook}").exists():
        # The report fails the job at last, so what is shown comes before it.
        return [*plays, alone, show, failing]
    return [*plays, {**failing, "ignore_errors": True}, show]


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
                for key, value in inventory.variables_of(env).items()
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
            write_variables(self.folder, name, make_hostile(self.sandbox, name, HOSTILE[way]))
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
            write_variables(self.folder, name, {f"unified_profiles_{k}": v for k, v in variables.items()})
            for value in map(str, variables.values()):
                if "canary" in value and "auth_token" not in value:
                    self.search.add(
                        f"{way} of {name}", value[value.index("canary") :].partition("@")[0].rpartition(":")[2]
                    )

    def run(self, playbook: str, *arguments: str, **environment: str) -> str:
        """The playbook, and then all that it registered, shown; looks at all that it leaves, and gives what it printed."""
        wrapper = self.folder.parent / f"{playbook}-and-show.yml"
        wrapper.write_text(json.dumps(_and_show(playbook)))
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
        assert "VARIABLE IS NOT DEFINED" not in printed
        self.search.look(f"output of {playbook}", printed)
        assert log.stat().st_size > 1000
        self.search.files(scratch)
        self.search.files(self.folder / ".unified_profiles")
        return printed

    def assert_silent(self) -> None:
        told = [f"{name}, in {where}: ...{text!r}..." for name, where, text in sorted(self.search.hits)]
        assert not told, f"{len(told)} of them:\n" + "\n".join(told[:20])
