# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nothing is deleted, no key and no label removed, unless it was asked for; the last visible key never."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from ansible_collections.flexops.unified_profiles.plugins.modules import segment_source, segment_source_key
from sandbox.server import SandboxHandle
from support.chain import Chain
from support.scenarios import SCENARIOS, Snapshot


@pytest.fixture
def chain(sandbox: SandboxHandle, tmp_path: Path) -> Chain:
    return SCENARIOS["connect again"].begin(sandbox, tmp_path)


@pytest.mark.parametrize("confirm", [None, "", "yes", "true", "twilio-unified-profiles"])
def test_a_source_is_deleted_only_when_its_id_is_confirmed(chain: Chain, confirm: str | None) -> None:
    start = Snapshot(chain)
    for check in (True, False):
        result = chain.run(segment_source, check, state="absent", confirm_delete=confirm)
        assert result["failed"]
        assert chain.twilio_sources[0].id in result["msg"]
        assert start.same()
    result = chain.run(segment_source, state="absent", confirm_delete=chain.twilio_sources[0].id)
    assert result["changed"]
    assert chain.twilio_sources == []
    assert not chain.run(segment_source, state="absent", confirm_delete=confirm)["changed"]


def test_another_id_confirms_nothing(chain: Chain) -> None:
    start = Snapshot(chain)
    other = next(s for s in chain.env.sources.values() if s.name == "website")
    assert chain.run(segment_source, state="absent", confirm_delete=other.id)["failed"]
    assert start.same()


def test_the_last_visible_key_stays(chain: Chain) -> None:
    (source,) = chain.twilio_sources
    start = Snapshot(chain)
    for check in (True, False):
        result = chain.run(
            segment_source_key, check, source_id=source.id, state="absent", key_fingerprint=fingerprint(source.keys[0])
        )
        assert "last one" in result["msg"]
        assert start.same()


def test_no_key_is_removed_or_added_when_none_can_be_seen(chain: Chain) -> None:
    (source,) = chain.twilio_sources
    source.keys.append(chain.sandbox.world.new_key(chain.env))
    start = Snapshot(chain)
    chain.options["segment_token"] = chain.env.read_only_token
    for state in ("absent", "present"):
        result = chain.run(
            segment_source_key, source_id=source.id, state=state, key_fingerprint=fingerprint(source.keys[0])
        )
        assert "cannot be seen" in result["msg"]
    assert start.same()


@pytest.mark.parametrize("sabotage", ["rename-source", "disable-source", "delete-source"])
def test_rights_are_looked_at_before_the_first_write(chain: Chain, sabotage: str) -> None:
    """A source that nobody can hand the key of over would be half a recovery."""
    chain.sandbox.sabotage(chain.name, sabotage)
    start = Snapshot(chain)
    chain.options["segment_token"] = chain.env.read_only_token
    foretold, real = chain.recover(check=True), chain.recover()
    assert real.failure
    assert "segment_token" in real.failure["msg"]
    assert start.same()
    assert "Source Admin" in str([foretold.failure, *(look["warnings"] for look in foretold.looks)])


def test_one_named_key_of_two_is_removed(chain: Chain) -> None:
    (source,) = chain.twilio_sources
    old = source.keys[0]
    source.keys.append(chain.sandbox.world.new_key(chain.env))
    other = source.keys[1]
    absent = {"source_id": source.id, "state": "absent", "key_fingerprint": fingerprint(old)}
    assert chain.run(segment_source_key, check_mode=True, **absent)["changed"]
    assert source.keys == [old, other]
    assert chain.run(segment_source_key, **absent)["changed"]
    assert source.keys == [other]
    assert not chain.run(segment_source_key, **absent)["changed"]


@pytest.mark.parametrize(
    "wanted", [{}, {"managed-by": "ansible"}, {"environment": "dev"}, {"managed-by": "ansible", "team": "b"}]
)
def test_labels_that_were_not_asked_about_stay(chain: Chain, wanted: dict[str, str]) -> None:
    (source,) = chain.twilio_sources
    chain.env.labels.append({"key": "team", "value": "a"})
    chain.env.labels.append({"key": "team", "value": "b"})
    # Two values of one key: whether Segment allows it is not documented, so neither may be lost.
    source.labels = [{"key": "team", "value": "a"}, {"key": "team", "value": "b"}]
    chain.run(segment_source, source_labels=wanted, create=False)
    kept = {(x["key"], x["value"]) for x in source.labels}
    assert kept == {("team", "a"), ("team", "b"), *wanted.items()}


def test_a_label_gets_another_value_only_when_asked(chain: Chain) -> None:
    (source,) = chain.twilio_sources
    chain.env.labels.append({"key": "managed-by", "value": "hand"})
    source.labels = [{"key": "managed-by", "value": "hand"}, {"key": "environment", "value": "dev"}]
    chain.run(segment_source, source_labels={"managed-by": "ansible"}, create=False)
    assert {(x["key"], x["value"]) for x in source.labels} == {("managed-by", "ansible"), ("environment", "dev")}
