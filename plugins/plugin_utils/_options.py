# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""A module's options from an environment's settings. A setting is called as its option, after ``unified_profiles_``. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Collection, Mapping, Sequence

from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.accepted import Accepted, is_day
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.rotate import WORDS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.steps import STEPS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.values import DIGEST, quoted

PREFIX = "unified_profiles_"


def options(
    settings: Mapping[str, t.Any], spec: Mapping[str, t.Any], environment: str, step: str = ""
) -> dict[str, t.Any]:
    """The options that a module has, as far as the settings have them.

    Args:
        settings: All settings of an environment, checked.
        spec: The module's argument specification.
        environment: Its name.
        step: The hand-over that the module carries out, if it does.
    """
    known = {name.removeprefix(PREFIX): value for name, value in settings.items() if name.startswith(PREFIX)}
    endpoints = (known.pop("endpoints", None) or {}) if known.get("channel") == "endpoint" else {}
    confirm = known.pop("confirm", None) or {}
    by_step = (confirm.get(environment) or {}) if isinstance(confirm, Mapping) else {}
    known |= {
        "environment": environment,
        "endpoints": endpoints,
        "endpoint": endpoints.get(step),
        "confirmations": by_step,
        "confirm": by_step.get(step),
        "confirm_digests": [] if isinstance(confirm, Mapping) else digests(confirm),
    }
    return {name: value for name, value in known.items() if name in spec and value is not None}


def digests(given: t.Any) -> list[str]:
    """The digests that somebody gave: a list of them, or a string with commas, blanks or line breaks between them."""
    # YAML takes one that has no letter for a number.
    return [str(digest) for digest in given] if isinstance(given, list) else re.findall(r"[^\s,]+", str(given))


def confirmation_problem(confirm: t.Any, hosts: Collection[str]) -> str:
    """The problem with the run's confirmations, or an empty string.

    A misspelt confirmation confirms nothing, so all are refused with it.

    Digests need no mapping: each names environment and step.
    """
    if not isinstance(confirm, dict) and (given := digests(confirm)) and all(map(DIGEST.fullmatch, given)):
        return ""
    if not (isinstance(confirm, dict) and all(isinstance(steps, dict) for steps in confirm.values())):
        problem = (
            "is neither the digest of a card, nor a list of digests, nor a mapping of environments to mappings of steps"
        )
    elif unknown := [quoted(name) for name in confirm if name not in hosts] + [
        f"the step {quoted(step)}" for step in sorted({step for steps in confirm.values() for step in steps} - {*STEPS})
    ]:
        problem = f"names {', '.join(unknown)}, which this inventory does not have"
    else:
        return ""
    return (
        f"unified_profiles_confirm: {problem}. Write -e unified_profiles_confirm=DIGEST -e unified_profiles_confirmed_by=NAME; or "
        f"-e '{{\"unified_profiles_confirm\": {{environment: {{step: {{by, digest}}}}}}}}', "
        f"with the steps {', '.join(STEPS)}. Nothing was done."
    )


def accepted_problems(entries: Sequence[Mapping[str, t.Any]]) -> list[str]:
    """A sentence for each entry of the accepted drift that says too little, or whose end is no date."""
    told = []
    for index, entry in enumerate(entries):
        where = f"unified_profiles_accepted_drift[{index}]"
        if missing := [name for name in Accepted.__annotations__ if entry.get(name) in (None, "")]:
            told.append(f"{where}: has no {' and no '.join(missing)}. Drift is accepted for a reason, and until a day.")
        elif not is_day(entry["until"]):
            told.append(f"{where}.until: is no date. Write the last day like 2026-12-31.")
    return told


def endpoints_problem(settings: Mapping[str, t.Any], steps: Collection[str]) -> str:
    """The problem if endpoints are missing, or an empty string."""
    endpoints = settings.get("unified_profiles_endpoints") or {}
    missing = [step for step in steps if not endpoints.get(step)]
    if settings.get("unified_profiles_channel") != "endpoint" or not missing:
        return ""
    named = f"has no {' and no '.join(missing)}, and unified_profiles_channel is endpoint"
    return f"unified_profiles_endpoints: {named}. Describe the endpoint of each step."


def keys_problem(settings: Mapping[str, t.Any], hosts: Collection[str]) -> str:
    """The problem with the settings that name a key by environment, or an empty string.

    A misspelt name would have no effect at all.
    """
    for option in WORDS:
        name, said = PREFIX + option, settings.get(PREFIX + option) or {}
        unknown = sorted(quoted(host) for host in said if host not in hosts)
        problem = f"names {', '.join(unknown)}, which this inventory does not have" if unknown else ""
        if not all(isinstance(key, str) and DIGEST.fullmatch(key) for key in said.values()):
            problem = "does not have the fingerprint of a key, of 12 digits, for each environment"
        if problem:
            return f'{name}: {problem}. Write -e \'{{"{name}": {{"ENVIRONMENT": "FINGERPRINT"}}}}\'. Nothing was done.'
    return ""
