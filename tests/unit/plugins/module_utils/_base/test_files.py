# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base import files

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

MOST = 3 * files.READ_AT_ONCE


@pytest.mark.parametrize("size", [0, 1, files.READ_AT_ONCE - 1, files.READ_AT_ONCE, files.READ_AT_ONCE + 1, MOST])
def test_a_file_is_read_whole(tmp_path, size):
    (tmp_path / "file").write_text("x" * size)
    assert files.read_text(tmp_path / "file", MOST) == "x" * size


def test_a_file_that_tells_no_size_is_read_whole():
    path = Path("/proc/self/status")
    if not path.exists():
        pytest.skip("this system has no files that tell no size")
    assert path.stat().st_size == 0
    assert "VmPeak" in files.read_text(path, MOST)


def test_more_bytes_than_wanted_are_refused(tmp_path):
    (tmp_path / "file").write_text("x" * (MOST + 1))
    with pytest.raises(files.UnusableFile, match=f"more than {MOST} bytes"):
        files.read_text(tmp_path / "file", MOST)


def test_a_small_file_takes_little_memory_however_large_it_may_be(tmp_path):
    (tmp_path / "file").write_text("small")
    tracemalloc.start()
    try:
        files.read_text(tmp_path / "file", 1024 * MOST)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST
