# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """PRIVATE to this collection. What a module supports, by Ansible's names; tests/docs compares it with what modules do."""

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
"""
    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode. This action does not modify state.
    support: full
  diff_mode:
    description: This action does not modify state.
    support: N/A
  idempotent:
    description: This action does not modify state.
    support: full
"""
    IN_PROCESS = r"""
options: {}
attributes:
  action:
    description: Has an action plugin of its own, which runs the module inside the Ansible process where the connection is local.
    support: full
  async:
    description: Can run with C(async). The module then runs in a process of its own.
    support: full
  become:
    description: Has an effect only where the module does not run inside the Ansible process.
    support: partial
    details: A local connection runs inside the Ansible process. Set C(unified_profiles_in_process) to V(false) for a process of its own.
  connection:
    description: Uses the connection of the host. A local connection runs inside the Ansible process.
    support: full
  delegation:
    description: Can be delegated.
    support: full
"""
    CONTROLLER = r"""
options: {}
attributes:
  action:
    description: Always runs on the controller, inside the Ansible process.
    support: full
  async:
    description: Refuses C(async), because it keeps records on the controller.
    support: none
  become:
    description: Has no effect, because the action runs inside the Ansible process.
    support: none
  connection:
    description: Uses no connection.
    support: none
  delegation:
    description: Has no effect, because the action always runs on the controller.
    support: none
"""
    ACTION_GROUP = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/flexops.unified_profiles.all) in C(module_defaults) to set connection options once.
    support: full
    membership:
      - flexops.unified_profiles.all
"""
