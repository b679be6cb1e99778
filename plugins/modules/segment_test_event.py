#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: segment_test_event
short_description: Show that a source feeds a Unify space, with one event
version_added: 0.2.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Sends one identify of a reserved user through a write key of the source. Reads it back from the space through the
    Profile API. Its message id was never used before. That is the only proof that a source feeds a space which does not
    wait for real events. The Tracking API accepts every event, whatever the key and the region, so its answer proves
    nothing.
  - It says nothing about the key that Flex holds.
  - It creates a real profile, that of O(user_id), which counts as one tracked user of the space and stays. The event goes to
    whatever destinations the source has. A later test event updates the same profile.
  - In check mode nothing is sent.
notes:
  - To clean up, delete the user O(user_id) in Segment under Settings, End User Privacy. Choose a deletion that does not suppress
    the user as well, or later test events never arrive (or reserve another O(user_id) then). This module deletes nothing.
  - Which message last touched a profile is documented. An identify does so within seconds, as is inferred, and
    the Profile API's source ids equal those of the Public API. Where they differ, the status is V(other_source) and
    proves nothing.
  - Two test events at the same moment hide each other, and one of them ends as V(not_seen).
extends_documentation_fragment:
  - flexops.unified_profiles._connection
  - flexops.unified_profiles._space
  - flexops.unified_profiles._space.pair
  - flexops.unified_profiles._attributes
  - flexops.unified_profiles._attributes.in_process
  - flexops.unified_profiles._attributes.action_group
attributes:
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every run outside check mode sends one event, and so reports a change.
options:
  source_id:
    description: Id of the source to send through. O(segment_token) must be able to see its write keys.
    type: str
    required: true
  key_fingerprint:
    description: Which of the source's keys to send through. Any of them without it.
    type: str
  test_event:
    description: Must be V(true), which agrees to the profile that the test event creates. There is no default.
    type: bool
  user_id:
    description: The reserved user, in lower case. No person may have this id.
    type: str
    default: flexops-unified-profiles-test-event
  test_event_timeout:
    description: How many seconds to look for the test event before giving up.
    type: float
    default: 120.0
  clock_skew:
    description: How many seconds Segment's clock is ahead of the controller's.
    type: float
    default: 0.0
"""

EXAMPLES = r"""
- name: Send a test event through the source
  flexops.unified_profiles.segment_test_event:
    segment_token: "{{ unified_profiles_segment_token }}"
    profile_token: "{{ unified_profiles_profile_token }}"
    space_id: "{{ unified_profiles_space_id }}"
    source_id: 5BKZVyYHdt1D7ZrtHyNR7W
    test_event: true

- name: Prove that one of two keys feeds the space, within a minute
  flexops.unified_profiles.segment_test_event:
    settings: true
    source_id: 5BKZVyYHdt1D7ZrtHyNR7W
    key_fingerprint: 3f29a1b07c55
    test_event: true
    test_event_timeout: 60
"""

RETURN = r"""
test_event:
  description: What became of the test event; goes into O(flexops.unified_profiles.profiles_info#module:sent_test_event).
  returned: success
  type: dict
  contains:
    status:
      description:
        - V(arrived) means that the space had the very message, with this source's id.
        - V(other_source) means that it had the message with another id.
        - V(not_seen) means that it did not show in time. V(unknown) means that it could not be looked for.
        - V(not_sent) is check mode.
      type: str
      sample: arrived
    reason:
      description: The same in words.
      type: str
      sample: the test event was read back with this source's id
    source_id:
      description: The source it was sent through.
      type: str
      sample: 5BKZVyYHdt1D7ZrtHyNR7W
    seen_source_id:
      description: The source id that the Profile API gave for the message.
      returned: when it was seen
      type: str
      sample: 5BKZVyYHdt1D7ZrtHyNR7W
    key_fingerprint:
      description: The write key that it was sent through.
      returned: when it was sent
      type: str
      sample: 3f29a1b07c55
    space_id:
      description: The space it was looked for in.
      type: str
      sample: spa_9aQ1Lj62S4bomZKLF4DPqW
    user_id:
      description: The user whose profile it made or touched.
      type: str
      sample: flexops-unified-profiles-test-event
    message_id:
      description: The id of the message.
      returned: when it was sent
      type: str
      sample: test-event-0b5c3a4e-3c2f-4a3b-9d53-0a4f6f4b8f6e
    sent_at:
      description: When it was sent, by Segment's clock.
      returned: when it was sent
      type: str
      sample: '2026-11-24T10:02:31Z'
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.options import PROFILE_TOKEN, SPACE
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec, run_as_module
from ansible_collections.flexops.unified_profiles.plugins.module_utils._source.test_event import USER, send

SPEC = ArgumentSpec(
    {
        **SPACE,
        **PROFILE_TOKEN,
        "source_id": {"type": "str", "required": True},
        "key_fingerprint": {"type": "str", "no_log": False},
        "test_event": {"type": "bool"},
        "user_id": {"type": "str", "default": USER},
        "test_event_timeout": {"type": "float", "default": 120.0},
        "clock_skew": {"type": "float", "default": 0.0},
    }
)


def run(call: ModuleContext) -> dict[str, Any]:
    return send(call)


def main() -> None:
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
