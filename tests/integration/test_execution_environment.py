# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-builder finds what an execution environment needs. No image is built: that takes a container engine."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml
from support.project import HANGS, ROOT

pytestmark = pytest.mark.newest_only
EXAMPLE = ROOT / "extensions/execution-environment/execution-environment.yml"


def command(name, *arguments, **options):
    done = subprocess.run(
        [Path(sys.executable).with_name(name), *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=HANGS,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def collections(tmp_path_factory):
    """The built archive, laid out as ansible-galaxy installs it."""
    folder = tmp_path_factory.mktemp("builder")
    command("ansible-galaxy", "collection", "build", str(ROOT), "--output-path", folder)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as files:
        files.extractall(folder / "ansible_collections/flexops/unified_profiles")
    return folder


def test_introspection_finds_exactly_httpx(collections):
    found = yaml.safe_load(command("ansible-builder", "introspect", str(collections)))
    python = {line.partition("#")[0].strip() for line in found["python"]}
    assert python == {"httpx>=0.27,<1"}
    assert not found.get("system")


def test_the_example_makes_a_build_context(tmp_path):
    into = ("--context", tmp_path / "context", "--output-filename", "Containerfile")
    command("ansible-builder", "create", "--file", EXAMPLE, *into)
    galaxy = yaml.safe_load((tmp_path / "context/_build/requirements.yml").read_text())
    assert [entry["name"] for entry in galaxy["collections"]] == ["flexops.unified_profiles"]
    containerfile = (tmp_path / "context/Containerfile").read_text()
    assert "ansible-galaxy collection install" in containerfile
