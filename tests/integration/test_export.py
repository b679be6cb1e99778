# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From tokens to an inventory, and from there to attested connections: nothing that exists is changed on the way."""

from __future__ import annotations

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._environment import survey_settings
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._export import TABLE, Export
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._inventory_text import _Loader, render
from sandbox import handovers
from sandbox.model import fingerprint
from sandbox.server import run_sandbox
from support.chain import PREFIX, Chain, surveyed
from support.environment import STEPS
from support.project import ROOT, Project
from support.settings import pace

SECRETS = ("segment_token", "profile_token", "twilio_api_key", "twilio_api_secret")


def connect_by_hand(sandbox):
    """Fill in the form everywhere, as people did before there was an inventory."""
    for name, env in sandbox.world.environments.items():
        form = {"friendly_name": name, "space_id": env.space["id"], "profile_token": env.profile_token}
        handovers.connect(sandbox.world, env, {**form, "allow_write_events": True})


# What exists differs from environment to environment, and so does what the list has to say of it.


def plain(sandbox, env):
    return {}


def labelled(sandbox, env):
    source_of(env).labels = [{"key": "managed-by", "value": "ansible"}, {"key": "environment", "value": env.name}]
    return {}


def with_two_keys(sandbox, env):
    sandbox.sabotage(env.name, "add-key")
    return {"key_fingerprint": fingerprint(env.flex_key)}


def with_two_spaces(sandbox, env):
    sandbox.sabotage(env.name, "add-space")
    return {"space_id": env.space["id"]}


def in_an_unknown_region(sandbox, env):
    return {"segment_region": "ask"}


def with_an_account(sandbox, env):
    return {"twilio_account_sid": env.account_sid}


def with_a_friendly_name(sandbox, env):
    return {"friendly_name": "Production: 50 % # of {all}"}


def beside_the_older_source(sandbox, env):
    sandbox.sabotage(env.name, "legacy-source")
    return {}


def of_another_name(sandbox, env):
    source_of(env).name = source_of(env).slug = "another-name"
    return {"source_name": "another-name"}


WORLDS = (
    plain,
    labelled,
    with_two_keys,
    with_two_spaces,
    in_an_unknown_region,
    with_an_account,
    with_a_friendly_name,
    beside_the_older_source,
    of_another_name,
)


def source_of(env):
    return env.sources[env.form_source]


class Adopted(Chain):
    """An environment with the variables that the exported inventory and that of its secrets give it."""

    def __init__(self, sandbox, state_dir, name, exported):
        super().__init__(sandbox, state_dir, name)
        self.exported = exported

    @property
    def variables(self):
        return {**self.exported, f"{PREFIX}attest_existing": "jane"}


@pytest.mark.newest_only
def test_a_hundred_connected_environments_are_adopted_with_attestations_alone(tmp_path, full):
    with run_sandbox(100) as sandbox:
        connect_by_hand(sandbox)
        tokens, listed = {}, {}
        for number, (name, env) in enumerate(sandbox.world.environments.items()):
            values = (env.segment_token, env.profile_token, env.api_key, env.api_secret)
            tokens[name] = {PREFIX + option: value for option, value in zip(SECRETS, values)}
            known = {"segment_region": env.region, "sandbox_url": sandbox.url, "allow_write_events": True}
            known |= {"state_dir": str(tmp_path / "state"), **WORLDS[number % len(WORLDS)](sandbox, env)}
            listed[name] = {PREFIX + option: value for option, value in known.items()} | {"inventory_hostname": name}
        sandbox.clear_journal()
        names = list(listed)

        def exported():
            export = Export({}, pace(), lambda line: None)
            entries = export.entries(
                names,
                lambda name: {**tokens[name], **listed[name]},
                lambda variables: survey_settings(variables, None, "export", (), names, TABLE),
                (),
            )
            assert [entry.found["problems"] for entry in entries if entry.found["problems"]] == []
            return render(entries)

        text, sent = exported(), len(sandbox.journal())
        assert exported() == text
        inventory = _Loader(text).get_single_data()["unified_profiles"]
        assert list(inventory["hosts"]) == names
        adopted = {
            name: {"inventory_hostname": name, **tokens[name], **inventory["vars"], **host}
            for name, host in inventory["hosts"].items()
        }
        assert all(host[f"{PREFIX}space_id"].startswith("spa_") for host in adopted.values())
        before = len(sandbox.journal())
        looks, _statuses = surveyed("connect", adopted)
        assert [look["failure"] for look in looks.values()] == [""] * 100
        assert sent <= 2 * (len(sandbox.journal()) - before), "an export sends more than twice what a survey does"
        # One of each world: the others are the same again.
        for name in names if full else names[: len(WORLDS)]:
            run = Adopted(sandbox, tmp_path / "state", name, adopted[name]).connect(check=True)
            assert not run.failure, run.failure
            assert run.looks[0]["due"] == {"connection": "it is to be recorded as done (existing, by jane)"}
            assert {step: run.results[step]["diff"]["after"]["status"] for step in run.changed} == dict.fromkeys(
                STEPS, "done"
            )
        assert sandbox.journal(writes=True) == []


@pytest.mark.full
def test_a_hundred_exported_environments_pass_the_playbook_with_attestations_alone(tmp_path):
    """In one run of ansible-playbook each."""
    with run_sandbox(100) as sandbox:
        project = Project(tmp_path, sandbox)
        connect_by_hand(sandbox)
        hosts, environment = {}, {}
        for number, (name, env) in enumerate(sandbox.world.environments.items()):
            known = {"segment_region": env.region, **WORLDS[number % len(WORLDS)](sandbox, env)}
            values = (env.segment_token, env.profile_token, env.api_key, env.api_secret)
            for option, value in zip(SECRETS, values):
                variable = f"UP_{option}_{name}".upper().replace("-", "_")
                environment[variable] = value
                known[option] = f"{{{{ lookup('ansible.builtin.env', '{variable}') }}}}"
            hosts[name] = {PREFIX + option: value for option, value in known.items()}
        shared = {
            "ansible_connection": "local",
            f"{PREFIX}sandbox_url": sandbox.url,
            f"{PREFIX}allow_write_events": True,
        }
        (tmp_path / "list.yml").write_text(yaml.safe_dump({"unified_profiles": {"vars": shared, "hosts": hosts}}))
        sandbox.clear_journal()
        given = ("-e", f"{PREFIX}export_from={tmp_path}/list.yml", "-e", f"{PREFIX}export_dir={tmp_path}/mine")
        exported = project.run("export", *given, inventory="localhost,", **environment)
        assert exported.status == 0, exported.output[-5000:]
        jane = ("-e", f"{PREFIX}attest_existing=jane")
        checked = project.run("connect", "--check", *jane, inventory=f"{tmp_path}/mine/hosts.yml", **environment)
        assert checked.status == 0, checked.output[-5000:]
        assert "100 environments: 100 predicted" in checked.output
        assert checked.changed == dict.fromkeys(hosts, 3)
        text = exported.output + checked.output + (tmp_path / "mine/hosts.yml").read_text()
        assert [name for name, value in environment.items() if value in text] == []
        assert sandbox.journal(writes=True) == []


VAULT = "a password"
LIST = """
unified_profiles:
  vars:
    ansible_connection: local
    unified_profiles_sandbox_url: "http://127.0.0.1:{{{{ lookup('ansible.builtin.env', 'SANDBOX_PORT') }}}}"
    unified_profiles_allow_write_events: true
    unified_profiles_segment_region: ask
    unified_profiles_twilio_api_key: "{{{{ lookup('ansible.builtin.env', 'API_KEY_' ~ inventory_hostname) }}}}"
    unified_profiles_twilio_api_secret: "{{{{ lookup('ansible.builtin.env', 'API_SECRET_' ~ inventory_hostname) }}}}"
    unified_profiles_segment_token: "{{{{ lookup('ansible.builtin.env', 'TOKEN_' ~ inventory_hostname) }}}}"
  hosts:
"""


@pytest.fixture
def listed(project, sandbox):
    """A list of names with references: two in the environment, one in Ansible Vault."""
    connect_by_hand(sandbox)
    vault = VaultLib([("default", VaultSecret(VAULT.encode()))])
    text, environment = LIST.replace("{{{{", "{{").replace("}}}}", "}}"), {}
    for name, env in sandbox.world.environments.items():
        sealed = vault.encrypt(env.profile_token.encode()).decode()
        text += f"    {name}:\n      unified_profiles_profile_token: !vault |\n"
        text += "".join(f"        {line}\n" for line in sealed.splitlines())
        values = {"API_KEY": env.api_key, "API_SECRET": env.api_secret, "TOKEN": env.segment_token}
        environment |= {f"{kind}_{name}": value for kind, value in values.items()}
    # Nobody evaluates what a service says.
    source_of(sandbox.world.environments["eu"]).labels = [{"key": "team", "value": "{{ 7 * 7 }}"}]
    (project.folder / "list.yml").write_text(text)
    (project.folder / "password").write_text(VAULT)
    return {**environment, "ANSIBLE_VAULT_PASSWORD_FILE": str(project.folder / "password")}


def secrets_of(sandbox):
    names = ("segment_token", "profile_token", "api_key", "api_secret")
    return [getattr(env, name) for env in sandbox.world.environments.values() for name in names]


def test_from_a_list_of_references_to_attested_connections(project, sandbox, listed):
    """An inventory on its own, which needs nothing of the list any more."""
    export = ("-e", f"unified_profiles_export_from={project.folder}/list.yml", "--diff")
    export += ("-e", f"unified_profiles_export_dir={project.folder}/mine")
    first = project.run("export", *export, inventory="localhost,", **listed)
    assert first.status == 0, first.output
    file = project.folder / "mine/hosts.yml"
    text = file.read_text()
    assert "+++ " in first.output
    for secret in secrets_of(sandbox):
        assert secret not in text + first.output
    assert {name: env.region for name, env in sandbox.world.environments.items()} == {
        name: host["unified_profiles_segment_region"]
        for name, host in _Loader(text).get_single_data()["unified_profiles"]["hosts"].items()
    }
    (project.folder / "list.yml").rename(project.folder / "away.yml")
    jane = ("-e", "unified_profiles_attest_existing=jane")
    checked = project.run("connect", "--check", *jane, inventory=str(file), **listed)
    assert "3 environments: 3 predicted (dev, eu, prod)" in checked.output
    assert checked.output.count("Due: connection (it is to be recorded as done (existing, by jane)).") == 3
    # The three hand-overs, and nothing of the source.
    assert checked.changed == dict.fromkeys(sandbox.world.environments, 3), checked.output
    assert sandbox.journal(writes=True) == []
    (project.folder / "away.yml").rename(project.folder / "list.yml")
    second = project.run("export", *export, inventory="localhost,", **listed)
    assert (second.status, sum(second.changed.values()), file.read_text()) == (0, 0, text), second.output


TASKS = """
- name: Export
  hosts: unified_profiles
  gather_facts: false
  connection: local
  tasks:
    - name: Export to {folder}
      flexops.unified_profiles.profiles_export:
        export_dir: "{{{{ inventory_dir }}}}/../{folder}"
        export_from: "{{{{ '{source}' or omit }}}}"
      run_once: true
      delegate_to: localhost
      ignore_errors: true
"""


@pytest.mark.newest_only
def test_bad_input_is_told_and_nothing_is_half_written(project, sandbox):
    """Several exports in one run: what each says, and what it leaves in its folder."""
    connect_by_hand(sandbox)
    dev = sandbox.world.environments["dev"]
    settings = dict(project.settings("dev"), unified_profiles_twilio_api_key="")
    twins = {"one": project.settings("dev"), "two": project.settings("dev")}
    wrong = {"dev": {**settings, "unified_profiles_spaec_id": "spa_1"}, "prod": project.settings("prod")}
    revoked = {"dev": {**project.settings("dev"), "unified_profiles_segment_token": "sgp_" + "0" * 64}}
    shared = yaml.safe_load((ROOT / "inventories/sandbox/group_vars/unified_profiles.yml").read_text())
    sources = {"twins": twins, "wrong": wrong, "revoked": revoked, "nobody": {}, "broken": {1001: {}}}
    for name, hosts in sources.items():
        document = {"unified_profiles": {"vars": shared, "hosts": hosts}}
        (project.folder / f"{name}.yml").write_text(yaml.safe_dump(document))
    edited = project.folder / "edited/hosts.yml"
    edited.parent.mkdir()
    edited.write_text("---\n# Mine\n")
    others = project.folder / "others/vault.yml"
    others.parent.mkdir()
    others.write_text("mine")
    (project.folder / "file").write_text("mine")
    cases = [
        ("edited", "", "was written or changed by somebody. Nothing was written."),
        ("others", "", "has files that no export wrote, such as vault.yml. Nothing was written."),
        ("file", "", "export_dir: "),
        ("thrown-away", "", "away when the job ends, with what is written there. Set it to a folder that is mounted"),
        ("a-missing", "missing.yml", "export_from: there is no "),
        ("a-broken", "broken.yml", "must be in quotation marks"),
        ("a-nobody", "nobody.yml", "No environment: none of the hosts is in the group"),
        ("a-wrong", "wrong.yml", "Did you mean unified_profiles_space_id?"),
        ("twins", "twins.yml", "two and one have the same Segment workspace"),
        ("revoked", "revoked.yml", "segment_token"),
        ("whole", "", ""),
    ]
    plays = "".join(
        TASKS.format(folder=folder, source=f"{project.folder}/{source}" if source else "")
        for folder, source, _told in cases
    )
    (project.folder / "bad.yml").write_text(f"---{plays}")
    run = project.run(str(project.folder / "bad.yml"), AWX_PRIVATE_DATA_DIR=str(project.folder / "thrown-away"))
    assert run.status == 0, run.output
    told = " ".join(run.output.split())
    for folder, _source, words in cases:
        assert words in told, (folder, run.output)
        assert ((project.folder / folder / "hosts.yml").exists()) == (folder in ("edited", "twins", "revoked", "whole"))
    assert "Traceback" not in run.output
    assert edited.read_text() == "---\n# Mine\n"
    assert [path.name for path in others.parent.iterdir()] == ["vault.yml"]
    assert not (project.folder / "thrown-away").exists()
    assert "# TO DO: " in (project.folder / "revoked/hosts.yml").read_text()
    assert dev.segment_token not in "".join(path.read_text() for path in (project.folder / "whole").iterdir())
    limited = project.run(str(project.folder / "bad.yml"), "--limit", "dev")
    assert "has eu, prod, which --limit leaves out. Nothing was written." in " ".join(limited.output.split())
