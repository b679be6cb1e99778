# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Twilio: Flex, Monitor, TaskRouter's events and the account, all read only, and the connector's undocumented read.

Sync is in sync.py. Documented (OpenAPI documents, pages): paths, bodies, statuses, error codes 20003, 20404 and 45101.
Documented, too: no query returns alerts and events older than 30 days, and a standard API key opens no account.
``ProfileConnector`` was seen in public code only. Inferred: when exactly the alerts 49008 and 49009 are raised, and
what is answered to a start before the 30 days.
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

# How far back alerts and events of tasks go, and how many alerts there are at most.
KEPT = datetime.timedelta(days=30)
MOST_ALERTS = 10_000


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
    """The error for a path that leads to nothing."""
    path = exchange.request.url.path.split("/", 4)[-1]
    return ApiProblem(404, "20404", f"The requested resource /{path} was not found")


def _flex_sid(env: Environment, prefix: str, what: str) -> str:
    return prefix + deterministic_hex(env.name, what)


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
    """The configuration of Flex."""
    if exchange.env.flex_status == "notstarted":
        raise ApiProblem(404, "45101", "Flex is not set up on this account")

    env = exchange.env
    version = {"number": env.flex_ui_version, "null": None, "range": "~2.17"}[exchange.world.switches["ui_version"]]
    return {
        "account_sid": exchange.env.account_sid,
        "date_created": "2024-01-01T00:00:00Z",
        "date_updated": "2024-01-01T00:00:00Z",
        "attributes": {},
        "status": exchange.env.flex_status,
        "taskrouter_workspace_sid": _flex_sid(env, "WS", "workspace"),
        "taskrouter_target_workflow_sid": _flex_sid(env, "WW", "workflow"),
        "taskrouter_target_taskqueue_sid": _flex_sid(env, "WQ", "taskqueue"),
        "flex_instance_sid": _flex_sid(env, "GO", "flex"),
        "flex_service_instance_sid": _flex_sid(env, "IS", "flex"),
        "chat_service_instance_sid": _flex_sid(env, "IS", "chat"),
        "runtime_domain": "https://flex.twilio.com",
        "ui_language": "en",
        "ui_attributes": {},
        "ui_dependencies": {},
        "ui_version": version,
        "service_version": "1",
        "call_recording_enabled": False,
        "crm_enabled": False,
        "public_attributes": {},
        "url": here(exchange),
    }


def provision(exchange: Exchange) -> t.Any:
    """Return how far the setup of Flex is."""
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
    """Newest first, of the last 30 days."""
    start, end = exchange.moment("StartDate", "20001"), exchange.moment("EndDate", "20001")
    oldest = exchange.world.now() - KEPT
    if start and start < oldest and exchange.world.switches["old_alerts"] != 200:
        raise ApiProblem(exchange.world.switches["old_alerts"], "20001", "StartDate must be within the last 30 days")
    since = max(start or oldest, oldest)
    level = exchange.query.get("LogLevel", "error")
    found = [
        alert_view(exchange, alert)
        for alert in reversed(exchange.env.alerts)
        if level == "error" and alert["at"] >= since and (end is None or alert["at"] <= end)
    ][:MOST_ALERTS]
    return paged(exchange, "alerts", found)


def one_alert(exchange: Exchange) -> t.Any:
    """An alert."""
    for alert in exchange.env.alerts:
        view = alert_view(exchange, alert)
        if view["sid"] == exchange.path["sid"]:
            return {**view, "request_headers": None, "request_variables": None, "response_body": None}
    raise not_found(exchange)


# TaskRouter


def task_events(exchange: Exchange) -> t.Any:
    """The events of tasks, newest first, of the last 30 days."""
    env, workspace = exchange.env, _flex_sid(exchange.env, "WS", "workspace")
    if exchange.path["workspace"] != workspace or env.flex_status == "notstarted":
        raise not_found(exchange)
    start, end = exchange.moment("StartDate", "20001"), exchange.moment("EndDate", "20001")
    oldest = exchange.world.now() - KEPT
    since, kind = max(start or oldest, oldest), exchange.query.get("EventType")
    url = f"{base_url(exchange)}/twilio/taskrouter/v1/Workspaces/{workspace}"

    def view(n: int, event: Body) -> Body:
        sid, task = (
            prefix + deterministic_hex(env.name, "task", what, n) for prefix, what in (("EV", "event"), ("WT", "task"))
        )
        return {
            "sid": sid,
            "account_sid": env.account_sid,
            "workspace_sid": workspace,
            "event_type": event["type"],
            "event_date": seconds(event["at"]),
            "event_date_ms": int(event["at"].timestamp() * 1000),
            "event_data": {},
            "description": event["type"],
            "actor_sid": workspace,
            "actor_type": "workspace",
            "actor_url": url,
            "resource_sid": task,
            "resource_type": "task",
            "resource_url": f"{url}/Tasks/{task}",
            "source": "twilio",
            "source_ip_address": None,
            "url": f"{url}/Events/{sid}",
        }

    found = [
        view(n, event)
        for n, event in reversed(list(enumerate(env.tasks)))
        if event["at"] >= since and (end is None or event["at"] <= end) and kind in (None, event["type"])
    ]
    return paged(exchange, "events", found)


# The account


def account(exchange: Exchange) -> t.Any:
    """Its name. A standard API key may not read accounts; the auth token may."""
    env, status = exchange.env, exchange.world.switches["account_by_key"]
    if basic_user(exchange.request)[0] == env.api_key and status != 200:
        raise ApiProblem(status, "20003", "Authenticate")
    if exchange.path["sid"] != env.account_sid:
        raise not_found(exchange)
    return {
        "sid": env.account_sid,
        "friendly_name": env.account_name,
        "status": "active",
        "type": "Full",
        "owner_account_sid": env.account_sid,
        "auth_token": env.auth_token,
        "date_created": "Mon, 01 Jan 2024 00:00:00 +0000",
        "date_updated": "Mon, 01 Jan 2024 00:00:00 +0000",
        "uri": f"/2010-04-01/Accounts/{env.account_sid}.json",
        "subresource_uris": {},
    }


# The connector, as public code reads it


def connector(exchange: Exchange) -> t.Any:
    """Return whether Twilio holds a connection."""
    if exchange.path["sid"] != exchange.env.account_sid or not exchange.env.connection:
        raise not_found(exchange)
    return {"configuration_id": "PD" + deterministic_hex(exchange.env.name, "connector")}


PATHS: dict[str, list[tuple[str, str, Handler]]] = {
    "flex": [("GET", "/v1/Configuration", configuration), ("GET", "/v1/account/provision/status", provision)],
    "monitor": [("GET", "/v1/Alerts", alerts), ("GET", "/v1/Alerts/{sid}", one_alert)],
    "taskrouter": [("GET", "/v1/Workspaces/{workspace}/Events", task_events)],
    "api": [("GET", "/2010-04-01/Accounts/{sid}.json", account)],
    "preview": [("GET", "/ProfileConnector/Instances/{sid}", connector)],
}


def routes(world: World, limits: Limits) -> list[Route]:
    """The routes of the products."""
    return [
        route
        for product, paths in PATHS.items()
        for route in Service(world, limits, product, auth, error, form=True).routes(f"/twilio/{product}", paths)
    ]
