# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Looks at the settings of many environments as they are, and keeps the inventory of it in a folder of its own."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

import jinja2
import jinja2.nodes
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Refused
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.files import (
    UnusableFile,
    read_text,
    way_out,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.standing import (
    ASK,
    OPTIONS,
    REGIONS,
    Standing,
    look_what_exists,
    nothing_exists,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._inventory_text import (
    CARRIED,
    LEAST,
    SECRETS,
    Entry,
    written_before,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._options import PREFIX
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import SETTINGS
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._survey import AtOnce, shared_sources

SPEC = ArgumentSpec(OPTIONS).argument_spec
# An export finds the space, and the region where it says ask.
TABLE: dict[str, t.Any] = {
    **SETTINGS,
    f"{PREFIX}space_id": {**SETTINGS[f"{PREFIX}space_id"], "required": False},
    f"{PREFIX}segment_region": {**SETTINGS[f"{PREFIX}segment_region"], "choices": [*REGIONS, ASK]},
}
FILE = "hosts.yml"
MOST_BYTES = 100_000_000
# Variables that every host has.
ANSIBLES = frozenset(
    {
        *(
            "environment",
            "group_names",
            "groups",
            "hostvars",
            "lookup",
            "omit",
            "play_hosts",
            "playbook_dir",
            "q",
            "query",
        ),
        *("role_name", "role_names", "role_path", "vars"),
    }
)
# It only parses.
MARKED = jinja2.Environment(autoescape=True)


class Export(AtOnce[Standing]):
    """A look at the settings of many environments as they are.

    Args:
        before: The settings of each host in the export before this one.
        settings: Those of the run.
        progress: Called about every ten seconds, with a line to show.

    Attributes:
        wrong: What is wrong with the settings of each environment, where anything is.
    """

    def __init__(
        self, before: Mapping[str, t.Any], settings: Mapping[str, t.Any], progress: Callable[[str], None]
    ) -> None:
        super().__init__(SPEC, settings, progress)
        self.before = before
        self.wrong: dict[str, str] = {}
        self._given: dict[str, dict[str, t.Any]] = {}
        self._needs: dict[str, set[str]] = {}

    def see(self, call: ModuleContext) -> Standing:
        return look_what_exists(call)

    def nothing(self, failure: str) -> Standing:
        return nothing_exists(failure)

    def failure_of(self, found: Standing) -> str:
        return " ".join(found["problems"])

    def entries(
        self,
        names: Sequence[str],
        variables_of: Callable[[str], Mapping[str, t.Any]],
        settings_of: Callable[[Mapping[str, t.Any]], tuple[dict[str, t.Any], list[str]]],
        extra: Collection[str],
    ) -> list[Entry]:
        """Look at each environment; what an inventory says of them.

        Args:
            names: The environments.
            variables_of: Returns the variables of one, not evaluated.
            settings_of: Returns its settings, from its variables, and a sentence for each that is wrong.
            extra: The names of the extra variables, which belong to the run.
        """

        def settings_of_name(name: str) -> tuple[dict[str, t.Any], list[str]]:
            variables = variables_of(name)
            settings, problems = settings_of(variables)
            if problems:
                self.wrong[name] = " ".join(problems)
                return {}, problems
            given = {
                it: variables[it] for it in CARRIED if it in variables and it not in extra and variables[it] is not None
            }
            self._given[name] = given
            self._needs[name] = {it for it in _referred_to(given.values()) if it in variables and it not in SETTINGS}
            if f"{PREFIX}friendly_name" not in variables:
                settings[f"{PREFIX}friendly_name"] = None
            settings[f"{PREFIX}exported_space_id"] = self._space_before(name)
            return settings, problems

        looks = self.look(names, settings_of_name)
        claims = {
            name: (found["workspace"]["id"], str(found["facts"]["source_name"]), found["workspace"]["slug"])
            for name, found in looks.items()
            if found["workspace"]
        }
        for name, problem in shared_sources(claims).items():
            looks[name]["problems"].append(problem)
        return [
            Entry(
                name,
                self._with_space(name, found),
                self._given.get(name, {}),
                self._secrets(name),
                self._needs.get(name, ()),
            )
            for name, found in looks.items()
        ]

    def _space_before(self, name: str) -> str | None:
        before = self.before.get(name)
        return before.get(f"{PREFIX}space_id") if isinstance(before, Mapping) else None

    def _with_space(self, name: str, found: Standing) -> Standing:
        """The findings; where there are none, as without a connection, the space that was exported before."""
        if not found["facts"] and (space := self._space_before(name)):
            found["facts"]["space_id"] = space
        return found

    def _secrets(self, name: str) -> list[str]:
        values = (self.settings[name].get(PREFIX + option) for option in SECRETS)
        return [value for value in values if isinstance(value, str) and len(value) >= LEAST]


def _referred_to(values: Iterable[t.Any]) -> set[str]:
    """The names that may be variables to which templates refer, without those that every host has.

    Plain Jinja2 knows no filter of Ansible, so the tree is walked and nothing compiled. A string or an attribute may be a variable's name:
    lookup('vars', 'a'), hostvars[host].a.
    """
    found: set[str] = set()
    for value in values:
        if isinstance(value, str):
            try:
                parsed = MARKED.parse(value)
            except jinja2.TemplateError:
                continue
            found |= {node.name for node in parsed.find_all(jinja2.nodes.Name) if node.ctx == "load"}
            texts = [node.value for node in parsed.find_all(jinja2.nodes.Const) if isinstance(node.value, str)]
            attributes = [node.attr for node in parsed.find_all(jinja2.nodes.Getattr)]
            found |= {*texts, *attributes} | _referred_to(text for text in texts if "{" in text)
        elif isinstance(value, Mapping):
            found |= _referred_to(value.values())
        elif isinstance(value, (list, tuple)):
            found |= _referred_to(value)
    return {name for name in found if name not in ANSIBLES and not name.startswith(("ansible_", "inventory_"))}


def exported_before(folder: Path) -> tuple[str, dict[str, t.Any]]:
    """The export that a folder has; empty where there is none.

    Args:
        folder: Where an export is to be written.

    Returns:
        The text of its inventory, and the settings of each host in it.

    Raises:
        Refused: The folder has what no export wrote, or cannot be used.
    """
    file = folder / FILE
    try:
        others = [path.name for path in folder.iterdir() if path.name != FILE] if folder.exists() else []
        text = read_text(file, MOST_BYTES) if file.exists() else ""
    except OSError as error:
        raise Refused(
            f"export_dir: {folder} cannot be used: {error.strerror}.", f"{way_out(error)}; or name another folder."
        ) from None
    except UnusableFile as problem:
        raise Refused(f"export_dir: {file} {problem}.", "Name a folder of its own.") from None
    if not text and others:
        raise Refused(
            f"export_dir: {folder} has files that no export wrote, such as {min(others)}. Nothing was written.",
            "Name a folder of its own, or an empty one.",
        )
    before = written_before(text) if text else {}
    if before is None:
        raise Refused(
            f"export_dir: {file} was written or changed by somebody. Nothing was written.",
            "Name another folder, and compare the two files; or move that file away.",
        )
    return text, before
