# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run of a module: its parameters, and the clients that they describe."""

from __future__ import annotations

import os
import re
import typing as t
from collections.abc import Mapping

from .._base.errors import OptionError
from .._base.secret import Secret, shape
from .._clients.segment_profile import ProfileApi
from .._clients.segment_public import PublicApi
from .._clients.segment_tracking import TrackingApi
from .._clients.twilio_connector import ConnectorApi
from .._clients.twilio_flex import FlexApi
from .._clients.twilio_monitor import MonitorApi
from .._clients.twilio_sync import SyncApi
from .._http.service import Service, basic, bearer
from .._http.transport import HttpSettings, Transport
from .options import CONNECTION_OPTIONS, HTTP_OPTIONS, PROFILE_TOKEN
from .state import Reconciled, Resource, reconcile

SECRETS = ("segment_token", "profile_token", "twilio_api_secret", "twilio_auth_token")
SEGMENT_API_HOSTS = {"us": "https://api.segmentapis.com", "eu": "https://eu1.api.segmentapis.com"}
PROFILE_API_HOSTS = {"us": "https://profiles.segment.com", "eu": "https://profiles.euw1.segment.com"}
TRACKING_API_HOSTS = {"us": "https://api.segment.io", "eu": "https://events.eu1.segmentapis.com"}
SANDBOX_PATHS = {
    "segment_api_url": "/segment/{region}",
    "profile_api_url": "/profiles/{region}",
    "tracking_api_url": "/tracking/{region}",
    "flex_url": "/twilio/flex",
    "monitor_url": "/twilio/monitor",
    "preview_url": "/twilio/preview",
    "sync_url": "/twilio/sync",
}
# How the SIDs that are options begin, and what they stand for: https://www.twilio.com/docs/glossary/what-is-a-sid
SIDS = {"twilio_account_sid": ("AC", "an account"), "twilio_api_key": ("SK", "an API key")}
SID = re.compile(r"([A-Z]{2})[0-9a-f]{32}$")


class ModuleContext:
    """One run of a module: its parameters, and the clients they describe, made on first use."""

    def __init__(self, params: Mapping[str, t.Any], check_mode: bool, transport: Transport | None = None) -> None:
        self.params = params
        self.check_mode = check_mode
        settings = HttpSettings(**{name: params[name] for name in HTTP_OPTIONS})
        self.transport = transport or Transport(settings, read_only=check_mode)
        self.transport.hidden.add(*(params.get(option) or "" for option in SECRETS))
        self.warnings: list[str] = []

    def __getitem__(self, option: str) -> t.Any:
        return self.params[option]

    def reconcile(self, resource: Resource) -> Reconciled:
        return reconcile(resource, self.check_mode)

    def required(self, option: str) -> str:
        """A token, secret or SID that must be there. What is empty does not fall back: another environment's credential could be used.

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
                option,
                "has white space, line breaks or characters outside ASCII, which no such value has.",
                "Copy it again, without a line break at its end.",
            )
        return t.cast(str, value)

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
            raise OptionError(option, problem, "Copy it from the Twilio console.")
        return value

    def service(
        self,
        name: str,
        url_option: str,
        default: str,
        authorization: str,
        credentials: str,
        *secrets: str,
        region: str = "",
    ) -> Service:
        """An API in the sandbox if there is one, or else at the URL in ``url_option`` or at the default."""
        url = self[url_option] or default
        # A rehearsal reaches nothing else, even where the environment has variables for the other URLs.
        if self["sandbox_url"]:
            url, url_option = self["sandbox_url"].rstrip("/") + SANDBOX_PATHS[url_option], "sandbox_url"
        url = url.replace("{region}", region or self["segment_region"])
        return Service(self.transport, name, url, authorization, credentials, url_option, secrets)

    def public_api(self, region: str | None = None) -> PublicApi:
        token, region = Secret(self.required("segment_token")), region or self["segment_region"]
        default, credentials = SEGMENT_API_HOSTS[region], "segment_token"
        return PublicApi(
            self.service(
                "Segment Public API", "segment_api_url", default, bearer(token), credentials, token, region=region
            )
        )

    def profile_api(self) -> ProfileApi:
        token, default = Secret(self.required("profile_token")), PROFILE_API_HOSTS[self["segment_region"]]
        return ProfileApi(
            self.service("Segment Profile API", "profile_api_url", default, basic(token, ""), "profile_token", token)
        )

    def tracking_api(self, write_key: Secret) -> TrackingApi:
        default, shown = TRACKING_API_HOSTS[self["segment_region"]], "the source's write key"
        authorization = basic(write_key, "")
        return TrackingApi(
            self.service("Segment Tracking API", "tracking_api_url", default, authorization, shown, write_key)
        )

    def flex(self) -> FlexApi:
        return FlexApi(self._twilio("Twilio Flex API", "flex-api", "flex_url"))

    def monitor(self) -> MonitorApi:
        return MonitorApi(self._twilio("Twilio Monitor API", "monitor", "monitor_url"))

    def connector(self) -> ConnectorApi:
        return ConnectorApi(self._twilio("Twilio (an undocumented read)", "preview", "preview_url"))

    def sync(self) -> SyncApi:
        return SyncApi(self._twilio("Twilio Sync API", "sync", "sync_url"))

    def _twilio(self, name: str, product: str, url_option: str) -> Service:
        if self["twilio_api_key"] or self["twilio_api_secret"]:
            option, user = "twilio_api_secret", self.sid("twilio_api_key")
        else:
            option, user = "twilio_auth_token", self.sid("twilio_account_sid")
        password = Secret(self.required(option))
        where = [part for part in (self["twilio_edge"], self["twilio_region"]) if part]
        default = f"https://{'.'.join([product, *where])}.twilio.com"
        return self.service(name, url_option, default, basic(user, password), option, password)
