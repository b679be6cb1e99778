# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a look for drift finds in the sandbox: each sabotage by name, and nothing where nothing was done. No look writes."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import environment_status
from sandbox import sabotage
from support.environment import STEPS
from support.looked import Looked, verdicts

CULPRIT = "ops@example.com"


@pytest.fixture
def dev(sandbox, tmp_path):
    return Looked(sandbox, tmp_path / "state")


@pytest.fixture
def connected(dev):
    assert {step: done["status"] for step, done in dev.connect().items()} == dict.fromkeys(STEPS, "done")
    return dev


def status(found):
    return environment_status(found, False, playbook="drift")


# Sabotage -> attributes that differ, in their order, and the status
NAMED = {
    "delete-source": (["source"], "drifted"),
    "rename-source": (["name"], "drifted"),
    "disable-source": (["enabled"], "drifted"),
    "swap-type": (["type"], "drifted"),
    "remove-key": (["write_keys"], "drifted"),
    "add-key": (["write_keys"], "drifted"),
    "duplicate-name": (["source"], "drifted"),
    "disconnect-from-space": (["link"], "broken"),
    "wrong-key-in-flex": (["key"], "broken"),
    "wrong-token-in-flex": (["connection"], "broken"),
    "lose-connector": (["connection"], "broken"),
    "no-flex": (["flex"], "drifted"),
    "delete-space": (["space", "link"], "broken"),
}
# What no run of the collection has set, and what it therefore cannot miss.
NOT_OURS = ("disconnect-warehouses", "add-destination", "legacy-source", "rename-space", "add-space")
NOBODY = ("wrong-key-in-flex", "wrong-token-in-flex", "lose-connector", "no-flex")


def test_every_sabotage_of_the_sandbox_is_in_one_of_the_tables():
    assert {*NAMED, *NOT_OURS, "revoke-token"} == {*sabotage.NAMES}


NEW = "new-" + "0" * 40
# What is replaced -> of the sandbox's environment, and what is due then. What the report says of it is REPLACED in _pages.py.
REPLACED = {
    "segment_token": ("segment_token", set()),
    "profile_token": ("profile_token", {"connection"}),
    "twilio_api_secret": ("api_secret", set()),
    "twilio_auth_token": ("auth_token", set()),
}


@pytest.mark.parametrize("option", REPLACED)
def test_a_token_that_is_replaced_in_the_inventory_makes_exactly_this_due(connected, option):
    attribute, due = REPLACED[option]
    world, used = connected.sandbox.world, connected.look("drift")["credentials"]
    setattr(connected.env, attribute, NEW)
    world.environments = dict(world.environments)  # the index of credentials is made again
    connected.options |= {option: NEW}
    if option == "twilio_auth_token":
        connected.options |= {"twilio_api_key": None, "twilio_api_secret": None}
        used.pop("twilio_api_secret")
    for playbook in ("connect", "recover", "rotate"):
        found = connected.look(playbook)
        assert (found["failure"], {*found["due"]}) == ("", due if playbook == "connect" else set())
    found = connected.look("drift")
    assert found["failure"] == ""
    assert found["credentials"] == {**used, option: fingerprint(NEW)}
    assert [it["attribute"] for it in found["differences"]] == [*due]
    if due:
        connected.connect()
        assert connected.look()["due"] == {}


def test_a_token_too_short_for_a_fingerprint_has_none(connected):
    connected.options["segment_token"] = "short"
    assert {*connected.look("drift")["credentials"]} == {"profile_token", "twilio_api_secret"}


@pytest.mark.parametrize("name", NAMED)
def test_every_sabotage_is_named_with_who_did_it(connected, name):
    connected.sandbox.sabotage("dev", name)
    found = connected.look("drift")
    attributes, expected = NAMED[name]
    assert found["failure"] == ""
    assert [difference["attribute"] for difference in found["differences"]] == attributes
    first = found["differences"][0]
    assert first["by"] == ("" if name in NOBODY else CULPRIT)
    assert bool(first["since"]) == (name not in NOBODY)
    assert first["mend"]
    assert first["expected"] != first["found"]
    assert (status(found)["status"], found["unread"]) == (expected, {})


@pytest.mark.parametrize("name", NOT_OURS)
def test_what_is_nobodys_setting_here_is_no_drift(connected, name):
    connected.sandbox.sabotage("dev", name)
    found = connected.look("drift")
    assert (found["differences"], status(found)["status"]) == ([], "in_sync")


REFUSED = {"no-flex": "Flex is not ready", "delete-space": "no space", "swap-type": "must be Java"}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("playbook", ["connect", "recover"])
def test_a_check_of_a_run_that_would_be_refused_says_why(connected, playbook, name):
    connected.sandbox.sabotage("dev", name)
    assert REFUSED[name] in connected.look(playbook)["failure"]


@pytest.mark.parametrize("name", [name for name in NAMED if name not in REFUSED])
@pytest.mark.parametrize("playbook", ["connect", "recover"])
def test_a_check_of_a_run_that_acts_reports_the_same(connected, playbook, name):
    connected.sandbox.sabotage("dev", name)
    assert connected.look(playbook)["differences"] == connected.look("drift")["differences"]


def test_all_is_in_sync_with_no_more_requests_than_a_connect(connected):
    connected.look("connect")
    requests = len(connected.sandbox.journal())
    found = connected.look("drift")
    assert (found["differences"], found["unread"], status(found)["status"]) == ([], {}, "in_sync")
    assert verdicts(found) == dict.fromkeys(STEPS, "proven")
    assert len(connected.sandbox.journal()) <= requests


@pytest.mark.parametrize("name", NAMED)
def test_what_drifted_costs_one_request_more_at_most(connected, name):
    connected.look("connect")
    requests = len(connected.sandbox.journal())
    connected.sandbox.sabotage("dev", name)
    connected.look("drift")
    assert len(connected.sandbox.journal()) <= requests + 1


def test_secrets_are_fingerprints(connected):
    connected.sandbox.sabotage("dev", "wrong-key-in-flex")
    connected.sandbox.sabotage("dev", "add-key")
    found = str(connected.look("drift"))
    for key in (connected.env.flex_key, *connected.twilio_sources[0].keys, connected.env.profile_token):
        assert key not in found


SEGMENT = "GET /segment/"


def told(found):
    """What a report says of it: the status, and all that could not be read."""
    return status(found)["status"], {*found["unread"]}


# What is wrong with the way to the services -> status, and what could not be read
GAPS = {
    "revoked segment token": ({"sabotage": "segment"}, "failed", set()),
    "revoked profile token": ({"sabotage": "profile"}, "failed", set()),
    "revoked twilio credentials": ({"sabotage": "twilio"}, "failed", set()),
    "wrong region": ({"options": {"segment_region": "eu"}}, "failed", set()),
    "segment does not answer": ({"fault": (SEGMENT, 503)}, "failed", set()),
    "flex does not answer": ({"fault": ("GET /twilio/flex", 500)}, "failed", set()),
    "segment is too busy": ({"fault": (SEGMENT, 429)}, "failed", set()),
    "sources are not answered": ({"fault": (f"{SEGMENT}us/sources", 500)}, "failed", set()),
    "no right to list sources": (
        {"fault": (f"{SEGMENT}us/sources", 403)},
        "unknown",
        {"source", "name", "enabled", "type", "labels", "write_keys"},
    ),
    "no right to see keys": ({"token": "read_only_token"}, "unknown", {"write_keys"}),
    "no right to read the space": ({"fault": (f"{SEGMENT}us/spaces/", 403)}, "unknown", {"space"}),
    "no right to read flex": ({"fault": ("GET /twilio/flex", 403)}, "unknown", {"flex"}),
    "an endpoint does not answer": ({"fault": ("GET /handover/dev/link", 500)}, "unknown", {"link"}),
}


@pytest.mark.parametrize("case", GAPS)
def test_what_cannot_be_read_is_never_well_and_never_drift(connected, case):
    how, expected, unread = GAPS[case]
    options = dict(how.get("options", {}))
    if "sabotage" in how:
        connected.sandbox.sabotage("dev", "revoke-token", which=how["sabotage"])
    if "fault" in how:
        connected.sandbox.fault(match=how["fault"][0], status=how["fault"][1], count=None)
    if "token" in how:
        options["segment_token"] = getattr(connected.env, how["token"])
    found = connected.look("drift", **options)
    assert (status(found)["status"], found["differences"]) == (expected, [])
    assert (bool(found["failure"]), unread if found["failure"] else {*found["unread"]}) == (
        expected == "failed",
        unread,
    )


@pytest.mark.parametrize("failing", [403, 429, 500])
@pytest.mark.parametrize("read", ["audit-events", "events/volume"])
def test_evidence_that_cannot_be_read_is_a_gap(sandbox, tmp_path, read, failing):
    by_endpoint = Looked(sandbox, tmp_path / "endpoint")
    by_endpoint.connect()
    dev = Looked(sandbox, tmp_path / "state", channel="operator", attest_existing="jane")
    dev.connect()
    sandbox.advance(3600)
    assert told(dev.look("drift")) == ("in_sync", set())
    sandbox.fault(match=f"{SEGMENT}us/{read}", status=failing, count=None)
    assert told(dev.look("drift")) == ("unknown", {"link", "key"} if read == "audit-events" else {"key"})


@pytest.mark.parametrize("failing", [403, 500])
def test_where_the_trail_cannot_be_read_nobody_is_blamed(connected, failing):
    connected.sandbox.sabotage("dev", "rename-source")
    connected.sandbox.fault(match=f"{SEGMENT}us/audit-events", status=failing, count=None)
    found = connected.look("drift")
    (difference,) = found["differences"]
    assert (difference["attribute"], difference["by"], difference["since"]) == ("name", "", "")
    assert any(warning.startswith("Who changed it is not known. ") for warning in found["warnings"])


def test_what_was_never_connected_is_pending(dev):
    found = dev.look("drift")
    assert (told(found), found["differences"]) == (("pending", set()), [])
    assert found["due"] == dict.fromkeys(STEPS, "nothing is recorded of it: run connect")


def test_what_was_asked_for_has_its_card(sandbox, tmp_path):
    dev = Looked(sandbox, tmp_path / "state", channel="operator")
    card = dev.connect()["connection"]["card"]
    found = dev.look("drift")
    assert told(found) == ("pending", set())
    assert found["handovers"]["connection"]["card"] == card


def test_a_run_says_nothing_for_anybody(sandbox, tmp_path):
    """What is confirmed or attested is for the runs that act."""
    dev = Looked(sandbox, tmp_path / "state", channel="operator", confirmed_by="jane")
    digest = dev.connect()["connection"]["card"]["digest"]
    for word in ({"confirm_digests": [digest]}, {"attest_existing": "jane"}, {"confirm_digests": ["0" * 12]}):
        found = dev.look("drift", **word)
        assert (status(found)["status"], found["failure"]) == ("pending", "")


@pytest.mark.parametrize(
    ("options", "attribute", "expected", "there"),
    [
        ({"friendly_name": "another"}, "connection", "friendly_name: another", "friendly_name: dev"),
        ({"source_labels": {"team": "x"}}, "labels", "team: x", "no team"),
        ({"source_labels": {"managed-by": "x"}}, "labels", "managed-by: x", "managed-by: ansible"),
        ({"source_name": "another"}, "name", "another", "twilio-unified-profiles"),
    ],
)
def test_an_inventory_that_changed_is_drift_until_it_is_handed_over(connected, options, attribute, expected, there):
    (difference,) = connected.look("drift", **options)["differences"]
    found = difference["attribute"], difference["expected"], difference["found"]
    assert found == (attribute, expected, there)


def test_a_list_that_is_older_than_the_last_change_deletes_nothing(connected):
    connected.sandbox.fault(match="GET /segment/us/sources$", status=200, body='{"data": {"sources": []}}')
    assert told(connected.look("drift")) == ("in_sync", set())
