# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verdict on each hand-over, from the ledger, the evidence and nothing else. Pure."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

FLEX_EVENTS = ("Flex - Engagement Initiated", "Flex - Engagement Completed")


@dataclass(frozen=True)
class Evidence:
    """What the services showed. None means that it could not be read.

    Attributes:
        alerts: ``{code, at, meaning}`` of the connector.
        volume: ``{event, source, series}`` per minute, of all sources.
        space_events: ``{name, last_seen_at}`` of the space.
        problems: Why something could not be read.
    """

    alerts: Sequence[Mapping[str, t.Any]] | None = None
    volume: Sequence[Mapping[str, t.Any]] | None = None
    space_events: Sequence[Mapping[str, t.Any]] | None = None
    problems: Sequence[str] = field(default_factory=tuple)


def moment(text: t.Any) -> datetime.datetime | None:
    """An ISO 8601 time, or None when it is not one."""
    try:
        found = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)


def verdicts(
    steps: Mapping[str, Mapping[str, t.Any]], source_id: str | None, keys: Sequence[str], evidence: Evidence
) -> dict[str, dict[str, str]]:
    """Give ``{verdict, reason}`` for each step.

    Args:
        steps: The ledger.
        source_id: The source as it is now, None when there is none.
        keys: The fingerprints of its visible write keys.
        evidence: What the services showed.
    """
    found = {
        "link": _link(steps.get("link", {}), source_id, evidence),
        "key": _key(steps.get("key", {}), source_id, keys, evidence),
    }
    return {"connection": _connection(steps.get("connection", {}), found, evidence), **found}


def _said(verdict: str, reason: str) -> dict[str, str]:
    return {"verdict": verdict, "reason": reason}


def _standing(records: Mapping[str, t.Any]) -> dict[str, str]:
    """The verdict from the ledger alone."""
    done, asked = records.get("done"), records.get("asked")
    if asked:
        return _said("pending", f"asked for at {asked['at']}, and not confirmed yet")
    if not done:
        return _said("unknown", "nothing is recorded")
    who = {"form": "done by the connection form", "endpoint": "accepted by the endpoint"}.get(
        done["how"], f"attested by {done['by']}"
    )
    return _said("attested", f"{who} at {done['at']}")


def _alerts_since(at: str, evidence: Evidence) -> str:
    since = moment(at)
    late = [a for a in evidence.alerts or () if since and (seen := moment(a["at"])) and seen > since]
    return f"alert {late[0]['code']} ({late[0]['meaning']}) at {late[0]['at']}" if late else ""


def _connection(
    records: Mapping[str, t.Any], found: Mapping[str, Mapping[str, str]], evidence: Evidence
) -> dict[str, str]:
    said = _standing(records)
    if said["verdict"] != "attested":
        return said
    if alert := _alerts_since(records["done"]["at"], evidence):
        return _said("broken", f"Twilio raised {alert} after the hand-over")
    if all(found[step]["verdict"] == "proven" for step in ("link", "key")):
        return _said("proven", "link and key are proven")
    return said


def _flex_events(evidence: Evidence, since: datetime.datetime) -> dict[str, int]:
    """Flex events per source in minutes that began after a moment."""
    counts: dict[str, int] = {}
    for row in evidence.volume or ():
        if row["event"] in FLEX_EVENTS:
            for time, count in row["series"]:
                if (start := moment(time)) and start >= since and count > 0:
                    counts[row["source"]] = counts.get(row["source"], 0) + int(count)
    return counts


def _link(records: Mapping[str, t.Any], source_id: str | None, evidence: Evidence) -> dict[str, str]:
    said = _standing(records)
    if said["verdict"] != "attested":
        return said
    done = records["done"]
    if done["subject"].get("source_id") != source_id:
        return _said("pending", "another source was handed over than the one that is there now")
    since = moment(done["at"])
    if since is None or evidence.volume is None or evidence.space_events is None:
        return said
    senders = _flex_events(evidence, since)
    seen = any(
        e["name"] in FLEX_EVENTS and (at := moment(e["last_seen_at"])) is not None and at > since
        for e in evidence.space_events
    )
    if seen and set(senders) == {source_id}:
        return _said("proven", f"the space saw Flex events since {done['at']}, and only this source sent any")
    return said


def _key(
    records: Mapping[str, t.Any], source_id: str | None, keys: Sequence[str], evidence: Evidence
) -> dict[str, str]:
    said = _standing(records)
    if said["verdict"] != "attested":
        return said
    done = records["done"]
    key = done["subject"].get("key_fingerprint")
    if done["subject"].get("source_id") != source_id or (keys and key not in keys):
        return _said("pending", "another key was handed over than the one that is there now")
    if alert := _alerts_since(done["at"], evidence):
        return _said("broken", f"Twilio raised {alert} after the hand-over")
    since = moment(done["at"])
    if since is None or evidence.volume is None or list(keys) != [key] or done.get("keys") != [key]:
        return said
    count = _flex_events(evidence, since).get(source_id or "", 0)
    if count:
        return _said("proven", f"Flex wrote {count} events through the only key since {done['at']}")
    return said
