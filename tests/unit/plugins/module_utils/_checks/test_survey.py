# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One look at one environment of the sandbox: what is due, and why, and that no look ever writes."""

from __future__ import annotations

import contextlib
import datetime
import errno
import json
import os
import re

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.text import printable
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.survey import CHAINS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients.twilio_monitor import MonitorApi
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import environment_status
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import HttpSettings
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import (
    ModuleContext,
)
from ansible_collections.flexops.unified_profiles.plugins.modules import segment_source
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._remember import keep
from support.environment import STEPS
from support.looked import Looked, verdicts

ACTING = ("connect", "recover")


@pytest.fixture
def dev(sandbox, tmp_path):
    return Looked(sandbox, tmp_path / "state")


@pytest.fixture
def connected(dev):
    assert {step: done["status"] for step, done in dev.connect().items()} == dict.fromkeys(STEPS, "done")
    return dev


@pytest.fixture
def read_only(monkeypatch):
    """Call it, and no file can be made any more."""
    real = os.open

    def refuse(path, flags, *more, **named):
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        return real(path, flags, *more, **named)

    return lambda: monkeypatch.setattr(os, "open", refuse)


@pytest.mark.parametrize("playbook", CHAINS)
def test_what_is_connected_has_nothing_due(connected, playbook):
    found = connected.look(playbook)
    assert (found["failure"], found["due"], found["cards"], found["findings"]) == ("", {}, [], [])
    assert verdicts(found) == dict.fromkeys(STEPS, "proven")
    assert found["source"]["name"] == "twilio-unified-profiles"
    assert found["workspace"] == {key: connected.env.workspace[key] for key in ("id", "name", "slug")}
    assert (found["region"], found["sandbox_url"], found["source_gone"]) == ("us", connected.sandbox.url, False)


def requests(sandbox):
    """Return how many there were for the look, and how many besides, to foresee what Segment does by itself."""
    besides = [e for e in sandbox.journal() if e["path"].endswith(("/connected-destinations", "/connected-warehouses"))]
    return len(sandbox.journal()) - len(besides), len(besides)


def test_nothing_is_requested_twice(connected):
    connected.look()
    assert requests(connected.sandbox) == (9, 2)


def test_a_snapshot_takes_six_requests_more_and_none_while_it_is_young(connected):
    """With one warehouse, and no destination."""
    taken = connected.look(snapshot=True)["snapshot"]
    assert (requests(connected.sandbox), taken["snapshot"]["unread"]) == ((15, 2), {})
    assert keep({"dev": taken}, lambda name: ({}, [])) == []
    assert connected.look(snapshot=True)["snapshot"] is None
    assert requests(connected.sandbox) == (9, 2)


@pytest.mark.parametrize(("whose", "link"), [("source", "proven"), ("space", "attested")])
def test_the_first_look_after_the_hand_over_has_what_the_audit_trail_shows(sandbox, tmp_path, whose, link):
    """The link is proven without one event, where the trail says which source was connected."""
    sandbox.world.switch({"space_event_resource": whose})
    by_form = Looked(sandbox, tmp_path / "endpoint")
    by_form.connect()
    dev = Looked(sandbox, tmp_path / "state", channel="operator", attest_existing="jane")
    dev.connect()
    found = dev.look()
    assert verdicts(found) == {"connection": "attested", "link": link, "key": "attested"}
    hint = "for this space, and does not say of which source"
    assert (hint in found["verdicts"]["link"]["reason"]) == (whose == "space")
    dev.work()
    assert verdicts(dev.look()) == dict.fromkeys(STEPS, "proven")
    assert requests(sandbox) == (10, 2)


def test_however_many_reads_run_together_the_look_is_the_same(connected):
    one, many = ({**found, "verdicts": verdicts(found)} for found in (connected.look(), connected.look(workers=8)))
    assert one == {**many, "clock_skew": one["clock_skew"]}


def test_a_first_connect_cannot_foretell_the_source(dev):
    found = dev.look()
    assert found["due"] == {
        "connection": "it is to be sent to the endpoint",
        "source": "the form creates it, so its id and key cannot be predicted",
    }
    assert (found["source"], found["source_gone"]) == (None, False)


def test_a_person_is_to_be_asked_once(sandbox, tmp_path):
    dev = Looked(sandbox, tmp_path / "state", channel="operator")
    first = dev.look()
    assert first["due"] == {"connection": "it is to be asked for"}
    dev.connect()
    second = dev.look()
    assert second["due"] == {}
    assert second["handovers"]["connection"]["status"] == "pending"
    assert second["handovers"]["connection"]["card"]["step"] == "connection"


def asked_for_the_account(sandbox):
    return sum(entry["path"].startswith("/twilio/api/") for entry in sandbox.journal())


@pytest.mark.parametrize(("right", "name"), [(200, "{{ 1 }} \\x1b[0m <b>"), (401, ""), (403, "")])
def test_the_account_is_named_where_there_is_a_card_and_the_right_to_read_its_name(sandbox, tmp_path, right, name):
    dev = Looked(sandbox, tmp_path / "state", channel="operator")
    sandbox.switch(account_by_key=right)
    dev.env.account_name = "{{ 1 }} \x1b[0m <b>"
    found = dev.look()
    assert (found["failure"], found["account_name"], found["warnings"]) == (
        "",
        dev.env.account_name if name else "",
        [],
    )
    assert asked_for_the_account(sandbox) == 1
    (card,) = environment_status(printable(found), check_mode=False)["cards"]
    sid = f"Twilio account {dev.env.account_sid}"
    assert card["where"][0] == (f"{sid} ({name})" if name else sid)


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"kind": "drop_before"}, {"kind": "html"}, {"body": {"friendly_name": 1}}]
)
def test_a_name_that_cannot_be_read_costs_one_request_and_nothing_else(sandbox, tmp_path, fault):
    dev = Looked(sandbox, tmp_path / "state", channel="operator", retry_budget=60.0)
    sandbox.switch(account_by_key=200)
    usual = dev.look()["requests"]
    sandbox.fault(match="/twilio/api", count=None, **fault)
    found = dev.look()
    assert (found["failure"], found["account_name"], list(found["due"])) == ("", "", ["connection"])
    assert found["requests"] == usual


def test_what_is_asked_in_passing_takes_no_more_than_seconds():
    with contextlib.closing(Transport(HttpSettings(timeout=300, retry_budget=900))) as transport:
        passing = transport.in_passing()
        assert (passing.settings.timeout, passing.budget.left) == (5.0, 0.0)
        assert (transport.settings.timeout, transport.budget.left) == (300, 900)


@pytest.mark.parametrize("what", ["confirmations", "confirm_digests", "attest_existing"])
def test_a_word_is_due_even_before_the_form_has_made_its_source(sandbox, tmp_path, what):
    """Only the task waits for the source."""
    dev = Looked(sandbox, tmp_path / "state", channel="operator", confirmed_by="jane")
    digest = dev.connect()["connection"]["card"]["digest"]
    word = {
        "confirmations": {"connection": {"by": "jane", "digest": digest}},
        "confirm_digests": [digest],
        "attest_existing": "jane",
    }[what]
    found = dev.look(**{what: word})
    assert found["failure"] == ""
    assert found["due"] == {"connection": "it was confirmed, and the source that the form creates is not there yet"}


def test_what_somebody_did_is_to_be_recorded(sandbox, tmp_path):
    by_endpoint = Looked(sandbox, tmp_path / "endpoint")
    by_endpoint.connect()
    dev = Looked(sandbox, tmp_path / "state", channel="operator")
    found = dev.look(attest_existing="jane")
    assert found["due"]["connection"] == "it is to be recorded as done (existing, by jane)"


def test_a_card_that_has_changed_since_confirms_nothing(sandbox, tmp_path):
    dev = Looked(sandbox, tmp_path / "state", channel="operator")
    dev.connect()
    found = dev.look(confirmations={"connection": {"by": "jane", "digest": "0" * 12}})
    assert "it has changed since the task card was written" in found["failure"]
    assert [card["step"] for card in found["cards"]] == ["connection"]


# Sabotage -> what is due for connect, and for recover
SENT = "it is to be sent to the endpoint"
DUE = {
    "rename-source": ({"source": "it is called 'renamed by hand'"},) * 2,
    "disable-source": ({"source": "it is disabled"},) * 2,
    "remove-key": ({"key": SENT},) * 2,
    "disconnect-from-space": ({"link": SENT},) * 2,
    "wrong-key-in-flex": ({"key": SENT},) * 2,
    "wrong-token-in-flex": ({"connection": SENT}, {}),
    "lose-connector": ({"connection": SENT}, {}),
    "add-key": ({}, {}),
    "disconnect-warehouses": ({}, {}),
    "add-destination": ({}, {}),
    "rename-space": ({}, {}),
}


@pytest.mark.parametrize("playbook", ACTING)
@pytest.mark.parametrize("sabotage", DUE)
def test_what_is_due_and_why(connected, sabotage, playbook):
    connected.sandbox.sabotage("dev", sabotage)
    found = connected.look(playbook)
    assert found["failure"] == ""
    assert found["due"] == DUE[sabotage][ACTING.index(playbook)]


def test_a_label_that_is_missing_is_due(connected):
    (source,) = connected.twilio_sources
    source.labels = [{"key": "team", "value": "x"}]
    assert connected.look()["due"] == {"source": "labels are missing"}


@pytest.mark.parametrize("playbook", ACTING)
def test_what_shall_not_be_mended_is_told_and_not_due(connected, playbook):
    connected.sandbox.sabotage("dev", "disable-source")
    found = connected.look(playbook, repair=False)
    assert (found["failure"], found["due"]) == ("", {})
    assert [finding["problem"] for finding in found["findings"]] == ["disabled"]


def test_recover_makes_what_was_deleted_and_hands_it_over(connected):
    connected.sandbox.sabotage("dev", "delete-source")
    found = connected.look("recover")
    assert found["due"] == {"source": "there is none", "link": SENT, "key": SENT}
    assert (found["source_gone"], found["failure"]) == (True, "")
    assert [finding["problem"] for finding in found["findings"]] == ["deleted"]
    assert (verdicts(found)["link"], verdicts(found)["key"]) == ("pending", "pending")


def test_recover_says_who_renamed_a_source_and_makes_none(connected):
    connected.sandbox.sabotage("dev", "rename-source")
    found = connected.look("recover")
    assert found["source_gone"] is False
    (finding,) = found["findings"]
    assert finding["problem"] == "renamed"
    assert "by ops@example.com" in finding["detail"]


@pytest.mark.parametrize("sabotage", ["wrong-token-in-flex", "lose-connector"])
def test_recover_shows_what_it_cannot_mend(connected, sabotage):
    connected.sandbox.sabotage("dev", sabotage)
    found = connected.look("recover")
    assert verdicts(found) == {"connection": "broken", "link": "proven", "key": "proven"}
    assert [card["step"] for card in found["cards"]] == ["connection"]


def test_a_test_event_is_due_only_where_nothing_else_shows_the_link(sandbox, tmp_path, read_only):
    by_endpoint = Looked(sandbox, tmp_path / "endpoint")
    by_endpoint.connect()
    dev = Looked(sandbox, tmp_path / "state", channel="operator", attest_existing="jane")
    dev.connect()
    assert "link" not in dev.look(test_event=True)["due"]
    # Nothing else shows it any more.
    dev.env.audit.clear()
    assert dev.look(test_event=True)["due"]["link"] == "only a test event can show that it exists"
    assert "link" not in dev.look(test_event=False)["due"]
    sent = {"status": "not_seen", "source_id": dev.twilio_sources[0].id}
    assert "link" not in dev.look(test_event=True, sent_test_event=sent)["due"]
    read_only()
    assert "dev.json cannot be written: Read-only file system" in dev.look(test_event=True)["failure"]


@pytest.mark.parametrize("playbook", ACTING)
def test_a_ledger_that_cannot_be_written_is_found_before_anything_is_sent(connected, read_only, playbook):
    connected.sandbox.sabotage("dev", "rename-source")
    read_only()
    found = connected.look(playbook)
    assert list(found["due"]) == ["source"]
    assert (
        f"The ledger {connected.state_dir}/ledger/dev.json cannot be written: Read-only file system" in found["failure"]
    )
    assert "mount it writable" in found["failure"]


@pytest.mark.parametrize("playbook", CHAINS)
def test_a_read_only_ledger_is_no_matter_where_nothing_is_to_be_recorded(connected, read_only, playbook):
    if playbook == "drift":
        connected.sandbox.sabotage("dev", "rename-source")
    read_only()
    assert connected.look(playbook)["failure"] == ""


# What Segment does by itself

DAY = datetime.timedelta(days=1)


def foreseen(found):
    return [it["detail"] for it in found["findings"] if it["problem"] == "may_be_disabled"]


def day(at, days=14):
    return f"{at + days * DAY:%Y-%m-%d}"


@pytest.mark.parametrize("playbook", CHAINS)
def test_that_segment_may_disable_the_source_is_foreseen_with_the_day(connected, playbook):
    made, sandbox = connected.sandbox.world.now(), connected.sandbox
    assert foreseen(connected.look(playbook)) == []
    sandbox.sabotage("dev", "disconnect-warehouses")
    for days in (0, 13):
        sandbox.advance(days * DAY.total_seconds())
        found = connected.look(playbook, workers=8)
        (told,) = foreseen(found)
        assert told.startswith(f"Segment may disable the source by itself on {day(made)}: ")
        assert told.endswith("Whether the space counts as one is not known.")
        assert (found["due"], verdicts(found)) == ({}, dict.fromkeys(STEPS, "proven"))
    if playbook == "connect":  # others read the audit trail anyway
        assert requests(sandbox) == (10, 2)


@pytest.mark.parametrize("enabled", [True, False])
def test_an_enabled_destination_keeps_the_source(connected, enabled):
    connected.sandbox.sabotage("dev", "disconnect-warehouses")
    connected.sandbox.sabotage("dev", "add-destination", enabled=enabled)
    assert bool(foreseen(connected.look())) is not enabled


def test_without_the_trail_the_day_is_that_of_the_hand_over_at_the_latest(connected):
    connected.sandbox.sabotage("dev", "disconnect-warehouses")
    (told,) = foreseen(connected.look(segment_token=connected.env.admin_token))
    assert f"by itself on {day(connected.sandbox.world.now())} or before: " in told


@pytest.mark.parametrize("what", ["connected-destinations", "connected-warehouses"])
@pytest.mark.parametrize("fault", [{"status": 403}, {"kind": "html"}])
def test_where_it_cannot_be_read_what_keeps_the_source_nothing_is_foreseen(connected, what, fault):
    connected.sandbox.sabotage("dev", "disconnect-warehouses")
    connected.sandbox.fault(match=f"GET /segment*{what}", count=None, **fault)
    found = connected.look()
    assert (found["failure"], found["findings"]) == ("", [])


@pytest.mark.parametrize("playbook", ACTING)
@pytest.mark.parametrize("space_counts", [False, True])
def test_what_segment_disabled_itself_is_told_with_the_cures(connected, playbook, space_counts):
    sandbox = connected.sandbox
    sandbox.world.switch({"space_keeps_source": space_counts})
    sandbox.sabotage("dev", "disconnect-warehouses")
    sandbox.advance(22 * DAY.total_seconds())
    found = connected.look(playbook)
    if space_counts:
        # It lived on for so long that the space has to count.
        assert (found["findings"], found["due"]) == ([], {})
        return
    (finding,) = found["findings"]
    assert finding["problem"] == "disabled_by_segment"
    assert "was disabled" in finding["detail"]
    assert "by Segment" in finding["detail"]
    assert "Enabling it again lasts for 14 days, unless it gets one (a warehouse may do)" in finding["detail"]
    assert found["due"] == ({} if playbook == "drift" else {"source": "it is disabled"})
    (difference,) = found["differences"]
    assert (difference["attribute"], difference["by"]) == ("enabled", "Segment")
    source = connected.run(segment_source, create=False, enabled=True)
    assert source["changed"]
    assert source["findings"][0]["detail"].endswith("requested by a form.")
    assert source["findings"][0]["mended"] == "enabled again"
    (told,) = foreseen(connected.look(playbook))
    assert f"by itself on {day(sandbox.world.now())}: " in told


def test_what_a_person_disabled_is_no_work_of_segment(connected):
    connected.sandbox.sabotage("dev", "disconnect-warehouses")
    connected.sandbox.sabotage("dev", "disable-source")
    (finding,) = connected.look()["findings"]
    assert (finding["problem"], "Segment" in finding["detail"]) == ("disabled", False)
    assert connected.look("drift")["findings"] == []


# Sabotage -> by playbook, what the failure says
FAILURES = {
    "delete-source": {"connect": "run the playbook recover"},
    "swap-type": {"connect": "must be Java", "recover": "must be Java"},
    "duplicate-name": {"connect": "2 sources fit the name", "recover": "2 sources fit the name"},
    "no-flex": {"connect": "Flex is not ready", "recover": "Flex is not ready"},
    "revoke-token": {"connect": "segment_token", "recover": "segment_token"},
    "delete-space": {"connect": "Check space_id", "recover": "Check space_id"},
}


@pytest.mark.parametrize(
    ("sabotage", "playbook"), [(sabotage, playbook) for sabotage, told in FAILURES.items() for playbook in told]
)
def test_what_cannot_be_done_is_told_and_nothing_is_due(connected, sabotage, playbook):
    connected.sandbox.sabotage("dev", sabotage)
    found = connected.look(playbook)
    assert FAILURES[sabotage][playbook] in found["failure"]
    assert (found["due"], found["verdicts"], found["source_gone"]) == ({}, {}, False)


def test_a_wrong_region_is_told_before_what_it_explains(dev):
    failure = dev.look(segment_region="eu")["failure"]
    assert re.match(r"\d of the checks failed\. \[region\] segment_region: .* Set segment_region to 'us'\.", failure), (
        failure
    )


def test_the_spaces_that_there_are_in_place_of_an_unknown_one_are_told(dev):
    space = dev.env.space
    failure = dev.look(space_id="spa_unknown")["failure"]
    assert f"is in another workspace. The workspace has {space['id']} ({space['name']})." in failure
    # Nothing in it is random.
    assert dev.look(space_id="spa_unknown")["failure"] == failure
    dev.env.spaces += [{**space, "id": f"spa_{number}"} for number in range(20)]
    assert "and 11 more." in dev.look(space_id="spa_unknown")["failure"]
    dev.sandbox.fault(match="GET /segment/us/spaces$", status=403, count=None)
    assert "The workspace has" not in dev.look(space_id="spa_unknown")["failure"]


@pytest.mark.parametrize("playbook", ["connect", "drift"])
@pytest.mark.parametrize("wrong", ["http://user:{}@127.0.0.1:9/x", "{}"])
def test_a_secret_in_the_place_of_the_space_is_neither_shown_nor_taken_for_a_space_that_is_gone(
    connected, playbook, wrong
):
    secret = "marked-0123456789-abcdef"
    found = connected.look(playbook, space_id=wrong.format(secret))
    assert "space" in found["failure"] + json.dumps(found["differences"])
    assert secret not in json.dumps(found)
    asked = [entry["path"] for entry in connected.sandbox.journal() if secret in entry["path"]]
    assert bool(asked) == (wrong == "{}")
    assert wrong == "{}" or "space" not in [it["attribute"] for it in found["differences"]]


def test_a_lost_ledger_of_what_is_connected_leads_to_the_take_over(sandbox, tmp_path):
    Looked(sandbox, tmp_path / "lost").connect()
    dev = Looked(sandbox, tmp_path / "state", channel="operator")
    (first, second, *_more) = dev.look()["handovers"]["connection"]["card"]["warnings"]
    assert first.endswith("take it over: -e unified_profiles_attest_existing=NAME")
    assert second.startswith("The form creates a source of its own")
    assert {step: done["status"] for step, done in dev.connect().items()} == {"connection": "pending"}
    assert dev.look(attest_existing="jane")["due"]["connection"] == "it is to be recorded as done (existing, by jane)"


def test_recover_makes_no_source_where_there_never_was_one(dev):
    found = dev.look("recover")
    assert "no trace that there ever was one" in found["failure"]
    assert (found["due"], found["source_gone"]) == ({}, False)
    assert dev.look("recover", recover_without_trace=True)["due"]["source"] == "there is none"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"allow_write_events": None}, "allow_write_events"),
        ({"allow_write_events": False}, "allow_write_events"),
        ({"regulated": ["hipaa"]}, "HIPAA"),
        ({"source_name": " "}, "source_name"),
        ({"attest_existing": " "}, "attest_existing: is empty, or still"),
        ({"attest_existing": "NAME"}, "attest_existing: is empty, or still"),
    ],
)
def test_nothing_is_requested_for_what_may_not_be_connected(dev, options, said):
    found = dev.look(**options)
    assert said in found["failure"]
    # What is read at the same time as the checks may be; nothing is due.
    assert found["due"] == {}


def test_a_service_that_fails_fails_this_environment(connected):
    connected.sandbox.fault(match="GET /segment/us/sources", status=500, count=None)
    found = connected.look()
    assert "HTTP 500" in found["failure"]
    assert found["due"] == {}


def test_a_space_that_is_answered_as_null_is_not_there(connected):
    connected.sandbox.fault(match="GET /segment/us/spaces", status=200, body='{"data": {"space": null}}')
    assert "is known to this token: it does not exist" in connected.look()["failure"]


@pytest.mark.parametrize("playbook", ACTING)
def test_a_write_in_a_look_is_a_defect_and_is_not_sent(connected, playbook, monkeypatch):
    def write(call, _resource):
        call.public_api().create_source("x", "y", enabled=True)

    (source,) = connected.twilio_sources
    connected.options["rotate_now"] = {"dev": fingerprint(source.keys[0])}
    monkeypatch.setattr(ModuleContext, "reconcile", write)
    with pytest.raises(AssertionError, match="in read-only mode"):
        connected.look(playbook)
    assert connected.sandbox.journal(writes=True) == []


def test_evidence_that_was_not_reached_fails_the_look(connected, monkeypatch):
    """Evidence that cannot be read is unknown. What there was no time for is not: nobody knows what it would have shown."""

    def too_late(api, *_times):
        raise api.service.failures.not_reached("GET /v1/Alerts", None)

    monkeypatch.setattr(MonitorApi, "connector_alerts", too_late)
    assert "The time for this environment was used up at Twilio Monitor" in connected.look()["failure"]
