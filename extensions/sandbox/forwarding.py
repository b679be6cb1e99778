# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audit forwarding: sends what is written into the audit trail to a webhook, signed as Segment's webhook destination signs."""

from __future__ import annotations

import hashlib
import hmac
import json
import queue
import threading
import typing as t
import urllib.error
import urllib.parse
import urllib.request

from .model import ApiProblem, Environment

# No proxy: it is on this machine.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
LOCAL = ("127.0.0.1", "localhost", "::1")


class Forwarder:
    """Sends events one after the other, in a thread of its own.

    Args:
        url: Where to; on this machine.
        secret: What the body is signed with: HMAC-SHA1, hex, in ``x-signature``.

    Attributes:
        answers: The status of each event that was sent; 0 where nobody answered.

    Raises:
        ApiProblem: 400; the URL is none of this machine.
    """

    def __init__(self, url: str, secret: str) -> None:
        try:
            parts = urllib.parse.urlsplit(url)
            here = parts.scheme in ("http", "https") and parts.hostname in LOCAL and parts.port
        except ValueError:
            here = None
        if not here:
            raise ApiProblem(
                400, "input-validation", "url takes an address on this machine, such as http://127.0.0.1:5000"
            )
        self.url, self.secret = url, secret
        self.answers: list[int] = []
        self._waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True).start()

    def __call__(self, env: Environment, event: t.Mapping[str, t.Any]) -> None:
        """Send an event of the audit trail."""
        self._waiting.put(json.dumps(forwarded(env, event)).encode())

    def _work(self) -> None:
        while True:
            self.answers.append(self._send(self._waiting.get()))

    def _send(self, body: bytes) -> int:
        signature = hmac.new(self.secret.encode(), body, hashlib.sha1).hexdigest()
        headers = {"Content-Type": "application/json", "x-signature": signature}
        request = urllib.request.Request(self.url, body, headers)  # noqa: S310 (http and https only, see above)
        try:
            with OPENER.open(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code
        except OSError:
            return 0


def forwarded(env: Environment, event: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """An event of the audit trail as a ``track`` call."""
    actor = event.get("actorEmail") or event["actor"]
    return {
        "type": "track",
        "event": "Audit",
        "messageId": event["id"],
        "timestamp": event["timestamp"],
        "properties": {
            "type": event["type"],
            "workspace_id": env.workspace["id"],
            "details": {
                "resource_type": event["resourceType"].lower(),
                "resource_id": event["resourceId"],
                "subject": "__system__" if actor == "Segment" else actor,
                "target": event["resourceName"],
            },
        },
    }
