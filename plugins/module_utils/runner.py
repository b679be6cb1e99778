# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parameters in, result or failure out: the one place where exceptions become results.

A module is a :class:`Spec` and a function that takes a :class:`Call`. The same two run as an ordinary module
(:func:`run_module`) and inside the Ansible process (``plugin_utils/in_process.py``).
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ansible.module_utils.basic import AnsibleModule, env_fallback

from .errors import Failure, OptionError
from .resource import Outcome, Resource, reconcile
from .secret import Secret
from .segment.profile_api import ProfileApi
from .segment.public_api import PublicApi
from .segment.tracking_api import TrackingApi
from .service import Service, basic, bearer
from .transport import HttpSettings, Transport
from .twilio.connector import ConnectorApi
from .twilio.flex import FlexApi
from .twilio.monitor import MonitorApi
from .twilio.sync import SyncApi


def _option(type_: str, *environment: str, **kwargs: t.Any) -> dict[str, t.Any]:
    option: dict[str, t.Any] = {"type": type_, **kwargs}
    if environment:
        option["fallback"] = (env_fallback, list(environment))
    return option


HTTP_OPTIONS: dict[str, t.Any] = {
    "validate_certs": _option("bool", default=True),
    "ca_path": _option("path", "SSL_CERT_FILE"),
    "proxy": _option("str", no_log=True),
    "timeout": _option("float", default=30.0),
    "retry_budget": _option("float", default=60.0),
}
CONNECTION_OPTIONS: dict[str, t.Any] = {
    **HTTP_OPTIONS,
    "segment_token": _option("str", "SEGMENT_TOKEN", no_log=True),
    "segment_region": _option("str", "SEGMENT_REGION", default="us", choices=["us", "eu"]),
    "sandbox_url": _option("str"),
    "segment_api_url": _option("str", "SEGMENT_API_URL"),
    "profile_api_url": _option("str", "SEGMENT_PROFILE_API_URL"),
    "tracking_api_url": _option("str", "SEGMENT_TRACKING_API_URL"),
    "twilio_account_sid": _option("str", "TWILIO_ACCOUNT_SID"),
    "twilio_api_key": _option("str", "TWILIO_API_KEY", no_log=False),
    "twilio_api_secret": _option("str", "TWILIO_API_SECRET", no_log=True),
    "twilio_auth_token": _option("str", "TWILIO_AUTH_TOKEN", no_log=True),
    "twilio_region": _option("str", "TWILIO_REGION"),
    "twilio_edge": _option("str", "TWILIO_EDGE"),
    "flex_url": _option("str", "TWILIO_FLEX_URL"),
    "monitor_url": _option("str", "TWILIO_MONITOR_URL"),
    "preview_url": _option("str", "TWILIO_PREVIEW_URL"),
    "sync_url": _option("str", "TWILIO_SYNC_URL"),
}
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


@dataclass(frozen=True)
class Spec:
    """What a module accepts.

    Attributes:
        options: Its own options; the connection options are added.
        constraints: AnsibleModule's keywords, such as ``required_if``.
    """

    options: Mapping[str, t.Any]
    constraints: Mapping[str, t.Any] = field(default_factory=dict)

    @property
    def argument_spec(self) -> dict[str, t.Any]:
        return {**CONNECTION_OPTIONS, **self.options}


class Call:
    """One run of a module: its parameters, and the clients they describe, made on first use."""

    def __init__(self, params: Mapping[str, t.Any], check_mode: bool, transport: Transport | None = None) -> None:
        self.params = params
        self.check_mode = check_mode
        settings = HttpSettings(**{name: params[name] for name in HTTP_OPTIONS})
        self.transport = transport or Transport(settings, read_only=check_mode)
        self.warnings: list[str] = []

    def __getitem__(self, option: str) -> t.Any:
        return self.params[option]

    def reconcile(self, resource: Resource) -> Outcome:
        return reconcile(resource, self.check_mode)

    def required(self, option: str) -> str:
        """A text option that must have a usable value.

        Raises:
            OptionError: It is absent, empty, or has characters that cannot be part of it.
        """
        value = self.params.get(option)
        if not value or not value.strip():
            names = CONNECTION_OPTIONS.get(option, {}).get("fallback", (None, []))[1]
            also = f" or the environment variable {names[0]}" if names else ""
            raise OptionError(option, "is missing or empty.", f"Set it{also}.")
        if re.search(r"[^\x21-\x7e]", value):
            raise OptionError(
                option,
                "has white space, line breaks or characters outside ASCII, which no such value has.",
                "Copy it again, without a line break at its end.",
            )
        return t.cast(str, value)

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
            option, user = "twilio_api_secret", self.required("twilio_api_key")
        else:
            option, user = "twilio_auth_token", self.required("twilio_account_sid")
        password = Secret(self.required(option))
        where = [part for part in (self["twilio_edge"], self["twilio_region"]) if part]
        default = f"https://{'.'.join([product, *where])}.twilio.com"
        return self.service(name, url_option, default, basic(user, password), option, password)


def execute(
    body: Callable[[Call], dict[str, t.Any]], params: Mapping[str, t.Any], check_mode: bool
) -> dict[str, t.Any]:
    """Run a module's body. Always gives a result; never raises."""
    call: Call | None = None
    try:
        call = Call(params, check_mode)
        result = {"changed": False, **body(call)}
        if call.warnings:
            result["warnings"] = call.warnings
    except Failure as failure:
        result = failure.as_result()
    except Exception as error:  # a defect of this collection: say where, and nothing that could be a value
        trace = error.__traceback__
        while trace and trace.tb_next:
            trace = trace.tb_next
        where = f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}" if trace else "?"
        result = {
            "failed": True,
            "msg": f"A defect in flexops.unified_profiles: {type(error).__name__} at {where}. Please report it.",
            "failure": {"kind": "defect", "type": type(error).__name__, "where": where},
        }
    finally:
        if call is not None:
            call.transport.close()
    return t.cast("dict[str, t.Any]", neutral(result))


def outcome_result(outcome: Outcome, **more: t.Any) -> dict[str, t.Any]:
    """The part of a result that every managed resource has."""
    return {"changed": outcome.plan.changed, "diff": outcome.plan.diff, **more}


# Controls, spaces that are not the space, what has no width, what turns the direction, and halves of characters.
UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u2000-\u200f\u2028-\u202f"
    r"\u205f-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff]"
)


def neutral(value: t.Any) -> t.Any:
    """The value with control and invisible characters in its texts made visible.

    A name must not steer a terminal, and two names that differ must not look the same for what nobody sees.
    """
    if isinstance(value, Secret):
        return repr(value)
    if isinstance(value, str):
        return UNSEEN.sub(_visible, value)
    if isinstance(value, Mapping):
        return {neutral(k): neutral(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [neutral(v) for v in value]
    return value


def _visible(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode()


def run_module(spec: Spec, body: Callable[[Call], dict[str, t.Any]]) -> None:
    """Run as an ordinary module: on a remote host, or with ``async``."""
    module = AnsibleModule(argument_spec=spec.argument_spec, supports_check_mode=True, **spec.constraints)
    result = execute(body, module.params, module.check_mode)
    if result.pop("failed", False):
        module.fail_json(**result)
    module.exit_json(**result)
