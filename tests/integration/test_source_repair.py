# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must not stop a repair of the source, and advice that can be followed."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ModuleArgumentSpecValidator
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import run_in_process
from ansible_collections.flexops.unified_profiles.plugins.module_utils._source.manage import MENDED
from ansible_collections.flexops.unified_profiles.plugins.modules import segment_source, segment_source_info

# Bodies of modules, which Ansible has no part in.
pytestmark = pytest.mark.newest_only

NAME = "twilio-unified-profiles"


@pytest.fixture
def run(sandbox):
    def call(module=segment_source, check_mode=False, **options):
        known = {"sandbox_url": sandbox.url, "segment_token": sandbox.world.environments["dev"].segment_token}
        checked = ModuleArgumentSpecValidator(module.SPEC.argument_spec).validate({**known, **options})
        assert checked.error_messages == []
        return run_in_process(module.run, checked.validated_parameters, check_mode)

    return call


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_label_that_the_workspace_does_not_have_never_stops_a_repair(run, check_mode):
    made = run(check_mode=check_mode, create=True, source_labels={"managed-by": "ansible", "no": "such"})
    assert made["changed"]
    assert made["diff"]["after"]["labels"] == {"managed-by": "ansible"}
    assert "the workspace has no label 'no: such'" in made["warnings"][0]


def test_a_missing_label_changes_nothing_in_a_second_run(run):
    for changed in (True, False):
        assert run(create=True, source_labels={"no": "such"})["changed"] is changed


def test_a_source_of_another_type_is_out_of_the_way_once_it_is_renamed(run, sandbox):
    """Its slug stays, and so does the ledger's record of its id."""
    old = run(create=True)["source"]["id"]
    sandbox.sabotage("dev", "swap-type")
    assert run(create=True)["failure"]["problem"] == "wrong_type"
    sandbox.sabotage("dev", "rename-source")
    found = run(segment_source_info, recorded_source_id=old)
    assert (found["source"], [finding["problem"] for finding in found["findings"]]) == (None, ["deleted"])
    # It keeps its slug, which the new one needs. Check mode tells as well.
    for check_mode in (True, False):
        refused = run(check_mode=check_mode, create=True)
        assert (refused["failure"]["problem"], refused["changed"]) == ("slug_taken", False)
    sandbox.world.environments["dev"].sources[old].slug = "another"
    assert run(create=True)["changed"]


BREAKS = {"renamed": "rename-source", "disabled": "disable-source"}


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("problem", BREAKS)
def test_what_was_repaired_and_who_did_it_is_told(run, sandbox, problem, check_mode):
    assert run(create=True)["findings"] == []
    sandbox.sabotage("dev", BREAKS[problem])
    repaired = run(check_mode=check_mode)
    assert (repaired["changed"], [found["problem"] for found in repaired["findings"]]) == (True, [problem])
    assert " by ops@example.com at " in repaired["findings"][0]["detail"]
    (found,) = repaired["findings"]
    assert found["by"] == "ops@example.com"
    assert found["since"] in found["detail"]
    # In check mode nothing was done about it.
    assert found.get("mended") == (None if check_mode else MENDED[problem])
    if not check_mode:
        again = run()
        assert (again["changed"], again["findings"]) == (False, [])


@pytest.mark.parametrize("problem", BREAKS)
def test_what_is_not_to_be_repaired_is_left_and_told(run, sandbox, problem):
    run(create=True)
    sandbox.sabotage("dev", BREAKS[problem])
    broken = run(segment_source_info)["source"]
    for _run in range(2):
        left = run(repair=False)
        assert (left["changed"], left["source"]) == (False, broken)
        assert [found["problem"] for found in left["findings"]] == [problem]
        assert left["findings"][0]["detail"].endswith("It is left so.")


def test_what_is_wanted_is_no_finding(run):
    run(create=True)
    assert run(enabled=False)["changed"]
    assert run(enabled=False)["findings"] == []


@pytest.mark.parametrize("fault", [{"status": 500}, {"status": 403}, {"kind": "html"}])
def test_an_audit_trail_that_cannot_be_read_stops_no_repair(run, sandbox, fault):
    run(create=True)
    sandbox.sabotage("dev", "rename-source")
    sandbox.fault(match="GET /segment*audit-events", count=100, **fault)
    repaired = run(retry_budget=0.0)
    assert (repaired["changed"], repaired["source"]["name"]) == (True, NAME)
    assert repaired["findings"][0]["problem"] == "renamed"


def test_labels_that_cannot_be_set_stop_no_repair(run, sandbox):
    run(create=True)
    sandbox.sabotage("dev", "rename-source")
    sandbox.fault(match="PUT /segment*labels", status=403, count=1)
    repaired = run(source_labels={"managed-by": "ansible"})
    assert (repaired["changed"], repaired["source"]["name"], repaired["source"]["labels"]) == (True, NAME, {})
    assert [found["problem"] for found in repaired["findings"]] == ["renamed", "labels"]
    assert "were not set" in repaired["warnings"][0]
    assert run(source_labels={"managed-by": "ansible"})["source"]["labels"] == {"managed-by": "ansible"}


def test_what_was_changed_before_a_failure_is_told(run, sandbox):
    sandbox.sabotage("dev", "legacy-source")
    refused = run(create=True)
    assert (refused["failed"], refused["changed"]) == (True, False)
    # Made, and then no more is heard of it.
    sandbox.fault(match="POST /segment*sources", kind="drop_after", count=1)
    sandbox.fault(match="GET /segment*sources", skip=1, status=500, count=100)
    made = run(create=True, ignore_legacy=True, retry_budget=0.0)
    assert (made["failed"], made["changed"]) == (True, True)
    sandbox.clear_faults()
    assert run(create=True, ignore_legacy=True)["changed"] is False
