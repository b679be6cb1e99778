# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Probes many environments, and sums up what they show, so that no environment can be told apart from another."""

from __future__ import annotations

import json
import typing as t
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ansible import release
from ansible.module_utils.common.yaml import yaml_load
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.assumptions import ASSUMPTIONS, VERDICTS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.judges import (
    CONTRADICTED,
    NOT_LOOKED_AT,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.probe import (
    OPTIONS,
    Probed,
    nothing_probed,
    probe,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._options import PREFIX
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._pages import markdown
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._survey import AtOnce

SPEC = ArgumentSpec(OPTIONS).argument_spec
FORMAT = 1
MORE = f"{PREFIX}probe_more"
NEVER_LIVE = "The developers only ever ran this probe against the sandbox that comes with the collection. Its judgement of a real service may be wrong."


class Probe(AtOnce[Probed]):
    """A look at many environments for what the services answer.

    Args:
        settings: Those of the run.
        progress: Called about every ten seconds, with a line to show.
    """

    def __init__(self, settings: Mapping[str, t.Any], progress: Callable[[str], None]) -> None:
        super().__init__(SPEC, settings, progress)

    def see(self, call: ModuleContext) -> Probed:
        return probe(call)

    def nothing(self, failure: str) -> Probed:
        return nothing_probed(failure)

    def failure_of(self, found: Probed) -> str:
        return found["failure"]


class Row(t.TypedDict):
    """One assumption, with the verdicts of all environments.

    Attributes:
        verdict: The first of :data:`VERDICTS` that an environment has.
        environments: How many have each verdict.
        details: ``{verdict, detail, environments}`` for each detail that is not empty.
    """

    name: str
    text: str
    grade: str
    verdict: str
    environments: dict[str, int]
    details: list[dict[str, t.Any]]


class Summary(t.TypedDict):
    """A report. Nothing in it is a name, an id, a secret, or a value that a service sent.

    Attributes:
        collection: Its release.
        day: When it was made, as YYYY-MM-DD in UTC.
        environments: How many were ``asked`` anything, are ``unknown``, ``ended_early``, are ``on_a_sandbox``, and were asked ``more``
            than a survey asks.
    """

    format: int
    collection: str
    ansible_core: str
    day: str
    environments: dict[str, int]
    assumptions: list[Row]


def summed_up(probed: Mapping[str, Probed], settings: Mapping[str, Mapping[str, t.Any]], day: str) -> Summary:
    """Sum up what the environments show.

    Args:
        probed: What each shows. At least one was asked something.
        settings: Those of each.
        day: Today, as YYYY-MM-DD in UTC.
    """
    asked = {name: found["judgements"] for name, found in probed.items() if found["judgements"]}
    return {
        "format": FORMAT,
        "collection": _release(),
        "ansible_core": release.__version__,
        "day": day,
        "environments": {
            "asked": len(asked),
            "unknown": len(probed) - len(asked),
            "ended_early": sum(bool(probed[name]["failure"]) for name in asked),
            "on_a_sandbox": sum(bool(settings[name].get(f"{PREFIX}sandbox_url")) for name in asked),
            "more": sum(bool(settings[name].get(MORE)) for name in asked),
        },
        "assumptions": [*_rows(asked)],
    }


def _rows(asked: Mapping[str, t.Any]) -> Iterator[Row]:
    for one in ASSUMPTIONS:
        judgements = [found[one.name] for found in asked.values()]
        verdicts = Counter(judgement["verdict"] for judgement in judgements)
        details = Counter(
            (judgement["verdict"], judgement["detail"]) for judgement in judgements if judgement["detail"]
        )
        yield {
            "name": one.name,
            "text": one.text,
            "grade": one.grade,
            "verdict": min(verdicts, key=VERDICTS.index),
            "environments": {verdict: verdicts[verdict] for verdict in VERDICTS if verdicts[verdict]},
            "details": [
                {"verdict": verdict, "detail": detail, "environments": count}
                for (verdict, detail), count in sorted(details.items())
            ],
        }


def _release() -> str:
    """The release of this collection; a checkout has it in another file than an archive."""
    root = Path(__file__).parents[2]
    try:
        return str(json.loads((root / "MANIFEST.json").read_bytes())["collection_info"]["version"])
    except FileNotFoundError:
        return str(yaml_load((root / "galaxy.yml").read_bytes())["version"])


def verdict_counts(summary: Summary) -> dict[str, int]:
    """Return how many assumptions have each verdict."""
    counted = Counter(row["verdict"] for row in summary["assumptions"])
    return {verdict: counted[verdict] for verdict in VERDICTS}


def probe_json(summary: Summary) -> str:
    """The report for machines."""
    return json.dumps(summary, indent=2) + "\n"


def probe_markdown(summary: Summary) -> str:
    """The report for an issue."""
    count = summary["environments"]
    lines = [
        "# What a probe saw",
        "",
        f"flexops.unified_profiles {summary['collection']} on ansible-core {summary['ansible_core']}, {summary['day']} (UTC).",
        "",
        f"- {_environments(count['asked'])} answered, {count['on_a_sandbox']} of them on a sandbox.",
        f"- Reads beyond a survey's own were made in {count['more']} of them.",
        f"- The look ended early in {count['ended_early']} of them. Nothing is known of {count['unknown']} more.",
        "",
        "This report has no names, no ids, no secrets, and no value that a service sent. Read it all the same before you attach it to a "
        "public issue.",
        "",
        NEVER_LIVE,
    ]
    for verdict in VERDICTS:
        rows = [row for row in summary["assumptions"] if row["verdict"] == verdict]
        if not rows:
            continue
        lines += ["", f"## {verdict.capitalize()}: {len(rows)}", ""]
        if verdict == NOT_LOOKED_AT:
            lines += [f"`-e {MORE}=true` sends the requests that these need.", ""]
        lines += ["| assumption | known before as | environments | detail |", "|---|---|---|---|"]
        for row in rows:
            counts = ", ".join(f"{number} {name}" for name, number in row["environments"].items())
            lines.append(f"| {markdown(row['text'])} | {row['grade']} | {counts} | {markdown(_details(row))} |")
    return "\n".join(lines) + "\n"


def probe_text(summary: Summary) -> str:
    """The report for a terminal."""
    count = summary["environments"]
    told = ", ".join(f"{number} {verdict}" for verdict, number in verdict_counts(summary).items())
    rows = [row for row in summary["assumptions"] if row["verdict"] == CONTRADICTED]
    contradictions = [f"  contradicted: {row['text']} Seen: {_details(row)}." for row in rows]
    of = f"{_environments(count['asked'])}, {count['on_a_sandbox']} of them on a sandbox"
    return "\n".join([f"{len(summary['assumptions'])} assumptions: {told} ({of}).", *contradictions])


def _details(row: Row) -> str:
    """The details of the environments whose verdict is that of the row."""
    return "; ".join(one["detail"] for one in row["details"] if one["verdict"] == row["verdict"])


def _environments(count: int) -> str:
    return f"{count} environment{'' if count == 1 else 's'}"
