# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""How far Segment's clock is from this machine's, by the dates of its answers."""

from __future__ import annotations

import email.utils
import itertools
from collections.abc import Iterable, Mapping

from .._base.errors import Failure
from .._http.clock import Clock
from .._http.service import Service

# Seconds. Dates have whole ones, and an answer is under way for a while.
EXACT = 2.0
# Within this, two answers are of the same time, and a difference needs no report.
CLOSE = 60.0
# A clock that is this far off is none to compare times by: evidence allows for three hours of lateness.
FAR = 3600.0


class ServerClock:
    """Reads the dates of all answers of some services as they arrive: other reads may wait for minutes.

    A cache in between answers with the date at which it stored the answer. So what has an ``Age`` does not count, nor
    does a date that no other answer confirms. Of several confirmed times the newest is right.
    """

    def __init__(self, clock: Clock, services: Iterable[Service]) -> None:
        self.clock = clock
        self.skews: list[float] = []
        for service in services:
            service.on_answer = self._read

    def _read(self, headers: Mapping[str, str]) -> None:
        if "age" in headers:
            return
        try:
            date = email.utils.parsedate_to_datetime(headers.get("date", ""))
            self.skews.append((date - self.clock.now()).total_seconds())
        except (TypeError, ValueError):
            return

    @property
    def confirmed(self) -> list[float]:
        """The times of which another answer was."""
        seen = sorted(self.skews)
        return [later for earlier, later in itertools.pairwise(seen) if later - earlier <= CLOSE]

    @property
    def skew(self) -> float:
        """Return how many seconds the services' clock is ahead of this machine's; 0 where that is not known."""
        newest = max(self.confirmed, default=0.0)
        return round(newest, 1) if abs(newest) > EXACT else 0.0

    def warnings(self) -> list[str]:
        """The warnings about a clock that is minutes off, and about one that only a single answer shows to be off."""
        if CLOSE < abs(self.skew) < FAR:
            told = f"This machine's clock is {_apart(self.skew)} Segment's. Times are corrected by that. Set the clock, as with NTP."
            return [told]
        if not self.confirmed and any(abs(skew) > CLOSE for skew in self.skews):
            return [
                "The Date of an answer is far from this machine's time. No other answer confirms it, so it does not count."
            ]
        return []

    def failure(self) -> Failure | None:
        """The failure where the clock is an hour or more off; None elsewhere."""
        if abs(self.skew) < FAR:
            return None
        return Failure(
            f"This machine's clock is {_apart(self.skew)} Segment's. What is recorded could not be compared with what Segment shows.",
            "Set the clock, as with NTP. If it is right, a proxy on the way answers from a cache: let it pass these services by.",
        )


def _apart(skew: float) -> str:
    return f"{abs(skew) / 60:.0f} minutes {'behind' if skew > 0 else 'ahead of'}"
