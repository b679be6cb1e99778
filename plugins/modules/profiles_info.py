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
attributes:
  check_mode:
    description: Can run in check mode. Outside it, O(acknowledge), O(findings) and O(sent_test_event) are recorded in the ledger.
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
      - Whether to read evidence. Without it nothing is C(proven) but by O(read_back) and O(sent_test_event), and nothing is C(broken) but
        by O(read_back).
    type: bool
    default: true
  read_back:
    description:
      - What the three hand-over modules returned in this run as C(read_back), in
        RV(flexops.unified_profiles.profiles_connection#module:handover). It says whether an endpoint has just shown the
        expected value.
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
  sent_test_event:
    description: What M(flexops.unified_profiles.segment_test_event) gave in this run as RV(flexops.unified_profiles.segment_test_event#module:test_event).
    type: dict
  read_connector:
    description:
      - Whether to ask an undocumented endpoint, C(preview.twilio.com), for the connector between the account and a space. It may
        change or vanish without notice. Any answer but a connector means C(unknown), and a connector proves nothing by itself.
    type: bool
    default: false
  proof_max_age:
    description:
      - For how many days a proof holds. A step that was last proven longer ago is C(attested), and the reason says when it was proven.
    type: float
    default: 3.0
  acknowledge:
    description:
      - Names of alerts and suspicions that somebody has looked at and that are in order or mended, as their cards have them. They no
        longer count, and neither do alerts before an acknowledged one.
      - A name that was recorded before, or that is another environment's, changes nothing.
      - The module writes to the ledger only these, O(findings), that O(sent_test_event) was sent, and what is proven at
        that time.
    type: list
    elements: str
    default: []
  findings:
    description:
      - The findings to record, which are RV(flexops.unified_profiles.segment_source_info#module:findings) and
        RV(flexops.unified_profiles.segment_source#module:findings) of this run. A source that is gone counts as created again as O(source_id).
      - What is recorded already, and what says nothing of the source, changes nothing.
    type: list
    elements: dict
    default: []
  confirmed_by:
    description: Who looked. Needed with O(acknowledge).
    type: str
  reason:
    description: Why it no longer counts, for the ledger's history.
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

- name: Judge them by the ledger alone, with everything else from the inventory
  flexops.unified_profiles.profiles_info:
    settings: true
    source_id: 5BKZVyYHdt1D7ZrtHyNR7W
    key_fingerprints: [3f29a1b07c55]
    read_evidence: false
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
        proven_at: {description: 'When it was last proven, as far as is known.', type: str, sample: '2026-11-24T10:05:00Z'}
        holds_until: {description: Until when the proof holds., type: str, sample: '2026-11-27T10:05:00Z'}
        last_event: {description: When the source last received a Flex event that was seen., type: str, sample: '2026-11-24T10:05:00Z'}
    link:
      description: Of the step.
      type: dict
      contains:
        verdict: {description: 'V(proven), V(attested), V(pending), V(broken) or V(unknown).', type: str, sample: proven}
        reason: {description: Why., type: str, sample: Flex wrote 12 engagements through the only key since 2026-11-24T10:02:31Z}
        proven_at: {description: 'When it was last proven, as far as is known.', type: str, sample: '2026-11-24T10:05:00Z'}
        holds_until: {description: Until when the proof holds., type: str, sample: '2026-11-27T10:05:00Z'}
        last_event: {description: When the source last received a Flex event that was seen., type: str, sample: '2026-11-24T10:05:00Z'}
    key:
      description: Of the step.
      type: dict
      contains:
        verdict: {description: 'V(proven), V(attested), V(pending), V(broken) or V(unknown).', type: str, sample: proven}
        reason: {description: Why., type: str, sample: Flex wrote 12 engagements through the only key since 2026-11-24T10:02:31Z}
        proven_at: {description: 'When it was last proven, as far as is known.', type: str, sample: '2026-11-24T10:05:00Z'}
        holds_until: {description: Until when the proof holds., type: str, sample: '2026-11-27T10:05:00Z'}
        last_event: {description: When the source last received a Flex event that was seen., type: str, sample: '2026-11-24T10:05:00Z'}
findings:
  description: What was found wrong with the source and recorded, as long as not every step was proven since.
  returned: success
  type: list
  elements: dict
  contains:
    problem: {description: 'C(deleted), C(renamed), C(disabled), C(disabled_by_segment) or C(key_removed).', type: str, sample: renamed}
    detail: {description: In words., type: str, sample: The source 5BKZVyYHdt1D7ZrtHyNR7W was renamed to 'x'.}
    by: {description: 'Who did it, as far as the audit trail tells.', type: str, sample: ops@example.com}
    since: {description: 'When, as far as the audit trail tells.', type: str, sample: '2026-11-24T10:02:31Z'}
    mended: {description: 'What was done about it, and when; empty where nothing was.', type: str, sample: 'renamed back at 2026-11-24T10:02:31Z'}
may_test:
  description: Whether another test event is of use. Without a new link it is not, before a proof by the last one would be too old.
  returned: success
  type: bool
  sample: true
suspicions:
  description:
    - What speaks against a step without being a contradiction. The step stays C(attested).
  returned: success
  type: list
  elements: dict
  contains:
    problem: {description: 'V(suspected_unlinked) or V(suspected_wrong_key).', type: str, sample: suspected_unlinked}
    step: {description: The step., type: str, sample: link}
    since: {description: The first event that speaks against it., type: str, sample: '2026-11-24T10:05:00Z'}
    about: {description: What tells it from another one of its kind., type: str, sample: 5BKZVyYHdt1D7ZrtHyNR7W since 2026-11-24T10:05:00Z}
    detail: {description: What was seen and where to look., type: str, sample: 'Flex events reach the source, and the space has shown none.'}
cards:
  description: What to look at for each step that is C(broken) or suspected, as the hand-over modules give them, without a digest.
  returned: success
  type: list
  elements: dict
  contains:
    environment: {description: The environment., type: str, sample: prod}
    step: {description: The step., type: str, sample: link}
    title: {description: What it is about., type: str, sample: Connect the source to the space}
    where: {description: 'The account, the region and the space, as far as they are known.', type: list, elements: str, sample: [Segment region us]}
    page: {description: 'Where, from the top menu down.', type: list, elements: str, sample: [Segment, Unify, Unify settings, Profiles sources]}
    links:
      description: Pages to open.
      type: list
      elements: dict
      sample: [{label: 'Segment: Unify', url: 'https://app.segment.com/goto-my-workspace/unify'}]
    actions:
      description: What to do there, one after the other, with the labels that the page shows.
      type: list
      elements: dict
      contains:
        do: {description: 'What to do, such as C(press), C(enter) or C(copy).', type: str, sample: press}
        label: {description: The label of the button or field., type: str, sample: Connect source}
        value: {description: 'The exact value, empty for a secret and where there is none.', type: str, sample: ''}
        hint: {description: 'Where to take it from, or which one it is.', type: str, sample: ''}
    warnings:
      description: What to mind.
      type: list
      elements: str
      sample: ['The source must keep its name, twilio-unified-profiles, to work correctly.']
    check: {description: How it shows that it worked., type: str, sample: The source is listed on the tab Profiles sources.}
    digest: {description: Empty; nothing was asked for., type: str, sample: ''}
    confirm_command:
      description: The command that requests the step again, or else acknowledges what speaks against it.
      type: str
      sample: ansible-playbook flexops.unified_profiles.connect -i INVENTORY -e '...'
    handover_again: {description: The digest that requests the step again., type: str, sample: 0d7a52c1e93b}
    acknowledge: {description: The name of the alert or suspicion., type: str, sample: 71c3ab52e90d}
recorded:
  description: What the ledger names as handed over; null where nothing is.
  returned: success
  type: dict
  contains:
    source_id: {description: The source., type: str, sample: 5BKZVyYHdt1D7ZrtHyNR7W}
    key_fingerprint: {description: The write key of it., type: str, sample: 3f29a1b07c55}
    connected: {description: The space that was connected., type: str, sample: spa_4fGh7}
    slug: {description: The slug of a source that a run was about to make and put back; empty without one., type: str, sample: ''}
connector:
  description: V(true) if the undocumented read showed a connector. Anything else is unknown, and none.
  returned: success
  type: bool
  sample: null
rotation:
  description: What the rotation of the write key waits for, once the old key is retired; null where none does.
  returned: success
  type: dict
  contains:
    proven_at: {description: When Flex events last came through the only key; empty where none did., type: str, sample: '2026-11-24T10:05:00Z'}
    events_a_day: {description: How many engagements came a day in the week before the old key was retired., type: float, sample: 12.5}
    unread: {description: Why the events cannot be read; empty where they can., type: str, sample: ''}
alerts:
  description: Codes of Twilio's alerts about the connector that nobody acknowledged.
  returned: success
  type: list
  elements: str
  sample: ['49009']
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
        "sent_test_event": {"type": "dict"},
        "read_connector": {"type": "bool", "default": False},
        "proof_max_age": {"type": "float", "default": 3.0},
        "acknowledge": {"type": "list", "elements": "str", "default": []},
        "findings": {"type": "list", "elements": "dict", "default": []},
        "confirmed_by": {"type": "str"},
        "reason": {"type": "str"},
        "clock_skew": {"type": "float", "default": 0.0},
    }
)


def run(call: ModuleContext) -> dict[str, Any]:
    said = evaluate(call, call["findings"])
    return {**said, "unread": [*said["unread"].values()]}


def main() -> None:
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
