# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Segment's counts of Flex events, and the sources that sent them. Pure."""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Iterator, Mapping, Sequence

from .._base.times import parse_time

FLEX_EVENTS = ("Flex - Engagement Initiated", "Flex - Engagement Completed")

# A source that sent Flex events this shortly before the last of ours belongs to a Flex of its own.
HABIT = datetime.timedelta(days=7)

Rows = Sequence[Mapping[str, t.Any]]


def senders(rows: Rows | None) -> set[str]:
    """The sources that may have sent any Flex event, at whatever time: what cannot be read counts as sent."""
    return {text(row, "source") for row in rows or () if text(row, "event") in FLEX_EVENTS and not _silent(row)}


def engagements_a_day(rows: Rows, source_id: str | None, until: datetime.datetime) -> float:
    """Return how many engagements came through a source a day, in the week before a moment. Each writes one event of each kind.

    Args:
        rows: Counts by the day.
        source_id: The source.
        until: The moment. Its own day does not count.
    """
    end = until.replace(hour=0, minute=0, second=0, microsecond=0)
    counts = dict.fromkeys(FLEX_EVENTS, 0)
    for source, event, start, count in flex_points(rows):
        if source == source_id and end - HABIT <= start < end:
            counts[event] += count
    return max(counts.values()) / HABIT.days


def text(row: t.Any, name: str) -> str:
    value = row.get(name) if isinstance(row, Mapping) else None
    return value if isinstance(value, str) else ""


def _silent(row: Mapping[str, t.Any]) -> bool:
    series = row.get("series")
    return isinstance(series, (list, tuple)) and all(
        isinstance(point, (list, tuple)) and len(point) == 2 and point[1] == 0 for point in series
    )


def _points(row: Mapping[str, t.Any]) -> Iterator[tuple[datetime.datetime, int]]:
    """The points of a series that have a time and count something."""
    series = row.get("series")
    for point in series if isinstance(series, (list, tuple)) else ():
        if not isinstance(point, (list, tuple)) or len(point) != 2:
            continue
        start, count = parse_time(point[0]), point[1]
        if start and isinstance(count, (int, float)) and 0 < count < 1e15:
            yield start, int(count)


def flex_points(rows: Rows | None) -> Iterator[tuple[str, str, datetime.datetime, int]]:
    """Source, event, time and count of all Flex events."""
    for row in rows or ():
        if (event := text(row, "event")) in FLEX_EVENTS:
            for start, count in _points(row):
                yield text(row, "source"), event, start, count
