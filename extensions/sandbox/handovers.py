# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three steps that people do in the consoles, and no API does: the connection form, the link, the key."""

from __future__ import annotations

import typing as t

from . import events
from .catalog import JAVA
from .model import SOURCE_NAME, ApiProblem, Environment, Source, iso
from .world import World


def connect(world: World, env: Environment, form: dict[str, t.Any]) -> None:
    """The form Connect: creates the source, links it, stores its key in Twilio.

    Raises:
        ApiProblem: 400 without consent; 422 for a token that does not fit the space.
    """
    if form.get("allow_write_events") is not True:
        raise ApiProblem(400, "consent", "Allow Unified Profiles to write events to Segment must be selected")
    revoked = "profile_token" in env.revoked
    gone = env.space not in env.spaces
    if form.get("space_id") != env.space["id"] or form.get("profile_token") != env.profile_token or revoked or gone:
        raise ApiProblem(422, "invalid", "The Segment Unify space ID and the Profile API access token do not match")
    env.connection = {name: form.get(name) for name in ("friendly_name", "space_id", "profile_token")}
    if env.form_source in env.sources:
        return
    source = world.make_source(env, SOURCE_NAME.replace("-", "_"), JAVA, name=SOURCE_NAME)
    env.form_source = source.id
    _link(world, env, source)
    store_key(world, env, source.keys[0])


def link(world: World, env: Environment, form: dict[str, t.Any]) -> None:
    """Connect a source to the space.

    Raises:
        ApiProblem: 422 for another space; 404 for a source that is not there.
    """
    if form.get("space_id") != env.space["id"] or env.space not in env.spaces:
        raise ApiProblem(422, "invalid", "no such space")
    _link(world, env, world.source(env, str(form.get("source_id"))))


def _link(world: World, env: Environment, source: Source) -> None:
    new = source.id not in env.linked
    env.linked = [id_ for id_ in env.linked if id_ != source.id] + [source.id]
    if new:
        _record(world, env, source, "Source Connected To Space")
        if source.enabled:
            events.replay(world, env, source)


def unlink(world: World, env: Environment, source: Source) -> None:
    """Take a source out of the space."""
    if source.id in env.linked:
        env.linked.remove(source.id)
        _record(world, env, source, "Source Disconnected From Space")


def _record(world: World, env: Environment, source: Source, kind: str) -> None:
    """Whose id the event carries is documented nowhere."""
    if world.switches["space_event_resource"] == "space":
        world.record(env, kind, env.space["id"], env.space["name"], "space")
    else:
        world.changed(env, source, kind)


def store_key(world: World, env: Environment, key: t.Any) -> None:
    """Save a write key in Flex.

    Raises:
        ApiProblem: 400; it is empty or no string.
    """
    if not isinstance(key, str) or not key.strip():
        raise ApiProblem(400, "invalid", "Flex source write key is required")
    env.flex_key, env.flex_key_set_at = key, iso(world.now())
