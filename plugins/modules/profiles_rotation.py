#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profiles_rotation
short_description: Replace the write key of a source in phases
version_added: 0.2.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Goes as far with the rotation of a write key as this run may. A new key is added beside the old one, and handed over to Flex. The old one is
    removed later, and Flex events through the only key left prove that Flex has it.
  - The ledger records each phase, so a run that was interrupted is gone on with by the next. A run that can only wait changes nothing.
  - A rotation begins only where exactly one key can be seen, and its hand-over is recorded as done.
  - A key is removed only with O(retire) or O(rotate_rollback), or as O(retire_on_read_back) allows. It is removed only
    after O(key_overlap), while the source has exactly the old and the new key. While there are two keys nothing proves
    which one Flex holds.
  - A rotation ends when it is proven. Until then RV(rotation) says since when it waits.
extends_documentation_fragment:
  - flexops.unified_profiles._connection
  - flexops.unified_profiles._space
  - flexops.unified_profiles._source
  - flexops.unified_profiles._ledger
  - flexops.unified_profiles._handover
  - flexops.unified_profiles._attributes
  - flexops.unified_profiles._attributes.controller
  - flexops.unified_profiles._attributes.action_group
options:
  source_id:
    description: Id of the source. Without it nothing can be rotated, which is an error only where a rotation is open or asked for.
    type: str
  key_max_age:
    description:
      - From how many days on a key is replaced. Without it no key is due by its age.
      - The age counts from when the ledger first saw the key, so the key may be older.
    type: float
  key_overlap:
    description:
      - How many hours the key that was in Flex stays after the other one was handed over.
      - It is 0 where a key is replaced because it leaked. What is on its way with the old key when that is removed is lost.
      - With O(rotate_rollback) the new key stays that long, in any case.
    type: float
    default: 24.0
  rotate_now:
    description:
      - The fingerprint of a key that has leaked, by environment. It is replaced at once, and without an overlap.
      - A new key may be named while its rotation waits for its proof. That rotation is given up, and another one begins.
      - What is no key of the source, or not any more, makes nothing due.
    type: dict
    default: {}
  retire:
    description:
      - The fingerprint of the old key that this run may remove, by environment. That cannot be undone, and nothing proves before that Flex
        has the new one.
    type: dict
    default: {}
  retire_on_read_back:
    description:
      - Whether the old key is removed without O(retire) once an endpoint reads back the new one.
      - Only for an endpoint whose O(endpoint.read_url) reads Flex itself, and not a store of its own.
    type: bool
    default: false
  rotate_rollback:
    description:
      - The fingerprint of the new key that is taken back, by environment, until the old one is retired.
      - The old key is handed over again first, if the new one may be in Flex. The new one is removed after that, after O(key_overlap), by a
        run that has this option as well.
    type: dict
    default: {}
  key_fingerprint:
    description: The key that Flex shall have. Where it is given, no rotation begins.
    type: str
  proof_max_age:
    description: For how many days Flex events through the new key are waited for before somebody has to look.
    type: float
    default: 3.0
  test_event:
    description:
      - Whether a test event has to come through the new key before the old one is retired. It shows that the key feeds the space, and not which key
        Flex has.
      - This module sends none. It asks for one with RV(test_key).
      - One that did not come is sent again after a day, or by a run with O(retire).
      - Check mode foretells that it comes.
    type: bool
    default: false
  sent_test_event:
    description: What M(flexops.unified_profiles.segment_test_event) gave in this run as RV(flexops.unified_profiles.segment_test_event#module:test_event).
    type: dict
notes:
  - The placeholders of O(endpoint.body) are C(environment), C(digest), C(account_sid), C(source_id), C(source_name) and
    C(write_key).
  - With O(endpoint.read_url), the value read is compared with the fingerprint of the key.
"""

EXAMPLES = r"""
- name: Replace a key that is older than 90 days
  flexops.unified_profiles.profiles_rotation:
    environment: prod
    state_dir: /srv/unified_profiles
    segment_token: "{{ unified_profiles_segment_token }}"
    twilio_account_sid: "{{ unified_profiles_twilio_account_sid }}"
    twilio_api_key: "{{ unified_profiles_twilio_api_key }}"
    twilio_api_secret: "{{ unified_profiles_twilio_api_secret }}"
    space_id: "{{ unified_profiles_space_id }}"
    source_id: 5BKZVyYHdt1D7ZrtHyNR7W
    key_max_age: 90

- name: Replace a key that has leaked, with everything else from the inventory
  flexops.unified_profiles.profiles_rotation:
    settings: true
    source_id: 5BKZVyYHdt1D7ZrtHyNR7W
    rotate_now:
      prod: 3f29a1b07c55

- name: Take the new key back before the old one is retired
  flexops.unified_profiles.profiles_rotation:
    settings: true
    source_id: 5BKZVyYHdt1D7ZrtHyNR7W
    rotate_rollback:
      prod: 9ac2e0417d3b
"""

RETURN = r"""
rotation:
  description: The state of the rotation.
  returned: success
  type: dict
  contains:
    phase: {description: 'V(add), V(hand over), V(test), V(retire), V(prove) or V(roll back); empty where none is open.', type: str, sample: retire}
    since: {description: When it began., type: str, sample: '2026-11-24T10:02:31Z'}
    key: {description: The key that is waited for or looked at., type: str, sample: 3f29a1b07c55}
    age_days: {description: 'The least that the age of that key can be, in days; null without O(key_max_age).', type: int, sample: 91}
    next: {description: 'When what is waited for comes, or the key is due.', type: str, sample: '2026-11-25T10:02:31Z'}
    told: {description: What is waited for., type: str, sample: ''}
    pending: {description: Whether a person is waited for., type: bool, sample: false}
did:
  description: 'What was done, in order; in check mode what would be.'
  returned: success
  type: list
  elements: str
  sample: [the key 3f29a1b07c55 is at least 91 days old]
test_key:
  description: The key through which a test event is wanted now; empty where none is.
  returned: success
  type: str
  sample: ''
handover:
  description: The state of the hand-over of the phase; null where none was looked at.
  returned: success
  type: dict
  contains:
    step: {description: The step., type: str, sample: key}
    status: {description: 'V(done) or V(pending). What is done is not proven yet.', type: str, sample: pending}
    digest: {description: Of all that is to be handed over. It changes with it., type: str, sample: 0d7a52c1e93b}
    channel: {description: The channel that was chosen., type: str, sample: operator}
    how:
      description:
        - Who or what says so, V(attested), V(existing), V(form) or V(endpoint). V(asked) is a card that nobody has confirmed, V(sent) a request whose
          outcome is not known.
      type: str
      sample: asked
    sent: {description: 'Whether this run sent it to the endpoint, in check mode whether it would.', type: bool, sample: false}
    by: {description: Who confirmed it; empty where nobody did., type: str, sample: ''}
    at: {description: 'When it was asked for or recorded as done, by Segment''s clock.', type: str, sample: '2026-11-24T10:02:31Z'}
    subject:
      description: 'What is handed over, with fingerprints in place of secrets.'
      type: dict
      sample: {account_sid: AC01, key_fingerprint: 3f29a1b07c55, source_id: 5BKZVyYHdt1D7ZrtHyNR7W}
    read_back: {description: Whether the endpoint's read just showed the expected value; null where there is none., type: bool, sample: null}
    card:
      description: What a person has to do; null when there is nothing to do.
      type: dict
      contains:
        environment: {description: The environment., type: str, sample: prod}
        step: {description: The step., type: str, sample: key}
        title: {description: What it is about., type: str, sample: Give Flex the write key}
        where: {description: 'The account, the region and the space, as far as they are known.', type: list, elements: str, sample: [Segment region us]}
        page:
          description: 'Where, from the top menu down.'
          type: list
          elements: str
          sample: [Twilio Console, Flex, Contact center settings, Unified Profiles]
        links: {description: Pages to open., type: list, elements: dict, sample: [{label: Twilio Console, url: 'https://console.twilio.com/'}]}
        actions:
          description: What to do there, one after the other, with the labels that the page shows.
          type: list
          elements: dict
          contains:
            do: {description: 'What to do, such as C(press), C(enter) or C(copy).', type: str, sample: press}
            label: {description: The label of the button or field., type: str, sample: Update key}
            value: {description: 'The exact value, empty for a secret and where there is none.', type: str, sample: ''}
            hint: {description: 'Where to take it from, or which one it is.', type: str, sample: ''}
        warnings:
          description: What to mind.
          type: list
          elements: str
          sample: ['The source must keep its name, twilio-unified-profiles, to work correctly.']
        check: {description: How it shows that it worked., type: str, sample: The page took the key.}
        digest: {description: Of all that is to be handed over. A confirmation names it., type: str, sample: 0d7a52c1e93b}
        confirm_command:
          description: The command that says that it is done.
          type: str
          sample: ansible-playbook flexops.unified_profiles.connect -i INVENTORY -e '...'
        handover_again: {description: Empty; see the cards of profiles_info., type: str, sample: ''}
        acknowledge: {description: Empty; see the cards of profiles_info., type: str, sample: ''}
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.rotate import OPTIONS, rotate
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec, run_as_module

SPEC = ArgumentSpec(OPTIONS)


def run(call: ModuleContext) -> dict[str, Any]:
    done = rotate(call)
    return {
        "changed": done.changed,
        "diff": {"before": done.before, "after": done.after},
        "rotation": done.status,
        "did": [step.why for step in done.did],
        "test_key": done.test_key,
        "handover": done.handover,
    }


def main() -> None:
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
