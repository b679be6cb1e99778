# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every message that the troubleshooting page quotes is one that the collection gives."""

from __future__ import annotations

import ast
import re

import pytest
from support.project import ROOT

PAGE = (ROOT / "docs/troubleshooting.md").read_text()
# Of each row of the table. `...` stands for what differs from time to time.
QUOTED = [re.findall(r"`([^`]+)`", line.split(" | ")[0]) for line in PAGE.splitlines() if line.startswith("| `")]
PIECES = [[piece.strip() for quoted in row for piece in quoted.split("...") if piece.strip()] for row in QUOTED]


def said() -> list[str]:
    """The texts in the code, without what is put into them, each with single spaces."""
    found = []
    for path in (ROOT / "plugins").rglob("*.py"):
        tree = ast.parse(path.read_text())
        found += [
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
    for folder in ("playbooks", "roles"):
        found += [path.read_text() for path in (ROOT / folder).rglob("tasks/*.yml")]
        found += [path.read_text() for path in (ROOT / folder).rglob("shared/*.yml")]
    return [" ".join(text.split()) for text in found]


@pytest.mark.newest_only
def test_every_quoted_message_is_in_the_code():
    texts = said()
    assert [piece for row in PIECES for piece in row if not any(piece in text for text in texts)] == []
    assert len(PIECES) > 20
    assert [row for row in PIECES if sum(map(len, row)) < 12] == [], "too short to find a message by"
