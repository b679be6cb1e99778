# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an operator sees of connect and recover, through real playbooks against the sandbox."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from sandbox import handovers

NAME = "twilio-unified-profiles"


def twilio_sources(sandbox, environment):
    return [s for s in sandbox.world.environments[environment].sources.values() if s.name == NAME]


def verdicts(run, environment):
    return [run.report[environment][step] for step in ("connection", "link", "key")]


def endpoints(**more):
    return json.dumps(
        {
            "unified_profiles_endpoints": {
                **{step: {"url": "https://localhost"} for step in ("connection", "link")},
                **more,
            }
        }
    )


def assert_predicted(check, real):
    """Every line of the predicted diff is in the real one, but for values that only the server can know."""
    assert check.diffs
    known = [line for line in check.diffs if "<set by Segment>" not in line]
    open_fields = {line.split(":")[0].replace("+ ", "").strip() for line in check.diffs if "<set by Segment>" in line}
    rest = list(real.diffs)
    for line in known:
        assert line in rest, line
        rest.remove(line)
    assert {line.split(":")[0].replace("+ ", "").strip() for line in rest} <= open_fields


def test_connect_then_connect_again(project, sandbox):
    first = project.run("connect")
    assert first.status == 0, first.output
    for name, environment in sandbox.world.environments.items():
        (source,) = twilio_sources(sandbox, name)
        assert (source.slug, source.labels) == (NAME.replace("-", "_"), [{"key": "managed-by", "value": "ansible"}])
        assert environment.flex_key == source.keys[0]
        # The gateway reads back what is set there now.
        assert verdicts(first, name) == ["proven"] * 3
    sandbox.clear_journal()
    again = project.run("connect")
    assert set(again.changed.values()) == {0}
    assert sandbox.journal(writes=True) == []
    services = [e["path"] for e in sandbox.journal() if e["environment"] == "dev" and e["service"] != "handover"]
    assert len(services) <= 9, services


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"key": {"url": "https://localhost", "body": {"k": "{write_kye}"}}}, "endpoints.key.body"),
        ({"key": {"url": "https://localhost?token=1"}}, "endpoints.key.url"),
        ({"key": {"read_url": "https://localhost", "read_path": "x"}}, "url"),
        ({"kye": {"url": "https://localhost"}}, "has no option kye"),
        ({"key": {"url": "https://localhost"}, "kye": {"url": "https://localhost"}}, "kye"),
    ],
)
@pytest.mark.newest_only
def test_an_endpoint_of_the_last_step_that_cannot_be_used_is_told_before_the_first(project, sandbox, wrong, named):
    run = project.run("connect", "-e", endpoints(**wrong))
    assert run.status == 2
    for name in sandbox.world.environments:
        assert run.report[name]["connection"] != "proven"
        assert named in run.report[name]["what was found, and why"], run.report[name]
    assert sandbox.journal(writes=True) == []


@pytest.mark.newest_only
def test_an_endpoint_that_refuses_is_told_before_anything_is_changed(project, sandbox):
    project.hosts(dev={"gateway_token": "of-nobody"}, prod={"like": "prod"})
    run = project.run("connect")
    assert run.status == 2
    assert run.report["prod"]["connection"] == "proven"
    for step in ("connection", "link", "key"):
        assert f"The {step} endpoint answered GET" in run.report["dev"]["what was found, and why"]
    assert [e for e in sandbox.journal(writes=True) if e["environment"] == "dev"] == []


@pytest.mark.newest_only
def test_recover_needs_no_answer_of_the_endpoint_that_it_never_uses(project, sandbox):
    project.run("connect", "--limit", "dev")
    sandbox.sabotage("dev", "delete-source")
    sandbox.fault(match="/handover/dev/connection", kind="status", status=403, count=None)
    run = project.run("recover", "--limit", "dev")
    assert (run.status, verdicts(run, "dev")) == (0, ["attested", "proven", "proven"]), run.output


@pytest.mark.newest_only
def test_an_endpoint_may_have_nothing_to_say_before_the_form(project, sandbox):
    sandbox.fault(match="GET /handover/dev/link", kind="status", status=409)
    run = project.run("connect", "--limit", "dev")
    assert run.status == 0, run.output
    assert verdicts(run, "dev") == ["proven"] * 3


def test_what_is_omitted_in_an_endpoint_is_not_there(project, sandbox):
    project.run("connect", "--limit", "dev")
    described = {
        step: {
            "url": f"{{{{ unified_profiles_gateway }}}}/{step}",
            "headers": "{{ unified_profiles_gateway_headers }}",
            "read_url": "{{ of_nobody | default(omit) }}",
            "read_path": "{{ of_nobody | default(omit) }}",
        }
        for step in ("connection", "link", "key")
    }
    run = project.run("connect", "--limit", "dev", "-e", json.dumps({"unified_profiles_endpoints": described}))
    assert run.status == 0, run.output


def test_a_header_that_names_the_space_does_not_hide_it(project, sandbox):
    """Headers are secrets, and their values hidden in results; what is no secret anywhere else is none there."""
    space = sandbox.world.environments["dev"].space["id"]
    headers = {"Authorization": "Bearer {{ unified_profiles_gateway_token }}", "X-Space": space}
    run = project.run(
        "connect", "--limit", "dev", "-v", "-e", json.dumps({"unified_profiles_gateway_headers": headers})
    )
    assert run.status == 0, run.output
    assert f"space_id: {space}" in run.output
    assert sandbox.world.environments["dev"].gateway_token not in run.output


@pytest.mark.newest_only
def test_what_was_seen_before_the_form_says_nothing_of_link_and_key(project, sandbox):
    """The form links and stores a key itself, so both are looked at again when it was filled in."""
    project.run("connect", "--limit", "dev")
    sandbox.clear_journal()
    run = project.run("connect", "--limit", "dev", "-e", "unified_profiles_friendly_name=Renamed")
    assert run.status == 0, run.output
    asked = [(e["method"], e["path"].rpartition("/")[2]) for e in sandbox.journal() if e["service"] == "handover"]
    after = asked[asked.index(("POST", "connection")) + 1 :]
    assert {("GET", step) for step in ("connection", "link", "key")} <= {*after}


def blind(project):
    """A gateway that takes hand-overs and cannot show what is set: only evidence can prove them."""
    bodies = {
        "connection": {"space_id": "{space_id}", "profile_token": "{profile_token}", "allow_write_events": True},
        "link": {"space_id": "{space_id}", "source_id": "{source_id}"},
        "key": {"write_key": "{write_key}"},
    }
    where = {
        step: {
            "url": f"{{{{ unified_profiles_gateway }}}}/{step}",
            "headers": "{{ unified_profiles_gateway_headers }}",
            "body": body,
        }
        for step, body in bodies.items()
    }
    path = project.folder / "blind.json"
    path.write_text(json.dumps({"unified_profiles_endpoints": where}))
    return "-e", f"@{path}"


@pytest.mark.newest_only
def test_evidence_is_earned(project, sandbox):
    gateway = blind(project)
    first = project.run("connect", *gateway)
    assert verdicts(first, "dev") == ["attested", "proven", "attested"]
    sandbox.work(count=3)
    sandbox.clear_journal()
    proven = project.run("connect", *gateway)
    assert verdicts(proven, "dev") == ["proven"] * 3
    assert "Flex wrote 3 engagements through the only key" in proven.report["dev"]["what was found, and why"]
    # With all evidence read, unlike in the first minutes after a hand-over or with a gateway that reads back.
    of_dev = [e["path"] for e in sandbox.journal() if e["environment"] == "dev" and e["service"] != "handover"]
    # What keeps the source enabled is read besides.
    services = [path for path in of_dev if "/connected-" not in path]
    assert (len(services) <= 10, len(of_dev) - len(services)) == (True, 2), of_dev


@pytest.mark.newest_only
def test_a_test_event_that_was_agreed_to_proves_the_link(project, sandbox):
    # Where the audit trail does not say which source was connected, nothing else can.
    sandbox.world.switch({"space_event_resource": "space"})
    arguments = (*blind(project), "--limit", "dev", "-e", "unified_profiles_test_event=true")
    check = project.run("connect", *arguments, "--check")
    assert check.status == 0, check.output
    assert sandbox.journal(writes=True) == []
    run = project.run("connect", *arguments, "-vvv")
    assert verdicts(run, "dev") == ["attested", "proven", "attested"], run.output
    assert not any(key in run.output for source in twilio_sources(sandbox, "dev") for key in source.keys)
    # Though nothing else proves it, it sends no other one before the proof would be too old, or the link is made anew.
    again = project.run("connect", *arguments)
    assert again.changed["dev"] == 0, again.output
    assert verdicts(again, "dev") == ["attested"] * 3
    assert [e["path"] for e in sandbox.journal(writes=True)].count("/tracking/us/v1/identify") == 1


@pytest.mark.newest_only
def test_a_wrong_key_in_flex_is_seen_by_the_gateway_and_handed_over_again(project, sandbox):
    project.run("connect")
    sandbox.sabotage("dev", "wrong-key-in-flex")
    sandbox.work(count=3)
    sandbox.clear_journal()
    run = project.run("connect")
    assert run.changed["dev"] == 1
    # Nothing is due in the others: no task acts on them, and the second look leaves them out.
    assert [*run.changed] == ["dev"], run.output
    asked = Counter((e["environment"], e["method"], e["path"]) for e in sandbox.journal())
    assert {name for name, _method, _path in asked} == {"dev", "prod", "eu"}
    assert {name for (name, _method, _path), times in asked.items() if times > 1} == {"dev"}
    assert verdicts(run, "dev") == ["proven"] * 3
    assert sandbox.world.environments["dev"].flex_key == twilio_sources(sandbox, "dev")[0].keys[0]


@pytest.mark.newest_only
def test_a_wrong_key_in_flex_is_never_proven(project, sandbox):
    gateway = blind(project)
    project.run("connect", *gateway)
    # Segment accepts a wrong key, so that Twilio notices nothing but its connector's own failures.
    connection = sandbox.world.environments["dev"].connection
    sandbox.sabotage("dev", "wrong-key-in-flex")
    sandbox.sabotage("dev", "wrong-token-in-flex")
    sandbox.work(count=3)
    run = project.run("connect", *gateway)
    assert run.status != 0
    assert verdicts(run, "dev") == ["broken", "proven", "attested"]
    assert "Twilio raised alert 49009" in run.report["dev"]["what was found, and why"]
    assert verdicts(run, "prod") == ["proven"] * 3
    # It was mended by pasting the same key again, which the ledger cannot know; somebody says so.
    environment = sandbox.world.environments["dev"]
    handovers.store_key(sandbox.world, environment, twilio_sources(sandbox, "dev")[0].keys[0])
    environment.connection = connection
    card = (project.inventory / ".unified_profiles/report.md").read_text()
    name = re.search(r"unified_profiles_acknowledge=([0-9a-f]{12})", card)[1]
    mended = ("-e", f"unified_profiles_acknowledge={name}", "-e", "unified_profiles_confirmed_by=jane")
    sandbox.work(count=3)
    run = project.run("connect", *gateway, *mended)
    assert (run.status, verdicts(run, "dev")) == (0, ["proven"] * 3), run.output
    # It is recorded, so the next night knows it as well.
    run = project.run("connect", *gateway, *mended)
    assert (run.status, run.changed["dev"], verdicts(run, "dev")) == (0, 0, ["proven"] * 3), run.output


@pytest.mark.newest_only
def test_a_broken_connection_is_handed_over_again_by_name(project, sandbox):
    operator = ("-e", "unified_profiles_channel=operator", "-e", "unified_profiles_confirmed_by=jane", "--limit", "dev")
    project.run("connect", "--limit", "dev")
    sandbox.sabotage("dev", "lose-connector")
    sandbox.work(count=3)
    broken = project.run("connect", *operator)
    assert (broken.status != 0, verdicts(broken, "dev")[0]) == (True, "broken")
    card = (project.inventory / ".unified_profiles/report-limited.md").read_text()
    again = ("-e", re.search(r"unified_profiles_handover_again=[0-9a-f]{12}", card)[0])
    asked = project.run("connect", *operator, *again)
    assert verdicts(asked, "dev")[0] == "pending"
    assert project.run("connect", *operator, *again).changed["dev"] == 0
    environment = sandbox.world.environments["dev"]
    form = {"space_id": environment.space["id"], "profile_token": environment.profile_token, "allow_write_events": True}
    handovers.connect(sandbox.world, environment, form)
    digest = project.ledger("dev")["connection"]["asked"]["digest"]
    done = project.run("connect", *operator, *again, "-e", f"unified_profiles_confirm={digest}")
    assert (done.status, verdicts(done, "dev")[0]) == (0, "attested"), done.output
    assert project.run("connect", *operator, *again, "-e", f"unified_profiles_confirm={digest}").changed["dev"] == 0


@pytest.mark.parametrize("name", ["acknowledge", "handover_again", "withdraw"])
def test_what_is_said_of_one_record_is_refused_from_an_inventory(project, sandbox, name):
    project.hosts(production={"channel": "operator", name: "0" * 12})
    run = project.run("connect", "--limit", "production")
    assert f"unified_profiles_{name}: is given to one run" in run.report["production"]["what was found, and why"]
    assert sandbox.journal(writes=True) == []


@pytest.mark.newest_only
def test_a_source_that_left_the_space_fails_the_next_night(project, sandbox):
    """Where the audit trail does not say which source it was, the next engagements do."""
    sandbox.world.switch({"space_event_resource": "space"})
    gateway = blind(project)
    project.run("connect", *gateway)
    sandbox.work(count=3)
    assert verdicts(project.run("connect", *gateway), "dev") == ["proven"] * 3
    sandbox.sabotage("dev", "disconnect-from-space")
    sandbox.advance(24 * 3600)
    sandbox.work(count=3)
    sandbox.advance(6 * 3600)
    run = project.run("connect", *gateway)
    assert run.status != 0
    assert "the space has shown none since" in run.report["dev"]["what was found, and why"]
    assert "unified_profiles_acknowledge=" in (project.inventory / ".unified_profiles/report.md").read_text()
    assert project.run("connect", *gateway, "-e", "unified_profiles_fail_on_suspicion=false").status == 0


@pytest.mark.newest_only
def test_connect_never_makes_a_source_and_names_recover(project, sandbox):
    project.run("connect")
    sandbox.sabotage("dev", "delete-source")
    sandbox.clear_journal()
    # With an operator instead of a gateway nothing tells that the link is gone but the missing source itself.
    # A variable of release 0.1.0 changes nothing.
    operator = ("-e", "unified_profiles_channel=operator", "-e", "source_create=true")
    run = project.run("connect", *operator, "--limit", "dev")
    assert run.status != 0
    assert "recover" in run.report["dev"]["what was found, and why"]
    assert sandbox.journal(writes=True) == []


def test_recover_what_was_deleted_renamed_and_disabled(project, sandbox):
    project.run("connect")
    sandbox.sabotage("dev", "delete-source")
    sandbox.sabotage("prod", "rename-source", to="renamed by hand")
    sandbox.sabotage("eu", "disable-source")
    sandbox.clear_journal()
    check = project.run("recover", "--check", "--diff")
    assert check.status == 0, check.output
    assert sandbox.journal(writes=True) == []
    run = project.run("recover", "--diff")
    assert run.status == 0, run.output
    assert_predicted(check, run)
    told = {name: row["what was found, and why"] for name, row in run.report.items()}
    assert "gone (Source Deleted by ops@example.com" in told["dev"]
    # The new source has its warehouse again.
    assert not [name for name in told if "Segment may disable the source by itself on" in told[name]]
    assert "renamed by hand" in told["prod"]
    assert "disabled" in told["eu"]
    for name, environment in sandbox.world.environments.items():
        (source,) = twilio_sources(sandbox, name)
        assert source.enabled
        assert environment.flex_key == source.keys[0]
        assert source.id in environment.linked
        assert project.ledger(name)["key"]["done"]["subject"]["source_id"] == source.id
    sandbox.clear_journal()
    again = project.run("recover")
    assert set(again.changed.values()) == {0}
    assert sandbox.journal(writes=True) == []


@pytest.mark.newest_only
def test_the_second_look_takes_those_that_are_still_gone_for_no_mass_deletion(project, sandbox):
    """It is of those alone where something was due, so all of them look deleted: in check mode, and where each recovery failed."""
    gone = ("dev", "prod", "eu")
    project.hosts(**{name: {"like": name} for name in gone}, other={"no_setting": 1})
    project.run("connect")
    for name in gone:
        sandbox.sabotage(name, "delete-source")
    few = ("-e", "unified_profiles_recover_max_percentage=75")
    refused, check = project.run("recover", "--check"), project.run("recover", "--check", *few)
    sandbox.fault(match="POST*/sources", kind="status", status=403, count=None)
    failed = project.run("recover", *few)
    for name in gone:
        assert "deleted in 3 of 4 environments at once" in refused.report[name]["what was found, and why"]
        assert check.report[name]["status"] == "drifted", check.output
        assert "POST /sources" in failed.report[name]["what was found, and why"], failed.report[name]
    assert "environments at once" not in check.output + failed.output


@pytest.mark.newest_only
def test_a_changed_name_makes_only_the_connection_due(project, sandbox):
    project.run("connect", "--limit", "dev")
    sandbox.clear_journal()
    run = project.run("connect", "--limit", "dev", "-e", "unified_profiles_friendly_name=new")
    assert run.changed["dev"] == 1
    assert sandbox.world.environments["dev"].connection["friendly_name"] == "new"
    assert [e["path"] for e in sandbox.journal(writes=True)] == ["/handover/dev/connection"]


@pytest.mark.newest_only
def test_recover_hands_a_replaced_key_over(project, sandbox):
    project.run("connect")
    sandbox.sabotage("dev", "remove-key")
    run = project.run("recover", "--limit", "dev")
    assert "no longer on the source" in run.report["dev"]["what was found, and why"]
    assert sandbox.world.environments["dev"].flex_key == twilio_sources(sandbox, "dev")[0].keys[0]


@pytest.mark.parametrize(
    ("sabotage", "said"),
    [("swap-type", "must be Java"), ("duplicate-name", "2 sources fit the name"), ("legacy-source", "source_name")],
)
@pytest.mark.newest_only
def test_recover_stops_where_it_would_do_harm(project, sandbox, sabotage, said):
    if sabotage != "legacy-source":
        project.run("connect", "--limit", "dev")
    sandbox.sabotage("dev", sabotage)
    sandbox.clear_journal()
    run = project.run("recover", "--limit", "dev")
    assert run.status != 0
    assert said in run.report["dev"]["what was found, and why"] + run.output
    assert sandbox.journal(writes=True) == []


def test_recover_makes_no_rival_where_nothing_was_ever_connected(project, sandbox):
    run = project.run("recover", "--limit", "dev")
    assert run.status != 0
    assert "Run connect; or set unified_profiles_recover_without_trace" in run.report["dev"]["what was found, and why"]
    assert twilio_sources(sandbox, "dev") == []


def test_check_mode_predicts_a_first_connect(project, sandbox):
    check = project.run("connect", "--check", "--diff")
    assert check.status == 0, check.output
    assert sandbox.journal(writes=True) == []
    assert project.ledger("dev") == {}
    assert (
        "source (the form creates it, so its id and key cannot be predicted)"
        in check.report["dev"]["what was found, and why"]
    )
    assert_predicted(check, project.run("connect", "--diff"))


@pytest.mark.newest_only
def test_one_bad_token_stops_one_environment(project, sandbox):
    project.hosts(dev={}, prod={"like": "prod", "segment_token": "sgp_" + "x" * 64}, eu={"like": "eu"})
    run = project.run("connect")
    assert run.status != 0
    assert run.report["prod"]["status"] == "failed"
    assert "segment_token" in run.report["prod"]["what was found, and why"]
    assert [run.report[name]["status"] for name in ("dev", "eu")] == ["proven", "proven"]


@pytest.mark.parametrize(
    ("state_dir", "said"),
    [
        ("~nosuchuser/up", "state_dir: begins with ~nosuchuser, and no such user is known here"),
        ("$NOT_SET_ANYWHERE/up", "state_dir: has $NOT_SET_ANYWHERE in it"),
        ("state", "state_dir: is state, which is another folder in each working folder"),
    ],
)
@pytest.mark.newest_only
def test_a_folder_that_is_none_fails_its_environment_and_the_report_exists(project, sandbox, state_dir, said):
    project.hosts(dev={"state_dir": state_dir}, prod={"like": "prod"})
    run = project.run("connect")
    assert run.status != 0
    assert said in run.report["dev"]["what was found, and why"]
    assert run.report["prod"]["status"] == "proven"
    assert "A defect" not in run.output
    assert [path.name for path in project.folder.iterdir()] == ["inventory"]


BAD = {
    "token_missing": ({"segment_token": "{{ omit }}"}, "segment_token: is missing or empty."),
    "token_empty": ({"segment_token": ""}, "segment_token: is missing or empty."),
    "token_newline": ({"segment_token": "sgp_abc\n"}, "segment_token: has white space"),
    "token_non_ascii": (
        {"segment_token": "sgp_äbc"},
        "segment_token: has white space, line breaks or characters outside",
    ),
    "region_unknown": ({"segment_region": "apac"}, "unified_profiles_segment_region: must be one of us, eu,"),
    "timeout_text": (
        {"timeout": "soon"},
        "unified_profiles_timeout: must be a finite number, and is a short string.",
    ),
    "endpoints_text": (
        {"endpoints": "no-such-secret"},
        "unified_profiles_endpoints: must be a mapping, and is a short string",
    ),
    "space_missing": ({"space_id": "{{ omit }}"}, "missing required arguments: "),
    "region_other": ({"segment_region": "eu"}, "Set unified_profiles_segment_region to 'us'"),
    "http_url": ({"sandbox_url": "http://example.com"}, "uses http to example.com"),
    "space_spaces": ({"space_id": "spa a/b"}, "space_id: is empty or has characters"),
    "space_unknown": ({"space_id": "spa_unknown"}, "space_id: no space 'spa_unknown' is known to this token"),
    "name_empty": ({"source_name": " "}, "source_name: is empty"),
    "name_space": ({"source_name": "twilio-unified-profiles "}, "has white space at an end"),
    "no_consent": ({"allow_write_events": False}, "allow_write_events: is not true"),
    "hipaa": ({"regulated": ["hipaa"]}, "not a HIPAA Eligible Service"),
    "pci": ({"regulated": ["pci"]}, "PCI compliant"),
    "unreachable": ({"sandbox_url": "http://127.0.0.1:9", "retry_budget": 0.1}, "Cannot reach Segment"),
    "cannot_see_keys": ({"segment_token": "READ_ONLY"}, ""),
}


def test_bad_input_names_the_option_and_the_way_out(project, sandbox):
    read_only = sandbox.world.environments["prod"].read_only_token
    hosts = {name: dict(settings) for name, (settings, _said) in BAD.items() if name != "cannot_see_keys"}
    # Two hosts with one workspace are refused, so every other bad host stays away from the good ones.
    project.hosts(
        **hosts,
        twin_a={"like": "eu"},
        twin_b={"like": "eu"},
        cannot_see_keys={"like": "prod", "segment_token": read_only, "source_labels": {}},
    )
    run = project.run("connect")
    assert run.status != 0
    told = {name: row["what was found, and why"] for name, row in run.report.items()}
    for name, (_settings, said) in BAD.items():
        assert said in told[name], (name, told[name])
    assert "no-such-secret" not in run.output
    assert "cannot be seen" in told["cannot_see_keys"]
    assert "have the same Segment workspace" in told["twin_a"]
    assert "have the same Segment workspace" in told["twin_b"]
    # Nothing was written for any of them, but for the one whose token reads well and cannot see keys.
    assert {e["environment"] for e in sandbox.journal(writes=True)} <= {"prod"}


def test_the_region_may_come_from_the_environment_as_the_tokens_may(project):
    """A job that gets everything but ids from its credentials."""
    hosts = project.settings("eu")
    token = hosts.pop("unified_profiles_segment_token")
    del hosts["unified_profiles_segment_region"]
    (project.inventory / "hosts.yml").write_text(json.dumps({"unified_profiles": {"hosts": {"eu": hosts}}}))
    assert project.run("connect", SEGMENT_TOKEN=token, SEGMENT_REGION="eu").report["eu"]["status"] == "proven"
    wrong = project.run("connect", SEGMENT_TOKEN=token)
    assert "segment_region to 'eu'" in wrong.report["eu"]["what was found, and why"]


def test_batches_that_ansible_does_not_see_are_refused_before_anything_is_changed(project, sandbox):
    variables = project.inventory / "group_vars/all.yml"
    variables.parent.mkdir(exist_ok=True)
    variables.write_text("unified_profiles_serial: [1, '100%']\n")
    run = project.run("connect")
    assert run.status != 0
    assert "Give it as an extra variable" in run.output
    assert sandbox.journal(writes=True) == []
    assert project.run("connect", "-e", "unified_profiles_serial=100%").status == 0


@pytest.mark.newest_only
def test_each_environment_says_for_itself_whether_pending_fails_it(project):
    waiting = {"channel": "operator"}
    project.hosts(dev={**waiting, "fail_on_pending": False}, prod={"like": "prod", **waiting})
    run = project.run("connect")
    assert run.status != 0
    assert "prod is pending" in run.output
    assert "dev is pending" not in run.output
    project.hosts(dev={**waiting, "fail_on_pending": False}, prod={"like": "prod"})
    assert project.run("connect").status == 0


@pytest.mark.newest_only
def test_a_workspace_that_cannot_be_read_stops_its_environment_alone(project, sandbox):
    sandbox.fault(match="GET /segment/us/$", kind="malformed", count=99, environment="dev")
    run = project.run("connect")
    assert run.report["dev"]["status"] == "failed"
    assert "[workspace]" in run.report["dev"]["what was found, and why"]
    assert {run.report[name]["status"] for name in ("prod", "eu")} == {"proven"}


def test_headers_that_are_no_secrets_hide_nothing(project):
    """Header values are taken for secrets, and these are part of nearly every text."""
    headers = {"Authorization": "Bearer {{ unified_profiles_gateway_token }}", "X-Environment": "production"}
    headers |= {f"X-{digit}": digit for digit in "0123456789abcdef"}
    project.hosts(production={"gateway_headers": headers, "channel": "operator"})
    run = project.run("connect")
    assert "VALUE_SPECIFIED" not in run.output
    assert re.search(r"-e unified_profiles_confirm=[0-9a-f]{12} -e unified_profiles_confirmed_by=NAME", run.output)


@pytest.mark.parametrize(("fault", "said"), [("html", "and HTML"), ("malformed", "not JSON")])
@pytest.mark.newest_only
def test_answers_that_are_not_the_api(project, sandbox, fault, said):
    sandbox.fault(match="GET /segment/us/$", kind=fault, count=99)
    sandbox.fault(match="GET /segment/us/spaces", kind=fault, count=99)
    run = project.run("connect", "--limit", "dev")
    assert said in run.report["dev"]["what was found, and why"]


def test_an_operator_is_asked_with_a_card_and_confirms(project, sandbox):
    operator = ("-e", "unified_profiles_channel=operator", "--limit", "dev")
    first = project.run("connect", *operator)
    assert first.status != 0
    assert first.report["dev"]["status"] == "pending"
    card = (project.inventory / ".unified_profiles/report-limited.md").read_text()
    environment = sandbox.world.environments["dev"]
    assert "Profile API access token" in card
    assert environment.profile_token not in card
    again = project.run("connect", *operator)
    assert again.changed["dev"] == 0
    assert project.run("connect", *operator, "-e", "unified_profiles_fail_on_pending=false").status == 0
    digest = project.ledger("dev")["connection"]["asked"]["digest"]

    stale = json.dumps({"unified_profiles_confirm": {"dev": {"connection": {"by": "jane", "digest": "0" * 12}}}})
    refused = project.run("connect", *operator, "-e", stale)
    assert "changed since the task card" in refused.report["dev"]["what was found, and why"]
    assert digest in (project.inventory / ".unified_profiles/report-limited.md").read_text(), (
        "the card that is still to do"
    )

    form = {"space_id": environment.space["id"], "profile_token": environment.profile_token, "allow_write_events": True}
    handovers.connect(sandbox.world, environment, form)
    confirm = json.dumps({"unified_profiles_confirm": {"dev": {"connection": {"by": "jane", "digest": digest}}}})
    done = project.run("connect", *operator, "-e", confirm)
    assert done.status == 0, done.output
    assert verdicts(done, "dev") == ["attested", "proven", "attested"]
    assert project.ledger("dev")["connection"]["done"]["by"] == "jane"
    assert project.run("connect", *operator, "-e", confirm).changed["dev"] == 0


@pytest.mark.newest_only
def test_what_was_connected_by_hand_is_attested_and_then_proven(project, sandbox):
    environment = sandbox.world.environments["dev"]
    form = {"space_id": environment.space["id"], "profile_token": environment.profile_token, "allow_write_events": True}
    handovers.connect(sandbox.world, environment, form)
    brownfield = ("-e", "unified_profiles_channel=operator", "--limit", "dev")
    brownfield += ("-e", '{"unified_profiles_source_labels": {}}')
    nobody = project.run("connect", *brownfield, "-e", "unified_profiles_attest_existing=true")
    assert "unified_profiles_attest_existing: must be the name" in nobody.report["dev"]["what was found, and why"]
    brownfield += ("-e", "unified_profiles_attest_existing=jane")
    run = project.run("connect", *brownfield)
    assert run.status == 0, run.output
    assert verdicts(run, "dev") == ["attested", "proven", "attested"]
    assert {step["done"]["how"] for step in project.ledger("dev").values()} == {"existing"}
    assert sandbox.journal(writes=True) == []
    sandbox.work(count=3)
    again = project.run("connect", *brownfield)
    assert again.changed["dev"] == 0
    assert verdicts(again, "dev") == ["proven"] * 3


@pytest.mark.newest_only
def test_recover_attests_nothing_that_it_made_itself(project, sandbox):
    arguments = ("-e", "unified_profiles_channel=operator", "-e", "unified_profiles_attest_existing=jane")
    arguments += ("--limit", "dev")
    run = project.run("recover", *arguments)
    assert "the audit trail shows no deleted one" in run.report["dev"]["what was found, and why"]
    assert twilio_sources(sandbox, "dev") == []
    run = project.run("recover", *arguments, "-e", "unified_profiles_recover_without_trace=true")
    assert len(twilio_sources(sandbox, "dev")) == 1
    assert run.report["dev"]["status"] == "pending"
    assert verdicts(run, "dev")[1:] == ["pending", "pending"]


def test_no_secret_in_the_most_talkative_output(project, sandbox):
    run = project.run("connect", "-vvvv", "--diff", "--limit", "dev")
    sandbox.sabotage("dev", "delete-source")
    recovered = project.run("recover", "-vvvv", "--diff", "--limit", "dev")
    environment = sandbox.world.environments["dev"]
    keys = [key for source in environment.sources.values() for key in source.keys]
    files = "".join(p.read_text() for p in project.folder.rglob("*") if p.is_file() and p.name != "hosts.yml")
    shown = run.output + recovered.output + files
    for secret in (environment.segment_token, environment.profile_token, environment.api_secret, *keys):
        assert secret not in shown
    assert environment.gateway_token not in shown


def test_a_rollout_stops_when_too_many_failed_and_says_what_was_not_tried(project, sandbox):
    # What looks well and fails at its first step.
    sandbox.fault(match="POST /handover/prod/connection", kind="status", status=409, count=None)
    project.hosts(canary={"like": "prod"}, second={"like": "dev"}, third={"like": "eu"})
    batches = json.dumps({"unified_profiles_serial": [1, "100%"], "unified_profiles_max_fail_percentage": 50})
    run = project.run("connect", "-e", batches)
    assert run.status != 0
    assert "with HTTP 409" in run.report["canary"]["what was found, and why"]
    for name in ("second", "third"):
        assert run.report[name]["status"] == "failed"
        assert "Not tried, because 1 of the 1 environments" in run.report[name]["what was found, and why"]
    assert sandbox.journal(writes=True) == []


def test_a_rollout_goes_on_while_few_enough_failed(project, sandbox):
    sandbox.fault(match="POST /handover/prod/connection", kind="status", status=409, count=None)
    project.hosts(canary={"like": "dev"}, second={"like": "prod"}, third={"like": "eu"})
    batches = json.dumps({"unified_profiles_serial": 1, "unified_profiles_max_fail_percentage": "50%"})
    run = project.run("connect", "-e", batches)
    assert run.status != 0
    assert [run.report[name]["status"] for name in ("canary", "second", "third")] == ["proven", "failed", "proven"]
