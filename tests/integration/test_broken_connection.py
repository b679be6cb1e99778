# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection that is broken while no source exists: the form creates the source, and recover must not create a rival to it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.newest_only

OPERATOR = ("-e", "unified_profiles_channel=operator")
DEV = ("--limit", "dev")


def sources(sandbox):
    return [
        source
        for source in sandbox.world.environments["dev"].sources.values()
        if source.name == "twilio-unified-profiles"
    ]


def test_the_form_is_handed_over_again_and_makes_the_source(project, sandbox):
    project.run("connect", *DEV)
    sandbox.sabotage("dev", "delete-source")
    sandbox.sabotage("dev", "lose-connector")
    foretold = project.run("recover", *DEV, "--check")
    assert foretold.report["dev"]["status"] == "drifted"
    assert "source (the form creates it, so its id and key cannot be predicted)" in foretold.output
    assert sources(sandbox) == []
    run = project.run("recover", *DEV)
    assert (run.status, run.report["dev"]["status"]) == (0, "proven"), run.output
    (source,) = sources(sandbox)
    again = project.run("connect", *DEV)
    assert (again.status, again.changed["dev"]) == (0, 0), again.output
    assert sources(sandbox) == [source]


def test_a_person_is_asked_for_the_form_and_nothing_is_made_meanwhile(project, sandbox):
    project.run("connect", *DEV)
    sandbox.sabotage("dev", "delete-source")
    sandbox.sabotage("dev", "lose-connector")
    sandbox.work("dev")
    # An alert speaks against the connection, where no endpoint reads it back.
    for _run in range(2):
        run = project.run("recover", *DEV, *OPERATOR)
        assert (run.status, run.report["dev"]["status"]) == (2, "pending"), run.output
        assert "Connect the space" in run.output
        assert sources(sandbox) == []


def test_where_a_source_stands_the_form_is_not_pressed(project, sandbox):
    project.run("connect", *DEV)
    (before,) = sources(sandbox)
    sandbox.sabotage("dev", "lose-connector")
    run = project.run("recover", *DEV)
    assert (run.status, run.report["dev"]["status"]) == (2, "broken"), run.output
    assert "unified_profiles_handover_again=" in run.output
    assert sources(sandbox) == [before]
