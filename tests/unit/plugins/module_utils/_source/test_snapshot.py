# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a snapshot leaves out where there is no room for all of it."""

from __future__ import annotations

import json

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import SnapshotError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._source.snapshot import (
    FOR_PEOPLE,
    NO_ROOM,
    parse,
    shortened,
)

MOST = 16 * 1024


def snapshot(small=3, large=3, people=1):
    """With so many properties that two warehouses do not take, and so many names."""
    names = [f"name {number}" for number in range(people)]
    return {
        "format": 1,
        "environment": "dev",
        "source_id": "source1",
        "at": "2026-11-24T10:02:31Z",
        "slug": "twilio-unified-profiles",
        "labels": [{"key": "team", "value": "a"}],
        "schema_settings": {"track": {"allowUnplannedEvents": True}},
        "warehouses": [
            {
                "id": id_,
                "name": id_,
                "not_synced": {"tracks": [f"property_{number}" for number in range(count)]} if count else {},
            }
            for id_, count in (("small", small), ("large", large), ("empty", 0))
        ],
        "tracking_plan": {"id": "plan", "name": "plan"},
        "destinations": [{"id": name, "name": name, "type": "x", "enabled": True} for name in names],
        **dict.fromkeys(("functions", "rights", "spaces"), names),
        "unread": {},
    }


@pytest.mark.parametrize(
    ("sizes", "left_out"),
    [
        ({}, []),
        ({"large": 1500}, ["selective_sync:large"]),
        ({"large": 1500, "small": 1400}, ["selective_sync:large", "selective_sync:small"]),
        ({"people": 600}, ["selective_sync:large", "selective_sync:small", "rights", "spaces"]),
    ],
)
def test_what_has_no_room_is_named(sizes, left_out):
    whole = snapshot(**sizes)
    data = shortened(whole, MOST)
    assert len(data) <= MOST
    found = parse(json.loads(data), "dev", "source1", "it")
    told = {name for name, why in found["unread"].items() if why == NO_ROOM}
    assert told >= {*left_out}
    # It would not be connected again, and nothing is won.
    assert "selective_sync:empty" not in told
    for part in ("slug", "labels", "schema_settings", "tracking_plan"):
        assert found[part] == whole[part]
    assert [one["id"] for one in found["warehouses"]] == ["small", "large", "empty"]
    for one, was in zip(found["warehouses"], whole["warehouses"]):
        assert ("not_synced" in one) == (f"selective_sync:{one['id']}" not in told)
        assert one.get("not_synced", was["not_synced"]) == was["not_synced"]
    assert {part for part in FOR_PEOPLE if part not in found} == {*FOR_PEOPLE} & told


def test_what_cannot_be_left_out_is_refused():
    labels = [{"key": "team", "value": "a" * 50} for _number in range(1000)]
    with pytest.raises(
        SnapshotError, match=r"The snapshot of the source source1 would have \d+ bytes; Sync takes 16384"
    ):
        shortened({**snapshot(), "labels": labels}, MOST)
