# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Checks arguments against a specification. No message quotes a value: any option may hold a secret by mistake."""

from __future__ import annotations

import datetime
import math
import os
import typing as t
from collections.abc import Callable, Iterator, Mapping

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import set_fallbacks
from ansible.module_utils.common.validation import (
    check_type_bool,
    check_type_dict,
    check_type_float,
    check_type_int,
    check_type_list,
    check_type_str,
)
from ansible.module_utils.errors import UnsupportedError

from .._base.secret import shape
from .._base.text import nearest

# What YAML has and JSON has not.
OF_YAML = (datetime.date, bytes, set)
# Bits of a whole number.
LARGEST = 64


def _text(value: t.Any) -> str:
    # How anything but a whole number was written is not known: YAML makes 1.1 of 1.10, and true of yes.
    if value is None or isinstance(value, (bool, float, Mapping, list, tuple, *OF_YAML)):
        raise TypeError
    return t.cast(str, check_type_str(value))


def _number(value: t.Any) -> float:
    # Ansible takes yes for 1.
    if isinstance(value, bool):
        raise TypeError
    number = check_type_float(value)
    if not math.isfinite(number):
        raise ValueError
    return t.cast(float, number)


def _whole(value: t.Any) -> int:
    # Ansible writes "1e999999999" out digit by digit.
    _number(value)
    return t.cast(int, check_type_int(value))


def _mapping(value: t.Any) -> dict[str, t.Any]:
    # Ansible also takes "key=value", and makes the beginning of a token that ends in "=" the name of an option.
    if isinstance(value, str) and not value.lstrip().startswith("{"):
        raise TypeError
    return t.cast("dict[str, t.Any]", check_type_dict(value))


# What each type is called, and what makes it of other values.
TYPES: dict[str, tuple[str, Callable[[t.Any], t.Any]]] = {
    "bool": ("true or false", check_type_bool),
    "dict": ("a mapping", _mapping),
    "float": ("a finite number", _number),
    "int": ("a whole number", _whole),
    "list": ("a list", check_type_list),
    "path": ("a string", _text),
    "raw": ("anything", lambda value: value),
    "str": ("a string", _text),
}


def check(
    spec: Mapping[str, t.Any], given: Mapping[str, t.Any], module: str = "", **constraints: t.Any
) -> tuple[dict[str, t.Any], list[str]]:
    """Check and convert arguments.

    Args:
        spec: The specification, as Ansible writes it.
        given: The arguments. What is null is not given.
        module: The module's name, for what is said about an option that it does not have.
        constraints: AnsibleModule's keywords, such as ``required_if``.

    Returns:
        The arguments with defaults and fallbacks, and a sentence for each problem.
    """
    arguments = _without_null(spec, given)
    mine = {*arguments}
    set_fallbacks(spec, arguments)
    if problems := list(_problems(spec, arguments)):
        # Of what the environment gives, the variable is what somebody has set.
        read = {name: _variable(spec[name]) for name in arguments.keys() - mine}
        return arguments, [_naming(problem, read) for problem in problems]
    # What remains for Ansible to find speaks of names only.
    checked = ArgumentSpecValidator(spec, **constraints).validate(arguments)
    prefix = f"Unsupported parameters for ({module}) module: " if module else "Unsupported parameters: "
    problems = [
        f"{prefix}{error.msg}{_meant(spec, given)}" if isinstance(error, UnsupportedError) else error.msg
        for error in checked.errors
    ]
    return checked.validated_parameters, problems


def _variable(option: Mapping[str, t.Any]) -> str:
    return next(str(name) for name in option["fallback"][1] if name in os.environ)


def _naming(problem: str, read: Mapping[str, str]) -> str:
    option, told = problem.split(": ", 1)
    return f"{option} (from the environment variable {read[option]}): {told}" if option in read else problem


def _meant(spec: Mapping[str, t.Any], given: Mapping[str, t.Any]) -> str:
    meant = sorted({nearest(str(name), spec) for name in given if name not in spec} - {""})
    return f" Did you mean {' and '.join(meant)}?" if meant else ""


def _without_null(spec: Mapping[str, t.Any], given: Mapping[str, t.Any]) -> dict[str, t.Any]:
    inner = {name: option["options"] for name, option in spec.items() if option.get("options")}
    return {
        name: _without_null(inner[name], value) if name in inner and isinstance(value, Mapping) else value
        for name, value in given.items()
        # What has no such name is refused, whatever it is.
        if value is not None or name not in spec
    }


def _problems(spec: Mapping[str, t.Any], given: Mapping[str, t.Any], path: str = "") -> Iterator[str]:
    for name, option in spec.items():
        if given.get(name) is not None:
            yield from _problems_of(path + name, option, given[name])


def _problems_of(where: str, option: Mapping[str, t.Any], value: t.Any) -> Iterator[str]:
    called, convert = TYPES[option.get("type", "str")]
    try:
        converted = convert(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        quote = " Quote it." if convert is _text and isinstance(value, (bool, float, datetime.date)) else ""
        yield f"{where}: must be {called}, and is {shape(value)}.{quote}"
        return
    if odd := unusable(converted):
        yield f"{where}: {odd}"
        return
    choices = option.get("choices")
    if isinstance(converted, list):
        of_each = {"type": option.get("elements", "raw"), "choices": choices, "options": option.get("options")}
        for index, element in enumerate(converted):
            yield from _problems_of(f"{where}[{index}]", of_each, element)
    elif choices and converted not in choices:
        yield f"{where}: must be one of {', '.join(map(str, choices))}, and is {shape(value)}."
    elif isinstance(converted, Mapping) and (inner := option.get("options")):
        yield from _problems(inner, converted, f"{where}.")
        # What a key is like may be said, and what is like none may be a secret in the wrong place.
        for name in map(str, converted.keys() - inner.keys()):
            meant = nearest(name, inner)
            told = f"{name}. Did you mean {meant}?" if meant else f"{shape(name)}. It has {', '.join(inner)}."
            yield f"{where}: has no option {told}"


def unusable(value: t.Any) -> str:
    """Return why nothing can hold a value, or what is in it: neither a request nor a file. Empty if something can."""
    odd = _odd(value)
    return odd and f"has {odd} in it, which nothing takes. Quote it, or take it out."


def _odd(value: t.Any) -> str:
    if isinstance(value, Mapping):
        odd = next((key for key in value if isinstance(key, bool) or not isinstance(key, (str, int))), "")
        return f"a key that is {shape(odd)}" if odd != "" else _odd([*value, *value.values()])
    if isinstance(value, (list, tuple)):
        return next(filter(None, map(_odd, value)), "")
    if isinstance(value, str):
        return "" if value.isascii() or value.encode(errors="replace").decode() == value else "half a character"
    if isinstance(value, int):
        # Python writes no number of thousands of digits.
        return "" if value.bit_length() <= LARGEST else f"a number of more than {LARGEST} bits"
    if isinstance(value, float):
        return "" if math.isfinite(value) else "a number without an end"
    return shape(value) if isinstance(value, OF_YAML) else ""
