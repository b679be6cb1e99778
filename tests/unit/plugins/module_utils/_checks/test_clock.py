# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the dates of answers say of the time, with caches on the way and clocks that are off."""

from __future__ import annotations

import datetime
import email.utils

import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Refused
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import HttpSettings, Transport
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.modules import segment_space_validate
from support.conversation import START, FakeClock
from support.environment import checked

MINUTE, HOUR, DAY = 60.0, 3600.0, 24 * 3600.0
NAMED = {"id": "1", "name": "n", "slug": "s"}
ANSWERS = {
    "/": {"data": {"workspace": NAMED}},
    "/spaces/spa_1": {"data": {"space": NAMED}},
    "/sources": {"data": {"sources": []}},
}


@pytest.fixture
def validate():
    """Checks a space whose answers have these dates, in seconds from now, and headers."""

    def run(dates=(), everywhere=None, **headers):
        dates = dict(dates)

        def answer(request: httpx.Request) -> httpx.Response:
            path = request.url.path if request.url.path in ANSWERS else "profile"
            seconds = dates.get(path, everywhere)
            told = dict(headers.get(path.strip("/") or "root", {}))
            if seconds is not None:
                at = START + datetime.timedelta(seconds=seconds)
                told["date"] = email.utils.format_datetime(at, usegmt=True)
            if path == "profile":
                return httpx.Response(404, json={"error": {"code": "not_found", "message": "no profile"}}, headers=told)
            return httpx.Response(200, json=ANSWERS[path], headers=told)

        options = {"segment_token": "sgp_" + "x" * 64, "profile_token": "p" * 40, "space_id": "spa_1"}
        transport = Transport(HttpSettings(), clock=FakeClock(), http_transport=httpx.MockTransport(answer))
        call = ModuleContext(checked(segment_space_validate, options), False, transport)
        return segment_space_validate.run(call)["clock_skew"], call.warnings

    return run


@pytest.mark.parametrize(
    ("seconds", "skew"),
    [(0, 0), (1, 0), (-2, 0), (3, 3), (-59, -59)],
    ids=str,
)
def test_a_clock_that_is_seconds_off_is_corrected_in_silence(validate, seconds, skew):
    assert validate(everywhere=seconds) == (skew, [])


@pytest.mark.parametrize(("minutes", "word"), [(7, "behind"), (-7, "ahead of"), (59, "behind")])
def test_a_clock_that_is_minutes_off_is_told(validate, minutes, word):
    skew, (warning,) = validate(everywhere=minutes * MINUTE)
    assert skew == minutes * MINUTE
    assert f"This machine's clock is {abs(minutes)} minutes {word} Segment's" in warning


@pytest.mark.parametrize("hours", [1, -3, 24 * 365])
def test_a_clock_that_is_hours_off_is_refused(validate, hours):
    with pytest.raises(Refused, match=r"This machine's clock is .* minutes .* Segment's") as caught:
        validate(everywhere=hours * HOUR)
    assert caught.value.facts["problem"] == "clock"


@pytest.mark.parametrize("path", ["/", "/spaces/spa_1", "/sources", "profile"])
def test_a_date_that_no_other_answer_confirms_does_not_count(validate, path):
    """A cache on the way answers with the date of yesterday. Taken for now, events from before a hand-over would prove it."""
    assert validate({path: -DAY}, everywhere=5) == (5, [])


def test_a_date_that_stands_alone_does_not_count(validate):
    skew, (warning,) = validate({"/": -DAY})
    assert skew == 0
    assert "No other answer confirms it" in warning
    assert validate({"/": 30.0}) == (0, [])


@pytest.mark.parametrize("ahead", [0, 10, 300])
def test_of_two_times_that_are_confirmed_the_newest_counts(validate, ahead):
    """A cache makes a date older, and never newer."""
    skew, _warnings = validate({"/": -DAY, "/sources": -DAY}, everywhere=ahead)
    assert skew == ahead


def test_what_has_an_age_does_not_count(validate):
    aged = {"root": {"age": "86400"}, "sources": {"age": "0"}}
    assert validate({"/": -DAY, "/sources": -DAY}, everywhere=5, **aged) == (5, [])


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 01 Mar 2026 12:00:00 -0000", "Mon, 999999999999 Jan 2024"])
def test_what_is_no_date_does_not_count(validate, date):
    broken = {name: {"date": date} for name in ("root", "spaces/spa_1", "sources", "profile")}
    assert validate(**broken) == (0, [])
