# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A worker whose run has ended, as when its terminal was closed while it waited for the next attempt."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Refused
from support.conversation import OK, Turn
from support.project import HANGS

# Starts a worker, and ends at once, before the worker asks.
RUN_THAT_ENDS = """
import os, sys
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import HttpSettings
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
ready, told_ready = os.pipe()
if os.fork():
    os.read(ready, 1)
    os._exit(0)
transport = Transport(HttpSettings())
before = transport.orphaned
parent = os.getppid()
os.write(told_ready, b".")
while os.getppid() == parent:
    pass
print(before, transport.orphaned)
"""


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_more_is_sent(converse, monkeypatch, method):
    script = converse(Turn(method, "/x", 429, answer_headers={"retry-after": "1"}), Turn("GET", "/x", 200, OK))
    service = script.service()
    sleep = script.clock.sleep

    def close_the_terminal(seconds):
        sleep(seconds)
        monkeypatch.setattr(os, "getppid", lambda: 1)

    monkeypatch.setattr(script.clock, "sleep", close_the_terminal)
    with pytest.raises(Refused, match="the run has ended"):
        service.request(method, "/x")
    service.get("/x")


def test_a_worker_sees_that_its_run_has_ended():
    done = subprocess.run(
        [sys.executable, "-c", RUN_THAT_ENDS], capture_output=True, text=True, check=True, timeout=HANGS
    )
    assert done.stdout.split() == ["False", "True"], done.stderr
