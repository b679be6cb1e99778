# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of an environment's settings a module takes, and what is wrong with confirmations and endpoints."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.chain import OPTIONS as LOOK
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._options import (
    confirmation_problem,
    endpoints_problem,
    options,
)

DIGEST, OTHER = "0123456789ab", "ba9876543210"
WORD = {"by": "jane", "digest": DIGEST}
ENDPOINTS = {"link": {"url": "https://gateway.example/link"}, "key": {"url": "https://gateway.example/key"}}
STEP = ("environment", "endpoint", "confirm", "confirm_digests", "channel", "timeout")


def taken(spec=STEP, step="", **settings):
    return options({f"unified_profiles_{name}": value for name, value in settings.items()}, {*spec}, "dev", step)


def test_a_setting_is_the_option_of_its_name():
    found = taken(("timeout", "space_id", "environment"), timeout=5.0, space_id="spa_1", source_name="x")
    assert found == {"timeout": 5.0, "space_id": "spa_1", "environment": "dev"}


def test_what_has_no_value_is_not_given_so_that_the_modules_own_default_counts():
    assert taken(("timeout", "segment_token"), timeout=None, segment_token=None) == {}
    assert taken(("repair", "source_labels"), repair=False, source_labels={}) == {"repair": False, "source_labels": {}}


def test_a_variable_of_another_name_is_no_option():
    assert options({"timeout": 5.0}, {"timeout"}, "dev") == {}


@pytest.mark.parametrize("step", ["link", "key"])
def test_a_hand_over_takes_the_endpoint_of_its_step(step):
    assert taken(channel="endpoint", endpoints=ENDPOINTS, step=step)["endpoint"] == ENDPOINTS[step]


@pytest.mark.parametrize(
    "settings", [{"channel": "operator", "endpoints": ENDPOINTS}, {"channel": "endpoint", "endpoints": {}}]
)
def test_without_the_channel_or_the_step_there_is_no_endpoint(settings):
    assert "endpoint" not in taken(step="link", **settings)
    assert "endpoint" not in taken(channel="endpoint", endpoints=ENDPOINTS, step="connection")


@pytest.mark.parametrize(
    ("confirm", "word", "digests"),
    [
        ({}, None, []),
        (None, None, []),
        (DIGEST, None, [DIGEST]),
        ([DIGEST, OTHER], None, [DIGEST, OTHER]),
        (f"{DIGEST}, {OTHER}\r\n", None, [DIGEST, OTHER]),
        (123456789012, None, ["123456789012"]),
        ({"dev": {"link": WORD}}, WORD, []),
        ({"dev": {"key": WORD}}, None, []),
        ({"prod": {"link": WORD}}, None, []),
        ({"dev": None}, None, []),
    ],
)
def test_a_step_takes_only_what_confirms_it(confirm, word, digests):
    found = taken(confirm=confirm, step="link")
    assert (found.get("confirm"), found["confirm_digests"]) == (word, digests)


def test_the_survey_takes_the_words_and_the_endpoints_of_all_steps():
    found = taken(LOOK, channel="endpoint", endpoints=ENDPOINTS, confirm={"dev": {"link": WORD}})
    assert (found["endpoints"], found["confirmations"]) == (ENDPOINTS, {"link": WORD})
    assert "endpoint" not in found
    assert "confirm" not in found


@pytest.mark.parametrize(
    "confirm",
    [DIGEST, [DIGEST], [DIGEST, OTHER], f"{DIGEST},{OTHER}", 123456789012, {"dev": {"link": WORD}}, {"dev": {}}, {}],
)
def test_confirmations(confirm):
    assert confirmation_problem(confirm, {"dev", "prod"}) == ""


@pytest.mark.parametrize(
    ("confirm", "said"),
    [
        ("done", "is neither the digest of a card"),
        (f"{DIGEST},x", "is neither the digest of a card"),
        ([DIGEST, "x"], "is neither the digest of a card"),
        ([DIGEST.upper()], "is neither the digest of a card"),
        ([], "is neither the digest of a card"),
        (True, "is neither the digest of a card"),
        ({"dev": "jane"}, "is neither the digest of a card"),
        ({"dve": {"link": WORD}}, "names dve, which this inventory does not have"),
        ({"dev": {"lnik": WORD}}, "names the step lnik, which this inventory does not have"),
        ({"dve": {"lnik": WORD}}, "names dve, the step lnik, which this inventory does not have"),
    ],
)
def test_a_misspelt_confirmation_is_told(confirm, said):
    told = confirmation_problem(confirm, {"dev", "prod"})
    assert told.startswith(f"unified_profiles_confirm: {said}")
    assert "Write -e unified_profiles_confirm=DIGEST" in told


def missing(steps, **settings):
    return endpoints_problem({f"unified_profiles_{name}": value for name, value in settings.items()}, steps)


def test_endpoints_that_are_not_there_are_told():
    told = missing(("connection", "link", "key"), channel="endpoint", endpoints={"link": ENDPOINTS["link"]})
    assert told.startswith("unified_profiles_endpoints: has no connection and no key, and unified_profiles_channel is")
    assert missing(("link",), channel="endpoint", endpoints=None).startswith("unified_profiles_endpoints: has no link,")


def test_endpoints_that_nobody_needs_may_be_missing():
    assert missing(("link", "key"), channel="endpoint", endpoints=ENDPOINTS) == ""
    assert missing(("connection", "link", "key"), channel="operator", endpoints={}) == ""
