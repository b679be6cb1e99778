#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: segment_source_restore
short_description: Put back what was lost with a source
version_added: 0.2.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - A source that is deleted takes its labels, schema settings, warehouses and tracking plan with it. The playbooks keep a snapshot of them
    where O(remember) says.
  - Before the source is made again, this module records in the ledger what is to be put back. Once the source is there, it puts that back,
    and marks each item in the ledger. A run that was killed in between is gone on with.
  - Each item fails alone. The task does not fail for it, the next run tries again, and a warning says which right the token lacked.
  - Labels are added, and connections are made. Nothing is taken from a source, a warehouse or a tracking plan. A tracking plan that the new
    source has already stays.
  - What no longer exists, and what Segment refuses, is marked as such, and is left to a person. The report has a card for it.
extends_documentation_fragment:
  - flexops.unified_profiles._connection
  - flexops.unified_profiles._ledger
  - flexops.unified_profiles._attributes
  - flexops.unified_profiles._attributes.controller
  - flexops.unified_profiles._attributes.action_group
options:
  source_id:
    description:
      - Id of the source that takes the place of the lost one.
      - Without it nothing is put back. What is to be put back is only recorded, from the snapshot of the source that the ledger names.
    type: str
  restore:
    description:
      - What to put back, V(slug) being the slug that the source is made with. What is not named is left out for good.
      - V(selective_sync) needs V(warehouses).
    type: list
    elements: str
    choices: [labels, schema_settings, warehouses, selective_sync, tracking_plan, slug]
    default: [labels, schema_settings, warehouses, selective_sync, tracking_plan, slug]
  remember:
    description:
      - Where the snapshot is. V(file) is a file below O(state_dir), V(sync) a document in O(sync_service). With V(none) there is none.
    type: str
    choices: [file, sync, none]
    default: file
  source_labels:
    description: Labels that the source has from the inventory. What the snapshot says of the same keys is left out.
    type: dict
  clock_skew:
    description: Seconds by which Segment's clock is ahead of this one, as M(flexops.unified_profiles.profiles_survey) returns it.
    type: float
    default: 0.0
"""

EXAMPLES = r"""
- name: Record what is to be put back
  flexops.unified_profiles.segment_source_restore:
    environment: prod
    state_dir: /srv/unified_profiles
    segment_token: "{{ unified_profiles_segment_token }}"
  register: intent

- name: Have the source
  flexops.unified_profiles.segment_source:
    segment_token: "{{ unified_profiles_segment_token }}"
    source_slug: "{{ intent.slug or omit }}"
  register: made

- name: Put it back
  flexops.unified_profiles.segment_source_restore:
    environment: prod
    state_dir: /srv/unified_profiles
    segment_token: "{{ unified_profiles_segment_token }}"
    source_id: "{{ made.source.id }}"
"""

RETURN = r"""
states:
  description:
    - The state of each item. An item is a part, and after a colon what is meant of it.
    - V(open) is still to be put back, V(denied) as well, since the token lacked the right, and V(failed), since something else failed.
    - V(done) is put back. V(left out) was not wanted.
    - V(gone) no longer exists. V(taken) means that the source has another one. V(refused) is what Segment refused.
      V(unknown) means that nobody knows what the warehouse left out. These are for a person.
  returned: success
  type: dict
  sample: {'labels:environment=prod': done, 'warehouses:4vFbQmV2LZxPUTmqGc3nYw': done}
slug:
  description: The slug to make the source with. Empty where it is the usual one.
  returned: success
  type: str
  sample: twilio_unified_profiles
snapshot:
  description: When the snapshot was taken. Empty where nothing is to be put back.
  returned: success
  type: str
  sample: '2026-11-24T10:02:31Z'
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.restoring import OPTIONS, put_back
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec, run_as_module

SPEC = ArgumentSpec({**OPTIONS, "source_id": {"type": "str"}, "source_labels": {"type": "dict"}})


def run(call: ModuleContext) -> dict[str, Any]:
    return put_back(call)


def main() -> None:
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
