# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the prose against docs/style.md: no sentence of a guide over 30 words, and none of the listed words anywhere."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST = 30
# What docs/style.md lists, and what to write instead.
WORDS = {
    r"for ever": "forever",
    r"time-outs?": "timeout",
    r"half of a character": "a lone surrogate",
    r"a text": "a string",
    r"(is|are|was|were) told": "is reported",
    r"nobody asked": "the rule itself",
}
# They speak of the words themselves.
EXEMPT = ("docs/style.md", "tools/prose.py", "CHANGELOG.md", "changelogs/changelog.yaml")
KINDS = (".md", ".py", ".yml", ".j2", ".toml", ".txt")


def sentences(text: str) -> Iterator[str]:
    """The sentences of a Markdown text. A table's cell and a list's item begin a new one."""
    text = re.sub(r"<!--.*?-->|^---\n.*?\n---\n|^ *(```|~~~).*?^ *\1", "\n\n", text, flags=re.DOTALL | re.MULTILINE)
    blocks: list[list[str]] = [[]]
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            blocks.append([])
        elif line.startswith("|"):
            blocks += [[cell.strip()] for cell in line.strip("|").split("|")] + [[]]
        elif item := re.match(r"(?:[-*]|\d+\.) +(.*)", line):
            blocks.append([item[1]])
        else:
            blocks[-1].append(line)
    for block in blocks:
        plain = re.sub(r"`[^`]*`|https?://\S+", "X", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(block)))
        yield from re.split(r"(?<=[.!?:;]) +", plain)


def problems(name: str, text: str) -> Iterator[str]:
    if name.endswith(".md") and (name == "README.md" or name.startswith("docs/")):
        for sentence in sentences(text):
            if (count := len(re.findall(r"[\w'-]+", sentence))) > MOST:
                yield f"{name}: {count} words: {sentence[:100]} ..."
    for number, line in enumerate(text.splitlines(), 1):
        for word, better in WORDS.items():
            if found := re.search(rf"\b{word}\b", line, re.IGNORECASE):
                yield f"{name}:{number}: {found[0]!r}; write {better!r}"


def main() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    names = [name for name in listed if name.endswith(KINDS) and name not in EXEMPT and (ROOT / name).is_file()]
    found = [problem for name in names for problem in problems(name, (ROOT / name).read_text())]
    print("\n".join(found), end="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
