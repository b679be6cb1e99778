# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The options that modules share, each said once."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import env_fallback

from .._clients.source import DEFAULT_NAME


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
    "settings": _option("bool", default=False),
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
    "accounts_url": _option("str", "TWILIO_ACCOUNTS_URL"),
    "preview_url": _option("str", "TWILIO_PREVIEW_URL"),
    "sync_url": _option("str", "TWILIO_SYNC_URL"),
}
# Options of several modules; documented in doc_fragments/_space.py and _source.py.
SPACE: dict[str, t.Any] = {"space_id": _option("str", required=True)}
PROFILE_TOKEN: dict[str, t.Any] = {"profile_token": _option("str", "SEGMENT_PROFILE_TOKEN", no_log=True)}
SOURCE_NAME: dict[str, t.Any] = {"source_name": _option("str", default=DEFAULT_NAME)}
SOURCE_ID: dict[str, t.Any] = {"source_id": _option("str")}
IGNORE_LEGACY: dict[str, t.Any] = {"ignore_legacy": _option("bool", default=False)}
