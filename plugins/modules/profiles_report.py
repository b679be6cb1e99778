#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profiles_report
short_description: Report how a run ended for all environments, and show the task cards
version_added: 0.1.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Reports on the environments that M(flexops.unified_profiles.profiles_survey) looked at. It takes what the playbooks of this collection
    register, C(unified_profiles_look) and, where something was done, C(unified_profiles_look_again) and C(unified_profiles_failure).
  - Shows the task cards of all pending steps and a line for each environment in the terminal. Writes C(report.md),
    C(report.json), C(junit.xml), C(metrics.prom) and C(report.html). Where a callback plugin writes JSON to standard
    output, nothing is shown there.
  - A run over a part of the group C(unified_profiles), as with C(--limit), writes C(report-limited.html) and its like. A run in check
    mode writes C(report-check.html) and its like. So the last real report on all environments stays. Neither writes C(metrics.prom).
  - Writes down what the looks of the run saw, where C(unified_profiles_remember) says, so that the next report says since when.
  - The HTML page needs no other file and no network. It has the values to copy, and builds the command that confirms the steps
    that are ticked in it. Ticking alone attests nothing.
  - Stores the snapshots that the survey took of what would be lost with a source, where C(unified_profiles_remember) says. In check mode
    it stores none.
  - Hands counts, and the essence of at most 50 environments, on to the next job as the variable C(unified_profiles), as
    C(ansible.builtin.set_stats) would.
  - Run it once for all hosts, with C(run_once).
extends_documentation_fragment:
  - flexops.unified_profiles._attributes.info
  - flexops.unified_profiles._attributes.controller
attributes:
  check_mode:
    description:
      - Works in check mode in the same way, under other names of files, and writes down nothing of what the looks saw. The report is no
        state; RV(ignore:changed) is never true.
options:
  report_dir:
    description:
      - Folder on the controller for the files, from / on. It is made if need be.
      - Without it, or where the inventory has no folder of its own, no file is written; the rest is done all the same.
    type: str
  playbook:
    description: Name of the playbook, for the heading.
    type: str
    default: connect
notes:
  - The command that confirms a step is this run's own command line, with its settings. It leaves out settings that may hold a secret, what
    is given to one run, and variables of your own.
seealso:
  - module: flexops.unified_profiles.profiles_ask
"""

EXAMPLES = r"""
- name: Report on all environments
  flexops.unified_profiles.profiles_report:
    report_dir: /srv/unified_profiles
  run_once: true
  register: report_result

- name: Show the environments that fail the job
  ansible.builtin.debug:
    var: report_result.failing
  run_once: true
"""

RETURN = r"""
outcomes:
  description:
    - How the run ended, by environment.
    - C(status) is one of C(failed), C(broken), C(drifted), C(pending), C(unknown), C(predicted) (in check mode),
      C(attested) and C(proven). C(drift) also has C(suspected), and C(in_sync) where all is well. C(reasons) say why,
      and C(why) has them in one line.
    - C(fails) says whether the job fails for it. It always does where it failed or is broken; else by C(unified_profiles_fail_on_drift),
      C(unified_profiles_fail_on_suspicion), C(unified_profiles_fail_on_pending) and C(unified_profiles_fail_on_unknown).
    - C(cards) are the task cards of the pending steps.
  returned: success
  type: dict
  sample:
    prod:
      status: pending
      fails: true
      why: 'connection: asked for at 2026-11-24T10:02:31Z, and not confirmed yet'
      reasons: ['connection: asked for at 2026-11-24T10:02:31Z, and not confirmed yet']
      steps:
        connection: {verdict: pending, reason: 'asked for at 2026-11-24T10:02:31Z, and not confirmed yet', proven_at: ''}
      was: pending
      since: '2026-11-24T10:02:31Z'
      source_id: ''
      findings: []
      failure: ''
      cards:
        - environment: prod
          step: connection
          title: Connect the space
          page: [Twilio Console, Explore products, Unified Profiles, Overview]
          links: [{label: Twilio Console, url: 'https://console.twilio.com/'}]
          actions:
            - {do: enter, label: Segment Unify space ID, value: spa_4fGh7, hint: ''}
          warnings: ['Public beta: no SLA, and pages may change.']
          check: The page shows the status Connected.
          digest: 0d7a52c1e93b
          confirm_command: >-
            ansible-playbook flexops.unified_profiles.connect -i INVENTORY -e unified_profiles_confirm=0d7a52c1e93b
            -e unified_profiles_confirmed_by=NAME
ansible_stats:
  description: What the next job gets, for Ansible to publish.
  returned: success
  type: dict
  contains:
    data:
      description: Has counts, and the essence of RV(outcomes), as C(unified_profiles).
      returned: always
      type: dict
    per_host:
      description: They are of the whole run.
      returned: always
      type: bool
    aggregate:
      description: They are added to what other tasks have published.
      returned: always
      type: bool
  sample: {data: {unified_profiles: {}}, per_host: false, aggregate: true}
failing:
  description: The environments for which the job fails.
  returned: success
  type: list
  elements: str
  sample: [prod]
files:
  description: The files written.
  returned: success
  type: list
  elements: str
  sample: [/srv/unified_profiles/report.md, /srv/unified_profiles/report.json, /srv/unified_profiles/report.html]
"""
