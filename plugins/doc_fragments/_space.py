# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """PRIVATE to this collection. A Unify space; the argument specifications are SPACE and PROFILE_TOKEN in _module/options.py."""

    DOCUMENTATION = r"""
options:
  space_id:
    description: Id of the Unify space, from Unify settings, API access.
    type: str
    required: true
"""
    PAIR = r"""
options:
  profile_token:
    description:
      - Profile API access token of the space.
      - If not set, the environment variable E(SEGMENT_PROFILE_TOKEN) is used.
    type: str
"""
