# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every operation of the sandbox: requests that succeed, requests that are refused, and who sends them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import httpx
from sandbox import handovers
from sandbox.app import make_routes
from sandbox.faults import Faults
from sandbox.world import World

JAVA = "V6ynUvQgbc"
YEAR = "startTime=2020-01-01T00:00:00Z&endTime=2100-01-01T00:00:00Z"
PROFILE = "/v1/spaces/{space}/collections/users/profiles/user_id:flex-customer-1"


@dataclass
class Case:
    """One request: to a service, as somebody, and what is answered."""

    service: str
    method: str
    path: str
    status: int = 200
    body: Any = None
    who: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    has: str = ""

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.path[:60]} {self.who} {self.status}"


def s(*args: Any, **more: Any) -> Case:
    return Case("segment", *args, **more)


def p(*args: Any, **more: Any) -> Case:
    return Case("profiles", *args, **more)


def y(*args: Any, **more: Any) -> Case:
    return Case("sync", *args, **more)


def new(**changes: Any) -> dict[str, Any]:
    return {"slug": "new", "enabled": True, "metadataId": JAVA, **changes}


LABEL = {"key": "environment", "value": "dev"}
SUCCESSES = [
    s("GET", "/", has="workspace.slug"),
    s("GET", "/spaces", has="spaces.0.slug"),
    s("GET", "/spaces/{space}", has="space.name"),
    s("GET", "/spaces/{space}/events?sortBy=lastSeenAt&sortDir=desc&search=Flex", has="events.1.lastSeenAt"),
    s("GET", "/spaces/{space}/traits?search=flex_", has="traits.1.trait"),
    s("GET", "/sources", has="sources.2.writeKeys.0"),
    s("POST", "/sources", 201, new(), has="source.writeKeys.0"),
    s("GET", "/sources/{source}", has="source.metadata.status"),
    s("PATCH", "/sources/{source}", 200, {"name": "other", "settings": {"a": 1, "b": None}}, has="source.settings.a"),
    s("DELETE", "/sources/{source}", has="status"),
    s("POST", "/sources/{source}/writekey", has="source.writeKeys.1"),
    s("DELETE", "/sources/{source}/writekey/{key}", has="status"),
    s("POST", "/sources/{source}/labels", 200, {"labels": [LABEL]}, has="labels.0.value"),
    s("PUT", "/sources/{source}/labels", 200, {"labels": []}, has="labels"),
    s("GET", "/sources/{source}/settings", has="settings.track.allowUnplannedEvents"),
    s("PATCH", "/sources/{source}/settings", 200, {"group": {"allowUnplannedTraits": False}}, has="settings.group"),
    s("GET", "/sources/{source}/connected-destinations", has="destinations"),
    s("GET", "/sources/{source}/connected-warehouses", has="warehouses.0.id"),
    s("GET", "/labels", has="labels.0.key"),
    s("POST", "/labels", 201, {"label": {"key": "team", "value": "ops", "description": "x"}}, has="label.description"),
    s("DELETE", "/labels/environment/dev", has="status"),
    s("GET", "/catalog/sources?pagination.count=2", has="sourcesCatalog.1.id"),
    s("GET", f"/catalog/sources/{JAVA}", has="sourceMetadata.slug"),
    s("GET", "/warehouses", has="warehouses.0.metadata.slug"),
    s("GET", "/warehouses/{warehouse}", has="warehouse.enabled"),
    s("GET", "/warehouses/{warehouse}/connected-sources", has="sources.2.id"),
    s("POST", "/warehouses/{warehouse}/connected-sources/{source}", 201, has="status"),
    s("DELETE", "/warehouses/{warehouse}/connected-sources/{source}", has="status"),
    s("GET", "/warehouses/{warehouse}/connected-sources/{source}/selective-syncs", has="items.0.properties.x.enabled"),
    s(
        *("PATCH", "/warehouses/{warehouse}/selective-sync", 200),
        {"syncOverrides": [{"sourceId": "{source}", "collection": "tracks", "property": "x", "enabled": True}]},
        has="status",
    ),
    s("GET", "/users", has="users.0.permissions.0.resources.0.type"),
    s("GET", "/groups", has="userGroups.0.memberCount"),
    s("GET", "/functions?resourceType=INSERT_DESTINATION", has="functions.0.displayName"),
    s("GET", "/insert-function-instances?functionId=fn-1", has="instances.0.integrationId"),
    s("GET", "/tracking-plans", has="trackingPlans.0.type"),
    s("GET", "/tracking-plans/{plan}", has="trackingPlan.id"),
    s("GET", "/tracking-plans/{plan}/sources", has="sources"),
    s("POST", "/tracking-plans/{plan}/sources", 200, {"sourceId": "{source}"}, has="status"),
    s("DELETE", "/tracking-plans/{plan}/sources?sourceId={source}", has="status"),
    s("GET", "/audit-events?resourceType=source", has="events.0.type"),
    s("GET", f"/events/volume?granularity=DAY&{YEAR}&groupBy.0=eventName&groupBy.1=source", has="result.0.source.id"),
    s("GET", "/echo?message=hello", has="message"),
    p("GET", PROFILE + "/metadata", has="metadata.first_source_id"),
    p("GET", PROFILE + "/events?limit=1", has="cursor.next"),
    p("GET", PROFILE + "/traits", has="traits.flex_last-known-agent"),
    p("GET", PROFILE + "/external_ids", has="data.0.type"),
    p("GET", PROFILE + "/links", has="data"),
    *(
        Case("tracking", "POST", f"/v1/{call}", 200, {"writeKey": "{key}", "userId": "u", "event": "e"}, has="success")
        for call in ("identify", "track", "page", "screen", "group", "alias")
    ),
    Case("tracking", "POST", "/v1/batch", 200, {"writeKey": "{key}", "batch": [{"type": "track"}]}, has="success"),
    Case("flex", "GET", "/v1/Configuration", has="ui_version"),
    Case("flex", "GET", "/v1/account/provision/status", has="status"),
    Case("monitor", "GET", "/v1/Alerts?LogLevel=error&StartDate=2020-01-01T00:00:00Z", has="alerts.0.error_code"),
    Case("monitor", "GET", "/v1/Alerts/{alert}", has="error_code"),
    Case("preview", "GET", "/ProfileConnector/Instances/{account}", has="configuration_id"),
    Case("taskrouter", "GET", "/v1/Workspaces/{workspace}/Events?EventType=task.wrapup", has="events.0.event_date"),
    Case("api", "GET", "/2010-04-01/Accounts/{account}.json", has="friendly_name"),
    y("GET", "/v1/Services", has="services.0.sid"),
    y("POST", "/v1/Services", 201, {"FriendlyName": "x"}, has="friendly_name"),
    y("GET", "/v1/Services/default", has="links.documents"),
    y("POST", "/v1/Services/{service}", 200, {"FriendlyName": "y"}, has="friendly_name"),
    y("DELETE", "/v1/Services/{other_service}", 204),
    y("GET", "/v1/Services/{service}/Documents", has="documents.0.revision"),
    y("POST", "/v1/Services/default/Documents", 201, {"UniqueName": "b", "Data": '{"a": 1}'}, has="data.a"),
    y("GET", "/v1/Services/default/Documents/ledger", has="revision"),
    y(
        "POST",
        "/v1/Services/default/Documents/{document}",
        200,
        {"Data": "{}"},
        headers={"if-match": "0"},
        has="revision",
    ),
    y("DELETE", "/v1/Services/default/Documents/ledger", 204),
    *(
        Case("handover", method, "/dev/link", 200, {"space_id": "{space}", "source_id": "{source}"}, has="source_id")
        for method in ("GET", "POST")
    ),
]
REFUSALS = [
    # Segment: bad requests
    s("POST", "/sources", 400, {}),
    s("POST", "/sources", 400, new(metadataId="unknown")),
    s("POST", "/sources", 400, new(slug="with space")),
    s("POST", "/sources", 400, new(enabled="yes")),
    s("POST", "/sources", 400, "not json"),
    s("POST", "/sources", 400, [1]),
    s("POST", "/sources", 413, new(settings={"x": "y" * 1024 * 1024})),
    s("POST", "/sources", 409, new(slug="website")),
    s("PATCH", "/sources/{source}", 400, {"enabled": "yes"}),
    s("PATCH", "/sources/{source}", 409, {"slug": "website"}),
    s("POST", "/sources/{source}/labels", 400, {"labels": [{"key": "no", "value": "such"}]}),
    s("PUT", "/sources/{source}/labels", 400, {"labels": "x"}),
    s("PATCH", "/sources/{source}/settings", 400, {"track": {"nothing": True}}),
    s("POST", "/labels", 400, {"label": {"key": "x"}}),
    s("POST", "/labels", 409, {"label": LABEL}),
    s("GET", "/sources?pagination.count=0", 400),
    s("GET", "/sources?pagination.count=1001", 400),
    s("GET", "/sources?pagination.cursor=%21", 400),
    s("GET", "/sources?pagination=[", 400),
    s("GET", "/events/volume?granularity=YEAR&" + YEAR, 400),
    s("GET", "/events/volume?granularity=DAY&startTime=soon&endTime=later", 400),
    s("GET", f"/events/volume?granularity=DAY&{YEAR}&groupBy.0=weather", 400),
    s("GET", f"/events/volume?granularity=DAY&{YEAR}&groupBy=[1]", 400),
    s("GET", f"/events/volume?granularity=DAY&{YEAR}&groupBy=[", 400),
    s("GET", "/spaces/{space}/events?sortBy=x", 400),
    s("GET", "/echo", 400),
    s("GET", "/echo?message=x&triggerError=true&statusCode=503", 503),
    s("GET", "/echo?message=x&triggerError=true&triggerUnexpectedError=true", 400),
    s("GET", "/echo?message=x&triggerUnexpectedError=true", 500),
    s("GET", "/echo?message=x&delay=10001", 400),
    s("GET", "/echo?message=x&delay=nan", 400),
    s("GET", "/echo?message=x&delay=soon", 400),
    # Segment: who may do what
    s("POST", "/labels", 403, {"label": {"key": "a", "value": "b"}}, who="admin"),
    s("DELETE", "/labels/environment/dev", 403, who="admin"),
    s("GET", "/audit-events", 403, who="admin"),
    s("GET", "/audit-events", 403, who="read-only"),
    s("POST", "/warehouses/{warehouse}/connected-sources/{source}", 403, who="admin"),
    s("POST", "/tracking-plans/{plan}/sources", 403, {"sourceId": "{source}"}, who="admin"),
    s("GET", "/users", 403, who="admin"),
    s("GET", "/groups", 403, who="read-only"),
    s("GET", "/functions?resourceType=WAREHOUSE", 400),
    s("GET", "/insert-function-instances?functionId=none", 404),
    s("PATCH", "/warehouses/{warehouse}/selective-sync", 400, {"syncOverrides": [{"sourceId": "none"}]}),
    s("GET", "/sources", 401, who="revoked"),
    s("GET", "/sources", 401, who="of the Profile API"),
    s("GET", "/spaces/{other_space}", 404),
    s("GET", "/nothing/here", 404),
    s("PUT", "/sources", 405),
    s("GET", "/sources/", 404),
    # Profile API
    p("GET", "/v1/spaces/{space}/collections/users/profiles/user_id:nobody/metadata", 404),
    p("GET", "/v1/spaces/{space}/collections/users/profiles/user_id:FLEX-CUSTOMER-1/metadata", 404),
    p("GET", "/v1/spaces/{space}/collections/users/profiles/nobody/metadata", 400),
    p("GET", "/v1/spaces/{other_space}/collections/users/profiles/user_id:x/metadata", 401),
    *(
        p("GET", f"/v1/spaces/{{space}}/collections/users/profiles/user_id:nobody/{what}", 404)
        for what in ("events", "traits", "external_ids", "links")
    ),
    p("GET", PROFILE + "/events?limit=0", 400),
    p("GET", PROFILE + "/events?next=%21", 400),
    p("GET", PROFILE + "/unknown", 404),
    # Tracking API: only what cannot be read or has no key
    Case("tracking", "POST", "/v1/track", 400, {"userId": "u", "event": "e"}),
    Case("tracking", "POST", "/v1/track", 400, {"writeKey": "short", "userId": "u"}),
    Case("tracking", "POST", "/v1/track", 400, "not json"),
    Case("tracking", "POST", "/v1/batch", 400, {"writeKey": "x" * 32, "batch": 1}),
    Case("tracking", "POST", "/v1/track", 400, {"writeKey": "{key}", "userId": "u", "x": "y" * 33_000}),
    # Twilio
    Case("monitor", "GET", "/v1/Alerts/NO00000000000000000000000000000000", 404),
    Case("monitor", "GET", "/v1/Alerts?PageSize=0", 400),
    Case("monitor", "GET", "/v1/Alerts?StartDate=soon", 400),
    Case("monitor", "GET", "/v1/Alerts?PageToken=PAx", 400),
    Case("preview", "GET", "/ProfileConnector/Instances/AC00000000000000000000000000000000", 404),
    Case("taskrouter", "GET", "/v1/Workspaces/{workspace}/Events?StartDate=soon", 400),
    Case("api", "GET", "/2010-04-01/Accounts/AC00000000000000000000000000000000.json", 404),
    Case("api", "GET", "/2010-04-01/Accounts/{account}.json", 401, who="key"),
    y("GET", "/v1/Services/IS00000000000000000000000000000000", 404),
    y("DELETE", "/v1/Services/default", 400),
    y("GET", "/v1/Services/default/Documents/none", 404),
    y("DELETE", "/v1/Services/default/Documents/none", 404),
    y("POST", "/v1/Services/default/Documents/none", 404, {"Data": "{}"}),
    y("POST", "/v1/Services/default/Documents", 409, {"UniqueName": "ledger"}),
    y("POST", "/v1/Services/default/Documents", 400, {"UniqueName": ""}),
    y("POST", "/v1/Services/default/Documents", 400, {"UniqueName": "x" * 257}),
    y("POST", "/v1/Services/default/Documents", 400, {"UniqueName": "ET" + "0" * 32}),
    y("POST", "/v1/Services/default/Documents", 400, {"UniqueName": "c", "Data": "not json"}),
    y("POST", "/v1/Services/default/Documents", 400, {"UniqueName": "c", "Ttl": "long"}),
    y("POST", "/v1/Services/default/Documents", 413, {"UniqueName": "c", "Data": json.dumps({"a": "b" * 17_000})}),
    y("POST", "/v1/Services/default/Documents/ledger", 400, {"Data": "not json"}),
    y("POST", "/v1/Services/default/Documents/ledger", 413, {"Data": json.dumps({"a": "b" * 17_000})}),
    y("POST", "/v1/Services/default/Documents/ledger", 412, {"Data": "{}"}, headers={"if-match": "7"}),
    # The gateway
    Case("handover", "GET", "/dev/unknown", 404),
    Case("handover", "POST", "/dev/unknown", 404, {"space_id": "{space}"}),
    Case("handover", "POST", "/dev/link", 422, {"space_id": "x", "source_id": "y"}),
    Case("handover", "POST", "/dev/connection", 400, {"space_id": "{space}"}),
    Case("handover", "POST", "/dev/key", 400, {"write_key": " "}),
]


def operations() -> list[tuple[str, str, str]]:
    """Every operation that the sandbox routes, as service, method and path; console pages and control plane have tests of their own."""
    found = []
    world = World([("dev", "us")])
    for route in make_routes(world, Faults(world)):
        # As in /segment/us/sources, /twilio/flex/v1/Configuration, /handover/{environment}/{step}
        service, *rest = route.path.removeprefix("/").split("/")
        if service in ("console", "_sandbox"):
            continue
        if service == "twilio":
            service, *rest = rest
        elif service != "handover":
            region, *rest = rest
            if region == "eu":
                continue
        found += [(service, method, "/" + "/".join(rest)) for method in sorted(set(route.methods or ()) - {"HEAD"})]
    return found


OPERATIONS = operations()


class Stage:
    """A connected environment with something of everything in it, and a client."""

    http = httpx.Client(timeout=20)

    def __init__(self, sandbox: Any) -> None:
        self.sandbox, self.env = sandbox, sandbox.world.environments["dev"]
        env, world = self.env, sandbox.world
        form = {"space_id": env.space["id"], "profile_token": env.profile_token, "friendly_name": "x"}
        handovers.connect(world, env, {**form, "allow_write_events": True})
        sandbox.engage("dev", 1)
        sandbox.sabotage("dev", "wrong-token-in-flex")
        sandbox.engage("dev", 1)
        sandbox.advance(120)
        source = env.sources[env.form_source]
        next(iter(env.warehouses.values()))["syncs"] = {source.id: {"tracks": {"x": False}}}
        env.groups = [{"id": "group-1", "name": "Agents", "memberCount": 2, "permissions": []}]
        env.functions = {"fn-1": {"name": "Mask", "type": "INSERT_DESTINATION", "instances": ["destination-1"]}}
        self.values = {
            "space": env.space["id"],
            "other_space": world.environments["prod"].space["id"],
            "source": source.id,
            "key": source.keys[0],
            "warehouse": next(iter(env.warehouses)),
            "plan": next(iter(env.tracking_plans)),
            "account": env.account_sid,
            "service": env.default_service,
        }
        made = self.send(y("POST", "/v1/Services", body={"FriendlyName": "other"})).json()
        document = self.send(y("POST", "/v1/Services/default/Documents", body={"UniqueName": "ledger"})).json()
        alert = self.send(Case("monitor", "GET", "/v1/Alerts")).json()["alerts"][0]
        flex = self.send(Case("flex", "GET", "/v1/Configuration")).json()
        self.values["workspace"] = flex["taskrouter_workspace_sid"]
        self.values |= {"other_service": made["sid"], "document": document["sid"], "alert": alert["sid"]}

    def send(self, case: Case) -> httpx.Response:
        env, headers = self.env, dict(case.headers)
        prefix = {"segment": "segment/us", "profiles": "profiles/us", "tracking": "tracking/us", "handover": "handover"}
        url = f"{self.sandbox.url}/{prefix.get(case.service, f'twilio/{case.service}')}{self.filled(case.path)}"
        basic: tuple[str, str] | None = None
        if case.service == "segment":
            other = self.sandbox.world.environments
            tokens = {
                "": env.segment_token,
                "admin": env.admin_token,
                "read-only": env.read_only_token,
                "nobody": None,
                "wrong": "sgp_wrong",
                "of another region": other["eu"].segment_token,
                "of the Profile API": env.profile_token,
                "revoked": other["prod"].segment_token,
            }
            other["prod"].revoked.add("segment_token")
            if tokens[case.who]:
                headers["authorization"] = f"Bearer {tokens[case.who]}"
        elif case.service == "handover":
            headers["authorization"] = f"Bearer {'wrong' if case.who else env.gateway_token}"
        elif case.service == "profiles":
            basic = ("wrong" if case.who else env.profile_token, "")
        elif case.service == "api" and not case.who:
            basic = (env.account_sid, env.auth_token)
        elif case.service != "tracking":
            basic = (env.api_key, "wrong" if case.who == "wrong" else env.api_secret)
        body = self.filled(case.body)
        form = case.service == "sync" and isinstance(body, dict)
        sent = {"data": body} if form else {"content": body} if isinstance(body, str) else {"json": body}
        return self.http.request(case.method, url, headers=headers, auth=basic, **({} if body is None else sent))

    def filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self.filled(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.filled(inner) for inner in value]
        if not isinstance(value, str):
            return value
        return re.sub(r"\{(\w+)\}", lambda name: self.values.get(name[1], name[0]), value)


def at(body: Any, path: str) -> Any:
    for name in path.split("."):
        body = body[int(name)] if isinstance(body, list) else body[name]
    return body


def shaped(service: str, body: Any, status: int) -> bool:
    """Return whether it is an error in the words of this service."""
    if service in ("segment", "handover"):
        return all(error["type"] and error["message"] for error in body["errors"])
    if service in ("profiles", "tracking"):
        return bool(body["error"]["code"] and body["error"]["message"])
    return body["status"] == status and isinstance(body["code"], int) and str(body["code"]) in body["more_info"]


def is_of(case: Case, operation: tuple[str, str, str]) -> bool:
    """Return whether a request goes to this operation."""
    service, method, path = operation
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
    return (case.service, case.method) == (service, method) and bool(re.fullmatch(pattern, case.path.partition("?")[0]))
