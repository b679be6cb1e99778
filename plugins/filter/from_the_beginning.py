# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Callable

from ansible import context
from ansible.errors import AnsibleError

DOCUMENTATION = r"""
name: from_the_beginning
short_description: Refuse a run that leaves the survey out
version_added: 0.2.0
author: The flexops.unified_profiles developers (@flexops)
description:
  - The survey finds out where something is due. A run that leaves it out, with C(--start-at-task) or C(--skip-tags), would do nothing and look like a success.
  - Ansible evaluates the pattern of a play's hosts whatever the task to start at. So this filter refuses the run there.
options:
  _input:
    description: The pattern of the hosts.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Look at every environment
  hosts: "{{ 'unified_profiles' | flexops.unified_profiles.from_the_beginning }}"
  tasks:
    - name: Look at every environment
      flexops.unified_profiles.profiles_survey:
"""

RETURN = r"""
_value:
  description: The pattern, as it is.
  type: str
"""


def from_the_beginning(pattern: str) -> str:
    if context.CLIARGS.get("start_at_task"):
        raise AnsibleError(
            "--start-at-task: would leave out the survey, which finds out where something is due. Run the playbook from its beginning; "
            "--limit takes fewer environments. Nothing was done."
        )
    if skipped := {"always", "tagged"} & {*context.CLIARGS.get("skip_tags", ())}:
        raise AnsibleError(
            f"--skip-tags {', '.join(sorted(skipped))}: would leave out the survey, which finds out where something is due, and the report. "
            "Run without it; --limit takes fewer environments. Nothing was done."
        )
    return pattern


class FilterModule:
    def filters(self) -> dict[str, Callable[..., t.Any]]:
        return {"from_the_beginning": from_the_beginning}
