# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Misspelt settings are found, with what was meant, and nothing else is."""

from __future__ import annotations

import re

import pytest
import yaml
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _names
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._forms import GAUGES
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._names import (
    PREFIX,
    RENAMED,
    as_settings,
    unknown_names,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import SETTINGS
from hypothesis import example, given
from hypothesis import strategies as st
from support.project import ROOT
from support.settings import LETTERS, changes

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only


def meant(told):
    return re.search(r"Did you mean (\w+)\?", told)[1]


# One letter away from both, so nobody can tell which one was meant.
EITHER = {*changes("unified_profiles_report_dir", LETTERS)} & {*changes("unified_profiles_export_dir", LETTERS)}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_change_of_one_letter_is_found(name):
    """A few letters, those of the prefix among them; the next test takes any."""
    for changed in {*changes(name, "_sx1")} - SETTINGS.keys() - EITHER:
        (told,) = unknown_names([changed], [])
        assert told.startswith(f"{changed}: is no setting. Did you mean {name}?"), told


@pytest.mark.parametrize("changed", sorted(EITHER - SETTINGS.keys()))
def test_a_name_one_letter_away_from_two_is_found_as_one_of_them(changed):
    (told,) = unknown_names([changed], [])
    assert meant(told) in ("unified_profiles_report_dir", "unified_profiles_export_dir")


@given(st.data())
def test_a_change_of_any_letter_is_found_with_what_was_meant(data):
    name = data.draw(st.sampled_from(sorted(SETTINGS)))
    changed = data.draw(st.sampled_from(sorted({*changes(name, LETTERS)} - SETTINGS.keys() - EITHER)))
    assert [meant(told) for told in unknown_names([changed], [])] == [name]


@pytest.mark.parametrize(
    "prefix",
    (
        "unified_profile_ unifiedprofiles_ unifiedprofile_ unified_profiles unified-profiles- unify_profiles_ unifed_profile_ "
        "unified__profiles__ Unified_Profiles_ UNIFIED_PROFILES_ twilio_unified_profiles_ segment_unified_profiles_ "
        "flex_unified_profiles_ flexops_unified_profiles_ twilio_unified_profile_"
    ).split(),
)
@pytest.mark.parametrize("name", SETTINGS)
def test_a_misspelt_prefix_is_found(prefix, name):
    assert [meant(told) for told in unknown_names([prefix + name.removeprefix(PREFIX)], [])] == [name]


@given(st.from_regex(r"\A[a-z_]\w{0,30}\Z"))
@example("x")
def test_whatever_begins_with_the_prefix_is_found_and_told_with_a_way_out(rest):
    name = PREFIX + rest
    told = unknown_names([name], [])
    assert len(told) == (name not in _names.KNOWN)
    assert all(sentence.startswith(f"{name}: ") and "unified_profiles_own_variables" in sentence for sentence in told)
    assert unknown_names([name], [name]) == []


@pytest.mark.parametrize("name", RENAMED)
def test_a_name_of_0_1_0_is_told_with_what_it_is_called_now(name, monkeypatch):
    monkeypatch.setattr(_names, "KNOWN", _names.KNOWN - RENAMED.keys())
    assert RENAMED[name] in SETTINGS
    assert unknown_names([name], []) == [f"{name}: is called {RENAMED[name]} now. {_names.OWN}"]


# Words of the group, of files and of others.
@pytest.mark.parametrize(
    "name",
    (
        "unified_profiles unified_profile unified_profile_owners user_profiles_timeout profiles profiles_serial inventory_hostname "
        "ansible_connection space_id segment_token acme_segment_token twilio_account_sid TWILIO_API_KEY timeout survey_timeout serial "
        "my_proxy"
    ).split(),
)
def test_what_is_somebody_elses_is_left_alone(name):
    assert unknown_names([name], []) == []


def variables(folder):
    """The names of the variables of an inventory's files, and what they name as the user's own."""
    names, own = set(), []
    for file in folder.rglob("*"):
        if file.suffix in (".yml", ".example") and file.is_file():
            document = yaml.safe_load(file.read_text())
            for values in [document, *(document.get("unified_profiles", {}).get("hosts", {}).values())]:
                names |= {*values}
                own += values.get("unified_profiles_own_variables", [])
    return names, own


@pytest.mark.parametrize("inventory", ["sandbox", "example"])
def test_no_variable_of_an_inventory_is_told(inventory):
    names, own = variables(ROOT / "inventories" / inventory)
    assert len(names) > 8
    assert unknown_names(names, own) == []


def test_no_variable_of_a_role_a_playbook_an_extension_or_a_guide_is_told():
    patterns = (
        "roles/**/*.yml",
        "playbooks/**/*.yml",
        "extensions/**/*.yml",
        "extensions/**/*.py",
        "docs/*.md",
        "README.md",
    )
    files = [file for pattern in patterns for file in ROOT.glob(pattern)]
    names = {name for file in files for name in re.findall(r"\bunified_profiles_\w*[a-z]\b", file.read_text())}
    assert {f"unified_profiles_{name}" for name in ("look", "failure", "sandbox_url", "confirm")} < names
    # A variable of the example, groups, gauges of the report, and two that show what is said of a wrong name.
    others = ("vault", "due", "confirmed", "failing", "nobody", *GAUGES, "canary", "chanel")
    assert unknown_names(names, [f"unified_profiles_{name}" for name in others]) == []


def test_no_name_is_known_that_nothing_sets():
    text = "".join(
        path.read_text()
        for folder in ("roles", "playbooks", "extensions", "inventories", "plugins/modules")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".yml", ".py")
    )
    assert [name for name in _names.SET_HERE if not re.search(rf"\b{name}\b", text)] == []


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_message_names_the_setting(setting):
    option = setting.removeprefix(PREFIX)
    named = as_settings({"msg": f"{option}: is wrong.", "failure": {"next_step": f"Set {option} to 1."}})
    assert named["msg"] == f"{setting}: is wrong."
    # One word may be a word of any sentence.
    assert named["failure"]["next_step"] == (f"Set {setting} to 1." if "_" in option else f"Set {option} to 1.")
    assert as_settings(named) == named


def test_only_texts_for_people_are_changed():
    result = {
        "source_id": "source_id",
        "failure": {"option": "state_dir", "path": "/sources/{source_id}"},
        "found": ["space_id"],
    }
    assert as_settings(result) == result
    look = as_settings(
        {"failure": "state_dir: no.", "warnings": ["Write ledger: sync."], "findings": [{"detail": "No space_id."}]}
    )
    assert look == {
        "failure": "unified_profiles_state_dir: no.",
        "warnings": ["Write unified_profiles_ledger: sync."],
        "findings": [{"detail": "No unified_profiles_space_id."}],
    }
    for kept in ("The timeout of the task", "sandbox_state_dir: x", "unified_profiles_space_id", "/spaces/space_id"):
        assert as_settings({"msg": kept}) == {"msg": kept}
