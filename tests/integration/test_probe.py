# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A probe finds what the sandbox does otherwise than assumed, reads no more than it may, and names nobody."""

from __future__ import annotations

import dataclasses
import json
import re

import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks import judges as on
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.assumptions import ASSUMPTIONS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.judges import (
    CONTRADICTED,
    NOT_LOOKED_AT,
    NOT_VISIBLE,
    SEEN,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.counts import FLEX_EVENTS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import connections
from ansible_collections.flexops.unified_profiles.plugins.modules import segment_test_event
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._environment import survey_settings
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._probe import (
    Probe,
    probe_json,
    probe_markdown,
    probe_text,
    summed_up,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import RUN_ONLY
from sandbox import handovers
from sandbox.server import run_sandbox
from sandbox.world import SWITCHES
from support.chain import PREFIX, Chain, QuickClock, surveyed
from support.project import ROOT
from support.settings import pace

DAY = 86400


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Nobody waits for a rate limit."""
    monkeypatch.setattr(connections, "Clock", QuickClock)


def looked(*chains, more=True):
    """Look at environments as profiles_probe does; what was found, and their settings."""
    variables = {chain.name: {**chain.variables, f"{PREFIX}probe_more": more} for chain in chains}
    probe = Probe(pace(4), lambda line: None)
    found = probe.look(
        [*variables], lambda name: survey_settings(variables[name], None, "drift", RUN_ONLY, [*variables])
    )
    return found, probe.settings


def probed(*chains, more=True):
    """What was found, and the report."""
    found, settings = looked(*chains, more=more)
    return found, summed_up(found, settings, "2026-11-26")


def judgement(chain, name, more=True):
    found, _summary = probed(chain, more=more)
    return found[chain.name]["judgements"][name]


# What has to be so before a switch can be seen. Each takes a chain that was connected.


def plain(chain):
    pass


def busy(chain):
    chain.sandbox.work(chain.name)


def without_a_right(chain):
    chain.options["segment_token"] = chain.env.admin_token


def with_another_space(chain):
    chain.sandbox.sabotage(chain.name, "add-space")


def replayed(chain):
    """Events come while the source is in no space, and the source is connected two days later."""
    chain.sandbox.sabotage(chain.name, "disconnect-from-space")
    chain.sandbox.work(chain.name)
    chain.sandbox.advance(2 * DAY)
    (source,) = chain.twilio_sources
    handovers.link(chain.sandbox.world, chain.env, {"space_id": chain.env.space["id"], "source_id": source.id})
    chain.sandbox.advance(120)


def idle(chain):
    chain.sandbox.sabotage(chain.name, "disconnect-warehouses")
    chain.sandbox.advance(22 * DAY)


def used_up(requests, path):
    """Somebody with the same token has sent as many requests."""

    def use_up(chain):
        url = f"{chain.sandbox.url}/segment/us{path.format(space=chain.env.space['id'])}"
        with httpx.Client(headers={"authorization": f"Bearer {chain.env.segment_token}"}) as client:
            for _request in range(requests):
                client.get(url)

    return use_up


IN_SPACE = used_up(25, "/spaces/{space}/events")
LIMITED = {"rate_limits": True}
WRITE = "only a write would show it"
ALONE = "a 429 without msBeforeNext, as the limit of a token may have it"
# For each value of a switch: what comes before, the assumption, the verdict, the detail, and other switches.
CASES = {
    ("duplicate_slug", 400): (plain, "duplicate_slug", NOT_VISIBLE, WRITE),
    ("duplicate_slug", 422): (plain, "duplicate_slug", NOT_VISIBLE, WRITE),
    ("lacks_permission", 401): (without_a_right, "lacks_permission", CONTRADICTED, "HTTP 401 to GET /audit-events"),
    ("foreign_space", 403): (with_another_space, "foreign_space", CONTRADICTED, "HTTP 403"),
    ("foreign_space", 404): (with_another_space, "foreign_space", CONTRADICTED, "HTTP 404"),
    ("replay_seen", "arrival"): (replayed, "replay_dates", CONTRADICTED, "later than any event that was counted"),
    ("rate_limits", True): (IN_SPACE, "limit_alone", SEEN, ""),
    ("rate_limit_scope", "address"): (plain, "limit_scope", NOT_VISIBLE, "one look has one token"),
    ("token_limit", True): (used_up(100, "/"), "limit_alone", NOT_VISIBLE, ALONE),
    ("address_limit", 10): (plain, "limit_alone", NOT_VISIBLE, ALONE),
    ("rate_limit_hint", "seconds"): (IN_SPACE, "limit_alone", NOT_VISIBLE, ALONE, LIMITED),
    ("rate_limit_hint", "date"): (IN_SPACE, "limit_wait", CONTRADICTED, "Retry-After is no whole number", LIMITED),
    ("rate_limit_hint", "reset"): (
        IN_SPACE,
        "limit_wait",
        CONTRADICTED,
        "neither Retry-After nor msBeforeNext",
        LIMITED,
    ),
    ("rate_limit_hint", "none"): (
        IN_SPACE,
        "limit_wait",
        CONTRADICTED,
        "neither Retry-After nor msBeforeNext",
        LIMITED,
    ),
    ("space_event_resource", "space"): (plain, "audit_connected", CONTRADICTED, "the id of the space"),
    ("space_keeps_source", True): (idle, "space_keeps_nothing", CONTRADICTED, "enabled for more than 21 days"),
    ("sync_of_unseen", "warned"): (plain, "unseen_sync", NOT_VISIBLE, WRITE),
    ("volume_floats", True): (busy, "volume_integers", CONTRADICTED, "numbers with a decimal point"),
    ("profile_codes", "other"): (with_another_space, "profile_codes", CONTRADICTED, "HTTP 401 unauthorized"),
    ("ui_version", "null"): (plain, "ui_version", CONTRADICTED, "null"),
    ("ui_version", "range"): (plain, "ui_version", CONTRADICTED, "a string that is no single version"),
    ("old_alerts", 400): (plain, "old_alerts", CONTRADICTED, "HTTP 400"),
    ("account_by_key", 403): (
        plain,
        "account_by_key",
        NOT_VISIBLE,
        "never read, since the answer may have the account's auth token",
    ),
    ("account_by_key", 200): (
        plain,
        "account_by_key",
        NOT_VISIBLE,
        "never read, since the answer may have the account's auth token",
    ),
}
# Of a limit of more requests the answer is the same.
SAME = {("address_limit", 100), ("address_limit", 1000)}


def test_the_page_names_what_no_probe_sees():
    section = (ROOT / "docs/probe.md").read_text().partition("## What no probe sees")[2]
    named = re.findall(r"`(\w+)(?:: (\w+))?`(?=[^|\n]*\|[^|\n]*\|$)", section, re.MULTILINE)
    unseen = {switch for switch, case in CASES.items() if case[2] == NOT_VISIBLE}
    assert {switch for switch, _value in named} == {switch for switch, _value in unseen}
    for switch, value in unseen:
        # Without a value the page means all of them.
        assert (switch, value if (switch, value) in named else "") in named
        assert (switch, "") not in named or all(case[2] == NOT_VISIBLE for of, case in CASES.items() if of[0] == switch)


def arranged(sandbox, folder, arrange, switches):
    sandbox.reset()
    chain = Chain(sandbox, folder, retry_budget=0.0)
    of_all = {name: value for name, value in switches.items() if name in ("address_limit", "token_limit")}
    sandbox.switch(**{name: value for name, value in switches.items() if name not in of_all})
    assert not chain.connect().failure
    # To connect takes more requests than these let through.
    sandbox.switch(**of_all)
    arrange(chain)
    return chain


@pytest.mark.newest_only
@pytest.mark.parametrize(("switch", "value"), CASES)
def test_a_probe_finds_what_a_switch_does_otherwise(sandbox, tmp_path, switch, value):
    arrange, name, verdict, detail, *others = CASES[switch, value]
    chain = arranged(sandbox, tmp_path, arrange, {switch: value, **(others[0] if others else {})})
    assert judgement(chain, name) == {"verdict": verdict, "detail": detail}


@pytest.mark.newest_only
def test_nothing_is_contradicted_where_no_switch_is_set(sandbox, tmp_path):
    """Of each state that a switch is looked at in; and that is what the switches are all about."""
    assert {*CASES} | SAME == {(name, value) for name, values in SWITCHES.items() for value in values[1:]}
    saw = set()
    for number, arrange in enumerate(dict.fromkeys(case[0] for case in CASES.values())):
        chain = arranged(sandbox, tmp_path / str(number), arrange, {})
        found, _summary = probed(chain)
        judged = found["dev"]["judgements"]
        assert {it: of for it, of in judged.items() if of["verdict"] in (CONTRADICTED, NOT_LOOKED_AT)} == {}
        saw |= {it for it, of in judged.items() if of["verdict"] == SEEN}
    contradicted = {case[1] for case in CASES.values() if case[2] == CONTRADICTED}
    # A limit was not met.
    assert contradicted - saw == {"limit_wait"}


@pytest.mark.newest_only
def test_without_more_the_requests_are_those_of_a_survey(sandbox, tmp_path):
    chain = Chain(sandbox, tmp_path, snapshot=True)
    assert not chain.connect().failure
    chain.sandbox.work("dev")
    chain.env.alerts.clear()

    def requests(act):
        sandbox.clear_journal()
        act()
        sent = sandbox.journal()
        assert {entry["method"] for entry in sent} == {"GET"}
        # The profile that cannot exist, and the end of what is counted, are others each time.
        return sorted(
            re.sub(
                r"user_id:[0-9a-f-]{36}|\d\d:\d\d:\d\d|\d\d%3A\d\d%3A\d\d",
                "",
                f"{entry['service']} {entry['path']}?{entry['query']}",
            )
            for entry in sent
        )

    survey = requests(lambda: surveyed("drift", {"dev": {**chain.variables, f"{PREFIX}snapshot": False}}))
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    found = {}
    assert requests(lambda: found.update(probed(chain, more=False)[0])) == survey
    judged = found["dev"]["judgements"]
    assert {of["verdict"] for of in judged.values()} == {SEEN, NOT_VISIBLE, NOT_LOOKED_AT}
    assert judged["spaces"] == {"verdict": NOT_LOOKED_AT, "detail": "GET /spaces"}
    more = requests(lambda: probed(chain))
    assert len(survey) < len(more) <= len(survey) + 12
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files


@pytest.mark.newest_only
def test_the_same_id_is_seen_in_the_profile_api(sandbox, tmp_path):
    chain = Chain(sandbox, tmp_path)
    assert not chain.connect().failure
    assert judgement(chain, "profile_source_id") == {"verdict": NOT_VISIBLE, "detail": "no test event was ever sent"}
    (source,) = chain.twilio_sources
    sent = chain.run(segment_test_event, source_id=source.id, test_event=True, profile_token=chain.env.profile_token)
    assert sent["test_event"]["status"] == "arrived"
    assert judgement(chain, "profile_source_id") == {"verdict": SEEN, "detail": ""}


@pytest.mark.newest_only
def test_nothing_is_asked_about_what_must_not_be_connected(sandbox, tmp_path):
    chain = Chain(sandbox, tmp_path, regulated=["hipaa"])
    found, _settings = looked(chain)
    assert found["dev"]["judgements"] == {}
    assert "hipaa" in found["dev"]["failure"].lower()
    assert sandbox.journal() == []
    # Beside one that may be asked, it only counts.
    other = Chain(sandbox, tmp_path, "prod")
    _found, summary = probed(chain, other)
    assert summary["environments"] == {"asked": 1, "unknown": 1, "ended_early": 0, "on_a_sandbox": 1, "more": 1}


def strings_of(value):
    if dataclasses.is_dataclass(value):
        value = [*vars(value).values()]
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, (list, tuple, set)):
        return {text for inner in value for text in strings_of(inner)}
    return {value} if isinstance(value, str) else set()


@pytest.mark.newest_only
def test_no_name_id_or_secret_is_in_a_report(tmp_path):
    """All that the world holds is looked for; and what a service says where it fails, names fields, or puts into headers."""
    with run_sandbox([("canary-one", "us"), ("canary-two", "eu"), ("canary-three", "us")]) as sandbox:
        chains = [
            Chain(sandbox, tmp_path / "canary-state", name, retry_budget=0.0) for name in sandbox.world.environments
        ]
        for chain in chains:
            assert not chain.connect().failure
            with_another_space(chain)
        sandbox.work()
        sandbox.switch(space_event_resource="space", ui_version="range", profile_codes="other")
        said = {"errors": [{"type": "canary-type", "message": chains[2].env.segment_token, "canary-field": 1}]}
        told = {"content-type": "canary/type", "x-canary": "canary", "x-ratelimit-reset": "canary"}
        sandbox.fault(environment="canary-three", match="/sources", count=None, status=404, body=said, headers=told)
        found, summary = probed(*chains)
        assert found["canary-three"]["failure"]
        words = set().union(*(strings_of(env) for env in sandbox.world.environments.values()))
        words |= {f"{env.form_source}" for env in sandbox.world.environments.values()}
    words |= {"canary", "127.0.0.1", "example.com", sandbox.url.rpartition(":")[2], str(tmp_path)}
    # Names of fields, and words of the report's own.
    words -= {
        *(row.name for row in ASSUMPTIONS),
        *on.EVENT_TYPES,
        *FLEX_EVENTS,
        "ansible",
        "collection",
        "environment",
        "resources",
        "resourceId",
        "source",
        "sources",
    }
    looked_for = {word for word in words if len(word) > 5 or word == "canary"}
    assert len(looked_for) > 100
    for text in (probe_markdown(summary), probe_json(summary), probe_text(summary)):
        assert not (hits := sorted(word for word in looked_for if word in text)), " ".join(hits)
    assert summary["environments"] == {"asked": 3, "unknown": 0, "ended_early": 1, "on_a_sandbox": 3, "more": 3}


@pytest.mark.newest_only
def test_several_environments_are_summed_up(sandbox, tmp_path):
    chains = [Chain(sandbox, tmp_path, name) for name in sandbox.world.environments]
    for chain in chains:
        assert not chain.connect().failure
    sandbox.work("dev")
    sandbox.switch(ui_version="null")
    _found, summary = probed(*chains)
    rows = {row["name"]: row for row in summary["assumptions"]}
    assert [*rows] == [row.name for row in ASSUMPTIONS]
    assert (rows["ui_version"]["verdict"], rows["ui_version"]["environments"]) == (CONTRADICTED, {CONTRADICTED: 3})
    assert rows["ui_version"]["details"] == [{"verdict": CONTRADICTED, "detail": "null", "environments": 3}]
    assert rows["flex_events"]["verdict"] == SEEN
    assert rows["flex_events"]["environments"] == {SEEN: 1, NOT_VISIBLE: 2}
    text = probe_text(summary)
    assert text.splitlines()[1:] == [
        "  contradicted: Flex tells the version of its UI as a single version. Seen: null."
    ]
    page = probe_markdown(summary)
    assert "## Contradicted: 1\n" in page
    assert "1 seen, 2 not visible | 2 of 2 names |" in page
    assert "only ever ran this probe against the sandbox" in page


def test_the_playbook_writes_a_report_for_an_issue(project, sandbox):
    """As a first user has it; then in check mode with a wrong setting and token, which it names in the terminal alone."""
    first = project.run("probe", "-e", "unified_profiles_probe_more=true")
    assert first.status == 0, first.output
    folder = project.inventory / ".unified_profiles/probe"
    assert f"Report: {folder}/probe.md" in first.output
    assert re.search(
        r"\d+ assumptions: 0 contradicted, \d+ seen, 0 not looked at, \d+ not visible \(3 environments", first.output
    )
    report = json.loads((folder / "probe.json").read_text())
    assert report["environments"] == {"asked": 3, "unknown": 0, "ended_early": 0, "on_a_sandbox": 3, "more": 3}
    assert report["collection"]
    page = (folder / "probe.md").read_text()
    assert page.startswith("# What a probe saw\n")
    assert not re.search(r"\b(dev|prod|sgp_[A-Za-z0-9]{4,}|AC[0-9a-f]{8,})\b", page)
    assert {entry["method"] for entry in sandbox.journal()} == {"GET"}

    before = {path: path.read_bytes() for path in project.inventory.rglob("*") if path.is_file()}
    sandbox.sabotage("prod", "revoke-token", which="segment")
    project.hosts(dev={"probe_mroe": True}, prod={"like": "prod"}, eu={"like": "eu"})
    before[project.inventory / "hosts.yml"] = (project.inventory / "hosts.yml").read_bytes()
    second = project.run("probe", "--check")
    assert second.status != 0
    assert "The look at 2 of 3 environments ended early" in second.output
    assert "Did you mean unified_profiles_probe_more?" in second.output
    assert "prod: " in second.output
    assert "Report: " not in second.output
    assert {path: path.read_bytes() for path in project.inventory.rglob("*") if path.is_file()} == before


REFUSED = """
- name: Probe
  hosts: unified_profiles
  gather_facts: false
  connection: local
  tasks:
    - name: Write below a file
      flexops.unified_profiles.profiles_probe:
        probe_dir: "{{ inventory_dir }}/hosts.yml/probe"
      run_once: true
      delegate_to: localhost
      ignore_errors: true

    - name: Ask about nobody
      flexops.unified_profiles.profiles_probe:
      vars:
        unified_profiles_regulated: [hipaa]
      run_once: true
      delegate_to: localhost
      ignore_errors: true
"""


@pytest.mark.newest_only
def test_what_cannot_be_written_or_asked_is_told_before_anything_is_asked(project, sandbox):
    (project.folder / "refused.yml").write_text(REFUSED)
    run = project.run(str(project.folder / "refused.yml"))
    words = " ".join(run.output.split())
    assert f"probe_dir: {project.inventory}/hosts.yml/probe cannot be written to: Not a directory." in words
    assert "No environment was asked anything, so no report is written." in words
    assert all(
        f"{name}: unified_profiles_regulated: the environment is marked" in words.replace("\\n", " ")
        for name in ("dev", "prod", "eu")
    )
    assert "Traceback" not in words
    assert sandbox.journal() == []
    assert not (project.inventory / ".unified_profiles/probe/probe.md").exists()
