# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ninety days of many environments: people break things, mend them, tell of it or not, and connect runs every night.

The world is what counts: what a run says of a step is compared with it, and with the traffic.
"""

from __future__ import annotations

import datetime
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.counts import HABIT
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.verdict import (
    HOUR,
    LATENESS,
    PROOF_MAX_AGE,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import connections
from sandbox import handovers
from sandbox.model import Environment, Source
from sandbox.server import SandboxHandle, run_sandbox
from support.chain import Chain, Run, world_clock
from support.scenarios import by_hand, settle

DAY = datetime.timedelta(days=1)
# A break shows in traffic so long after it, and so long ago. Two views may be as late as this, and events are counted
# by the hour.
AFTER, AGO = LATENESS + 2 * HOUR, LATENESS + HOUR
STEPS = ("connection", "link", "key")
# What people do, and how often of a hundred breaks.
BREAKS = {
    "disconnect-from-space": 25,
    "key of another source": 20,
    "wrong-key-in-flex": 10,
    "lose-connector": 10,
    "wrong-token-in-flex": 10,
    "delete-source": 5,
    "rename-source": 8,
    "disable-source": 8,
    "remove-key": 4,
}


class Life:
    """One environment, what is wrong with it, and since when."""

    def __init__(self, sandbox: SandboxHandle, folder: Path, name: str, chance: random.Random, channel: str) -> None:
        self.sandbox, self.world, self.chance = sandbox, sandbox.world, chance
        self.chain = Chain(sandbox, folder, name, channel=channel)
        self.wrong: dict[str, datetime.datetime] = {}
        self.in_order: dict[str, datetime.datetime] = dict.fromkeys(STEPS, self.world.now())
        self.events: list[tuple[datetime.datetime, str | None]] = []  # when, and the source that took it
        self.mends_at: datetime.datetime | None = None
        self.read_at = self.world.now()
        self.kind = ""
        self.quiet = False

    @property
    def env(self) -> Environment:
        return self.chain.env

    @property
    def source(self) -> Source | None:
        return next(iter(self.chain.twilio_sources), None)

    @property
    def other(self) -> Source:
        return next(source for source in self.env.sources.values() if source.slug == "server")

    def look(self) -> None:
        """Take note of what is in order."""
        now, source, env = self.world.now(), self.source, self.env
        well = {
            "connection": env.connection.get("profile_token") == env.profile_token,
            "link": source is not None and source.id in env.linked,
            "key": source is not None and source.enabled and env.flex_key in source.keys,
        }
        for step, fine in well.items():
            if fine and step in self.wrong:
                del self.wrong[step]
                self.in_order[step] = now
            elif not fine:
                self.wrong.setdefault(step, now)

    # What happens

    def engage(self) -> None:
        taken = self.world.source_of_key(self.env.flex_key, self.env.region)
        self.sandbox.engage(self.chain.name, self.chance.randint(1, 4))
        self.events.append((self.world.now(), taken[1].id if taken and taken[1].enabled else None))

    def edit(self) -> None:
        if self.source:
            self.world.changed(self.env, self.source)

    def break_it(self) -> None:
        name = self.chance.choices(list(BREAKS), list(BREAKS.values()))[0]
        if self.wrong or self.source is None:
            return
        self.kind = name
        if name == "key of another source":
            handovers.store_key(self.world, self.env, self.other.keys[0])
        else:
            self.sandbox.sabotage(self.chain.name, name)
        self.mends_at = self.world.now() + self.chance.choice([0.2, 1, 2, 4, 9]) * DAY

    def mend(self) -> None:
        """Somebody looks into the consoles and sets right what is wrong there, without a word to this collection."""
        source, env = self.source, self.env
        if "connection" in self.wrong:
            form = {"friendly_name": self.chain.name, "space_id": env.space["id"]}
            env.connection = {**form, "profile_token": env.profile_token}
        if source and "link" in self.wrong:
            handovers.link(self.world, env, {"space_id": env.space["id"], "source_id": source.id})
        if source and "key" in self.wrong:
            handovers.store_key(self.world, env, source.keys[-1])
        self.mends_at = None

    def night(self) -> Run:
        """The nightly run; in the morning somebody may read it."""
        self.look()
        run = self.chain.connect()
        self.look()
        return run

    def morning(self, run: Run) -> None:
        """Do what the run says, as somebody who reads it would, or leave it for another day."""
        if self.chance.random() < 0.3:
            return
        self.read_at = self.world.now()
        if run.failure and "run the playbook recover" in run.failure["msg"]:
            settle(self.chain, "recover")
        elif run.pending:
            self.chain.connect(confirm={step: by_hand(self.chain, step, asked) for step, asked in run.pending.items()})
        for card in run.statuses[-1]["cards"]:
            if card["digest"]:
                continue
            mended = card["step"] not in self.wrong
            if not mended and self.chance.random() < 0.5:
                self.mend()
                self.look()
                mended = card["step"] not in self.wrong
            if mended:
                self.chain.options |= {"acknowledge": [card["acknowledge"]], "confirmed_by": "jane"}
                self.chain.connect()
                self.chain.options.pop("acknowledge")
        self.look()

    # What it could know

    def shown(self, step: str) -> bool:
        """Return whether traffic has shown for long enough that the step is wrong."""
        since, now, ours = self.wrong[step], self.world.now(), self.source and self.source.id
        by = {"connection": lambda source: True, "link": lambda source: source == ours}
        shows: Callable[[str | None], bool] = by.get(step, lambda source: source not in (None, ours))
        after, ago = (datetime.timedelta(), HOUR / 30) if step == "connection" else (AFTER, AGO)
        return any(since + after <= at <= now - ago and shows(source) for at, source in self.events)

    def looks_like_another_flex(self) -> bool:
        """Return whether the other source sent in the week before the last of ours, as that of another Flex does."""
        ours = [at for at, source in self.events if self.source and source == self.source.id]
        last = max(ours, default=None)
        return last is None or any(
            last - HABIT - DAY <= at <= last and source == self.other.id for at, source in self.events
        )


def simulate(sandbox: SandboxHandle, folder: Path, lives: list[Life], days: int, chance: random.Random) -> Counter[str]:
    counted: Counter[str] = Counter()
    for life in lives:
        run = settle(life.chain, "connect")
        assert not run.failure, run.failure
        for source in life.env.sources.values():  # what has a destination is not switched off by Segment
            life.env.destinations[source.id] = {"name": "kept", "enabled": True, "source": source.id}
        life.look()
        assert not life.wrong
    for day in range(days):
        plans: list[tuple[float, Life, Callable[[], None]]] = []
        for life in lives:
            life.quiet = chance.random() < 0.2 if day % 7 == 0 else life.quiet
            if not life.quiet and day % 7 < 5:
                plans += [(chance.uniform(7, 19), life, life.engage) for _n in range(chance.choice([0, 1, 2, 6]))]
            if chance.random() < 0.08:
                plans.append((chance.uniform(0, 24), life, life.break_it))
            if chance.random() < 0.1:
                plans.append((chance.uniform(0, 24), life, life.edit))
            if life.mends_at and life.mends_at <= sandbox.world.now() + DAY:
                plans.append((chance.uniform(0, 24), life, life.mend))
        hours = 0.0
        for hour, life, act in sorted(plans, key=lambda plan: plan[0]):
            sandbox.advance((hour - hours) * 3600)
            hours = hour
            act()
            life.look()
        sandbox.advance((24 - hours) * 3600)
        for life in lives:
            before = set(life.wrong)
            run = life.night()
            judge(life, run, before, counted)
            life.morning(run)
        sandbox.clear_journal()
    return counted


def judge(life: Life, run: Run, before: set[str], counted: Counter[str]) -> None:
    """Compare what the run said with how it is."""
    now, last = life.world.now(), run.looks[-1]
    counted["days"] += 1
    findings = [it for it in run.looks[0]["findings"] if it["problem"] != "may_be_disabled"]
    told = bool(run.failure or run.looks[0]["due"] or findings or run.statuses[-1]["fails"])
    for step in STEPS:
        said = last["verdicts"].get(step, {}).get("verdict")
        suspected = any(suspicion["step"] == step for suspicion in last["suspicions"])
        if step in life.wrong:
            counted["steps that were wrong"] += 1
            shown = life.shown(step)
            counted["of them shown by traffic"] += shown
            limit = step == "key" and shown and life.looks_like_another_flex()
            too_long = now - life.wrong[step] > PROOF_MAX_AGE + AFTER
            if said == "proven" and ((shown and not limit) or too_long):
                counted["wrongly proven"] += 1
            if shown and not told:
                counted["looked like another Flex, so told by age alone" if limit else "told by nothing"] += 1
        elif life.in_order[step] < life.read_at:  # whoever read a run since then has said so
            counted["steps in order"] += 1
            counted["proven"] += said == "proven"
            counted["wrongly broken"] += said == "broken"
            counted["wrongly suspected"] += suspected
    if before:
        counted[f"{life.kind}: nights"] += 1
        counted[f"{life.kind}: told"] += told


SWITCHES = [
    {"space_event_resource": "space", "replay_seen": "event"},
    {"space_event_resource": "source", "replay_seen": "arrival", "volume_floats": True},
    {"space_event_resource": "space", "replay_seen": "arrival"},
]
WRONG = ("wrongly proven", "wrongly broken", "wrongly suspected", "told by nothing")


@pytest.mark.parametrize("seed", range(3))
def test_every_verdict_of_ninety_days_is_true(tmp_path: Path, monkeypatch, count, full: bool, seed: int) -> None:
    environments, days = (20, 90) if full else (4, 12)
    chance = random.Random(f"ninety days {seed}")
    with run_sandbox(environments) as sandbox:
        sandbox.switch(**SWITCHES[seed])
        monkeypatch.setattr(connections, "Clock", world_clock(sandbox))
        names = list(sandbox.world.environments)
        lives = [
            Life(sandbox, tmp_path, name, random.Random(f"{seed} {name}"), "endpoint" if n % 5 == 4 else "operator")
            for n, name in enumerate(names)
        ]
        counted = simulate(sandbox, tmp_path, lives, days, chance)
    for heading, number in counted.items():
        count(f"simulated: {heading}", number)
    assert {name: counted[name] for name in WRONG} == dict.fromkeys(WRONG, 0)
