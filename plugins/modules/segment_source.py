#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: segment_source
short_description: Bring the source to its desired state
version_added: 0.1.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Finds the source by id, exact name or slug; creates it from the Java catalog source, renames it back, enables and labels it.
  - Refuses several sources that fit, a source of another type, and the older official source.
  - A new source is connected to no warehouse. Segment deletes for good, and a source that is made again has a new id and key.
extends_documentation_fragment:
  - flexops.unified_profiles._connection
  - flexops.unified_profiles._source
  - flexops.unified_profiles._source.ignore_legacy
  - flexops.unified_profiles._attributes
  - flexops.unified_profiles._attributes.in_process
  - flexops.unified_profiles._attributes.action_group
options:
  source_id:
    description: Id of the source, if it is known. It is looked up first.
    type: str
  source_slug:
    description:
      - Slug to make the source with. By default it is the name.
      - A Java source that has this slug is taken for the source, whatever its name. Only a slug that was free before is safe.
    type: str
  state:
    description: Whether the source should exist.
    type: str
    choices: [present, absent]
    default: present
  confirm_delete:
    description: Id of the source that O(state=absent) may delete. Nothing else is ever deleted.
    type: str
  enabled:
    description: Whether the source takes events.
    type: bool
    default: true
  repair:
    description:
      - Whether a source that has another name, or other than O(enabled), is changed. Without it that is only reported, in RV(findings).
    type: bool
    default: true
  source_labels:
    description: Labels that the source should have, besides those it has. One that the workspace does not have is left out, with a warning.
    type: dict
  create:
    description:
      - Whether to create the source if it does not exist. If V(false), a missing source fails the task.
      - Twilio's form creates a source of its own. A source from before the form is filled in is a rival of it, and one of the two has to be deleted.
        Set V(false) unless the connection exists.
    type: bool
    default: true
  wait_timeout:
    description: With O(create=false), how many seconds to wait for something else to make the source, such as Twilio's form.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Have the source
  flexops.unified_profiles.segment_source:
    segment_token: "{{ unified_profiles_segment_token }}"
    source_labels:
      managed-by: ansible

- name: Repair the source that Twilio's form has made, and never make one
  flexops.unified_profiles.segment_source:
    segment_token: "{{ unified_profiles_segment_token }}"
    create: false
    wait_timeout: 60

- name: Delete one source for good
  flexops.unified_profiles.segment_source:
    segment_token: "{{ unified_profiles_segment_token }}"
    state: absent
    confirm_delete: 5BKZVyYHdt1D7ZrtHyNR7W
"""

RETURN = r"""
source:
  description: The source, without its write keys.
  returned: success, and the source exists
  type: dict
  contains:
    id: {description: Its id., type: str, sample: 5BKZVyYHdt1D7ZrtHyNR7W}
    slug: {description: 'Its slug, which a renaming leaves as it is.', type: str, sample: twilio_unified_profiles}
    name: {description: Its name., type: str, sample: twilio-unified-profiles}
    enabled: {description: Whether it takes events., type: bool, sample: true}
    type: {description: The slug of its type., type: str, sample: java}
    labels: {description: 'Its labels, by key.', type: dict, sample: {environment: prod}}
    key_fingerprints: {description: 'Fingerprints of its write keys, none where the token cannot see them.', type: list, elements: str, sample: [3f29a1b07c55]}
findings:
  description: What was wrong with the source before; empty when nothing was.
  returned: success
  type: list
  elements: dict
  contains:
    problem: {description: 'C(renamed), C(disabled) or C(disabled_by_segment); C(labels) where the labels could not be set.', type: str, sample: renamed}
    detail: {description: In words., type: str, sample: The source 5BKZVyYHdt1D7ZrtHyNR7W was disabled.}
    by: {description: 'Who did it, as far as the audit trail tells.', type: str, sample: ops@example.com}
    since: {description: 'When, as far as the audit trail tells.', type: str, sample: '2026-11-24T10:02:31Z'}
    mended: {description: 'What was done about it; not there where nothing was.', type: str, sample: enabled again}
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.options import IGNORE_LEGACY, SOURCE_NAME
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import (
    ArgumentSpec,
    change_result,
    run_as_module,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._source.manage import ManagedSource

SPEC = ArgumentSpec(
    {
        **SOURCE_NAME,
        **IGNORE_LEGACY,
        "source_id": {"type": "str"},
        "source_slug": {"type": "str"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "confirm_delete": {"type": "str"},
        "enabled": {"type": "bool", "default": True},
        "repair": {"type": "bool", "default": True},
        "source_labels": {"type": "dict"},
        "create": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 0},
    }
)


def run(call: ModuleContext) -> dict[str, Any]:
    resource = ManagedSource(call)
    outcome = call.reconcile(resource)
    return change_result(outcome, source=outcome.state, findings=resource.findings)


def main() -> None:
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
