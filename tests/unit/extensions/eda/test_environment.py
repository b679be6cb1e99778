# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an event is about, whichever way it comes."""

from __future__ import annotations

import datetime
import json
import runpy

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.process import run_process
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_file import FileLedger
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.looked import LookedFile
from support.project import ROOT

pytestmark = pytest.mark.newest_only
# As ansible-rulebook loads it.
main = runpy.run_path(str(ROOT / "extensions/eda/plugins/event_filter/environment.py"))["main"]
KNOWN = {"dev": {"workspace_id": "w1", "twilio_account_sid": "AC1"}, "prod": {"workspace_id": "w2"}}


def about(event, environments=None, own_actors=(), state_dir=""):
    return [
        {**found["unified_profiles"], "hosts": found["meta"]["hosts"]}
        for found in main(event, KNOWN if environments is None else environments, list(own_actors), state_dir)
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
            "looked": False,
            "recovered": False,
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


def test_the_events_of_an_event_stream_are_read():
    """As the controller of Event-Driven Ansible hands them on: with headers, and what is no mapping wrapped in one."""
    meta = {"endpoint": "/e", "eda_event_stream_name": "audit", "headers": {"Content-Type": "application/json"}}
    (found,) = main({**forwarded(), "meta": meta}, KNOWN)
    assert found["unified_profiles"]["environment"] == "dev"
    assert found["meta"] == {**meta, "hosts": ["dev"]}
    wrapped = {"payload": {"body": [logged(49008), logged("49009", "AC9")]}, "meta": meta}
    assert [(one["type"], one["environment"]) for one in about(wrapped)] == [("49008", "dev"), ("49009", "")]


def moment(seconds):
    """A time as Segment writes it, so many seconds from now."""
    found = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return found.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def looks(first, last=None):
    return {"first": moment(first), "last": moment(first if last is None else last)}


def test_what_a_run_has_looked_into_since_is_looked(tmp_path):
    LookedFile(tmp_path).record("drift", {"dev": looks(-60)})

    def judged(seconds):
        event = {"environment": "dev", "audit": {"id": "e", "type": "Source Deleted", "timestamp": moment(seconds)}}
        (found,) = about(event, state_dir=str(tmp_path))
        return found["looked"], found["recovered"]

    assert [judged(-90), judged(-60), judged(-30)] == [(True, False), (False, False), (False, False)]
    LookedFile(tmp_path).record("recover", {"dev": looks(-40), "prod": looks(-40)})
    assert [judged(-50), judged(-30)] == [(True, True), (False, False)]
    # It acted on what its first look found, and saw in the end what it caused itself.
    LookedFile(tmp_path).record("recover", {"dev": looks(-40, -20)})
    assert [judged(-50), judged(-30), judged(-10)] == [(True, True), (True, False), (False, False)]
    LookedFile(tmp_path).record("recover", {"dev": looks(-40)})
    # A clock that was days ahead.
    LookedFile(tmp_path).record("drift", {"dev": looks(200_000)})
    assert judged(-30) == (False, False)
    (tmp_path / "looked.json").write_text('{"environments": {"dev": []}}')
    assert judged(-90) == (False, False)
    # A damaged file is begun anew.
    LookedFile(tmp_path).record("drift", {"dev": looks(-60)})
    assert judged(-90) == (True, False)


@pytest.mark.parametrize("ending", ["run", "ran"])
def test_what_happens_while_a_run_acts_is_its_own(tmp_path, monkeypatch, ending):
    """Until it ends, for it looks again after it gave the lock back."""
    ledger = FileLedger(tmp_path, "a/b")
    assert ledger.read_lock() is None
    here = run_process()
    holder = {"host": here.host, "pid": here.pid, "started": here.started, "renewed": moment(0)}
    assert ledger.write_lock(holder)
    if ending == "ran":
        ledger.read_lock()
        assert ledger.write_lock(None)
        assert ledger.read_lock() is None
    monkeypatch.setenv("UNIFIED_PROFILES_STATE_DIR", str(tmp_path))

    def own(kind, environment="a/b"):
        event = {"environment": environment, "audit": {"id": "e", "type": kind, "timestamp": moment(0)}}
        (found,) = main(event, {}, [])
        return found["unified_profiles"]["own"]

    # The collection never deletes a source.
    assert [own("Source Modified"), own("Source Modified", "dev"), own("Source Deleted")] == [True, False, False]
    (lock,) = (tmp_path / "ledger").glob(f"*.{ending}")
    lock.write_text(json.dumps({**holder, "started": "before"}))
    assert own("Source Modified") is False, "it has ended"
    # Of a run elsewhere nobody knows whether it lives: its lock counts for an hour, and nothing once it gave it back.
    lock.write_text(json.dumps({**holder, "host": "elsewhere"}))
    assert own("Source Modified") is (ending == "run")
    lock.write_text(json.dumps({**holder, "host": "elsewhere", "renewed": moment(-4000)}))
    assert own("Source Modified") is False
    lock.write_text('{"host": ')
    assert own("Source Modified") is False


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
