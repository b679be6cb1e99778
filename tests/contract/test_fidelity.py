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
from sandbox.model import ApiProblem

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


def test_a_label_has_to_exist(people):
    """A label has to exist and goes from the sources when it goes."""
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


def test_a_new_source_is_connected_to_the_warehouses(people):
    """A new source is connected to the warehouses unless asked otherwise."""
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


def test_a_limit_per_token_is_told_by_retry_after_alone(people, monkeypatch):
    """Beside the limits per endpoint: over all of them, and whatever the switch for their hints says."""
    monkeypatch.setattr("sandbox.limits.TOKEN_LIMIT", 3)
    people.world.switch({"token_limit": True})
    assert [people.segment("GET", path).status_code for path in ("/", "/spaces", "/labels")] == [200] * 3
    refused = people.segment("GET", "/sources")
    assert (refused.status_code, refused.headers["retry-after"].isdigit()) == (429, True)
    assert "data" not in refused.json()["errors"][0]
    assert people.segment("GET", "/", people.env.admin_token).status_code == 200
    people.sandbox.advance(61)
    assert people.segment("GET", "/").status_code == 200


def test_a_limit_per_address_is_one_for_all_tokens_and_endpoints(people):
    people.world.switch({"address_limit": 10})
    for _unused in range(5):
        assert people.segment("GET", "/").status_code == 200
        assert people.segment("GET", "/sources", people.env.admin_token).status_code == 200
    for token in (None, people.env.admin_token):
        refused = people.segment("GET", "/spaces", *filter(None, [token]))
        assert (refused.status_code, refused.headers["retry-after"].isdigit()) == (429, True)
        assert email.utils.parsedate_to_datetime(refused.headers["x-ratelimit-reset"]) > people.world.now()
    people.sandbox.advance(61)
    assert people.segment("GET", "/spaces").status_code == 200


# Creation of sources

ALPHA = "application/vnd.segment.v1alpha+json"
NEW = {"slug": "twilio_unified_profiles", "enabled": True, "metadataId": JAVA}


@pytest.mark.parametrize(
    ("media_type", "given", "name", "warehouses"),
    [
        ("application/json", {"name": "a name"}, "twilio_unified_profiles", 1),
        ("application/vnd.segment.v1+json", {"name": "a name"}, "twilio_unified_profiles", 1),
        ("application/json", {"disconnectAllWarehouses": True}, "twilio_unified_profiles", 0),
        (ALPHA, {"name": "a name"}, "a name", 1),
        (f"{ALPHA}; charset=utf-8", {"name": "a name"}, "a name", 1),
        (ALPHA, {}, "twilio_unified_profiles", 1),
        (ALPHA, {"name": "a name", "disconnectAllWarehouses": True}, "a name", 1),
    ],
)
def test_two_bodies_make_a_source(people, media_type, given, name, warehouses):
    headers = {"authorization": f"Bearer {people.env.segment_token}", "content-type": media_type}
    answer = People.http.post(
        f"{people.sandbox.url}/segment/us/sources", headers=headers, content=json.dumps({**NEW, **given})
    )
    assert answer.status_code == 201
    source = answer.json()["data"]["source"]
    assert (source["name"], source["slug"]) == (name, NEW["slug"])
    found = people.segment("GET", f"/sources/{source['id']}/connected-warehouses").json()["data"]["warehouses"]
    assert len(found) == warehouses


def test_a_name_that_is_none_is_refused(people):
    headers = {"authorization": f"Bearer {people.env.segment_token}", "content-type": ALPHA}
    url = f"{people.sandbox.url}/segment/us/sources"
    assert People.http.post(url, headers=headers, content=json.dumps({**NEW, "name": 1})).status_code == 400


# The audit trail, and what Segment does by itself


def told(people, **query):
    """What the audit trail says, oldest first."""
    return list(reversed(people.segment("GET", "/audit-events", params=query).json()["data"]["events"]))


@pytest.mark.parametrize("whose", ["source", "space"])
def test_connecting_to_a_space_and_disconnecting_is_told(people, whose):
    people.world.switch({"space_event_resource": whose})
    source = people.connect()
    people.sandbox.sabotage("dev", "disconnect-from-space")
    id_ = source.id if whose == "source" else people.env.space["id"]
    events = [event for event in told(people, resourceId=id_) if event["type"].endswith("Space")]
    assert [event["type"] for event in events] == ["Source Connected To Space", "Source Disconnected From Space"]
    assert {(event["resourceType"], event["actor"]) for event in events} == {(whose, "user_1")}


def test_connecting_again_is_no_event(people):
    source = people.connect()
    before = len(people.env.audit)
    handovers.link(people.world, people.env, {"space_id": people.env.space["id"], "source_id": source.id})
    assert len(people.env.audit) == before


def test_what_happens_to_spaces_and_tracking_plans_is_told(people):
    source = people.connect()
    path = f"/tracking-plans/{next(iter(people.env.tracking_plans))}/sources"
    people.segment("POST", path, json={"sourceId": source.id})
    assert people.segment("GET", f"/sources/{source.id}").json()["data"]["trackingPlanId"] in people.env.tracking_plans
    people.segment("DELETE", path, params={"sourceId": source.id})
    assert people.segment("GET", f"/sources/{source.id}").json()["data"]["trackingPlanId"] is None
    for name in ("add-space", "rename-space", "delete-space"):
        people.sandbox.sabotage("dev", name)
    types = [event["type"] for event in told(people)]
    for wanted in (
        *("Source Connected To Tracking Plan", "Source Disconnected From Tracking Plan"),
        *("Space Created", "Space Modified", "Space Deleted"),
    ):
        assert types.count(wanted) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda people, path: people.segment("POST", f"{path}/writekey"),
        lambda people, path: people.segment(
            "POST", f"{path}/labels", json={"labels": [{"key": "environment", "value": "dev"}]}
        ),
        lambda people, path: people.segment("PATCH", path, json={"name": "other"}),
    ],
)
def test_keys_and_labels_modify_a_source(people, change):
    source = people.connect()
    before = len(people.env.audit)
    change(people, f"/sources/{source.id}")
    (event,) = people.env.audit[before:]
    assert (event["type"], event["resourceId"]) == ("Source Modified", source.id)
    assert event["actor"].startswith("public-api-token/")


def test_a_deleted_space_is_gone_everywhere(people):
    people.connect()
    people.sandbox.sabotage("dev", "add-space")
    people.sandbox.sabotage("dev", "delete-space")
    (other,) = people.segment("GET", "/spaces").json()["data"]["spaces"]
    space = people.env.space["id"]
    assert other["id"] != space
    for path in (f"/spaces/{space}", f"/spaces/{space}/events"):
        assert people.segment("GET", path).status_code == 404
    assert people.segment("GET", f"/spaces/{other['id']}/events").json()["data"]["events"] == []
    assert people.profile("metadata").status_code == 401
    with pytest.raises(ApiProblem):
        handovers.link(people.world, people.env, {"space_id": space, "source_id": next(iter(people.env.sources))})


DAY = 86400


@pytest.mark.parametrize(
    ("keeper", "switches", "enabled"),
    [
        (None, {}, False),
        ("warehouse", {}, True),
        ("destination", {}, True),
        ("disabled destination", {}, False),
        ("space", {}, False),
        ("space", {"space_keeps_source": True}, True),
    ],
)
def test_segment_disables_what_nothing_keeps_after_14_days(people, keeper, switches, enabled):
    people.world.switch(switches)
    source = people.connect()
    if keeper != "warehouse":
        people.sandbox.sabotage("dev", "disconnect-warehouses")
    if keeper not in ("space", None):
        people.sandbox.sabotage("dev", "disconnect-from-space")
    if keeper and "destination" in keeper:
        people.sandbox.sabotage("dev", "add-destination", enabled=keeper == "destination")
        shown = people.segment("GET", f"/sources/{source.id}/connected-destinations").json()["data"]["destinations"]
        assert [one["enabled"] for one in shown] == [keeper == "destination"]
    people.sandbox.advance(13 * DAY)
    # Receiving events does not keep it.
    people.sandbox.engage("dev")
    assert source.enabled
    people.sandbox.advance(2 * DAY)
    assert source.enabled is enabled
    disabled = [event for event in told(people) if event["type"] == "Source Disabled"]
    assert [(event["actor"], event["resourceId"], "actorEmail" in event) for event in disabled] == (
        [] if enabled else [("Segment", source.id, False)]
    )


def test_enabling_again_lasts_14_days_and_the_day_is_right(people):
    source = people.connect()
    people.sandbox.sabotage("dev", "disconnect-warehouses")
    started = people.world.now()
    people.sandbox.advance(40 * DAY)
    (event,) = [event for event in told(people) if event["actor"] == "Segment"]
    at = datetime.datetime.fromisoformat(event["timestamp"].replace("Z", "+00:00"))
    assert abs(at - started - datetime.timedelta(days=14)) < datetime.timedelta(minutes=5)
    people.segment("PATCH", f"/sources/{source.id}", json={"enabled": True})
    people.sandbox.advance(13 * DAY)
    assert source.enabled
    people.sandbox.advance(DAY)
    assert not source.enabled
    # A source that is enabled anew has its 14 days again, one that is renamed has not.
    path = f"/sources/{source.id}"
    for change, enabled in (({"enabled": False}, True), ({"name": "other"}, False)):
        for patch in ({"enabled": False}, {"enabled": True}):
            people.segment("PATCH", path, json=patch)
        people.sandbox.advance(8 * DAY)
        for patch in (change, {"enabled": True}):
            people.segment("PATCH", path, json=patch)
        people.sandbox.advance(7 * DAY)
        assert source.enabled is enabled
    # What is connected in time keeps it.
    people.segment("PATCH", path, json={"enabled": True})
    people.sandbox.advance(13 * DAY)
    warehouse = next(iter(people.env.warehouses))
    assert people.segment("POST", f"/warehouses/{warehouse}/connected-sources/{source.id}").status_code == 201
    people.sandbox.advance(40 * DAY)
    assert source.enabled


# Events


def test_an_event_becomes_a_profile(people):
    """An event becomes a profile that tells where it came from."""
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


@pytest.mark.parametrize(
    "spelled",
    [
        lambda name, values: {f"{name}.{n}": value for n, value in enumerate(values)},
        lambda name, values: {f"{name}[{n}]": value for n, value in enumerate(values)},
        lambda name, values: {f"{name}[]": values},
        lambda name, values: {name: values},
        lambda name, values: {name: ",".join(values)},
        lambda name, values: {name: json.dumps(values)},
    ],
)
def test_every_spelling_of_an_array(people, spelled):
    source = people.connect()
    people.track(source.keys[0], event="Other")
    people.sandbox.work("dev", count=2)
    query = {"startTime": "2020-01-01T00:00:00Z", "endTime": "2100-01-01T00:00:00Z", "granularity": "DAY"}
    query |= {**spelled("groupBy", ["eventName", "source"]), **spelled("sourceId", [source.id])}
    query |= spelled("eventName", sorted(FLEX))
    data = people.segment("GET", "/events/volume", params=query).json()["data"]
    assert {row["eventName"] for row in data["result"]} == FLEX
    assert {row["source"]["id"] for row in data["result"]} == {source.id}
    # Required, as the official Python model has it.
    assert data["path"]
    assert data["query"]["groupBy"] == ["eventName", "source"]


def test_volumes_name_only_what_they_are_grouped_by(people):
    """Volumes name only what they are grouped by and may be floats."""
    people.connect()
    people.sandbox.work("dev", count=2)
    query = {"startTime": "2020-01-01T00:00:00Z", "endTime": "2100-01-01T00:00:00Z", "granularity": "DAY"}
    kinds = set()
    for floats in (False, True):
        people.world.switch({"volume_floats": floats})
        (row,) = people.segment("GET", "/events/volume", params=query).json()["data"]["result"]
        assert set(row) == {"total", "series"}
        kinds.add((type(row["total"]), type(row["series"][0]["count"])))
    assert kinds == {(int, int), (float, float)}
    people.world.switch({"volume_floats": False})
    (row,) = people.segment("GET", "/events/volume", params={**query, "groupBy": "source"}).json()["data"]["result"]
    assert set(row) == {"total", "series", "source"}


# The Profile API's codes


@pytest.mark.parametrize(
    ("codes", "status", "code"),
    [
        ("usual", 401, "authentication_error"),
        ("other", 401, "unauthorized"),
        ("usual", 403, "forbidden"),
        ("usual", 404, "not_found"),
    ],
)
def test_the_profile_apis_codes(people, sandbox, codes, status, code):
    people.world.switch({"profile_codes": codes, "foreign_space": status})
    people.env.space = sandbox.world.environments["prod"].space
    error = people.profile("metadata").json()["error"]
    assert error["code"] == code
    # Only this message shows that the pair is good.
    assert error["message"] != "Profile was not found."


@pytest.mark.parametrize(("codes", "code"), [("usual", "validation_error"), ("other", "bad_request")])
def test_a_bad_request_to_the_profile_api(people, codes, code):
    people.world.switch({"profile_codes": codes})
    people.track(people.connect().keys[0])
    answer = people.profile("events", limit=0)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


# Sync


def sync(people, method, path, **more):
    url = f"{people.sandbox.url}/twilio/sync/v1/Services/default/Documents{path}"
    return People.http.request(method, url, auth=(people.env.api_key, people.env.api_secret), **more)


def test_an_etag_is_what_if_match_takes(people):
    made = sync(people, "POST", "", data={"UniqueName": "ledger", "Data": "{}"})
    assert (made.status_code, made.headers["etag"]) == (201, '"0"')
    assert sync(people, "GET", "/ledger").headers["etag"] == '"0"'
    changed = sync(people, "POST", "/ledger", data={"Data": "{}"}, headers={"if-match": made.headers["etag"]})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"1"')
    assert sync(people, "POST", "/ledger", data={"Data": "{}"}, headers={"if-match": "1"}).status_code == 200
    late = sync(people, "POST", "/ledger", data={"Data": "{}"}, headers={"if-match": changed.headers["etag"]})
    assert (late.status_code, late.json()["code"]) == (412, 54103)


@pytest.mark.parametrize(
    ("method", "path", "data", "status", "code"),
    [
        ("GET", "/none", None, 404, 54300),
        ("DELETE", "/none", None, 404, 54300),
        ("GET", "/ET" + "0" * 32, None, 404, 54100),
        ("POST", "", {"UniqueName": "taken"}, 409, 54301),
        ("POST", "", {"UniqueName": ""}, 400, 54302),
        ("POST", "", {"UniqueName": "n" * 257}, 400, 54302),
        ("POST", "", {"UniqueName": "IS" + "a" * 32}, 400, 54302),
        ("POST", "", {"Data": json.dumps({"a": "b" * 17_000})}, 413, 54006),
        ("POST", "", {"UniqueName": "n" * 256}, 201, None),
        ("POST", "", {"UniqueName": "IS" + "A" * 32}, 201, None),
    ],
)
def test_syncs_codes(people, method, path, data, status, code):
    sync(people, "POST", "", data={"UniqueName": "taken"})
    answer = sync(people, method, path, data=data)
    assert (answer.status_code, answer.json().get("code")) == (status, code)


# Flex, TaskRouter, the account


def twilio(people, path, auth=None, **query):
    auth = auth or (people.env.api_key, people.env.api_secret)
    return People.http.get(f"{people.sandbox.url}/twilio/{path}", auth=auth, params=query)


@pytest.mark.parametrize(("switch", "shown"), [("number", "2.17.0"), ("null", None), ("range", "~2.17")])
def test_flex_tells_its_version_in_three_ways(people, switch, shown):
    people.world.switch({"ui_version": switch})
    assert twilio(people, "flex/v1/Configuration").json()["ui_version"] == shown


def test_tasks_tell_of_traffic_for_30_days(people):
    workspace = twilio(people, "flex/v1/Configuration").json()["taskrouter_workspace_sid"]
    path = f"taskrouter/v1/Workspaces/{workspace}/Events"

    def count(**query):
        return len(twilio(people, path, EventType="task.wrapup", **query).json()["events"])

    assert count() == 0
    # Nobody has connected anything yet, and agents work all the same.
    people.sandbox.engage("dev", 3)
    assert count() == 3
    people.sandbox.advance(29 * DAY)
    people.sandbox.engage("dev", 1)
    since = people.world.now() - datetime.timedelta(days=1)
    assert (count(), count(StartDate=since.isoformat())) == (4, 1)
    people.sandbox.advance(2 * DAY)
    assert count(StartDate="2020-01-01T00:00:00Z") == 1
    first = twilio(people, path, PageSize=2).json()
    assert len(first["events"]) == 2
    following = People.http.get(first["meta"]["next_page_url"], auth=(people.env.api_key, people.env.api_secret))
    assert [event["event_type"] for event in following.json()["events"]] == ["task.created"]
    assert twilio(people, "taskrouter/v1/Workspaces/WS0/Events").json()["code"] == 20404
    people.sandbox.sabotage("dev", "no-flex")
    people.sandbox.engage("dev", 1)
    assert twilio(people, path).status_code == 404


@pytest.mark.parametrize("status", [401, 403, 200])
def test_the_accounts_name_takes_the_auth_token(people, status):
    people.world.switch({"account_by_key": status})
    path = f"api/2010-04-01/Accounts/{people.env.account_sid}.json"
    assert twilio(people, path).status_code == status
    by_token = twilio(people, path, auth=(people.env.account_sid, people.env.auth_token))
    assert by_token.json()["friendly_name"] == "dev account"


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


@pytest.mark.parametrize("status", [200, 400])
def test_alerts_go_back_30_days(people, status):
    people.connect()
    people.sandbox.sabotage("dev", "lose-connector")
    people.sandbox.engage("dev")
    start = people.world.now()
    people.world.switch({"old_alerts": status})
    assert people.alerts() == ["49008"]
    people.sandbox.advance(31 * DAY)
    answer = twilio(people, "monitor/v1/Alerts", StartDate=(start - datetime.timedelta(days=1)).isoformat())
    assert answer.status_code == status
    assert status != 200 or answer.json()["alerts"] == []
    assert people.alerts() == []


def test_switches_can_be_read_and_set_by_the_control_plane(people):
    url = people.sandbox.url + "/_sandbox/switches"
    assert People.http.get(url).json()["switches"]["duplicate_slug"] == 409
    assert People.http.post(url, json={"duplicate_slug": 422}).json()["switches"]["duplicate_slug"] == 422
    for wrong in ({"duplicate_slug": 500}, {"nothing": 1}, {"rate_limits": 1}):
        answer = People.http.post(url, json=wrong)
        assert answer.status_code == 400
        assert next(iter(wrong)) in answer.json()["error"]
