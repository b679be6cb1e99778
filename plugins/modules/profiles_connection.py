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
  - The form itself creates the source, connects it to the space, and stores the source's write key in Twilio.
  - Before the form is handed over, the module searches the workspace for sources in its way. It refuses two sources named O(source_name) unless
    O(source_id) names one of them, one
    that is not Java, and the older official source C(flex-unify-server-source). Without O(segment_token) it does not search.
extends_documentation_fragment:
  - flexops.unified_profiles._connection
  - flexops.unified_profiles._space
  - flexops.unified_profiles._space.pair
  - flexops.unified_profiles._source
  - flexops.unified_profiles._source.source_id
  - flexops.unified_profiles._source.ignore_legacy
  - flexops.unified_profiles._ledger
  - flexops.unified_profiles._handover
  - flexops.unified_profiles._attributes
  - flexops.unified_profiles._attributes.controller
  - flexops.unified_profiles._attributes.action_group
options:
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
  if_broken:
    description:
      - Whether to hand the connection over only where it is broken, or waits for a person already. Evidence is read to know.
      - Meant for an environment whose source is gone. The form creates a source of its own, so nothing else may create one.
    type: bool
    default: false
  acknowledge:
    description: With O(if_broken=true), names of alerts and suspicions that somebody looked at and that do not count.
    type: list
    elements: str
    default: []
  proof_max_age:
    description: With O(if_broken=true), days for which a proof holds.
    type: float
    default: 3.0
  wait_timeout:
    description:
      - Seconds to wait for the form's source to appear, before a confirmation is recorded. Without the source it is refused, since then
        the form was not filled in.
    type: int
    default: 60
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

- name: See the task card for it, with everything else from the inventory
  flexops.unified_profiles.profiles_connection:
    settings: true
    channel: operator
  check_mode: true
"""

RETURN = r"""
handover:
  description: The state of the hand-over.
  returned: success
  type: dict
  contains:
    step: {description: The step., type: str, sample: connection}
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
      sample:
        account_sid: AC01
        allow_write_events: true
        friendly_name: Production
        space_id: spa_4fGh7
        profile_token_fingerprint: a3d61230a7fb
    read_back: {description: Whether the endpoint's read just showed the expected value; null where there is none., type: bool, sample: null}
    card:
      description: What a person has to do; null when there is nothing to do.
      type: dict
      contains:
        environment: {description: The environment., type: str, sample: prod}
        step: {description: The step., type: str, sample: connection}
        title: {description: What it is about., type: str, sample: Connect the space}
        where: {description: 'The account, the region and the space, as far as they are known.', type: list, elements: str, sample: [Segment region us]}
        page:
          description: 'Where, from the top menu down.'
          type: list
          elements: str
          sample: [Twilio Console, Explore products, Unified Profiles, Overview]
        links: {description: Pages to open., type: list, elements: dict, sample: [{label: Twilio Console, url: 'https://console.twilio.com/'}]}
        actions:
          description: What to do there, one after the other, with the labels that the page shows.
          type: list
          elements: dict
          contains:
            do: {description: 'What to do, such as C(press), C(enter) or C(copy).', type: str, sample: press}
            label: {description: The label of the button or field., type: str, sample: Connect}
            value: {description: 'The exact value, empty for a secret and where there is none.', type: str, sample: ''}
            hint: {description: 'Where to take it from, or which one it is.', type: str, sample: ''}
        warnings:
          description: What to mind.
          type: list
          elements: str
          sample: ['The source must keep its name, twilio-unified-profiles, to work correctly.']
        check: {description: How it shows that it worked., type: str, sample: The page shows the status Connected.}
        digest: {description: Of all that is to be handed over. A confirmation names it., type: str, sample: 0d7a52c1e93b}
        confirm_command:
          description: The command that says that it is done.
          type: str
          sample: ansible-playbook flexops.unified_profiles.connect -i INVENTORY -e '...'
        handover_again: {description: Empty; see the cards of profiles_info., type: str, sample: ''}
        acknowledge: {description: Empty; see the cards of profiles_info., type: str, sample: ''}
recorded:
  description: What the ledger names as handed over; null where nothing is.
  returned: success
  type: dict
  contains:
    source_id: {description: The source., type: str, sample: 5BKZVyYHdt1D7ZrtHyNR7W}
    key_fingerprint: {description: The write key of it., type: str, sample: 3f29a1b07c55}
    connected: {description: The space that was connected., type: str, sample: spa_4fGh7}
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.form import broken_connection
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.handover import OPTIONS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.handovers import (
    connection,
    recorded_facts,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.options import (
    IGNORE_LEGACY,
    PROFILE_TOKEN,
    SOURCE_ID,
    SOURCE_NAME,
    SPACE,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import (
    ArgumentSpec,
    change_result,
    run_as_module,
)

SPEC = ArgumentSpec(
    {
        **SPACE,
        **PROFILE_TOKEN,
        **SOURCE_NAME,
        **SOURCE_ID,
        **IGNORE_LEGACY,
        **OPTIONS,
        "friendly_name": {"type": "str", "required": True},
        "wait_timeout": {"type": "int", "default": 60},
        "if_broken": {"type": "bool", "default": False},
        "proof_max_age": {"type": "float", "default": 3.0},
        "acknowledge": {"type": "list", "elements": "str", "default": []},
        "allow_write_events": {"type": "bool"},
        "regulated": {"type": "list", "elements": "str", "choices": ["hipaa", "pci"], "default": []},
    }
)


def run(call: ModuleContext) -> dict[str, Any]:
    step = broken_connection(call) if call["if_broken"] else connection(call)
    if step is None:
        return {"changed": False, "handover": None}
    outcome = call.reconcile(step)
    return change_result(outcome, handover=step.result(), recorded=recorded_facts(step.all_steps))


def main() -> None:
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
