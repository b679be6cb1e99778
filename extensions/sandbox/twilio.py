# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Twilio: Flex and Monitor, both read only, and the connector's undocumented read. Sync is in sync.py.

Documented (OpenAPI documents): paths, bodies, statuses, error codes 20003, 20404 and 45101. ``ProfileConnector`` was seen in public
code only. Inferred: when exactly the alerts 49008 and 49009 are raised.
"""

from __future__ import annotations

import datetime
import typing as t
import urllib.parse

from starlette.requests import Request
from starlette.routing import Route

from .endpoints import Body, Exchange, Handler, Service, basic_user
from .limits import Limits
from .model import ApiProblem, Environment, deterministic_hex
from .world import World


def auth(world: World, region: str, request: Request) -> Environment:
    """The environment of an API key SID and secret, or of an account SID and auth token.

    Raises:
        ApiProblem: 401.
    """
    user, password = basic_user(request)
    found = world.holder(user)
    if found is not None and "twilio" not in found[0].revoked:
        env, name = found
        secrets = {"api_key": env.api_secret, "account_sid": env.auth_token}
        if name in secrets and password == secrets[name]:
            return env
    raise ApiProblem(401, "20003", "Authenticate")


def error(problem: ApiProblem) -> Body:
    """A problem without one of Twilio's own codes gets the general one."""
    code = int(problem.code) if problem.code.isdigit() else 20001
    more = f"https://www.twilio.com/docs/errors/{code}"
    return {"code": code, "message": problem.message, "more_info": more, "status": problem.status}


def not_found(exchange: Exchange) -> ApiProblem:
    """What is said of a path that leads to nothing."""
    path = exchange.request.url.path.split("/", 4)[-1]
    return ApiProblem(404, "20404", f"The requested resource /{path} was not found")


def seconds(at: datetime.datetime) -> str:
    """A time as Twilio writes it."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def base_url(exchange: Exchange) -> str:
    """Of this server, without a slash at the end."""
    return str(exchange.request.base_url).rstrip("/")


def here(exchange: Exchange, query: Body | None = None) -> str:
    """The URL of the request, with another query."""
    url = f"{base_url(exchange)}{exchange.request.url.path}"
    return f"{url}?{urllib.parse.urlencode(query)}" if query else url


def paged(exchange: Exchange, key: str, items: list[Body]) -> Body:
    """Twilio's listing: PageSize, Page and an opaque PageToken; ``next_page_url`` keeps the filters.

    Raises:
        ApiProblem: 400; one of them is invalid.
    """
    asked: Body = dict(exchange.query)
    try:
        size, number = int(asked.get("PageSize") or 50), int(asked.get("Page") or 0)
    except ValueError:
        raise ApiProblem(400, "20001", "PageSize and Page must be numbers") from None
    if not 1 <= size <= 1000 or number < 0:
        raise ApiProblem(400, "20001", "PageSize must be from 1 to 1000")
    token = asked.get("PageToken", "")
    ids = [item["sid"] for item in items]
    if token and token.removeprefix("PA") not in ids:
        raise ApiProblem(400, "20006", "PageToken is invalid")
    start = ids.index(token.removeprefix("PA")) + 1 if token else number * size
    shown = items[start : start + size]

    def link(page: int, **more: str) -> str:
        kept: Body = {k: v for k, v in asked.items() if k not in ("Page", "PageToken", "PageSize")}
        return here(exchange, {**kept, "PageSize": size, "Page": page, **more})

    following = link(number + 1, PageToken=f"PA{shown[-1]['sid']}") if shown and start + size < len(items) else None
    meta: Body = {"first_page_url": link(0), "previous_page_url": link(number - 1) if number else None}
    meta |= {"url": link(number), "next_page_url": following, "page": number, "page_size": size, "key": key}
    return {key: shown, "meta": meta}


# Flex


def configuration(exchange: Exchange) -> t.Any:
    """What Flex is set up as."""
    if exchange.env.flex_status == "notstarted":
        raise ApiProblem(404, "45101", "Flex is not set up on this account")

    def sid(prefix: str, what: str) -> str:
        return prefix + deterministic_hex(exchange.env.name, what)

    return {
        "account_sid": exchange.env.account_sid,
        "date_created": "2024-01-01T00:00:00Z",
        "date_updated": "2024-01-01T00:00:00Z",
        "attributes": {},
        "status": exchange.env.flex_status,
        "taskrouter_workspace_sid": sid("WS", "workspace"),
        "taskrouter_target_workflow_sid": sid("WW", "workflow"),
        "taskrouter_target_taskqueue_sid": sid("WQ", "taskqueue"),
        "flex_instance_sid": sid("GO", "flex"),
        "flex_service_instance_sid": sid("IS", "flex"),
        "chat_service_instance_sid": sid("IS", "chat"),
        "runtime_domain": "https://flex.twilio.com",
        "ui_language": "en",
        "ui_attributes": {},
        "ui_dependencies": {},
        "ui_version": exchange.env.flex_ui_version,
        "service_version": "1",
        "call_recording_enabled": False,
        "crm_enabled": False,
        "public_attributes": {},
        "url": here(exchange),
    }


def provision(exchange: Exchange) -> t.Any:
    """How far the setup of Flex is."""
    status = {"ok": "active", "inprogress": "in-progress"}.get(exchange.env.flex_status, "not-configured")
    return {"status": status, "url": here(exchange)}


# Monitor


def alert_view(exchange: Exchange, alert: Body) -> Body:
    """An alert as the API shows it."""
    sid, at = "NO" + deterministic_hex(exchange.env.name, "alert", alert["serial"]), seconds(alert["at"])
    return {
        "sid": sid,
        "account_sid": exchange.env.account_sid,
        "alert_text": alert["alert_text"],
        "api_version": "2010-04-01",
        "date_created": at,
        "date_generated": at,
        "date_updated": at,
        "error_code": alert["error_code"],
        "log_level": "error",
        "more_info": f"https://www.twilio.com/docs/errors/{alert['error_code']}",
        "request_method": "POST",
        "request_url": None,
        "resource_sid": None,
        "service_sid": None,
        "url": f"{base_url(exchange)}/twilio/monitor/v1/Alerts/{sid}",
    }


def alerts(exchange: Exchange) -> t.Any:
    """Newest first."""
    start, end = exchange.moment("StartDate", "20001"), exchange.moment("EndDate", "20001")
    level = exchange.query.get("LogLevel", "error")
    found = [
        alert_view(exchange, alert)
        for alert in reversed(exchange.env.alerts)
        if level == "error" and (start is None or alert["at"] >= start) and (end is None or alert["at"] <= end)
    ]
    return paged(exchange, "alerts", found)


def one_alert(exchange: Exchange) -> t.Any:
    """An alert."""
    for alert in exchange.env.alerts:
        view = alert_view(exchange, alert)
        if view["sid"] == exchange.path["sid"]:
            return {**view, "request_headers": None, "request_variables": None, "response_body": None}
    raise not_found(exchange)


# The connector, as public code reads it


def connector(exchange: Exchange) -> t.Any:
    """Whether Twilio holds a connection."""
    if exchange.path["sid"] != exchange.env.account_sid or not exchange.env.connection:
        raise not_found(exchange)
    return {"configuration_id": "PD" + deterministic_hex(exchange.env.name, "connector")}


PATHS: dict[str, list[tuple[str, str, Handler]]] = {
    "flex": [("GET", "/v1/Configuration", configuration), ("GET", "/v1/account/provision/status", provision)],
    "monitor": [("GET", "/v1/Alerts", alerts), ("GET", "/v1/Alerts/{sid}", one_alert)],
    "preview": [("GET", "/ProfileConnector/Instances/{sid}", connector)],
}


def routes(world: World, limits: Limits) -> list[Route]:
    """The routes of the products."""
    return [
        route
        for product, paths in PATHS.items()
        for route in Service(world, limits, product, auth, error, form=True).routes(f"/twilio/{product}", paths)
    ]
