# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of what is assumed: what answers say of each row, and that no value of an answer is repeated."""

from __future__ import annotations

import copy
import datetime
import json

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks import judges as on
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.assumptions import (
    ASSUMPTIONS,
    CODE,
    DOCUMENTED,
    INFERRED,
    NOWHERE,
    VERDICTS,
    judge_all,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.judges import (
    CONTRADICTED,
    NOT_LOOKED_AT,
    NOT_VISIBLE,
    SEEN,
    Observed,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.probe import MORE
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients.services import (
    SEGMENT_PROFILE,
    SEGMENT_PUBLIC,
    TWILIO_CONNECTOR,
    TWILIO_FLEX,
    TWILIO_MONITOR,
    TWILIO_SYNC,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients.source import DEFAULT_NAME
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients.twilio_sync import DOCUMENT
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.response import Exchange

NOW = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.timezone.utc)
ID, OTHER_ID, SPACE = "5BKZVyYHdt1D7ZrtHyNR7W", "6BKZVyYHdt1D7ZrtHyNR7W", "spa_4fGh7kLmNpQrStUvWxYz12"
JSON = {"content-type": "application/json; charset=utf-8"}
JAVA = {"id": "V6ynUvQgbc", "slug": "java", "name": "Java", "status": "PUBLIC"}
SOURCE = {"id": ID, "slug": "twilio_unified_profiles", "name": DEFAULT_NAME, "workspaceId": "w", "enabled": True}
SOURCE |= {"writeKeys": ["k" * 32], "metadata": JAVA, "settings": {}, "labels": []}
EVENT = {"id": "e", "timestamp": "2026-11-01T00:00:00.000Z", "type": "Source Created", "actor": "user"}
EVENT |= {"resourceId": ID, "resourceType": "source", "resourceName": "n"}
FLEX_EVENT = "Flex - Engagement Completed"
PROFILE = "/v1/spaces/{space}/collections/users/profiles/{profile}/metadata"


def exchange(service, path, body, status=200, headers=None):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange(service.name, path, status, headers or JSON, content)


def public(path, body, status=200, **headers):
    return exchange(
        SEGMENT_PUBLIC, path, body, status, {**JSON, **{k.replace("_", "-"): v for k, v in headers.items()}}
    )


def sources(*changes):
    return public("/sources", {"data": {"sources": [{**SOURCE, **change} for change in changes or ({},)]}})


def trail(*changes):
    return public(on.AUDIT, {"data": {"events": [{**EVENT, **change} for change in changes]}})


def counted(*series, granularity="DAY", source=ID, total=1):
    row = {"eventName": FLEX_EVENT, "source": {"id": source}, "total": total}
    row["series"] = [{"time": time, "count": count} for time, count in series]
    return public(on.VOLUME, {"data": {"path": "p", "query": {"granularity": granularity}, "result": [row]}})


def in_space(at):
    return public(on.SPACE_EVENTS, {"data": {"events": [{"name": FLEX_EVENT, "type": "TRACK", "lastSeenAt": at}]}})


def kept(warehouses=(), destinations=()):
    found = public(on.DESTINATIONS, {"data": {"destinations": [{"enabled": enabled} for enabled in destinations]}})
    return found, public(on.WAREHOUSES, {"data": {"warehouses": [{} for _warehouse in warehouses]}})


def limited(milliseconds=None, **headers):
    data = {} if milliseconds is None else {"data": {"msBeforeNext": milliseconds}}
    return public("/", {"errors": [{"type": "RequestError", "message": "m", **data}]}, 429, **headers)


def profile(status, code="not_found", message="Profile was not found."):
    body = {"error": {"code": code, "message": message}}
    return exchange(SEGMENT_PROFILE, PROFILE, body, status, {**JSON, "request-id": "r"})


def configuration(**fields):
    body = {"account_sid": "AC1", "status": "ok", "ui_version": "2.17.0", **fields}
    return exchange(TWILIO_FLEX, "/v1/Configuration", body)


def twilio(service, path, status, code=20404):
    return exchange(service, path, {"code": code, "message": "m", "more_info": "u", "status": status}, status)


CONNECTED = {"type": "Source Connected To Space"}
DISABLED = {"type": "Source Disabled", "actor": "Segment"}
LONG_AGO = {"timestamp": "2026-10-01T00:00:00.000Z"}
MISSING = public("/sources/{source}", {"errors": [{"type": "not-found", "message": "m"}]}, 404)
MISSING_AS_DOCUMENTED = public("/sources/{source}", {"errors": [{"type": "NotFound"}]}, 404)
# What is answered in a survey; the assumption; what that says of it, and the detail. Then the same for one of the reads beyond it.
CASES = [
    ([public("/", {})], "segment_token", SEEN, ""),
    ([sources()], "public_media_type", SEEN, "application/json"),
    (
        [public("/", {}, content_type="application/vnd.segment.v1alpha+json")],
        "public_media_type",
        SEEN,
        "application/vnd.segment.v1alpha+json",
    ),
    ([public("/", b"<p>", content_type="text/html")], "public_media_type", CONTRADICTED, "text/html"),
    ([public("/", b"<p>", content_type="secret/words")], "public_media_type", CONTRADICTED, "another one"),
    ([public("/", b"<p>", 502, content_type="text/html")], "public_media_type", NOT_VISIBLE, "no answer"),
    ([MISSING], "public_errors", SEEN, "HTTP 404"),
    ([public("/", {"error": "secret"}, 404)], "public_errors", CONTRADICTED, "null in place of an object"),
    ([MISSING], "not_found_type", SEEN, "not-found"),
    ([MISSING_AS_DOCUMENTED], "not_found_type", CONTRADICTED, "NotFound"),
    ([public("/x", {"errors": [{"type": "secret"}]}, 404)], "not_found_type", CONTRADICTED, "another type"),
    ([public("/", {}), public(on.AUDIT, {}, 403)], "lacks_permission", SEEN, "HTTP 403 to GET /audit-events"),
    ([public("/", {}), public(on.AUDIT, {}, 401)], "lacks_permission", CONTRADICTED, "HTTP 401 to GET /audit-events"),
    (
        [public("/", {}, 401), public("/sources", {}, 401)],
        "lacks_permission",
        NOT_VISIBLE,
        "the token was refused as a whole",
    ),
    ([public("/", {}, date="Thu, 26 Nov 2026 12:00:00 GMT")], "public_date", SEEN, ""),
    ([public("/", {})], "public_date", CONTRADICTED, "missing"),
    ([public("/", {}, x_ratelimit_remaining="199")], "limit_remaining", SEEN, ""),
    ([public("/", {}, x_ratelimit_remaining="secret")], "limit_remaining", CONTRADICTED, "of another form"),
    ([public("/", {}, x_ratelimit_reset="Thu, 26 Nov 2026 12:00:00 GMT")], "limit_reset", SEEN, ""),
    ([public("/", {}, x_ratelimit_reset="60")], "limit_reset", CONTRADICTED, "of another form"),
    ([limited(57647)], "limit_wait", SEEN, ""),
    ([limited(57647)], "limit_alone", SEEN, ""),
    ([limited(retry_after="58")], "limit_wait", SEEN, ""),
    (
        [limited(retry_after="58")],
        "limit_alone",
        NOT_VISIBLE,
        "a 429 without msBeforeNext, as the limit of a token may have it",
    ),
    ([limited(57647, retry_after="58")], "limit_alone", CONTRADICTED, "Retry-After and msBeforeNext together"),
    (
        [limited(retry_after="Thu, 26 Nov 2026 12:00:00 GMT")],
        "limit_wait",
        CONTRADICTED,
        "Retry-After is no whole number",
    ),
    ([limited()], "limit_wait", CONTRADICTED, "neither Retry-After nor msBeforeNext"),
    ([public("/spaces/{space}", {"data": {"space": {"id": "i", "slug": "s", "name": "n"}}})], "space_fields", SEEN, ""),
    (
        [public("/spaces/{space}", {"data": {"space": {"id": 1, "slug": "s"}}})],
        "space_fields",
        CONTRADICTED,
        "id is a number, name is missing",
    ),
    (
        [public("/spaces/{space}", {"data": {"space": {"id": "i", "slug": "s", "name": "n", "x": 1}}})],
        "space_fields",
        CONTRADICTED,
        "there are more fields",
    ),
    ([public("/spaces/{space}", {})], "space_id", SEEN, ""),
    ([public("/spaces", {"data": {"spaces": [{"id": "i", "slug": "s", "name": "n"}]}})], "spaces", SEEN, "HTTP 200"),
    ([public("/spaces", {}, 404)], "spaces", CONTRADICTED, "HTTP 404"),
    ([sources()], "source_fields", SEEN, ""),
    (
        [sources({"enabled": "true", "writeKeys": None})],
        "source_fields",
        CONTRADICTED,
        "enabled is a string, writeKeys is null",
    ),
    ([sources()], "source_metadata", SEEN, ""),
    (
        [sources({"metadata": {"id": "i", "slug": "s", "name": "n"}})],
        "source_metadata",
        CONTRADICTED,
        "status is missing",
    ),
    ([sources()], "source_id", SEEN, ""),
    ([sources({"id": "0b7f1c52-8d9e-4a53-9b1e-5f4f3a2b1c0d"})], "source_id", CONTRADICTED, "an id of another form"),
    ([sources()], "write_keys", SEEN, ""),
    (
        [sources({"writeKeys": []})],
        "write_keys",
        NOT_VISIBLE,
        "no source shows a key, as where the token lacks Source Admin",
    ),
    (
        [sources({"writeKeys": ["k" * 32]}, {"writeKeys": ["****"]})],
        "write_keys",
        CONTRADICTED,
        "a key of another form",
    ),
    ([sources()], "java", SEEN, ""),
    ([sources({"metadata": {**JAVA, "id": "other"}})], "java", CONTRADICTED, "another id"),
    ([sources({"name": "other"})], "java", NOT_VISIBLE, "no source of the name"),
    ([sources()], "slug", SEEN, "with underscores"),
    ([sources({"slug": DEFAULT_NAME})], "slug", SEEN, "as the name"),
    ([sources({"slug": "secret"})], "slug", CONTRADICTED, "another slug"),
    ([trail({})], "audit_fields", SEEN, ""),
    ([trail({"timestamp": 1})], "audit_fields", CONTRADICTED, "timestamp is a number"),
    ([trail({}, {"type": "User Invited"})], "audit_types", SEEN, "Source Created"),
    ([trail({"type": "source_created"})], "audit_types", CONTRADICTED, "a type in another spelling"),
    ([trail({"type": "User Invited"})], "audit_types", NOT_VISIBLE, "no event about a source or a space"),
    ([trail({"resourceType": "SOURCE"})], "audit_resource_type", CONTRADICTED, "not in lower case"),
    ([sources(), trail(CONNECTED)], "audit_connected", SEEN, ""),
    ([sources(), trail({**CONNECTED, "resourceId": SPACE})], "audit_connected", CONTRADICTED, "the id of the space"),
    ([sources(), trail({**CONNECTED, "resourceId": OTHER_ID})], "audit_connected", NOT_VISIBLE, "no such event"),
    ([sources(), *kept(), trail(CONNECTED, {**DISABLED})], "space_keeps_nothing", SEEN, "Segment disabled it"),
    (
        [sources(), *kept(), trail(CONNECTED, LONG_AGO)],
        "space_keeps_nothing",
        CONTRADICTED,
        "enabled for more than 21 days",
    ),
    (
        [sources(), *kept(), trail(LONG_AGO)],
        "space_keeps_nothing",
        NOT_VISIBLE,
        "the audit trail does not show that the source was connected to a space",
    ),
    (
        [sources(), *kept(), trail(CONNECTED, {"timestamp": "2026-11-20T00:00:00.000Z"})],
        "space_keeps_nothing",
        NOT_VISIBLE,
        "the source was not enabled for long enough, or nobody knows since when",
    ),
    ([sources(), *kept([1]), trail(LONG_AGO)], "space_keeps_nothing", NOT_VISIBLE, "the source has a warehouse"),
    ([sources(), *kept([1]), trail(LONG_AGO)], "warehouse_keeps", SEEN, "enabled for more than 21 days"),
    ([sources(), *kept([1]), trail(DISABLED)], "warehouse_keeps", CONTRADICTED, "Segment disabled it"),
    (
        [sources(), *kept([1], [False, True]), trail(LONG_AGO)],
        "warehouse_keeps",
        NOT_VISIBLE,
        "a destination keeps the source",
    ),
    ([counted()], "volume_fields", SEEN, ""),
    ([public(on.VOLUME, {"data": {"result": []}})], "volume_fields", CONTRADICTED, "path is missing, query is missing"),
    ([counted()], "volume_rows", SEEN, ""),
    (
        [public(on.VOLUME, {"data": {"result": [{"source": "secret", "total": 1, "series": []}]}})],
        "volume_rows",
        CONTRADICTED,
        "eventName is missing, source is a string",
    ),
    ([counted(("2026-11-25T00:00:00Z", 3))], "volume_integers", SEEN, ""),
    ([counted(("2026-11-25T00:00:00Z", 3.0))], "volume_integers", CONTRADICTED, "numbers with a decimal point"),
    ([sources(), counted()], "volume_source_id", SEEN, ""),
    (
        [sources(), counted(source="short")],
        "volume_source_id",
        CONTRADICTED,
        "no id is that of a source, and their lengths differ",
    ),
    (
        [sources(), counted(source=OTHER_ID)],
        "volume_source_id",
        NOT_VISIBLE,
        "none of the sources that are named there is listed any more",
    ),
    ([counted()], "flex_events", SEEN, "1 of 2 names"),
    ([in_space("2026-11-25T10:00:00Z")], "space_events", SEEN, ""),
    ([in_space(None)], "space_events", CONTRADICTED, "lastSeenAt is null"),
    (
        [
            in_space("2026-11-20T10:00:00Z"),
            counted(("2026-11-20T00:00:00Z", 1)),
            trail({**CONNECTED, "timestamp": "2026-11-23T00:00:00Z"}),
        ],
        "replay_dates",
        SEEN,
        "",
    ),
    (
        [in_space("2026-11-23T00:00:00Z"), counted(("2026-11-20T00:00:00Z", 1))],
        "replay_dates",
        CONTRADICTED,
        "later than any event that was counted",
    ),
    (
        [in_space("2026-11-20T10:00:00Z"), counted(("2026-11-20T00:00:00Z", 1))],
        "replay_dates",
        NOT_VISIBLE,
        "nothing was replayed",
    ),
    ([profile(404)], "profile_media_type", SEEN, "application/json"),
    ([profile(404)], "pair", SEEN, "HTTP 404"),
    (
        [profile(404, message="The resource was not found.")],
        "pair",
        CONTRADICTED,
        "HTTP 404, which is not about the profile",
    ),
    ([profile(401, "authentication_error")], "pair", NOT_VISIBLE, "the pair was refused"),
    ([profile(404)], "profile_errors", SEEN, "HTTP 404"),
    ([profile(404), profile(401, "unauthorized")], "profile_codes", CONTRADICTED, "HTTP 401 unauthorized"),
    ([profile(401, "secret")], "profile_codes", CONTRADICTED, "HTTP 401 with another code"),
    (
        [profile(404), profile(401, "authentication_error")],
        "profile_codes",
        SEEN,
        "HTTP 401 authentication_error, HTTP 404 not_found",
    ),
    ([configuration()], "ui_version", SEEN, ""),
    ([configuration(ui_version=None)], "ui_version", CONTRADICTED, "null"),
    ([configuration(ui_version="~2.17")], "ui_version", CONTRADICTED, "a string that is no single version"),
    ([configuration(ui_version=2)], "ui_version", CONTRADICTED, "a number"),
    ([configuration()], "flex_fields", SEEN, ""),
    ([configuration()], "twilio_media_type", SEEN, "application/json"),
    ([configuration(status="secret")], "flex_fields", CONTRADICTED, "another status"),
    ([twilio(TWILIO_FLEX, "/v1/Configuration", 404, 45101)], "no_flex", SEEN, ""),
    ([twilio(TWILIO_FLEX, "/v1/Configuration", 404)], "no_flex", CONTRADICTED, "another code"),
    ([twilio(TWILIO_MONITOR, "/v1/Alerts", 400)], "twilio_errors", SEEN, "HTTP 400"),
    (
        [
            exchange(
                TWILIO_MONITOR, "/v1/Alerts", {"alerts": [{"sid": "NO1", "error_code": 49009, "date_generated": "d"}]}
            )
        ],
        "alert_fields",
        CONTRADICTED,
        "error_code is a number",
    ),
    ([exchange(TWILIO_CONNECTOR, "/p", {"configuration_id": "PD1"})], "connector", SEEN, "HTTP 200"),
    ([exchange(TWILIO_CONNECTOR, "/p", {"secret": "PD1"})], "connector", CONTRADICTED, "HTTP 200"),
    ([exchange(TWILIO_SYNC, DOCUMENT, {}, headers={**JSON, "etag": "1"})], "sync_etag", SEEN, ""),
    ([exchange(TWILIO_SYNC, DOCUMENT, {})], "sync_etag", CONTRADICTED, "missing"),
    ([twilio(TWILIO_SYNC, DOCUMENT, 404, 54300)], "sync_codes", SEEN, ""),
    ([twilio(TWILIO_SYNC, DOCUMENT, 404)], "sync_codes", CONTRADICTED, "another code"),
    ([in_space("2026-11-20T10:00:00Z")], "segment_eu", SEEN, "Flex events are in the space"),
    ([in_space("2026-11-20T10:00:00Z")], "twilio_regions", NOT_VISIBLE, "the environment is in the usual region"),
]
MORE_CASES = [
    (on.PLAIN_SPACE, public("/spaces/{space}", {}), "plain_json", SEEN, "HTTP 200"),
    (on.PLAIN_SPACE, public("/spaces/{space}", {}, 406), "plain_json", CONTRADICTED, "HTTP 406"),
    (on.PLAIN_SPACE, public("/spaces/{space}", {}, 503), "plain_json", NOT_VISIBLE, "no answer"),
    (on.OTHER_SPACE, profile(401, "authentication_error"), "foreign_space", SEEN, "HTTP 401"),
    (on.OTHER_SPACE, profile(403, "forbidden"), "foreign_space", CONTRADICTED, "HTTP 403"),
    (on.OLD_ALERTS, exchange(TWILIO_MONITOR, "/v1/Alerts", {"alerts": []}), "old_alerts", SEEN, "HTTP 200"),
    (on.OLD_ALERTS, twilio(TWILIO_MONITOR, "/v1/Alerts", 400, 20001), "old_alerts", CONTRADICTED, "HTTP 400"),
    (on.OF_TEST_EVENT, profile(404), "profile_source_id", NOT_VISIBLE, "no test event was ever sent"),
    (
        on.OF_TEST_EVENT,
        exchange(SEGMENT_PROFILE, PROFILE, {"metadata": {"last_source_id": ID}}),
        "profile_source_id",
        SEEN,
        "",
    ),
    (
        on.OF_TEST_EVENT,
        exchange(SEGMENT_PROFILE, PROFILE, {"metadata": {"last_source_id": "pqr"}}),
        "profile_source_id",
        CONTRADICTED,
        "no id is that of a source, and their lengths differ",
    ),
]
ROWS = {row.name: row for row in ASSUMPTIONS}


def observed(survey, more=None):
    known = {"source_name": DEFAULT_NAME, "space_id": SPACE, "segment_region": "eu", "segment_token": "sgp_" + "a" * 64}
    return Observed(survey, more or {}, now=NOW, **known)


@pytest.mark.parametrize(("survey", "name", "verdict", "detail"), CASES)
def test_an_answer_speaks_for_or_against_an_assumption(survey, name, verdict, detail):
    assert ROWS[name].judge(observed(survey)) == {"verdict": verdict, "detail": detail}


@pytest.mark.parametrize(("read", "answer", "name", "verdict", "detail"), MORE_CASES)
def test_a_read_beyond_a_survey_speaks_for_or_against_one(read, answer, name, verdict, detail):
    assert ROWS[name].judge(observed([sources()], {read: [answer]})) == {"verdict": verdict, "detail": detail}


def test_every_row_has_cases_or_can_never_be_seen():
    never = "limit_scope duplicate_slug conflict create_with_name key_event key_removal wrong_key wrong_region"
    never += " schema_name unseen_sync account_by_key audit_kept"
    assert {case[-3] for case in (*CASES, *MORE_CASES)} == ROWS.keys() - {*never.split()}
    assert len(ROWS) == len(ASSUMPTIONS)
    for row in ASSUMPTIONS:
        assert row.grade in (DOCUMENTED, CODE, INFERRED, NOWHERE)
        assert row.text.endswith(".")


def test_the_reads_are_those_that_the_table_names():
    assert {row.more for row in ASSUMPTIONS} - {""} == set(MORE)


def test_what_nobody_read_is_not_looked_at_and_what_no_read_shows_is_not_visible():
    without, with_more = judge_all(observed([]), False), judge_all(observed([]), True)
    assert {found["verdict"] for found in with_more.values()} == {NOT_VISIBLE}
    for name, found in without.items():
        more = ROWS[name].more
        assert (found["verdict"] == NOT_LOOKED_AT) == bool(more)
        assert not more or found["detail"] == more
    assert all(found["detail"] for found in (*without.values(), *with_more.values()))


MARK, NUMBER = "zq9", 987654321
ODD = [MARK, NUMBER, NUMBER + 0.5, None, [], [MARK], {MARK: MARK}]
# Whole answers, of which one part after the other is replaced.
WHOLE = [
    sources(),
    trail(CONNECTED),
    counted(("2026-11-25T00:00:00Z", 3)),
    in_space("2026-11-25T10:00:00Z"),
    *kept([1], [True]),
    MISSING,
    limited(57647),
    public("/spaces/{space}", {"data": {"space": {"id": "i", "slug": "s", "name": "n"}}}),
    public("/spaces", {"data": {"spaces": [{"id": "i", "slug": "s", "name": "n"}]}}),
    profile(401, "authentication_error"),
    exchange(SEGMENT_PROFILE, PROFILE, {"metadata": {"first_source_id": ID, "last_source_id": ID}}),
    configuration(),
    twilio(TWILIO_MONITOR, "/v1/Alerts", 400),
    exchange(TWILIO_MONITOR, "/v1/Alerts", {"alerts": [{"sid": "NO1", "error_code": "49009", "date_generated": "d"}]}),
    exchange(TWILIO_CONNECTOR, "/p", {"configuration_id": "PD1"}),
    twilio(TWILIO_SYNC, DOCUMENT, 404, 54300),
]


def replaced(body):
    """The body with something odd in the place of each part of it, itself among them."""
    yield from ODD
    for key in body if isinstance(body, dict) else range(len(body)) if isinstance(body, list) else ():
        for inner in replaced(body[key]):
            twin = copy.copy(body)
            twin[key] = inner
            yield twin


@pytest.mark.parametrize("whole", WHOLE, ids=lambda whole: f"{whole.service} {whole.path} {whole.status}")
def test_no_value_of_an_answer_is_repeated_and_none_is_a_defect(whole):
    """Whatever a server sends in the place of whatever it should send, with headers and field names of its own."""
    names = "content-type date retry-after x-ratelimit-reset x-ratelimit-remaining etag request-id"
    headers = {**dict.fromkeys(names.split(), MARK), MARK: MARK}
    context = [public("/", {}), *(one for one in (sources(), *kept()) if one.path != whole.path)]
    for body in replaced(whole.body):
        for status in sorted({whole.status, 401}):
            answer = Exchange(whole.service, whole.path, status, headers, json.dumps(body).encode())
            found = judge_all(observed([*context, answer], {read: [answer] for read in MORE}), True)
            assert {judgement["verdict"] for judgement in found.values()} <= {*VERDICTS}
            told = json.dumps(found)
            assert MARK not in told, body
            assert str(NUMBER) not in told, body
