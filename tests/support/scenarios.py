# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where runs start from, and what must be true once they have ended."""

from __future__ import annotations

import copy
import json
import random
import shutil
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.state import SET_BY_SEGMENT
from sandbox import handovers
from sandbox.catalog import JAVA
from sandbox.model import SOURCE_NAME
from sandbox.server import SandboxHandle

from .attachments import attach, attached
from .chain import LABELS, Chain, Run

CONNECT, RECOVER = "connect", "recover"


@dataclass(frozen=True)
class Scenario:
    """A state of the world, and the playbook that is run on it.

    Attributes:
        playbook: What is run.
        before: Brings the world and the ledger into the state, called with an environment that was never connected.
        options: For :class:`Chain`.
        refused: The problem because of which the playbook must do nothing at all.
    """

    playbook: str
    before: tuple[Callable[[Chain], object], ...] = ()
    options: Mapping[str, t.Any] = field(default_factory=dict)
    refused: str = ""

    def begin(self, sandbox: SandboxHandle, folder: Path) -> Chain:
        sandbox.reset()
        chain = Chain(sandbox, folder, **self.options)
        for step in self.before:
            chain.past = copy.deepcopy(chain.env)
            step(chain)
        sandbox.clear_journal()
        return chain


def connected(chain: Chain) -> None:
    run = settle(chain, CONNECT)
    assert not run.failure, run.failure


def sabotaged(name: str, **args: t.Any) -> Callable[[Chain], None]:
    return lambda chain: chain.sandbox.sabotage(chain.name, name, **args)


def labels_lost(chain: Chain) -> None:
    chain.twilio_sources[0].labels = [{"key": "environment", "value": "dev"}]


def forgotten(*steps: str) -> Callable[[Chain], None]:
    """The ledger has lost the record of these steps, as after a kill between "done" and "recorded"."""

    def forget(chain: Chain) -> None:
        path = chain.state_dir / "ledger/dev.json"
        document = json.loads(path.read_text())
        for step in steps:
            del document["steps"][step]
        path.write_text(json.dumps(document))

    return forget


def renamed_friendly(chain: Chain) -> None:
    chain.options["friendly_name"] = "another name"


def with_attachments(chain: Chain) -> None:
    """Something of everything is attached to the source, and a run takes a snapshot of it."""
    (source,) = chain.twilio_sources
    attach(chain.env, source, "rich")
    # Nothing but the record finds a source of this slug that has no name yet.
    source.slug = "made-by-hand"
    chain.had = attached(chain.env, source)
    # Another one, though there is one of today.
    chain.options["snapshot_max_age"] = 0
    assert not settle(chain, CONNECT).failure
    chain.options["snapshot_max_age"] = 1


OPERATOR = {"channel": "operator"}
SNAPSHOT = {"snapshot": True}
BLIND = {"read_back": False}
SYNC = {"ledger": "sync"}
SCENARIOS = {
    "first connect": Scenario(CONNECT),
    "first connect, endpoint without reading back": Scenario(CONNECT, options=BLIND),
    "first connect, operator": Scenario(CONNECT, options=OPERATOR),
    "connect again": Scenario(CONNECT, (connected,)),
    "connect again, operator": Scenario(CONNECT, (connected,), OPERATOR),
    "connect under another friendly name": Scenario(CONNECT, (connected, renamed_friendly)),
    "connect under another friendly name, operator": Scenario(CONNECT, (connected, renamed_friendly), OPERATOR),
    "connect, form not recorded": Scenario(CONNECT, (connected, forgotten("connection", "link", "key"))),
    "connect, link and key not recorded": Scenario(CONNECT, (connected, forgotten("link", "key"))),
    "connect, renamed": Scenario(CONNECT, (connected, sabotaged("rename-source"))),
    "connect, disabled": Scenario(CONNECT, (connected, sabotaged("disable-source"))),
    "connect, labels lost": Scenario(CONNECT, (connected, labels_lost)),
    "first connect, ledger in Sync": Scenario(CONNECT, options=SYNC),
    "connect again, ledger in Sync": Scenario(CONNECT, (connected,), SYNC),
    "recover, deleted, operator, ledger in Sync": Scenario(
        RECOVER, (connected, sabotaged("delete-source")), {**OPERATOR, **SYNC}
    ),
    "recover, nothing wrong": Scenario(RECOVER, (connected,)),
    "recover, deleted": Scenario(RECOVER, (connected, sabotaged("delete-source"))),
    "recover, deleted, endpoint without reading back": Scenario(
        RECOVER, (connected, sabotaged("delete-source")), BLIND
    ),
    "recover, deleted, operator": Scenario(RECOVER, (connected, sabotaged("delete-source")), OPERATOR),
    "recover, deleted, put back": Scenario(
        RECOVER, (connected, with_attachments, sabotaged("delete-source")), SNAPSHOT
    ),
    "recover, deleted, put back, ledger in Sync": Scenario(
        RECOVER, (connected, with_attachments, sabotaged("delete-source")), {**SNAPSHOT, **SYNC, "remember": "sync"}
    ),
    "recover, renamed": Scenario(RECOVER, (connected, sabotaged("rename-source"))),
    "recover, disabled": Scenario(RECOVER, (connected, sabotaged("disable-source"))),
    "recover, key removed": Scenario(RECOVER, (connected, sabotaged("remove-key"))),
    "recover, key removed, operator": Scenario(RECOVER, (connected, sabotaged("remove-key")), OPERATOR),
    "recover, key never handed over": Scenario(RECOVER, (connected, forgotten("key"))),
    "recover, wrong key in Flex": Scenario(RECOVER, (connected, sabotaged("wrong-key-in-flex"))),
    "recover, not linked": Scenario(RECOVER, (connected, sabotaged("disconnect-from-space"))),
    "recover, wrong type": Scenario(RECOVER, (connected, sabotaged("swap-type")), refused="wrong_type"),
    "recover, two of the name": Scenario(RECOVER, (connected, sabotaged("duplicate-name")), refused="ambiguous"),
    "recover, legacy source": Scenario(RECOVER, (sabotaged("legacy-source"),), refused="legacy_name"),
    "recover, never connected": Scenario(RECOVER, refused="absent"),
}


def settle(chain: Chain, playbook: str) -> Run:
    """Run the playbook; where it asks a person, do as the card says and confirm, until nothing is pending."""
    play = getattr(chain, playbook)
    run: Run = play()
    for _turn in range(4):
        if run.failure or not run.pending:
            break
        run = play(confirm={step: by_hand(chain, step, asked) for step, asked in run.pending.items()})
    return run


def by_hand(chain: Chain, step: str, asked: dict[str, t.Any]) -> dict[str, str]:
    """Do in the consoles what a card says, as a person does, and return the confirmation."""
    world, env, subject = chain.sandbox.world, chain.env, asked["subject"]
    with world.lock:
        if step == "connection":
            form = {"friendly_name": subject["friendly_name"], "space_id": subject["space_id"]}
            handovers.connect(world, env, {**form, "profile_token": env.profile_token, "allow_write_events": True})
        elif step == "link":
            handovers.link(world, env, {"space_id": subject["space_id"], "source_id": subject["source_id"]})
        else:
            keys = env.sources[subject["source_id"]].keys
            handovers.store_key(world, env, next(key for key in keys if fingerprint(key) == subject["key_fingerprint"]))
    return {"by": "jane", "digest": asked["digest"]}


class Snapshot:
    """The world and the ledger at one moment, to come back to."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        world = chain.sandbox.world
        self.kept = {name: value for name, value in vars(world).items() if name in ("environments", "offset")}
        self.kept = copy.deepcopy(self.kept)
        self.files = {p: p.read_bytes() for p in chain.state_dir.rglob("*") if p.is_file()}

    def restore(self) -> None:
        world = self.chain.sandbox.world
        with world.lock:
            vars(world).update(copy.deepcopy(self.kept))
            world.journal.clear()
        self.chain.sandbox.clear_faults()
        shutil.rmtree(self.chain.state_dir, ignore_errors=True)
        for path, content in self.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def same(self, besides: tuple[str, ...] = ()) -> bool:
        """Return whether world and files are as they were."""
        now = Snapshot(self.chain)
        files = [{p: c for p, c in s.files.items() if p.name not in besides} for s in (self, now)]
        return files[0] == files[1] and self.kept == now.kept

    def assert_nothing_lost(self) -> None:
        """Whatever was there before is there still, and nobody else's environment was touched."""
        world = self.chain.sandbox.world
        for name, was in self.kept["environments"].items():
            now = world.environments[name]
            if name != self.chain.name:
                assert now == was, f"{name} was touched"
                continue
            assert now.labels == was.labels
            for source in was.sources.values():
                assert source.id in now.sources, f"the source {source.name} is gone"
                kept = now.sources[source.id]
                assert set(source.keys) <= set(kept.keys), f"{source.name} has lost a write key"
                assert [x for x in source.labels if x not in kept.labels] == [], f"{source.name} has lost a label"
                assert (kept.slug, kept.metadata, kept.settings) == (source.slug, source.metadata, source.settings)
                if source.name != SOURCE_NAME and source.id != was.form_source:
                    assert kept == source, f"{source.name} was touched"
            assert set(was.linked) <= set(now.linked)


def assert_connected(chain: Chain, run: Run) -> None:
    """Exactly one source, as it should be; the key that was handed over is the one that Flex holds; the ledger is true."""
    assert not run.failure, run.failure
    assert not run.pending, list(run.pending)
    assert set(run.verdicts) <= {"attested", "proven"}, run.looks[-1]["verdicts"]
    env = chain.env
    (source,) = chain.twilio_sources
    assert (source.metadata, source.enabled) == (JAVA, True)
    labels = {x["key"]: x["value"] for x in source.labels}
    assert {key: labels.get(key) for key in LABELS} == LABELS
    assert len(source.keys) == 1
    assert not chain.had or attached(env, source) == chain.had, "not all is put back"
    assert env.flex_key == source.keys[0], "Flex holds another key"
    assert source.id in env.linked, "the source is not linked"
    assert_ledger_true(chain)


def assert_ledger_true(chain: Chain) -> None:
    env, ledger = chain.env, chain.recorded()
    (source,) = chain.twilio_sources
    ledger = {step: records for step, records in ledger.items() if records}
    assert all(list(records) == ["done"] for records in ledger.values()), ledger
    subject = {step: records["done"]["subject"] for step, records in ledger.items()}
    assert subject["link"]["source_id"] == source.id
    assert subject["key"]["source_id"] == source.id
    assert env.flex_key
    assert subject["key"]["key_fingerprint"] == fingerprint(env.flex_key)
    if "connection" in subject:
        assert subject["connection"]["friendly_name"] == env.connection["friendly_name"]
        assert subject["connection"]["profile_token_fingerprint"] == fingerprint(env.connection["profile_token"])
        assert subject["connection"]["space_id"] == env.connection["space_id"]


def check_settled(chain: Chain, playbook: str) -> Run:
    """One more run changes nothing and sends no write; return it."""
    chain.sandbox.clear_journal()
    again = settle(chain, playbook)
    assert not again.failure
    assert (again.changed, again.problems) == ([], [])
    assert chain.sandbox.journal(writes=True) == []
    return again


def assert_foretold(predicted: t.Any, real: t.Any, where: str = "") -> None:
    """The same shape and the same values, with placeholders only where the server chooses."""
    if predicted == SET_BY_SEGMENT:
        assert isinstance(real, str), (where, real)
    elif isinstance(predicted, dict):
        assert isinstance(real, dict), (where, real)
        assert set(predicted) == set(real), (where, predicted, real)
        for name in predicted:
            assert_foretold(predicted[name], real[name], f"{where}.{name}")
    elif isinstance(predicted, list):
        assert len(predicted) == len(real), (where, predicted, real)
        # The chosen values are sorted in among the known ones.
        rest = list(real)
        for value in (v for v in predicted if v != SET_BY_SEGMENT):
            assert value in rest, (where, predicted, real)
            rest.remove(value)
    else:
        assert predicted == real, (where, predicted, real)


def sample(cases: list[t.Any], share: float, seed: str) -> list[t.Any]:
    """A share of the cases, the same for the same seed."""
    if share >= 1:
        return cases
    return random.Random(seed).sample(cases, min(len(cases), max(1, round(len(cases) * share))))
