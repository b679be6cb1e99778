# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In whatever order things happen, no source gets a rival, and no connection counts as proven that is lost."""

from __future__ import annotations

import random
import typing as t
from collections.abc import Callable
from pathlib import Path

from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import connections
from sandbox.model import deterministic_id
from sandbox.server import SandboxHandle
from support.chain import Chain, Run, world_clock
from support.scenarios import CONNECT, RECOVER, by_hand, settle

HOUR = 3600
CHANNELS: list[dict[str, t.Any]] = [{"channel": "operator"}, {"read_back": False}, {"read_back": True}]
WARNING = "The form creates a source of its own"


class Life:
    """Runs, time, people and breaks. People do what cards say, and nothing that these warn of."""

    def __init__(self, sandbox: SandboxHandle, folder: Path, chance: random.Random) -> None:
        sandbox.reset()
        self.sandbox, self.chance = sandbox, chance
        self.chain = Chain(sandbox, folder, **chance.choice(CHANNELS))
        self.lost_and_worked = False
        self.story: list[str] = []
        settle(self.chain, CONNECT)

    def happens(self) -> list[Callable[[], None]]:
        breaks = [self.delete, self.recover_what_was_deleted, self.lose_the_connector, self.change]
        return [
            self.connect,
            self.connect,
            self.recover,
            *breaks,
            self.rename,
            self.renew_the_token,
            self.work,
            self.wait,
        ]

    def live(self, steps: int) -> None:
        for _step in range(steps):
            act = self.chance.choice(self.happens())
            self.story.append(act.__name__)
            act()
            assert len(self.chain.twilio_sources) <= 1, self.story

    def judge(self, run: Run) -> None:
        said = run.looks[-1]["verdicts"].get("connection", {})
        assert said.get("verdict") != "proven" or not self.lost_and_worked, (self.story, said)
        self.lost_and_worked = self.lost_and_worked and not self.chain.env.connection

    def play(self, playbook: str) -> None:
        run = self.chain.play(playbook)
        told = {step: it for step, it in run.pending.items() if it["card"] and WARNING not in str(it["card"])}
        if told and not run.failure and self.chain.options["channel"] == "operator":
            run = self.chain.play(playbook, {step: by_hand(self.chain, step, it) for step, it in told.items()})
        self.judge(run)

    # What happens

    def connect(self) -> None:
        self.play(CONNECT)

    def recover(self) -> None:
        self.play(RECOVER)

    def delete(self) -> None:
        if self.chain.twilio_sources:
            self.sandbox.sabotage("dev", "delete-source")

    def recover_what_was_deleted(self) -> None:
        """From then on the source is none of the form's."""
        self.delete()
        settle(self.chain, RECOVER)

    def lose_the_connector(self) -> None:
        self.sandbox.sabotage("dev", "lose-connector")

    def change(self) -> None:
        if self.chain.twilio_sources:
            names = ["rename-source", "disable-source", "remove-key", "disconnect-from-space"]
            self.sandbox.sabotage("dev", self.chance.choice(names))

    def rename(self) -> None:
        self.chain.options["friendly_name"] = self.chance.choice(["one", "another"])

    def renew_the_token(self) -> None:
        self.chain.env.profile_token = deterministic_id(40, "dev", str(self.chance.random()))
        self.sandbox.world.environments = dict(self.sandbox.world.environments)

    def work(self) -> None:
        self.sandbox.work("dev")
        self.lost_and_worked = self.lost_and_worked or not self.chain.env.connection

    def wait(self) -> None:
        self.sandbox.advance(self.chance.choice([1, 25, 100]) * HOUR)


def test_any_order_of_things(sandbox: SandboxHandle, tmp_path: Path, monkeypatch, full: bool, count) -> None:
    monkeypatch.setattr(connections, "Clock", world_clock(sandbox))
    lives = 300 if full else 8
    for seed in range(lives):
        Life(sandbox, tmp_path / str(seed), random.Random(f"rivals {seed}")).live(16)
    count("lives in which anything happens in any order", lives)
