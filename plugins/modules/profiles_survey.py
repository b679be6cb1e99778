#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profiles_survey
short_description: Look at all environments of a play at once
version_added: 0.2.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Looks at every host of the play in one task and one process, and tells how each environment is and what is due.
  - For each environment it checks the settings and the consent, and then reads Segment, Twilio and your own endpoints. It goes through the
    chain of tasks of a playbook as they would go in check mode, and reads the evidence for the verdicts.
  - It sends no write, and it records nothing.
  - Nothing that is wrong with one environment stops another, or fails the task. Each failure is in RV(environments).
  - It compares the environments with each other. Those that share a workspace and a source name are refused. So is a
    recovery of more deleted sources at once than C(unified_profiles_recover_max_percentage) allows. A second look in a
    run, at those where something was due, does not count again.
  - The task fails before any look where a setting of the run as a whole is wrong. So it does where Ansible could not
    read an inventory file in whole.
  - The settings are the variables of the role C(flexops.unified_profiles.settings). A misspelt name, and a value that cannot be evaluated,
    fail the environment.
  - Run it once for all hosts, with C(run_once) and C(delegate_to=localhost), in a play with the strategy C(ansible.builtin.linear).
  - A survey that takes longer than ten seconds shows how far it is, unless a callback plugin writes JSON to standard output.
extends_documentation_fragment:
  - flexops.unified_profiles._attributes.info
  - flexops.unified_profiles._attributes.controller
options:
  playbook:
    description: Whose chain of tasks to look at.
    type: str
    choices: [connect, drift, recover, rotate]
    default: connect
notes:
  - How many environments are looked at at the same time is C(unified_profiles_survey_threads). How many seconds the look at one may take is
    C(unified_profiles_survey_timeout), and those at all C(unified_profiles_survey_total_timeout). What is not reached in time fails.
seealso:
  - module: flexops.unified_profiles.profiles_report
"""

EXAMPLES = r"""
- name: Look at every environment
  flexops.unified_profiles.profiles_survey:
    playbook: connect
  register: unified_profiles_look
  run_once: true
  delegate_to: localhost

- name: Look for drift
  flexops.unified_profiles.profiles_survey:
    playbook: drift
  register: drift_look
  run_once: true
  delegate_to: localhost

- name: Show what was found
  ansible.builtin.debug:
    var: drift_look.environments
"""

RETURN = r"""
environments:
  description:
    - How each environment is. What is empty is left out.
    - C(status) is one of C(failed), C(broken), C(drifted), C(pending), C(unknown), C(predicted) (in check mode, where something is due),
      C(attested) and C(proven), and C(reasons) say why. C(fails) says whether the job fails for it.
    - For the playbook C(drift) it is the worst that holds of C(failed), C(broken), C(drifted), C(suspected), C(pending) and C(unknown), or
      else C(in_sync).
    - C(differences) is what drifted, whatever the status is. Each has C(attribute), C(expected), C(found), C(since), C(by), C(mend) and
      C(accepted). C(unread) says of each attribute that could not be read why.
    - C(due) says what a task would do, and why, for C(connection), C(source), C(restore), C(link), C(key), C(rotation) (of the
      write key), and C(record) (an acknowledgement).
    - C(steps) has the verdict on each hand-over, as M(flexops.unified_profiles.profiles_info) returns it.
    - C(findings) is what is wrong, and what was and is not proven to be well since, as M(flexops.unified_profiles.profiles_info) returns it.
    - C(rotation) has the state of the write key's rotation, as M(flexops.unified_profiles.profiles_rotation) returns it.
    - C(credentials) has the fingerprints of the tokens in use, by option, and since when a look for C(drift) saw each.
    - C(cards) are the task cards, C(failure) is what stopped the look.
    - C(first_seen), C(last_well), C(was) and C(since) are what earlier looks saw, as far as C(unified_profiles_remember) kept it.
  returned: success
  type: dict
  sample:
    prod:
      status: proven
      source_id: 5BKZVyYHdt1D7ZrtHyNR7W
      steps:
        connection: {verdict: proven, reason: the endpoint reads back what was handed over}
        link: {verdict: proven, reason: the endpoint reads back what was handed over}
        key: {verdict: proven, reason: the endpoint reads back what was handed over}
due:
  description: The environments where something is due and nothing stopped the look.
  returned: success
  type: list
  elements: str
  sample: [staging]
began:
  description: When the look began, in UTC.
  returned: success
  type: str
  sample: '2026-11-24T10:02:31Z'
remembered:
  description: The environments by where it is kept what looks saw of them, a folder or V(sync). The report's task writes it there.
  returned: success
  type: dict
  sample: {/inventories/mine/.unified_profiles: [prod, staging]}
snapshots:
  description:
    - What M(flexops.unified_profiles.profiles_report) stores, by environment, the folder and the snapshot for it. The folder is empty where
      it goes to Twilio Sync. An environment whose last snapshot is young enough has none.
  returned: success
  type: dict
  sample: {}
prompt:
  description: Whether C(unified_profiles_prompt) of any environment wants a person to be asked.
  returned: success
  type: bool
  sample: false
"""
