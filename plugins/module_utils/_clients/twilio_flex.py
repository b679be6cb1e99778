# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Twilio Flex API, read only: updating a configuration replaces whole objects, and nothing here needs it."""

from __future__ import annotations

import typing as t

from .._http.service import Service


class FlexApi:
    """Flex of one account (OpenAPI document twilio_flex_v1)."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def configuration(self) -> dict[str, t.Any]:
        """``{account_sid, status, ui_version}`` (operation FetchConfiguration)."""
        answer = self.service.get("/v1/Configuration")
        return {name: answer.get(name, str, "") for name in ("account_sid", "status", "ui_version")}

    def provision_status(self) -> str:
        """``active``, ``in-progress``, ``not-configured`` or ``failed`` (operation FetchProvisioningStatus)."""
        return t.cast(str, self.service.get("/v1/account/provision/status").get("status", str, ""))
