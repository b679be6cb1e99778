# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Timeouts that come when a server holds an answer back, and not when the machine is slow."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

import httpcore
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import deadline
from sandbox.fault_rules import Rule

# What a sandbox holds back until a test lets go of it.
HELD = {"kind": "latency", "seconds": 3600}


@contextmanager
def giving_up_on(rule: Rule) -> Iterator[None]:
    """The collection gives up on an answer as soon as this rule holds it back, and waits for all others. Then the rule lets go."""
    read = deadline._Stream.read

    def read_or_give_up(self: deadline._Stream, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            try:
                return read(self, max_bytes, 0.02)
            except httpcore.ReadTimeout:
                if self.get_extra_info("client_addr") in rule.held or self._deadline.left <= 0:
                    raise

    with mock.patch.object(deadline._Stream, "read", read_or_give_up):
        try:
            yield
        finally:
            rule.seconds = 0


def eventually(condition: Callable[[], object], what: str) -> None:
    """Wait until it is so, as long as any machine may need."""
    for _time in range(3000):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError(f"{what} never happened")
