# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The sandbox's files import each other in one direction, also where the imports are for types only."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

import pytest

# Nothing here depends on the version of ansible-core.
pytestmark = pytest.mark.newest_only

FILES = {path.stem: path for path in (Path(__file__).parents[2] / "extensions/sandbox").glob("*.py")}


def imported(path: Path) -> set[str]:
    """The sandbox's files that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            found |= {node.module} if node.module else {alias.name for alias in node.names}
    return found


def test_no_file_imports_itself_by_way_of_others():
    graph = {name: imported(path) for name, path in FILES.items()}
    order = list(graphlib.TopologicalSorter(graph).static_order())  # raises where there is a circle
    assert order.index("model") < order.index("world") < order.index("endpoints") < order.index("app")
