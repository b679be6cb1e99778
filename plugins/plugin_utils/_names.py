# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Names of settings: which are misspelt, and what a message calls them.

Ansible takes any name for a variable, so one that is misspelt would silently say nothing.
"""

from __future__ import annotations

import difflib
import functools
import re
import typing as t
from collections.abc import Collection, Iterable

from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.text import nearest
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import SETTINGS

PREFIX = "unified_profiles_"
# What the names of 0.1.0 are now.
RENAMED = {
    "connection_friendly_name": "unified_profiles_friendly_name",
    "link_and_key_fingerprint": "unified_profiles_key_fingerprint",
    "report_dir": "unified_profiles_report_dir",
    "unified_profiles_canary": "unified_profiles_test_event",
    "unified_profiles_canary_wait": "unified_profiles_test_event_timeout",
    "unified_profiles_connector": "unified_profiles_read_connector",
    "unified_profiles_handover_existing": "unified_profiles_attest_existing",
    "unified_profiles_handover_interactive": "unified_profiles_prompt",
}
# Variables that are no settings: of roles, playbooks, the sandbox's inventory and the survey in AWX, and the outcomes
# that a job hands on.
SET_HERE = frozenset(
    {
        "unified_profiles",
        "unified_profiles_asked",
        "unified_profiles_exported",
        "unified_profiles_failure",
        "unified_profiles_gateway",
        "unified_profiles_gateway_headers",
        "unified_profiles_gateway_token",
        "unified_profiles_look",
        "unified_profiles_look_again",
        "unified_profiles_outcomes",
        "unified_profiles_sandbox",
        "unified_profiles_sandbox_host",
        "unified_profiles_sent_test_event",
    }
)
KNOWN = SETTINGS.keys() | SET_HERE
# The longest first: timeout ends survey_timeout as well.
SHORT = sorted((name.removeprefix(PREFIX) for name in SETTINGS), key=len, reverse=True)
# Options as messages name them. Those of one word are words of any sentence, but where they begin a message.
OPTION = re.compile(
    rf"(?<![\w./{{-])(?:{'|'.join(name for name in SHORT if '_' in name)})(?![\w}}])"
    rf"|^(?:{'|'.join(name for name in SHORT if '_' not in name)})(?=: )|\bledger(?=: sync)"
)
# What of a result is for people.
FOR_PEOPLE = {"msg", "next_step", "warnings", "detail", "reason"}
LEAD = re.compile("^(?:twilio|segment|flex|flexops)_")
BEGINNING = re.compile("unified_?profiles?_?")
OWN = "If it is a variable of your own, name it in unified_profiles_own_variables."


def unknown_names(variables: Iterable[str], own: Collection[str]) -> list[str]:
    """Find the variables that were meant as settings and are none.

    Args:
        variables: The names of a host's variables.
        own: Those that the user has for other purposes, ``unified_profiles_own_variables``.

    Returns:
        A sentence for each, with the setting that it is most like.
    """
    return [told for name in sorted({*variables} - KNOWN - {*own}) if (told := _told(name))]


# The hosts of a run have the same names.
@functools.lru_cache(maxsize=4096)
def _told(name: str) -> str:
    if name in RENAMED:
        return f"{name}: is called {RENAMED[name]} now. {OWN}"
    plain = name.lower().replace("-", "_")
    begun = BEGINNING.match(plain)
    prefixed = plain.startswith(PREFIX)
    short = nearest(plain[begun.end() :], SHORT, 0.6 if prefixed else 0.8) if begun else ""
    if short := short or _ending(plain):
        return f"{name}: is no setting. Did you mean {PREFIX}{short}? {OWN}"
    if prefixed:
        return f"{name}: is no setting, and like none. See ansible-doc -t role flexops.unified_profiles.settings. {OWN}"
    return ""


def _ending(name: str) -> str:
    """The setting, without the prefix, that the name ends with after something like the prefix."""
    for short in SHORT:
        if name.endswith(short) and _is_like_prefix(LEAD.sub("", name[: -len(short)])):
            return short
    return ""


def _is_like_prefix(text: str) -> bool:
    # Two letters may differ.
    return difflib.SequenceMatcher(None, PREFIX, text).ratio() > 0.85


def as_settings(result: t.Any, for_people: bool = False) -> t.Any:
    """A result whose strings for people name settings where they named options, since an inventory has no options.

    Args:
        result: What a module or a look returns.
        for_people: Whether all strings in it are.
    """
    if isinstance(result, str):
        return OPTION.sub(lambda found: PREFIX + found[0], result) if for_people else result
    if isinstance(result, list):
        return [as_settings(value, for_people) for value in result]
    if isinstance(result, dict):
        return {
            # A look's failure is a string, and a module's has parts.
            key: as_settings(value, for_people or key in FOR_PEOPLE or (key == "failure" and isinstance(value, str)))
            for key, value in result.items()
        }
    return result
