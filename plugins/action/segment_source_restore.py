# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.flexops.unified_profiles.plugins.modules import segment_source_restore
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._in_process import InProcessAction


class ActionModule(InProcessAction):
    module = segment_source_restore
    controller_only = True
