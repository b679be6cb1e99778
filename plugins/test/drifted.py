# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Callable

from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._policies import drifted

DOCUMENTATION = r"""
name: drifted
short_description: Whether something of an environment is not as it should be
version_added: 0.2.0
author: The flexops.unified_profiles developers (@flexops)
description:
  - Whether an outcome has a difference that is not accepted. The status does not matter.
options:
  _input:
    description: An outcome, as M(flexops.unified_profiles.profiles_report) returns one for each environment.
    type: dict
    required: true
  attribute:
    description: Only this attribute counts, such as V(write_keys). The names are in the guide on drift.
    type: str
  accepted:
    description: Whether what is accepted counts as well.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Nobody else made a write key
  ansible.builtin.assert:
    that: outcome is not flexops.unified_profiles.drifted('write_keys')
  vars:
    outcome: {status: in_sync, differences: []}
"""

RETURN = r"""
_value:
  description: Whether it drifted.
  type: bool
"""


class TestModule:
    def tests(self) -> dict[str, Callable[..., t.Any]]:
        return {"drifted": drifted}
