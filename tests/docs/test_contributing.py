# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CONTRIBUTING.md names what there is, and the changelog fits the version."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import yaml
from support.project import ROOT

pytestmark = pytest.mark.newest_only
MAKEFILE = (ROOT / "Makefile").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()


def test_the_table_of_checkers_is_what_make_lint_runs():
    (checkers,) = re.findall(r"^CHECKERS := (.+)$", MAKEFILE, re.MULTILINE)
    named = re.findall(r"^\| `make (lint-\S+)` \|", CONTRIBUTING, re.MULTILINE)
    assert sorted(named) == sorted(checkers.split())


def test_every_target_for_people_is_named():
    (phony,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    named = set(re.findall(r"^\| `make (\S+)` \|", CONTRIBUTING, re.MULTILINE))
    # What the others make first, and what removes all of it. Of those on a version of ansible-core one is named.
    assert set(phony.split()) - {"setup", "clean", "$(CHECKERS)", "$(ON_A_CORE)"} <= named


@pytest.mark.parametrize("target", [[], ["help"]], ids=["alone", "help"])
def test_make_alone_or_help_says_what_there_is(target):
    said = subprocess.run(["make", "-C", str(ROOT), *target], capture_output=True, text=True, check=True).stdout
    assert {"make test", "make lint", "make demo"} <= {line.partition(":")[0] for line in said.splitlines()}


def test_the_demo_shows_the_survey_and_a_connection_that_is_lost_and_recovered():
    done = subprocess.run([sys.executable, ROOT / "tools/demo.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    surveys = re.findall(r"^  survey: (.+)$", done.stdout, re.MULTILINE)
    everywhere, nowhere = "something is due in dev, eu, prod", "nothing is due, so no environment gets a task"
    assert surveys == [everywhere, nowhere, everywhere, everywhere, nowhere]
    # The last table: what is left of the sabotage once work went on.
    rows = [line.split()[:5] for line in done.stdout.splitlines() if line.startswith(("  dev ", "  eu ", "  prod "))]
    assert rows[-3:] == [[name, *["proven"] * 4] for name in ("dev", "eu", "prod")]


def test_the_workflows_run_the_commands_that_people_run():
    commands = []
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            cores = job.get("strategy", {}).get("matrix", {}).get("core", [""])
            runs = [step["run"] for step in job["steps"] if step.get("run", "").startswith("make ")]
            commands += [run.replace("${CORE}", core) for run in runs for core in cores]
    wanted = {
        "make test",
        "make test-eda",
        "make test-plain",
        "make lint",
        "make build",
        "make molecule",
        "make test-2.18 sanity-2.18",
    }
    assert wanted <= set(commands)
    for target in (target for command in commands for target in command.split()[1:]):
        assert re.search(rf"^(\.PHONY|CHECKERS|ON_A_CORE).*[ ]{re.escape(target)}( |$)", MAKEFILE, re.MULTILINE), target


def test_a_workflow_to_copy_pins_its_actions_too():
    used = [
        use for page in (ROOT / "docs").glob("*.md") for use in re.findall(r"^ *- uses: (.+)$", page.read_text(), re.M)
    ]
    assert used
    assert all(re.fullmatch(r"\S+@[0-9a-f]{40} # v[0-9.]+", use) for use in used), used


def test_a_job_that_may_write_runs_nothing_that_others_wrote():
    """What is installed and built in a job could use its rights."""
    writers = []
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        workflow = yaml.safe_load(path.read_text())
        assert "write" not in workflow["permissions"].values(), path
        for name, job in workflow["jobs"].items():
            if "write" in job.get("permissions", {}).values():
                writers.append((path.stem, name))
                actions = {step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step}
                assert not actions & {"actions/checkout", "actions/setup-python"}, (path, name)
                assert all(step.get("run", "gh ").startswith("gh ") for step in job["steps"]), (path, name)
    assert sorted(writers) == [("docs", "publish"), ("release", "publish")]


def test_what_certifiers_run_is_run_on_every_version():
    (cores,) = re.findall(r"^CORES := (.+)$", MAKEFILE, re.MULTILINE)
    assert {"2.16", "2.18", "2.19", "2.20", "2.21"} <= {*cores.split()}


def test_what_is_left_out_on_other_cores_imports_nothing_of_ansible():
    (plain,) = re.findall(r"^PLAIN := (.+)$", MAKEFILE, re.MULTILINE)
    utils = ROOT / "plugins/module_utils"
    with_ansible = {
        path.relative_to(utils).parts[0]
        for path in utils.glob("*/*.py")
        if re.search(r"^ *(from|import) ansible[. ]", path.read_text(), re.MULTILINE)
    }
    assert with_ansible
    assert {*plain.split()} == {path.parent.name for path in utils.glob("*/__init__.py")} - with_ansible


def test_the_changelog_speaks_of_this_version():
    """The changelog speaks of this version or of the one before."""
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    released = yaml.safe_load((ROOT / "changelogs/changelog.yaml").read_text())["releases"]
    assert version in released or list((ROOT / "changelogs/fragments").glob("*.yml"))
