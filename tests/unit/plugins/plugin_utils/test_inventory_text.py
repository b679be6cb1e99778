# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text of an exported inventory, as Ansible reads it again: nothing secret, nothing evaluated, always the same."""

from __future__ import annotations

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing import vault
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.manager import VariableManager
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.chain import OPTIONS as SURVEY
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.standing import OPTIONS as STANDING
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.standing import nothing_exists
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.options import CONNECTION_OPTIONS
from ansible_collections.flexops.unified_profiles.plugins.modules import segment_test_event
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._inventory_text import (
    CARRIED,
    MAY_BE_SECRET,
    Entry,
    render,
    written_before,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._settings import SETTINGS, resolve

PREFIX = "unified_profiles_"
PASSWORD = [("default", vault.VaultSecret(b"password"))]
TOKEN = "sgp_canary-of-an-export"


class Inventory:
    """An inventory as Ansible reads it."""

    def __init__(self, folder, text):
        self.file = folder / "hosts.yml"
        self.file.write_text(text)
        loader = DataLoader()
        loader.set_vault_secrets(PASSWORD)
        self.inventory = InventoryManager(loader=loader, sources=[str(self.file)])
        self.manager = VariableManager(loader=loader, inventory=self.inventory)
        self.loader = loader
        assert str(self.file) in map(str, self.inventory._inventory.processed_sources), text

    def raw(self, name):
        return self.manager.get_vars(host=self.inventory.get_host(name))

    def values(self, name):
        variables = self.raw(name)
        values, problems = resolve(SETTINGS, variables, Templar(loader=self.loader, variables=variables))
        assert problems == []
        return {name.removeprefix(PREFIX): value for name, value in values.items()}


def found(**facts):
    return {**nothing_exists(), "facts": {"segment_region": "us", **facts}}


def given(folder, text):
    """Settings as a source has them, by the lines of a host."""
    lines = ["unified_profiles:", "  hosts:", "    dev:", *(f"      {line}" for line in text.splitlines())]
    (folder / "source").mkdir(exist_ok=True)
    raw = Inventory(folder / "source", "\n".join(lines) + "\n").raw("dev")
    return {name: raw[name] for name in CARRIED if name in raw}


def entry(folder, text="", name="dev", secrets=(), needs=(), **facts):
    return Entry(name, found(**facts), given(folder, text) if text else {}, secrets, needs)


@pytest.mark.parametrize(
    "evil", ["{{ 7 * 7 }}", "{% raw %}x{% endraw %}", "#jinja2: x", "yes", "1.10", "a: b # c", "'\"\\", " "]
)
def test_what_services_say_is_read_back_as_it_is_and_never_evaluated(tmp_path, evil):
    labels = {"key": evil, evil: "value"}
    text = render([entry(tmp_path, source_labels=labels, friendly_name=evil, source_name=evil)])
    values = Inventory(tmp_path, text).values("dev")
    assert (values["friendly_name"], values["source_name"]) == (evil, evil)
    assert values["source_labels"]["key"] == evil


@pytest.mark.parametrize("evil", ["a\n    evil: {}", "a\r\n- b", "a\u2028b", "{{ x }}", "a" * 500])
def test_nothing_in_a_comment_ends_it(tmp_path, evil):
    one = entry(tmp_path)
    one.found.update(notes=[evil], problems=[evil], hints={"space_id": evil, "friendly_name": evil})
    text = render([one])
    assert [*Inventory(tmp_path, text).inventory.get_groups_dict()["all"]] == ["dev"]
    # Only what wraps spaces breaks a line.
    assert all(line.lstrip().startswith("#") for line in text.splitlines() if "evil" in line or "- b" in line)


@pytest.mark.parametrize("name", ["1001", "no", "a b", "ä", "staging-eu.example", "null"])
def test_any_name_of_a_host_is_read_back(tmp_path, name):
    text = render([entry(tmp_path, name=name, space_id="spa_1")])
    assert Inventory(tmp_path, text).values(name)["space_id"] == "spa_1"


def test_an_environment_of_which_nothing_is_known_is_a_host(tmp_path):
    text = render([Entry("dev", nothing_exists("Not reached."), {})])
    assert "# TO DO: Not reached." in text
    assert Inventory(tmp_path, text).raw("dev")


def test_references_stay_as_they_stand(tmp_path, monkeypatch):
    if hasattr(vault, "VaultSecretsContext"):
        monkeypatch.setattr(vault.VaultSecretsContext, "_current", vault.VaultSecretsContext(PASSWORD))
    sealed = vault.VaultLib(PASSWORD).encrypt(TOKEN.encode()).decode()
    lines = [
        f"{PREFIX}segment_token: \"{{{{ lookup('ansible.builtin.env', 'DEV_TOKEN') }}}}\"",
        f"{PREFIX}profile_token: !vault |",
        *(f"  {line}" for line in sealed.splitlines()),
        f'{PREFIX}twilio_api_secret: "{{{{ kept[inventory_hostname].secret }}}}"',
        f'{PREFIX}endpoints: "{{{{ my_endpoints }}}}"',
        f'{PREFIX}state_dir: "{{{{ inventory_dir }}}}/state"',
    ]
    one = entry(tmp_path, "\n".join(lines), secrets=[TOKEN], needs={"kept", "my_endpoints"})
    text = render([one])
    assert TOKEN not in text
    again = Inventory(tmp_path, text)
    assert again.raw("dev")[f"{PREFIX}segment_token"] == "{{ lookup('ansible.builtin.env', 'DEV_TOKEN') }}"
    assert again.raw("dev")[f"{PREFIX}state_dir"] == "{{ inventory_dir }}/state"
    assert again.raw("dev")[f"{PREFIX}endpoints"] == "{{ my_endpoints }}"
    variables = again.raw("dev")
    opened, problems = resolve([f"{PREFIX}profile_token"], variables, Templar(loader=again.loader, variables=variables))
    assert (opened, problems) == ({f"{PREFIX}profile_token": TOKEN}, [])
    assert "kept, my_endpoints" in text


LEFT_OUT = {
    "a value": f'{PREFIX}segment_token: "{TOKEN}"',
    "a value with marks": f'{PREFIX}segment_token: !unsafe "{TOKEN}{{{{"',
    "a template with the value in it": f"{PREFIX}segment_token: \"{{{{ '{TOKEN}' }}}}\"",
    "a template behind a part of the value": f'{PREFIX}segment_token: "{TOKEN}{{{{ rest }}}}"',
    "a template with another key in it": f"{PREFIX}segment_token: \"{{{{ x | default('{'k' * 40}') }}}}\"",
    "a number": f"{PREFIX}twilio_api_secret: 12345678901234567890",
    "a date": f"{PREFIX}twilio_api_secret: 2026-01-01",
    "a list": f"{PREFIX}segment_token: [{TOKEN}]",
    "a header": f'{PREFIX}endpoints: {{key: {{url: "https://x.example", headers: {{Authorization: "Bearer {TOKEN}"}}}}}}',
    "a password in a proxy's URL": f'{PREFIX}proxy: "http://user:{TOKEN}@proxy.example"',
    "a password in another URL": f'{PREFIX}flex_url: "https://user:another-secret@flex.example"',
    "a secret in the wrong setting": f'{PREFIX}sync_service: "{TOKEN}"',
    "a key in the wrong setting": f'{PREFIX}sync_service: "{"k" * 40}"',
    "a secret deep in another setting": f'{PREFIX}regulated: ["{TOKEN}"]',
}


@pytest.mark.parametrize("how", LEFT_OUT)
def test_what_may_be_a_secret_is_left_out_and_named(tmp_path, how):
    text = render([entry(tmp_path, LEFT_OUT[how], secrets=[TOKEN])])
    name = LEFT_OUT[how].partition(":")[0]
    assert f"not written here: {name}" in " ".join(text.replace("\n#", "").split())
    assert f"\n    {name}:" not in text
    for secret in (TOKEN, "k" * 40, "another-secret", "1234567890", "2026-01-01"):
        assert secret not in text


def test_every_option_that_ansible_is_to_hide_may_be_a_secret():
    options = {**CONNECTION_OPTIONS, **STANDING, **SURVEY, **segment_test_event.SPEC.argument_spec}
    hidden = {PREFIX + name for name, option in options.items() if option.get("no_log")}
    assert hidden <= MAY_BE_SECRET


def test_a_secret_among_what_was_given_for_a_fact_is_left_out(tmp_path):
    text = render([entry(tmp_path, secrets=[TOKEN], friendly_name=f"x {TOKEN}", source_labels={"a": TOKEN})])
    assert TOKEN not in text
    assert "unified_profiles_friendly_name: (left out, since it has a secret in it)" in text


def test_what_all_share_stands_once(tmp_path):
    shared, own = f"{PREFIX}allow_write_events: true", f"{PREFIX}timeout: "
    entries = [entry(tmp_path, f"{shared}\n{own}{number}", name=f"env-{number}") for number in (1, 2)]
    text = render(entries)
    assert text.count("allow_write_events") == 1
    assert text.count("timeout") == 2
    values = [Inventory(tmp_path, text).values(f"env-{number}") for number in (1, 2)]
    assert [(of["allow_write_events"], of["timeout"]) for of in values] == [(True, 1), (True, 2)]


def test_consent_is_never_made_up(tmp_path):
    text = render([entry(tmp_path)])
    assert "# unified_profiles_allow_write_events: true (your consent" in text
    assert "allow_write_events" not in Inventory(tmp_path, text).values("dev")


def test_the_order_is_that_of_the_names(tmp_path):
    entries = [entry(tmp_path, name=name, space_id=f"spa_{name}") for name in ("b", "a", "c")]
    assert render(entries) == render(entries[::-1])
    assert list(Inventory(tmp_path, render(entries)).inventory.get_groups_dict()["unified_profiles"]) == ["a", "b", "c"]


def test_an_export_knows_its_own_text_and_no_changed_one(tmp_path):
    text = render([entry(tmp_path, space_id="spa_1", source_labels={"a": "{{ b }}"})])
    assert written_before(text)["dev"][f"{PREFIX}space_id"] == "spa_1"
    for changed in (text + "\n", text.replace("spa_1", "spa_2"), text.replace("# ", "#"), "", "---\n", "\n" + text):
        assert written_before(changed) is None
