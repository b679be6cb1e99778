# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compares the sandbox's answers with the vendors' OpenAPI documents: what they say, and that they say nothing more."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

# Where it is installed, jsonschema compiles its grammars: seconds of each process, for formats that no document has.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

from openapi_schema_validator import OAS30Validator  # noqa: E402
from referencing import Registry  # noqa: E402
from referencing.jsonschema import DRAFT4  # noqa: E402

FILES = {
    "segment": "segment-public-api-36.2.0.json",
    "flex": "twilio-flex-v1.json",
    "monitor": "twilio-monitor-v1.json",
    "sync": "twilio-sync-v1.json",
}
FOLDER = os.environ.get("OPENAPI_SPECS", "")
MISSING = "the vendors' OpenAPI documents are not part of this project; OPENAPI_SPECS names a folder that has them"

# Newer than release 36.2.0 of Segment's document, and known from its SDKs of 73.2.0.
NEWER_PATHS = {
    ("segment", "GET", "/spaces"),
    ("segment", "GET", "/spaces/{id}/events"),
    ("segment", "GET", "/spaces/{id}/traits"),
    ("segment", "POST", "/sources/{id}/writekey"),
    ("segment", "DELETE", "/sources/{id}/writekey/{key}"),
}
NEWER_FIELDS = {"status", "partnerOwned", "trackingPlanId", "actorEmail"}
NEWER_FIELDS_OF = {"/warehouses/{id}/connected-sources/{source}/selective-syncs": {"enabled"}}
# Compared with no OpenAPI document: Segment has none for the Profile and the Tracking API, and the others are not at hand.
WITHOUT_DOCUMENT = {"profiles", "tracking", "handover", "preview", "taskrouter", "api"}
# Audit events that the catalog of events has, and the operation's own text does not name.
NEWER_EVENTS = {"Source Connected To Tracking Plan", "Source Disconnected From Tracking Plan"}


class Documents:
    """All documents of a folder, made strict: a field that a schema does not name is a mistake."""

    def __init__(self, folder: str) -> None:
        self.problems: list[str] = []
        self.checked: set[tuple[str, str, str, int]] = set()
        self._same: set[int] = set()
        self._validators: dict[tuple[str, str], OAS30Validator] = {}
        self._paths: dict[str, dict[str, tuple[str, Any]]] = {}
        resources = []
        for service, file in FILES.items():
            document = _strict(json.loads((Path(folder) / file).read_text(encoding="utf-8")))
            resources.append((f"urn:{service}", DRAFT4.create_resource(document)))
            self._paths[service] = {_nameless(path): (path, item) for path, item in document["paths"].items()}
        self._registry = Registry().with_resources(resources)

    def covers(self, service: str, method: str, path: str) -> bool:
        return method.lower() in self._paths.get(service, {}).get(_nameless(path), ("", {}))[1]

    def audited(self, method: str, path: str) -> set[str]:
        """The types of audit events that Segment's document names for an operation; none where it names none."""
        _found, item = self._paths["segment"].get(_nameless(path), ("", {}))
        told = item.get(method.lower(), {}).get("description", "").partition("this endpoint may generate")[2]
        return set(re.findall(r"[`*] ?([A-Z][a-z]+(?: [A-Z][a-z]+)+)", told))

    def check(self, service: str, method: str, path: str, status: int, body: Any) -> None:
        """Note what is wrong with an answer. Called by the sandbox for each one."""
        found, item = self._paths.get(service, {}).get(_nameless(path), ("", {}))
        responses = item.get(method.lower(), {}).get("responses", {})
        # Creation answers 201 today; the document says 200, and knows fewer kinds of refusals than there are.
        told = str(status) if str(status) in responses else "200" if status == 201 else "404" if status >= 400 else ""
        content = responses.get(told, {}).get("content", {})
        if not content:
            return
        self.checked.add((service, method, path, status))
        text = json.dumps([service, method, path, told, body], sort_keys=True)
        if hash(text) in self._same:
            return
        self._same.add(hash(text))
        kind = next(iter(content)).replace("/", "~1")
        step = found.replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
        pointer = f"/paths/{step}/{method.lower()}/responses/{told}/content/{kind}/schema"
        for error in self._validator(service, pointer).iter_errors(body):
            if error.validator == "additionalProperties":
                if set(error.instance) - set(error.schema["properties"]) <= NEWER_FIELDS | NEWER_FIELDS_OF.get(
                    path, set()
                ):
                    continue
            self.problems.append(f"{method} {path} {status}: {error.json_path}: {error.message}")

    def _validator(self, service: str, pointer: str) -> OAS30Validator:
        if (service, pointer) not in self._validators:
            schema = {"$ref": f"urn:{service}#{pointer}"}
            self._validators[service, pointer] = OAS30Validator(schema, registry=self._registry)
        return self._validators[service, pointer]


def _nameless(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def _strict(part: Any) -> Any:
    if isinstance(part, list):
        return [_strict(x) for x in part]
    if not isinstance(part, dict):
        return part
    made = {key: _strict(value) for key, value in part.items()}
    if isinstance(part.get("properties"), dict) and part.get("properties") and "additionalProperties" not in part:
        made["additionalProperties"] = False
    return made
