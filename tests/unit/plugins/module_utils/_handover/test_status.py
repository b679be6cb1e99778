# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a run ended for an environment: every combination that makes a difference, and nothing better than it is."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import (
    STATUSES,
    UNJUDGED,
    collect_results,
    environment_status,
)
from hypothesis import given
from hypothesis import strategies as st

STEPS = ("connection", "link", "key")
VERDICTS = ("proven", "attested", "pending", "broken", "unknown")


def judged(*verdicts):
    return {step: {"verdict": verdict, "reason": f"{step} is {verdict}"} for step, verdict in zip(STEPS, verdicts)}


def waiting(step):
    return {"status": "pending", "card": {"step": step, "environment": "dev", "links": [], "where": []}}


DONE = {"status": "done", "card": None}
# What was found -> status, and why
TABLE = {
    "all proven": ({"verify": judged(*["proven"] * 3)}, "proven", "key: key is proven"),
    "all attested": ({"verify": judged(*["attested"] * 3)}, "attested", "key: key is attested"),
    "one only attested": (
        {"verify": judged("attested", "proven", "proven")},
        "attested",
        "connection: connection is attested",
    ),
    "one unknown": ({"verify": judged("unknown", "proven", "proven")}, "unknown", "connection: connection is unknown"),
    "one broken": ({"verify": judged("attested", "attested", "broken")}, "broken", "key: key is broken"),
    "one pending": ({"verify": judged("attested", "pending", "attested")}, "pending", "link: link is pending"),
    "what mends it waits": (
        {"verify": judged("broken", "attested", "pending"), "key": waiting("key")},
        "pending",
        "key: key is pending",
    ),
    "asked, not judged pending": (
        {"verify": judged(*["attested"] * 3), "connection": waiting("connection")},
        "pending",
        "",
    ),
    "failed after a step was asked": ({"failure": "No.", "link": waiting("link")}, "failed", "No."),
    "failed, and proven before": ({"failure": "No.", "verify": judged(*["proven"] * 3)}, "failed", "No."),
    "never judged": ({"connection": DONE}, "failed", UNJUDGED),
    "nothing at all": ({}, "failed", UNJUDGED),
    "findings come first": (
        {"verify": judged(*["attested"] * 3), "findings": [{"detail": "It was renamed."}]},
        "attested",
        "It was renamed. key: key is attested",
    ),
}


@pytest.mark.parametrize("case", TABLE)
def test_table(case):
    found, status, why = TABLE[case]
    told = environment_status(found, check_mode=False)
    assert (told["status"], told["why"]) == (status, why)


@pytest.mark.parametrize("case", TABLE)
def test_check_mode_only_predicts(case):
    found = TABLE[case][0]
    assert environment_status(found, check_mode=True)["status"] == ("failed" if found.get("failure") else "predicted")


@given(st.tuples(*[st.sampled_from(VERDICTS)] * 3), st.sets(st.sampled_from(list(STEPS))), st.booleans())
def test_the_status_is_never_better_than_the_worst_step(verdicts, asked, failed):
    found = {"verify": judged(*verdicts), "failure": "No." if failed else "", **{step: waiting(step) for step in asked}}
    told = environment_status(found, check_mode=False)
    assert STATUSES.index(told["status"]) <= min(STATUSES.index(verdict) for verdict in verdicts) or (
        # The step that mends it waits for a person.
        told["status"] == "pending" and "broken" in verdicts
    )
    assert (told["status"] == "proven") == (set(verdicts) == {"proven"} and not asked and not failed)
    assert [card["step"] for card in told["cards"]] == [step for step in STEPS if step in asked]


SUSPICION = {"problem": "suspected_unlinked", "step": "link", "detail": "The space shows nothing."}
LOOK = {"step": "link", "environment": "dev", "links": [], "where": ["Twilio account AC1"], "digest": ""}


def test_a_suspicion_fails_the_job_and_has_a_card():
    found = {"verify": judged("attested", "attested", "proven"), "suspicions": [SUSPICION], "cards": [LOOK]}
    told = environment_status(found, check_mode=False)
    assert (told["status"], told["fails"], told["findings"]) == ("attested", True, [SUSPICION])
    assert told["why"].startswith("The space shows nothing.")
    assert [card["step"] for card in told["cards"]] == ["link"]
    assert not environment_status({**found, "fail_on_suspicion": False}, check_mode=False)["fails"]


def test_a_step_that_waits_has_its_own_card_only():
    found = {"verify": judged("broken", "attested", "pending"), "cards": [LOOK], "link": waiting("link")}
    (card,) = environment_status(found, check_mode=False)["cards"]
    assert "digest" not in card


def test_the_workspace_is_told_on_every_card():
    found = {"verify": judged(*["broken"] * 3), "cards": [LOOK], "console": {"workspace_slug": "acme"}}
    (card,) = environment_status(found, check_mode=False)["cards"]
    assert card["where"] == ["Twilio account AC1", "Segment workspace acme"]


def test_registered_results_give_links():
    """What the playbooks register gives links to the workspace and the source."""
    source = {"id": "s1", "slug": "twilio_unified_profiles"}
    variables = {
        "link_and_key_key": {"handover": {"status": "pending", "card": waiting("key")["card"]}},
        "source_result": {"source": source},
        # The region may have come from the environment, and then it is in no variable.
        "preflight_space": {"workspace": {"slug": "acme"}, "region": "eu"},
    }
    (card,) = environment_status(collect_results(variables), check_mode=False)["cards"]
    assert "https://eu1.app.segment.com/acme/sources/twilio_unified_profiles/overview" in [
        link["url"] for link in card["links"]
    ]


@given(st.dictionaries(st.sampled_from(["source_result", "preflight_space", "verify_result"]), st.none() | st.text()))
def test_half_a_result_is_no_reason_to_fail(variables):
    assert environment_status(collect_results(variables), check_mode=False)["status"] == "failed"


def test_what_a_repair_found_is_told_as_what_a_diagnosis_found():
    renamed = [{"problem": "renamed", "detail": "It was renamed. It is repaired."}]
    variables = {
        "source_result": {"findings": renamed},
        "verify_result": {"steps": judged("proven", "proven", "proven")},
    }
    found = environment_status(collect_results(variables), check_mode=False)
    assert (found["status"], found["findings"]) == ("proven", renamed)
    assert found["why"].startswith("It was renamed. It is repaired.")
    # The diagnosis comes first, and looks at more.
    gone = [{"problem": "deleted", "detail": "It is gone."}]
    assert collect_results({**variables, "source_found": {"findings": gone}})["findings"] == gone


def test_a_refused_confirmation_leaves_the_card():
    refused = {"failed": True, "msg": "No.", "failure": {"card": waiting("key")["card"]}}
    found = environment_status(collect_results({"link_and_key_key": refused, "unified_profiles_failure": "No."}), False)
    assert (found["status"], [card["step"] for card in found["cards"]]) == ("failed", ["key"])
