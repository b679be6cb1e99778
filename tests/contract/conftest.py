# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connected environment to send requests to."""

from __future__ import annotations

import pytest
from sandbox.server import SandboxHandle
from support.operations import Stage


@pytest.fixture
def stage(sandbox: SandboxHandle) -> Stage:
    return Stage(sandbox)
