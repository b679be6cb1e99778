# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person says with the words of a card has its effect, whichever playbook showed the card."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._pages import Run as Page
from sandbox.server import SandboxHandle
from support.chain import Chain
from support.scenarios import settle

pytestmark = pytest.mark.newest_only


def acknowledged(chain: Chain) -> list[str]:
    document = json.loads((chain.state_dir / "ledger/dev.json").read_text())
    return [said["alert"] for said in document.get("acknowledged", [])]


@pytest.mark.parametrize("playbook", ["recover", "rotate", "drift"])
def test_a_broken_connection_is_asked_for_again_by_the_command_of_its_card(
    sandbox: SandboxHandle, tmp_path: Path, playbook: str
) -> None:
    chain = Chain(sandbox, tmp_path, channel="operator")
    assert not settle(chain, "connect").failure
    sandbox.sabotage("dev", "lose-connector")
    sandbox.work("dev", count=3)
    card = next(card for card in chain.play(playbook).statuses[-1]["cards"] if card["handover_again"])
    page = Page(playbook=playbook, arguments=("ansible-playbook", f"playbooks/{playbook}.yml", "-i", "mine"))
    command = page.confirm(card).split()
    assert command[:4] == ["ansible-playbook", "flexops.unified_profiles.connect", "-i", "mine"]
    assert f"unified_profiles_handover_again={card['handover_again']}" in command
    chain.options["handover_again"] = [card["handover_again"]]
    assert "connection" in chain.connect().pending


def test_connect_keeps_its_own_name_in_a_command() -> None:
    card = {"environment": "dev", "digest": "", "handover_again": "0" * 12, "acknowledge": ""}
    page = Page(arguments=("ansible-playbook", "playbooks/connect.yml", "-i", "mine"))
    assert page.confirm(card).startswith("ansible-playbook playbooks/connect.yml -i mine --limit dev")


def test_a_suspicion_is_acknowledged_once(sandbox: SandboxHandle, tmp_path: Path) -> None:
    sandbox.world.switch({"space_event_resource": "space"})
    chain = Chain(sandbox, tmp_path, read_back=False)
    assert not settle(chain, "connect").failure
    sandbox.work("dev", count=3)
    chain.connect()
    sandbox.sabotage("dev", "disconnect-from-space")
    sandbox.advance(24 * 3600)
    sandbox.work("dev", count=3)
    sandbox.advance(6 * 3600)
    card = next(card for card in chain.recover().statuses[-1]["cards"] if card["acknowledge"])
    chain.options |= {"acknowledge": [card["acknowledge"]], "confirmed_by": "jane"}
    # Rotate has nothing to do with it.
    assert "record" not in chain.rotate().statuses[-1]["due"]
    assert acknowledged(chain) == []
    assert chain.recover().statuses[-1]["due"] == {}
    assert acknowledged(chain) == [card["acknowledge"]]
    assert chain.recover().statuses[0]["due"] == {}
