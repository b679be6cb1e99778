# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control plane, for tests and rehearsals."""

from __future__ import annotations

import time
import typing as t
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import events, sabotage, state
from .endpoints import REGIONS, json_object, refuse_control_characters
from .faults import Faults
from .forwarding import Forwarder
from .model import ApiProblem, iso
from .world import World


@dataclass(frozen=True)
class Order:
    """One request to the control plane. A handler takes it, and returns the answer; None means ``{"ok": true}``."""

    world: World
    faults: Faults
    request: Request
    body: dict[str, t.Any]


Handler = t.Callable[[Order], t.Any]


def error(problem: ApiProblem) -> dict[str, t.Any]:
    """A problem in the words of the control plane."""
    return {"error": problem.message}


def info(order: Order) -> t.Any:
    """URLs, workspaces, spaces, tokens and accounts."""
    base = str(order.request.base_url).rstrip("/")
    regions = {
        f"{name}_api": {region: f"{base}/{path}/{region}" for region in REGIONS}
        for name, path in (("segment", "segment"), ("profile", "profiles"), ("tracking", "tracking"))
    }
    products = {name: f"{base}/twilio/{name}" for name in ("flex", "monitor", "sync", "taskrouter", "api", "preview")}
    return {
        "name": "flexops.unified_profiles sandbox",
        "version": 1,
        "now": iso(order.world.now()),
        "base_urls": {**regions, **products, "handover": f"{base}/handover"},
        "environments": {
            env.name: {
                "region": env.region,
                "workspace": env.workspace,
                "space": env.space,
                "segment_token": env.segment_token,
                "segment_token_source_admin": env.admin_token,
                "segment_token_read_only": env.read_only_token,
                "profile_token": env.profile_token,
                "twilio": {
                    "account_sid": env.account_sid,
                    "api_key": env.api_key,
                    "api_secret": env.api_secret,
                    "auth_token": env.auth_token,
                },
                "gateway_token": env.gateway_token,
                "handover_url": f"{base}/handover/{env.name}",
            }
            for env in order.world.environments.values()
        },
    }


def usage(order: Order) -> t.Any:
    """The processor time of the process, in seconds, and the number of requests in the journal."""
    return {"cpu_seconds": time.process_time(), "requests": len(order.world.journal)}


def reset(order: Order) -> None:
    """Everything as it was at the start."""
    order.world.reset()


def break_something(order: Order) -> None:
    """See :mod:`.sabotage`."""
    options = {k: v for k, v in order.body.items() if k not in ("environment", "name")}
    env = order.world.environment(order.body.get("environment"))
    sabotage.sabotage(order.world, env, order.body.get("name"), options)
    order.faults.note_changes(env.name)


def list_faults(order: Order) -> t.Any:
    """The rules, with their hits."""
    return {"faults": [rule.view() for rule in order.faults.rules]}


def add_fault(order: Order) -> t.Any:
    """Set a rule."""
    return {"fault": order.faults.add(order.body).view()}


def clear_faults(order: Order) -> None:
    """Take all rules away."""
    order.faults.rules.clear()


def show_journal(order: Order) -> t.Any:
    """The requests that were processed."""
    return {"journal": order.world.journal}


def clear_journal(order: Order) -> None:
    """Forget them."""
    order.world.journal.clear()


def advance(order: Order) -> t.Any:
    """Move the clock forward."""
    seconds = order.body.get("advance")
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= 1e8:
        raise ApiProblem(400, "input-validation", "advance takes seconds, forward only, up to 100000000")
    order.world.advance(seconds)
    return {"now": iso(order.world.now())}


def show_switches(order: Order) -> t.Any:
    """The values of the switches."""
    return {"switches": order.world.switches}


def switch(order: Order) -> t.Any:
    """Set some of them."""
    order.world.switch(order.body)
    return show_switches(order)


def engage(order: Order) -> None:
    """Agents wrap up engagements."""
    count = order.body.get("count", 1)
    if not isinstance(count, int) or not 0 < count < 1_000_000:
        raise ApiProblem(400, "input-validation", "count takes a whole number")
    events.engage(order.world, order.world.environment(order.body.get("environment")), count)


def forward(order: Order) -> None:
    """Forward the audit trails from now on."""
    url, secret = order.body.get("url"), order.body.get("secret")
    if not isinstance(url, str) or not isinstance(secret, str):
        raise ApiProblem(400, "input-validation", "url and secret are required")
    order.world.forwarders.append(Forwarder(url, secret))


def save(order: Order) -> t.Any:
    """Write the file that ``--state`` named."""
    return _keep(order.world, state.save)


def load(order: Order) -> t.Any:
    """Go back to what it holds."""
    return _keep(order.world, state.load)


def _keep(world: World, act: t.Callable[[World, Path], None]) -> t.Any:
    if world.state_file is None:
        raise ApiProblem(409, "conflict", "no state file was named: start the sandbox with --state FILE")
    try:
        act(world, world.state_file)
    except state.StateError as problem:
        raise ApiProblem(409, "conflict", str(problem)) from None
    return {"file": str(world.state_file)}


PATHS: list[tuple[str, str, Handler]] = [
    ("GET", "", info),
    ("GET", "/usage", usage),
    ("POST", "/reset", reset),
    ("POST", "/sabotage", break_something),
    ("GET", "/faults", list_faults),
    ("POST", "/faults", add_fault),
    ("DELETE", "/faults", clear_faults),
    ("GET", "/journal", show_journal),
    ("DELETE", "/journal", clear_journal),
    ("POST", "/save", save),
    ("POST", "/load", load),
    ("POST", "/clock", advance),
    ("GET", "/switches", show_switches),
    ("POST", "/switches", switch),
    ("POST", "/engagements", engage),
    ("POST", "/forwarding", forward),
]


def routes(world: World, faults: Faults) -> list[Route]:
    """The control plane's routes."""

    def serving(handler: Handler) -> t.Callable[[Request], t.Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            raw = await request.body()
            try:
                with world.lock:
                    body = json_object(raw)
                    refuse_control_characters(body, except_for="body")
                    return JSONResponse(handler(Order(world, faults, request, body)) or {"ok": True})
            except ApiProblem as problem:
                return JSONResponse(error(problem), problem.status)

        return serve

    return [Route("/_sandbox" + path, serving(handler), methods=[method]) for method, path, handler in PATHS]
