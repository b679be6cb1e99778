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
from sandbox import control, handovers, sabotage
from sandbox.app import make_app
from sandbox.catalog import HTTP_API, JAVA
from sandbox.console import ACTIONS
from sandbox.fault_rules import CHECKS, HINTS, KINDS
from sandbox.faults import Dropped, Faults
from sandbox.model import LEGACY_NAME, SOURCE_NAME
from sandbox.world import SWITCHES, World

# The sandbox, which Ansible has no part in.
pytestmark = pytest.mark.newest_only

ROUTES = [(method, path) for method, path, _handler in control.PATHS]
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
        ["dev", "eu", "nowhere", "GET", "(", *sabotage.NAMES, *KINDS, *HINTS, -1, 0, 1, 10**9, 10**400, 0.5, *NO_JSON]
    )
    | anything,
    max_size=5,
)
PROFILE = "/profiles/us/v1/spaces/{}/collections/users/profiles/user_id:nobody/metadata"
plan = settings(database=None, deadline=None, max_examples=150)


class Client:
    """Calls the application without a server; its exceptions come out here, as they are."""

    def __init__(self, world):
        self.app = httpx.ASGITransport(make_app(world, Faults(world)))

    def __call__(self, method, path, **more):
        async def call():
            async with httpx.AsyncClient(transport=self.app, base_url="http://localhost") as client:
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


def _only(env, **changes):
    """Return whether nothing but this differs from what the form made of the source `twilio-unified-profiles`."""
    made = env.sources[env.form_source]
    now = {"name": made.name, "enabled": made.enabled, "type": made.metadata, "keys": len(made.keys)}
    now |= {"linked": env.linked == [made.id], "flex": env.flex_key in made.keys}
    usual = {"name": SOURCE_NAME, "enabled": True, "type": JAVA, "keys": 1, "linked": True, "flex": True}
    return {name: value for name, value in now.items() if value != usual[name]} == changes


# What each leaves behind.
EFFECTS = {
    "delete-source": lambda env: env.form_source not in env.sources and env.linked == [],
    "rename-source": lambda env: _only(env, name="renamed by hand"),
    "disable-source": lambda env: _only(env, enabled=False),
    "swap-type": lambda env: _only(env, type=HTTP_API),
    "remove-key": lambda env: _only(env, flex=False),
    "add-key": lambda env: _only(env, keys=2),
    "duplicate-name": lambda env: [s.name for s in env.sources.values()].count(SOURCE_NAME) == 2 and _only(env),
    "disconnect-from-space": lambda env: _only(env, linked=False),
    "legacy-source": lambda env: LEGACY_NAME in {s.name for s in env.sources.values()} and _only(env),
    "wrong-key-in-flex": lambda env: _only(env, flex=False),
    "wrong-token-in-flex": lambda env: env.connection["profile_token"] != env.profile_token,
    "lose-connector": lambda env: env.connection == {} and _only(env),
    "no-flex": lambda env: env.flex_status == "notstarted",
    "revoke-token": lambda env: env.revoked == {"segment_token"},
    "disconnect-warehouses": lambda env: (
        _only(env) and not any(env.form_source in one["sources"] for one in env.warehouses.values())
    ),
    "add-destination": lambda env: (
        _only(env) and [(d["source"], d["enabled"]) for d in env.destinations.values()] == [(env.form_source, True)]
    ),
    "rename-space": lambda env: env.spaces == [{**env.space, "name": "renamed by hand", "slug": "renamed-by-hand"}],
    "delete-space": lambda env: env.spaces == [] and env.linked == [],
    "add-space": lambda env: [space == env.space for space in env.spaces] == [True, False],
}


@pytest.mark.parametrize("name", sabotage.NAMES)
def test_every_sabotage_does_what_its_name_says(name):
    world = World()
    env = world.environments["dev"]
    form = {"friendly_name": "f", "space_id": env.space["id"], "profile_token": env.profile_token}
    handovers.connect(world, env, {**form, "allow_write_events": True})
    assert not EFFECTS[name](env)
    audited = len(env.audit)
    answer = Client(world)("POST", "/_sandbox/sabotage", json={"environment": "dev", "name": name})
    assert answer.status_code == 200
    assert EFFECTS[name](env)
    # What happens in the workspace is in its audit trail, done by a person.
    to_workspace = name in sabotage.ON_SOURCE or name == "legacy-source" or name.endswith("-space")
    assert (len(env.audit) > audited) == to_workspace
    assert env.audit[-1]["actorEmail"]


@pytest.mark.parametrize(
    ("which", "request_of"),
    [
        ("segment", lambda env: ("/segment/us/", {"headers": {"authorization": f"Bearer {env.segment_token}"}})),
        ("profile", lambda env: (PROFILE.format(env.space["id"]), {"auth": (env.profile_token, "")})),
        ("twilio", lambda env: ("/twilio/flex/v1/Configuration", {"auth": (env.api_key, env.api_secret)})),
        ("twilio", lambda env: ("/twilio/sync/v1/Services", {"auth": (env.account_sid, env.auth_token)})),
    ],
)
def test_each_credential_can_be_revoked(which, request_of):
    world = World()
    client, (url, credentials) = Client(world), request_of(world.environments["dev"])
    assert client("GET", url, **credentials).status_code in (200, 404)
    answer = client("POST", "/_sandbox/sabotage", json={"environment": "dev", "name": "revoke-token", "which": which})
    assert answer.status_code == 200
    assert client("GET", url, **credentials).status_code == 401


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"environment": "dev", "name": "explode"}, "there are delete-source, rename-source"),
        ({"environment": "dev", "name": "rename-source", "too": "x"}, "rename-source takes no 'too'"),
        ({"environment": "dev", "name": "rename-source", "to": 1}, '"name" must be a string'),
        ({"environment": "dev", "name": "revoke-token", "which": "all"}, "which takes segment, profile, twilio"),
        ({"environment": "dev", "name": "rename-space", "to": 1}, "to takes a string"),
        ({"environment": "dev", "name": "delete-source"}, "dev has no source named twilio-unified-profiles"),
        ({"environment": "nowhere", "name": "no-flex"}, "no such environment"),
    ],
)
def test_a_sabotage_that_cannot_be_is_refused(body, said):
    world = World()
    if body["name"] == "rename-source":
        world.make_source(world.environments["dev"], SOURCE_NAME, JAVA)
    before = repr(world.environments)
    answer = Client(world)("POST", "/_sandbox/sabotage", json=body)
    assert answer.status_code in (400, 404, 409)
    assert said in answer.json()["error"]
    assert repr(world.environments) == before


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


def test_console_forms_say_what_is_missing():
    """Console forms say what is missing and act on the same world."""
    world = World()
    client, env = Client(world), world.environments["dev"]
    form = {"friendly_name": "f", "space_id": env.space["id"], "profile_token": env.profile_token}
    for name, label in (("friendly_name", "Connection friendly name"), ("space_id", "Segment Unify space ID")):
        answer = client("POST", "/console/dev/connection", data={**form, name: ""})
        assert (answer.status_code, f"<strong>Error:</strong> {label} is required" in answer.text) == (400, True)
    answer = client("POST", "/console/dev/connection", data=form)
    assert "Allow Unified Profiles to write events to Segment must be selected" in answer.text
    answer = client("POST", "/console/dev/connection", data={**form, "allow_write_events": "true"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/dev/connection?said=Connected.")
    assert env.connection["friendly_name"] == "f"
    assert client("POST", "/console/dev/link", data={}).status_code == 400
    assert client("POST", "/console/dev/key", data={"write_key": " "}).status_code == 400


PAGE = (Path(__file__).resolve().parents[2] / "docs/sandbox.md").read_text()


def test_the_page_names_every_switch_with_its_values():
    rows = [
        f"| `{name}` | {', '.join(str(value).lower() if isinstance(value, bool) else str(value) for value in values)} |"
        for name, values in SWITCHES.items()
    ]
    assert [row for row in rows if row not in PAGE] == []


def test_the_page_names_every_kind_key_and_sabotage():
    assert [
        name for name in (*KINDS, *CHECKS, *HINTS, *sabotage.NAMES, *(p for _unused, p in ROUTES)) if name not in PAGE
    ] == []
