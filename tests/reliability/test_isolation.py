# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fifty environments, ten of them hostile, each in its own way: the others finish, and each of the ten tells its own cause."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from sandbox.model import SOURCE_NAME
from sandbox.server import run_sandbox
from support.chain import Chain, surveyed
from support.hostile import HOSTILE, fleet, make_hostile
from support.scenarios import connected

WAYS = list(HOSTILE)


@pytest.mark.parametrize(
    ("serial", "ways"),
    [([1, 12, "50%"], WAYS[:10]), pytest.param("100%", WAYS[-10:], marks=pytest.mark.full)],
    ids=["in batches", "together"],
)
def test_one_failure_never_touches_another(project, tmp_path: Path, serial: object, ways: list[str], count) -> None:
    folder = tmp_path / "fleet"
    with fleet(50, folder, ways) as (sandbox, hostile):
        assert len(hostile) == 10
        more = json.dumps({"unified_profiles_serial": serial, "unified_profiles_report_dir": str(tmp_path / "report")})
        run = project.run("connect", "-e", more, inventory=str(folder))
        assert run.status == 2, run.output[-3000:]
        report = (tmp_path / "report/report.md").read_text()
        rows = {line.split(" | ")[0].strip("| "): line for line in report.splitlines() if line.startswith("| ")}
        problems = []
        for name, env in sandbox.world.environments.items():
            sources = [s for s in env.sources.values() if s.name == SOURCE_NAME]
            recorded = folder / f".unified_profiles/ledger/{name}.json"
            if name not in hostile:
                steps = json.loads(recorded.read_text())["steps"]
                right = len(sources) == 1 and env.flex_key == sources[0].keys[0] and sources[0].id in env.linked
                if (
                    not right
                    or "failed" in rows[name]
                    or {s: list(r) for s, r in steps.items()}
                    != {step: ["done"] for step in ("connection", "link", "key")}
                ):
                    problems.append(f"{name} should be connected: {rows[name]}")
            elif HOSTILE[hostile[name]].said not in rows[name] or "failed" not in rows[name]:
                problems.append(f"{name}, {hostile[name]}: {rows[name]}")
        assert not problems, "\n".join(problems)
        told = [rows[name].split(" | ", 1)[1].replace(name, "") for name in hostile]
        assert len(set(told)) == 10, told
        count("environments side by side, one in five of them hostile", 50)


@pytest.mark.parametrize(
    "ways", [WAYS[:10], pytest.param(WAYS[-10:], marks=pytest.mark.full)], ids=["some ways", "others"]
)
def test_a_look_is_the_same_beside_others(tmp_path: Path, ways: list[str], count, monkeypatch) -> None:
    """Fifty environments in one process, some connected and some not: forty are seen as each is seen alone.

    The look never touches os.environ, which all threads share.
    """

    def touched(_environ: object, name: str, *_value: str) -> None:
        raise AssertionError(f"os.environ: {name}")

    with run_sandbox(50) as sandbox:
        chains = {name: Chain(sandbox, tmp_path, name) for name in sandbox.world.environments}
        hostile = dict(zip(list(chains)[1::4], ways))
        healthy = [name for name in chains if name not in hostile]
        for name in healthy[:10]:
            connected(chains[name])
        variables = {name: chain.variables for name, chain in chains.items()}
        alone = {name: surveyed("connect", {name: variables[name]})[1][name] for name in healthy}
        for name, way in hostile.items():
            variables[name] |= make_hostile(sandbox, name, HOSTILE[way])
        sandbox.clear_journal()
        with monkeypatch.context() as patched:
            patched.setattr(type(os.environ), "__setitem__", touched)
            patched.setattr(type(os.environ), "__delitem__", touched)
            _looks, together = surveyed("connect", variables)
        assert sandbox.journal(writes=True) == []
    for name in healthy:
        assert together[name]["due"] == alone[name]["due"], name
        assert together[name]["status"] == alone[name]["status"] != "failed", name
        assert together[name]["steps"].keys() == alone[name]["steps"].keys()
    for name, way in hostile.items():
        assert together[name]["status"] == "failed", way
        assert HOSTILE[way].said in together[name]["why"], way
    count("environments in one look, one in five of them hostile", 50)
