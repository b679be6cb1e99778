# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated world: workspaces, spaces, sources, keys, events, Twilio accounts, and the rules between them.

Nothing here knows HTTP. The services, the console pages and the hand-over endpoint all act on this one state.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from . import catalog
from .ids import base62_id, fingerprint, hex_id, iso, parse_time

SOURCE_NAME = "twilio-unified-profiles"
SOURCE_SLUG = "twilio_unified_profiles"  # what the Connect form chooses
LEGACY_NAME = "flex-unify-server-source"
DAY = 86_400.0
REPLAY_SECONDS = 30 * DAY
AUDIT_SECONDS = 90 * DAY

OWNER, SOURCE_ADMIN, READ_ONLY = "owner", "source_admin", "read_only"


class Refused(Exception):
    """The world says no. ``kind`` is one of invalid, consent, not_found, duplicate, pair, policy."""

    def __init__(self, kind: str, message: str, field_name: str | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.field_name = field_name


@dataclass
class Settings:
    """Switches for everything that is documented nowhere, and for delays."""

    duplicate_slug_status: int = 409
    """Answer to a create or rename whose slug is taken: 400, 409 or 422."""
    permission_status: int = 403
    """Answer to a token that lacks a permission: 401 or 403."""
    profile_mismatch_status: int = 401
    """Answer of the Profile API to a good token used with another space: 400, 401, 403 or 404."""
    alpha_accept: bool = False
    """Space and write-key paths want the alpha media type in Accept, and answer 406 without it."""
    label_rules: bool = True
    """A label must exist in the workspace before it can be put on a source."""
    space_label_policy: str = ""
    """``key:value`` of the label that a source needs before it can be connected to a space."""
    rate_limits: bool = True
    """Enforce rate limits at all."""
    rate_limit_default: int = 1_000_000
    """Requests a minute for each address and token, where no lower limit is published."""
    rate_limit_form: str = "seconds"
    """How a 429 says when to come back: seconds, date, ms, reset or hour."""
    source_delay: float = 0.0
    """Seconds before the source made by the Connect form appears in the API."""
    replay_delay: float = 0.0
    """Seconds before the replay of a newly connected source's last month arrives in the space."""
    profile_lag: float = 0.0
    """Seconds before an event arrives in the space."""
    volume_lag: float = 60.0
    """Seconds before an event is counted in the events volume."""
    write_key_length: int = 32
    """Length of new write keys: 22 or 32."""
    new_key_first: bool = False
    """Put an added write key first in the list instead of last."""

    _CHOICES = {
        "duplicate_slug_status": (400, 409, 422),
        "permission_status": (401, 403),
        "profile_mismatch_status": (400, 401, 403, 404),
        "rate_limit_form": ("seconds", "date", "ms", "reset", "hour"),
        "write_key_length": (22, 32),
    }

    def change(self, **changes: Any) -> None:
        """Set some switches; Refused, and nothing is set, if one is unknown or has a value that makes no sense."""
        known = {item.name: item.type for item in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise Refused("invalid", f"there is no setting {name!r}; there are {', '.join(sorted(known))}", name)
            allowed = self._CHOICES.get(name)
            if allowed is not None:
                if isinstance(value, bool) or value not in allowed:
                    raise Refused("invalid", f"{name} is one of {', '.join(map(str, allowed))}", name)
            elif known[name] == "bool":
                if not isinstance(value, bool):
                    raise Refused("invalid", f"{name} is true or false", name)
            elif known[name] == "str":
                if not isinstance(value, str):
                    raise Refused("invalid", f"{name} is text", name)
            elif isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1e9:
                raise Refused("invalid", f"{name} is a number from 0 to 1000000000", name)
            elif known[name] == "int" and value != int(value):
                raise Refused("invalid", f"{name} is a whole number", name)
        for name, value in changes.items():
            setattr(self, name, value)


@dataclass
class Clock:
    """Real time, plus what tests have moved it forward."""

    offset: float = 0.0

    def now(self) -> float:
        return time.time() + self.offset

    def advance(self, seconds: float) -> float:
        if not 0 <= seconds <= 10 * 366 * DAY:
            raise Refused("invalid", "the clock moves forward only, by ten years at most", "advance")
        self.offset += seconds
        return self.now()


@dataclass
class Source:
    id: str
    slug: str
    name: str
    metadata_id: str
    enabled: bool
    write_keys: list[str]
    created_at: float
    visible_at: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)
    labels: list[dict[str, str]] = field(default_factory=list)
    schema: dict[str, Any] = field(default_factory=dict)
    warehouses: list[str] = field(default_factory=list)
    tracking_plan: str | None = None


@dataclass
class Event:
    """One call that a source took in."""

    type: str
    name: str
    message_id: str
    source_id: str
    timestamp: float
    received_at: float
    user_id: str | None = None
    anonymous_id: str | None = None
    traits: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)


@dataclass
class Profile:
    """What a space knows of one person."""

    identifiers: dict[str, dict[str, Any]] = field(default_factory=dict)
    traits: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)


@dataclass
class Delivery:
    """An event on its way into a space."""

    due: float
    event: Event


@dataclass
class Link:
    """A source connected to a space (Unify settings > Profiles sources)."""

    source_id: str
    at: float


@dataclass
class Space:
    id: str
    slug: str
    name: str
    tokens: list[str]
    links: list[Link] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    pending: list[Delivery] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.profiles: dict[str, Profile] = {}
        self._seen: set[str] = set()
        arrived, self.events = self.events, []
        for event in arrived:
            self.take_in(event)

    def linked(self, source_id: str) -> bool:
        return any(link.source_id == source_id for link in self.links)

    def take_in(self, event: Event) -> None:
        """Put an event into the profile store, once."""
        if event.message_id in self._seen:
            return
        self._seen.add(event.message_id)
        self.events.append(event)
        identifiers = {
            f"{kind}:{value}".lower(): {"type": kind, "id": value.lower()}
            for kind, value in (
                ("user_id", event.user_id),
                ("anonymous_id", event.anonymous_id),
                ("email", event.traits.get("email")),
            )
            if isinstance(value, str) and value
        }
        if not identifiers:
            return
        known = [self.profiles[key] for key in identifiers if key in self.profiles]
        profile = known[0] if known else Profile()
        for other in known[1:]:
            if other is not profile:
                profile = _merged(profile, other)
        for key, identifier in identifiers.items():
            profile.identifiers.setdefault(
                key,
                {**identifier, "source_id": event.source_id, "created_at": event.timestamp, "by": event.message_id},
            )
        for key in profile.identifiers:
            self.profiles[key] = profile
        profile.events.append(event)
        for trait, value in event.traits.items():
            before = profile.traits.get(trait)
            if before is None or before["updated_at"] <= event.timestamp:
                profile.traits[trait] = {
                    "value": value,
                    "source_id": event.source_id,
                    "updated_at": event.timestamp,
                }


def _merged(first: Profile, second: Profile) -> Profile:
    return Profile(
        identifiers={**first.identifiers, **second.identifiers},
        traits={**first.traits, **second.traits},
        events=sorted(first.events + second.events, key=lambda event: event.timestamp),
    )


@dataclass
class Workspace:
    id: str
    slug: str
    name: str
    tokens: dict[str, str]
    spaces: dict[str, Space]
    sources: dict[str, Source] = field(default_factory=dict)
    labels: list[dict[str, str]] = field(default_factory=list)
    warehouses: dict[str, dict[str, Any]] = field(default_factory=dict)
    tracking_plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    audit: list[dict[str, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


@dataclass
class Connection:
    """What the Connect form stored on the Twilio side."""

    friendly_name: str
    space_id: str
    profile_token: str
    source_id: str
    configuration_id: str
    at: float


@dataclass
class Account:
    """A Twilio account with Flex."""

    sid: str
    api_key: str
    api_secret: str
    auth_token: str
    created_at: float
    ui_version: str = "2.13.0"
    flex_status: str = "ok"
    connection: Connection | None = None
    flex_key: str | None = None
    flex_key_at: float | None = None
    flex_region: str = "us"
    revoked: list[str] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    sync: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class Environment:
    """One Segment workspace and space, paired with one Twilio account."""

    name: str
    region: str
    workspace: Workspace
    space_id: str
    account: Account
    gateway_token: str
    serial: int = 0

    @property
    def space(self) -> Space:
        return self.workspace.spaces[self.space_id]

    def secret(self, name: str) -> str:
        """The seeded secret of that name; it depends on the environment's name only."""
        return _secret(self.name, name)


@dataclass(frozen=True)
class Actor:
    """Who did it, as the audit trail tells."""

    name: str
    email: str | None = None


def _secret(environment: str, name: str) -> str:
    return base62_id(f"{environment}/{name}", 64)


class World:
    """All environments, one clock, one set of switches."""

    def __init__(self, names: Iterable[tuple[str, str]] = (("dev", "us"), ("prod", "us"), ("eu", "eu"))) -> None:
        self.clock = Clock()
        self.settings = Settings()
        self.environments: dict[str, Environment] = {}
        self._layout = list(names)
        self._salt = ""
        self.reset()

    # -- seeding ------------------------------------------------------------------------------------------------

    def reset(self) -> None:
        """Everything as on the first day: no environment is connected, no event was ever sent."""
        self.clock.offset = 0.0
        self.settings = Settings()
        self._salt = secrets.token_hex(8)  # a source made after a reset is never mistaken for one made before
        self.install(_seeded(name, region, self.clock.now()) for name, region in self._layout)

    def install(self, environments: Iterable[Environment]) -> None:
        """Replace all environments and rebuild what is looked up by secret."""
        self.environments = {environment.name: environment for environment in environments}
        self._api_tokens: dict[tuple[str, str], tuple[Environment, str]] = {}
        self._spaces: dict[str, tuple[Environment, Space]] = {}
        self._profile_tokens: dict[tuple[str, str], Space] = {}
        self._write_keys: dict[tuple[str, str], tuple[Environment, Source]] = {}
        self._accounts: dict[str, Environment] = {}
        for environment in self.environments.values():
            region, workspace = environment.region, environment.workspace
            for token, level in workspace.tokens.items():
                self._api_tokens[region, token] = (environment, level)
            for space in workspace.spaces.values():
                self._spaces[space.id] = (environment, space)
                for token in space.tokens:
                    self._profile_tokens[region, token] = space
            for source in workspace.sources.values():
                for key in source.write_keys:
                    self._write_keys[region, key] = (environment, source)
            self._accounts[environment.account.sid] = environment
            self._accounts[environment.account.api_key] = environment

    def environment(self, name: str) -> Environment:
        try:
            return self.environments[name]
        except KeyError:
            some = ", ".join(list(self.environments)[:10])
            raise Refused(
                "not_found", f"there is no environment {name!r}; there are {some}, ...", "environment"
            ) from None

    def _new_id(self, environment: Environment, kind: str, length: int = 22) -> str:
        environment.serial += 1
        return base62_id(f"{self._salt}/{environment.name}/{kind}/{environment.serial}", length)

    def new_hex(self, environment: Environment, prefix: str) -> str:
        """A fresh Twilio id: two letters and 32 digits."""
        environment.serial += 1
        return prefix + hex_id(f"{self._salt}/{environment.name}/{prefix}/{environment.serial}")

    # -- who is calling -----------------------------------------------------------------------------------------

    def api_caller(self, region: str, token: str) -> tuple[Environment, str] | None:
        """The environment and the permission level of a Public API token."""
        return self._api_tokens.get((region, token))

    def profile_caller(self, region: str, token: str) -> Space | None:
        return self._profile_tokens.get((region, token))

    def account_caller(self, user: str, password: str) -> Environment | None:
        """The environment whose Twilio account these credentials open."""
        environment = self._accounts.get(user)
        if environment is None:
            return None
        account = environment.account
        expected = account.api_secret if user == account.api_key else account.auth_token
        return environment if password == expected and password not in account.revoked else None

    def find_space(self, space_id: str) -> tuple[Environment, Space] | None:
        return self._spaces.get(space_id)

    # -- sources ------------------------------------------------------------------------------------------------

    def visible_sources(self, environment: Environment) -> list[Source]:
        now = self.clock.now()
        return [source for source in environment.workspace.sources.values() if source.visible_at <= now]

    def create_source(
        self,
        environment: Environment,
        slug: str,
        metadata_id: str,
        enabled: bool,
        settings: dict[str, Any],
        disconnect_all_warehouses: bool,
        actor: Actor,
    ) -> Source:
        if metadata_id not in catalog.SOURCES:
            raise Refused("not_found", f"Source metadata with id '{metadata_id}' not found", "metadataId")
        self._refuse_taken_slug(environment, slug)
        workspace = environment.workspace
        source = Source(
            id=self._new_id(environment, "source"),
            slug=slug,
            name=slug,
            metadata_id=metadata_id,
            enabled=enabled,
            write_keys=[],
            created_at=self.clock.now(),
            settings={key: value for key, value in settings.items() if value is not None},
            warehouses=[] if disconnect_all_warehouses else list(workspace.warehouses),
        )
        workspace.sources[source.id] = source
        self._give_key(environment, source)
        self.note(environment, "Source Created", actor, source.id, "source", source.name)
        return source

    def update_source(
        self,
        environment: Environment,
        source: Source,
        actor: Actor,
        name: str | None = None,
        slug: str | None = None,
        enabled: bool | None = None,
        settings: dict[str, Any] | None = None,
    ) -> None:
        if slug is not None and slug != source.slug:
            self._refuse_taken_slug(environment, slug)
        kinds = []
        if (name, slug) != (None, None) and (name or source.name, slug or source.slug) != (source.name, source.slug):
            kinds.append("Source Modified")
        if settings:
            kinds.append("Source Settings Modified")
        if enabled is not None and enabled != source.enabled:
            kinds.append("Source Enabled" if enabled else "Source Disabled")
        source.name = source.name if name is None else name
        source.slug = source.slug if slug is None else slug
        source.enabled = source.enabled if enabled is None else enabled
        for key, value in (settings or {}).items():
            if value is None:
                source.settings.pop(key, None)
            else:
                source.settings[key] = value
        for kind in kinds:
            self.note(environment, kind, actor, source.id, "source", source.name)

    def delete_source(self, environment: Environment, source: Source, actor: Actor) -> None:
        """For good. Its keys are dead, and whatever pointed at it points at nothing."""
        for key in source.write_keys:
            self._write_keys.pop((environment.region, key), None)
        del environment.workspace.sources[source.id]
        for space in environment.workspace.spaces.values():
            space.links = [link for link in space.links if link.source_id != source.id]
        self.note(environment, "Source Deleted", actor, source.id, "source", source.name)

    def _refuse_taken_slug(self, environment: Environment, slug: str) -> None:
        if any(source.slug == slug for source in environment.workspace.sources.values()):
            raise Refused("duplicate", f"Source with slug '{slug}' already exists", "slug")

    def add_key(self, environment: Environment, source: Source, actor: Actor) -> str:
        key = self._give_key(environment, source)
        self.note(environment, "Source Modified", actor, source.id, "source", source.name)
        return key

    def _give_key(self, environment: Environment, source: Source) -> str:
        key = self._new_id(environment, "write-key", self.settings.write_key_length)
        source.write_keys.insert(0 if self.settings.new_key_first else len(source.write_keys), key)
        self._write_keys[environment.region, key] = (environment, source)
        return key

    def remove_key(self, environment: Environment, source: Source, key: str, actor: Actor) -> None:
        if key not in source.write_keys:
            raise Refused("not_found", "Write key not found")
        source.write_keys.remove(key)
        self._write_keys.pop((environment.region, key), None)
        self.note(environment, "Source Modified", actor, source.id, "source", source.name)

    # -- labels -------------------------------------------------------------------------------------------------

    def create_label(self, environment: Environment, label: dict[str, str], actor: Actor) -> dict[str, str]:
        labels = environment.workspace.labels
        if _find_label(labels, label) is not None:
            raise Refused("duplicate", f"Label '{label['key']}:{label['value']}' already exists", "label")
        labels.append(label)
        name = f"{label['key']}:{label['value']}"
        self.note(environment, "Label Created", actor, name, "label", name)
        return label

    def delete_label(self, environment: Environment, key: str, value: str, actor: Actor) -> None:
        workspace = environment.workspace
        found = _find_label(workspace.labels, {"key": key, "value": value})
        if found is None:
            raise Refused("not_found", f"Label '{key}:{value}' not found")
        workspace.labels.remove(found)
        for source in workspace.sources.values():
            source.labels = [label for label in source.labels if (label["key"], label["value"]) != (key, value)]
        self.note(environment, "Label Deleted", actor, f"{key}:{value}", "label", f"{key}:{value}")

    def put_labels(
        self, environment: Environment, source: Source, labels: list[dict[str, str]], replace: bool, actor: Actor
    ) -> list[dict[str, str]]:
        known = environment.workspace.labels
        if self.settings.label_rules:
            for label in labels:
                if _find_label(known, label) is None:
                    raise Refused("not_found", f"Label '{label['key']}:{label['value']}' not found", "labels")
        result = [] if replace else list(source.labels)
        for label in labels:
            if _find_label(result, label) is None:
                result.append({"key": label["key"], "value": label["value"]})
        if result != source.labels:
            source.labels = result
            self.note(environment, "Source Modified", actor, source.id, "source", source.name)
        return result

    # -- the three console steps --------------------------------------------------------------------------------

    def connect(
        self, environment: Environment, friendly_name: str, space_id: str, profile_token: str, consent: bool
    ) -> Connection:
        """Press Connect in the Twilio console."""
        if not consent:
            raise Refused("consent", "Select Allow Unified Profiles to write events to Segment", "allow_write_events")
        if not friendly_name.strip():
            raise Refused("invalid", "Connection friendly name is required", "friendly_name")
        found = self.find_space(space_id)
        if found is None or profile_token not in found[1].tokens:
            raise Refused("pair", "The Segment Unify space ID and the Profile API access token do not belong together")
        home, space = found
        account, now = environment.account, self.clock.now()
        before = account.connection
        if before is not None and before.space_id == space.id and before.source_id in home.workspace.sources:
            before.friendly_name, before.profile_token = friendly_name, profile_token
            return before
        source = self._make_twilio_source(home)
        self.link(home, space, source.id, by_form=True)
        self.paste_key(environment, source.write_keys[0])
        account.flex_region = home.region
        account.connection = Connection(
            friendly_name, space.id, profile_token, source.id, self.new_hex(environment, "PD"), now
        )
        return account.connection

    def _make_twilio_source(self, home: Environment) -> Source:
        taken = {source.slug for source in home.workspace.sources.values()}
        slug = next(slug for slug in _numbered(SOURCE_SLUG) if slug not in taken)
        source = self.create_source(home, slug, catalog.JAVA, True, {}, False, Actor("twilio-unified-profiles"))
        source.name = SOURCE_NAME
        source.visible_at = self.clock.now() + self.settings.source_delay
        return source

    def link(self, environment: Environment, space: Space, source_id: str, by_form: bool = False) -> None:
        """Unify settings > Profiles sources > Connect source. The last month of its events is replayed."""
        source = environment.workspace.sources.get(source_id)
        if source is None:
            raise Refused("not_found", f"there is no source {source_id!r} in this workspace", "source_id")
        policy = self.settings.space_label_policy
        if policy and not by_form and policy not in {f"{item['key']}:{item['value']}" for item in source.labels}:
            raise Refused("policy", f"this space admits only sources with the label {policy}", "source_id")
        if space.linked(source_id):
            return
        now = self.clock.now()
        space.links.append(Link(source_id, now))
        due = now + self.settings.replay_delay
        for event in environment.workspace.events:
            if event.source_id == source_id and event.received_at >= now - REPLAY_SECONDS:
                space.pending.append(Delivery(due, event))

    def unlink(self, space: Space, source_id: str) -> None:
        space.links = [link for link in space.links if link.source_id != source_id]

    def last_linked(self, environment: Environment) -> str | None:
        """The source that was connected last and still exists."""
        return environment.space.links[-1].source_id if environment.space.links else None

    def paste_key(self, environment: Environment, write_key: str) -> None:
        """Flex > Contact center settings > Unified Profiles > Update key. Whatever is pasted is stored."""
        if not write_key.strip():
            raise Refused("invalid", "Flex source write key is required", "write_key")
        account = environment.account
        if account.flex_key != write_key.strip() or account.flex_key_at is None:
            account.flex_key_at = self.clock.now()
        account.flex_key = write_key.strip()

    # -- events -------------------------------------------------------------------------------------------------

    def accept(self, region: str, write_key: str, call: dict[str, Any]) -> bool:
        """Take in one Tracking API call. False, and no word to the caller, if nobody listens to that key here."""
        found = self._write_keys.get((region, write_key))
        if found is None:
            return False
        environment, source = found
        if not source.enabled:
            return False
        event = self._event(environment, source, call)
        workspace = environment.workspace
        workspace.events.append(event)
        for space in workspace.spaces.values():
            if space.linked(source.id):
                if self.settings.profile_lag:
                    space.pending.append(Delivery(event.received_at + self.settings.profile_lag, event))
                else:
                    space.take_in(event)
        return True

    def _event(self, environment: Environment, source: Source, call: dict[str, Any]) -> Event:
        now = self.clock.now()
        kind = _text(call.get("type")) or "track"
        traits, context = _mapping(call.get("traits")), _mapping(call.get("context"))
        if kind != "identify":
            traits = _mapping(context.get("traits"))
        try:
            timestamp = parse_time(_text(call.get("timestamp")) or iso(now))
        except ValueError:
            timestamp = now
        return Event(
            type=kind,
            name=_text(call.get("event") if kind == "track" else call.get("name")) or "",
            message_id=_text(call.get("messageId")) or self._new_id(environment, "message"),
            source_id=source.id,
            timestamp=timestamp,
            received_at=now,
            user_id=_text(call.get("userId")),
            anonymous_id=_text(call.get("anonymousId")),
            traits=traits,
            properties=_mapping(call.get("properties")),
            context={key: value for key, value in context.items() if key != "traits"},
        )

    def arrived(self, space: Space) -> Space:
        """The space, after every event that is due by now has come in."""
        if space.pending:
            now = self.clock.now()
            late = [delivery for delivery in space.pending if delivery.due > now]
            for delivery in space.pending:
                if delivery.due <= now:
                    space.take_in(delivery.event)
            space.pending = late
        return space

    def engage(self, environment: Environment, count: int) -> dict[str, int]:
        """Agents wrap up that many conversations now; Flex writes its events with whatever key it holds."""
        account = environment.account
        sent = taken_in = alerts = 0
        if account.connection is None and account.flex_key is None:
            return {"engagements": count, "events_sent": 0, "events_taken_in": 0, "alerts": 0}
        for _number in range(count):
            code = self._connection_problem(account)
            if code:
                self._alert(environment, code)
                alerts += 1
            if account.flex_key is None:
                continue
            for call in self._engagement_calls(environment):
                sent += 1
                taken_in += self.accept(account.flex_region, account.flex_key, call)
        return {"engagements": count, "events_sent": sent, "events_taken_in": taken_in, "alerts": alerts}

    def _engagement_calls(self, environment: Environment) -> Iterator[dict[str, Any]]:
        person = f"customer-{environment.serial % 50}"
        engagement = self._new_id(environment, "engagement")
        now = iso(self.clock.now())
        for name in ("Flex - Engagement Initiated", "Flex - Engagement Completed"):
            yield {
                "type": "track",
                "event": name,
                "userId": person,
                "timestamp": now,
                "messageId": f"flex-{engagement}-{name.rpartition(' ')[2].lower()}",
                "properties": {"engagementId": engagement, "channel": "voice"},
            }
        yield {
            "type": "identify",
            "userId": person,
            "timestamp": now,
            "messageId": f"flex-{engagement}-traits",
            "traits": {"flex_last-interaction-duration": 184, "flex_last-known-agent": "agent-7"},
        }

    def _connection_problem(self, account: Account) -> str | None:
        if account.connection is None:
            return "49008"
        found = self.find_space(account.connection.space_id)
        if found is None:
            return "49008"
        return None if account.connection.profile_token in found[1].tokens else "49009"

    def _alert(self, environment: Environment, code: str) -> None:
        texts = {
            "49008": "Unified Profiles: connector not found",
            "49009": "Unified Profiles: stored credentials are malformed",
        }
        account = environment.account
        connection = account.connection
        account.alerts.append(
            {
                "sid": self.new_hex(environment, "NO"),
                "error_code": code,
                "alert_text": texts[code],
                "at": self.clock.now(),
                "resource_sid": connection.configuration_id if connection else None,
            }
        )

    # -- audit --------------------------------------------------------------------------------------------------

    def note(
        self, environment: Environment, kind: str, actor: Actor, resource_id: str, resource_type: str, name: str
    ) -> None:
        """Write to the workspace's audit trail."""
        environment.serial += 1
        entry = {
            "id": f"events/{environment.serial}",
            "at": self.clock.now(),
            "type": kind,
            "actor": actor.name,
            "resourceId": resource_id,
            "resourceType": resource_type,
            "resourceName": name,
        }
        if actor.email:
            entry["actorEmail"] = actor.email
        environment.workspace.audit.append(entry)

    # -- sabotage -----------------------------------------------------------------------------------------------

    def sabotage(self, environment_name: str, name: str, **args: Any) -> dict[str, Any]:
        """Do what somebody did to a real workspace one Friday evening. Answers what was done, to what."""
        environment = self.environment(environment_name)
        try:
            act: Callable[..., dict[str, Any]] = SABOTAGE[name]
        except KeyError:
            raise Refused(
                "invalid", f"there is no sabotage {name!r}; there are {', '.join(SABOTAGE)}", "name"
            ) from None
        try:
            done = act(self, environment, **args)
        except TypeError as exc:
            raise Refused("invalid", f"{name}: {str(exc).rpartition(') ')[2] or exc}") from None
        return {"environment": environment_name, "name": name, **done}

    def twilio_source(self, environment: Environment, source: str | None = None) -> Source:
        """The source that sabotage is done to: the one named, else the one that Twilio writes to."""
        sources = environment.workspace.sources
        if source is not None:
            for candidate in sources.values():
                if source in (candidate.id, candidate.name, candidate.slug):
                    return candidate
            raise Refused("not_found", f"there is no source {source!r} in {environment.name}", "source")
        named = [candidate for candidate in sources.values() if candidate.name == SOURCE_NAME]
        connection = environment.account.connection
        if connection is not None and connection.source_id in sources:
            return sources[connection.source_id]
        held = self._write_keys.get((environment.region, environment.account.flex_key or ""))
        if named:
            return named[-1]
        if held is not None and held[1].id in sources:
            return held[1]
        raise Refused("not_found", f"{environment.name} has no Twilio source; connect it first", "source")


def _seeded(name: str, region: str, now: float) -> Environment:
    def id_of(kind: str) -> str:
        return base62_id(f"{name}/{kind}")

    def other(slug: str, title: str, metadata_id: str) -> Source:
        key = base62_id(f"{name}/source/{slug}/key", 32)
        return Source(
            id_of(f"source/{slug}"), slug, title, metadata_id, True, [key], now - 30 * DAY, warehouses=[warehouse]
        )

    warehouse, plan = id_of("warehouse"), "tp_" + id_of("tracking-plan")
    sources = (
        other(f"{name}-website", f"{name} website", catalog.JAVASCRIPT),
        other(f"{name}-backend", f"{name} backend", catalog.HTTP_API),
    )
    space = Space("spa_" + id_of("space"), f"{name}-customers", f"{name} customers", [_secret(name, "profile-token")])
    workspace = Workspace(
        id=id_of("workspace"),
        slug=f"{name}-workspace",
        name=f"{name} workspace",
        tokens={
            "sgp_" + _secret(name, "segment-token"): OWNER,
            "sgp_" + _secret(name, "segment-token-source-admin"): SOURCE_ADMIN,
            "sgp_" + _secret(name, "segment-token-read-only"): READ_ONLY,
        },
        spaces={space.id: space},
        sources={source.id: source for source in sources},
        labels=[
            {"key": "environment", "value": "dev", "description": "Development"},
            {"key": "environment", "value": "prod", "description": "Production"},
        ],
        warehouses={warehouse: {"id": warehouse, "name": f"{name} warehouse"}},
        tracking_plans={plan: {"id": plan, "name": f"{name} plan"}},
    )
    account = Account(
        sid="AC" + hex_id(f"{name}/account"),
        api_key="SK" + hex_id(f"{name}/api-key"),
        api_secret=base62_id(f"{name}/api-secret", 32),
        auth_token=hex_id(f"{name}/auth-token"),
        created_at=now - 30 * DAY,
        flex_region=region,
        sync={
            "IS" + hex_id(f"{name}/sync"): {"friendly_name": "Default Service", "at": now - 30 * DAY, "documents": {}}
        },
    )
    return Environment(name, region, workspace, space.id, account, "gw_" + base62_id(f"{name}/gateway", 40))


def layout(count: int) -> list[tuple[str, str]]:
    """Names and regions: dev, prod and eu for three, else env0001 and so on, every tenth in the EU."""
    if count == 3:
        return [("dev", "us"), ("prod", "us"), ("eu", "eu")]
    return [(f"env{number:04}", "eu" if number % 10 == 0 else "us") for number in range(1, count + 1)]


def _numbered(slug: str) -> Iterator[str]:
    yield slug
    number = 1
    while True:
        yield f"{slug}_{number}"
        number += 1


def _find_label(labels: list[dict[str, str]], wanted: dict[str, str]) -> dict[str, str] | None:
    for label in labels:
        if (label["key"], label["value"]) == (wanted["key"], wanted["value"]):
            return label
    return None


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != "" else None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


# -- sabotage by name -------------------------------------------------------------------------------------------


def _saboteur(environment: Environment) -> Actor:
    return Actor(f"user/{base62_id(environment.name + '/saboteur', 10)}", f"sam@{environment.name}.example")


def _delete_source(world: World, environment: Environment, source: str | None = None) -> dict[str, Any]:
    target = world.twilio_source(environment, source)
    world.delete_source(environment, target, _saboteur(environment))
    return {"source_id": target.id}


def _rename_source(
    world: World, environment: Environment, to: str = "renamed-by-somebody", source: str | None = None
) -> dict[str, Any]:
    target = world.twilio_source(environment, source)
    world.update_source(environment, target, _saboteur(environment), name=str(to))
    return {"source_id": target.id, "to": target.name}


def _disable_source(world: World, environment: Environment, source: str | None = None) -> dict[str, Any]:
    target = world.twilio_source(environment, source)
    world.update_source(environment, target, _saboteur(environment), enabled=False)
    return {"source_id": target.id}


def _swap_type(
    world: World, environment: Environment, metadata_id: str = catalog.HTTP_API, source: str | None = None
) -> dict[str, Any]:
    if metadata_id not in catalog.SOURCES:
        raise Refused("not_found", f"there is no source type {metadata_id!r} in the catalog", "metadata_id")
    target = world.twilio_source(environment, source)
    target.metadata_id = metadata_id
    world.note(environment, "Source Modified", _saboteur(environment), target.id, "source", target.name)
    return {"source_id": target.id, "metadata_id": metadata_id}


def _remove_key(
    world: World, environment: Environment, replace: bool = False, source: str | None = None
) -> dict[str, Any]:
    """Remove the key that Flex holds (else the first); with ``replace`` another is made."""
    target = world.twilio_source(environment, source)
    if not target.write_keys:
        raise Refused("not_found", "the source has no key to remove", "source")
    held = environment.account.flex_key
    key = held if held in target.write_keys else target.write_keys[0]
    world.remove_key(environment, target, str(key), _saboteur(environment))
    if replace:
        world.add_key(environment, target, _saboteur(environment))
    return {"source_id": target.id, "removed": fingerprint(str(key))}


def _add_key(world: World, environment: Environment, source: str | None = None) -> dict[str, Any]:
    target = world.twilio_source(environment, source)
    key = world.add_key(environment, target, _saboteur(environment))
    return {"source_id": target.id, "added": fingerprint(key)}


def _duplicate_name(world: World, environment: Environment) -> dict[str, Any]:
    taken = {source.slug for source in environment.workspace.sources.values()}
    slug = next(slug for slug in _numbered("copy-of-" + SOURCE_NAME) if slug not in taken)
    actor = _saboteur(environment)
    copy = world.create_source(environment, slug, catalog.JAVA, True, {}, True, actor)
    world.update_source(environment, copy, actor, name=SOURCE_NAME)
    return {"source_id": copy.id}


def _disconnect_from_space(world: World, environment: Environment, source: str | None = None) -> dict[str, Any]:
    target = world.twilio_source(environment, source)
    world.unlink(environment.space, target.id)
    return {"source_id": target.id}


def _wrong_key_in_flex(world: World, environment: Environment) -> dict[str, Any]:
    key = world._new_id(environment, "wrong-key", 32)
    world.paste_key(environment, key)
    return {"write_key_fingerprint": fingerprint(key)}


def _revoke_token(world: World, environment: Environment, which: str = "segment") -> dict[str, Any]:
    levels = {"segment": OWNER, "segment_source_admin": SOURCE_ADMIN, "segment_read_only": READ_ONLY}
    if which in levels:
        tokens = environment.workspace.tokens
        for token in [token for token, level in tokens.items() if level == levels[which]]:
            del tokens[token]
            world._api_tokens.pop((environment.region, token), None)
    elif which == "profile":
        for token in environment.space.tokens:
            world._profile_tokens.pop((environment.region, token), None)
        environment.space.tokens.clear()
    elif which == "twilio":
        environment.account.revoked.extend([environment.account.api_secret, environment.account.auth_token])
    elif which == "gateway":
        environment.gateway_token = ""
    else:
        raise Refused("invalid", f"which is one of {', '.join([*levels, 'profile', 'twilio', 'gateway'])}", "which")
    return {"which": which}


def _legacy_source(world: World, environment: Environment) -> dict[str, Any]:
    legacy = world.create_source(environment, LEGACY_NAME, catalog.JAVA, True, {}, True, _saboteur(environment))
    return {"source_id": legacy.id}


def _break_connection(world: World, environment: Environment) -> dict[str, Any]:
    """Twilio forgets the connection: from now on every engagement raises alert 49008."""
    environment.account.connection = None
    return {}


def _no_flex(world: World, environment: Environment) -> dict[str, Any]:
    environment.account.flex_status = "notstarted"
    return {}


def _old_flex_ui(world: World, environment: Environment, version: str = "2.5.1") -> dict[str, Any]:
    environment.account.ui_version = str(version)
    return {"version": str(version)}


SABOTAGE: dict[str, Callable[..., dict[str, Any]]] = {
    "delete-source": _delete_source,
    "rename-source": _rename_source,
    "disable-source": _disable_source,
    "swap-type": _swap_type,
    "remove-key": _remove_key,
    "add-key": _add_key,
    "duplicate-name": _duplicate_name,
    "disconnect-from-space": _disconnect_from_space,
    "wrong-key-in-flex": _wrong_key_in_flex,
    "revoke-token": _revoke_token,
    "legacy-source": _legacy_source,
    "break-connection": _break_connection,
    "no-flex": _no_flex,
    "old-flex-ui": _old_flex_ui,
}
