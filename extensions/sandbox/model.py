# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of an environment, and how its ids, tokens and keys are generated."""

from __future__ import annotations

import datetime
import hashlib
import typing as t
from dataclasses import dataclass, field

SOURCE_NAME = "twilio-unified-profiles"
LEGACY_NAME = "flex-unify-server-source"


class ApiProblem(Exception):
    """An answer other than success: an HTTP status, a code, a message, the field that it is about, how often it is reported."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None, times: int = 1) -> None:
        super().__init__(message)
        self.times = times
        self.status, self.code, self.message, self.field = status, code, message, field


def fingerprint(secret: str) -> str:
    """The first 12 digits of a secret's SHA-256: enough to compare, and no secret."""
    return hashlib.sha256(secret.encode()).hexdigest()[:12]


def deterministic_id(length: int, *seed: object) -> str:
    """Letters and digits that follow from the seed alone, so that every start gives the same ids and tokens."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    text = ":".join(map(str, seed))
    data = b"".join(hashlib.sha256(f"{text}/{n}".encode()).digest() for n in range(length // 32 + 1))
    return "".join(alphabet[byte % 62] for byte in data[:length])


def deterministic_hex(*seed: object) -> str:
    """32 hexadecimal digits that follow from the seed alone."""
    return hashlib.sha256(":".join(map(str, seed)).encode()).hexdigest()[:32]


def iso(at: datetime.datetime) -> str:
    """A time as Segment writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


@dataclass
class Source:
    """A source of a Segment workspace."""

    id: str
    slug: str
    name: str
    metadata: str
    enabled: bool
    keys: list[str]
    labels: list[dict[str, str]] = field(default_factory=list)
    settings: dict[str, t.Any] = field(default_factory=dict)
    schema: dict[str, t.Any] = field(default_factory=dict)
    # Since when it is enabled and nothing keeps it; noted when the clock moves.
    idle_since: datetime.datetime | None = field(default=None, compare=False)


@dataclass
class Environment:
    """A Segment workspace with a space, paired with a Twilio account.

    Attributes:
        received: What its sources took in: ``{at, type, event, source, count, message_id, user_id, traits, ...}``.
        in_space: When the space last saw an event, by the event's name.
        profiles: The space's profiles, by id; ``identities`` finds them by ``type:value``.
        seen: Message ids taken in, as ``source:id``.
        linked: Ids of the sources that are connected to the space, in the order of connecting.
        connection: What the form Connect stored in Twilio: the connector.
        form_source: The source that the form made.
        warehouses: ``{name, sources}`` by id; ``tracking_plans`` likewise. A warehouse may have ``syncs``: by source and collection, whether
            each property is synced. Without a name, it is the collection as a whole.
        users, groups: Who has which rights in the workspace, as the Public API shows them.
        functions: ``{name, type, instances}`` by id; the instances of an insert function are ids of destinations.
        destinations: ``{name, enabled, source}`` by id; one may have ``settings``.
        spaces: Every space of the workspace; ``space`` is the one that belongs to the Twilio account, also after it is gone.
        tasks: TaskRouter's events: ``{type, at}``.
        services: Sync services by SID, each with its ``documents`` by SID.
        revoked: Names of tokens that were revoked: attributes, or ``twilio`` for all of the account.
        flex_status, flex_ui_version: What Flex says of itself; no Flex at all is ``notstarted``.
    """

    name: str
    region: str
    sources: dict[str, Source] = field(default_factory=dict)
    labels: list[dict[str, str]] = field(default_factory=list)
    audit: list[dict[str, t.Any]] = field(default_factory=list)
    received: list[dict[str, t.Any]] = field(default_factory=list)
    in_space: dict[str, str] = field(default_factory=dict)
    profiles: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    identities: dict[str, str] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    linked: list[str] = field(default_factory=list)
    connection: dict[str, t.Any] = field(default_factory=dict)
    flex_key: str | None = None
    flex_key_set_at: str | None = None
    flex_status: str = "ok"
    flex_ui_version: str = "2.17.0"
    form_source: str | None = None
    alerts: list[dict[str, t.Any]] = field(default_factory=list)
    services: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    warehouses: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    tracking_plans: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    destinations: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    users: list[dict[str, t.Any]] = field(default_factory=list)
    groups: list[dict[str, t.Any]] = field(default_factory=list)
    functions: dict[str, dict[str, t.Any]] = field(default_factory=dict)
    spaces: list[dict[str, str]] = field(default_factory=list)
    tasks: list[dict[str, t.Any]] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)
    serial: int = 0

    def __post_init__(self) -> None:
        n = self.name
        self.workspace = {
            "id": deterministic_id(22, n, "workspace"),
            "name": f"{n} workspace",
            "slug": f"{n}-workspace",
        }
        self.space = {"id": "spa_" + deterministic_id(22, n, "space"), "name": f"{n} space", "slug": f"{n}-space"}
        self.spaces = [self.space]
        self.segment_token = "sgp_" + deterministic_id(64, n, "owner")
        self.admin_token = "sgp_" + deterministic_id(64, n, "source-admin")
        self.read_only_token = "sgp_" + deterministic_id(64, n, "read-only")
        self.profile_token = deterministic_id(40, n, "profile")
        self.account_name = f"{n} account"
        self.account_sid = "AC" + deterministic_hex(n, "account")
        self.api_key = "SK" + deterministic_hex(n, "api-key")
        self.api_secret = deterministic_id(32, n, "api-secret")
        self.auth_token = deterministic_hex(n, "auth-token")
        self.gateway_token = deterministic_id(32, n, "gateway")
        self.labels = [{"key": "environment", "value": n}, {"key": "managed-by", "value": "ansible"}]
        self.warehouses = {deterministic_id(22, n, "warehouse"): {"name": f"{n} warehouse", "sources": []}}
        self.tracking_plans = {"tp_" + deterministic_id(27, n, "tracking-plan"): {"name": f"{n} plan", "sources": []}}
        owner = {"roleId": deterministic_id(22, "owner"), "roleName": "Workspace Owner"}
        whole = [{"id": self.workspace["id"], "type": "WORKSPACE"}]
        user = {"id": deterministic_id(22, n, "user"), "name": "Olga Owner", "email": f"owner@{n}.example.com"}
        self.users = [{**user, "permissions": [{**owner, "resources": whole}]}]
        default = "IS" + deterministic_hex(n, "sync")
        self.services = {default: {"friendly_name": "Default Service", "made_at": None, "documents": {}}}

    @property
    def default_service(self) -> str:
        """The Sync service that every account has."""
        return next(iter(self.services))
