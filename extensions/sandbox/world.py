# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated world: all state and all rules, no HTTP."""

from __future__ import annotations

import datetime
import hashlib
import threading
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

if t.TYPE_CHECKING:
    from .rules import Rule

SOURCE_NAME = "twilio-unified-profiles"
LEGACY_NAME = "flex-unify-server-source"
CATALOG = {
    "V6ynUvQgbc": ("Java", "java", "Server"),
    "IqDTy1TpoU": ("Javascript", "javascript", "Website"),
    "iUM16Md8P2": ("HTTP API", "http-api", "Server"),
}
JAVA, JAVASCRIPT, HTTP_API = CATALOG
FLEX_EVENTS = ("Flex - Engagement Initiated", "Flex - Engagement Completed")
ENVIRONMENTS = (("dev", "us"), ("prod", "us"), ("eu", "eu"))
LAG = datetime.timedelta(seconds=60)


class Problem(Exception):
    """An answer other than success: an HTTP status, a code and a message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def fingerprint(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


def derived(length: int, *seed: object) -> str:
    """Letters and digits that follow from the seed alone, so that every start gives the same ids and tokens."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    text = ":".join(map(str, seed))
    data = b"".join(hashlib.sha256(f"{text}/{n}".encode()).digest() for n in range(length // 32 + 1))
    return "".join(alphabet[byte % 62] for byte in data[:length])


def derived_hex(*seed: object) -> str:
    return hashlib.sha256(":".join(map(str, seed)).encode()).hexdigest()[:32]


def iso(at: datetime.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass
class Source:
    id: str
    slug: str
    name: str
    metadata: str
    enabled: bool
    keys: list[str]
    labels: list[dict[str, str]] = field(default_factory=list)
    settings: dict[str, t.Any] = field(default_factory=dict)


@dataclass
class Environment:
    """A Segment workspace with a space, paired with a Twilio account."""

    name: str
    region: str
    sources: dict[str, Source] = field(default_factory=dict)
    labels: list[dict[str, str]] = field(default_factory=list)
    audit: list[dict[str, t.Any]] = field(default_factory=list)
    received: list[dict[str, t.Any]] = field(default_factory=list)
    in_space: dict[str, str] = field(default_factory=dict)
    linked: list[str] = field(default_factory=list)
    connection: dict[str, t.Any] = field(default_factory=dict)
    flex_key: str | None = None
    flex_key_set_at: str | None = None
    form_source: str | None = None
    alerts: list[dict[str, t.Any]] = field(default_factory=list)
    documents: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    serial: int = 0

    def __post_init__(self) -> None:
        n = self.name
        self.workspace = {"id": derived(22, n, "workspace"), "name": f"{n} workspace", "slug": f"{n}-workspace"}
        self.space = {"id": "spa_" + derived(22, n, "space"), "name": f"{n} space", "slug": f"{n}-space"}
        self.segment_token = "sgp_" + derived(64, n, "owner")
        self.read_only_token = "sgp_" + derived(64, n, "read-only")
        self.profile_token = derived(40, n, "profile")
        self.account_sid = "AC" + derived_hex(n, "account")
        self.api_key = "SK" + derived_hex(n, "api-key")
        self.api_secret = derived(32, n, "api-secret")
        self.auth_token = derived_hex(n, "auth-token")
        self.gateway_token = derived(32, n, "gateway")
        self.labels = [{"key": "environment", "value": n}, {"key": "managed-by", "value": "ansible"}]


class World:
    """Every environment, one clock, one lock."""

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

    # Segment workspace

    def record(self, env: Environment, kind: str, source: Source) -> None:
        env.serial += 1
        env.audit.append(
            {
                "id": derived(22, env.name, "audit", env.serial),
                "timestamp": iso(self.now()),
                "type": kind,
                "actor": "user_1",
                "actorEmail": "ops@example.com",
                "resourceId": source.id,
                "resourceType": "source",
                "resourceName": source.name,
            }
        )

    def new_key(self, env: Environment) -> str:
        env.serial += 1
        return derived(32, env.name, "key", env.serial)

    def make_source(
        self, env: Environment, slug: str, metadata: str, enabled: bool = True, name: str = "", quiet: bool = False
    ) -> Source:
        if metadata not in CATALOG:
            raise Problem(400, "input-validation", '"metadataId" is unknown')
        if any(s.slug == slug for s in env.sources.values()):
            raise Problem(409, "conflict", f"Source with slug '{slug}' already exists")
        env.serial += 1
        source = Source(
            derived(22, env.name, "source", env.serial), slug, name or slug, metadata, enabled, [self.new_key(env)]
        )
        env.sources[source.id] = source
        if not quiet:
            self.record(env, "Source Created", source)
        return source

    def source(self, env: Environment, id_: str) -> Source:
        if id_ not in env.sources:
            raise Problem(404, "not-found", f"Source with id '{id_}' not found")
        return env.sources[id_]

    def patch_source(self, env: Environment, source: Source, changes: dict[str, t.Any]) -> None:
        for name, kind in (("name", str), ("slug", str), ("enabled", bool), ("settings", dict)):
            if name in changes and not isinstance(changes[name], kind):
                raise Problem(400, "input-validation", f'"{name}" must be a {kind.__name__}')
        was = source.enabled
        source.name = changes.get("name", source.name)
        source.slug = changes.get("slug", source.slug)
        source.enabled = changes.get("enabled", source.enabled)
        source.settings.update(changes.get("settings", {}))
        self.record(env, "Source Modified", source)
        if was != source.enabled:
            self.record(env, "Source Enabled" if source.enabled else "Source Disabled", source)

    def delete_source(self, env: Environment, source: Source) -> None:
        del env.sources[source.id]
        env.linked = [id_ for id_ in env.linked if id_ != source.id]
        self.record(env, "Source Deleted", source)

    def set_labels(self, env: Environment, source: Source, labels: t.Any, replace: bool) -> None:
        if not isinstance(labels, list) or not all(isinstance(x, dict) for x in labels):
            raise Problem(400, "input-validation", '"labels" must be an array of objects')
        wanted = [{"key": x.get("key"), "value": x.get("value")} for x in labels]
        for label in wanted:
            if label not in env.labels:
                raise Problem(400, "input-validation", f"label {label['key']}:{label['value']} does not exist")
        kept = [] if replace else [x for x in source.labels if x not in wanted]
        source.labels = kept + wanted
        self.record(env, "Source Modified", source)

    # What the consoles do

    def connect(self, env: Environment, form: dict[str, t.Any]) -> None:
        """The form Connect: makes the source, links it, stores its key in Twilio."""
        if form.get("allow_write_events") is not True:
            raise Problem(400, "consent", "Allow Unified Profiles to write events to Segment must be selected")
        if form.get("space_id") != env.space["id"] or form.get("profile_token") != env.profile_token:
            raise Problem(422, "invalid", "The Segment Unify space ID and the Profile API access token do not match")
        env.connection = {name: form.get(name) for name in ("friendly_name", "space_id", "profile_token")}
        if env.form_source in env.sources:
            return
        source = self.make_source(env, SOURCE_NAME.replace("-", "_"), JAVA, name=SOURCE_NAME)
        env.form_source = source.id
        env.linked.append(source.id)
        self.store_key(env, source.keys[0])

    def link(self, env: Environment, form: dict[str, t.Any]) -> None:
        if form.get("space_id") != env.space["id"]:
            raise Problem(422, "invalid", "no such space")
        source = self.source(env, str(form.get("source_id")))
        env.linked = [id_ for id_ in env.linked if id_ != source.id] + [source.id]

    def store_key(self, env: Environment, key: t.Any) -> None:
        if not isinstance(key, str) or not key.strip():
            raise Problem(400, "invalid", "Flex source write key is required")
        env.flex_key, env.flex_key_set_at = key, iso(self.now())

    def engage(self, env: Environment, count: int) -> None:
        """Agents wrap up engagements; Flex writes with whatever key it holds."""
        now = self.now()
        source = next((s for s in env.sources.values() if env.flex_key in s.keys), None)
        if env.connection and env.flex_key and source is None:
            env.serial += 1
            env.alerts.append(
                {
                    "sid": "NO" + derived_hex(env.name, "alert", env.serial),
                    "error_code": "49008",
                    "log_level": "error",
                    "alert_text": "connector not found",
                    "date_generated": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                }
            )
        if source is None or not source.enabled:
            return
        for name in FLEX_EVENTS:
            env.received.append({"at": now, "event": name, "source": source.id, "count": count})
            if source.id in env.linked:
                env.in_space[name] = iso(now)

    # Sabotage

    def sabotage(self, env: Environment, name: str, args: dict[str, t.Any]) -> None:
        """Break something in the way people do, by name."""
        if name == "legacy-source":
            self.make_source(env, LEGACY_NAME, JAVA)
            return
        if name == "wrong-key-in-flex":
            self.store_key(env, derived(32, env.name, "wrong"))
            return
        if name == "revoke-token":
            which = str(args.get("which", "segment_token"))
            # A Segment token and a Profile API token may go by their short names.
            which = which if which == "twilio" or which.endswith("_token") else f"{which}_token"
            if which not in ("segment_token", "profile_token", "twilio"):
                raise Problem(400, "input-validation", "which takes segment, profile or twilio")
            env.revoked.add(which)
            return
        source = next((s for s in env.sources.values() if s.name == SOURCE_NAME), None)
        if source is None:
            raise Problem(409, "conflict", f"{env.name} has no source named {SOURCE_NAME}")
        if name == "delete-source":
            self.delete_source(env, source)
        elif name == "rename-source":
            self.patch_source(env, source, {"name": str(args.get("to", "renamed by hand"))})
        elif name == "disable-source":
            self.patch_source(env, source, {"enabled": False})
        elif name == "swap-type":
            source.metadata = HTTP_API
        elif name == "remove-key":
            source.keys = [self.new_key(env)]
            self.record(env, "Source Modified", source)
        elif name == "add-key":
            source.keys.append(self.new_key(env))
        elif name == "duplicate-name":
            self.make_source(env, f"{SOURCE_NAME}-2", JAVA, name=SOURCE_NAME)
        elif name == "disconnect-from-space":
            env.linked = [id_ for id_ in env.linked if id_ != source.id]
        else:
            raise Problem(400, "input-validation", f"no sabotage is called '{name}'")
