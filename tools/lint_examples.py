# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs ansible-lint on every module's EXAMPLES, as the playbook that a reader would make of them."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = "---\n- name: Examples of {name}\n  hosts: unified_profiles\n  gather_facts: false\n  tasks:\n"


def examples(path: Path) -> str:
    """The text that a module's file gives to EXAMPLES."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "EXAMPLES":
            return str(ast.literal_eval(node.value))
    sys.exit(f"{path} has no EXAMPLES")


def main() -> int:
    modules = sorted((ROOT / "plugins/modules").glob("*.py"))
    with tempfile.TemporaryDirectory() as folder:
        for path in modules:
            text = textwrap.indent(examples(path).strip() + "\n", "    ", lambda line: line.strip() != "")
            (Path(folder) / f"{path.stem}.yml").write_text(HEAD.format(name=path.stem) + text)
        lint = [str(Path(sys.executable).with_name("ansible-lint")), "--offline", "--profile", "production"]
        files = [f"{path.stem}.yml" for path in modules]
        environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections")}
        return subprocess.run([*lint, *files], cwd=folder, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
