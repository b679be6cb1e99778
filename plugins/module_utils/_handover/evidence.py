# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Reads what can show that a hand-over took effect, and has it judged."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from .._base.errors import Failure, OptionError
from .._base.gather import gather
from .._base.times import format_time, parse_time
from .._clients.segment_public import AUDIT_KEPT
from .._module.context import ModuleContext
from .cards import Card, evidence_card, signature
from .counts import FLEX_EVENTS, engagements_a_day, senders
from .findings import shown, still_open, with_found
from .handovers import recorded_facts
from .ledger import Acknowledgement, Entry, LedgerDocument, Proof, digest
from .ledger_place import open_ledger
from .seen import Observation, latest
from .verdict import (
    CONNECTED,
    DISCONNECTED,
    KEY_REMOVAL,
    MARGIN,
    Evidence,
    Suspicion,
    Verdict,
    judge,
    last_done_at,
    newest_link_event,
)

# In the ledger's history.
TESTED = "test event"
# Segment recommends to lag a minute behind (operation getEventsVolumeFromWorkspace).
LAG = datetime.timedelta(minutes=1)
# Counts per minute for young hand-overs, per hour for older ones: neither makes a long answer.
MINUTES = datetime.timedelta(days=1)
HOURS = datetime.timedelta(days=7)
# "About the last month" of a source is replayed into a space when the source is connected to it.
REPLAY = datetime.timedelta(days=35)


def evaluate(
    call: ModuleContext, findings: Iterable[Mapping[str, str]] = (), seen: Observation | None = None
) -> dict[str, t.Any]:
    """See the module profiles_info.

    Args:
        call: Its options.
        findings: To be recorded.
        seen: What earlier looks saw: their proofs are newer than those that the ledger was written with.

    Raises:
        OptionError: An acknowledgement without a name, or a proof that may not have any age.
    """
    if not call["proof_max_age"] > 0:
        raise OptionError("proof_max_age", "is not a number of days above 0.", "Write it like 3 or 0.5.")
    ledger = open_ledger(call)
    document = ledger.read()
    proofs = latest(document.proofs, seen["proofs"] if seen else {})
    now = call.segment_now()
    test_event = call["sent_test_event"] or {}
    evidence = Evidence(
        read_back=call["read_back"] or {},
        test_event=test_event if test_event.get("space_id") == call["space_id"] else None,
    )

    def judged(evidence: Evidence) -> tuple[dict[str, Verdict], list[Suspicion]]:
        max_age = datetime.timedelta(days=min(call["proof_max_age"], AUDIT_KEPT.days))
        keys, source = call["key_fingerprints"], call["source_id"]
        return judge(document.steps, source, keys, evidence, now, max_age, proofs)

    if call["read_evidence"]:
        recorded = _attested(judged(Evidence())[0])
        # A rotation ends with events; that an endpoint reads the key back says no more than it did before.
        open_now = _attested(judged(evidence)[0]) | ({"key"} & recorded if _proving(document) else set())
        evidence = _Reader(call, document.steps, now).read(evidence, recorded, open_now)
    found = _Found(document, evidence, judged(evidence)[1])
    wanted = _acknowledge(call, document, found, now)
    wanted = _tested(wanted, test_event)
    wanted = replace(wanted, findings=with_found(document, findings, call["source_id"], format_time(now)))
    evidence = found.without({said["alert"] for said in wanted.acknowledged})
    steps, suspicions = judged(evidence)
    changed, left = wanted != document, still_open(wanted, steps)
    if changed and not call.check_mode:
        # Proofs are recorded with what is written anyway, and what is over goes: a run that only looks changes nothing.
        ledger.save(replace(wanted, findings=left, proofs={**document.proofs, **_proofs(steps)}))
    return {
        "changed": changed,
        "steps": steps,
        "suspicions": suspicions,
        "may_test": _may_test(wanted, now, call["proof_max_age"]),
        "findings": [shown(document, finding) for finding in left],
        "cards": list(_cards(call, document, found, evidence, steps, suspicions)),
        "recorded": {**recorded_facts(document.steps), "slug": document.slug_to_find},
        "connector": evidence.connector or None,
        "alerts": sorted({alert["code"] for alert in evidence.alerts or ()}),
        "unread": dict(evidence.problems),
        "rotation": _proof(document, judged(replace(evidence, read_back={}))[0]["key"], evidence, call["source_id"]),
    }


def _proving(document: LedgerDocument) -> bool:
    return document.rotation is not None and document.rotation["phase"] == "prove"


def _proof(
    document: LedgerDocument, key: Verdict, evidence: Evidence, source_id: str | None
) -> dict[str, t.Any] | None:
    """The proof that a rotation waits for, once the old key is retired; None where no rotation does."""
    rotation = document.rotation
    if rotation is None or not _proving(document):
        return None
    retired = parse_time(rotation.get("retired_at"))
    before = (
        engagements_a_day(evidence.senders, source_id, retired) if retired and evidence.senders is not None else None
    )
    return {
        "proven_at": key["proven_at"] if key["verdict"] == "proven" else "",
        "events_a_day": before,
        "unread": evidence.problems.get("volume", ""),
    }


def restore_name(document: LedgerDocument) -> str:
    """The name under which somebody acknowledges what a restore left to a person; empty without one."""
    record = document.restore
    if not record:
        return ""
    return digest(document.environment, "restore", {"lost": record.get("lost_source_id", ""), "at": record["at"]})


def _tested(document: LedgerDocument, test_event: Mapping[str, t.Any]) -> LedgerDocument:
    """The ledger, which knows of the test event that was sent in this run."""
    at = test_event.get("sent_at")
    if not at or any(entry["what"] == TESTED and entry["at"] == at for entry in document.history):
        return document
    entry: Entry = {"at": at, "what": TESTED, "by": "", "why": test_event["status"], "step": "link"}
    return replace(document, history=[*document.history, entry])


def _may_test(document: LedgerDocument, now: datetime.datetime, days: float) -> bool:
    """Return whether another test event is of use: once a proof by the last one is too old, or the link is newer."""
    sent = [at for entry in document.history if entry["what"] == TESTED and (at := parse_time(entry["at"]))]
    linked = last_done_at(document.steps, "link", "connection")
    return not sent or (linked is not None and max(sent) < linked) or now >= max(sent) + datetime.timedelta(days=days)


def _attested(steps: Mapping[str, Verdict]) -> set[str]:
    return {step for step, said in steps.items() if said["verdict"] == "attested"}


class _Found:
    """The evidence against an environment, by names that a person can acknowledge and no other environment has."""

    def __init__(self, document: LedgerDocument, evidence: Evidence, suspicions: Iterable[Suspicion]) -> None:
        self.environment, self.evidence, self.suspicions = document.environment, evidence, list(suspicions)
        self.restore = restore_name(document)

    def alert(self, alert: Mapping[str, str]) -> str:
        return digest(self.environment, "alert", {"code": alert["code"], "at": alert["at"]})

    def suspicion(self, suspicion: Suspicion) -> str:
        return digest(self.environment, suspicion["problem"], {"about": suspicion["about"]})

    def steps(self) -> dict[str, str]:
        """The step of each name."""
        alerts = {self.alert(alert): "connection" for alert in self.evidence.alerts or ()}
        restore = {self.restore: "restore"} if self.restore else {}
        return {**restore, **alerts, **{self.suspicion(suspicion): suspicion["step"] for suspicion in self.suspicions}}

    def without(self, names: set[str]) -> Evidence:
        """Without the suspicions of these names, and without the alerts up to the last of them: they were mended with it."""
        alerts = [(parse_time(alert["at"]), alert) for alert in self.evidence.alerts or ()]
        mended = max((at for at, alert in alerts if at and self.alert(alert) in names), default=None)
        left = [alert for at, alert in alerts if not (mended and at and at <= mended)]
        looked_at = {(it["problem"], it["about"]) for it in self.suspicions if self.suspicion(it) in names}
        told = None if self.evidence.alerts is None else left
        return replace(self.evidence, alerts=told, acknowledged=frozenset(looked_at))


def _proofs(steps: Mapping[str, Verdict]) -> dict[str, Proof]:
    proven = {step: said for step, said in steps.items() if said["verdict"] == "proven"}
    return {
        step: {"at": said["proven_at"], "reason": said["reason"], "last_event": said["last_event"]}
        for step, said in proven.items()
    }


def _acknowledge(
    call: ModuleContext, document: LedgerDocument, found: _Found, now: datetime.datetime
) -> LedgerDocument:
    """The ledger with what is acknowledged of what was found here; itself where that is nothing.

    Other names are another environment's, or were recorded before.
    """
    known, steps = {said["alert"] for said in document.acknowledged}, found.steps()
    given = [name for name in dict.fromkeys(call["acknowledge"]) if name in steps and name not in known]
    if not given:
        return document
    by, why, at = (
        signature(call["confirmed_by"], "confirmed_by", "Name who looked."),
        call["reason"] or "",
        format_time(now),
    )
    said: list[Acknowledgement] = [{"alert": name, "at": at, "by": by, "why": why} for name in given]
    told: list[Entry] = [
        {"at": at, "what": "acknowledged", "by": by, "why": why, "step": steps[name], "digest": name} for name in given
    ]
    return replace(document, acknowledged=[*document.acknowledged, *said], history=[*document.history, *told])


def _cards(
    call: ModuleContext,
    document: LedgerDocument,
    found: _Found,
    evidence: Evidence,
    steps: Mapping[str, Verdict],
    suspicions: Iterable[Suspicion],
) -> Iterator[Card]:
    """The cards to look at, one for every step that is broken or suspected."""
    names = {suspicion["step"]: found.suspicion(suspicion) for suspicion in suspicions}
    if steps["connection"]["verdict"] == "broken" and evidence.alerts:
        names["connection"] = found.alert(max(evidence.alerts, key=lambda alert: str(alert["at"])))
    for step, said in steps.items():
        if said["verdict"] != "broken" and step not in names:
            continue
        yield card_of_done(call, document, step, f"{said['reason']}.", names.get(step, ""))


def card_of_done(call: ModuleContext, document: LedgerDocument, step: str, reason: str, acknowledge: str = "") -> Card:
    """The card of a step that is recorded as done, and that somebody has to look at."""
    done = document.steps[step].get("done")
    known = {name: str(value) for name, value in (done["subject"] if done else {}).items()}
    known |= {"space_id": call["space_id"], "account_sid": call["twilio_account_sid"] or ""}
    known |= {"region": call["segment_region"]}
    known |= {
        "write_key": known.get("key_fingerprint", ""),
        "profile_token": known.get("profile_token_fingerprint", ""),
    }
    return evidence_card(step, call["environment"], reason, known, done["digest"] if done else "", acknowledge)


class _Reader:
    """Reads no more than what can still change a verdict; what cannot be read is reported and proves nothing."""

    def __init__(self, call: ModuleContext, steps: Mapping[str, t.Any], now: datetime.datetime) -> None:
        self.call, self.steps, self.now = call, steps, now
        self.problems: dict[str, str] = {}

    def read(self, evidence: Evidence, recorded: set[str], still_open: set[str]) -> Evidence:
        """The evidence with what was read.

        Args:
            evidence: What is known without a read.
            recorded: The steps that the ledger has as done.
            still_open: The steps among them that are not proven yet.
        """
        call, end = self.call, self.now - LAG
        reads: dict[str, Callable[[], t.Any]] = {}
        if times := [at for step in recorded if (at := last_done_at(self.steps, step))]:
            since = last_done_at(self.steps, "connection") or max(times)
            reads["alerts"] = lambda: self._alerts(since)
        if call["read_connector"]:
            reads["connector"] = lambda: call.connector().exists(call.sid("twilio_account_sid"))
        # The connection is proven through the events of both.
        looked_at = (recorded if "connection" in still_open else still_open) & {"link", "key"}
        starts = {at for step in looked_at if (at := last_done_at(self.steps, step, "connection"))}
        if "key" in looked_at and (only := parse_time(self.steps["key"]["done"].get("only_since"))):
            starts |= {at for at in (only, only + KEY_REMOVAL) if at < end}
        first: datetime.datetime | None = None
        if starts:
            reads["trail"] = lambda: call.public_api().audit_events(self.now, call["source_id"])
            if min(starts) + MARGIN < end:
                first = max(min(starts), _hour(self.now - HOURS))
                reads |= self._reads_of_events(starts, first, end)
        found = self._at_once(reads)
        trail = found.pop("trail", None)
        if trail is not None:
            found["audit"] = [event for event in trail if event["id"] == call["source_id"]]
            about_space = [event for event in trail if event["id"] == call["space_id"]]
            found["hints"] = [event for event in about_space if event["type"] in (CONNECTED, DISCONNECTED)]
        if "link" in looked_at:
            self._read_of_the_link(found)
        found["connector"] = bool(found.get("connector"))
        return replace(evidence, **found, since=first, problems=self.problems)

    def _reads_of_events(
        self, starts: set[datetime.datetime], first: datetime.datetime, end: datetime.datetime
    ) -> dict[str, Callable[[], t.Any]]:
        return {
            "volume": lambda: self._volume(starts, first, end),
            "senders": lambda: self.call.public_api().events_volume(first - REPLAY, end, FLEX_EVENTS, "DAY"),
        }

    def _read_of_the_link(self, found: dict[str, t.Any]) -> None:
        """Add what shows the link: the trail does where it names the workspace's only space, or else events do."""
        public, source, space = self.call.public_api(), self.call["source_id"], self.call["space_id"]
        newest = newest_link_event(found.get("audit"), self.now)
        if newest and newest[1]["type"] in (CONNECTED, DISCONNECTED):
            only = self._at_once({"only_space": lambda: [one["id"] for one in public.spaces()] == [space]})
            found["only_space"] = bool(only["only_space"])
            if found["only_space"] and newest[1]["type"] == CONNECTED:
                return
        if "volume" not in found:
            return
        others = senders(found["senders"]) - {source}
        reads: dict[str, Callable[[], t.Any]] = {
            "space_events": lambda: public.space_events(space, "Flex - Engagement")
        }
        if others:
            reads["others"] = lambda: {one.id for one in public.sources()}
        more = self._at_once(reads)
        found["space_events"] = more["space_events"]
        found["gone"] = others - more["others"] if more.get("others") is not None else frozenset()

    def _volume(
        self, starts: set[datetime.datetime], first: datetime.datetime, end: datetime.datetime
    ) -> list[dict[str, t.Any]]:
        """Counts per minute, or per hour for older hand-overs. An hour in which events begin to count is read by the minute as well."""
        public = self.call.public_api()
        if self.now - first <= MINUTES:
            return public.events_volume(first, end, FLEX_EVENTS, "MINUTE")
        # They count a moment after the hand-over, which may be in the next hour.
        split = {_hour(edge) for at in starts if at >= first for edge in (at, at + MARGIN) if _hour(edge) < end}
        rows = public.events_volume(_hour(first), end, FLEX_EVENTS, "HOUR")
        for row in rows:
            row["series"] = [point for point in row["series"] if parse_time(point[0]) not in split]
        for hour in sorted(split):
            until = min(hour + datetime.timedelta(hours=1), end)
            rows += public.events_volume(hour, until, FLEX_EVENTS, "MINUTE")
        return rows

    def _alerts(self, since: datetime.datetime) -> list[dict[str, str]]:
        alerts = self.call.monitor().connector_alerts(since, self.now)
        return [alert for alert in alerts if (at := parse_time(alert["at"])) and at > since]

    def _at_once(self, reads: Mapping[str, Callable[[], t.Any]]) -> dict[str, t.Any]:
        """The reads' answers by name; None for what could not be read, and a line in the problems."""
        answers = gather(reads, self.call.workers)
        self.problems |= {name: answer.message for name, answer in answers.items() if isinstance(answer, Failure)}
        return {name: None if isinstance(answer, Failure) else answer for name, answer in answers.items()}


def _hour(at: datetime.datetime) -> datetime.datetime:
    return at.replace(minute=0, second=0, microsecond=0)
