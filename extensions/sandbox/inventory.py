# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inventories for a sandbox's environments: one that works at once, and variables that send one of the user's own there."""

from __future__ import annotations

import json
import re
from pathlib import Path

from .model import Environment
from .world import World

EXAMPLE = Path(__file__).resolve().parents[2] / "inventories/sandbox"
SETTINGS = "group_vars/unified_profiles.yml"
HEADER = "Environments of the sandbox, written by `python -m sandbox`. These tokens open nothing but the sandbox."


class InventoryError(Exception):
    """A folder or file cannot be used; the message says why and what to do."""


def refuse_foreign(path: Path, option: str) -> None:
    """Refuse to replace what the sandbox did not write. Nothing is there: that is fine.

    Raises:
        InventoryError: Somebody else's file.
        OSError: It cannot be read.
    """
    if path.exists() and HEADER not in path.read_text(encoding="utf-8", errors="replace"):
        raise InventoryError(
            f"{path} was not written by the sandbox, so it stays as it is: name another with {option}."
        )


def write(world: World, url: str, folder: Path, ca_path: Path | None = None) -> None:
    """Write hosts.yml and the group's settings, as in inventories/sandbox; what it wrote before is replaced.

    Raises:
        InventoryError: The folder holds somebody else's files, or cannot be written.
    """
    hosts, settings = folder / "hosts.yml", folder / SETTINGS
    try:
        for path in (hosts, settings):
            refuse_foreign(path, "--inventory")
        settings.parent.mkdir(parents=True, exist_ok=True)
        hosts.write_text(hosts_of(world), encoding="utf-8")
        settings.write_text(_settings(url, ca_path), encoding="utf-8")
    except OSError as error:
        raise InventoryError(f"{folder} cannot be written ({error.strerror}): name another with --inventory.") from None


def write_variables(world: World, url: str, path: Path, ca_path: Path | None = None) -> None:
    """Write extra variables that send every host of the same name to this sandbox, whatever its inventory says.

    Credentials, ids, gateway, ledger and proxy are replaced, so that a rehearsal neither uses nor records anything real.

    Raises:
        InventoryError: The file is somebody else's, or cannot be written.
    """
    environments = list(world.environments.values())
    missing = (
        "'The sandbox has no ' ~ inventory_hostname ~ ': name it in --environments, or leave it out with --limit.'"
    )
    state_dir = str(path.resolve().with_suffix(".state"))
    variables = {
        "unified_profiles_sandbox_url": url,
        "unified_profiles_ca_path": str(ca_path.resolve()) if ca_path else "{{ omit }}",
        "unified_profiles_proxy": "{{ omit }}",
        "unified_profiles_state_dir": state_dir,
        "unified_profiles_report_dir": state_dir,
        "unified_profiles_sandbox": {env.name: variables_of(env) for env in environments},
        "unified_profiles_sandbox_host": f"{{{{ unified_profiles_sandbox[inventory_hostname] | mandatory({missing}) }}}}",
        **{
            f"unified_profiles_{name}": f"{{{{ unified_profiles_sandbox_host.{name} }}}}"
            for name in variables_of(environments[0])
        },
    }
    # JSON is YAML as well.
    lines = ["---", f"# {HEADER}", *(f"{name}: {json.dumps(value)}" for name, value in variables.items())]
    settings = _settings(url, None)
    gateway = settings[settings.index("unified_profiles_gateway: ") :]
    try:
        refuse_foreign(path, "--variables")
        path.write_text("\n".join(lines) + "\n" + gateway, encoding="utf-8")
    except OSError as error:
        raise InventoryError(f"{path} cannot be written ({error.strerror}): name another with --variables.") from None


def hosts_of(world: World) -> str:
    """The text of hosts.yml."""
    lines = ["---", f"# {HEADER}", "unified_profiles:", "  hosts:"]
    for env in world.environments.values():
        lines.append(f"    {env.name}:")
        lines += [f"      unified_profiles_{name}: {value}" for name, value in variables_of(env).items()]
    return "\n".join(lines) + "\n"


def variables_of(env: Environment) -> dict[str, str]:
    """The settings of an environment, by their variables' names without the prefix."""
    return {
        "segment_region": env.region,
        "segment_token": env.segment_token,
        "space_id": env.space["id"],
        "profile_token": env.profile_token,
        "twilio_account_sid": env.account_sid,
        "twilio_api_key": env.api_key,
        "twilio_api_secret": env.api_secret,
        "gateway_token": env.gateway_token,
    }


def _settings(url: str, ca_path: Path | None) -> str:
    """The settings of inventories/sandbox with this sandbox's URL."""
    lines = f'unified_profiles_sandbox_url: "{url}"'
    if ca_path:
        lines += f'\nunified_profiles_ca_path: "{ca_path.resolve()}"'
    text = (EXAMPLE / SETTINGS).read_text(encoding="utf-8").replace("---\n", f"---\n# {HEADER}\n", 1)
    return re.sub(r"(?m)^unified_profiles_sandbox_url: .*$", lambda _: lines, text)
