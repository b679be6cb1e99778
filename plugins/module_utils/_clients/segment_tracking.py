# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Segment Tracking API: how a source receives events."""

from __future__ import annotations

from .._http.service import Service


class TrackingApi:
    """The events of one source, the one whose write key it has (docs: Segment > Connections > HTTP API source)."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def identify(self, user_id: str, message_id: str, traits: dict[str, str]) -> None:
        """Send one identify. Success proves nothing: a wrong key or region is accepted as well.

        Raises:
            UnknownOutcome: It may have been received. ``message_id`` tells, once it can be read back.
            ApiError: It was refused.
        """
        library = {"name": "flexops.unified_profiles", "version": "1"}
        body = {"userId": user_id, "messageId": message_id, "traits": traits, "context": {"library": library}}
        self.service.request("POST", "/v1/identify", body=body)
