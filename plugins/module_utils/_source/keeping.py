# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Foresees when Segment disables a source by itself.

Documented: it does so to a source without an enabled destination after 14 days, events or not. Whether a warehouse or a space keeps a
source is documented nowhere; a warehouse is taken to keep it.
"""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Iterable, Mapping

from .._base.errors import Failure
from .._base.times import parse_time
from .._clients.source import CREATED, ENABLED, IDLE_DAYS, MAY_BE_DISABLED
from .._module.context import ModuleContext

IDLE = datetime.timedelta(days=IDLE_DAYS)
# How late Segment may be. What is enabled for longer than both is kept by something: by the space, or by an exception.
LATE = datetime.timedelta(days=7)


def foresee(call: ModuleContext, source: str, steps: Mapping[str, t.Any]) -> list[dict[str, str]]:
    """A finding ``{problem, detail}`` where Segment may disable this enabled source by itself; nothing where that cannot be read.

    Args:
        call: The run.
        source: The source's id.
        steps: The ledger's. A source is as old as its oldest hand-over, at least.
    """
    api, now = call.aside().attachments_api(), call.segment_now()
    try:
        if any(one["enabled"] for one in api.destinations(source)) or api.warehouses(source):
            return []
    except Failure:
        return []
    try:
        own = [event for event in api.audit_events(now, source) if event["id"] == source]
    except Failure:
        own = []
    told = warning(enabled_since(own), bool(own), _handed_over(steps, source), now)
    return [{"problem": MAY_BE_DISABLED, "detail": told}] if told else []


def enabled_since(events: Iterable[Mapping[str, str]]) -> datetime.datetime | None:
    """Return when a source was made or enabled, whichever was later, by its events; None where they do not tell."""
    times = [parse_time(event["at"]) for event in events if event["type"] in (CREATED, ENABLED)]
    return max((at for at in times if at), default=None)


def warning(
    since: datetime.datetime | None, has_trail: bool, handed_over: datetime.datetime | None, now: datetime.datetime
) -> str:
    """The warning about an enabled source without destination and warehouse; empty where something else keeps it.

    Args:
        since: When it was made or enabled, by the audit trail.
        has_trail: Whether the trail has anything of it. Then what it does not have is older than it goes back.
        handed_over: When it was first handed over, by the ledger.
        now: The time by Segment's clock.
    """
    began = since or handed_over
    if (has_trail and not since) or (began and now > began + IDLE + LATE):
        return ""
    if began is None:
        when = f"{IDLE_DAYS} days after it was made or enabled, a day that is not known"
    elif now > began + IDLE:
        when = f"at any time ({began + IDLE:%Y-%m-%d} has passed)"
    else:
        when = f"on {began + IDLE:%Y-%m-%d}{'' if since else ' or before'}"
    return (
        f"Segment may disable the source by itself {when}: for {IDLE_DAYS} days it had no enabled destination, nor a warehouse. Whether "
        "the space counts as one is not known."
    )


def _handed_over(steps: Mapping[str, t.Any], source: str) -> datetime.datetime | None:
    done = [records["done"] for records in steps.values() if "done" in records]
    times = [parse_time(record["at"]) for record in done if record["subject"].get("source_id") == source]
    return min((at for at in times if at), default=None)
