# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An export of many environments, and the folder that it keeps."""

from __future__ import annotations

import os

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Refused
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._environment import survey_settings
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._export import (
    FILE,
    TABLE,
    Export,
    _referred_to,
    exported_before,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._inventory_text import render
from sandbox import handovers
from support.settings import pace

NAMES = ["dev", "prod", "eu"]
PREFIX = "unified_profiles_"


@pytest.fixture
def listed(sandbox):
    """The variables of hosts of which only the tokens are known, and of which some are connected."""
    found = {}
    for name, env in sandbox.world.environments.items():
        form = {"friendly_name": name, "space_id": env.space["id"], "profile_token": env.profile_token}
        handovers.connect(sandbox.world, env, {**form, "allow_write_events": True})
        known = {"segment_region": env.region, "segment_token": env.segment_token, "profile_token": env.profile_token}
        known |= {"twilio_api_key": env.api_key, "twilio_api_secret": env.api_secret, "sandbox_url": sandbox.url}
        found[name] = {f"{PREFIX}{option}": value for option, value in known.items()} | {"inventory_hostname": name}
    return found


def exported(listed, before=None, extra=()):
    export = Export(before or {}, pace(4), lambda line: None)

    def settings_of(variables):
        return survey_settings(variables, None, "export", extra, NAMES, TABLE)

    return export, {entry.name: entry for entry in export.entries([*listed], listed.__getitem__, settings_of, extra)}


def test_nothing_that_is_wrong_with_one_keeps_another_from_being_written(listed):
    listed["prod"][f"{PREFIX}segment_token"] = "sgp_wrong-" + "0" * 60
    export, entries = exported(listed)
    assert [name for name, entry in entries.items() if entry.found["problems"]] == ["prod"]
    assert export.wrong == {}
    text = render(entries.values())
    assert "spa_" in text
    assert not any(secret in text for entry in entries.values() for secret in entry.secrets)


def test_two_names_for_one_workspace_are_told_at_both(listed):
    twin = {name: value for name, value in listed["dev"].items() if name != "inventory_hostname"}
    listed["prod"] |= twin
    _export, entries = exported(listed)
    for name, other in (("dev", "prod"), ("prod", "dev")):
        (problem,) = entries[name].found["problems"]
        assert problem.startswith(f"unified_profiles_source_name: {other} and {name} have the same Segment workspace")
    assert entries["eu"].found["problems"] == []


def test_wrong_settings_are_told_by_name(listed):
    listed["eu"][f"{PREFIX}segmnet_region"] = "eu"
    listed["dev"][f"{PREFIX}segment_region"] = "mars"
    export, _entries = exported(listed)
    assert sorted(export.wrong) == ["dev", "eu"]
    assert "unified_profiles_segment_region: must be one of us, eu, ask" in export.wrong["dev"]


def test_a_space_stays_from_one_export_to_the_next(listed, sandbox):
    before = {"dev": {f"{PREFIX}space_id": sandbox.world.environments["dev"].space["id"]}, "eu": {}, "prod": None}
    sandbox.sabotage("dev", "add-space")
    sandbox.sabotage("dev", "delete-space")
    _export, entries = exported(listed, before)
    assert "is not in the workspace" in entries["dev"].found["problems"][0]
    assert entries["dev"].found["facts"]["space_id"] == before["dev"][f"{PREFIX}space_id"]


def test_a_space_stays_also_where_the_environment_was_not_reached(listed, monkeypatch):
    def defect(_self, _call):
        raise ZeroDivisionError

    monkeypatch.setattr(Export, "see", defect)
    _export, entries = exported(listed, {"dev": {f"{PREFIX}space_id": "spa_before"}})
    assert entries["dev"].found["facts"] == {"space_id": "spa_before"}
    assert entries["dev"].found["problems"]


def test_what_is_given_to_the_run_is_no_part_of_the_inventory(listed):
    listed["dev"] |= {f"{PREFIX}timeout": 7, f"{PREFIX}confirmed_by": "jane"}
    _export, entries = exported(listed, extra=[f"{PREFIX}timeout"])
    assert f"{PREFIX}timeout" not in entries["dev"].given
    assert f"{PREFIX}confirmed_by" in entries["dev"].given


def test_the_variables_that_templates_need():
    values = ["{{ a[inventory_hostname].b }}", {"x": ["{{ lookup('env', c) }}"]}, "{{ broken", 1, "{{ groups.all }}"]
    assert _referred_to(values) >= {"a", "c"}
    assert not _referred_to(["plain a", "{{ groups }}", "{{ ansible_host }}"])


@pytest.mark.parametrize(
    "template",
    [
        "{{ tokens[inventory_hostname] | b64decode }}",
        "{{ tokens | mandatory }}",
        "{{ 'x' if tokens is ansible.builtin.vault_encrypted else '' }}",
        "{% set found = tokens | ternary(1, 2) %}{{ found }}",
        "{{ lookup('vars', 'tokens') | b64decode }}",
        "{{ hostvars['prod'].tokens }}",
        "{{ vars['tokens'] }}",
        "{{ lookup('template', x, template_vars={'y': '{{ tokens | b64decode }}'}) }}",
    ],
)
def test_what_a_template_needs_is_named_whatever_plain_jinja2_knows(template):
    assert "tokens" in _referred_to([template])


def other_file(folder):
    (folder / "vault.yml").write_text("x")


def somebodys(folder):
    (folder / FILE).write_text("---\nall: {}\n")


def a_folder_of_the_name(folder):
    (folder / FILE).mkdir()


def no_text(folder):
    (folder / FILE).write_bytes(b"\xff\xfe")


@pytest.mark.parametrize("made_by", [other_file, somebodys, a_folder_of_the_name, no_text])
def test_a_folder_with_files_of_somebody_else_is_refused(tmp_path, made_by):
    made_by(tmp_path)
    with pytest.raises(Refused, match="export_dir: "):
        exported_before(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(Refused, match="export_dir: "):
        exported_before(tmp_path / "file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read_is_refused(tmp_path):
    tmp_path.chmod(0)
    with pytest.raises(Refused, match="export_dir: "):
        exported_before(tmp_path)


def test_an_empty_folder_and_one_of_an_export_are_taken(tmp_path, listed):
    assert exported_before(tmp_path / "new") == exported_before(tmp_path) == ("", {})
    _export, entries = exported(listed)
    text = render(entries.values())
    (tmp_path / FILE).write_text(text)
    # What a person puts beside it stays there.
    other_file(tmp_path)
    assert exported_before(tmp_path)[0] == text
