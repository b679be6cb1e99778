# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""How a run ended for an environment, from what the last look found. Pure."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping, Sequence

from . import cards
from .drift import Difference, explained, mended_by, sentence
from .rotation import RotationStatus
from .seen import WELL, Credential, Observation, credentials_since, word
from .steps import STEPS
from .verdict import Suspicion, Verdict

# The worst first. The playbook drift has in_sync in place of the last three.
STATUSES = (
    *("failed", "broken", "drifted", "suspected", "pending", "unknown"),
    *("predicted", "attested", "proven", "in_sync"),
)
UNJUDGED = "The run ended before this environment was judged."
# The settings that say what fails a job, and what counts where they are not given.
FAIL_ON = {"fail_on_pending": True, "fail_on_drift": True, "fail_on_suspicion": True, "fail_on_unknown": False}
# What can hold of an environment at once, the worst first: what fails a job always, and what by a setting.
ALARMS = {
    "failed": "",
    "broken": "",
    "drifted": "fail_on_drift",
    "suspected": "fail_on_suspicion",
    "pending": "fail_on_pending",
    "unknown": "fail_on_unknown",
}


class StepStatus(t.TypedDict):
    """How sure it is that one hand-over took effect, and when it was last proven; empty where that is not known."""

    verdict: str
    reason: str
    proven_at: str


class EnvironmentStatus(t.TypedDict):
    """One environment's line in the report.

    ``fails`` says whether the job does, ``reasons`` say why, and ``why`` has them in one line. ``proven_at`` is the
    oldest of the proofs that its steps have, and ``holds_until`` when the first of them is too old. Both are empty
    unless each step is proven. ``last_event`` is about when the source last received a Flex event. Times as strings, in
    UTC. ``clock_skew`` is how many seconds Segment's clock is ahead. ``differences`` has what drifted, accepted or not,
    whatever the status is; ``unread`` why an attribute could not be read. ``rotation`` says how that of the write key
    is now, without what is empty. ``credentials`` has those in use, by option, where the look was for drift; ``since``
    is empty where it saw one first.

    Of what earlier looks saw: ``first_seen`` and ``last_well`` are times. ``was`` is how the last one found it,
    ``well`` for all that is. ``since`` is when a look first found it as it is now. Each is empty where nothing is
    known, ``since`` also where that is new. ``requests`` were sent by the run's looks, and ``rate_limited`` of them
    were answered with 429.
    """

    status: str
    fails: bool
    why: str
    reasons: list[str]
    steps: dict[str, StepStatus]
    proven_at: str
    holds_until: str
    last_event: str
    clock_skew: float
    source_id: str
    findings: list[dict[str, str]]
    differences: list[Difference]
    unread: dict[str, str]
    failure: str
    cards: list[cards.Card]
    due: dict[str, str]
    rotation: RotationStatus | dict[str, t.Any]
    credentials: dict[str, Credential]
    first_seen: str
    last_well: str
    was: str
    since: str
    requests: int
    rate_limited: int


def environment_status(
    look: Mapping[str, t.Any], check_mode: bool, fail_on: Mapping[str, bool] | None = None, playbook: str = "connect"
) -> EnvironmentStatus:
    """Return how an environment is.

    Args:
        look: What a look found (``_checks/survey.py``); whatever is missing counts as empty.
        check_mode: Whether what is due is only foretold.
        fail_on: What fails the job, by the names in :data:`FAIL_ON`.
        playbook: Whose run it is. ``drift`` acts on nothing, so its status is the worst that holds. In any other what is to be done
            outranks what it mends: pending outranks broken, and what check mode foretells fails no job.
    """
    verdicts: dict[str, Verdict] = dict(look.get("verdicts") or {})
    suspicions = list(look.get("suspicions") or [])
    findings: list[dict[str, str]] = [*(look.get("findings") or []), *suspicions]
    before: Observation | None = look.get("seen")
    differences = _since_when(look.get("differences") or [], before)
    unread, due = dict(look.get("unread") or {}), dict(look.get("due") or {})
    waiting, shown = _waiting(look)
    rotation = _without_empty(look.get("rotation") or {})
    failure = look.get("failure") or ("" if verdicts or due else UNJUDGED)
    predicted = check_mode and bool(due)
    stands = predicted or playbook == "drift"
    drifted = [it for it in differences if not it["accepted"] and (stands or not _is_mended(look, it))]
    judged = [said["verdict"] for step, said in verdicts.items() if step not in explained(differences)]
    holds = {
        "failed": bool(failure),
        "broken": "broken" in judged,
        "drifted": bool(drifted),
        "suspected": bool(suspicions),
        "pending": bool(waiting or due or rotation.get("pending")) or "pending" in judged,
        "unknown": "unknown" in judged or (playbook == "drift" and bool(unread)),
    }
    status, alarms = _status_and_alarms(playbook, [it for it in ALARMS if holds[it]], predicted, judged)
    told = _told(playbook, status, differences, findings, suspicions, drifted)
    reasons = [failure] if failure else _reasons(status, told, unread, verdicts, due, rotation)
    return {
        "status": status,
        "fails": any(_counts(name, fail_on or {}) for name in alarms),
        "why": in_one_line(reasons),
        "reasons": reasons,
        "steps": {step: _step_status(said) for step, said in verdicts.items()},
        "proven_at": _earliest(verdicts, "proven_at"),
        "holds_until": _earliest(verdicts, "holds_until"),
        "last_event": max((said.get("last_event") or "" for said in verdicts.values()), default=""),
        "clock_skew": float(look.get("clock_skew") or 0.0),
        "source_id": (look.get("source") or {}).get("id") or "",
        "findings": findings,
        "differences": differences,
        "unread": unread,
        "failure": failure,
        "cards": [_linked(card, look) for card in shown],
        "due": due,
        "rotation": rotation,
        "credentials": credentials_since(look.get("credentials") or {}, before, ""),
        "first_seen": before["first_seen"] if before else "",
        "last_well": before["last_well"] if before else "",
        "was": before["status"] if before else "",
        "since": before["since"] if before and before["status"] == word(status) else "",
        "requests": look.get("requests") or 0,
        "rate_limited": look.get("rate_limited") or 0,
    }


def _without_empty(found: Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {name: value for name, value in found.items() if value not in ("", None) and value is not False}


def _told(
    playbook: str,
    status: str,
    differences: Sequence[Difference],
    findings: Sequence[Mapping[str, str]],
    suspicions: Sequence[Suspicion],
    drifted: Sequence[Difference],
) -> list[str]:
    """The findings, in sentences: those that explain the status, and those that fail the job besides."""
    if playbook != "drift" and status == "drifted":
        return [*map(sentence, differences), *(it["detail"] for it in suspicions)]
    return [*map(sentence, differences if playbook == "drift" else drifted), *map(in_words, findings)]


def _counts(alarm: str, fail_on: Mapping[str, bool]) -> bool:
    """Return whether it fails the job."""
    return not ALARMS[alarm] or {**FAIL_ON, **fail_on}[ALARMS[alarm]]


def _is_mended(look: Mapping[str, t.Any], difference: Difference) -> bool:
    """Return whether a hand-over mends it that is asked for, or broken: then it is no drift besides."""
    return any(_is_due_again(look, step) for step in mended_by(difference))


def _is_due_again(look: Mapping[str, t.Any], step: str) -> bool:
    """Return whether a hand-over waits for somebody, or is broken."""
    found, said = (look.get("handovers") or {}).get(step), (look.get("verdicts") or {}).get(step)
    return (found or {}).get("status") == "pending" or (said or {}).get("verdict") in ("pending", "broken")


def _status_and_alarms(
    playbook: str, holds: list[str], predicted: bool, judged: Sequence[str]
) -> tuple[str, list[str]]:
    """The status, and which of what holds may fail the job."""
    if playbook == "drift":
        return next(iter(holds), "in_sync"), holds
    # What check mode foretells fails no job. A suspicion does: no run mends it.
    alarms = [it for it in holds if it in ("failed", "suspected")] if predicted else holds
    return _of_acting(holds, predicted, judged), alarms


def _step_status(said: Verdict) -> StepStatus:
    return {"verdict": said["verdict"], "reason": said["reason"], "proven_at": said.get("proven_at") or ""}


def _since_when(differences: Iterable[Difference], before: Observation | None) -> list[Difference]:
    """The differences, each with when an earlier look first saw it."""
    stood = {(it["attribute"], it["found"]): it["since"] for it in before["differences"]} if before else {}
    return [
        {**it, "seen": stood[named]} if (named := (it["attribute"], it["found"])) in stood else it for it in differences
    ]


def _waiting(look: Mapping[str, t.Any]) -> tuple[bool, list[cards.Card]]:
    """Return whether a hand-over waits for a person, and the cards to show."""
    handovers = look.get("handovers") or {}
    waiting = [handovers[step] for step in STEPS if handovers.get(step, {}).get("status") == "pending"]
    # In check mode a card that was never asked for has nothing to confirm.
    shown: list[cards.Card] = [handover["card"] for handover in waiting if handover.get("card")]
    asked = {card["step"] for card in shown}
    return bool(waiting), shown + [card for card in look.get("cards") or [] if card["step"] not in asked]


def compact(found: EnvironmentStatus) -> dict[str, t.Any]:
    """Without what is empty, and without what the steps say again: a thousand environments are one result."""
    well = found["status"] in WELL and not (found["findings"] or found["differences"] or found["due"])
    left_out = ("why", "reasons", "steps") if well else ("why", "steps")
    kept = {name: value for name, value in found.items() if value and name not in left_out}
    steps = {
        step: {
            name: value for name, value in said.items() if name != "proven_at" or value not in ("", found["proven_at"])
        }
        for step, said in found["steps"].items()
    }
    return {**kept, "steps": steps} if steps else kept


def complete(found: Mapping[str, t.Any]) -> EnvironmentStatus:
    """The status with the fields that :func:`compact` left out."""
    empty: EnvironmentStatus = {
        "status": "failed",
        "fails": False,
        "why": "",
        "reasons": [],
        "steps": {},
        "proven_at": "",
        "holds_until": "",
        "last_event": "",
        "clock_skew": 0.0,
        "source_id": "",
        "findings": [],
        "differences": [],
        "unread": {},
        "failure": "",
        "cards": [],
        "due": {},
        "rotation": {},
        "credentials": {},
        "first_seen": "",
        "last_well": "",
        "was": "",
        "since": "",
        "requests": 0,
        "rate_limited": 0,
    }
    status = t.cast(EnvironmentStatus, {**empty, **{name: value for name, value in found.items() if name in empty}})
    # Empty as well, where a step is not proven or nothing of it is known.
    status["steps"] = {step: {"proven_at": status["proven_at"], **said} for step, said in status["steps"].items()}
    status["reasons"] = status["reasons"] or _reasons(status["status"], [], {}, status["steps"], {}, status["rotation"])
    status["why"] = in_one_line(status["reasons"])
    return status


def in_one_line(reasons: Sequence[str]) -> str:
    """The reasons where there is no room for a list."""
    told = ""
    for reason in reasons:
        told += ("" if not told else " " if told.endswith((".", "!", "?")) else "; ") + reason
    return told


def worst_first(outcomes: Mapping[str, t.Any]) -> list[str]:
    """The environments' names in the order of every report."""
    return sorted(outcomes, key=lambda name: (STATUSES.index(outcomes[name]["status"]), name))


def last_well(found: EnvironmentStatus, now: str) -> str:
    """Return when the environment was last found well, this look included; empty if none is known to have been."""
    return now if found["status"] in WELL else found["last_well"]


def _earliest(verdicts: Mapping[str, Verdict], name: str) -> str:
    """The earliest of the times, if every step is proven."""
    proven = [t.cast(str, said.get(name) or "") for said in verdicts.values() if said["verdict"] == "proven"]
    return min(proven) if proven and len(proven) == len(STEPS) else ""


def _of_acting(holds: Sequence[str], predicted: bool, verdicts: Sequence[str]) -> str:
    """The status of a run that mends what it finds."""
    if predicted and "failed" not in holds:
        return "drifted" if "drifted" in holds else "predicted"
    order = ("failed", "pending", "broken", "drifted", "unknown")
    return next((name for name in order if name in holds), _worst(verdicts))


def _worst(verdicts: Sequence[str]) -> str:
    return next((verdict for verdict in ("broken", "pending", "unknown", "attested") if verdict in verdicts), "proven")


def _reasons(
    status: str,
    told: Sequence[str],
    unread: Mapping[str, str],
    verdicts: Mapping[str, t.Any],
    due: Mapping[str, str],
    rotation: Mapping[str, t.Any],
) -> list[str]:
    worst = _worst([verdict["verdict"] for verdict in verdicts.values()])
    # Those of the steps that decide the status; where it is none of a step's, of the worst step.
    of = status if status in ("broken", "pending", "unknown", "attested", "proven") else worst
    # A broken one fails the job, whatever is shown.
    reasons = [
        f"{step}: {verdicts[step]['reason']}"
        for step in STEPS
        if step in verdicts and verdicts[step]["verdict"] in (of, "broken")
    ]
    if status in ("attested", "proven", "predicted", "in_sync"):  # one reason is enough; the last step's says most
        reasons = reasons[-1:]
    elif status in ("drifted", "suspected") and of in ("attested", "proven"):  # what is well explains neither
        reasons = []
    if status == "unknown":
        reasons += [f"{attribute}: {why}" for attribute, why in unread.items() if attribute not in verdicts]
    mended = [f"Due: {', '.join(f'{name} ({why})' for name, why in due.items())}."] if due else []
    if rotation.get("told") and "rotation" not in due:
        mended.append(f"Write key: {rotation['told']}.")
    return [reason for reason in (*told, *mended, *reasons) if reason.strip()]


def in_words(finding: Mapping[str, str]) -> str:
    """A finding, and what was done about it."""
    return f"{finding['detail']} It was {finding['mended']}." if finding.get("mended") else finding["detail"]


def _linked(card: cards.Card, look: Mapping[str, t.Any]) -> cards.Card:
    """The card with the links that only the whole look knows enough for."""
    slug = (look.get("workspace") or {}).get("slug") or ""
    console: cards.Console = {
        "region": look.get("region") or "us",
        "workspace_slug": slug,
        "source_slug": (look.get("source") or {}).get("slug") or "",
        "sandbox_url": look.get("sandbox_url") or "",
    }
    where = cards.with_names(card["where"], look.get("account_name") or "", slug)
    return {**card, "where": where, "links": cards.links(card["step"], card["environment"], console)}
