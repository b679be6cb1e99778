# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make build` gives: the same bytes twice, and what a user needs."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def build(folder: Path) -> Path:
    galaxy = str(Path(sys.executable).with_name("ansible-galaxy"))
    subprocess.run([sys.executable, ROOT / "tools/build.py", galaxy, folder], check=True, capture_output=True)
    (archive,) = folder.glob("*.tar.gz")
    return archive


@pytest.mark.newest_only
def test_the_archive_is_reproducible_and_complete(tmp_path):
    first, second = build(tmp_path / "first"), build(tmp_path / "second")
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as tar:
        names = set(tar.getnames())
    for wanted in (
        "README.md",
        "LICENSE",
        "requirements.txt",
        "meta/execution-environment.yml",
        "playbooks/connect.yml",
        "roles/report/tasks/main.yml",
        "plugins/plugin_utils/templates/report.html.j2",
        "plugins/plugin_utils/templates/page.css",
        "plugins/plugin_utils/templates/page.js",
        "extensions/sandbox/pages/base.html",
        "docs/architecture.md",
        "inventories/sandbox/hosts.yml",
        "CHANGELOG.md",
        "changelogs/changelog.yaml",
        # So that whoever lints the archive, such as Galaxy, knows what is not installed there.
        ".ansible-lint",
    ):
        assert wanted in names
    unwanted = (".", "build", "tests/output", "collections")
    assert [n for n in names if n.startswith(unwanted) or "__pycache__" in n or "/." in n] == [".ansible-lint"]
