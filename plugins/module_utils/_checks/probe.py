# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""One look at one environment for what the services answer, and not for how it is. Only reads."""

from __future__ import annotations

import contextlib
import datetime
import typing as t
import uuid
from collections.abc import Callable

from .._base.errors import Failure
from .._base.times import format_time
from .._handover.counts import FLEX_EVENTS
from .._handover.evidence import REPLAY
from .._http.response import Exchange
from .._module.context import ModuleContext
from .._module.values import space_in_messages
from .._source.test_event import USER
from . import judges as on
from .assumptions import judge_all
from .chain import OPTIONS as CHAIN
from .chain import Look
from .judges import Judgement, Observed
from .survey import look

OPTIONS: dict[str, t.Any] = {**CHAIN, "probe_more": {"type": "bool", "default": False}}


class Probed(t.TypedDict):
    """The judgements of one environment.

    Attributes:
        failure: What ended its survey early, for a person; empty if nothing did.
        judgements: By the name of the assumption; empty where nothing was asked.
    """

    failure: str
    judgements: dict[str, Judgement]


def nothing_probed(failure: str) -> Probed:
    """An environment that nothing was asked about."""
    return {"failure": failure, "judgements": {}}


def probe(call: ModuleContext) -> Probed:
    """Look at an environment as drift does, and judge what was answered.

    Args:
        call: Its options (:data:`OPTIONS` and the connection options), read-only.
    """
    # Nobody keeps a snapshot of this look.
    call = call.derived(snapshot=False)
    survey: list[Exchange] = []
    more: dict[str, list[Exchange]] = {}
    call.transport.watch = survey.append
    found = look(call, "drift")
    if not survey:
        return nothing_probed(found["failure"])
    call = call.derived(clock_skew=found["clock_skew"])
    if call["probe_more"]:
        for name, read in MORE.items():
            call.transport.watch = more.setdefault(name, []).append
            with contextlib.suppress(Failure):
                read(call, found)
    observed = Observed(
        survey,
        more,
        source_name=call["source_name"],
        space_id=call["space_id"],
        segment_region=call["segment_region"],
        twilio_region=call["twilio_region"] or "",
        segment_token=call["segment_token"] or "",
        now=call.segment_now(),
    )
    return {"failure": found["failure"], "judgements": judge_all(observed, call["probe_more"])}


def _source_id(found: Look) -> str | None:
    return (found["source"] or {}).get("id")


def _plain_space(call: ModuleContext, found: Look) -> None:
    call.public_api().service.get("/spaces/{space}", path_params={"space": space_in_messages(call["space_id"])})


def _counts(call: ModuleContext, found: Look) -> None:
    now = call.segment_now()
    call.public_api().events_volume(now - REPLAY, now, FLEX_EVENTS, "DAY")


def _keepers(call: ModuleContext, found: Look) -> None:
    if source := _source_id(found):
        call.attachments_api().destinations(source)
        call.attachments_api().warehouses(source)


def _other_space(call: ModuleContext, found: Look) -> None:
    others = [space["id"] for space in call.public_api().spaces() if space["id"] != call["space_id"]]
    for space in others[:1]:
        call.profile_api().check_token_matches_space(space)


def _old_alerts(call: ModuleContext, found: Look) -> None:
    begin = format_time(call.transport.clock.now() - datetime.timedelta(days=40))
    call.monitor().service.get("/v1/Alerts", query={"LogLevel": "error", "StartDate": begin, "PageSize": "1"})


# The reads beyond a survey, one after the other. Of what fails its answer says enough.
MORE: dict[str, Callable[[ModuleContext, Look], t.Any]] = {
    on.ALL_SPACES: lambda call, found: call.public_api().spaces(),
    on.PLAIN_SPACE: _plain_space,
    on.NO_SOURCE: lambda call, found: call.public_api().source_or_none(uuid.uuid4().hex[:22]),
    on.TRAIL: lambda call, found: call.public_api().audit_events(call.segment_now(), _source_id(found)),
    on.COUNTS: _counts,
    on.OF_SPACE: lambda call, found: call.public_api().space_events(call["space_id"], "Flex - Engagement"),
    on.KEEPERS: _keepers,
    on.OTHER_SPACE: _other_space,
    on.OF_TEST_EVENT: lambda call, found: call.profile_api().profile_messages(call["space_id"], USER),
    on.OLD_ALERTS: _old_alerts,
    on.CONNECTOR: lambda call, found: call.connector().exists(call.sid("twilio_account_sid")),
}
