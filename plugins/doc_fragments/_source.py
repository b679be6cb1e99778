# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """PRIVATE to this collection. The source; the argument specifications are SOURCE_NAME, SOURCE_ID and IGNORE_LEGACY in _module/options.py."""

    DOCUMENTATION = r"""
options:
  source_name:
    description: Name of the source. Twilio expects the default.
    type: str
    default: twilio-unified-profiles
"""
    SOURCE_ID = r"""
options:
  source_id:
    description: Id of the source, if it is known. It is looked up first, so that it decides between several of the name.
    type: str
"""
    IGNORE_LEGACY = r"""
options:
  ignore_legacy:
    description: Whether to continue although the older official source C(flex-unify-server-source) exists.
    type: bool
    default: false
"""
