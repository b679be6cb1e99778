# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources and write keys as managed resources."""

from __future__ import annotations

import datetime
import typing as t

from .._base.errors import Ambiguous, ApiError, Failure, NotFound, OptionError, Refused, UnknownOutcome
from .._base.text import INVISIBLE
from .._clients.source import JAVA, Source, diagnose, find, require_java
from .._module.context import ModuleContext
from .._module.state import SET_BY_SEGMENT, Plan, State


def diagnose_source(call: ModuleContext) -> dict[str, t.Any]:
    """Find the source and diagnose it; see the module segment_source_info."""
    api, name = call.public_api(), call["source_name"]
    found: Source | Failure | None
    try:
        found = find(api.sources(), name, call["ignore_legacy"])
        if found is None and call["recorded_source_id"]:
            # A list can be older than the last change, and a new name and slug hide a source from it.
            found = api.source_or_none(call["recorded_source_id"])
    except (Ambiguous, Refused) as failure:
        found = failure
    audit = []
    if call["read_audit_trail"]:
        try:
            audit = api.audit_events(call.transport.clock.now() - datetime.timedelta(days=90))
        except ApiError as failure:
            if failure.status not in (401, 403):
                raise
    findings = diagnose(found, name, call["recorded_source_id"], call["recorded_key_fingerprint"], audit)
    return {"source": found.view() if isinstance(found, Source) else None, "findings": findings}


class ManagedSource:
    """The source by id, name or slug, with the fields that this collection cares about."""

    def __init__(self, call: ModuleContext) -> None:
        if not call["source_name"].strip():
            raise OptionError("source_name", "is empty.", "Twilio expects 'twilio-unified-profiles'.")
        if call["source_name"] != call["source_name"].strip() or INVISIBLE.search(call["source_name"]):
            raise OptionError(
                "source_name",
                f"'{call['source_name']}' has white space at an end, or characters that nobody sees: it is another name.",
                "Type it again. Twilio expects 'twilio-unified-profiles'.",
            )
        self.call = call
        self.api = call.public_api()
        self.name = call["source_name"]
        self.labels = {str(k): str(v) for k, v in (call["source_labels"] or {}).items()}
        self.found: Source | None = None
        self.known_after_apply: State = {
            "id": SET_BY_SEGMENT,
            "slug": self.name,
            "type": JAVA["slug"],
            "labels": {},
            "key_fingerprints": [SET_BY_SEGMENT],
        }

    def desired(self) -> State | None:
        if self.call["state"] == "absent":
            return None
        labels = {**(self.found.labels if self.found else {}), **self.labels}
        return {"name": self.name, "enabled": self.call["enabled"], "labels": dict(sorted(labels.items()))}

    def fetch(self) -> State | None:
        self.found = self._look()
        if self.found is None:
            return None
        if self.call["state"] == "present":
            require_java(self.found)
        elif self.call["confirm_delete"] != self.found.id:
            raise Refused(
                f"confirm_delete: the source '{self.found.name}' ({self.found.id}) is deleted for good, and is not confirmed.",
                f"To delete it, set confirm_delete to '{self.found.id}'.",
            )
        return self.found.view()

    def wait_for_creation(self) -> State | None:
        if self.call["create"]:
            return None
        clock = self.call.transport.clock
        deadline = clock.monotonic() + self.call["wait_timeout"]
        while self.found is None and clock.monotonic() < deadline:
            clock.sleep(min(2.0, max(0.1, deadline - clock.monotonic())))
            self.found = self._look()
        if self.found is None:
            waited = f" It did not appear within {self.call['wait_timeout']} s." if self.call["wait_timeout"] else ""
            raise NotFound(
                f"There is no source '{self.name}' in the workspace.{waited}",
                "Twilio's connection form makes it. If the environment was connected before and the source was deleted, "
                "run the playbook recover.",
                problem="source_gone",
            )
        require_java(self.found)
        return self.found.view()

    def expected_creation(self) -> State | None:
        if self.call["create"]:
            return None
        if not self.call["wait_timeout"]:
            return self.wait_for_creation()
        return {**self.known_after_apply, "slug": SET_BY_SEGMENT, "name": self.name, "enabled": True}

    def apply(self, plan: Plan) -> State | None:
        if plan.action == "delete":
            self.api.delete_source(plan.before["id"])
            return None
        source = self.found or self._create()
        fields = {name: plan.after[name] for name in ("name", "enabled") if getattr(source, name) != plan.after[name]}
        if fields:
            source = self.api.update_source(source.id, **fields)
        labels = {**source.labels, **self.labels}
        if labels != source.labels:
            self._label(source)
        return {**source.view(), "labels": dict(sorted(labels.items()))}

    def _look(self) -> Source | None:
        if self.call["source_id"] and (source := self.api.source_or_none(self.call["source_id"])):
            return source
        return find(self.api.sources(), self.name, self.call["ignore_legacy"])

    def _create(self) -> Source:
        """Send one POST. When its outcome is not known or the slug is taken, adopt what is there instead."""
        for last in (False, True):
            try:
                return self.api.create_source(self.name, JAVA["id"], self.call["enabled"])
            except (UnknownOutcome, ApiError) as error:
                if isinstance(error, ApiError) and error.status not in (400, 409, 422):
                    raise
                source = find(self.api.sources(), self.name, self.call["ignore_legacy"])
                if source is not None:
                    require_java(source)
                    return source
                if last or isinstance(error, ApiError):
                    raise
        raise AssertionError("unreachable")

    def _label(self, source: Source) -> None:
        # The list is replaced as a whole, so what nobody asked about is sent along.
        kept = [(key, value) for key, value in source.pairs if key not in self.labels]
        try:
            self.api.set_labels(source.id, [*kept, *self.labels.items()])
        except ApiError as error:
            if error.status in (400, 404, 422):
                error.next_step = (
                    "A label must exist in the workspace (Settings > Labels) before it is put on a source."
                )
                error.message = f"source_labels: {error.message}"
            raise


class ManagedKeys:
    """The write keys of one source, by fingerprint."""

    known_after_apply: State = {}

    def __init__(self, call: ModuleContext) -> None:
        self.call = call
        self.api = call.public_api()
        self.source: Source | None = None

    def fetch(self) -> State:
        self.source = self.api.source(self.call["source_id"])
        if not self.source.keys:
            raise Refused(
                f"The write keys of the source {self.source.id} cannot be seen, so nothing is done to them.",
                "segment_token needs the role Source Admin.",
                problem="keys_not_visible",
            )
        return {"key_fingerprints": sorted(self.source.keys)}

    def desired(self) -> State:
        return {"key_fingerprints": self._wanted()}

    def _wanted(self) -> list[str]:
        keys = set(self.source.keys) if self.source else set()
        if self.call["state"] == "absent":
            if keys == {self.call["key_fingerprint"]}:
                raise Refused(
                    f"The key {self.call['key_fingerprint']} is the last one of the source, and is never removed.",
                    "Add another one first, and hand it over.",
                    problem="last_key",
                )
            return sorted(keys - {self.call["key_fingerprint"]})
        return sorted(keys) if keys - set(self.call["known_fingerprints"]) else [*sorted(keys), SET_BY_SEGMENT]

    def wait_for_creation(self) -> State | None:
        return None

    expected_creation = wait_for_creation

    def apply(self, plan: Plan) -> State:
        before = t.cast(Source, self.source)
        if self.call["state"] == "absent":
            self.api.remove_key(before.id, before.keys[self.call["key_fingerprint"]])
            return {"key_fingerprints": plan.after["key_fingerprints"]}
        try:
            after = self.api.add_key(before.id)
        except UnknownOutcome:
            after = self.api.source(before.id)
            if set(after.keys) <= set(before.keys):
                raise
        return {"key_fingerprints": sorted(after.keys)}
