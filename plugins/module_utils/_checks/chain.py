# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The steps of a look at one environment, with the same resources as the tasks of a playbook have, in check mode."""

from __future__ import annotations

import contextlib
import datetime
import functools
import typing as t
from collections.abc import Callable, Collection, Mapping

from .._base.errors import Failure, NotFound, Refused
from .._base.gather import gather
from .._clients.source import CURES, DISABLED_BY_SEGMENT, Source
from .._handover import handovers
from .._handover.cards import NAME_PLACEHOLDER
from .._handover.decide import Decision
from .._handover.drift import Difference, disabled_by_segment
from .._handover.endpoint import ENDPOINT_OPTIONS
from .._handover.evidence import card_of_done, evaluate
from .._handover.handover import OPTIONS as HANDOVER_OPTIONS
from .._handover.handover import HandOver, HandOverResult
from .._handover.ledger_place import open_ledger
from .._handover.rotate import ROTATION_OPTIONS
from .._handover.rotation import PHASES, Facts, RotationStatus, nothing_open, open_rotation, proof
from .._handover.seen import Observation
from .._handover.seen_place import REMEMBER, open_seen
from .._handover.steps import STEPS
from .._handover.verdict import Suspicion, Verdict
from .._module.context import ModuleContext
from .._module.options import IGNORE_LEGACY, PROFILE_TOKEN, SOURCE_NAME, SPACE
from .._module.state import Plan
from .._source.keeping import foresee
from .._source.manage import MENDED, ManagedSource, diagnose_source
from .drift import DriftLook
from .preflight import check_offline, preflight
from .restoring import RESTORE, Intent, open_restore, restore_card, snapshot_due, still_to_do
from .snapshot_place import ToStore

OF_A_STEP = ("endpoint", "confirm", "clock_skew")
# Of an environment; the connection options are added.
OPTIONS: dict[str, t.Any] = {
    **SPACE,
    **PROFILE_TOKEN,
    **SOURCE_NAME,
    **IGNORE_LEGACY,
    **{name: option for name, option in HANDOVER_OPTIONS.items() if name not in OF_A_STEP},
    "endpoints": {"type": "dict", "options": {step: {**ENDPOINT_OPTIONS, "no_log": False} for step in STEPS}},
    "confirmations": {
        "type": "dict",
        "default": {},
        "options": {step: {**HANDOVER_OPTIONS["confirm"], "no_log": False} for step in STEPS},
    },
    "friendly_name": {"type": "str", "required": True},
    "allow_write_events": {"type": "bool"},
    "regulated": {"type": "list", "elements": "str", "choices": ["hipaa", "pci"], "default": []},
    "source_id": {"type": "str"},
    "source_labels": {"type": "dict"},
    "repair": {"type": "bool", "default": True},
    "recover_without_trace": {"type": "bool", "default": False},
    **RESTORE,
    "snapshot": {"type": "bool", "default": True},
    "snapshot_max_age": {"type": "float", "default": 1.0},
    "read_connector": {"type": "bool", "default": False},
    "acknowledge": {"type": "list", "elements": "str", "default": []},
    **ROTATION_OPTIONS,
    **REMEMBER,
    # What a file has of it: many environments share it, so it is read once for all.
    "seen": {"type": "dict"},
}


class Look(t.TypedDict):
    """The result of a look at one environment.

    Attributes:
        failure: What stopped the look, for a person; empty if nothing did.
        due: Why each of connection, source, restore, link, key, rotation and record is due. What is not due is not named.
        verdicts: How sure it is that each hand-over took effect; empty if the look was stopped before.
        handovers: What is known of each hand-over that was looked at.
        findings: What is or was wrong with the source, as ``{problem, detail, by, since}``, with ``mended`` where something was done.
        differences: What drifted, none of it accepted yet.
        unread: Why an attribute could not be read.
        suspicions: What speaks against a step without a contradiction.
        cards: Of steps that evidence speaks against.
        source: The source as it may be shown; None if there is none.
        rotation: The state of the rotation of the write key.
        credentials: The fingerprints of the tokens and secrets in use, by option; only of a look for drift.
        source_gone: Whether a source is to be made, because the one that there was is gone.
        workspace: ``{id, name, slug}`` of the Segment workspace.
        account_name: The Twilio account's, for cards; empty where it was not read.
        region: The Segment region.
        sandbox_url: The sandbox, if it is one.
        clock_skew: Seconds by which Segment's clock is ahead of this one.
        seen: What earlier looks saw, None if that is not known.
        requests: How many were sent.
        rate_limited: How many of them were answered with 429.
        snapshot: What was read to be stored, where the last snapshot of the source is too old.
        warnings: What a person should know besides.
    """

    failure: str
    due: dict[str, str]
    verdicts: dict[str, Verdict]
    handovers: dict[str, HandOverResult]
    findings: list[dict[str, str]]
    differences: list[Difference]
    unread: dict[str, str]
    suspicions: list[Suspicion]
    cards: list[t.Any]
    source: dict[str, t.Any] | None
    source_gone: bool
    rotation: RotationStatus
    credentials: dict[str, str]
    workspace: dict[str, str]
    account_name: str
    region: str
    sandbox_url: str
    clock_skew: float
    seen: Observation | None
    requests: int
    rate_limited: int
    snapshot: ToStore | None
    warnings: list[str]


def nothing_seen(failure: str = "") -> Look:
    """A look that has seen nothing yet, or that failed before it could."""
    return {
        "failure": failure,
        "due": {},
        "verdicts": {},
        "handovers": {},
        "findings": [],
        "differences": [],
        "unread": {},
        "suspicions": [],
        "cards": [],
        "source": None,
        "source_gone": False,
        "rotation": nothing_open(),
        "credentials": {},
        "workspace": {},
        "account_name": "",
        "region": "",
        "sandbox_url": "",
        "clock_skew": 0.0,
        "seen": None,
        "requests": 0,
        "rate_limited": 0,
        "snapshot": None,
        "warnings": [],
    }


class Chain:
    """The steps of a look. Each takes what the ones before found."""

    def __init__(self, call: ModuleContext, handed_over: Collection[str]) -> None:
        self.call, self.handed_over = call, handed_over
        self.read_back: dict[str, bool | None] = dict.fromkeys(STEPS)
        # Whether a service has been asked anything: about some environments none may be.
        self.asked = False
        self.looked_at: dict[str, HandOver] = {}
        self.gaps: dict[str, str] = {}
        self.alerts: list[str] = []
        self.source: Source | None = None
        self.found = nothing_seen()
        self.found["seen"] = call["seen"]
        self.found["region"], self.found["sandbox_url"] = call["segment_region"], call["sandbox_url"] or ""

    @property
    def due(self) -> dict[str, str]:
        return self.found["due"]

    def fail(self, failure: Failure) -> None:
        """Take note of what stopped the look. What came first counts."""
        self.found["failure"] = self.found["failure"] or failure.full_message
        self.found["cards"] += [card for card in [failure.facts.get("card")] if card]
        self.found["findings"] += failure.facts.get("findings") or []

    @functools.cached_property
    def drift(self) -> DriftLook:
        return DriftLook(self.call)

    def compare(self) -> None:
        """Find what drifted, in what was read."""
        looked_at = self.drift.handovers(self.looked_at)
        verdicts = self.found["verdicts"]
        self.found["differences"] = self.drift.differences(looked_at, verdicts, self.gaps, self.alerts)
        self.found["unread"] = self.drift.unread
        told = {finding["problem"] for finding in self.found["findings"]}
        if DISABLED_BY_SEGMENT not in told and any(map(disabled_by_segment, self.found["differences"])):
            detail = f"The source {(self.found['source'] or {}).get('id')} was disabled by Segment. {CURES}"
            self.found["findings"].append({"problem": DISABLED_BY_SEGMENT, "detail": detail})

    def begin(self) -> None:
        """Check what can be checked without a request, and recall what earlier looks saw. No look fails for what it cannot recall."""
        check_offline(self.call)
        self.asked = True
        if self.call["remember"] == "sync":
            try:
                self.found["seen"] = open_seen(self.call).read()
            except Failure as failure:
                self.call.warnings.append(failure.full_message)

    def check(self) -> None:
        """Check what can be checked before anything is changed. What the chain reads first is requested at the same time."""
        self.begin()
        reads: dict[str, Callable[[], t.Any]] = {
            "checks": lambda: preflight(self.call, self.handed_over),
            "sources": lambda: self.call.public_api().sources(),
            "ledger": lambda: open_ledger(self.call).read(),
        }
        # The failure of the others is that of whoever needs what they read.
        found: dict[str, t.Any] = gather(reads, self.call.workers)
        if isinstance(failure := found["checks"], Failure):
            raise failure
        checks = found["checks"]
        self.found["workspace"], self.found["clock_skew"] = checks["workspace"], checks["clock_skew"]
        self.call = self.call.derived(clock_skew=checks["clock_skew"])

    def hand_over(self, step: str, **options: t.Any) -> Decision:
        """Look at a hand-over; what becomes of it."""
        return self.plan(step, getattr(handovers, step)(self.of_step(step, **options)))

    def of_step(self, step: str, **options: t.Any) -> ModuleContext:
        """The look with the options of the module that hands a step over."""
        endpoint = (self.call["endpoints"] or {}).get(step)
        return self.call.derived(
            endpoint=endpoint, confirm=self.call["confirmations"].get(step), wait_timeout=0, **options
        )

    def plan(self, step: str, handover: HandOver) -> Decision:
        """Take note of what becomes of a hand-over."""
        self.looked_at[step] = handover
        if self.call.reconcile(handover).plan.changed:
            self.due[step] = _why(handover.decision)
        result = self.found["handovers"][step] = handover.result()
        self.read_back[step] = result["read_back"]
        return handover.decision

    def diagnose(self, **options: t.Any) -> dict[str, t.Any] | None:
        """Find out what is wrong with the source; return it as it is, None if there is none.

        Args:
            options: What replaces options of the look.

        Raises:
            Refused: To make or change it would do harm, and that shall be refused.
        """
        document = open_ledger(self.call).read()
        recorded = handovers.recorded_facts(document.steps)
        found = diagnose_source(
            self.call.derived(
                recorded_source_id=recorded["source_id"],
                recorded_slug=document.slug_to_find,
                recorded_key_fingerprint=recorded["key_fingerprint"],
                read_audit_trail=True,
                refuse_harm=True,
                **options,
            )
        )
        self.found["findings"] = found["findings"]
        return found["source"]

    def intend(self) -> str:
        """Look at what is to be put back once the source is made; return the slug that it is made with."""
        resource = Intent(self.call)
        if self.call.reconcile(resource).plan.changed:
            self.due["restore"] = still_to_do(self.call, resource.wanted or {})
        return resource.slug

    def restore(self) -> None:
        """Look whether something is still to be put back to the source."""
        record = open_restore(open_ledger(self.call).read())
        if record and (self.found["source"] or {}).get("id") != record.get("lost_source_id"):
            self.due.setdefault("restore", still_to_do(self.call, record))

    def have_source(self, create: bool, source_id: str | None = None, slug: str = "") -> None:
        """Look at the source as the task that brings it to its desired state does."""
        options = {"state": "present", "enabled": True, "create": create, "wait_timeout": 0, "confirm_delete": None}
        options["source_slug"] = slug
        wanted = self.call.derived(**options, source_id=source_id or self.call["source_id"])
        resource = ManagedSource(wanted)
        outcome = self.call.reconcile(resource)
        self.found["findings"] = self.found["findings"] or resource.findings
        if outcome.plan.changed:
            self.due["source"] = _differences(outcome.plan)
        self.source = resource.source
        self.found["source"] = dict(outcome.state) if outcome.state else None
        self.found["source_gone"] = outcome.plan.action == "create"

    def never_seen(self, failure: NotFound) -> Failure:
        """The failure where the source does not exist.

        Where only the ledger says that the form was filled in, the failure says how to withdraw that.
        """
        steps = open_ledger(self.call).read().steps
        if "done" in steps.get("link", {}):
            return failure
        done = steps["connection"]["done"]
        by = f" by {done['by']}" if done["by"] else ""
        return Refused(
            f"{failure.message} That the form was filled in says nothing but the ledger ({done['how']}{by} at {done['at']}).",
            f"If it was not: -e unified_profiles_withdraw={done['digest']} -e unified_profiles_confirmed_by={NAME_PLACEHOLDER}, and its card "
            "comes again. If it was, the source is gone: look whether the workspace is the right one; then recover.",
            problem="source_gone",
        )

    def judge(self) -> None:
        """Read the evidence, and give the verdicts. What Segment may do to the source by itself is foreseen at the same time."""
        source, done = self.found["source"] or {}, self.found["handovers"]
        there = None if self.found["source_gone"] else source.get("id")
        call = self.call.derived(
            source_id=there,
            key_fingerprints=source.get("key_fingerprints", []),
            read_back=self.read_back,
            read_evidence=True,
        )
        reads: dict[str, Callable[[], t.Any]] = {"said": lambda: evaluate(call, seen=self.found["seen"])}
        # Of one that is enabled only now the next look tells.
        disabled = {finding["problem"] for finding in self.found["findings"]} & {"disabled", DISABLED_BY_SEGMENT}
        if there and source.get("enabled") and not disabled:
            reads["foreseen"] = lambda: foresee(call, there, open_ledger(call).read().steps)
        found: dict[str, t.Any] = gather(reads, call.workers)
        if isinstance(said := found["said"], Failure):
            raise said
        self.found["findings"] = [*self.found["findings"], *found.get("foreseen", [])]
        stands = "link" in done and done["link"]["status"] == "done" and said["steps"]["link"]["verdict"] == "attested"
        if stands and self.call["test_event"] and not self.call["sent_test_event"] and said["may_test"]:
            self.due.setdefault("link", "only a test event can show that it exists")
        if said["changed"]:
            self.due["record"] = "an acknowledgement is to be recorded"
        self._rotation(source, said)
        self.found["verdicts"], self.found["suspicions"] = said["steps"], said["suspicions"]
        self.gaps, self.alerts = said["unread"], said["alerts"]
        # The ledger knows what was done about it, unless it is so again.
        again = [_what(finding) for finding in self.found["findings"] if finding["problem"] in MENDED]
        recorded = [finding for finding in said["findings"] if _what(finding) not in again]
        known = [_what(finding) for finding in recorded]
        new = [finding for finding in self.found["findings"] if _what(finding) not in known]
        self.found["findings"] = [*recorded, *new]
        self.found["cards"] += said["cards"]
        card = restore_card(self.call, open_ledger(self.call).read())
        self.found["cards"] += [card] if card else []

    def _rotation(self, source: Mapping[str, t.Any], said: Mapping[str, t.Any]) -> None:
        """Say how far the rotation is, with a card where somebody has to look why no proof comes."""
        document, days = open_ledger(self.call).read(), datetime.timedelta(days=self.call["proof_max_age"])
        keys, now = source.get("key_fingerprints", []), self.call.segment_now()
        facts = Facts(document, source.get("id", ""), keys, now, proof_max_age=days, **(said["rotation"] or {}))
        if not self.found["rotation"]["told"]:
            self.found["rotation"] = open_rotation(facts)
        rotation = self.found["rotation"]
        if document.rotation and rotation["pending"] and rotation["phase"] == PHASES["prove"] and not facts.unread:
            why = proof(facts, document.rotation).why
            self.found["cards"].append(card_of_done(self.call, document, "key", f"{why}."))

    def name_account(self) -> None:
        """Read the account's name where there is a card: with many accounts in one browser nobody knows them by their SIDs."""
        asked_for = any(handover["card"] for handover in self.found["handovers"].values())
        if asked_for or self.found["cards"]:
            with contextlib.suppress(Failure):  # a standard API key may not
                account = self.call.sid("twilio_account_sid")
                self.found["account_name"] = self.call.in_passing().accounts().name(account)

    def take_snapshot(self) -> None:
        """Read what would be lost with the source. Where something is due, the look after it does."""
        if self.source and not self.due:
            self.found["snapshot"] = snapshot_due(self.call, self.source)


def _what(finding: t.Mapping[str, str]) -> tuple[str, str]:
    return finding["problem"], finding["detail"]


def _why(decision: Decision) -> str:
    if decision.send:
        return "it is to be sent to the endpoint"
    if decision.status == "pending":
        return "it is to be asked for"
    return f"it is to be recorded as done ({decision.how}{', by ' + decision.by if decision.by else ''})"


def _differences(plan: Plan) -> str:
    if plan.action == "create":
        return "there is none"
    told = {
        "name": f"it is called {plan.before.get('name')!r}",
        "enabled": "it is disabled",
        "labels": "labels are missing",
    }
    return "; ".join(told[name] for name in plan.changes)
