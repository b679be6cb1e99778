# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What exists in an environment of the sandbox: what is found, what is only hinted at, and what is never taken silently."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.standing import OPTIONS, look_what_exists
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.arguments import check
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import (
    ModuleContext,
    http_settings,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec
from ansible_collections.flexops.unified_profiles.plugins.modules import profiles_connection
from sandbox import handovers
from sandbox.model import fingerprint
from support.environment import Environment

SPEC = ArgumentSpec(OPTIONS).argument_spec
TOKENS = ("segment_token", "profile_token", "twilio_api_key", "twilio_api_secret", "segment_region")


class Standing(Environment):
    """An environment that was connected by hand, of which no more than its tokens is known."""

    def __init__(self, sandbox, state_dir, name="dev", connected=True):
        super().__init__(sandbox, state_dir, name)
        self.options |= {"profile_token": self.env.profile_token}
        if connected:
            form = {"friendly_name": "by hand", "space_id": self.env.space["id"], "allow_write_events": True}
            handovers.connect(sandbox.world, self.env, {**form, "profile_token": self.env.profile_token})

    def look(self, workers=1, **options):
        known = {name: self.known[name] for name in (*TOKENS, "sandbox_url", "environment", "state_dir", "timeout")}
        params, problems = check(SPEC, {**known, "retry_budget": 0.0, **options})
        assert problems == []
        transport = Transport(http_settings(params), read_only=True, remember=True)
        found = look_what_exists(ModuleContext(params, True, transport, workers))
        assert self.sandbox.journal(writes=True) == []
        return found

    def attest(self, friendly_name="dev"):
        """Record the connection, as a run of connect does."""
        options = {"allow_write_events": True, "friendly_name": friendly_name, "attest_existing": "jane"}
        assert self.run(profiles_connection, **options)["handover"]["status"] == "done"
        self.sandbox.clear_journal()


@pytest.fixture
def dev(sandbox, tmp_path):
    return Standing(sandbox, tmp_path / "state")


@pytest.mark.parametrize("workers", [1, 8])
def test_all_that_services_tell_is_found(dev, workers):
    dev.twilio_sources[0].labels = [{"key": "managed-by", "value": "ansible"}]
    found = dev.look(workers)
    assert found["problems"] == []
    assert found["facts"] == {
        "segment_region": "us",
        "space_id": dev.env.space["id"],
        "twilio_account_sid": dev.env.account_sid,
        "source_name": "twilio-unified-profiles",
        "source_labels": {"managed-by": "ansible"},
    }
    # Nothing but the console tells it.
    assert [*found["hints"]] == ["friendly_name"]
    assert found["workspace"]["id"] == dev.env.workspace["id"]
    assert found["notes"][1:] == ["Space dev space", f"Source {dev.twilio_sources[0].id}"]


def test_what_is_given_stays(dev):
    given = {"space_id": dev.env.space["id"], "friendly_name": "mine", "twilio_account_sid": dev.env.account_sid}
    found = dev.look(**given)
    assert found["problems"] == []
    assert {name: found["facts"][name] for name in given} == given


@pytest.mark.parametrize("name", ["dev", "eu"])
def test_a_region_is_asked_for_where_the_entry_says_so(sandbox, tmp_path, name):
    found = Standing(sandbox, tmp_path / "state", name).look(segment_region="ask")
    assert (found["problems"], found["facts"]["segment_region"]) == ([], sandbox.world.environments[name].region)


def test_no_token_goes_to_the_other_region_unasked(sandbox, tmp_path):
    eu = Standing(sandbox, tmp_path / "state", "eu")
    found = eu.look(segment_region="us")
    assert len(found["problems"]) == 1
    assert found["problems"][0].endswith("Where the region is not known, write segment_region: ask.")
    asked = [entry for entry in sandbox.journal() if "segment" in entry["service"]]
    assert len(asked) == 1, asked
    # What does not depend on it is found all the same.
    assert found["facts"]["twilio_account_sid"] == eu.env.account_sid


@pytest.mark.parametrize("region", ["us", "ask"])
def test_a_token_of_no_workspace(dev, region):
    found = dev.look(segment_region=region, segment_token="sgp_" + "0" * 64)
    assert len(found["problems"]) == 1
    assert "segment_token" in found["problems"][0]
    assert "space_id" in found["hints"]
    assert ("segment_region" in found["facts"]) == (region != "ask")


def test_a_region_is_not_guessed_where_the_services_fail(dev):
    dev.sandbox.fault(count=None, match="GET /", status=503)
    found = dev.look(segment_region="ask")
    assert "503" in " ".join(found["problems"])


def test_a_workspace_without_spaces(dev):
    dev.env.spaces = []
    found = dev.look()
    assert found["problems"][0].startswith("space_id: the workspace has no space.")
    assert found["hints"]["space_id"] == "spa_..."
    # Its source is found nevertheless.
    assert found["facts"]["source_labels"] == {}


def test_of_several_spaces_one_is_to_be_chosen(dev):
    dev.sandbox.sabotage("dev", "add-space")
    one, other = (space["id"] for space in dev.env.spaces)
    found = dev.look()
    assert "space_id" not in found["facts"]
    assert found["hints"]["space_id"] == dev.env.space["id"]
    assert f"profile_token belongs to {dev.env.space['id']}." in found["problems"][0]
    assert one in found["problems"][0]
    assert other in found["problems"][0]
    without = dev.look(profile_token="")
    assert without["hints"]["space_id"] == f"{one} or {other}"
    assert dev.look(space_id=dev.env.space["id"])["problems"] == []


@pytest.mark.parametrize("how", ["given", "exported", "recorded"])
def test_a_space_that_was_replaced_is_never_taken_silently(dev, how):
    before = dev.env.space["id"]
    options = {"given": {"space_id": before}, "exported": {"exported_space_id": before}, "recorded": {}}[how]
    if how == "recorded":
        dev.attest(friendly_name="recorded")
    dev.sandbox.sabotage("dev", "add-space")
    dev.sandbox.sabotage("dev", "delete-space")
    found = dev.look(**options)
    assert found["problems"][0].startswith(f"space_id: the space {before} is not in the workspace")
    assert found["facts"]["space_id"] == before
    if how == "recorded":
        assert found["facts"]["friendly_name"] == "recorded"


def test_a_ledger_that_cannot_be_read_is_told(dev):
    dev.attest()
    (dev.state_dir / "ledger/dev.json").write_text("{")
    found = dev.look()
    assert len(found["problems"]) == 1
    assert "dev.json" in found["problems"][0]
    assert found["facts"]["space_id"] == dev.env.space["id"]


def test_a_token_in_the_place_of_a_space_is_not_written(dev):
    found = dev.look(space_id=dev.env.profile_token)
    assert "space_id" not in found["facts"]
    assert dev.env.profile_token not in str(found)


def test_a_profile_token_of_another_space(dev):
    found = dev.look(profile_token="x" * 40)
    assert len(found["problems"]) == 1
    assert "profile_token" in found["problems"][0]
    assert found["facts"]["space_id"] == dev.env.space["id"]


def test_an_account_that_is_another_stays_as_it_was_given(dev):
    given = "AC" + "0" * 32
    found = dev.look(twilio_account_sid=given)
    assert found["facts"]["twilio_account_sid"] == given
    assert dev.env.account_sid in found["problems"][0]


def test_what_is_no_account_is_not_written(dev):
    found = dev.look(twilio_account_sid=dev.env.auth_token)
    assert "twilio_account_sid" not in found["facts"]
    assert found["problems"][0].startswith("twilio_account_sid: must be the SID of an account")


@pytest.mark.parametrize(
    ("sabotage", "hinted", "told"),
    [
        ("delete-source", "", "There is no source"),
        ("duplicate-name", "source_id", "2 sources fit the name"),
        ("add-key", "key_fingerprint", "has 2 keys"),
        ("swap-type", "", "must be Java"),
        ("no-flex", "twilio_account_sid", "Flex is not ready"),
    ],
)
def test_what_stands_in_the_way_is_told_with_what_to_choose_from(dev, sabotage, hinted, told):
    dev.sandbox.sabotage("dev", sabotage)
    found = dev.look()
    assert len(found["problems"]) == 1
    assert told in found["problems"][0]
    assert {*found["hints"]} - {"friendly_name", hinted} == set()


def test_a_choice_that_was_made_settles_it(dev):
    dev.sandbox.sabotage("dev", "add-key")
    assert dev.look(key_fingerprint=fingerprint(dev.env.flex_key))["problems"] == []
    dev.sandbox.sabotage("dev", "duplicate-name")
    (source, *_other) = dev.twilio_sources
    chosen = {"source_id": source.id, "key_fingerprint": fingerprint(source.keys[0])}
    assert dev.look(**chosen)["problems"] == []


def test_only_the_older_official_source(sandbox, tmp_path):
    dev = Standing(sandbox, tmp_path / "state", connected=False)
    sandbox.sabotage("dev", "legacy-source")
    found = dev.look()
    assert "flex-unify-server-source" in found["problems"][0]
    assert found["hints"]["ignore_legacy"] == "true"


@pytest.mark.parametrize(("sabotage", "note"), [("rename-source", "called"), ("disable-source", "disabled")])
def test_what_a_connect_would_repair_is_noted(dev, sabotage, note):
    dev.sandbox.sabotage("dev", sabotage)
    found = dev.look()
    assert found["problems"] == []
    assert note in found["notes"][-1]
    assert found["facts"]["source_name"] == "twilio-unified-profiles"


def test_about_an_environment_under_a_regulation_nobody_is_asked(dev):
    found = dev.look(regulated=["hipaa"])
    assert found["problems"][0].endswith("Nothing was asked about it.")
    assert dev.sandbox.journal() == []


@pytest.mark.parametrize("missing", ["segment_token", "profile_token", "twilio_api_secret"])
def test_a_missing_token_keeps_nothing_else_from_being_found(dev, missing):
    found = dev.look(**{missing: ""})
    assert missing in found["problems"][0]
    assert ("twilio_account_sid" in found["facts"]) == (missing != "twilio_api_secret")
    assert ("source_labels" in found["facts"]) == (missing != "segment_token")
