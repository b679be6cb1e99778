# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rotations under kills, lost answers, people and each other: what Flex holds always works, and no event is lost."""

from __future__ import annotations

import errno
import json
import signal
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover import rotate
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.state import SET_BY_SEGMENT
from ansible_collections.flexops.unified_profiles.plugins.modules import profiles_rotation
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sandbox.server import SandboxHandle
from support.chain import Chain, Run
from support.mounts import unwritable
from support.scenarios import CONNECT, RECOVER, Snapshot, sample, settle

from .test_concurrency import at_request
from .test_kills import kill_at

DAY = 86400.0
ENDPOINT, OPERATOR, BLIND = {}, {"channel": "operator"}, {"read_back": False}


class Rotated(Chain):
    """An environment whose key is rotated."""

    @property
    def source(self) -> t.Any:
        (source,) = self.twilio_sources
        return source

    @property
    def keys(self) -> list[str]:
        return [fingerprint(key) for key in self.source.keys]

    def later(self, seconds: float) -> None:
        self.sandbox.advance(seconds)
        self.source.enabled = True  # without a destination Segment switches it off

    def word(self, option: str, key: str) -> None:
        """What is given to the next runs."""
        self.options |= {name: {} for name in ("rotate_now", "retire", "rotate_rollback")}
        self.options[option] = {self.name: key} if key else {}

    def rotation(self) -> dict[str, t.Any]:
        document = json.loads((self.state_dir / f"ledger/{self.name}.json").read_text())
        return document.get("rotation") or {}


def begin(sandbox: SandboxHandle, folder: Path, **options: t.Any) -> tuple[Rotated, str]:
    """A connected environment, and its key."""
    sandbox.reset()
    chain = Rotated(sandbox, folder, **options)
    assert not settle(chain, CONNECT).failure
    sandbox.clear_journal()
    return chain, chain.keys[0]


def go_on(chain: Rotated) -> Run:
    """Rotate; where a person is asked, they do as the card says."""
    return settle(chain, "rotate")


def assert_works(chain: Rotated) -> None:
    """What Flex holds is a key of the source."""
    assert chain.env.flex_key in chain.source.keys, "Flex holds a key that was removed"


@contextmanager
def watched(chain: Rotated, least: int = 1) -> Iterator[list[int]]:
    """After every request: Flex's key works, and so many do at least."""
    counts: list[int] = []

    def look(at: str, _entry: dict[str, t.Any]) -> None:
        counts.append(len(chain.source.keys))
        assert_works(chain)
        assert counts[-1] >= least

    chain.sandbox.on_request(look)
    try:
        yield counts
    finally:
        chain.sandbox.on_request(None)


# Where a run starts from, with the options that every run has.


def leaked(chain: Rotated, old: str) -> None:
    chain.word("rotate_now", old)


def handed_over(chain: Rotated, old: str) -> None:
    leaked(chain, old)
    assert not go_on(chain).failure
    chain.word("retire", old)


def retired(chain: Rotated, old: str) -> None:
    handed_over(chain, old)
    assert not go_on(chain).failure
    chain.later(1800)
    chain.work()


def turned_back(chain: Rotated, old: str) -> None:
    leaked(chain, old)
    assert not go_on(chain).failure
    chain.word("rotate_rollback", next(key for key in chain.keys if key != old))


def rolled_back(chain: Rotated, old: str) -> None:
    """The old key is in Flex again, and the overlap is over: it leaked, but the new one did not."""
    turned_back(chain, old)
    assert not go_on(chain).failure
    assert len(chain.keys) == 2
    chain.later(25 * 3600)


STARTS: dict[str, Callable[[Rotated, str], None]] = {
    "leaked": leaked,
    "handed over": handed_over,
    "retired": retired,
    "turned back": turned_back,
    "rolled back": rolled_back,
}
# Before the run that retires or takes back, all keys stay.
REMOVES_NONE = ("leaked", "turned back")


def assert_ends(chain: Rotated, old: str, start: str) -> None:
    """Whatever happened: one more run goes as far as an undisturbed one, and one more after it changes nothing."""
    run = go_on(chain)
    assert not run.failure, run.failure
    assert_works(chain)
    keys = chain.keys
    if start == "leaked":
        assert len(keys) == 2
        assert chain.rotation()["phase"] == "hand_over"
        assert fingerprint(chain.env.flex_key or "") != old
    elif start == "turned back":
        assert len(keys) == 2
        assert chain.rotation()["phase"] == "roll_back"
        assert fingerprint(chain.env.flex_key or "") == old
    elif start == "rolled back":
        assert (keys, chain.rotation()) == ([old], {})
    else:
        assert len(keys) == 1
        assert old not in keys
        assert bool(chain.rotation()) == (start == "handed over")
    chain.sandbox.clear_journal()
    again = go_on(chain)
    assert not again.failure
    assert (again.results, chain.sandbox.journal(writes=True)) == ({}, [])


def cases(first: t.Iterable[str], second: t.Iterable[str], sampled: t.Collection[tuple[str, str]]) -> list[t.Any]:
    """All pairs. Every run of the tests has those that are sampled, and `make test-all` has the others."""
    second = list(second)
    return [
        pytest.param(one, other, marks=[] if (one, other) in sampled else pytest.mark.full)
        for one in first
        for other in second
    ]


CHANNELS = {"endpoint": ENDPOINT, "operator": OPERATOR, "blind": BLIND}


@pytest.mark.parametrize(
    ("start", "channel"),
    cases(
        *(STARTS, CHANNELS),
        [*((start, "endpoint") for start in STARTS), ("leaked", "operator"), ("handed over", "blind")],
    ),
)
def test_killed_at_any_request(
    sandbox: SandboxHandle, tmp_path: Path, start: str, channel: str, full: bool, count
) -> None:
    chain, old = begin(sandbox, tmp_path, **CHANNELS[channel])
    STARTS[start](chain, old)
    begun = Snapshot(chain)
    sandbox.clear_journal()
    chain.rotate()
    journal = sandbox.journal()
    writes = [n for n, entry in enumerate(journal, 1) if entry["write"]]
    reads = [n for n in range(1, len(journal) + 1) if n not in writes]
    chosen = [*writes, *reads] if full else [*sample(writes, 0.35, start), *sample(reads, 0.05, start)]
    cases = [(n, phase) for n in chosen for phase in ("before", "after")]
    begun.restore()
    stay = {*chain.keys} if start in REMOVES_NONE else {*()}
    wrong = []
    for nth, phase in cases:
        begun.restore()
        try:
            assert kill_at(sandbox, chain.rotate, nth, phase) == -signal.SIGKILL
            assert_works(chain)
            assert stay <= {*chain.keys}
            if channel == "blind" and journal[nth - 1]["path"].startswith("/handover/"):
                continue  # nobody knows whether it arrived: a person has to look
            assert_ends(chain, old, start)
        except AssertionError as error:
            wrong.append(f"{phase} request {nth} ({journal[nth - 1]['method']} {journal[nth - 1]['path']}): {error}")
        count("a rotation killed before or after a request, then a run")
    assert not wrong, "\n".join(wrong)


LOST: dict[str, dict[str, t.Any]] = {
    "dropped before": {"kind": "drop_before"},
    "dropped after": {"kind": "drop_after"},
    "500 after": {"status": 500, "commit": True},
    "malformed after": {"kind": "malformed", "commit": True},
}


@pytest.mark.parametrize("fault", LOST)
@pytest.mark.parametrize("start", STARTS)
def test_a_lost_answer_is_looked_up(sandbox: SandboxHandle, tmp_path: Path, start: str, fault: str, count) -> None:
    chain, old = begin(sandbox, tmp_path)
    STARTS[start](chain, old)
    begun = Snapshot(chain)
    sandbox.clear_journal()
    go_on(chain)
    for path in sorted({entry["path"] for entry in sandbox.journal(writes=True)}):
        begun.restore()
        sandbox.fault(match=path, **LOST[fault])
        with watched(chain):
            go_on(chain)
        sandbox.clear_faults()
        assert_ends(chain, old, start)
        count("a write of a rotation whose answer was lost, then a run")


def person(name: str) -> Callable[[Rotated], None]:
    return lambda chain: chain.sandbox.sabotage(chain.name, name)


def beside(playbook: str) -> Callable[[Rotated], None]:
    def run(chain: Rotated) -> None:
        other = Rotated(chain.sandbox, chain.state_dir, chain.name, **chain.options)
        other.play(playbook)

    return run


@pytest.mark.parametrize(
    ("start", "playbook"),
    cases(
        *(STARTS, ["rotate", CONNECT, RECOVER]),
        [("leaked", "rotate"), ("handed over", "rotate"), ("rolled back", CONNECT), ("leaked", RECOVER)],
    ),
)
def test_two_runs_at_once(
    sandbox: SandboxHandle, tmp_path: Path, monkeypatch, start: str, playbook: str, full: bool, count
) -> None:
    """Before any request of a rotation another run is done from start to end, without the lock that the playbooks take."""
    chain, old = begin(sandbox, tmp_path)
    STARTS[start](chain, old)
    begun = Snapshot(chain)
    with monkeypatch.context() as patch:
        state = at_request(patch, 0, lambda: None)
        chain.rotate()
    for nth in sample(list(range(1, state[0] + 1)), 1.0 if full else 0.1, start + playbook):
        begun.restore()
        with monkeypatch.context() as patch, watched(chain):
            at_request(patch, nth, lambda: beside(playbook)(chain))
            chain.rotate()
        if len(chain.keys) > 2:  # both added one: a person removes what is not in Flex, and the rotation goes on
            assert "Nothing was changed" in chain.rotate().failure["msg"]
            chain.source.keys.remove(next(key for key in chain.source.keys[1:] if key != chain.env.flex_key))
        assert_ends(chain, old, start)
        count("another run in the midst of a rotation")


def test_a_rotation_that_another_run_ends_meanwhile(sandbox: SandboxHandle, tmp_path: Path, monkeypatch) -> None:
    chain, old = begin(sandbox, tmp_path)
    retired(chain, old)

    def ended_before(call: t.Any) -> t.Any:
        monkeypatch.setattr(rotate, "evaluate", evaluate)
        beside("rotate")(chain)
        assert chain.rotation() == {}
        return evaluate(call)

    evaluate = rotate.evaluate
    monkeypatch.setattr(rotate, "evaluate", ended_before)
    run = chain.rotate()
    assert (run.failure, run.changed) == (None, [])
    assert_ends(chain, old, "retired")


def remove_a_spare_key(chain: Rotated) -> None:
    """A person removes the newest of the keys that Flex does not hold."""
    if spare := [key for key in chain.source.keys if key != chain.env.flex_key]:
        chain.source.keys.remove(spare[-1])
        chain.sandbox.world.changed(chain.env, chain.source)


@pytest.mark.parametrize("start", ["leaked", "handed over", "rolled back"])
def test_a_person_removes_a_key_in_the_midst(
    sandbox: SandboxHandle, tmp_path: Path, monkeypatch, start: str, full: bool, count
) -> None:
    """A run may hand a key over that is gone since it looked. Then the next one says so, and how to have the old one back."""
    chain, old = begin(sandbox, tmp_path)
    STARTS[start](chain, old)
    begun, given = Snapshot(chain), {**chain.options}
    with monkeypatch.context() as patch:
        state = at_request(patch, 0, lambda: None)
        chain.rotate()
    for nth in sample(list(range(1, state[0] + 1)), 1.0 if full else 0.15, start):
        begun.restore()
        with monkeypatch.context() as patch:
            at_request(patch, nth, lambda: remove_a_spare_key(chain))
            chain.rotate()
        assert chain.keys
        if chain.env.flex_key not in chain.source.keys:
            assert "Flex may hold it" in go_on(chain).failure["msg"]
            chain.word("rotate_rollback", chain.rotation()["new"])
            assert not go_on(chain).failure
            chain.options = {**given}
        assert_works(chain)
        count("a key that a person removes in the midst of a rotation")


@pytest.mark.parametrize("start", ["handed over", "rolled back"])
def test_the_keys_are_read_again_immediately_before_one_is_removed(
    sandbox: SandboxHandle, tmp_path: Path, monkeypatch, start: str
) -> None:
    chain, old = begin(sandbox, tmp_path)
    STARTS[start](chain, old)
    begun, before = Snapshot(chain), chain.keys
    sandbox.clear_journal()
    chain.rotate()
    (removal,) = [nth for nth, entry in enumerate(sandbox.journal(), 1) if entry["method"] == "DELETE"]
    begun.restore()
    with monkeypatch.context() as patch:
        at_request(patch, removal - 1, lambda: person("add-key")(chain))
        run = chain.rotate()
    assert "have changed meanwhile" in run.failure["msg"]
    assert {*before} < {*chain.keys}


@pytest.mark.parametrize("start", ["leaked", "handed over", "rolled back"])
def test_a_person_adds_a_key_in_the_midst(
    sandbox: SandboxHandle, tmp_path: Path, monkeypatch, start: str, full: bool, count
) -> None:
    chain, old = begin(sandbox, tmp_path)
    STARTS[start](chain, old)
    begun = Snapshot(chain)
    with monkeypatch.context() as patch:
        state = at_request(patch, 0, lambda: None)
        chain.rotate()
    for nth in sample(list(range(1, state[0] + 1)), 1.0 if full else 0.15, start):
        begun.restore()
        before = len(chain.keys)
        with monkeypatch.context() as patch, watched(chain, before if start == "leaked" else 1):
            at_request(patch, nth, lambda: person("add-key")(chain))
            chain.rotate()
        assert_works(chain)
        count("a key that a person adds in the midst of a rotation")


class Life(RuleBasedStateMachine):
    """Runs, time, people and lost answers in any order. People and endpoints are truthful."""

    sandbox: t.ClassVar[SandboxHandle]
    folder: t.ClassVar[Path]
    number: t.ClassVar[int] = 0

    @initialize(channel=st.sampled_from([ENDPOINT, OPERATOR]), by_read_back=st.booleans())
    def connect(self, channel: dict[str, t.Any], by_read_back: bool) -> None:
        Life.number += 1
        options = {**channel, "key_max_age": 30.0, "retire_on_read_back": by_read_back}
        self.chain, _old = begin(self.sandbox, self.folder / str(Life.number), **options)
        self.sent = 0

    @rule(word=st.sampled_from(["", "rotate_now", "retire", "rotate_rollback"]), which=st.integers(0, 2))
    def rotate(self, word: str, which: int) -> None:
        keys = [*self.chain.keys, *[key for key in [self.chain.rotation().get("new")] if key]]
        self.chain.word(word or "retire", keys[which % len(keys)] if word else "")
        go_on(self.chain)

    @rule(playbook=st.sampled_from([CONNECT, RECOVER]))
    def others(self, playbook: str) -> None:
        settle(self.chain, playbook)

    @rule(fault=st.sampled_from(sorted(LOST)), what=st.sampled_from(["writekey", "/handover/dev/key"]))
    def lose_an_answer(self, fault: str, what: str) -> None:
        self.sandbox.fault(match=what, **LOST[fault])
        go_on(self.chain)
        self.sandbox.clear_faults()

    @rule(hours=st.sampled_from([1, 25, 31 * 24]))
    def wait(self, hours: int) -> None:
        self.chain.later(hours * 3600)

    @rule()
    def somebody_adds_a_key(self) -> None:
        if len(self.chain.keys) < 4:
            person("add-key")(self.chain)

    @rule()
    def somebody_removes_a_key_that_flex_does_not_hold(self) -> None:
        remove_a_spare_key(self.chain)

    @rule()
    def work(self) -> None:
        before = len(self.chain.env.received)
        self.chain.work(1)
        assert len(self.chain.env.received) > before, "an event was lost"

    @invariant()
    def what_flex_holds_works(self) -> None:
        if hasattr(self, "chain"):
            assert_works(self.chain)


def test_any_order_of_things(sandbox: SandboxHandle, tmp_path: Path, full: bool) -> None:
    Life.sandbox, Life.folder = sandbox, tmp_path
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=150 if full else 6,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_engagements_flow_while_keys_are_rotated(sandbox: SandboxHandle, tmp_path: Path, full: bool, count) -> None:
    """No event is lost, in one rotation after the other."""
    chain, old = begin(sandbox, tmp_path)
    sent = 0

    def flow(_at: str, _entry: dict[str, t.Any]) -> None:
        nonlocal sent
        with sandbox.world.lock:
            from sandbox import events

            events.engage(sandbox.world, chain.env, 1)
        sent += 1

    before = len(chain.env.received)
    for _turn in range(100 if full else 3):
        chain.word("rotate_now", old)
        sandbox.on_request(flow)
        assert not go_on(chain).failure
        chain.word("retire", old)
        assert not go_on(chain).failure
        sandbox.on_request(None)
        chain.later(1800)
        chain.work(1)
        sent += 1
        assert not go_on(chain).failure
        (old,) = chain.keys
        assert chain.rotation() == {}
        count("a rotation from a leak to its proof")
    flex = [entry for entry in chain.env.received[before:] if entry["type"] == "track"]
    assert len(flex) == 2 * sent, "an event was lost"


@pytest.mark.parametrize("channel", ["endpoint", "operator"])
def test_an_untruthful_word_removes_a_key_only_where_it_is_given(
    sandbox: SandboxHandle, tmp_path: Path, channel: str
) -> None:
    chain, old = begin(sandbox, tmp_path, **CHANNELS[channel])
    leaked(chain, old)
    if channel == "operator":
        run = chain.rotate()
        card = run.pending["key"]
        run = chain.rotate(confirm={"key": {"by": "jim", "digest": card["digest"]}})  # who did nothing
        assert chain.env.flex_key == chain.source.keys[0]
        assert len(chain.keys) == 2
        chain.word("retire", old)
        run = chain.rotate()
        assert chain.env.flex_key not in chain.source.keys
        assert (
            "this run was given the word, and the new one was handed over (attested by jim)" in run.statuses[-1]["why"]
        )
    else:
        go_on(chain)
        chain.sandbox.world.environments["dev"].flex_key = chain.source.keys[0]  # somebody puts the old one back
        chain.word("retire", old)
        run = chain.rotate()
        # The endpoint shows it, so the new one is handed over again, and then the old one goes.
        assert_works(chain)
        assert chain.keys == [fingerprint(chain.env.flex_key or "")]


@pytest.mark.parametrize("channel", CHANNELS)
def test_no_key_shows_in_what_a_rotation_leaves(sandbox: SandboxHandle, tmp_path: Path, channel: str) -> None:
    chain, old = begin(sandbox, tmp_path, **CHANNELS[channel])
    keys, left = {*chain.source.keys}, ""
    for option in ("rotate_now", "retire"):
        chain.word(option, old)
        for run in (chain.rotate(check=True), chain.rotate(), go_on(chain)):
            left += str([run.looks, run.statuses, run.results, run.failure])
        keys |= {*chain.source.keys}
    left += "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert len(keys) == 2
    assert len(chain.source.keys) == 1
    assert not [key for key in keys if key in left]


def test_a_proof_that_does_not_come_is_pending_with_a_card_and_no_suspicion(
    sandbox: SandboxHandle, tmp_path: Path
) -> None:
    chain, old = begin(sandbox, tmp_path)
    chain.work(21)
    chain.later(DAY)
    handed_over(chain, old)
    go_on(chain)
    (new,) = chain.keys
    for days, late in ((1, False), (3, True)):
        chain.later(days * DAY)
        run = chain.rotate()
        assert (run.failure, run.changed) == (None, [])
        (status,) = run.statuses
        assert (status["status"] == "pending", bool(status["rotation"].get("pending"))) == (late, late), status["why"]
        assert "are waited for since " in status["why"]
        assert "about 3 engagements a day came before" in status["why"]
        assert not run.looks[-1]["suspicions"]
        assert [card["step"] for card in status["cards"]] == ["key"] * late
        chain.word("retire", "")
        for playbook in (CONNECT, RECOVER, "drift"):
            (told,) = chain.play(playbook).statuses
            assert (told["status"] == "pending", told["fails"]) == (late, late), told["why"]
            assert "about 3 engagements a day came before" in told["why"]
            assert [card["step"] for card in told["cards"]] == ["key"] * late
    assert new in str(status["cards"])

    sandbox.fault(match="GET /segment/us/events/volume", status=403, count=None)
    (unread,) = chain.rotate().statuses
    assert "whether any came cannot be read" in unread["why"]
    assert (unread["status"], unread["cards"]) == ("pending", [])
    sandbox.clear_faults()

    chain.options["handover_again"] = [status["cards"][0]["handover_again"]]
    assert not settle(chain, CONNECT).failure
    chain.options["handover_again"] = []
    chain.later(3600)
    (again,) = chain.rotate().statuses
    assert (again["status"] == "pending", again["cards"]) == (False, []), again["why"]


@pytest.mark.parametrize("channel", ["endpoint", "operator"])
def test_a_key_that_leaks_before_it_is_proven_is_rotated_anew(
    sandbox: SandboxHandle, tmp_path: Path, channel: str
) -> None:
    chain, old = begin(sandbox, tmp_path, **CHANNELS[channel])
    handed_over(chain, old)
    go_on(chain)
    (new,) = chain.keys
    chain.word("rotate_rollback", new)
    assert "name the present key in unified_profiles_rotate_now" in chain.rotate().failure["msg"]
    chain.word("rotate_now", new)
    with watched(chain):
        assert not go_on(chain).failure
    assert (chain.rotation()["phase"], chain.rotation()["old"], len(chain.keys)) == ("hand_over", new, 2)
    chain.word("retire", new)
    with watched(chain):
        assert not go_on(chain).failure
    assert chain.rotation()["phase"] == "prove"
    assert chain.keys == [fingerprint(chain.env.flex_key or "")]


def test_a_key_that_a_person_hands_over_ends_the_rotation(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain, old = begin(sandbox, tmp_path, **OPERATOR)
    leaked(chain, old)
    chain.rotate()
    new = chain.rotation()["new"]
    person("add-key")(chain)
    chain.source.keys[:] = chain.source.keys[-1:]
    chain.word("rotate_now", "")
    assert not settle(chain, CONNECT).failure
    assert_works(chain)
    chain.word("rotate_rollback", new)  # as the report said before
    run = chain.rotate()
    assert not run.failure
    assert f"the key {chain.keys[0]} was handed over since" in run.statuses[-1]["why"]
    assert (chain.rotation(), len(chain.keys)) == ({}, 1)


def test_a_run_that_fails_reports_the_phase_that_it_has_reached(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain, old = begin(sandbox, tmp_path, key_overlap=0.0)
    leaked(chain, old)
    sandbox.fault(match="POST /handover/dev/key", status=400, count=None)
    run = chain.rotate()
    assert run.failure
    (_first, second) = run.statuses
    assert second["rotation"]["phase"] == "hand over"
    assert second["rotation"]["key"] == chain.rotation()["new"]


@pytest.mark.parametrize("channel", ["endpoint", "operator"])
@pytest.mark.parametrize("start", STARTS)
def test_check_mode_predicts_the_diff_of_each_phase(
    sandbox: SandboxHandle, tmp_path: Path, start: str, channel: str
) -> None:
    chain, old = begin(sandbox, tmp_path, **CHANNELS[channel])
    STARTS[start](chain, old)
    chain.options["test_event"] = True
    sandbox.clear_journal()
    begun = Snapshot(chain)
    foretold = chain.rotate(check=True)
    assert not foretold.failure
    assert begun.same()
    run = chain.rotate()
    assert not run.failure
    shown = []
    for of in (foretold, run):
        before, after = of.results["rotation"], of.results.get("tested", of.results["rotation"])
        assert before["changed"] or after["changed"]
        text = json.dumps([before["diff"]["before"], after["diff"]["after"]])
        for new in {*chain.keys} - {old}:
            text = text.replace(SET_BY_SEGMENT, new)
        before, after = json.loads(text)
        after["key_fingerprints"].sort()
        shown.append((before, after))
    assert shown[0] == shown[1]
    assert shown[0][0] != shown[0][1]


def test_the_new_key_is_shown_to_feed_the_space_where_a_test_event_is_allowed(
    sandbox: SandboxHandle, tmp_path: Path
) -> None:
    chain, old = begin(sandbox, tmp_path)
    leaked(chain, old)
    assert "was not tested (unified_profiles_test_event)" in go_on(chain).statuses[-1]["why"]
    chain.options["test_event"] = True
    chain.source.enabled = False  # nothing comes through it
    chain.word("retire", old)
    run = chain.rotate()
    assert run.results["unified_profiles_sent_test_event"]["test_event"]["status"] == "not_seen"
    assert run.statuses[-1]["status"] == "pending"
    assert "did not reach the space" in run.statuses[-1]["why"]
    assert run.statuses[-1]["due"] == {}
    assert old in chain.keys
    chain.word("retire", "")
    sandbox.clear_journal()
    run = chain.rotate()
    assert (run.results, sandbox.journal(writes=True)) == ({}, [])
    assert "did not reach the space" in run.statuses[-1]["why"]
    chain.source.enabled = True
    chain.word("retire", old)
    run = chain.rotate()
    assert not run.failure
    assert (run.statuses[-1]["status"], run.statuses[-1]["due"]) == ("proven", {}), run.statuses[-1]["why"]
    assert chain.keys == [fingerprint(chain.env.flex_key or "")]
    assert "a test event came through the new key at " in chain.rotation()["relied_on"]


def test_an_endpoint_that_reads_its_own_store_removes_a_key_only_where_its_word_is_taken(
    sandbox: SandboxHandle, tmp_path: Path
) -> None:
    chain, old = begin(sandbox, tmp_path)
    leaked(chain, old)
    go_on(chain)
    new = fingerprint(chain.env.flex_key or "")
    # Somebody puts the old one back, and the endpoint goes on saying what it was sent.
    chain.env.flex_key = next(key for key in chain.source.keys if fingerprint(key) == old)
    sandbox.fault(match="GET /handover/dev/key", count=None, status=200, body={"write_key_fingerprint": new})
    go_on(chain)
    assert {*chain.keys} == {old, new}
    chain.options["retire_on_read_back"] = True
    run = go_on(chain)
    assert chain.keys == [new]
    assert "the endpoint reads the new key back" in run.statuses[-1]["why"]


BAD: dict[str, tuple[dict[str, t.Any], str]] = {
    "an overlap that is no time": ({"key_overlap": "tomorrow"}, "unified_profiles_key_overlap"),
    "an overlap of nothing known": (
        {"key_overlap": float("nan")},
        "unified_profiles_key_overlap",
    ),
    "an overlap into the past": ({"key_overlap": -1}, "must be a number of hours from 0 to 8760"),
    "an age of nothing": ({"key_max_age": 0}, "must be a number of days above 0"),
    "a word as a string": ({"retire": "dev"}, "unified_profiles_retire: must be a mapping"),
    "a word for nobody": ({"retire": {"devv": "0" * 12}}, "names devv, which this inventory does not have"),
    "a word without a key": ({"rotate_now": {"dev": "the old one"}}, "does not have the fingerprint of a key"),
    "nothing to roll back": ({"rotate_rollback": {"dev": "0" * 12}}, "There is nothing to roll back"),
    "nothing to retire": ({"retire": {"dev": "0" * 12}}, "no rotation is open"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_meant_is_refused(sandbox: SandboxHandle, tmp_path: Path, name: str) -> None:
    chain, _old = begin(sandbox, tmp_path)
    given, told = BAD[name]
    chain.options |= given
    run = chain.rotate()
    assert run.failure
    assert told in run.failure["msg"]
    assert sandbox.journal(writes=True) == []


@pytest.mark.parametrize("start", ["leaked", "retired"])
def test_what_could_not_be_recorded_is_refused_before_anything_is_sent(
    sandbox: SandboxHandle, tmp_path: Path, monkeypatch, start: str
) -> None:
    """By the module alone, which no look goes before."""
    chain, old = begin(sandbox, tmp_path)
    STARTS[start](chain, old)
    given = {name: chain.options[name] for name in ("rotate_now", "retire")}
    given |= {"source_id": chain.source.id, "clock_skew": sandbox.world.offset.total_seconds()}
    unwritable(monkeypatch, tmp_path, errno.ENOSPC)
    sandbox.clear_journal()
    for check in (True, False):
        found = chain.run(profiles_rotation, check_mode=check, **given)
        assert found.get("failure", {}).get("kind") == "ledger", found
        assert "No space left on device" in found["msg"]
    assert sandbox.journal(writes=True) == []


def test_other_things_that_are_refused(sandbox: SandboxHandle, tmp_path: Path) -> None:
    chain, old = begin(sandbox, tmp_path)
    for options, told in (
        ({"retire": {"dev": old}}, f"(the source has {old}). Rotate first"),
        ({"rotate_now": {"dev": old}, "key_fingerprint": old}, "Take unified_profiles_key_fingerprint out"),
        ({"rotate_now": {"dev": old}, "segment_token": chain.env.read_only_token}, "cannot be seen"),
    ):
        run = Rotated(sandbox, tmp_path, **{**chain.options, **options}).rotate()
        assert run.failure
        assert told in run.failure["msg"], run.failure
    person("add-key")(chain)
    leaked(chain, old)
    assert "the source has 2" in chain.rotate().failure["msg"]
    assert sandbox.journal(writes=True) == []
