# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flow of events: into sources, from sources into the space's profiles, and from Flex into the source of its key.

Documented: a disabled source takes nothing in; a message id counts once; Flex writes two events for each engagement.
Documented, too: when a source is connected to a space, about its last month is replayed into the space. Inferred: how
profiles are merged, and that a replayed event is dated as when it happened (see the switch ``replay_seen``).
"""

from __future__ import annotations

import datetime
import typing as t

from .model import Environment, Source, deterministic_id, iso
from .world import World

FLEX_EVENTS = ("Flex - Engagement Initiated", "Flex - Engagement Completed")
REPLAYED = datetime.timedelta(days=31)
ALERTS = {"49008": "Unified Profiles connector not found", "49009": "Stored Segment credentials are malformed"}
TASK_EVENTS = ("task.created", "task.wrapup", "task.completed")
# An engagement has a customer; more than these in one go are counted, not told apart.
CUSTOMERS = 20
Message = dict[str, t.Any]


def ingest(world: World, env: Environment, source: Source, message: Message) -> None:
    """Take in one message: ``{type, event?, user_id?, anonymous_id?, message_id, count, properties, traits, at?}``."""
    seen = f"{source.id}:{message['message_id']}"
    if not source.enabled or seen in env.seen:
        return
    env.seen.add(seen)
    now = world.now()
    entry = {
        "event": None,
        "user_id": None,
        "anonymous_id": None,
        "count": 1,
        "at": now,
        **message,
        "source": source.id,
    }
    env.received.append(entry)
    if source.id in env.linked:
        feed(world, env, entry, now)


def feed(world: World, env: Environment, entry: Message, arrived: datetime.datetime) -> None:
    """Let the space see one message of a source that is connected to it."""
    if entry["type"] == "track":
        at = arrived if world.switches["replay_seen"] == "arrival" else entry["at"]
        env.in_space[entry["event"]] = max(iso(at), env.in_space.get(entry["event"], ""))
    names = [f"{kind}:{entry[kind].lower()}" for kind in ("user_id", "anonymous_id") if entry.get(kind)] + [
        f"email:{v.lower()}" for v in [(entry.get("traits") or {}).get("email")] if isinstance(v, str) and v
    ]
    if not names:
        return
    found = list(dict.fromkeys(env.identities[name] for name in names if name in env.identities))
    if found:
        profile = env.profiles[found[0]]
        for other in found[1:]:
            _merge(env, profile, env.profiles.pop(other))
    else:
        id_ = "use_" + deterministic_id(27, env.name, "profile", names[0])
        profile = {"id": id_, "created_at": iso(arrived), "external_ids": [], "traits": {}, "messages": []}
        env.profiles[id_] = profile
    for name in names:
        if name not in env.identities:
            kind, _unused, value = name.partition(":")
            made = {"collection": "users", "type": kind, "id": value, "encoding": "none"}
            profile["external_ids"].append({**made, "source_id": entry["source"], "created_at": iso(arrived)})
        env.identities[name] = profile["id"]
    if any(
        m["message_id"] == entry["message_id"] and m["source"] == entry["source"] for m in profile["messages"][-50:]
    ):
        return
    profile["traits"].update(entry.get("traits") or {})
    profile["messages"].append(entry)
    profile["updated_at"] = iso(arrived)


def _merge(env: Environment, into: dict[str, t.Any], other: dict[str, t.Any]) -> None:
    into["external_ids"] += other["external_ids"]
    into["messages"] = sorted(into["messages"] + other["messages"], key=lambda m: m["at"])
    into["traits"] = {**other["traits"], **into["traits"]}
    for name, id_ in env.identities.items():
        if id_ == other["id"]:
            env.identities[name] = into["id"]


def replay(world: World, env: Environment, source: Source) -> None:
    """Show a space what a source received in the last month, as happens when it is connected."""
    now = world.now()
    known = {(m["source"], m["message_id"]) for p in env.profiles.values() for m in p["messages"]}
    for entry in env.received:
        if entry["source"] == source.id and entry["at"] >= now - REPLAYED:
            if (entry["source"], entry["message_id"]) not in known:
                feed(world, env, entry, now)


def engage(world: World, env: Environment, count: int) -> None:
    """Agents wrap up engagements: Flex looks the customer up through the connector, and writes with the key it holds.

    A wrong key of usual length is accepted by Segment and comes to nothing, so Twilio cannot notice it. What it notices is
    a missing connector, and stored credentials that do not work.
    """
    if env.flex_status != "notstarted":
        for _unused in range(min(count, CUSTOMERS)):
            env.tasks += [{"type": kind, "at": world.now()} for kind in TASK_EVENTS]
    if not env.connection and not env.flex_key:
        return
    token = env.connection.get("profile_token")
    if not env.connection:
        alert(world, env, "49008")
    elif token != env.profile_token or "profile_token" in env.revoked or len(env.flex_key or "") < 8:
        alert(world, env, "49009")
    source = world.source_of_key(env.flex_key, env.region)
    if source is None:
        return
    owner, target = source
    for n in range(min(count, CUSTOMERS)):
        env.serial += 1
        user = f"flex-customer-{n + 1}"
        last = count - CUSTOMERS + 1 if n == CUSTOMERS - 1 else 1
        base = {"user_id": user, "properties": {"channelType": "web"}, "traits": {}, "at": world.now()}
        traits = {"flex_last-interaction-duration": 60 + n, "flex_last-known-agent": "agent-1"}
        sent = [{**base, "type": "identify", "traits": traits, "count": max(1, last)}]
        sent += [{**base, "type": "track", "event": event, "count": max(1, last)} for event in FLEX_EVENTS]
        for k, message in enumerate(sent):
            id_ = f"flex-{deterministic_id(20, env.name, 'message', env.serial, k)}"
            ingest(world, owner, target, {**message, "message_id": id_})


def alert(world: World, env: Environment, code: str) -> None:
    """Raise a Monitor alert."""
    env.serial += 1
    env.alerts.append({"serial": env.serial, "error_code": code, "alert_text": ALERTS[code], "at": world.now()})
