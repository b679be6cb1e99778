# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""All that can be checked before anything is changed."""

from __future__ import annotations

import functools
import typing as t

from .._base.errors import ApiError, Failure, Refused
from .._base.gather import gather
from .._handover.endpoint import Endpoint
from .._handover.handover import attested_by
from .._handover.handovers import check_consent
from .._module.context import ModuleContext
from .._module.values import check_source_name
from .flex import check_flex
from .space import validate


def check_offline(call: ModuleContext) -> None:
    """Check what no service has to be asked for. About an environment that may not be connected none is asked anything.

    Raises:
        OptionError: An option cannot be used, or the consent is missing.
        Refused: The environment is subject to a regulation.
    """
    check_consent(call)
    check_source_name(call["source_name"])
    attested_by(call)


def preflight(call: ModuleContext, steps: t.Collection[str]) -> dict[str, t.Any]:
    """Ask all services whether an environment can be connected.

    Args:
        call: Its options.
        steps: The hand-overs whose endpoints must answer.

    Raises:
        Failure: What one check found, or Refused with what several found.
    """
    endpoints = {step: options for step, options in (call["endpoints"] or {}).items() if options and step in steps}
    reads: dict[str, t.Callable[[], t.Any]] = {
        "space": lambda: validate(call, rights=False),
        "flex": lambda: check_flex(call),
        **{step: functools.partial(_look, call, step, options) for step, options in endpoints.items()},
    }
    found: dict[str, t.Any] = gather(reads, call.workers)
    failures = [failure for failure in found.values() if isinstance(failure, Failure)]
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise Refused(" ".join(failure.full_message for failure in failures))
    return {**found["space"], **found["flex"]}


def _look(call: ModuleContext, step: str, options: t.Mapping[str, t.Any]) -> str | None:
    """Return the endpoint's value, or nothing if it has none yet."""
    endpoint = Endpoint(call.transport.with_separate_budget(), step, options, f"endpoints.{step}")
    try:
        return endpoint.read()
    except ApiError as failure:
        if failure.status in (401, 403):
            raise
        # Before the form was filled in an endpoint may have no other answer. The step itself will tell.
        return None
