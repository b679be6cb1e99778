# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The verdict on each hand-over, from the ledger, the evidence and the time, and nothing else. Pure.

What proves, and no more than that; docs/hand-overs.md has it as a table:

- any step: an endpoint has just read back the value that should stand there;
- key: Flex events on the source, later than the hand-over and the last change of the source's keys, while it has one key;
- link: Flex events in the space, later than the hand-over, that no other source can have brought there; or the test event,
  read back from the space with this source's id;
- connection: link and key are proven.

Alerts of the connector since the environment's last hand-over outweigh all of it: which of the steps they are about, they do
not say. Their absence means nothing.
"""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .._base.times import format_time, parse_time

FLEX_EVENTS = ("Flex - Engagement Initiated", "Flex - Engagement Completed")

# Clocks are known to a few seconds, and the ledger has whole ones: what is closer than this to a hand-over is not "after".
MARGIN = datetime.timedelta(minutes=1)

Verdict = dict[str, str]
Rows = Sequence[Mapping[str, t.Any]]


@dataclass(frozen=True)
class Evidence:
    """What the services showed. None means that it was not read, or could not be.

    Attributes:
        read_back: For each step whether an endpoint has just read back the expected value.
        test_event: ``{status, source_id, space_id, sent_at}`` of a test event sent in this run.
        connector: Whether an undocumented read showed a connector. False means nothing.
        alerts: ``{code, at, meaning}`` of the connector, in any order.
        since: From when on ``volume`` was read.
        volume: ``{event, source, series}`` of all sources since then, in minutes or hours.
        senders: The same in days, from a replay's reach before ``since``: who could have brought events to the space.
        gone: Ids among the senders that are no longer sources of the workspace.
        space_events: ``{name, last_seen_at}`` of the space.
        changes: ``{at}`` of everything that the audit trail has about the source since the hand-over.
        problems: Why something could not be read.
    """

    read_back: Mapping[str, bool | None] = field(default_factory=dict)
    test_event: Mapping[str, t.Any] | None = None
    connector: bool = False
    alerts: Rows | None = None
    since: datetime.datetime | None = None
    volume: Rows | None = None
    senders: Rows | None = None
    gone: Collection[str] = frozenset()
    space_events: Rows | None = None
    changes: Rows | None = None
    problems: Sequence[str] = ()


def verdicts(
    steps: Mapping[str, t.Any],
    source_id: str | None,
    keys: Sequence[str],
    evidence: Evidence,
    now: datetime.datetime,
) -> dict[str, Verdict]:
    """Give ``{verdict, reason}`` for each step.

    Args:
        steps: The ledger.
        source_id: The source as it is now, None when there is none.
        keys: The fingerprints of its visible write keys.
        evidence: What the services showed.
        now: The time by Segment's clock.
    """
    case = _Case(steps, source_id, keys, evidence, now)
    link, key = case.link(), case.key()
    return {"connection": case.connection(link, key), "link": link, "key": key}


def last_done_at(steps: Mapping[str, t.Any], *names: str) -> datetime.datetime | None:
    """When the last of these steps was done; None unless the first of them was.

    The connection's form links the source and stores its key as well: what was seen before it was last pressed says
    nothing about the link and the key that stand since.
    """
    times = [parse_time(_record(steps, name, "done").get("at")) for name in names]
    return max(at for at in times if at) if times[0] else None


def flex_events(
    rows: Rows | None, since: datetime.datetime, until: datetime.datetime
) -> dict[str, dict[str, tuple[int, datetime.datetime]]]:
    """By source and event: how many came in the minutes (hours, days) that began in this span, and when the first did."""
    found: dict[str, dict[str, tuple[int, datetime.datetime]]] = {}
    for row in rows or ():
        event, source = _text(row, "event"), _text(row, "source")
        if event not in FLEX_EVENTS:
            continue
        for start, count in _points(row):
            if since <= start <= until:
                so_far, first = found.setdefault(source, {}).get(event, (0, start))
                found[source][event] = (so_far + count, min(first, start))
    return found


def senders(rows: Rows | None) -> set[str]:
    """The sources that may have sent any Flex event, at whatever time: what cannot be read counts as sent."""
    return {_text(row, "source") for row in rows or () if _text(row, "event") in FLEX_EVENTS and not _silent(row)}


def _said(verdict: str, *reasons: str) -> Verdict:
    return {"verdict": verdict, "reason": "; ".join(filter(None, reasons))}


def _but(said: Verdict, hint: str) -> Verdict:
    """The same verdict, and what is missing for a better one or where to look."""
    return _said(said["verdict"], said["reason"], hint)


def _text(row: t.Any, name: str) -> str:
    value = row.get(name) if isinstance(row, Mapping) else None
    return value if isinstance(value, str) else ""


def _record(steps: t.Any, step: str, state: str) -> Mapping[str, t.Any]:
    records = steps.get(step) if isinstance(steps, Mapping) else None
    record = records.get(state) if isinstance(records, Mapping) else None
    return record if isinstance(record, Mapping) else {}


def _silent(row: Mapping[str, t.Any]) -> bool:
    series = row.get("series")
    return isinstance(series, (list, tuple)) and all(
        isinstance(point, (list, tuple)) and len(point) == 2 and point[1] == 0 for point in series
    )


def _points(row: Mapping[str, t.Any]) -> Iterable[tuple[datetime.datetime, int]]:
    """The points of a series that have a time and count something."""
    series = row.get("series")
    for point in series if isinstance(series, (list, tuple)) else ():
        if not isinstance(point, (list, tuple)) or len(point) != 2:
            continue
        start, count = parse_time(point[0]), point[1]
        if start and isinstance(count, (int, float)) and 0 < count < 1e15:
            yield start, int(count)


class _Case:
    """One environment before the judge."""

    def __init__(
        self,
        steps: Mapping[str, t.Any],
        source_id: str | None,
        keys: Sequence[str],
        evidence: Evidence,
        now: datetime.datetime,
    ) -> None:
        self.steps, self.source_id, self.keys = steps, source_id, list(keys)
        self.evidence, self.now = evidence, now

    def connection(self, link: Verdict, key: Verdict) -> Verdict:
        said = self._direct("connection")
        if said["verdict"] not in ("attested", "unknown"):
            return said
        if link["verdict"] == key["verdict"] == "proven":
            return _said("proven", "link and key are proven")
        if said["verdict"] == "attested" and self.evidence.connector:
            return _but(said, "an undocumented read shows a connector, which proves nothing about its settings")
        return said

    def link(self) -> Verdict:
        said = self._direct("link")
        if said["verdict"] in ("proven", "broken"):
            return said
        if self._test_event_arrived():
            return _said("proven", "the test event that was sent through this source was read back from the space")
        if said["verdict"] != "attested":
            return said
        return self._link_by_events(said, t.cast(datetime.datetime, last_done_at(self.steps, "link", "connection")))

    def key(self) -> Verdict:
        said = self._direct("key")
        if said["verdict"] != "attested":
            return said
        return self._key_by_events(said, t.cast(datetime.datetime, last_done_at(self.steps, "key", "connection")))

    def _standing(self, step: str) -> Verdict:
        """What the ledger alone says."""
        done, asked = _record(self.steps, step, "done"), _record(self.steps, step, "asked")
        if asked.get("how") == "sent":
            return _said(
                "pending", f"sent to the endpoint at {asked.get('at')}, and not known whether it was carried out"
            )
        if asked:
            return _said("pending", f"asked for at {asked.get('at')}, and not confirmed yet")
        if parse_time(done.get("at")) is None:
            return _said("unknown", "nothing is recorded")
        subject = done.get("subject")
        if step != "connection" and (_text(subject, "source_id") or None) != self.source_id:
            there = "another source was handed over than the one that is there now"
            return _said("pending", there if self.source_id else "the source that was handed over is not there")
        if step == "key" and self.keys and _text(subject, "key_fingerprint") not in self.keys:
            return _said("pending", "the key that was handed over is no longer on the source")
        who = {"form": "done by the connection form", "endpoint": "accepted by the endpoint"}.get(
            str(done.get("how")), f"attested by {done.get('by')}"
        )
        return _said("attested", f"{who} at {done['at']}")

    def _direct(self, step: str) -> Verdict:
        """The ledger, overruled by what bears on this step alone: alerts since, then the endpoint's read-back."""
        said, shown = self._standing(step), self.evidence.read_back.get(step)
        alert = self._alert_since(step) if said["verdict"] == "attested" and step != "link" else ""
        if alert:
            return _said("broken", alert, "once that is mended without a new hand-over, set ignore_alerts_until")
        if shown is True:
            return _said("proven", "the endpoint reads back what was handed over")
        if shown is False and said["verdict"] == "attested":
            return _said("broken", "the endpoint reads back something else than what should stand there")
        return said

    def _alert_since(self, step: str) -> str:
        since = t.cast(datetime.datetime, last_done_at(self.steps, step, *self.steps))
        late = [(at, a) for a in self.evidence.alerts or () if (at := parse_time(_text(a, "at"))) and at > since]
        if not late:
            return ""
        at, newest = max(late, key=lambda found: found[0])
        named = f"{_text(newest, 'code')} ({_text(newest, 'meaning')})"
        return f"Twilio raised alert {named} at {_text(newest, 'at')}, after the hand-over"

    def _test_event_arrived(self) -> bool:
        test_event = self.evidence.test_event
        if (
            _text(test_event, "status") != "arrived"
            or not self.source_id
            or _text(test_event, "source_id") != self.source_id
        ):
            return False
        sent, linked = parse_time(_text(test_event, "sent_at")), last_done_at(self.steps, "link", "connection")
        return sent is not None and (linked is None or sent >= linked)

    def _key_by_events(self, said: Verdict, since: datetime.datetime) -> Verdict:
        record, changes = _record(self.steps, "key", "done"), self.evidence.changes
        key = _text(record.get("subject"), "key_fingerprint")
        if not self.keys:
            return _but(said, "the token cannot see the source's keys, so no event can prove which one Flex uses")
        if self.keys != [key]:
            return _but(said, f"the source has {len(self.keys)} keys, so no event can prove which one Flex uses")
        if self.evidence.volume is None:
            return said
        handed = t.cast(datetime.datetime, parse_time(record["at"]))
        changed = [parse_time(_text(change, "at")) or self.now for change in changes or ()]
        later = [at for at in changed if at > handed]
        if record.get("keys") != [key] and not later:
            return _but(
                said, "the source had other keys at the hand-over, and nothing tells since when it has only one"
            )
        since = max([since, *later])
        flows = flex_events(self.evidence.volume, since + MARGIN, self.now)
        if count := _engagements(flows.get(self.source_id or "", {})):
            unseen = "the audit trail could not be read: a key that came and went meanwhile would not show"
            return _said(
                "proven",
                f"Flex wrote {count} through the only key since {self._from(since)}",
                unseen if changes is None else "",
            )
        page = "Flex > Contact center settings > Unified Profiles"
        if others := sorted(set(flows) - {self.source_id}):
            return _but(
                said, f"Flex writes through {_sources(others)} and not through this one: look at the key in {page}"
            )
        none = f"no Flex event has come since {self._from(since)}"
        return _but(said, f"{none}; if that stays so after an engagement, look at the key in {page}")

    def _link_by_events(self, said: Verdict, since: datetime.datetime) -> Verdict:
        evidence = self.evidence
        test_event = _text(evidence.test_event, "reason") if evidence.test_event else ""
        if evidence.volume is None or evidence.senders is None or evidence.space_events is None:
            return _but(said, test_event)
        flows = flex_events(evidence.volume, since + MARGIN, self.now)
        ours = flows.get(self.source_id or "", {})
        if not ours:
            return _but(said, test_event or "no Flex event of this source has come since that the space could show")
        # A replay can bring a month of another source's events, maybe with the time of their arrival.
        others = (senders(evidence.senders) - set(evidence.gone)) | set(flows)
        if others := others - {self.source_id}:
            named = _sources(sorted(others))
            return _but(
                said, test_event or f"Flex events of {named} may have come to the space too: only a test event can tell"
            )
        for event in evidence.space_events:
            seen, name = parse_time(_text(event, "last_seen_at")), _text(event, "name")
            if seen and name in ours and max(since + MARGIN, ours[name][1]) <= seen <= self.now + MARGIN:
                from_ = self._from(since)
                return _said("proven", f"the space has seen Flex events since {from_}, and only this source sent any")
        page = "Unify > Unify settings > Profiles sources"
        return _but(
            said, test_event or f"Flex events reach the source, and the space has seen none since: look at {page}"
        )

    def _from(self, since: datetime.datetime) -> str:
        """From when on events were counted."""
        return format_time(max(since, self.evidence.since or since))


def _engagements(events: Mapping[str, tuple[int, datetime.datetime]]) -> str:
    """At least this many: every engagement gives one event of each kind."""
    count = max((count for count, _first in events.values()), default=0)
    return f"{count} engagement{'s' if count > 1 else ''}" if count else ""


def _sources(ids: Sequence[str]) -> str:
    named = ", ".join(id_ or "an unnamed source" for id_ in ids)
    return f"the source{'s' if len(ids) > 1 else ''} {named}"
