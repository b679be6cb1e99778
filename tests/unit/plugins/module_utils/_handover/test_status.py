# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How an environment is: every combination that makes a difference, and nothing better than it is."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import (
    FAIL_ON,
    STATUSES,
    UNJUDGED,
    environment_status,
)
from hypothesis import given
from hypothesis import strategies as st

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

STEPS = ("connection", "link", "key")
VERDICTS = ("proven", "attested", "pending", "broken", "unknown")
ALL_ATTESTED = ("attested", "attested", "attested")


def judged(*verdicts):
    return {step: {"verdict": verdict, "reason": f"{step} is {verdict}"} for step, verdict in zip(STEPS, verdicts)}


def waiting(*steps):
    card = {"environment": "dev", "links": [], "where": ["Twilio account AC1"], "digest": "0123456789ab"}
    return {step: {"status": "pending", "card": {"step": step, **card}} for step in steps}


DONE = {step: {"status": "done", "card": None} for step in STEPS}
SUSPICION = {"problem": "suspected_unlinked", "step": "link", "detail": "The space shows nothing."}
LOOK = {"step": "link", "environment": "dev", "links": [], "where": ["Twilio account AC1"], "digest": ""}
RENAMED = {"problem": "renamed", "detail": "It was renamed."}

# What a look found -> status, and why
TABLE = {
    "all proven": ({"verdicts": judged("proven", "proven", "proven")}, "proven", "key: key is proven"),
    "all attested": ({"verdicts": judged(*ALL_ATTESTED)}, "attested", "key: key is attested"),
    "one only attested": (
        {"verdicts": judged("attested", "proven", "proven")},
        "attested",
        "connection: connection is attested",
    ),
    "one unknown": (
        {"verdicts": judged("unknown", "proven", "proven")},
        "unknown",
        "connection: connection is unknown",
    ),
    "two unknown": (
        {"verdicts": judged("unknown", "proven", "unknown")},
        "unknown",
        "connection: connection is unknown; key: key is unknown",
    ),
    "one broken": ({"verdicts": judged("attested", "attested", "broken")}, "broken", "key: key is broken"),
    "broken outranks unknown": (
        {"verdicts": judged("unknown", "attested", "broken")},
        "broken",
        "key: key is broken",
    ),
    "one pending": ({"verdicts": judged("attested", "pending", "attested")}, "pending", "link: link is pending"),
    "what mends it waits": (
        {"verdicts": judged("broken", "attested", "pending"), "handovers": {**DONE, **waiting("key")}},
        "pending",
        "connection: connection is broken; key: key is pending",
    ),
    "asked, not judged pending": (
        {"verdicts": judged(*ALL_ATTESTED), "handovers": waiting("connection")},
        "pending",
        "",
    ),
    "something due": (
        {"verdicts": judged(*ALL_ATTESTED), "due": {"source": "its name is x", "key": "it waits"}},
        "pending",
        "Due: source (its name is x), key (it waits).",
    ),
    "the first step is due, and nothing was judged": (
        {"due": {"connection": "it is to be asked for"}},
        "pending",
        "Due: connection (it is to be asked for).",
    ),
    "failed after a step was asked": ({"failure": "No.", "handovers": waiting("link")}, "failed", "No."),
    "failed, and proven before": (
        {"failure": "No.", "verdicts": judged("proven", "proven", "proven")},
        "failed",
        "No.",
    ),
    "failed with something due": ({"failure": "No.", "due": {"link": "it waits"}}, "failed", "No."),
    "never judged": ({"handovers": DONE}, "failed", UNJUDGED),
    "nothing at all": ({}, "failed", UNJUDGED),
    "findings come first": (
        {"verdicts": judged(*ALL_ATTESTED), "findings": [RENAMED]},
        "attested",
        "It was renamed. key: key is attested",
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_table(case):
    look, status, why = TABLE[case]
    told = environment_status(look, check_mode=False)
    assert (told["status"], told["why"]) == (status, why)


@pytest.mark.parametrize("case", TABLE)
def test_check_mode_predicts_only_where_something_is_due(case):
    look, status, _why = TABLE[case]
    predicted = look.get("due") and not look.get("failure")
    told = environment_status(look, check_mode=True)
    assert told["status"] == ("predicted" if predicted else status)
    assert told["fails"] is (not predicted and environment_status(look, check_mode=False)["fails"])


@pytest.mark.parametrize(
    ("look", "by_default", "setting"),
    [
        ({"failure": "No."}, True, None),
        ({"verdicts": judged("broken", "proven", "proven")}, True, None),
        ({"due": {"link": "it waits"}}, True, "fail_on_pending"),
        ({"verdicts": judged("pending", "proven", "proven")}, True, "fail_on_pending"),
        ({"verdicts": judged(*ALL_ATTESTED), "suspicions": [SUSPICION]}, True, "fail_on_suspicion"),
        ({"verdicts": judged("unknown", "proven", "proven")}, False, "fail_on_unknown"),
        ({"verdicts": judged(*ALL_ATTESTED)}, False, None),
        ({"verdicts": judged("proven", "proven", "proven")}, False, None),
    ],
)
def test_what_fails_the_job(look, by_default, setting):
    assert environment_status(look, False)["fails"] is by_default
    for name in FAIL_ON:
        for value in (True, False):
            wanted = value if name == setting else by_default
            assert environment_status(look, False, {name: value})["fails"] is wanted, name


@given(
    st.tuples(*[st.sampled_from(VERDICTS)] * 3),
    st.sets(st.sampled_from(STEPS)),
    st.sets(st.sampled_from(("source", *STEPS))),
    st.booleans(),
)
def test_the_status_is_never_better_than_the_worst_step(verdicts, asked, due, failed):
    look = {
        "verdicts": judged(*verdicts),
        "failure": "No." if failed else "",
        "handovers": {**DONE, **waiting(*asked)},
        "due": dict.fromkeys(due, "it is"),
    }
    told = environment_status(look, check_mode=False)
    assert STATUSES.index(told["status"]) <= min(STATUSES.index(verdict) for verdict in verdicts) or (
        # The step that mends it waits for a person.
        told["status"] == "pending" and "broken" in verdicts
    )
    assert (told["status"] == "proven") == (set(verdicts) == {"proven"} and not asked and not due and not failed)
    assert [card["step"] for card in told["cards"]] == [step for step in STEPS if step in asked]
    assert (told["due"].keys(), bool(told["failure"])) == (due, failed)


def test_a_suspicion_fails_the_job_and_has_a_card():
    look = {"verdicts": judged("attested", "attested", "proven"), "suspicions": [SUSPICION], "cards": [LOOK]}
    told = environment_status(look, check_mode=False)
    assert (told["status"], told["fails"], told["findings"]) == ("attested", True, [SUSPICION])
    assert told["why"].startswith("The space shows nothing.")
    assert [card["step"] for card in told["cards"]] == ["link"]


def test_a_step_that_waits_has_its_own_card_only():
    look = {"verdicts": judged("broken", "pending", "attested"), "cards": [LOOK], "handovers": waiting("link")}
    (card,) = environment_status(look, check_mode=False)["cards"]
    assert card["digest"] == "0123456789ab"


def test_a_step_that_was_never_asked_for_has_no_card():
    look = {"due": {"link": "it waits"}, "handovers": {"link": {"status": "pending", "card": None}}}
    assert environment_status(look, check_mode=True)["cards"] == []


def test_a_card_says_where_and_links_to_what_the_look_saw():
    look = {
        "due": {"key": "it waits"},
        "handovers": waiting("key"),
        "workspace": {"slug": "acme"},
        "account_name": "Contact center",
        "region": "eu",
        "source": {"id": "s1", "slug": "twilio_unified_profiles"},
    }
    told = environment_status(look, check_mode=False)
    assert told["source_id"] == "s1"
    (card,) = told["cards"]
    assert card["where"] == ["Twilio account AC1 (Contact center)", "Segment workspace acme"]
    urls = [link["url"] for link in card["links"]]
    assert "https://eu1.app.segment.com/acme/sources/twilio_unified_profiles/overview" in urls


CHANGED = {"attribute": "name", "expected": "a", "found": "b", "since": "", "by": "jane", "mend": "m", "accepted": ""}
OF_THE_LINK = {**CHANGED, "attribute": "link"}
KNOWN = "a trial (until 2026-12-31)"
WELL = {"verdicts": judged("proven", "attested", "proven")}
BROKEN = {"verdicts": judged("attested", "broken", "proven")}
TOLD = "name: is b, and should be a (changed by jane)."

# What a look of the playbook drift found -> status, whether it fails the job, and what the reasons begin with
DRIFT = {
    "well": (WELL, "in_sync", False, "link: link is attested"),
    "failed": ({**WELL, "failure": "No.", "differences": [CHANGED]}, "failed", True, "No."),
    "broken outranks drift": ({**BROKEN, "differences": [CHANGED]}, "broken", True, f"{TOLD} link: link is broken"),
    "drift": ({**WELL, "differences": [CHANGED]}, "drifted", True, TOLD),
    "drift outranks a suspicion": (
        {**WELL, "differences": [CHANGED], "suspicions": [SUSPICION]},
        "drifted",
        True,
        f"{TOLD} The space shows nothing.",
    ),
    "a suspicion outranks what waits": (
        {**WELL, "suspicions": [SUSPICION], "handovers": waiting("key")},
        "suspected",
        True,
        "The space shows nothing.",
    ),
    "what waits outranks what is unknown": (
        {"verdicts": judged("pending", "unknown", "proven")},
        "pending",
        True,
        "connection: connection is pending",
    ),
    "unknown step": ({"verdicts": judged("attested", "unknown", "proven")}, "unknown", False, "link: link is unknown"),
    "unread attribute": ({**WELL, "unread": {"name": "no right"}}, "unknown", False, "name: no right"),
    "accepted": (
        {**WELL, "differences": [{**CHANGED, "accepted": KNOWN}]},
        "in_sync",
        False,
        f"{TOLD[:-1]}; accepted: {KNOWN}.",
    ),
    "broken, as is accepted": (
        {**BROKEN, "differences": [{**OF_THE_LINK, "accepted": KNOWN}]},
        "in_sync",
        False,
        "link: is b",
    ),
    "broken, and something else accepted": (
        {**BROKEN, "differences": [OF_THE_LINK, {**CHANGED, "accepted": KNOWN}]},
        "broken",
        True,
        "link: is b",
    ),
}


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("case", DRIFT)
def test_the_status_of_drift_is_the_worst_that_holds(case, check_mode):
    look, status, fails, why = DRIFT[case]
    told = environment_status(look, check_mode, playbook="drift")
    assert (told["status"], told["fails"]) == (status, fails)
    assert told["why"].startswith(why)
    assert told["differences"] == look.get("differences", [])


@pytest.mark.parametrize(
    ("case", "setting"),
    [
        ("drift", "fail_on_drift"),
        ("a suspicion outranks what waits", "fail_on_suspicion"),
        ("what waits outranks what is unknown", "fail_on_pending"),
        ("unknown step", "fail_on_unknown"),
    ],
)
def test_what_fails_the_playbook_drift(case, setting):
    look = DRIFT[case][0]
    nothing = dict.fromkeys(FAIL_ON, False)
    assert not environment_status(look, False, nothing, "drift")["fails"]
    assert environment_status(look, False, {**nothing, setting: True}, "drift")["fails"]


@pytest.mark.parametrize("case", ["failed", "broken outranks drift"])
def test_what_failed_or_is_broken_fails_drift_whatever_is_set(case):
    assert environment_status(DRIFT[case][0], False, dict.fromkeys(FAIL_ON, False), "drift")["fails"]


@pytest.mark.parametrize(
    ("look", "check_mode", "status", "fails"),
    [
        ({**WELL, "differences": [CHANGED], "due": {"source": "x"}}, True, "drifted", False),
        ({**WELL, "differences": [CHANGED], "due": {"source": "x"}}, False, "pending", True),
        ({**WELL, "differences": [CHANGED]}, True, "drifted", True),
        ({**WELL, "differences": [CHANGED]}, False, "drifted", True),
        ({**WELL, "differences": [{**CHANGED, "accepted": KNOWN}]}, False, "attested", False),
        ({**WELL, "unread": {"name": "no right"}}, False, "attested", False),
    ],
)
def test_a_run_that_acts_names_the_drift_that_it_leaves_or_foretells_to_mend(look, check_mode, status, fails):
    told = environment_status(look, check_mode)
    assert (told["status"], told["fails"]) == (status, fails)


@given(st.dictionaries(st.sampled_from(["verdicts", "handovers", "due", "findings", "cards", "source"]), st.none()))
def test_half_a_look_is_no_reason_to_fail_otherwise(look):
    assert environment_status(look, check_mode=False)["why"] == UNJUDGED


def difference(attribute, accepted=""):
    return {
        **dict.fromkeys(("attribute", "expected", "found", "since", "by", "mend", "seen"), "x"),
        "attribute": attribute,
        "accepted": accepted,
    }


@pytest.mark.parametrize(
    ("verdicts", "differences", "fails", "said"),
    [
        (("broken", "attested", "pending"), [], True, "connection is broken"),
        # What the hand-over mends that waits is pending alone.
        (("attested", "attested", "pending"), [difference("write_keys"), difference("source")], False, ""),
        (("pending", "attested", "attested"), [difference("source")], False, ""),
        (("attested", "attested", "pending"), [difference("link")], True, "link: is x"),
        (("attested", "attested", "pending"), [difference("name")], True, "name: is x"),
        (("attested", "attested", "pending"), [difference("name", "until Monday")], False, ""),
        (("attested", "attested", "pending"), [], False, ""),
    ],
)
def test_what_waits_hides_nothing_else_that_fails_the_job(verdicts, differences, fails, said):
    look = {"verdicts": judged(*verdicts), "differences": differences}
    told = environment_status(look, check_mode=False, fail_on={"fail_on_pending": False})
    assert (told["status"], told["fails"]) == ("pending", fails)
    assert said in told["why"]
    assert (
        not environment_status(look, False, {"fail_on_pending": False, "fail_on_drift": False})["fails"]
        or "broken" in verdicts
    )


def test_check_mode_names_the_drift_that_a_hand_over_would_mend():
    look = {
        "verdicts": judged("pending", "attested", "attested"),
        "differences": [difference("source")],
        "due": {"key": "it waits"},
    }
    told = environment_status(look, check_mode=True)
    assert (told["status"], told["fails"]) == ("drifted", False)
