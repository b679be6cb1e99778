# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The values of all kinds that people write in an inventory, and the variables that Ansible reads from them."""

from __future__ import annotations

import string
import typing as t
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.manager import VariableManager
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.chain import Look
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import EnvironmentStatus
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._environment import (
    PACE,
    run_settings,
    survey_settings,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import SETTINGS
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._survey import Survey

LETTERS = string.ascii_lowercase + string.digits + "_"
# What must not be shown, wherever it is.
MARKED = "sgp_marked0123456789abcdefghijklmnopqrstuv"
# As they are in YAML. NAME is the setting itself.
VALUES = {
    # nothing
    **{"empty": '""', "blank": '" "', "null": "null", "omitted": '"{{ omit }}"', "template of none": '"{{ none }}"'},
    # other types
    **{"word": "word", "misspelt": "ture", "true": "true", "false": "false", "yes": "yes", "off": "off"},
    **{"number": "12", "negative": "-1", "zero": "0", "fraction": "1.5", "octal": "0o17", "sixties": "190:20:30"},
    **{"infinite": ".inf", "no number": ".nan", "huge": f"0x{'f' * 5000}", "huge fraction": "1e400"},
    **{"date": "2026-01-01", "time": "2026-01-01T00:00:00Z", "percentage": "50%"},
    **{"list": "[]", "numbers": "[1]", "nulls": "[null]", "words": "[a, b]", "dates": "[2026-01-01]"},
    **{"mapping": "{}", "null inside": "{a: null}", "number as key": "{1: 2}", "date inside": "{a: 2026-01-01}"},
    **{"null as key": "{null: a}", "true as key": "{true: a}", "date as key": "{2026-01-01: a}"},
    **{"deep list": "[" * 60 + "]" * 60, "deep mapping": "{a: " * 60 + "1" + "}" * 60},
    **{"set": "!!set {a, b}", "binary": "!!binary aGVsbG8=", "binary that is no text": "!!binary //8="},
    **{"binary in a list": "[!!binary //8=]", "binary inside": "{a: !!binary //8=}"},
    # strings where something else belongs
    **{"JSON": "'{\"a\": 1}'", "JSON list": "'[1]'", "comma": "a,b", "equals": "a=b", "long": "x" * 100_000},
    **{"bell": '"a\\u0007b"', "line break": '"a\\nb"', "nul": '"a\\0b"', "invisible": '"a\\u200bb"'},
    **{"right to left": '"a\\u202eb"', "accent": "é", "emoji": '"\\U0001f600"'},
    **{"URL": f"http://user:{MARKED}@127.0.0.1:9/x", "no URL": "http://[::1", "another scheme": "ftp://x"},
    **{"no user": "~nosuchuser/x", "unset variable": "$NOSUCH/x", "relative": "x/y", "root": "/"},
    **{"device": "/dev/null", "memory": "/proc/self/mem", "long name": "/" + "x" * 300},
    # templates
    **{"undefined": '"{{ nosuch }}"', "undefined inside": '"{{ nosuch.inner }}"', "itself": '"{{ NAME }}"'},
    **{"division": '"{{ 1 / 0 }}"', "no statement": '"{% if %}"', "unclosed": '"{{ nosuch"'},
    **{"no file": "\"{{ lookup('file', '/nosuch') }}\"", "no lookup": "\"{{ lookup('nosuch') }}\""},
    **{"no filter": '"{{ 1 | nosuch }}"', "hostvars": '"{{ hostvars }}"', "vars": '"{{ vars }}"'},
    **{"undefined in a list": '["{{ nosuch }}"]', "undefined in a mapping": '{a: "{{ nosuch }}"}'},
    **{"template as key": '{"{{ nosuch }}": 1}', "unsafe": "!unsafe 'a{{b'", "unsafe mapping": "!unsafe {a: '{{b'}"},
    # a secret in the wrong place
    **{"secret": MARKED, "secret in a list": f"[{MARKED}]", "secret inside": f"{{a: {MARKED}}}"},
    **{"secret as key": f"{{{MARKED}: a}}", "secret as template": f'"{{{{ {MARKED} }}}}"'},
    **{"secret before a mark": f'"{MARKED}{{{{tail"', "secret after a mark": f'"head{{%{MARKED}"'},
}
# What a secret may have in it: what YAML, Jinja, shells, URLs, JSON and HTML take for something else.
MARKS = (
    *"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    *("{{", "}}", "{%", "%}", "{#", "#}", "{{x}}", "{{7*7}}", "{%raw%}", "#jinja2:", "${x}", "$(id)", "`id`", "$$"),
    *(
        "%41",
        "%00",
        "&amp;",
        "&#65;",
        "</b>",
        "\\n",
        "\\u0041",
        "\\\\",
        '\\"',
        "://",
        "@@",
        "!vault",
        "<<",
        "''",
        "==",
        "+/=",
    ),
)


def inventory_of(base: Mapping[str, str], hosts: Mapping[str, Mapping[str, str]]) -> str:
    """The text of an inventory with the group's variables and those of each host, as they are in YAML."""
    lines = ["unified_profiles:", "  vars:", *(f"    {name}: {value}" for name, value in base.items()), "  hosts:"]
    for host, variables in hosts.items():
        lines += [f"    {host}:", *(f"      {name}: {value}" for name, value in variables.items())]
    return "\n".join(lines) + "\n"


def of_hosts(folder: Path, base: Mapping[str, str], hosts: Mapping[str, Mapping[str, str]]) -> Iterator[t.Any]:
    """The variables of each host of an inventory, and a templar for them.

    Args:
        folder: Where the inventory is written.
        base: The group's variables, as they are in YAML.
        hosts: Those of each host.
    """
    file = folder / "hosts.yml"
    file.write_text(inventory_of(base, hosts))
    loader = DataLoader()
    inventory = InventoryManager(loader=loader, sources=[str(file)])
    manager = VariableManager(loader=loader, inventory=inventory)
    for host in hosts:
        variables = manager.get_vars(host=inventory.get_host(host))
        yield host, variables, Templar(loader=loader, variables=variables)


def pace(threads: int = 32, limit: float = 120.0, total: float = 3600.0) -> dict[str, t.Any]:
    """The settings of a run: how many environments are looked at at once, and seconds for one and for all."""
    return dict(zip(PACE, (threads, limit, total)))


def looked_at(
    of_environments: Iterable[t.Any], playbook: str = "connect"
) -> tuple[Mapping[str, Look], Mapping[str, EnvironmentStatus], dict[str, list[str]]]:
    """Return the looks of those whose settings are fine, and how they are reported; and what is wrong with the settings of the others."""
    settings: dict[str, t.Any] = {}
    told: dict[str, list[str]] = {}
    for host, variables, templar in of_environments:
        _run, problems = run_settings(variables, templar, SETTINGS)
        found, more = survey_settings(variables, templar, playbook, SETTINGS, {host})
        if told_of := [*problems, *more]:
            told[host] = told_of
        else:
            settings[host] = found
    survey = Survey(playbook, pace(8), lambda line: None)
    looks = survey.look([*settings], lambda host: (settings[host], []))
    return looks, survey.outcomes(looks, False), told


def changes(name: str, letters: str = LETTERS) -> Iterator[str]:
    """The name with one letter left out, put in, replaced, or swapped with the next."""
    for at in range(len(name) + 1):
        before, after = name[:at], name[at:]
        for letter in letters:
            yield before + letter + after
            yield before + letter + after[1:]
        yield before + after[1:]
        yield before + after[1:2] + after[:1] + after[2:]
