# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make build` gives: the same bytes twice, and what a user needs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
from pathlib import Path

import pytest
from ansible.release import __version__ as core
from support.project import ROOT


def tool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "tools/build.py", Path(sys.executable).parent, *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def build(folder: Path) -> Path:
    made = tool(folder)
    assert made.returncode == 0, made.stderr
    (archive,) = folder.glob("*.tar.gz")
    return archive


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return build(tmp_path_factory.mktemp("built"))


@pytest.mark.newest_only
def test_the_archive_is_complete(archive):
    with tarfile.open(archive) as tar:
        names = set(tar.getnames())
    for wanted in (
        "README.md",
        "LICENSE",
        "requirements.txt",
        "meta/execution-environment.yml",
        "playbooks/connect.yml",
        "roles/settings/meta/argument_specs.yml",
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
    unwanted = (".", "build", "tests/output", "collections", "ansible.cfg")
    assert [n for n in names if n.startswith(unwanted) or "__pycache__" in n or "/." in n] == [".ansible-lint"]


@pytest.mark.newest_only
def test_a_release_can_be_verified(archive, tmp_path):
    sums = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=archive.parent, check=True, capture_output=True, text=True
    )
    assert sums.stdout.splitlines() == [f"{archive.name.removesuffix('.tar.gz')}.cdx.json: OK", f"{archive.name}: OK"]
    parts = json.loads((archive.parent / f"{archive.name.removesuffix('.tar.gz')}.cdx.json").read_text())
    assert [part["name"] for part in parts["components"]] == ["httpx"]
    assert parts["metadata"]["component"]["name"] == "unified_profiles"
    # It is built once more for that.
    assert tool("--verify", archive).returncode == 0
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    flipped = tmp_path / archive.name
    flipped.write_bytes(content)
    refused = tool("--verify", flipped)
    assert refused.returncode == 1
    assert "Do not install it" in refused.stderr


@pytest.mark.newest_only
def test_the_built_collection_runs_connect(archive, tmp_path, sandbox):
    """As a user would have it: nothing but ansible-core, requirements.txt and the archive, and an empty home folder."""
    bin_ = tmp_path / "venv/bin"
    paths = {"HOME": str(tmp_path), "PATH": f"{bin_}:{os.environ['PATH']}", "ANSIBLE_NOCOLOR": "1"}
    # Where the machine's settings for pip lie is not what is tried here.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "PYTHON"))}
    environment = {"PIP_CONFIG_FILE": str(Path.home() / ".config/pip/pip.conf"), **kept, **paths}

    def run(*command):
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    venv.create(tmp_path / "venv", with_pip=True)
    run(bin_ / "python", "-m", "pip", "install", "-q", f"ansible-core=={core}")
    run(bin_ / "ansible-galaxy", "collection", "install", "--offline", archive)
    installed = tmp_path / ".ansible/collections/ansible_collections/flexops/unified_profiles"
    run(bin_ / "python", "-m", "pip", "install", "-q", "-r", installed / "requirements.txt")
    assert run(bin_ / "ansible-galaxy", "collection", "list").count("flexops.unified_profiles") == 1
    shutil.copytree(installed / "inventories/sandbox", tmp_path / "inventory")
    environment["SANDBOX_PORT"] = sandbox.url.rpartition(":")[2]
    connect = (bin_ / "ansible-playbook", "flexops.unified_profiles.connect", "-i", "inventory")
    first = run(*connect)
    assert "twilio-unified-profiles" in [s.name for s in sandbox.world.environments["dev"].sources.values()], first
    assert set(re.findall(r"changed=(\d+)", run(*connect))) == {"0"}
