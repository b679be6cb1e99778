# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every shell block of README and docs runs, in the order of its page, against the sandbox; or says above why not.

``<!-- not run: REASON -->`` on the line before a block leaves it out. What it names has to exist all the same.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap

import pytest
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._forms import GAUGES
from sandbox import handovers
from support.project import ROOT

pytestmark = pytest.mark.newest_only
PAGES = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("roles/*/README.md")])
}
BLOCK = re.compile(
    r"(?:^ *<!-- not run: *(?P<reason>\S.*?) *-->\n)?^(?P<indent> *)```(?:sh|shell|bash|console)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
BLOCKS = [(page, block) for page, text in PAGES.items() for block in BLOCK.finditer(text)]
RUN = sorted({page for page, block in BLOCKS if not block["reason"]})


def connected_by_hand(world):
    for name, environment in world.environments.items():
        with world.lock:
            space = {"space_id": environment.space["id"], "profile_token": environment.profile_token}
            handovers.connect(world, environment, {**space, "friendly_name": name, "allow_write_events": True})


def test_no_block_is_missed():
    """Whatever looks like one: with another language for shell commands, or a comment that is no reason."""
    opened = sum(
        len(re.findall(r"^ *```(?:sh|shell|bash|console|zsh)\b", text, re.MULTILINE)) for text in PAGES.values()
    )
    assert len(BLOCKS) == opened > 10
    assert sum(text.count("<!-- not run") for text in PAGES.values()) == sum(
        bool(block["reason"]) for page, block in BLOCKS
    )


@pytest.mark.parametrize("page", RUN)
def test_the_blocks_run(page, tmp_path, sandbox):
    for name in ("sandbox", "mine"):
        ignored = shutil.ignore_patterns(".unified_profiles")
        shutil.copytree(ROOT / "inventories/sandbox", tmp_path / "inventories" / name, ignore=ignored)
    (tmp_path / "playbooks").symlink_to(ROOT / "playbooks")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    # For what the pages write in capitals.
    (tmp_path / "PASSWORD_FILE").write_text("correct horse battery staple\n")
    (tmp_path / "inventory/host_vars").mkdir(parents=True)
    if page in ("docs/hand-overs.md", "docs/brownfield.md"):  # of environments that somebody connected before
        connected_by_hand(sandbox.world)
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}",
        "SANDBOX_PORT": sandbox.url.rpartition(":")[2],
    }
    for block in BLOCK.finditer(PAGES[page]):
        if block["reason"]:
            continue
        script = textwrap.dedent(block["text"]).replace("http://127.0.0.1:8765", sandbox.url)
        command = ["bash", "-e", "-o", "pipefail", "-c", script]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, input="a secret", capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, script + done.stdout + done.stderr


def test_what_is_not_run_names_what_there_is():
    makefile = (ROOT / "Makefile").read_text()
    for block in (block for page, block in BLOCKS):
        for target in re.findall(r"^ *make ([\w-]+)", block["text"], re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
        for playbook in re.findall(r"flexops\.unified_profiles\.(\w+) -i", block["text"]):
            assert (ROOT / f"playbooks/{playbook}.yml").exists(), playbook
        for path in re.findall(r"(?<=[ /])(?:playbooks|inventories|extensions|tests)/\S+\.(?:yml|py)", block["text"]):
            assert (ROOT / path).exists() or "/mine/" in path, path


def test_every_variable_in_a_page_is_one_that_is_read():
    """A misspelt variable of a playbook is ignored without a word."""
    code = "".join(
        path.read_text()
        for folder in ("playbooks", "roles", "plugins", "inventories", "extensions")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in (".yml", ".py", ".j2", ".example")
    )
    # What shows a message may be a mistake on purpose.
    right = {page: re.sub(r"^\*\*Shown by\*\*.*", "", text, flags=re.MULTILINE) for page, text in PAGES.items()}
    named = {
        (page, name) for page, text in right.items() for name in re.findall(r"\bunified_profiles_(?!\w*\*)\w+", text)
    }
    known = set(re.findall(r"\bunified_profiles_\w+", code)) | {f"unified_profiles_{gauge}" for gauge in GAUGES}
    assert sorted((page, name) for page, name in named if name not in known) == []
