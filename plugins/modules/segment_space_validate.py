#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: segment_space_validate
short_description: Check that a space, its tokens and the region belong together
version_added: 0.1.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Runs all checks and reports all verdicts at once, not only the first failure.
  - The checks are C(format), C(space) (known to this token), C(pair) (space id and Profile API token), C(region) and C(rights).
  - Fails when one of them has the verdict C(failed), unless O(fail_on_problem=false). A check that cannot tell says C(unknown).
  - A space that does not exist and a space of another workspace look the same to one token.
extends_documentation_fragment:
  - flexops.unified_profiles._connection
  - flexops.unified_profiles._space
  - flexops.unified_profiles._space.pair
  - flexops.unified_profiles._attributes.info
  - flexops.unified_profiles._attributes.in_process
  - flexops.unified_profiles._attributes.action_group
options:
  check_rights:
    description:
      - Whether to list the sources, to find out whether the token can see write keys (Source Admin).
      - The verdict stays C(unknown) while the workspace has no source.
    type: bool
    default: true
  fail_on_problem:
    description: Whether a failed check fails the task.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Validate the space
  flexops.unified_profiles.segment_space_validate:
    segment_token: "{{ unified_profiles_segment_token }}"
    profile_token: "{{ unified_profiles_profile_token }}"
    space_id: "{{ unified_profiles_space_id }}"

- name: List what is wrong without failing, and check the right to write keys as well
  flexops.unified_profiles.segment_space_validate:
    settings: true
    check_rights: true
    fail_on_problem: false
  register: validated

- name: Show the checks that failed
  ansible.builtin.debug:
    msg: "{{ validated.checks | selectattr('verdict', 'equalto', 'failed') | map(attribute='next_step') }}"
"""

RETURN = r"""
workspace:
  description: The workspace of the token, if the token was accepted.
  returned: success
  type: dict
  contains:
    id: {description: Its id., type: str, sample: 9aQ1Lj62S4bomZKLF4DPqW}
    name: {description: Its name., type: str, sample: papi e2e}
    slug: {description: Its slug., type: str, sample: papi-e2e}
space:
  description: The space, if it was found.
  returned: success
  type: dict
  contains:
    id: {description: Its id., type: str, sample: spa_4fGh7}
    name: {description: Its name., type: str, sample: Production}
    slug: {description: Its slug., type: str, sample: production}
checks:
  description: One verdict for each check, C(passed), C(failed) or C(unknown), with its reason.
  returned: success
  type: list
  elements: dict
  contains:
    check:
      description: 'Which one, C(format), C(space), C(pair), C(region), C(rights), or C(workspace) where it cannot be read, C(clock) where it is hours off.'
      type: str
      sample: pair
    verdict: {description: How it ended., type: str, sample: passed}
    reason: {description: Why., type: str, sample: The space id and the Profile API token belong together.}
    next_step: {description: What to do., returned: for a failed check, type: str, sample: Check profile_token and space_id.}
clock_skew:
  description: How many seconds Segment's clock is ahead of this machine's. Only dates that two answers confirm count.
  returned: success
  type: float
  sample: 0.4
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.space import validate
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.options import PROFILE_TOKEN, SPACE
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec, run_as_module

SPEC = ArgumentSpec(
    {
        **SPACE,
        **PROFILE_TOKEN,
        "check_rights": {"type": "bool", "default": True},
        "fail_on_problem": {"type": "bool", "default": True},
    }
)


def run(call: ModuleContext) -> dict[str, Any]:
    return validate(call, call["check_rights"], call["fail_on_problem"])


def main() -> None:
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
