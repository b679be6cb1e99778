#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profiles_lock
short_description: Keep other runs from acting on an environment
version_added: 0.2.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Writes beside the ledger which run is at work on an environment. A second run fails, and says who is at work. Its
    result has the fields of RV(holder) in C(failure.holder).
  - The roles and playbooks C(connect), C(recover) and C(rotate) take and release the lock by themselves. A role releases only a lock that it
    took itself, so the lock can be held around several roles.
  - The holder is the run, not the task. On one host the lock is free as soon as the process of C(ansible-playbook) has ended, also where it was killed.
  - A run on another host, or in another container, cannot be seen. Its lock is free an hour after it was taken or renewed.
  - With O(ledger=file) the lock is the file C(ENVIRONMENT.run) beside the ledger. With O(ledger=sync) it is the document
    C(run-of-unified-profiles-ENVIRONMENT), which Twilio Sync deletes by itself an hour after it was taken or renewed.
notes:
  - The lock holds the user, the host, the number and start of the process, and two times. It holds no secret.
  - The lock does not protect the ledger. Two runs never lose each other's records, with or without it.
extends_documentation_fragment:
  - flexops.unified_profiles._connection
  - flexops.unified_profiles._ledger
  - flexops.unified_profiles._attributes
  - flexops.unified_profiles._attributes.controller
  - flexops.unified_profiles._attributes.action_group
attributes:
  check_mode:
    support: full
    details: In check mode the module fails where another run is at work, and takes and releases nothing.
  diff_mode:
    support: none
    details: The lock is no change of the environment.
  idempotent:
    support: full
    details: The run that has the lock renews it. The module never reports a change.
options:
  state:
    description:
      - V(held) takes the lock for this run. A run that has it already renews it.
      - V(released) releases it. Where this run does not have it, nothing happens. A lock that cannot be released is a warning.
    type: str
    choices: [held, released]
    default: held
"""

EXAMPLES = r"""
- name: Act on an environment alone
  block:
    - name: Keep other runs out
      flexops.unified_profiles.profiles_lock:
        environment: prod
        state_dir: /srv/unified_profiles

    - name: Have the source enabled
      flexops.unified_profiles.segment_source:
        segment_token: "{{ unified_profiles_segment_token }}"
        create: false
  always:
    - name: Let other runs in
      flexops.unified_profiles.profiles_lock:
        environment: prod
        state_dir: /srv/unified_profiles
        state: released

- name: See whether another run is at work
  flexops.unified_profiles.profiles_lock:
    environment: prod
    state_dir: /srv/unified_profiles
  check_mode: true
"""

RETURN = r"""
taken:
  description: Whether this task took the lock, in check mode whether it would. It is false where the run had the lock already.
  returned: success
  type: bool
  sample: true
holder:
  description: The run that has the lock, in check mode the one that would have it. It is null with O(state=released).
  returned: success
  type: dict
  contains:
    user: {description: Who started it., type: str, sample: jane}
    host: {description: Where it runs., type: str, sample: ops1}
    pid: {description: The number of its process., type: int, sample: 4711}
    since: {description: Since when., type: str, sample: '2026-11-24T10:02:31Z'}
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.at_work import hold_or_release
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_place import LEDGER_OPTIONS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec, run_as_module

SPEC = ArgumentSpec({**LEDGER_OPTIONS, "state": {"type": "str", "choices": ["held", "released"], "default": "held"}})


def run(call: ModuleContext) -> dict[str, Any]:
    return hold_or_release(call)


def main() -> None:
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
