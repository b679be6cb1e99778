# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is sent to the control plane, the sandbox answers without a traceback, and goes on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sandbox.app import make_app
from sandbox.console import ACTIONS
from sandbox.faults import Dropped
from sandbox.rules import CHECKS, HINTS, KINDS
from sandbox.world import World

ROUTES = [
    ("GET", ""),
    ("POST", "/reset"),
    ("POST", "/sabotage"),
    ("GET", "/faults"),
    ("POST", "/faults"),
    ("DELETE", "/faults"),
    ("GET", "/journal"),
    ("DELETE", "/journal"),
    ("POST", "/save"),
    ("POST", "/load"),
    ("POST", "/clock"),
    ("GET", "/switches"),
    ("POST", "/switches"),
    ("GET", "/usage"),
    ("POST", "/engagements"),
]
SABOTAGES = (
    "delete-source rename-source disable-source swap-type remove-key add-key duplicate-name disconnect-from-space "
    "wrong-key-in-flex revoke-token legacy-source lose-connector wrong-token-in-flex no-flex"
).split()
# Python's json writes and reads these; nobody else does, and they cannot be answered.
NO_JSON = (float("nan"), float("inf"), "\ud800")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)
# Bodies of the right names with likely and unlikely values: these get past the first checks.
likely = st.dictionaries(
    st.sampled_from([*CHECKS, "name", "to", "which", "advance", "freeze", "count", "environment"]),
    st.sampled_from(
        ["dev", "eu", "nowhere", "GET", "(", *SABOTAGES, *KINDS, *HINTS, -1, 0, 1, 10**9, 10**400, 0.5, *NO_JSON]
    )
    | anything,
    max_size=5,
)
plan = settings(database=None, deadline=None, max_examples=150)


class Client:
    """Calls the application without a server; its exceptions come out here, as they are."""

    def __init__(self, world):
        self.app = httpx.ASGITransport(make_app(world))

    def __call__(self, method, path, **more):
        async def call():
            async with httpx.AsyncClient(transport=self.app, base_url="http://sandbox") as client:
                return await client.request(method, path, **more)

        return asyncio.run(call())


@pytest.fixture(scope="module")
def client():
    return Client(World())


@plan
@given(route=st.sampled_from(ROUTES), body=likely | anything)
@example(route=("POST", "/faults"), body={"body": NO_JSON[0]})
@example(route=("POST", "/faults"), body={"body": NO_JSON[2]})
@example(route=("POST", "/clock"), body={"advance": 10**400})
def test_any_json(client, route, body):
    method, path = route
    answer = client(method, "/_sandbox" + path, content=json.dumps(body))
    assert answer.status_code < 500
    assert isinstance(answer.json(), dict)
    if answer.status_code >= 400:
        assert answer.json()["error"]
    assert client("GET", "/_sandbox").status_code == 200
    assert client("GET", "/_sandbox/faults").status_code == 200


@plan
@given(route=st.sampled_from(ROUTES), body=st.binary(max_size=40) | st.just(b"[" * 20_000))
def test_any_bytes(client, route, body):
    method, path = route
    assert client(method, "/_sandbox" + path, content=body).status_code in (200, 400, 404, 409)


@plan
@given(
    rule=st.fixed_dictionaries(
        {"kind": st.sampled_from([*KINDS]), "seconds": st.just(0)},
        optional={
            "status": st.integers(200, 599),
            "headers": st.dictionaries(st.text("abcXYZ-", min_size=1, max_size=9), st.text(max_size=9), max_size=2),
            "body": anything,
            "hint": st.sampled_from(HINTS),
            "commit": st.booleans(),
            "changes": st.integers(0, 3),
            "probability": st.floats(0, 1),
        },
    ),
    path=st.sampled_from(["/segment/us/sources", "/twilio/flex/v1/Configuration", "/tracking/us/v1/track", "/nowhere"]),
)
def test_any_fault_that_is_accepted_answers(client, rule, path):
    set_ = client("POST", "/_sandbox/faults", content=json.dumps(rule))
    try:
        answer = client("GET", path)
    except Dropped:
        assert rule["kind"] in ("drop_before", "drop_after", "truncated")
    else:
        assert answer.status_code < 500 or rule.get("kind") in ("status", "rate_limited", "malformed", "html")
    assert client("DELETE", "/_sandbox/faults").status_code == 200
    assert set_.status_code in (200, 400)


@pytest.mark.parametrize("name", SABOTAGES)
def test_every_sabotage_leaves_its_mark(client, name):
    from sandbox.world import JAVA

    world = World()
    env = world.environments["dev"]
    form = {"friendly_name": "f", "space_id": env.space["id"], "profile_token": env.profile_token}
    world.connect(env, {**form, "allow_write_events": True})
    world.make_source(env, "another", JAVA)
    before = repr(env)
    answer = Client(world)("POST", "/_sandbox/sabotage", json={"environment": "dev", "name": name})
    assert answer.status_code == 200
    assert repr(env) != before


@plan
@given(
    method=st.sampled_from(["GET", "POST"]),
    page=st.sampled_from(["", "/", "/dev", "/nowhere", *(f"/dev/{name}" for name in (*ACTIONS, "else"))]),
    form=st.dictionaries(
        st.sampled_from(["friendly_name", "space_id", "profile_token", "allow_write_events", "source_id", "write_key"])
        | st.sampled_from(["name", "type", "said"]),
        st.text(max_size=9) | st.sampled_from(["true", "V6ynUvQgbc", "<script>", "\0"]),
        max_size=5,
    ),
)
def test_any_form_on_any_console_page(client, method, page, form):
    sent = {"data": form} if method == "POST" else {"params": form}
    answer = client(method, "/console" + page, **sent)
    assert answer.status_code < 500
    assert "<script>" not in answer.text.replace("<script>\n  document", "")
    if answer.status_code != 303 and answer.text:
        assert "Simulation." in answer.text or answer.status_code in (307, 405)


def test_console_forms_say_what_is_missing_and_act_on_the_same_world():
    world = World()
    client, env = Client(world), world.environments["dev"]
    form = {"friendly_name": "f", "space_id": env.space["id"], "profile_token": env.profile_token}
    for name, label in (("friendly_name", "Connection friendly name"), ("space_id", "Segment Unify space ID")):
        answer = client("POST", "/console/dev/connection", data={**form, name: ""})
        assert (answer.status_code, f'role="alert">{label} is required' in answer.text) == (400, True)
    answer = client("POST", "/console/dev/connection", data=form)
    assert "Allow Unified Profiles to write events to Segment must be selected" in answer.text
    answer = client("POST", "/console/dev/connection", data={**form, "allow_write_events": "true"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/dev/connection?said=Connected.")
    assert env.connection["friendly_name"] == "f"
    assert client("POST", "/console/dev/link", data={}).status_code == 400
    assert client("POST", "/console/dev/key", data={"write_key": " "}).status_code == 400


def test_the_page_names_every_kind_key_and_sabotage():
    told = (Path(__file__).resolve().parents[2] / "docs/sandbox.md").read_text()
    assert [
        name for name in (*KINDS, *CHECKS, *HINTS, *SABOTAGES, *(p for _unused, p in ROUTES)) if name not in told
    ] == []
