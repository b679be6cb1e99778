# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control plane, for tests and rehearsals."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import state
from .http import json_object
from .rules import add_rule, note_changes
from .world import Problem, World, iso


def routes(world: World) -> list[Route]:
    def route(path: str, method: str, handler: t.Callable[[Request, dict[str, t.Any]], t.Any]) -> Route:
        async def serve(request: Request) -> Response:
            raw = await request.body()
            try:
                with world.lock:
                    return JSONResponse(handler(request, json_object(raw)) or {"ok": True})
            except Problem as problem:
                return JSONResponse({"error": problem.message}, problem.status)

        return Route("/_sandbox" + path, serve, methods=[method])

    def info(request: Request, body: dict[str, t.Any]) -> t.Any:
        base = str(request.base_url).rstrip("/")
        regions = {
            f"{name}_api": {region: f"{base}/{path}/{region}" for region in ("us", "eu")}
            for name, path in (("segment", "segment"), ("profile", "profiles"), ("tracking", "tracking"))
        }
        products = {name: f"{base}/twilio/{name}" for name in ("flex", "monitor", "sync", "preview")}
        return {
            "name": "flexops.unified_profiles sandbox",
            "version": 1,
            "now": iso(world.now()),
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
                for env in world.environments.values()
            },
        }

    def usage(request: Request, body: dict[str, t.Any]) -> t.Any:
        return {"cpu_seconds": time.process_time(), "requests": len(world.journal)}

    def sabotage(request: Request, body: dict[str, t.Any]) -> None:
        options = {k: v for k, v in body.items() if k not in ("environment", "name")}
        env = world.environment(body.get("environment"))
        world.sabotage(env, body.get("name"), options)
        note_changes(world, env.name)

    def add_fault(request: Request, body: dict[str, t.Any]) -> t.Any:
        return {"fault": add_rule(world, body).view()}

    def advance(request: Request, body: dict[str, t.Any]) -> t.Any:
        seconds = body.get("advance")
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= 1e8:
            raise Problem(400, "input-validation", "advance takes seconds, forward only, up to 100000000")
        world.advance(seconds)
        return {"now": iso(world.now())}

    def switch(request: Request, body: dict[str, t.Any]) -> t.Any:
        world.switch(body)
        return {"switches": world.switches}

    def engage(request: Request, body: dict[str, t.Any]) -> None:
        count = body.get("count", 1)
        if not isinstance(count, int) or not 0 < count < 1_000_000:
            raise Problem(400, "input-validation", "count takes a whole number")
        world.engage(world.environment(body.get("environment")), count)

    def keep(request: Request, body: dict[str, t.Any], act: t.Callable[[World, Path], None]) -> t.Any:
        if world.state_file is None:
            raise Problem(409, "conflict", "no state file was named: start the sandbox with --state FILE")
        try:
            act(world, world.state_file)
        except state.StateError as error:
            raise Problem(409, "conflict", str(error)) from None
        return {"file": str(world.state_file)}

    return [
        route("", "GET", info),
        route("/usage", "GET", usage),
        route("/reset", "POST", lambda request, body: world.reset()),
        route("/sabotage", "POST", sabotage),
        route("/faults", "GET", lambda request, body: {"faults": [rule.view() for rule in world.faults]}),
        route("/faults", "POST", add_fault),
        route("/faults", "DELETE", lambda request, body: world.faults.clear()),
        route("/journal", "GET", lambda request, body: {"journal": world.journal}),
        route("/journal", "DELETE", lambda request, body: world.journal.clear()),
        route("/save", "POST", lambda request, body: keep(request, body, state.save)),
        route("/load", "POST", lambda request, body: keep(request, body, state.load)),
        route("/clock", "POST", advance),
        route("/switches", "GET", switch),
        route("/switches", "POST", switch),
        route("/engagements", "POST", engage),
    ]
