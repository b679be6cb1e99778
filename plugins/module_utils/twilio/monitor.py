# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Twilio Monitor API: the alerts of the Unified Profiles connector."""

from __future__ import annotations

import datetime
import typing as t

from ..transport import Service

CONNECTOR_ALERTS = {"49008": "connector not found", "49009": "stored credentials malformed"}


class MonitorApi:
    """Alerts of one account (OpenAPI document twilio_monitor_v1)."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def connector_alerts(self, since: datetime.datetime) -> list[dict[str, t.Any]]:
        """Alerts 49008 and 49009 since a moment, as ``{code, at, meaning}`` (operation ListAlert).

        One page of the newest: presence is what matters, absence means nothing.
        """
        start = since.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        answer = self.service.get("/v1/Alerts", query={"LogLevel": "error", "StartDate": start, "PageSize": "100"})
        return [
            {"code": a["error_code"], "at": str(a.get("date_generated")), "meaning": CONNECTOR_ALERTS[a["error_code"]]}
            for a in answer.get("alerts", list)
            if isinstance(a, dict) and isinstance(a.get("error_code"), str) and a["error_code"] in CONNECTOR_ALERTS
        ]
