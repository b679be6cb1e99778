# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Parameters in, result or failure out: the one place where exceptions become results.

A module is a :class:`ArgumentSpec` and a function that takes a :class:`ModuleContext`. The same two run as an ordinary module
(:func:`run_as_module`) and inside the Ansible process (``plugin_utils/_in_process.py``).
"""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .._base.errors import Failure
from .._base.text import printable
from .arguments import check
from .context import ModuleContext
from .options import CONNECTION_OPTIONS
from .private_names import BareModule
from .state import Reconciled


@dataclass(frozen=True)
class ArgumentSpec:
    """The options that a module accepts, and their constraints.

    Attributes:
        options: Its own options; the connection options are added.
        constraints: AnsibleModule's keywords, such as ``required_if``.
    """

    options: Mapping[str, t.Any]
    constraints: Mapping[str, t.Any] = field(default_factory=dict)

    @property
    def argument_spec(self) -> dict[str, t.Any]:
        return {**CONNECTION_OPTIONS, **self.options}


def run(
    spec: ArgumentSpec,
    body: Callable[[ModuleContext], dict[str, t.Any]],
    arguments: Mapping[str, t.Any],
    module: str,
    check_mode: bool,
    tell: Callable[[str], None] = lambda line: None,
) -> dict[str, t.Any]:
    """Check the arguments, then run the module's body. Always gives a result; never raises."""
    params, problems = check(spec.argument_spec, arguments, module, **spec.constraints)
    if problems:
        return {"failed": True, "msg": " ".join(problems)}
    return run_in_process(body, params, check_mode, tell)


def run_in_process(
    body: Callable[[ModuleContext], dict[str, t.Any]],
    params: Mapping[str, t.Any],
    check_mode: bool,
    tell: Callable[[str], None] = lambda line: None,
) -> dict[str, t.Any]:
    """Run a module's body, which tells a person how far it is. Always gives a result; never raises."""

    def context() -> ModuleContext:
        call = ModuleContext(params, check_mode)
        call.tell = tell
        return call

    return result_of(body, context)


def result_of(
    body: Callable[[ModuleContext], dict[str, t.Any]], context: Callable[[], ModuleContext]
) -> dict[str, t.Any]:
    """The result of a body in a context of its own. Always gives one; never raises."""
    call: ModuleContext | None = None
    try:
        call = context()
        result = {"changed": False, **body(call)}
        if call.warnings:
            result["warnings"] = call.warnings
    except Failure as failure:
        # What was changed before it failed was changed.
        result = {**failure.as_result(), "changed": call is not None and call.transport.tally.wrote}
    except Exception as error:
        result = defect(error)
    finally:
        if call is not None:
            call.transport.close()
    return t.cast("dict[str, t.Any]", printable(result, call.transport.hidden.in_result if call else str))


def defect(error: Exception) -> dict[str, t.Any]:
    """The failed result for an error that nobody foresaw: where it was, and nothing that could be a value."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else "?"
    return {
        "failed": True,
        "msg": f"A defect in flexops.unified_profiles: {type(error).__name__} at {where}. Please report it.",
        "failure": {"kind": "defect", "type": type(error).__name__, "where": where},
    }


def change_result(outcome: Reconciled, **more: t.Any) -> dict[str, t.Any]:
    """The part of a result that every managed resource has."""
    return {"changed": outcome.plan.changed, "diff": outcome.plan.diff, **more}


def run_as_module(spec: ArgumentSpec, body: Callable[[ModuleContext], dict[str, t.Any]]) -> None:
    """Run as an ordinary module: on a remote host, or with ``async``."""
    module = BareModule(spec.argument_spec, spec.constraints)
    result = run(spec, body, module.arguments, module.name, module.check_mode)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
