# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state machine, and the secrets that pass through it."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Refused
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.state import (
    SET_BY_SEGMENT,
    Plan,
    Reconciled,
    Resource,
    plan,
    reconcile,
)
from hypothesis import given, settings
from hypothesis import strategies as st

EXAMPLES = settings(database=None, deadline=None, max_examples=300)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", SET_BY_SEGMENT]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
    max_leaves=4,
)
STATES = st.dictionaries(st.sampled_from(["id", "name", "enabled", "labels"]), VALUES)
MAYBE = st.none() | STATES


@pytest.mark.parametrize(
    ("desired", "current", "known_after_apply", "expected"),
    [
        (None, None, None, Plan("none")),
        (None, {"a": 1}, None, Plan("delete", before={"a": 1})),
        ({"a": 1}, None, None, Plan("create", after={"a": 1}, changes={"a": 1})),
        ({"a": 1}, None, {"id": "?", "a": 0}, Plan("create", after={"id": "?", "a": 1}, changes={"a": 1})),
        ({"a": 1}, {"a": 1, "b": 2}, {"id": "?"}, Plan("none", {"a": 1, "b": 2}, {"a": 1, "b": 2}, {})),
        (
            {"a": 1, "c": None},
            {"a": 0, "b": 2},
            None,
            Plan("update", {"a": 0, "b": 2}, {"a": 1, "b": 2, "c": None}, {"a": 1, "c": None}),
        ),
    ],
)
def test_plan(desired, current, known_after_apply, expected):
    decided = plan(desired, current, known_after_apply)
    assert decided == expected
    assert decided.changed is (expected.action != "none")
    assert decided.diff == {"before": dict(expected.before), "after": dict(expected.after)}


@EXAMPLES
@given(MAYBE, MAYBE, MAYBE)
def test_applied_plan_leaves_nothing_to_do(desired, current, known_after_apply):
    decided = plan(desired, current, known_after_apply)
    if decided.changed:
        reached = None if decided.action == "delete" else decided.after
        again = plan(desired, reached, known_after_apply)
        assert not again.changed
        assert again.changes == {}


@EXAMPLES
@given(MAYBE, MAYBE, MAYBE)
def test_plan_without_change_keeps_the_state(desired, current, known_after_apply):
    decided = plan(desired, current, known_after_apply)
    if not decided.changed:
        assert decided.before == decided.after == (current or {})
        assert decided.changes == {}


@EXAMPLES
@given(MAYBE, MAYBE, MAYBE)
def test_plan_touches_only_what_was_asked_for(desired, current, known_after_apply):
    decided = plan(desired, current, known_after_apply)
    assert decided.before == (current or {})
    if decided.action == "update":
        assert set(decided.changes) <= set(desired)
        untouched = set(current) - set(decided.changes)
        assert {k: decided.after[k] for k in untouched} == {k: current[k] for k in untouched}
        assert set(decided.after) == set(current) | set(desired)


class Thing(Resource):
    """A resource that keeps a record of what is asked of it."""

    known_after_apply = {"id": SET_BY_SEGMENT}

    def __init__(self, desired, current, appears=None, expected=None, refusal=None):
        self.calls = []
        self._desired, self._current, self._appears, self._expected = desired, current, appears, expected
        self._refusal = refusal

    def desired(self, current):
        return self._desired

    def fetch(self):
        self.calls.append("fetch")
        return self._current

    def wait_for_creation(self, check_mode):
        self.calls.append("expect" if check_mode else "wait")
        return self._expected if check_mode else self._appears

    def check(self, plan):
        self.calls.append("check")
        if self._refusal:
            raise self._refusal

    def apply(self, plan):
        self.calls.append(plan.action)
        return None if plan.action == "delete" else {**plan.after, "id": "real"}


class Bare(Resource):
    """A resource that has only what every one must have."""

    def __init__(self, current):
        self.current = current

    def fetch(self):
        return self.current

    def desired(self, current):
        return {"n": (current or {"n": 0})["n"] + 1}

    def apply(self, plan):
        return plan.changes


def test_reconcile_creates():
    thing = Thing({"a": 1}, None)
    outcome = reconcile(thing, check_mode=False)
    assert thing.calls == ["fetch", "wait", "check", "create"]
    assert outcome.state == {"id": "real", "a": 1}
    assert outcome.plan.after == {"id": SET_BY_SEGMENT, "a": 1}


def test_reconcile_uses_what_something_else_made():
    thing = Thing({"a": 1}, None, appears={"id": "x", "a": 1})
    assert reconcile(thing, check_mode=False) == Reconciled(
        Plan("none", {"id": "x", "a": 1}, {"id": "x", "a": 1}), {"id": "x", "a": 1}
    )
    assert thing.calls == ["fetch", "wait"]


def test_reconcile_in_check_mode_expects_instead_of_waiting():
    thing = Thing({"a": 1}, None, expected={"id": "?", "a": 0})
    outcome = reconcile(thing, check_mode=True)
    assert thing.calls == ["fetch", "expect", "check"]
    assert outcome.plan.action == "update"
    assert outcome.state == {"id": "?", "a": 1}


@pytest.mark.parametrize(
    ("desired", "current", "action"),
    [({"a": 1}, {"a": 0}, "update"), (None, {"a": 0}, "delete"), ({"a": 1}, {"a": 1}, "none"), (None, None, "none")],
)
def test_check_mode_shows_the_plan_and_applies_nothing(desired, current, action):
    shown, applied = Thing(desired, current), Thing(desired, current)
    checked = reconcile(shown, check_mode=True)
    real = reconcile(applied, check_mode=False)
    assert checked.plan == real.plan
    assert checked.plan.action == action
    assert shown.calls == ["fetch", *(["check"] if action != "none" else [])]
    assert applied.calls == ["fetch", *(["check", action] if action != "none" else [])]
    assert (checked.state is None) == (real.state is None)


@EXAMPLES
@given(MAYBE, MAYBE, MAYBE)
def test_check_mode_never_applies(desired, current, expected):
    thing = Thing(desired, current, expected=expected)
    reconcile(thing, check_mode=True)
    assert set(thing.calls) <= {"fetch", "expect", "check"}


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_harmful_plan_is_refused_before_anything_is_applied(check_mode):
    thing = Thing({"a": 1}, {"a": 0}, refusal=Refused("No."))
    with pytest.raises(Refused):
        reconcile(thing, check_mode)
    assert thing.calls == ["fetch", "check"]


def test_a_plan_without_a_change_harms_nobody():
    thing = Thing({"a": 1}, {"a": 1}, refusal=Refused("No."))
    assert not reconcile(thing, check_mode=False).plan.changed
    assert thing.calls == ["fetch"]


@pytest.mark.parametrize(("current", "n"), [(None, 1), ({"n": 1}, 2)])
def test_hooks_have_defaults(current, n):
    """Hooks have defaults and the desired state may build on the current one."""
    assert reconcile(Bare(current), check_mode=False).state == {"n": n}
