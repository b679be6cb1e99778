# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook rotate on the sandbox, from a key that is too old to one that is proven."""

from __future__ import annotations

import json

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from support.chain import Chain

pytestmark = pytest.mark.newest_only
DEV = ("--limit", "dev")
OLD_AFTER_90 = ("-e", "unified_profiles_key_max_age=90")


def said(option, key, environment="dev"):
    return ("-e", json.dumps({f"unified_profiles_{option}": {environment: key}}))


def keys_of(project, environment="dev"):
    env = project.sandbox.world.environments[environment]
    (source,) = [source for source in env.sources.values() if source.name == "twilio-unified-profiles"]
    source.enabled = True
    return {fingerprint(key): key for key in source.keys}, env


def test_from_a_key_that_is_too_old_to_one_that_is_proven(project):
    assert project.run("connect", *DEV).status == 0
    (old,), env = keys_of(project)
    project.sandbox.clear_journal()
    early = project.run("rotate", *DEV, *OLD_AFTER_90)
    assert (early.status, early.changed["dev"]) == (0, 0), early.output
    assert f"the key {old} is at least 0 days old, and due at " in early.output
    assert "Rotate the write key as far as this run may" not in early.output
    assert project.sandbox.journal(writes=True) == []

    project.sandbox.advance(91 * 86400)
    keys_of(project)
    foretold = project.run("rotate", *DEV, *OLD_AFTER_90, "--check", "--diff")
    assert foretold.status == 0, foretold.output
    assert project.sandbox.journal(writes=True) == []
    begun = project.run("rotate", *DEV, *OLD_AFTER_90, "--diff")
    assert (begun.status, begun.changed["dev"]) == (0, 1), begun.output
    keys, env = keys_of(project)
    (new,) = {*keys} - {old}
    assert env.flex_key == keys[new]
    assert [line.replace("<set by Segment>", new) for line in foretold.diffs] == begun.diffs
    assert f'-e \'{{"unified_profiles_retire": {{"dev": "{old}"}}}}\'' in begun.output

    waiting = project.run("rotate", *DEV, *OLD_AFTER_90)
    assert (waiting.status, waiting.changed["dev"]) == (0, 0), waiting.output
    project.sandbox.advance(86400)
    assert "dev is pending" in project.run("rotate", *DEV, *OLD_AFTER_90).output
    foretold = project.run("rotate", *DEV, *said("retire", old), "--check", "--diff")
    retired = project.run("rotate", *DEV, *said("retire", old), "--diff")
    assert (retired.status, retired.changed["dev"]) == (0, 1), retired.output
    assert foretold.diffs == retired.diffs
    assert f"-     - {old}".split() in [line.split() for line in retired.diffs]
    assert [*keys_of(project)[0]] == [new]
    assert "are waited for since" in retired.output
    assert "this run was given the word, and the new one was handed over (endpoint)" in retired.output

    project.sandbox.advance(1800)
    project.sandbox.work("dev", count=3)
    proven = project.run("rotate", *DEV, *said("retire", old))
    assert (proven.status, proven.changed["dev"]) == (0, 1), proven.output
    again = project.run("rotate", *DEV, *said("retire", old))
    assert (again.status, again.changed["dev"]) == (0, 0), again.output
    assert project.run("connect", *DEV).changed["dev"] == 0


def test_a_canary_goes_first_and_what_fails_stops_the_rest(project, sandbox):
    for name in sandbox.world.environments:
        Chain(sandbox, project.inventory / ".unified_profiles", name).connect()
    leaked = {name: next(iter(keys_of(project, name)[0])) for name in sandbox.world.environments}
    sandbox.clear_journal()
    sandbox.fault(environment="dev", match="POST*key", kind="status", status=409, count=None)
    batches = {"unified_profiles_serial": [1, "100%"], "unified_profiles_max_fail_percentage": 0}
    run = project.run("rotate", "-e", json.dumps({"unified_profiles_rotate_now": leaked, **batches}))
    why = {name: row["what was found, and why"] for name, row in run.report.items()}
    assert "with HTTP 409" in why["dev"], run.output
    for name in ("prod", "eu"):
        assert "Not tried, because 1 of the 1 environments" in why[name]
    assert sandbox.journal(writes=True) == []
    assert {name: [*keys_of(project, name)[0]] for name in leaked} == {name: [key] for name, key in leaked.items()}
