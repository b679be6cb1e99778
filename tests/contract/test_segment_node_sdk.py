# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Segment's own SDK for Node works with the sandbox. SEGMENT_SDK names the node_modules folder that has it.

Its release is 47.0.0, older than ``metadata.status``, and it lets missing fields pass: shapes are checked by the other contract tests.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from sandbox import handovers

PACKAGE = "@segment/public-api-sdk-typescript"
FOLDER = Path(os.environ.get("SEGMENT_SDK", ""))
pytestmark = [
    # Nothing here depends on the version of ansible-core.
    pytest.mark.newest_only,
    pytest.mark.skipif(
        not (shutil.which("node") and os.environ.get("SEGMENT_SDK") and (FOLDER / PACKAGE).is_dir()),
        reason=f"needs node and Segment's SDK: npm install {PACKAGE}, then SEGMENT_SDK=.../node_modules",
    ),
]


def test_segments_own_sdk_cannot_tell(sandbox):
    env = sandbox.world.environments["dev"]
    handovers.connect(
        sandbox.world,
        env,
        {"space_id": env.space["id"], "profile_token": env.profile_token, "allow_write_events": True},
    )
    slugs = [source.slug for source in env.sources.values()] + ["new"]
    sandbox.work("dev", count=2)
    script = str(Path(__file__).with_name("segment_node_sdk.js"))
    run = subprocess.run(
        ["node", script, f"{sandbox.url}/segment/us", env.segment_token, env.space["id"]],
        env={**os.environ, "NODE_PATH": str(FOLDER), "NODE_NO_WARNINGS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    told = json.loads(run.stdout)
    volume = told.pop("volume")
    assert {tuple(row) for row in volume} == {("Flex - Engagement Initiated", 2), ("Flex - Engagement Completed", 2)}
    assert told.pop("catalog") > 30
    assert told == {
        "workspace": "dev-workspace",
        "made": {"name": "new", "kind": "java", "keys": 1},
        "taken": {"status": 409, "type": "conflict", "count": 1},
        "changed": ["other", "new", False],
        "pages": [slugs[n : n + 2] for n in range(0, len(slugs), 2)],
        "keys": 2,
        "removed": "SUCCESS",
        "labels": ["environment:dev"],
        "unplanned": True,
        "warehouses": 1,
        "deleted": "SUCCESS",
        "gone": {"status": 404, "type": "not-found", "count": 1},
        "space": env.space["id"],
        "spaces": [env.space["id"]],
        "java": "java",
        "known": 2,
        "audit": "Source Created",
        "echo": "hello",
        "errors": {"status": 418, "type": "echo", "count": 2},
    }
