# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping, Sequence

from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._fleet import FAILURE
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._rollout import stop

DOCUMENTATION = r"""
name: rollout_stop
short_description: Tell why a rollout stops before a batch
version_added: 0.2.0
author: The flexops.unified_profiles developers (@flexops)
description:
  - The playbooks record what fails in the variable C(unified_profiles_failure) of its environment, and go on. This filter compares how many
    failed with C(unified_profiles_max_fail_percentage).
options:
  _input:
    description: The variables of all hosts, C(hostvars).
    type: dict
    required: true
  order:
    description: All environments of the play, in its order.
    type: list
    elements: str
    required: true
  batch:
    description: Those of this batch.
    type: list
    elements: str
    required: true
  percentage:
    description: How many of a hundred may fail.
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Stop before this batch
  ansible.builtin.meta: end_play
  when: hostvars | flexops.unified_profiles.rollout_stop(ansible_play_hosts_all, ansible_play_batch, 20) != ''
"""

RETURN = r"""
_value:
  description: Why the environments of the batch are not tried; empty while few enough failed.
  type: str
"""


def rollout_stop(
    hostvars: Mapping[str, Mapping[str, t.Any]], order: Sequence[str], batch: Sequence[str], percentage: t.Any
) -> str:
    failures = {str(name): str(hostvars[name][FAILURE]) for name in order if FAILURE in hostvars[name]}
    return stop([*map(str, order)], [*map(str, batch)], failures, percentage)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., t.Any]]:
        return {"rollout_stop": rollout_stop}
