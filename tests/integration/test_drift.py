# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook drift as people run it: it tells, accepts what the inventory names, and writes nothing but its report."""

from __future__ import annotations

import pytest

DEV = ("--limit", "dev")


def kept(project):
    """All files of the project's state, but for reports and what looks remember."""
    folder, of_looks = project.inventory / ".unified_profiles", ("report", "junit", "metrics", "seen", "looked")
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(of_looks)]
    return {path: path.read_bytes() for path in files}


def test_drift_is_told_and_accepted_by_name(project, sandbox):
    project.run("connect", *DEV)
    before = kept(project)
    sandbox.clear_journal()
    well = project.run("drift", *DEV)
    assert (well.status, well.report["dev"]["status"]) == (0, "in_sync")

    sandbox.sabotage("dev", "add-key")
    sandbox.sabotage("dev", "rename-source", to="{{ nosuch }} by hand")
    sandbox.clear_journal()
    told = project.run("drift", *DEV)
    assert (told.status, told.report["dev"]["status"]) == (2, "drifted")
    assert (
        "name: is {{ nosuch }} by hand, and should be twilio-unified-profiles (changed by ops@example.com"
        in told.output
    )
    assert kept(project) == before
    assert sandbox.journal(writes=True) == []

    # Check mode tells the same, and remembers nothing of it.
    seen = (project.inventory / ".unified_profiles/seen.json").read_bytes()
    checked = project.run("drift", *DEV, "--check")
    assert (checked.status, checked.report) == (told.status, told.report)
    assert f"Report: {project.inventory}/.unified_profiles/report-check-limited.html" in checked.output
    assert (project.inventory / ".unified_profiles/seen.json").read_bytes() == seen
    assert sandbox.journal(writes=True) == []

    # The lines that it prints accept what it found, once each has a reason.
    lines = told.output[told.output.index("unified_profiles_accepted_drift:") :].partition("\n\n")[0]
    wanting = project.inventory / "host_vars/dev.yml"
    host_vars = wanting.read_text() if wanting.exists() else ""
    wanting.parent.mkdir(exist_ok=True)
    wanting.write_text(host_vars + "\n" + lines + "\n")
    refused = project.run("drift", *DEV)
    assert refused.report["dev"]["status"] == "failed"
    assert "unified_profiles_accepted_drift[0]: has no reason." in refused.output
    wanting.write_text(host_vars + "\n" + lines.replace("reason:", "reason: a trial") + "\n")
    accepted = project.run("drift", *DEV)
    assert (accepted.status, accepted.report["dev"]["status"]) == (0, "in_sync")
    assert "accepted: a trial (until " in accepted.output
    assert sandbox.journal(writes=True) == []

    # It comes back when the value changes again.
    env = sandbox.world.environments["dev"]
    (source,) = (source for source in env.sources.values() if source.name == "{{ nosuch }} by hand")
    sandbox.world.patch_source(env, source, {"name": "another"})
    again = project.run("drift", *DEV)
    assert (again.status, again.report["dev"]["status"]) == (2, "drifted")
    assert "the entry for name with the value '{{ nosuch }} by hand' fits nothing that was found" in " ".join(
        again.output.split()
    )
    foretold = project.run("connect", *DEV, "--check")
    assert (foretold.status, foretold.report["dev"]["status"]) == (0, "drifted")


@pytest.mark.newest_only
def test_what_is_shown_is_confirmed_to_connect(project):
    project.run("connect", *DEV, "-e", "unified_profiles_channel=operator")
    told = project.run("drift", *DEV, "-e", "unified_profiles_channel=operator")
    assert (told.status, told.report["dev"]["status"]) == (2, "pending")
    command = next(line for line in told.output.splitlines() if "unified_profiles_confirm=" in line)
    assert "ansible-playbook flexops.unified_profiles.connect -i " in command


@pytest.mark.newest_only
def test_an_entry_that_cannot_be_is_told_by_name(project):
    entries = [
        {"attribute": "lables", "value": "x", "reason": "y", "until": "2026-12-31"},
        {"attribute": "name", "value": "x", "reason": "y", "until": "soon"},
        {"attribute": "name", "value": "x", "until": "2026-12-31"},
        {"attribute": "name", "value": "x", "reason": "y"},
    ]
    said = (
        *("[0].attribute: must be one of source, name,", "[0].until: is no date."),
        *("[0]: has no reason.", "[0]: has no until."),
    )
    hosts = {f"dev{number}": {"accepted_drift": [entry]} for number, entry in enumerate(entries)}
    project.hosts(**hosts)
    output = project.run("drift").output
    for sentence in said:
        assert f"unified_profiles_accepted_drift{sentence}" in output, output
