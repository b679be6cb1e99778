# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said of wrong arguments: which, what is accepted, the shape of what was given, and nothing of its value."""

from __future__ import annotations

import datetime
import importlib
import re

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import OptionError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint, shape
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.flex import check_flex
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.arguments import check
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.options import CONNECTION_OPTIONS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import run
from support.project import ROOT

MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
TOKEN = "sgp_marked0123456789abcdef0123456789abcdef"
MARKED = f"a string of {len(TOKEN)} characters (fingerprint {fingerprint(TOKEN)})"
# Python writes no number of so many digits.
HUGE = 1 << 20000
SPEC = {
    "region": {"type": "str", "choices": ["us", "eu"], "default": "us"},
    "laws": {"type": "list", "elements": "str", "choices": ["hipaa", "pci"]},
    "numbers": {"type": "list", "elements": "int"},
    "wait": {"type": "int"},
    "timeout": {"type": "float", "default": 30.0},
    "fail": {"type": "bool"},
    "name": {"type": "str"},
    "body": {"type": "dict"},
    "endpoint": {
        "type": "dict",
        "options": {
            "url": {"type": "str", "required": True},
            "method": {"type": "str", "choices": ["POST"]},
            "success": {"type": "dict", "options": {"statuses": {"type": "list", "elements": "int"}}},
        },
    },
}


def problems(**given):
    return check(SPEC, given, "flexops.unified_profiles.some")[1]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"region": TOKEN}, f"region: must be one of us, eu, and is {MARKED}."),
        ({"region": "short"}, "region: must be one of us, eu, and is a short string."),
        ({"region": ""}, "region: must be one of us, eu, and is an empty string."),
        ({"laws": ["pci", TOKEN]}, f"laws[1]: must be one of hipaa, pci, and is {MARKED}."),
        ({"laws": TOKEN}, f"laws[0]: must be one of hipaa, pci, and is {MARKED}."),
        ({"laws": [None]}, "laws[0]: must be a string, and is null."),
        ({"numbers": [1, TOKEN]}, f"numbers[1]: must be a whole number, and is {MARKED}."),
        ({"wait": TOKEN}, f"wait: must be a whole number, and is {MARKED}."),
        ({"wait": "12345678"}, None),
        ({"wait": "1e999999999"}, "wait: must be a whole number, and is a short string."),
        ({"timeout": "inf"}, "timeout: must be a finite number, and is a short string."),
        ({"timeout": float("nan")}, "timeout: must be a finite number, and is a number."),
        ({"fail": "ture"}, "fail: must be true or false, and is a short string."),
        ({"name": {TOKEN: 1}}, "name: must be a string, and is a mapping."),
        ({"name": [TOKEN]}, "name: must be a string, and is a list."),
        ({"name": datetime.date(2026, 1, 1)}, "name: must be a string, and is a date. Quote it."),
        ({"name": True}, "name: must be a string, and is true or false. Quote it."),
        ({"name": 1.1}, "name: must be a string, and is a number. Quote it."),
        ({"name": 12}, None),
        ({"name": {"a"}}, "name: must be a string, and is a set."),
        ({"name": b"a"}, "name: must be a string, and is binary."),
        ({"name": HUGE}, "name: must be a string, and is a whole number."),
        ({"name": "\ud800"}, "name: has half a character in it, which nothing takes."),
        ({"timeout": HUGE}, "timeout: must be a finite number, and is a whole number."),
        ({"timeout": True}, "timeout: must be a finite number, and is true or false."),
        ({"wait": True}, "wait: must be a whole number, and is true or false."),
        ({"body": {"a": [{"b": datetime.date(2026, 1, 1)}]}}, "body: has a date in it, which nothing takes. Quote it"),
        ({"body": {"a": {None: 1}}}, "body: has a key that is null in it, which nothing takes."),
        ({"body": {True: 1}}, "body: has a key that is true or false in it, which nothing takes."),
        ({"body": {"a": float("nan")}}, "body: has a number without an end in it, which nothing takes."),
        ({"body": {"a": HUGE}}, "body: has a number of more than 64 bits in it, which nothing takes."),
        ({"body": {"a": "\udfff"}}, "body: has half a character in it, which nothing takes."),
        ({"body": {"a": {"b"}}}, "body: has a set in it, which nothing takes."),
        ({"body": {1: ["é", "\U0001f600", None, True, 1.5, -1]}}, None),
        ({"endpoint": TOKEN}, f"endpoint: must be a mapping, and is {MARKED}."),
        ({"endpoint": TOKEN + "=="}, "endpoint: must be a mapping, and is a string of 44 characters"),
        ({"endpoint": "{" + TOKEN}, "endpoint: must be a mapping, and is a string of 43 characters"),
        ({"endpoint": [TOKEN]}, "endpoint: must be a mapping, and is a list."),
        ({"endpoint": {"url": "u", "method": TOKEN}}, f"endpoint.method: must be one of POST, and is {MARKED}."),
        ({"endpoint": {"url": "u", "success": TOKEN}}, f"endpoint.success: must be a mapping, and is {MARKED}."),
        (
            {"endpoint": {"url": "u", "success": {"statuses": [TOKEN]}}},
            f"endpoint.success.statuses[0]: must be a whole number, and is {MARKED}.",
        ),
        ({"endpoint": {}}, "missing required arguments: url found in endpoint"),
        (
            {"nme": TOKEN},
            "Unsupported parameters for (flexops.unified_profiles.some) module: nme. Supported parameters include: body, endpoint,",
        ),
        ({"region": None, "endpoint": None, "wait": None}, None),
    ],
)
def test_a_wrong_argument_is_named_and_not_shown(given, said):
    told = " ".join(problems(**given))
    assert told.startswith(said) if said else not told, told
    assert "sgp_marked" not in told


def test_all_that_is_wrong_is_told_at_once():
    assert len(problems(region="x", wait="x", endpoint={"url": "u", "method": "x"})) == 3


def test_what_is_right_is_converted_and_completed():
    found, wrong = check(SPEC, {"wait": "3", "fail": "yes", "endpoint": '{"url": "u"}', "laws": "pci,hipaa"})
    assert not wrong
    assert (found["wait"], found["fail"], found["region"], found["timeout"]) == (3, True, "us", 30.0)
    assert found["endpoint"]["url"] == "u"
    assert found["laws"] == ["pci", "hipaa"]


def test_of_what_the_environment_gives_no_more_is_said(monkeypatch):
    monkeypatch.setenv("SEGMENT_REGION", TOKEN)
    module = importlib.import_module("ansible_collections.flexops.unified_profiles.plugins.modules.segment_source")
    told = run(module.SPEC, module.run, {}, "segment_source", False)["msg"]
    assert (
        told
        == f"segment_region (from the environment variable SEGMENT_REGION): must be one of us, eu, and is {MARKED}."
    )


ODD = {
    "a token": TOKEN,
    "a token that ends in =": TOKEN + "==",
    "a token that begins as JSON": "{" + TOKEN,
    "a list": [TOKEN],
    "a mapping": {TOKEN: TOKEN},
    "a list of mappings": [{TOKEN: TOKEN}],
    "a date": datetime.datetime(2026, 1, 1),
    "a number": 12,
    "not finite": float("inf"),
    "huge": HUGE,
    "half a character": "\ud800",
    "binary": TOKEN.encode(),
    "a set": {TOKEN},
    "a key that is none": {None: TOKEN},
    "true": True,
    "empty": "",
    "null": None,
    "a list of null": [None],
}


@pytest.mark.parametrize("odd", ODD)
def test_no_argument_of_any_module_is_shown_or_ends_in_a_traceback(odd):
    """Each option in turn, and each of its own options."""
    for name in MODULES:
        module = importlib.import_module(f"ansible_collections.flexops.unified_profiles.plugins.modules.{name}")
        spec = getattr(module, "SPEC", None)
        for option, of in spec.argument_spec.items() if spec else ():
            cases = [{option: ODD[odd]}, *({option: {inner: ODD[odd]}} for inner in of.get("options", {}))]
            for given in cases:
                _found, wrong = check(spec.argument_spec, given, name, **spec.constraints)
                told = " ".join(wrong)
                # A key is a name, which Ansible's sentence on names that it does not know has to say.
                if "Unsupported parameters" not in told:
                    assert "sgp_marked" not in told, told
                assert "NoneType" not in told, told


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("x" * 19, "a short string"),
        (True, "true or false"),
        (None, "null"),
        (3, "a whole number"),
        (b"x", "binary"),
        (object(), "of another type"),
    ],
)
def test_shapes(value, said):
    assert shape(value) == said


def call(**params):
    spec = dict.fromkeys(CONNECTION_OPTIONS) | {"profile_token": None, "segment_region": "us"}
    return ModuleContext({**spec, "validate_certs": True, "timeout": 1.0, "retry_budget": 0.0, **params}, False)


NEEDED = {
    "segment_token": lambda call: call.public_api(),
    "profile_token": lambda call: call.profile_api(),
    "twilio_account_sid": lambda call: call.flex(),
    "twilio_auth_token": lambda call: call.flex(),
    "twilio_api_key": lambda call: call.flex(),
    "twilio_api_secret": lambda call: call.flex(),
}


@pytest.mark.parametrize("option", NEEDED)
@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_value_wins_and_is_told_to(option, value, monkeypatch):
    """Falling back could take the credential of another environment."""
    variable = f"SEGMENT_{option.upper()}" if option == "profile_token" else option.upper()
    others = {
        "twilio_api_key": {"twilio_api_secret": value},
        "twilio_api_secret": {"twilio_api_key": "SK" + "0" * 32},
    }.get(option, {"twilio_auth_token": "x"})
    given = {"twilio_account_sid": "AC" + "0" * 32, **others, option: value}
    monkeypatch.setenv(variable, "marked-value")
    with pytest.raises(OptionError) as told:
        NEEDED[option](call(**given))
    assert told.value.full_message == (
        f"{option}: is empty, and an empty value wins over the environment variable {variable}. Give it a value, or leave it out."
    )
    monkeypatch.delenv(variable)
    with pytest.raises(OptionError) as told:
        NEEDED[option](call(**given))
    assert told.value.full_message == f"{option}: is missing or empty. Set it or the environment variable {variable}."


PLACES = [name for name, of in CONNECTION_OPTIONS.items() if "fallback" in of and name not in NEEDED]


@pytest.mark.parametrize("option", PLACES)
def test_an_empty_value_wins_over_every_variable(option, monkeypatch):
    """It is taken as it is, or refused by its name: the variable may belong to another environment."""
    assert len(PLACES) > 10
    for variable in CONNECTION_OPTIONS[option]["fallback"][1]:
        monkeypatch.setenv(variable, "eu" if option == "segment_region" else "https://marked-value.example.com")
    found, wrong = check({option: CONNECTION_OPTIONS[option]}, {option: ""})
    assert not wrong or wrong[0].startswith(f"{option}: ")
    assert wrong or found[option] in ("", None)


EMPTY_KEYS = [{"twilio_api_key": ""}, {"twilio_api_secret": ""}, {"twilio_api_key": "", "twilio_api_secret": ""}]


@pytest.mark.parametrize("empty", EMPTY_KEYS)
def test_an_empty_api_key_wins_over_the_auth_token_of_the_environment_alone(empty, monkeypatch):
    given = {"twilio_account_sid": "AC" + "0" * 32, "twilio_auth_token": "a-token-that-is-long", **empty}
    assert set(call(**given).credentials) == {"twilio_auth_token"}
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "a-token-that-is-long")
    monkeypatch.setenv("TWILIO_API_KEY", "SK" + "0" * 32)
    assert call(**given).credentials == {}
    with pytest.raises(OptionError, match=r"^twilio_api_key: is "):
        call(**given).flex()


HEX = "0123456789abcdef" * 2
WRONG_SIDS = {
    "an account's SID": ("AC" + HEX, "a SID that begins with AC"),
    "a key's SID": ("SK" + HEX, "a SID that begins with SK"),
    "another SID": ("IS" + HEX, "a SID that begins with IS"),
    "a name": ("my-ansible-key", "a short string."),
    "a secret": ("x" * 32, "a string of 32 characters (fingerprint "),
    "one too short": ("SK" + HEX[1:], "a string of 33 characters"),
    "white space at its end": ("SK" + HEX + " ", "has white space"),
    "a line break at its end": ("AC" + HEX + "\n", "has white space"),
}


@pytest.mark.parametrize("option", ["twilio_account_sid", "twilio_api_key"])
@pytest.mark.parametrize("wrong", WRONG_SIDS)
def test_a_value_that_is_no_such_sid_is_told_by_its_shape(option, wrong):
    value, said = WRONG_SIDS[wrong]
    own = {"twilio_account_sid": "AC", "twilio_api_key": "SK"}[option]
    right = {"twilio_account_sid": "AC" + HEX, "twilio_auth_token": "secret"}
    if option == "twilio_api_key":
        right |= {"twilio_api_key": "SK" + HEX, "twilio_api_secret": "secret"}
    if re.fullmatch(own + HEX, value):
        call(**{**right, option: value}).flex()
        return
    with pytest.raises(OptionError) as told:
        call(**{**right, option: value}).flex()
    assert told.value.message.startswith(f"{option}: ")
    assert said in told.value.full_message
    assert value not in told.value.full_message


TWILIO = {"twilio_account_sid": "AC" + HEX, "twilio_auth_token": "secret"}


@pytest.mark.parametrize(
    ("edge", "region", "host"),
    [
        (None, None, "flex-api.twilio.com"),
        ("", "", "flex-api.twilio.com"),
        (None, "ie1", "flex-api.ie1.twilio.com"),
        ("dublin", "ie1", "flex-api.dublin.ie1.twilio.com"),
        ("Sydney", None, "flex-api.sydney.us1.twilio.com"),
    ],
)
def test_edge_and_region(edge, region, host):
    assert call(**TWILIO, twilio_edge=edge, twilio_region=region).flex().service.base_url == f"https://{host}"


@pytest.mark.parametrize("option", ["twilio_edge", "twilio_region"])
@pytest.mark.parametrize("value", ["evil.example/", "a.b", "a@b", " sydney", "x" * 30 + "."])
def test_edge_and_region_are_parts_of_a_hosts_name(option, value):
    with pytest.raises(OptionError, match=f"^{option}: must be letters") as told:
        call(**TWILIO, **{option: value}).sync()
    assert value not in told.value.full_message


def test_segment_does_not_care_where_twilio_is():
    found = call(segment_token="sgp_x", twilio_edge="not an edge", segment_region="eu").public_api()
    assert found.service.base_url == "https://eu1.api.segmentapis.com"


def test_an_account_that_is_only_compared_is_checked_as_well():
    wrong = call(twilio_account_sid="SK" + HEX, twilio_api_key="SK" + HEX, twilio_api_secret="secret")
    with pytest.raises(OptionError, match="twilio_account_sid: must be the SID of an account"):
        check_flex(wrong)


@pytest.mark.parametrize("option", ["timeout", "retry_budget"])
@pytest.mark.parametrize("seconds", [-1, 1e300, 1e6, "-0.5"])
def test_a_time_that_nothing_can_keep_is_refused_by_its_name(option, seconds):
    module = importlib.import_module("ansible_collections.flexops.unified_profiles.plugins.modules.flex_info")
    told = run(module.SPEC, module.run, {option: seconds}, "flex_info", False)["msg"]
    assert told.startswith(f"{option}: must be from ")


def test_json_that_is_nested_too_deeply_is_refused_by_the_name_of_its_option():
    assert problems(endpoint='{"a":' * 100_000)[0].startswith("endpoint: must be a mapping")
