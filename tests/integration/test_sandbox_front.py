# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox as a server on a developer's machine: web pages cannot read or drive it, and no request takes the machine."""

from __future__ import annotations

import asyncio
import json
import socket
import urllib.parse

import httpx
import pytest
from sandbox.app import make_app
from sandbox.console import ACTIONS
from sandbox.fault_rules import MAX_PATTERN, fits
from sandbox.faults import Faults
from sandbox.front import MAX_BODY
from sandbox.world import World

# Nothing here depends on the version of ansible-core.
pytestmark = pytest.mark.newest_only

SERVICES = {
    "/_sandbox": lambda body: body["error"],
    "/segment/us/": lambda body: body["errors"][0]["message"],
    "/profiles/us/v1": lambda body: body["error"]["message"],
    "/twilio/flex/v1/Configuration": lambda body: body["message"],
    "/handover/dev/key": lambda body: body["errors"][0]["message"],
    "/console/": lambda body: body["errors"][0]["message"],
}


class App:
    """An application without a server, started with an address."""

    def __init__(self, host="127.0.0.1"):
        self.world = World()
        self.app = make_app(self.world, Faults(self.world), host)

    def __call__(self, method, path, **more):
        async def call():
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8765") as client:
                return await client.request(method, path, **more)

        return asyncio.run(call())


@pytest.fixture
def app():
    return App()


# Host: a name of somebody else's that leads here


@pytest.mark.parametrize(
    ("started_with", "host", "served"),
    [
        *(
            ("127.0.0.1", host, True)
            for host in ("localhost", "LocalHost:8765", "127.0.0.1", "127.0.0.1:1", "127.1.2.3", "[::1]", "[::1]:8765")
        ),
        *(
            ("127.0.0.1", host, False)
            for host in (
                *(
                    "evil.example",
                    "evil.example:8765",
                    "localhost.evil.example",
                    "127.0.0.1.evil.example",
                    "localhost.",
                ),
                *(
                    "192.0.2.1",
                    "[2001:db8::1]",
                    "0.0.0.0",
                    "localhost@evil.example",
                    "evil.example/localhost",
                    "",
                    "::1",
                    "é",
                ),
            )
        ),
        ("192.0.2.1", "192.0.2.1:8765", True),
        ("192.0.2.1", "localhost", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("0.0.0.0", "192.0.2.2", True),
        ("::", "[2001:db8::1]:8765", True),
        ("0.0.0.0", "evil.example", False),
    ],
)
def test_only_its_own_names_are_served(started_with, host, served):
    app = App(started_with)
    answer = app("GET", "/_sandbox", headers={"host": host.encode()})
    assert answer.status_code == (200 if served else 421)
    assert (app.world.environments["dev"].segment_token in answer.text) is served


@pytest.mark.parametrize("path", SERVICES)
def test_a_refusal_is_in_the_words_of_the_service(app, path):
    answer = app("GET", path, headers={"host": "evil.example"})
    assert answer.status_code == 421
    assert "use localhost" in SERVICES[path](answer.json())


# Origin: a page of somebody else's in a browser on this machine

FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": ""},
    {"origin": "http://localhost:3000"},
    {"origin": "http://127.0.0.1:8765"},
    {"origin": "http://localhost:8765.evil.example"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
]
OWN = [{}, {"origin": "http://localhost:8765", "sec-fetch-site": "same-origin"}, {"sec-fetch-site": "none"}]
# What a page can send without asking first: forms, and plain strings.
SIMPLE = [
    ("/console/dev/key", {"data": {"write_key": "k" * 32}}),
    ("/console/dev/key", {"files": {"write_key": (None, "k" * 32)}}),
    ("/console/dev/key", {"content": "write_key=" + "k" * 32, "headers": {"content-type": "text/plain"}}),
    ("/_sandbox/clock", {"content": '{"advance": 60}', "headers": {"content-type": "text/plain"}}),
    ("/_sandbox/clock", {"content": '{"advance": 60}'}),
    ("/_sandbox/reset", {}),
    ("/tracking/us/v1/track", {"content": '{"writeKey": "01234567", "userId": "u", "event": "e"}'}),
]


@pytest.mark.parametrize("foreign", FOREIGN, ids=str)
@pytest.mark.parametrize(("path", "sent"), SIMPLE)
def test_no_page_of_another_origin_drives_it(app, path, sent, foreign):
    app.world.advance(1)
    before = (app.world.offset, repr(app.world.environments))
    answer = app("POST", path, **{**sent, "headers": {**sent.get("headers", {}), **foreign}})
    assert answer.status_code == 403
    assert (app.world.offset, repr(app.world.environments)) == before
    assert app.world.journal == []


@pytest.mark.parametrize("own", OWN, ids=str)
@pytest.mark.parametrize(("path", "sent"), [SIMPLE[0], *SIMPLE[4:]])
def test_its_own_pages_and_other_programs_do(app, path, sent, own):
    answer = app("POST", path, **{**sent, "headers": {**sent.get("headers", {}), **own}})
    assert answer.status_code in (200, 303)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_every_method_that_changes_something_is_checked(app, method):
    assert app(method, "/_sandbox/faults", headers={"origin": "https://evil.example"}).status_code == 403


def test_reading_switches_sets_none(app):
    answer = app("GET", "/_sandbox/switches", content='{"duplicate_slug": 422}')
    assert answer.json()["switches"]["duplicate_slug"] == 409


@pytest.mark.parametrize(
    "path", ["/console", "/console/", "/console/nowhere", "/console/dev", *(f"/console/dev/{page}" for page in ACTIONS)]
)
def test_pages_run_their_own_script_only(app, path):
    """Pages are not framed or kept and run their own script only."""
    headers = app("GET", path).headers
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    # With no-referrer a browser would send Origin: null from the pages themselves.
    assert headers["referrer-policy"] == "same-origin"
    if path != "/console":
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe-inline" not in headers["content-security-policy"]


def test_the_control_plane_is_not_embedded(app):
    """The control plane is not embedded and services are as they are."""
    assert app("GET", "/_sandbox").headers["cross-origin-resource-policy"] == "same-origin"
    assert "x-frame-options" not in app("GET", "/segment/us/").headers


# Bodies


@pytest.mark.parametrize("path", SERVICES)
@pytest.mark.parametrize("length", [MAX_BODY + 1, 10**15])
def test_a_body_that_is_announced_as_too_large_is_never_read(sandbox, path, length):
    """No byte of it is sent, and the answer comes all the same."""
    host, _colon, port = sandbox.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as client:
        client.sendall(f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n".encode())
        answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_a_body_without_end_is_given_up(app):
    """Chunks whose sum nobody announced."""
    read, answers = 0, []

    async def receive():
        nonlocal read
        read += 65536
        assert read <= MAX_BODY + 65536
        return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    async def send(message):
        answers.append(message)

    scope = {"type": "http", "method": "POST", "path": "/_sandbox/faults", "query_string": b""}
    asyncio.run(app.app({**scope, "headers": [(b"host", b"localhost")]}, receive, send))
    assert answers[0]["status"] == 413
    assert "2048 KB" in json.loads(answers[1]["body"])["error"]


def test_a_body_of_unannounced_size_is_read_up_to_the_bound(sandbox):
    def chunks(size):
        for _unused in range(size // 65536):
            yield b" " * 65536

    fits_in, too_much = (
        httpx.post(f"{sandbox.url}/_sandbox/clock", content=chunks(size)).status_code
        for size in (MAX_BODY, 4 * MAX_BODY)
    )
    assert (fits_in, too_much) == (400, 413)


# Control characters


@pytest.mark.parametrize("path", SERVICES)
@pytest.mark.parametrize("character", ["\0", "\x1b", "\n", "\x7f", "\x9b"])
def test_no_control_character_in_a_path(app, path, character):
    answer = app("GET", path + urllib.parse.quote(f"/a{character}b"))
    assert answer.status_code == 400
    assert "control character" in SERVICES[path](answer.json())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/faults", {"match": "GET\x1b[2J"}),
        ("/sabotage", {"environment": "dev", "name": "rename-source", "to": "a\nb"}),
        ("/sabotage", {"environment": "dev\x7f", "name": "no-flex"}),
        ("/switches", {"\x1b": 1}),
    ],
)
def test_no_control_character_in_what_the_control_plane_takes(app, path, body):
    answer = app("POST", "/_sandbox" + path, json=body)
    assert answer.status_code == 400
    assert "must not hold control characters" in answer.json()["error"]


def test_no_control_character_in_a_form(app):
    answer = app("POST", "/console/dev/sources", data={"name": "a\x1b[2Jb", "type": "V6ynUvQgbc"})
    assert answer.status_code == 400
    assert len(app.world.environments["dev"].sources) == 2


def test_an_answer_of_a_fault_may_hold_anything(app):
    assert app("POST", "/_sandbox/faults", json={"body": "a\x1bb"}).status_code == 200


# Patterns

LINE = "GET /segment/us/sources/abc/writekey"


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        *((pattern, True) for pattern in ("", "*", "GET", "/sources/", "^GET", "writekey$", f"^{LINE}$", "^*$", "$")),
        *(
            (pattern, True)
            for pattern in ("GET */writekey", "^GET*abc*key$", "POST|GET", "a|b|writekey$", "**", "^", "/*/*/")
        ),
        *(
            (pattern, False)
            for pattern in ("POST", "^/segment", "GET$", "sources$", f"^{LINE}x$", "^GET$", "POST|PATCH")
        ),
        *(
            (pattern, False)
            for pattern in ("writekey*writekey", "^GET /segment*us*us", "key*abc", "$^", "^writekey$|PUT")
        ),
    ],
)
def test_what_a_pattern_finds(pattern, found):
    assert fits(pattern, LINE) is found


def test_pieces_of_a_pattern_do_not_overlap():
    assert not fits("^aba*aba$", "ababa")
    assert fits("^aba*aba$", "abaaba")


@pytest.mark.parametrize("pattern", ["([a-z]+)+\\d$", "GET .*", "a{9}", "a+", "(", "[x", "a?", "x" * (MAX_PATTERN + 1)])
def test_no_regular_expression_is_taken(app, pattern):
    answer = app("POST", "/_sandbox/faults", json={"match": pattern})
    assert answer.status_code == 400
    assert "* for anything" in answer.json()["error"]


def test_no_pattern_holds_the_server_up(app):
    """These took a regular expression longer than anybody waits."""
    for pattern in ("a*" * (MAX_PATTERN // 2 - 1) + "$", "|".join(["*a*a*a*b"] * 50), "*" * MAX_PATTERN):
        assert app("POST", "/_sandbox/faults", json={"match": pattern, "count": None}).status_code == 200
    assert app("GET", "/" + "a" * 60_000).status_code in (404, 500)


# What people compare


def test_pages_show_the_ids_and_fingerprints_that_cards_name(app):
    from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint

    env = app.world.environments["dev"]
    form = {"friendly_name": "f", "space_id": env.space["id"], "profile_token": env.profile_token}
    app("POST", "/console/dev/connection", data={**form, "allow_write_events": "true"})
    source = env.sources[env.form_source]
    key, token = fingerprint(source.keys[0]), fingerprint(env.profile_token)
    for page, wanted in {
        "": (env.account_sid, env.workspace["id"], env.space["id"], token, key),
        "/connection": (env.account_sid, env.space["id"], token),
        "/link": (env.space["id"], source.id),
        "/key": (env.account_sid, key),
        "/sources": (env.workspace["id"], source.id, key),
    }.items():
        shown = app("GET", f"/console/dev{page}").text
        assert [value for value in wanted if value not in shown] == [], page
    # Also to choose from.
    other = next(id_ for id_ in env.sources if id_ != source.id)
    assert f"({other})</option>" in app("GET", "/console/dev/link").text
