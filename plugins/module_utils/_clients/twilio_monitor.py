# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Twilio Monitor API: the alerts of the Unified Profiles connector."""

from __future__ import annotations

import datetime
import itertools
import urllib.parse

from .._base.times import format_time
from .._http.response import Response, pages
from .._http.service import Service

CONNECTOR_ALERTS = {"49008": "connector not found", "49009": "stored credentials malformed"}
MAX_ALERTS = 10_000
# A little less than the 30 days that may be asked for, since the clocks differ.
# Alerts older than 30 days cannot be asked for. A day less, so that no clock makes the difference.
OLDEST = datetime.timedelta(days=29)


class MonitorApi:
    """Alerts of one account (OpenAPI document twilio_monitor_v1)."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def connector_alerts(self, since: datetime.datetime, now: datetime.datetime) -> list[dict[str, str]]:
        """Alerts 49008 and 49009 since a moment, as ``{code, at, meaning}``, in no order (operation ListAlert).

        At most the 10,000 alerts that the API returns for one listing are looked through. No document says their order,
        so a page is no reason to stop.
        """
        start = format_time(max(since, now - OLDEST))
        first = {"LogLevel": "error", "StartDate": start, "PageSize": "1000"}

        def fetch(next_page: str | None) -> Response:
            # Only the query of the next page's URL is used: the credentials stay with the server they are meant for.
            query = dict(urllib.parse.parse_qsl(next_page.partition("?")[2])) if next_page else first
            return self.service.get("/v1/Alerts", query=query)

        alerts = itertools.islice(
            pages(fetch, self.service.transport.clock.monotonic, "alerts", "meta.next_page_url"), MAX_ALERTS
        )
        return [
            {"code": code, "at": str(alert.get("date_generated")), "meaning": CONNECTOR_ALERTS[code]}
            for alert, _answer in alerts
            if isinstance(alert, dict) and (code := str(alert.get("error_code"))) in CONNECTOR_ALERTS
        ]
