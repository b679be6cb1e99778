# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Reads what ``_handover/drift.py`` compares. What has been read before in the same look is not requested again."""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Callable, Collection, Mapping, Sequence

from .._base.errors import ApiError, Failure, NotFound
from .._base.gather import gather
from .._clients.source import Source
from .._handover import handovers
from .._handover.drift import ATTRIBUTES, SHOWN_BY, Difference, Seen, candidates, compare, with_culprits
from .._handover.handover import HandOver
from .._handover.ledger_place import open_ledger
from .._handover.steps import STEPS
from .._handover.verdict import Verdict
from .._module.context import ModuleContext
from .._module.values import is_space_id, space_in_messages
from .flex import check_flex
from .space import refuse, validate

OF_THE_SOURCE = ("source", "name", "enabled", "type", "labels", "write_keys")
# A look says nothing for anybody.
NOBODY: dict[str, t.Any] = {
    "confirm": None,
    "confirm_digests": [],
    "attest_existing": None,
    "handover_again": [],
    "withdraw": [],
    "acknowledge": [],
    "test_event": False,
    "sent_test_event": None,
    "done_by_form": False,
    "form_done_by": None,
    "wait_timeout": 0,
}


class DriftLook:
    """A look at the state of one environment.

    Attributes:
        unread: Why an attribute could not be read.

    Raises:
        Failure: The look could not be done.
    """

    def __init__(self, call: ModuleContext) -> None:
        self.call = call.derived(**NOBODY)
        self.unread: dict[str, str] = {}

    def reach(self) -> dict[str, t.Any]:
        """See that every service can be asked, and that the credentials are those of this environment. See :func:`validate`."""
        reads: dict[str, Callable[[], t.Any]] = {
            "checks": lambda: validate(self.call, rights=False, fail=False),
            "sources": lambda: self.sources,
            "flex": lambda: self.flex,
            "document": lambda: self.document,
        }
        found: dict[str, t.Any] = gather(reads, self.call.workers)
        for failure in found.values():
            if isinstance(failure, Failure):
                raise failure
        checked: dict[str, t.Any] = found["checks"]
        excused: set[str] = set()
        if checked["workspace"]:
            excused |= {"space", "pair"} if self.space_gone else {"space"}
        refuse([check for check in checked["checks"] if check["check"] not in excused])
        return checked

    @functools.cached_property
    def document(self) -> t.Any:
        return open_ledger(self.call).read()

    @functools.cached_property
    def recorded(self) -> handovers.RecordedFacts:
        return handovers.recorded_facts(self.document.steps)

    @functools.cached_property
    def sources(self) -> Sequence[Source] | None:
        """Those that may be meant; None where the token may not list them."""
        return t.cast("Sequence[Source] | None", self._allowed(OF_THE_SOURCE, self._candidates))

    @functools.cached_property
    def space_gone(self) -> bool:
        """Return whether there is no such space. What cannot be the id of one is refused elsewhere, and asked of nobody."""
        space = self.call["space_id"]
        if not is_space_id(space):
            return False
        try:
            self._allowed(("space",), lambda: self.call.public_api().space(space_in_messages(space)))
        except NotFound:
            return True
        except ApiError as failure:
            if failure.status != 404:
                raise
            return True
        return False

    @functools.cached_property
    def flex(self) -> str:
        """The problem with Flex; empty if there is none."""
        # Credentials that are no good are refused with 401, by all of Twilio.
        found = self._allowed(("flex",), lambda: check_flex(self.call, fail=False)["flex"], (403,))
        if found is None or found["ready"]:
            return ""
        if found["status"] != "ok":
            return str(found["status"])
        return str(found["reason"].rstrip("."))

    def handovers(self, known: Mapping[str, HandOver]) -> dict[str, HandOver]:
        """Each hand-over, looked at if it is not known yet. One that needs a source which is not there is left out."""
        source = self.sources[0] if self.sources else None
        keys = sorted(source.keys) if source else []
        # What cannot be seen is taken for what the ledger says.
        if self.recorded["key_fingerprint"] and not keys:
            keys = [self.recorded["key_fingerprint"]]
        source_id = source.id if source else self.recorded["source_id"] if self.sources is None else None
        needs = {"connection": True, "link": bool(source_id), "key": bool(source_id and keys)}
        found = {step: handover for step, handover in known.items() if needs[step]}
        for step in STEPS:
            if step in found or not needs[step]:
                continue
            endpoint = (self.call["endpoints"] or {}).get(step)
            of_step = self.call.derived(endpoint=endpoint, source_id=source_id, key_fingerprints=keys)
            try:
                handover = getattr(handovers, step)(of_step)
                handover.fetch()
            except Failure as failure:
                self.unread[step] = failure.full_message
                continue
            found[step] = handover
        return found

    def differences(
        self,
        looked_at: Mapping[str, HandOver],
        verdicts: Mapping[str, Verdict],
        gaps: Mapping[str, str],
        alerts: Sequence[str],
    ) -> list[Difference]:
        """Compare all with what is expected.

        Args:
            looked_at: The hand-overs.
            verdicts: How sure it is that each took effect; empty where nobody judged.
            gaps: Why a read of the evidence failed, by the name of the read.
            alerts: The codes of the alerts that count.
        """
        call, sources = self.call, self.sources
        if sources and not sources[0].keys:
            self.unread["write_keys"] = ATTRIBUTES["write_keys"].unknown
        for step, reads in SHOWN_BY.items():
            told = next((gaps[read] for read in reads if read in gaps), "")
            if told and step in verdicts and verdicts[step]["verdict"] == "attested":
                self.unread.setdefault(step, told)
        found = compare(
            Seen(
                source_name=call["source_name"],
                space_id=call["space_id"],
                labels={str(key): str(value) for key, value in (call["source_labels"] or {}).items()},
                source_id=self.source_id,
                key_named=bool(call["key_fingerprint"]),
                repair=call["repair"],
                document=self.document,
                sources=sources,
                space_gone=self.space_gone,
                flex=self.flex,
                steps={step: handover.facts for step, handover in looked_at.items()},
                verdicts=verdicts,
                alerts=alerts,
                key_max_age=call["key_max_age"],
                now=call.segment_now(),
            )
        )
        if not any(ATTRIBUTES[difference["attribute"]].events for difference in found):
            return found
        about = (sources[0].id if sources else self.source_id) or ""
        try:
            trail = call.public_api().audit_events(call.segment_now(), about or None)
        except Failure as failure:
            call.warnings.append(f"Who changed it is not known. {failure.full_message}")
            return found
        return with_culprits(found, trail, about, call["space_id"])

    @property
    def source_id(self) -> str | None:
        """The source that should be there, if anybody says which."""
        return t.cast("str | None", self.call["source_id"] or self.recorded["source_id"])

    def _candidates(self) -> list[Source]:
        api, wanted = self.call.public_api(), self.source_id
        # What the inventory names decides between several of the name.
        if one := api.source_named(self.call["source_id"], self.call["source_name"]):
            return [one]
        found = candidates(api.sources(), wanted, self.call["source_name"])
        # A list can be older than the last change.
        if wanted and not any(source.id == wanted for source in found) and (one := api.source_or_none(wanted)):
            return [one, *found]
        return found

    def _allowed(
        self, attributes: Sequence[str], ask: Callable[[], t.Any], refused: Collection[int] = (401, 403)
    ) -> t.Any:
        """The answer; None where the token may not ask."""
        try:
            return ask()
        except ApiError as failure:
            if failure.status not in refused:
                raise
            self.unread |= dict.fromkeys(attributes, failure.full_message)
            return None
