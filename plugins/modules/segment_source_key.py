#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: segment_source_key
short_description: Add or remove a write key of a source
version_added: 0.1.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - V(present) makes sure that the source has a key other than those in O(known_fingerprints). Old and new keys work side by side.
  - V(absent) removes the one named key; never the last visible one, and never when the keys cannot be seen.
extends_documentation_fragment:
  - flexops.unified_profiles._connection
  - flexops.unified_profiles._attributes
  - flexops.unified_profiles._attributes.in_process
  - flexops.unified_profiles._attributes.action_group
options:
  source_id:
    description: Id of the source.
    type: str
    required: true
  state:
    description: Whether to add a key or to remove one.
    type: str
    choices: [present, absent]
    default: present
  known_fingerprints:
    description:
      - With O(state=present), fingerprints of the keys that do not count.
      - Write those of before the rotation. With those that the source has now, each run would add a key.
    type: list
    elements: str
    default: []
  key_fingerprint:
    description: With O(state=absent), fingerprint of the key to remove.
    type: str
"""

EXAMPLES = r"""
- name: Add a key beside the old one
  flexops.unified_profiles.segment_source_key:
    segment_token: "{{ unified_profiles_segment_token }}"
    source_id: 5BKZVyYHdt1D7ZrtHyNR7W
    known_fingerprints: [3f29a1b07c55]

- name: Remove the old key for good
  flexops.unified_profiles.segment_source_key:
    segment_token: "{{ unified_profiles_segment_token }}"
    source_id: 5BKZVyYHdt1D7ZrtHyNR7W
    state: absent
    key_fingerprint: 3f29a1b07c55

- name: See which key would be removed
  flexops.unified_profiles.segment_source_key:
    settings: true
    source_id: 5BKZVyYHdt1D7ZrtHyNR7W
    state: absent
    key_fingerprint: 3f29a1b07c55
  check_mode: true
  diff: true
"""

RETURN = r"""
key_fingerprints:
  description: Fingerprints of the keys that the source has afterwards.
  returned: success
  type: list
  elements: str
  sample: [3f29a1b07c55, 9be01f7730aa]
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import (
    ArgumentSpec,
    change_result,
    run_as_module,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._source.keys import ManagedKeys

SPEC = ArgumentSpec(
    {
        "source_id": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "known_fingerprints": {"type": "list", "elements": "str", "default": []},
        "key_fingerprint": {"type": "str", "no_log": False},
    },
    {"required_if": [("state", "absent", ["key_fingerprint"])]},
)


def run(call: ModuleContext) -> dict[str, Any]:
    resource = ManagedKeys(call)
    outcome = call.reconcile(resource)
    return change_result(outcome, key_fingerprints=(outcome.state or {}).get("key_fingerprints", []))


def main() -> None:
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
