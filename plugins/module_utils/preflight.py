# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All that can be checked before anything is changed."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

from .errors import Failure, OptionError, Refused
from .handover.steps import check_consent
from .runner import Call
from .segment.validate import attempt, validate
from .twilio.inspect import inspect


def preflight(call: Call) -> dict[str, t.Any]:
    """See the module profiles_preflight. Nobody is asked anything about an environment that may not be connected.

    Raises:
        Failure: What one check found, or Refused with what several found.
    """
    check_consent(call)
    if not call["source_name"].strip():
        raise OptionError("source_name", "is empty.", "Twilio expects 'twilio-unified-profiles'.")
    if call["existing_by"] is not None and not call["existing_by"].strip():
        raise OptionError(
            "existing_by", "is empty.", "Name who attests the existing connections (unified_profiles_confirmed_by)."
        )
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(attempt, lambda: inspect(call))
        found = [attempt(lambda: validate(call, rights=False)), asked.result()]
    failures = [failure for failure in found if isinstance(failure, Failure)]
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise Refused(" ".join(failure.told for failure in failures))
    space, flex = found
    return {**space, **flex, "source_name": call["source_name"], "region": call["segment_region"]}
