# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an event is about, whichever way it comes."""

from __future__ import annotations

import json
import runpy

import pytest
from support.project import ROOT

pytestmark = pytest.mark.newest_only
# As ansible-rulebook loads it.
main = runpy.run_path(str(ROOT / "extensions/eda/plugins/event_filter/environment.py"))["main"]
KNOWN = {"dev": {"workspace_id": "w1", "twilio_account_sid": "AC1"}, "prod": {"workspace_id": "w2"}}


def about(event, environments=None, own_actors=()):
    return [
        {**found["unified_profiles"], "hosts": found["meta"]["hosts"]}
        for found in main(event, KNOWN if environments is None else environments, list(own_actors))
    ]


def forwarded(**changes):
    details = {"resource_type": "source", "resource_id": "s1", "subject": "user_1"}
    properties = {"type": "Source Deleted", "workspace_id": "w1", "details": details, **changes}
    return {
        "payload": {"event": "Audit", "messageId": "m1", "timestamp": "2026-11-26T10:00:00Z", "properties": properties}
    }


def logged(code, account="AC1"):
    data = {"account_sid": account, "error_code": code}
    return {
        "type": "com.twilio.error-logs.error.logged",
        "id": f"EV{code}",
        "time": "2026-11-26T10:00:00Z",
        "data": data,
    }


def test_a_forwarded_event_names_its_environment():
    assert about(forwarded()) == [
        {
            "environment": "dev",
            "kind": "audit",
            "type": "Source Deleted",
            "id": "m1",
            "by": "user_1",
            "at": "2026-11-26T10:00:00Z",
            "own": False,
            "relevant": True,
            "hosts": ["dev"],
        }
    ]


def test_an_event_of_an_unknown_workspace_runs_nothing_on_all_hosts():
    (found,) = about(forwarded(workspace_id="w3"))
    assert (found["environment"], found["hosts"], found["relevant"]) == ("", ["no-environment"], True)


def test_what_the_collection_does_is_its_own():
    assert about(forwarded(), own_actors=["user_1"])[0]["own"] is True


def test_what_breaks_no_connection_is_not_relevant():
    assert [about(forwarded(type=kind))[0]["relevant"] for kind in ("Warehouse Created", "", None)] == [False] * 3


def test_each_of_twilios_errors_is_an_event():
    found = about({"payload": [logged(49008), logged("11200"), logged("49009", "AC9")]})
    assert [(one["type"], one["environment"], one["relevant"]) for one in found] == [
        ("49008", "dev", True),
        ("11200", "dev", False),
        ("49009", "", True),
    ]


def test_an_event_of_the_audit_trail_has_its_environment_already():
    (found,) = about(
        {"environment": "prod", "audit": {"id": "e1", "type": "Source Disabled", "timestamp": "t", "actor": "Segment"}}
    )
    assert (found["environment"], found["kind"], found["by"], found["relevant"]) == ("prod", "audit", "Segment", True)
    (found,) = about({"environment": "prod", "problem": "it cannot be read"})
    assert (found["kind"], found["type"], found["relevant"]) == ("problem", "it cannot be read", False)


@pytest.mark.parametrize(
    "payload",
    [None, "text", [], [None, 7], {}, {"event": "Audit"}, {"event": "Audit", "properties": []}, {"type": ["x"]}],
)
def test_what_is_no_event_of_ours_is_let_through(payload):
    (found,) = about({"payload": payload})
    assert (found["environment"], found["relevant"]) == ("", False)


def test_environments_come_from_a_file_or_from_the_environment(tmp_path, monkeypatch):
    path = tmp_path / "environments.json"
    path.write_text(json.dumps(KNOWN))
    assert about(forwarded(), str(path))[0]["environment"] == "dev"
    monkeypatch.setenv("UNIFIED_PROFILES_ENVIRONMENTS", json.dumps(KNOWN))
    monkeypatch.setenv("UNIFIED_PROFILES_OWN_ACTORS", "robot, user_1")
    (found,) = main(forwarded())
    assert found["unified_profiles"]["environment"] == "dev"
    assert found["unified_profiles"]["own"] is True


@pytest.mark.parametrize("environments", ["{broken", "/no/such/file", {"dev": "w1"}, ["dev"]])
def test_wrong_environments_are_named(environments):
    with pytest.raises(ValueError, match=r"^environments: "):
        main(forwarded(), environments)
