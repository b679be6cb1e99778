# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one state machine: desired state + current state -> plan -> applied, or in check mode only shown."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

State = Mapping[str, t.Any]

SET_BY_SEGMENT = "<set by Segment>"


@dataclass(frozen=True)
class Plan:
    """What has to happen, and nothing about how.

    Attributes:
        action: ``none``, ``create``, ``update`` or ``delete``.
        before: The current state, empty when there is none.
        after: The state once the plan is applied, empty after a delete.
        changes: The fields of ``after`` that differ from ``before`` and were asked for.
    """

    action: t.Literal["none", "create", "update", "delete"]
    before: State = field(default_factory=dict)
    after: State = field(default_factory=dict)
    changes: State = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        return self.action != "none"

    @property
    def diff(self) -> dict[str, t.Any]:
        return {"before": dict(self.before), "after": dict(self.after)}


def plan(desired: State | None, current: State | None, known_after_apply: State | None = None) -> Plan:
    """Compare what should be with what is.

    Args:
        desired: The fields that matter and their values, or None for "should not exist".
        current: All known fields, or None for "does not exist".
        known_after_apply: Placeholders for the fields that only the server can choose when the object is created.

    Returns:
        The plan. Pure: no I/O, no clock, no check mode.
    """
    if desired is None:
        return Plan("none") if current is None else Plan("delete", before=current)
    if current is None:
        return Plan("create", after={**(known_after_apply or {}), **desired}, changes=desired)
    changes = {name: value for name, value in desired.items() if name not in current or current[name] != value}
    return Plan("update" if changes else "none", before=current, after={**current, **changes}, changes=changes)


class Resource(t.Protocol):
    """What the state machine needs to know of a thing that can be managed."""

    known_after_apply: State

    def desired(self) -> State | None:
        """What should be, or None for "should not exist". Asked after the current state was read."""

    def fetch(self) -> State | None:
        """The current state, or None when the thing does not exist. Reads only."""

    def wait_for_creation(self) -> State | None:
        """Wait for something else to make the thing. Reads only."""

    def expected_creation(self) -> State | None:
        """What :meth:`await_` is expected to find, for a run that must not wait for what it did not start."""

    def apply(self, plan: Plan) -> State | None:
        """Carry the plan out and give the new state. Called only for a plan that changes something."""


@dataclass(frozen=True)
class Reconciled:
    """A plan and the state it led to (in check mode: would lead to)."""

    plan: Plan
    state: State | None


def reconcile(resource: Resource, check_mode: bool) -> Reconciled:
    """Bring a resource to its desired state. The only code that asks whether check mode is on.

    Raises:
        Failure: Whatever the resource's reads and writes raise.
    """
    current = resource.fetch()
    if current is None and resource.desired() is not None:
        current = resource.expected_creation() if check_mode else resource.wait_for_creation()
    decided = plan(resource.desired(), current, resource.known_after_apply)
    if not decided.changed or check_mode:
        return Reconciled(decided, (decided.after or None) if decided.changed else current)
    return Reconciled(decided, resource.apply(decided))
