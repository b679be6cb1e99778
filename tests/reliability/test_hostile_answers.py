# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of any shape end in a clear failure; names are never templated, never executed, and steer no terminal and no page."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from ansible_collections.flexops.unified_profiles.plugins.modules import segment_source, segment_source_info
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sandbox.catalog import JAVA
from sandbox.model import SOURCE_NAME
from sandbox.server import SandboxHandle
from support.scenarios import SCENARIOS, Snapshot, assert_connected, check_settled, settle

STEERING = "\x1b]0;owned\x07\x1b[31mred\u202etxt"
FIELDS = (
    *("data", "sources", "source", "id", "name", "slug", "metadata", "writeKeys", "labels", "key", "value", "enabled"),
    *(
        "workspace",
        "space",
        "pagination",
        "next",
        "current",
        "events",
        "alerts",
        "meta",
        "next_page_url",
        "url",
        "traits",
    ),
    *("errors", "message", "code", "unique_name", "revision", "flex_service_instance_sid", "status", "ui_version"),
    *("profile_token_fingerprint", "source_id", "write_key_fingerprint", "error", "timestamp", "type", "resourceId"),
)
TEXTS = st.text(max_size=20) | st.sampled_from([SOURCE_NAME, "{{ 1 + 1 }}", STEERING, "x" * 5000, "NaN", "MA==", ""])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=30,
)
DEEP: Any = None
for _ in range(900):
    DEEP = {"data": [DEEP]}
BODIES = (
    st.fixed_dictionaries({"data": st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6)})
    | VALUES
    | st.just(DEEP)
    | st.just({"data": {"sources": [{}] * 5000}})
)


@settings(
    database=None,
    deadline=None,
    max_examples=90,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(
    name=st.sampled_from(["first connect", "connect again", "recover, deleted", "first connect, ledger in Sync"]),
    nth=st.integers(0, 18),
    status=st.sampled_from([200, 200, 200, 201, 400, 404, 500]),
    body=BODIES,
)
def test_any_answer(shared_sandbox: SandboxHandle, count, name: str, nth: int, status: int, body: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chain = SCENARIOS[name].begin(shared_sandbox, Path(folder))
        start = Snapshot(chain)
        shared_sandbox.fault(skip=nth, status=status, body=body)
        run = getattr(chain, SCENARIOS[name].playbook)()  # itself refuses any defect
        shared_sandbox.clear_faults()
        if run.failure:
            assert run.failure["msg"]
            assert len(run.failure["msg"]) < 5000
        shown = json.dumps(run.results, ensure_ascii=False)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", shown)
        start.assert_nothing_lost()
        assert len(chain.twilio_sources) <= 1
        count("answers of any shape")


@pytest.mark.parametrize(
    "kind", ["all of it", *(pytest.param(kind, marks=pytest.mark.full) for kind in ("jinja", "terminal", "html"))]
)
def test_names_do_nothing(sandbox: SandboxHandle, project, tmp_path: Path, kind: str) -> None:
    touched = tmp_path / "touched"
    kinds = {
        "jinja": f"{{{{ lookup('ansible.builtin.pipe', 'touch {touched}') }}}}{{% for x in 'ab' %}}",
        "terminal": STEERING,
        "html": "<img src=x onerror=alert(1)><script>alert(1)</script>|`[x](javascript:alert(1))",
    }
    evil = kinds.get(kind) or " ".join(kinds.values())
    sandbox.switch(account_by_key=200)
    for env in sandbox.world.environments.values():
        env.workspace["name"] = env.space["name"] = env.account_name = evil
        env.labels.append({"key": evil, "value": evil})
        other = sandbox.world.make_source(env, "other", "1fc0c78533", True, name=evil)
        other.labels = [{"key": evil, "value": evil}]
    printed = project.run("connect", "-vvv", "--diff").output
    page = (project.inventory / ".unified_profiles/report.html").read_text()
    sandbox.sabotage("dev", "rename-source", to=evil)
    sandbox.sabotage("prod", "duplicate-name")
    for source in sandbox.world.environments["prod"].sources.values():
        source.slug, source.labels = evil, [{"key": evil, "value": evil}]
    sandbox.sabotage("eu", "swap-type")
    sandbox.fault(environment="eu", match="/spaces/", status=400, count=None, body={"errors": [{"message": evil}]})
    printed += project.run("recover", "-vvv", "--diff").output
    again = project.run("recover", "-e", "unified_profiles_channel=operator")
    printed += again.output
    page += (project.inventory / ".unified_profiles/report.html").read_text()
    page += (project.inventory / ".unified_profiles/report.md").read_text() if kind == "terminal" else ""
    assert not touched.exists()
    assert "Traceback" not in printed
    assert "A defect" not in printed
    assert "\x1b" not in printed + page
    assert "\u202e" not in printed + page
    assert "<img" not in page
    assert "<script>alert" not in page
    assert again.report["prod"]["status"] == "failed"


# Each makes another name that looks like the one it is given, or would be taken for it by somebody in a hurry.
LOOK_ALIKES: dict[str, Callable[[str], str]] = {
    "trailing space": lambda name: name + " ",
    "leading space": lambda name: " " + name,
    "line break": lambda name: name + "\n",
    "space without a break": lambda name: name + "\u00a0",
    "no width": lambda name: name[:6] + "\u200b" + name[6:],
    "joiner": lambda name: name.replace("-", "\u2060-"),
    "soft hyphen": lambda name: name[:9] + "\u00ad" + name[9:],
    "byte order mark": lambda name: "\ufeff" + name,
    "right to left": lambda name: "\u202e" + name[::-1],
    "tag character": lambda name: name + "\U000e0061",
    "variation": lambda name: name + "\ufe0f",
    "filler": lambda name: name + "\u3164",
    "Cyrillic": lambda name: name.replace("o", "\u043e").replace("i", "\u0456"),
    "full width": lambda name: "".join(chr(ord(c) + 0xFEE0) for c in name),
    "other hyphen": lambda name: name.replace("-", "\u2010"),
    "combining": lambda name: name.replace("i", "i\u0307"),
    "upper case": str.upper,
    "title case": str.title,
    "dotless": lambda name: name.replace("i", "\u0131"),
}
INVISIBLE = list(LOOK_ALIKES)[:12]


@pytest.mark.parametrize("kind", LOOK_ALIKES)
def test_what_only_looks_like_the_source_is_another_one(
    sandbox: SandboxHandle, tmp_path: Path, kind: str, count
) -> None:
    """Never adopted, changed or deleted, whether the right one is there or not; and the right one is found beside it."""
    alike = LOOK_ALIKES[kind]
    for name in ("first connect", "connect again", "recover, deleted", "recover, renamed"):
        chain = SCENARIOS[name].begin(sandbox, tmp_path / name)
        env = chain.env
        other = sandbox.world.make_source(env, "other", JAVA, False, name=alike(SOURCE_NAME))
        other.slug = alike(SOURCE_NAME)
        other.labels = [{"key": alike("environment"), "value": alike("dev")}]
        env.labels.append(other.labels[0])
        env.space["name"], env.workspace["name"] = alike(env.space["name"]), alike(env.workspace["name"])
        start = Snapshot(chain)
        if name in ("first connect", "recover, deleted"):
            assert not chain.run(segment_source, state="absent")["changed"]
            assert "There is no source" in chain.run(segment_source, create=False)["msg"]
            assert start.same()
        assert_connected(chain, settle(chain, SCENARIOS[name].playbook))
        start.assert_nothing_lost()
        check_settled(chain, SCENARIOS[name].playbook)
        count("sources, spaces and labels that only look like the right ones")


@pytest.mark.parametrize("kind", INVISIBLE)
def test_what_nobody_sees_is_shown(sandbox: SandboxHandle, tmp_path: Path, kind: str) -> None:
    """In an answer it is printed as an escape; in an option it is refused."""
    wrong = LOOK_ALIKES[kind](SOURCE_NAME)
    chain = SCENARIOS["connect again"].begin(sandbox, tmp_path)
    chain.twilio_sources[0].name = wrong
    finding, *_others = chain.run(segment_source_info)["findings"]
    assert finding["problem"] == "renamed"
    shown = finding["detail"].split("'")[1]
    assert shown != SOURCE_NAME
    assert shown.isascii()
    start = Snapshot(chain)
    for create in (True, False):
        refused = chain.run(segment_source, source_name=wrong, create=create)
        assert refused["failure"]["option"] == "source_name"
        assert "another name" in refused["msg"]
    assert start.same()


def test_a_key_in_a_name_is_not_shown(sandbox: SandboxHandle, tmp_path: Path) -> None:
    """Not in the source's own, nor in one beside it; and what is compared is compared as it came."""
    chain = SCENARIOS["connect again"].begin(sandbox, tmp_path)
    (source,) = chain.twilio_sources
    (key,) = source.keys
    source.name, source.slug = f"{SOURCE_NAME} {key}", SOURCE_NAME
    shown = json.dumps([chain.run(segment_source_info), chain.run(segment_source, state="absent")])
    assert "renamed" in shown
    assert f"{SOURCE_NAME} <secret {fingerprint(key)}>" in shown
    assert key not in shown


@pytest.mark.parametrize("step", ["segment", "endpoint"])
def test_a_key_in_what_a_server_says_is_not_shown(sandbox: SandboxHandle, tmp_path: Path, step: str) -> None:
    """Return whether it was seen in this task or in an earlier one, and whoever says it."""
    chain = SCENARIOS["connect again"].begin(sandbox, tmp_path)
    (source,) = chain.twilio_sources
    (key,) = source.keys
    said = f"no {key} for {chain.env.segment_token}"
    rule = {"segment": {"match": "GET /*/sources"}, "endpoint": {"match": "GET /handover"}}[step]
    body = {"errors": [{"type": key, "message": said}], "message": said}
    sandbox.fault(**rule, status=400, count=None, body=body, headers={"request-id": said[-60:]})
    shown = json.dumps([chain.connect().failure, chain.run(segment_source_info)])
    assert "HTTP 400" in shown
    assert fingerprint(key) in shown
    assert key not in shown
    assert chain.env.segment_token not in shown
