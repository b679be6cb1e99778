# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever is sent to the sandbox, it answers in the words of the service: no 500, no traceback."""

from __future__ import annotations

import asyncio
import json
import urllib.parse

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sandbox import events, handovers
from sandbox.app import make_app
from sandbox.faults import Faults
from sandbox.world import World
from support.operations import OPERATIONS, shaped

# Nothing here depends on the version of ansible-core.
pytestmark = pytest.mark.newest_only

FEW = settings(database=None, deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
TEXT = st.text(max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
FIELDS = (
    *("slug", "name", "enabled", "settings", "metadataId", "labels", "label", "sourceId", "batch", "writeKey", "track"),
    *(
        "userId",
        "anonymousId",
        "event",
        "messageId",
        "traits",
        "timestamp",
        "type",
        "Data",
        "UniqueName",
        "Ttl",
        "step",
    ),
    *(
        "space_id",
        "source_id",
        "write_key",
        "allow_write_events",
        "profile_token",
        "FriendlyName",
        "disconnectAllWarehouses",
    ),
)
GOOD = ("website", "V6ynUvQgbc", True, {"key": "environment", "value": "dev"}, [{"key": "a", "value": 1}], "k" * 32)
BODY = st.dictionaries(st.sampled_from(FIELDS), JSON | st.sampled_from(GOOD), max_size=6)
QUERY = st.dictionaries(
    st.sampled_from(
        (
            *(
                "pagination",
                "pagination.count",
                "pagination.cursor",
                "startTime",
                "endTime",
                "granularity",
                "groupBy.0",
            ),
            *("sortBy", "sortDir", "search", "limit", "next", "PageSize", "Page", "PageToken", "StartDate", "message"),
            *("resourceId", "includeSampleValues", "sourceId", "eventName.0", "statusCode"),
        )
    ),
    TEXT | st.integers().map(str) | st.sampled_from(("2026-01-01T00:00:00Z", "DAY", "MQ==", "eventName", "0001-01-01")),
    max_size=4,
)
STEP = st.text(min_size=1, max_size=8).filter(lambda text: "/" not in text and text not in (".", ".."))


class Stage:
    def __init__(self, documents=None):
        self.world = World([("dev", "us")])
        self.faults = Faults(self.world)
        if documents:
            self.world.watchers.append(documents.check)
        env = self.env = self.world.environments["dev"]
        form = {"space_id": env.space["id"], "profile_token": env.profile_token, "allow_write_events": True}
        handovers.connect(self.world, env, form)
        events.engage(self.world, env, 2)
        # What the application raises, it raises here.
        self.transport = httpx.ASGITransport(make_app(self.world, self.faults))
        self.real = {
            "segment": {"id": env.form_source, "source": env.form_source, "key": env.flex_key},
            "profiles": {"space": env.space["id"], "profile": "user_id:flex-customer-1"},
            "handover": {"environment": "dev", "step": "key"},
            "sync": {"service": "default"},
            "preview": {"sid": env.account_sid},
        }

    def request(self, *args, **more):
        async def sent():
            async with httpx.AsyncClient(transport=self.transport, base_url="http://localhost") as client:
                return await client.request(*args, **more)

        return asyncio.run(sent())

    def auth(self, service):
        env = self.env
        if service in ("segment", "handover"):
            token = env.segment_token if service == "segment" else env.gateway_token
            return {"headers": {"authorization": f"Bearer {token}"}}
        return {"auth": (env.profile_token, "") if service == "profiles" else (env.api_key, env.api_secret)}


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
@FEW
@given(data=st.data())
def test_no_request_breaks_it(operation, documents, data):
    service, method, path = operation
    stage = Stage(documents)
    for name, value in stage.real.get(service, {}).items():
        if data.draw(st.booleans(), label=f"a real {name}"):
            path = path.replace(f"{{{name}}}", value)
    while "{" in path:
        head, _unused, rest = path.partition("{")
        path = head + data.draw(STEP.filter(lambda step: "{" not in step)) + rest.partition("}")[2]
    prefix = {"segment": "segment/us", "profiles": "profiles/us", "tracking": "tracking/us", "handover": "handover"}
    query, body = data.draw(QUERY), data.draw(BODY | JSON | st.binary(max_size=20))
    if service == "sync" and isinstance(body, dict):
        sent = {"data": {k: v if isinstance(v, str) else json.dumps(v) for k, v in body.items()}}
    else:
        sent = {"content": body} if isinstance(body, bytes) else {"content": json.dumps(body)}
    url = f"/{prefix.get(service, f'twilio/{service}')}{urllib.parse.quote(path)}"
    more = stage.auth(service)
    answer = stage.request(method, url, params=query, **more, **sent)
    assert answer.status_code < 500 or "/echo" in path
    if answer.status_code >= 400:
        assert shaped(service, answer.json(), answer.status_code)
    elif answer.status_code != 204:
        answer.json()


HEADERS = ("authorization", "content-type", "accept", "if-match", "content-encoding", "cookie", "host")
VALUE = st.lists(st.integers(33, 255), max_size=12).map(bytes) | st.sampled_from(
    (b"application/x-www-form-urlencoded", b"application/json; charset=utf-16", b"multipart/form-data", b"*")
)
PATHS = (
    *("/segment/us/", "/segment/eu/sources", "/profiles/us/v1/spaces/x/collections/users/profiles/a:b/traits"),
    *("/tracking/us/v1/track", "/twilio/flex/v1/Configuration", "/twilio/sync/v1/Services", "/handover/dev/key"),
    *("/console/dev", "/_sandbox", "/nowhere", "//", "/segment", "/%ff/%00"),
)


@settings(FEW, max_examples=200)
@given(
    method=st.sampled_from(("GET", "POST", "PUT", "HEAD", "OPTIONS")),
    path=st.sampled_from(PATHS),
    headers=st.dictionaries(
        st.sampled_from(HEADERS), st.tuples(st.sampled_from((b"", b"Basic ", b"Bearer ")), VALUE).map(b"".join)
    ),
    body=st.binary(max_size=8),
)
def test_no_header_breaks_it(method, path, headers, body):
    """Also where it is asked whose request it is: for the log, and for faults."""
    stage, lines = Stage(), []
    stage.world.log = lines.append
    stage.faults.add({"match": "no such request", "count": None})
    assert stage.request(method, path, headers=headers, content=body).status_code < 500
    assert len(lines) == 1
