# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox fails as it is asked to, and tells a test of each request."""

from __future__ import annotations

import email.utils
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sandbox.server import run_sandbox
from support.waiting import eventually

# The sandbox, which Ansible has no part in.
pytestmark = pytest.mark.newest_only


class Client:
    """A client of one of the sandbox's environments."""

    http = httpx.Client(timeout=60)

    def __init__(self, sandbox, environment="dev"):
        self.env = sandbox.world.environments[environment]
        self.base = f"{sandbox.url}/segment/{self.env.region}"

    def __call__(self, method, path, **more):
        headers = {"authorization": f"Bearer {self.env.segment_token}"}
        return self.http.request(method, self.base + path, headers=headers, **more)

    def create(self, slug):
        return self("POST", "/sources", json={"slug": slug, "enabled": True, "metadataId": "V6ynUvQgbc"})

    def slugs(self):
        return {source["slug"] for source in self("GET", "/sources").json()["data"]["sources"]}


@pytest.fixture
def client(sandbox):
    return Client(sandbox)


def test_a_status_with_headers_and_body(sandbox, client):
    rule = sandbox.fault(match="GET /segment/us/$", status=503, headers={"X-Why": "asked"}, body={"told": True})
    answer = client("GET", "/")
    assert (answer.status_code, answer.headers["x-why"], answer.json()) == (503, "asked", {"told": True})
    assert client("GET", "/").status_code == 200
    assert rule.hits == 1


@pytest.mark.parametrize(
    ("path", "of"),
    [
        ("/segment/us/", lambda body: body["errors"][0]["type"]),
        ("/profiles/us/v1/spaces/x/collections/users/profiles/user_id:1/metadata", lambda body: body["error"]["code"]),
        ("/twilio/flex/v1/Configuration", lambda body: body["code"]),
    ],
)
def test_errors_have_the_shape_of_their_service(sandbox, path, of):
    sandbox.fault(kind="rate_limited")
    answer = Client.http.get(sandbox.url + path)
    assert answer.status_code == 429
    assert of(answer.json()) in ("RequestError", "rate_limit_error", 20429)


def test_skip_reaches_exactly_one_request(sandbox, client):
    sandbox.fault(match="GET */sources", skip=2, count=1, status=500)
    assert [client("GET", "/sources").status_code for _unused in range(4)] == [200, 200, 500, 200]


def test_by_environment(sandbox, client):
    rule = sandbox.fault(environment="prod", count=None, status=500)
    assert client("GET", "/").status_code == 200
    assert Client(sandbox, "prod")("GET", "/").status_code == 500
    env = sandbox.world.environments["prod"]
    flex = sandbox.url + "/twilio/flex/v1/Configuration"
    assert Client.http.get(flex, auth=(env.api_key, env.api_secret)).status_code == 500
    gateway = {"authorization": f"Bearer {env.gateway_token}"}
    assert Client.http.get(sandbox.url + "/handover/prod/key", headers=gateway).status_code == 500
    assert rule.hits == 3


def test_probability_is_seeded(sandbox, client):
    def draw(seed):
        sandbox.clear_faults()
        sandbox.fault(match="GET", count=None, probability=0.5, seed=seed, status=500)
        return [client("GET", "/").status_code for _unused in range(20)]

    first = draw(1)
    assert {200, 500} == set(first)
    assert draw(1) == first
    assert draw(2) != first


@pytest.mark.parametrize(("kind", "made"), [("drop_before", False), ("drop_after", True)])
def test_a_dropped_connection_gives_no_byte(sandbox, client, kind, made):
    sandbox.fault(match="POST", kind=kind)
    with pytest.raises(httpx.TransportError):
        client.create("new")
    assert ("new" in client.slugs()) is made


@pytest.mark.parametrize(("commit", "made"), [(False, False), (True, True)])
def test_any_answer_can_be_lost_after_the_commit(sandbox, client, commit, made):
    sandbox.fault(match="POST", status=503, commit=commit)
    assert client.create("new").status_code == 503
    assert ("new" in client.slugs()) is made


def test_a_truncated_body_breaks_off_and_a_slow_one_arrives(sandbox, client):
    sandbox.fault(match="GET", kind="truncated")
    with pytest.raises(httpx.RemoteProtocolError):
        client("GET", "/sources")
    rule = sandbox.fault(match="GET", kind="slow", seconds=3600)
    headers = {"authorization": f"Bearer {client.env.segment_token}"}
    with Client.http.stream("GET", client.base + "/sources", headers=headers) as answer:
        pieces = answer.iter_raw()
        first, rule.seconds = next(pieces), 0
        rest = b"".join(pieces)
    assert rest
    assert first + rest == client("GET", "/sources").content


@pytest.mark.parametrize("commit", [False, True])
def test_latency_before_or_after_the_commit(sandbox, client, commit):
    rule = sandbox.fault(match="POST", kind="latency", seconds=3600, commit=commit)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.create, "new")
        try:
            eventually(lambda: rule.held, "holding it back")
            assert ("new" in client.slugs()) is commit
            assert not answer.done()
        finally:
            rule.seconds = 0
    assert answer.result().status_code == 201
    assert "new" in client.slugs()


@pytest.mark.parametrize(("kind", "start"), [("malformed", "{"), ("html", "<html>")])
def test_answers_that_are_no_json(sandbox, client, kind, start):
    sandbox.fault(match="GET", kind=kind)
    answer = client("GET", "/")
    assert answer.text.startswith(start)
    with pytest.raises(ValueError):
        answer.json()


def test_a_rate_limit_hints_in_one_way_at_a_time(sandbox, client):
    seen = {}
    for hint in ("seconds", "date", "msBeforeNext", "reset", "none"):
        sandbox.fault(match="GET", kind="rate_limited", seconds=90, hint=hint)
        answer = client("GET", "/")
        assert answer.status_code == 429
        told = answer.json()["errors"][0].get("data", {}).get("msBeforeNext")
        seen[hint] = (answer.headers.get("retry-after"), told, answer.headers.get("x-ratelimit-reset"))
    assert seen["seconds"] == ("90", None, None)
    assert seen["msBeforeNext"] == (None, 90_000, None)
    assert seen["none"] == (None, None, None)
    for at in (seen["date"][0], seen["reset"][2]):
        moment = email.utils.parsedate_to_datetime(at)
        assert 80 <= (moment - sandbox.world.now()).total_seconds() <= 91
    assert seen["date"][1:] == (None, None)
    assert seen["reset"][:2] == (None, None)


def test_stale_lists_by_changes(sandbox, client):
    rule = sandbox.fault(match="GET */sources$", kind="stale", changes=1, count=2)
    before = client.slugs()
    assert rule.hits == 0
    client.create("new")
    assert [client.slugs() for _unused in range(3)] == [before, before, before | {"new"}]
    assert rule.hits == 2


def test_stale_lists_by_time_and_after_sabotage(sandbox, client):
    client.create("twilio-unified-profiles")
    sandbox.fault(match="GET */sources$", kind="stale", seconds=60, count=None)
    before = client.slugs()
    sandbox.sabotage("dev", "delete-source")
    assert client.slugs() == before
    # Other environments and other reads are as they are.
    assert client("GET", "/labels").status_code == 200
    sandbox.advance(61)
    assert client.slugs() == before - {"twilio-unified-profiles"}


def test_a_hook_sees_each_request_before_and_after(sandbox, client):
    seen = []

    def hook(phase, entry):
        if entry["write"]:
            exists = any(source.slug == "new" for source in client.env.sources.values())
            seen.append((phase, entry["n"], entry["environment"], entry["path"], entry.get("status"), exists))

    sandbox.on_request(hook)
    client("GET", "/")
    client.create("new")
    assert seen == [
        ("before", 2, "dev", "/segment/us/sources", None, False),
        ("after", 2, "dev", "/segment/us/sources", 201, True),
    ]


@pytest.mark.parametrize(("phase", "made"), [("before", False), ("after", True)])
def test_a_hook_can_close_the_connection(sandbox, client, phase, made):
    sandbox.on_request(lambda at, entry: not (at == phase and entry["write"]))
    with pytest.raises(httpx.TransportError):
        client.create("new")
    assert ("new" in client.slugs()) is made


def test_a_hook_sees_no_write_key(sandbox, client):
    source = next(iter(client.env.sources.values()))
    key, paths = source.keys[0], []
    sandbox.on_request(lambda phase, entry: paths.append(entry["path"]))
    client("DELETE", f"/sources/{source.id}/writekey/{key}")
    assert source.keys == []
    assert "/writekey/" in paths[0]
    assert key not in paths[0]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"match": "("}, "regular expression"),
        ({"kind": "nonsense"}, "one of status"),
        ({"count": True}, "whole number"),
        ({"probability": 2}, "from 0 to 1"),
        ({"status": "503"}, "HTTP status"),
        ({"headers": {"a b": "c"}}, "plain strings"),
        ({"headers": {"X": "a\nb"}}, "plain strings"),
        ({"matches": "GET"}, "no 'matches'"),
        ({"environment": "nowhere"}, "no such environment"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(sandbox, rule, said):
    answer = Client.http.post(sandbox.url + "/_sandbox/faults", json=rule)
    assert answer.status_code in (400, 404)
    assert said in answer.json()["error"]
    assert Client.http.get(sandbox.url + "/_sandbox/faults").json()["faults"] == []


def test_rules_over_the_control_plane_count_their_hits(sandbox, client):
    Client.http.post(sandbox.url + "/_sandbox/faults", json={"match": "GET /segment", "status": 502})
    assert client("GET", "/").status_code == 502
    (rule,) = Client.http.get(sandbox.url + "/_sandbox/faults").json()["faults"]
    assert (rule["hits"], rule["count"]) == (1, 1)
    Client.http.delete(sandbox.url + "/_sandbox/faults")
    assert sandbox.faults.rules == []


def test_answers_held_back_do_not_keep_the_sandbox_from_stopping(capfd):
    with ThreadPoolExecutor(1) as pool:
        with run_sandbox() as sandbox:
            rule = sandbox.fault(kind="latency", seconds=3600)
            answer = pool.submit(Client.http.get, sandbox.url + "/segment/us/")
            eventually(lambda: rule.held, "holding it back")
        assert answer.result().is_error
    assert capfd.readouterr() == ("", "")
