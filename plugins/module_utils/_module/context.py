# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""One run of a module: its parameters, and the clients that they describe."""

from __future__ import annotations

import copy
import datetime
import os
import re
import typing as t
from collections.abc import Callable, Mapping

from .._base.errors import OptionError
from .._base.secret import LONG, Secret, fingerprint, shape
from .._clients.segment_attachments import AttachmentsApi
from .._clients.segment_profile import ProfileApi
from .._clients.segment_public import PublicApi
from .._clients.segment_tracking import TrackingApi
from .._clients.services import (
    SEGMENT_PROFILE,
    SEGMENT_PUBLIC,
    SEGMENT_TRACKING,
    TWILIO_ACCOUNTS,
    TWILIO_CONNECTOR,
    TWILIO_FLEX,
    TWILIO_MONITOR,
    TWILIO_SYNC,
    ApiInfo,
)
from .._clients.twilio_accounts import AccountsApi
from .._clients.twilio_connector import ConnectorApi
from .._clients.twilio_flex import FlexApi
from .._clients.twilio_monitor import MonitorApi
from .._clients.twilio_sync import SyncApi
from .._http.auth import Auth, Basic, BasicToken, Bearer
from .._http.connections import HttpSettings
from .._http.service import Service
from .._http.transport import Transport
from .._http.urls import check_url
from .options import CONNECTION_OPTIONS, HTTP_OPTIONS, PROFILE_TOKEN
from .state import Reconciled, Resource, reconcile
from .values import errors_in_shown

SECRETS = ("segment_token", "profile_token", "twilio_api_secret", "twilio_auth_token")
# How the SIDs that are options begin, and what they stand for: https://www.twilio.com/docs/glossary/what-is-a-sid
SIDS = {"twilio_account_sid": ("AC", "an account"), "twilio_api_key": ("SK", "an API key")}
SID = re.compile(r"([A-Z]{2})[0-9a-f]{32}$")


def http_settings(params: Mapping[str, t.Any]) -> HttpSettings:
    """Return how to reach servers, from a module's options.

    Raises:
        OptionError: A time that cannot be kept.
    """
    return HttpSettings(**{name: params[name] for name in HTTP_OPTIONS})


class ModuleContext:
    """One run of a module: its parameters, and the clients they describe, made on first use.

    Args:
        params: The module's options.
        check_mode: Whether nothing may be changed.
        transport: The connections, if they are not to be its own.
        workers: How many of its reads may be under way at the same time.

    Raises:
        OptionError: A value that messages would quote is none that may be seen.
    """

    def __init__(
        self, params: Mapping[str, t.Any], check_mode: bool, transport: Transport | None = None, workers: int = 8
    ) -> None:
        for error in errors_in_shown(params):
            raise error
        if params.get("sandbox_url"):
            check_url("sandbox_url", params["sandbox_url"])
        self.params = params
        self.check_mode = check_mode
        self.transport = transport or Transport(http_settings(params), read_only=check_mode)
        self.transport.hidden.add(*(Secret(params.get(option) or "") for option in SECRETS))
        self.warnings: list[str] = []
        self.workers = workers
        # Shows a line to a person while a task takes long.
        self.tell: Callable[[str], None] = lambda line: None

    def __getitem__(self, option: str) -> t.Any:
        return self.params[option]

    def derived(self, **options: t.Any) -> ModuleContext:
        """The same run with other options."""
        twin = copy.copy(self)
        twin.params = {**self.params, **options}
        return twin

    def aside(self) -> ModuleContext:
        """The same run for reads that may fail, and whose waits are not to use up the others' budget."""
        twin = copy.copy(self)
        twin.transport = self.transport.with_separate_budget()
        return twin

    def in_passing(self) -> ModuleContext:
        """The same run for reads that nothing depends on: each is tried once, for a few seconds."""
        twin = copy.copy(self)
        twin.transport = self.transport.in_passing()
        return twin

    def reconcile(self, resource: Resource) -> Reconciled:
        return reconcile(resource, self.check_mode)

    def segment_now(self) -> datetime.datetime:
        """The time by Segment's clock, as far as ``clock_skew`` tells: what is recorded is compared with Segment's own times."""
        return self.transport.clock.now() + datetime.timedelta(seconds=self.params.get("clock_skew") or 0.0)

    def required(self, option: str) -> str:
        """A value that must be there. What is empty does not fall back: another environment's credential could be used.

        Raises:
            OptionError: It is absent, empty, or has characters that cannot be part of it.
        """
        value = self.params.get(option)
        if not value or not value.strip():
            declared = {**CONNECTION_OPTIONS, **PROFILE_TOKEN}[option]
            variable = declared["fallback"][1][0]
            if value is not None and os.environ.get(variable):
                problem = f"is empty, and an empty value wins over the environment variable {variable}."
                raise OptionError(option, problem, "Give it a value, or leave it out.")
            raise OptionError(option, "is missing or empty.", f"Set it or the environment variable {variable}.")
        if re.search(r"[^\x21-\x7e]", value):
            raise OptionError(
                self._source(option),
                "has white space, line breaks or characters outside ASCII, which no such value has.",
                "Copy it again, without a line break at its end.",
            )
        return t.cast(str, value)

    @property
    def credentials(self) -> dict[str, str]:
        """The fingerprints of the tokens and secrets in use, by option. One that is missing, or too short for it, is left out."""
        used = ("segment_token", "profile_token", self._secret_for_twilio)
        return {option: fingerprint(self[option]) for option in used if len(self[option] or "") >= LONG}

    @property
    def _secret_for_twilio(self) -> str:
        """The option with the secret that Twilio gets: that of an API key counts first."""
        key = (self["twilio_api_key"], self["twilio_api_secret"])
        if any(key):
            return "twilio_api_secret"
        # What is empty wins over the environment, whichever credential that has.
        own_token = self["twilio_auth_token"] and self._source("twilio_auth_token") == "twilio_auth_token"
        return "twilio_auth_token" if own_token or key == (None, None) else "twilio_api_secret"

    def secret(self, option: str) -> Secret:
        """A token or password, as :meth:`required` takes it."""
        return Secret(self.required(option))

    def sid(self, option: str) -> str:
        """The SID in an option, checked before it is sent or shown: a secret in its place must not be.

        Raises:
            OptionError: It is absent, or no SID of its kind.
        """
        value, (prefix, kind) = self.required(option), SIDS[option]
        if not re.fullmatch(prefix + "[0-9a-fA-F]{32}", value):
            other = SID.match(value)
            given = f"a SID that begins with {other[1]}" if other else shape(value)
            problem = f"must be the SID of {kind}, {prefix} and 32 hexadecimal digits, and is {given}."
            raise OptionError(self._source(option), problem, "Copy it from the Twilio console.")
        return value

    def _source(self, option: str) -> str:
        """Return who gives the value: the option, or the environment variable that was read for it."""
        declared = {**CONNECTION_OPTIONS, **PROFILE_TOKEN}[option]
        variables = declared["fallback"][1] if "fallback" in declared else ()
        read = next((name for name in variables if os.environ.get(name) == self.params[option]), "")
        return f"{option} (from the environment variable {read})" if read else option

    def service(self, api: ApiInfo, auth: Auth, *, credential: str = "", region: str = "") -> Service:
        """An API in the sandbox if there is one, or else at the URL that its option gives, or where the vendor has it.

        Args:
            api: A row of the table of services.
            auth: Who asks.
            credential: What 401 and 403 are about, where the table does not say it.
            region: Another one than the option's.
        """
        region = region or self["segment_region"]
        # A rehearsal reaches nothing else, even where the environment has variables for the other URLs.
        if self["sandbox_url"]:
            url, option = self["sandbox_url"].rstrip("/") + api.sandbox_path, "sandbox_url"
        else:
            url, option = self[api.url_option] or self._vendors_url(api, region), self._source(api.url_option)
        return Service(
            self.transport,
            api.name,
            url.replace("{region}", region),
            auth=auth,
            credentials=credential or api.credential,
            url_option=option,
        )

    def public_api(self, region: str = "") -> PublicApi:
        return PublicApi(self._segment_public(region))

    def attachments_api(self) -> AttachmentsApi:
        return AttachmentsApi(self._segment_public())

    def _segment_public(self, region: str = "") -> Service:
        return self.service(SEGMENT_PUBLIC, Bearer(self.secret("segment_token")), region=region)

    def profile_api(self) -> ProfileApi:
        return ProfileApi(self.service(SEGMENT_PROFILE, BasicToken(self.secret("profile_token"))))

    def tracking_api(self, write_key: Secret) -> TrackingApi:
        return TrackingApi(self.service(SEGMENT_TRACKING, BasicToken(write_key)))

    def flex(self) -> FlexApi:
        return FlexApi(self._twilio(TWILIO_FLEX))

    def monitor(self) -> MonitorApi:
        return MonitorApi(self._twilio(TWILIO_MONITOR))

    def accounts(self) -> AccountsApi:
        return AccountsApi(self._twilio(TWILIO_ACCOUNTS))

    def connector(self) -> ConnectorApi:
        return ConnectorApi(self._twilio(TWILIO_CONNECTOR))

    def sync(self) -> SyncApi:
        return SyncApi(self._twilio(TWILIO_SYNC))

    def _twilio(self, api: ApiInfo) -> Service:
        option = self._secret_for_twilio
        user = self.sid("twilio_api_key" if option == "twilio_api_secret" else "twilio_account_sid")
        return self.service(api, Basic(user, self.secret(option)), credential=option)

    def _vendors_url(self, api: ApiInfo, segment_region: str) -> str:
        where = {option: self[option] or "" for option in ("twilio_region", "twilio_edge") if api.product}
        for option, value in where.items():
            # It becomes a part of the name of the host that gets the credential.
            if not re.fullmatch("[A-Za-z0-9-]*", value):
                problem = f"must be letters, digits and hyphens, and is {shape(value)}."
                raise OptionError(self._source(option), problem, "Write it like ie1 or dublin.")
        return api.url(segment_region=segment_region, **where)
