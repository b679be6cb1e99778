# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The settings of an environment: the table of them all, their values, and what is wrong with these.

They are evaluated one by one, so that of one that cannot be evaluated its name is reported, and nothing of its value. Ansible quotes the
template in its message, and a password with a mark such as ``{{`` in it is a template.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path

from ansible import template
from ansible.errors import AnsibleUndefinedVariable
from ansible.module_utils.common.yaml import yaml_load
from ansible.module_utils.parsing.convert_bool import BOOLEANS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import OptionError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import shape
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.text import INVISIBLE
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.endpoint import ENDPOINT_OPTIONS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.steps import STEPS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.arguments import check, unusable
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.values import (
    DIGEST,
    check_labels,
    errors_in_shown,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._rollout import batches_problem, limit_problem

DIGESTS = tuple(f"unified_profiles_{name}" for name in ("withdraw", "handover_again", "acknowledge"))
HOW = "If {{, {% or {# is part of the value itself, write it with the tag !unsafe."
NOTHING = object()
# With a header of this name a string has marks of its own.
MARKS = re.compile(r"\{[{%#]|#jinja2:")


def table(role: str) -> dict[str, dict[str, t.Any]]:
    """The argument specifications of a role, by entry point."""
    file = Path(__file__).parents[2] / f"roles/{role}/meta/argument_specs.yml"
    return {point: spec["options"] for point, spec in yaml_load(file.read_bytes())["argument_specs"].items()}


# Read once, before Ansible forks.
_TABLE = table("settings")
_TABLE["main"]["unified_profiles_endpoints"]["options"] = dict.fromkeys(STEPS, ENDPOINT_OPTIONS)
RUN_ONLY = frozenset(_TABLE["run"])
SETTINGS: dict[str, t.Any] = {**_TABLE["main"], **_TABLE["run"]}
LIMITS: dict[str, tuple[str, Callable[[float], bool]]] = {
    "unified_profiles_key_max_age": ("a number of days above 0, such as 90", lambda number: 0 < number <= 36500),
    "unified_profiles_key_overlap": ("a number of hours from 0 to 8760", lambda number: 0 <= number <= 8760),
    "unified_profiles_recover_max_percentage": ("from 0 to 100", lambda number: 0 <= number <= 100),
    "unified_profiles_snapshot_max_age": ("0 or more", lambda number: number >= 0),
    "unified_profiles_test_event_timeout": ("0 or more", lambda number: number >= 0),
    "unified_profiles_survey_threads": ("1 or more", lambda number: number >= 1),
    "unified_profiles_survey_timeout": ("more than 0", lambda number: number > 0),
    "unified_profiles_survey_total_timeout": ("more than 0", lambda number: number > 0),
}


def resolve(names: Iterable[str], variables: Mapping[str, t.Any], templar: t.Any) -> tuple[dict[str, t.Any], list[str]]:
    """The values of the settings that are given.

    Args:
        names: The variables to evaluate. Those that are not given, or omitted, have no value.
        variables: The variables of a host.
        templar: Ansible's, for the same host.

    Returns:
        The values as Python's own, by name, and a sentence for each that cannot be evaluated.
    """
    values: dict[str, t.Any] = {}
    problems = []
    known: dict[str, t.Any] = {}
    omit = variables.get("omit", NOTHING)
    for name in names:
        if name not in variables:
            continue
        try:
            found = to_builtin(_evaluated({name: variables[name]}, templar, known), omit)
        except AnsibleUndefinedVariable:
            problems.append(f"{name}: refers to a variable that is not defined. {HOW}")
        except Exception:
            problems.append(f"{name}: cannot be evaluated as a template. {HOW}")
        else:
            if odd := unusable(found):
                problems.append(f"{name}: {odd}")
            else:
                values.update(found)
    return values, problems


def _evaluated(value: t.Any, templar: t.Any, known: dict[str, t.Any]) -> t.Any:
    """The value without templates. Only strings that have marks are evaluated, each once: to evaluate a container takes Ansible longer.

    Args:
        value: A variable's.
        templar: Ansible's.
        known: What the templates before came to, by their text. It is added to.
    """
    if is_plain(value):
        return value
    if isinstance(value, Mapping) and all(map(is_plain, value)):
        return {name: _evaluated(inner, templar, known) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_evaluated(inner, templar, known) for inner in value]
    if not (isinstance(value, str) and is_template(value)):
        return _template(value, templar)
    if value not in known:
        known[str(value)] = _template(value, templar)
    return known[str(value)]


def _template(value: t.Any, templar: t.Any) -> t.Any:
    # In a mapping, because what is omitted alone is an error in some releases of Ansible.
    return templar.template({"": value}, fail_on_undefined=True).get("", NOTHING)


def is_plain(value: t.Any) -> bool:
    """Return whether there is nothing to evaluate in a value, which spares most of the time that evaluating takes."""
    if isinstance(value, str):
        return not MARKS.search(value)
    if isinstance(value, Mapping):
        return all(is_plain(name) and is_plain(inner) for name, inner in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return value is None or isinstance(value, (bool, int, float))


def is_template(text: str) -> bool:
    """Return whether Ansible evaluates the text, and does not take it as it is, as with the tag !unsafe."""
    if hasattr(template, "is_trusted_as_template"):
        return bool(template.is_trusted_as_template(text))
    return not getattr(text, "__UNSAFE__", False)


def to_builtin(value: t.Any, omit: t.Any = NOTHING) -> t.Any:
    """The value as Python's own, without what Ansible keeps beside it or is to ``omit``, and with vaulted strings opened."""
    if isinstance(value, Mapping):
        # Any other key is for the check to refuse.
        return {
            str(name) if isinstance(name, (str, int)) and not isinstance(name, bool) else name: to_builtin(inner, omit)
            for name, inner in value.items()
            if not _left_out(inner, omit)
        }
    if isinstance(value, (list, tuple)):
        return [to_builtin(inner, omit) for inner in value if not _left_out(inner, omit)]
    # Before 2.19 they are objects, which no check of types knows.
    if getattr(value, "__ENCRYPTED__", False):
        return str(value)
    # Strings with something beside them take long to copy, and each check copies them.
    return str.__str__(value) if isinstance(value, str) else value


def _left_out(value: t.Any, omit: t.Any) -> bool:
    return value is NOTHING or bool(value == omit)


def settings_of(
    given: Mapping[str, t.Any],
    *,
    hostname: str,
    inventory_dir: str | None,
    awx_user_name: str | None,
    table: Mapping[str, t.Any] = SETTINGS,
) -> tuple[dict[str, t.Any], list[str]]:
    """The settings of one environment, complete.

    Args:
        given: The values that were given, from :func:`resolve`. What is null is not given.
        hostname: The environment's name.
        inventory_dir: The folder of its inventory, if it has one.
        awx_user_name: Who started the job in AWX, if it runs there.
        table: The specification of all settings.

    Returns:
        Every setting by its variable's name, with the defaults, and None where there is neither; and a sentence for each problem.
        Where there is a problem, the settings are of no use.
    """
    computed = {
        "unified_profiles_confirmed_by": awx_user_name or "",
        "unified_profiles_friendly_name": hostname,
        "unified_profiles_state_dir": f"{inventory_dir}/.unified_profiles" if inventory_dir else None,
    }
    if problems := [*_problems(given, hostname)]:
        return {}, problems
    given = {name: value for name, value in given.items() if value is not None}
    settings, problems = check(table, {**computed, **given})
    if problems:
        return {}, problems
    if settings["unified_profiles_report_dir"] is None:
        settings["unified_profiles_report_dir"] = settings["unified_profiles_state_dir"]
    return settings, beyond_limits(settings)


def beyond_limits(settings: Mapping[str, t.Any]) -> list[str]:
    """A sentence for each number that is too large or too small."""
    limits = {name: limit for name, limit in LIMITS.items() if settings.get(name) is not None}
    return [f"{name}: must be {told}." for name, (told, holds) in limits.items() if not holds(settings[name])]


def _problems(given: Mapping[str, t.Any], hostname: str) -> Iterator[str]:
    """The problems beyond wrong types, a message each."""
    if INVISIBLE.search(hostname):
        yield "The environment's name has characters that nobody sees, and could be taken for another's. Rename it in the inventory."
    for name, value in given.items():
        # The roles take parts of it, and a string has none.
        if SETTINGS.get(name, {}).get("type") == "dict" and value is not None and not isinstance(value, Mapping):
            text = "; -e NAME=VALUE turns it into a string" if isinstance(value, str) else ""
            yield f"{name}: must be a mapping, and is {shape(value)}{text}. Write -e '{{\"{name}\": {{...}}}}', or a YAML file."
    yield from (error.full_message for error in errors_in_shown(given, "unified_profiles_"))
    for name in DIGESTS:
        digests = given.get(name) or []
        for digest in (
            digests.split(",") if isinstance(digests, str) else digests if isinstance(digests, list) else [digests]
        ):
            if not DIGEST.fullmatch(str(digest).strip()):
                yield f"{name}: {shape(digest)} is no digest of a card, which has 12 characters from 0 to 9 and a to f. Copy it again."
    if isinstance(labels := given.get("unified_profiles_source_labels"), Mapping):
        try:
            check_labels("unified_profiles_source_labels", labels)
        except OptionError as error:
            yield error.full_message
    # Ansible would make a name of it.
    if str(given.get("unified_profiles_attest_existing")).lower() in BOOLEANS:
        yield "unified_profiles_attest_existing: must be the name of who attests, and is a boolean. Write a name, or leave it out."
    # Null as well, of which the play's own setting makes a string.
    for name, problem_of in (
        ("unified_profiles_serial", batches_problem),
        ("unified_profiles_max_fail_percentage", limit_problem),
    ):
        if name in given and (problem := problem_of(given[name])):
            yield problem


def run_only_problem(variables: Collection[str], extra: Collection[str]) -> str:
    """The problem with settings for one run that are in the inventory or a play, or an empty string.

    Args:
        variables: The names of a host's variables.
        extra: The names of the extra variables.
    """
    standing = sorted(name for name in RUN_ONLY if name in variables and name not in extra)
    if not standing:
        return ""
    told = f"{', '.join(standing)}: is given to one run, with -e, and is in the inventory or in a play."
    return f"{told} There it would be said again in every run. Take it out. Nothing was done."
