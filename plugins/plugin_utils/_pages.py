# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Renders outcomes and task cards: for a terminal, as Markdown, and as one HTML page that needs nothing else.

Names and messages come from APIs and inventories. They are data for these templates and never templates themselves; each
format has its own escaping.
"""

from __future__ import annotations

import base64
import datetime
import functools
import hashlib
import itertools
import json
import re
import shlex
import typing as t
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import jinja2
from ansible import release
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.text import printable
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.times import parse_time
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.cards import (
    HOW_TO_RUN,
    again,
    confirm,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.seen import (
    WELL,
    Credential,
    word,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import (
    STATUSES,
    in_words,
    worst_first,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.steps import STEPS

TEMPLATES = Path(__file__).parent / "templates"
# By column, the options of which an environment uses one.
CREDENTIALS = {
    "Segment Public API token": ("segment_token",),
    "Profile API access token": ("profile_token",),
    "Twilio API key secret, or auth token": ("twilio_api_secret", "twilio_auth_token"),
}
REPLACED = (
    "A new Profile API access token in the inventory makes the connection hand-over due, and nothing else. A new one of the others makes "
    "nothing due."
)
ACCEPTED, ACCEPTED_DAYS = "unified_profiles_accepted_drift", 30
# Of one status, in the last line.
MAX_NAMES = 10


def terminal(value: t.Any) -> str:
    """One line without control characters: nothing in it can steer a terminal."""
    return str(printable(str(value)))


def markdown(value: t.Any) -> str:
    """Text that Markdown shows as it is, also in a table, and makes no link of."""
    return re.sub(
        r"([\\`*\[\]<>|~&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|:(?=//)|(?<=[wW]{3})\.)", r"\\\1", terminal(value)
    )


def moment(value: str) -> str:
    """A time for people; what is none as it is."""
    at = parse_time(value)
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else terminal(value)


def said(text: str) -> str:
    """A sentence for people, with its times as ``moment`` has them."""
    return re.sub(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", lambda found: moment(found[0]), printable(text))


def code(value: t.Any) -> str:
    """A Markdown code span that holds the text exactly."""
    text = terminal(value)
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if text[:1] in ("`", " ") or text[-1:] in ("`", " ") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def fenced(*lines: t.Any) -> str:
    """A Markdown code block of these lines."""
    fence = "~" * max(3, max((len(run) for line in lines for run in re.findall("~+", str(line))), default=0) + 1)
    return "\n".join([fence, *map(terminal, lines), fence])


class Run(t.NamedTuple):
    """The facts about the run that the pages show.

    Attributes:
        playbook: Its name, for the heading.
        at: When the report was written, as ``format_time`` writes it.
        check_mode: Whether it only predicted.
        arguments: The command line that confirms, up to the confirmation.
        more: The extra variables of the run that were left out of ``arguments``, since they may hold secrets.
        about: What else is known of it, such as its inventory.
    """

    playbook: str = "connect"
    at: str = ""
    check_mode: bool = False
    arguments: Sequence[str] = HOW_TO_RUN
    more: Sequence[str] = ()
    about: Sequence[str] = ()

    @property
    def accepted_until(self) -> str:
        """The last day of an acceptance that begins with this run."""
        at = parse_time(self.at)
        return f"{at + datetime.timedelta(days=ACCEPTED_DAYS):%Y-%m-%d}" if at else ""

    @property
    def command(self) -> str:
        return shlex.join(self.arguments)

    def confirm(self, *cards: Mapping[str, t.Any]) -> str:
        """The command that confirms the cards, for their environments only: the others need no run."""
        names = sorted({card["environment"] for card in cards})
        # What has another character could be a pattern.
        limited = "--limit" in self.arguments or not all(
            re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name) for name in names
        )
        limit = [] if limited else ["--limit", ",".join(names)]
        if not cards[0]["digest"]:
            return again([*self._connect(), *limit], cards[0]["handover_again"], cards[0]["acknowledge"])
        return confirm([*self.arguments, *limit], [card["digest"] for card in cards])

    def _connect(self) -> list[str]:
        """This run's command line, for connect: the others neither ask again for what was done, nor record what is said of a suspicion."""
        if self.playbook == "connect":
            return [*self.arguments]
        return [*HOW_TO_RUN[:2], *itertools.dropwhile(lambda argument: not argument.startswith("-"), self.arguments)]


def card_text(card: Mapping[str, t.Any], run: Run) -> str:
    """One card for the terminal."""
    return _render("card.txt.j2", card=card, run=run, hidden=_hidden())


def _hidden() -> str:
    """Return where to look for what Ansible hides in the terminal: from 2.22 on all that was vaulted, also what a person types."""
    hides = tuple(map(int, release.__version__.split(".")[:2])) >= (2, 22)
    return "A value that shows as $REDACTED$ is vaulted. The report and the inventory have it." if hides else ""


def summary_text(outcomes: Mapping[str, Mapping[str, t.Any]], most: int) -> str:
    """A line for each environment, those in trouble first, and at last how many there are of each status, and who is in trouble."""
    named = [(terminal(name), outcomes[name]) for name in worst_first(outcomes)]
    width = max((len(name) for name, _found in named), default=0)
    lines = [f"{name:{width}}  {found['status']:9}  {terminal(found['why'])}".rstrip() for name, found in named[:most]]
    if len(named) > most:
        lines.append(f"and {len(named) - most} more.")
    counts = []
    for status in reversed(STATUSES):
        names = [name for name, found in named if found["status"] == status]
        who = "" if status in WELL else f" ({_some(names)})"
        counts += [f"{len(names)} {status}{who}"] * bool(names)
    return "\n".join([*lines, f"{len(named)} environment{'s' * (len(named) != 1)}: {', '.join(counts)}"])


def acceptance(found: Mapping[str, t.Any], run: Run) -> list[str]:
    """The lines that would accept what was found, but for the reason, which nobody else can give. Empty where there is nothing."""
    lines = []
    for difference in found["differences"]:
        if not difference["accepted"]:
            value = json.dumps(difference["found"])
            unsafe = "!unsafe " if "{" in value else ""  # Ansible would take it for a template
            lines += [f"  - attribute: {difference['attribute']}", f"    value: {unsafe}{value}"]
            lines += ["    reason:", f'    until: "{run.accepted_until}"']
    return [f"{ACCEPTED}:", *lines] if lines else []


def acceptance_text(outcomes: Mapping[str, Mapping[str, t.Any]], run: Run, most: int) -> str:
    """The same for the terminal, for so many environments at most."""
    accepting = {name: lines for name, of in outcomes.items() if (lines := acceptance(of, run))}
    told = []
    for name, lines in [*accepting.items()][:most]:
        told += [f"# {terminal(name)}: to accept what was found, add to its variables, each with a reason", *lines]
    if len(accepting) > most:
        told.append(f"# and {len(accepting) - most} more")
    if told and (hidden := _hidden()):
        told.append(f"# {hidden}")
    return "\n".join(told)


def _some(names: Sequence[str]) -> str:
    more = [f"and {len(names) - MAX_NAMES} more"] * (len(names) > MAX_NAMES)
    return ", ".join([*names[:MAX_NAMES], *more])


def report_markdown(outcomes: Mapping[str, Mapping[str, t.Any]], run: Run) -> str:
    """The report of a run, as Markdown (CommonMark with tables)."""
    return _render("report.md.j2", **_facts(outcomes, run))


def report_html(outcomes: Mapping[str, Mapping[str, t.Any]], run: Run) -> str:
    """The report of a run as one page. A policy in it lets no script run and nothing load but what is written here."""
    parts = {name: (TEMPLATES / f"page.{name}").read_text(encoding="utf-8") for name in ("css", "js")}
    digests = {f"{name}_hash": policy_hash(part) for name, part in parts.items()}
    return _render("report.html.j2", **parts, **digests, **_facts(outcomes, run))


def policy_hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _facts(outcomes: Mapping[str, Mapping[str, t.Any]], run: Run) -> dict[str, t.Any]:
    order = worst_first(outcomes)
    changed = {name for name in order if (was := outcomes[name]["was"]) and word(outcomes[name]["status"]) != was}
    # What is well and has nothing to say is a line in the table, and no more.
    told = [name for name in order if _has_more(outcomes[name])]
    return {
        "changed": changed,
        "groups": [
            ("Changed since the last look", [name for name in order if name in changed]),
            ("As they were", [name for name in order if name not in changed]),
        ],
        "numbers": {name: number for number, name in enumerate(sorted(told, key=lambda name: name not in changed), 1)},
        "outcomes": {name: outcomes[name] for name in order},
        "accepting": {name: lines for name in told if (lines := acceptance(outcomes[name], run))},
        "counts": Counter(outcomes[name]["status"] for name in order),
        "steps": {step: step.capitalize() for step in STEPS},
        "rotations": {name: outcomes[name]["rotation"] for name in order if outcomes[name]["rotation"]},
        "credentials": {
            name: _columns(outcomes[name]["credentials"]) for name in order if outcomes[name]["credentials"]
        },
        "credential_titles": [*CREDENTIALS],
        "replaced": REPLACED,
        "run": run,
    }


def _columns(credentials: Mapping[str, Credential]) -> list[Credential | None]:
    """The credentials of an environment in the order of the columns; None where there is none."""
    return [next((credentials[it] for it in options if it in credentials), None) for options in CREDENTIALS.values()]


def _has_more(found: Mapping[str, t.Any]) -> bool:
    """Return whether there is more to say of an environment than one line has."""
    return found["status"] not in WELL or bool(found["differences"] or found["cards"]) or len(found["reasons"]) > 1


def _render(template: str, **facts: t.Any) -> str:
    # Plain text has no markup to escape, so everything that is put in is made harmless for a terminal.
    finalize = terminal if template.endswith(".txt.j2") else None
    return _environment(finalize).get_template(template).render(facts)


@functools.cache  # with hundreds of cards, compiling the template for each would take longer than filling it in
def _environment(finalize: t.Callable[[t.Any], str] | None) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=finalize,
    )
    environment.filters.update(md=markdown, code=code, show=printable, moment=moment, said=said, in_words=in_words)
    environment.globals["fenced"] = fenced
    return environment
