# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The one state machine: desired state + current state -> plan -> applied, or in check mode only shown."""

from __future__ import annotations

import abc
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

State = Mapping[str, t.Any]

SET_BY_SEGMENT = "<set by Segment>"


@dataclass(frozen=True)
class Plan:
    """The change that has to happen, and nothing about how.

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


class Resource(abc.ABC):
    """A thing that can be managed.

    Attributes:
        known_after_apply: Placeholders for the fields that only the server can choose when the thing is created.
    """

    known_after_apply: State = {}

    @abc.abstractmethod
    def fetch(self) -> State | None:
        """Return the current state, or None when the thing does not exist. Reads only.

        Raises:
            Failure: It cannot be read, or what is there can never be managed.
        """

    @abc.abstractmethod
    def desired(self, current: State | None) -> State | None:
        """Return the fields that matter and their values, or None for "should not exist". Neither reads nor writes."""

    def wait_for_creation(self, check_mode: bool) -> State | None:
        """Wait for something else to create the thing. Reads only.

        Args:
            check_mode: A run that changes nothing started nothing to wait for: return what is expected to appear instead.
        """
        return None

    def check(self, plan: Plan) -> None:  # noqa: B027
        """Refuse a plan that would do harm. Called before :meth:`apply`, in check mode too. Reads only.

        Raises:
            Failure: The plan must not be applied.
        """

    @abc.abstractmethod
    def apply(self, plan: Plan) -> State | None:
        """Send ``plan.changes`` and return the new state. Called only for a plan that changes something."""


@dataclass(frozen=True)
class Reconciled:
    """A plan and the state it led to (in check mode: would lead to)."""

    plan: Plan
    state: State | None


def reconcile(resource: Resource, check_mode: bool) -> Reconciled:
    """Bring a resource to its desired state, or in check mode show how.

    Raises:
        Failure: Whatever the resource raises.
    """
    current = resource.fetch()
    if current is None and resource.desired(None) is not None:
        current = resource.wait_for_creation(check_mode)
    decided = plan(resource.desired(current), current, resource.known_after_apply)
    if decided.changed:
        resource.check(decided)
    if check_mode or not decided.changed:
        return Reconciled(decided, (decided.after or None) if decided.changed else current)
    return Reconciled(decided, resource.apply(decided))
