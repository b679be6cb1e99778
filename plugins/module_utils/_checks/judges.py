# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The answers in one look at an environment, and how they speak for or against an assumption. Pure.

A report of this goes to a public issue. So a detail consists of words of this file and of statuses. Nothing in it was
sent by a server or configured by a person. Names of fields and headers are those that are looked for.
"""

from __future__ import annotations

import datetime
import email.utils
import re
import typing as t
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .._base.times import parse_time
from .._clients.services import (
    SEGMENT_PROFILE,
    SEGMENT_PUBLIC,
    TWILIO_CONNECTOR,
    TWILIO_FLEX,
    TWILIO_MONITOR,
    TWILIO_SYNC,
    ApiInfo,
)
from .._clients.source import CREATED, ENABLED, JAVA, SEGMENT_ITSELF, slugs
from .._clients.twilio_sync import DOCUMENT
from .._handover.counts import FLEX_EVENTS
from .._handover.verdict import CONNECTED, DISCONNECTED, EDITED, LATENESS
from .._http.response import Exchange
from .._source.keeping import IDLE, LATE, enabled_since

SEEN, CONTRADICTED, NOT_VISIBLE, NOT_LOOKED_AT = "seen", "contradicted", "not visible", "not looked at"

DESTINATIONS, WAREHOUSES = "/sources/{source}/connected-destinations", "/sources/{source}/connected-warehouses"
AUDIT, VOLUME, SPACE_EVENTS = "/audit-events", "/events/volume", "/spaces/{space}/events"
VENDORS = ("application/json", *(f"application/vnd.segment.v1{stage}+json" for stage in ("", "alpha", "beta")))
# Others are not repeated: a proxy may have put its own words there.
TOLD_MEDIA = (*VENDORS, "text/html", "text/plain", "application/problem+json")
CODES = {
    400: ("invalid_request_error", "validation_error"),
    401: ("authentication_error",),
    403: ("forbidden",),
    404: ("not_found",),
}
OTHER_CODES = ("unauthorized", "bad_request", "rate_limit_error")
EVENT_TYPES = (
    *(CREATED, EDITED, ENABLED, CONNECTED, DISCONNECTED),
    *(
        "Source Deleted",
        "Source Disabled",
        "Source Settings Modified",
        "Space Created",
        "Space Modified",
        "Space Deleted",
    ),
)
WIDTHS = {"MINUTE": 60, "HOUR": 3600, "DAY": 86400}

KINDS = {
    str: "a string",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    dict: "an object",
    list: "a list",
    type(None): "null",
}
STRING, NUMBER, OBJECT, LIST = (str,), (int, float), (dict,), (list,)
Fields = Mapping[str, Collection[type]]
NAMED: Fields = {"id": STRING, "slug": STRING, "name": STRING}
SOURCE: Fields = {
    **{"id": STRING, "slug": STRING, "name?": STRING, "workspaceId": STRING, "enabled": (bool,)},
    **{"writeKeys": LIST, "metadata": OBJECT, "settings?": (dict, type(None)), "labels": LIST},
}
METADATA: Fields = {**NAMED, "status": STRING}
EVENT: Fields = {
    **{"id": STRING, "timestamp": STRING, "type": STRING, "actor": STRING, "actorEmail?": STRING},
    **{"resourceId": STRING, "resourceType": STRING, "resourceName": STRING},
}
COUNTED: Fields = {"path": STRING, "query": OBJECT, "result": LIST}
COUNT: Fields = {"eventName": STRING, "source": OBJECT, "total": NUMBER, "series": LIST}
SPACE_EVENT: Fields = {"name": STRING, "type": STRING, "lastSeenAt": STRING}
FLEX: Fields = {"account_sid": STRING, "status": STRING}
TWILIO_ERROR: Fields = {"code": (int,), "message": STRING, "more_info": STRING, "status": (int,)}
ALERT: Fields = {"sid": STRING, "error_code": STRING, "date_generated": STRING}


# The reads beyond a survey, which probe.py makes.
ALL_SPACES = "GET /spaces"
PLAIN_SPACE = "GET /spaces/{space} as application/json"
NO_SOURCE = "GET /sources/{an id that does not exist}"
TRAIL = "GET /audit-events"
COUNTS = "GET /events/volume of 35 days"
OF_SPACE = "GET /spaces/{space}/events"
KEEPERS = "GET connected destinations and warehouses of the source"
OTHER_SPACE = "GET the metadata of a profile in another space of the workspace"
OF_TEST_EVENT = "GET the metadata of the test event's profile"
OLD_ALERTS = "GET /v1/Alerts of 40 days ago"
CONNECTOR = "GET /ProfileConnector/Instances/{account}"


class Judgement(t.TypedDict):
    """The verdict of an environment on an assumption. The detail is a part of a sentence; it may be empty."""

    verdict: str
    detail: str


@dataclass(frozen=True)
class Observed:
    """The answers in one look at one environment.

    Attributes:
        survey: The exchanges of a survey.
        more: Those of each read beyond it, by its name.
        source_name: The name that the source should have.
        space_id: The environment's space.
        segment_region: Segment's region of the workspace.
        twilio_region: Twilio's region, empty where it is the usual one.
        segment_token: The token. Nothing but its shape is looked at.
        now: The time by Segment's clock.
    """

    survey: Sequence[Exchange]
    more: Mapping[str, Sequence[Exchange]] = field(default_factory=dict)
    source_name: str = ""
    space_id: str = ""
    segment_region: str = ""
    twilio_region: str = ""
    segment_token: str = field(default="", repr=False)
    now: datetime.datetime = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

    def answers(self, *services: ApiInfo, path: str = "", status: int | None = 200) -> list[Exchange]:
        """The answers of these services; with a path or a status, those alone."""
        names = {service.name for service in services}
        every = [*self.survey, *(one for exchanges in self.more.values() for one in exchanges)]
        return [
            one for one in every if one.service in names and path in ("", one.path) and status in (None, one.status)
        ]

    def refusals(self, *services: ApiInfo) -> list[Exchange]:
        return [one for one in self.answers(*services, status=None) if one.status >= 400]

    def items(self, path: str, name: str) -> list[t.Any]:
        """The items of a listing of the Public API."""
        return [item for one in self.answers(SEGMENT_PUBLIC, path=path) for item in list_at(one.body, "data", name)]

    @property
    def sources(self) -> list[dict[str, t.Any]]:
        return [item for item in self.items("/sources", "sources") if isinstance(item, dict)]

    @property
    def named(self) -> list[dict[str, t.Any]]:
        """The source that the environment is about, or several of its name."""
        return [source for source in self.sources if source.get("name") == self.source_name]

    @property
    def source_ids(self) -> set[str]:
        return {*strings(source.get("id") for source in self.sources)}

    @property
    def events(self) -> list[dict[str, t.Any]]:
        """The audit trail."""
        return [item for item in self.items(AUDIT, "events") if isinstance(item, dict)]

    @property
    def counts(self) -> list[tuple[str, t.Any]]:
        """The rows of counted events, each with its granularity."""
        return [
            (str(at(one.body, "data", "query", "granularity")), row)
            for one in self.answers(SEGMENT_PUBLIC, path=VOLUME)
            for row in list_at(one.body, "data", "result")
        ]


Judge = Callable[[Observed], Judgement]


def seen(detail: str = "") -> Judgement:
    return {"verdict": SEEN, "detail": detail}


def contradicted(detail: str) -> Judgement:
    return {"verdict": CONTRADICTED, "detail": detail}


def not_visible(detail: str) -> Judgement:
    return {"verdict": NOT_VISIBLE, "detail": detail}


def at(body: t.Any, *path: str | int) -> t.Any:
    """The value at a path of decoded JSON; None where there is none."""
    for step in path:
        try:
            body = body[step]
        except (LookupError, TypeError):
            return None
    return body


def list_at(body: t.Any, *path: str | int) -> list[t.Any]:
    """The list at a path of decoded JSON; empty where there is none."""
    found = at(body, *path)
    return found if isinstance(found, list) else []


def strings(values: Iterable[t.Any]) -> list[str]:
    return [value for value in values if isinstance(value, str)]


def misfit(found: t.Any, fields: Fields) -> str:
    """The faults of an object: fields and types, and no value; empty if there are none.

    A field with a question mark may be missing.
    """
    if not isinstance(found, dict):
        return f"{KINDS[type(found)]} in place of an object"
    told = []
    for name, kinds in fields.items():
        plain = name.rstrip("?")
        if plain in found:
            told += [] if type(found[plain]) in kinds else [f"{plain} is {KINDS[type(found[plain])]}"]
        elif plain == name:
            told.append(f"{name} is missing")
    return ", ".join(told)


T = t.TypeVar("T")


def each(
    items: Iterable[T], problem: Callable[[T], str], nothing: str, shown: Callable[[T], str] = lambda item: ""
) -> Judgement:
    """Contradicted where an item has a problem, seen where there are items and none has, not visible where there is none."""
    items = list(items)
    if wrong := {told for item in items if (told := problem(item))}:
        return contradicted("; ".join(sorted(wrong)))
    return seen(", ".join(sorted({shown(item) for item in items} - {""}))) if items else not_visible(nothing)


def same_ids(ids: Collection[t.Any], known: Collection[str], nothing: str) -> Judgement:
    """Return whether ids that another listing shows are those of the sources."""
    if not ids or not known:
        return not_visible(nothing)
    if any(one in known for one in ids):
        return seen()
    if {len(str(one)) for one in ids}.isdisjoint(map(len, known)):
        return contradicted("no id is that of a source, and their lengths differ")
    return not_visible("none of the sources that are named there is listed any more")


def http(one: Exchange) -> str:
    return f"HTTP {one.status}"


def is_date(text: str) -> bool:
    try:
        return bool(email.utils.parsedate_to_datetime(text))
    except (TypeError, ValueError, OverflowError):
        return False


def never(reason: str) -> Judge:
    """Of what no read can show."""
    return lambda observed: not_visible(reason)


ONLY_A_WRITE = never("only a write would show it")


# Media types, headers, errors


def media(*services: ApiInfo, expected: Collection[str] = VENDORS[:1]) -> Judge:
    def judge(observed: Observed) -> Judgement:
        def told(one: Exchange) -> str:
            kind = one.headers.get("content-type", "").partition(";")[0].strip().lower()
            return kind if kind in TOLD_MEDIA else "another one" if kind else "none"

        answers = [one for one in observed.answers(*services, status=None) if one.status < 500]
        return each(answers, lambda one: "" if told(one) in expected else told(one), "no answer", told)

    return judge


def header(name: str, *services: ApiInfo, is_good: Callable[[str], bool] = bool, path: str = "") -> Judge:
    def problem(one: Exchange) -> str:
        value = one.headers.get(name, "")
        return "" if is_good(value) else "of another form" if value else "missing"

    return lambda observed: each(observed.answers(*services, path=path), problem, "no answer")


def errors(*services: ApiInfo, where: tuple[str | int, ...], fields: Fields) -> Judge:
    def judge(observed: Observed) -> Judgement:
        return each(
            observed.refusals(*services), lambda one: misfit(at(one.body, *where), fields), "nothing was refused", http
        )

    return judge


def status_of(read: str, expected: int, nothing: str = "no answer") -> Judge:
    """The status with which one of the reads beyond a survey is answered."""

    def judge(observed: Observed) -> Judgement:
        answers = [one for one in observed.more.get(read, ()) if one.status < 500 and one.status != 429]
        return each(answers, lambda one: "" if one.status == expected else http(one), nothing, http)

    return judge


def not_found_type(observed: Observed) -> Judgement:
    def told(one: Exchange) -> str:
        kind = at(one.body, "errors", 0, "type")
        return str(kind) if kind in ("not-found", "NotFound") else "another type"

    answers = [one for one in observed.refusals(SEGMENT_PUBLIC) if one.status == 404]
    return each(answers, lambda one: "" if told(one) == "not-found" else told(one), "nothing was missing", told)


def refused(observed: Observed) -> Judgement:
    refused = [one for one in observed.refusals(SEGMENT_PUBLIC) if one.status in (401, 403)]
    if any(one.path == "/" for one in refused):
        return not_visible("the token was refused as a whole")

    def told(one: Exchange) -> str:
        return f"{http(one)} to GET {one.path}"

    return each(refused, lambda one: told(one) if one.status == 401 else "", "no read was refused", told)


def _hints(one: Exchange) -> tuple[str, bool]:
    """The hints of a 429 about the wait: Retry-After, and whether the body has milliseconds."""
    return one.headers.get("retry-after", "").strip(), type(at(one.body, "errors", 0, "data", "msBeforeNext")) in NUMBER


def wait_is_told(observed: Observed) -> Judgement:
    def problem(one: Exchange) -> str:
        after, milliseconds = _hints(one)
        if after and not re.fullmatch("[0-9]+", after):
            return "Retry-After is no whole number"
        return "" if after or milliseconds else "neither Retry-After nor msBeforeNext"

    return each(observed.answers(SEGMENT_PUBLIC, status=429), problem, "no limit was met")


def limit_alone(observed: Observed) -> Judgement:
    limited = [_hints(one) for one in observed.answers(SEGMENT_PUBLIC, status=429)]
    told = [after for after, milliseconds in limited if milliseconds]
    nothing = "a 429 without msBeforeNext, as the limit of a token may have it" if limited else "no limit was met"
    return each(told, lambda after: "Retry-After and msBeforeNext together" if after else "", nothing)


# Workspace, spaces, sources


def listed(path: str, name: str, fields: Fields, nothing: str) -> Judge:
    return lambda observed: each(observed.items(path, name), lambda item: misfit(item, fields), nothing)


def token_form(observed: Observed) -> Judgement:
    fits = re.fullmatch("sgp_[A-Za-z0-9]{64}", observed.segment_token)
    accepted = observed.answers(SEGMENT_PUBLIC, path="/")[:1]
    return each(accepted, lambda one: "" if fits else "a token of another form is accepted", "no token was accepted")


def space_fields(observed: Observed) -> Judgement:
    def problem(one: Exchange) -> str:
        space = at(one.body, "data", "space")
        more = len(space) > len(NAMED) if isinstance(space, dict) else False
        return misfit(space, NAMED) or ("there are more fields" if more else "")

    return each(observed.answers(SEGMENT_PUBLIC, path="/spaces/{space}"), problem, "no space was read")


def space_id(observed: Observed) -> Judgement:
    read = observed.answers(SEGMENT_PUBLIC, path="/spaces/{space}")[:1]
    fits = observed.space_id.startswith("spa_")
    return each(
        read, lambda one: "" if fits else "the id of a space that is there begins otherwise", "no space was read"
    )


def all_spaces(observed: Observed) -> Judgement:
    answers = observed.answers(SEGMENT_PUBLIC, path="/spaces", status=None)

    def problem(one: Exchange) -> str:
        if one.status != 200:
            return http(one)
        wrong = {misfit(space, NAMED) for space in list_at(one.body, "data", "spaces") or [None]}
        return "; ".join(sorted(wrong - {""}))

    return each(answers, problem, "no answer", http)


def source_ids(observed: Observed) -> Judgement:
    def problem(one: str) -> str:
        return "" if re.fullmatch("[A-Za-z0-9]{22}|[A-Za-z0-9]{10}", one) else "an id of another form"

    return each(observed.source_ids, problem, "no source")


def metadata(observed: Observed) -> Judgement:
    return each(observed.sources, lambda source: misfit(source.get("metadata"), METADATA), "no source")


def write_keys(observed: Observed) -> Judgement:
    keys = [key for source in observed.sources for key in list_at(source, "writeKeys")]

    def problem(key: t.Any) -> str:
        fits = isinstance(key, str) and re.fullmatch("[A-Za-z0-9]{22}|[A-Za-z0-9]{32}", key)
        return "" if fits else "a key of another form"

    return each(keys, problem, "no source shows a key, as where the token lacks Source Admin")


def java(observed: Observed) -> Judgement:
    def problem(source: dict[str, t.Any]) -> str:
        metadata = source.get("metadata")
        wrong = [name for name, value in JAVA.items() if at(metadata, name) != value]
        return f"another {' and another '.join(wrong)}" if wrong else ""

    return each(observed.named, problem, "no source of the name")


def source_slug(observed: Observed) -> Judgement:
    def told(source: dict[str, t.Any]) -> str:
        return "as the name" if source.get("slug") == observed.source_name else "with underscores"

    known = [*slugs(observed.source_name)]
    return each(
        observed.named,
        lambda source: "" if source.get("slug") in known else "another slug",
        "no source of the name",
        told,
    )


# The audit trail


def _letters(text: t.Any) -> str:
    return re.sub("[^a-z]", "", str(text).lower())


def event_types(observed: Observed) -> Judgement:
    spelled = {_letters(one): one for one in EVENT_TYPES}
    known = [kind for event in observed.events if _letters(kind := event.get("type")) in spelled]

    def problem(kind: t.Any) -> str:
        return "" if kind == spelled[_letters(kind)] else "a type in another spelling"

    return each(known, problem, "no event about a source or a space", lambda kind: spelled[_letters(kind)])


def resource_types(observed: Observed) -> Judgement:
    kinds = strings(event.get("resourceType") for event in observed.events)
    return each(kinds, lambda kind: "" if kind == kind.lower() else "not in lower case", "no event")


def connected_resource(observed: Observed) -> Judgement:
    about = [event for event in observed.events if event.get("type") in (CONNECTED, DISCONNECTED)]
    ids = strings(event.get("resourceId") for event in about)
    told = [one for one in ids if one == observed.space_id or one in observed.source_ids]
    return each(told, lambda one: "the id of the space" if one == observed.space_id else "", "no such event")


def kept_by_segment(by_warehouse: bool) -> Judge:
    """Return whether Segment lets a source be that has nothing but a space, or nothing but a warehouse besides."""

    def judge(observed: Observed) -> Judgement:
        read = [observed.answers(SEGMENT_PUBLIC, path=path) for path in (DESTINATIONS, WAREHOUSES)]
        if not all(read) or len(observed.named) != 1:
            return not_visible("no source whose destinations and warehouses were read")
        if any(at(one, "enabled") is not False for one in observed.items(DESTINATIONS, "destinations")):
            return not_visible("a destination keeps the source")
        if bool(observed.items(WAREHOUSES, "warehouses")) != by_warehouse:
            return not_visible(f"the source has {'no' if by_warehouse else 'a'} warehouse")
        (source,) = observed.named
        own = [event for event in observed.events if event.get("resourceId") == source.get("id")]
        if not by_warehouse and all(event.get("type") != CONNECTED for event in own):
            return not_visible("the audit trail does not show that the source was connected to a space")
        if any(event.get("type") == "Source Disabled" and event.get("actor") in SEGMENT_ITSELF for event in own):
            return contradicted("Segment disabled it") if by_warehouse else seen("Segment disabled it")
        since = enabled_since({"type": str(event.get("type")), "at": str(event.get("timestamp"))} for event in own)
        long = observed.now - since > IDLE + LATE if since else bool(own)
        if source.get("enabled") is not True or not long:
            return not_visible("the source was not enabled for long enough, or nobody knows since when")
        told = f"enabled for more than {(IDLE + LATE).days} days"
        return seen(told) if by_warehouse else contradicted(told)

    return judge


# Counted events


def counted_fields(observed: Observed) -> Judgement:
    answers = observed.answers(SEGMENT_PUBLIC, path=VOLUME)
    return each(answers, lambda one: misfit(at(one.body, "data"), COUNTED), "no counts were read")


def count_rows(observed: Observed) -> Judgement:
    return each(observed.counts, lambda row: misfit(row[1], COUNT), "no event was counted")


def whole_numbers(observed: Observed) -> Judgement:
    numbers = [
        number
        for _granularity, row in observed.counts
        for number in (at(row, "total"), *(at(point, "count") for point in list_at(row, "series")))
        if type(number) in NUMBER
    ]
    return each(
        numbers, lambda number: "numbers with a decimal point" if isinstance(number, float) else "", "no counts"
    )


def counted_ids(observed: Observed) -> Judgement:
    ids = strings(at(row, "source", "id") for _granularity, row in observed.counts)
    return same_ids(ids, observed.source_ids, "no event was counted")


def flex_events(observed: Observed) -> Judgement:
    names = {*strings(at(row, "eventName") for _granularity, row in observed.counts)} & {*FLEX_EVENTS}
    return seen(f"{len(names)} of {len(FLEX_EVENTS)} names") if names else not_visible("no event was counted")


def _last_counted(observed: Observed, event: str) -> datetime.datetime | None:
    """Until when a Flex event was counted at the latest, through any source."""
    ends = [
        begin + datetime.timedelta(seconds=WIDTHS[granularity])
        for granularity, row in observed.counts
        if at(row, "eventName") == event and granularity in WIDTHS
        for point in list_at(row, "series")
        if at(point, "count") and (begin := parse_time(at(point, "time")))
    ]
    return max(ends, default=None)


def replayed(observed: Observed) -> Judgement:
    linked = [parse_time(event.get("timestamp")) for event in observed.events if event.get("type") == CONNECTED]
    told = []
    for event in observed.items(SPACE_EVENTS, "events"):
        shown, counted = parse_time(at(event, "lastSeenAt")), _last_counted(observed, str(at(event, "name")))
        # What came after the source was connected was not replayed.
        if shown and counted and (shown > counted + LATENESS or any(one and one > counted for one in linked)):
            told.append(shown - counted > LATENESS)
    return each(told, lambda late: "later than any event that was counted" if late else "", "nothing was replayed")


# The Profile API


def pair_answer(observed: Observed) -> Judgement:
    answers = [one for one in observed.survey if one.service == SEGMENT_PROFILE.name and one.status in (200, 404)]

    def problem(one: Exchange) -> str:
        code, message = at(one.body, "error", "code"), at(one.body, "error", "message")
        if one.status == 404 and code == "not_found" and "profile" in str(message).lower():
            return ""
        return f"{http(one)}, which is not about the profile"

    return each(answers, problem, "the pair was refused", http)


def profile_codes(observed: Observed) -> Judgement:
    def told(one: Exchange) -> str:
        code = at(one.body, "error", "code")
        known = (*OTHER_CODES, *(name for names in CODES.values() for name in names))
        return f"{http(one)} {code if code in known else 'with another code'}"

    def problem(one: Exchange) -> str:
        return "" if at(one.body, "error", "code") in CODES[one.status] else told(one)

    answers = [one for one in observed.refusals(SEGMENT_PROFILE) if one.status in CODES]
    return each(answers, problem, "nothing was refused", told)


def profile_sources(observed: Observed) -> Judgement:
    found = [at(one.body, "metadata") for one in observed.more.get(OF_TEST_EVENT, ()) if one.status == 200]
    ids = strings(at(of, f"{name}_source_id") for of in found for name in ("first", "last"))
    return same_ids(ids, observed.source_ids, "no test event was ever sent")


# Twilio


def ui_version(observed: Observed) -> Judgement:
    def problem(one: Exchange) -> str:
        version = at(one.body, "ui_version")
        if isinstance(version, str):
            return "" if re.fullmatch(r"\d+\.\d+\.\d+([-+].*)?", version) else "a string that is no single version"
        return KINDS[type(version)]

    return each(observed.answers(TWILIO_FLEX, path="/v1/Configuration"), problem, "no answer")


def flex_configuration(observed: Observed) -> Judgement:
    def problem(one: Exchange) -> str:
        known = at(one.body, "status") in ("ok", "inprogress", "notstarted")
        return misfit(one.body, FLEX) or ("" if known else "another status")

    return each(observed.answers(TWILIO_FLEX, path="/v1/Configuration"), problem, "no answer")


def no_flex(observed: Observed) -> Judgement:
    missing = observed.answers(TWILIO_FLEX, path="/v1/Configuration", status=404)
    return each(missing, lambda one: "" if at(one.body, "code") == 45101 else "another code", "Flex is there")


def alerts(observed: Observed) -> Judgement:
    alerts = [alert for one in observed.answers(TWILIO_MONITOR) for alert in list_at(one.body, "alerts")]
    return each(alerts, lambda alert: misfit(alert, ALERT), "no alert")


def connector(observed: Observed) -> Judgement:
    def problem(one: Exchange) -> str:
        shown = str(at(one.body, "configuration_id"))
        return "" if one.status == 404 or (one.status == 200 and shown.startswith("PD")) else http(one)

    return each(observed.answers(TWILIO_CONNECTOR, status=None), problem, "no answer", http)


def sync_codes(observed: Observed) -> Judgement:
    missing = observed.answers(TWILIO_SYNC, path=DOCUMENT, status=404)
    return each(
        missing, lambda one: "" if at(one.body, "code") in (54100, 54300) else "another code", "none was missing"
    )


# Regions


def elsewhere(is_elsewhere: Callable[[Observed], bool]) -> Judge:
    def judge(observed: Observed) -> Judgement:
        if not is_elsewhere(observed):
            return not_visible("the environment is in the usual region")
        names = {*strings(at(event, "name") for event in observed.items(SPACE_EVENTS, "events"))} & {*FLEX_EVENTS}
        return seen("Flex events are in the space") if names else not_visible("no Flex event was seen in the space")

    return judge
