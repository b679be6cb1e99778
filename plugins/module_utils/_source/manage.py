# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The source as a managed resource, and its diagnosis."""

from __future__ import annotations

import typing as t
from contextlib import suppress

from .._base.errors import Ambiguous, ApiError, Failure, NotFound, Refused, TooLong, UnexpectedAnswer, UnknownOutcome
from .._clients.source import DISABLED_BY_SEGMENT, JAVA, Source, diagnose, find, require_java
from .._module.context import ModuleContext
from .._module.state import SET_BY_SEGMENT, Plan, Resource, State
from .._module.state import plan as make_plan
from .._module.values import check_labels, check_source_name
from .._module.wait import wait_for

# Findings with which to make or change a source would do harm.
HARMFUL = ("legacy_name", "wrong_type", "ambiguous")

# What a repair does about a finding.
MENDED = {"renamed": "renamed back", "disabled": "enabled again", DISABLED_BY_SEGMENT: "enabled again"}


class Diagnosis(t.TypedDict):
    """The source as it may be shown, None when there is none; and what is wrong with it; see :func:`diagnose`."""

    source: dict[str, t.Any] | None
    findings: list[dict[str, str]]


def diagnose_source(call: ModuleContext) -> Diagnosis:
    """Find the source and compare it with what is recorded; see the module segment_source_info.

    Raises:
        Refused: Recovering would do harm, and ``refuse_harm`` is true.
    """
    api, name = call.public_api(), call["source_name"]
    recorded = call["recorded_source_id"]
    found: Source | Failure | None
    try:
        sources = api.sources()
        found = (
            api.source_named(call["source_id"], name)
            or find(sources, name, call["ignore_legacy"], call["recorded_slug"] or "")
            # A list can be older than the last change, and a new name and slug hide a source from it.
            or api.source_named(recorded, name)
        )
        if found and recorded in {source.id for source in sources}:
            recorded = found.id  # another one of the name is not gone
    except (Ambiguous, Refused) as failure:
        found = failure
    audit = []
    if call["read_audit_trail"]:
        known = recorded or (found.id if isinstance(found, Source) else None)
        try:
            audit = api.audit_events(call.segment_now(), known)
        except TooLong as failure:
            call.warnings.append(failure.message)
        except ApiError as failure:
            if failure.status not in (401, 403):
                raise
    findings = diagnose(found, name, recorded, call["recorded_key_fingerprint"], audit)
    if call["refuse_harm"]:
        _refuse_harm(call, findings)
    return {"source": found.view() if isinstance(found, Source) else None, "findings": findings}


def _refuse_harm(call: ModuleContext, findings: list[dict[str, str]]) -> None:
    harmful = HARMFUL if call["recover_without_trace"] else (*HARMFUL, "absent")
    stop = [finding for finding in findings if finding["problem"] in harmful]
    if not stop:
        return
    way_out = (
        "The ledger names no source, and the audit trail shows no deleted one. A new source could rival the one that Connect "
        "creates. Run connect; or set unified_profiles_recover_without_trace if you know that there was one."
    )
    told = " ".join(finding["detail"] for finding in stop)
    problem = stop[0]["problem"]
    raise Refused(told, way_out if problem == "absent" else "", problem=problem, findings=findings)


class ManagedSource(Resource):
    """The source by id, name or slug, with the fields that this collection cares about.

    Attributes:
        findings: What was wrong with it before, as ``{problem, detail, by, since}``, with ``mended`` where it was repaired.

    Raises:
        OptionError: The name cannot be used.
    """

    def __init__(self, call: ModuleContext) -> None:
        check_source_name(call["source_name"])
        self.call = call
        self.api = call.public_api()
        self.name: str = call["source_name"]
        self.slug: str = call["source_slug"] or self.name
        labels = call["source_labels"] or {}
        check_labels("source_labels", labels)
        self.labels = {str(k): str(v) for k, v in labels.items()}
        self.source: Source | None = None
        self.sources: list[Source] = []
        self.findings: list[dict[str, str]] = []
        self.known_after_apply = {
            "id": SET_BY_SEGMENT,
            "slug": self.slug,
            "type": JAVA["slug"],
            "labels": {},
            "key_fingerprints": [SET_BY_SEGMENT],
        }

    def desired(self, current: State | None) -> State | None:
        if self.call["state"] == "absent":
            return None
        labels = {**(current["labels"] if current else {}), **self.labels}
        wanted = {"name": self.name, "enabled": self.call["enabled"], "labels": dict(sorted(labels.items()))}
        if current and not self.call["repair"]:
            # What has its slug for a name was just made with it, and is not named yet.
            kept = ("enabled",) if current["name"] == self.slug else ("name", "enabled")
            wanted |= {name: current[name] for name in kept}
        return wanted

    def fetch(self) -> State | None:
        current = self._look()
        self.findings = self._wrong(self.source) if self.source and self.call["state"] == "present" else []
        self._leave_out_missing_labels(current["labels"] if current else {})
        return current

    def _wrong(self, source: Source) -> list[dict[str, str]]:
        """The findings that a repair mends.

        The audit trail, which names who did it, is read only where there are any. Its failure stops no repair.
        """
        disabled = self.call["enabled"] and not source.enabled
        wrong = {"renamed": source.name != self.name, "disabled": disabled, DISABLED_BY_SEGMENT: disabled}
        if not any(wrong.values()):
            return []
        audit: list[dict[str, str]] = []
        with suppress(Failure):
            audit = self.api.audit_events(self.call.segment_now(), source.id)
        found = [it for it in diagnose(source, self.name, None, None, audit) if wrong.get(it["problem"])]
        if not self.call["repair"]:
            return [{**it, "detail": f"{it['detail']} It is left so."} for it in found]
        return found if self.call.check_mode else [{**it, "mended": MENDED[it["problem"]]} for it in found]

    def _leave_out_missing_labels(self, current: State) -> None:
        """A label that the workspace does not have is reported, and never stops a repair. Looked at before anything is changed."""
        wanted = {pair for pair in self.labels.items() if current.get(pair[0]) != pair[1]}
        if not wanted or self.call["state"] == "absent":
            return
        try:
            known = self.api.labels()
        except ApiError as failure:
            if failure.status not in (401, 403):
                raise
            return
        for key, value in sorted(wanted - known):
            del self.labels[key]
            self.call.warnings.append(
                f"source_labels: the workspace has no label '{key}: {value}', so the source is left without it. Make it in Segment "
                "(Settings > Labels)."
            )

    def wait_for_creation(self, check_mode: bool) -> State | None:
        if self.call["create"]:
            return None
        timeout = self.call["wait_timeout"]
        if check_mode and timeout:
            return {**self.known_after_apply, "slug": SET_BY_SEGMENT, "name": self.name, "enabled": True}
        if found := wait_for(self.call, "the source of the form", self._look, timeout, looked=True):
            return found
        waited = f" It did not appear within {timeout} s." if timeout else ""
        raise NotFound(
            f"There is no source '{self.name}' in the workspace.{waited}",
            "Twilio's connection form creates it. If the environment was connected before and the source was deleted, "
            "run the playbook recover.",
            problem="source_gone",
        )

    def check(self, plan: Plan) -> None:
        if plan.action == "create":
            self._see_that_the_slug_is_free()
            self._look_at_rights()
        if plan.action == "delete" and self.call["confirm_delete"] != plan.before["id"]:
            raise Refused(
                f"confirm_delete: the source '{plan.before['name']}' ({plan.before['id']}) is deleted for good, and is not "
                "confirmed.",
                f"To delete it, set confirm_delete to '{plan.before['id']}'.",
            )

    def apply(self, plan: Plan) -> State | None:
        if plan.action == "delete":
            self.api.delete_source(plan.before["id"])
            return None
        if self.source is None:
            self.source = self._create()
            # An adopted source may differ from what was asked for, and no request creates labels.
            current = self.source.view()
            plan = make_plan(self.desired(current), current)
        return self._update(self.source, plan)

    def _see_that_the_slug_is_free(self) -> None:
        """A source of another type keeps its slug when it is renamed out of the way."""
        for source in self.sources:
            if source.slug == self.slug:
                raise Refused(
                    f"The source '{source.name}' ({source.id}) of the type '{source.type}' has the slug '{source.slug}', which the new source "
                    "needs. Nothing was made.",
                    "Give that source another slug (PATCH /sources/{id} of Segment's Public API), or delete it; then run again.",
                    candidates=[source.id],
                    problem="slug_taken",
                )

    def _look_at_rights(self) -> None:
        """Warn of a token that sees no write keys: it may not create a source either.

        No refusal: a source of another kind may have no keys.
        """
        if self.sources and not any(source.keys for source in self.sources):
            self.call.warnings.append(
                "segment_token sees the write keys of no source, so it may not make one: that takes the role Source Admin (or Workspace Owner)."
            )

    def _look(self) -> State | None:
        self.source = self.api.source_named(self.call["source_id"], self.name) or self._find()
        if self.source and self.call["state"] == "present":
            require_java(self.source)
        return self.source.view() if self.source else None

    def _find(self) -> Source | None:
        self.sources = self.api.sources()
        return find(self.sources, self.name, self.call["ignore_legacy"], self.slug)

    def _create(self) -> Source:
        """Send one POST. When its outcome is not known, its answer shows no source or the slug is taken, adopt what is there instead."""
        for last in (False, True):
            try:
                return self.api.create_source(self.slug, JAVA["id"], self.call["enabled"])
            except (UnknownOutcome, UnexpectedAnswer, ApiError) as error:
                if isinstance(error, ApiError) and error.status not in (400, 409, 422):
                    raise
                source = self._find()
                if source is not None:
                    require_java(source)
                    return source
                # What was answered arrived, and is not sent again.
                if last or not isinstance(error, UnknownOutcome):
                    raise
        raise AssertionError("unreachable")

    def _update(self, source: Source, plan: Plan) -> State:
        """Send the changes: name and state in one request, labels in another."""
        if fields := {name: plan.changes[name] for name in ("name", "enabled") if name in plan.changes}:
            source = self.api.update_source(source.id, **fields)
        view = source.view()
        if "labels" in plan.changes:
            before = plan.before["labels"]
            changed = {key: value for key, value in plan.changes["labels"].items() if before.get(key) != value}
            try:
                self._set_labels(source, changed)
                view["labels"] = dict(sorted({**source.labels, **changed}.items()))
            except Failure as failure:  # what is cosmetic stops no repair
                told = f"The labels of the source {source.id} were not set. {failure.full_message}"
                self.findings.append({"problem": "labels", "detail": told, "by": "", "since": ""})
                self.call.warnings.append(told)
        return view

    def _set_labels(self, source: Source, changed: dict[str, str]) -> None:
        # The list is replaced as a whole, so what stays is sent along: both values of a key that is there twice, too.
        kept = [(key, value) for key, value in source.pairs if key not in changed]
        self.api.set_labels(source.id, [*kept, *changed.items()])
