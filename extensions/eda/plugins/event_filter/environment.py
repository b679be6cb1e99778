# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event filter for ansible-rulebook: what an event is about, in one form wherever it comes from."""

from __future__ import annotations

import json
import os
import typing as t
from collections.abc import Mapping
from pathlib import Path

DOCUMENTATION = r"""
---
short_description: The environment that an event is about
description:
  - Takes Segment's forwarded audit events, Twilio's error logs (Event Streams), and what the source C(audit_trail) hands on. Whether they come
    through a webhook or an event stream does not matter.
  - Adds C(event.unified_profiles) with C(environment), C(kind), C(type), C(id), C(by), C(own) and C(relevant).
  - C(environment) is empty for one that is not known. C(kind) is V(audit), V(alert), V(problem) or V(other). C(type) is the audit
    trail's, such as V(Source Deleted), or the code of an alert.
  - Playbooks that a rule runs are limited to that environment.
  - Each of Twilio's errors in one request becomes an event of its own.
options:
  environments:
    description:
      - By name, C({workspace_id, twilio_account_sid}). A path names a JSON file with the same.
      - The environment variable E(UNIFIED_PROFILES_ENVIRONMENTS) counts if this is missing, as a path or as JSON.
    type: raw
  own_actors:
    description:
      - Who acts for this collection, as the audit trail names it. What they do is C(own).
      - The environment variable E(UNIFIED_PROFILES_OWN_ACTORS), separated by commas, counts if this is missing.
    type: list
    elements: str
"""

EXAMPLES = r"""
- eda.builtin.webhook:
    port: 5000
  filters:
    - flexops.unified_profiles.environment:
        environments:
          prod:
            workspace_id: 9aQ1Lj62S4bomZKLF4DPqW
            twilio_account_sid: ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
"""

# Of the audit trail: whatever may have broken a connection, or changed a setting of it.
RELEVANT = (
    "Source Deleted",
    "Source Disabled",
    "Source Enabled",
    "Source Modified",
    "Source Settings Modified",
    "Source Connected To Space",
    "Source Disconnected From Space",
    "Space Modified",
    "Space Deleted",
)
# 49008: no connector; 49009: events cannot be sent.
ALERTS = ("49008", "49009")
ERROR_LOGGED = "com.twilio.error-logs.error.logged"

Event = dict[str, t.Any]


def main(event: Event, environments: t.Any = None, own_actors: t.Any = None) -> list[Event]:
    """Say what the event is about.

    Raises:
        ValueError: The environments are wrong.
    """
    known = known_environments(environments)
    actors = own_actors if own_actors is not None else os.environ.get("UNIFIED_PROFILES_OWN_ACTORS", "").split(",")
    own = {str(actor).strip() for actor in actors} - {""}
    return [_with(event, about, known, own) for about in abouts(event)]


def abouts(event: Event) -> list[dict[str, str]]:
    """The subjects of the event, one for each thing that happened."""
    audit, payload = event.get("audit"), event.get("payload")
    if isinstance(audit, dict):
        by = audit.get("actorEmail") or audit.get("actor")
        told = {"type": audit.get("type"), "id": audit.get("id"), "by": by, "at": audit.get("timestamp")}
        return [_about("audit", environment=event.get("environment"), **told)]
    if "problem" in event:
        return [_about("problem", environment=event.get("environment"), type=event["problem"])]
    if isinstance(payload, dict) and payload.get("event") == "Audit":
        properties = payload.get("properties")
        found: Mapping[str, t.Any] = properties if isinstance(properties, dict) else {}
        details = found.get("details") if isinstance(found.get("details"), dict) else {}
        by = found.get("actor_email") or found.get("actor") or (details or {}).get("subject")
        id_ = found.get("id") or payload.get("messageId")
        told = {"type": found.get("type"), "id": id_, "by": by, "at": payload.get("timestamp")}
        return [_about("audit", workspace_id=found.get("workspace_id"), **told)]
    logged = [one for one in (payload if isinstance(payload, list) else [payload]) if isinstance(one, dict)]
    alerts = [one for one in logged if one.get("type") == ERROR_LOGGED]
    return [_alert(one) for one in alerts] or [_about("other")]


def _alert(logged: Mapping[str, t.Any]) -> dict[str, str]:
    data = logged.get("data")
    found: Mapping[str, t.Any] = data if isinstance(data, dict) else {}
    account = found.get("account_sid") or found.get("accountSid")
    code = found.get("error_code") or found.get("errorCode")
    return _about("alert", account_sid=account, type=code, id=logged.get("id"), at=logged.get("time"))


def _about(kind: str, **told: t.Any) -> dict[str, str]:
    return {"kind": kind, **{name: "" if value is None else str(value) for name, value in told.items()}}


def _with(event: Event, about: dict[str, str], known: Mapping[str, Mapping[str, str]], own: set[str]) -> Event:
    workspace, account = about.pop("workspace_id", ""), about.pop("account_sid", "")
    environment = about.get("environment") or next(
        (
            name
            for name, ids in known.items()
            if (workspace and ids.get("workspace_id") == workspace)
            or (account and ids.get("twilio_account_sid") == account)
        ),
        "",
    )
    relevant = about["kind"] == "audit" and about["type"] in RELEVANT
    relevant = relevant or (about["kind"] == "alert" and about["type"] in ALERTS)
    told = {"type": "", "id": "", "by": "", "at": "", **about, "environment": environment}
    found = {**event, "unified_profiles": {**told, "own": told["by"] in own, "relevant": relevant}}
    # No environment of this name: a playbook that ran all the same would run on none, and not on all.
    return {**found, "meta": {**(event.get("meta") or {}), "hosts": [environment or "no-environment"]}}


def known_environments(given: t.Any) -> Mapping[str, Mapping[str, str]]:
    """The environments that are known, by name."""
    given = given if given is not None else os.environ.get("UNIFIED_PROFILES_ENVIRONMENTS", "{}")
    if isinstance(given, str):
        try:
            given = json.loads(given if given.lstrip().startswith("{") else Path(given).read_text())
        except (OSError, ValueError) as error:
            raise ValueError(
                f"environments: no JSON, and no file of JSON that can be read ({type(error).__name__})"
            ) from None
    if not isinstance(given, dict) or not all(isinstance(ids, dict) for ids in given.values()):
        raise ValueError(
            "environments: a dictionary is wanted, such as {prod: {workspace_id: ..., twilio_account_sid: ...}}"
        )
    return given
