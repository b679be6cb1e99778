# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""A Segment source as this collection knows it, and the choice of the one that is meant among many. Pure."""

from __future__ import annotations

import functools
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .._base.errors import Ambiguous, Failure, Refused
from .._base.secret import Secret

DEFAULT_NAME = "twilio-unified-profiles"
LEGACY_NAME = "flex-unify-server-source"
# What the audit trail calls it, and Segment where it acted itself; an event that was forwarded has the second name.
CREATED, ENABLED = "Source Created", "Source Enabled"
SEGMENT_ITSELF = ("Segment", "__system__")
# After so many without an enabled destination Segment disables a source.
IDLE_DAYS = 14
# Problems that enabling the source does not cure.
DISABLED_BY_SEGMENT, MAY_BE_DISABLED = "disabled_by_segment", "may_be_disabled"
CURES = (
    f"Segment did that itself, for want of an enabled destination for {IDLE_DAYS} days. Enabling it again lasts for {IDLE_DAYS} days, unless it "
    "gets one (a warehouse may do). Segment also grants exceptions, which are requested by a form."
)
JAVA = {"slug": "java", "id": "V6ynUvQgbc"}


@dataclass(frozen=True)
class Source:
    """A source as the Public API describes it. ``keys`` maps fingerprints to write keys.

    ``labels`` has one value for each key; ``pairs`` has all labels, should a key be there twice.
    """

    id: str
    slug: str
    name: str
    enabled: bool
    type: str
    type_id: str
    labels: Mapping[str, str] = field(default_factory=dict)
    pairs: tuple[tuple[str, str], ...] = ()
    keys: Mapping[str, Secret] = field(default_factory=dict, repr=False)

    @property
    def is_java(self) -> bool:
        return self.type == JAVA["slug"] or self.type_id == JAVA["id"]

    def view(self) -> dict[str, t.Any]:
        """The fields that may be shown and compared."""
        return {
            "id": self.id,
            "slug": self.slug,
            "name": self.name,
            "enabled": self.enabled,
            "type": self.type,
            "labels": dict(sorted(self.labels.items())),
            "key_fingerprints": sorted(self.keys),
        }


def slugs(name: str) -> set[str]:
    """The spellings that Segment makes of a name: as sent through the API, and with underscores in the app."""
    return {name, name.replace("-", "_")}


def find(sources: Iterable[Source], name: str, ignore_legacy: bool = False, slug: str = "") -> Source | None:
    """The source that is meant by a name: the exact name first, then either slug spelling, which means "renamed".

    A source of another type that was renamed is out of the way: its slug stays, and cannot be meant. ``slug`` is another one that
    means this source, because it was about to be made with it.

    Raises:
        Ambiguous: More than one fits.
        Refused: Only the older official source exists.
    """
    sources = list(sources)
    meant = slugs(name) | {slug or name}
    matches = [s for s in sources if s.name == name] or [s for s in sources if s.slug in meant and s.is_java]
    if len(matches) > 1:
        listed = ", ".join(f"{s.id} (slug {s.slug}, {'enabled' if s.enabled else 'disabled'})" for s in matches)
        raise Ambiguous(
            f"{len(matches)} sources fit the name '{name}': {listed}.",
            "Rename or delete all but the one that Twilio uses, or give its id as source_id.",
            candidates=[s.id for s in matches],
        )
    if matches:
        return matches[0]
    legacy = [s for s in sources if slugs(LEGACY_NAME) & {s.name, s.slug}]
    if legacy and name != LEGACY_NAME and not ignore_legacy:
        raise Refused(
            f"There is no source '{name}', and there is the older official source '{LEGACY_NAME}' ({legacy[0].id}).",
            f"It is never renamed silently: set source_name to '{LEGACY_NAME}' to work with it, or ignore_legacy to true.",
            candidates=[legacy[0].id],
            problem="legacy_name",
        )
    return None


def require_java(source: Source) -> None:
    """Raises Refused when the source is of another type, which Segment cannot change."""
    if not source.is_java:
        raise Refused(
            f"The source '{source.name}' ({source.id}) is of the type '{source.type}', and must be Java.",
            "A source's type cannot be changed: rename that source to something else, then run recover.",
            candidates=[source.id],
            problem="wrong_type",
        )


def _finding(
    audit: Iterable[Mapping[str, str]], name: str, problem: str, detail: str, kind: str = "", id_: str | None = None
) -> dict[str, str]:
    """A finding, with the newest event of this kind: about the source with this id, else about one of this name."""
    fits = (e for e in audit if e["type"] == kind and (e["id"] == id_ if id_ else e["name"] == name))
    event: Mapping[str, str] = next(fits, {})
    if not event:
        return {"problem": problem, "detail": f"{detail}.", "by": "", "since": ""}
    told = f"{detail} ({kind} by {event['by'] or 'somebody'} at {event['at']})."
    return {"problem": problem, "detail": told, "by": event["by"], "since": event["at"]}


def diagnose(
    source: Source | Failure | None,
    name: str,
    recorded_id: str | None,
    recorded_key: str | None,
    audit: Iterable[Mapping[str, str]],
) -> list[dict[str, str]]:
    """The problems with the source, as ``{problem, detail, by, since}``, empty when there are none.

    Each ``detail`` stays true once the problem is mended. Nobody and no time are named where the audit trail shows none.

    Args:
        source: What :func:`find` returned, or the failure that it raised.
        name: The name that the source should have.
        recorded_id: The id that was last handed over, if any.
        recorded_key: The fingerprint of the write key that was last handed over, if any.
        audit: Events of the audit trail; empty also when it could not be read.
    """
    found = functools.partial(_finding, sorted(audit, key=lambda e: e["at"], reverse=True), name)
    if isinstance(source, Failure):
        problem, detail = source.facts.get("problem", source.kind), source.full_message
        return [{"problem": problem, "detail": detail, "by": "", "since": ""}]
    deleted = found("deleted", f"The source {recorded_id or name} is gone", "Source Deleted", recorded_id)
    if source is None:
        if recorded_id or deleted["since"]:
            return [deleted]
        return [found("absent", f"No source '{name}', and no trace that there ever was one")]
    replaced = recorded_id is not None and recorded_id != source.id
    findings = [deleted] if replaced else []
    if source.name != name:
        findings.append(
            found("renamed", f"The source {source.id} was renamed to '{source.name}'", "Source Modified", source.id)
        )
    if not source.enabled:
        disabled = found("disabled", f"The source {source.id} was disabled", "Source Disabled", source.id)
        if disabled["by"] in SEGMENT_ITSELF:
            disabled |= {"problem": DISABLED_BY_SEGMENT, "detail": f"{disabled['detail']} {CURES}"}
        findings.append(disabled)
    if not source.is_java:
        findings.append(found("wrong_type", f"The source {source.id} is of the type '{source.type}', and must be Java"))
    if not source.keys:
        findings.append(found("keys_not_visible", "The token cannot see write keys: it lacks Source Admin"))
    elif replaced:
        pass  # its key is another one, of course
    elif recorded_key and recorded_key not in source.keys:
        findings.append(
            found("key_removed", f"The key {recorded_key} that Twilio was given is no longer on the source")
        )
    elif recorded_id and not recorded_key:
        findings.append(found("key_never_handed_over", "No hand-over of this source's key is recorded"))
    return findings
