# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Twilio Sync: services, and documents with revisions.

Documented (OpenAPI document, list of errors): paths, bodies, forms, 16 KiB of data, ``ETag`` and ``If-Match``.
Documented codes: 54006, 54100, 54103, 54300, 54301 and 54302. Inferred: the other codes, and that 54100 is about a SID
and 54300 about a name.
"""

from __future__ import annotations

import datetime
import json
import re
import typing as t

from starlette.routing import Route

from .endpoints import Body, Exchange, Handler, Service
from .limits import Limits
from .model import ApiProblem, deterministic_hex
from .twilio import auth, base_url, error, not_found, paged, seconds
from .world import World

MAX_DATA = 16 * 1024
MAX_TTL = 31_536_000


# Services


def service_of(exchange: Exchange) -> tuple[str, Body]:
    """SID and contents of the service that the path names.

    Raises:
        ApiProblem: 404.
    """
    env, asked = exchange.env, exchange.path["service"]
    sid = env.default_service if asked == "default" else asked
    if sid not in env.services:
        raise not_found(exchange)
    return sid, env.services[sid]


def service_view(exchange: Exchange, sid: str) -> Body:
    """A service as the API shows it."""
    env = exchange.env
    service, url = env.services[sid], f"{base_url(exchange)}/twilio/sync/v1/Services/{sid}"
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


def list_services(exchange: Exchange) -> t.Any:
    """All services."""
    return paged(exchange, "services", [service_view(exchange, sid) for sid in exchange.env.services])


def create_service(exchange: Exchange) -> t.Any:
    """Make a service."""
    env, name = exchange.env, exchange.body.get("FriendlyName", "")
    env.serial += 1
    sid = "IS" + deterministic_hex(env.name, "sync", env.serial)
    env.services[sid] = {"friendly_name": name, "made_at": exchange.world.now(), "documents": {}}
    return service_view(exchange, sid), 201


def get_service(exchange: Exchange) -> t.Any:
    """A service."""
    return service_view(exchange, service_of(exchange)[0])


def update_service(exchange: Exchange) -> t.Any:
    """Rename a service."""
    sid, service = service_of(exchange)
    service["friendly_name"] = exchange.body.get("FriendlyName", service["friendly_name"])
    return service_view(exchange, sid)


def delete_service(exchange: Exchange) -> t.Any:
    """Delete a service."""
    sid = service_of(exchange)[0]
    if sid == exchange.env.default_service:
        raise ApiProblem(400, "20001", "The default service cannot be deleted")
    del exchange.env.services[sid]
    return None, 204


# Documents


def live(exchange: Exchange, service: Body) -> dict[str, Body]:
    """The documents that have not expired."""
    now = exchange.world.now()
    gone = [sid for sid, document in service["documents"].items() if document["expires"] and document["expires"] <= now]
    for sid in gone:
        del service["documents"][sid]
    return t.cast("dict[str, Body]", service["documents"])


def document_of(exchange: Exchange) -> tuple[str, str, Body]:
    """SID of the service, SID and contents of the document that the path names.

    Raises:
        ApiProblem: 404.
    """
    service_sid, service = service_of(exchange)
    documents, asked = live(exchange, service), exchange.path["document"]
    for sid, document in documents.items():
        if asked in (sid, document["unique_name"]):
            return service_sid, sid, document
    if re.fullmatch("ET[0-9a-f]{32}", asked):
        raise ApiProblem(404, "54100", "Document not found")
    raise ApiProblem(404, "54300", "Unique name not found")


def document_view(exchange: Exchange, service: str, sid: str, document: Body) -> Body:
    """A document as the API shows it."""
    url = f"{base_url(exchange)}/twilio/sync/v1/Services/{service}/Documents/{sid}"
    return {
        "sid": sid,
        "unique_name": document["unique_name"],
        "account_sid": exchange.env.account_sid,
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


def etag(document: Body) -> dict[str, str]:
    """The header that ``If-Match`` takes."""
    return {"etag": f'"{document["revision"]:x}"'}


def _data(body: Body, default: t.Any) -> t.Any:
    if "Data" not in body:
        return default
    if len(body["Data"].encode()) > MAX_DATA:
        raise ApiProblem(413, "54006", "Data is larger than 16 KiB")
    try:
        data = json.loads(body["Data"])
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise ApiProblem(400, "54008", "Data must be a JSON object")
    return data


def _expires(exchange: Exchange, default: datetime.datetime | None) -> datetime.datetime | None:
    given = exchange.body.get("Ttl")
    if given is None:
        return default
    ttl = int(given) if given.isascii() and given.isdigit() and len(given) < 12 else -1
    if not 0 <= ttl <= MAX_TTL:
        raise ApiProblem(400, "54011", "Ttl must be from 0 to 31536000 seconds")
    return exchange.world.now() + datetime.timedelta(seconds=ttl) if ttl else None


def list_documents(exchange: Exchange) -> t.Any:
    """All documents of a service."""
    service_sid, service = service_of(exchange)
    found = [document_view(exchange, service_sid, sid, d) for sid, d in live(exchange, service).items()]
    return paged(exchange, "documents", found)


def create_document(exchange: Exchange) -> t.Any:
    """Make a document."""
    service_sid, service = service_of(exchange)
    name, documents = exchange.body.get("UniqueName"), live(exchange, service)
    if name is not None and (not 1 <= len(name) <= 256 or re.fullmatch("[A-Z]{2}[a-f0-9]{32}", name)):
        raise ApiProblem(400, "54302", "Invalid unique name")
    if name is not None and any(document["unique_name"] == name for document in documents.values()):
        raise ApiProblem(409, "54301", "Unique name already exists")
    env, now = exchange.env, exchange.world.now()
    made = {"unique_name": name, "revision": 0, "data": _data(exchange.body, {}), "expires": _expires(exchange, None)}
    env.serial += 1
    sid = "ET" + deterministic_hex(env.name, "document", env.serial)
    documents[sid] = {**made, "made_at": now, "updated_at": now}
    return document_view(exchange, service_sid, sid, documents[sid]), 201, etag(documents[sid])


def get_document(exchange: Exchange) -> t.Any:
    """A document."""
    found = document_of(exchange)
    return document_view(exchange, *found), 200, etag(found[-1])


def update_document(exchange: Exchange) -> t.Any:
    """Change a document, if ``If-Match`` allows it."""
    service_sid, sid, document = document_of(exchange)
    expected = exchange.request.headers.get("if-match", "*").strip('"')
    if expected not in ("*", format(document["revision"], "x")):
        raise ApiProblem(412, "54103", "The revision of the Document does not match the expected revision")
    data, expires = _data(exchange.body, document["data"]), _expires(exchange, document["expires"])
    document.update(data=data, expires=expires, revision=document["revision"] + 1, updated_at=exchange.world.now())
    return document_view(exchange, service_sid, sid, document), 200, etag(document)


def delete_document(exchange: Exchange) -> t.Any:
    """Delete a document."""
    service_sid, sid, _document = document_of(exchange)
    del exchange.env.services[service_sid]["documents"][sid]
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


def routes(world: World, limits: Limits) -> list[Route]:
    """The routes of Sync."""
    return Service(world, limits, "sync", auth, error, form=True).routes("/twilio/sync", PATHS)
