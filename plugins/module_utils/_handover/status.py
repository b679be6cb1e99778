# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""How a run ended for an environment, from what its tasks registered. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping, Sequence

from . import cards
from .steps import STEPS
from .verdict import Verdict

STATUSES = ("failed", "broken", "pending", "unknown", "predicted", "attested", "proven")
RESULT_VARIABLES = (
    "unified_profiles_failure",
    *(step.result_variable for step in STEPS.values()),
    "verify_result",
    "source_found",
    "source_result",
    "preflight_space",
    "unified_profiles_segment_region",
    "unified_profiles_sandbox_url",
)
UNJUDGED = "The run ended before this environment was judged."


class EnvironmentStatus(t.TypedDict):
    """One environment's line in the report. ``fails`` says whether the job does, and ``why`` says it in words."""

    status: str
    fails: bool
    why: str
    steps: dict[str, Verdict]
    source_id: str
    findings: list[dict[str, str]]
    failure: str
    cards: list[cards.Card]


def collect_results(variables: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what a run found out about a host, from the variables (``RESULT_VARIABLES``) that the playbooks set and register.

    Returns:
        ``{failure: str, connection, link, key: the hand-over or {}, verify: {step: {verdict, reason}}, findings: [dict],
        suspicions: [dict], cards: [dict] of what evidence speaks against, source_id: str, console: dict}``: one of the ``environments`` of profiles_report.
    """

    def at(name: str, *path: str) -> t.Any:
        value = variables.get(name)
        for part in path:
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def handover(result: str) -> t.Any:
        # A refused confirmation leaves the step to do, and has its card.
        refused = at(result, "failure", "card")
        return {"status": "pending", "card": refused} if refused else at(result, "handover") or {}

    source = at("source_result", "source") or {}
    return {
        "failure": at("unified_profiles_failure") or "",
        **{name: handover(step.result_variable) for name, step in STEPS.items()},
        "verify": at("verify_result", "steps") or {},
        "findings": at("source_found", "findings") or at("source_result", "findings") or [],
        "suspicions": at("verify_result", "suspicions") or [],
        "cards": at("verify_result", "cards") or [],
        "source_id": source.get("id") or "",
        "console": {
            "region": at("preflight_space", "region") or at("unified_profiles_segment_region") or "us",
            "workspace_slug": at("preflight_space", "workspace", "slug") or "",
            "source_slug": source.get("slug") or "",
            "sandbox_url": at("unified_profiles_sandbox_url") or "",
        },
    }


def environment_status(results: Mapping[str, t.Any], check_mode: bool) -> EnvironmentStatus:
    """Return how the run ended for one environment.

    Args:
        results: See :func:`collect_results`; whatever is missing counts as empty. ``fail_on_pending`` and
            ``fail_on_suspicion`` count as true.
        check_mode: Whether the run only predicts.

    Returns:
        The status. Pending outranks broken: the step that mends it is the one that waits for a person.
    """
    verdicts: dict[str, Verdict] = dict(results.get("verify") or {})
    suspicions = list(results.get("suspicions") or [])
    findings: list[dict[str, str]] = [*(results.get("findings") or []), *suspicions]
    handovers = [results[step] for step in STEPS if results.get(step)]
    waiting = [handover for handover in handovers if handover.get("status") == "pending"]
    shown: list[cards.Card] = [handover["card"] for handover in waiting if handover.get("card")]
    asked = {card["step"] for card in shown}
    shown += [card for card in results.get("cards") or [] if card["step"] not in asked]
    failure = results.get("failure") or ("" if verdicts or check_mode else UNJUDGED)
    status = _status(failure, check_mode, bool(waiting), [verdict["verdict"] for verdict in verdicts.values()])
    return {
        "status": status,
        "fails": status in ("failed", "broken")
        or (status == "pending" and results.get("fail_on_pending", True))
        or (bool(suspicions) and results.get("fail_on_suspicion", True)),
        "why": failure or _why(status, findings, verdicts),
        "steps": verdicts,
        "source_id": results.get("source_id") or "",
        "findings": findings,
        "failure": failure,
        "cards": [_linked(card, results.get("console")) for card in shown],
    }


def _status(failure: str, check_mode: bool, waiting: bool, verdicts: Sequence[str]) -> str:
    if failure:
        return "failed"
    if check_mode:
        return "predicted"
    if waiting or "pending" in verdicts:
        return "pending"
    return _worst(verdicts)


def _worst(verdicts: Sequence[str]) -> str:
    return next((verdict for verdict in ("broken", "pending", "unknown", "attested") if verdict in verdicts), "proven")


def _why(status: str, findings: Sequence[Mapping[str, str]], verdicts: Mapping[str, Verdict]) -> str:
    # Of what a check run predicts, the worst step's; of others, those of the steps that decide the status.
    of = status if status != "predicted" else _worst([verdict["verdict"] for verdict in verdicts.values()])
    reasons = [
        f"{step}: {verdicts[step]['reason']}" for step in STEPS if step in verdicts and verdicts[step]["verdict"] == of
    ]
    if status in ("attested", "proven", "predicted"):  # one reason is enough; the last step's says most
        reasons = reasons[-1:]
    return " ".join([*(finding["detail"] for finding in findings), "; ".join(reasons)]).strip()


def _linked(card: cards.Card, console: cards.Console | None) -> cards.Card:
    """The card with the links that only the whole run knows enough for."""
    if not console:
        return card
    workspace = console.get("workspace_slug", "")
    where = [*card["where"], *([f"Segment workspace {workspace}"] if workspace else [])]
    return {**card, "where": where, "links": cards.links(card["step"], card["environment"], console)}
