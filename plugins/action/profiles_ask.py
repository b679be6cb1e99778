# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import time
import typing as t
from collections.abc import Mapping

from ansible import context
from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.utils.display import Display
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.cards import Card
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _pages as pages
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._controller import ControllerAction
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._fleet import (
    for_a_machine,
    how_to_run,
    looks,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import resolve

# ansible-runner, and so AWX, gives a pseudo-terminal on which nobody ever answers.
UNATTENDED = ("AWX_ISOLATED_DATA_DIR", "RUNNER_OMIT_EVENTS", "JOB_ID")
UNATTENDED_VARIABLES = ("awx_job_id", "tower_job_id")
DONE = "done"
CONFIRMED_BY = "unified_profiles_confirmed_by"
# Ctrl+C, and Ctrl+D, which would otherwise be a character of the answer.
ENOUGH = (b"\x03", b"\x04")

display = Display()


class ActionModule(ControllerAction):
    """Asks for all pending hand-overs. See the module of the same name, which is its documentation."""

    options: t.ClassVar[dict[str, t.Any]] = {
        "confirmed_by": {"type": "str", "default": ""},
        "timeout": {"type": "int", "default": 1800},
    }

    def act(self, options: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        outcomes = looks(task_vars)
        cards = [card for found in outcomes.values() if found["status"] == "pending" for card in found["cards"]]
        confirmations: dict[str, dict[str, dict[str, str]]] = {}
        warnings: list[str] = []
        if cards and not self._task.check_mode:
            why_not = unattended(os.environ, task_vars)
            if not why_not:
                try:
                    # One that is wrong failed its environment in the look, and is no reason to ask about no other.
                    given, _problems = resolve((CONFIRMED_BY,), task_vars, self._templar)
                    by = options["confirmed_by"] or str(given.get(CONFIRMED_BY) or "")
                    confirmations = ask(cards, by.strip(), options["timeout"])
                except AnsiblePromptNoninteractive:
                    why_not = "there is no terminal to ask on"
            if why_not:
                waiting = (
                    "Nobody was asked, because {}: what is pending stays so, and waits for unified_profiles_confirm."
                )
                warnings = [waiting.format(why_not)]
        return {"warnings": warnings, "changed": False, "confirmations": confirmations}


def unattended(environ: Mapping[str, str], variables: Mapping[str, t.Any]) -> str:
    """Return why nobody can answer, or nothing."""
    if any(name in environ for name in UNATTENDED) or any(name in variables for name in UNATTENDED_VARIABLES):
        return "this is a job of ansible-runner or AWX"
    if for_a_machine():
        return "a program reads the output"
    return ""


def ask(cards: list[Card], by: str, timeout: int) -> dict[str, dict[str, dict[str, str]]]:
    """The confirmations of a person, card by card.

    Any other answer leaves its step pending; Ctrl+C, Ctrl+D and silence leave the rest.
    """
    arguments, more = how_to_run(context.CLIARGS)
    run = pages.Run(arguments=arguments, more=more)
    found: dict[str, dict[str, dict[str, str]]] = {}
    steps = "1 step is" if len(cards) == 1 else f"{len(cards)} steps are"
    display.display(f"\n{steps} pending. Do each in its console, then say so here. What you leave stays pending.")
    try:
        by = by or _answer("Your name, for the record:", timeout)
        if not by:
            display.display("Without a name nothing is recorded.")
            return found
        for number, card in enumerate(cards, 1):
            where = f"{pages.terminal(card['environment'])}, {card['step']}"
            display.display(f"\n[{number} of {len(cards)}]\n{pages.card_text(card, run)}")
            if (
                _answer(f"{where}: type {DONE} once it is done. Anything else leaves it pending:", timeout).lower()
                == DONE
            ):
                found.setdefault(card["environment"], {})[card["step"]] = {"by": by, "digest": card["digest"]}
            else:
                display.display(f"{where}: stays pending.")
    except AnsiblePromptInterrupt:
        display.display("Interrupted: the rest stays pending.")
    except _NobodyThere:
        display.display(f"No answer for {timeout} seconds: the rest stays pending.")
    return found


class _NobodyThere(Exception):
    """The time for an answer is over."""


def _answer(question: str, timeout: int) -> str:
    """One line from the terminal, by way of the parent process.

    Raises:
        _NobodyThere: It was not ended in time. What was typed until then counts for nothing.
        AnsiblePromptInterrupt: Ctrl+C or Ctrl+D.
        AnsiblePromptNoninteractive: There is no terminal.
    """
    start = time.monotonic()
    answer = display.prompt_until(question, seconds=timeout, interrupt_input=ENOUGH, complete_input=(b"\r", b"\n"))
    if time.monotonic() - start >= timeout:
        raise _NobodyThere
    return pages.terminal(bytes(answer).decode("utf-8", "replace")).strip()
