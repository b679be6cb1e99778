# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verdicts of the real modules against the sandbox, in which evidence has to be earned: Flex writes with whatever key it holds."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.times import format_time
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_file import FileLedger
from ansible_collections.flexops.unified_profiles.plugins.modules import (
    flex_source_key,
    profiles_connection,
    profiles_info,
    profiles_link,
    segment_test_event,
)
from sandbox import handovers
from support.environment import STEPS, Environment

# Bodies of modules, which Ansible has no part in.
pytestmark = pytest.mark.newest_only

DAY = 24 * 3600


class Rollout(Environment):
    """The environment dev, connected by hand and attested by jane, as the playbooks would call the modules."""

    def __init__(self, sandbox, folder, audit="space"):
        """Where the audit trail's events about the link have the space's id, events alone prove it."""
        super().__init__(sandbox, folder, attest_existing="jane", allow_write_events=True, friendly_name="dev")
        sandbox.world.switch({"space_event_resource": audit})
        form = {"space_id": self.env.space["id"], "profile_token": self.env.profile_token, "allow_write_events": True}
        handovers.connect(sandbox.world, self.env, form)
        self.hand_over()

    @property
    def source(self):
        (source,) = self.twilio_sources
        return source

    @property
    def known(self):
        return {
            **super().known,
            "profile_token": self.env.profile_token,
            "source_id": self.source.id,
            "key_fingerprints": [fingerprint(key) for key in self.source.keys],
            "clock_skew": self.sandbox.world.offset.total_seconds(),
        }

    def run(self, module, check_mode=False, **options):
        result = super().run(module, check_mode, **options)
        assert not result.get("failed"), result
        return result

    def hand_over(self):
        for module in (profiles_connection, profiles_link, flex_source_key):
            self.run(module)

    def judged(self, **options):
        """The verdicts, and the reasons as one text."""
        self.result = self.run(profiles_info, **options)
        steps = self.result["steps"]
        return [steps[step]["verdict"] for step in STEPS], " | ".join(steps[step]["reason"] for step in STEPS)


@pytest.fixture
def rollout(sandbox, tmp_path):
    return Rollout(sandbox, tmp_path)


def test_engagements_prove_all(rollout):
    assert rollout.judged()[0] == ["attested"] * 3
    rollout.work(12)
    verdicts, reasons = rollout.judged()
    assert verdicts == ["proven"] * 3
    assert "Flex wrote 12 engagements through the only key since" in reasons
    assert rollout.result["unread"] == []


def test_engagements_of_yesterday_prove_a_hand_over_of_last_week(rollout, sandbox):
    sandbox.advance(9 * DAY)
    rollout.work()
    sandbox.advance(DAY)
    assert rollout.judged()[0] == ["proven"] * 3
    # Older than a proof may be, and still seen.
    sandbox.advance(3 * DAY)
    verdicts, reasons = rollout.judged()
    assert verdicts == ["attested"] * 3
    assert "last proven at" in reasons
    assert rollout.judged(proof_max_age=5.0)[0] == ["proven"] * 3
    sandbox.advance(30 * DAY)
    verdicts, reasons = rollout.judged()
    assert verdicts == ["attested"] * 3
    assert "no Flex event has come since" in reasons
    assert rollout.result["suspicions"] == []


def other_source(rollout):
    return next(s for s in rollout.env.sources.values() if s.name == "server")


def test_the_key_of_another_source_in_flex(rollout, sandbox):
    rollout.work()
    assert rollout.judged()[0] == ["proven"] * 3
    other = other_source(rollout)
    handovers.store_key(sandbox.world, rollout.env, other.keys[0])
    sandbox.advance(DAY)
    rollout.work()
    # Not before the events of the right key can no longer be late.
    assert rollout.judged()[0] == ["attested", "attested", "proven"]
    assert rollout.result["suspicions"] == []
    sandbox.advance(DAY / 2)
    verdicts, reasons = rollout.judged()
    assert verdicts == ["attested", "attested", "attested"]
    assert f"Flex writes through the source {other.id} since" in reasons
    assert [suspicion["problem"] for suspicion in rollout.result["suspicions"]] == ["suspected_wrong_key"]
    (card,) = rollout.result["cards"]
    assert (card["step"], card["digest"]) == ("key", "")
    looked_at = {"acknowledge": [card["acknowledge"]], "confirmed_by": "jane"}
    assert rollout.judged(**looked_at)
    assert (rollout.result["changed"], rollout.result["suspicions"]) == (True, [])
    sandbox.advance(DAY)
    rollout.judged()
    assert rollout.result["suspicions"] == []


def test_a_key_that_is_none_in_flex(rollout, sandbox):
    sandbox.sabotage("dev", "wrong-key-in-flex")
    rollout.work()
    assert rollout.judged()[0] == ["attested"] * 3


def test_a_source_that_is_taken_out_of_the_space(rollout, sandbox):
    rollout.work()
    assert rollout.judged()[0] == ["proven"] * 3
    sandbox.advance(DAY)
    sandbox.sabotage("dev", "disconnect-from-space")
    rollout.work()
    sandbox.advance(DAY / 4)
    verdicts, reasons = rollout.judged()
    assert verdicts == ["attested", "attested", "proven"]
    assert "Flex events reach the source, and the space has shown none since" in reasons
    assert [suspicion["problem"] for suspicion in rollout.result["suspicions"]] == ["suspected_unlinked"]
    handovers.link(sandbox.world, rollout.env, {"space_id": rollout.env.space["id"], "source_id": rollout.source.id})
    rollout.work()
    assert rollout.judged()[0] == ["proven"] * 3
    assert rollout.result["suspicions"] == []


def test_the_audit_trail_shows_at_once_that_a_source_was_taken_out_of_the_space(sandbox, tmp_path):
    rollout = Rollout(sandbox, tmp_path, audit="source")
    assert rollout.judged()[0] == ["attested", "proven", "attested"]
    sandbox.advance(DAY)
    sandbox.sabotage("dev", "disconnect-from-space")
    verdicts, reasons = rollout.judged()
    assert verdicts == ["attested", "broken", "attested"]
    assert "newest event about it is Source Disconnected From Space by ops@example.com" in reasons
    assert [card["step"] for card in rollout.result["cards"]] == ["link"]
    # Connected again, it is proven at once, without an event; not where it could have been another space.
    handovers.link(sandbox.world, rollout.env, {"space_id": rollout.env.space["id"], "source_id": rollout.source.id})
    assert rollout.judged()[0] == ["attested", "proven", "attested"]
    sandbox.sabotage("dev", "add-space")
    assert rollout.judged()[0] == ["attested"] * 3


def test_a_trail_that_names_the_space_alone_proves_nothing_and_speaks_against_nothing(rollout, sandbox):
    connected, disconnected = (
        f"the audit trail has Source {what} Space" for what in ("Connected To", "Disconnected From")
    )
    assert connected in rollout.judged()[1]
    sandbox.advance(DAY)
    sandbox.sabotage("dev", "disconnect-from-space")
    verdicts, reasons = rollout.judged()
    assert (verdicts, rollout.result["suspicions"], rollout.result["cards"]) == (["attested"] * 3, [], [])
    assert disconnected in reasons


@pytest.mark.parametrize("whose", ["source", "space"])
def test_what_the_audit_trail_no_longer_has_is_shown_by_events(sandbox, tmp_path, whose):
    rollout = Rollout(sandbox, tmp_path, audit=whose)
    sandbox.advance(91 * DAY)
    assert rollout.judged()[0] == ["attested"] * 3
    rollout.work()
    verdicts, reasons = rollout.judged()
    assert verdicts == ["proven"] * 3
    assert "the audit trail shows nothing of the source" in reasons


@pytest.mark.parametrize("seen", ["event", "arrival"])
def test_the_replay_of_another_source_proves_no_link(rollout, sandbox, seen):
    """Whichever time a replayed event gets in the space: documented is neither."""
    world, env = sandbox.world, rollout.env
    world.switch({"replay_seen": seen})
    other = other_source(rollout)
    key = env.flex_key
    handovers.store_key(world, env, other.keys[0])
    rollout.work()
    handovers.store_key(world, env, key)
    sandbox.advance(20 * DAY)
    sandbox.sabotage("dev", "disconnect-from-space")
    rollout.work()
    handovers.link(world, env, {"space_id": env.space["id"], "source_id": other.id})
    verdicts, reasons = rollout.judged()
    assert verdicts == ["attested", "attested", "proven"]
    assert "only a test event can tell" in reasons


def test_an_edit_of_the_source_takes_no_proof_away(rollout, sandbox):
    rollout.work()
    sandbox.advance(DAY)
    sandbox.world.changed(rollout.env, rollout.source)
    verdicts, reasons = rollout.judged()
    assert verdicts == ["proven"] * 3
    assert "the source was edited at" in reasons


def test_a_second_key_takes_the_proof_away(rollout, sandbox):
    rollout.work()
    assert rollout.judged()[0] == ["proven"] * 3
    sandbox.sabotage("dev", "add-key")
    verdicts, reasons = rollout.judged()
    assert verdicts == ["attested", "proven", "attested"]
    assert "the source has 2 keys, so no event can prove which one Flex uses" in reasons


def test_a_key_that_came_and_went_is_seen_in_the_audit_trail(rollout, sandbox):
    world, env, source = sandbox.world, rollout.env, rollout.source
    right, short_lived = source.keys[0], world.new_key(env)
    sandbox.advance(60)
    source.keys.append(short_lived)
    world.changed(env, source)
    handovers.store_key(world, env, short_lived)
    rollout.work()
    source.keys.remove(short_lived)
    world.changed(env, source)
    verdicts, reasons = rollout.judged()
    assert verdicts == ["attested", "proven", "attested"]
    assert "a key may have come and gone with that" in reasons
    # A token that may not read the audit trail: proven, and the reason names what would not show.
    verdicts, reasons = rollout.judged(segment_token=env.admin_token)
    assert verdicts == ["proven"] * 3
    assert "the audit trail shows nothing" in reasons
    assert any("GET /audit-events" in problem for problem in rollout.result["unread"])
    handovers.store_key(world, env, right)
    sandbox.advance(DAY / 24)
    rollout.work()
    assert rollout.judged()[0] == ["proven"] * 3


def test_events_before_a_key_came_and_went_still_say_was(rollout, sandbox):
    """They prove the time before it, for as long as any proof holds."""
    rollout.work()
    sandbox.advance(DAY)
    for _edit in range(2):
        sandbox.world.changed(rollout.env, rollout.source)
        sandbox.advance(DAY / 12)
    verdicts, reasons = rollout.judged()
    assert verdicts == ["proven"] * 3
    assert "the source was edited at" in reasons
    sandbox.advance(3 * DAY)
    assert rollout.judged()[0] == ["attested"] * 3


def test_a_revoked_token_raises_alerts_and_is_broken(rollout, sandbox):
    rollout.work()
    assert rollout.judged()[0] == ["proven"] * 3
    sandbox.sabotage("dev", "revoke-token", which="profile_token")
    rollout.work()
    verdicts, reasons = rollout.judged()
    assert verdicts == ["broken", "proven", "proven"]
    assert "Twilio raised alert 49009 (stored credentials malformed)" in reasons
    # Mended by hand, with the same values as before: the alerts of before count until somebody says so.
    rollout.env.revoked.clear()
    rollout.work()
    assert rollout.judged()[0] == ["broken", "proven", "proven"]
    (card,) = rollout.result["cards"]
    assert rollout.judged(acknowledge=[card["acknowledge"]], confirmed_by="jane")[0] == ["proven"] * 3
    # It is recorded, and what is proven with it.
    proofs = FileLedger(rollout.state_dir, "dev").read().proofs
    assert {step: proof["at"] for step, proof in proofs.items()} == {
        step: said["proven_at"] for step, said in rollout.result["steps"].items()
    }
    assert (rollout.judged()[0], rollout.result["changed"]) == (["proven"] * 3, False)
    sandbox.advance(30 * DAY)
    verdicts, reasons = rollout.judged()
    assert verdicts == ["attested"] * 3
    assert f"last proven at {proofs['key']['at']}: Flex wrote" in reasons


def test_a_lost_connector_is_not_mended_by_link_and_key(rollout, sandbox):
    sandbox.advance(DAY)
    sandbox.sabotage("dev", "lose-connector")
    rollout.work()
    assert rollout.judged()[0][0] == "broken"
    sandbox.advance(60)
    handed = {"channel": "operator", "by": "jane", "how": "attested", "at": format_time(sandbox.world.now())}
    ledger = FileLedger(rollout.state_dir, "dev")
    steps = ledger.read().steps
    for step in ("link", "key"):
        ledger.write(step, {"done": {**steps[step]["done"], **handed}})
    assert rollout.judged(read_back={"link": True, "key": True})[0] == ["broken", "proven", "proven"]


def test_an_alert_is_found_behind_hundreds_of_others(rollout, sandbox):
    sandbox.sabotage("dev", "revoke-token", which="profile_token")
    rollout.work()
    alerts = rollout.env.alerts
    alerts += [{**alerts[0], "serial": 5000 + n, "error_code": "11200"} for n in range(2500)]
    assert rollout.judged()[0][0] == "broken"
    assert [e["path"] for e in sandbox.journal()].count("/twilio/monitor/v1/Alerts") == 3


def test_an_old_alert_does_not_count(sandbox, tmp_path):
    env = sandbox.world.environments["dev"]
    handovers.store_key(sandbox.world, env, "a key before there was any connector")
    sandbox.engage("dev", 1)
    assert env.alerts
    sandbox.advance(5)
    rollout = Rollout(sandbox, tmp_path)
    rollout.work()
    assert rollout.judged()[0] == ["proven"] * 3


def test_the_test_event_proves_the_link(rollout, sandbox):
    flown = rollout.run(segment_test_event, test_event=True)
    assert flown["changed"]
    assert flown["test_event"]["status"] == "arrived", flown
    verdicts, reasons = rollout.judged(sent_test_event=flown["test_event"])
    assert verdicts == ["attested", "proven", "attested"]
    assert "the test event that was sent through this source was read back" in reasons
    assert sandbox.world.environments["dev"].identities["user_id:flexops-unified-profiles-test-event"]


def test_another_test_event_is_of_use_once_a_proof_would_be_too_old_or_the_link_is_new(rollout, sandbox):
    assert rollout.judged()
    assert rollout.result["may_test"]
    flown = rollout.run(segment_test_event, test_event=True)["test_event"]
    for changed in (True, False):
        rollout.judged(sent_test_event=flown)
        assert (rollout.result["changed"], rollout.result["may_test"]) == (changed, False)
    sandbox.advance(2.9 * DAY)
    assert rollout.judged()
    assert rollout.result["may_test"] is False
    sandbox.advance(0.2 * DAY)
    assert rollout.judged()
    assert rollout.result["may_test"]


def test_the_test_event_of_a_source_outside_the_space_never_arrives(rollout, sandbox):
    sandbox.sabotage("dev", "disconnect-from-space")
    flown = rollout.run(segment_test_event, test_event=True, test_event_timeout=0.1)
    assert flown["test_event"]["status"] == "not_seen"
    verdicts, reasons = rollout.judged(sent_test_event=flown["test_event"])
    assert verdicts == ["attested"] * 3
    assert "look at Unify > Unify settings > Profiles sources" in reasons


def test_the_test_event_stays_home_in_check_mode(rollout, sandbox):
    sandbox.clear_journal()
    flown = rollout.run(segment_test_event, check_mode=True, test_event=True)
    assert flown["test_event"]["status"] == "not_sent"
    assert sandbox.journal(writes=True) == []


def test_a_test_event_whose_answer_was_lost_is_looked_for(rollout, sandbox):
    sandbox.fault(match="POST /tracking", kind="drop_after")
    flown = rollout.run(segment_test_event, test_event=True)
    assert flown["test_event"]["status"] == "arrived"
    assert len([e for e in sandbox.journal(writes=True) if e["service"] == "tracking"]) == 1


def test_the_connector_read_changes_no_verdict(rollout, sandbox):
    rollout.judged(read_connector=True)
    assert rollout.result["connector"] is True
    sandbox.fault(match="GET /twilio/preview", kind="html")
    verdicts, _reasons = rollout.judged(read_connector=True)
    assert (verdicts, rollout.result["connector"]) == (["attested"] * 3, None)
    sandbox.clear_journal()
    rollout.judged()
    assert not [e for e in sandbox.journal() if "ProfileConnector" in e["path"]]
