# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clients of the services, request by request."""

from __future__ import annotations

import datetime

import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import (
    ApiError,
    NotFound,
    UnexpectedAnswer,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret, fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients.segment_profile import ProfileApi
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients.segment_public import PublicApi
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import HttpSettings
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.service import Service
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from support.conversation import BASE, OK, TOKEN, Turn

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only


def page(cursor: str | None, items: list, following: str | None) -> Turn:
    query = {"pagination.count": "200", **({"pagination.cursor": cursor} if cursor else {})}
    body = {"data": {"sources": items, "pagination": {"current": cursor, "next": following}}}
    return Turn("GET", "/sources", 200, body, query=query, headers={"authorization": f"Bearer {TOKEN}"})


def source(id_: str) -> dict:
    return {
        "id": id_,
        "slug": f"slug-{id_}",
        "name": f"name {id_}",
        "enabled": True,
        "writeKeys": [f"key-{id_}"],
        "metadata": {"id": "V6ynUvQgbc", "slug": "java"},
        "labels": [{"key": "env", "value": "test"}],
    }


def test_a_key_that_was_seen_is_hidden_in_what_servers_say(converse):
    service = converse(page(None, [source("short")], None)).service()
    PublicApi(service).sources()
    assert service.transport.hidden.in_words("no key-short here") == "no <secret> here"


def test_three_pages(converse):
    talk = converse(
        page(None, [source("a"), source("b")], "c1"),
        page("c1", [], "c2"),
        page("c2", [source("c")], None),
    )
    found = PublicApi(talk.service()).sources()
    assert [s.id for s in found] == ["a", "b", "c"]
    assert found[0].view() == {
        "id": "a",
        "slug": "slug-a",
        "name": "name a",
        "enabled": True,
        "type": "java",
        "labels": {"env": "test"},
        "key_fingerprints": [fingerprint("key-a")],
    }
    assert found[0].keys[fingerprint("key-a")].reveal() == "key-a"


def test_cursors_in_circles(converse):
    talk = converse(page(None, [source("a")], "c1"), page("c1", [], "c2"), page("c2", [], "c1"))
    with pytest.raises(UnexpectedAnswer, match="never end"):
        PublicApi(talk.service()).sources()


@pytest.mark.parametrize(
    ("body", "field_"),
    [
        ({}, "data.sources"),
        ([], "data.sources"),
        ("text", "data.sources"),
        ({"data": []}, "data.sources"),
        ({"data": {"sources": {}}}, "data.sources"),
        ({"data": {"sources": ["text"]}}, "writeKeys|id|enabled"),
        ({"data": {"sources": [{"slug": "s", "enabled": True}]}}, "id"),
        ({"data": {"sources": [{"id": 5, "enabled": True}]}}, "id"),
        ({"data": {"sources": [{"id": "a", "enabled": "yes"}]}}, "enabled"),
        ({"data": {"sources": [{"id": "a", "enabled": True, "labels": [5]}]}}, "key"),
        ({"data": {"sources": [], "pagination": {"next": 5}}}, "data.pagination.next"),
    ],
)
def test_unexpected_shapes(converse, body, field_):
    turn = Turn("GET", "/sources", 200, body, {"request-id": "r5"}, query={"pagination.count": "200"})
    with pytest.raises(UnexpectedAnswer, match="unexpected shape") as caught:
        PublicApi(converse(turn).service()).sources()
    assert caught.value.facts["field"] in field_.split("|")
    assert caught.value.facts["request_id"] == "r5"


def test_empty_success_has_no_shape(converse):
    with pytest.raises(UnexpectedAnswer, match=r"'data\.workspace' should be dict, and is nothing"):
        PublicApi(converse(Turn("GET", "/", 200)).service()).workspace()


def test_writes_of_the_public_api(converse):
    made = {"data": {"source": source("a")}}
    talk = converse(
        Turn(
            "POST",
            "/sources",
            201,
            made,
            sent={"slug": "s", "enabled": True, "metadataId": "m", "settings": {}, "disconnectAllWarehouses": True},
        ),
        Turn("PATCH", "/sources/a", 200, made, sent={"enabled": False}),
        Turn("PUT", "/sources/a/labels", 200, OK, sent={"labels": [{"key": "k", "value": "v"}]}),
        Turn("POST", "/sources/a/writekey", 200, made),
        Turn("DELETE", "/sources/a/writekey/k%2F1", 404, {"errors": [{"type": "not-found"}]}),
        Turn("DELETE", "/sources/a", 204),
    )
    api = PublicApi(talk.service())
    assert api.create_source("s", "m", True).id == "a"
    api.update_source("a", enabled=False)
    api.set_labels("a", [("k", "v")])
    api.add_key("a", [])
    api.remove_key("a", Secret("k/1"))
    api.delete_source("a")


@pytest.mark.parametrize(
    ("status", "code", "said", "good"),
    [
        (404, "not_found", "Profile was not found.", True),
        (404, "not_found", "The resource was not found.", False),
        (404, "not_found", "", False),
        (404, "other", "Profile was not found.", False),
        (401, "not_found", "Profile was not found.", False),
    ],
)
def test_profile_api_pair(status, code, said, good):
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, json={"error": {"code": code, "message": said}})

    transport = Transport(HttpSettings(), http_transport=httpx.MockTransport(answer))
    service = Service(transport, "Segment", BASE, auth=None, credentials="token", url_option="url")
    if good:
        ProfileApi(service).check_token_matches_space("spa_1")
    else:
        with pytest.raises(ApiError):
            ProfileApi(service).check_token_matches_space("spa_1")
    assert len(asked) == 1
    assert asked[0].url.path.startswith("/v1/spaces/spa_1/collections/users/profiles/user_id:")


def test_the_audit_trail_without_a_source_is_read_in_whole(converse):
    """Nobody knows which source it was that was deleted."""
    event = {"type": "Source Deleted", "timestamp": "t", "actor": "u", "resourceId": "a", "resourceName": "n"}
    asked = {"startTime": "2026-08-27T00:00:00Z", "pagination.count": "200"}
    pages = [(None, [], "c1"), ("c1", [event], None)]
    talk = converse(
        *(
            Turn(
                "GET",
                "/audit-events",
                200,
                {"data": {"events": events, "pagination": {"next": following}}},
                query={**asked, **({"pagination.cursor": cursor} if cursor else {})},
            )
            for cursor, events, following in pages
        )
    )
    now = datetime.datetime(2026, 11, 24, 10, 30, tzinfo=datetime.timezone.utc)
    (found,) = PublicApi(talk.service()).audit_events(now)
    assert found == {"type": "Source Deleted", "at": "t", "by": "u", "id": "a", "name": "n"}


@pytest.mark.parametrize("body", [{"data": {"space": None}}, {"data": {}}])
def test_a_space_may_be_answered_as_null(converse, body):
    with pytest.raises(NotFound, match="with no space"):
        PublicApi(converse(Turn("GET", "/spaces/spa_1", 200, body)).service()).space("spa_1")
