# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""A run's findings about all its environments, read once on the controller, and how the run was started."""

from __future__ import annotations

import datetime
import json
import os
import re
import typing as t
from collections.abc import Iterator, Mapping
from pathlib import Path

from ansible import constants
from ansible.inventory.manager import IGNORED
from ansible.module_utils.common.yaml import yaml_load
from ansible.parsing.splitter import parse_kv
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Refused
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.times import format_time, parse_time
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients.source import MAY_BE_DISABLED
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.cards import HOW_TO_RUN
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.looked import Looks
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import (
    EnvironmentStatus,
    complete,
    in_one_line,
    in_words,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import SECRETS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.private_names import inventory_sources
from ansible_collections.flexops.unified_profiles.plugins.module_utils._source.manage import MENDED
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._environment import ASKED, LOOK
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._options import PREFIX
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import RUN_ONLY, SETTINGS, to_builtin

ROOT = Path(__file__).resolve().parents[2]
# Of the settings, those that are not repeated.
MAY_BE_SECRET = tuple(f"{PREFIX}{option}" for option in (*SECRETS, "proxy", "endpoints"))
FOR_A_PERSON = tuple(f"{PREFIX}{option}" for option in ("confirm", "confirmed_by", "reason", "prompt"))
LOOK_AGAIN, FAILURE = "unified_profiles_look_again", "unified_profiles_failure"
ENDED = "Ansible could not run the tasks of this environment, as its error above says, so what is due was not done. Mend that, and run again."
NOT_LOOKED = "Nothing was looked at, so there is nothing to report: the task of the survey was left out (--start-at-task, or another playbook)."
FROM_THE_BEGINNING = "Run the playbook from its beginning."


def looks(task_vars: Mapping[str, t.Any]) -> dict[str, EnvironmentStatus]:
    """Return how each environment of the play is: as it was first seen, or as it was left by what was done to it.

    The values are taken from the variables as they are. A template that carried them would run the risk of having a name from an API
    evaluated as a template of its own.

    Returns:
        The environments in the play's order.

    Raises:
        Refused: No survey looked at anything.
    """
    first = task_vars.get(LOOK)
    if not isinstance(first, Mapping) or "environments" not in first:
        raise Refused(NOT_LOOKED, FROM_THE_BEGINNING)
    found = {str(name): complete(of) for name, of in to_builtin(first["environments"]).items()}
    confirmed = (task_vars.get(ASKED) or {}).get("confirmations") or {}
    acted_on = dict.fromkeys(map(str, [*first["due"], *confirmed]))
    variables = {name: task_vars["hostvars"].raw_get(name) for name in acted_on if name in found}
    # Ansible gave a host up that could not even record its failure.
    ended = {*variables} - {*map(str, task_vars.get("ansible_play_hosts", variables))}
    failures = dict.fromkeys(ended, ENDED)
    failures |= {name: str(to_builtin(of[FAILURE])) for name, of in variables.items() if FAILURE in of}
    for name, of in variables.items():
        before, again = found[name], (of.get(LOOK_AGAIN) or {}).get("environments", {}).get(name)
        after = complete(to_builtin(again)) if again else before
        # What was found before something was done about it is a part of the story.
        told_again = [(it["problem"], it["detail"]) for it in after["findings"]]
        before_only = [
            it
            for it in before["findings"]
            if (it["problem"], it["detail"]) not in told_again and it["problem"] != MAY_BE_DISABLED
        ]
        if name not in failures:
            before_only = [
                {"mended": f"{MENDED.get(it['problem'], 'repaired')} by this run", **it} for it in before_only
            ]
        reasons = [*map(in_words, before_only), *after["reasons"]] if again else after["reasons"]
        after = {**after, "findings": [*before_only, *after["findings"]], "reasons": reasons}
        if failure := failures.get(name):
            after = {**after, "status": "failed", "fails": True, "reasons": [failure], "failure": failure}
        after["why"] = in_one_line(after["reasons"])
        if again:
            after["requests"] += before["requests"]
            after["rate_limited"] += before["rate_limited"]
        found[name] = after
    return found


def snapshots(task_vars: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The snapshots that the looks of a run took, by environment; the later look's where both did."""
    first = task_vars[LOOK]
    found = dict(first.get("snapshots") or {})
    for name in first["environments"]:
        again = task_vars["hostvars"].raw_get(name).get(LOOK_AGAIN) or {}
        found |= {of: it for of, it in (again.get("snapshots") or {}).items() if of == name}
    return {str(name): to_builtin(of) for name, of in found.items()}


def look_times(task_vars: Mapping[str, t.Any]) -> dict[str, Looks]:
    """When the first and the last look at each environment began, by Segment's clock.

    What a run did just before it looked again may be of the same second as that look. So that look counts from the next second on.
    """
    first = task_vars[LOOK]
    found: dict[str, Looks] = {}
    for name, seen in first["environments"].items():
        if began := _by_segment(first, seen):
            again = task_vars["hostvars"].raw_get(name).get(LOOK_AGAIN) or {}
            seen_again = (again.get("environments") or {}).get(name)
            last = _by_segment(again, seen_again, 1) if seen_again else ""
            found[str(name)] = {"first": began, "last": last or began}
    return found


def _by_segment(look: Mapping[str, t.Any], seen: Mapping[str, t.Any], later: int = 0) -> str:
    """Return when a look began, some seconds later; empty where it does not say."""
    began = parse_time(look.get("began"))
    skew = float(seen.get("clock_skew") or 0.0)
    return format_time(began + datetime.timedelta(seconds=skew + later)) if began else ""


def unread_inventories(hostvars: t.Any) -> list[str]:
    """The inventory files that Ansible could not read in whole: it warns, and goes on with the hosts before the mistake."""
    sources, read = inventory_sources(hostvars)
    return [file for source in sources for file in _files(source) if file not in read]


def _files(source: str) -> Iterator[str]:
    if os.path.isfile(source):
        yield source
    elif os.path.isdir(source):
        for name in sorted(os.listdir(source)):
            inner = os.path.join(source, name)
            if os.path.isdir(inner) and not IGNORED.search(os.fsencode(name)):
                yield from _files(inner)
            # Anything else there may be no inventory.
            elif os.path.isfile(inner) and name.endswith(tuple(constants.YAML_FILENAME_EXTENSIONS)):
                yield inner


def for_a_machine() -> bool:
    """Return whether a program reads standard output, so that nothing but the callback plugin may write to it."""
    callback = str(constants.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2]
    return "json" in callback or callback == "null"


def about_run(task_vars: Mapping[str, t.Any], at: str) -> list[str]:
    """The further facts of a report about its run.

    The sources of the inventory, the release of the collection, and the seconds from the start until ``at``, if known.
    """
    told = [*inventory_sources(task_vars["hostvars"])[0], f"flexops.unified_profiles {_release()}"]
    began, end = parse_time(task_vars[LOOK].get("began")), parse_time(at)
    return [*told, f"{(end - began).total_seconds():.0f} s"] if began and end else told


def _release() -> str:
    """The version of the collection: of an installed one, or of a checkout."""
    if (ROOT / "MANIFEST.json").exists():
        return str(json.loads((ROOT / "MANIFEST.json").read_text(encoding="utf-8"))["collection_info"]["version"])
    return str(yaml_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"])


def how_to_run(options: Mapping[str, t.Any], playbook: str = "") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The command line that runs the same again, from Ansible's parsed options, and the extra variables that were left out.

    Those are secrets, or variables of which nobody knows whether they are. What is given to one run is not given to the next one, and
    check mode is left out as well.
    """
    if not options.get("args") or "module_name" in options:
        return HOW_TO_RUN, ()
    # Drift only looks, whatever the playbook is called that imports it: what it shows is confirmed to connect.
    found = [*HOW_TO_RUN[:2]] if playbook == "drift" else ["ansible-playbook", *map(str, options["args"])]
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
    left_out: list[str] = []
    for given in map(str, options.get("extra_vars") or ()):
        if given.startswith("@"):
            found += ["-e", given]
            continue
        for name, value in _extra_variables(given).items():
            if name in SETTINGS and name not in (*MAY_BE_SECRET, *RUN_ONLY, *FOR_A_PERSON):
                found += ["-e", f"{name}={value}" if _is_plain(value) else json.dumps({name: value})]
            elif name not in (*RUN_ONLY, *FOR_A_PERSON):
                left_out.append(name)
    return tuple(found), tuple(dict.fromkeys(left_out))


def _extra_variables(given: str) -> dict[str, t.Any]:
    """The variables of one ``-e``, as Ansible reads them."""
    if given[:1] in ("[", "{"):
        read = yaml_load(given)
        return {str(name): value for name, value in read.items()} if isinstance(read, Mapping) else {}
    return {str(name): str(value) for name, value in parse_kv(given).items()}


def _is_plain(value: t.Any) -> bool:
    """Return whether Ansible reads it after ``-e NAME=`` as it is: without blanks, quotes and backslashes."""
    return isinstance(value, str) and not re.search(r"[\s\"'\\]", value)
