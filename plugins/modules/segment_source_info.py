#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: segment_source_info
short_description: Find the source and say what is wrong with it
version_added: 0.1.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Finds the source by O(source_id), by its exact name, or by its slug when it was renamed, and compares it with what was recorded.
extends_documentation_fragment:
  - flexops.unified_profiles._connection
  - flexops.unified_profiles._source
  - flexops.unified_profiles._source.source_id
  - flexops.unified_profiles._source.ignore_legacy
  - flexops.unified_profiles._attributes.info
  - flexops.unified_profiles._attributes.in_process
  - flexops.unified_profiles._attributes.action_group
options:
  recorded_slug:
    description: Slug that the source was about to be made with. A Java source that has it is taken for the source, whatever its name.
    type: str
  recorded_source_id:
    description: Id of the source that was last handed over, from the ledger.
    type: str
  recorded_key_fingerprint:
    description: Fingerprint of the write key that was last handed over, from the ledger.
    type: str
  read_audit_trail:
    description:
      - Whether to ask the audit trail who changed the source and when. It goes back 90 days.
      - A token that may not read it is no error.
    type: bool
    default: false
  refuse_harm:
    description:
      - Whether to fail where to make or repair the source would do harm. There are several sources of the name, its
        type is another, the older official source exists, or no trace shows that it ever existed.
    type: bool
    default: false
  recover_without_trace:
    description: With O(refuse_harm=true), whether not to fail where there is no trace of a source.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Diagnose the source
  flexops.unified_profiles.segment_source_info:
    segment_token: "{{ unified_profiles_segment_token }}"
    read_audit_trail: true
  register: result

- name: Look for a source that the ledger knows, and fail where creating another one would do harm
  flexops.unified_profiles.segment_source_info:
    settings: true
    recorded_source_id: 5BKZVyYHdt1D7ZrtHyNR7W
    refuse_harm: true
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
    key_fingerprints:
      description: 'Fingerprints of its write keys, none where the token cannot see them.'
      type: list
      elements: str
      sample: [3f29a1b07c55]
findings:
  description: What is wrong with it, empty when nothing is.
  returned: success
  type: list
  elements: dict
  contains:
    problem:
      description:
        - C(deleted), C(absent), C(renamed), C(disabled), C(disabled_by_segment), C(wrong_type), C(legacy_name), C(ambiguous), C(keys_not_visible),
          C(key_removed) or C(key_never_handed_over). The last needs O(recorded_source_id).
      type: str
      sample: deleted
    detail:
      description: The same in words, with who did it and when where the audit trail tells.
      type: str
      sample: The source 5BKZVyYHdt1D7ZrtHyNR7W is gone (Source Deleted by ops@example.com at 2026-11-24T10:02:31Z).
    by: {description: 'Who did it, as far as the audit trail tells.', type: str, sample: ops@example.com}
    since: {description: 'When, as far as the audit trail tells.', type: str, sample: '2026-11-24T10:02:31Z'}
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.options import (
    IGNORE_LEGACY,
    SOURCE_ID,
    SOURCE_NAME,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec, run_as_module
from ansible_collections.flexops.unified_profiles.plugins.module_utils._source.manage import diagnose_source

SPEC = ArgumentSpec(
    {
        **SOURCE_NAME,
        **SOURCE_ID,
        **IGNORE_LEGACY,
        "recorded_source_id": {"type": "str"},
        "recorded_slug": {"type": "str"},
        "recorded_key_fingerprint": {"type": "str", "no_log": False},
        "read_audit_trail": {"type": "bool", "default": False},
        "refuse_harm": {"type": "bool", "default": False},
        "recover_without_trace": {"type": "bool", "default": False},
    }
)


def run(call: ModuleContext) -> dict[str, Any]:
    return {**diagnose_source(call)}


def main() -> None:
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
