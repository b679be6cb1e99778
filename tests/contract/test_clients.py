# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendors' own clients cannot tell the sandbox from the real services."""

from __future__ import annotations

import datetime
import json
import re

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

# Nothing here depends on the version of ansible-core.
pytestmark = pytest.mark.newest_only

JAVA = "V6ynUvQgbc"


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
    sandbox.world.connect(env, {**form, "allow_write_events": True})
    return env


@pytest.fixture
def twilio(sandbox, environment):
    client = ToSandbox(sandbox.url)
    return Client(environment.api_key, environment.api_secret, environment.account_sid, http_client=client)


def test_twilio_reads_flex(twilio, environment):
    found = twilio.flex_api.v1.configuration().fetch()
    assert (found.account_sid, found.status, found.ui_version) == (environment.account_sid, "ok", "2.8.0")
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
    assert (error.value.status, error.value.code) == (404, 20404)


def test_twilio_makes_sync_services(twilio):
    service = twilio.sync.v1.services.create(friendly_name="ledgers")
    twilio.sync.v1.services(service.sid).documents.create(unique_name="a", ttl=60)
    assert [s.friendly_name for s in twilio.sync.v1.services.list()] == ["Default Service", "ledgers"]
    assert twilio.sync.v1.services("default").documents.list() == []


@pytest.fixture
def segment(sandbox, environment):
    library = pytest.importorskip(
        "segment_public_api",
        reason="Segment's SDK is in no package index: pip install git+https://github.com/segmentio/public-api-sdk-python",
    )
    configuration = library.Configuration(
        host=f"{sandbox.url}/segment/us", access_token=environment.segment_token, retries=False
    )
    with library.ApiClient(configuration) as client:
        yield library, client


def test_segment_works_on_sources(segment, environment):
    library, client = segment
    sources, paging = library.SourcesApi(client), library.PaginationInput
    assert library.WorkspacesApi(client).get_workspace().data.workspace.slug == "dev-workspace"
    made = sources.create_source(
        library.CreateSourceV1Input(slug="new", enabled=True, metadata_id=JAVA, disconnect_all_warehouses=True)
    ).data.source
    assert (made.name, made.metadata.status, len(made.write_keys)) == ("new", "PUBLIC", 1)
    assert sources.list_connected_warehouses_from_source(made.id, paging(count=10)).data.warehouses == []
    changed = sources.update_source(made.id, library.UpdateSourceV1Input(name="other", enabled=False)).data.source
    assert (changed.name, changed.slug, changed.enabled) == ("other", "new", False)
    found, cursor = [], None
    while True:
        page = sources.list_sources(paging(count=2, cursor=cursor)).data
        found += [source.slug for source in page.sources]
        cursor = page.pagination.next
        if not cursor:
            break
    assert found == [source.slug for source in environment.sources.values()]
    assert len(sources.create_write_key_for_source(made.id).data.source.write_keys) == 2
    sources.remove_write_key_from_source(made.id, made.write_keys[0])
    label = library.LabelV1(key="environment", value="dev")
    sources.replace_labels_in_source(made.id, library.ReplaceLabelsInSourceV1Input(labels=[label]))
    assert sources.get_source(made.id).data.source.labels[0].value == "dev"
    assert sources.list_schema_settings_in_source(made.id).data.settings.track.allow_unplanned_events
    assert sources.delete_source(made.id).data.status == "SUCCESS"
    with pytest.raises(library.ApiException) as error:
        sources.get_source(made.id)
    assert (error.value.status, json.loads(error.value.body)["errors"][0]["type"]) == (404, "not-found")


def test_segment_reads_the_rest(segment, environment, sandbox):
    library, client = segment
    paging = library.PaginationInput(count=200)
    sandbox.engage("dev", 2)
    sandbox.advance(120)
    assert len(library.CatalogApi(client).get_sources_catalog(paging).data.sources_catalog) > 30
    assert library.CatalogApi(client).get_source_metadata(JAVA).data.source_metadata.slug == "java"
    assert len(library.LabelsApi(client).list_labels().data.labels) == 2
    assert library.SpacesApi(client).get_space(environment.space["id"]).data.space.slug == "dev-space"
    assert [s.id for s in library.SpacesApi(client).list_spaces(paging).data.spaces] == [environment.space["id"]]
    schema = library.SpaceSchemaAPIApi(client)
    seen = schema.list_events(environment.space["id"], paging, search="Flex").data.events
    assert {event.name for event in seen} == {"Flex - Engagement Initiated", "Flex - Engagement Completed"}
    assert len(schema.list_traits(environment.space["id"], paging).data.traits) == 2
    assert library.AuditTrailApi(client).list_audit_events(pagination=paging).data.events[-1].type == "Source Created"
    volume = library.EventsApi(client).get_events_volume_from_workspace(
        "DAY", "2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z", ["eventName", "source"], pagination=paging
    )
    assert {(row.event_name, row.total) for row in volume.data.result if row.event_name} == {
        ("Flex - Engagement Initiated", 2),
        ("Flex - Engagement Completed", 2),
    }
