#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profiles_info
short_description: Give the verdict on each hand-over
version_added: 0.1.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Reads the ledger and the evidence that Segment and Twilio can give, and says for each hand-over how sure it is.
  - The verdicts are C(proven), C(attested), C(pending), C(broken) and C(unknown). What proves a hand-over, and what does not, is
    in C(docs/hand-overs.md).
  - No more is read than what can still change a verdict. What cannot be read proves nothing and is listed in RV(unread).
notes:
  - For evidence O(segment_token) reads events and, if it belongs to a workspace owner, the audit trail of the source.
  - Events prove no more than that somebody wrote them with the source's key, under the names that Flex uses.
extends_documentation_fragment:
  - flexops.unified_profiles._connection
  - flexops.unified_profiles._space
  - flexops.unified_profiles._ledger
  - flexops.unified_profiles._attributes.info
  - flexops.unified_profiles._attributes.controller
  - flexops.unified_profiles._attributes.action_group
options:
  source_id:
    description: Id of the source as it is now.
    type: str
  key_fingerprints:
    description: Fingerprints of the write keys that the source has now.
    type: list
    elements: str
    default: []
  read_evidence:
    description:
      - Whether to read evidence. Without it nothing is C(proven) but by O(read_back) and O(test_event), and nothing is C(broken) but
        by O(read_back).
    type: bool
    default: true
  read_back:
    description:
      - What RV(flexops.unified_profiles.profiles_connection#module:handover) of the three hand-over modules gave in this run as
        C(read_back), which says whether an endpoint has just shown the expected value.
    type: dict
    suboptions:
      connection:
        description: For the connection.
        type: bool
      link:
        description: For the link.
        type: bool
      key:
        description: For the key.
        type: bool
  test_event:
    description: What M(flexops.unified_profiles.segment_test_event) gave in this run as RV(flexops.unified_profiles.segment_test_event#module:test_event).
    type: dict
  read_connector:
    description:
      - Whether to ask an undocumented endpoint, C(preview.twilio.com), for the connector between the account and a space. It may
        change or vanish without notice. Any answer but a connector means C(unknown), and a connector proves nothing by itself.
    type: bool
    default: false
  ignore_alerts_until:
    description:
      - Alerts up to this time (ISO 8601, UTC) no longer count. For what was mended without a new hand-over, such as pasting the
        same value again.
    type: str
  clock_skew:
    description: How many seconds Segment's clock is ahead of the controller's.
    type: float
    default: 0.0
"""

EXAMPLES = r"""
- name: Judge the hand-overs
  flexops.unified_profiles.profiles_info:
    environment: prod
    state_dir: /srv/unified_profiles
    segment_token: "{{ unified_profiles_segment_token }}"
    twilio_account_sid: "{{ unified_profiles_twilio_account_sid }}"
    twilio_api_key: "{{ unified_profiles_twilio_api_key }}"
    twilio_api_secret: "{{ unified_profiles_twilio_api_secret }}"
    space_id: "{{ unified_profiles_space_id }}"
    source_id: 5BKZVyYHdt1D7ZrtHyNR7W
    key_fingerprints: [3f29a1b07c55]
"""

RETURN = r"""
steps:
  description: Verdict and reason for C(connection), C(link) and C(key).
  returned: success
  type: dict
  contains:
    connection:
      description: Of the step.
      type: dict
      contains:
        verdict: {description: 'V(proven), V(attested), V(pending), V(broken) or V(unknown).', type: str, sample: proven}
        reason: {description: Why., type: str, sample: Flex wrote 12 engagements through the only key since 2026-11-24T10:02:31Z}
    link:
      description: Of the step.
      type: dict
      contains:
        verdict: {description: 'V(proven), V(attested), V(pending), V(broken) or V(unknown).', type: str, sample: proven}
        reason: {description: Why., type: str, sample: Flex wrote 12 engagements through the only key since 2026-11-24T10:02:31Z}
    key:
      description: Of the step.
      type: dict
      contains:
        verdict: {description: 'V(proven), V(attested), V(pending), V(broken) or V(unknown).', type: str, sample: proven}
        reason: {description: Why., type: str, sample: Flex wrote 12 engagements through the only key since 2026-11-24T10:02:31Z}
recorded:
  description: What the ledger names as handed over; null where nothing is.
  returned: success
  type: dict
  contains:
    source_id: {description: The source., type: str, sample: 5BKZVyYHdt1D7ZrtHyNR7W}
    key_fingerprint: {description: The write key of it., type: str, sample: 3f29a1b07c55}
    connected: {description: The space that was connected., type: str, sample: spa_4fGh7}
connector:
  description: V(true) if the undocumented read showed a connector. Anything else is unknown, and none.
  returned: success
  type: bool
  sample: null
unread:
  description: Why some evidence could not be read.
  returned: success
  type: list
  elements: str
  sample: []
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.evidence import evaluate
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_place import LEDGER_OPTIONS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.steps import STEPS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.options import SPACE
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec, run_as_module

SPEC = ArgumentSpec(
    {
        **SPACE,
        **LEDGER_OPTIONS,
        "source_id": {"type": "str"},
        "key_fingerprints": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "read_evidence": {"type": "bool", "default": True},
        "read_back": {"type": "dict", "options": {step: {"type": "bool"} for step in STEPS}},
        "test_event": {"type": "dict"},
        "read_connector": {"type": "bool", "default": False},
        "ignore_alerts_until": {"type": "str"},
        "clock_skew": {"type": "float", "default": 0.0},
    }
)


def run(call: ModuleContext) -> dict[str, Any]:
    return evaluate(call)


def main() -> None:
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
