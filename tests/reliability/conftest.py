# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Counts cases, and says how many there were."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest


@pytest.fixture(params=["sample", pytest.param("all", marks=pytest.mark.full)])
def full(request: pytest.FixtureRequest) -> bool:
    """Whether all cases are meant, and not the share of them that every run of the tests has time for."""
    return bool(request.param == "all")


@pytest.fixture(autouse=True)
def quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    # As late as this, since nothing of the collection can be imported before pytest-ansible has put it on the path.
    from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import connections
    from support import chain

    monkeypatch.setattr(connections, "Clock", chain.QuickClock)


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Iterator[Callable[[str, int], None]]:
    """Counts cases under a heading; the summary of the whole run adds them up."""
    counted: dict[str, int] = {}

    def add(heading: str, cases: int = 1) -> None:
        counted[heading] = counted.get(heading, 0) + cases

    yield add
    for heading, cases in counted.items():
        record_property("cases: " + heading, cases)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    totals: dict[str, int] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name.startswith("cases: ") and getattr(report, "when", "") == "teardown":
                    totals[name[7:]] = totals.get(name[7:], 0) + int(value)
    if totals:
        terminalreporter.section("cases")
        for heading, cases in sorted(totals.items()):
            terminalreporter.write_line(f"{cases:6d}  {heading}")
