# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every operation of the sandbox, with a success and with each refusal that is documented for it."""

from __future__ import annotations

import email.utils
import re

import pytest
from support.operations import OPERATIONS, REFUSALS, SUCCESSES, Case, at, shaped

# Nothing here depends on the version of ansible-core.
pytestmark = pytest.mark.newest_only


@pytest.mark.parametrize("case", SUCCESSES, ids=str)
def test_it_does_what_it_is_asked(stage, case):
    audited = len(stage.env.audit)
    answer = stage.send(case)
    assert answer.status_code == case.status, answer.text
    assert answer.headers["request-id"]
    if case.status == 204:
        assert answer.content == b""
    else:
        body = answer.json()["data"] if case.service == "segment" else answer.json()
        assert at(body, case.has) is not None
    if case.service == "segment":
        consumed, remaining = (int(answer.headers[f"x-ratelimit-{name}"]) for name in ("consumed", "remaining"))
        assert consumed > 0 <= remaining
        assert email.utils.parsedate_to_datetime(answer.headers["x-ratelimit-reset"]) > stage.sandbox.world.now()
        # Whatever changes something leaves a trace.
        assert (len(stage.env.audit) > audited) == (case.method != "GET")


@pytest.mark.parametrize("case", REFUSALS, ids=str)
def test_it_refuses(stage, case):
    answer = stage.send(case)
    assert answer.status_code == case.status, answer.text
    assert shaped(case.service, answer.json(), case.status)


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_nobody_gets_in_without_the_right_credentials(stage, operation):
    service, method, path = operation
    if service == "tracking":
        # It answers a wrong key like a right one.
        case = Case(service, method, path, 200, {"writeKey": "k" * 32, "userId": "u", "batch": []})
        assert stage.send(case).status_code == 200
        return
    path = path.replace("{environment}", "dev")
    strangers = ("nobody", "wrong", "of another region") if service == "segment" else ("wrong",)
    for who in strangers:
        answer = stage.send(Case(service, method, path, who=who))
        assert (answer.status_code, shaped(service, answer.json(), 401)) == (401, True)
    if service == "segment" and method != "GET":
        before = len(stage.env.audit)
        assert stage.send(Case(service, method, path, who="read-only")).status_code == 403
        assert len(stage.env.audit) == before


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if "{" in o[2] and o[0] == "segment"], ids=" ".join)
def test_what_is_not_there_is_not_found(stage, operation):
    service, method, path = operation
    answer = stage.send(Case(service, method, re.sub(r"\{\w+\}", "none", path), body={"labels": [], "sourceId": "x"}))
    assert (answer.status_code, shaped(service, answer.json(), 404)) == (404, True)


def test_every_operation_has_a_success_here():
    def fits(path: str, case: Case) -> bool:
        return bool(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), case.path.partition("?")[0]))

    for service, method, path in OPERATIONS:
        # The first route that fits is the one that answers.
        assert any(c.service == service and c.method == method and fits(path, c) for c in SUCCESSES), (method, path)
