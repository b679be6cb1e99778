# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the history has is never lost by a run, and what a run recorded is in it."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger import Entry, LedgerDocument
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_file import FileLedger
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_place import open_ledger
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.modules import profiles_info
from sandbox.server import SandboxHandle
from support.chain import Chain, Run
from support.environment import checked
from support.scenarios import by_hand, with_attachments

CHANNELS: dict[str, dict[str, t.Any]] = {
    "endpoint": {},
    "endpoint without reading back": {"read_back": False},
    "operator": {"channel": "operator"},
    "ledger in Sync": {"ledger": "sync"},
}


class Kept(Chain):
    """An environment of which every run is followed by a look at its history."""

    @property
    def document(self) -> LedgerDocument:
        return open_ledger(ModuleContext(checked(profiles_info, self.arguments(profiles_info)), check_mode=True)).read()

    @property
    def happened(self) -> list[str]:
        return [entry["what"] for entry in self.document.history]

    @property
    def key(self) -> str:
        """The one that Flex holds."""
        return fingerprint(self.env.flex_key or "")

    def play(self, playbook: str, confirm: dict[str, t.Any] | None = None, check: bool = False) -> Run:
        before = self.document
        run = super().play(playbook, confirm, check)
        assert not run.failure, run.failure
        after = self.document
        # Those of one second are sorted by their text.
        assert [entry for entry in after.history if entry in before.history] == before.history
        told = [(entry.get("step"), entry.get("digest"), entry["what"]) for entry in after.history]
        for step, records in after.steps.items():
            for record in records.values():
                assert (step, record["digest"], record["how"]) in told, (playbook, step, record, told)
        return run

    def as_asked(self, playbook: str, **last: t.Any) -> Run:
        """Run it; where a person is asked, they do as the card says, and the next run has these words as well."""
        run = self.play(playbook)
        for _turn in range(4):
            if not run.pending:
                return run
            said = {step: by_hand(self, step, asked) for step, asked in run.pending.items()}
            self.options |= last
            run = self.play(playbook, confirm=said)
        raise AssertionError(run.pending)


def later(chain: Chain, seconds: float) -> None:
    chain.sandbox.advance(seconds)
    chain.twilio_sources[0].enabled = True  # without a destination Segment switches it off


@pytest.mark.parametrize("options", CHANNELS.values(), ids=CHANNELS)
def test_no_entry_is_lost_from_the_first_connect_to_the_second_rotation(
    sandbox: SandboxHandle, tmp_path: Path, options: dict[str, t.Any]
) -> None:
    sandbox.reset()
    chain = Kept(sandbox, tmp_path, snapshot=True, **options)
    chain.as_asked("connect")
    with_attachments(chain)
    sandbox.sabotage("dev", "delete-source")
    chain.as_asked("recover")
    assert "restored" in chain.happened

    # A key has leaked: the run that records its hand-over retires the old one.
    old = chain.key
    retire = {"retire": {"dev": old}}
    chain.options |= {"rotate_now": {"dev": old}, **({} if chain.options["channel"] == "operator" else retire)}
    run = chain.as_asked("rotate", **retire)
    assert (run.statuses[-1]["rotation"] or {})["phase"] == "prove", run.statuses[-1]
    assert chain.happened.count("rotation begun") == chain.happened.count("retired") == 1
    later(chain, 1800)
    chain.work()
    chain.as_asked("rotate")
    assert not chain.document.rotation

    # Another one, and back.
    chain.options |= {"rotate_now": {"dev": chain.key}, "retire": {}}
    chain.as_asked("rotate")
    chain.options |= {"rotate_now": {}, "rotate_rollback": {"dev": chain.key}}
    chain.as_asked("rotate")
    later(chain, 25 * 3600)  # the new key did not leak, so it overlaps
    chain.as_asked("rotate")
    assert "rolled back" in chain.happened
    assert not chain.document.rotation
    for playbook in ("connect", "recover", "rotate"):
        chain.options["rotate_rollback"] = {}
        assert chain.as_asked(playbook).changed == []


def test_what_others_record_between_two_requests_of_a_rotation_stays(sandbox: SandboxHandle, tmp_path: Path) -> None:
    sandbox.reset()
    chain = Kept(sandbox, tmp_path)
    chain.as_asked("connect")
    (source,) = chain.twilio_sources
    at, others = chain.document.history[0]["at"], []

    def another_writes(phase: str, seen: dict[str, t.Any]) -> None:
        if phase == "before" and seen["path"].endswith(f"/sources/{source.id}"):
            others.append(f"{len(others):012}")
            ledger = FileLedger(tmp_path, "dev")
            document = ledger.read()
            entry: Entry = {"at": at, "what": others[-1], "by": "jane", "why": ""}
            seen_keys = {**document.seen_keys, others[-1]: at}
            ledger.save(replace(document, history=[*document.history, entry], seen_keys=seen_keys))

    chain.options |= {"rotate_now": {"dev": chain.key}, "retire": {"dev": chain.key}}
    sandbox.on_request(another_writes)
    chain.rotate()
    sandbox.on_request(None)
    assert chain.happened.count("retired") == 1
    assert len(others) > 2
    assert set(others) <= set(chain.happened)
    assert set(others) <= set(chain.document.seen_keys)
