# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the services do beyond single answers: paging, permissions, regions, limits, the flow of events, replay, alerts."""

from __future__ import annotations

import datetime
import email.utils
import json
import re

import httpx
import pytest
from sandbox import handovers
from sandbox.catalog import CATALOG

# Nothing here depends on the version of ansible-core.
pytestmark = pytest.mark.newest_only

JAVA = "V6ynUvQgbc"
FLEX = {"Flex - Engagement Initiated", "Flex - Engagement Completed"}


class People:
    """Whoever uses an environment, and short ways to do it."""

    http = httpx.Client(timeout=20)

    def __init__(self, sandbox, name="dev"):
        self.sandbox, self.env, self.world = sandbox, sandbox.world.environments[name], sandbox.world
        self.region = self.env.region

    def segment(self, method, path, token=None, **more):
        headers = {"authorization": f"Bearer {token or self.env.segment_token}"}
        return self.http.request(method, f"{self.sandbox.url}/segment/{self.region}{path}", headers=headers, **more)

    def connect(self):
        env = self.env
        form = {"space_id": env.space["id"], "profile_token": env.profile_token, "allow_write_events": True}
        handovers.connect(self.world, env, form)
        return env.sources[env.form_source]

    def track(self, key, call="track", region=None, **message):
        url = f"{self.sandbox.url}/tracking/{region or self.region}/v1/{call}"
        return self.http.post(url, auth=(key, ""), json={"userId": "canary", "event": "Test", **message})

    def profile(self, what, who="user_id:canary", **query):
        url = f"{self.sandbox.url}/profiles/{self.region}/v1/spaces/{self.env.space['id']}/collections/users/profiles"
        return self.http.get(f"{url}/{who}/{what}", auth=(self.env.profile_token, ""), params=query)

    def alerts(self):
        url = f"{self.sandbox.url}/twilio/monitor/v1/Alerts"
        return [
            a["error_code"] for a in self.http.get(url, auth=(self.env.api_key, self.env.api_secret)).json()["alerts"]
        ]


@pytest.fixture
def people(sandbox):
    return People(sandbox)


# The Public API


@pytest.mark.parametrize(
    "spelling",
    [
        lambda count, cursor: {"pagination.count": count, "pagination.cursor": cursor},
        lambda count, cursor: {"pagination[count]": count, "pagination[cursor]": cursor},
        lambda count, cursor: {"pagination": json.dumps({"count": count, "cursor": cursor})},
    ],
)
def test_three_spellings_of_paging(people, spelling):
    found, cursor = [], ""
    while cursor is not None:
        data = people.segment("GET", "/catalog/sources", params=spelling(7, cursor)).json()["data"]
        found += [item["id"] for item in data["sourcesCatalog"]]
        assert data["pagination"]["totalEntries"] == len(CATALOG)
        cursor = data["pagination"]["next"]
    assert found == list(CATALOG)
    assert data["pagination"]["previous"]


def test_what_each_token_may_see_and_do(people):
    env = people.env
    keys = {
        token: people.segment("GET", "/sources", token).json()["data"]["sources"][0]["writeKeys"]
        for token in (env.segment_token, env.admin_token, env.read_only_token)
    }
    assert [len(found) for found in keys.values()] == [1, 1, 0]
    new = {"slug": "new", "enabled": True, "metadataId": JAVA}
    assert people.segment("POST", "/sources", env.read_only_token, json=new).status_code == 403
    assert people.segment("POST", "/sources", env.admin_token, json=new).status_code == 201
    people.world.switch({"lacks_permission": 401})
    assert people.segment("GET", "/audit-events", env.admin_token).status_code == 401


def test_every_change_is_in_the_audit_trail(people):
    source = people.segment("POST", "/sources", json={"slug": "a", "enabled": True, "metadataId": JAVA}).json()
    path = f"/sources/{source['data']['source']['id']}"
    people.segment("PATCH", path, json={"enabled": False})
    people.segment("POST", path + "/writekey")
    people.segment("PUT", path + "/labels", json={"labels": [{"key": "environment", "value": "dev"}]})
    people.segment("POST", "/labels", json={"label": {"key": "a", "value": "b"}})
    people.segment("DELETE", path)
    events = people.segment("GET", "/audit-events").json()["data"]["events"]
    assert [event["type"] for event in reversed(events)] == [
        *("Source Created", "Source Modified", "Source Disabled", "Source Modified", "Source Modified"),
        *("Label Created", "Source Deleted"),
    ]
    assert all(event["actor"].startswith("public-api-token/") for event in events)
    assert people.env.segment_token not in json.dumps(events)
    people.sandbox.advance(91 * 86400)
    assert people.segment("GET", "/audit-events").json()["data"]["events"] == []


def test_a_token_knows_its_own_workspace_and_region_only(people, sandbox):
    others = [People(sandbox, name) for name in ("prod", "eu")]
    for other in (people, *others):
        assert other.segment("GET", "/").json()["data"]["workspace"] == other.env.workspace
        assert other.segment("GET", "/spaces").json()["data"]["spaces"] == [other.env.space]
    for other in others:
        source = next(iter(other.env.sources))
        for method, path in (("GET", f"/spaces/{other.env.space['id']}"), ("GET", f"/sources/{source}")):
            assert people.segment(method, path).status_code == 404
        assert people.segment("DELETE", f"/sources/{source}").status_code == 404
        assert source in other.env.sources
        assert source not in people.segment("GET", "/sources").text
    # The same token, the same space, the other region's host: it is nobody there.
    eu = others[1]
    eu.region = "us"
    assert eu.segment("GET", "/").status_code == 401
    assert eu.profile("metadata").status_code == 401


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_good_profile_token_and_another_space(people, sandbox, status):
    people.world.switch({"foreign_space": status})
    space = sandbox.world.environments["prod"].space
    url = f"{sandbox.url}/profiles/us/v1/spaces/{space['id']}/collections/users/profiles/user_id:x/metadata"
    assert People.http.get(url, auth=(people.env.profile_token, "")).status_code == status


def test_a_label_has_to_exist_and_goes_from_the_sources_when_it_goes(people):
    source = next(iter(people.env.sources.values()))
    first, second = ({"key": "environment", "value": "dev"}, {"key": "managed-by", "value": "ansible"})

    def put(method, *labels):
        return people.segment(method, f"/sources/{source.id}/labels", json={"labels": [*labels]})

    assert put("POST", {"key": "team", "value": "ops"}).status_code == 400
    people.segment("POST", "/labels", json={"label": {"key": "team", "value": "ops"}})
    assert put("POST", {"key": "team", "value": "ops"}).status_code == 200
    assert put("POST", first).json()["data"]["labels"] == [{"key": "team", "value": "ops"}, first]
    assert put("PUT", first, second).json()["data"]["labels"] == [first, second]
    assert people.segment("DELETE", "/labels/environment/dev").status_code == 200
    assert people.segment("GET", f"/sources/{source.id}").json()["data"]["source"]["labels"] == [second]


def test_ids_keys_and_tokens_have_the_shape_of_real_ones(people):
    base62 = "[A-Za-z0-9]"
    env, source = people.env, people.connect()
    for shape, *values in (
        (f"{base62}{{22}}", env.workspace["id"], source.id, env.audit[-1]["id"]),
        (f"spa_{base62}{{22}}", env.space["id"]),
        (f"{base62}{{32}}", *source.keys),
        (f"sgp_{base62}{{64}}", env.segment_token, env.admin_token, env.read_only_token),
        ("AC[0-9a-f]{32}", env.account_sid),
        ("SK[0-9a-f]{32}", env.api_key),
        ("[0-9a-f]{32}", env.auth_token),
        ("IS[0-9a-f]{32}", env.default_service),
    ):
        assert [value for value in values if not re.fullmatch(shape, value)] == []
    known = {
        item["name"]: item["id"] for item in people.segment("GET", "/catalog/sources").json()["data"]["sourcesCatalog"]
    }
    assert (known["Java"], known["Javascript"], known["HTTP API"]) == (JAVA, "IqDTy1TpoU", "iUM16Md8P2")


@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_slug_that_is_taken(people, status):
    people.world.switch({"duplicate_slug": status})
    new = {"slug": "website", "enabled": True, "metadataId": JAVA}
    assert people.segment("POST", "/sources", json=new).status_code == status


def test_a_new_source_is_connected_to_the_warehouses_unless_asked_otherwise(people):
    for slug, given, count in (("a", {}, 1), ("b", {"disconnectAllWarehouses": True}, 0)):
        new = {"slug": slug, "enabled": True, "metadataId": JAVA, **given}
        id_ = people.segment("POST", "/sources", json=new).json()["data"]["source"]["id"]
        found = people.segment("GET", f"/sources/{id_}/connected-warehouses").json()["data"]["warehouses"]
        assert len(found) == count


@pytest.mark.parametrize("hint", ["msBeforeNext", "seconds", "date", "reset", "none"])
def test_limits_are_kept_when_switched_on(people, hint):
    path = f"/spaces/{people.env.space['id']}/events"
    for _unused in range(26):
        assert people.segment("GET", path).status_code == 200
    people.sandbox.reset()
    people.world.switch({"rate_limits": True, "rate_limit_hint": hint})
    for n in range(25):
        answer = people.segment("GET", path)
        assert (answer.status_code, answer.headers["x-ratelimit-remaining"]) == (200, str(24 - n))
    refused = people.segment("GET", path)
    assert refused.status_code == 429
    told = refused.headers.get("retry-after")
    found = {
        "msBeforeNext": refused.json()["errors"][0].get("data", {}).get("msBeforeNext", 0) > 0,
        "seconds": bool(told and told.isdigit()),
        "date": bool(told and not told.isdigit() and email.utils.parsedate_to_datetime(told)),
        "reset": "x-ratelimit-reset" in refused.headers,
    }
    assert [name for name, there in found.items() if there] == ([] if hint == "none" else [hint])
    # Another token has limits of its own, and so has another endpoint; time heals.
    assert people.segment("GET", path, people.env.admin_token).status_code == 200
    assert people.segment("GET", "/sources").status_code == 200
    people.sandbox.advance(61)
    assert people.segment("GET", path).status_code == 200


@pytest.mark.parametrize(("scope", "status"), [("token", 200), ("address", 429)])
def test_limits_count_by_token_or_by_address_alone(people, scope, status):
    path = f"/spaces/{people.env.space['id']}/events"
    people.world.switch({"rate_limits": True, "rate_limit_scope": scope})
    for _unused in range(25):
        assert people.segment("GET", path).status_code == 200
    assert people.segment("GET", path, people.env.admin_token).status_code == status


# Events


def test_an_event_becomes_a_profile_that_tells_where_it_came_from(people):
    source = people.connect()
    assert people.profile("metadata").status_code == 404
    assert people.track(source.keys[0], call="identify", messageId="m-1", traits={"plan": "x"}).json() == {
        "success": True
    }
    for n in range(3):
        people.track(source.keys[0], messageId=f"m-{n + 2}")
    found = people.profile("metadata").json()["metadata"]
    assert (found["first_message_id"], found["last_message_id"]) == ("m-1", "m-4")
    assert found["first_source_id"] == found["last_source_id"] == source.id
    assert people.profile("traits").json()["traits"] == {"plan": "x"}
    first = people.profile("events", limit=2).json()
    rest = people.profile("events", limit=2, next=first["cursor"]["next"]).json()
    assert [e["message_id"] for e in first["data"] + rest["data"]] == ["m-4", "m-3", "m-2"]
    assert (first["cursor"]["has_more"], rest["cursor"]["has_more"]) == (True, False)
    following = People.http.get(
        f"{people.sandbox.url}/profiles/us{first['cursor']['url']}", auth=(people.env.profile_token, "")
    )
    assert following.json() == rest
    people.sandbox.advance(15 * 86400)
    assert people.profile("events").json()["data"] == []


def test_a_message_counts_once(people):
    source = people.connect()
    for _unused in range(3):
        people.track(source.keys[0], messageId="same")
    assert len(people.profile("events").json()["data"]) == 1
    assert sum(e["count"] for e in people.env.received) == 1


def test_what_is_swallowed(people):
    """Each of these is answered with success, and comes to nothing."""
    source = people.connect()
    other = People(people.sandbox, "eu")
    people.track("k" * 32)
    people.track(source.keys[0], region="eu")
    people.track(other.connect().keys[0])
    people.track(source.keys[0], userId=None)
    people.segment("PATCH", f"/sources/{source.id}", json={"enabled": False})
    people.track(source.keys[0])
    people.segment("PATCH", f"/sources/{source.id}", json={"enabled": True})
    people.segment("DELETE", f"/sources/{source.id}/writekey/{source.keys[0]}")
    assert people.track("k" * 32).json() == {"success": True}
    assert (people.env.received, other.env.received) == ([], [])
    assert people.profile("metadata").status_code == 404


def test_sources_that_are_not_connected_feed_no_profile(people):
    website = next(iter(people.env.sources.values()))
    people.track(website.keys[0])
    assert len(people.env.received) == 1
    assert people.profile("metadata").status_code == 404


@pytest.mark.parametrize("replay_seen", ["event", "arrival"])
def test_connecting_a_source_replays_its_last_month(people, replay_seen):
    people.world.switch({"replay_seen": replay_seen})
    website = next(iter(people.env.sources.values()))
    people.track(website.keys[0], messageId="too old", event="Long ago")
    people.sandbox.advance(40 * 86400)
    people.track(website.keys[0], messageId="old", event="Old")
    people.sandbox.advance(10 * 86400)
    handovers.link(people.world, people.env, {"space_id": people.env.space["id"], "source_id": website.id})
    assert [m for m in people.profile("metadata").json()["metadata"].values() if m == "old"]
    events = people.segment("GET", f"/spaces/{people.env.space['id']}/events").json()["data"]["events"]
    assert [event["name"] for event in events] == ["Old"]
    seen = datetime.datetime.fromisoformat(events[0]["lastSeenAt"].replace("Z", "+00:00"))
    assert (people.world.now() - seen > datetime.timedelta(days=9)) == (replay_seen == "event")


def test_volume_lags_a_minute_and_counts_in_buckets(people):
    source = people.connect()
    people.sandbox.engage("dev", 50)
    now = people.world.now()
    query = {
        "startTime": (now - datetime.timedelta(hours=1)).isoformat(),
        "endTime": (now + datetime.timedelta(hours=1)).isoformat(),
    }
    query |= {"groupBy.0": "eventName", "groupBy.1": "source", "granularity": "MINUTE"}
    query |= {f"eventName.{n}": name for n, name in enumerate(FLEX)}
    assert people.segment("GET", "/events/volume", params=query).json()["data"]["result"] == []
    people.sandbox.advance(61)
    rows = people.segment("GET", "/events/volume", params=query).json()["data"]["result"]
    assert {(row["eventName"], row["total"], row["source"]["id"]) for row in rows} == {(n, 50, source.id) for n in FLEX}


# Flex and its alerts


def test_flex_writes_with_the_key_it_holds(people):
    people.sandbox.engage("dev", 2)
    assert people.env.received == []
    source = people.connect()
    people.sandbox.engage("dev", 2)
    assert {e["event"] for e in people.env.received if e["type"] == "track"} == FLEX
    assert {e["source"] for e in people.env.received} == {source.id}
    assert people.profile("traits", who="user_id:flex-customer-2").json()["traits"]["flex_last-known-agent"]
    assert people.alerts() == []


def test_a_wrong_key_goes_unnoticed(people):
    people.connect()
    people.sandbox.sabotage("dev", "wrong-key-in-flex")
    people.sandbox.engage("dev", 2)
    assert (people.env.received, people.alerts()) == ([], [])


@pytest.mark.parametrize(
    ("sabotage", "code"),
    [("lose-connector", "49008"), ("wrong-token-in-flex", "49009"), ("revoke-token", "49009")],
)
def test_alerts_of_the_connector(people, sabotage, code):
    people.connect()
    more = {"which": "profile_token"} if sabotage == "revoke-token" else {}
    people.sandbox.sabotage("dev", sabotage, **more)
    people.sandbox.engage("dev", 2)
    assert people.alerts() == [code]
    # What is written goes by the write key, which is good.
    assert people.env.received


def test_switches_can_be_read_and_set_by_the_control_plane(people):
    url = people.sandbox.url + "/_sandbox/switches"
    assert People.http.get(url).json()["switches"]["duplicate_slug"] == 409
    assert People.http.post(url, json={"duplicate_slug": 422}).json()["switches"]["duplicate_slug"] == 422
    for wrong in ({"duplicate_slug": 500}, {"nothing": 1}, {"rate_limits": 1}):
        answer = People.http.post(url, json=wrong)
        assert answer.status_code == 400
        assert next(iter(wrong)) in answer.json()["error"]
