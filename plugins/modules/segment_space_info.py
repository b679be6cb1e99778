#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: segment_space_info
short_description: Read the workspace and its Unify spaces
version_added: 0.1.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Gives the workspace that a token belongs to, and its spaces; or one space, found by its id.
extends_documentation_fragment:
  - flexops.unified_profiles._connection
  - flexops.unified_profiles._attributes.info
  - flexops.unified_profiles._attributes.in_process
  - flexops.unified_profiles._attributes.action_group
options:
  space_id:
    description: Only the space with this id.
    type: str
"""

EXAMPLES = r"""
- name: List the spaces of the workspace
  flexops.unified_profiles.segment_space_info:
    segment_token: "{{ unified_profiles_segment_token }}"
  register: result

- name: Read one space, with everything else from the inventory
  flexops.unified_profiles.segment_space_info:
    settings: true
    space_id: "{{ unified_profiles_space_id }}"
"""

RETURN = r"""
workspace:
  description: The workspace of the token.
  returned: success
  type: dict
  contains:
    id: {description: Its id., type: str, sample: 9aQ1Lj62S4bomZKLF4DPqW}
    name: {description: Its name., type: str, sample: papi e2e}
    slug: {description: Its slug., type: str, sample: papi-e2e}
spaces:
  description: The spaces.
  returned: success
  type: list
  elements: dict
  contains:
    id: {description: Its id., type: str, sample: spa_4fGh7}
    name: {description: Its name., type: str, sample: Production}
    slug: {description: Its slug., type: str, sample: production}
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec, run_as_module
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.values import (
    check_space_id,
    space_in_messages,
)

SPEC = ArgumentSpec({"space_id": {"type": "str"}})


def run(call: ModuleContext) -> dict[str, Any]:
    if call["space_id"]:
        check_space_id(call["space_id"])
    api = call.public_api()
    spaces = [api.space(space_in_messages(call["space_id"]))] if call["space_id"] else api.spaces()
    return {"workspace": api.workspace(), "spaces": spaces}


def main() -> None:
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
