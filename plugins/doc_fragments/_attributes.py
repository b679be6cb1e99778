# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Attributes shared by all modules."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and predict the change without a write.
    support: full
  diff_mode:
    description: Shows what changes, with fingerprints in place of secrets.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
  async:
    description: Can run with C(async).
    support: full
  in_process:
    description: Runs inside the Ansible process where the connection is local. C(become) has no meaning then.
    support: full
"""
    CONTROLLER = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and predict the change without a write.
    support: full
  diff_mode:
    description: Shows what changes, with fingerprints in place of secrets.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
  async:
    description: Can run with C(async).
    support: none
  in_process:
    description: Always runs on the controller, inside the Ansible process. C(become) has no meaning.
    support: full
"""
