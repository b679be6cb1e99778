# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Environments that fail, each in its own way, beside others that do not."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox import inventory
from sandbox.server import SandboxHandle, run_sandbox

HOST_VARS = "unified_profiles_"


@dataclass(frozen=True)
class Hostility:
    """One way to fail.

    Attributes:
        said: What the environment's own failure must say.
        fault: A rule that hits each of its requests.
        variables: Settings of the host.
        before: What is done to the world.
    """

    said: str
    fault: t.Mapping[str, t.Any] | None = None
    variables: t.Mapping[str, t.Any] = ()  # type: ignore[assignment]
    before: Callable[[SandboxHandle, str], object] = lambda sandbox, name: None


HOSTILE = {
    "revoked token": Hostility(
        "segment_token", before=lambda sandbox, name: sandbox.sabotage(name, "revoke-token", which="segment")
    ),
    "token of another space": Hostility("profile_token", variables={"profile_token": "of-another-space"}),
    "500": Hostility("500", {"match": "/segment", "status": 500}),
    "an hour": Hostility("3600", {"match": "/segment", "kind": "rate_limited", "seconds": 3600, "hint": "seconds"}),
    "HTML": Hostility("HTML. Check", {"match": "/segment", "kind": "html"}),
    "truncated": Hostility("peer closed connection", {"match": "/segment", "kind": "truncated"}),
    "hangs up": Hostility("without sending a response", {"match": "/segment", "kind": "drop_before"}),
    "trickles": Hostility("no complete answer", {"match": "/segment", "kind": "slow", "seconds": 60}, {"timeout": 2.0}),
    "legacy source": Hostility(
        "flex-unify-server-source", before=lambda sandbox, name: sandbox.sabotage(name, "legacy-source")
    ),
    "gateway refuses": Hostility(
        "endpoints.connection.headers",
        before=lambda sandbox, name: setattr(sandbox.world.environments[name], "gateway_token", "another-one"),
    ),
    "regulated": Hostility("HIPAA", variables={"regulated": ["hipaa"]}),
    "no consent": Hostility("allow_write_events", variables={"allow_write_events": False}),
}


@contextmanager
def fleet(count: int, folder: Path, ways: t.Iterable[str]) -> Iterator[tuple[SandboxHandle, dict[str, str]]]:
    """A sandbox of its own with so many environments, and its inventory; every fourth is hostile, in the given ways."""
    with run_sandbox(count) as sandbox:
        inventory.write(sandbox.world, sandbox.url, folder)
        names = list(sandbox.world.environments)
        hostile = dict(zip(names[1::4], ways))
        for name, way in hostile.items():
            write_variables(folder, name, make_hostile(sandbox, name, HOSTILE[way]))
        yield sandbox, hostile


def make_hostile(sandbox: SandboxHandle, name: str, how: Hostility) -> dict[str, t.Any]:
    """Make an environment fail; return the variables of its host that belong to that."""
    how.before(sandbox, name)
    if how.fault:
        sandbox.fault(environment=name, count=None, **how.fault)
    values = {"retry_budget": 1.5, **dict(how.variables)}
    return {HOST_VARS + key: value for key, value in values.items()}


def write_variables(folder: Path, name: str, variables: t.Mapping[str, t.Any]) -> None:
    """Add to the variables of a host."""
    path = folder / f"host_vars/{name}/more.yml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("---\n" + "".join(f"{key}: {json.dumps(value)}\n" for key, value in variables.items()))
