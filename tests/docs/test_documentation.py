# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of modules and roles is true: options, examples that run, and return values."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.project import ROOT

COLLECTION = "flexops.unified_profiles"
NAMES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
# What Ansible adds to any result.
COMMON = {"changed", "failed", "diff", "warnings", "deprecations", "invocation", "exception"}
# What the specification of an option may have.
KEYS = {"type", "default", "choices", "elements", "required", "no_log", "fallback", "options", "required_together"}
TYPES = {"str": str, "dict": dict, "list": list, "bool": bool, "int": int, "float": (int, float)}
pytestmark = pytest.mark.newest_only


@pytest.fixture(scope="module")
def documented():
    command = [Path(sys.executable).with_name("ansible-doc"), "-t", "module", "--json"]
    full = [f"{COLLECTION}.{name}" for name in NAMES]
    done = subprocess.run([*command, *full], cwd=ROOT, check=True, capture_output=True, text=True)
    return {name.rpartition(".")[2]: found for name, found in json.loads(done.stdout).items()}


def accepted(name):
    """What the code takes: the specification of a module, or of an action plugin where the module is its documentation."""
    module = importlib.import_module(f"ansible_collections.{COLLECTION}.plugins.modules.{name}")
    if hasattr(module, "SPEC"):
        return module.SPEC.argument_spec
    return importlib.import_module(f"ansible_collections.{COLLECTION}.plugins.action.{name}").ActionModule.options


def differences(spec, options, where):
    found = [f"{where}: {name} is in one of them only" for name in set(spec) ^ set(options)]
    for name in set(spec) & set(options):
        code, text = spec[name], options[name]
        if odd := set(code) - KEYS:
            found.append(f"{where}: {name}: has {sorted(odd)}, which no specification of an option has")
        for key, default in (
            ("type", "str"),
            ("default", None),
            ("choices", None),
            ("elements", None),
            ("required", False),
        ):
            if code.get(key, default) != text.get(key, default):
                found.append(f"{where}: {name}: {key} is {code.get(key)!r}, documented {text.get(key)!r}")
        told = set(re.findall(r"E\((\w+)\)", str(text["description"])))
        for variable in code.get("fallback", (None, []))[1]:
            if variable not in told:
                found.append(f"{where}: {name}: the environment variable {variable} is not documented")
        if "options" in code or "suboptions" in text:
            found += differences(code.get("options", {}), text.get("suboptions", {}), f"{where}: {name}")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_documented_as_it_is(name, documented):
    assert differences(accepted(name), documented[name]["doc"]["options"], name) == []


@pytest.mark.parametrize("role", sorted(path.parent.parent.name for path in ROOT.glob("roles/*/defaults/main.yml")))
def test_role_defaults_are_documented_as_they_are(role):
    defaults = yaml.safe_load((ROOT / f"roles/{role}/defaults/main.yml").read_text()) or {}
    points = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())["argument_specs"].values()
    options = {name: option for point in points for name, option in point.get("options", {}).items()}
    for name, value in defaults.items():
        # What is computed from others is no option.
        if not (isinstance(value, str) and "{{" in value):
            assert name in options, name
            assert options[name].get("default", value) == value, name


def unlike(value, described, where):
    """Return how a dictionary differs from what `contains` says of it: more or fewer keys, or other types, however deep."""
    found = [f"{where}: {key} is not documented" for key in sorted(set(value) - set(described))]
    for key, text in described.items():
        # Only what is returned in every case says nothing of when, or "success".
        if key not in value and text.get("returned", "success") == "success":
            found.append(f"{where}: {key} is not returned")
        if value.get(key) is None:
            continue
        if not isinstance(value[key], TYPES[text["type"]]):
            found.append(f"{where}: {key} is no {text['type']}")
        items = value[key] if text["type"] == "list" else [value[key]]
        if "elements" in text:
            found += [
                f"{where}: {key} has a {item!r}" for item in items if not isinstance(item, TYPES[text["elements"]])
            ]
        if "contains" in text:
            for item in items:
                found += unlike(item, text["contains"], f"{where}: {key}")
    return found


def test_a_difference_in_depth_is_noticed():
    described = {"list": {"type": "list", "elements": "dict", "contains": {"a": {"type": "str"}, "b": {"type": "str"}}}}
    assert unlike({"list": [{"a": 1, "c": None}]}, described, "it") == [
        "it: list: c is not documented",
        "it: list: a is no str",
        "it: list: b is not returned",
    ]


def test_what_has_a_shape_of_its_own_is_documented_in_depth(documented):
    """A dictionary with fixed keys says what each of them is; only maps by the user's own names are left to a sample."""
    maps = {"confirmations", "environments", "outcomes", "remembered", "snapshots", "states"}
    for name, found in documented.items():
        for key, text in found["return"].items():
            dictionary = "dict" in (text["type"], text.get("elements"))
            assert ("contains" in text) == (dictionary and key not in maps), f"{name}: {key}"


@pytest.mark.parametrize("name", NAMES)
def test_attributes_say_what_the_code_does(name, documented):
    attributes = documented[name]["doc"]["attributes"]
    action = importlib.import_module(f"ansible_collections.{COLLECTION}.plugins.action.{name}").ActionModule
    groups = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]
    on_controller = getattr(action, "controller_only", True)
    assert attributes["async"]["support"] == ("none" if on_controller or not action._supports_async else "full")
    assert attributes["check_mode"]["support"] == ("full" if action._supports_check_mode else "none")
    assert ("action_group" in attributes) == (name in groups["all"])
    # A module that returns facts changes nothing, so it can have no diff.
    only_reads = name.endswith(("_info", "_validate", "_survey", "_ask", "_report", "_probe"))
    assert (attributes["diff_mode"]["support"] == "N/A") == only_reads


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_examples_of_each_kind_and_the_parts_of_a_failure(name, documented):
    page = documented[name]["doc"]
    tasks = yaml.safe_load(documented[name]["examples"])
    assert len(tasks) >= 2
    states = page["options"].get("state", {}).get("choices", [])
    assert ("absent" in states) == ("'absent'" in str(tasks))
    of_a_service = "segment_token" in page["options"]
    assert any("C(failure)" in note for note in page.get("notes", [])) == of_a_service
    # The options of all services need not be written down.
    assert "settings" in page["options"] or not of_a_service


def test_two_options_say_what_harm_they_can_do(documented):
    said = {name: str(found["doc"]["options"]) for name, found in documented.items()}
    assert "A source from before the form is filled in is a rival of it" in said["segment_source"]
    assert "With those that the source has now, each run would add a key" in said["segment_source_key"]


def test_examples_run_and_give_what_is_documented(project, documented):
    """All examples in one playbook, on an environment that is connected. Only ids and folders are this run's own."""
    first = project.run("connect", "--limit", "dev")
    assert first.status == 0, first.output
    (source,) = (s for s in project.sandbox.world.environments["dev"].sources.values() if s.name.startswith("twilio"))
    key = project.ledger("dev")["key"]["done"]["subject"]["key_fingerprint"]
    own = {
        "5BKZVyYHdt1D7ZrtHyNR7W": source.id,
        "3f29a1b07c55": key,
        "/srv/unified_profiles": str(project.folder / "srv"),
    }
    tasks, of = [], {}
    # The others tell what the survey saw.
    for name in sorted(NAMES, key=lambda name: name != "profiles_survey"):
        text = documented[name]["examples"]
        for sample, real in own.items():
            text = text.replace(sample, real)
        for task in yaml.safe_load(text):
            if f"{COLLECTION}.{name}" in task:
                if task.get("register", "result") == "result":  # a name that several use
                    task["register"] = f"example_{len(of)}"
                of.setdefault(task["register"], name)
            tasks.append(task)
    # What deletes comes last, and the source after its key.
    tasks.sort(key=lambda task: ("'absent'" in str(task)) + ("'confirm_delete'" in str(task)))
    results = ", ".join(f"'{variable}': {variable}" for variable in of)
    content = "{{ {" + results + "} | to_json }}"
    tasks.append(
        {
            "name": "Keep the results",
            "ansible.builtin.copy": {"content": content, "dest": str(project.folder / "results.json"), "mode": "0600"},
        }
    )
    sandbox = {f"group/{COLLECTION}.all": {"sandbox_url": "{{ unified_profiles_sandbox_url }}"}}
    play = {"name": "Examples", "hosts": "dev", "gather_facts": False, "module_defaults": sandbox, "tasks": tasks}
    play["vars"] = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    (project.folder / "examples.yml").write_text(json.dumps([play]))
    run = project.run(str(project.folder / "examples.yml"))
    assert run.status == 0, run.output
    found = json.loads((project.folder / "results.json").read_text())
    wrong = []
    for task, result in found.items():
        returned = {key: value for key, value in result.items() if key not in COMMON}
        if ("diff" in result) != (documented[of[task]]["doc"]["attributes"]["diff_mode"]["support"] == "full"):
            wrong.append(f"{of[task]}: claims another diff than it returns")
        wrong += unlike(returned, documented[of[task]]["return"], of[task])
    assert wrong == []
