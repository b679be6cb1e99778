# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter and the tests for people's own policies. Their examples are run by the test of the documentation."""

from __future__ import annotations

import datetime

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.flexops.unified_profiles.plugins.filter.fingerprint import fingerprint
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._policies import drifted, proven

RENAMED = {"attribute": "name", "accepted": ""}
ACCEPTED = {"attribute": "labels", "accepted": "a trial (until 2026-12-31)"}
FOUND = {"status": "drifted", "differences": [RENAMED, ACCEPTED]}


def steps(key):
    return {
        "status": "in_sync",
        "steps": {"connection": {"verdict": "proven"}, "link": {"verdict": "proven"}, "key": key},
    }


def days_ago(days):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("key", "days", "holds"),
    [
        ({"verdict": "proven"}, None, True),
        ({"verdict": "attested"}, None, False),
        ({"verdict": "attested"}, 30, False),
        ({"verdict": "attested", "proven_at": days_ago(29)}, None, False),
        ({"verdict": "attested", "proven_at": days_ago(29)}, 30, True),
        ({"verdict": "attested", "proven_at": days_ago(31)}, 30, False),
        ({}, 30, False),
    ],
)
def test_proven(key, days, holds):
    assert proven(steps(key), days) is holds


def test_what_was_never_judged_is_not_proven():
    assert not proven({"status": "failed"}, 30)


@pytest.mark.parametrize(
    ("options", "holds"),
    [
        ({}, True),
        ({"attribute": "name"}, True),
        ({"attribute": "labels"}, False),
        ({"attribute": "labels", "accepted": True}, True),
        ({"attribute": "write_keys", "accepted": True}, False),
    ],
)
def test_drifted(options, holds):
    assert drifted(FOUND, **options) is holds


def test_fingerprint():
    assert fingerprint("foo") == "2c26b46b68ff"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: drifted({}),
            "drifted: takes the outcome of one environment, and was given a mapping without a status",
        ),
        (lambda: drifted([FOUND]), "and was given a list"),
        (lambda: drifted(FOUND, "lables"), "Did you mean labels?"),
        (lambda: proven("dev"), "and was given a short string"),
        (lambda: proven({"status": "x"}, 0), "days must be a number above 0"),
        (lambda: proven({"status": "x"}, "30"), "days must be a number above 0"),
        (lambda: fingerprint(""), "was given an empty string"),
        (lambda: fingerprint(None), "was given null"),
        (lambda: fingerprint({"a": "secret"}), "was given a mapping"),
    ],
)
def test_what_cannot_be_asked(call, said):
    with pytest.raises(AnsibleFilterError) as refused:
        call()
    assert said in str(refused.value)
    assert "secret'" not in str(refused.value)
