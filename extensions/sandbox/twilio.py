# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Twilio: Flex, Monitor and Sync."""

from __future__ import annotations

import typing as t

from starlette.requests import Request
from starlette.routing import Route

from .http import Handler, basic_user, endpoint, moment
from .world import Environment, Problem, World, iso


def twilio_auth(world: World, region: str, request: Request) -> Environment:
    given = basic_user(request)
    for env in world.environments.values():
        if given in ((env.api_key, env.api_secret), (env.account_sid, env.auth_token)):
            if "twilio" not in env.revoked:
                return env
    raise Problem(401, "20003", "Authenticate")


def configuration(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    return {"account_sid": env.account_sid, "status": "ok", "ui_version": "2.8.0", "date_updated": iso(world.now())}


def provision(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    return {"status": "active", "url": "https://flex-api.twilio.com/v1/account/provision/status"}


def alerts(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    since = moment(request, "StartDate")
    start = since.strftime("%Y-%m-%dT%H:%M:%SZ") if since else ""
    found = [a for a in reversed(env.alerts) if a["date_generated"] >= start]
    return {"alerts": found, "meta": {"page": 0, "page_size": 100, "next_page_url": None, "key": "alerts"}}


def documents(world: World, env: Environment, request: Request, body: dict[str, t.Any]) -> t.Any:
    name = request.path_params.get("name") or body.get("UniqueName")
    found = env.documents.get(str(name))
    if request.method == "POST" and "name" not in request.path_params:
        if found or not isinstance(name, str):
            raise Problem(409, "54301", "Unique name already exists")
        env.documents[name] = {"unique_name": name, "revision": "0", "data": body.get("Data", {})}
        return env.documents[name], 201
    if found is None:
        raise Problem(404, "20404", "The requested resource was not found")
    if request.method == "POST":
        if request.headers.get("if-match", found["revision"]) != found["revision"]:
            raise Problem(412, "54103", "The revision of the Document does not match the expected revision")
        found.update(revision=str(int(found["revision"]) + 1), data=body.get("Data", found["data"]))
    return found


def error(problem: Problem) -> dict[str, t.Any]:
    code = int(problem.code) if problem.code.isdigit() else 20001
    more = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": problem.message, "more_info": more, "status": problem.status}


SYNC = "/twilio/sync/v1/Services/{service}/Documents"
TWILIO: list[tuple[str, str, Handler]] = [
    ("GET", "/twilio/flex/v1/Configuration", configuration),
    ("GET", "/twilio/flex/v1/account/provision/status", provision),
    ("GET", "/twilio/monitor/v1/Alerts", alerts),
    ("POST", SYNC, documents),
    ("GET POST", SYNC + "/{name}", documents),
]


def routes(world: World) -> list[Route]:
    return [
        Route(path, endpoint(world, path.split("/")[2], "", twilio_auth, handler, error), methods=methods.split())
        for methods, path, handler in TWILIO
    ]
