#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: profiles_ask
short_description: Ask a person at the terminal which pending hand-overs are done
version_added: 0.1.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Shows the task card of every pending step of all hosts, one after the other, and takes the typed word C(done) as its confirmation.
    Any other answer leaves the step pending. An answer that does not come in time, Ctrl+C and Ctrl+D leave all the rest pending.
  - Asks nobody in a job of ansible-runner or AWX, where a prompt would hang. The same holds without a terminal, or
    where a callback plugin writes JSON to standard output. It warns instead.
  - Records nothing itself. The modules of the steps record what is confirmed, when they are given RV(confirmations).
  - Run it once for all hosts, with C(run_once).
extends_documentation_fragment:
  - flexops.unified_profiles._attributes.info
  - flexops.unified_profiles._attributes.controller
attributes:
  check_mode:
    description: Asks nobody in check mode.
    support: full
options:
  confirmed_by:
    description: Who confirms. The variable C(unified_profiles_confirmed_by) by default; asked for at the terminal where that is empty.
    type: str
    default: ''
  timeout:
    description: How many seconds to wait for each answer.
    type: int
    default: 1800
seealso:
  - module: flexops.unified_profiles.profiles_report
"""

EXAMPLES = r"""
- name: Ask for what is pending
  flexops.unified_profiles.profiles_ask:
    confirmed_by: jane
  run_once: true
  register: ask_result

- name: Ask, and wait for each answer five minutes at most
  flexops.unified_profiles.profiles_ask:
    timeout: 300
  run_once: true
"""

RETURN = r"""
confirmations:
  description: What was confirmed, by environment and step, in the shape of the variable C(unified_profiles_confirm).
  returned: success
  type: dict
  sample:
    prod:
      connection: {by: jane, digest: 0d7a52c1e93b}
"""
