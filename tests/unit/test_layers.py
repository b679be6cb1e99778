# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The house of module_utils: an import points only to a lower layer, and the lower three know nothing of Ansible."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

ROOT = next(folder for folder in Path(__file__).parents if (folder / "galaxy.yml").exists())
sys.path.append(str(ROOT / "tools"))

import architecture  # noqa: E402

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

LAYERS = {room: layer for room, (layer, _note) in architecture.ROOMS.items()}
FILES = sorted(architecture.HOUSE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(architecture.HOUSE)))
def test_an_import_points_only_to_a_lower_layer(file):
    room = file.relative_to(architecture.HOUSE).parts[0]
    for name in architecture.imported(file):
        other = name.split(".")[0]
        assert other in LAYERS or not other.startswith("_") or other == "__future__", f"{name} is in no layer"
        if other in LAYERS and other != room:
            assert LAYERS[other] < LAYERS[room], f"{file.name} imports {name}"
        assert other not in ("ansible", "ansible_collections") or LAYERS[room] > 3, f"{file.name} imports {name}"


def test_no_plugin_hides_values_as_ansible_warns_of():
    """From ansible-core 2.22 on remove_values() is deprecated, and no run may warn of it."""
    texts = {file: file.read_text(encoding="utf-8") for file in (ROOT / "plugins").rglob("*.py")}
    assert len(texts) > 100
    assert [file.name for file, text in texts.items() if "remove_values" in text] == []


def test_every_file_has_a_layer():
    assert {file.relative_to(architecture.HOUSE).parts[0] for file in FILES} - {"__init__.py"} == set(LAYERS)


def test_the_picture_shows_what_the_code_is():
    """`python tools/architecture.py` draws it again."""
    assert architecture.PICTURE.read_text(encoding="utf-8") == architecture.picture()


def asks_for_check_mode(file):
    if file.suffix == ".yml":
        return "ansible_check_mode" in file.read_text()
    nodes = ast.walk(ast.parse(file.read_text()))
    return "check_mode" in {getattr(node, "attr", None) or getattr(node, "id", None) for node in nodes}


def test_check_mode_is_asked_for_where_the_documentation_says():
    text = (ROOT / "docs/architecture.md").read_text()
    rows = text.partition("| what it does in check mode |")[2].partition("\n\n")[0]
    documented = set(re.findall(r"`((?:plugins|roles|playbooks)/[^`]+)`", rows))
    files = [*(ROOT / "plugins").rglob("*.py"), *(ROOT / "roles").rglob("*.yml"), *(ROOT / "playbooks").rglob("*.yml")]
    assert {str(file.relative_to(ROOT)) for file in files if asks_for_check_mode(file)} == documented
