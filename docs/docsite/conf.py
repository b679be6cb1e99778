# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx's settings for `make docs`."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

project = "flexops.unified_profiles"
html_title = f"{project} Collection Documentation"
html_short_title = project
copyright = "flexops.unified_profiles developers"
extensions = ["myst_parser", "sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
# `#the-ledger` is a link to that heading, as on GitHub.
myst_heading_anchors = 3
pygments_style = "ansible"
highlight_language = "yaml"
html_theme = "sphinx_ansible_theme"
html_show_sphinx = False
html_use_smartypants = True
html_copy_source = False
html_theme_options = {
    "documentation_home_url": "index.html",
    "collapse_navigation": False,
    "topbar_links": {"GitHub": "https://github.com/flexops/unified_profiles"},
}
# tools/site names the versions that are published, this one first. A menu on each page leads from one to the other.
current, *others = os.environ.get("DOCS_VERSIONS", "devel").split()
html_context = (
    {"current_version": current, "available_versions": [*dict.fromkeys(["devel", *others])]} if others else {}
)

# The three places in Ansible's own documentation that the reference speaks of. Its whole inventory would have to be fetched at each build.
PLACES = """\
common_return_values std:label -1 reference_appendices/common_return_values.html Return Values
action_plugins std:label -1 plugins/action.html Action plugins
ansible_configuration_settings std:label -1 reference_appendices/config.html Ansible Configuration Settings
"""
HEAD = "# Sphinx inventory version 2\n# Project: Ansible\n# Version: latest\n# The remainder of this file is compressed using zlib.\n"
inventory = Path(__file__).resolve().parents[2] / "build/ansible.inv"
inventory.write_bytes(HEAD.encode() + zlib.compress(PLACES.encode()))
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/projects/ansible/latest", str(inventory))}
