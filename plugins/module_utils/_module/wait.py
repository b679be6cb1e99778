# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Waits for what somebody else does."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from .._base.gather import PROGRESS
from .context import ModuleContext

T = t.TypeVar("T")


def wait_for(
    call: ModuleContext,
    what: str,
    look: Callable[[], T | None],
    seconds: float,
    every: float = 2.0,
    looked: bool = False,
) -> T | None:
    """Look until there is something, and tell about every ten seconds how long that took so far.

    Args:
        call: The module's run.
        what: What is waited for, for the line of progress.
        look: Returns what there is, or None. Reads only.
        seconds: How long to wait. It is looked once more at the end.
        every: Seconds between two looks.
        looked: Whether nothing was there a moment ago, so that it is waited first.

    Returns:
        What there is; None if nothing came in time.

    Raises:
        Failure: What looking raises.
    """
    clock = call.transport.clock
    began = told = clock.monotonic()
    while True:
        if not looked and (found := look()) is not None:
            return found
        looked, now = False, clock.monotonic()
        if now >= began + seconds:
            return None
        if now - told >= PROGRESS:
            told = now
            call.tell(f"Waiting for {what} since {now - began:.0f} s, for at most {seconds:g} s.")
        clock.sleep(min(every, max(0.1, began + seconds - now)))
