# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every message that the troubleshooting page quotes is one that the collection gives, and what is said to show it does."""

from __future__ import annotations

import ast
import json
import re

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import connections
from support.chain import Chain, QuickClock
from support.project import ROOT
from support.scenarios import settle

PAGE = (ROOT / "docs/troubleshooting.md").read_text()
# By its heading. `...` is what differs from time to time.
SECTIONS = dict(re.findall(r"^### (.+)\n(?s:(.*?))(?=^##|\Z)", PAGE, re.MULTILINE))
QUOTED = [re.findall("`([^`]+)`", heading) for heading in SECTIONS]
SHOWN = {
    quoted[0]: re.findall("`([^`]+)`", text.partition("**Shown by**: ")[2])
    for quoted, text in zip(QUOTED, SECTIONS.values())
    if "**Shown by**: " in text
}
PIECES = [[piece.strip() for quoted in row for piece in quoted.split("...") if piece.strip()] for row in QUOTED]


def said() -> list[str]:
    """The strings in the code, without what is put into them, each with single spaces."""
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


@pytest.mark.newest_only
@pytest.mark.parametrize("message", SHOWN)
def test_what_is_said_to_show_a_message_shows_it(message, sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr(connections, "Clock", QuickClock)
    chain = Chain(sandbox, tmp_path)
    assert not settle(chain, "connect").failure
    *breaks, playbook = SHOWN[message]
    for how in breaks:
        if how.startswith("{"):
            sandbox.fault(count=None, **json.loads(how))
        else:
            sandbox.sabotage("dev", how)
    run = chain.play(playbook)
    told = run.statuses[-1]["why"]
    place = 0
    for piece in message.split("..."):
        assert piece.strip() in told[place:], told
        place = told.index(piece.strip(), place)


def test_each_message_has_what_to_do():
    assert [heading for heading, text in SECTIONS.items() if "\n**What to do**: " not in text] == []
    assert len(SHOWN) > 10
    # One heading each.
    assert len(SECTIONS) == len(re.findall("^### ", PAGE, re.MULTILINE))
