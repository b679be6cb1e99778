# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of any shape end in a clear failure; names are never templated, never executed, and steer no terminal and no page."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sandbox.server import Running
from sandbox.world import SOURCE_NAME
from scenarios import SCENARIOS, Snapshot

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
    max_examples=150,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(
    name=st.sampled_from(["first connect", "connect again", "recover, deleted", "first connect, ledger in Sync"]),
    nth=st.integers(0, 18),
    status=st.sampled_from([200, 200, 200, 201, 400, 404, 500]),
    body=BODIES,
)
def test_any_answer(shared_sandbox: Running, count, name: str, nth: int, status: int, body: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        chain = SCENARIOS[name].begin(shared_sandbox, Path(folder))
        start = Snapshot(chain)
        shared_sandbox.fault(match=".", skip=nth, status=status, body=body)
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


@pytest.mark.parametrize("kind", ["jinja", "terminal", "html"])
def test_names_do_nothing(sandbox: Running, project, tmp_path: Path, kind: str) -> None:
    touched = tmp_path / "touched"
    evil = {
        "jinja": f"{{{{ lookup('ansible.builtin.pipe', 'touch {touched}') }}}}{{% for x in 'ab' %}}",
        "terminal": STEERING,
        "html": "<img src=x onerror=alert(1)><script>alert(1)</script>|`[x](javascript:alert(1))",
    }[kind]
    for env in sandbox.world.environments.values():
        env.workspace["name"] = env.space["name"] = evil
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
