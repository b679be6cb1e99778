#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: flex_source_key
short_description: Hand over Update key of the Flex source write key
version_added: 0.1.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Flex keeps the write key behind a form without a public API. This module carries the step out through a channel and keeps the record.
  - The write key is read from Segment when it is needed, and shows as its fingerprint everywhere.
extends_documentation_fragment:
  - flexops.unified_profiles.connection
  - flexops.unified_profiles.ledger
  - flexops.unified_profiles.handover
  - flexops.unified_profiles.attributes.controller
requirements:
  - httpx >= 0.27, < 1
options:
  source_id:
    description: Id of the source.
    type: str
    required: true
  source_name:
    description: Name of the source. Twilio expects the default.
    type: str
    default: twilio-unified-profiles
  key_fingerprints:
    description: Fingerprints of the write keys that the source has.
    type: list
    elements: str
    required: true
  key_fingerprint:
    description: Which of them Flex shall have. Needed only when there are several and none is recorded.
    type: str
  by_form:
    description:
      - Whether to count the step as done by the connection form, when the form is recorded and the step never was.
      - Does not count where the link was recorded for a source that was linked later.
    type: bool
    default: false
notes:
  - The placeholders of O(endpoint.body) are C(environment), C(digest), C(account_sid), C(source_id), C(source_name) and
    C(write_key).
  - With O(endpoint.read_url), the value read is compared with the fingerprint of the key.
"""

EXAMPLES = r"""
- name: Give Flex the key
  flexops.unified_profiles.flex_source_key:
    environment: prod
    state_dir: /srv/unified_profiles
    segment_token: "{{ unified_profiles_segment_token }}"
    twilio_account_sid: "{{ unified_profiles_twilio_account_sid }}"
    source_id: 5BKZVyYHdt1D7ZrtHyNR7W
    key_fingerprints: [3f29a1b07c55]
"""

RETURN = r"""
handover:
  description:
    - The state of the hand-over. C(handover.read_back) tells whether the endpoint's read just showed the expected value.
    - C(handover.sent) tells whether this run sent it to the endpoint, in check mode whether it would.
    - C(handover.card) is what a person has to do, null when there is nothing to do.
  returned: success
  type: dict
  sample:
    step: key
    status: pending
    digest: 0d7a52c1e93b
    channel: operator
    how: asked
    sent: false
    by: ''
    at: '2026-11-24T10:02:31Z'
    subject: {account_sid: AC01, key_fingerprint: 3f29a1b07c55, source_id: 5BKZVyYHdt1D7ZrtHyNR7W}
    read_back: null
    card: {environment: prod, step: key, title: Give Flex the write key, page: [], actions: [], digest: 0d7a52c1e93b}
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils.handover.step import OPTIONS
from ansible_collections.flexops.unified_profiles.plugins.module_utils.handover.steps import key
from ansible_collections.flexops.unified_profiles.plugins.module_utils.runner import (
    Call,
    Spec,
    outcome_result,
    run_module,
)

SPEC = Spec(
    {
        **OPTIONS,
        "source_id": {"type": "str", "required": True},
        "source_name": {"type": "str", "default": "twilio-unified-profiles"},
        "key_fingerprints": {"type": "list", "elements": "str", "required": True, "no_log": False},
        "key_fingerprint": {"type": "str", "no_log": False},
        "by_form": {"type": "bool", "default": False},
    }
)


def run(call: Call) -> dict[str, Any]:
    step = key(call)
    outcome = call.reconcile(step)
    return outcome_result(outcome, handover=step.result(outcome.plan.after["status"]))


def main() -> None:
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
