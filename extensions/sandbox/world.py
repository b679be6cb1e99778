# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated world: its state, its clock, and what happens in a Segment workspace. No HTTP."""

from __future__ import annotations

import datetime
import re
import threading
import typing as t
from pathlib import Path

from .catalog import CATALOG, HTTP_API, JAVASCRIPT
from .model import ApiProblem, Environment, Source, deterministic_id, fingerprint, iso

ENVIRONMENTS = (("dev", "us"), ("prod", "us"), ("eu", "eu"))
LAG = datetime.timedelta(seconds=60)
AUDIT_KEPT = datetime.timedelta(days=90)
# What no document settles, or what is off unless asked for. The first value is the one after a reset.
SWITCHES: dict[str, tuple[t.Any, ...]] = {
    "duplicate_slug": (409, 400, 422),  # the status for a slug or label that is taken
    "lacks_permission": (403, 401),  # the status for a good token that may not do this
    "foreign_space": (401, 403, 404),  # the Profile API's status for a good token and another space
    "replay_seen": ("event", "arrival"),  # how a replayed event is dated in the space: when it happened or arrived
    "rate_limits": (False, True),  # enforce the published limits
    "rate_limit_scope": ("token", "address"),  # count by IP address and token, or by address alone
    "token_limit": (False, True),  # enforce a limit per token beside them, with Retry-After alone
    "address_limit": (0, 10, 100, 1000),  # enforce a limit per address beside them, of so many a minute
    "rate_limit_hint": ("msBeforeNext", "seconds", "date", "reset", "none"),  # how a 429 tells the wait
    "space_event_resource": ("source", "space"),  # whose id the audit trail gives when a source is connected to a space
    "space_keeps_source": (
        False,
        True,
    ),  # whether a space counts as a destination, which keeps a source from being disabled
    "sync_of_unseen": ("accepted", "warned"),  # what becomes of a selective sync for a collection that was never seen
    "volume_floats": (False, True),  # whether event volumes are floats
    "profile_codes": ("usual", "other"),  # which of the Profile API's codes say the same
    "ui_version": ("number", "null", "range"),  # how Flex tells the version of its UI
    "old_alerts": (200, 400),  # the status for alerts from more than 30 days ago
    "account_by_key": (401, 403, 200),  # the status for an account that is asked for with a standard API key
}
IDLE = datetime.timedelta(days=14)


class World:
    """Every environment, one clock, one lock.

    Attributes:
        watchers: Called with each answer: service, method, path as in the route, status, body. For tests of the
            answers.
        forwarders: Called with each event of the audit trail.
        on_reset: Called at the end of each reset, for those who keep something about this world.
    """

    def __init__(self, environments: int | t.Sequence[tuple[str, str]] = ENVIRONMENTS) -> None:
        self.lock = threading.RLock()
        if isinstance(environments, int):
            environments = [(f"env-{n:04}", "us" if n % 3 else "eu") for n in range(1, environments + 1)]
        self.seeds = tuple(environments)
        # Set by the command line: where requests are logged to, and the file that holds the state.
        self.log: t.Callable[[str], None] | None = None
        self.state_file: Path | None = None
        self.watchers: list[t.Callable[[str, str, str, int, t.Any], None]] = []
        self.forwarders: list[t.Callable[[Environment, t.Mapping[str, t.Any]], None]] = []
        self.on_reset: list[t.Callable[[], None]] = []
        self.reset()

    def reset(self) -> None:
        """Everything as it was at the start, and the clock at the present."""
        self.offset = datetime.timedelta()
        self.journal: list[dict[str, t.Any]] = []
        self.switches: dict[str, t.Any] = {name: values[0] for name, values in SWITCHES.items()}
        # Who acts right now, for the audit trail: a token of the Public API, or nobody, which is a person in a console.
        self.actor: str | None = None
        self._indexed: dict[str, Environment] | None = None
        self.forwarders.clear()
        self.environments = {name: Environment(name, region) for name, region in self.seeds}
        for env in self.environments.values():
            self.make_source(env, "website", JAVASCRIPT, quiet=True)
            self.make_source(env, "server", HTTP_API, quiet=True)
        for act in self.on_reset:
            act()

    def now(self) -> datetime.datetime:
        """The time by the world's clock, in UTC."""
        return datetime.datetime.now(datetime.timezone.utc) + self.offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Raises:
            ApiProblem: 400; it would leave the range of dates.
        """
        offset = self.offset + datetime.timedelta(seconds=seconds)
        if offset > datetime.timedelta(days=365 * 1000):
            raise ApiProblem(400, "input-validation", "the clock cannot be more than a thousand years ahead")
        before, self.offset = self.now(), offset
        self._disable_idle_sources(before)

    def _disable_idle_sources(self, before: datetime.datetime) -> None:
        """Segment disables a source that was without an enabled destination for 14 days, also while it receives events."""
        due = []
        for env in self.environments.values():
            for source in env.sources.values():
                if not source.enabled or self._is_kept(env, source):
                    source.idle_since = None
                    continue
                source.idle_since = source.idle_since or before
                if source.idle_since + IDLE <= self.now():
                    due.append((source.idle_since + IDLE, env, source))
        for at, env, source in sorted(due, key=lambda one: one[0]):
            source.enabled = False
            self.record(env, "Source Disabled", source.id, source.name, who="Segment", at=at)

    def _is_kept(self, env: Environment, source: Source) -> bool:
        return (
            any(source.id in warehouse["sources"] for warehouse in env.warehouses.values())
            or any(one["enabled"] and one["source"] == source.id for one in env.destinations.values())
            or (self.switches["space_keeps_source"] and source.id in env.linked)
        )

    def environment(self, name: t.Any) -> Environment:
        """The environment of this name.

        Raises:
            ApiProblem: 404; there is none.
        """
        if not isinstance(name, str) or name not in self.environments:
            raise ApiProblem(404, "not-found", "no such environment")
        return self.environments[name]

    def switch(self, changes: dict[str, t.Any]) -> None:
        """Set switches; see SWITCHES.

        Raises:
            ApiProblem: 400; there is no such switch, or it does not take the value. None is set then.
        """
        for name, value in changes.items():
            if name not in SWITCHES:
                raise ApiProblem(
                    400, "input-validation", f"no switch is called '{name}'; there are {', '.join(SWITCHES)}"
                )
            # True equals 1 to Python.
            if not any(value == good and type(value) is type(good) for good in SWITCHES[name]):
                good_ones = ", ".join(map(str, SWITCHES[name]))
                raise ApiProblem(400, "input-validation", f"{name} must be one of {good_ones}")
        self.switches.update(changes)

    # Credentials and keys, found without asking each environment in turn

    def _index(self) -> None:
        if self._indexed is self.environments:
            return
        self._indexed = self.environments
        self._credentials: dict[str, tuple[Environment, str]] = {}
        self._keys: dict[str, Environment] = {}
        names = ("segment_token", "admin_token", "read_only_token", "profile_token", "api_key", "account_sid")
        for env in self.environments.values():
            self._credentials.update((getattr(env, name), (env, name)) for name in names)
            self._keys.update((key, env) for source in env.sources.values() for key in source.keys)

    def holder(self, credential: str) -> tuple[Environment, str] | None:
        """The environment that a token, API key or account SID belongs to, and the name of that attribute of it."""
        self._index()
        found = self._credentials.get(credential)
        return None if found is None or found[1] in found[0].revoked else found

    def source_of_key(self, key: str | None, region: str) -> tuple[Environment, Source] | None:
        """The source with this write key, in this region: regions do not know each other's keys."""
        self._index()
        env = self._keys.get(key or "")
        for source in env.sources.values() if env and env.region == region else ():
            if key in source.keys:
                return t.cast(Environment, env), source
        return None

    # Segment workspace

    def record(
        self,
        env: Environment,
        kind: str,
        id_: str,
        name: str,
        what: str = "source",
        who: str = "",
        at: datetime.datetime | None = None,
    ) -> None:
        """Write the audit trail: what was done to which resource, by whom and when; else by who acts right now, now."""
        env.serial += 1
        actor = {"actor": "user_1", "actorEmail": "ops@example.com"}
        if who or self.actor:
            actor = {"actor": who or f"public-api-token/{fingerprint(self.actor or '')[:8]}"}
        event = {
            "id": deterministic_id(22, env.name, "audit", env.serial),
            "timestamp": iso(at or self.now()),
            "type": kind,
            **actor,
        }
        event |= {"resourceId": id_, "resourceType": what, "resourceName": name}
        env.audit.append(event)
        for forward in self.forwarders:
            forward(env, event)

    def changed(self, env: Environment, source: Source, kind: str = "Source Modified") -> None:
        """Write the audit trail of a source."""
        self.record(env, kind, source.id, source.name)

    def new_key(self, env: Environment) -> str:
        """A write key that was never given out."""
        self._index()
        env.serial += 1
        key = self.spell_key(env)
        self._keys[key] = env
        return key

    def spell_key(self, env: Environment) -> str:
        """Return how the next write key reads."""
        return deterministic_id(32, env.name, "key", env.serial)

    def new_slug(self, env: Environment, slug: t.Any) -> str:
        """The slug, if a source may have it.

        Raises:
            ApiProblem: 400 for one that cannot be; by the switch ``duplicate_slug`` for one that is taken.
        """
        if not isinstance(slug, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", slug):
            raise ApiProblem(400, "input-validation", '"slug" must be letters, digits, hyphens and underscores', "slug")
        if any(s.slug == slug for s in env.sources.values()):
            raise ApiProblem(
                self.switches["duplicate_slug"], "conflict", f"Source with slug '{slug}' already exists", "slug"
            )
        return slug

    def make_source(
        self, env: Environment, slug: str, metadata: str, enabled: bool = True, name: str = "", quiet: bool = False
    ) -> Source:
        """A source with one key, connected to every warehouse of the workspace.

        Raises:
            ApiProblem: 400 for an unknown type; see :meth:`new_slug`.
        """
        if metadata not in CATALOG:
            raise ApiProblem(400, "input-validation", f'"metadataId" {metadata} is unknown', "metadataId")
        self.new_slug(env, slug)
        env.serial += 1
        id_ = deterministic_id(22, env.name, "source", env.serial)
        source = Source(id_, slug, name or slug, metadata, enabled, [self.new_key(env)])
        env.sources[id_] = source
        for warehouse in env.warehouses.values():
            warehouse["sources"].append(id_)
        if not quiet:
            self.changed(env, source, "Source Created")
        return source

    def source(self, env: Environment, id_: str) -> Source:
        """The source of this id.

        Raises:
            ApiProblem: 404; there is none.
        """
        if id_ not in env.sources:
            raise ApiProblem(404, "not-found", f"Source with id '{id_}' not found")
        return env.sources[id_]

    def patch_source(self, env: Environment, source: Source, changes: dict[str, t.Any]) -> None:
        """Change name, slug, enabled or settings.

        Raises:
            ApiProblem: 400 for a value of the wrong type; see :meth:`new_slug`.
        """
        for name, kind, shown in (
            ("name", str, "a string"),
            ("slug", str, "a string"),
            ("enabled", bool, "a boolean"),
            ("settings", dict, "an object"),
        ):
            if name in changes and not isinstance(changes[name], kind):
                raise ApiProblem(400, "input-validation", f'"{name}" must be {shown}', name)
        if changes.get("slug", source.slug) != source.slug:
            source.slug = self.new_slug(env, changes["slug"])
        was = source.enabled
        source.name = changes.get("name", source.name)
        source.enabled = changes.get("enabled", source.enabled)
        # Sets and replaces; null takes away.
        settings = {**source.settings, **changes.get("settings", {})}
        source.settings = {name: value for name, value in settings.items() if value is not None}
        self.changed(env, source)
        if "settings" in changes:
            self.changed(env, source, "Source Settings Modified")
        if was != source.enabled:
            source.idle_since = None
            self.changed(env, source, "Source Enabled" if source.enabled else "Source Disabled")

    def delete_source(self, env: Environment, source: Source) -> None:
        """Delete a source for good."""
        del env.sources[source.id]
        env.linked = [id_ for id_ in env.linked if id_ != source.id]
        for place in (*env.warehouses.values(), *env.tracking_plans.values()):
            place["sources"] = [id_ for id_ in place["sources"] if id_ != source.id]
            place.get("syncs", {}).pop(source.id, None)
        env.destinations = {id_: one for id_, one in env.destinations.items() if one["source"] != source.id}
        self.changed(env, source, "Source Deleted")
