# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every setting with every kind of value: it is taken, or refused by its name, and no secret is shown."""

from __future__ import annotations

import itertools
import json
import re

import pytest
import yaml
from ansible.release import __version__ as ansible_version
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.endpoint import ENDPOINT_OPTIONS
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import SETTINGS
from support.chain import Chain
from support.settings import MARKED, MARKS, VALUES, looked_at, of_hosts

PREFIX = "unified_profiles_"
ENDPOINTS = f"{PREFIX}endpoints"
OF_ENDPOINT = ENDPOINT_OPTIONS["options"]
OPTIONS = [
    *(("key", option) for option in OF_ENDPOINT),
    *(("key", "success", option) for option in OF_ENDPOINT["success"]["options"]),
    *((step,) for step in ("connection", "link", "key")),
]
# An anchor is one of the whole file.
NUMBERS = itertools.count()
# Without a sandbox these would leave the machine.
UNSET = ("empty", "null", "omitted", "template of none")


def cases():
    """Return where a value is, as written in YAML, by a name; and the setting that a refusal has to name."""
    for setting in SETTINGS:
        for kind, value in VALUES.items():
            yield setting, kind, {setting: value.replace("NAME", setting)}
    for path in OPTIONS:
        for kind, value in VALUES.items():
            yield ENDPOINTS, f"{'.'.join(path)}: {kind}", _endpoints(path, value.replace("NAME", ENDPOINTS))


def _endpoints(path, value):
    """The endpoints with a value in one place. An alias stands for it, since not all of YAML may be in braces."""
    options = {"url": "http://127.0.0.1:9/x"}
    steps = dict.fromkeys(("connection", "link", "key"), options)
    if len(path) == 1:
        steps[path[0]] = "*odd"
    elif len(path) == 2:
        read = {"read_url": "http://127.0.0.1:9/x", "read_path": "key"} if path[1].startswith("read") else {}
        steps["key"] = {**options, **read, path[1]: "*odd"}
    else:
        steps["key"] = {**options, "success": {"statuses": [200], "path": "a", "value": "b", path[2]: "*odd"}}
    anchor = f"of{next(NUMBERS)}"
    written = json.dumps(steps).replace('"*odd"', f"*{anchor} ")
    return {"odd": f"&{anchor} {value}", ENDPOINTS: written, f"{PREFIX}channel": "endpoint"}


def is_text(kind):
    """Return whether Ansible reads a string, or a number that is taken for one."""
    if "{{" in VALUES[kind] or "{%" in VALUES[kind]:
        return kind == "unsafe"
    found = yaml.safe_load(VALUES[kind])
    return isinstance(found, str) or (isinstance(found, int) and not isinstance(found, bool) and found < 1 << 64)


# Before 2.19 a template of nothing gives an empty string.
OLD_TEMPLATES = tuple(map(int, ansible_version.split(".")[:2])) < (2, 19)
NOT_SET = {"null", "omitted", "template of none"}
TEXTS = {kind for kind in VALUES if is_text(kind)}
DICTS = {"JSON", "mapping", "deep mapping", "null inside", "number as key", "template as key", "unsafe mapping"}
# What a setting of a type may be, or one of its name. All else is refused.
MAY_BE = {
    **{"str": TEXTS, "path": TEXTS, "choices": set(), "list": {"list"}, "dict": {"mapping"}, "raw": {*VALUES}},
    **{"bool": {"true", "false", "yes", "off", "zero"}, "int": {"number", "sixties"}},
    **{"float": {"number", "zero", "fraction", "sixties"}},
    "source_labels": {"mapping", *DICTS} - {"JSON", "deep mapping", "null inside"},
    "own_variables": TEXTS
    | {"list", "words", "numbers", "fraction", "set", "true", "false", "yes", "off", "secret in a list"},
    "serial": {"number", "numbers", "percentage", "sixties"},
    "max_fail_percentage": {"number", "zero", "fraction", "percentage"},
    "confirm": {"empty", "list", "mapping"},
    **{name: {"empty", "list", "false", "off", "zero"} for name in ("withdraw", "handover_again", "acknowledge")},
    **{name: DICTS | {"secret as key", "secret inside"} for name in ("key.headers", "key.body")},
    **{name: set() for name in ("connection", "link", "key")},
}
REQUIRED = {
    *("segment_token", "space_id", "profile_token", "twilio_account_sid", "twilio_api_key", "twilio_api_secret"),
    *("allow_write_events", "serial", "max_fail_percentage"),
    *("connection", "link", "key", "key.url", "key.read_url", "key.read_path", "key.success.path", "key.success.value"),
}


def expected(setting, kind):
    """What becomes of it: taken or refused. Either, where the text or number itself may be wrong, which tests of its own tell."""
    name, _colon, of_option = kind.rpartition(": ")
    name, kind = name or setting.removeprefix(PREFIX), of_option or kind
    if kind == "template of none" and OLD_TEMPLATES:
        return {"taken", "refused"}
    if kind in NOT_SET:
        # As if it were not there.
        return {"taken", "refused"} if name in REQUIRED else {"taken"}
    spec = SETTINGS.get(setting) if not of_option or setting != ENDPOINTS else _option(name)
    type_ = "choices" if spec.get("choices") and spec["type"] == "str" else spec.get("type", "str")
    if kind not in MAY_BE.get(name, MAY_BE[type_]):
        return {"refused"}
    return {"taken"} if type_ == "bool" and name not in REQUIRED else {"taken", "refused"}


def _option(name):
    spec = ENDPOINT_OPTIONS
    for part in name.split(".")[1:]:
        spec = spec["options"][part]
    return spec


def environment(sandbox, folder):
    env = sandbox.world.environments["dev"]
    names = ("segment_token", "profile_token", "account_sid", "api_key", "api_secret")
    base = {f"twilio_{name}" if name[0] == "a" else name: getattr(env, name) for name in names}
    base |= {"sandbox_url": sandbox.url, "space_id": env.space["id"], "allow_write_events": True, "channel": "operator"}
    base |= {"state_dir": str(folder / "state"), "timeout": 10, "retry_budget": 5}
    return {PREFIX + name: json.dumps(value) for name, value in base.items()}


def test_every_setting_with_every_kind_of_value(sandbox, tmp_path, full, count):
    wanted = [*cases()][:: 1 if full else 23]
    known = {f"host{number}": case for number, case in enumerate(wanted)}
    hosts = {host: variables for host, (_setting, _kind, variables) in known.items()}
    looks, outcomes, told = looked_at(
        it
        for it in of_hosts(tmp_path, environment(sandbox, tmp_path), hosts)
        if not (known[it[0]][0] == f"{PREFIX}sandbox_url" and known[it[0]][1] in UNSET)
    )
    wrong = []
    for host, (setting, kind, _variables) in known.items():
        refused = " ".join(told.get(host, [])) or (looks[host]["failure"] if host in looks else "")
        short = setting.removeprefix(PREFIX)
        # Too long for a header: the service says so, and not of which.
        if refused and short not in refused and kind != "long":
            wrong.append(f"{setting}, {kind}: not named: {refused[:300]}")
        if "defect" in refused:
            wrong.append(f"{setting}, {kind}: {refused}")
        if (found := "refused" if refused else "taken") not in expected(setting, kind) and host in told.keys() | looks:
            wrong.append(f"{setting}, {kind}: {found}")
        shown = refused + json.dumps(outcomes.get(host))
        if MARKED in shown or "NoneType" in shown:
            wrong.append(f"{setting}, {kind}: shown: ...{shown[max(0, shown.find(MARKED) - 100) :][:200]}")
    assert not wrong, f"{len(wrong)} of {len(known)}:\n" + "\n".join(wrong[:40])
    assert sandbox.journal(writes=True) == []
    count("settings with odd values, taken", sum(not look["failure"] for look in looks.values()))
    count("settings with odd values, refused by name", len(known) - sum(not look["failure"] for look in looks.values()))


@pytest.mark.parametrize("playbook", ["connect", "recover", "drift", "rotate"])
def test_no_setting_of_a_connected_environment_is_shown(sandbox, tmp_path, playbook, full, count):
    """Where nothing exists a look ends before it comes to the source, its keys and the link."""
    dev = Chain(sandbox, tmp_path / "state", retry_budget=0.1)
    assert not dev.connect().failure
    base = {name: json.dumps(value) for name, value in dev.variables.items() if name.startswith(PREFIX)}
    secrets = [case for case in cases() if MARKED in json.dumps(case[2]) and (full or case[1].endswith("secret"))]
    known = {f"host{number}": case for number, case in enumerate(secrets)}
    ledger = tmp_path / "state/ledger/dev.json"
    for host in known:
        ledger.with_name(f"{host}.json").write_text(ledger.read_text().replace('"dev"', json.dumps(host)))
    hosts = {host: variables for host, (_setting, _kind, variables) in known.items()} | {"dev": {}}
    before = len(sandbox.journal(writes=True))
    looks, outcomes, told = looked_at(of_hosts(tmp_path, base, hosts), playbook)
    assert not looks["dev"]["failure"]
    wrong = []
    for host, (setting, kind, _variables) in known.items():
        shown = json.dumps([told.get(host), looks.get(host), outcomes.get(host)])
        if MARKED in shown or "defect" in shown:
            at = shown.find(MARKED if MARKED in shown else "defect")
            wrong.append(f"{setting}, {kind}: ...{shown[max(0, at - 200) : at + 100]}")
    assert not wrong, f"{len(wrong)} of {len(known)}:\n" + "\n".join(wrong)
    assert len(sandbox.journal(writes=True)) == before
    count("secrets in the place of settings, connected", len(known))


@pytest.mark.parametrize("place", ["in the middle", "first", "last"])
def test_a_secret_is_used_as_it_is_whatever_it_has_in_it(sandbox, tmp_path, full, count, place):
    env = sandbox.world.environments["dev"]
    problems = []
    marks = MARKS[:: 1 if full else 7]
    for mark in marks:
        text = {
            "in the middle": f"headmarked{mark}tailmarked",
            "first": f"{mark}tailmarked",
            "last": f"headmarked{mark}",
        }
        env.api_secret = text[place]
        env.segment_token = text[place].replace("marked", "marked-too")
        # The user of Basic has no colon.
        env.profile_token = text[place].replace(":", "")
        sandbox.world.environments = dict(sandbox.world.environments)
        # A string in JSON is one in YAML.
        base = environment(sandbox, tmp_path)
        base = {name: f"!unsafe {value}" if value[0] == '"' else value for name, value in base.items()}
        looks, outcomes, told = looked_at(of_hosts(tmp_path, base, {"dev": {f"{PREFIX}reason": "test"}}))
        failed = " ".join(told.get("dev", [])) or looks["dev"]["failure"]
        if failed or re.search("(?:head|tail)marked", json.dumps([looks, outcomes, told])):
            problems.append(f"{mark}: {failed}")
    assert not problems, "\n".join(problems)
    count("marks in secrets", 3 * len(marks))
