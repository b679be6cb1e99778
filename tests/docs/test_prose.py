# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of the prose finds a sentence that is too long and each listed word, and passes a good text."""

from __future__ import annotations

import sys

import pytest
import yaml
from support.project import ROOT

sys.path.append(str(ROOT / "tools"))

import prose

pytestmark = pytest.mark.newest_only
# Below the limit, so that two in a sentence are above it.
HALF = " ".join(["is"] * 13)
LONG = f"{HALF} {' '.join(['is'] * (prose.MOST - 12))}."
# One way to write each of the words, by its pattern.
WRITTEN = {
    r"for ever": "It waits for ever.",
    r"time-outs?": "the time-outs of a task",
    r"half of a character": "Half of a character is refused.",
    r"(a|an empty) text(?! file)": "an empty text",
    r"(is|are|was|were) told": "The wait is told.",
    r"nobody asked": "for want of which nobody asked",
}


def documented(text):
    return f'DOCUMENTATION = r"""\n{yaml.safe_dump({"options": {"name": {"description": [text]}}})}"""\n'


# Each kind of file with prose in it.
PLACES = {
    "README.md": str,
    "SECURITY.md": str,
    "docs/connect.md": str,
    "roles/connect/README.md": str,
    "changelogs/fragments/connect.yml": lambda text: yaml.safe_dump({"bugfixes": ["Short.", text]}),
    "roles/connect/meta/argument_specs.yml": lambda text: yaml.safe_dump({"argument_specs": {"description": text}}),
    "plugins/modules/flex_info.py": documented,
    "plugins/doc_fragments/segment.py": lambda text: f"class ModuleDocFragment:\n    {documented(text)}",
    "plugins/action/base.py": lambda text: f'raise Refused(f"{{name}} {text.replace("is ", "", 1)}")\n',
    "extensions/sandbox/world.py": lambda text: f'def world():\n    """{text}"""\n',
    "tests/conftest.py": lambda text: f"x = 1  # {text}\n",
    "extensions/awx/vars.yml": lambda text: f"# {text[:30]}\n# {text[30:]}\nx: 1\n",
}


@pytest.mark.parametrize("name", PLACES)
def test_a_sentence_of_25_words_is_found_wherever_people_read(name):
    (problem,) = prose.problems(name, PLACES[name](LONG))
    assert problem.startswith(f"{name}: 25 words: ")
    assert [*prose.problems(name, PLACES[name](LONG.replace("is ", "", 1)))] == []


@pytest.mark.parametrize("mark", [";", ":", ","])
def test_a_sentence_goes_on_after(mark):
    assert [*prose.problems("README.md", f"{HALF}{mark} {HALF}.")]


@pytest.mark.parametrize(
    "ended",
    [f"{HALF}. {HALF}.", f"{HALF}? {HALF}!", f"| {HALF} | {HALF} |", f"- {HALF}\n- {HALF}", f"# {HALF}\n{HALF}"],
)
def test_a_sentence_ends_with(ended):
    assert [*prose.problems("README.md", ended)] == []


def test_code_and_addresses_are_one_word():
    text = f"[{HALF}](https://example.com/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p)\n`{HALF}`\n{'is ' * 10}.\n\n```sh\n{LONG}\n```\n"
    assert [*prose.problems("README.md", text)] == []


@pytest.mark.parametrize("word", prose.WORDS)
@pytest.mark.parametrize("name", ["README.md", "plugins/modules/flex_info.py", "roles/connect/tasks/main.yml"])
def test_each_listed_word_is_found(name, word):
    problem = [*prose.problems(name, f"# Good.\n# {WRITTEN[word]}\n")][-1]
    assert problem.startswith(f"{name}:2: ")
    assert prose.WORDS[word] in problem


@pytest.mark.parametrize(
    "text", ["A source stands there.", "A text that was told.", "Two texts.", "It makes a new source."]
)
@pytest.mark.parametrize("name", [*PLACES, "roles/connect/tasks/main.yml", "plugins/action/base.py"])
def test_a_word_that_is_plain_in_code_is_found_where_people_read(name, text):
    places = PLACES | {
        "roles/connect/tasks/main.yml": lambda text: f"# {text}\n- name: {text}\n",
        "plugins/action/base.py": lambda text: f'"""{text}"""\n\n# {text}\nraise Refused("{text}")\n',
    }
    problem, *_more = prose.problems(name, places[name](text))
    assert "write '" in problem


def test_code_may_have_those_words():
    assert [*prose.problems("plugins/action/base.py", 'told = "stands"\nTEXTS = ["texts"]\n')] == []


def test_lines_of_code_in_comments_and_docstrings_are_no_sentences():
    text = f'"""A ledger:\n\n    {LONG}\n\nArgs:\n    path: {HALF}.\n    name: {HALF}.\n"""\n# {HALF}:\n#   {LONG}\n'
    assert [*prose.problems("plugins/action/base.py", text)] == []


@pytest.mark.parametrize("word", ["Whether", "Who", "How", "Why"])
def test_a_function_says_what_it_returns(word):
    text = 'def wrong(value):\n    """{} it is wrong."""\n'
    assert [*prose.problems("plugins/action/base.py", text.format(f"Return {word.lower()}"))] == []
    (problem,) = prose.problems("plugins/action/base.py", text.format(word))
    assert f"write 'Return {word.lower()}'" in problem


def test_a_line_that_is_too_long_is_found_where_it_can_be_broken():
    long = "word. " * 30
    assert [*prose.problems("docs/connect.md", long)] == [f"docs/connect.md: a line of {len(long)} characters: {long}"]
    for fine in (f"| {long}|", f"```sh\n{long}\n```", f"- [word]({'x' * 120})", f"# {long}"):
        assert [*prose.problems("docs/connect.md", fine)] == []


def test_a_good_text_passes():
    text = "# Connect\n\n`connect` requests the source, and waits for it. A timeout ends the wait.\n\n| a string | a text file |\n"
    assert [*prose.problems("docs/connect.md", text)] == []
