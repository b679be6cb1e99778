# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where it is kept what looks saw, and what a run says where nothing can be kept."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._remember import Remembered

PREFIX = "unified_profiles_"


def settings(folder, **values):
    known = {"remember": "file", "ledger": "sync", "snapshot": True, "state_dir": folder, **values}
    return {PREFIX + name: value for name, value in known.items()}


@pytest.mark.parametrize("snapshot", [True, False])
def test_a_folder_that_does_not_last_is_told_once_with_the_way_out(monkeypatch, tmp_path, snapshot):
    monkeypatch.setenv("AWX_PRIVATE_DATA_DIR", str(tmp_path))
    known = Remembered()
    for name in ("dev", "prod"):
        assert known.of(name, settings(str(tmp_path / "state"), snapshot=snapshot)) is None
    (told,) = known.problems
    assert told.startswith("No report of this run says since when anything is so")
    assert ("no snapshot of a source is kept, so recover cannot put back" in told) == snapshot
    assert told.endswith("Set unified_profiles_remember to sync, or to none.")
    assert known.places == {}


@pytest.mark.parametrize(("remember", "places"), [("sync", {"sync": ["dev"]}), ("none", {})])
def test_where_that_was_chosen_nothing_is_told(monkeypatch, tmp_path, remember, places):
    monkeypatch.setenv("AWX_PRIVATE_DATA_DIR", str(tmp_path))
    known = Remembered()
    assert known.of("dev", settings(str(tmp_path / "state"), remember=remember)) is None
    assert (known.problems, known.places) == ([], places)
