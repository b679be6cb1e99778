# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the prose against docs/style.md.

No sentence has more than 24 words: in guides, in the reference, in changelog fragments, in messages, in comments and in
docstrings. No line of a guide's prose has more than 120 characters. None of the listed words is in any of them.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
import typing as t
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
MOST = 24
WIDEST = 120
MEASURED = "docs/performance/results.md"
# Fenced code and comments.
APART = r"<!--.*?-->|^ *(```|~~~).*?^ *\1"
# In docstrings: the names of sections, and indented examples.
INDENTED = r"^(Args|Attributes|Raises|Returns|Yields):$|(?<=\n\n)(    .*\n?)+"
# What docs/style.md lists, and what to write instead.
WORDS = {
    r"for ever": "forever",
    r"time-outs?": "timeout",
    r"half of a character": "a lone surrogate",
    r"(a|an empty) text(?! file)": "a string",
    r"(is|are|was|were) told": "is reported",
    r"nobody asked": "the rule itself",
}
# What has another meaning in code, and is checked in prose only.
READ = {
    r"stands?(?!-| for| still| out)|stood": "is, is set or exists",
    r"told(?! apart| from)": "reported",
    r"texts": "strings",
    r"(makes|made) (a|an|the|no|one|another) ([a-z]+ )?(source|key|profile|credential)s?": "creates or created",
}
# How the docstring of a function begins that says what it is about, and not what it returns or does.
ABOUT = r"(Whether|Who|How|Why)\b"
# They speak of the words themselves.
EXEMPT = (
    "docs/style.md",
    "tools/prose.py",
    "tests/docs/test_prose.py",
    "CHANGELOG.md",
    "changelogs/changelog.yaml",
    "CODE_OF_CONDUCT.md",
)
KINDS = (".md", ".py", ".yml", ".j2", ".toml", ".txt")


def sentences(text: str) -> Iterator[str]:
    """The sentences of a Markdown text. They end at a full stop, exclamation or question mark, table cell, list item or heading."""
    text = re.sub(rf"{APART}|^---\n.*?\n---\n", "\n\n", text, flags=re.DOTALL | re.MULTILINE)
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
        words = " ".join(block).replace("**", "")
        plain = re.sub(r"`+[^`]*`+|https?://\S+", "X", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", words))
        yield from re.split(r"(?<=[.!?]) +", plain)


def described(found: t.Any) -> Iterator[str]:
    """Each paragraph of each description in a plugin's or role's documentation, however deep."""
    if isinstance(found, list):
        for inner in found:
            yield from described(inner)
    elif isinstance(found, dict):
        for name, inner in found.items():
            if name in ("description", "short_description", "details", "notes") and not isinstance(inner, dict):
                # C(...), M(...) and so on are one word each.
                yield from (
                    re.sub(r"\b[A-Z]\([^)]*\)", "X", text) for text in ([inner] if isinstance(inner, str) else inner)
                )
            else:
                yield from described(inner)


def read_by_people(name: str, text: str) -> Iterator[str]:
    """The prose of a file: a guide, a changelog fragment, or the documentation in a plugin or role."""
    if name.endswith(".md"):
        yield text
    elif name.startswith("changelogs/fragments/"):
        for entry in yaml.safe_load(text).values():
            yield from [entry] if isinstance(entry, str) else entry
    elif name.endswith("argument_specs.yml"):
        yield from described(yaml.safe_load(text))
    elif name.endswith(".py") and "plugins/" in name:
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("DOCUMENTATION", "RETURN"):
                # A part of it may be filled in by code; what it has in common is checked where it is written.
                if isinstance(node.value, ast.Constant):
                    yield from described(yaml.safe_load(str(node.value.value)))


def shown(name: str, text: str) -> Iterator[str]:
    """The strings that a run shows: the names of plays and tasks, and the messages in the code."""
    if re.match(r"(playbooks|examples|extensions|roles/\w+/tasks)/.*\.yml$", name):
        yield from re.findall(r"^ *- name: (.+)", text, re.MULTILINE)
    elif name.startswith(("plugins/", "extensions/", "tools/")) and name.endswith(".py"):
        tree = ast.parse(text)
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        pieces = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            said = ""
            if isinstance(node, ast.JoinedStr):
                said = "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | pieces:
                said = node.value
            # One word is a name, several lines are documentation, and <svg> is no prose.
            if " " in said and "\n" not in said.strip() and not said.strip().startswith("<"):
                yield said


def remarks(name: str, text: str) -> Iterator[str]:
    """The docstrings of a Python file, and the comments of a Python or YAML file. Lines one below the other are one comment."""
    if name.endswith(".py"):
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                yield re.sub(INDENTED, "\n\n", ast.get_docstring(node) or "", flags=re.MULTILINE)
        found = [
            (token.start, token.string, token.line)
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
            if token.type == tokenize.COMMENT
        ]
    elif name.endswith(".yml"):
        matches = [(number, re.search(r"(^|\s)(#( .*)?)$", line)) for number, line in enumerate(text.splitlines(), 1)]
        found = [((number, m.start(2)), m[2], m.string) for number, m in matches if m]
    else:
        return
    block, above = "", (0, 0)
    for place, comment, line in found:
        if place != (above[0] + 1, above[1]) or not line.strip().startswith("#"):
            yield block
            block = ""
        block, above = f"{block}\n{'' if comment.startswith('#   ') else comment.lstrip('#').strip()}", place
    yield block


def listed(words: dict[str, str], text: str) -> Iterator[str]:
    for word, better in words.items():
        if found := re.search(rf"\b({word})\b", text, re.IGNORECASE):
            yield f"{found[0]!r}; write {better!r}"


def wide_lines(text: str) -> Iterator[str]:
    """Lines of a Markdown text that are too long and could be broken: no tables, headings, images and code, and no link alone."""
    for line in re.sub(APART, "", text, flags=re.DOTALL | re.MULTILINE).splitlines():
        in_words = re.sub(r"`[^`]*`|\[[^\]]*\]\([^)]*\)", "X", line.strip())
        if (
            len(line) > WIDEST
            and not line.startswith(("|", "#", "!"))
            and re.search(r"\S \S", re.sub(r"^([-*]|\d+\.) ", "", in_words))
        ):
            yield line


def problems(name: str, text: str) -> Iterator[str]:
    if name.endswith(".md") and name != MEASURED:
        yield from (f"{name}: a line of {len(line)} characters: {line}" for line in wide_lines(text))
    prose = [*read_by_people(name, text), *shown(name, text), *remarks(name, text)]
    for sentence in (sentence for part in prose for sentence in sentences(part)):
        if (count := len(re.findall(r"[\w'-]+", sentence))) > MOST:
            yield f"{name}: {count} words: {sentence}"
        yield from (f"{name}: {problem}: {sentence}" for problem in listed(READ, sentence))
    for node in ast.walk(ast.parse(text)) if name.endswith(".py") else ():
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            if found := re.match(ABOUT, ast.get_docstring(node) or ""):
                yield f"{name}:{node.lineno}: a docstring that begins with {found[0]!r}; write 'Return {found[0].lower()}'"
    for number, line in enumerate(text.splitlines(), 1):
        yield from (f"{name}:{number}: {problem}" for problem in listed(WORDS, line))


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
