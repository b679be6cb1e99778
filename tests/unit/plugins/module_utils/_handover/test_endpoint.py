# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An endpoint that cannot be read back: what is sent to it, and which answers say that nothing was done."""

from __future__ import annotations

import json

import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import (
    ApiError,
    OptionError,
    UnknownOutcome,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret, fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.endpoint import Endpoint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.handover import HandOver
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import HttpSettings
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext

URL = "https://gateway.test/link"
VALUES = {"source_id": "s1", "space_id": "spa_1"}


class Gateway:
    """Answers everything with one status, and keeps what it was asked."""

    def __init__(self, status: int = 200, body: object = None) -> None:
        self.status, self.body = status, body or {}
        self.requests: list[httpx.Request] = []
        self.transport = Transport(HttpSettings(retry_budget=0.0), http_transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        return httpx.Response(self.status, json=self.body)

    def endpoint(self, step: str = "link", **options) -> Endpoint:
        return Endpoint(self.transport, step, {"url": URL, "method": "POST", **options})


def sent_headers(given: dict[str, str]) -> list[tuple[str, str]]:
    gateway = Gateway()
    gateway.endpoint(headers=given).send(VALUES)
    return gateway.requests[0].headers.multi_items()


@pytest.mark.parametrize(
    "name",
    ["Content-Type", "content-type", "CONTENT-TYPE", "Accept", "aCCept", "User-Agent", "Authorization", "X-Mine"],
)
def test_a_header_of_ones_own_is_sent_once_whatever_its_case(name):
    sent = sent_headers({name: "mine/1"})
    assert [value for key, value in sent if key == name.lower()] == ["mine/1"]


@pytest.mark.parametrize("name", ["Accept-Encoding", "accept-encoding"])
def test_what_is_packed_is_never_asked_for(name):
    assert [value for key, value in sent_headers({name: "gzip"}) if key == name.lower()] == ["identity"]


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"X-Mine": "a", "x-mine": "b"}, "X-Mine twice"),
        ({"Content-Length": "5"}, "Content-Length, which follows"),
        ({"transfer-encoding": "chunked"}, "transfer-encoding, which follows"),
    ],
)
def test_headers_that_cannot_be_sent_are_refused(headers, words):
    with pytest.raises(OptionError, match=words) as caught:
        Gateway().endpoint(headers=headers)
    assert caught.value.facts == {"option": "endpoint.headers"}


def test_what_it_repeats_of_a_header_or_of_a_secret_is_hidden():
    token, secret = "gateway-token-of-dev", "segment-token-of-dev-0123"
    gateway = Gateway(400, {"message": f"no {token}"})
    with pytest.raises(ApiError, match="no <secret>"):
        gateway.endpoint(headers={"Authorization": f"Bearer {token}"}).send(VALUES)
    shows = Gateway(body={"source": f"s1 of {secret}"})
    shows.transport.hidden.add(Secret(secret))
    read = shows.endpoint(read_url=URL, read_path="source").read()
    assert read == f"s1 of <secret {fingerprint(secret)}>"


def test_a_secret_is_revealed_in_the_body_only():
    key = "write-key-that-nobody-may-see"
    gateway = Gateway()
    body = {"key": "{write_key}", "list": ["x{write_key}"], "n": 1, "other": "{nothing"}
    gateway.endpoint("key", body=body).send({"write_key": Secret(key)})
    sent = {"key": key, "list": [f"x{key}"], "n": 1, "other": "{nothing"}
    assert json.loads(gateway.requests[0].content) == sent
    assert key not in gateway.transport.hidden.in_words(f"no {key}")


REFUSALS = (400, 401, 403, 404, 405, 413, 415, 422, 429)
NOT_CERTAIN = (202, 204, 300, 301, 302, 303, 304, 307, 308, 402, 406, 408, 409, 410, 412, 418, 423, 424, 425, 499)
NOT_CERTAIN += (500, 501, 502, 503, 504, 505, 520)


class Memory:
    """A ledger that forgets everything with the process."""

    def __init__(self) -> None:
        self.steps: dict[str, dict] = {}

    def ensure_writable(self) -> None:
        pass

    def write(self, step: str, records: dict, *entries: object) -> None:
        self.steps[step] = records


def hand_over(gateway: Gateway, memory: Memory) -> None:
    options = {
        **dict.fromkeys(("validate_certs", "ca_path", "proxy")),
        **{"timeout": 5.0, "retry_budget": 0.0},
        **{"environment": "dev", "channel": "endpoint", "confirm": None, "seen": None},
        **{"attest_existing": None, "clock_skew": 0.0, "confirmed_by": None, "reason": None},
        **{"confirm_digests": [], "withdraw": [], "handover_again": []},
        **{"twilio_account_sid": None, "segment_region": "us"},
        "endpoint": {"url": URL, "method": "POST", "success": {"statuses": [201]}},
    }
    call = ModuleContext(options, False, gateway.transport)
    step = HandOver(
        call, "link", memory, memory.steps, expected=VALUES, values=lambda: VALUES, is_there=lambda how: None
    )
    call.reconcile(step)


@pytest.mark.parametrize("status", REFUSALS)
def test_what_is_clearly_refused_is_sent_again_by_the_next_run(status):
    gateway, memory = Gateway(status), Memory()
    for _run in range(2):
        with pytest.raises(ApiError, match=f"HTTP {status}"):
            hand_over(gateway, memory)
        assert memory.steps == {"link": {}}
    assert len(gateway.requests) == 2


@pytest.mark.parametrize("status", [200, *NOT_CERTAIN])
def test_what_may_have_been_done_is_never_sent_again(status):
    gateway, memory = Gateway(status), Memory()
    with pytest.raises(UnknownOutcome, match=f"HTTP {status}.*recorded as asked for") as caught:
        hand_over(gateway, memory)
    assert caught.value.facts["status"] == status
    assert memory.steps["link"]["asked"]["how"] == "sent"
    hand_over(gateway, memory)
    assert len(gateway.requests) == 1


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("status", [303, 409])
def test_what_may_be_repeated_keeps_the_way_out(method, status):
    with pytest.raises(UnknownOutcome, match=f"HTTP {status}") as caught:
        Gateway(status).endpoint(method=method).send(VALUES)
    assert caught.value.next_step
