# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One service: what is sent, what is sent again, and which error tells of what."""

from __future__ import annotations

import base64
import datetime
import email.utils
import json
import ssl

import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import (
    ApiError,
    BudgetExceeded,
    Failure,
    NotReached,
    TlsFailure,
    UnexpectedAnswer,
    UnknownOutcome,
    Unreachable,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret, fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import service as service_module
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.auth import Basic, BasicToken
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import HttpSettings
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.service import Service
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from support.conversation import BASE, OK, START, TOKEN, Conversation, FakeClock, Turn

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

# Authorization and what is sent


def test_bearer_header_query_and_defaults(converse):
    turn = Turn(
        "GET",
        "/sources",
        200,
        OK,
        query={"b": "2", "a": "x y"},
        headers={
            "authorization": f"Bearer {TOKEN}",
            "accept": "application/json",
            "accept-encoding": "identity",
            "user-agent": "flexops.unified_profiles",
            "x-more": "1",
        },
    )
    talk = converse(turn)
    answer = talk.service().get("/sources", {"b": 2, "none": None, "a": "x y"}, headers={"x-more": "1"})
    assert (answer.status, answer.body, answer.request, answer.service) == (200, OK, "GET /sources", "Segment")
    assert "content-type" not in talk.requests[0].headers


@pytest.mark.parametrize(
    ("auth", "pair"), [(Basic("SK1", Secret("pass:word")), b"SK1:pass:word"), (BasicToken(Secret("abc")), b"abc:")]
)
def test_basic_header(converse, auth, pair):
    expected = "Basic " + base64.b64encode(pair).decode()
    talk = converse(Turn("GET", "/x", 200, OK, headers={"authorization": expected}))
    talk.service(auth=auth).get("/x")
    assert auth.secret.reveal() not in repr(auth)


def test_no_authorization_header_without_credentials(converse):
    talk = converse(Turn("GET", "/x", 200, OK))
    talk.service(auth=None).get("/x")
    assert "authorization" not in talk.requests[0].headers


def test_body_and_base_path(converse):
    talk = converse(
        Turn("POST", "/v1/x", 201, OK, sent={"a": [1]}, headers={"content-type": "application/json"}),
    )
    talk.service(base_url=BASE + "/v1/").request("POST", "/x", body={"a": [1]})


def test_values_are_percent_encoded(converse):
    talk = converse(Turn("GET", "/s/a%2Fb%3Fc%20%C3%A9%25", 200, OK))
    assert talk.service().get("/s/{id}", path_params={"id": "a/b?c é%"}).request == "GET /s/a/b?c é%"


@pytest.mark.parametrize(
    "where", [{"path_params": {"id": "x" * 70_000}}, {"query": {"cursor": "x" * 70_000}}], ids=list
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_no_url_can_carry_is_told_and_not_sent(converse, method, where):
    with pytest.raises(UnexpectedAnswer, match="is too long for a URL") as caught:
        converse().service().request(method, "/s/{id}", **{"path_params": {"id": "1"}, **where})
    assert caught.value.message.startswith(f"{method} /s/")
    assert len(caught.value.full_message) < 500


def test_empty_body_is_none(converse):
    talk = converse(Turn("DELETE", "/x", 204))
    assert talk.service().request("DELETE", "/x", expected=frozenset({204})).body is None


# 429


def in_seconds(seconds: float) -> str:
    return email.utils.format_datetime(START + datetime.timedelta(seconds=seconds), usegmt=True)


LIMITS = [
    ({"retry-after": "7"}, {}, 7.0),
    ({"retry-after": " 1.5 "}, {}, 1.5),
    ({"retry-after": in_seconds(9)}, {}, 9.0),
    ({"retry-after": in_seconds(-9)}, {}, 0.0),
    ({}, {"errors": [{"type": "x", "data": {"msBeforeNext": 2500}}]}, 2.5),
    ({"x-ratelimit-reset": in_seconds(11)}, {}, 11.0),
    ({"retry-after": "3", "x-ratelimit-reset": in_seconds(11)}, {"errors": [{"data": {"msBeforeNext": 9}}]}, 3.0),
    ({"retry-after": "soon", "x-ratelimit-reset": in_seconds(11)}, {"errors": [{"data": {"msBeforeNext": 900}}]}, 0.9),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("headers", "body", "wait"), LIMITS)
def test_429_waits_as_asked(converse, method, headers, body, wait):
    talk = converse(Turn(method, "/x", 429, body, headers), Turn(method, "/x", 200, OK))
    assert talk.service().request(method, "/x", body={}).status == 200
    (slept,) = talk.clock.slept
    # A server that says "now" is given a moment all the same.
    assert slept == pytest.approx(wait) if wait else 0.04 <= slept <= 0.06


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_429_without_a_wait_backs_off(converse, method):
    talk = converse(*[Turn(method, "/x", 429)] * 4, Turn(method, "/x", 200, OK))
    talk.service().request(method, "/x")
    for attempt, slept in enumerate(talk.clock.slept):
        assert 0.8 * 0.25 * 2**attempt <= slept <= 1.2 * 0.25 * 2**attempt
    assert len(talk.clock.slept) == 4


@pytest.mark.parametrize("status", [429, 503])
def test_hour_long_wait_ends_at_once(converse, status):
    talk = converse(Turn("GET", "/x", status, None, {"retry-after": "3600", "request-id": "r1"}))
    with pytest.raises(BudgetExceeded, match="retry_budget") as caught:
        talk.service().get("/x")
    assert talk.clock.slept == []
    assert "retry_budget" in caught.value.next_step
    assert caught.value.facts["waits_for"] == "3600 s"
    assert (caught.value.facts["status"], caught.value.facts["request_id"]) == (status, "r1")


def test_budget_is_shared_by_the_requests_of_a_task(converse):
    talk = converse(
        Turn("GET", "/a", 429, None, {"retry-after": "40"}),
        Turn("GET", "/a", 200, OK),
        Turn("GET", "/b", 429, None, {"retry-after": "40"}),
    )
    service = talk.service()
    service.get("/a")
    with pytest.raises(BudgetExceeded):
        service.get("/b")
    assert talk.clock.slept == [40]
    assert service.transport.budget.left == pytest.approx(20)


def test_no_budget_gives_the_servers_error(converse):
    talk = converse(Turn("GET", "/x", 503))
    with pytest.raises(ApiError) as caught:
        talk.service(http=HttpSettings(retry_budget=0)).get("/x")
    assert caught.value.status == 503


def test_failures_without_end_use_up_the_budget():
    talk = Conversation(*[Turn("GET", "/x", 503)] * 50)
    with pytest.raises(BudgetExceeded):
        talk.service().get("/x")
    assert talk.wrong == []
    assert 5 <= len(talk.requests) < 50
    assert sum(talk.clock.slept) <= 60


# Retries


TROUBLE = [
    {"status": 500},
    {"status": 502},
    {"status": 503},
    {"status": 504},
    {"status": 507},
    {"status": 524},
    {"raises": httpx.ReadError("reset")},
    {"raises": httpx.RemoteProtocolError("Server disconnected without sending a response.")},
    {"raises": httpx.ReadTimeout("slow")},
    {"raises": httpx.WriteTimeout("slow")},
]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("trouble", TROUBLE, ids=str)
def test_repeatable_requests_are_sent_again(converse, method, trouble):
    talk = converse(Turn(method, "/x", **trouble), Turn(method, "/x", 200, OK))
    assert talk.service().request(method, "/x").body == OK
    assert len(talk.clock.slept) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [501, 505])
def test_what_a_server_cannot_do_is_not_asked_again(converse, method, status):
    talk = converse(Turn(method, "/x", status))
    with pytest.raises(ApiError, match=f"HTTP {status}"):
        talk.service().request(method, "/x")
    assert talk.clock.slept == []


def test_the_end_of_a_rate_limit_is_not_waited_for_after_an_error(converse):
    far = {"x-ratelimit-reset": in_seconds(50)}
    talk = converse(Turn("GET", "/x", 500, {}, far), Turn("GET", "/x", 200, OK))
    assert talk.service().get("/x").body == OK
    assert talk.clock.slept[0] < 1


@pytest.mark.parametrize("trouble", TROUBLE, ids=str)
def test_post_is_not_sent_again(converse, trouble):
    talk = converse(Turn("POST", "/x", **trouble))
    with pytest.raises(UnknownOutcome) as caught:
        talk.service().request("POST", "/x", body={})
    assert talk.clock.slept == []
    facts = caught.value.facts
    assert (facts["service"], facts["method"], facts["path"]) == ("Segment", "POST", "/x")
    assert facts.get("status") == trouble.get("status")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError])
def test_what_never_left_is_sent_again(converse, method, error):
    talk = converse(Turn(method, "/x", raises=error("no")), Turn(method, "/x", 201, OK, sent={"a": 1}))
    assert talk.service().request(method, "/x", body={"a": 1}).status == 201


def test_tls_failure_is_final(converse):
    error = httpx.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("certificate verify failed")
    talk = converse(Turn("GET", "/x", raises=error))
    with pytest.raises(TlsFailure) as caught:
        talk.service().get("/x")
    assert "ca_path" in caught.value.next_step


CODINGS = ["gzip", "GZIP", "gzip, gzip", "identity, gzip", "deflate", "br", "zstd", "nonsense"]


@pytest.mark.parametrize("coding", CODINGS)
def test_a_coding_that_was_not_asked_for_is_refused(converse, coding):
    packed = {"content-encoding": coding}
    asked = {"accept-encoding": "identity"}
    talk = converse(
        Turn("GET", "/x", 200, OK, packed, headers=asked),
        Turn("POST", "/x", 200, OK, packed, headers=asked),
        Turn("GET", "/x", 403, {"message": "m"}, packed),
        Turn("DELETE", "/x", 204, None, packed),
    )
    service = talk.service()
    with pytest.raises(UnexpectedAnswer, match="content coding that was not asked for"):
        service.get("/x")
    with pytest.raises(UnknownOutcome, match="content coding that was not asked for"):
        service.request("POST", "/x")
    with pytest.raises(ApiError, match="HTTP 403"):
        service.get("/x")
    assert service.request("DELETE", "/x", expected=frozenset({204})).body is None


@pytest.mark.parametrize("coding", ["", "identity", " Identity "])
def test_no_coding_is_taken(converse, coding):
    talk = converse(Turn("GET", "/x", 200, OK, {"content-encoding": coding}))
    assert talk.service().get("/x").body == OK


def test_oversized_body_is_cut_off(converse, monkeypatch):
    monkeypatch.setattr(service_module, "MAX_BODY", 10)
    talk = converse(Turn("POST", "/x", 200, b"[" + b"1," * 20 + b"1]"))
    with pytest.raises(UnknownOutcome, match="larger than"):
        talk.service().request("POST", "/x")


def test_whoever_watches_sees_every_answer_and_no_parameter(converse):
    """Those that are sent again and those that are refused as well."""
    busy, gone = Turn("GET", "/sources/s1", 503), Turn("GET", "/sources/s1", 404, {"errors": [{"type": "not-found"}]})
    talk = converse(busy, gone)
    service, watched = talk.service(), []
    service.transport.watch = watched.append
    with pytest.raises(ApiError):
        service.get("/sources/{source}", path_params={"source": "s1"})
    assert [(one.service, one.path, one.status) for one in watched] == [
        ("Segment", "/sources/{source}", 503),
        ("Segment", "/sources/{source}", 404),
    ]
    assert watched[1].body == {"errors": [{"type": "not-found"}]}


def test_read_only_refuses_writes(converse):
    talk = converse(Turn("GET", "/x", 200, OK), Turn("HEAD", "/x", 200))
    service = talk.service(read_only=True)
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        with pytest.raises(AssertionError, match="read-only"):
            service.request(method, "/x")
    service.get("/x")
    service.request("HEAD", "/x")


# Errors


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("location", ["https://elsewhere.test/", "javascript:1", "http://["])
def test_redirects_are_reported(converse, method, status, location):
    talk = converse(Turn(method, "/x", status, None, {"location": location}))
    with pytest.raises(ApiError) as caught:
        talk.service().request(method, "/x")
    assert caught.value.status == status
    assert "public_api_url" in caught.value.next_step
    assert "Redirects are not followed" in caught.value.next_step


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<html>Sign in</html>", "HTML"),
        (b"  \n<!doctype html>", "HTML"),
        (b'{"data": {"a": 1', "something that is not JSON"),
        (b"\xff\xfe\x00", "something that is not JSON"),
        (b"[" * 200_000, "something that is not JSON"),
    ],
    ids=["html", "doctype", "cut", "bytes", "deep"],
)
def test_success_without_json(converse, content, what):
    read = converse(Turn("GET", "/x", 200, content, {"x-request-id": "r9"}))
    with pytest.raises(UnexpectedAnswer, match=what) as caught:
        read.service().get("/x")
    assert "public_api_url" in caught.value.next_step
    assert caught.value.facts == {
        "service": "Segment",
        "status": 200,
        "request_id": "r9",
        "method": "GET",
        "path": "/x",
    }
    write = converse(Turn("POST", "/x", 201, content))
    with pytest.raises(UnknownOutcome, match=what):
        write.service().request("POST", "/x")


def test_error_facts_hide_secrets(converse):
    key = Secret("write-key-to-hide-in-a-path")
    talk = converse(
        Turn(
            "DELETE",
            "/sources/s1/writekey/write-key-to-hide-in-a-path",
            403,
            {"errors": [{"type": "forbidden", "message": f"token {TOKEN} may not remove {key.reveal()}"}]},
            {"request-id": "req-1"},
        )
    )
    with pytest.raises(ApiError) as caught:
        talk.service().request("DELETE", "/sources/{source}/writekey/{key}", path_params={"source": "s1", "key": key})
    assert caught.value.facts == {
        "service": "Segment",
        "status": 403,
        "code": "forbidden",
        "request_id": "req-1",
        "method": "DELETE",
        "path": f"/sources/s1/writekey/<secret {key.fingerprint}>",
    }
    assert "public_api_token" in caught.value.next_step
    result = json.dumps(caught.value.as_result())
    assert TOKEN not in result
    assert "write-key-to-hide" not in result
    assert f"token <secret {fingerprint(TOKEN)}> may not remove {key}" in caught.value.message


@pytest.mark.parametrize("error", [httpx.ReadError, httpx.ConnectError])
def test_token_in_a_transport_error_is_scrubbed(converse, error):
    talk = converse(Turn("GET", "/x", raises=error(f"proxy said {TOKEN}")))
    with pytest.raises(Failure) as caught:
        talk.service(http=HttpSettings(retry_budget=0)).get("/x")
    assert TOKEN not in json.dumps(caught.value.as_result())
    assert fingerprint(TOKEN) in caught.value.message


def test_all_services_of_a_task_hide_the_secrets_of_all(converse):
    other = Secret("what-another-service-sends")
    said = f"{TOKEN} {other.reveal()} {base64.b64encode(b'u:' + other.reveal().encode()).decode()}"
    talk = converse(Turn("GET", "/x", 400, {"code": said, "message": said}, {"request-id": said}))
    service = talk.service()
    Service(service.transport, "Other", BASE, auth=Basic("u", other), credentials="o", url_option="url")
    with pytest.raises(ApiError) as caught:
        service.get("/x")
    result = json.dumps(caught.value.as_result())
    for part in said.split():
        assert part not in result
    assert other.fingerprint in caught.value.facts["request_id"]


def test_a_request_id_is_short_and_printable(converse):
    turn = Turn("GET", "/x", 200, b"<html>", {"request-id": "a\x1b[31m" + "b" * 500 + TOKEN})
    with pytest.raises(UnexpectedAnswer) as caught:
        converse(turn).service().get("/x")
    assert caught.value.facts["request_id"] == "a?[31m" + "b" * 94
    talk = converse(Turn("GET", "/x", 200, OK, {"request-id": f"of {TOKEN}"}))
    with pytest.raises(UnexpectedAnswer) as caught:
        talk.service().get("/x").get("data.id", str)
    assert caught.value.facts["request_id"] == f"of <secret {fingerprint(TOKEN)}>"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "said",
    ["407 Proxy Authentication Required", f"407 Denied for {TOKEN}", "403 Forbidden", "Invalid username/password"],
)
def test_what_a_proxy_refuses_is_not_asked_again(converse, monkeypatch, method, said):
    monkeypatch.setenv("HTTPS_PROXY", "http://jane:correct-horse@proxy.test:3128")
    talk = converse(Turn(method, "/x", raises=httpx.ProxyError(said)))
    with pytest.raises(Unreachable, match="the proxy named by HTTPS_PROXY answered") as caught:
        talk.service().request(method, "/x")
    assert talk.clock.slept == []
    assert "HTTPS_PROXY" in caught.value.next_step
    told = json.dumps(caught.value.as_result())
    assert not [secret for secret in (TOKEN, "jane", "correct-horse") if secret in told]


@pytest.mark.parametrize("said", ["502 Bad Gateway", "408 Request Timeout", "429 Too Many Requests"])
def test_what_a_proxy_may_do_later_is_asked_again(converse, said):
    talk = converse(Turn("GET", "/x", raises=httpx.ProxyError(said)), Turn("GET", "/x", 200, OK))
    assert talk.service().get("/x").body == OK


def test_error_code_is_scrubbed(converse):
    talk = converse(Turn("GET", "/x", 400, {"code": TOKEN, "message": "m"}))
    with pytest.raises(ApiError) as caught:
        talk.service().get("/x")
    assert caught.value.facts["code"] == f"<secret {fingerprint(TOKEN)}>"


@pytest.mark.parametrize(
    ("status", "words"), [(401, "public_api_token"), (404, "Check the ids"), (400, "request id"), (418, "request id")]
)
def test_next_steps(converse, status, words):
    with pytest.raises(ApiError) as caught:
        converse(Turn("POST", "/x", status)).service().request("POST", "/x")
    assert words in caught.value.next_step


def test_long_messages_are_cut(converse):
    with pytest.raises(ApiError) as caught:
        converse(Turn("GET", "/x", 400, {"message": "m" * 10_000})).service().get("/x")
    assert len(caught.value.message) < 700


# The time of all requests


def timed(answer, until, **settings):
    """A service whose transport must be done by then; it is noon."""
    clock = FakeClock()

    def scripted(request):
        return answer(request, clock)

    over = httpx.MockTransport(scripted)
    transport = Transport(HttpSettings(**settings), clock=clock, http_transport=over, until=until)
    return Service(transport, "Segment", BASE, auth=None, credentials="token", url_option="public_api_url")


@pytest.mark.parametrize(("until", "limit"), [(12.0, 12.0), (100.0, 30.0), (None, 30.0)])
def test_no_exchange_lasts_longer_than_all_may(until, limit):
    allowed = []

    def answer(request, clock):
        allowed.append(set(request.extensions["timeout"].values()))
        allowed.append({service.transport.connections.deadline.left})
        return httpx.Response(200, json={})

    service = timed(answer, until)
    service.get("/x")
    assert allowed == [{limit}, {limit}]


def test_an_answer_that_takes_all_the_time():
    def answer(request, clock):
        clock.elapsed += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("")

    service = timed(answer, 12.0)
    with pytest.raises(NotReached) as caught:
        service.get("/x")
    said = "The time for this environment was used up at Segment (GET /x): no complete answer from Segment at https://api.test"
    assert caught.value.message == f"{said} (GET /x) within 12 s."
    assert caught.value.as_result()["failure"] == {
        "kind": "not_reached",
        "next_step": caught.value.next_step,
        "problem": "not_reached",
        "service": "Segment",
        "method": "GET",
        "path": "/x",
    }
    assert (service.transport.clock.elapsed, service.transport.clock.slept) == (12.0, [])


# What may be a limit by address is waited for once, and is charged to nobody.
@pytest.mark.parametrize(("status", "slept"), [(429, [12.0]), (503, [])])
def test_no_wait_goes_beyond_the_end(status, slept):
    service = timed(lambda request, clock: httpx.Response(status, headers={"retry-after": "12"}), 12.0)
    with pytest.raises(NotReached, match=f"used up at Segment .*: Segment answered GET /x with HTTP {status}"):
        service.get("/x")
    assert service.transport.clock.slept == slept


def test_retries_go_on_until_the_end_and_no_longer():
    service = timed(lambda request, clock: httpx.Response(500), 12.0)
    with pytest.raises(NotReached, match="HTTP 500"):
        service.get("/x")
    assert 5 < service.transport.clock.elapsed < 12


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_nothing_is_sent_after_the_end(method):
    def answer(request, clock):
        raise AssertionError

    service = timed(answer, 0.0)
    with pytest.raises(NotReached, match=rf"used up at Segment \({method} /x\)\.$"):
        service.request(method, "/x")


def test_a_write_that_the_end_cut_off_has_an_unknown_outcome():
    def answer(request, clock):
        raise httpx.ReadTimeout("")

    with pytest.raises(UnknownOutcome):
        timed(answer, 12.0).request("POST", "/x", body={})


def test_the_budget_may_end_first():
    service = timed(lambda request, clock: httpx.Response(500), 12.0, retry_budget=3.0)
    with pytest.raises(BudgetExceeded):
        service.get("/x")
