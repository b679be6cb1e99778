# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is loaded before workers are forked, and what Ansible's own module does that nothing does in process."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest
from support.project import ROOT

PLUGINS = "ansible_collections.flexops.unified_profiles.plugins"
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
# For these Ansible's check only collects what the user has to be told, and the module tells it when it ends.
TOLD_LATER = {"aliases", "deprecated_aliases", "removed_at_date", "removed_from_collection", "removed_in_version"}


def test_workers_inherit_what_every_task_needs():
    # httpx imports httpcore with the first client. ansible-core 2.16 finds its own plugins once a program has set up their loader.
    code = (
        "import sys; from ansible.plugins.loader import init_plugin_loader; init_plugin_loader();"
        f"import {PLUGINS}.plugin_utils._in_process; sys.exit('httpcore' not in sys.modules)"
    )
    path = os.pathsep.join(filter(None, sys.path))
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}, check=True)


def told_later(options):
    for name, option in options.items():
        if TOLD_LATER & option.keys():
            yield name
        yield from told_later(option.get("options") or {})


@pytest.mark.parametrize("name", MODULES)
def test_no_option_needs_ansibles_module_to_tell_of_it(name):
    """An option that is deprecated, or has an alias, must first be told of in process: see _module/arguments.py."""
    module = importlib.import_module(f"{PLUGINS}.modules.{name}")
    if hasattr(module, "SPEC"):
        assert list(told_later(module.SPEC.argument_spec)) == []


def test_an_option_that_needs_it_is_found():
    inner = {"type": "dict", "options": {"old": {"type": "str", "removed_in_version": "2.0.0"}}}
    assert list(told_later({"outer": inner, "name": {"aliases": ["called"]}})) == ["old", "name"]
