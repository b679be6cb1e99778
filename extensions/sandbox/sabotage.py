# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Breaks an environment in the ways people do, by name."""

from __future__ import annotations

import typing as t

from . import handovers
from .catalog import HTTP_API, JAVA
from .model import LEGACY_NAME, SOURCE_NAME, ApiProblem, Environment, Source, deterministic_id
from .world import World

Options = dict[str, t.Any]

# To the source named SOURCE_NAME


def delete_source(world: World, env: Environment, source: Source, options: Options) -> None:
    """Delete it."""
    world.delete_source(env, source)


def rename_source(world: World, env: Environment, source: Source, options: Options) -> None:
    """Give it another name."""
    world.patch_source(env, source, {"name": options.get("to", "renamed by hand")})


def disable_source(world: World, env: Environment, source: Source, options: Options) -> None:
    """Switch it off."""
    world.patch_source(env, source, {"enabled": False})


def swap_type(world: World, env: Environment, source: Source, options: Options) -> None:
    """Make it an HTTP API source."""
    source.metadata = HTTP_API
    world.changed(env, source)


def remove_key(world: World, env: Environment, source: Source, options: Options) -> None:
    """Replace its write key."""
    source.keys = [world.new_key(env)]
    world.changed(env, source)


def add_key(world: World, env: Environment, source: Source, options: Options) -> None:
    """Add a second write key."""
    source.keys.append(world.new_key(env))
    world.changed(env, source)


def duplicate_name(world: World, env: Environment, source: Source, options: Options) -> None:
    """Make a second source of its name."""
    world.make_source(env, f"{SOURCE_NAME}-2", JAVA, name=SOURCE_NAME)


def disconnect_from_space(world: World, env: Environment, source: Source, options: Options) -> None:
    """Take it out of Profiles sources."""
    handovers.unlink(world, env, source)


def disconnect_warehouses(world: World, env: Environment, source: Source, options: Options) -> None:
    """Disconnect it from every warehouse."""
    for id_, warehouse in env.warehouses.items():
        if source.id in warehouse["sources"]:
            warehouse["sources"].remove(source.id)
            world.record(env, "Storage Destination Modified", id_, warehouse["name"], "warehouse")


def add_destination(world: World, env: Environment, source: Source, options: Options) -> None:
    """Connect it to a destination, enabled unless asked otherwise."""
    enabled = options.get("enabled", True)
    if not isinstance(enabled, bool):
        raise ApiProblem(400, "input-validation", "enabled takes true or false")
    env.serial += 1
    id_ = deterministic_id(24, env.name, "destination", env.serial)
    env.destinations[id_] = {"name": f"{env.name} webhook", "enabled": enabled, "source": source.id}
    world.record(env, "Destination Created", id_, env.destinations[id_]["name"], "destination")


# To the workspace or the account


def rename_space(world: World, env: Environment, options: Options) -> None:
    """Give the space another name; its slug follows."""
    name = options.get("to", "renamed by hand")
    if not isinstance(name, str):
        raise ApiProblem(400, "input-validation", "to takes a string")
    if env.space not in env.spaces:
        raise ApiProblem(409, "conflict", f"{env.name} has no such space any more")
    at = env.spaces.index(env.space)
    env.space = env.spaces[at] = {**env.space, "name": name, "slug": "-".join(name.lower().split())}
    world.record(env, "Space Modified", env.space["id"], name, "space")


def delete_space(world: World, env: Environment, options: Options) -> None:
    """Delete the space, and with it what was connected to it."""
    if env.space not in env.spaces:
        raise ApiProblem(409, "conflict", f"{env.name} has no such space any more")
    env.spaces.remove(env.space)
    env.linked, env.in_space, env.profiles, env.identities = [], {}, {}, {}
    world.record(env, "Space Deleted", env.space["id"], env.space["name"], "space")


def add_space(world: World, env: Environment, options: Options) -> None:
    """Make a second space in the workspace."""
    env.serial += 1
    id_ = "spa_" + deterministic_id(22, env.name, "space", env.serial)
    env.spaces.append({"id": id_, "name": f"{env.name} other space", "slug": f"{env.name}-other-space-{env.serial}"})
    world.record(env, "Space Created", id_, env.spaces[-1]["name"], "space")


def legacy_source(world: World, env: Environment, options: Options) -> None:
    """Make a source of the older official name."""
    world.make_source(env, LEGACY_NAME, JAVA)


def wrong_key_in_flex(world: World, env: Environment, options: Options) -> None:
    """Save another key in Flex."""
    handovers.store_key(world, env, deterministic_id(32, env.name, "wrong"))


def wrong_token_in_flex(world: World, env: Environment, options: Options) -> None:
    """Let Twilio hold another Profile API token."""
    env.connection = {**env.connection, "profile_token": deterministic_id(40, env.name, "wrong")}


def lose_connector(world: World, env: Environment, options: Options) -> None:
    """Let Twilio lose the connection."""
    env.connection = {}


def no_flex(world: World, env: Environment, options: Options) -> None:
    """Take Flex off the account."""
    env.flex_status = "notstarted"


def revoke_token(world: World, env: Environment, options: Options) -> None:
    """Revoke a credential."""
    credentials = {"segment": "segment_token", "profile": "profile_token", "twilio": "twilio"}
    which = str(options.get("which", "segment")).removesuffix("_token")
    if which not in credentials:
        raise ApiProblem(400, "input-validation", f"which takes {', '.join(credentials)}")
    env.revoked.add(credentials[which])


ON_SOURCE: dict[str, t.Callable[[World, Environment, Source, Options], None]] = {
    "delete-source": delete_source,
    "rename-source": rename_source,
    "disable-source": disable_source,
    "swap-type": swap_type,
    "remove-key": remove_key,
    "add-key": add_key,
    "duplicate-name": duplicate_name,
    "disconnect-from-space": disconnect_from_space,
    "disconnect-warehouses": disconnect_warehouses,
    "add-destination": add_destination,
}
ELSEWHERE: dict[str, t.Callable[[World, Environment, Options], None]] = {
    "legacy-source": legacy_source,
    "wrong-key-in-flex": wrong_key_in_flex,
    "wrong-token-in-flex": wrong_token_in_flex,
    "lose-connector": lose_connector,
    "no-flex": no_flex,
    "revoke-token": revoke_token,
    "rename-space": rename_space,
    "delete-space": delete_space,
    "add-space": add_space,
}
NAMES = (*ON_SOURCE, *ELSEWHERE)
OPTIONS = {"rename-source": "to", "rename-space": "to", "revoke-token": "which", "add-destination": "enabled"}


def sabotage(world: World, env: Environment, name: t.Any, options: Options) -> None:
    """Break something.

    Raises:
        ApiProblem: 400 for a name or option that there is not; 409 where there is nothing to break.
    """
    if name not in NAMES:
        raise ApiProblem(400, "input-validation", f"no sabotage is called '{name}'; there are {', '.join(NAMES)}")
    for option in options:
        if option != OPTIONS.get(name):
            raise ApiProblem(400, "input-validation", f"{name} takes no '{option}'")
    if name in ELSEWHERE:
        return ELSEWHERE[name](world, env, options)
    source = next((s for s in env.sources.values() if s.name == SOURCE_NAME), None)
    if source is None:
        raise ApiProblem(409, "conflict", f"{env.name} has no source named {SOURCE_NAME}")
    return ON_SOURCE[name](world, env, source, options)
