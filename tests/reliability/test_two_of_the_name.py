# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two sources of the name, of which unified_profiles_source_id names one: each playbook works with that one."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from sandbox.server import SandboxHandle
from support.chain import Chain
from support.scenarios import settle


def two_of_the_name(sandbox: SandboxHandle, folder: Path, named: bool = True) -> tuple[Chain, str]:
    """A connected environment with a second source of the name; the id of the first."""
    sandbox.reset()
    chain = Chain(sandbox, folder)
    assert not settle(chain, "connect").failure
    (ours,) = chain.twilio_sources
    sandbox.sabotage("dev", "duplicate-name")
    if named:
        chain.options["source_id"] = ours.id
    return chain, ours.id


def test_connect_recover_and_drift_find_nothing_to_do(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain, ours = two_of_the_name(sandbox, tmp_path)
    for playbook in ("connect", "recover", "drift"):
        run = chain.play(playbook)
        assert (run.failure, run.looks[-1]["due"], run.looks[-1]["differences"]) == (None, {}, [])
        assert run.looks[-1]["source"]["id"] == ours


def test_what_stands_is_attested(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain, ours = two_of_the_name(sandbox, tmp_path / "before")
    key = fingerprint(chain.env.sources[ours].keys[0])
    options = {"channel": "operator", "attest_existing": "jane", "key_fingerprint": key}
    taken_over = Chain(sandbox, tmp_path / "after", source_id=ours, **options)
    run = taken_over.connect()
    assert not run.failure
    assert not run.pending
    done = {step: records["done"] for step, records in taken_over.recorded().items()}
    assert {record["how"] for record in done.values()} == {"existing"}
    assert done["link"]["subject"]["source_id"] == done["key"]["subject"]["source_id"] == ours


@pytest.mark.parametrize("option", ["rotate_now", "key_max_age"])
def test_a_key_of_the_named_source_is_rotated(sandbox: SandboxHandle, tmp_path: Path, option: str) -> None:
    chain, ours = two_of_the_name(sandbox, tmp_path)
    old = fingerprint(chain.env.sources[ours].keys[0])
    sandbox.advance(86400.0)
    chain.env.sources[ours].enabled = True
    chain.options[option] = {"dev": old} if option == "rotate_now" else 0.5
    run = chain.rotate()
    assert not run.failure
    before, added = map(fingerprint, chain.env.sources[ours].keys)
    assert before == old
    assert (
        chain.recorded()["key"]["done"]["subject"] | {"source_id": ours, "key_fingerprint": added}
        == (chain.recorded()["key"]["done"]["subject"])
    )


def test_without_an_id_a_rotation_says_that_it_cannot_tell_them_apart(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain, _ours = two_of_the_name(sandbox, tmp_path, named=False)
    chain.options["key_max_age"] = 0.5
    run = chain.rotate()
    assert "2 sources fit the name" in run.statuses[-1]["failure"]
    assert not run.changed


def test_an_id_that_names_a_source_that_is_gone_stops_no_recovery(sandbox: SandboxHandle, tmp_path: Path) -> None:
    sandbox.reset()
    chain = Chain(sandbox, tmp_path)
    assert not settle(chain, "connect").failure
    old = chain.options["source_id"] = chain.twilio_sources[0].id
    sandbox.sabotage("dev", "delete-source")
    run = chain.recover()
    assert not run.failure
    assert run.looks[0]["findings"][0]["problem"] == "deleted"
    (now,) = chain.twilio_sources
    assert now.id != old
    (told,) = (it for it in run.looks[-1]["differences"] if it["attribute"] == "source")
    assert told["mend"].startswith(f"Write {now.id} as unified_profiles_source_id")
    chain.options["source_id"] = now.id
    assert chain.recover().looks[-1]["differences"] == []
