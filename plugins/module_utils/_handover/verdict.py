# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The verdict on each hand-over, from the ledger, the evidence and the time, and nothing else. Pure.

What proves, and no more than that; docs/hand-overs.md has it as a table:

- any step: an endpoint has just read back the expected value;
- key: Flex events on the source, later than the hand-over and the last change of the source's keys, while it has one key;
- link, by the audit trail: its newest event about this source and the space is that the source was connected;
- link, by events: Flex events in the space, later than the hand-over, that no other source can have brought there;
- link, by the test event: read back from the space with this source's id;
- connection: link and key are proven, the key by events and the link by more than an endpoint's word.

What contradicts is ``broken``: an alert since the connection was handed over, a disconnection, another value at the endpoint. What
merely speaks against is a suspicion (:func:`suspicions`). Silence is neither. A proof holds for a time: what is older says "was".
"""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .._base.times import format_time, parse_time
from .counts import FLEX_EVENTS, HABIT, Rows, flex_points, senders, text

CONNECTED, DISCONNECTED = "Source Connected To Space", "Source Disconnected From Space"
# After these a source may be in no space any more.
LINK_EVENTS = (CONNECTED, DISCONNECTED, "Source Disabled", "Source Deleted")
# What the audit trail calls an added or removed key, and any other edit. Connecting the source to a space leaves its keys alone.
CREATED, EDITED = "Source Created", "Source Modified"

HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)
# Clocks are known to a few seconds, and the ledger has whole ones: what is closer than this to a hand-over is not "after".
MARGIN = datetime.timedelta(minutes=1)
# How far two views of the same traffic may be apart before that means something. An event is on its way for seconds. It
# may wait for hours behind a replay, or in a sender that was offline.
LATENESS = datetime.timedelta(hours=3)
# How long a removed key may still be taken. Documented nowhere; caches of settings live for minutes.
KEY_REMOVAL = datetime.timedelta(minutes=15)
PROOF_MAX_AGE = datetime.timedelta(days=3)

# By source: beginning and end of each minute, hour or day in which Flex events came.
Times = dict[str, list[tuple[datetime.datetime, datetime.datetime]]]


class _Verdict(t.TypedDict):
    verdict: str
    reason: str


class Verdict(_Verdict, total=False):
    """How sure it is that a hand-over took effect.

    ``proven_at`` is the time of the newest proof, and ``holds_until`` the time at which it is too old. ``last_event``
    is about when the source last received a Flex event. Times as strings, in UTC; empty where nothing is known.
    """

    proven_at: str
    holds_until: str
    last_event: str


class Suspicion(t.TypedDict):
    """A sign against a step that may be in order all the same.

    ``about`` distinguishes it from another one of its kind.
    """

    problem: str
    step: str
    since: str
    about: str
    detail: str


@dataclass(frozen=True)
class Evidence:
    """The facts that the services showed. None means that a fact was not read, or could not be.

    Attributes:
        read_back: For each step whether an endpoint has just read back the expected value.
        test_event: ``{status, source_id, space_id, sent_at}`` of a test event sent in this run.
        connector: Whether an undocumented read showed a connector. False means nothing.
        alerts: ``{code, at, meaning}`` of the connector that nobody has acknowledged, in any order.
        since: From when on ``volume`` was read.
        volume: ``{event, source, series}`` of all sources since then, in minutes or hours.
        senders: The same in days, from a replay's reach before ``since``: who could have brought events to the space.
        gone: Ids among the senders that are no longer sources of the workspace.
        space_events: ``{name, last_seen_at}`` of the space.
        audit: ``{type, at, by}`` of what the audit trail has about the source, by its id.
        hints: The same of sources that were connected to the space or disconnected, where the trail does not say which.
        only_space: Whether the space is the workspace's only one, so that an event that names no space is about this one.
        acknowledged: What suspicions are about that a person has looked at: ``(problem, about)``.
        problems: Why something could not be read, by the name of the read.
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
    audit: Rows | None = None
    hints: Rows = ()
    only_space: bool = False
    acknowledged: Collection[tuple[str, str]] = frozenset()
    problems: Mapping[str, str] = field(default_factory=dict)


def judge(
    steps: Mapping[str, t.Any],
    source_id: str | None,
    keys: Sequence[str],
    evidence: Evidence,
    now: datetime.datetime,
    max_age: datetime.timedelta = PROOF_MAX_AGE,
    last_proofs: Mapping[str, t.Any] | None = None,
) -> tuple[dict[str, Verdict], list[Suspicion]]:
    """The verdict on each step, and what speaks against one of them without a contradiction.

    Args:
        steps: The ledger's.
        source_id: The source as it is now, None when there is none.
        keys: The fingerprints of its visible write keys.
        evidence: What the services showed.
        now: The time by Segment's clock.
        max_age: How long a proof holds.
        last_proofs: The ledger's proofs of earlier runs, which say when a step was last proven.
    """
    case = _Case(steps, source_id, keys, evidence, now, max_age, last_proofs or {})
    link, key = case.link(), case.key()
    found = {"connection": case.connection(link, key), "link": link, "key": key}
    unknown = {"proven_at": "", "holds_until": "", "last_event": ""}
    return {step: t.cast(Verdict, {**unknown, **said}) for step, said in found.items()}, case.suspicions


def last_done_at(steps: Mapping[str, t.Any], *names: str) -> datetime.datetime | None:
    """Return when the last of these steps was done; None unless the first of them was.

    The connection's form links the source and stores its key as well. What was seen before it was last pressed says
    nothing about the present link and key.
    """
    times = [parse_time(_record(steps, name, "done").get("at")) for name in names]
    return max(at for at in times if at) if times[0] else None


def newest_link_event(
    rows: Rows | None, now: datetime.datetime
) -> tuple[datetime.datetime, Mapping[str, t.Any]] | None:
    """The newest event that says whether a source is in a space, and when that was; None where there is none."""
    found = [
        (at, event)
        for event in rows or ()
        if text(event, "type") in LINK_EVENTS and (at := parse_time(text(event, "at"))) and at <= now
    ]
    return max(found, key=lambda event: event[0]) if found else None


def _said(verdict: str, *reasons: str) -> Verdict:
    return {"verdict": verdict, "reason": "; ".join(filter(None, reasons))}


def _but(said: Verdict, *hints: str) -> Verdict:
    """The same verdict, and what is missing for a better one or where to look."""
    return {**said, "reason": "; ".join(filter(None, (said["reason"], *hints)))}


def _record(steps: t.Any, step: str, state: str) -> Mapping[str, t.Any]:
    records = steps.get(step) if isinstance(steps, Mapping) else None
    record = records.get(state) if isinstance(records, Mapping) else None
    return record if isinstance(record, Mapping) else {}


class _Case:
    """One environment before the judge."""

    def __init__(
        self,
        steps: Mapping[str, t.Any],
        source_id: str | None,
        keys: Sequence[str],
        evidence: Evidence,
        now: datetime.datetime,
        max_age: datetime.timedelta,
        last_proofs: Mapping[str, t.Any],
    ) -> None:
        self.steps, self.source_id, self.keys = steps, source_id, list(keys)
        self.evidence, self.now, self.max_age, self.last_proofs = evidence, now, max_age, last_proofs
        self.suspicions: list[Suspicion] = []
        self.times: Times = {}
        for rows, length in ((evidence.volume, HOUR), (evidence.senders, DAY)):
            for source, _event, start, _count in flex_points(rows):
                if start <= now:
                    self.times.setdefault(source, []).append((start, start + length))
        # By step: whether a proof came from events, and not from an endpoint alone.
        self.by_events: set[str] = set()

    # The steps

    def connection(self, link: Verdict, key: Verdict) -> Verdict:
        said = self._direct("connection")
        if (alert := self._alert()) and said["verdict"] == "attested":
            return _said("broken", alert, "hand the connection over again, or acknowledge the alert once it is mended")
        if alert and said["verdict"] == "unknown":
            return _but(said, alert)
        if said["verdict"] not in ("attested", "unknown"):
            return said
        if link["verdict"] == key["verdict"] == "proven" and self.by_events == {"link", "key"}:
            at = min(t.cast(datetime.datetime, parse_time(step["proven_at"])) for step in (link, key))
            return self._proven("connection", at, "link and key are proven by events")
        if said["verdict"] == "attested":
            said = self._was("connection", said)
            if self.evidence.connector:
                return _but(said, "an undocumented read shows a connector, which proves nothing about its settings")
            if link["verdict"] == key["verdict"] == "proven":
                return _but(said, "what an endpoint reads back of link and key says nothing of the connection")
        return said

    def link(self) -> Verdict:
        return self._and_by_events("link", self._link_shown)

    def key(self) -> Verdict:
        return self._and_by_events("key", self._key_by_events)

    def _and_by_events(self, step: str, shown: Callable[[Verdict, datetime.datetime | None], Verdict]) -> Verdict:
        """The verdict of the endpoint, or of events where it does not decide.

        Events count for the connection all the same, unless the endpoint shows that the step is broken.
        """
        said, standing = self._direct(step), self._standing(step)
        if said["verdict"] == "broken":
            return said
        found = shown(standing, last_done_at(self.steps, step, "connection"))
        if said["verdict"] == "proven":
            self.suspicions = [suspicion for suspicion in self.suspicions if suspicion["step"] != step]
            return said
        return found

    def _link_shown(self, said: Verdict, since: datetime.datetime | None) -> Verdict:
        if self._test_event_arrived():
            self.by_events.add("link")
            at = t.cast(datetime.datetime, parse_time(text(self.evidence.test_event, "sent_at")))
            reason = "the test event that was sent through this source was read back from the space"
            return self._proven("link", at, reason)
        if said["verdict"] != "attested" or since is None:
            return said
        newest = newest_link_event(self.evidence.audit, self.now) if self.evidence.only_space else None
        if newest:
            at, event = newest
            told = f"the audit trail's newest event about it is {_event(event, at)}"
            if text(event, "type") == CONNECTED:
                # It is the newest until now: what was read is the state.
                self.by_events.add("link")
                return self._proven("link", self.now, told)
            # The trail may be late with what was just done.
            if text(event, "type") == DISCONNECTED and not at < since <= self.now < since + LATENESS:
                return _said("broken", told, "connect the source to the space again")
        found = self._link_by_events(said, since)
        if found["verdict"] == "attested" and (hint := newest_link_event(self.evidence.hints, self.now)):
            at, event = hint
            return _but(
                found, f"the audit trail has {_event(event, at)} for this space, and does not say of which source"
            )
        return found

    # What holds without events

    def _standing(self, step: str) -> Verdict:
        """The verdict of the ledger alone."""
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
        if step != "connection" and (text(subject, "source_id") or None) != self.source_id:
            there = "another source was handed over than the one that is there now"
            return _said("pending", there if self.source_id else "the source that was handed over is not there")
        if step == "key" and self.keys and text(subject, "key_fingerprint") not in self.keys:
            return _said("pending", "the key that was handed over is no longer on the source")
        who = {"form": "done by the connection form", "endpoint": "accepted by the endpoint"}.get(
            str(done.get("how")), f"attested by {done.get('by')}"
        )
        return _said("attested", f"{who} at {done['at']}")

    def _direct(self, step: str) -> Verdict:
        """The ledger, overruled by what the endpoint reads back."""
        said, shown = self._standing(step), self.evidence.read_back.get(step)
        if shown is True and not (step == "connection" and self._alert()):
            return self._proven(step, self.now, "the endpoint reads back what was handed over")
        if shown is False and said["verdict"] == "attested":
            return _said("broken", "the endpoint reads back something else than the expected value")
        return said

    def _alert(self) -> str:
        """The newest alert since the connection, which is what mends them, was handed over."""
        since = last_done_at(self.steps, "connection")
        if since is None:
            since = max((at for step in self.steps if (at := last_done_at(self.steps, step))), default=None)
        late = [(at, a) for a in self.evidence.alerts or () if (at := parse_time(text(a, "at")))]
        late = [(at, a) for at, a in late if since and at > since]
        if not late:
            return ""
        newest = max(late, key=lambda found: found[0])[1]
        named = f"{text(newest, 'code')} ({text(newest, 'meaning')})"
        return f"Twilio raised alert {named} at {text(newest, 'at')}, after the hand-over"

    def _test_event_arrived(self) -> bool:
        test_event = self.evidence.test_event
        if (
            text(test_event, "status") != "arrived"
            or not self.source_id
            or text(test_event, "source_id") != self.source_id
        ):
            return False
        sent, linked = parse_time(text(test_event, "sent_at")), last_done_at(self.steps, "link", "connection")
        return sent is not None and (linked is None or sent >= linked)

    # What events show

    def _key_by_events(self, said: Verdict, since: datetime.datetime | None) -> Verdict:
        if said["verdict"] != "attested" or since is None:
            return said
        if self.evidence.volume is not None and (against := self._wrong_key(since)):
            return _but(self._was("key", said), against)
        record, audit = _record(self.steps, "key", "done"), self.evidence.audit
        key = text(record.get("subject"), "key_fingerprint")
        if not self.keys:
            return _but(said, "the token cannot see the source's keys, so no event can prove which one Flex uses")
        if self.keys != [key]:
            return _but(said, f"the source has {len(self.keys)} keys, so no event can prove which one Flex uses")
        if self.evidence.volume is None:
            return self._was("key", said)
        handed, same = t.cast(datetime.datetime, parse_time(record["at"])), record.get("keys") == [key]
        if only := parse_time(record.get("only_since")):
            handed, since = max(handed, only), max(since, only + KEY_REMOVAL)
        edits = sorted(at for at in self._edits() if at > handed)
        if not same and not edits:
            return _but(
                said, "the source had other keys at the hand-over, and nothing tells since when it has only one"
            )
        # An answer without what must be there shows nothing.
        if any(text(event, "type") in (CREATED, EDITED) for event in audit or ()):
            unseen = (
                "its keys are unchanged since, if each change of a key is in the audit trail as an edit of the source"
            )
        else:
            unseen = "the audit trail shows nothing of the source: a key that came and went meanwhile would not show"
        # The edit of a label looks the same as that of a key. One alone is no key that came and went. Between the first
        # and the last of several, events may have come through such a key.
        doubtful = (edits[0] if same else handed, edits[-1] + KEY_REMOVAL) if len(edits) > same else None
        counts, last = self._counts(since, doubtful)
        if last:
            count = max(counts.values())
            many = f"{count} engagement{'s' if count > 1 else ''}"
            if edits and last < edits[-1]:
                unseen = f"the source was edited at {format_time(edits[-1])}, and no event has come since"
            self.by_events.add("key")
            reason = f"Flex wrote {many} through the only key since {self._from(since)}"
            return self._proven("key", last, reason, said, unseen)
        if doubtful and self._counts(since)[1]:
            edited = f"the source was edited until {format_time(edits[-1])}, and a key may have come and gone with that"
            return _but(self._was("key", said), f"{edited}: only Flex events that come later can prove the key")
        none = f"no Flex event has come since {self._from(since)}"
        page = "Flex > Contact center settings > Unified Profiles"
        return _but(self._was("key", said), f"{none}; if that stays so after an engagement, look at the key in {page}")

    def _link_by_events(self, said: Verdict, since: datetime.datetime) -> Verdict:
        evidence, was = self.evidence, self._was("link", said)
        test_event = text(evidence.test_event, "reason") if evidence.test_event else ""
        if evidence.volume is None or evidence.senders is None or evidence.space_events is None:
            return _but(was, test_event)
        if against := self._unlinked(since):
            return _but(was, against, test_event)
        counts, last = self._counts(since)
        if not last:
            return _but(was, test_event or "no Flex event of this source has come since that the space could show")
        # A replay can bring a month of another source's events, maybe with the time of their arrival.
        sent = {source for source, _event, start, _n in flex_points(evidence.volume) if start >= since + MARGIN}
        if others := ((senders(evidence.senders) - set(evidence.gone)) | sent) - {self.source_id}:
            named = _sources(sorted(others))
            return _but(
                was, test_event or f"Flex events of {named} may have come to the space too: only a test event can tell"
            )
        first = {event: self._first(event, since) for event in counts}
        seen = [
            at
            for event in evidence.space_events
            if (at := parse_time(text(event, "last_seen_at"))) and (name := text(event, "name")) in first
            if max(since + MARGIN, first[name]) <= at <= self.now + MARGIN
        ]
        if seen:
            self.by_events.add("link")
            reason = f"the space has seen Flex events since {self._from(since)}, and only this source sent any"
            return self._proven("link", max(seen), reason, said)
        return _but(was, test_event or "Flex events reach the source, and the space has not shown them yet")

    def _edits(self) -> Iterator[datetime.datetime]:
        """Return when the source, maybe its keys, was edited. An edit at a time that cannot be read was just now."""
        for event in self.evidence.audit or ():
            if text(event, "type") == EDITED:
                yield min(parse_time(text(event, "at")) or self.now, self.now)

    def _ours(
        self, since: datetime.datetime, doubtful: tuple[datetime.datetime, datetime.datetime] | None = None
    ) -> Iterator[tuple[str, datetime.datetime, int]]:
        for source, event, start, count in flex_points(self.evidence.volume):
            if not (source and source == self.source_id and since + MARGIN <= start <= self.now):
                continue
            if doubtful is None or start + HOUR <= doubtful[0] or doubtful[1] <= start:
                yield event, start, count

    def _counts(
        self, since: datetime.datetime, doubtful: tuple[datetime.datetime, datetime.datetime] | None = None
    ) -> tuple[dict[str, int], datetime.datetime | None]:
        """Of this source's Flex events since then, how many there were of each, and when the last came."""
        counts: dict[str, int] = {}
        last = None
        for event, start, count in self._ours(since, doubtful):
            counts[event] = counts.get(event, 0) + count
            last = max(last or start, start)
        return counts, last

    def _first(self, event: str, since: datetime.datetime) -> datetime.datetime:
        return min(start for name, start, _count in self._ours(since) if name == event)

    # What speaks against

    def _unlinked(self, since: datetime.datetime) -> str:
        """The suspicion that the space misses Flex events of the source; empty where there is none."""
        seen = [e for e in self.evidence.space_events or () if text(e, "name") in FLEX_EVENTS]
        times = [parse_time(text(event, "last_seen_at")) for event in seen]
        if None in times:
            return ""
        shown = max([since, *t.cast("list[datetime.datetime]", times)])
        missing = [start for _event, start, _count in self._ours(since) if start > shown + LATENESS]
        missing = [start for start in missing if start + HOUR + LATENESS <= self.now]
        if not missing:
            return ""
        last = f"at {format_time(shown)}" if shown > since else "never since the hand-over"
        return self._suspect(
            "suspected_unlinked",
            "link",
            min(missing),
            f"{self.source_id} since {format_time(shown)}",
            f"Flex events reach the source, and the space has shown none since {format_time(min(missing))} (the last "
            f"{last}). Look whether Unify > Unify settings > Profiles sources lists the source",
        )

    def _wrong_key(self, since: datetime.datetime) -> str:
        """The suspicion that Flex writes through another source and no longer through this one; empty if none."""
        ours = self.times.get(self.source_id or "")
        if not ours or not self.source_id:
            return ""
        last = max(start for start, _end in ours)
        end = min(end for start, end in ours if start == last)
        quiet = max(end, since) + LATENESS
        found: dict[str, datetime.datetime] = {}
        for source, times in self.times.items():
            if source == self.source_id or any(last - HABIT < until <= last for _start, until in times):
                continue
            late = [start for start, until in times if start >= quiet and until + LATENESS <= self.now]
            if late:
                found[source] = min(late)
        if not found:
            return ""
        named, first = _sources(sorted(found)), min(found.values())
        return self._suspect(
            "suspected_wrong_key",
            "key",
            first,
            f"{', '.join(sorted(found))} since {last.date().isoformat()}",
            f"Flex writes through {named} since {format_time(first)}, and through this one no more: look at the key in "
            "Flex > Contact center settings > Unified Profiles",
        )

    def _suspect(self, problem: str, step: str, since: datetime.datetime, about: str, detail: str) -> str:
        if (problem, about) in self.evidence.acknowledged:
            return ""
        self.suspicions.append(
            {"problem": problem, "step": step, "since": format_time(since), "about": about, "detail": f"{detail}."}
        )
        return detail

    # Times

    def _proven(
        self, step: str, at: datetime.datetime, reason: str, said: Verdict | None = None, hint: str = ""
    ) -> Verdict:
        """Proven, if that is recent enough, or else what was said before."""
        at = min(at, self.now)
        until = at + self.max_age
        times: Verdict = {
            "verdict": "proven",
            "reason": "; ".join(filter(None, (reason, hint))),
            "proven_at": format_time(at),
            "holds_until": format_time(until),
        }
        if until < self.now:
            self.by_events.discard(step)
            old = _but(said or self._standing(step), f"last proven at {format_time(at)}: {reason}")
            times = {**times, "verdict": "attested", "reason": old["reason"]}
        return self._with_last_event(times)

    def _was(self, step: str, said: Verdict) -> Verdict:
        """The verdict, and when the step was last proven since it was handed over, as far as that is known."""
        proof, since = self.last_proofs.get(step), last_done_at(self.steps, step, "connection")
        if (at := parse_time(text(proof, "at"))) and since and at >= since:
            said = {
                **_but(said, f"last proven at {format_time(at)}: {text(proof, 'reason')}"),
                "proven_at": format_time(at),
                "last_event": text(proof, "last_event"),
            }
        return self._with_last_event(said)

    def _with_last_event(self, said: Verdict) -> Verdict:
        if times := self.times.get(self.source_id or ""):
            return {**said, "last_event": format_time(max(start for start, _end in times))}
        return said

    def _from(self, since: datetime.datetime) -> str:
        """From when on events were counted."""
        return format_time(max(since, self.evidence.since or since))


def _event(event: Mapping[str, t.Any], at: datetime.datetime) -> str:
    by = f" by {text(event, 'by')}" if text(event, "by") else ""
    return f"{text(event, 'type')}{by} at {format_time(at)}"


def _sources(ids: Iterable[str]) -> str:
    named = [id_ or "an unnamed source" for id_ in ids]
    return f"the source{'s' if len(named) > 1 else ''} {', '.join(named)}"
