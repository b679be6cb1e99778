# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event filter for ansible-rulebook: what an event is about, in one form wherever it comes from."""

from __future__ import annotations

import datetime
import functools
import json
import os
import runpy
import typing as t
from collections.abc import Mapping
from pathlib import Path

DOCUMENTATION = r"""
---
short_description: The environment that an event is about
description:
  - Takes Segment's forwarded audit events, Twilio's error logs (Event Streams), and what the source C(audit_trail) hands on. Whether they come
    through a webhook or an event stream does not matter.
  - Adds C(event.unified_profiles) with C(environment), C(kind), C(type), C(id), C(by), C(at), C(relevant), C(own), C(looked) and
    C(recovered).
  - C(environment) is empty for one that is not known. C(kind) is V(audit), V(alert), V(problem) or V(other). C(type) is the audit
    trail's, such as V(Source Deleted), or the code of an alert.
  - C(own) is what the collection itself causes. C(looked) is whether a run of any playbook has looked at the environment since the event,
    and C(recovered) whether one of C(recover) began since. Both take O(state_dir).
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
  state_dir:
    description:
      - The folder of C(unified_profiles_state_dir). What happens while a run acts on the environment is C(own), except V(Source Deleted), since
        the collection never deletes a source.
      - The environment variable E(UNIFIED_PROFILES_STATE_DIR) counts if this is missing. Without both, nothing is C(looked) or C(recovered),
        and C(own) is what O(own_actors) do.
    type: str
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
DELETED = "Source Deleted"
# A clock that was ahead must not keep an environment from being looked at forever.
AHEAD = datetime.timedelta(hours=1)
# Of a run on another host nobody sees whether it lives. Its lock ends by then.
HELD = datetime.timedelta(hours=1)
COLLECTION = Path(__file__).resolve().parents[4]

Event = dict[str, t.Any]


def main(
    event: Event, environments: t.Any = None, own_actors: t.Any = None, state_dir: str | None = None
) -> list[Event]:
    """Say what the event is about.

    Raises:
        ValueError: The environments are wrong.
    """
    known = known_environments(environments)
    actors = own_actors if own_actors is not None else os.environ.get("UNIFIED_PROFILES_OWN_ACTORS", "").split(",")
    own = {str(actor).strip() for actor in actors} - {""}
    folder = state_dir if state_dir is not None else os.environ.get("UNIFIED_PROFILES_STATE_DIR", "")
    return [_with(event, about, known, own, folder) for about in abouts(event)]


def abouts(event: Event) -> list[dict[str, str]]:
    """The subjects of the event, one for each thing that happened."""
    audit, payload = event.get("audit"), event.get("payload")
    # An event stream wraps what is no mapping, such as the list that Twilio sends.
    if isinstance(payload, dict) and [*payload] == ["body"]:
        payload = payload["body"]
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


def _with(
    event: Event, about: dict[str, str], known: Mapping[str, Mapping[str, str]], own: set[str], folder: str
) -> Event:
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
    here = bool(folder and environment and relevant)
    judged = {
        "own": told["by"] in own or (here and told["type"] != DELETED and at_work(folder, environment)),
        "looked": here and looked(folder, environment, told["at"]),
        "recovered": here and looked(folder, environment, told["at"], "recover"),
        "relevant": relevant,
    }
    found = {**event, "unified_profiles": {**told, **judged}}
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


def looked(folder: str, environment: str, at: str, playbook: str = "") -> bool:
    """Return whether a look at an environment began after an event.

    Without a playbook the last look of a run counts, which shows what the run caused itself. With one the first look counts, since a run
    acts on no more than that has found.

    Args:
        folder: That of the ledger.
        environment: Its name.
        at: When the event happened, by the service's clock.
        playbook: Whose run looked; empty for any.
    """
    happened = parse_time(at)
    try:
        found = json.loads((_folder(folder) / "looked.json").read_text())["environments"][environment]
        which = "first" if playbook else "last"
        times = [parse_time(of[which]) for name, of in found.items() if playbook in ("", name)]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False
    latest = datetime.datetime.now(datetime.timezone.utc) + AHEAD
    return happened is not None and any(happened < time < latest for time in times if time)


def at_work(folder: str, environment: str) -> bool:
    """Return whether a run lives that acts, or acted, on the environment. Before it ends, it looks again."""
    ledger = _folder(folder) / "ledger" / f"{_base('file_names')['file_name_for'](environment)}.json"
    return any(_lives(Path(os.path.realpath(ledger)).with_suffix(ending)) for ending in (".run", ".ran"))


def _folder(given: str) -> Path:
    """The folder, as the playbooks read it."""
    return Path(os.path.expanduser(os.path.expandvars(given)))


def _lives(lock: Path) -> bool:
    """Return whether the run that a lock names, or one that was given back, lives."""
    try:
        holder = json.loads(lock.read_text())
        process = _base("process")["Process"](holder["host"], holder["pid"], holder["started"])
        renewed = parse_time(holder["renewed"])
        if process.is_here:
            return bool(process.lives)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return False
    now = datetime.datetime.now(datetime.timezone.utc)
    return lock.suffix == ".run" and renewed is not None and abs(now - renewed) < HELD


@functools.cache
def _base(name: str) -> dict[str, t.Any]:
    """A file of the collection. ansible-rulebook imports no collection, and these files need nothing else."""
    return runpy.run_path(str(COLLECTION / f"plugins/module_utils/_base/{name}.py"))


def parse_time(text: t.Any) -> datetime.datetime | None:
    """The time; None if it is none."""
    return t.cast("datetime.datetime | None", _base("times")["parse_time"](text))
