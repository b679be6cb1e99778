# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret in any output: canaries are put wherever a secret can be, and everything that a run leaves is searched for them."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import tempfile
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from sandbox.server import run_sandbox
from sandbox.world import World
from support.attachments import attach
from support.leaks import ODD, WAYS, Fleet, Proxy, Search, refusing_proxy

# Breaks the collection from within: errors that nobody expects, and that quote all there is to quote.
BREAKER = """
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_NAME, CALLBACK_NEEDS_ENABLED = 2.0, "breaker", True

    def v2_playbook_on_play_start(self, play):
        from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import service

        def broken(self, wire, limit):
            told = f"{dict(wire.headers)} {wire.content}"
            if ("/handover" in str(wire.url) and wire.method == "POST") or BROKEN in told:
                try:
                    raise LookupError(told)
                except LookupError as error:
                    raise RuntimeError(told) from error
            return exchange(self, wire, limit)

        exchange = getattr(service.Service, "whole", service.Service.exchange)
        service.Service.whole, service.Service.exchange = exchange, broken
"""


@pytest.fixture
def canaries(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    search = Search()
    real = World.spell_key

    def spell_key(world: World, env: Any) -> str:
        key = f"canary-{search.mark}-{real(world, env)}{ODD}"
        search.add(f"write key {key[:20]} of {env.name}", key)
        return key

    monkeypatch.setattr(World, "spell_key", spell_key)
    # A short path, because Ansible makes a socket below its temporary folder, and a socket's path is limited to 107 bytes.
    with (
        refusing_proxy() as proxy,
        run_sandbox(2 + len(WAYS)) as sandbox,
        tempfile.TemporaryDirectory(prefix="leaks-") as folder,
    ):
        yield Fleet(sandbox, Path(folder) / "fleet", search, proxy)


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


def with_secrets_attached(canaries: Fleet, name: str) -> None:
    """Attach something of everything to the source, with secrets in all settings that Segment shows."""
    env = canaries.sandbox.world.environments[name]
    (source,) = (one for one in env.sources.values() if one.name == "twilio-unified-profiles")
    attach(env, source, "rich")
    places = {"source": source.settings}
    places |= {id_: one.setdefault("settings", {}) for id_, one in env.destinations.items()}
    for place, settings in places.items():
        settings["apiKey"] = f"canary-{canaries.search.mark}-in-{place}{ODD}"
        canaries.search.add(f"setting of {place}", settings["apiKey"])


def test_no_secret_anywhere(canaries: Fleet, count) -> None:
    """First connect, a rotation, recover of what was broken, in every way to fail; and what is put back from a snapshot."""
    printed = canaries.run("connect", ANSIBLE_CALLBACK_RESULT_FORMAT="json")
    names = list(canaries.sandbox.world.environments)
    assert canaries.sandbox.world.environments[names[0]].flex_key, printed[-3000:]
    assert Proxy.refused > 0
    assert "unified_profiles_failure" in printed
    keys = {name: fingerprint(canaries.sandbox.world.environments[name].flex_key) for name in names[:2]}
    body = {"errors": [{"type": "x", "message": " ".join(canaries.search.secrets.values())}]}
    canaries.sandbox.fault(environment=names[1], match="POST*key", status=400, body=body)
    words = {"rotate_now": keys, "retire": {names[0]: keys[names[0]]}, "test_event": True}
    given = json.dumps({f"unified_profiles_{option}": value for option, value in words.items()})
    printed += canaries.run("rotate", "-e", given, "--limit", ",".join(names[:2]))
    retired = {
        name: fingerprint(canaries.sandbox.world.environments[name].flex_key) != key for name, key in keys.items()
    }
    assert retired == {names[0]: True, names[1]: False}, printed[-3000:]
    assert f"the old key {keys[names[0]]} is to be removed" in printed
    assert "with HTTP 400" in printed
    with_secrets_attached(canaries, names[1])
    for name in names[:2]:
        canaries.sandbox.sabotage(name, "delete-source" if name == names[0] else "remove-key")
    printed += canaries.run(
        "recover", "-e", "unified_profiles_snapshot_max_age=0", ANSIBLE_CALLBACK_RESULT_FORMAT="yaml"
    )
    assert "recover_key" in printed
    assert any(
        "destination 0" in file.read_text() for file in canaries.folder.glob(".unified_profiles/snapshots/*.json")
    )
    for name in names[:2]:
        canaries.sandbox.sabotage(name, "delete-source")
    printed += canaries.run("recover", "-e", "unified_profiles_channel=operator", "--limit", ",".join(names[:2]))
    assert "ends in ..." in printed
    assert "Put back by hand what was lost with the source" in printed
    assert "Traceback" not in printed
    assert canaries.sandbox.world.environments[names[-1]].flex_key, "no secrets came from environment:"
    canaries.assert_silent()
    count("bytes of output, logs, caches, reports and temporary files searched for secrets", canaries.search.bytes)
    count("secrets looked for", len(canaries.search.secrets))


def test_no_secret_in_an_export_or_a_probe(canaries: Fleet, count) -> None:
    """The inventory and the report that they write, and all besides, from values, vaulted strings, and services that repeat what they were sent."""
    names = list(canaries.sandbox.world.environments)
    said = " ".join(canaries.search.secrets.values())
    body = {"errors": [{"type": "x", "message": said}]}
    canaries.sandbox.fault(environment=names[1], count=None, match="GET /spaces", status=400, body=body)
    ways = ("echoed", "white space in a token", "a secret in an endpoint's URL", "a proxy that refuses", "auth token")
    limited = [*names[:2], *(names[2 + list(WAYS).index(way)] for way in ways)]
    printed = canaries.run("export", "--limit", ",".join(limited))
    file = canaries.folder / ".unified_profiles/export/hosts.yml"
    assert file.exists(), printed[-3000:]
    text = file.read_text()
    assert text.count("unified_profiles_profile_token: !vault |") == len(limited)
    assert "TO DO: " in text
    printed += canaries.run("probe", "-e", "unified_profiles_probe_more=true", "--limit", ",".join(limited))
    assert "contradicted: " in printed, printed[-3000:]
    assert (canaries.folder / ".unified_profiles/probe/probe.md").exists()
    assert "Traceback" not in printed
    canaries.assert_silent()
    count("bytes of output, logs, caches, reports and temporary files searched for secrets", canaries.search.bytes)


def test_ordinary_modules_show_no_secret_either(canaries: Fleet) -> None:
    """Ansible's own file of a module, which holds its arguments, stays only because ANSIBLE_KEEP_REMOTE_FILES asks for it."""
    names = list(canaries.sandbox.world.environments)
    printed = canaries.run("connect", "-e", "unified_profiles_in_process=false", "--limit", f"{names[0]},{names[-2]}")
    assert "ANSIBALLZ" in printed.upper()
    assert canaries.sandbox.world.environments[names[0]].flex_key, printed[-3000:]
    canaries.search.hits = {hit for hit in canaries.search.hits if "AnsiballZ" not in hit[1]}
    canaries.assert_silent()


def test_a_defect_shows_no_secret_either(canaries: Fleet, count) -> None:
    """Errors that nobody expects and that quote secrets, with tracebacks wanted; and a look that takes longer than a task may."""
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
    # The look at all environments has limits of its own.
    assert not re.search(r"Timed out after 2|expected time frame \(2\)", printed), printed[-3000:]
    assert f"{slow} is failed" in printed
    canaries.assert_silent()
    count("bytes of output, logs, caches, reports and temporary files searched for secrets", canaries.search.bytes)


def test_where_ordinary_modules_show_what_is_in_environment(canaries: Fleet) -> None:
    """The commands that Ansible starts begin with it: at -vvv they are shown, and every user of the machine sees them."""
    name = list(canaries.sandbox.world.environments)[-1]
    canaries.run("connect", "-e", "unified_profiles_in_process=false", "--limit", name)
    assert canaries.sandbox.world.environments[name].flex_key
    places = {where for _secret, where, _text in canaries.search.hits if "AnsiballZ" not in where}
    assert places == {"output of connect", "ansible.log", "/proc/*/cmdline"}
