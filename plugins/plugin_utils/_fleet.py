# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""What a run registered for all its environments, read once on the controller, and how it was started."""

from __future__ import annotations

import os
import typing as t
from collections.abc import Iterator, Mapping

from ansible import constants
from ansible.inventory.manager import IGNORED
from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.cards import HOW_TO_RUN
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import (
    RESULT_VARIABLES,
    collect_results,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import to_builtin


def environments(task_vars: Mapping[str, t.Any]) -> dict[str, dict[str, t.Any]]:
    """What the playbooks registered for every host of the play, failed ones included, in the play's order.

    The values are taken from the variables as they are. A template that carried them through ``set_fact`` would run the
    risk of having a name from an API evaluated as a template of its own.
    """
    found = {}
    for host in task_vars["ansible_play_hosts_all"]:
        variables = task_vars["hostvars"][host]
        strict = {
            name: _value(variables, f"unified_profiles_{name}") for name in ("fail_on_pending", "fail_on_suspicion")
        }
        found[str(host)] = {
            **collect_results({name: _value(variables, name) for name in RESULT_VARIABLES}),
            # What is misspelt must not make the job green.
            **{name: value is None or str(value).lower() not in BOOLEANS_FALSE for name, value in strict.items()},
        }
    return found


def _value(variables: Mapping[str, t.Any], name: str) -> t.Any:
    """A host's variable as plain JSON types; None where it is not set or cannot be evaluated."""
    try:
        return to_builtin(variables[name]) if name in variables else None
    except Exception:
        # A host whose own settings cannot be evaluated has failed already and said why; the others need their report.
        return None


def unread_inventories(hostvars: t.Any) -> list[str]:
    """The inventory files that Ansible could not read in whole: it warns, and goes on with the hosts before the mistake."""
    manager = getattr(hostvars, "_inventory", None)  # no public name leads to it
    if manager is None:
        return []
    read = set(map(str, manager._inventory.processed_sources))
    return [file for source in manager._sources for file in _files(str(source)) if file not in read]


def _files(source: str) -> Iterator[str]:
    if os.path.isfile(source):
        yield source
    elif os.path.isdir(source):
        for name in sorted(os.listdir(source)):
            inner = os.path.join(source, name)
            if os.path.isdir(inner) and not IGNORED.search(os.fsencode(name)):
                yield from _files(inner)
            # Whatever else stands there may be no inventory.
            elif os.path.isfile(inner) and name.endswith(tuple(constants.YAML_FILENAME_EXTENSIONS)):
                yield inner


def for_a_machine() -> bool:
    """Whether a program reads standard output, so that nothing but the callback plugin may write to it."""
    callback = str(constants.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2]
    return "json" in callback or callback == "null"


def how_to_run(options: Mapping[str, t.Any]) -> tuple[tuple[str, ...], bool]:
    """The command line that runs the same again, from Ansible's parsed options, and whether something was left out.

    Extra variables on the command line may hold secrets, so only files of them are named. Check mode is left out as well.
    """
    if not options.get("args") or "module_name" in options:
        return HOW_TO_RUN, False
    found = ["ansible-playbook", *options["args"]]
    for option, name in (
        ("-i", "inventory"),
        ("--vault-id", "vault_ids"),
        ("--vault-password-file", "vault_password_files"),
    ):
        for value in options.get(name) or ():
            found += [option, str(value)]
    if options.get("ask_vault_pass"):
        found.append("--ask-vault-pass")
    if options.get("subset"):
        found += ["--limit", str(options["subset"])]
    given = [str(value) for value in options.get("extra_vars") or ()]
    for value in given:
        if value.startswith("@"):
            found += ["-e", value]
    return tuple(found), any(not value.startswith("@") for value in given)
