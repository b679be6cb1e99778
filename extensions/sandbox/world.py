# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated world: all state and all rules, no HTTP."""

from __future__ import annotations

import datetime
import re
import threading
import typing as t
from pathlib import Path

from . import sabotage, stream
from .catalog import CATALOG, HTTP_API, JAVA, JAVASCRIPT
from .model import (
    LEGACY_NAME,
    SOURCE_NAME,
    Environment,
    Problem,
    Source,
    derived,
    derived_hex,
    fingerprint,
    iso,
)

if t.TYPE_CHECKING:
    from .limits import Window
    from .rules import Rule

__all__ = [
    "LEGACY_NAME",
    "SOURCE_NAME",
    "Environment",
    "Problem",
    "Source",
    "World",
    "derived",
    "derived_hex",
    "fingerprint",
    "iso",
]

ENVIRONMENTS = (("dev", "us"), ("prod", "us"), ("eu", "eu"))
LAG = datetime.timedelta(seconds=60)
AUDIT_KEPT = datetime.timedelta(days=90)
# What no document settles, or what is off unless asked for. The first value is the one after a reset.
SWITCHES: dict[str, tuple[t.Any, ...]] = {
    "duplicate_slug": (409, 400, 422),  # the status for a slug or label that is taken
    "lacks_permission": (403, 401),  # the status for a good token that may not do this
    "foreign_space": (401, 403, 404),  # the Profile API's status for a good token and another space
    "replay_seen": ("event", "arrival"),  # how a replayed event is dated in the space: when it happened or arrived
    "rate_limits": (False, True),  # enforce the published limits, by IP address and token
    "rate_limit_hint": ("msBeforeNext", "seconds", "date", "reset", "none"),  # how a 429 tells the wait
}


class World:
    """Every environment, one clock, one lock.

    Attributes:
        watchers: Told of each answer: service, method, path as in the route, status, body. For tests of the answers.
    """

    watchers: t.ClassVar[list[t.Callable[[str, str, str, int, t.Any], None]]] = []

    def __init__(self, environments: int | t.Sequence[tuple[str, str]] = ENVIRONMENTS) -> None:
        self.lock = threading.RLock()
        if isinstance(environments, int):
            environments = [(f"env-{n:04}", "us" if n % 3 else "eu") for n in range(1, environments + 1)]
        self.seeds = tuple(environments)
        # Set by the command line: where requests are logged to, and the file that holds the state.
        self.log: t.Callable[[str], None] | None = None
        self.state_file: Path | None = None
        self.reset()

    def reset(self) -> None:
        self.offset = datetime.timedelta()
        self.journal: list[dict[str, t.Any]] = []
        self.faults: list[Rule] = []
        self.hook: t.Callable[[str, dict[str, t.Any]], t.Any] | None = None
        self.hooked = 0
        self.windows: dict[tuple[str, str, str], Window] = {}
        self.switches: dict[str, t.Any] = {name: values[0] for name, values in SWITCHES.items()}
        # Who acts right now, for the audit trail: a token of the Public API, or nobody, which is a person in a console.
        self.actor: str | None = None
        self._indexed: dict[str, Environment] | None = None
        self.environments = {name: Environment(name, region) for name, region in self.seeds}
        for env in self.environments.values():
            self.make_source(env, "website", JAVASCRIPT, quiet=True)
            self.make_source(env, "server", HTTP_API, quiet=True)

    def now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.timezone.utc) + self.offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward.

        Raises:
            Problem: 400; it would leave the range of dates.
        """
        offset = self.offset + datetime.timedelta(seconds=seconds)
        if offset > datetime.timedelta(days=365 * 1000):
            raise Problem(400, "input-validation", "the clock cannot be more than a thousand years ahead")
        self.offset = offset

    def environment(self, name: t.Any) -> Environment:
        if not isinstance(name, str) or name not in self.environments:
            raise Problem(404, "not-found", "no such environment")
        return self.environments[name]

    def switch(self, changes: dict[str, t.Any]) -> None:
        """Set switches; see SWITCHES."""
        for name, value in changes.items():
            if name not in SWITCHES:
                raise Problem(400, "input-validation", f"no switch is called '{name}'; there are {', '.join(SWITCHES)}")
            # True equals 1 to Python.
            if not any(value == good and type(value) is type(good) for good in SWITCHES[name]):
                good_ones = ", ".join(map(str, SWITCHES[name]))
                raise Problem(400, "input-validation", f"{name} must be one of {good_ones}")
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

    def record(self, env: Environment, kind: str, id_: str, name: str, what: str = "source") -> None:
        """Write the audit trail: what was done to which resource, by whom."""
        env.serial += 1
        who = {"actor": "user_1", "actorEmail": "ops@example.com"}
        if self.actor:
            who = {"actor": f"public-api-token/{fingerprint(self.actor)[:8]}"}
        event = {"id": derived(22, env.name, "audit", env.serial), "timestamp": iso(self.now()), "type": kind, **who}
        env.audit.append({**event, "resourceId": id_, "resourceType": what, "resourceName": name})

    def changed(self, env: Environment, source: Source, kind: str = "Source Modified") -> None:
        self.record(env, kind, source.id, source.name)

    def new_key(self, env: Environment) -> str:
        self._index()
        env.serial += 1
        key = derived(32, env.name, "key", env.serial)
        self._keys[key] = env
        return key

    def new_slug(self, env: Environment, slug: t.Any) -> str:
        if not isinstance(slug, str) or not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", slug):
            raise Problem(400, "input-validation", '"slug" must be letters, digits, hyphens and underscores', "slug")
        if any(s.slug == slug for s in env.sources.values()):
            raise Problem(
                self.switches["duplicate_slug"], "conflict", f"Source with slug '{slug}' already exists", "slug"
            )
        return slug

    def make_source(
        self, env: Environment, slug: str, metadata: str, enabled: bool = True, name: str = "", quiet: bool = False
    ) -> Source:
        """A source with one key, connected to every warehouse of the workspace."""
        if metadata not in CATALOG:
            raise Problem(400, "input-validation", f'"metadataId" {metadata} is unknown', "metadataId")
        self.new_slug(env, slug)
        env.serial += 1
        id_ = derived(22, env.name, "source", env.serial)
        source = Source(id_, slug, name or slug, metadata, enabled, [self.new_key(env)])
        env.sources[id_] = source
        for warehouse in env.warehouses.values():
            warehouse["sources"].append(id_)
        if not quiet:
            self.changed(env, source, "Source Created")
        return source

    def source(self, env: Environment, id_: str) -> Source:
        if id_ not in env.sources:
            raise Problem(404, "not-found", f"Source with id '{id_}' not found")
        return env.sources[id_]

    def patch_source(self, env: Environment, source: Source, changes: dict[str, t.Any]) -> None:
        for name, kind, shown in (
            ("name", str, "a string"),
            ("slug", str, "a string"),
            ("enabled", bool, "a boolean"),
            ("settings", dict, "an object"),
        ):
            if name in changes and not isinstance(changes[name], kind):
                raise Problem(400, "input-validation", f'"{name}" must be {shown}', name)
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
            self.changed(env, source, "Source Enabled" if source.enabled else "Source Disabled")

    def delete_source(self, env: Environment, source: Source) -> None:
        del env.sources[source.id]
        env.linked = [id_ for id_ in env.linked if id_ != source.id]
        for place in (*env.warehouses.values(), *env.tracking_plans.values()):
            place["sources"] = [id_ for id_ in place["sources"] if id_ != source.id]
        self.changed(env, source, "Source Deleted")

    # What the consoles do

    def connect(self, env: Environment, form: dict[str, t.Any]) -> None:
        """The form Connect: makes the source, links it, stores its key in Twilio."""
        if form.get("allow_write_events") is not True:
            raise Problem(400, "consent", "Allow Unified Profiles to write events to Segment must be selected")
        revoked = "profile_token" in env.revoked
        if form.get("space_id") != env.space["id"] or form.get("profile_token") != env.profile_token or revoked:
            raise Problem(422, "invalid", "The Segment Unify space ID and the Profile API access token do not match")
        env.connection = {name: form.get(name) for name in ("friendly_name", "space_id", "profile_token")}
        if env.form_source in env.sources:
            return
        source = self.make_source(env, SOURCE_NAME.replace("-", "_"), JAVA, name=SOURCE_NAME)
        env.form_source = source.id
        self._link(env, source)
        self.store_key(env, source.keys[0])

    def link(self, env: Environment, form: dict[str, t.Any]) -> None:
        if form.get("space_id") != env.space["id"]:
            raise Problem(422, "invalid", "no such space")
        source = self.source(env, str(form.get("source_id")))
        self._link(env, source)

    def _link(self, env: Environment, source: Source) -> None:
        new = source.id not in env.linked
        env.linked = [id_ for id_ in env.linked if id_ != source.id] + [source.id]
        if new and source.enabled:
            stream.replay(self, env, source)

    def store_key(self, env: Environment, key: t.Any) -> None:
        if not isinstance(key, str) or not key.strip():
            raise Problem(400, "invalid", "Flex source write key is required")
        env.flex_key, env.flex_key_set_at = key, iso(self.now())

    def engage(self, env: Environment, count: int) -> None:
        """Agents wrap up engagements; Flex writes with whatever key it holds."""
        stream.engage(self, env, count)

    def sabotage(self, env: Environment, name: t.Any, options: dict[str, t.Any]) -> None:
        """Break something in the way people do, by name; see :mod:`.sabotage`."""
        sabotage.sabotage(self, env, name, options)
