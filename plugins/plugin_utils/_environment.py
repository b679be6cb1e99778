# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The settings of an environment and of a run, from a host's variables. The survey and the tasks that act take them from here."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Collection, Mapping

from ansible.constants import MAGIC_VARIABLE_MAPPING
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.survey import HANDED_OVER
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.arguments import check
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._names import unknown_names
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._options import (
    accepted_problems,
    confirmation_problem,
    endpoints_problem,
    keys_problem,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._rollout import batches_problem, limit_problem
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import (
    SETTINGS,
    beyond_limits,
    resolve,
    run_only_problem,
    settings_of,
)

LOOK, ASKED, TEST_EVENT = "unified_profiles_look", "unified_profiles_asked", "unified_profiles_sent_test_event"
OWN = "unified_profiles_own_variables"
SERIAL, LIMIT = "unified_profiles_serial", "unified_profiles_max_fail_percentage"
# What Ansible evaluates for each task of a host. Where it cannot, the host gets no task.
FOR_EACH_TASK = tuple(sorted({name for names in MAGIC_VARIABLE_MAPPING.values() for name in names}))
# How many environments are looked at at once, the seconds of one look, and those of all of them.
PACE = ("unified_profiles_survey_threads", "unified_profiles_survey_timeout", "unified_profiles_survey_total_timeout")
OF_THE_RUN = (SERIAL, LIMIT, *PACE)
OF_NO_HOST = (
    f"{SERIAL}: Ansible takes batches from extra variables only (-e, or those of a job template). This one is in the inventory, so "
    "all environments would go at once. Give it as an extra variable. Nothing was done."
)

Found = tuple[dict[str, t.Any], list[str]]


def environment_settings(
    variables: Mapping[str, t.Any], templar: t.Any, table: Mapping[str, t.Any] = SETTINGS
) -> Found:
    """The settings of one environment, and what the run knows of it besides.

    Args:
        variables: The variables of its host, as a task has them.
        templar: Ansible's, for the same host.
        table: The specification of all settings.

    Returns:
        The settings by their variables' names, and a sentence for each that is wrong. ``clock_skew``,
        ``sent_test_event`` and what was confirmed at the terminal are among them.
    """
    name = str(variables["inventory_hostname"])
    own, problems = resolve([OWN], variables, templar)
    named, more = check({OWN: SETTINGS[OWN]}, own)
    if problems := problems or more or unknown_names(variables, named[OWN]):
        return {}, problems
    given, problems = resolve(SETTINGS, variables, templar)
    if problems:
        return {}, problems
    asked = (variables.get(ASKED) or {}).get("confirmations") or {}
    if name in asked:
        given["unified_profiles_confirm"] = {name: dict(asked[name])}
    settings, problems = settings_of(
        given,
        hostname=name,
        inventory_dir=variables.get("inventory_dir"),
        awx_user_name=variables.get("awx_user_name"),
        table=table,
    )
    looked = ((variables.get(LOOK) or {}).get("environments") or {}).get(name) or {}
    settings["unified_profiles_clock_skew"] = looked.get("clock_skew", 0.0)
    settings[TEST_EVENT] = (variables.get(TEST_EVENT) or {}).get("test_event")
    return settings, problems


def survey_settings(
    variables: Mapping[str, t.Any],
    templar: t.Any,
    playbook: str,
    extra: Collection[str],
    hosts: Collection[str],
    table: Mapping[str, t.Any] = SETTINGS,
) -> Found:
    """The settings of one environment as :func:`environment_settings` has them, with all that can be wrong with them.

    Args:
        variables: The variables of its host.
        templar: Ansible's, for the same host.
        playbook: The playbook that looks.
        extra: The names of the extra variables.
        hosts: The names of all hosts of the inventory.
        table: The specification of all settings.
    """
    if problem := run_only_problem(variables, extra):
        return {}, [problem]
    of_ansible, problems = resolve(FOR_EACH_TASK, variables, templar)
    if problems:
        return {}, problems
    if of_ansible.get("ansible_connection", "local") not in ("local", "ansible.builtin.local"):
        return {}, [
            "ansible_connection: is not local, and the playbooks work on the controller. Set ansible_connection: local for the group "
            "unified_profiles; a controller without a way to the services takes unified_profiles_proxy."
        ]
    settings, problems = environment_settings(variables, templar, table)
    if not problems:
        confirm = settings["unified_profiles_confirm"]
        told = (
            "" if confirm in ({}, [], "") else confirmation_problem(confirm, hosts),
            endpoints_problem(settings, HANDED_OVER[playbook]),
            *accepted_problems(settings["unified_profiles_accepted_drift"]),
            keys_problem(settings, hosts),
        )
        problems = [problem for problem in told if problem]
    return settings, problems


def run_settings(variables: Mapping[str, t.Any], templar: t.Any, extra: Collection[str]) -> Found:
    """The settings of the run as a whole, from the variables of any of its hosts."""
    given, problems = resolve(OF_THE_RUN, variables, templar)
    if SERIAL in variables and SERIAL not in extra:
        problems.append(OF_NO_HOST)
    checks: dict[str, Callable[[t.Any], str]] = {SERIAL: batches_problem, LIMIT: limit_problem}
    problems += [problem for name, told in checks.items() if name in given and (problem := told(given[name]))]
    if problems:
        return {}, problems
    settings, problems = check({name: SETTINGS[name] for name in OF_THE_RUN}, given)
    return settings, problems or beyond_limits(settings)
