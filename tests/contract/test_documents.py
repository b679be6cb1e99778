# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every answer that the sandbox gives in this suite is compared with the vendors' documents; here that this happens."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import httpx
import pytest
from support.documents import MISSING, NEWER_EVENTS, NEWER_PATHS, WITHOUT_DOCUMENT
from support.operations import OPERATIONS, SUCCESSES, Stage, is_of

# Nothing here depends on the version of ansible-core.
pytestmark = pytest.mark.newest_only


@pytest.fixture
def checked(documents):
    if documents is None:
        pytest.skip(MISSING)
    return documents


def test_each_operation_is_in_a_document_or_known_not_to_be(checked):
    missing = {
        (service, method, path) for service, method, path in OPERATIONS if not checked.covers(service, method, path)
    }
    assert {operation for operation in missing if operation[0] not in WITHOUT_DOCUMENT} == NEWER_PATHS


def test_each_answer_was_compared(checked, sandbox):
    checked.checked.clear()
    for case in SUCCESSES:
        sandbox.reset()
        Stage(sandbox).send(case)
    compared = {operation[:3] for operation in checked.checked}
    silent = {("sync", "DELETE", path) for _service, method, path in OPERATIONS if method == "DELETE"}
    assert {o for o in OPERATIONS if checked.covers(*o)} - compared <= silent


def test_the_audit_trail_has_the_events_that_the_document_names(checked, sandbox):
    named = {}
    for case in (case for case in SUCCESSES if case.service == "segment" and case.method != "GET"):
        sandbox.reset()
        stage = Stage(sandbox)
        before = len(stage.env.audit)
        stage.send(case)
        operation = next(o for o in OPERATIONS if is_of(case, o))
        if told := checked.audited(*operation[1:]):
            named[operation] = told
            assert {event["type"] for event in stage.env.audit[before:]} <= told | NEWER_EVENTS, operation
    assert len(named) > 5
    assert named["segment", "POST", "/sources"] == {"Source Created"}
    assert len(named["segment", "PATCH", "/sources/{id}"]) == 4


def test_the_list_of_endpoints_in_the_docs_is_complete():
    text = (Path(__file__).parents[2] / "docs/sandbox.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\w+) \| ([A-Z ]+) \| `(\S+)` \| (D|C|own) \|", text, re.MULTILINE)
    listed = [(service, method, path) for service, methods, path, _grade in rows for method in methods.split()]
    assert sorted(listed) == sorted(OPERATIONS)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda source: source.pop("workspaceId"), "'workspaceId' is a required property"),
        (lambda source: source.update(enabled="yes"), "'yes' is not of type 'boolean'"),
        (lambda source: source.update(novelty=1), "'novelty' was unexpected"),
        (lambda source: source["metadata"].update(novelty=1, status="PUBLIC"), "'novelty'"),
        (lambda source: source["metadata"].update(status="PUBLIC"), ""),
    ],
)
def test_a_wrong_answer_is_noticed(checked, sandbox, spoil, told):
    env = sandbox.world.environments["dev"]
    headers = {"authorization": f"Bearer {env.segment_token}"}
    good = httpx.get(f"{sandbox.url}/segment/us/sources/{next(iter(env.sources))}", headers=headers).json()
    bad = copy.deepcopy(good)
    spoil(bad["data"]["source"])
    checked.check("segment", "GET", "/sources/{id}", 200, bad)
    problems, checked.problems = checked.problems, []
    assert (told in problems[0]) if told else not problems
