#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profiles_connection
short_description: Hand over the Connect form of Unified Profiles
version_added: 0.1.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Twilio's Connect form has no public API. This module carries the step out through a channel and keeps the record of it.
  - The form itself makes the source, connects it to the space, and stores the source's write key in Twilio.
extends_documentation_fragment:
  - flexops.unified_profiles.connection
  - flexops.unified_profiles.ledger
  - flexops.unified_profiles.handover
  - flexops.unified_profiles.attributes.controller
requirements:
  - httpx >= 0.27, < 1
options:
  space_id:
    description: Id of the Unify space, from Unify settings, API access.
    type: str
    required: true
  profile_token:
    description:
      - Profile API access token of the space.
      - If not set, the environment variable E(SEGMENT_PROFILE_TOKEN) is used.
    type: str
  friendly_name:
    description: Connection friendly name.
    type: str
    required: true
  allow_write_events:
    description:
      - Your consent to the form's acknowledgement, Allow Unified Profiles to write events to Segment.
      - There is no default. Without V(true) nothing is handed over.
    type: bool
  regulated:
    description: Regulations that the environment is subject to. Unified Profiles may not be used under any of these.
    type: list
    elements: str
    choices: [hipaa, pci]
    default: []
  source_name:
    description:
      - Name of the source that the form makes. Before the form is handed over, the workspace is searched for sources in its way.
      - Two sources of the name, one that is not Java, or the older official source C(flex-unify-server-source) are refused.
        Without O(segment_token) nobody looks.
    type: str
    default: twilio-unified-profiles
  ignore_legacy:
    description: Go on although the older official source C(flex-unify-server-source) stands there.
    type: bool
    default: false
notes:
  - The placeholders of O(endpoint.body) are C(environment), C(digest), C(account_sid), C(friendly_name), C(space_id) and
    C(profile_token).
  - With O(endpoint.read_url), the value read is compared with the fingerprint of the Profile API token.
"""

EXAMPLES = r"""
- name: Connect the space
  flexops.unified_profiles.profiles_connection:
    environment: prod
    state_dir: /srv/unified_profiles
    twilio_account_sid: "{{ unified_profiles_twilio_account_sid }}"
    space_id: "{{ unified_profiles_space_id }}"
    profile_token: "{{ unified_profiles_profile_token }}"
    friendly_name: Production
    allow_write_events: true
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
    step: connection
    status: pending
    digest: 0d7a52c1e93b
    channel: operator
    how: asked
    sent: false
    by: ''
    at: '2026-11-24T10:02:31Z'
    subject: {space_id: spa_4fGh7}
    read_back: null
    card: {environment: prod, step: connection, title: Connect the space, page: [], actions: [], digest: 0d7a52c1e93b}
recorded:
  description: Source and key that the ledger names as handed over.
  returned: success
  type: dict
  sample: {source_id: 5BKZVyYHdt1D7ZrtHyNR7W, key_fingerprint: 3f29a1b07c55}
"""

from typing import Any

from ansible.module_utils.basic import env_fallback
from ansible_collections.flexops.unified_profiles.plugins.module_utils.handover.step import OPTIONS
from ansible_collections.flexops.unified_profiles.plugins.module_utils.handover.steps import connection, recorded_facts
from ansible_collections.flexops.unified_profiles.plugins.module_utils.runner import (
    Call,
    Spec,
    outcome_result,
    run_module,
)

SPEC = Spec(
    {
        **OPTIONS,
        "space_id": {"type": "str", "required": True},
        "profile_token": {"type": "str", "no_log": True, "fallback": (env_fallback, ["SEGMENT_PROFILE_TOKEN"])},
        "friendly_name": {"type": "str", "required": True},
        "allow_write_events": {"type": "bool"},
        "regulated": {"type": "list", "elements": "str", "choices": ["hipaa", "pci"], "default": []},
        "source_name": {"type": "str", "default": "twilio-unified-profiles"},
        "ignore_legacy": {"type": "bool", "default": False},
    }
)


def run(call: Call) -> dict[str, Any]:
    step = connection(call)
    outcome = call.reconcile(step)
    return outcome_result(
        outcome, handover=step.result(outcome.plan.after["status"]), recorded=recorded_facts(step.all_steps)
    )


def main() -> None:
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
