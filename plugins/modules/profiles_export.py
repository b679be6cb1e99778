#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profiles_export
short_description: Write an inventory of what exists at Segment and Twilio
version_added: 0.2.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Looks at every host of the play in the group C(unified_profiles), in one task and one process, and writes an inventory of what exists.
    For each environment it has the region, the space id, the Twilio account, and the name and the labels of the source. Comments name
    the workspace, the space and the source, and say what could not be found.
  - It needs the tokens of an environment, or references to them. Whatever else is given stays as it is given.
  - No secret is written. A setting that may hold one is written only where it is nothing but a template, or is
    encrypted with Ansible Vault. Then it is written unchanged. Where a value is in its place it is left out, and a
    comment at the beginning says so.
  - Where a workspace has one space, that one is taken. Where it has several, they are listed to choose from. A space that was given,
    recorded or exported before is never taken for another one.
  - The region is asked for only where C(unified_profiles_segment_region) is V(ask). Then the token goes to both of Segment's regions.
  - It sends no write to a service, and it records nothing.
  - An environment with something to settle is written with a comment, and fails the task once the inventory is written. Where settings
    are wrong, nothing is looked at any further, and nothing is written.
  - Run it once for all hosts, with C(run_once) and C(delegate_to=localhost), in a play with the strategy C(ansible.builtin.linear).
extends_documentation_fragment:
  - flexops.unified_profiles._attributes
  - flexops.unified_profiles._attributes.controller
attributes:
  check_mode:
    support: full
    details: In check mode the module looks, and does not write the inventory.
  diff_mode:
    support: full
    details: Shows what changes in the inventory.
options:
  export_from:
    description:
      - File or folder that Ansible reads as an inventory, to take the environments from in place of the inventory of the run.
      - If not set, the setting C(unified_profiles_export_from) counts.
      - Its hosts need no more than references to their tokens. C(--limit) has no effect on it.
    type: path
  export_dir:
    description:
      - Folder on the controller for the inventory, which is the file C(hosts.yml). It is made if need be.
      - If not set, the setting C(unified_profiles_export_dir) counts. Without that it is the folder C(.unified_profiles/export) beside the
        inventory, which no run reads as inventory unless it is named.
      - A folder with other files in it is refused, and so is an inventory there that somebody has changed.
      - Refused as well is a folder that AWX throws away when the job ends.
    type: str
notes:
  - How many environments are looked at at the same time is C(unified_profiles_survey_threads). How many seconds the look at one may take is
    C(unified_profiles_survey_timeout), and those at all C(unified_profiles_survey_total_timeout).
seealso:
  - module: flexops.unified_profiles.profiles_survey
"""

EXAMPLES = r"""
- name: Write an inventory of what exists
  flexops.unified_profiles.profiles_export:
    export_dir: /srv/unified_profiles/exported
  run_once: true
  delegate_to: localhost

- name: Show what an export would change
  flexops.unified_profiles.profiles_export:
    export_dir: /srv/unified_profiles/exported
  check_mode: true
  diff: true
  run_once: true
  delegate_to: localhost
"""

RETURN = r"""
file:
  description: The inventory.
  returned: success
  type: str
  sample: /srv/unified_profiles/exported/hosts.yml
environments:
  description: What is to be settled in each environment, as a list of C(problems).
  returned: success
  type: dict
  sample:
    prod: {problems: []}
    staging: {problems: ['space_id: the workspace has no space. Make one in Segment (Unify), or give the token of another workspace.']}
"""
