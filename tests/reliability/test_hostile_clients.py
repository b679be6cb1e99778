# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each client on its own: corrupted copies of the sandbox's valid responses, and arbitrary bytes.

Whatever comes, an operation ends with a result that can be printed, or with a failure that says what is wrong.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import datetime
import functools
import inspect
import json
import math
import tempfile
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients.source import Source
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
from sandbox.model import deterministic_id
from sandbox.server import SandboxHandle
from support.scenarios import SCENARIOS

SINCE = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
Answers = list[tuple[int, dict[str, str], Any]]


def values_for(call: ModuleContext) -> dict[str, Any]:
    """Values for the parameters of all operations, by name."""
    now = call.transport.clock.now()
    return {
        "space": call["space_id"],
        "source": call["source_id"],
        "account": call["twilio_account_sid"],
        "service": "default",
        "slug": "made-here",
        "metadata": "V6ynUvQgbc",
        "enabled": True,
        "labels": [],
        "key": Secret(call["write_key"]),
        "write_key": Secret(call["write_key"]),
        "since": SINCE,
        "start": now - datetime.timedelta(days=2),
        "end": now,
        "now": now,
        "names": ["Flex"],
        "granularity": "HOUR",
        "search": "Flex",
        "region": "",
        "user_id": "canary-user",
        "message_id": "canary-1",
        "traits": {},
        "name": "a-document",
        "data": "{}",
        "revision": None,
        "ttl": 60,
        "values": {"source_id": call["source_id"]},
        "label": {"key": "environment", "value": "dev"},
        "known": [],
        "settings": {},
        "warehouse": deterministic_id(22, "dev", "warehouse"),
        "left_out": {"users": []},
        "plan": "tp_" + deterministic_id(27, "dev", "tracking-plan"),
        "destinations": ["d1"],
    }


def called(function: Callable[..., Any], values: dict[str, Any]) -> Any:
    """What it returns, with a value for each of its parameters. One that has no value here is to be given one."""
    parameters = inspect.signature(function).parameters.values()
    # A source's fields, whichever they are.
    names = ["enabled" if it.kind is it.VAR_KEYWORD else it.name for it in parameters]
    return function(**{name: values[name] for name in names})


def operations() -> dict[str, Callable[[ModuleContext], Any]]:
    """Every public method of every client that a module's context makes, and of an endpoint."""
    found: dict[str, Callable[[ModuleContext], Any]] = {}

    def add(name: str, client: Callable[[ModuleContext], Any], method: str) -> None:
        found[name] = lambda call: called(getattr(client(call), method), values_for(call))

    for maker, function in vars(ModuleContext).items():
        of = typing.get_type_hints(function).get("return") if inspect.isfunction(function) else None
        if not maker.startswith("_") and "._clients." in getattr(of, "__module__", ""):
            for method in public_methods(of):
                add(
                    f"{maker}.{method}",
                    lambda call, maker=maker: called(getattr(call, maker), values_for(call)),
                    method,
                )
    for method in public_methods(Endpoint):
        add(f"endpoint.{method}", lambda call: Endpoint(call.transport, call["step"], call["endpoint"]), method)
    return found


def public_methods(of: Any) -> list[str]:
    return [name for name, it in vars(of).items() if inspect.isfunction(it) and not name.startswith("_")]


def shown(found: Any) -> Any:
    """What an operation returned, as it may be printed."""
    if isinstance(found, Source):
        return found.view()
    if isinstance(found, Document):
        return dataclasses.asdict(found)
    return [shown(one) for one in found] if isinstance(found, (list, set)) else found


OPERATIONS = operations()
HALF = "\ud83d"  # a lone surrogate, which JSON can carry and UTF-8 cannot
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
        shared_sandbox.switch(account_by_key=200)
        (source,) = chain.twilio_sources
        source.labels = [{"key": "environment", "value": "dev"}]
        shared_sandbox.engage(env.name, 3)
        alert(world, env, "49008")
        step = "link" if name == "endpoint.send" else "key"
        url = f"{shared_sandbox.url}/handover/{env.name}/{step}"
        gateway = {"Authorization": f"Bearer {env.gateway_token}"}
        params = {
            **dict.fromkeys(CONNECTION_OPTIONS),
            **{option: spec.get("default") for option, spec in HTTP_OPTIONS.items()},
            **chain.known,
            "profile_token": env.profile_token,
            "source_id": source.id,
            "write_key": source.keys[0],
            "step": step,
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
        if name == "sync.document":
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
        return runner.run_in_process(lambda call: {"it": shown(OPERATIONS[name](call))}, params, False)


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
    "x" * 70_000,
    "\x00\r\nX-Evil: 1",
    "?" + "a=1&" * 5000,
    " ",
    "MQ==",
)


@pytest.mark.parametrize("cursor", CURSORS, ids=lambda text: ascii(text[:12]))
def test_a_next_page_that_leads_nowhere(good, cursor: str) -> None:
    tried = 0
    for name in OPERATIONS:
        params, answers = copy.deepcopy(good(name))
        for status, headers, body in answers:
            if "meta" in (body or {}):
                body["meta"]["next_page_url"] = cursor
            elif "pagination" in ((body or {}).get("data") or {}):
                body["data"]["pagination"]["next"] = cursor
            else:
                continue
            content = json.dumps(body).encode()
            result = served((response(status, headers, content) for _unused in range(3)), name, params)
            assert_clear(result)
            assert cursor in ("?", " ") or result["failed"], name
            tried += 1
    assert tried > 5


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
