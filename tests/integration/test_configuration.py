# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people configure: secrets that look like templates, values in the wrong place, and words that are also values."""

from __future__ import annotations

import html
import json
import re
import textwrap
from pathlib import Path

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from sandbox.inventory import variables_of
from sandbox.server import run_sandbox
from support.chain import Chain
from support.mounts import file_system, fill, make_read_only
from support.project import Project
from support.settings import VALUES, inventory_of

ROOT = Path(__file__).resolve().parents[2]
# Each part on both sides of the mark is part of the secret.
LOOK_LIKE_TEMPLATES = {
    "block": "Headmarked{%Tailmarked",
    "expression": "headmarked{{tailmarked",
    "comment": "headmarked{#tailmarked",
    "undefined": "headmarked{{tailmarked}}endmarked",
    "filter": "headmarked{{ 'middlemarked' | tailmarked }}",
    "division": "headmarked{{ 1 / 0 }}tailmarked",
    "import": "{% import 'tailmarked' %}",
}
HOLDERS = {
    "segment_token": lambda secret: {"segment_token": secret},
    "profile_token": lambda secret: {"profile_token": secret},
    "twilio_api_secret": lambda secret: {"twilio_api_secret": secret},
    "proxy": lambda secret: {"proxy": f"http://user:{secret}@127.0.0.1:9"},
    "endpoints": lambda secret: {"gateway_token": secret},
}
VAULT = VaultLib([("default", VaultSecret(b"password"))])


def encrypt(project, text):
    """Put an encrypted file into the inventory; the variables that open it."""
    (project.inventory / "vault.yml").write_bytes(VAULT.encrypt(text))
    (project.folder / "password").write_text("password")
    return {"ANSIBLE_VAULT_PASSWORD_FILE": str(project.folder / "password")}


def everything(run, project):
    """All that the run showed and left."""
    files = [path for path in project.inventory.glob(".unified_profiles/**/*") if path.is_file()]
    return run.output + "".join(path.read_text() for path in files)


@pytest.mark.parametrize("playbook", ["connect", "recover", "drift", "rotate", "export", "probe"])
def test_a_secret_that_looks_like_a_template_is_told_by_the_name_of_its_setting(project, sandbox, playbook):
    """Of a file and of an encrypted one."""
    hosts = {
        f"{mark}-{setting}": holder(secret)
        for mark, secret in LOOK_LIKE_TEMPLATES.items()
        for setting, holder in HOLDERS.items()
    }
    project.hosts(**hosts, prod={"like": "prod", "channel": "operator"})
    file = project.inventory / "hosts.yml"
    every = json.loads(file.read_text())["unified_profiles"]["hosts"]
    # By turns, so that all are in either in one of the playbooks.
    closed = dict(list(every.items())[len(playbook) % 2 :: 2])
    file.write_text(json.dumps({"unified_profiles": {"hosts": {name: every[name] for name in every.keys() - closed}}}))
    opened = encrypt(project, json.dumps({"unified_profiles": {"hosts": closed}}))
    run = project.run(playbook, "-vvv", ANSIBLE_SHOW_CUSTOM_STATS="1", **opened)
    shown = everything(run, project)
    assert not re.findall(r".{0,80}(?:[Hh]ead|[Mm]iddle|[Tt]ail|[Ee]nd)marked.{0,80}", shown)
    assert run.status == 2
    if playbook in ("export", "probe"):
        assert {*re.findall(r"unified_profiles_(\w+): (?:cannot|refers)", run.output)} == {*HOLDERS}, run.output[-3000:]
    else:
        assert {name.rpartition("-")[2] for name in run.report} == {*HOLDERS, "prod"}
    for name, row in run.report.items():
        if name != "prod":
            assert f"unified_profiles_{name.rpartition('-')[2]}: " in row["what was found, and why"], (name, row)
            assert "!unsafe" in row["what was found, and why"]
    assert sandbox.journal(writes=True) == []


NOT_TAKEN = {
    "max_fail_percentage-empty": {"max_fail_percentage": ""},
    "max_fail_percentage-word": {"max_fail_percentage": "half"},
    "fail_on_pending-misspelt": {"fail_on_pending": "ture"},
    "prompt-misspelt": {"prompt": "ture"},
    "source_labels-true": {"source_labels": {"managed": True}},
    "source_labels-null": {"source_labels": {"managed": None}},
    "source_labels-fraction": {"source_labels": {"version": 1.10}},
    "source_labels-text": {"source_labels": '{"managed": "yes"}'},
    "endpoints-text": {"endpoints": '{"connection": {"url": "http://127.0.0.1:9"}}'},
    "endpoints-list": {"endpoints": [1]},
    "timeout-infinite": {"timeout": float("inf")},
    "timeout-text": {"timeout": "inf"},
    "retry_budget-word": {"retry_budget": "nan"},
    "own_variables-lists": {"own_variables": [[1]]},
    "friendly_name-true": {"friendly_name": True},
    "source_labels-key": {"source_labels": {"a": 1 << 70}},
    "state_dir-relative": {"state_dir": "state"},
    "state_dir-unset": {"state_dir": "$NOSUCH/state"},
    "state_dir-nobody": {"state_dir": "~nosuchuser/state"},
}


@pytest.mark.parametrize("playbook", ["connect", "recover", "drift", "rotate"])
def test_a_setting_that_cannot_be_used_is_refused_by_its_name_and_stops_no_other(project, sandbox, playbook):
    project.hosts(fine={"like": "prod", "channel": "operator"}, **NOT_TAKEN)
    (project.inventory / "host_vars").mkdir()
    (project.inventory / "host_vars/source_labels-date.yml").write_text(
        "unified_profiles_source_labels: {since: 2026-01-01}\n"
    )
    document = json.loads((project.inventory / "hosts.yml").read_text())
    hosts = document["unified_profiles"]["hosts"]
    hosts["source_labels-date"] = hosts["fine"]
    hosts["na\u200bme-hidden"] = hosts["fine"]
    (project.inventory / "hosts.yml").write_text(json.dumps(document))
    run = project.run(playbook)
    assert not re.search("Traceback|defect|Unexpected", run.output), run.output[-3000:]
    assert set(run.report) == {*NOT_TAKEN, "fine", "source_labels-date", r"na\u200bme-hidden"}, run.output[-3000:]
    for name, row in run.report.items():
        if name != "fine":
            setting = "name" if name.startswith("na\\") else f"unified_profiles_{name.partition('-')[0]}"
            assert row["status"] == "failed", (name, row)
            assert setting in row["what was found, and why"], (name, row)
    assert "Quote it" in run.report["source_labels-date"]["what was found, and why"]
    assert run.status == 2
    assert (run.report["fine"]["status"] == "failed") == (playbook == "recover")
    assert not (project.folder / "state").exists()
    assert sandbox.journal(writes=True) == []


# All others in the tests of the function that judges them.
@pytest.mark.parametrize(("playbook", "serial"), [("connect", ""), ("rotate", [1, "33.3%"])])
def test_what_is_no_batch_fails_the_run_before_anything_is_looked_at(project, sandbox, playbook, serial):
    run = project.run(playbook, "-e", json.dumps({"unified_profiles_serial": serial}))
    assert (run.status, run.report) == (2, {}), run.output[-3000:]
    assert "unified_profiles_serial: is no size of a batch. Write a number" in " ".join(run.output.split())
    assert sandbox.journal() == []


# What Ansible, Python, httpx, OpenSSL and curl's users know, and what no run may depend on.
OUTSIDE = {
    **{"ANSIBLE_ANY_ERRORS_FATAL": "true", "ANSIBLE_STRATEGY": "free", "ANSIBLE_GATHERING": "implicit"},
    **{"ANSIBLE_NO_LOG": "true", "ANSIBLE_BECOME": "true", "ANSIBLE_TRANSPORT": "ssh", "ANSIBLE_ASYNC_DIR": "/nosuch"},
    **{"ANSIBLE_ERROR_ON_UNDEFINED_VARS": "false", "ANSIBLE_JINJA2_NATIVE": "true", "ANSIBLE_HASH_BEHAVIOUR": "merge"},
    **{"ANSIBLE_PRIVATE_ROLE_VARS": "true", "ANSIBLE_INJECT_FACT_VARS": "false", "ANSIBLE_DIFF_ALWAYS": "true"},
    **{"ANSIBLE_PYTHON_INTERPRETER": "/nosuch", "ANSIBLE_EXECUTABLE": "/nosuch", "ANSIBLE_RUN_VARS_PLUGINS": "start"},
    **{"ANSIBLE_DISPLAY_OK_HOSTS": "false", "ANSIBLE_FORCE_COLOR": "1", "ANSIBLE_CALLBACKS_ENABLED": "nosuch"},
    **{"HOME": "/nosuch", "TZ": "Asia/Kathmandu", "COLUMNS": "1", "TERM": "dumb", "PYTHONOPTIMIZE": "2"},
    **{"PYTHONIOENCODING": "ascii", "PYTHONWARNINGS": "error", "REQUEST_METHOD": "GET", "NETRC": "/dev/zero"},
    **{"SSL_CERT_FILE": "/nosuch", "SSL_CERT_DIR": "/nosuch", "OPENSSL_CONF": "/nosuch", "CURL_CA_BUNDLE": "/nosuch"},
    **{"REQUESTS_CA_BUNDLE": "/nosuch", "HTTPS_PROXY": "nonsense://u:p@x", "HTTP_PROXY": "http://127.0.0.1:9"},
    **{"ALL_PROXY": "socks5h://127.0.0.1:9", "NO_PROXY": "fd00::/8,[::1", "SEGMENT_TOKEN": "x", "SEGMENT_API_URL": "x"},
}
APART = [
    {"ANSIBLE_STRATEGY": "host_pinned"},
    {"ANSIBLE_STDOUT_CALLBACK": "minimal"},
    {"ANSIBLE_STDOUT_CALLBACK": "oneline"},
    {"ANSIBLE_DUPLICATE_YAML_DICT_KEY": "error"},
    {"ANSIBLE_CACHE_PLUGIN": "nosuch"},
    {"ANSIBLE_VERBOSITY": "4"},
    {"HOME": ""},
    {"TMPDIR": "/nosuch"},
]
# Some of them hide others.
# ansible-core 2.16 leaves a file of its own open, in any playbook, which Python 3.11 reports where warnings are errors.
LEFT_OPEN = re.compile(
    r"Exception ignored in: <_io\.FileIO .*\nTraceback .*\n"
    r'  File ".*/ansible/cli/__init__\.py", .*\n.*cli\.run\(\)\n[ ^]*\n'
    r"ResourceWarning: unclosed file <_io\.BufferedRandom .*\n"
)
CASES = [("connect", OUTSIDE)]
CASES += [pytest.param(playbook, OUTSIDE, marks=pytest.mark.newest_only) for playbook in ("recover", "drift", "rotate")]
CASES += [
    pytest.param(playbook, settings, marks=pytest.mark.full)
    for playbook in ("connect", "recover")
    for settings in (*({name: value} for name, value in OUTSIDE.items()), *APART)
]


@pytest.mark.parametrize(("playbook", "settings"), CASES, ids=lambda of: "all" if of is OUTSIDE else "".join(of))
def test_what_is_set_outside_changes_no_run(project, sandbox, playbook, settings, count):
    project.hosts(dev={"channel": "operator"}, prod={"like": "prod", "channel": "operator"}, bad={"space_id": "x y"})
    # Ansible makes a home that is not there.
    nosuch = str(project.folder / "nosuch")
    run = project.run(playbook, **{name: value.replace("/nosuch", nosuch) for name, value in settings.items()})
    assert set(run.report) == {"dev", "prod", "bad"}, run.output[-3000:]
    assert run.report["bad"]["status"] == "failed"
    if playbook == "connect":
        assert [run.report[name]["status"] for name in ("dev", "prod")] == ["pending", "pending"], run.output[-3000:]
    assert run.output.count("(connection, digest") == (2 if playbook == "connect" else 0)
    assert len(re.findall("^(\x1b\\[[0-9;]*m)*Report: ", run.output, re.MULTILINE)) == 1
    assert not re.search("Traceback|defect|Unexpected", LEFT_OPEN.sub("", run.output))
    assert {entry["environment"] for entry in sandbox.journal()} == {"dev", "prod"}
    count("variables of the environment, in a playbook", len(settings))


def test_every_play_says_itself_what_could_be_set_outside():
    """One that did not would stop all environments for one that failed, or leave the survey's answer with one host alone."""
    says = {
        "strategy": "ansible.builtin.linear",
        "any_errors_fatal": False,
        "gather_facts": False,
        "connection": "local",
    }
    plays = [play for path in (ROOT / "playbooks").rglob("*.yml") for play in yaml.safe_load(path.read_text())]
    of_hosts = [play for play in plays if "hosts" in play]
    assert len(of_hosts) >= 10
    for play in of_hosts:
        assert {name: play.get(name) for name in says} == says, play["name"]


def test_a_limit_of_time_for_tasks_ends_no_look_and_no_report(project, sandbox):
    """A healthy look at many environments may take longer than any one task of a person's own."""
    sandbox.fault(match="/segment", kind="latency", seconds=3, count=1)
    run = project.run("recover", ANSIBLE_TASK_TIMEOUT="2")
    assert set(run.report) == {"dev", "prod", "eu"}, run.output[-3000:]
    assert not re.search("Timed out|time frame", run.output)


def test_the_name_in_the_settings_of_the_first_host_spoils_no_question(project):
    project.hosts(
        bad={"channel": "operator", "confirmed_by": "{{ nosuch }}"},
        prod={"like": "prod", "channel": "operator", "prompt": True},
    )
    run = project.run("connect")
    assert {name: row["status"] for name, row in run.report.items()} == {"bad": "failed", "prod": "pending"}, run.output
    assert "Nobody was asked" in run.output


@pytest.mark.parametrize("tag", ["always", "tagged"])
def test_tags_that_leave_the_look_out_are_refused(project, sandbox, tag):
    run = project.run("connect", ANSIBLE_SKIP_TAGS=tag)
    assert run.status != 0
    assert f"--skip-tags {tag}: would leave out the survey" in " ".join(run.output.split()), run.output[-3000:]
    assert sandbox.journal() == []


# What Ansible takes for a template; and what YAML, shells and URLs take for something else.
MARKS = ("{{", "{%", "{#", "{{7*7}}", "'\"`id`${x}%41$%\\n\\")
WAYS_TO_WRITE = {
    "plain": json.dumps,
    "unsafe": lambda secret: f"!unsafe {json.dumps(secret)}",
    "raw": lambda secret: json.dumps(f"{{% raw %}}{secret}{{% endraw %}}"),
    "vaulted": lambda secret: "!vault |\n" + textwrap.indent(VAULT.encrypt(secret.encode()).decode(), " " * 8),
}


@pytest.fixture
def marked(tmp_path):
    """A project whose every environment has a mark in each of its secrets, in an encrypted file or vaulted one by one."""
    hosts = {
        f"{way}-{number}": (way, mark)
        for way in WAYS_TO_WRITE
        for number, mark in enumerate(MARKS)
        if way == "vaulted" or (way == "plain") != mark.startswith("{")
    }
    with run_sandbox([(name, "us") for name in hosts]) as sandbox:
        project, opened, closed = Project(tmp_path, sandbox), {}, {}
        for name, env in sandbox.world.environments.items():
            way, mark = hosts[name]
            for attribute in ("segment_token", "profile_token", "api_secret"):
                setattr(env, attribute, f"headmarked{mark}tailmarked-{attribute}-{name}")
            variables = {f"unified_profiles_{setting}": value for setting, value in variables_of(env).items()}
            secrets = {key: WAYS_TO_WRITE[way](value) for key, value in variables.items() if "marked" in value}
            opened[name] = {key: value for key, value in variables.items() if key not in secrets}
            (opened if way == "vaulted" else closed).setdefault(name, {}).update(secrets)
        sandbox.world.environments = dict(sandbox.world.environments)
        (project.inventory / "hosts.yml").write_text(inventory_of({}, opened))
        yield project, encrypt(project, inventory_of({}, closed))


def test_a_secret_with_marks_is_used_as_it_is_where_it_is_written_as_told(marked):
    """By each of the playbooks, with all that it sends."""
    project, opened = marked
    for playbook in ("connect", "drift", "rotate", "recover", "export", "probe"):
        if playbook == "recover":
            project.sandbox.sabotage("vaulted-1", "delete-source")
        run = project.run(playbook, "-vv", **opened)
        assert run.status == 0, run.output[-3000:]
        assert {row["status"] for row in run.report.values()} <= {"in_sync" if playbook == "drift" else "proven"}
        assert not re.search("(head|tail)marked", everything(run, project))
    assert project.sandbox.world.environments["vaulted-1"].flex_key


@pytest.mark.newest_only
def test_a_ledger_that_cannot_be_written_is_found_in_the_look_and_nothing_is_sent(project, sandbox):
    """On file systems that are really full and read-only, by each playbook that would send something."""
    with file_system() as full, file_system() as read_only:
        folders, keys, hosts = {"dev": full, "prod": read_only}, {}, {}
        for name, folder in folders.items():
            chain = Chain(sandbox, folder, name)
            assert not chain.connect().failure
            keys[name] = fingerprint(chain.env.flex_key)
            hosts[name] = {"like": name, "state_dir": str(folder), "report_dir": str(project.folder)}
        project.hosts(**hosts)
        fill(full)
        make_read_only(read_only)
        words = {"dev": ("No space left on device", "is full"), "prod": ("Read-only file system", "mount it writable")}
        ways = [
            ("connect", "-e", "unified_profiles_friendly_name=another", "--check"),
            ("connect", "-e", "unified_profiles_friendly_name=another"),
            ("rotate", "-e", json.dumps({"unified_profiles_rotate_now": keys})),
            ("recover",),
        ]
        for playbook, *arguments in ways:
            if playbook == "recover":
                for name in folders:
                    sandbox.sabotage(name, "delete-source")
            sandbox.clear_journal()
            run = project.run(playbook, *arguments)
            assert (run.status, "Keep other runs out" in run.output) == (2, False), run.output[-3000:]
            for name, sentences in words.items():
                (why,) = re.findall(rf"^fatal: \[{name}\].*?(?=^fatal|^PLAY)", run.output, re.M | re.S)
                assert all(said in " ".join(why.split()) for said in sentences), run.output[-3000:]
            assert sandbox.journal(writes=True) == []


def test_what_is_vaulted_and_has_to_be_seen_is_shown_or_said_where(project, sandbox):
    """Newer releases of Ansible hide in the terminal whatever was vaulted; nothing does so in files."""
    seen, hosts = {}, {}
    for name in ("dev", "prod"):
        variables = project.settings(name) | {"unified_profiles_source_name": "twilio-unified-profiles"}
        seen[name] = {key: variables.pop(key) for key in [*variables] if key.endswith(("_id", "_sid", "_name"))}
        vaulted = {key: WAYS_TO_WRITE["vaulted"](value) for key, value in seen[name].items()}
        hosts[name] = variables | vaulted | {"unified_profiles_channel": "operator" if name == "dev" else "endpoint"}
    (project.inventory / "hosts.yml").write_text(inventory_of({}, hosts))
    opened = encrypt(project, "{}")
    page = project.inventory / ".unified_profiles/report.html"

    def shown(run, *values):
        for value in values:
            assert value in html.unescape(page.read_text())
            assert value in page.with_suffix(".md").read_text()
            assert value in run.output or "A value that shows as $REDACTED$ is vaulted. The report" in run.output

    shown(project.run("connect", **opened), *[*seen["dev"].values()][:2])
    sandbox.sabotage("prod", "rename-source", to="twilio-unified-profiles by hand")
    run = project.run("drift", "--limit", "prod", **opened)
    page = page.with_name("report-limited.html")
    shown(run, 'value: "twilio-unified-profiles by hand"')


SPECS = yaml.safe_load((ROOT / "roles/settings/meta/argument_specs.yml").read_text())["argument_specs"]
SETTINGS = [name for point in SPECS.values() for name in point["options"]]


def test_a_token_in_the_place_of_any_setting_is_not_shown(project):
    settings = [name.removeprefix("unified_profiles_") for name in SETTINGS if name.startswith("unified_profiles_")]
    tokens = {setting: f"sgp_marked-{setting}-0123456789abcdef" for setting in settings}
    project.hosts(**{setting: {"retry_budget": 0.1, setting: token} for setting, token in tokens.items()})
    # No form creates a source of the wrong name.
    run = project.run("connect", "-vvv", "-e", "connect_wait=0", ANSIBLE_SHOW_CUSTOM_STATS="1")
    shown = everything(run, project)
    found = {setting: shown.find(token) for setting, token in tokens.items()}
    told = [f"{s}: ...{shown[max(0, at - 160) : at + 120]}" for s, at in found.items() if at >= 0]
    assert not told, "\n\n".join(told)
    assert {*settings} == {*run.report}
    assert "Traceback" not in run.output
    assert "A defect" not in run.output


@pytest.mark.parametrize("setting", ["export_from", "export_dir", "probe_dir"])
@pytest.mark.parametrize(
    "kind",
    [
        *("secret", "secret before a mark"),
        *(
            pytest.param(kind, marks=pytest.mark.full)
            for kind in ("secret in a list", "secret as template", "undefined")
        ),
    ],
)
def test_what_only_one_playbook_takes_is_refused_by_its_name_and_not_shown(project, sandbox, setting, kind):
    value = yaml.safe_load(VALUES[kind])
    run = project.run(setting.split("_")[0], "-e", json.dumps({f"unified_profiles_{setting}": value}))
    shown = everything(run, project)
    assert run.status == 2, run.output
    assert f"unified_profiles_{setting}: " in " ".join(run.output.split()), run.output
    assert not re.search("arked0123456789|nosuch|Traceback|defect|Unexpected", shown), shown[-3000:]
    assert sandbox.journal() == []


@pytest.mark.newest_only
def test_what_is_hidden_spoils_no_result(project, sandbox):
    """Header values that are also ids, names of steps, or words of the collection."""
    world = sandbox.world.environments
    words = [
        *("connection", "link", "key", "done", "pending", "attested", "existing", "endpoint", "operator", "proven"),
        *("passed", "true", "ok", "us", "failed", "twilio-unified-profiles", "none", "sha256", "status"),
    ]
    for env in (world["dev"], world["prod"]):
        words += [env.workspace["id"], env.workspace["slug"], env.space["id"], env.account_sid, env.api_key]
    headers = {"Authorization": "Bearer {{ unified_profiles_gateway_token }}"}
    headers |= {f"X-{number}": word for number, word in enumerate(words)}
    world["dev"].api_secret = "connection"
    sandbox.world.environments = dict(world)
    project.hosts(
        dev={"gateway_headers": headers, "twilio_api_secret": "connection"},
        prod={"like": "prod", "gateway_headers": headers},
        eu={"like": "eu", "gateway_headers": headers, "channel": "operator"},
    )
    for playbook in ("connect", "rotate", "drift", "recover"):
        if playbook == "recover":
            sandbox.sabotage("dev", "delete-source")
        run = project.run(playbook)
        well = "in_sync" if playbook == "drift" else "proven"
        of_eu = "failed" if playbook == "recover" else "pending"
        found = {name: row["status"] for name, row in run.report.items()}
        assert found == {"dev": well, "prod": well, "eu": of_eu}, run.output[-3000:]
        shown = everything(run, project)
        assert "VALUE_SPECIFIED" not in shown
        assert "<secret" not in shown
    assert world["dev"].flex_key
