# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The observations of looks at an environment, so that a later look can say since when.

No secret is in them. Pure.

The observations are no record of hand-overs: whoever loses them loses nothing but "since when". A file and a Twilio Sync
document have the same format::

    {"format": 1, "environments": {name: Observation}}

docs/ledger.md shows it to people.
"""

from __future__ import annotations

import datetime
import typing as t
from collections.abc import Mapping

from .._base.errors import Failure
from .._base.shapes import format_number, misfits
from .._base.times import parse_time
from .ledger import Proof

FORMAT = 1
WELL = ("attested", "proven", "in_sync")
# What of an environment may change from look to look without being news.
NEWS_AT_LEAST = datetime.timedelta(days=1)


class Standing(t.TypedDict):
    """A difference that the last look found, and when one found it first."""

    attribute: str
    found: str
    since: str


class Credential(t.TypedDict):
    """A token or secret that an environment uses, and when a look for drift saw it first."""

    fingerprint: str
    since: str


class _Observation(t.TypedDict):
    at: str
    first_seen: str
    last_well: str
    status: str
    since: str
    differences: list[Standing]
    proofs: dict[str, Proof]


class Observation(_Observation, total=False):
    """The observations of looks at one environment. Times are strings, in UTC; empty where there is none.

    Attributes:
        at: When this was written.
        first_seen: When a look first was at the environment.
        last_well: When one last found it well.
        status: How it was found last; one word, ``well``, for all that is.
        since: When it was first found so.
        differences: What was found last that should not be.
        proofs: The last proof of each step.
        credentials: The credentials that it used last, by option.
    """

    credentials: dict[str, Credential]


Observations = dict[str, Observation]


class Unreadable(Failure):
    """The observations are damaged, or were written by a newer release."""

    kind = "seen"


def word(status: str) -> str:
    """The status as it is remembered: whether connect or drift looked, well is well."""
    return "well" if status in WELL else status


def observe(before: Observation | None, found: Mapping[str, t.Any], now: str) -> Observation:
    """The observation to remember after a look. Two writers in any order come to the same first and last times.

    Args:
        before: What is remembered.
        found: How the environment is, as ``status.py`` has it.
        now: The time.
    """
    known: Mapping[str, t.Any] = before or {}
    status = word(found["status"])
    stood = {(it["attribute"], it["found"]): it["since"] for it in known.get("differences", [])}
    differences: dict[tuple[str, str], Standing] = {}
    for it in found["differences"]:
        named = it["attribute"], it["found"]
        since = min(stood.get(named, now), now)
        differences[named] = {"attribute": named[0], "found": named[1], "since": since}
    proofs: dict[str, Proof] = {
        step: {"at": said["proven_at"], "reason": said["reason"], "last_event": found["last_event"]}
        for step, said in found["steps"].items()
        if said["verdict"] == "proven"
    }
    used = {option: it["fingerprint"] for option, it in found["credentials"].items()}
    return {
        "at": now,
        "first_seen": min(known.get("first_seen") or now, now),
        "last_well": max(known.get("last_well", ""), now if status == "well" else ""),
        "status": status,
        "since": min(known["since"], now) if known.get("status") == status else now,
        # A look that failed saw none, and says nothing of them.
        "differences": known.get("differences", []) if found["failure"] else list(differences.values()),
        "proofs": latest(known.get("proofs", {}), proofs),
        # No look but that for drift tells of them.
        "credentials": credentials_since(used, before, now) or known.get("credentials", {}),
    }


def credentials_since(used: Mapping[str, str], before: Observation | None, new: str) -> dict[str, Credential]:
    """The credentials in use, by option, each with when it was first seen.

    Args:
        used: Their fingerprints.
        before: What is remembered.
        new: What is said of one that was not seen before.
    """
    known = before.get("credentials", {}) if before else {}
    stood = {(option, it["fingerprint"]): it["since"] for option, it in known.items()}
    return {option: {"fingerprint": it, "since": stood.get((option, it), new)} for option, it in used.items()}


def latest(*proofs: Mapping[str, Proof]) -> dict[str, Proof]:
    """The newest proof of each step."""
    found: dict[str, Proof] = {}
    for of in proofs:
        found |= {step: proof for step, proof in of.items() if proof["at"] > found.get(step, {"at": ""})["at"]}
    return found


def differs(before: Observation | None, after: Observation) -> bool:
    """Return whether anything is remembered that was not."""
    return before is None or {**after, "at": before["at"]} != before


def is_news(before: Observation | None, after: Observation) -> bool:
    """Return whether it is worth a request: a status, a difference, a credential or a proof changed, or a day has passed."""
    if before is None or not differs(before, after):
        return before is None

    def essence(seen: Observation) -> t.Any:
        return seen["status"], seen["differences"], sorted(seen["proofs"]), seen.get("credentials", {})

    then, now = parse_time(before["at"]), parse_time(after["at"])
    return essence(before) != essence(after) or not (then and now and now - then < NEWS_AT_LEAST)


def parse(found: t.Any, where: str) -> Observations:
    """The observations, by environment, checked.

    Args:
        found: The decoded JSON; None where it was none.
        where: What to call it in a message.

    Raises:
        Unreadable: It is damaged, or of a newer format.
    """
    if (number := format_number(found)) > FORMAT:
        problem, way_out = f"has format {number}, written by a newer release", "Update the collection here"
    elif number != FORMAT:
        problem, way_out = "is damaged: it is no JSON object with a format number", "Remove it"
    elif damage := next(misfits(found.get("environments"), Observations, "environments"), ""):
        problem, way_out = f"is damaged: {damage}", "Remove it"
    else:
        return t.cast(Observations, found["environments"])
    raise Unreadable(f"{where} {problem}. It is left alone, and nothing is reported of since when.", f"{way_out}.")


def document(seen: Observations) -> dict[str, t.Any]:
    """As it is written."""
    return {"format": FORMAT, "environments": seen}
