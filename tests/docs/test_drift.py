# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide on drift says what the code does, and its policies run."""

from __future__ import annotations

import re

import pytest
import yaml
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.drift import ATTRIBUTES
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import ALARMS, FAIL_ON
from support.project import ROOT

GUIDE = (ROOT / "docs/drift.md").read_text()


def rows(heading):
    """The cells of the table below a heading, without its head."""
    section = GUIDE.partition(f"\n## {heading}")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_table_of_attributes_is_the_codes():
    assert rows("What is compared") == [
        [f"`{name}`", known.expected, known.drift, known.unknown] for name, known in ATTRIBUTES.items()
    ]


def test_the_table_of_statuses_is_the_codes():
    policies = {
        status: f"`unified_profiles_{name}` ({str(FAIL_ON[name]).lower()})" for status, name in ALARMS.items() if name
    }
    expected = [(f"`{status}`", policies.get(status, "always")) for status in ALARMS]
    section = GUIDE.partition("\n## What each status means")[2].partition("\n## ")[0]
    said = re.findall(r"^- (`\w+`)\n(?s:.*?)^  - Fails the job: (.+)\.$", section, re.MULTILINE)
    assert said == [*expected, ("`in_sync`", "never")]


def examples():
    """The tasks in the examples of the filter and the tests."""
    for path in (ROOT / "plugins/filter/fingerprint.py", *sorted((ROOT / "plugins/test").glob("*.py"))):
        yield from yaml.safe_load(re.findall(r'EXAMPLES = r"""(.*?)"""', path.read_text(), re.DOTALL)[0])


@pytest.mark.newest_only
def test_policies_run_as_they_stand(project):
    (policies,) = (block for block in re.findall("```yaml\n(.*?)```", GUIDE, re.DOTALL) if "import_playbook" in block)
    assert project.run("connect", "--limit", "dev").status == 0
    playbook = project.folder / "policies.yml"
    more = {"name": "Examples", "hosts": "dev", "gather_facts": False, "tasks": [*examples()]}
    playbook.write_text(policies + yaml.safe_dump([more]))
    run = project.run(str(playbook), "--limit", "dev")
    assert (run.status, run.report["dev"]["status"]) == (0, "in_sync"), run.output
    project.sandbox.sabotage("dev", "add-key")
    run = project.run(str(playbook), "--limit", "dev", "-e", "unified_profiles_fail_on_drift=false")
    assert run.status == 2
    assert "Nobody but us creates write keys" in run.output
