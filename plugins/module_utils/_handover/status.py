# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a run ended for an environment, from what its tasks registered. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping

from . import cards
from .ledger import STEPS

STATUSES = ("failed", "broken", "pending", "unknown", "predicted", "attested", "proven")
RESULT_VARIABLES = (
    "unified_profiles_failure",
    "connection_result",
    "link_and_key_link",
    "link_and_key_key",
    "verify_result",
    "source_found",
    "source_result",
    "preflight_space",
    "unified_profiles_segment_region",
    "unified_profiles_sandbox_url",
)
UNJUDGED = "The run ended before this environment was judged."


def collect_results(variables: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What a run found out about a host, from the variables (``VARIABLES``) that the playbooks set and register.

    Returns:
        ``{failure: str, connection, link, key: the hand-over or {}, verify: {step: {verdict, reason}}, findings: [dict],
        source_id: str, console: dict}``, which is what :func:`outcome` takes; ``console`` is for :func:`cards.links`.
    """

    def at(name: str, *path: str) -> t.Any:
        value = variables.get(name)
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    source = at("source_result", "source") or {}
    return {
        "failure": at("unified_profiles_failure") or "",
        "connection": at("connection_result", "handover") or {},
        "link": at("link_and_key_link", "handover") or {},
        "key": at("link_and_key_key", "handover") or {},
        "verify": at("verify_result", "steps") or {},
        "findings": at("source_found", "findings") or [],
        "source_id": source.get("id") or "",
        "console": {
            "region": at("preflight_space", "region") or at("unified_profiles_segment_region") or "us",
            "workspace_slug": at("preflight_space", "workspace", "slug") or "",
            "source_slug": source.get("slug") or "",
            "sandbox_url": at("unified_profiles_sandbox_url") or "",
        },
    }


def outcome(found: Mapping[str, t.Any], check_mode: bool) -> dict[str, t.Any]:
    """One environment's line in the report.

    Args:
        found: See :func:`collect_results`; whatever is missing counts as empty.
        check_mode: Whether the run only predicts.

    Returns:
        ``{status, fails, why, steps, source_id, findings, failure, cards}``. Pending outranks broken: the step that mends it
        is the one that waits for a person. ``fails`` says whether the job does, and ``why`` says it in words.
    """
    verdicts = dict(found.get("verify") or {})
    handovers = [found[step] for step in STEPS if found.get(step)]
    waiting = [handover for handover in handovers if handover.get("status") == "pending"]
    failure = found.get("failure") or ("" if verdicts or check_mode else UNJUDGED)
    told = [verdict["verdict"] for verdict in verdicts.values()]
    if failure:
        status = "failed"
    elif check_mode:
        status = "predicted"
    elif waiting or "pending" in told:
        status = "pending"
    else:
        status = next((verdict for verdict in ("broken", "unknown", "attested") if verdict in told), "proven")
    return {
        "status": status,
        "fails": status in ("failed", "broken") or (status == "pending" and found.get("fail_on_pending", True)),
        "why": _why(failure, status, found.get("findings") or [], verdicts),
        "steps": verdicts,
        "source_id": found.get("source_id") or "",
        "findings": list(found.get("findings") or []),
        "failure": failure,
        "cards": [_linked(handover["card"], found.get("console")) for handover in waiting if handover.get("card")],
    }


def _why(
    failure: str, status: str, findings: t.Iterable[Mapping[str, t.Any]], verdicts: Mapping[str, Mapping[str, t.Any]]
) -> str:
    if failure:
        return failure
    reasons = [
        f"{step}: {verdicts[step]['reason']}" for step in STEPS if verdicts.get(step, {}).get("verdict") == status
    ]
    if status in ("attested", "proven", "predicted"):  # one reason is enough; the key's says most
        reasons = [verdicts["key"]["reason"]] if "key" in verdicts else reasons[-1:]
    return " ".join([*(finding["detail"] for finding in findings), "; ".join(reasons)]).strip()


def _linked(card: cards.Card, console: Mapping[str, str] | None) -> cards.Card:
    """The card with the links that only the whole run knows enough for."""
    return {**card, "links": cards.links(card["step"], card["environment"], console)} if console else dict(card)
