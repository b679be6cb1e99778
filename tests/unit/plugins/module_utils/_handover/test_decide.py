# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a hand-over is done, who says so, and what is sent: named cases, and every combination of facts."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.decide import Decision, Facts, decide
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.steps import STEPS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.state import plan

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

DIGEST, STALE = "0d7a52c1e93b", "ffffffffffff"
AT = "2026-11-24T10:02:31Z"
# By step: what is expected; the same with another value in the field that is read back; and with another field.
SUBJECTS = {
    "connection": (
        {"space_id": "spa_1", "profile_token_fingerprint": "aaaaaaaaaaaa"},
        {"space_id": "spa_1", "profile_token_fingerprint": "bbbbbbbbbbbb"},
        {"space_id": "spa_2", "profile_token_fingerprint": "aaaaaaaaaaaa"},
    ),
    "link": (
        {"space_id": "spa_1", "source_id": "S1"},
        {"space_id": "spa_1", "source_id": "S2"},
        {"space_id": "spa_2", "source_id": "S1"},
    ),
}


def record(subject, how, by):
    return {"subject": subject, "digest": DIGEST, "channel": "operator", "how": how, "by": by, "at": AT}


def facts(
    step="link", done=None, asked=None, confirm=None, attested=None, form=None, endpoint="none", shown=None, again=False
):
    """Facts in words, each as in :data:`DIMENSIONS`."""
    expected, other_value, other_field = SUBJECTS[step]
    subjects = {"same": expected, "other value": other_value, "other field": other_field}
    recorded = {}
    if done:
        recorded["done"] = record(subjects[done], "attested", "joe")
    if asked:
        how, which = asked.split(" ", 1)
        recorded["asked"] = record(subjects[which], how, "jim")
    confirmation = confirm and {
        "by": "jane",
        "digest": STALE if confirm.startswith("stale") else DIGEST,
        "done": not confirm.endswith("denied"),
    }
    value = expected[STEPS[step].read_back_field]
    return Facts(
        step=STEPS[step],
        expected=expected,
        digest=DIGEST,
        recorded=recorded,
        confirmation=confirmation,
        attested_by=attested,
        done_by_form=form,
        endpoint=endpoint,
        shown={None: None, "expected": value, "other": "something else", "nothing": ""}[shown],
        again=again,
    )


SENT = Decision("done", "endpoint", "endpoint", send=True)
SHOWN = Decision("done", "endpoint", "endpoint")
RECORDED = Decision("done", "attested", "joe", AT)
ASK = Decision("pending", "asked")
TABLE = {
    "nothing is known": (facts(), ASK),
    "recorded as done": (facts(done="same"), RECORDED),
    "recorded with another value": (facts(done="other value"), ASK),
    "asked for before": (facts(asked="asked same"), Decision("pending", "asked", "jim", AT)),
    "asked for something else": (facts(asked="asked other value"), ASK),
    "asked for after it was done": (facts(done="same", asked="asked other value"), ASK),
    "confirmed": (facts(asked="asked same", confirm="done"), Decision("done", "attested", "jane")),
    "confirmed once more": (facts(done="same", confirm="done"), RECORDED),
    "confirmed, and changed since": (facts(confirm="stale"), Decision("pending", "asked", refuse="changed_since")),
    "taken back": (facts(done="same", confirm="denied"), Decision("pending", "asked", "jane")),
    "taken back, and asked for": (
        facts(asked="asked same", confirm="denied"),
        Decision("pending", "asked", "jim", AT),
    ),
    "taken back once more": (
        facts(asked="asked same", confirm="stale denied"),
        Decision("pending", "asked", "jim", AT),
    ),
    "taken back, and it was sent since": (
        facts(asked="sent same", confirm="stale denied", endpoint="blind"),
        Decision("pending", "asked", refuse="changed_since"),
    ),
    "wanted again": (facts(done="same", again=True), ASK),
    "wanted again, whoever attests it": (facts(done="same", attested="ann", form="fay", again=True), ASK),
    "wanted again of an endpoint that shows it": (
        facts(done="same", endpoint="repeatable", shown="expected", again=True),
        SENT,
    ),
    "existed before": (facts(attested="ann"), Decision("done", "existing", "ann")),
    "recorded, so it did not exist before": (facts(done="other value", attested="ann"), ASK),
    "asked for, so it did not exist before": (facts(asked="asked other value", attested="ann"), ASK),
    "a form that existed may have been asked for": (
        facts("connection", asked="asked same", attested="ann"),
        Decision("done", "existing", "ann"),
    ),
    "not done, whoever attests it": (facts(confirm="denied", attested="ann"), Decision("pending", "asked", "jane")),
    "not done, whoever filled in the form": (facts(confirm="denied", form="fay", endpoint="blind"), SENT),
    "done by the form": (facts(form="fay"), Decision("done", "form", "fay")),
    "a confirmation outranks an attestation": (
        facts(confirm="done", attested="ann", form="fay"),
        Decision("done", "attested", "jane"),
    ),
    "an attestation outranks the form": (facts(attested="ann", form="fay"), Decision("done", "existing", "ann")),
    "recorded, so not by the form": (facts(asked="asked same", form="fay"), Decision("pending", "asked", "jim", AT)),
    "the endpoint is called": (facts(endpoint="blind"), SENT),
    "the endpoint was called": (facts(done="same", endpoint="blind"), RECORDED),
    "sent, and nobody knows": (facts(asked="sent same", endpoint="blind"), Decision("pending", "sent", "jim", AT)),
    "sent, and it may be sent again": (facts(asked="sent same", endpoint="repeatable"), SENT),
    "sent, and a person has looked": (facts(asked="sent same", confirm="denied", endpoint="blind"), SENT),
    "something else was sent": (facts(asked="sent other value", endpoint="blind"), SENT),
    "the endpoint shows it": (facts(endpoint="repeatable", shown="expected"), SHOWN),
    "the endpoint shows one value of two that differ": (
        facts(done="other field", endpoint="repeatable", shown="expected"),
        SENT,
    ),
    "the endpoint shows the one value that differs": (
        facts(done="other value", endpoint="repeatable", shown="expected"),
        SHOWN,
    ),
    "the endpoint shows something else": (facts(done="same", endpoint="repeatable", shown="other"), SENT),
    "the endpoint shows something else than the form did": (
        facts(form="fay", endpoint="repeatable", shown="other"),
        SENT,
    ),
    "the endpoint contradicts a confirmation": (
        facts(confirm="done", endpoint="repeatable", shown="nothing"),
        Decision("done", "attested", "jane", refuse="contradicted"),
    ),
    "the endpoint contradicts an attestation": (
        facts(attested="ann", endpoint="repeatable", shown="other"),
        Decision("done", "existing", "ann", refuse="contradicted"),
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_table(case):
    known, expected = TABLE[case]
    assert decide(known) == expected


CURRENT = {
    "nothing is known": (facts(), None),
    "recorded": (facts(done="same"), ("done", SUBJECTS["link"][0])),
    "asked for since": (facts(done="same", asked="asked other value"), ("pending", SUBJECTS["link"][1])),
    "the endpoint shows something else": (facts(done="same", shown="other"), ("done", {"read_back": "something else"})),
    "the endpoint shows nothing": (facts(done="same", shown="nothing"), None),
    "the endpoint shows it, and the ledger says the rest": (
        facts(done="other field", shown="expected"),
        ("done", SUBJECTS["link"][2]),
    ),
}


@pytest.mark.parametrize("case", CURRENT)
def test_current_state(case):
    known, expected = CURRENT[case]
    assert known.current == (expected and {"status": expected[0], "subject": expected[1]})


def test_an_empty_value_is_never_the_expected_one():
    assert Facts(STEPS["link"], {"source_id": ""}, DIGEST, shown="").read_back is False


# Every combination of facts. The rules are stated a second time, each field of the decision by itself.

DIMENSIONS = {
    "step": ("connection", "link"),
    "done": (None, "same", "other value", "other field"),
    "asked": (
        None,
        *(f"{how} {which}" for how in ("asked", "sent") for which in ("same", "other value", "other field")),
    ),
    "confirm": (None, "done", "denied", "stale"),
    "attested": (None, "ann"),
    "form": (None, "fay"),
    # What an endpoint shows; one without a read_url shows nothing, and one with it may always be called again.
    "endpoint": (
        *(("none", None), ("blind", None), ("repeatable", None)),
        *(("repeatable", shown) for shown in ("expected", "other", "nothing")),
    ),
}
COMBINATIONS = [dict(zip(DIMENSIONS, values)) for values in itertools.product(*DIMENSIONS.values())]


class Rules:
    """The rules, in terms of the words for the facts."""

    def __init__(self, step, done, asked, confirm, attested, form, endpoint):
        self.done, self.asked, self.confirm = done, asked, confirm
        self.endpoint, shown = endpoint
        self.wrong, self.right = shown in ("other", "nothing"), shown == "expected"
        self.known = (done == "same" and not asked) and not self.wrong
        self.existing = attested and not done and (step == "connection" or not asked)
        self.form = form and not done and not asked and not self.wrong

    def changed_since(self):
        return self.confirm == "stale"

    def kept(self):
        """The record is all there is to say."""
        return self.known and not (self.confirm == "denied" and self.endpoint == "none")

    def said_by(self):
        if self.kept():
            return "joe"
        if self.confirm == "done":
            return "jane"
        if self.confirm != "denied" and (self.existing or self.form):
            return "ann" if self.existing else "fay"
        return None

    def pending(self):
        if self.said_by():
            return False
        lost = self.endpoint == "blind" and self.asked == "sent same" and self.confirm != "denied"
        return self.endpoint == "none" or lost

    def sends(self):
        if self.pending() or self.said_by():
            return False
        return not (self.right and self.done in (None, "same", "other value"))

    def contradicted(self):
        return self.wrong and not self.kept() and self.said_by() in ("jane", "ann")

    def by(self):
        if self.pending():
            asked_before = self.asked in ("asked same", "sent same")
            return "jim" if asked_before else "jane" if self.confirm == "denied" else ""
        return self.said_by() or "endpoint"

    def how(self):
        if self.pending():
            return "sent" if self.asked == "sent same" else "asked"
        names = {"joe": "attested", "jane": "attested", "ann": "existing", "fay": "form"}
        return names.get(self.said_by(), "endpoint")


def test_every_combination():
    assert len(COMBINATIONS) == 2 * 4 * 7 * 4 * 2 * 2 * 6
    for known in COMBINATIONS:
        endpoint, shown = known["endpoint"]
        decision = decide(facts(**{**known, "endpoint": endpoint, "shown": shown}))
        rules = Rules(**known)
        assert (decision.refuse == "changed_since") == rules.changed_since(), known
        if rules.changed_since():
            continue
        assert (decision.status == "pending") == rules.pending(), known
        assert decision.send == rules.sends(), known
        assert (decision.how, decision.by) == (rules.how(), rules.by()), known
        assert (decision.refuse == "contradicted") == rules.contradicted(), known


def test_a_decision_and_the_plan_that_follows_from_it_agree():
    """Sending, asking and contradicting are changes; what was recorded before is none, and nothing else keeps its time."""
    for known in COMBINATIONS:
        endpoint, shown = known["endpoint"]
        given = facts(**{**known, "endpoint": endpoint, "shown": shown})
        decision = decide(given)
        if decision.refuse == "changed_since":
            continue
        changed = plan({"status": decision.status, "subject": given.expected}, given.current).changed
        assert changed == (not decision.at), known
        assert changed or not (decision.send or decision.refuse), known


def test_nothing_is_left_to_decide_once_carried_out():
    """A second run, with the record that the first one wrote and the same word, changes nothing and sends nothing."""
    for known in COMBINATIONS:
        endpoint, shown = known["endpoint"]
        given = facts(**{**known, "endpoint": endpoint, "shown": shown})
        first = decide(given)
        if first.refuse:
            continue
        written = record(given.expected, first.how, first.by)
        recorded = {"done": written} if first.status == "done" else {**given.recorded, "asked": written}
        value = given.expected[given.step.read_back_field] if given.shown is not None else None
        again = decide(Facts(**{**vars(given), "recorded": recorded, "shown": value}))
        if not first.at:
            assert (again.status, again.how, again.by, again.at) == (first.status, first.how, first.by, AT), known
        assert not again.send, known
        assert not again.refuse, known
