# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The outcome of a run for programs: JSON, JUnit's XML, Prometheus' text format, and what the next job gets. Pure.

What they hold is an API all the same: docs/reports.md describes it, and templates/report.schema.json the JSON.
"""

from __future__ import annotations

import json
import typing as t
from collections import Counter
from collections.abc import Iterator, Mapping
from xml.sax.saxutils import escape, quoteattr

from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.text import printable
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.times import parse_time
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.drift import ATTRIBUTES, sentence
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.rotation import PHASES
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.seen import WELL
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import (
    EnvironmentStatus,
    last_well,
    worst_first,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._pages import Run

Outcomes = Mapping[str, EnvironmentStatus]

FORMAT = 1
# In what is handed on to the next job. AWX keeps it in its database, and gives it to each job as variables.
MAX_HANDED_ON = 50
MAX_TEXT = 300


def report_json(outcomes: Outcomes, run: Run) -> str:
    """All of it, as templates/report.schema.json describes it."""
    document = {
        "format": FORMAT,
        "playbook": run.playbook,
        "check_mode": run.check_mode,
        "at": run.at,
        "counts": counts(outcomes),
        "environments": {name: outcomes[name] for name in worst_first(outcomes)},
    }
    return json.dumps(document, indent=1) + "\n"


def counts(outcomes: Outcomes) -> dict[str, int]:
    """Return how many environments have each status, the worst first."""
    return dict(Counter(outcomes[name]["status"] for name in worst_first(outcomes)))


def handed_on(outcomes: Outcomes) -> dict[str, t.Any]:
    """The data for the next job.

    The number of environments with each status, and the essence of the first environments, those in trouble first.
    """
    names = worst_first(outcomes)
    return {
        "counts": counts(outcomes),
        "failing": sum(found["fails"] for found in outcomes.values()),
        "environments": {name: _essence(outcomes[name]) for name in names[:MAX_HANDED_ON]},
        "to_retire": _to_retire(outcomes),
        "left_out": max(0, len(names) - MAX_HANDED_ON),
    }


def _to_retire(outcomes: Outcomes) -> dict[str, str]:
    """The old keys that wait for a word, by environment, as ``unified_profiles_retire`` takes them."""
    stands = {name: found["rotation"] for name, found in outcomes.items() if not (found["due"] or found["failure"])}
    waiting = {name: of for name, of in stands.items() if of.get("pending")}
    ready = {name: str(of["key"]) for name, of in waiting.items() if of["phase"] == PHASES["retire"]}
    return dict(list(ready.items())[:MAX_HANDED_ON])


def _essence(found: EnvironmentStatus) -> dict[str, t.Any]:
    return {
        "status": found["status"],
        "fails": found["fails"],
        "why": found["why"][:MAX_TEXT],
        "steps": {step: said["verdict"] for step, said in found["steps"].items()},
        "source_id": found["source_id"],
        "findings": [{"problem": it["problem"], "detail": it["detail"][:MAX_TEXT]} for it in found["findings"]],
        "differences": [
            {name: value[:MAX_TEXT] for name, value in difference.items() if isinstance(value, str)}
            for difference in found["differences"]
        ],
        "cards": [{name: card[name] for name in ("step", "title", "digest")} for card in found["cards"]],
    }


def junit_xml(outcomes: Outcomes, run: Run) -> str:
    """A suite for each environment, with a case for each check. What fails no job is skipped."""
    totals: Counter[str] = Counter()
    suites = []
    for name in worst_first(outcomes):
        found = outcomes[name]
        told = {check: said for check in CHECKS if (said := next(_told(found, check), None))} if _trouble(found) else {}
        kinds = Counter(kind for kind, _message in told.values())
        numbers = {"tests": len(CHECKS), **{plural: kinds[kind] for plural, kind in KINDS.items()}}
        totals.update(numbers)
        of = f"classname={_xml('unified_profiles.' + name)}"
        suites += [
            f"<testsuite name={_xml(name)} timestamp={_xml(run.at.removesuffix('Z'))} {_numbers(numbers)}>",
            f'<properties><property name="status" value={_xml(found["status"])}/></properties>',
        ]
        for check in CHECKS:
            inner = f"<{told[check][0]} message={_xml(told[check][1])}/>" if check in told else ""
            suites.append(f'<testcase {of} name="{check}">{inner}</testcase>')
        suites.append(f"<system-out>{escape(str(printable(found['why'])))}</system-out></testsuite>")
    head = f"<testsuites name={_xml('unified_profiles ' + run.playbook)} {_numbers(totals)}>"
    return "\n".join(['<?xml version="1.0" encoding="utf-8"?>', head, *suites, "</testsuites>", ""])


KINDS = {"failures": "failure", "errors": "error", "skipped": "skipped"}
LOOK = "look"
CHECKS = (LOOK, *ATTRIBUTES)


def _told(found: EnvironmentStatus, check: str) -> Iterator[tuple[str, str]]:
    """The results of a case as ``(kind, message)``, the worst first; none where the check is passed."""
    if found["failure"]:
        yield ("error", found["failure"]) if check == LOOK else ("skipped", "The look failed.")
    against = [sentence(it) for it in found["differences"] if it["attribute"] == check and not it["accepted"]]
    against += [it["detail"] for it in found["findings"] if it.get("step") == check]
    verdict = found["steps"].get(check, {"verdict": "", "reason": ""})
    if verdict["verdict"] in ("broken", "pending"):
        against.append(verdict["reason"])
    if against:
        yield "failure" if found["fails"] else "skipped", " ".join(against)
    unread = found["unread"].get(check) or (verdict["reason"] if verdict["verdict"] == "unknown" else "")
    if unread:
        yield "error" if found["fails"] else "skipped", unread


def _trouble(found: EnvironmentStatus) -> bool:
    return found["status"] not in WELL or bool(found["differences"] or found["findings"] or found["unread"])


def _numbers(numbers: Mapping[str, int]) -> str:
    return " ".join(f'{name}="{numbers[name]}"' for name in ("tests", *KINDS))


def _xml(text: str) -> str:
    """An attribute's value. XML has no way to write most of what nobody sees."""
    return quoteattr(str(printable(text)))


GAUGES = {
    "status": "1 for the status that the environment has.",
    "fails": "Whether the job fails for the environment.",
    "last_well_timestamp_seconds": "When a look last found the environment well.",
    "differences": "Attributes that are not as they should be.",
    "requests": "Requests that the run's looks sent for the environment.",
    "rate_limited_requests": "Those of them that were answered with 429.",
    "report_timestamp_seconds": "When these numbers were written.",
}


def metrics_prom(outcomes: Outcomes, run: Run) -> str:
    """Gauges in Prometheus' text format, for node_exporter's collector of text files."""
    samples: dict[str, list[str]] = {name: [] for name in GAUGES}

    def sample(gauge: str, value: float, **labels: str) -> None:
        told = ",".join(f'{name}="{text}"' for name, text in labels.items())
        samples[gauge].append(f"unified_profiles_{gauge}{{{told}}} {value:.15g}")

    for plain in sorted(outcomes):
        found, name = outcomes[plain], _label(plain)
        sample("status", 1, environment=name, status=found["status"])
        sample("fails", found["fails"], environment=name)
        if at := parse_time(last_well(found, run.at)):
            sample("last_well_timestamp_seconds", at.timestamp(), environment=name)
        accepted = Counter(bool(it["accepted"]) for it in found["differences"])
        for is_accepted in (False, True):
            sample("differences", accepted[is_accepted], environment=name, accepted=str(is_accepted).lower())
        sample("requests", found["requests"], environment=name)
        sample("rate_limited_requests", found["rate_limited"], environment=name)
    if at := parse_time(run.at):
        sample("report_timestamp_seconds", at.timestamp(), playbook=_label(run.playbook))
    lines = []
    for gauge, of in samples.items():
        lines += [f"# HELP unified_profiles_{gauge} {GAUGES[gauge]}", f"# TYPE unified_profiles_{gauge} gauge", *of]
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    return str(printable(text)).replace("\\", r"\\").replace('"', r"\"")
