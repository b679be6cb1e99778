# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attachments of a source: random ones, and those that a source of the sandbox has."""

from __future__ import annotations

import random
import typing as t

from sandbox.model import Environment, Source

VIOLATIONS = ("ALLOW", "BLOCK")


def attach(env: Environment, source: Source, seed: object = 0) -> None:
    """Attach something of everything to a source, in numbers and with values that the seed decides. Others keep what they have."""
    chance = random.Random(str(seed))
    others = [one for one in env.sources.values() if one is not source]
    for number in range(chance.randint(0, 3)):
        label = {"key": chance.choice(("team", "tier", "environment")), "value": f"{number}-{chance.choice('abc')}"}
        env.labels.append(label)
        source.labels.append(dict(label))
    traits = {"allowUnplannedTraits": chance.random() < 0.5, "allowTraitsOnViolations": chance.random() < 0.5}
    source.schema = {
        "track": {
            "allowUnplannedEvents": chance.random() < 0.5,
            "allowUnplannedEventProperties": chance.random() < 0.5,
            "allowEventOnViolations": chance.random() < 0.5,
            "allowPropertiesOnViolations": chance.random() < 0.5,
            "commonEventOnViolations": chance.choice(VIOLATIONS),
        },
        "identify": {**traits, "commonEventOnViolations": chance.choice(VIOLATIONS)},
        "group": {**traits, "commonEventOnViolations": chance.choice(VIOLATIONS)},
        "forwardingViolationsTo": chance.choice(["", others[0].id]),
        "forwardingBlockedEventsTo": "",
    }
    env.warehouses = {
        f"warehouse{number}": {"name": f"{env.name} warehouse {number}", "sources": [one.id for one in others]}
        for number in range(chance.randint(0, 3))
    }
    for warehouse in list(env.warehouses.values())[:2]:
        if chance.random() < 0.7:
            warehouse["sources"].append(source.id)
            properties = {f"property_{n}": chance.random() < 0.5 for n in range(chance.randint(1, 4))}
            users = {"": chance.random() < 0.5, "email": chance.random() < 0.5}
            warehouse["syncs"] = {source.id: {"tracks": properties, "users": users}}
    if chance.random() < 0.7:
        next(iter(env.tracking_plans.values()))["sources"] = [source.id]
    for number in range(chance.randint(0, 2)):
        destination = {"name": f"destination {number}", "enabled": chance.random() < 0.5, "source": source.id}
        env.destinations[f"destination{number}"] = destination
        env.functions[f"fn{number}"] = {
            "name": f"function {number}",
            "type": "INSERT_DESTINATION",
            "instances": [f"destination{number}"],
        }
    if chance.random() < 0.5:
        resources = [{"id": source.id, "type": "SOURCE"}]
        permission = {"roleId": "role1", "roleName": "Source Admin", "resources": resources}
        env.users.append({"id": "user2", "name": "Sam Source", "email": "sam@example.com", "permissions": [permission]})
        group = {"id": "group1", "name": "Agents", "memberCount": 1, "permissions": [permission]}
        env.groups.append(group)
    if chance.random() < 0.8:
        source.slug = chance.choice(("twilio_unified_profiles", "made-by-hand"))


def attached(env: Environment, source: Source) -> dict[str, t.Any]:
    """The parts that can be put back to a source, as the sandbox has them."""
    return {
        "slug": source.slug,
        "name": source.name,
        "enabled": source.enabled,
        "labels": sorted((label["key"], label["value"]) for label in source.labels),
        "schema": source.schema,
        "warehouses": {
            id_: _left_out(one, source) for id_, one in env.warehouses.items() if source.id in one["sources"]
        },
        "plans": [id_ for id_, plan in env.tracking_plans.items() if source.id in plan["sources"]],
    }


def of_others(env: Environment, but: t.Collection[str]) -> dict[str, t.Any]:
    """The entries of all other sources in warehouses and tracking plans."""
    return {
        id_: (
            [one for one in place["sources"] if one not in but],
            {s: x for s, x in place.get("syncs", {}).items() if s not in but},
        )
        for id_, place in {**env.warehouses, **env.tracking_plans}.items()
    }


def _left_out(warehouse: dict[str, t.Any], source: Source) -> dict[str, t.Any]:
    """The properties that are not synced, by collection; an empty name for all of it."""
    found = {}
    for collection, properties in warehouse.get("syncs", {}).get(source.id, {}).items():
        out = sorted(name for name, enabled in properties.items() if not enabled)
        if out:
            found[collection] = out
    return found
