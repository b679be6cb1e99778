#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profiles_probe
short_description: Report whether Segment and Twilio answer as the collection assumes
version_added: 0.2.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Looks at every host of the play in the group C(unified_profiles), as the playbook C(drift) does, and judges what the services answered.
    Each assumption of the collection is C(seen), C(contradicted), C(not visible) or C(not looked at).
  - Writes a report that can be attached to a public issue. It has no names, no ids, no secrets, and no value that a service sent. It has
    statuses, media types, names of documented fields, and the number of environments that show each.
  - It sends no write to a service, takes no lock, and records nothing.
  - Without C(unified_profiles_probe_more) it sends the requests of a look, and what these do not show is C(not looked at).
  - The module was only ever run against the sandbox that comes with the collection. Its judgement of a real service may be wrong.
  - A contradiction is a result, and no failure. An environment whose look ended early fails the task once the report is written.
  - Run it once for all hosts, with C(run_once) and C(delegate_to=localhost), in a play with the strategy C(ansible.builtin.linear).
extends_documentation_fragment:
  - flexops.unified_profiles._attributes.info
  - flexops.unified_profiles._attributes.controller
attributes:
  check_mode:
    support: full
    details: In check mode the module looks, and writes no report.
options:
  probe_dir:
    description:
      - Folder on the controller for the report, which is the files C(probe.md) and C(probe.json). It is made if need be.
      - If not set, the setting C(unified_profiles_probe_dir) counts. Without that it is the folder C(.unified_profiles/probe) beside the
        inventory.
    type: str
notes:
  - How many environments are looked at at the same time is C(unified_profiles_survey_threads). How many seconds the look at one may take is
    C(unified_profiles_survey_timeout), and those at all C(unified_profiles_survey_total_timeout).
seealso:
  - module: flexops.unified_profiles.profiles_survey
"""

EXAMPLES = r"""
- name: Report what the services answer
  flexops.unified_profiles.profiles_probe:
    probe_dir: /srv/unified_profiles/probe
  run_once: true
  delegate_to: localhost
  register: probed

- name: Show what an answer speaks against
  ansible.builtin.debug:
    var: probed.contradicted
  run_once: true
"""

RETURN = r"""
files:
  description: The report, for an issue and for machines. Empty in check mode.
  returned: success
  type: list
  elements: str
  sample: [/srv/unified_profiles/probe/probe.md, /srv/unified_profiles/probe/probe.json]
verdicts:
  description: How many assumptions have each verdict, all environments taken together.
  returned: success
  type: dict
  contains:
    contradicted:
      description: Those that an answer speaks against.
      type: int
      sample: 0
    seen:
      description: Those that an answer shows.
      type: int
      sample: 31
    not_looked_at:
      description: Those that only a read beyond a survey's own shows, where no such read was made.
      type: int
      sample: 15
    not_visible:
      description: Those of which no answer tells.
      type: int
      sample: 15
contradicted:
  description: The names of the assumptions that an answer speaks against, as the report has them.
  returned: success
  type: list
  elements: str
  sample: [ui_version]
"""
