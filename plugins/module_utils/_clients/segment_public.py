# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Segment Public API. Paths and shapes: its OpenAPI document; ``GET /spaces`` is newer than release 36.2.0 of it."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Collection, Iterable

from .._base.errors import ApiError, NotFound, TooLong, UnexpectedAnswer, UnknownOutcome
from .._base.secret import Secret
from .._base.times import format_time
from .._http.response import Response, pages, value_at
from .._http.service import Service
from .source import Source

ALPHA = {"accept": "application/vnd.segment.v1alpha+json, application/json"}

# What is gone already is what was wanted.
DELETED = frozenset({200, 204, 404})
# https://docs.segmentapis.com: how long the audit trail is kept.
AUDIT_KEPT = datetime.timedelta(days=90)
# Four thousand events. More would take minutes, and most of what the rate limit allows.
AUDIT_PAGES = 20
AUDIT_FIELDS = ("type", "timestamp", "actorEmail", "actor", "resourceId", "resourceName")


class PublicApi:
    """One workspace, the one that the token belongs to."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def workspace(self) -> dict[str, str]:
        """``{id, name, slug}`` of the token's workspace (operation getWorkspace)."""
        return _named(self.service.get("/"), "data.workspace")

    def space(self, space: str | Secret) -> dict[str, str]:
        """``{id, name, slug}`` of a space, by id (operation getSpace, alpha).

        Raises:
            NotFound: The answer is that there is none.
        """
        answer = self.service.get("/spaces/{space}", headers=ALPHA, path_params={"space": space})
        if answer.get("data.space", dict, None) is None:
            raise NotFound(f"{answer.service} answered {answer.request} with no space.")
        return _named(answer, "data.space")

    def spaces(self) -> list[dict[str, str]]:
        """All spaces of the workspace (operation listSpaces, alpha)."""
        return [_named(answer, "", item) for item, answer in self._pages("/spaces", "data.spaces", headers=ALPHA)]

    def sources(self) -> list[Source]:
        """All sources of the workspace (operation listSources)."""
        return [self._source(item, answer) for item, answer in self._pages("/sources", "data.sources")]

    def source(self, source: str) -> Source:
        """One source, by id (operation getSource)."""
        answer = self.service.get("/sources/{source}", path_params={"source": source})
        return self._source(answer.get("data.source", dict), answer)

    def source_or_none(self, source: str) -> Source | None:
        """One source, by id, or None when there is none."""
        try:
            return self.source(source)
        except ApiError as error:
            if error.status != 404:
                raise
            return None

    def source_named(self, source: str | None, name: str) -> Source | None:
        """Return the source of an id. None where there is none, or where it has another type and was renamed out of the way."""
        found = self.source_or_none(source) if source else None
        return found if found and (found.name == name or found.is_java) else None

    def create_source(self, slug: str, metadata: str, enabled: bool) -> Source:
        """Make a source, connected to no warehouse (operation createSource). Its name becomes the slug."""
        body = {
            "slug": slug,
            "enabled": enabled,
            "metadataId": metadata,
            "settings": {},
            "disconnectAllWarehouses": True,
        }
        answer = self.service.request("POST", "/sources", body=body)
        return self._source(answer.get("data.source", dict), answer)

    def update_source(self, source: str, **fields: t.Any) -> Source:
        """Set name, enabled or slug (operation updateSource)."""
        answer = self.service.request("PATCH", "/sources/{source}", body=fields, path_params={"source": source})
        return self._source(answer.get("data.source", dict), answer)

    def delete_source(self, source: str) -> None:
        """Delete for good (operation deleteSource)."""
        self.service.request("DELETE", "/sources/{source}", path_params={"source": source}, expected=DELETED)

    def labels(self) -> set[tuple[str, str]]:
        """All labels of the workspace, as key and value (operation listLabels)."""
        answer = self.service.get("/labels")
        found = answer.get("data.labels", list)
        return {(value_at(x, "key", str, ..., answer), value_at(x, "value", str, "", answer)) for x in found}

    def set_labels(self, source: str, labels: Iterable[tuple[str, str]]) -> None:
        """Replace the labels of a source; they must exist in the workspace (operation replaceLabelsInSource)."""
        self.service.request("PUT", "/sources/{source}/labels", body=_labels(labels), path_params={"source": source})

    def add_key(self, source: str, known: Collection[str]) -> Source:
        """Append one write key, and see that it is there (operation createWriteKeyForSource, alpha).

        It is sent once. Where no answer says whether a key was added, one that is not among those known before is taken for it.

        Args:
            source: The source's id.
            known: The fingerprints of its keys before.
        """
        try:
            answer = self.service.request(
                "POST", "/sources/{source}/writekey", headers=ALPHA, path_params={"source": source}
            )
            return self._source(answer.get("data.source", dict), answer)
        except (UnknownOutcome, UnexpectedAnswer):
            found = self.source(source)
            if set(found.keys) <= set(known):
                raise
            return found

    def remove_key(self, source: str, key: Secret) -> None:
        """Remove one write key (operation removeWriteKeyFromSource, alpha)."""
        self.service.request(
            "DELETE",
            "/sources/{source}/writekey/{key}",
            headers=ALPHA,
            path_params={"source": source, "key": key},
            expected=DELETED,
        )

    def audit_events(self, now: datetime.datetime, source: str | None = None) -> list[dict[str, str]]:
        """The audit trail as far back as Segment keeps it (operation listAuditEvents): ``{type, at, by, id, name}``.

        It is read in whole where it has one page, and begins with a day. So all who ask in one look send the same request. Of a longer
        one only what affects the source is read. Needs a workspace owner's token.

        Args:
            now: The time.
            source: The id of the source that it is about, None if that is not known.

        Raises:
            TooLong: It has more events than are read.
        """
        since = (now - AUDIT_KEPT + datetime.timedelta(days=1)).replace(hour=0, minute=0, second=0)
        query = {"startTime": format_time(since)}
        events, busy = self._audit_events(query, 1 if source else AUDIT_PAGES)
        if busy and source:
            events, busy = self._audit_events({**query, "resourceId": source}, AUDIT_PAGES)
        if busy:
            raise TooLong(
                f"The audit trail of the last {AUDIT_KEPT.days} days has more than {AUDIT_PAGES} pages, so it was not read in whole."
            )
        return events

    def _audit_events(self, query: dict[str, str], most: int) -> tuple[list[dict[str, str]], bool]:
        """The events of so many pages, and whether there are more."""
        events: list[dict[str, str]] = []
        cursor = None
        for _page in range(most):
            answer = self.service.get("/audit-events", query={**query, **_paging(cursor)})
            for item in answer.get("data.events", list):
                event = {name: value_at(item, name, str, "", answer) for name in AUDIT_FIELDS}
                events.append(
                    {
                        "type": event["type"],
                        "at": event["timestamp"],
                        "by": event["actorEmail"] or event["actor"],
                        "id": event["resourceId"],
                        "name": event["resourceName"],
                    }
                )
            cursor = answer.get("data.pagination.next", str, None)
            if not cursor:
                return events, False
        return events, True

    def events_volume(
        self, start: datetime.datetime, end: datetime.datetime, names: Iterable[str], granularity: str
    ) -> list[dict[str, t.Any]]:
        """Counts per event and source (operation getEventsVolumeFromWorkspace): ``{event, source, series}``.

        A series has ``(time, count)`` pairs: the beginning of each MINUTE, HOUR or DAY, and how many valid events
        Segment received in it.
        """
        query = {"granularity": granularity, "startTime": format_time(start), "endTime": format_time(end)}
        query |= {"groupBy.0": "eventName", "groupBy.1": "source"}
        query |= {f"eventName.{n}": name for n, name in enumerate(names)}
        rows = []
        for item, answer in self._pages("/events/volume", "data.result", query=query):
            series = [
                (value_at(point, "time", str, "", answer), value_at(point, "count", (int, float), 0, answer))
                for point in value_at(item, "series", list, [], answer)
            ]
            source = item.get("source") if isinstance(item, dict) else None
            source_id = source if isinstance(source, str) else value_at(item, "source.id", str, "", answer)
            rows.append({"event": value_at(item, "eventName", str, "", answer), "source": source_id, "series": series})
        return rows

    def space_events(self, space: str, search: str) -> list[dict[str, str]]:
        """Events that a space has seen (operation listSpaceEvents, alpha): ``{name, last_seen_at}``."""
        query = {"search": search, "sortBy": "lastSeenAt", "sortDir": "desc"}
        return [
            {"name": value_at(e, "name", str, "", a), "last_seen_at": value_at(e, "lastSeenAt", str, "", a)}
            for e, a in self._pages(
                "/spaces/{space}/events", "data.events", query=query, headers=ALPHA, path_params={"space": space}
            )
        ]

    def _source(self, item: t.Any, answer: Response) -> Source:
        keys = [Secret(k) for k in value_at(item, "writeKeys", list, [], answer) if isinstance(k, str) and k]
        self.service.transport.hidden.add(*keys)
        labels = value_at(item, "labels", list, [], answer)
        pairs = tuple((value_at(x, "key", str, ..., answer), value_at(x, "value", str, "", answer)) for x in labels)
        return Source(
            id=value_at(item, "id", str, ..., answer),
            slug=value_at(item, "slug", str, "", answer),
            name=value_at(item, "name", str, "", answer),
            enabled=value_at(item, "enabled", bool, ..., answer),
            type=value_at(item, "metadata.slug", str, "", answer),
            type_id=value_at(item, "metadata.id", str, "", answer),
            labels=dict(pairs),
            pairs=pairs,
            keys={key.fingerprint: key for key in keys},
        )

    def _pages(
        self, path: str, items: str, query: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> t.Iterator[t.Any]:
        def fetch(cursor: str | None) -> Response:
            return self.service.get(path, query={**(query or {}), **_paging(cursor)}, **kwargs)

        return pages(fetch, self.service.transport.clock.monotonic, items)


def _paging(cursor: str | None) -> dict[str, str | None]:
    return {"pagination.count": "200", "pagination.cursor": cursor}


def _labels(labels: Iterable[tuple[str, str]]) -> dict[str, t.Any]:
    return {"labels": [{"key": key, "value": value} for key, value in sorted(labels)]}


def _named(answer: Response, path: str, item: t.Any = None) -> dict[str, str]:
    item = answer.get(path, dict) if path else item
    named = {"id": value_at(item, "id", str, ..., answer)}
    return {**named, "name": value_at(item, "name", str, "", answer), "slug": value_at(item, "slug", str, "", answer)}
