# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The tests ``proven`` and ``drifted``, by which people's own policies judge an outcome."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import shape
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.text import nearest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.times import parse_time
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.drift import ATTRIBUTES
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.steps import STEPS


def proven(outcome: t.Any, days: float | None = None) -> bool:
    """Return whether each step is proven, or was within so many days."""
    steps = _outcome("proven", outcome).get("steps") or {}
    if days is not None and (isinstance(days, bool) or not isinstance(days, (int, float)) or not days > 0):
        raise AnsibleFilterError("proven: days must be a number above 0.")
    now = datetime.datetime.now(datetime.timezone.utc)

    def holds(step: t.Mapping[str, t.Any]) -> bool:
        if step.get("verdict") == "proven":
            return True
        at = parse_time(step.get("proven_at") or "")
        return days is not None and at is not None and now - at <= datetime.timedelta(days=days)

    return all(holds(steps.get(step) or {}) for step in STEPS)


def drifted(outcome: t.Any, attribute: str | None = None, accepted: bool = False) -> bool:
    """Return whether an outcome has a difference, of this attribute if one is named; what is accepted counts only if that is asked for."""
    if attribute is not None and attribute not in ATTRIBUTES:
        meant = nearest(str(attribute), ATTRIBUTES)
        raise AnsibleFilterError(
            f"drifted: there is no such attribute. Did you mean {meant or ' or '.join(ATTRIBUTES)}?"
        )
    return any(
        (accepted or not found.get("accepted")) and attribute in (None, found["attribute"])
        for found in _outcome("drifted", outcome).get("differences") or []
    )


def _outcome(test: str, found: t.Any) -> Mapping[str, t.Any]:
    if not isinstance(found, Mapping) or "status" not in found:
        told = "a mapping without a status" if isinstance(found, Mapping) else shape(found)
        raise AnsibleFilterError(
            f"{test}: takes the outcome of one environment, and was given {told}. Outcomes are what profiles_report returns, by environment."
        )
    return found
