#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profiles_source
short_description: Hand over Connect source in the Profiles sources of a space
version_added: 0.1.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - The tab Profiles sources has no public API. This module carries the step out through a channel and keeps the record of it.
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
  source_id:
    description: Id of the source.
    type: str
    required: true
  source_name:
    description: Name of the source. Twilio expects the default.
    type: str
    default: twilio-unified-profiles
  by_form:
    description:
      - Whether to count the step as done by the connection form, when the form is recorded and the step never was.
    type: bool
    default: false
notes:
  - The placeholders of O(endpoint.body) are C(environment), C(digest), C(space_id), C(source_id) and C(source_name).
  - With O(endpoint.read_url), the value read is compared with the id of the source.
"""

EXAMPLES = r"""
- name: Link the source to the space
  flexops.unified_profiles.profiles_source:
    environment: prod
    state_dir: /srv/unified_profiles
    space_id: "{{ unified_profiles_space_id }}"
    source_id: 5BKZVyYHdt1D7ZrtHyNR7W
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
    step: link
    status: pending
    digest: 0d7a52c1e93b
    channel: operator
    how: asked
    sent: false
    by: ''
    at: '2026-11-24T10:02:31Z'
    subject: {source_id: 5BKZVyYHdt1D7ZrtHyNR7W, space_id: spa_4fGh7}
    read_back: null
    card: {environment: prod, step: link, title: Connect the source to the space, page: [], actions: [], digest: 0d7a52c1e93b}
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils.handover.step import OPTIONS
from ansible_collections.flexops.unified_profiles.plugins.module_utils.handover.steps import link
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
        "source_id": {"type": "str", "required": True},
        "source_name": {"type": "str", "default": "twilio-unified-profiles"},
        "by_form": {"type": "bool", "default": False},
    }
)


def run(call: Call) -> dict[str, Any]:
    step = link(call)
    outcome = call.reconcile(step)
    return outcome_result(outcome, handover=step.result(outcome.plan.after["status"]))


def main() -> None:
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
