# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done after a success whose answer shows nothing, and which labels are taken."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import OptionError, UnexpectedAnswer
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients.segment_public import PublicApi
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.state import reconcile
from ansible_collections.flexops.unified_profiles.plugins.module_utils._source.keys import ManagedKeys
from ansible_collections.flexops.unified_profiles.plugins.module_utils._source.manage import ManagedSource
from support.conversation import Turn

NAME = "twilio-unified-profiles"
PAGE = {"pagination.count": "200"}
NO_SOURCE = [{}, {"data": {}}, {"data": {"source": None}}, {"data": {"source": {"id": "s1"}}}, [], None, b"[1"]


def source(*keys):
    metadata = {"id": "V6ynUvQgbc", "slug": "java"}
    return {
        "id": "s1",
        "slug": NAME,
        "name": NAME,
        "enabled": True,
        "metadata": metadata,
        "writeKeys": keys,
        "labels": [],
    }


def listed(*sources):
    return Turn("GET", "/sources", 200, {"data": {"sources": sources}}, query=PAGE)


class Call(dict):
    """The parameters of a module, and a client that talks to a script."""

    def __init__(self, conversation, **params):
        common = {
            "source_name": NAME,
            "source_id": None,
            "source_slug": None,
            "source_labels": None,
            "ignore_legacy": False,
            "state": "present",
        }
        super().__init__(
            {
                **common,
                "enabled": True,
                "repair": True,
                "create": True,
                "wait_timeout": 0,
                "known_fingerprints": [],
                **params,
            }
        )
        self.conversation = conversation

    def public_api(self):
        return PublicApi(self.conversation.service())


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize("body", NO_SOURCE, ids=str)
def test_a_source_that_was_made_and_not_shown_is_looked_up_at_once(converse, status, body):
    script = converse(listed(), Turn("POST", "/sources", status, body), listed(source("k1")))
    assert reconcile(ManagedSource(Call(script)), False).state["id"] == "s1"


def test_a_source_that_was_made_and_is_nowhere_is_not_made_again(converse):
    script = converse(listed(), Turn("POST", "/sources", 201, {}), listed())
    with pytest.raises(UnexpectedAnswer):
        reconcile(ManagedSource(Call(script)), False)


@pytest.mark.parametrize("body", NO_SOURCE, ids=str)
def test_a_key_that_was_added_and_not_shown_is_looked_up_at_once(converse, body):
    before, after = ({"data": {"source": source(*keys)}} for keys in (["k1"], ["k1", "k2"]))
    added = Turn("POST", "/sources/s1/writekey", 200, body)
    script = converse(Turn("GET", "/sources/s1", 200, before), added, Turn("GET", "/sources/s1", 200, after))
    keys = ManagedKeys(Call(script, source_id="s1", known_fingerprints=[fingerprint("k1")]))
    assert reconcile(keys, False).state["key_fingerprints"] == sorted([fingerprint("k1"), fingerprint("k2")])


@pytest.mark.parametrize("value", [True, False, None, 1.1, datetime.date(2026, 1, 1), [], {}])
def test_a_label_that_is_no_text_is_refused(converse, value):
    for labels in ({"since": value}, {value: "x"} if value.__hash__ else {"x": value}):
        with pytest.raises(OptionError, match=r"source_labels: the (key|value) of the label .* is ") as caught:
            ManagedSource(Call(converse(), source_labels=labels))
        assert "Quote it" in caught.value.full_message


@pytest.mark.parametrize(("value", "text"), [("2026-01-01", "2026-01-01"), (7, "7"), ("", ""), ("true", "true")])
def test_a_label_is_what_was_written(converse, value, text):
    assert ManagedSource(Call(converse(), source_labels={"since": value})).labels == {"since": text}
