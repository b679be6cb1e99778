# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Drift: what is expected and is not there, attribute by attribute. Pure."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .._clients.source import JAVA, SEGMENT_ITSELF, Source, slugs
from .._module.values import space_in_messages
from .decide import Facts
from .handovers import recorded_facts
from .ledger import LedgerDocument
from .rotation import first_seen
from .steps import STEPS
from .verdict import DISCONNECTED, Verdict


class _Difference(t.TypedDict):
    attribute: str
    expected: str
    found: str
    since: str
    by: str
    mend: str
    accepted: str


class Difference(_Difference, total=False):
    """One attribute that is not as it should be. All strings, fit for a report.

    Attributes:
        attribute: A name in :data:`ATTRIBUTES`.
        expected: The value that is expected; of a secret the fingerprint.
        found: The value that is set. An acceptance names exactly this text.
        since: When the audit trail has it changed, in UTC; empty where it does not tell.
        by: Who changed it; empty where the trail does not tell.
        mend: What would mend it.
        accepted: Why it is accepted, and until when; empty where it is not.
        seen: When a look first found it; empty where this one did.
    """

    seen: str


class Attribute(t.NamedTuple):
    """The rules for an attribute. docs/drift.md has the same table.

    Attributes:
        expected: Where the expected value comes from.
        drift: What counts as a difference.
        unknown: When it cannot be read.
        events: What the audit trail calls such a change.
        steps: The hand-overs that cannot be better than the attribute is.
    """

    expected: str
    drift: str
    unknown: str
    events: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()


NO_SOURCES = "The token may not list sources."
NO_PROOF = "Its endpoint cannot be read; or nothing proves it, and what could prove it cannot be read."
ATTRIBUTES: dict[str, Attribute] = {
    "source": Attribute(
        "the ledger, or unified_profiles_source_id",
        "The source is gone, is another one, or is one of several of its name, and unified_profiles_source_id names none of them.",
        NO_SOURCES,
        ("Source Deleted", "Source Created"),
        ("link", "key"),
    ),
    "name": Attribute("unified_profiles_source_name", "The source has another name.", NO_SOURCES, ("Source Modified",)),
    "enabled": Attribute("always true", "The source is disabled.", NO_SOURCES, ("Source Disabled",)),
    "type": Attribute("always java", "The source is of another type.", NO_SOURCES, ("Source Modified",)),
    "labels": Attribute(
        "unified_profiles_source_labels",
        "A label is missing, or has another value. More labels are no drift.",
        NO_SOURCES,
        ("Source Modified",),
    ),
    "write_keys": Attribute(
        "the ledger",
        "A key that was there when one was handed over is gone, or there is one that the ledger does not know.",
        "The token does not see write keys (it lacks Source Admin).",
        ("Source Modified",),
        ("key",),
    ),
    "key_age": Attribute(
        "unified_profiles_key_max_age",
        "The key that was handed over is older, and no rotation is open. Without the setting age is no drift.",
        "The ledger never saw the key.",
    ),
    "space": Attribute(
        "unified_profiles_space_id",
        "The space is gone, or another one was handed over.",
        "The token may not read the space.",
        ("Space Deleted",),
        ("connection", "link"),
    ),
    "connection": Attribute(
        "the ledger and the inventory",
        "The endpoint reads back something else, Twilio raised an alert since, or the inventory says something else than was handed over.",
        NO_PROOF,
        (),
        ("connection",),
    ),
    "link": Attribute(
        "the ledger",
        "The endpoint reads back another source, or the audit trail shows that the source was disconnected from the space.",
        NO_PROOF,
        (DISCONNECTED,),
        ("link",),
    ),
    "key": Attribute(
        "the ledger, or unified_profiles_key_fingerprint",
        "The endpoint reads back another key, or the inventory names another one than was handed over.",
        NO_PROOF,
        (),
        ("key",),
    ),
    "flex": Attribute(
        "always ready",
        "Flex is not set up, is too old, or is another account's.",
        "Twilio lets the credentials not read Flex.",
    ),
}
# What each of these reads of the evidence could show.
SHOWN_BY = {
    "connection": ("alerts",),
    "link": ("trail", "only_space", "volume", "senders", "space_events", "others"),
    "key": ("trail", "volume", "senders"),
}
NOTHING = "nothing"
# Fields of a hand-over that have an attribute of their own.
OWN_ATTRIBUTE = {"source_id": "source", "space_id": "space"}


@dataclass(frozen=True)
class Seen:
    """The state of an environment as it was read, and as it should be.

    Attributes:
        source_name: The inventory's.
        space_id: The inventory's.
        labels: The inventory's.
        source_id: The source that the inventory or else the ledger names, None if neither does.
        key_named: Whether the inventory names the key.
        repair: Whether a run may mend it.
        document: The ledger.
        sources: Those that may be meant, from :func:`candidates`; None if they could not be read.
        space_gone: Whether there is no such space.
        flex: What is wrong with Flex; empty if nothing is.
        steps: What is known of each hand-over; one that could not be looked at is left out.
        verdicts: How sure it is that each took effect.
        alerts: The codes of the alerts that count.
        key_max_age: From how many days on a key is too old; None where age does not count.
        now: The time.
    """

    source_name: str
    space_id: str
    labels: Mapping[str, str] = field(default_factory=dict)
    source_id: str | None = None
    key_named: bool = False
    repair: bool = True
    document: LedgerDocument = field(default_factory=lambda: LedgerDocument(""))
    sources: Sequence[Source] | None = ()
    space_gone: bool = False
    flex: str = ""
    steps: Mapping[str, Facts] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    alerts: Sequence[str] = ()
    key_max_age: float | None = None
    now: datetime.datetime | None = None


def candidates(sources: Iterable[Source], source_id: str | None, name: str) -> list[Source]:
    """The sources that may be meant, the likeliest first: the one of this id, and those that pass for it by name."""
    listed = list(sources)
    known = [source for source in listed if source.id == source_id]
    named = [source for source in listed if source.name == name]
    if not known and not named:
        named = [source for source in listed if source.slug in slugs(name) and source.is_java]
    return [*known, *(source for source in named if source.id != source_id)]


def compare(seen: Seen) -> list[Difference]:
    """Every difference, in the order of the attributes. Who made it, and whether it is accepted, is not in it yet."""
    found = [*_of_source(seen), *_of_space(seen), *_of_steps(seen)]
    if seen.flex:
        found.append(
            _difference("flex", "ready", seen.flex, "Set Flex up for this account, or correct the credentials.")
        )
    return sorted(found, key=lambda difference: [*ATTRIBUTES].index(difference["attribute"]))


def _difference(attribute: str, expected: str, found: str, mend: str) -> Difference:
    return {
        "attribute": attribute,
        "expected": expected,
        "found": found,
        "since": "",
        "by": "",
        "mend": mend,
        "accepted": "",
    }


def _of_source(seen: Seen) -> Iterator[Difference]:
    if seen.sources is None or not (seen.sources or seen.source_id):
        return
    expected, found = seen.source_id or "one", ", ".join(source.id for source in seen.sources)
    if not seen.sources:
        yield _difference("source", expected, NOTHING, "Run recover: it creates the source again.")
        return
    source = seen.sources[0]
    if len(seen.sources) > 1:
        mend = "Rename or delete all but the one that Twilio uses, or name it (unified_profiles_source_id)."
        yield _difference("source", expected, found, mend)
    elif seen.source_id not in (None, source.id):
        mend = "Run recover: it hands over the source that is there."
        if recorded_facts(seen.document.steps)["source_id"] == source.id:
            mend = (
                f"Write {source.id} as unified_profiles_source_id: what it names is gone, and this one was handed over."
            )
        yield _difference("source", expected, found, mend)
    mend = "Run connect." if seen.repair else "Run connect with unified_profiles_repair: true."
    if source.name != seen.source_name:
        yield _difference("name", seen.source_name, source.name or NOTHING, mend)
    if not source.enabled:
        yield _difference("enabled", "true", "false", mend)
    if not source.is_java:
        mend_type = "A type cannot be changed: rename that source to something else, then run recover."
        yield _difference("type", JAVA["slug"], source.type or source.type_id or NOTHING, mend_type)
    wanted = {key: value for key, value in sorted(seen.labels.items()) if source.labels.get(key) != value}
    if wanted:
        there = [f"{key}: {source.labels[key]}" if key in source.labels else f"no {key}" for key in wanted]
        expected = ", ".join(f"{key}: {value}" for key, value in wanted.items())
        yield _difference("labels", expected, ", ".join(there), f"{mend} The workspace must have the labels.")
    yield from _of_keys(seen.document, source)
    yield from _of_age(seen, source)


def _of_keys(document: LedgerDocument, source: Source) -> Iterator[Difference]:
    """The difference of the write keys; none if the record is of another source, or no key is visible."""
    record = document.steps["key"].get("done")
    if not record or record["subject"].get("source_id") != source.id or not source.keys:
        return
    recorded = {record["subject"].get("key_fingerprint", ""), *record.get("keys", ())} - {""}
    known = recorded | document.seen_keys.keys() | _of_rotation(document)
    if asked := document.steps["key"].get("asked"):
        known |= {asked["subject"].get("key_fingerprint", ""), *asked.get("keys", ())}
    gone, new = recorded - source.keys.keys(), source.keys.keys() - known
    if not (gone or new):
        return
    mend = []
    if record["subject"].get("key_fingerprint") in gone:
        mend.append("Run connect: it hands over a key that is there.")
    elif gone:
        mend.append("Whoever used the key that is gone needs another one.")
    if new:
        mend.append(f"Remove what nobody needs ({', '.join(sorted(new))}), and ask who made it.")
    yield _difference(
        "write_keys",
        ", ".join(sorted(recorded | (source.keys.keys() - new))),
        ", ".join(sorted(source.keys)),
        " ".join(mend),
    )


def _of_age(seen: Seen, source: Source) -> Iterator[Difference]:
    """A key whose rotation is open is on its way out."""
    record = seen.document.steps["key"].get("done")
    key = str(record["subject"].get("key_fingerprint", "")) if record else ""
    if seen.key_max_age is None or seen.document.rotation or key not in source.keys:
        return
    since = first_seen(seen.document, key)
    if since and seen.now and seen.now - since >= datetime.timedelta(days=seen.key_max_age):
        expected = f"at most {seen.key_max_age:g} days"
        yield _difference("key_age", expected, f"{key} since {since.date().isoformat()}", "Run rotate.")


def _of_rotation(document: LedgerDocument) -> set[str]:
    rotation = document.rotation
    return {*rotation["before"], rotation["old"], rotation.get("new", "")} if rotation else set()


def _of_space(seen: Seen) -> Iterator[Difference]:
    handed_over = [
        facts.recorded["done"]["subject"].get("space_id") for facts in seen.steps.values() if "done" in facts.recorded
    ]
    others = sorted({space for space in handed_over if space and space != seen.space_id})
    expected = str(space_in_messages(seen.space_id))
    if seen.space_gone:
        mend = "It cannot be brought back: name another one (unified_profiles_space_id), then run connect."
        yield _difference("space", expected, NOTHING, mend)
    elif others:
        yield _difference("space", expected, ", ".join(others), "Run connect: it hands over the one of the inventory.")


def _of_steps(seen: Seen) -> Iterator[Difference]:
    """The differences of hand-overs that were done, and are undone or not what the inventory says now."""
    for step, facts in seen.steps.items():
        done = facts.recorded.get("done")
        if not done:
            continue
        field_read, subject = facts.step.read_back_field, done["subject"]
        expected = str(subject.get(field_read, ""))
        changed = {
            name for name in {*subject, *facts.expected} if subject.get(name) != facts.expected.get(name)
        } - OWN_ATTRIBUTE.keys()
        if step == "key" and not seen.key_named:
            changed.discard("key_fingerprint")
        if facts.read_back is True:
            changed.discard(field_read)
        elif facts.shown is not None and facts.shown != expected:
            yield _difference(step, expected, facts.shown or NOTHING, "Run connect: it hands it over again.")
            continue
        if changed:
            should, there = (
                ", ".join(f"{name}: {values.get(name, NOTHING)}" for name in sorted(changed))
                for values in (facts.expected, subject)
            )
            yield _difference(step, should, there, "Run connect: it hands over what the inventory says.")
        elif step in seen.verdicts and seen.verdicts[step]["verdict"] == "broken":
            alerts = ", ".join(f"alert {code}" for code in seen.alerts)
            should, there = ("no alert", alerts) if step == "connection" else ("connected", "disconnected")
            yield _difference(step, should, there, "Hand it over again, as its card says.")


def with_culprits(
    differences: Sequence[Difference], trail: Iterable[Mapping[str, str]], source_id: str, space_id: str
) -> list[Difference]:
    """The differences, with the newest event of the audit trail that is such a change of that resource.

    Args:
        differences: Of one environment.
        trail: ``{type, at, by, id, name}``, in any order.
        source_id: The source that there is, or was.
        space_id: The space.
    """
    newest_first = sorted(trail, key=lambda event: event["at"], reverse=True)

    def known(difference: Difference) -> Difference:
        attribute = difference["attribute"]
        ids = {space_id} if attribute == "space" else {source_id}
        if attribute == "source":
            ids = {difference["expected"], *difference["found"].split(", ")}
        for event in newest_first:
            if event["type"] in ATTRIBUTES[attribute].events and event["id"] in ids:
                return {**difference, "since": event["at"], "by": event["by"]}
        return difference

    return [known(difference) for difference in differences]


def disabled_by_segment(difference: Difference) -> bool:
    """Return whether nobody but Segment disabled the source."""
    return difference["attribute"] == "enabled" and difference["by"] in SEGMENT_ITSELF


def sentence(difference: Difference) -> str:
    """A difference, for a person."""
    by = f" by {difference['by']}" if difference["by"] else ""
    since = f" at {difference['since']}" if difference["since"] else ""
    changed = (
        f" (changed{by}{since})" if by or since else f" (seen since {seen})" if (seen := difference.get("seen")) else ""
    )
    told = f"{difference['attribute']}: is {difference['found']}, and should be {difference['expected']}{changed}"
    return f"{told}; accepted: {difference['accepted']}." if difference["accepted"] else f"{told}."


def mended_by(difference: Difference) -> set[str]:
    """The hand-overs that mend it. The connection's form creates a source, and hands link and key over as well."""
    steps = {*ATTRIBUTES[difference["attribute"]].steps}
    return steps | {"connection"} if steps else steps


def explained(differences: Sequence[Difference]) -> set[str]:
    """The hand-overs that cannot be better than what is accepted."""
    return {step for it in differences if it["accepted"] for step in ATTRIBUTES[it["attribute"]].steps if step in STEPS}
