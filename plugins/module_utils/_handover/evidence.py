# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Reads what can show that a hand-over took effect, and has it judged."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Callable
from dataclasses import replace

from .._base.errors import Failure, OptionError
from .._base.gather import gather
from .._base.times import parse_time
from .._module.context import ModuleContext
from .handovers import recorded_facts
from .ledger_place import open_ledger
from .verdict import FLEX_EVENTS, MARGIN, Evidence, Verdict, last_done_at, senders, verdicts

# Segment recommends to lag a minute behind (operation getEventsVolumeFromWorkspace).
LAG = datetime.timedelta(minutes=1)
# Counts per minute for young hand-overs, per hour for older ones: neither makes a long answer.
MINUTES = datetime.timedelta(days=1)
HOURS = datetime.timedelta(days=7)
# "About the last month" of a source is replayed into a space when the source is connected to it.
REPLAY = datetime.timedelta(days=35)
# What the audit trail calls an added or removed key. Connecting the source to a space, say, leaves its keys alone.
KEY_CHANGE = "Source Modified"
# How long Segment keeps its audit trail.
AUDIT = datetime.timedelta(days=90)


def evaluate(call: ModuleContext) -> dict[str, t.Any]:
    """See the module profiles_info."""
    steps = open_ledger(call).read().steps
    now = call.segment_now()
    test_event = call["test_event"] or {}
    evidence = Evidence(
        read_back=call["read_back"] or {},
        test_event=test_event if test_event.get("space_id") == call["space_id"] else None,
    )

    def judged(evidence: Evidence) -> dict[str, Verdict]:
        return verdicts(steps, call["source_id"], call["key_fingerprints"], evidence, now)

    if call["read_evidence"]:
        recorded = {step for step, said in judged(Evidence()).items() if said["verdict"] == "attested"}
        still_open = {step for step, said in judged(evidence).items() if said["verdict"] == "attested"}
        evidence = _Reader(call, steps, now).read(evidence, recorded, still_open)
    return {
        "steps": judged(evidence),
        "recorded": recorded_facts(steps),
        "connector": evidence.connector or None,
        "unread": list(evidence.problems),
    }


class _Reader:
    """Reads no more than what can still change a verdict; what cannot be read is told and proves nothing."""

    def __init__(self, call: ModuleContext, steps: dict[str, t.Any], now: datetime.datetime) -> None:
        self.call, self.steps, self.now = call, steps, now
        self.mended = parse_time(call["ignore_alerts_until"])
        if call["ignore_alerts_until"] and self.mended is None:
            raise OptionError("ignore_alerts_until", "is not an ISO 8601 time.", "Write it like 2026-11-24T10:02:31Z.")
        self.problems: list[str] = []

    def read(self, evidence: Evidence, recorded: set[str], still_open: set[str]) -> Evidence:
        """The evidence with what was read.

        Args:
            evidence: What is known without a read.
            recorded: The steps that the ledger has as done, and that alerts could call broken.
            still_open: The steps among them that are not proven yet.
        """
        call, end = self.call, self.now - LAG
        reads: dict[str, Callable[[], t.Any]] = {}
        since: datetime.datetime | None = None
        if times := [at for step in recorded - {"link"} if (at := last_done_at(self.steps, step, *self.steps))]:
            reads["alerts"] = lambda: self._alerts(min(times))
        if call["read_connector"]:
            reads["connector"] = lambda: call.connector().exists(call.sid("twilio_account_sid"))
        provable = still_open & ({"link", "key"} if len(call["key_fingerprints"]) == 1 else {"link"})
        starts = [at for step in provable if (at := last_done_at(self.steps, step, "connection"))]
        if starts and min(starts) + MARGIN < end:
            since, fine = min(starts), "MINUTE"
            if self.now - since > MINUTES:
                since, fine = max(since, self.now - HOURS), "HOUR"
            reads |= self._reads_of_events(provable, since, end, fine)
        found = self._at_once(reads)
        if others := senders(found.get("senders")) - {call["source_id"]}:
            there = self._at_once({"sources": lambda: {source.id for source in call.public_api().sources()}})["sources"]
            found["gone"] = others - there if there is not None else frozenset()
        found["connector"] = bool(found.get("connector"))
        return replace(evidence, **found, since=since, problems=tuple(self.problems))

    def _reads_of_events(
        self, provable: set[str], since: datetime.datetime, end: datetime.datetime, granularity: str
    ) -> dict[str, Callable[[], t.Any]]:
        public, source = self.call.public_api(), self.call["source_id"]
        reads: dict[str, Callable[[], t.Any]] = {
            "volume": lambda: public.events_volume(since, end, FLEX_EVENTS, granularity)
        }
        if "link" in provable:
            reads["senders"] = lambda: public.events_volume(since - REPLAY, end, FLEX_EVENTS, "DAY")
            reads["space_events"] = lambda: public.space_events(self.call["space_id"], "Flex - Engagement")
        if "key" in provable:
            handed = t.cast(datetime.datetime, last_done_at(self.steps, "key"))
            reads["changes"] = lambda: [
                event
                for event in public.audit_events(max(handed, self.now - AUDIT), source)
                if event["type"] == KEY_CHANGE
            ]
        return reads

    def _alerts(self, since: datetime.datetime) -> list[dict[str, str]]:
        since = max(since, self.mended or since)
        alerts = self.call.monitor().connector_alerts(since, self.now)
        return [alert for alert in alerts if (at := parse_time(alert["at"])) and at > since]

    def _at_once(self, reads: dict[str, Callable[[], t.Any]]) -> dict[str, t.Any]:
        """The reads' answers by name; None for what could not be read, and a line in the problems."""
        answers = gather(reads)
        self.problems += [answer.message for answer in answers.values() if isinstance(answer, Failure)]
        return {name: None if isinstance(answer, Failure) else answer for name, answer in answers.items()}
