# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One outcome in all forms: what each says of each environment is the same, whatever is in it."""

from __future__ import annotations

import html
import json
import re
import typing as t
import xml.etree.ElementTree as ET

import jsonschema
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.text import printable
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover import status as statuses
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.cards import build_card
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.drift import Difference
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import complete
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _forms as forms
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _pages as pages
from hypothesis import given
from hypothesis import strategies as st

AT = "2026-11-24T10:02:31Z"
RUN = pages.Run("drift", AT)
SCHEMA = json.loads((pages.TEMPLATES / "report.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
TEXT = st.text(st.characters(), min_size=1).filter(str.strip)
UNESCAPED = {r"\"": '"', r"\\": "\\"}


def difference(attribute="name", accepted="", **more):
    known = {"expected": "a", "found": "b", "since": "", "by": "jane", "mend": "connect", "accepted": accepted}
    return {"attribute": attribute, **known, **more}


def verdicts(**said):
    return {
        step: {"verdict": said.get(step, "proven"), "reason": f"of {step}"} for step in ("connection", "link", "key")
    }


def waiting(environment):
    card = build_card("key", environment, "0d7a52c1e93b", {})
    return {"key": {"status": "pending", "card": card}}


SEEN = {
    "at": AT,
    "first_seen": "2026-11-01T00:00:00Z",
    "last_well": "2026-11-23T00:00:00Z",
    "status": "drifted",
    "since": "2026-11-23T01:00:00Z",
    "differences": [{"attribute": "name", "found": "b", "since": "2026-11-23T01:00:00Z"}],
    "proofs": {},
}
LOOKS: dict[str, dict[str, t.Any]] = {
    "well": {"verdicts": verdicts(), "requests": 9, "credentials": {"segment_token": "3f29a1b07c55"}},
    "failed": {"failure": "HTTP 401: the token was refused.", "requests": 2, "rate_limited": 1},
    "drifted": {"verdicts": verdicts(), "differences": [difference(), difference("enabled")], "seen": SEEN},
    "accepted": {"verdicts": verdicts(), "differences": [difference(accepted="known (until 2027-01-01)")]},
    "broken": {"verdicts": verdicts(connection="broken")},
    "unread": {"verdicts": verdicts(key="unknown"), "unread": {"write_keys": "The token does not see write keys."}},
    "pending": {"verdicts": verdicts(key="pending"), "handovers": waiting("pending")},
    "suspected": {
        "verdicts": verdicts(link="attested"),
        "suspicions": [
            {
                "problem": "suspected_unlinked",
                "step": "link",
                "since": AT,
                "about": "x",
                "detail": "The space has none.",
            }
        ],
    },
}
FLEET = {name: statuses.environment_status(look, False, playbook="drift") for name, look in LOOKS.items()}


def renamed(name):
    return {f"{name}{number}": found for number, found in enumerate(FLEET.values())}


class Told(t.NamedTuple):
    """What a form says of an environment."""

    status: str
    fails: bool
    differences: int


def of_outcomes(outcomes):
    return {
        name: Told(found["status"], found["fails"], sum(not it["accepted"] for it in found["differences"]))
        for name, found in outcomes.items()
    }


def of_json(outcomes):
    document = json.loads(forms.report_json(outcomes, RUN))
    VALIDATOR.validate(document)
    assert sum(document["counts"].values()) == len(outcomes)
    return of_outcomes(document["environments"])


def of_junit(outcomes):
    root = ET.fromstring(forms.junit_xml(outcomes, RUN))
    names = {str(printable(name)): name for name in outcomes}
    found = {}
    for suite in root:
        cases = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
        assert list(cases) == list(forms.CHECKS)
        kinds = [kind for of in cases.values() for kind in of]
        for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(name)) == kinds.count(kind)
        assert (cases["look"] == ["error"]) is (outcomes[names[suite.get("name")]]["failure"] != "")
        (status,) = (one.get("value") for one in suite.iter("property"))
        differing = [it["attribute"] for it in outcomes[names[suite.get("name")]]["differences"] if not it["accepted"]]
        assert all(cases[attribute] == ["failure"] for attribute in differing)
        fails = "failure" in kinds or "error" in kinds
        found[names[suite.get("name")]] = Told(status, fails, len(differing))
    return found


def of_metrics(outcomes):
    sample = re.compile(r'^(\w+)\{((?:\w+="(?:[^"\\\n]|\\.)*",?)*)\} (\S+)$')
    gauges: dict[str, dict[tuple[str, ...], float]] = {}
    labels = {}
    text = forms.metrics_prom(outcomes, RUN)
    assert text.endswith("\n")
    for line in text.removesuffix("\n").split("\n"):
        if line.startswith("#"):
            continue
        name, inner, value = sample.fullmatch(line).groups()
        values = [
            re.sub(r"\\.", lambda found: UNESCAPED[found[0]], of) for of in re.findall(r'="((?:[^"\\]|\\.)*)"', inner)
        ]
        assert tuple(values) not in gauges.get(name, {}), "node_exporter refuses a sample that is there twice"
        gauges.setdefault(name, {})[tuple(values)] = float(value)
        labels[name] = len(values)
    names = {str(printable(name)): name for name in outcomes}
    return {
        names[name]: Told(
            status,
            bool(gauges["unified_profiles_fails"][(name,)]),
            int(gauges["unified_profiles_differences"][name, "false"]),
        )
        for name, status in gauges["unified_profiles_status"]
    }


def of_stats(outcomes):
    handed = forms.handed_on(outcomes)
    assert handed["failing"] == sum(found["fails"] for found in outcomes.values())
    return of_outcomes(handed["environments"])


def of_markdown(outcomes):
    text = re.sub(r"\\([^\w\s])", r"\1", pages.report_markdown(outcomes, RUN))
    names = {re.sub(r"\\([^\w\s])", r"\1", pages.markdown(name)): name for name in outcomes}
    # The other tables come after.
    rows = [line for line in text.partition("\n## ")[0].split("\n") if line.startswith("| ")][1:]
    found = {}
    for plain, name in names.items():
        (row,) = (row for row in rows if row.startswith(f"| {plain} | "))
        status = row.removeprefix(f"| {plain} | ").split(" ")[0]
        section = text.partition(f"\n## {plain}")[2].partition("\n## ")[0]
        accepting = section.partition("unified_profiles_accepted_drift:")[2]
        # Whether the job fails for it is no business of this form.
        found[name] = of_outcomes(outcomes)[name]._replace(status=status, differences=accepting.count("- attribute: "))
        table = [line for line in section.split("\n") if line.startswith("| ")][1:]
        assert len(table) == len(outcomes[name]["differences"])
    return found


def of_page(outcomes):
    page = pages.report_html(outcomes, RUN)
    found = {}
    for name in outcomes:
        shown = html.escape(str(printable(name)), quote=False).replace("'", "&#39;").replace('"', "&#34;")
        row = r'<tr data-status="(\w+)" data-fails="(\w+)" data-differences="(\d+)"(?: data-changed)?>'
        ((status, fails, differences),) = re.findall(
            rf'{row}\s*<th scope="row">(?:<a [^>]*>)?{re.escape(shown)}<', page
        )
        found[name] = Told(status, fails == "true", int(differences))
    return found


FORMS = (of_json, of_junit, of_metrics, of_stats, of_markdown, of_page)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(form):
    assert {found["status"] for found in FLEET.values()} >= {"failed", "broken", "drifted", "suspected", "pending"}
    assert form(FLEET) == of_outcomes(FLEET)


def test_every_card_is_in_each_form_for_people():
    """Also one that belongs to no step, and the second one of a step."""
    titles = ("Put back by hand", "Give Flex the key", "Retire the old key")
    known = build_card("key", "dev", "", {})
    shown = [{**known, "step": step, "title": title} for step, title in zip(("restore", "key", "key"), titles)]
    found = statuses.environment_status({"verdicts": verdicts(), "cards": shown}, False)
    for text in (pages.report_markdown({"dev": found}, RUN), pages.report_html({"dev": found}, RUN)):
        assert [text.count(title) for title in titles] == [1, 1, 1]


@given(TEXT)
def test_a_name_changes_no_form(name):
    outcomes = renamed(name)
    for form in (of_json, of_junit, of_metrics, of_stats):
        assert form(outcomes) == of_outcomes(outcomes)


def test_the_schema_names_all_that_there_is():
    """A field that is new is added to the schema as well; its removal is a new format."""
    environment = SCHEMA["properties"]["environments"]["additionalProperties"]
    assert environment["properties"].keys() == statuses.EnvironmentStatus.__annotations__.keys()
    assert environment["properties"]["status"]["enum"] == list(statuses.STATUSES)
    of_difference = environment["properties"]["differences"]["items"]
    assert of_difference["properties"].keys() == t.get_type_hints(Difference).keys()
    assert SCHEMA["properties"]["format"] == {"const": forms.FORMAT}


@pytest.mark.parametrize("field", ["status", "reasons", "differences", "since"])
def test_the_schema_finds_what_is_missing(field):
    document = json.loads(forms.report_json(FLEET, RUN))
    del document["environments"]["failed"][field]
    assert [error.validator for error in VALIDATOR.iter_errors(document)] == ["required"]


def test_what_fails_no_job_is_skipped_and_no_failure():
    calm = {"fail_on_drift": False, "fail_on_pending": False, "fail_on_suspicion": False}
    found = {
        name: statuses.environment_status(LOOKS[name], False, calm, "drift")
        for name in ("drifted", "pending", "suspected", "unread")
    }
    root = ET.fromstring(forms.junit_xml(found, RUN))
    assert (root.get("failures"), root.get("errors")) == ("0", "0")
    assert int(root.get("skipped")) >= len(found)


def test_what_could_not_be_looked_at_is_an_error():
    found = statuses.environment_status(LOOKS["unread"], False, {"fail_on_unknown": True}, "drift")
    suite = ET.fromstring(forms.junit_xml({"unread": found}, RUN))[0]
    kinds = {case.get("name"): [child.tag for child in case] for case in suite.iter("testcase")}
    assert (kinds["write_keys"], kinds["key"], kinds["look"]) == (["error"], ["error"], [])


def test_the_next_job_gets_no_more_than_fits():
    outcomes = {f"e{number:04}": FLEET["drifted"] for number in range(1000)} | {"worst": FLEET["failed"]}
    handed = forms.handed_on(outcomes)
    assert (len(handed["environments"]), handed["left_out"]) == (forms.MAX_HANDED_ON, 951)
    assert next(iter(handed["environments"])) == "worst"
    assert (handed["counts"], handed["failing"]) == ({"failed": 1, "drifted": 1000}, 1001)
    assert len(json.dumps(handed)) < 64 * 1024


def test_the_last_success_is_this_run_or_an_earlier_one():
    text = forms.metrics_prom(FLEET, RUN)
    times = dict(re.findall(r'^unified_profiles_last_well_timestamp_seconds\{environment="(\w+)"\} (\d+)$', text, re.M))
    assert times == {"well": "1795514551", "accepted": "1795514551", "drifted": "1795392000"}


@pytest.mark.parametrize("name", FLEET)
def test_what_a_thousand_environments_leave_out_is_there_again(name):
    found = statuses.environment_status({**LOOKS[name], "seen": SEEN}, False, playbook="drift")
    assert statuses.complete(json.loads(json.dumps(statuses.compact(found)))) == found
    assert "why" not in statuses.compact(found)


def test_a_thousand_environments_that_are_well_are_one_short_result():
    said = {"verdict": "proven", "reason": "the endpoint reads back what was handed over", "proven_at": AT}
    look = {"verdicts": dict.fromkeys(("connection", "link", "key"), said), "seen": SEEN, "requests": 9}
    found = statuses.environment_status({**look, "source": {"id": "5BKZVyYHdt1D7ZrtHyNR7W"}}, False)
    assert statuses.complete(statuses.compact(found)) == found
    assert len(json.dumps(statuses.compact(found))) < 600


def test_a_reason_is_one_entry_and_no_sentence_runs_into_the_next():
    assert FLEET["drifted"]["reasons"] == [
        "name: is b, and should be a (changed by jane).",
        "enabled: is b, and should be a (changed by jane).",
    ]
    assert statuses.in_one_line(["One.", "two", "three", "Four."]) == "One. two; three; Four."
    document = json.loads(forms.report_json(FLEET, RUN))["environments"]
    assert document["unread"]["reasons"] == ["key: of key", "write_keys: The token does not see write keys."]


def test_the_next_job_gets_the_keys_that_wait_for_a_word():
    """As unified_profiles_retire takes them. One that still overlaps waits for nobody."""
    ready = {"phase": "retire", "key": "3f29a1b07c55", "pending": True}
    rotations = {"dev": ready, "prod": {**ready, "pending": False}, "eu": {**ready, "phase": "hand over"}, "us": {}}
    outcomes = {name: complete({"rotation": rotation}) for name, rotation in rotations.items()}
    outcomes["failed"] = complete({"rotation": ready, "failure": "the endpoint answered 400"})
    outcomes["due"] = complete({"rotation": ready, "due": {"rotation": "it is to be handed over"}})
    assert forms.handed_on(outcomes)["to_retire"] == {"dev": "3f29a1b07c55"}
