# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Segment's own SDK for Python, whose models are strict, cannot tell the sandbox from the real service.

Its models refuse a missing field, a wrong type and a word that is not in a list. Here they must lose nothing either: that
is how a field that the SDK does not know shows. Run with release 73.2.0, which is newer than the OpenAPI document, and is in no package index:
``pip install git+https://github.com/segmentio/public-api-sdk-python``.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.operations import JAVA, LABEL, OPERATIONS, YEAR, Case, Stage, is_of

# Nothing here depends on the version of ansible-core.
pytestmark = pytest.mark.newest_only

START, END = (part.partition("=")[2] for part in YEAR.split("&"))
PAGE = {"count": 2}
# Each operation of the sandbox: the class and method of the SDK, and what it takes.
CALLS: dict[tuple[str, str], tuple[Any, ...]] = {
    ("GET", "/"): ("WorkspacesApi", "get_workspace"),
    ("GET", "/spaces"): ("SpacesApi", "list_spaces", PAGE),
    ("GET", "/spaces/{id}"): ("SpacesApi", "get_space", "{space}"),
    ("GET", "/spaces/{id}/events"): ("SpaceSchemaAPIApi", "list_events", "{space}", PAGE, "lastSeenAt", "desc", "Flex"),
    ("GET", "/spaces/{id}/traits"): (
        "SpaceSchemaAPIApi",
        "list_traits",
        "{space}",
        PAGE,
        "trait",
        "asc",
        "flex_",
        None,
        True,
        5,
    ),
    ("GET", "/sources"): ("SourcesApi", "list_sources", PAGE),
    ("POST", "/sources"): ("SourcesApi", "create_source", {"slug": "new", "enabled": True, "metadataId": JAVA}),
    ("GET", "/sources/{id}"): ("SourcesApi", "get_source", "{source}"),
    ("PATCH", "/sources/{id}"): ("SourcesApi", "update_source", "{source}", {"name": "other", "settings": {"a": 1}}),
    ("DELETE", "/sources/{id}"): ("SourcesApi", "delete_source", "{source}"),
    ("POST", "/sources/{id}/writekey"): ("SourcesApi", "create_write_key_for_source", "{source}"),
    ("DELETE", "/sources/{id}/writekey/{key}"): ("SourcesApi", "remove_write_key_from_source", "{source}", "{key}"),
    ("POST", "/sources/{id}/labels"): ("SourcesApi", "add_labels_to_source", "{source}", {"labels": [LABEL]}),
    ("PUT", "/sources/{id}/labels"): ("SourcesApi", "replace_labels_in_source", "{source}", {"labels": [LABEL]}),
    ("GET", "/sources/{id}/settings"): ("SourcesApi", "list_schema_settings_in_source", "{source}"),
    ("PATCH", "/sources/{id}/settings"): (
        *("SourcesApi", "update_schema_settings_in_source", "{source}"),
        {"track": {"allowUnplannedEvents": False}},
    ),
    ("GET", "/sources/{id}/connected-destinations"): (
        *("SourcesApi", "list_connected_destinations_from_source", "{source}", PAGE),
    ),
    ("GET", "/sources/{id}/connected-warehouses"): (
        *("SourcesApi", "list_connected_warehouses_from_source", "{source}", PAGE),
    ),
    ("GET", "/labels"): ("LabelsApi", "list_labels"),
    ("POST", "/labels"): ("LabelsApi", "create_label", {"label": {"key": "a", "value": "b", "description": "c"}}),
    ("DELETE", "/labels/{key}/{value}"): ("LabelsApi", "delete_label", "environment", "dev"),
    ("GET", "/catalog/sources"): ("CatalogApi", "get_sources_catalog", PAGE),
    ("GET", "/catalog/sources/{id}"): ("CatalogApi", "get_source_metadata", JAVA),
    ("GET", "/warehouses"): ("WarehousesApi", "list_warehouses", PAGE),
    ("GET", "/warehouses/{id}"): ("WarehousesApi", "get_warehouse", "{warehouse}"),
    ("GET", "/warehouses/{id}/connected-sources"): (
        *("WarehousesApi", "list_connected_sources_from_warehouse", "{warehouse}", PAGE),
    ),
    ("POST", "/warehouses/{id}/connected-sources/{source}"): (
        *("WarehousesApi", "add_connection_from_source_to_warehouse", "{warehouse}", "{source}"),
    ),
    ("DELETE", "/warehouses/{id}/connected-sources/{source}"): (
        *("WarehousesApi", "remove_source_connection_from_warehouse", "{warehouse}", "{source}"),
    ),
    ("GET", "/warehouses/{id}/connected-sources/{source}/selective-syncs"): (
        *("SelectiveSyncApi", "list_selective_syncs_from_warehouse_and_source", "{warehouse}", "{source}", PAGE),
    ),
    ("PATCH", "/warehouses/{id}/selective-sync"): (
        *("SelectiveSyncApi", "update_selective_sync_for_warehouse", "{warehouse}"),
        {"syncOverrides": [{"sourceId": "{source}", "collection": "tracks", "property": "x", "enabled": True}]},
    ),
    ("GET", "/users"): ("IAMUsersApi", "list_users", PAGE),
    ("GET", "/groups"): ("IAMGroupsApi", "list_user_groups", PAGE),
    ("GET", "/functions"): ("FunctionsApi", "list_functions", "INSERT_DESTINATION", PAGE),
    ("GET", "/insert-function-instances"): ("FunctionsApi", "list_insert_function_instances", "fn-1", PAGE),
    ("GET", "/tracking-plans"): ("TrackingPlansApi", "list_tracking_plans", "LIVE", PAGE),
    ("GET", "/tracking-plans/{id}"): ("TrackingPlansApi", "get_tracking_plan", "{plan}"),
    ("GET", "/tracking-plans/{id}/sources"): ("TrackingPlansApi", "list_sources_from_tracking_plan", "{plan}", PAGE),
    ("POST", "/tracking-plans/{id}/sources"): (
        *("TrackingPlansApi", "add_source_to_tracking_plan", "{plan}", {"sourceId": "{source}"}),
    ),
    ("DELETE", "/tracking-plans/{id}/sources"): (
        *("TrackingPlansApi", "remove_source_from_tracking_plan", "{plan}", "{source}"),
    ),
    ("GET", "/audit-events"): ("AuditTrailApi", "list_audit_events", START, END, None, "source", PAGE),
    ("GET", "/events/volume"): (
        *("EventsApi", "get_events_volume_from_workspace", "DAY", START, END, ["eventName", "source"]),
        *(["{source}"], ["Flex - Engagement Completed"], ["track"], None, PAGE),
    ),
    ("GET", "/echo"): ("TestingApi", "echo", "hello", 1),
}


def test_every_operation_is_called_here():
    assert sorted(CALLS) == sorted(operation[1:] for operation in OPERATIONS if operation[0] == "segment")


class Sdk:
    """The SDK's client, with its host and its token in place."""

    def __init__(self, library, stage):
        host = f"{stage.sandbox.url}/segment/us"
        settings = library.Configuration(host=host, access_token=stage.env.segment_token, retries=False)
        self.library, self.stage, self.client = library, stage, library.ApiClient(settings)

    def __call__(self, kind, method, *given):
        """What the SDK made of the answer, and the answer."""
        call = getattr(getattr(self.library, kind)(self.client), f"{method}_with_http_info")
        found = call(*(self.stage.filled(value) for value in given))
        return found.data, json.loads(found.raw_data)

    def refused(self, *call):
        with pytest.raises(self.library.ApiException) as caught:
            self(*call)
        return caught.value


@pytest.fixture
def sdk(sandbox):
    reason = "Segment's SDK is in no package index: pip install git+https://github.com/segmentio/public-api-sdk-python"
    return Sdk(pytest.importorskip("segment_public_api", reason=reason), Stage(sandbox))


def without_nulls(value: Any) -> Any:
    """To the SDK a field that is null and one that is absent are the same."""
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("operation", CALLS, ids=" ".join)
def test_the_sdk_takes_the_answer_and_loses_nothing_of_it(sdk, operation):
    made, answered = sdk(*CALLS[operation])
    assert answered["data"]
    assert without_nulls(made.to_dict()) == without_nulls(answered)
    sent = sdk.stage.sandbox.journal()[-1]
    assert is_of(Case("segment", sent["method"], sent["path"].removeprefix("/segment/us")), ("segment", *operation))


def test_the_sdk_follows_the_cursor_to_the_end(sdk):
    for slug in "abc":
        sdk("SourcesApi", "create_source", {"slug": slug, "enabled": True, "metadataId": JAVA})
    for kind, method, name in (
        ("SourcesApi", "list_sources", "sources"),
        ("CatalogApi", "get_sources_catalog", "sources_catalog"),
        ("AuditTrailApi", "list_audit_events", "events"),
    ):
        found, cursor = [], None
        while True:
            asked = {"count": 2, **({"cursor": cursor} if cursor else {})}
            given = (None, None, None, None, asked) if name == "events" else (asked,)
            page = sdk(kind, method, *given)[0].data
            found += [item.id for item in getattr(page, name)]
            cursor = page.pagination.next
            if not cursor:
                break
        assert len(found) == len(set(found)) == page.pagination.total_entries > 2


def test_the_sdk_works_on_a_source(sdk):
    source = sdk("SourcesApi", "create_source", {**CALLS["POST", "/sources"][2], "disconnectAllWarehouses": True})[0]
    source = source.data.source
    assert (source.name, source.metadata.status, len(source.write_keys)) == ("new", "PUBLIC", 1)
    warehouses = sdk("SourcesApi", "list_connected_warehouses_from_source", source.id, PAGE)[0].data.warehouses
    assert warehouses == []
    changed = sdk("SourcesApi", "update_source", source.id, {"name": "other", "enabled": False})[0].data.source
    assert (changed.name, changed.slug, changed.enabled) == ("other", "new", False)
    assert len(sdk("SourcesApi", "create_write_key_for_source", source.id)[0].data.source.write_keys) == 2
    sdk("SourcesApi", "remove_write_key_from_source", source.id, source.write_keys[0])
    sdk("SourcesApi", "replace_labels_in_source", source.id, {"labels": [LABEL]})
    (label,) = sdk("SourcesApi", "get_source", source.id)[0].data.source.labels
    assert (label.key, label.value) == tuple(LABEL.values())
    assert sdk("SourcesApi", "delete_source", source.id)[0].data.status == "SUCCESS"
    gone = sdk.refused("SourcesApi", "get_source", source.id)
    assert (type(gone).__name__, gone.data.errors[0].type) == ("NotFoundException", "not-found")


def test_the_sdk_understands_each_refusal(sdk):
    sandbox, env = sdk.stage.sandbox, sdk.stage.env
    create = CALLS["POST", "/sources"]
    taken = (*create[:2], {**create[2], "slug": "website"})
    wrong = (*create[:2], {**create[2], "metadataId": "unknown"})
    for status, kind in ((400, "BadRequest"), (409, "Conflict"), (422, "UnprocessableEntity")):
        sandbox.switch(duplicate_slug=status)
        assert type(sdk.refused(*taken)).__name__ == f"{kind}Exception"
    assert json.loads(sdk.refused(*wrong).body)["errors"][0]["field"] == "metadataId"
    sandbox.fault(kind="rate_limited", hint="msBeforeNext", seconds=2)
    limited = sdk.refused("WorkspacesApi", "get_workspace")
    assert (limited.status, limited.data.errors[0].data["msBeforeNext"]) == (429, 2000)
    errors = sdk.refused("TestingApi", "echo", "no", 0, False, True, False, 418)
    assert (errors.status, errors.reason) == (418, "I'm a Teapot")
    sdk.client.configuration.access_token = env.read_only_token
    assert type(sdk.refused(*create)).__name__ == "ForbiddenException"
    assert sdk("SourcesApi", "list_sources", PAGE)[0].data.sources[0].write_keys == []
    sdk.client.configuration.access_token = "sgp_wrong"
    assert type(sdk.refused(*create)).__name__ == "UnauthorizedException"
