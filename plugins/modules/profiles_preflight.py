#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profiles_preflight
short_description: Check an environment before anything is changed
version_added: 0.1.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Refuses an environment without consent, or one that is subject to a regulation under which it may not be connected.
  - Then asks Segment what M(flexops.unified_profiles.segment_space_validate) asks, and at the same time Twilio what
    M(flexops.unified_profiles.flex_info) asks, and your own endpoints what they read back, and fails with everything that is wrong.
extends_documentation_fragment:
  - flexops.unified_profiles._connection
  - flexops.unified_profiles._handover.endpoints
  - flexops.unified_profiles._attributes.info
  - flexops.unified_profiles._attributes.in_process
  - flexops.unified_profiles._attributes.action_group
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
  source_name:
    description: Name that the source has or will have. Twilio expects the default.
    type: str
    default: twilio-unified-profiles
  allow_write_events:
    description: Your consent to let Unified Profiles write events to Segment. There is no default.
    type: bool
  regulated:
    description: Regulations that the environment is subject to. Under any of them it is refused.
    type: list
    elements: str
    choices: [hipaa, pci]
    default: []
  attest_existing:
    description: Name of who will attest that what stands in the consoles already is right, if that is the plan.
    type: str
"""

EXAMPLES = r"""
- name: Check the environment
  flexops.unified_profiles.profiles_preflight:
    segment_token: "{{ unified_profiles_segment_token }}"
    profile_token: "{{ unified_profiles_profile_token }}"
    space_id: "{{ unified_profiles_space_id }}"
    twilio_account_sid: "{{ unified_profiles_twilio_account_sid }}"
    twilio_api_key: "{{ unified_profiles_twilio_api_key }}"
    twilio_api_secret: "{{ unified_profiles_twilio_api_secret }}"
    allow_write_events: true

- name: Check an environment whose hand-overs have endpoints
  flexops.unified_profiles.profiles_preflight:
    segment_token: "{{ unified_profiles_segment_token }}"
    profile_token: "{{ unified_profiles_profile_token }}"
    space_id: "{{ unified_profiles_space_id }}"
    twilio_account_sid: "{{ unified_profiles_twilio_account_sid }}"
    twilio_api_key: "{{ unified_profiles_twilio_api_key }}"
    twilio_api_secret: "{{ unified_profiles_twilio_api_secret }}"
    allow_write_events: true
    endpoints: "{{ unified_profiles_endpoints }}"
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
space:
  description: The space.
  returned: success
  type: dict
  contains:
    id: {description: Its id., type: str, sample: spa_4fGh7}
    name: {description: Its name., type: str, sample: Production}
    slug: {description: Its slug., type: str, sample: production}
checks:
  description: One verdict for each check of the space, C(passed) or C(unknown), with its reason.
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
clock_skew:
  description: How many seconds Segment's clock is ahead of this machine's. Only dates that two answers confirm count.
  returned: success
  type: float
  sample: 0.4
flex:
  description: The account, C(status) as the configuration says it, and whether it is ready for Unified Profiles.
  returned: success
  type: dict
  contains:
    account_sid: {description: The account., type: str, sample: AC0123456789abcdef0123456789abcdef}
    status: {description: 'As the configuration says it; C(notstarted) where there is no Flex.', type: str, sample: ok}
    ui_version: {description: The version of the Flex UI., type: str, sample: 2.8.0}
    ready: {description: Whether Unified Profiles can be used., type: bool, sample: true}
    reason: {description: 'Why not, empty where it can.', type: str, sample: ''}
seen:
  description: What the endpoints read back, for the option C(seen) of the modules that hand over. A fingerprint where it stands for a secret.
  returned: success
  type: dict
  contains:
    at: {description: 'When they were asked, in seconds since 1970.', type: float, sample: 1795531684.5}
    connection: {description: What this endpoint read back., returned: when anything stands there, type: str, sample: 3f29a1b07c55}
    link: {description: The same for this step., returned: when anything stands there, type: str, sample: 5BKZVyYHdt1D7ZrtHyNR7W}
    key: {description: The same for this step., returned: when anything stands there, type: str, sample: 8d1c04e7f2b9}
source_name:
  description: The name that was given.
  returned: success
  type: str
  sample: twilio-unified-profiles
region:
  description: The region that was asked.
  returned: success
  type: str
  sample: us
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.preflight import preflight
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.endpoint import ENDPOINT_OPTIONS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.steps import STEPS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.options import PROFILE_TOKEN
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec, run_as_module

SPEC = ArgumentSpec(
    {
        "space_id": {"type": "str", "required": True},
        **PROFILE_TOKEN,
        "source_name": {"type": "str", "default": "twilio-unified-profiles"},
        "allow_write_events": {"type": "bool"},
        "regulated": {"type": "list", "elements": "str", "choices": ["hipaa", "pci"], "default": []},
        "attest_existing": {"type": "str"},
        "endpoints": {
            "type": "dict",
            "options": {step: {**ENDPOINT_OPTIONS, "no_log": False} for step in STEPS},
        },
    }
)


def run(call: ModuleContext) -> dict[str, Any]:
    return preflight(call)


def main() -> None:
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
