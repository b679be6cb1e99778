# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Twilio's own client for Python cannot tell the sandbox from the real services."""

from __future__ import annotations

import datetime
import re

import pytest
from sandbox import handovers
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

# Nothing here depends on the version of ansible-core.
pytestmark = pytest.mark.newest_only


class ToSandbox(TwilioHttpClient):
    """Sends what is meant for ``product.twilio.com`` to the sandbox; its own URLs stay as they are."""

    def __init__(self, url):
        super().__init__()
        self.url = url

    def request(self, method, url, *args, **more):
        return super().request(method, re.sub(r"^https://([\w-]+)\.twilio\.com", self._product, url), *args, **more)

    def _product(self, host):
        return f"{self.url}/twilio/{host[1].removesuffix('-api')}"


@pytest.fixture
def environment(sandbox):
    env = sandbox.world.environments["dev"]
    form = {"space_id": env.space["id"], "profile_token": env.profile_token, "friendly_name": "x"}
    handovers.connect(sandbox.world, env, {**form, "allow_write_events": True})
    return env


@pytest.fixture
def twilio(sandbox, environment):
    client = ToSandbox(sandbox.url)
    return Client(environment.api_key, environment.api_secret, environment.account_sid, http_client=client)


def test_twilio_reads_flex(twilio, environment):
    found = twilio.flex_api.v1.configuration().fetch()
    assert (found.account_sid, found.status, found.ui_version) == (environment.account_sid, "ok", "2.17.0")
    assert twilio.flex_api.v1.provisioning_status().fetch().status == "active"


def test_twilio_is_told_that_there_is_no_flex(twilio, sandbox):
    sandbox.sabotage("dev", "no-flex")
    with pytest.raises(TwilioRestException) as error:
        twilio.flex_api.v1.configuration().fetch()
    assert (error.value.status, error.value.code) == (404, 45101)


def test_twilio_refuses_wrong_credentials(sandbox, environment):
    stranger = Client(environment.api_key, "wrong", environment.account_sid, http_client=ToSandbox(sandbox.url))
    with pytest.raises(TwilioRestException) as error:
        stranger.sync.v1.services("default").fetch()
    assert (error.value.status, error.value.code) == (401, 20003)


def test_twilio_pages_through_alerts(twilio, sandbox):
    sandbox.sabotage("dev", "wrong-token-in-flex")
    sandbox.sabotage("prod", "wrong-token-in-flex")
    for _unused in range(7):
        sandbox.engage("dev", 1)
        sandbox.advance(1)
    found = twilio.monitor.v1.alerts.list(log_level="error", page_size=3)
    assert [alert.error_code for alert in found] == ["49009"] * 7
    assert len({alert.sid for alert in found}) == 7
    assert found == sorted(found, key=lambda alert: alert.date_generated, reverse=True)
    pages = [request for request in sandbox.journal() if request["path"].endswith("/Alerts")]
    assert len(pages) == 3
    later = found[0].date_generated + datetime.timedelta(seconds=1)
    assert twilio.monitor.v1.alerts.list(start_date=later) == []
    assert twilio.monitor.v1.alerts(found[0].sid).fetch().error_code == "49009"


def test_twilio_writes_sync_documents_that_nobody_overwrites(twilio):
    documents = twilio.sync.v1.services("default").documents
    made = documents.create(unique_name="ledger", data={"n": 1})
    assert (made.revision, made.data) == ("0", {"n": 1})
    changed = documents("ledger").update(data={"n": 2}, if_match=made.revision)
    assert changed.revision != made.revision
    with pytest.raises(TwilioRestException) as error:
        documents("ledger").update(data={"n": 3}, if_match=made.revision)
    assert error.value.status == 412
    with pytest.raises(TwilioRestException) as error:
        documents.create(unique_name="ledger")
    assert error.value.status == 409
    assert documents(made.sid).fetch().data == {"n": 2}
    for n in range(4):
        documents.create(unique_name=f"other-{n}")
    assert [d.unique_name for d in documents.list(page_size=2)] == ["ledger", *(f"other-{n}" for n in range(4))]
    assert documents("ledger").delete()
    with pytest.raises(TwilioRestException) as error:
        documents("ledger").fetch()
    assert (error.value.status, error.value.code) == (404, 54300)


def test_twilio_makes_sync_services(twilio):
    service = twilio.sync.v1.services.create(friendly_name="ledgers")
    twilio.sync.v1.services(service.sid).documents.create(unique_name="a", ttl=60)
    assert [s.friendly_name for s in twilio.sync.v1.services.list()] == ["Default Service", "ledgers"]
    assert twilio.sync.v1.services("default").documents.list() == []
