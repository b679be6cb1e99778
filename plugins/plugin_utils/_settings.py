# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Evaluates settings one by one, so that of one that cannot be evaluated its name is told, and nothing of its value.

Ansible quotes the template in its message, and a password with a mark such as ``{{`` in it is a template.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping

from ansible.errors import AnsibleUndefinedVariable

HOW = "If {{, {% or {# is part of the value itself, write it with the tag !unsafe."
NOTHING = object()


def resolve(names: Iterable[str], variables: Mapping[str, t.Any], templar: t.Any) -> tuple[dict[str, t.Any], list[str]]:
    """The values of the settings that are given.

    Args:
        names: The variables to evaluate. Those that are not given, or omitted, have no value.
        variables: The variables of a host.
        templar: Ansible's, for the same host.

    Returns:
        The values in plain containers, by name, and a sentence for each that cannot be evaluated.
    """
    values: dict[str, t.Any] = {}
    problems = []
    omit = variables.get("omit", NOTHING)
    for name in names:
        if name not in variables:
            continue
        try:
            # In a mapping, because what is omitted alone is an error in some releases of Ansible.
            values.update(to_builtin(templar.template({name: variables[name]}, fail_on_undefined=True), omit))
        except AnsibleUndefinedVariable:
            problems.append(f"{name}: refers to a variable that is not defined. {HOW}")
        except Exception:
            problems.append(f"{name}: cannot be evaluated as a template. {HOW}")
    return values, problems


def to_builtin(value: t.Any, omit: t.Any = NOTHING) -> t.Any:
    """The value in plain containers, without what Ansible keeps beside it or is to ``omit``, and with vaulted texts opened."""
    if isinstance(value, Mapping):
        return {str(name): to_builtin(inner, omit) for name, inner in value.items() if inner != omit}
    if isinstance(value, (list, tuple)):
        return [to_builtin(inner, omit) for inner in value if inner != omit]
    # Before 2.19 they are objects, which no check of types knows.
    return str(value) if getattr(value, "__ENCRYPTED__", False) else value
