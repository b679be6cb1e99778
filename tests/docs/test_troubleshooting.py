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
# Of each row of the table. `...` stands for what differs from time to time.
MESSAGES, SHOW = PAGE.split("\n## Show it on the sandbox\n")
QUOTED = [re.findall(r"`([^`]+)`", line.split(" | ")[0]) for line in MESSAGES.splitlines() if line.startswith("| `")]
SHOWN = {
    message: how
    for message, *how in (re.findall("`([^`]+)`", line) for line in SHOW.splitlines() if line.startswith("| `"))
}
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


def test_what_is_shown_is_in_the_table():
    assert {*SHOWN} <= {quoted[0] for quoted in QUOTED}
    assert len(SHOWN) > 10
