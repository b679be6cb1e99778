# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalog of source types. The ids of Java, Javascript and HTTP API are the real ones, all others are made up."""

from __future__ import annotations

from typing import Any

from .ids import base62_id

JAVA = "V6ynUvQgbc"
JAVASCRIPT = "IqDTy1TpoU"
HTTP_API = "iUM16Md8P2"

_KNOWN = {"java": JAVA, "javascript": JAVASCRIPT, "http-api": HTTP_API}

_TYPES = {
    "Website": ["Javascript", "Shopify", "WordPress", "Pixel"],
    "Server": [
        "Java", "HTTP API", "Python", "Go", "Node.js", "Ruby", "PHP", "Rust", "Clojure", "Kotlin", "C#", "Kafka",
    ],
    "Mobile": ["Android", "iOS", "Flutter", "React Native", "Swift", "Kotlin Android", "Unity", "Xamarin", "Roku"],
    "Cloud App": [
        "Salesforce", "Zendesk", "Stripe", "Intercom", "HubSpot", "Mailchimp", "SendGrid", "Twilio", "Marketo",
        "Facebook Ads", "Google Ads", "Iterable", "Braze", "Klaviyo", "Amplitude Cohorts", "Mixpanel Cohorts",
    ],
}  # fmt: skip


def _entry(name: str, category: str) -> dict[str, Any]:
    slug = name.lower().replace(" ", "-").replace(".", "-").replace("#", "-sharp")
    return {
        "id": _KNOWN.get(slug, base62_id(f"catalog/{slug}", 10)),
        "name": name,
        "slug": slug,
        "description": f"{name} sends data to Segment.",
        "logos": {"default": f"https://cdn.example.com/logos/{slug}.svg", "mark": None, "alt": None},
        "options": [],
        "categories": [category],
        "isCloudEventSource": category == "Cloud App",
        "status": "PUBLIC",
        "partnerOwned": False,
    }


SOURCES: dict[str, dict[str, Any]] = {
    entry["id"]: entry for category, names in _TYPES.items() for entry in (_entry(name, category) for name in names)
}
