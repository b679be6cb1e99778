# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking at the terminal: only a whole line with the word, typed in time, confirms anything."""

from __future__ import annotations

import pytest
from ansible import constants
from ansible.errors import AnsiblePromptInterrupt
from ansible_collections.flexops.unified_profiles.plugins.action import profiles_ask
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover import cards

CARDS = [cards.build_card("key", name, f"{number:012}", {}) for number, name in enumerate(("dev", "prod", "eu"))]


class Terminal:
    """Gives the answers in their order; an exception among them is raised."""

    def __init__(self, *answers):
        self.answers, self.shown = list(answers), []

    def display(self, text):
        self.shown.append(text)

    def prompt_until(self, question, interrupt_input=(), **_options):
        answer = self.answers.pop(0)
        if answer in interrupt_input:
            raise AnsiblePromptInterrupt("user interrupt")
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def ask(monkeypatch):
    def run(*answers, by="jane", timeout=1800):
        terminal = Terminal(*answers)
        monkeypatch.setattr(profiles_ask, "display", terminal)
        found = profiles_ask.ask(CARDS, by, timeout)
        assert not terminal.answers
        return {name: steps["key"] for name, steps in found.items()}, terminal.shown

    return run


def test_only_the_word_confirms(ask):
    found, _shown = ask(b"done", b"yes", b" DONE ")
    assert found == {"dev": {"by": "jane", "digest": "0" * 12}, "eu": {"by": "jane", "digest": "000000000002"}}


def test_what_was_confirmed_before_an_interrupt_counts(ask):
    found, shown = ask(b"done", AnsiblePromptInterrupt("user interrupt"))
    assert list(found) == ["dev"]
    assert "the rest stays pending" in shown[-1]


@pytest.mark.parametrize("key", [b"\x03", b"\x04"])
def test_keys_that_end_the_asking(ask, key):
    found, shown = ask(b"done", key)
    assert list(found) == ["dev"]
    assert "the rest stays pending" in shown[-1]


def test_a_word_too_late_confirms_nothing(ask):
    """A word that was not entered in time confirms nothing and ends the asking."""
    found, shown = ask(b"done", timeout=0)
    assert found == {}
    assert "the rest stays pending" in shown[-1]


@pytest.mark.parametrize("name", [b"", b"  "])
def test_without_a_name_nothing_is_recorded(ask, name):
    assert ask(name, by="")[0] == {}


def test_the_name_is_asked_for_once(ask):
    found, _shown = ask(b"joe", b"done", b"done", b"done", by="")
    assert {confirmed["by"] for confirmed in found.values()} == {"joe"}


@pytest.mark.parametrize(
    ("environ", "variables"),
    [({"AWX_ISOLATED_DATA_DIR": "/x"}, {}), ({}, {"awx_job_id": 1}), ({}, {"tower_job_id": 1})],
)
def test_a_job_is_never_asked(environ, variables):
    assert profiles_ask.unattended(environ, variables)
    assert not profiles_ask.unattended({}, {})


PROGRAMS = ("json", "ansible.posix.json", "ansible.posix.jsonl", "null", "my_json_lines")
PEOPLE = ("default", "ansible.builtin.default", "awx_display", "community.general.yaml")


@pytest.mark.parametrize("callback", [*PROGRAMS, *PEOPLE])
def test_nobody_is_asked_where_a_program_reads_the_output(monkeypatch, callback):
    monkeypatch.setattr(constants, "DEFAULT_STDOUT_CALLBACK", callback)
    assert bool(profiles_ask.unattended({}, {})) is (callback in PROGRAMS)
