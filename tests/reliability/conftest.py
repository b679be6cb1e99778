# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No test here waits."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def quick_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    # As late as this, since nothing of the collection can be imported before pytest-ansible has put it on the path.
    from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import connections
    from support import chain

    monkeypatch.setattr(connections, "Clock", chain.QuickClock)
