# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The text of the inventory that an export writes. Pure, and the same for the same environments.

No value of a secret gets into it: a setting that may hold one is written only as the reference that it is. What services say is
written so that Ansible never evaluates it.
"""

from __future__ import annotations

import re
import textwrap
import typing as t
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import yaml
from ansible.module_utils.common.yaml import SafeDumper, SafeLoader
from ansible.parsing.yaml.dumper import AnsibleDumper
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.hidden import KEY_SHAPE
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.text import printable
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.standing import Standing
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._options import PREFIX
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import (
    MARKS,
    RUN_ONLY,
    SETTINGS,
    is_template,
)

FACTS = (
    "segment_region",
    "space_id",
    "twilio_account_sid",
    "friendly_name",
    "source_name",
    "source_labels",
)
# Written where they have to be chosen; else as they are given.
CHOICES = ("source_id", "key_fingerprint", "ignore_legacy")
SECRETS = ("segment_token", "profile_token", "twilio_api_key", "twilio_api_secret", "twilio_auth_token", "proxy")
# Settings that may hold a secret.
MAY_BE_SECRET = frozenset(PREFIX + name for name in (*SECRETS, "endpoints"))
OF_EXPORT = frozenset(PREFIX + name for name in ("export_from", "export_dir"))
# What an inventory may say of an environment, beside its settings.
CARRIED = [name for name in SETTINGS if name.removeprefix(PREFIX) not in FACTS and name not in RUN_ONLY | OF_EXPORT]
CONSENT = f"{PREFIX}allow_write_events"
# What is shorter may be a part of any name.
LEAST = 8
USER_IN_URL = re.compile(r"://[^/\s]*@")
FIRST = "# Written by the playbook flexops.unified_profiles.export, with the fingerprint {}."
SECOND_LINE = re.compile(re.escape(FIRST).replace(re.escape("{}"), "([0-9a-f]{12})"))
ABOUT = (
    "Each export writes it anew, as long as nobody changes it: copy what is to be changed into your own inventory. "
    "What exists at Segment and Twilio is written out. Secrets are references to variables, as in the inventory that they come from."
)
NO_CONSENT = "true (your consent to what the form requires: nobody can find it out, and there is no default)"
WIDTH = 120


class Said(str):
    """A string that Ansible must not evaluate."""


class _Dumper(SafeDumper):
    def ignore_aliases(self, data: t.Any) -> bool:
        return True


def _represent(dumper: t.Any, text: Said) -> t.Any:
    return dumper.represent_scalar("!unsafe" if MARKS.search(text) else "tag:yaml.org,2002:str", str(text))


_Dumper.add_representer(Said, _represent)


class _Loader(SafeLoader):
    """Reads what was written here, without opening anything."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: str(node.value))


@dataclass(frozen=True)
class Entry:
    """One environment of the inventory.

    Attributes:
        name: Its name.
        found: The settings of the environment as they are now.
        given: Its settings as the source has them, not evaluated.
        secrets: The values of those that are secrets.
        needs: The variables that the given settings refer to, and that are no settings.
    """

    name: str
    found: Standing
    given: Mapping[str, t.Any]
    secrets: Collection[str] = ()
    needs: Collection[str] = ()


def render(entries: Iterable[Entry]) -> str:
    """The inventory, with the environments in the order of their names."""
    entries = sorted(entries, key=lambda entry: entry.name)
    carried = {entry.name: _carried(entry) for entry in entries}
    shared = {
        name: text
        for name in CARRIED
        if (text := carried[entries[0].name].get(name)) and all(of.get(name) == text for of in carried.values())
    }
    lines = ["unified_profiles:", "  vars:", "    ansible_connection: local"]
    lines += _indented(4, *shared.values())
    if not any(CONSENT in of for of in carried.values()):
        lines += _comment(4, f"{CONSENT}: {NO_CONSENT}")
    lines.append("  hosts:")
    for entry in entries:
        lines += _comment(4, *entry.found["notes"], *(f"TO DO: {problem}" for problem in entry.found["problems"]))
        own = [text for name, text in carried[entry.name].items() if name not in shared]
        settings = [*_facts(entry), *_indented(6, *own)]
        empty = "" if any(not line.lstrip().startswith("#") for line in settings) else " {}"
        lines += [f"    {_key(entry.name)}:{empty}", *settings]
    return _with_header(entries, carried, lines)


def written_before(text: str) -> dict[str, t.Any] | None:
    """The settings of each host in an inventory that :func:`render` gave; None where anybody wrote or changed it."""
    first, _newline, rest = text.partition("\n")
    second, _newline, body = rest.partition("\n")
    mark = SECOND_LINE.fullmatch(second)
    if first != "---" or not mark or mark[1] != fingerprint(body):
        return None
    hosts: dict[str, t.Any] = _Loader(text).get_single_data()["unified_profiles"]["hosts"]
    return hosts


def _with_header(entries: list[Entry], carried: Mapping[str, Mapping[str, str]], lines: list[str]) -> str:
    left = sorted({name for entry in entries for name in _to_carry(entry) if name not in carried[entry.name]})
    needs = sorted({name for entry in entries for name in entry.needs})
    about = [ABOUT]
    if left:
        about.append(
            f"These are values in the inventory that they come from, and are not written here: {', '.join(left)}."
        )
    if needs:
        about.append(
            f"What is written here refers to these variables, which are set there as well: {', '.join(needs)}."
        )
    if left or needs:
        about.append("So name both inventories to use this one: -i THAT_ONE -i THIS_ONE.")
    body = "\n".join([*_comment(0, *about), *lines, ""])
    return f"---\n{FIRST.format(fingerprint(body))}\n{body}"


def _facts(entry: Entry) -> Iterator[str]:
    facts, hints = entry.found["facts"], entry.found["hints"]
    for option in (*FACTS, *CHOICES):
        if option in facts:
            text = _text(PREFIX + option, _said(facts[option]), entry.secrets)
            yield from (
                _indented(6, text)
                if text
                else _comment(6, f"{PREFIX}{option}: (left out, since it has a secret in it)")
            )
        elif option in hints:
            yield from _comment(6, f"{PREFIX}{option}: {hints[option]}")


def _to_carry(entry: Entry) -> list[str]:
    """The settings that stay as they are given. A choice that is still to be made is a comment."""
    return [name for name in CARRIED if name in entry.given and name.removeprefix(PREFIX) not in entry.found["hints"]]


def _carried(entry: Entry) -> dict[str, str]:
    """The lines of the settings that stay as they are given, by name, without those that may hold a secret."""
    lines = {name: _line(name, entry.given[name], entry.secrets) for name in _to_carry(entry)}
    return {name: line for name, line in lines.items() if line}


def _line(name: str, value: t.Any, secrets: Collection[str]) -> str:
    if line := _vaulted(name, value):
        return line
    if (name in MAY_BE_SECRET and not _is_reference(value)) or any(KEY_SHAPE.search(leaf) for leaf in _leaves(value)):
        return ""
    return _text(name, value, secrets)


def _text(name: str, value: t.Any, secrets: Collection[str]) -> str:
    """A setting in YAML; empty where it has a secret in it, or cannot be written."""
    leaves = [*_leaves(value)]
    if any(USER_IN_URL.search(leaf) or any(secret in leaf for secret in secrets) for leaf in leaves):
        return ""
    try:
        return _yaml({name: _plain(value)}, _Dumper)
    except yaml.YAMLError:
        return ""


def _vaulted(name: str, value: t.Any) -> str:
    """A value that Ansible Vault encrypts, as it is written; empty for any other."""
    if value is None or isinstance(value, (str, Mapping, list, tuple, int, float)):
        return ""
    text = _yaml({name: value}, AnsibleDumper)
    return text if text.startswith(f"{name}: !vault") else ""


def _yaml(value: t.Any, dumper: t.Any) -> str:
    text: str = yaml.dump(
        value, Dumper=dumper, width=10_000, allow_unicode=True, sort_keys=False, default_flow_style=False
    )
    return text.rstrip("\n")


def _is_reference(value: t.Any) -> bool:
    """Return whether a value is a template and nothing besides."""
    return (
        isinstance(value, str)
        and is_template(value)
        and bool(value.strip())
        and not re.sub(r"\{\{.*?\}\}", "", value).strip()
    )


def _said(value: t.Any) -> t.Any:
    """A service's value, marked so that it is not evaluated."""
    if isinstance(value, Mapping):
        return {Said(key): Said(inner) for key, inner in value.items()}
    return Said(value)


def _plain(value: t.Any) -> t.Any:
    """A setting as Python's own, with templates as they are written."""
    if isinstance(value, Said) or value is None:
        return value
    if isinstance(value, str):
        text = str.__str__(value)
        return text if is_template(value) else Said(text)
    if isinstance(value, Mapping):
        return {_plain(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    for kind in (bool, int, float):
        if isinstance(value, kind):
            return kind(value)
    return value


def _leaves(value: t.Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.items():
            yield from _leaves(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _leaves(part)


def _key(name: str) -> str:
    return _yaml({name: None}, _Dumper).removesuffix(": null")


def _indented(columns: int, *texts: str) -> list[str]:
    return [" " * columns + line if line else "" for text in texts for line in text.split("\n")]


def _comment(columns: int, *texts: str) -> list[str]:
    """Comments, each from a string that may come from a service: nothing in it ends a line."""
    start = " " * columns + "# "
    return [
        line
        for text in texts
        for line in textwrap.wrap(
            printable(text),
            WIDTH,
            initial_indent=start,
            subsequent_indent=start,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]
