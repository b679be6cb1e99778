# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each client on its own: the sandbox's good answers with something wrong in them, and answers that are nothing at all.

Whatever comes, an operation ends with a result that can be printed, or with a failure that says what is wrong.
"""

from __future__ import annotations

import contextlib
import copy
import datetime
import functools
import json
import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients.twilio_sync import Document
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.endpoint import Endpoint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.pool import PoolTransport
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module import run as runner
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.options import (
    CONNECTION_OPTIONS,
    HTTP_OPTIONS,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sandbox.events import alert
from sandbox.server import SandboxHandle
from support.scenarios import SCENARIOS

SINCE = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
Answers = list[tuple[int, dict[str, str], Any]]


def ids(call: ModuleContext) -> tuple[str, str, str]:
    return call["space_id"], call["source_id"], call["twilio_account_sid"]


def write_key(call: ModuleContext) -> Secret:
    return Secret(call["write_key"])


OPERATIONS: dict[str, Callable[[ModuleContext], Any]] = {
    "Public API, workspace": lambda call: call.public_api().workspace(),
    "Public API, space": lambda call: call.public_api().space(ids(call)[0]),
    "Public API, spaces": lambda call: call.public_api().spaces(),
    "Public API, sources": lambda call: [s.view() for s in call.public_api().sources()],
    "Public API, source": lambda call: call.public_api().source(ids(call)[1]).view(),
    "Public API, create": lambda call: call.public_api().create_source("made-here", "V6ynUvQgbc", True).view(),
    "Public API, update": lambda call: call.public_api().update_source(ids(call)[1], enabled=True).view(),
    "Public API, labels": lambda call: call.public_api().set_labels(ids(call)[1], []),
    "Public API, add a key": lambda call: call.public_api().add_key(ids(call)[1]).view(),
    "Public API, audit trail": lambda call: call.public_api().audit_events(SINCE),
    "Public API, events volume": lambda call: call.public_api().events_volume(
        call.transport.clock.now() - datetime.timedelta(days=2), call.transport.clock.now(), ["Flex"], "HOUR"
    ),
    "Public API, space events": lambda call: call.public_api().space_events(ids(call)[0], "Flex"),
    "Profile API, pair": lambda call: call.profile_api().check_token_matches_space(ids(call)[0]),
    "Profile API, messages": lambda call: call.profile_api().profile_messages(ids(call)[0], "canary-user"),
    "Tracking API, identify": lambda call: call.tracking_api(write_key(call)).identify("canary-user", "canary-1", {}),
    "Flex, configuration": lambda call: call.flex().configuration(),
    "Flex, provisioning": lambda call: call.flex().provision_status(),
    "Monitor, alerts": lambda call: call.monitor().connector_alerts(SINCE, call.transport.clock.now()),
    "connector": lambda call: call.connector().exists(ids(call)[2]),
    "Sync, document": lambda call: vars(call.sync().document("default", "a-document") or Document(None, "")),
    "Sync, make": lambda call: vars(call.sync().save("default", "another-document", "{}", None)),
    "Sync, service": lambda call: call.sync().check_service("default"),
    "endpoint, read": lambda call: Endpoint(call.transport, "key", call["endpoint"]).read(),
    "endpoint, send": lambda call: Endpoint(call.transport, "link", call["endpoint"]).send({"source_id": ids(call)[1]}),
}

LISTINGS = (
    *(f"Public API, {what}" for what in ("spaces", "sources", "audit trail", "events volume", "space events")),
    "Monitor, alerts",
)
HALF = "\ud83d"  # half of a character, which JSON can carry and UTF-8 cannot
TEXTS = st.text(st.characters(), max_size=12) | st.sampled_from(
    [
        HALF,
        "x" * 3000,
        "http://[",
        "//[",
        "?PageToken=\ud800&a",
        "NaN",
        "2026-99-99T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
    ]
)
NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -(10**30), math.nan, math.inf, 1e308])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS | st.just("id"), inner, max_size=3),
    max_leaves=6,
)
GONE = object()
MUTATIONS = st.lists(st.tuples(st.integers(0, 10**6), VALUES | st.just(GONE)), min_size=1, max_size=3)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "x-ratelimit-reset", "date", "request-id", "content-type", "content-encoding"]),
    st.sampled_from(
        ["", "-1", "1e999", "nan", "9" * 400, "Sat, 99 Foo 99999 99:99:99", "\x80\xff", "gzip", "utf-16", "0"]
    ),
    max_size=2,
)
NOTHING = st.binary(max_size=40) | st.sampled_from(
    [
        b"",
        b"\x00",
        b"\xff\xfe",
        b"null",
        b"[" * 100_000,
        b'{"data":' * 5_000,
        b"1" * 10_000,
        b'"\\ud83d"',
        b"\xef\xbb\xbf{}",
    ]
)


@pytest.fixture(scope="module")
def good(shared_sandbox: SandboxHandle) -> Callable[[str], tuple[dict[str, Any], Answers]]:
    """The parameters of an operation, and what the sandbox answers to it."""

    @functools.cache
    def record(name: str) -> tuple[dict[str, Any], Answers]:
        with tempfile.TemporaryDirectory() as folder:
            chain = SCENARIOS["connect again"].begin(shared_sandbox, Path(folder))
        world, env = shared_sandbox.world, chain.env
        (source,) = chain.twilio_sources
        source.labels = [{"key": "environment", "value": "dev"}]
        shared_sandbox.engage(env.name, 3)
        alert(world, env, "49008")
        step = "link" if "send" in name else "key"
        url = f"{shared_sandbox.url}/handover/{env.name}/{step}"
        gateway = {"Authorization": f"Bearer {env.gateway_token}"}
        params = {
            **dict.fromkeys(CONNECTION_OPTIONS),
            **{option: spec.get("default") for option, spec in HTTP_OPTIONS.items()},
            **chain.known,
            "profile_token": env.profile_token,
            "source_id": source.id,
            "write_key": source.keys[0],
            "retry_budget": 0.0,
            "endpoint": {
                **{
                    "url": url,
                    "method": "POST",
                    "headers": gateway,
                    "body": {"source_id": "{source_id}", "space_id": env.space["id"]},
                },
                **{"success": {}, "read_url": url, "read_path": "write_key_fingerprint"},
            },
        }
        call, answers = ModuleContext(params, False), []
        if name.startswith("Sync, document"):
            call.sync().save("default", "a-document", '{"format": 1}', None)
        with pytest.MonkeyPatch.context() as patch:
            send = PoolTransport.handle_request

            def recorded(self: PoolTransport, request: httpx.Request) -> httpx.Response:
                response = send(self, request)
                content = response.read()
                kept = {k: v for k, v in response.headers.items() if k not in ("content-length", "transfer-encoding")}
                answers.append((response.status_code, kept, json.loads(content) if content else None))
                return httpx.Response(response.status_code, headers=kept, content=content)

            patch.setattr(PoolTransport, "handle_request", recorded)
            OPERATIONS[name](call)
        call.transport.close()
        assert answers
        return params, answers

    return record


def response(status: int, headers: dict[str, str], content: bytes) -> httpx.Response:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return httpx.Response(status, headers=raw, stream=httpx.ByteStream(content))


def served(answers: Iterator[httpx.Response], name: str, params: dict[str, Any]) -> dict[str, Any]:
    """The result of the operation when it gets these answers."""

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        return next(answers, None) or httpx.Response(418)

    over = httpx.MockTransport(answer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Transport, "connection", lambda self, base_url: contextlib.nullcontext(over))
        return runner.run_in_process(lambda call: {"it": OPERATIONS[name](call)}, params, False)


def assert_clear(result: dict[str, Any]) -> None:
    # Whatever Ansible does with a result: print it, write it, send it on as JSON.
    json.dumps(result, ensure_ascii=False).encode()
    if result.get("failed"):
        assert result["failure"]["kind"] != "defect", result["msg"]
        assert 10 < len(result["msg"]) < 5000


EXAMPLES = settings(
    database=None,
    deadline=None,
    max_examples=30,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.large_base_example],
)


WRONG = {
    "mutations": MUTATIONS,
    "headers": HEADERS,
    "status": st.sampled_from([None, None, None, 400, 404, 409, 500]),
}


@pytest.mark.parametrize("name", OPERATIONS)
@EXAMPLES
@given(**WRONG)
def test_a_good_answer_with_something_wrong_in_it(good, count, name: str, **wrong: Any) -> None:
    spoil(good, count, name, **wrong)


@pytest.mark.full
@pytest.mark.parametrize("name", OPERATIONS)
@settings(EXAMPLES, max_examples=500)
@given(**WRONG)
def test_many_more_of_them(good, count, name: str, **wrong: Any) -> None:
    spoil(good, count, name, **wrong)


def spoil(
    good, count, name: str, mutations: list[tuple[int, Any]], headers: dict[str, str], status: int | None
) -> None:
    params, answers = good(name)
    which = mutations[0][0] % len(answers)
    wrong = copy.deepcopy(answers)
    was, kept, body = wrong[which]
    for number, value in mutations:
        body = mutated(body, number, value)
    wrong[which] = (status or was, {**kept, **headers}, body)
    assert_clear(served((response(*answer[:2], json.dumps(answer[2]).encode()) for answer in wrong), name, params))
    count("good answers of a service with something wrong in them")


def mutated(body: Any, number: int, value: Any) -> Any:
    """The body with another value, or none, at one of its places."""
    places: list[tuple[Any, Any]] = [(None, None)]

    def walk(part: Any) -> None:
        for key in part if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else ():
            places.append((part, key))
            walk(part[key])

    walk(body)
    parent, key = places[number % len(places)]
    if parent is None:
        return None if value is GONE else value
    if value is GONE:
        del parent[key]
    else:
        parent[key] = copy.deepcopy(value)
    return body


CURSORS = (
    "http://[",
    "//[",
    "?",
    "?PageToken=\ud800&a",
    "x" * 50_000,
    "\x00\r\nX-Evil: 1",
    "?" + "a=1&" * 5000,
    " ",
    "MQ==",
)


@pytest.mark.parametrize("cursor", CURSORS, ids=lambda text: ascii(text[:12]))
@pytest.mark.parametrize("name", [name for name in OPERATIONS if name in LISTINGS])
def test_a_next_page_that_leads_nowhere(good, name: str, cursor: str) -> None:
    params, answers = good(name)
    ((status, headers, body),) = copy.deepcopy(answers)
    if "meta" in body:
        body["meta"]["next_page_url"] = cursor
    else:
        body["data"]["pagination"]["next"] = cursor
    result = served((response(status, headers, json.dumps(body).encode()) for _unused in range(3)), name, params)
    assert_clear(result)
    assert cursor in ("?", " ") or result["failed"]


@pytest.mark.parametrize("name", OPERATIONS)
@EXAMPLES
@given(
    content=NOTHING, headers=HEADERS, status=st.sampled_from([200, 200, 201, 204, 301, 400, 404, 429, 500, 599, 999])
)
def test_an_answer_that_is_nothing(
    good, count, name: str, content: bytes, headers: dict[str, str], status: int
) -> None:
    params, _answers = good(name)
    assert_clear(served((response(status, headers, content) for _unused in iter(int, 1)), name, params))
    count("answers that are nothing at all")
