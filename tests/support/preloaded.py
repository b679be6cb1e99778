# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every run of a playbook imports, for the process that the runs of the tests are forks of."""

import importlib
import warnings

from ansible.plugins.loader import init_plugin_loader

# Each run does it again.
warnings.filterwarnings("ignore", "AnsibleCollectionFinder has already been configured")
init_plugin_loader()
for name in ("ansible.cli.playbook", "ansible.executor.task_executor"):
    importlib.import_module(name)
for name in ("_fleet", "_in_process", "_report_files", "_survey"):
    importlib.import_module(f"ansible_collections.flexops.unified_profiles.plugins.plugin_utils.{name}")
