# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The house of module_utils: an import points only to a lower layer, and the lower three know nothing of Ansible."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from support.project import ROOT

HOUSE = ROOT / "plugins/module_utils"
LAYERS = {"_base": 1, "_http": 2, "_clients": 3, "_module": 4, "_source": 5, "_handover": 5, "_checks": 6}
FILES = sorted(HOUSE.rglob("*.py"))


def imported(file: Path) -> list[str]:
    """What a file imports, as dotted names; relative ones from module_utils on."""
    here, found = file.relative_to(HOUSE).parts[:-1], []
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else ()
            found.append(".".join([*base, *filter(None, [node.module])]) or node.names[0].name)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(HOUSE)))
def test_an_import_points_only_to_a_lower_layer(file: Path) -> None:
    room = file.relative_to(HOUSE).parts[0]
    for name in imported(file):
        other = name.split(".")[0]
        assert other in LAYERS or not other.startswith("_") or other == "__future__", f"{name} is in no layer"
        if other in LAYERS and other != room:
            assert LAYERS[other] < LAYERS[room], f"{file.name} imports {name}"
        assert other != "ansible" or LAYERS[room] > 3, f"{file.name} imports {name}"


def test_every_file_has_a_layer() -> None:
    rooms = {file.relative_to(HOUSE).parts[0] for file in FILES} - {"__init__.py"}
    assert rooms == set(LAYERS)


def asks_for_check_mode(file: Path) -> bool:
    if file.suffix == ".yml":
        return "ansible_check_mode" in file.read_text()
    nodes = list(ast.walk(ast.parse(file.read_text())))
    return "check_mode" in {getattr(node, "attr", None) or getattr(node, "id", None) for node in nodes}


def test_check_mode_is_asked_for_where_the_documentation_says() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    rows = text.partition("| what it does in check mode |")[2].partition("\n\n")[0]
    documented = set(re.findall(r"`((?:plugins|roles|playbooks)/[^`]+)`", rows))
    files = [*(ROOT / "plugins").rglob("*.py"), *(ROOT / "roles").rglob("*.yml"), *(ROOT / "playbooks").rglob("*.yml")]
    assert {str(file.relative_to(ROOT)) for file in files if asks_for_check_mode(file)} == documented
