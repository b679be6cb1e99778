# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = """
name: elsewhere
short_description: Plays a remote host in tests
version_added: 0.1.0
author: The flexops.unified_profiles developers (@flexops)
description:
  - Copies and runs modules as on a remote host, and only happens to end on this machine.
options: {}
"""

from ansible.plugins.connection.local import Connection as Local  # noqa: E402


class Connection(Local):
    transport = "elsewhere"
