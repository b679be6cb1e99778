# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """PRIVATE to this collection. The source; the argument specifications are SOURCE_NAME and IGNORE_LEGACY in _module/options.py."""

    DOCUMENTATION = r"""
options:
  source_name:
    description: Name of the source. Twilio expects the default.
    type: str
    default: twilio-unified-profiles
"""
    IGNORE_LEGACY = r"""
options:
  ignore_legacy:
    description: Whether to continue although the older official source C(flex-unify-server-source) exists.
    type: bool
    default: false
"""
