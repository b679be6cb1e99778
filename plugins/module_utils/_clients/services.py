# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The services: what an operator calls each, and where it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ApiInfo:
    """One API.

    Attributes:
        name: As an operator calls it.
        url_option: The option that overrides where it is.
        sandbox_path: Where it is in a sandbox.
        credential: What 401 and 403 are about. Of Twilio's it depends on what is given.
        hosts: Segment's, by region.
        product: Twilio's, the beginning of a host's name.
    """

    name: str
    url_option: str
    sandbox_path: str
    credential: str = ""
    hosts: Mapping[str, str] = field(default_factory=dict)
    product: str = ""

    def url(self, *, segment_region: str, twilio_region: str = "", twilio_edge: str = "") -> str:
        """Return where the vendor has it."""
        if self.hosts:
            return f"https://{self.hosts[segment_region]}"
        # There is no name with an edge alone: https://www.twilio.com/docs/global-infrastructure/using-the-twilio-rest-api-in-a-non-us-region
        region = twilio_region or ("us1" if twilio_edge else "")
        return f"https://{'.'.join(filter(None, (self.product, twilio_edge, region)))}.twilio.com"


SEGMENT_PUBLIC = ApiInfo(
    "Segment Public API",
    "segment_api_url",
    "/segment/{region}",
    credential="segment_token",
    hosts={"us": "api.segmentapis.com", "eu": "eu1.api.segmentapis.com"},
)
SEGMENT_PROFILE = ApiInfo(
    "Segment Profile API",
    "profile_api_url",
    "/profiles/{region}",
    credential="profile_token",
    hosts={"us": "profiles.segment.com", "eu": "profiles.euw1.segment.com"},
)
SEGMENT_TRACKING = ApiInfo(
    "Segment Tracking API",
    "tracking_api_url",
    "/tracking/{region}",
    credential="the source's write key",
    hosts={"us": "api.segment.io", "eu": "events.eu1.segmentapis.com"},
)
TWILIO_FLEX = ApiInfo("Twilio Flex API", "flex_url", "/twilio/flex", product="flex-api")
TWILIO_MONITOR = ApiInfo("Twilio Monitor API", "monitor_url", "/twilio/monitor", product="monitor")
TWILIO_CONNECTOR = ApiInfo("Twilio (an undocumented read)", "preview_url", "/twilio/preview", product="preview")
TWILIO_ACCOUNTS = ApiInfo("Twilio Accounts API", "accounts_url", "/twilio/api", product="api")
TWILIO_SYNC = ApiInfo("Twilio Sync API", "sync_url", "/twilio/sync", product="sync")
