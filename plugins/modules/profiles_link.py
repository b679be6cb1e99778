#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profiles_link
short_description: Hand over Connect source in the Profiles sources of a space
version_added: 0.2.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - The tab Profiles sources has no public API. This module carries the step out through a channel and keeps the record of it.
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
    description: Id of the source.
    type: str
    required: true
  done_by_form:
    description:
      - Whether to count the step as done by the connection form, when the form is recorded and the step never was.
    type: bool
    default: false
  form_done_by:
    description:
      - Who has the connection form done, as RV(flexops.unified_profiles.profiles_connection#module:handover) of this run has it in C(by). Check mode
        records nothing, so it foretells with that what O(done_by_form) then does.
    type: str
notes:
  - The placeholders of O(endpoint.body) are C(environment), C(digest), C(space_id), C(source_id) and C(source_name).
  - With O(endpoint.read_url), the value read is compared with the id of the source.
"""

EXAMPLES = r"""
- name: Link the source to the space
  flexops.unified_profiles.profiles_link:
    environment: prod
    state_dir: /srv/unified_profiles
    space_id: "{{ unified_profiles_space_id }}"
    source_id: 5BKZVyYHdt1D7ZrtHyNR7W

- name: See the task card for it, with everything else from the inventory
  flexops.unified_profiles.profiles_link:
    settings: true
    source_id: 5BKZVyYHdt1D7ZrtHyNR7W
    channel: operator
  check_mode: true
"""

RETURN = r"""
handover:
  description: The state of the hand-over.
  returned: success
  type: dict
  contains:
    step: {description: The step., type: str, sample: link}
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
      sample: {source_id: 5BKZVyYHdt1D7ZrtHyNR7W, space_id: spa_4fGh7}
    read_back: {description: Whether the endpoint's read just showed the expected value; null where there is none., type: bool, sample: null}
    card:
      description: What a person has to do; null when there is nothing to do.
      type: dict
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
        digest: {description: Of all that is to be handed over. A confirmation names it., type: str, sample: 0d7a52c1e93b}
        confirm_command:
          description: The command that says that it is done.
          type: str
          sample: ansible-playbook flexops.unified_profiles.connect -i INVENTORY -e '...'
        handover_again: {description: Empty; see the cards of profiles_info., type: str, sample: ''}
        acknowledge: {description: Empty; see the cards of profiles_info., type: str, sample: ''}
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.handover import OPTIONS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.handovers import link
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.options import SOURCE_NAME, SPACE
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import (
    ArgumentSpec,
    change_result,
    run_as_module,
)

SPEC = ArgumentSpec(
    {
        **SPACE,
        **SOURCE_NAME,
        **OPTIONS,
        "source_id": {"type": "str", "required": True},
        "done_by_form": {"type": "bool", "default": False},
        "form_done_by": {"type": "str"},
    }
)


def run(call: ModuleContext) -> dict[str, Any]:
    step = link(call)
    outcome = call.reconcile(step)
    return change_result(outcome, handover=step.result())


def main() -> None:
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
