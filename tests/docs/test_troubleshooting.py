# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every message that the troubleshooting page quotes is one that the collection gives, and what is said to show it does."""

from __future__ import annotations

import ast
import json
import re

import pytest
import yaml
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import connections
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import run_only_problem
from support.chain import Chain, QuickClock
from support.project import ROOT
from support.scenarios import settle
from support.settings import looked_at, of_hosts

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


def with_settings(chain, lines, playbook):
    """What a run says with these lines in the inventory: of the settings, of the look, or of the chain of tasks."""
    base = {name: json.dumps(value) for name, value in chain.variables.items() if name.startswith("unified_profiles_")}
    hosts = [*of_hosts(chain.state_dir, base, {"dev": lines})]
    ((_host, variables, _templar),) = hosts
    looks, _outcomes, problems = looked_at(hosts, playbook)
    said = [run_only_problem(variables, ()), *problems.get("dev", [])]
    if "dev" in looks:
        said.append(looks["dev"]["failure"])
    if not any(said):
        chain.options |= {name.removeprefix("unified_profiles_"): yaml.safe_load(line) for name, line in lines.items()}
        said = what_is_said(chain.play(playbook))
    return said


def what_is_said(run):
    """The lines of the report, the findings, and the warnings of tasks."""
    said = [status["why"] for status in run.statuses] + [warning for look in run.looks for warning in look["warnings"]]
    said += [finding["detail"] for status in run.statuses for finding in status["findings"]]
    return said + [warning for result in run.results.values() for warning in result.get("warnings", [])]


@pytest.mark.newest_only
@pytest.mark.parametrize("message", SHOWN)
def test_what_is_said_to_show_a_message_shows_it(message, sandbox, tmp_path, monkeypatch):
    monkeypatch.setattr(connections, "Clock", QuickClock)
    chain = Chain(sandbox, tmp_path)
    assert not settle(chain, "connect").failure
    *breaks, playbook = SHOWN[message]
    lines = {}
    for how in breaks:
        if how.startswith('{"advance"'):
            sandbox.advance(json.loads(how)["advance"])
        elif how.startswith("{"):
            sandbox.fault(count=None, **json.loads(how))
        elif how.startswith(": > "):
            (tmp_path / how.removeprefix(": > ")).write_text("")
        elif ": " in how:
            name, _colon, lines[name] = how.partition(": ")
        else:
            sandbox.sabotage("dev", how)
    said = with_settings(chain, lines, playbook) if lines else what_is_said(chain.play(playbook))
    # A message of a module names its option, and that of a run the setting.
    told = " ".join(said).replace("unified_profiles_", "")
    place = 0
    for piece in message.split("..."):
        assert piece.strip() in told[place:], told
        place = told.index(piece.strip(), place)


def test_each_message_has_what_to_do():
    assert [heading for heading, text in SECTIONS.items() if "\n**What to do**: " not in text] == []


def test_each_message_is_shown_or_says_what_it_needs():
    shown = re.compile(r"\n\*\*(Shown by|Not shown)\*\*: ")
    assert [heading for heading, text in SECTIONS.items() if len(shown.findall(text)) != 1] == []
    assert len(SHOWN) > 35
    # One heading each.
    assert len(SECTIONS) == len(re.findall("^### ", PAGE, re.MULTILINE))
