# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Callable

from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._policies import proven

DOCUMENTATION = r"""
name: proven
short_description: Whether each hand-over of an environment is proven
version_added: 0.2.0
author: The flexops.unified_profiles developers (@flexops)
description:
  - Whether each of the steps connection, link and key is proven, or was within so many days. A word of a person is no proof.
options:
  _input:
    description: An outcome, as M(flexops.unified_profiles.profiles_report) returns one for each environment.
    type: dict
    required: true
  days:
    description: For how many days a proof of each step counts. Without it each has to be proven now.
    type: float
"""

EXAMPLES = r"""
- name: No environment is unproven for 30 days
  ansible.builtin.assert:
    that: outcome is flexops.unified_profiles.proven(days=30)
  vars:
    outcome:
      status: in_sync
      steps:
        connection: {verdict: proven}
        link: {verdict: proven}
        key: {verdict: proven}
"""

RETURN = r"""
_value:
  description: Whether it is proven.
  type: bool
"""


class TestModule:
    def tests(self) -> dict[str, Callable[..., t.Any]]:
        return {"proven": proven}
