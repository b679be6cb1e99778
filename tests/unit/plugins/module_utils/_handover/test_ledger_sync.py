# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger in a Twilio Sync document, in scripted conversations."""

from __future__ import annotations

import json
import urllib.parse

import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import (
    LedgerError,
    UnexpectedAnswer,
    UnknownOutcome,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients.twilio_sync import SyncApi
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger import LedgerDocument
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_sync import SyncLedger
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.auth import Basic
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import HttpSettings
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.service import Service
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from support.ledgers import FULL, asked, entry, record, recorded

BASE = "https://sync.test"
SECRET = "the-secret-of-the-api-key"
SERVICE = "/v1/Services/default"
DOCUMENTS = SERVICE + "/Documents"
DOCUMENT = DOCUMENTS + "/unified-profiles-dev"


def stored(revision: str, **records: dict) -> tuple[int, dict]:
    return answer(revision, recorded(**records).as_json())


def answer(revision: str, data: dict) -> tuple[int, dict]:
    return 200, {"unique_name": "unified-profiles-dev", "revision": revision, "data": data}


def problem(status: int, code: int) -> tuple[int, dict]:
    return status, {"code": code, "message": f"problem {code}", "status": status}


class Talk:
    """A server with a script: ``(method, path, answer)``, where an answer is a status, a body and maybe headers, or an exception."""

    def __init__(self, *turns: tuple) -> None:
        self.turns = list(turns)
        self.sent: list[dict[str, str]] = []
        transport = Transport(HttpSettings(retry_budget=0), http_transport=httpx.MockTransport(self.answer))
        auth, options = Basic("SK1", Secret(SECRET)), {"credentials": "twilio_api_secret", "url_option": "sync_url"}
        service = Service(transport, "Twilio Sync API", BASE, auth=auth, **options)
        self.ledger = SyncLedger(SyncApi(service), "default", "dev")

    def answer(self, request: httpx.Request) -> httpx.Response:
        assert self.turns, f"not in the script: {request.method} {request.url}"
        method, path, outcome = self.turns.pop(0)
        assert (request.method, request.url.path) == (method, path)
        if method == "POST":
            assert request.headers["content-type"] == "application/x-www-form-urlencoded"
            form = dict(urllib.parse.parse_qsl(request.read().decode()))
            self.sent.append({**form, "If-Match": request.headers.get("if-match", "")})
        if isinstance(outcome, Exception):
            raise outcome
        status, body, *headers = outcome
        return httpx.Response(status, json=body, headers=headers[0] if headers else {})

    def saved(self, n: int = -1) -> dict:
        return json.loads(self.sent[n]["Data"])["steps"]


@pytest.fixture
def talk():
    made = []

    def make(*turns: tuple) -> Talk:
        made.append(Talk(*turns))
        return made[-1]

    yield make
    for one in made:
        assert one.turns == [], "requests of the script that never came"


DROPPED = httpx.ReadError("connection reset")
NOT_THERE = problem(404, 20404)
SERVICE_IS_THERE = ("GET", SERVICE, (200, {"sid": "IS1"}))


def test_one_read_is_one_request(talk):
    t = talk(("GET", DOCUMENT, stored("3", key={"done": record("k1")})))
    assert t.ledger.read().steps["key"] == {"done": record("k1")}


def test_the_first_record_makes_the_document(talk):
    t = talk(("GET", DOCUMENT, NOT_THERE), SERVICE_IS_THERE, ("POST", DOCUMENTS, (201, stored("0")[1])))
    assert t.ledger.read() == LedgerDocument("dev")
    t.ledger.write("key", {"done": record("k1")})
    assert t.sent[0]["UniqueName"] == "unified-profiles-dev"
    assert t.sent[0]["If-Match"] == ""
    assert t.saved() == {"key": {"done": record("k1")}}


def test_a_write_asks_for_the_revision_that_was_read_and_the_next_one_for_its_own(talk):
    t = talk(("GET", DOCUMENT, stored("3")), ("POST", DOCUMENT, stored("4")), ("POST", DOCUMENT, stored("5")))
    t.ledger.read()
    t.ledger.write("key", {"asked": asked("k1")})
    t.ledger.write("key", {"done": record("k1")})
    assert [sent["If-Match"] for sent in t.sent] == ["3", "4"]
    assert t.saved() == {"key": {"done": record("k1")}}


def test_a_write_asks_for_the_etag_where_there_is_one(talk):
    t = talk(
        ("GET", DOCUMENT, (*stored("3"), {"ETag": '"3"'})),
        ("POST", DOCUMENT, (*stored("4"), {"ETag": 'W/"4"'})),  # as a proxy makes of it
        ("POST", DOCUMENT, stored("5")),
    )
    t.ledger.read()
    t.ledger.write("key", {"asked": asked("k1")})
    t.ledger.write("key", {"done": record("k1")})
    assert [sent["If-Match"] for sent in t.sent] == ['"3"', '"4"']


def test_nothing_new_is_not_written(talk):
    t = talk(("GET", DOCUMENT, stored("3", key={"done": record("k1")})))
    t.ledger.read()
    t.ledger.write("key", {"done": record("k1")})


def test_another_writer_loses_nothing(talk):
    t = talk(
        ("GET", DOCUMENT, stored("3", key={"asked": asked("k1")})),
        ("POST", DOCUMENT, problem(412, 54103)),
        ("GET", DOCUMENT, stored("4", key={"asked": asked("k2")}, link={"done": record("l1")})),
        ("POST", DOCUMENT, stored("5")),
    )
    t.ledger.read()
    t.ledger.write("key", {"done": record("k1")})
    assert t.sent[-1]["If-Match"] == "4"
    assert t.saved() == {"key": {"done": record("k1"), "asked": asked("k2")}, "link": {"done": record("l1")}}


def test_two_first_records_at_once(talk):
    t = talk(
        ("GET", DOCUMENT, NOT_THERE),
        SERVICE_IS_THERE,
        ("POST", DOCUMENTS, problem(409, 54301)),
        ("GET", DOCUMENT, stored("0", link={"done": record("l1")})),
        ("POST", DOCUMENT, stored("1")),
    )
    t.ledger.read()
    t.ledger.write("key", {"done": record("k1")})
    assert t.saved() == {"key": {"done": record("k1")}, "link": {"done": record("l1")}}


@pytest.mark.parametrize("answer", [DROPPED, problem(503, 20503), httpx.ReadTimeout("")])
def test_a_write_without_an_answer_is_looked_up_and_not_repeated(talk, answer):
    t = talk(
        ("GET", DOCUMENT, NOT_THERE),
        SERVICE_IS_THERE,
        ("POST", DOCUMENTS, answer),
        ("GET", DOCUMENT, stored("0", key={"done": record("k1")})),
    )
    t.ledger.read()
    t.ledger.write("key", {"done": record("k1")})


def test_a_write_without_an_answer_that_did_not_arrive_is_sent_again(talk):
    t = talk(
        ("GET", DOCUMENT, stored("3")),
        ("POST", DOCUMENT, DROPPED),
        ("GET", DOCUMENT, stored("3")),
        ("POST", DOCUMENT, stored("4")),
    )
    t.ledger.read()
    t.ledger.write("key", {"done": record("k1")})
    assert t.saved() == {"key": {"done": record("k1")}}


def test_a_document_that_was_removed_meanwhile_is_made_again(talk):
    t = talk(
        ("GET", DOCUMENT, stored("3", link={"done": record("l1")})),
        ("POST", DOCUMENT, NOT_THERE),
        ("GET", DOCUMENT, NOT_THERE),
        SERVICE_IS_THERE,
        ("POST", DOCUMENTS, (201, stored("0")[1])),
    )
    t.ledger.read()
    t.ledger.write("key", {"done": record("k1")})
    # What somebody removed is asked for again.
    assert t.saved() == {"key": {"done": record("k1")}}


def test_it_gives_up_where_others_always_write_first(talk):
    rounds = [(("POST", DOCUMENT, problem(412, 54103)), ("GET", DOCUMENT, stored(str(n)))) for n in range(20)]
    t = talk(("GET", DOCUMENT, stored("x")), *[turn for pair in rounds for turn in pair])
    t.ledger.read()
    with pytest.raises(LedgerError, match="changed by somebody else 20 times"):
        t.ledger.write("key", {"done": record("k1")})


def test_a_missing_service_is_told_before_anything_is_handed_over(talk):
    t = talk(("GET", DOCUMENT, NOT_THERE), ("GET", SERVICE, NOT_THERE))
    with pytest.raises(LedgerError, match="this account has no such service") as caught:
        t.ledger.read()
    assert "sync_service" in caught.value.next_step
    assert caught.value.facts["code"] == "20404"


def test_a_key_that_may_not_look_at_services_is_no_problem(talk):
    t = talk(
        ("GET", DOCUMENT, NOT_THERE),
        ("GET", SERVICE, problem(403, 20003)),
        ("POST", DOCUMENTS, (201, stored("0")[1])),
    )
    t.ledger.read()
    t.ledger.write("key", {"done": record("k1")})


@pytest.mark.parametrize("status", [401, 403])
def test_missing_permission_names_the_way_out(talk, status):
    t = talk(("GET", DOCUMENT, problem(status, 20003)))
    with pytest.raises(LedgerError, match="not open to these credentials") as caught:
        t.ledger.read()
    assert "may read and write Sync" in caught.value.next_step
    assert SECRET not in str(caught.value.as_result())


def test_the_limit_is_checked_before_anything_is_sent(talk):
    t = talk(("GET", DOCUMENT, stored("3")))
    t.ledger.read()
    with pytest.raises(LedgerError, match="Sync takes 16384"):
        t.ledger.write("connection", {"done": record("c1", by="x" * 17_000)})


def test_a_damaged_or_newer_document_says_so(talk):
    t = talk(("GET", DOCUMENT, answer("3", {**FULL, "format": 3})))
    with pytest.raises(LedgerError, match="format 3, written by a newer release"):
        t.ledger.read()
    t = talk(("GET", DOCUMENT, answer("3", {})))
    with pytest.raises(LedgerError, match="is damaged"):
        t.ledger.read()


def test_format_1_is_read_and_written_as_format_2_with_all_that_others_have_written_meanwhile(talk):
    old = {"format": 1, "environment": "dev", "steps": {"key": {"done": record("k1")}}}
    t = talk(
        ("GET", DOCUMENT, answer("3", old)),
        ("POST", DOCUMENT, problem(412, 54103)),
        ("GET", DOCUMENT, answer("4", FULL)),
        ("POST", DOCUMENT, stored("5")),
    )
    t.ledger.read()
    t.ledger.write("link", {"done": record("l1")}, entry("attested", at="2026-11-24T11:00:00Z"))
    said = json.loads(t.sent[-1]["Data"])
    assert said["steps"] == {"link": {"done": record("l1")}, **FULL["steps"]}
    assert len(said["history"]) == 3
    assert {name: said[name] for name in said if name not in ("steps", "history")} == {
        name: FULL[name] for name in FULL if name not in ("steps", "history")
    }


def test_history_makes_room_for_what_is_recorded(talk):
    full = recorded(key={"done": record("k1")}).as_json()
    full["history"] = [entry("asked", at=f"2026-11-24T10:00:{n:02}Z", why="x" * 300) for n in range(45)]
    t = talk(("GET", DOCUMENT, answer("3", full)), ("POST", DOCUMENT, stored("4")))
    t.ledger.read()
    t.ledger.write("link", {"done": record("l1", by="x" * 1000)}, entry("attested", at="2026-11-24T11:00:00Z"))
    said = json.loads(t.sent[-1]["Data"])
    assert len(t.sent[-1]["Data"]) <= 16 * 1024
    assert said["steps"]["link"]["done"]["by"] == "x" * 1000
    assert said["history"][-1]["what"] == "attested"
    assert len(said["history"]) < 46


@pytest.mark.parametrize("revision", ["\u00e9", "a\r\nX: 1", "a b", "", "x" * 300, "\u2028", None, 7])
def test_a_revision_that_no_header_can_carry_is_told_once(talk, revision):
    status, body = stored("3")
    t = talk(("GET", DOCUMENT, (status, {**body, "revision": revision})))
    with pytest.raises(UnexpectedAnswer, match="'revision' should be") as caught:
        t.ledger.read()
    assert caught.value.facts["field"] == "revision"
    t = talk(("GET", DOCUMENT, stored("3")), ("POST", DOCUMENT, (status, {**body, "revision": revision})))
    t.ledger.read()
    with pytest.raises(UnexpectedAnswer):
        t.ledger.write("key", {"done": record("k1")})


def test_a_look_at_the_place_sends_nothing(talk):
    t = talk(("GET", DOCUMENT, stored("3")))
    t.ledger.read()
    t.ledger.ensure_writable()


def test_a_service_that_stays_silent_fails_at_last(talk):
    t = talk(("GET", DOCUMENT, stored("3")), *[("POST", DOCUMENT, DROPPED), ("GET", DOCUMENT, stored("3"))] * 3)
    t.turns.pop()
    t.ledger.read()
    with pytest.raises(UnknownOutcome, match="took effect is not known"):
        t.ledger.write("key", {"done": record("k1")})
