# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Twilio Sync: services, and documents with revisions.

Documented (OpenAPI document): paths, bodies, forms, 16 KiB of data, ``If-Match``, 412. Inferred: codes of errors other than 20404.
"""

from __future__ import annotations

import datetime
import json
import typing as t

from starlette.requests import Request
from starlette.routing import Route

from .http import Body, Handler, Service
from .twilio import auth, error, not_found, paged, seconds
from .world import Environment, Problem, World, derived_hex

MAX_DATA = 16 * 1024
MAX_TTL = 31_536_000


def _base(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}/twilio/sync/v1/Services"


# Services


def service_of(env: Environment, request: Request) -> tuple[str, Body]:
    asked = request.path_params["service"]
    sid = env.default_service if asked == "default" else asked
    if sid not in env.services:
        raise not_found(request)
    return sid, env.services[sid]


def service_view(env: Environment, sid: str, request: Request) -> Body:
    service, url = env.services[sid], f"{_base(request)}/{sid}"
    made = seconds(service["made_at"]) if service["made_at"] else "2024-01-01T00:00:00Z"
    return {
        "sid": sid,
        "unique_name": "default" if sid == env.default_service else None,
        "account_sid": env.account_sid,
        "friendly_name": service["friendly_name"],
        "date_created": made,
        "date_updated": made,
        "url": url,
        "webhook_url": None,
        "webhooks_from_rest_enabled": False,
        "reachability_webhooks_enabled": False,
        "acl_enabled": False,
        "reachability_debouncing_enabled": False,
        "reachability_debouncing_window": 5000,
        "links": {"documents": f"{url}/Documents"},
    }


def list_services(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    return paged(request, "services", [service_view(env, sid, request) for sid in env.services])


def create_service(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    env.serial += 1
    sid = "IS" + derived_hex(env.name, "sync", env.serial)
    env.services[sid] = {"friendly_name": body.get("FriendlyName", ""), "made_at": world.now(), "documents": {}}
    return service_view(env, sid, request), 201


def get_service(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    return service_view(env, service_of(env, request)[0], request)


def update_service(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    sid, service = service_of(env, request)
    service["friendly_name"] = body.get("FriendlyName", service["friendly_name"])
    return service_view(env, sid, request)


def delete_service(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    sid = service_of(env, request)[0]
    if sid == env.default_service:
        raise Problem(400, "20001", "The default service cannot be deleted")
    del env.services[sid]
    return None, 204


# Documents


def live(world: World, service: Body) -> dict[str, Body]:
    """The documents that have not expired."""
    now = world.now()
    gone = [sid for sid, document in service["documents"].items() if document["expires"] and document["expires"] <= now]
    for sid in gone:
        del service["documents"][sid]
    return t.cast("dict[str, Body]", service["documents"])


def document_of(world: World, env: Environment, request: Request) -> tuple[str, str, Body]:
    service_sid, service = service_of(env, request)
    documents, asked = live(world, service), request.path_params["document"]
    for sid, document in documents.items():
        if asked in (sid, document["unique_name"]):
            return service_sid, sid, document
    raise not_found(request)


def document_view(env: Environment, service: str, sid: str, document: Body, request: Request) -> Body:
    url = f"{_base(request)}/{service}/Documents/{sid}"
    return {
        "sid": sid,
        "unique_name": document["unique_name"],
        "account_sid": env.account_sid,
        "service_sid": service,
        "url": url,
        "links": {"permissions": f"{url}/Permissions"},
        "revision": format(document["revision"], "x"),
        "data": document["data"],
        "date_expires": seconds(document["expires"]) if document["expires"] else None,
        "date_created": seconds(document["made_at"]),
        "date_updated": seconds(document["updated_at"]),
        "created_by": "system",
    }


def _data(body: Body, default: t.Any) -> t.Any:
    if "Data" not in body:
        return default
    if len(body["Data"].encode()) > MAX_DATA:
        raise Problem(413, "54006", "Data is larger than 16 KiB")
    try:
        data = json.loads(body["Data"])
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise Problem(400, "54008", "Data must be a JSON object")
    return data


def _expires(world: World, body: Body, default: datetime.datetime | None) -> datetime.datetime | None:
    if "Ttl" not in body:
        return default
    ttl = int(body["Ttl"]) if body["Ttl"].isascii() and body["Ttl"].isdigit() and len(body["Ttl"]) < 12 else -1
    if not 0 <= ttl <= MAX_TTL:
        raise Problem(400, "54011", "Ttl must be from 0 to 31536000 seconds")
    return world.now() + datetime.timedelta(seconds=ttl) if ttl else None


def list_documents(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    service_sid, service = service_of(env, request)
    found = [document_view(env, service_sid, sid, d, request) for sid, d in live(world, service).items()]
    return paged(request, "documents", found)


def create_document(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    service_sid, service = service_of(env, request)
    name, documents = body.get("UniqueName"), live(world, service)
    if name is not None and (not name or len(name) > 320 or "/" in name):
        raise Problem(400, "54302", "UniqueName is invalid")
    if name is not None and any(document["unique_name"] == name for document in documents.values()):
        raise Problem(409, "54301", "Unique name already exists")
    made = {"unique_name": name, "revision": 0, "data": _data(body, {}), "expires": _expires(world, body, None)}
    env.serial += 1
    sid = "ET" + derived_hex(env.name, "document", env.serial)
    documents[sid] = {**made, "made_at": world.now(), "updated_at": world.now()}
    return document_view(env, service_sid, sid, documents[sid], request), 201


def get_document(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    return document_view(env, *document_of(world, env, request), request)


def update_document(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    service_sid, sid, document = document_of(world, env, request)
    expected = request.headers.get("if-match")
    if expected not in (None, "*", format(document["revision"], "x")):
        raise Problem(412, "54103", "The revision of the Document does not match the expected revision")
    data, expires = _data(body, document["data"]), _expires(world, body, document["expires"])
    document.update(data=data, expires=expires, revision=document["revision"] + 1, updated_at=world.now())
    return document_view(env, service_sid, sid, document, request)


def delete_document(world: World, env: Environment, request: Request, body: Body) -> t.Any:
    service_sid, sid, _document = document_of(world, env, request)
    del env.services[service_sid]["documents"][sid]
    return None, 204


PATHS: list[tuple[str, str, Handler]] = [
    ("GET", "/v1/Services", list_services),
    ("POST", "/v1/Services", create_service),
    ("GET", "/v1/Services/{service}", get_service),
    ("POST", "/v1/Services/{service}", update_service),
    ("DELETE", "/v1/Services/{service}", delete_service),
    ("GET", "/v1/Services/{service}/Documents", list_documents),
    ("POST", "/v1/Services/{service}/Documents", create_document),
    ("GET", "/v1/Services/{service}/Documents/{document}", get_document),
    ("POST", "/v1/Services/{service}/Documents/{document}", update_document),
    ("DELETE", "/v1/Services/{service}/Documents/{document}", delete_document),
]


def routes(world: World) -> list[Route]:
    service = Service("sync", auth, error, form=True)
    return [service.route(world, *path, prefix="/twilio/sync") for path in PATHS]
