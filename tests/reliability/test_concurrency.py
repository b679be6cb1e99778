# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two runs, or a run and a person, on one environment at once: one source, no record lost, at worst a clear error."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.service import Service
from sandbox.server import SandboxHandle
from support.chain import Chain
from support.project import HANGS
from support.scenarios import CONNECT, RECOVER, SCENARIOS, Snapshot, assert_connected, check_settled, sample, settle

Action = Callable[[Chain], object]


def beside(playbook: str) -> Action:
    """Another run, from another process on the same controller."""

    def run(chain: Chain) -> None:
        other = Chain(chain.sandbox, chain.state_dir, chain.name, **chain.options)
        getattr(other, playbook)()

    return run


def person_renames(chain: Chain) -> None:
    if chain.twilio_sources:
        chain.sandbox.sabotage(chain.name, "rename-source", to="renamed meanwhile")


def person_disables(chain: Chain) -> None:
    if chain.twilio_sources:
        chain.sandbox.sabotage(chain.name, "disable-source")


PAIRS: dict[str, tuple[str, Action]] = {
    "two first connects": ("first connect", beside(CONNECT)),
    "two first connects, endpoint without reading back": (
        "first connect, endpoint without reading back",
        beside(CONNECT),
    ),
    "two connects again": ("connect again", beside(CONNECT)),
    "two connects with the ledger lost": ("connect, form not recorded", beside(CONNECT)),
    "two recovers of a deleted source": ("recover, deleted", beside(RECOVER)),
    "two recovers of a removed key": ("recover, key removed", beside(RECOVER)),
    "connect beside recover": ("recover, deleted", beside(CONNECT)),
    "recover beside connect": ("connect, renamed", beside(RECOVER)),
    "a person renames during recover": ("recover, deleted", person_renames),
    "a person renames during connect": ("first connect", person_renames),
    "a person disables during recover": ("recover, renamed", person_disables),
}


def at_request(monkeypatch: pytest.MonkeyPatch, nth: int, action: Callable[[], object]) -> list[int]:
    """Do something just before the nth request goes out; what that sends is not counted."""
    exchange, state = Service.exchange, [0, 0]

    def watched(service: Any, *args: Any) -> Any:
        if not state[1]:
            state[0] += 1
            if state[0] == nth:
                state[1] = 1
                action()
                state[1] = 0
        return exchange(service, *args)

    monkeypatch.setattr(Service, "exchange", watched)
    return state


@pytest.mark.parametrize("name", PAIRS)
def test_something_happens_between_two_requests(
    sandbox: SandboxHandle, tmp_path: Path, name: str, monkeypatch, full: bool, count
) -> None:
    scenario, action = SCENARIOS[PAIRS[name][0]], PAIRS[name][1]
    chain = scenario.begin(sandbox, tmp_path)
    start = Snapshot(chain)
    with monkeypatch.context() as patch:
        state = at_request(patch, 0, lambda: None)
        settle(chain, scenario.playbook)
    wrong = []
    for nth in sample(list(range(1, state[0] + 1)), 1.0 if full else 0.2, name):
        start.restore()
        with monkeypatch.context() as patch:
            at_request(patch, nth, lambda: action(chain))
            run = settle(chain, scenario.playbook)
        try:
            assert len(chain.twilio_sources) <= 1, "a second source"
            if not run.failure:
                assert not chain.twilio_sources or chain.env.flex_key in chain.twilio_sources[0].keys
            if action is person_renames and scenario.playbook == CONNECT:
                settle(chain, CONNECT)
            assert_connected(chain, settle(chain, scenario.playbook))
            start.assert_nothing_lost()
            check_settled(chain, scenario.playbook)
        except AssertionError as error:
            wrong.append(f"before request {nth}: {error}")
        count("something else happens between two requests")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["first connect", "recover, deleted", "connect, renamed"])
def test_many_at_once(sandbox: SandboxHandle, tmp_path: Path, name: str, full: bool, count) -> None:
    scenario = SCENARIOS[name]
    chain = scenario.begin(sandbox, tmp_path)
    start = Snapshot(chain)
    for _round in range(20 if full else 3):
        start.restore()
        chains = [Chain(sandbox, tmp_path, **scenario.options) for _unused in range(4)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda c: getattr(c, scenario.playbook)(), chains))
        assert len(chain.twilio_sources) == 1
        assert_connected(chain, settle(chain, scenario.playbook))
        start.assert_nothing_lost()
        check_settled(chain, scenario.playbook)
        count("four runs at once")


def test_connect_and_recover_as_playbooks_at_once(sandbox: SandboxHandle, project) -> None:
    chain = SCENARIOS["recover, deleted"].begin(sandbox, project.inventory / ".unified_profiles")
    root = Path(__file__).resolve().parent.parent.parent
    import os

    runs = [
        subprocess.Popen(
            [
                *(Path(sys.executable).with_name("ansible-playbook"), "-i", project.inventory),
                *(root / f"playbooks/{playbook}.yml", "--limit", "dev"),
            ],
            cwd=project.folder,
            env={
                **os.environ,
                "ANSIBLE_CONFIG": str(root / "ansible.cfg"),
                "SANDBOX_PORT": sandbox.url.rpartition(":")[2],
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for playbook in (RECOVER, CONNECT, RECOVER)
    ]
    told = [run.communicate(timeout=HANGS)[0] for run in runs]
    assert all("Traceback" not in text and "A defect" not in text for text in told), told
    assert len(chain.twilio_sources) == 1
    assert_connected(chain, settle(chain, RECOVER))
    check_settled(chain, CONNECT)
