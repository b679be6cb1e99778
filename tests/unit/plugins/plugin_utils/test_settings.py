# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of settings, what they are without being given, what is refused, and how they are evaluated."""

from __future__ import annotations

import math
import re
import textwrap

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing import vault
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.manager import VariableManager
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.chain import OPTIONS as LOOK
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.arguments import check
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.options import CONNECTION_OPTIONS
from ansible_collections.flexops.unified_profiles.plugins.modules import (
    profiles_connection,
    profiles_info,
    segment_source,
    segment_test_event,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _settings
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import (
    DIGESTS,
    RUN_ONLY,
    SETTINGS,
    is_plain,
    resolve,
    run_only_problem,
    settings_of,
)
from support.settings import changes

PREFIX = "unified_profiles_"
BOOLEANS = [name for name, option in SETTINGS.items() if option["type"] == "bool"]
ENDPOINT = {"url": "https://gateway.example/key"}
TOKEN = "sgp_marked0123456789abcdef0123456789abcdef"


def judged(inventory_dir="/inventory", awx_user_name=None, hostname="prod", **given):
    given = {f"{PREFIX}{name}": value for name, value in {"space_id": "spa_1", **given}.items()}
    return settings_of(given, hostname=hostname, inventory_dir=inventory_dir, awx_user_name=awx_user_name)


def problems(**given):
    return judged(**given)[1]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_has_the_prefix_a_type_and_a_description(name):
    assert name.startswith(PREFIX)
    assert {"type", "description"} <= SETTINGS[name].keys()
    default, choices = SETTINGS[name].get("default"), SETTINGS[name].get("choices")
    assert (
        default in (None, []) or not choices or {*(default if isinstance(default, list) else [default])} <= {*choices}
    )


OPTIONS = {
    **CONNECTION_OPTIONS,
    **segment_source.SPEC.argument_spec,
    **profiles_info.SPEC.argument_spec,
    **profiles_connection.SPEC.argument_spec,
}


@pytest.mark.parametrize("option", sorted(name for name in OPTIONS if PREFIX + name in SETTINGS))
def test_a_setting_is_as_the_option_of_its_name(option):
    setting, taken = SETTINGS[PREFIX + option], OPTIONS[option]
    # A string or a list of them; and the consent to a test event, where the option takes one that was sent.
    if setting["type"] != "raw" and option != "test_event":
        assert (setting["type"], setting.get("choices")) == (taken["type"], taken.get("choices"))
    # A default would win over the environment variable.
    if "fallback" in taken:
        assert "default" not in setting
        for variable in taken["fallback"][1]:
            assert variable in setting["description"]
    elif taken.get("default"):
        assert setting["default"] == taken["default"]


# What no module takes: the run's own, and what the controller does with the outcomes.
OF_THE_CONTROLLER = {
    f"{PREFIX}{name}"
    for name in (
        "serial max_fail_percentage survey_threads survey_timeout survey_total_timeout in_process own_variables prompt recover_max_percentage report_dir "
        "fail_on_pending fail_on_drift fail_on_suspicion fail_on_unknown accepted_drift export_from export_dir "
        "probe_more probe_dir"
    ).split()
}


def test_every_setting_is_taken_by_something():
    taken = {PREFIX + option for option in {*OPTIONS, *segment_test_event.SPEC.argument_spec, *LOOK}}
    assert SETTINGS.keys() - taken == OF_THE_CONTROLLER


def test_every_connection_option_is_a_setting():
    # That the options come from the settings is none of them. Messages name the id of a source as well.
    options = CONNECTION_OPTIONS.keys() - {"settings"} | {"source_id"}
    assert {PREFIX + option for option in options} <= SETTINGS.keys()


def test_what_is_not_given_has_its_default():
    settings, told = judged(timeout=None)
    assert told == []
    assert settings.keys() == SETTINGS.keys()
    assert settings == settings | {
        "unified_profiles_confirmed_by": "",
        "unified_profiles_friendly_name": "prod",
        "unified_profiles_state_dir": "/inventory/.unified_profiles",
        "unified_profiles_report_dir": "/inventory/.unified_profiles",
        "unified_profiles_source_name": "twilio-unified-profiles",
        "unified_profiles_timeout": 30,
        "unified_profiles_allow_write_events": None,
        "unified_profiles_segment_region": None,
        "unified_profiles_survey_threads": 32,
        "unified_profiles_own_variables": [],
    }


def test_what_is_given_is_taken_and_converted():
    settings, told = judged(
        awx_user_name="jane",
        **{"friendly_name": "Prod", "state_dir": "/state", "timeout": "5", "prompt": "yes", "survey_threads": "4"},
    )
    assert told == []
    taken = {"friendly_name": "Prod", "state_dir": "/state", "report_dir": "/state", "confirmed_by": "jane"}
    taken |= {"timeout": 5, "prompt": True, "survey_threads": 4}
    assert settings == settings | {PREFIX + name: value for name, value in taken.items()}
    assert judged(awx_user_name="jane", confirmed_by="joe")[0]["unified_profiles_confirmed_by"] == "joe"


def test_without_a_folder_of_the_inventory_nothing_is_guessed():
    settings, _told = judged(inventory_dir=None)
    assert settings["unified_profiles_state_dir"] is settings["unified_profiles_report_dir"] is None


@pytest.mark.parametrize(
    "wrong", ["ture", "", "nope", "None", "{{ x }}", 2, -1, 0.5, [], [True], {}, {"a": True}], ids=str
)
@pytest.mark.parametrize("name", BOOLEANS)
def test_what_is_no_boolean_is_refused_and_not_taken_for_false(name, wrong):
    (told,) = problems(**{name.removeprefix(PREFIX): wrong})
    assert told.startswith(f"{name}: must be true or false, and is ")


@pytest.mark.parametrize("name", BOOLEANS)
def test_booleans_may_be_texts(name):
    for text, value in (
        ("yes", True),
        ("True", True),
        ("1", True),
        ("on", True),
        ("no", False),
        ("0", False),
        (0, False),
    ):
        assert judged(**{name.removeprefix(PREFIX): text})[0][name] is value


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"space_id": None}, "missing required arguments: unified_profiles_space_id"),
        (
            {"attest_existing": True},
            "unified_profiles_attest_existing: must be the name of who attests, and is a boolean.",
        ),
        (
            {"attest_existing": "False"},
            "unified_profiles_attest_existing: must be the name of who attests, and is a boolean.",
        ),
        ({"survey_threads": 0}, "unified_profiles_survey_threads: must be 1 or more."),
        ({"survey_threads": 1.5}, "unified_profiles_survey_threads: must be a whole number"),
        ({"survey_timeout": 0}, "unified_profiles_survey_timeout: must be more than 0."),
        ({"survey_total_timeout": 0}, "unified_profiles_survey_total_timeout: must be more than 0."),
        ({"survey_timeout": math.inf}, "unified_profiles_survey_timeout: must be a finite number"),
        ({"recover_max_percentage": 101}, "unified_profiles_recover_max_percentage: must be from 0 to 100."),
        ({"recover_max_percentage": "20%"}, "unified_profiles_recover_max_percentage: must be a finite number"),
        ({"source_id": "a\x07b"}, "unified_profiles_source_id: has characters that no id of a source has."),
        ({"test_event_timeout": -1}, "unified_profiles_test_event_timeout: must be 0 or more."),
        ({"friendly_name": 1.10}, "unified_profiles_friendly_name: must be a string, and is a number. Quote it."),
        ({"friendly_name": True}, "unified_profiles_friendly_name: must be a string, and is true or false. Quote it."),
        ({"timeout": True}, "unified_profiles_timeout: must be a finite number, and is true or false."),
        *(
            (
                {name: TOKEN},
                f"unified_profiles_{name}: looks like a secret, being a string of 42 characters (fingerprint ",
            )
            for name in ("friendly_name", "source_name", "attest_existing", "confirmed_by", "reason", "state_dir")
        ),
        ({"withdraw": "link"}, "unified_profiles_withdraw: a short string is no digest of a card"),
        ({"withdraw": ["0123456789ab", TOKEN]}, "unified_profiles_withdraw: a string of 42 characters (fingerprint "),
        (
            {"handover_again": "0123456789ab,x"},
            "unified_profiles_handover_again: a short string is no digest",
        ),
        ({"acknowledge": {"a": 1}}, "unified_profiles_acknowledge: a mapping is no digest of a card"),
        ({"serial": "x"}, "unified_profiles_serial: is no size of a batch."),
        ({"serial": None}, "unified_profiles_serial: is no size of a batch."),
        ({"max_fail_percentage": "half"}, "unified_profiles_max_fail_percentage: is no percentage."),
        (
            {"source_labels": '{"a": "b"}'},
            "unified_profiles_source_labels: must be a mapping, and is a short string; -e",
        ),
        ({"source_labels": {"a": 1.10}}, "unified_profiles_source_labels"),
        ({"regulated": "gdpr"}, "unified_profiles_regulated[0]: must be one of hipaa, pci"),
        ({"own_variables": {"a": 1}}, "unified_profiles_own_variables: must be a list, and is a mapping."),
        ({"hostname": "pr\u200bod"}, "The environment's name has characters that nobody sees"),
    ],
)
def test_what_cannot_be_used_is_told_by_its_name(given, said):
    told = problems(**given)
    assert told
    assert told[0].startswith(said), told


@pytest.mark.parametrize("name", DIGESTS)
def test_digests_are_a_text_or_a_list_and_nothing_is_none(name):
    for given in (None, "", [], "0123456789ab", "0123456789ab, ba9876543210", ["0123456789ab", "ba9876543210"]):
        assert problems(**{name.removeprefix(PREFIX): given}) == []


@pytest.mark.parametrize("name", SETTINGS)
def test_no_value_is_shown(name):
    for value in (TOKEN, [TOKEN], {TOKEN: TOKEN}, {"key": TOKEN}, {"key": {TOKEN: TOKEN}}):
        assert "sgp_marked" not in " ".join(problems(**{name.removeprefix(PREFIX): value}))


@pytest.mark.parametrize(
    ("endpoints", "said"),
    [
        ({"kee": ENDPOINT}, ": has no option kee. Did you mean key?"),
        ({"connexion": ENDPOINT}, ": has no option connexion. Did you mean connection?"),
        ({"linc": None}, ": has no option linc. Did you mean link?"),
        ({"key": {**ENDPOINT, "header": {}}}, ".key: has no option header. Did you mean headers?"),
        ({"key": {**ENDPOINT, "read-url": ""}}, ".key: has no option read-url. Did you mean read_url?"),
        (
            {"key": {**ENDPOINT, "success": {"status": [200]}}},
            ".key.success: has no option status. Did you mean statuses?",
        ),
        (
            {"key": {**ENDPOINT, "success": {"zzz": 1}}},
            ".key.success: has no option a short string. It has statuses, path, value.",
        ),
        ({"key": {**ENDPOINT, "method": "GET"}}, ".key.method: must be one of POST, PUT, PATCH"),
        ({"key": "https://gateway.example"}, ".key: must be a mapping"),
    ],
)
def test_a_misspelt_part_of_the_endpoints_is_told_with_what_was_meant(endpoints, said):
    assert problems(endpoints=endpoints)[0].startswith(f"unified_profiles_endpoints{said}")


def nested(where, option, around):
    """The names that a setting has in it: where, those known there, and how they are written."""
    if option["type"] == "list":
        yield from nested(f"{where}[0]", {**option, "type": "dict"}, lambda value: around([value]))
        return
    inner = option.get("options", {})
    if inner:
        yield where, [*inner], around
    for name, of in inner.items():
        yield from nested(f"{where}.{name}", of, lambda value, name=name: around({name: value}))


# The endpoints of all steps have the same names in them.
NESTED = {
    tuple(known): (setting, where, around)
    for setting, option in SETTINGS.items()
    for where, known, around in nested(setting, option, lambda value: value)
}


def test_what_has_names_in_it():
    assert [where.removeprefix(PREFIX) for _setting, where, _around in NESTED.values()] == [
        "endpoints",
        "endpoints.key",
        "endpoints.key.success",
        "accepted_drift[0]",
    ]


@pytest.mark.parametrize("known", NESTED, ids=lambda known: NESTED[known][1])
def test_every_change_of_one_letter_of_a_nested_name_is_refused(known):
    setting, where, around = NESTED[known]
    wrong = {changed: name for name in known for changed in changes(name) if changed not in known}
    _settings, told = check({setting: SETTINGS[setting]}, {setting: around(dict.fromkeys(wrong, "x"))})
    assert {*told} == {f"{where}: has no option {changed}. Did you mean {name}?" for changed, name in wrong.items()}


def test_what_is_for_one_run_is_refused_from_an_inventory():
    of_a_run = ("withdraw", "handover_again", "acknowledge", "rotate_now", "rotate_rollback", "retire")
    assert RUN_ONLY == {f"{PREFIX}{name}" for name in of_a_run}
    for name in RUN_ONLY:
        assert run_only_problem({name, "x"}, set()).startswith(
            f"{name}: is given to one run, with -e, and is in the inv"
        )
        assert run_only_problem({name}, {name}) == run_only_problem({"x"}, set()) == ""
    assert "acknowledge, unified_profiles_withdraw: is" in run_only_problem(
        [PREFIX + name for name in ("withdraw", "acknowledge", "handover_again")], [f"{PREFIX}handover_again"]
    )


INVENTORY = """
unified_profiles:
  hosts:
    prod:
      word: value
      plain: {number: 1, list: [1.5, true, null, text, ''], inner: {text: "{ % } # {"}, 1: one}
      text: plain
      braces: "{a}"
      empty: ''
      nothing: null
      template: "{{ word }} x"
      deep: {list: [x, {text: "{{ word }}"}]}
      statement: "{% if word %}y{% endif %}"
      comment: "a{# b #}c"
      header: "#jinja2:variable_start_string:'[[', variable_end_string:']]'\\n[[ word ]]"
      unsafe: !unsafe "a{{b}}"
      unsafe_list: [!unsafe "{{b}}", c]
      omitted: "{{ omit }}"
      omitted_inside: {a: "{{ omit }}", b: [1, "{{ omit }}"]}
      date: 2026-01-01
      undefined: "{{ nosuch }}"
      broken: "{{ word"
      broken_inside: [x, {y: "{% z"}]
"""
PLAIN = {"word", "plain", "text", "braces", "empty", "nothing"}


@pytest.fixture
def host(tmp_path, monkeypatch):
    """The variables of a host as a task has them, and its templar."""
    secret = [("default", vault.VaultSecret(b"password"))]
    if hasattr(vault, "VaultSecretsContext"):
        monkeypatch.setattr(vault.VaultSecretsContext, "_current", vault.VaultSecretsContext(secret))
    text = INVENTORY
    for name, value in {"vaulted": b"secret", "vaulted_marks": b"se{{cret", "vaulted_inside": b"inner"}.items():
        before = "-" if name == "vaulted_inside" else ""
        encrypted = textwrap.indent(vault.VaultLib(secret).encrypt(value).decode(), " " * 10)
        text += f"      {name}:\n      {before}  !vault |\n{encrypted}\n"
    (tmp_path / "hosts.yml").write_text(text)
    loader = DataLoader()
    loader.set_vault_secrets(secret)
    inventory = InventoryManager(loader=loader, sources=[str(tmp_path / "hosts.yml")])
    variables = VariableManager(loader=loader, inventory=inventory).get_vars(host=inventory.get_host("prod"))
    names = re.findall(r"(?m)^      (\w+):", text)
    return names, variables, Templar(loader=loader, variables=variables)


class Broken:
    def template(self, *_args, **_kwargs):
        raise AssertionError("This is evaluated.")


def test_what_has_nothing_to_evaluate_is_as_ansible_would_give_it(host, monkeypatch):
    names, variables, templar = host
    assert len(names) == len(set(names)) == 22
    found = resolve(names, variables, templar)
    monkeypatch.setattr(_settings, "is_plain", lambda value: False)
    wanted = resolve(names, variables, templar)
    assert found == wanted
    assert repr(found) == repr(wanted)


def test_values_are_evaluated_and_opened(host):
    names, variables, templar = host
    values, told = resolve(names, variables, templar)
    assert [sentence.partition(":")[0] for sentence in told] == ["date", "undefined", "broken", "broken_inside"]
    assert values["template"] == "value x"
    assert values["header"] == "value"
    assert values["deep"] == {"list": ["x", {"text": "value"}]}
    assert values["vaulted"] == "secret"
    assert values["vaulted_marks"] == "se{{cret"
    assert values["vaulted_inside"] == ["inner"]
    assert values["unsafe"] == "a{{b}}"
    assert values["omitted_inside"] == {"b": [1]}
    assert values["plain"]["1"] == "one"
    assert "omitted" not in values
    assert type(values["deep"]) is type(values["plain"]) is dict
    # What compares equal and is no string ends the checks of types.
    assert type(values["vaulted"]) is type(values["vaulted_inside"][0]) is str


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (1 << 20000, "has a number of more than 64 bits in it"),
        ({"a": [{None: 1}]}, "has a key that is null in it"),
        (["\ud800"], "has half a character in it"),
    ],
    ids=["huge", "key", "half"],
)
def test_what_nothing_can_hold_is_told_and_has_no_value(value, said):
    values, told = resolve(["x", "y"], {"x": value, "y": "fine"}, Broken())
    assert values == {"y": "fine"}
    assert told == [f"x: {said}, which nothing takes. Quote it, or take it out."]


def test_only_what_has_something_to_evaluate_is_evaluated(host):
    names, variables, _templar = host
    values, told = resolve(names, variables, Broken())
    assert values.keys() == PLAIN
    assert len(told) == len(names) - len(PLAIN)
    assert {name for name in names if is_plain(variables[name])} == PLAIN
