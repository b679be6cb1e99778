# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every operation refuses in the same way, generated from the operations; and that none of them lacks a documented refusal.

The rest, which differs from one operation to the next, is the table REFUSALS in tests/support/operations.py.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from sandbox import limits
from support.operations import OPERATIONS, REFUSALS, SUCCESSES, Case, at, is_of, shaped

# Nothing here depends on the version of ansible-core.
pytestmark = pytest.mark.newest_only

TWILIO = ("flex", "monitor", "sync", "taskrouter", "api", "preview")
CODES = {401: 20003, 404: 20404, 429: 20429}


def success(operation: tuple[str, str, str]) -> Case:
    found = next((case for case in SUCCESSES if is_of(case, operation)), None)
    assert found, f"SUCCESSES in tests/support/operations.py has no case for {operation}"
    return found


def takes_body(operation: tuple[str, str, str]) -> bool:
    return success(operation).body is not None


def is_paged(operation: tuple[str, str, str]) -> bool:
    service, method, path = operation
    last = path.rpartition("/")[2]
    if method != "GET" or service not in ("segment", "sync", "monitor", "taskrouter"):
        return False
    if service == "segment":
        # Labels come as a whole, and so does what is asked for by its id.
        return path not in ("/", "/labels", "/echo", "/sources/{id}/settings") and not last.startswith("{")
    return last in ("Services", "Documents", "Alerts", "Events")


def names_something(operation: tuple[str, str, str]) -> bool:
    """Return whether the path holds an id that may be unknown. Those of profiles and hand-overs are in REFUSALS."""
    return "{" in operation[2]


def documented(operation: tuple[str, str, str]) -> set[int]:
    """The refusals of an operation by the vendors' pages and OpenAPI documents.

    Segment's OpenAPI document says 404, 422 and 429 of every operation, the guide 400, 401, 403, 409 and 413. 422 is
    what the guide calls 400; the sandbox answers it where the switch ``duplicate_slug`` says so.
    """
    service, method, path = operation
    found = {429}
    if service != "tracking":
        found.add(401)
    if names_something(operation):
        found.add(404)
    if takes_body(operation) and path not in ("/v1/Services", "/v1/Services/{service}"):
        found.add(400)
    if is_paged(operation):
        found.add(400)
    if service == "segment" and method != "GET":
        found.add(403)
    if service == "segment" and takes_body(operation):
        found.add(413)
    more = {
        ("segment", "POST", "/sources"): {409, 422},
        ("segment", "PATCH", "/sources/{id}"): {409, 422},
        ("segment", "POST", "/labels"): {409, 422},
        ("segment", "GET", "/audit-events"): {403},
        ("segment", "GET", "/users"): {403},
        ("segment", "GET", "/groups"): {403},
        ("flex", "GET", "/v1/Configuration"): {404},
        ("sync", "POST", "/v1/Services/{service}/Documents"): {409, 413},
        ("sync", "POST", "/v1/Services/{service}/Documents/{document}"): {412, 413},
        ("handover", "POST", "/{environment}/{step}"): {422},
    }
    return found | more.get(operation, set())


def having(status: int, *services: str) -> list[tuple[str, str, str]]:
    return [o for o in OPERATIONS if status in documented(o) and (not services or o[0] in services)]


NO_READ_BACK = [o for o in having(400, "segment", "tracking", "handover") if takes_body(o)]
PAGED = [o for o in OPERATIONS if is_paged(o)]
TAKEN = having(422, "segment")
# The status of each refusal that a test here generates, and for which operations it does.
GENERATED = {
    401: having(401),
    403: [o for o in having(403) if o[1] != "GET"],
    # Segment's are in tests/support/operations.py; that of Flex is 45101.
    404: having(404, "segment", *TWILIO),
    413: having(413, "segment"),
    422: TAKEN,
    429: having(429),
    400: [*NO_READ_BACK, *PAGED],
    409: TAKEN,
}


def refuses(stage, case, status):
    """Send it, and expect this refusal in the words of the service."""
    answer = stage.send(case)
    assert answer.status_code == status, answer.text
    assert shaped(case.service, answer.json(), status)
    if case.service in TWILIO and status in CODES:
        assert answer.json()["code"] == CODES[status]
    return answer


def writes(stage):
    env = stage.env
    return (len(env.audit), env.serial, sorted(env.sources), len(env.received), len(env.labels))


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_a_429_comes_in_the_words_of_the_service(stage, operation):
    """A 429 comes in the words of the service and nothing is processed."""
    case, before = success(operation), writes(stage)
    stage.sandbox.fault(kind="rate_limited", seconds=3, hint="seconds")
    answer = refuses(stage, case, 429)
    assert answer.headers["retry-after"] == "3"
    assert writes(stage) == before
    assert stage.send(case).status_code == case.status


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o[0] in ("segment", "profiles")], ids=" ".join)
def test_a_limit_of_its_own_refuses_what_is_too_much(stage, operation, monkeypatch):
    for name, value in (("LIMITS", {}), ("DEFAULT_LIMIT", (1, 60.0)), ("PROFILES", (1, 60.0))):
        monkeypatch.setattr(limits, name, value)
    # Whatever was counted so far is over.
    stage.sandbox.advance(61)
    stage.sandbox.world.switch({"rate_limits": True})
    case = success(operation)
    assert stage.send(case).status_code == case.status
    before = writes(stage)
    refuses(stage, case, 429)
    assert writes(stage) == before
    stage.sandbox.advance(61)
    assert stage.send(case).status_code != 429


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o[0] in TWILIO], ids=" ".join)
def test_twilio_says_20003_to_strangers(stage, operation):
    service, method, path = operation
    refuses(stage, Case(service, method, path, who="wrong"), 401)


@pytest.mark.parametrize("operation", [o for o in having(404, *TWILIO) if names_something(o)], ids=" ".join)
def test_twilio_says_20404_of_what_is_not_there(stage, operation):
    service, method, path = operation
    refuses(stage, Case(service, method, re.sub(r"\{\w+\}", "none", path), body={} if method == "POST" else None), 404)


def test_flex_says_45101_where_there_is_none(stage):
    stage.sandbox.sabotage("dev", "no-flex")
    answer = stage.send(Case("flex", "GET", "/v1/Configuration"))
    assert (answer.status_code, answer.json()["code"]) == (404, 45101)


@pytest.mark.parametrize("operation", NO_READ_BACK, ids=" ".join)
@pytest.mark.parametrize("body", ["not json", "[1]"])
def test_a_body_that_is_no_object_is_refused(stage, operation, body):
    service, method, _path = operation
    before = writes(stage)
    refuses(stage, Case(service, method, success(operation).path, body=body), 400)
    assert writes(stage) == before


@pytest.mark.parametrize("operation", having(413, "segment"), ids=" ".join)
def test_a_body_that_is_too_large_is_refused(stage, operation):
    service, method, _path = operation
    refuses(stage, Case(service, method, success(operation).path, body={"x": "y" * 1024 * 1024}), 413)


@pytest.mark.parametrize("operation", PAGED, ids=" ".join)
def test_a_page_that_cannot_be_is_refused(stage, operation):
    service, method, _path = operation
    path = success(operation).path
    wrong = ["pagination.count=0", "pagination.count=1001", "pagination[cursor]=%21", "pagination=["]
    for query in wrong if service == "segment" else ["PageSize=0", "PageSize=x", "PageToken=PAx"]:
        refuses(stage, Case(service, method, f"{path}{'&' if '?' in path else '?'}{query}"), 400)


@pytest.mark.parametrize("operation", PAGED, ids=" ".join)
def test_what_comes_in_pages_says_so(stage, operation):
    body = stage.send(success(operation)).json()
    assert at(body, "data.pagination.totalEntries" if operation[0] == "segment" else "meta.page_size") >= 0


@pytest.mark.parametrize("operation", TAKEN, ids=" ".join)
@pytest.mark.parametrize("status", [400, 409, 422])
def test_what_is_taken_is_refused_as_switched(stage, operation, status):
    stage.sandbox.world.switch({"duplicate_slug": status})
    service, method, _path = operation
    taken = next(case for case in REFUSALS if is_of(case, operation) and case.status == 409)
    refuses(stage, Case(service, method, taken.path, body=taken.body), status)


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_no_operation_lacks_a_documented_refusal(operation):
    tried = {case.status for case in REFUSALS if is_of(case, operation)}
    tried |= {status for status, operations in GENERATED.items() if operation in operations}
    assert documented(operation) <= tried


def test_paged_operations_are_those_that_answer_in_pages(stage):
    for operation in OPERATIONS:
        if operation[1] == "GET" and operation[0] in ("segment", "sync", "monitor", "taskrouter"):
            body = stage.send(success(operation)).json()
            assert ("pagination" in body.get("data", {}) or "meta" in body) == is_paged(operation), operation


@pytest.mark.parametrize(("query", "count"), [("", 2), ("&triggerError=true", 1), ("&triggerUnexpectedError=true", 2)])
def test_echo_tells_several_errors_unless_one_is_asked_for(stage, query, count):
    answer = stage.send(Case("segment", "GET", "/echo?message=no&statusCode=418&triggerMultipleErrors=true" + query))
    assert (answer.status_code, [error["message"] for error in answer.json()["errors"]]) == (418, ["no"] * count)


def test_echo_waits_as_long_as_asked_and_holds_nobody_up(stage, monkeypatch):
    waited, lock = [], stage.sandbox.world.lock

    def is_free() -> bool:
        if free := lock.acquire(blocking=False):
            lock.release()
        return free

    async def sleep(seconds: float) -> None:
        # Another thread asks, since the one that holds the lock could have it again.
        with ThreadPoolExecutor() as pool:
            waited.append((seconds, pool.submit(is_free).result()))

    monkeypatch.setattr("sandbox.endpoints.asyncio", SimpleNamespace(sleep=sleep))
    assert stage.send(Case("segment", "GET", "/echo?message=late&delay=2500")).json()["data"]["message"] == "late"
    assert waited == [(2.5, True)]
