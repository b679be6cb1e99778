# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people configure: secrets that look like templates, values in the wrong place, and words that are also values."""

from __future__ import annotations

import json
import re
import textwrap

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

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


def everything(run, project):
    """All that the run showed and left."""
    files = [path for path in project.inventory.glob(".unified_profiles/**/*") if path.is_file()]
    return run.output + "".join(path.read_text() for path in files)


@pytest.mark.parametrize("playbook", ["connect", "recover"])
def test_a_secret_that_looks_like_a_template_is_told_by_the_name_of_its_setting(project, sandbox, playbook):
    hosts = {
        f"{mark}-{setting}": holder(secret)
        for mark, secret in LOOK_LIKE_TEMPLATES.items()
        for setting, holder in HOLDERS.items()
    }
    project.hosts(**hosts, prod={"like": "prod", "channel": "operator"})
    run = project.run(playbook, "-vvv", ANSIBLE_SHOW_CUSTOM_STATS="1")
    shown = everything(run, project)
    assert not re.findall(r".{0,80}(?:[Hh]ead|[Mm]iddle|[Tt]ail|[Ee]nd)marked.{0,80}", shown)
    assert {name.rpartition("-")[2] for name in run.report} == {*HOLDERS, "prod"}
    for name, row in run.report.items():
        if name != "prod":
            assert f"unified_profiles_{name.rpartition('-')[2]}: " in row["what was found, and why"], (name, row)
            assert "!unsafe" in row["what was found, and why"]
    assert sandbox.journal(writes=True) == []


def vaulted(text):
    vault = VaultLib([("default", VaultSecret(b"password"))])
    return "!vault |\n" + textwrap.indent(vault.encrypt(text.encode()).decode(), "  ")


def raw(secret):
    return f"{{% raw %}}{secret}{{% endraw %}}"


WAYS_TO_WRITE = {
    "!unsafe": lambda secret: f"!unsafe '{secret}'",
    "raw": lambda secret: f"'{raw(secret)}'",
    "vaulted": vaulted,
}


@pytest.mark.parametrize("mark", ["{{", "{%", "{#", "{{7*7}}"])
@pytest.mark.parametrize("way", WAYS_TO_WRITE)
def test_a_secret_with_marks_is_used_as_it_is_where_it_is_written_as_told(project, sandbox, mark, way):
    secret = f"head{mark}tail"
    sandbox.world.environments["dev"].api_secret = secret
    sandbox.world.environments = dict(sandbox.world.environments)
    project.hosts(dev={})
    document = yaml.safe_load((project.inventory / "hosts.yml").read_text())
    del document["unified_profiles"]["hosts"]["dev"]["unified_profiles_twilio_api_secret"]
    (project.inventory / "hosts.yml").write_text(json.dumps(document))
    (project.inventory / "host_vars").mkdir()
    (project.inventory / "host_vars/dev.yml").write_text(
        f"unified_profiles_twilio_api_secret: {WAYS_TO_WRITE[way](secret)}\n"
    )
    (project.folder / "password").write_text("password")
    run = project.run("connect", ANSIBLE_VAULT_PASSWORD_FILE=str(project.folder / "password"))
    assert run.report["dev"]["status"] == "proven", run.output[-3000:]
    assert secret not in everything(run, project)
