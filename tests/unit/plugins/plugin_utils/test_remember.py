# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where it is kept what looks saw, and what a run says where nothing can be kept."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._remember import Remembered, record_looks

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


@pytest.mark.parametrize("place", ["", "snapshots"])
def test_a_folder_that_cannot_be_written_is_told_before_the_run_does_anything(monkeypatch, tmp_path, place):
    (tmp_path / "snapshots").mkdir()
    real = os.open

    def refuse(path, flags, *more):
        if flags & os.O_CREAT and Path(path).parent == tmp_path / place:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        return real(path, flags, *more)

    monkeypatch.setattr(os, "open", refuse)
    known = Remembered()
    for name in ("dev", "prod"):
        assert known.of(name, settings(str(tmp_path), ledger="file")) is None
    (told,) = known.problems
    assert told.startswith(f"{tmp_path / place} cannot be written: No space left on device.")
    assert told.endswith("make room on it; or set unified_profiles_remember to sync or none.")
    assert known.places == {str(tmp_path): ["dev", "prod"]}


def test_when_looks_began_is_recorded_by_environment_and_playbook(tmp_path):
    """Also where the ledger is in Sync and a folder is given."""

    def settings_of(name):
        return (settings(str(tmp_path / "of-sync")) if name == "eu" else {}), []

    places = {str(tmp_path): ["dev", "prod"], "sync": ["eu", "nowhere"]}
    first, second = ({"first": f"2026-11-26T{hour}:00:00Z", "last": f"2026-11-26T{hour}:05:00Z"} for hour in (10, 11))
    record_looks(places, "connect", dict.fromkeys(("dev", "prod", "eu", "nowhere"), first), settings_of)
    record_looks(places, "connect", {"dev": second}, settings_of)
    record_looks(places, "drift", {"prod": second}, settings_of)

    def recorded(folder):
        return json.loads((folder / "looked.json").read_text())["environments"]

    assert recorded(tmp_path) == {"dev": {"connect": second}, "prod": {"connect": first, "drift": second}}
    assert recorded(tmp_path / "of-sync") == {"eu": {"connect": first}}
    # Nothing comes of a folder that cannot be written, but that an event starts one more look.
    (tmp_path / "looked.json").unlink()
    (tmp_path / "looked.json").mkdir()
    record_looks(places, "drift", {"dev": second}, settings_of)


def test_that_a_folder_can_be_written_leaves_nothing_in_it(tmp_path):
    known = Remembered()
    known.of("dev", settings(str(tmp_path / "new")))
    assert (known.problems, list(tmp_path.iterdir())) == ([], [])
