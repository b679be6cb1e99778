# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three hand-over modules against the sandbox: what makes a step due, who may call it done, what an endpoint does."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.clock import Clock
from ansible_collections.flexops.unified_profiles.plugins.modules import (
    flex_source_key,
    profiles_connection,
    profiles_link,
)
from support.environment import STEPS, Environment
from support.mounts import unwritable

# Bodies of modules, which Ansible has no part in.
pytestmark = pytest.mark.newest_only

MODULES = {"connection": profiles_connection, "link": profiles_link, "key": flex_source_key}


class Bench(Environment):
    """One environment, and its three modules with everything they need."""

    def __init__(self, sandbox, state_dir: Path) -> None:
        super().__init__(sandbox, state_dir, friendly_name="Dev", allow_write_events=True)
        self.source = sandbox.world.make_source(self.env, "twilio-unified-profiles", "V6ynUvQgbc")
        self.options["source_id"] = self.source.id
        self.options["key_fingerprints"] = [fingerprint(self.source.keys[0])]
        self.options["profile_token"] = self.env.profile_token

    def run(self, module, check_mode=False, **options):
        return super().run(MODULES[module], check_mode, **options)

    def settle(self, **options):
        """Have all three steps done by a person, in every detail."""
        for step in STEPS:
            asked = self.run(step, **options)
            assert asked["handover"]["status"] == "pending", asked
            done = self.confirm(step, asked["handover"]["digest"], **options)
            assert (done["changed"], done["handover"]["status"]) == (True, "done"), done

    def confirm(self, step, digest, by="jane", **options):
        confirm = {"by": by, "digest": digest, **options.pop("answer", {})}
        return self.run(step, confirm=confirm, **options)

    def endpoint(self, step, read_back=False, **more):
        if step == "connection" and not self.ledger(step):
            self.env.sources.pop(self.source.id, None)  # the form makes it
        return {"channel": "endpoint", "endpoint": {**super().endpoint(step, read_back), **more}}

    def reading(self, step, **more):
        return self.endpoint(step, read_back=True, **more)

    def sent(self, step):
        return [e for e in self.sandbox.journal(writes=True) if e["path"] == f"/handover/dev/{step}"]


@pytest.fixture
def bench(sandbox, tmp_path):
    return Bench(sandbox, tmp_path / "state")


# What makes a step due again

OTHER = "a" * 12
CHANGES = {
    "nothing": ({}, set()),
    "key": ({"key": {"key_fingerprints": [OTHER], "key_fingerprint": OTHER}}, {"key"}),
    "another key beside the recorded one": ({"key": {"key_fingerprints": "SEEN"}}, set()),
    "source": (
        {"link": {"source_id": "S2"}, "key": {"source_id": "S2", "key_fingerprints": [OTHER]}},
        {"link", "key"},
    ),
    "space": ({"connection": {"space_id": "spa_2"}, "link": {"space_id": "spa_2"}}, {"connection", "link"}),
    "friendly name": ({"connection": {"friendly_name": "Other"}}, {"connection"}),
    "Profile API access token": ({"connection": {"profile_token": "other-token"}}, {"connection"}),
    "Twilio account": (
        {"connection": {"twilio_account_sid": "AC" + "2" * 32}, "key": {"twilio_account_sid": "AC" + "2" * 32}},
        {"connection", "key"},
    ),
    "source name": ({"link": {"source_name": "other"}, "key": {"source_name": "other"}}, set()),
    "Segment token": ({step: {"segment_token": "sgp_other"} for step in STEPS}, set()),
    "Twilio API key": (
        {step: {"twilio_api_key": "SK" + "2" * 32, "twilio_api_secret": "other"} for step in STEPS},
        set(),
    ),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("change", CHANGES)
def test_a_change_makes_exactly_the_affected_steps_due(bench, change, step):
    bench.settle()
    options, due = CHANGES[change]
    mine = dict(options.get(step, {}))
    if mine.get("key_fingerprints") == "SEEN":
        mine["key_fingerprints"] = [OTHER, *bench.options["key_fingerprints"]]
    # In check mode, so that what is not in the sandbox need not be read for a card.
    bench.sandbox.clear_journal()
    before = (bench.state_dir / "ledger/dev.json").read_text()
    if step in due and step == "key":
        # The card would read the key from Segment.
        mine |= bench.endpoint("key")
        found = bench.run(step, check_mode=True, **mine)
        assert (found.get("changed"), found["diff"]["before"]["subject"] != found["diff"]["after"]["subject"]) == (
            True,
            True,
        )
    else:
        found = bench.run(step, check_mode=True, **mine)
        assert found["changed"] == (step in due), found
        assert found["handover"]["status"] == ("pending" if step in due else "done")
    assert bench.sandbox.journal(writes=True) == []
    assert (bench.state_dir / "ledger/dev.json").read_text() == before


def test_the_documented_table_is_the_tested_one():
    text = (Path(__file__).parents[2] / "docs/hand-overs.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.partition("## What makes a step due again")[2].partition("\n## ")[0].splitlines()
        if line.startswith("| ")
    ]
    assert rows[0][1:] == list(STEPS)
    documented = {row[0].lower(): {step for step, cell in zip(STEPS, row[1:]) if cell == "due"} for row in rows[1:]}
    tested = {name.lower(): due for name, (_options, due) in CHANGES.items() if name != "nothing"}
    assert documented == tested


@pytest.mark.parametrize("consent", [None, False])
def test_without_consent_nothing_is_due_and_nothing_is_forgotten(bench, consent):
    bench.settle()
    before = bench.ledger("connection")
    refused = bench.run("connection", allow_write_events=consent)
    assert refused["failure"]["option"] == "allow_write_events"
    assert bench.ledger("connection") == before
    assert not bench.run("connection")["changed"]


# Who may call it done


def test_a_confirmation_changes_once_and_names_who(bench):
    digest = bench.run("link")["handover"]["digest"]
    assert bench.confirm("link", digest)["changed"]
    again = bench.confirm("link", digest)
    assert (again["changed"], again["handover"]["how"], again["handover"]["by"]) == (False, "attested", "jane")
    assert not bench.run("link")["changed"]


def test_a_confirmation_of_what_has_changed_names_the_change(bench):
    digest = bench.run("link")["handover"]["digest"]
    refused = bench.confirm("link", digest, source_id="S2")
    assert refused["failure"]["problem"] == "changed_since"
    assert f"source_id was {bench.source.id} and is S2" in refused["msg"]
    assert "done" not in bench.ledger("link")


def test_a_confirmation_counts_for_its_own_step_and_environment(bench):
    digest = bench.run("link")["handover"]["digest"]
    assert bench.confirm("link", digest, environment="prod")["failure"]["problem"] == "changed_since"
    assert bench.confirm("key", digest)["failure"]["problem"] == "changed_since"


@pytest.mark.parametrize("by", [" ", "NAME"])
def test_a_confirmation_needs_a_name(bench, by):
    digest = bench.run("link")["handover"]["digest"]
    assert bench.confirm("link", digest, by=by)["failure"]["option"] == "confirm.by"


def test_a_person_can_say_that_it_was_not_done(bench):
    bench.settle()
    digest = bench.run("link")["handover"]["digest"]
    taken_back = bench.confirm("link", digest, answer={"done": False})
    assert (taken_back["changed"], taken_back["handover"]["status"]) == (True, "pending")
    assert not bench.confirm("link", digest, answer={"done": False})["changed"]
    assert bench.run("link")["handover"]["status"] == "pending"


@pytest.mark.parametrize("word", [{"attest_existing": "joe"}, {"done_by_form": True}])
def test_a_person_who_looked_outranks_a_word_about_before(bench, word):
    """It was not done, says who has looked: so it is neither recorded as existing nor as done by the form."""
    bench.confirm("connection", bench.run("connection")["handover"]["digest"])
    digest = bench.run("link", check_mode=True)["handover"]["digest"]
    asked = bench.confirm("link", digest, answer={"done": False}, check_mode=True, **word)
    assert (asked["handover"]["status"], asked["handover"]["by"]) == ("pending", "jane")
    sent = bench.confirm("link", digest, answer={"done": False}, **word, **bench.endpoint("link"))
    assert (sent["handover"]["how"], len(bench.sent("link"))) == ("endpoint", 1)


def test_a_rival_stops_the_form_before_anybody_is_asked(bench):
    """The older official source is in the way, in check mode too; what was handed over before is not asked again."""
    bench.sandbox.world.make_source(bench.env, "flex-unify-server-source", "V6ynUvQgbc")
    bench.env.sources.pop(bench.source.id)
    for check_mode in (True, False):
        assert bench.run("connection", check_mode)["failure"]["problem"] == "legacy_name"
    assert bench.ledger("connection") == {}
    assert bench.run("connection", attest_existing="jane")["failure"]["problem"] == "legacy_name"
    bench.env.sources = {bench.source.id: bench.source}
    bench.run("connection", attest_existing="jane")
    bench.env.sources = {}
    bench.sandbox.clear_journal()
    assert not bench.run("connection")["changed"]
    assert bench.sandbox.journal() == []


def test_what_was_asked_for_and_withdrawn_is_asked_again(bench):
    """Somebody may have done it and not said so; then what was there before is gone."""
    bench.settle()
    bench.run("link", source_id="S2")
    back = bench.run("link")
    assert (back["changed"], back["handover"]["status"]) == (True, "pending")
    assert bench.ledger("link")["done"]["subject"]["source_id"] == bench.source.id
    assert bench.confirm("link", back["handover"]["digest"])["handover"]["status"] == "done"
    assert "asked" not in bench.ledger("link")


def test_existing_connections_are_attested_once(bench):
    """Existing connections are attested once and touch nothing."""
    for step in STEPS:
        done = bench.run(step, attest_existing="jane")
        assert (done["changed"], done["handover"]["how"], done["handover"]["by"]) == (True, "existing", "jane")
        assert not bench.run(step, attest_existing="joe")["changed"]
    assert bench.sandbox.journal(writes=True) == []
    assert bench.run("link", attest_existing=" ")["failure"]["option"] == "attest_existing"


@pytest.mark.parametrize("step", ["link", "key"])
def test_what_was_asked_for_is_no_existing_connection(bench, step):
    bench.run(step)
    assert bench.run(step, attest_existing="jane")["handover"]["status"] == "pending"


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("made_by", ["recover", "a person"])
def test_the_form_is_not_pressed_beside_a_source_that_it_did_not_make(bench, made_by, check_mode):
    endpoint = {**bench.endpoint("connection")}
    if made_by == "recover":
        assert bench.run("connection", **endpoint)["handover"]["sent"]
        bench.env.sources = {bench.source.id: bench.source}
        bench.run("link", **bench.endpoint("link"))
    bench.env.sources = {bench.source.id: bench.source}
    bench.sandbox.clear_journal()
    before = bench.ledger("connection")
    # The form is due again, for another name.
    refused = bench.run("connection", check_mode, **endpoint, friendly_name="Other")
    assert refused["failure"]["problem"] == "rival"
    assert bench.source.id in refused["msg"]
    assert (bench.sent("connection"), bench.ledger("connection")) == ([], before)
    asked = bench.run("connection", check_mode, friendly_name="Other")
    assert "The form creates a source of its own" in " ".join(asked["handover"]["card"]["warnings"])


def test_the_forms_own_source_is_no_rival(bench):
    assert bench.run("connection", **bench.endpoint("connection"))["handover"]["sent"]
    bench.env.sources = {bench.source.id: bench.source}
    assert bench.run("link", done_by_form=True)["handover"]["how"] == "form"
    again = bench.run("connection", friendly_name="Other")["handover"]
    assert (again["status"], "source of its own" in str(again["card"]["warnings"])) == ("pending", False)
    assert bench.run("connection", **bench.endpoint("connection"), friendly_name="Other")["handover"]["sent"]


@pytest.mark.parametrize(
    ("step", "other"), [("link", {"space_id": "spa_other"}), ("connection", {"friendly_name": "B"})]
)
def test_an_old_confirmation_confirms_nothing_again(bench, step, other):
    """Changed to another space or name and back, and maybe done in the console meanwhile."""
    old = bench.run(step)["handover"]["digest"]
    assert bench.confirm(step, old)["changed"]
    assert not bench.confirm(step, old)["changed"]
    bench.sandbox.advance(60)
    bench.run(step, **other, clock_skew=60.0)
    assert bench.confirm(step, old, clock_skew=120.0)["failure"]["problem"] == "changed_since"
    again = bench.run(step, clock_skew=120.0)["handover"]
    assert (again["status"], again["digest"] == old) == ("pending", False)
    assert bench.confirm(step, old)["failure"]["problem"] == "changed_since"
    assert bench.confirm(step, again["digest"])["handover"]["status"] == "done"


def test_a_digest_and_a_name_are_enough(bench):
    digests = [bench.run(step)["handover"]["digest"] for step in STEPS]
    given = {"confirm_digests": digests}
    assert bench.run("link", **given)["failure"]["option"] == "confirmed_by"
    assert bench.ledger("link").keys() == {"asked"}
    for step in STEPS:
        done = bench.run(step, **given, confirmed_by="jane")
        assert (done["changed"], done["handover"]["status"], done["handover"]["by"]) == (True, "done", "jane")
        assert not bench.run(step, **given, confirmed_by="jane")["changed"]


def test_a_digest_of_what_has_changed_since_is_refused(bench):
    given = {"confirm_digests": [bench.run("link")["handover"]["digest"]], "confirmed_by": "jane"}
    assert bench.run("link", **given, space_id="spa_other")["failure"]["changed"] == ["space_id"]
    assert bench.run("key", **given)["handover"]["status"] == "pending"


@pytest.mark.parametrize("option", ["withdraw", "handover_again"])
@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_taken_back_or_made_due_again_once(bench, step, option):
    bench.settle()
    before = bench.ledger(step)["done"]
    given = {option: [before["digest"], "of another"], "confirmed_by": "ann", "reason": "Connect was never pressed"}
    bench.sandbox.clear_journal()
    foretold = bench.run(step, True, **given, clock_skew=60.0)
    assert bench.ledger(step) == {"done": before}
    asked = bench.run(step, **given, clock_skew=60.0)
    assert (asked["changed"], asked["handover"]["status"], foretold["diff"]) == (True, "pending", asked["diff"])
    what = {"withdraw": "withdrawn", "handover_again": "handed over again"}[option]
    (told,) = [e for e in json.loads((bench.state_dir / "ledger/dev.json").read_text())["history"] if e["what"] == what]
    assert told | {"at": ""} == {
        **{"at": "", "what": what, "by": "ann", "why": "Connect was never pressed"},
        **{"step": step, "digest": before["digest"]},
    }
    assert not bench.run(step, **given)["changed"]
    done = bench.confirm(step, asked["handover"]["digest"])
    assert done["handover"]["status"] == "done"
    # The same value in a later run changes nothing.
    assert not bench.run(step, **given)["changed"]


def test_a_withdrawal_needs_a_name(bench):
    bench.settle()
    given = {"withdraw": [bench.ledger("link")["done"]["digest"]]}
    assert bench.run("link", **given)["failure"]["option"] == "confirmed_by"


def test_an_endpoint_is_called_again_once(bench):
    options = bench.reading("key")
    assert bench.run("key", **options)["handover"]["sent"]
    given = {"handover_again": [bench.ledger("key")["done"]["digest"]], "confirmed_by": "ann"}
    bench.sandbox.clear_journal()
    for sent in (True, False):
        again = bench.run("key", **options, **given)
        assert (again["changed"], again["handover"]["sent"]) == (sent, sent)
    assert len(bench.sent("key")) == 1


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("how", ["confirm", "attest_existing"])
@pytest.mark.parametrize("step", STEPS)
def test_a_word_counts_only_where_the_source_is(bench, step, how, check_mode):
    """Nothing is recorded, so the card comes again, and the word counts once the source is there."""
    digest = bench.run(step)["handover"]["digest"]
    if how == "attest_existing" and step != "connection":
        (bench.state_dir / "ledger/dev.json").unlink()
    before = bench.ledger(step)
    word = {"confirm": {"by": "jane", "digest": digest}, "attest_existing": "jane"}
    given = {how: word[how], **({"wait_timeout": 0} if step == "connection" else {})}
    bench.env.sources.pop(bench.source.id)
    refused = bench.run(step, check_mode, **given)
    assert refused["failure"]["problem"] == "not_there"
    assert refused["msg"].startswith(f"{how}: says that the {step} hand-over of dev is done")
    assert bench.ledger(step) == before
    bench.env.sources[bench.source.id] = bench.source
    assert bench.run(step)["handover"]["card"]["digest"]
    if how == "confirm":
        assert bench.run(step, **given)["handover"]["status"] == "done"


def test_a_key_that_left_the_source_is_not_confirmed(bench):
    digest = bench.run("key")["handover"]["digest"]
    bench.source.keys[:] = [bench.sandbox.world.new_key(bench.env)]
    refused = bench.confirm("key", digest)
    assert "has no key" in refused["msg"]
    assert "done" not in bench.ledger("key")


def test_the_forms_source_may_take_a_moment_to_appear(bench, monkeypatch):
    digest = bench.run("connection")["handover"]["digest"]
    bench.env.sources = {}
    slept = []

    def appear(clock, seconds):
        slept.append(seconds)
        bench.env.sources = {bench.source.id: bench.source}

    monkeypatch.setattr(Clock, "sleep", appear)
    assert bench.confirm("connection", digest)["handover"]["status"] == "done"
    assert slept == [2.0]


@pytest.mark.parametrize("word", [{"attest_existing": "jane"}, {"confirm": True}])
def test_nobodys_word_counts_against_what_the_endpoint_shows(bench, word):
    bench.env.flex_key = "some-other-key-of-32-characters-"
    if "confirm" in word:
        word = {"confirm": {"by": "jane", "digest": bench.run("key", check_mode=True)["handover"]["digest"]}}
    refused = bench.run("key", **bench.reading("key"), **word)
    assert refused["failure"]["problem"] == "contradicted"
    assert bench.ledger("key") == {}


def test_the_form_counts_for_the_source_it_made_only(bench):
    digest = bench.run("connection")["handover"]["digest"]
    bench.confirm("connection", digest)
    assert bench.run("link", done_by_form=True)["handover"]["how"] == "form"
    assert bench.run("key", done_by_form=True)["handover"]["how"] == "form"


def test_the_form_gave_no_key_of_a_later_source(bench):
    """The form gave Flex no key of a source that was linked later."""
    digest = bench.run("connection")["handover"]["digest"]
    bench.confirm("connection", digest)
    bench.run("link")
    assert bench.run("key", done_by_form=True)["handover"]["status"] == "pending"


def test_the_form_does_not_count_against_the_endpoint(bench):
    """The form does not count where the endpoint shows another key."""
    digest = bench.run("connection")["handover"]["digest"]
    bench.confirm("connection", digest)
    bench.env.flex_key = "some-other-key-of-32-characters-"
    found = bench.run("key", done_by_form=True, **bench.reading("key"))
    assert (found["handover"]["how"], bench.env.flex_key) == ("endpoint", bench.source.keys[0])


# The endpoint


@pytest.mark.parametrize("step", STEPS)
def test_an_endpoint_is_used_once(bench, step):
    options = bench.endpoint(step)
    if step == "key":
        bench.env.connection = {"space_id": "x"}
    first = bench.run(step, **options)
    assert (first["changed"], first["handover"]["how"], first["handover"]["read_back"]) == (True, "endpoint", None)
    assert not bench.run(step, **options)["changed"]
    assert len(bench.sent(step)) == 1


@pytest.mark.parametrize("step", STEPS)
def test_what_the_endpoint_shows_is_adopted_and_compared(bench, step):
    bench.run(step, **bench.endpoint(step))
    (bench.state_dir / "ledger/dev.json").unlink()
    found = bench.run(step, **bench.reading(step))
    assert (found["changed"], found["handover"]["read_back"]) == (True, True)
    assert len(bench.sent(step)) == 1
    again = bench.run(step, **bench.reading(step))
    assert (again["changed"], again["handover"]["read_back"]) == (False, True)


def test_check_mode_sends_and_records_nothing(bench):
    for step in STEPS:
        assert bench.run(step, check_mode=True, **bench.reading(step))["changed"]
    assert bench.sandbox.journal(writes=True) == []
    assert not bench.state_dir.exists()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("channel", ["operator", "endpoint", "endpoint with read_url"])
@pytest.mark.parametrize("step", STEPS)
def test_what_could_not_be_recorded_is_not_sent(bench, monkeypatch, step, channel, check_mode, number):
    bench.state_dir.mkdir()
    unwritable(monkeypatch, bench.state_dir, number)
    channels = {"operator": {}, "endpoint": bench.endpoint(step), "endpoint with read_url": bench.reading(step)}
    found = bench.run(step, check_mode=check_mode, **channels[channel])
    assert (found["failed"], found["failure"]["kind"]) == (True, "ledger"), found
    assert os.strerror(number) in found["msg"]
    assert bench.sandbox.journal(writes=True) == []


def test_a_ledger_that_need_not_be_written_may_be_read_only(bench, monkeypatch):
    bench.settle()
    unwritable(monkeypatch, bench.state_dir, errno.EROFS)
    for step in STEPS:
        found = bench.run(step)
        assert (found["changed"], found["handover"]["status"]) == (False, "done")


@pytest.mark.parametrize(
    ("state_dir", "said"),
    [
        ("~nosuchuser/up", "no such user is known here"),
        ("$NOT_SET_ANYWHERE/up", "no such environment variable is set"),
        ("state", "is another folder in each working folder"),
        ("None/.unified_profiles", "this inventory has no folder of its own that lasts"),
    ],
)
def test_a_folder_that_is_none_is_an_option_to_correct(bench, monkeypatch, tmp_path, state_dir, said):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NOT_SET_ANYWHERE", raising=False)
    found = bench.run("key", state_dir=state_dir, **bench.endpoint("key"))
    assert found["failure"] == {"kind": "option", "option": "state_dir", "next_step": found["failure"]["next_step"]}
    assert found["msg"].startswith("state_dir: ")
    assert said in found["msg"]
    assert list(tmp_path.iterdir()) == []
    assert bench.sandbox.journal(writes=True) == []


def test_the_time_of_asking_stays_while_a_step_is_pending(bench):
    bench.run("connection")
    first = bench.ledger("connection")["asked"]
    assert first["asked_at"] == first["at"]
    path = bench.state_dir / "ledger/dev.json"
    path.write_text(path.read_text().replace(first["at"], "2026-01-01T00:00:00Z"))
    again = bench.run("connection", friendly_name="Other")
    asked = bench.ledger("connection")["asked"]
    assert (asked["asked_at"], asked["at"]) == ("2026-01-01T00:00:00Z", again["handover"]["at"])
    bench.confirm("connection", again["handover"]["digest"], friendly_name="Other")
    assert "asked_at" not in bench.ledger("connection")["done"]


def test_the_history_says_who_did_what_and_when(bench):
    asked = bench.run("connection")
    bench.confirm("connection", asked["handover"]["digest"], by="jane")
    bench.run("link", **bench.endpoint("link"))
    document = json.loads((bench.state_dir / "ledger/dev.json").read_text())
    assert document["format"] == 2
    told = [(said["step"], said["what"], said["by"], bool(said["digest"])) for said in document["history"]]
    assert sorted(told) == [
        ("connection", "asked", "", True),
        ("connection", "attested", "jane", True),
        ("link", "endpoint", "endpoint", True),
        ("link", "sent", "", True),
    ]


UNANSWERED = [{"kind": "drop_after"}, {"kind": "drop_before"}, {"kind": "html"}, {"kind": "status", "status": 502}]


@pytest.mark.parametrize("fault", UNANSWERED, ids=lambda fault: fault["kind"])
def test_an_answer_that_never_came_is_not_sent_again_blindly(bench, fault):
    bench.sandbox.fault(match="POST /handover/dev/link", **fault)
    failed = bench.run("link", **bench.endpoint("link"))
    assert failed["failure"]["kind"] == "unknown_outcome", failed
    assert "confirm it with done: false" in failed["msg"]
    again = bench.run("link", **bench.endpoint("link"))
    assert (again["changed"], again["handover"]["status"]) == (False, "pending")
    assert "whether it was carried out is not known" in again["handover"]["card"]["warnings"][0]
    assert len(bench.sent("link")) <= 1
    digest = again["handover"]["digest"]
    done = bench.confirm("link", digest, **bench.endpoint("link"))
    assert (done["handover"]["how"], len(bench.sent("link")) <= 1) == ("attested", True)


def test_after_a_look_it_is_sent_again(bench):
    bench.sandbox.fault(match="POST /handover/dev/link", kind="drop_before")
    digest = bench.run("link", **bench.endpoint("link"))["msg"].partition("with the digest ")[2][:12]
    # The card is the same one, whenever the request is sent again.
    bench.options["clock_skew"] = 3600.0
    again = bench.confirm("link", digest, answer={"done": False}, **bench.endpoint("link"))
    assert again["handover"]["how"] == "endpoint"
    assert bench.env.linked == [bench.source.id]
    assert not bench.confirm("link", digest, answer={"done": False}, **bench.endpoint("link"))["changed"]


@pytest.mark.parametrize(("kind", "requests"), [("drop_after", 1), ("drop_before", 1)])
def test_with_a_read_back_it_is_looked_up(bench, kind, requests):
    bench.sandbox.fault(match="POST /handover/dev/link", kind=kind)
    first = bench.run("link", **bench.reading("link"))
    if kind == "drop_after":
        assert (first["handover"]["status"], first["handover"]["read_back"]) == ("done", True)
    else:
        assert first["failure"]["kind"] == "unknown_outcome"
        assert bench.run("link", **bench.reading("link"))["handover"]["status"] == "done"
    assert bench.env.linked == [bench.source.id]
    assert len(bench.sent("link")) == requests


@pytest.mark.parametrize("status", [400, 401, 404, 422])
def test_a_refusal_is_no_hand_over_and_the_next_run_tries_again(bench, status):
    bench.sandbox.fault(match="POST /handover/dev/link", kind="status", status=status)
    refused = bench.run("link", **bench.endpoint("link"))
    assert refused["failure"]["status"] == status
    assert bench.ledger("link") == {}
    assert bench.run("link", **bench.endpoint("link"))["handover"]["status"] == "done"


def test_success_can_be_a_status_and_a_value_in_the_answer(bench):
    def run(**success):
        return bench.run("link", **bench.endpoint("link", success=success))

    other = run(statuses=[202])
    assert (other["failure"]["kind"], other["failure"]["status"]) == ("unknown_outcome", 200)
    (bench.state_dir / "ledger/dev.json").unlink()
    unsure = run(path="source_id", value="something else")
    assert "'source_id' in the answer is not 'something else'" in unsure["msg"]
    assert bench.ledger("link")["asked"]["how"] == "sent"
    (bench.state_dir / "ledger/dev.json").unlink()
    assert run(statuses=[200], path="source_id", value=bench.source.id)["handover"]["how"] == "endpoint"
    assert run(statuses=[503])["failure"]["option"] == "endpoint.success.statuses"


@pytest.mark.parametrize(
    ("option", "more"),
    [
        ("endpoint.body", {"body": {"deep": [{"x": "a {write_key} b"}]}}),
        ("endpoint.url", {"url": "https://gateway.example.com/?token=abc"}),
        ("endpoint.url", {"url": "https://gateway.example.com/{source_id}"}),
        ("endpoint.url", {"url": "http://gateway.example.com/link"}),
        ("endpoint.url", {"url": "https://user:secret@gateway.example.com/link"}),
        ("endpoint.read_url", {"read_url": "ftp://x", "read_path": "y"}),
        ("endpoint.headers", {"headers": {"Authorization": "Bearer abc\n"}}),
        ("endpoint.headers", {"headers": {"Bad header": "abc"}}),
        ("endpoint", None),
    ],
)
def test_an_unusable_endpoint_is_told_before_sending(bench, option, more):
    """An endpoint that cannot be used is reported before anything is sent."""
    options = bench.endpoint("link", **more) if more else {"channel": "endpoint"}
    told = bench.run("link", check_mode=True, **options)
    assert told["failure"]["option"] == option, told
    assert ":secret@" not in told["msg"]
    assert "abc" not in told["msg"]
    if option == "endpoint.body":
        assert "{write_key}" in told["msg"]
        assert "source_id" in told["failure"]["next_step"]


class Echo:
    """A server that answers each request with what it was sent, in an error."""

    def __enter__(self):
        code = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
        text = body.replace('"', "'") + " " + self.headers.get("authorization", "")
        content = ('{"message": "%s", "value": "plain-value-of-a-secret"}' % text).encode()
        self.send_response(200 if self.command == "GET" else 422)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
    do_GET = do_POST = answer
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
"""
        self.process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        return f"http://127.0.0.1:{self.process.stdout.readline().strip()}"

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def test_what_an_endpoint_echoes_is_masked(bench):
    key = bench.source.keys[0]
    with Echo() as url:
        refused = bench.run("key", **bench.endpoint("key", url=url))
        read = bench.run("key", check_mode=True, **bench.endpoint("key", read_url=url, read_path="value"))
    shown = json.dumps([refused, read])
    assert refused["failure"]["status"] == 422
    assert fingerprint(key) in refused["msg"]
    for secret in (key, bench.env.gateway_token, "plain-value-of-a-secret"):
        assert secret not in shown
    assert read["diff"]["before"]["subject"] == {"read_back": fingerprint("plain-value-of-a-secret")}


# Killed between done and recorded

KILLED = """
import importlib, json, os, signal, sys
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.handover import HandOver
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import run
name, arguments = json.loads(sys.argv[1])
module = importlib.import_module(name)
real = HandOver.record
def record(self, state, how, by):
    if state == "done":
        os.kill(os.getpid(), signal.SIGKILL)
    real(self, state, how, by)
HandOver.record = record
run(module.SPEC, module.run, arguments, name, False)
"""


def run_and_kill(bench, step, **options):
    module = MODULES[step]
    done = subprocess.run(
        [sys.executable, "-c", KILLED, json.dumps([module.__name__, bench.arguments(module, **options)])],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_killed_before_recording_an_operator_is_asked_again(bench):
    """Killed before it was recorded an operator is asked again."""
    digest = bench.run("link")["handover"]["digest"]
    run_and_kill(bench, "link", confirm={"by": "jane", "digest": digest})
    again = bench.run("link")
    assert (again["changed"], again["handover"]["status"]) == (False, "pending")
    assert bench.confirm("link", digest)["handover"]["status"] == "done"


def test_killed_before_it_was_recorded_an_endpoint_is_read(bench):
    run_and_kill(bench, "link", **bench.reading("link"))
    assert bench.ledger("link") == {}
    found = bench.run("link", **bench.reading("link"))
    assert (found["handover"]["status"], found["handover"]["read_back"]) == ("done", True)
    assert len(bench.sent("link")) == 1


def test_killed_without_a_read_back_nothing_is_assumed(bench):
    """Killed before it was recorded nothing is assumed without a read back."""
    run_and_kill(bench, "link", **bench.endpoint("link"))
    assert bench.ledger("link")["asked"]["how"] == "sent"
    again = bench.run("link", **bench.endpoint("link"))
    assert (again["changed"], again["handover"]["status"]) == (False, "pending")
    assert len(bench.sent("link")) == 1
