# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read as evidence and what is left alone: alerts, volumes, the audit trail, the canary and the connector."""

from __future__ import annotations

import base64
import datetime
import json

import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Failure, OptionError, Refused
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret, fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover import evidence
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_file import FileLedger
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import HttpSettings
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.modules import profiles_info, segment_test_event
from support.conversation import START, FakeClock
from support.environment import checked

ACCOUNT, SOURCE, OTHER, SPACE = "AC" + "1" * 32, "source1", "source2", "spa_1"
WRITE_KEY, PROFILE_TOKEN = "write-key-that-nobody-may-see-00", "profile-token-that-nobody-may-see"
KEY = fingerprint(WRITE_KEY)
USER = "flexops-unified-profiles-test-event"
EVENT = "Flex - Engagement Initiated"


def before(**ago) -> str:
    return (START - datetime.timedelta(**ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


# With a day: so two reads of one look are one request, whatever second it is.
AUDIT_BEGINS = before(days=89)[:10] + "T00:00:00Z"


class Services:
    """The vendors' servers: answers by method and path, and every request in the order it came."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.requests: list[httpx.Request] = []
        self.answers: dict[str, object] = {
            "GET /v1/Alerts": {"alerts": [], "meta": {"next_page_url": None}},
            "GET /events/volume": {"data": {"result": []}},
            f"GET /spaces/{SPACE}/events": {"data": {"events": []}},
            "GET /audit-events": {"data": {"events": []}},
            "GET /sources": {"data": {"sources": [self.source()]}},
            f"GET /sources/{SOURCE}": {"data": {"source": self.source()}},
            "POST /v1/identify": {"success": True},
        }

    @staticmethod
    def source(id_=SOURCE, keys=(WRITE_KEY,)):
        return {"id": id_, "slug": id_, "name": id_, "enabled": True, "writeKeys": list(keys), "metadata": {}}

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.get(f"{request.method} {request.url.path}", httpx.Response(404, json={}))
        answer = answer(request) if callable(answer) else answer
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def call(self, module, check_mode=False, **options) -> ModuleContext:
        options = {"segment_token": "sgp_x", "twilio_account_sid": ACCOUNT, "twilio_auth_token": "t" * 32, **options}
        transport = Transport(
            HttpSettings(retry_budget=1.0),
            read_only=check_mode,
            clock=self.clock,
            http_transport=httpx.MockTransport(self.answer),
        )
        return ModuleContext(checked(module, options), check_mode, transport)

    @property
    def paths(self) -> list[str]:
        return sorted(f"{r.url.path} {r.url.params.get('granularity', '')}".strip() for r in self.requests)


@pytest.fixture
def services():
    return Services()


@pytest.fixture
def judged(services, tmp_path):
    """Judges an environment whose three steps were handed over at a time."""

    def evaluate(at=None, steps=("connection", "link", "key"), **options):
        subjects = {
            "connection": {"space_id": SPACE},
            "link": {"source_id": SOURCE, "space_id": SPACE},
            "key": {"source_id": SOURCE, "key_fingerprint": KEY},
        }
        said = {"channel": "operator", "digest": "0" * 12, "how": "attested", "by": "jane", "at": at, "keys": [KEY]}
        done = {step: {"done": {"subject": subjects[step], **said}} for step in steps}
        ledger = FileLedger(tmp_path, "dev")
        ledger.path.parent.mkdir(exist_ok=True)
        ledger.path.write_text(json.dumps({"format": 2, "environment": "dev", "steps": done}))
        known = {"environment": "dev", "state_dir": str(tmp_path), "space_id": SPACE}
        known |= {"source_id": SOURCE, "key_fingerprints": [KEY]}
        return profiles_info.run(services.call(profiles_info, **{**known, **options}))

    evaluate.folder = tmp_path
    return evaluate


def test_what_an_earlier_look_saw_proven_is_told_in_silence(services, judged):
    """The ledger was written before; silence itself is neither suspicion nor proof."""
    at, proven, event = before(days=20), before(days=9), before(days=8)
    seen = {"proofs": {"key": {"at": proven, "reason": "Flex wrote 3 engagements", "last_event": event}}}
    judged(at)
    call = services.call(
        profiles_info,
        **{"environment": "dev", "state_dir": str(judged.folder), "space_id": SPACE},
        **{"source_id": SOURCE, "key_fingerprints": [KEY]},
    )
    said = evidence.evaluate(call, seen=seen)
    key = said["steps"]["key"]
    assert (key["verdict"], key["proven_at"], key["last_event"]) == ("attested", proven, event)
    assert f"last proven at {proven}: Flex wrote 3 engagements" in key["reason"]
    assert said["suspicions"] == []
    assert "last proven" not in evidence.evaluate(call)["steps"]["key"]["reason"]


def told(result):
    return [result["steps"][step]["verdict"] for step in ("connection", "link", "key")]


ALERTS, MINUTES, HOURS, DAYS, EVENTS, AUDIT = (
    "/v1/Alerts",
    "/events/volume MINUTE",
    "/events/volume HOUR",
    "/events/volume DAY",
    f"/spaces/{SPACE}/events",
    "/audit-events",
)


# No more is read than what can change a verdict


def test_nothing_is_read_where_nothing_is_recorded(services, judged):
    assert told(judged(steps=())) == ["unknown"] * 3
    assert services.paths == []


def test_only_alerts_are_read_where_endpoints_read_back(services, judged):
    read_back = {"connection": True, "link": True, "key": True}
    assert told(judged(before(days=2), read_back=read_back)) == ["proven"] * 3
    assert services.paths == [ALERTS]


def test_no_events_are_read_in_the_first_minutes(services, judged):
    assert told(judged(before(seconds=110))) == ["attested"] * 3
    assert services.paths == sorted([ALERTS, AUDIT])


def test_without_evidence_nothing_is_read(services, judged):
    assert told(judged(before(hours=1), read_evidence=False)) == ["attested"] * 3
    assert services.paths == []


@pytest.mark.parametrize("keys", [[], [KEY, "bbbbbbbbbbbb"]])
def test_the_same_is_read_for_a_key_that_no_event_can_prove(services, judged, keys):
    """Events may still speak against it."""
    judged(before(hours=1), key_fingerprints=keys)
    assert services.paths == sorted([ALERTS, MINUTES, DAYS, EVENTS, AUDIT])


def test_the_space_is_read_for_a_link_that_the_test_event_proves_to_learn_of_the_connection(services, judged):
    bird = {"status": "arrived", "source_id": SOURCE, "space_id": SPACE, "sent_at": before(minutes=1)}
    assert told(judged(before(hours=1), sent_test_event=bird)) == ["attested", "proven", "attested"]
    assert services.paths == sorted([ALERTS, MINUTES, DAYS, EVENTS, AUDIT])
    assert told(judged(before(hours=1), sent_test_event={**bird, "space_id": "spa_2"}))[1] == "attested"


def test_a_young_hand_over_is_looked_at_by_the_minute(services, judged):
    judged(before(hours=23))
    assert services.paths == sorted([ALERTS, MINUTES, DAYS, EVENTS, AUDIT])
    windows = {
        r.url.params["granularity"]: dict(r.url.params) for r in services.requests if "granularity" in r.url.params
    }
    assert (windows["MINUTE"]["startTime"], windows["MINUTE"]["endTime"]) == (before(hours=23), before(minutes=1))
    # A replay may bring a month of another source's events into the space.
    assert windows["DAY"]["startTime"] == before(hours=23, days=35)
    (audit,) = [r for r in services.requests if r.url.path == "/audit-events"]
    # How Segment spells the type of a resource is not known, so it is not asked for.
    assert dict(audit.url.params) == {"startTime": AUDIT_BEGINS, "pagination.count": "200"}


def test_an_old_hand_over_is_still_proven_by_what_happens_every_week(services, judged):
    def volume(request):
        row = {"eventName": EVENT, "source": {"id": SOURCE}, "total": 4}
        return {"data": {"result": [{**row, "series": [{"time": before(hours=16), "count": 4}]}]}}

    services.answers["GET /events/volume"] = volume
    services.answers[f"GET /spaces/{SPACE}/events"] = {
        "data": {"events": [{"name": EVENT, "lastSeenAt": before(hours=15)}]}
    }
    result = judged(before(days=200))
    assert told(result) == ["proven"] * 3
    assert result["steps"]["key"]["reason"].startswith(
        f"Flex wrote 4 engagements through the only key since {before(days=7)}; the audit trail shows nothing"
    )
    windows = {
        r.url.params["granularity"]: dict(r.url.params) for r in services.requests if "granularity" in r.url.params
    }
    assert (windows["HOUR"]["startTime"], windows["DAY"]["startTime"]) == (before(days=7), before(days=42))
    (audit,) = [r for r in services.requests if r.url.path == "/audit-events"]
    assert audit.url.params["startTime"] == AUDIT_BEGINS


def test_sources_are_listed_only_to_see_whether_another_sender_is_gone(services, judged):
    def volume(request):
        senders = [SOURCE, OTHER] if request.url.params["granularity"] == "DAY" else [SOURCE]
        series = [{"time": before(minutes=30), "count": 1}]
        return {"data": {"result": [{"eventName": EVENT, "source": s, "total": 1, "series": series} for s in senders]}}

    services.answers["GET /events/volume"] = volume
    services.answers[f"GET /spaces/{SPACE}/events"] = {
        "data": {"events": [{"name": EVENT, "lastSeenAt": before(minutes=9)}]}
    }
    assert told(judged(before(hours=1))) == ["proven"] * 3
    assert "/sources" in services.paths
    there = [services.source(), services.source(OTHER)]
    services.answers["GET /sources"] = {"data": {"sources": there}}
    assert told(judged(before(hours=1)))[1] == "attested"
    services.answers["GET /sources"] = httpx.Response(403, json={})
    result = judged(before(hours=1))
    assert told(result)[1] == "attested"
    assert any("GET /sources" in problem for problem in result["unread"])


def test_the_hour_of_an_old_hand_over_is_read_by_the_minute(services, judged):
    """A count of the whole hour could be of what came before."""

    def volume(request):
        at, series = request.url.params, []
        if at["granularity"] == "MINUTE":
            series = [
                {"time": before(hours=29, minutes=50), "count": 2},
                {"time": before(hours=30, minutes=20), "count": 9},
            ]
        elif at["granularity"] == "HOUR":
            series = [{"time": before(hours=31), "count": 11}, {"time": before(hours=30), "count": 2}]
        return {"data": {"result": [{"eventName": EVENT, "source": {"id": SOURCE}, "total": 1, "series": series}]}}

    services.answers["GET /events/volume"] = volume
    result = judged(before(hours=30, minutes=10))
    assert result["steps"]["key"]["verdict"] == "proven"
    assert "Flex wrote 4 engagements" in result["steps"]["key"]["reason"]
    minutes = [r.url.params for r in services.requests if r.url.params.get("granularity") == "MINUTE"]
    assert [(asked["startTime"], asked["endTime"]) for asked in minutes] == [(before(hours=31), before(hours=30))]


def test_the_first_hour_of_the_last_week_counts(services, judged):
    services.clock.elapsed = 1800.0

    def volume(request):
        series = [{"time": before(days=7), "count": 1}] if request.url.params["granularity"] == "HOUR" else []
        return {"data": {"result": [{"eventName": EVENT, "source": {"id": SOURCE}, "total": 1, "series": series}]}}

    services.answers["GET /events/volume"] = volume
    key = judged(before(days=20))["steps"]["key"]
    assert (key["verdict"], key["proven_at"]) == ("attested", before(days=7))
    assert f"last proven at {before(days=7)}" in key["reason"]


def test_the_hour_after_a_hand_over_at_the_end_of_an_hour_counts(services, judged):
    event = before(days=2, minutes=-2)

    def volume(request):
        query = request.url.params
        points = {"HOUR": [before(days=2)], "MINUTE": [event] if query["startTime"] <= event < query["endTime"] else []}
        series = [{"time": at, "count": 1} for at in points.get(query["granularity"], [])]
        return {"data": {"result": [{"eventName": EVENT, "source": {"id": SOURCE}, "total": 1, "series": series}]}}

    services.answers["GET /events/volume"] = volume
    key = judged(before(days=2, seconds=5))["steps"]["key"]
    assert (key["verdict"], key["proven_at"]) == ("proven", event), key["reason"]


def trail(services, *events, next_page=None):
    """What the audit trail has: type, the id of the resource, and how many minutes ago."""
    shown = [
        {
            **{"id": "1", "type": type_, "resourceId": id_, "resourceName": "s", "actor": "u", "actorEmail": "ann"},
            "timestamp": before(minutes=minutes),
        }
        for type_, id_, minutes in events
    ]
    answer = {"data": {"events": shown, "pagination": {"next": next_page}}}
    services.answers["GET /audit-events"] = answer
    return answer


CONNECTED = "Source Connected To Space"
ONE_SPACE = {"id": SPACE, "name": "one", "slug": "one"}


def test_events_in_the_space_are_not_read_where_the_audit_trail_shows_the_link(services, judged):
    """So the number of requests is the same."""
    trail(services, (CONNECTED, SOURCE, 90))
    services.answers["GET /spaces"] = {"data": {"spaces": [ONE_SPACE]}}
    assert told(judged(before(hours=1)))[1] == "proven"
    assert services.paths == sorted([ALERTS, MINUTES, DAYS, "/spaces", AUDIT])
    # What may be late says nothing, so events are looked at.
    services.requests.clear()
    trail(services, ("Source Disconnected From Space", SOURCE, 90))
    assert told(judged(before(hours=1)))[1] == "attested"
    assert services.paths == sorted([ALERTS, MINUTES, DAYS, "/spaces", EVENTS, AUDIT])


def test_of_a_long_audit_trail_only_what_affects_the_source_is_read(services, judged):
    whole = trail(services, *[("Label Created", "k:v", 5)] * 200, next_page="Mw==")
    own = trail(services, (CONNECTED, SOURCE, 90))
    services.answers["GET /audit-events"] = lambda request: own if "resourceId" in request.url.params else whole
    services.answers["GET /spaces"] = {"data": {"spaces": [ONE_SPACE]}}
    assert told(judged(before(hours=1)))[1] == "proven"
    asked = [dict(r.url.params) for r in services.requests if r.url.path == AUDIT]
    first = {"startTime": AUDIT_BEGINS, "pagination.count": "200"}
    assert asked == [first, {**first, "resourceId": SOURCE}]


def test_an_audit_trail_that_is_too_long_does_not_tell(services, judged):
    trail(services, (CONNECTED, SOURCE, 90), next_page="Mw==")
    result = judged(before(hours=1))
    assert (told(result)[1], services.paths.count(AUDIT)) == ("attested", 21)
    assert any("audit trail" in problem and "not read in whole" in problem for problem in result["unread"])


@pytest.mark.parametrize("type_", [CONNECTED, "Source Disconnected From Space"])
def test_an_event_about_the_space_alone_is_a_hint(services, judged, type_):
    services.answers["GET /spaces"] = {"data": {"spaces": [ONE_SPACE]}}
    trail(services, (type_, SPACE, 30), (type_, OTHER, 20), ("Space Modified", SPACE, 10))
    result = judged(before(hours=20))
    assert told(result)[1] == "attested"
    said = (
        f"the audit trail has {type_} by ann at {before(minutes=30)} for this space, and does not say of which source"
    )
    assert said in result["steps"]["link"]["reason"]
    assert "/spaces" not in services.paths


def test_a_connection_in_the_audit_trail_counts_where_the_workspace_has_one_space(services, judged):
    trail(services, (CONNECTED, SOURCE, 30), (CONNECTED, SPACE, 30))
    one = ONE_SPACE
    services.answers["GET /spaces"] = {"data": {"spaces": [one]}}
    assert told(judged(before(seconds=30)))[1] == "proven"
    services.answers["GET /spaces"] = {"data": {"spaces": [one, {**one, "id": "spa_2"}]}}
    assert told(judged(before(seconds=30)))[1] == "attested"
    services.answers["GET /spaces"] = httpx.Response(403, json={})
    result = judged(before(seconds=30))
    assert told(result)[1] == "attested"
    assert any("GET /spaces" in problem for problem in result["unread"])


# What cannot be read


def test_what_cannot_be_read_is_told_and_proves_nothing(services, judged):
    for path in ("GET /v1/Alerts", "GET /events/volume", f"GET /spaces/{SPACE}/events", "GET /audit-events"):
        services.answers[path] = httpx.Response(403, json={"errors": [{"type": "forbidden", "message": "no"}]})
    result = judged(before(hours=1))
    assert told(result) == ["attested"] * 3
    assert len(result["unread"]) == 5
    assert all("HTTP 403" in problem for problem in result["unread"])


def test_missing_credentials_are_told(judged):
    result = judged(before(hours=1), twilio_account_sid=None, twilio_auth_token=None)
    assert "twilio_account_sid: is missing or empty." in result["unread"]


@pytest.mark.parametrize("days", [0, -1])
def test_a_proof_that_may_not_have_any_age_is_refused(judged, days):
    with pytest.raises(OptionError, match="proof_max_age: is not a number of days above 0"):
        judged(before(hours=1), proof_max_age=days)


# Alerts


def alert(at, code="49009"):
    return {"sid": "NO1", "error_code": code, "date_generated": at, "log_level": "error"}


def paged(services, *pages):
    """Monitor's listing in these pages; the URLs of the next ones name another host, as a proxy would see them."""

    def answer(request):
        n = int(request.url.params.get("Page", 0))
        more = f"https://elsewhere.test/v1/Alerts?Page={n + 1}&PageToken=PA{n + 1}&StartDate=x"
        return {"alerts": pages[n], "meta": {"next_page_url": more if n + 1 < len(pages) else None}}

    services.answers["GET /v1/Alerts"] = answer


def test_an_alert_behind_many_others_is_found(services, judged):
    noise = [alert(before(minutes=1), "11200")] * 300
    paged(services, noise, [], [*noise, alert(before(minutes=30))])
    assert told(judged(before(hours=1))) == ["broken", "attested", "attested"]
    asked = [r for r in services.requests if r.url.path == "/v1/Alerts"]
    assert {r.url.host for r in asked} == {"monitor.twilio.com"}
    assert dict(asked[0].url.params) == {"LogLevel": "error", "StartDate": before(hours=1), "PageSize": "1000"}
    assert asked[2].url.params["PageToken"] == "PA2"


def test_alerts_are_followed_within_a_limit(services, judged):
    paged(services, *[[alert(before(minutes=1), "11200")] * 1000] * 20, [alert(before(minutes=30))])
    assert told(judged(before(hours=1)))[0] == "attested"
    assert services.paths.count(ALERTS) == 10


def test_alerts_older_than_the_hand_over_do_not_count(services, judged):
    paged(services, [alert(before(hours=2)), alert(before(minutes=30)), alert(None), {"error_code": None}, "odd"])
    assert told(judged(before(minutes=20)))[0] == "attested"
    assert told(judged(before(hours=1)))[0] == "broken"


@pytest.fixture
def again(services, tmp_path, judged):
    """Judges once more, with the ledger as the last look left it."""

    def evaluate(**options):
        known = {"environment": "dev", "state_dir": str(tmp_path), "space_id": SPACE}
        known |= {"source_id": SOURCE, "key_fingerprints": [KEY]}
        check_mode = options.pop("check_mode", False)
        return profiles_info.run(services.call(profiles_info, check_mode, **{**known, **options}))

    return evaluate


def test_an_alert_is_acknowledged_once_and_those_before_it_with_it(services, judged, again, tmp_path):
    paged(services, [alert(before(minutes=30)), alert(before(minutes=40), "49008")])
    (card,) = judged(before(hours=1))["cards"]
    assert (card["step"], card["digest"]) == ("connection", "")
    given = {"acknowledge": ["another", card["acknowledge"]], "confirmed_by": "jane", "reason": "pasted again"}
    assert f"unified_profiles_acknowledge={card['acknowledge']}" in str(card["warnings"])
    assert "-e unified_profiles_confirmed_by=NAME" in str(card["warnings"])
    for nobody in ("", " ", "NAME"):
        with pytest.raises(OptionError, match="confirmed_by: is empty, or still as the task card has it"):
            again(acknowledge=[card["acknowledge"]], confirmed_by=nobody)
    assert told(again(**given, check_mode=True))[0] == "attested"
    assert told(again())[0] == "broken"
    first = again(**given)
    assert (first["changed"], told(first)[0], first["cards"]) == (True, "attested", [])
    second = again(**given)
    assert (second["changed"], told(second)[0]) == (False, "attested")
    document = FileLedger(tmp_path, "dev").read()
    assert [(said["by"], said["why"]) for said in document.acknowledged] == [("jane", "pasted again")]
    assert [(entry["what"], entry["by"], entry["step"]) for entry in document.history] == [
        ("acknowledged", "jane", "connection")
    ]
    # A later one counts.
    paged(services, [alert(before(minutes=30)), alert(before(minutes=5))])
    assert told(again())[0] == "broken"


def test_a_broken_connection_has_a_card_that_says_where_and_how_to_go_on(services, judged):
    paged(services, [alert(before(minutes=30))])
    (card,) = judged(before(hours=1))["cards"]
    assert card["where"] == [f"Twilio account {ACCOUNT}", "Segment region us", f"space {SPACE}"]
    assert "alert 49009" in card["warnings"][0]
    assert card["confirm_command"].endswith(f"-e unified_profiles_handover_again={'0' * 12}")


def test_alerts_are_asked_for_no_further_back_than_monitor_keeps_them(services, judged):
    judged(before(days=200))
    (asked,) = [r for r in services.requests if r.url.path == "/v1/Alerts"]
    assert asked.url.params["StartDate"] == before(days=29)


# The connector: an undocumented read


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, json={"code": 20404}),
        httpx.Response(401, json={"code": 20003}),
        httpx.Response(200, text="<html>"),
        {"something": "else"},
        {"configuration_id": None},
        httpx.ConnectError("no route"),
    ],
)
def test_any_failure_of_the_connector_read_means_unknown(services, judged, answer):
    services.answers[f"GET /ProfileConnector/Instances/{ACCOUNT}"] = answer
    result = judged(before(seconds=30), read_connector=True)
    assert (result["connector"], len(result["unread"])) == (None, 1)
    assert told(result) == ["attested"] * 3


def test_a_connector_is_told_and_proves_nothing(services, judged):
    services.answers[f"GET /ProfileConnector/Instances/{ACCOUNT}"] = {"configuration_id": "PD1"}
    result = judged(before(seconds=30), read_connector=True)
    assert (result["connector"], result["unread"]) == (True, [])
    assert told(result) == ["attested"] * 3
    assert "an undocumented read shows a connector" in result["steps"]["connection"]["reason"]
    judged(before(seconds=30))
    assert services.paths.count(f"/ProfileConnector/Instances/{ACCOUNT}") == 1


# The canary

METADATA = f"GET /v1/spaces/{SPACE}/collections/users/profiles/user_id:{USER}/metadata"
ABSENT = httpx.Response(404, json={"error": {"code": "not_found", "message": "Profile was not found."}})


@pytest.fixture
def fly(services):
    def send(check_mode=False, **options):
        known = {"space_id": SPACE, "profile_token": PROFILE_TOKEN, "source_id": SOURCE, "test_event": True}
        call = services.call(segment_test_event, check_mode, **{**known, "test_event_timeout": 20.0, **options})
        result = segment_test_event.run(call)
        assert WRITE_KEY not in str(result)
        return result["test_event"]

    return send


def sent(services):
    return [r for r in services.requests if r.method == "POST"]


def metadata(services, source=SOURCE, after=0, name="last"):
    """The profile shows the message that was sent, after so many looks."""
    looks = []

    def answer(request):
        looks.append(request)
        if len(looks) <= after:
            return ABSENT
        message = json.loads(sent(services)[0].content)["messageId"]
        return {"metadata": {f"{name}_message_id": message, f"{name}_source_id": source}}

    services.answers[METADATA] = answer


@pytest.mark.parametrize("name", ["last", "first"])
def test_a_canary_arrives(services, fly, name):
    metadata(services, after=3, name=name)
    bird = fly()
    assert (bird["status"], bird["seen_source_id"], bird["sent_at"]) == ("arrived", SOURCE, before(seconds=0))
    (request,) = sent(services)
    assert request.url == "https://api.segment.io/v1/identify"
    assert base64.b64decode(request.headers["authorization"].removeprefix("Basic ")) == f"{WRITE_KEY}:".encode()
    body = json.loads(request.content)
    assert (body["userId"], body["messageId"]) == (USER, bird["message_id"])
    assert USER == USER.lower()


def test_two_canaries_never_have_the_same_message_id(services, fly):
    services.answers[METADATA] = ABSENT
    assert fly(test_event_timeout=0.0)["message_id"] != fly(test_event_timeout=0.0)["message_id"]


def test_a_canary_that_comes_back_with_another_source_id_has_not_arrived(services, fly):
    metadata(services, source=OTHER)
    bird = fly()
    assert (bird["status"], bird["seen_source_id"]) == ("other_source", OTHER)


def test_another_message_of_the_same_user_is_not_the_canary(services, fly):
    earlier = {"metadata": {"last_message_id": "canary-of-yesterday", "last_source_id": SOURCE}}
    services.answers[METADATA] = earlier
    bird = fly()
    assert bird["status"] == "not_seen"
    assert "within 20 s: look at Unify" in bird["reason"]
    assert sum(services.clock.slept) == pytest.approx(20)


def test_a_canary_whose_outcome_is_unknown_is_looked_for_and_not_sent_again(services, fly):
    metadata(services)
    services.answers["POST /v1/identify"] = httpx.ReadTimeout("gone")
    assert fly()["status"] == "arrived"
    services.answers[METADATA] = ABSENT
    assert "whether Segment received it is not known" in fly()["reason"]
    assert len(sent(services)) == 2


def test_a_canary_that_cannot_be_looked_for_is_unknown(services, fly):
    services.answers[METADATA] = httpx.Response(401, json={"error": {"code": "authentication_error", "message": "no"}})
    bird = fly()
    assert bird["status"] == "unknown"
    assert "HTTP 401" in bird["reason"]


def test_a_refused_canary_is_a_failure(services, fly):
    services.answers["POST /v1/identify"] = httpx.Response(400, json={})
    with pytest.raises(Failure, match="HTTP 400"):
        fly()


def test_no_canary_in_check_mode(services, fly):
    bird = fly(check_mode=True)
    assert (bird["status"], "message_id" in bird) == ("not_sent", False)
    assert sent(services) == []


@pytest.mark.parametrize("consent", [{}, {"test_event": False}])
def test_no_canary_without_consent(services, fly, consent):
    with pytest.raises(OptionError, match="creates a real profile"):
        fly(**{"test_event": None, **consent})
    assert services.requests == []


@pytest.mark.parametrize(
    "user", ["", "short", "Upper-Case-User", "with space in it", "jane@example.com", "a/b/c/d/e/f"]
)
def test_a_reserved_user_that_cannot_be_used(services, fly, user):
    with pytest.raises(OptionError, match="user_id"):
        fly(user_id=user)
    assert services.requests == []


def test_no_canary_through_a_source_whose_keys_cannot_be_seen(services, fly):
    services.answers[f"GET /sources/{SOURCE}"] = {"data": {"source": services.source(keys=())}}
    with pytest.raises(Refused, match="cannot be seen"):
        fly()
    assert sent(services) == []


def test_canary_in_the_eu(services, fly):
    call = services.call(segment_test_event, segment_region="eu", space_id=SPACE, source_id=SOURCE)
    assert call.tracking_api(Secret(WRITE_KEY)).service.base_url == "https://events.eu1.segmentapis.com"
