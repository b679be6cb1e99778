# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalog of source types. The ids of Java, Javascript, HTTP API and iOS are Segment's; the others are made up."""

from __future__ import annotations

import hashlib
import typing as t

JAVA, JAVASCRIPT, HTTP_API = "V6ynUvQgbc", "IqDTy1TpoU", "iUM16Md8P2"
KNOWN = {JAVA: "Java", JAVASCRIPT: "Javascript", HTTP_API: "HTTP API", "UBrsG9RVzw": "iOS"}
TYPES = {
    "Website": ("Javascript", "Shopify by Littledata", "WordPress", "Clojure Script"),
    "Server": (
        *("Java", "HTTP API", "Node.js", "Python", "Go", "Ruby", "PHP", ".NET", "Clojure", "Rust"),
        *("Pixel Tracking API", "Project", "Scala"),
    ),
    "Mobile": ("iOS", "Android", "Kotlin", "Swift", "React Native", "Flutter", "Unity", "Xamarin", "Roku"),
    "Email": ("Mailchimp", "Braze", "Customer.io", "Iterable", "SendGrid", "Klaviyo"),
    "Helpdesk": ("Zendesk", "Intercom", "Front"),
    "CRM": ("Salesforce", "HubSpot", "Twilio"),
    "Payments": ("Stripe",),
}


LOGOS = {"default": "https://example.com/logo.svg", "mark": None, "alt": None}
# The one type of destination.
WEBHOOK: dict[str, t.Any] = {
    "id": "614a3c7d791c91c41bae7599",
    "name": "Webhooks (Actions)",
    "slug": "actions-webhook",
    "description": "Webhooks",
    "website": "https://example.com",
    "logos": LOGOS,
    "status": "PUBLIC",
    "partnerOwned": False,
    "supportedRegions": ["us-west-2"],
    "regionEndpoints": ["US"],
    "supportedFeatures": {
        "cloudModeInstances": "0",
        "deviceModeInstances": "0",
        "replay": False,
        "browserUnbundling": False,
        "browserUnbundlingPublic": False,
    },
    "supportedMethods": dict.fromkeys(("track", "pageview", "identify", "group", "alias"), True),
    "supportedPlatforms": dict.fromkeys(("browser", "mobile", "server"), True),
    **{name: [] for name in ("options", "previousNames", "categories", "components", "actions", "presets", "contacts")},
}


def _id(name: str) -> str:
    known = {shown: id_ for id_, shown in KNOWN.items()}
    return known.get(name) or hashlib.sha256(name.encode()).hexdigest()[:10]


# id: name, slug, category
CATALOG: dict[str, tuple[str, str, str]] = {
    _id(name): (name, name.lower().replace(" ", "-").replace(".", "-").strip("-"), category)
    for category, names in TYPES.items()
    for name in sorted(names, key=lambda n: _id(n) not in KNOWN)
}


def metadata(id_: str) -> dict[str, t.Any]:
    """A source type as the API shows it. ``status`` is newer than release 36.2.0 of the OpenAPI document."""
    name, slug, category = CATALOG[id_]
    return {
        "id": id_,
        "name": name,
        "slug": slug,
        "description": f"{name} source",
        "logos": LOGOS,
        "options": [],
        "categories": [category],
        "isCloudEventSource": category in ("Email", "Helpdesk", "CRM", "Payments"),
        "status": "PUBLIC",
        "partnerOwned": False,
    }
