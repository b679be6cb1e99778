# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fault rules: which requests they hit, and what those are answered. No server, no sockets, no world."""

from __future__ import annotations

import dataclasses
import datetime
import email.utils
import json
import math
import random
import re
import typing as t
from dataclasses import dataclass, field

from .model import ApiProblem, Environment, fingerprint

KINDS = {
    "status": "an error answer: status, headers, body",
    "rate_limited": "429, with the wait of so many seconds in hint",
    "latency": "so many seconds before it is processed",
    "drop_before": "connection closed before it is processed",
    "drop_after": "connection closed after it was processed",
    "slow": "processed; the answer's body trickles in over so many seconds",
    "truncated": "processed; the connection closes in the middle of the answer's body",
    "malformed": "JSON that breaks off",
    "html": "a page of HTML, as from a proxy",
    "stale": "a read answered as it was before the last changes, or so many seconds ago",
}
HINTS = ("seconds", "date", "msBeforeNext", "reset", "none")
MAX_PATTERN = 500
# Of these the request itself is always processed.
PROCESSED = ("drop_after", "slow", "truncated", "stale")
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]


@dataclass
class Seen:
    """A request as far as rules and hooks look at it."""

    method: str
    path: str
    environment: str | None
    n: int = 0


def fits(pattern: str, line: str) -> bool:
    """Return whether a pattern is found in a line.

    ``*`` stands for anything, ``^`` and ``$`` for the two ends of the line, ``|`` separates alternatives. The time that it takes
    grows with the lengths of the two, so that no pattern holds the server up.
    """
    return any(_fits(alternative, line) for alternative in pattern.split("|"))


def _fits(pattern: str, line: str) -> bool:
    pattern = pattern[1:] if pattern.startswith("^") else f"*{pattern}"
    pattern = pattern[:-1] if pattern.endswith("$") else f"{pattern}*"
    first, *middle = pattern.split("*")
    if not middle:
        return line == first
    last = middle.pop()
    start, end = len(first), len(line) - len(last)
    if not (line.startswith(first) and line.endswith(last)):
        return False
    for piece in middle:
        start = line.find(piece, start, end)
        if start < 0:
            return False
        start += len(piece)
    return start <= end


@dataclass
class Rule:
    """One fault. It applies to the requests that fit, but not to the first ``skip``, until it has hit ``count``.

    Attributes:
        match: What to look for in ``METHOD /path``; see :func:`fits`.
        environment: Only requests made with this environment's credentials.
        count: How many requests to hit; None for all.
        skip: How many requests that fit pass first.
        probability: Chance of each request that fits. The draw depends on ``seed``, the environment, the request's line
            and how often that came before. So a run repeats its draws, in whatever order hosts are served.
        commit: Process the request all the same, and give the faulty answer afterwards.
        changes: For ``stale``: how many changes of sources and labels back; 0 goes by ``seconds``.
        seconds: How long ``latency`` and ``slow`` hold answers back. Set to 0, it lets go of what is held.
        hits: How many requests were hit. Counted here, not set.
        held: The addresses of the clients that wait, or waited, for what is held back.
    """

    match: str = ""
    environment: str | None = None
    kind: str = "status"
    count: int | None = 1
    skip: int = 0
    probability: float = 1.0
    seed: int = 0
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: t.Any = None
    seconds: float = 1.0
    hint: str = "msBeforeNext"
    commit: bool = False
    changes: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        self.fitted = 0
        self.held: set[tuple[str, int] | None] = set()
        self.drawn: dict[str, int] = {}
        # For each environment: the moments at which it was found changed, and what it was like before.
        self.past: dict[str, list[tuple[datetime.datetime, Environment]]] = {}
        self.last: dict[str, Environment] = {}

    @property
    def processes(self) -> bool:
        """Return whether the request is processed all the same."""
        return self.commit or self.kind in PROCESSED or self.kind == "latency"

    @property
    def keeps_answer(self) -> bool:
        """Return whether what comes back is the application's answer, late, in pieces or of the past."""
        return self.kind in ("latency", "slow", "truncated", "stale")

    def due(self, seen: Seen, now: datetime.datetime) -> bool:
        """Return whether this request is to be hit; counts it."""
        if self.count is not None and self.hits >= self.count:
            return False
        if self.environment not in (None, seen.environment):
            return False
        line = f"{seen.method} {seen.path}"
        if not fits(self.match, line):
            return False
        if self.kind == "stale" and (seen.method != "GET" or self.past_of(seen.environment, now) is None):
            return False
        self.fitted += 1
        if self.fitted <= self.skip:
            return False
        if self.probability < 1:
            draw = f"{self.seed} {seen.environment} {line}"
            self.drawn[draw] = self.drawn.get(draw, 0) + 1
            # Not for cryptography: the same seed has to give the same faults.
            if random.Random(f"{draw} {self.drawn[draw]}").random() >= self.probability:  # noqa: S311
                return False
        self.hits += 1
        return True

    def past_of(self, environment: str | None, now: datetime.datetime) -> Environment | None:
        """The environment as a stale read shows it; None while that is how it is now."""
        past = self.past.get(environment or "", [])
        if self.changes:
            return past[-min(self.changes, len(past))][1] if past else None
        then = now - datetime.timedelta(seconds=self.seconds)
        return next((before for at, before in past if at > then), None)

    def answer(self, path: str, now: datetime.datetime) -> Answer:
        """The answer to a request to this path, in place of the application's."""
        if self.kind == "html":
            page = b"<html><body><h1>Bad gateway</h1></body></html>"
            return self.status or 200, self._headers(page, "text/html"), page
        if self.kind == "malformed":
            return self.status or 200, self._headers(b'{"data": {'), b'{"data": {'
        if self.body is not None:
            content = self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()
            return self.status or 500, self._headers(content), content
        limited = self.kind == "rate_limited"
        status = self.status or (429 if limited else 500)
        error = _error(path, status)
        hints = {}
        if limited:
            at = email.utils.format_datetime(now + datetime.timedelta(seconds=math.ceil(self.seconds)), usegmt=True)
            names = {"date": "Retry-After", "reset": "X-RateLimit-Reset"}
            if self.hint == "seconds":
                hints["Retry-After"] = str(math.ceil(self.seconds))
            elif self.hint in names:
                hints[names[self.hint]] = at
            elif self.hint == "msBeforeNext" and "errors" in error:
                told = {"remainingPoints": 0, "msBeforeNext": int(self.seconds * 1000), "consumedPoints": 21}
                error["errors"][0]["data"] = told
        content = json.dumps(error).encode()
        return status, self._headers(content, **hints), content

    def _headers(self, content: bytes, kind: str = "application/json", **more: str) -> list[tuple[bytes, bytes]]:
        headers = {"content-type": kind, "content-length": str(len(content)), **more}
        lower = {name.lower() for name in self.headers}
        kept = {k: v for k, v in headers.items() if k.lower() not in lower}
        return [(k.lower().encode(), v.encode()) for k, v in {**kept, **self.headers}.items()]

    def view(self) -> dict[str, t.Any]:
        """The rule in JSON's types."""
        return dataclasses.asdict(self)


def _error(path: str, status: int) -> dict[str, t.Any]:
    """An error body in the shape of the service that the path belongs to."""
    message = "Too many requests" if status == 429 else "A fault that was asked for"
    service = path.split("/")[1]
    if service == "twilio":
        code = 20429 if status == 429 else 20500
        more = f"https://www.twilio.com/docs/errors/{code}"
        return {"code": code, "message": message, "more_info": more, "status": status}
    if service in ("profiles", "tracking"):
        return {"error": {"code": "rate_limit_error" if status == 429 else "internal_error", "message": message}}
    return {"errors": [{"type": "RequestError" if status == 429 else "internal-error", "message": message}]}


# What a rule may be given: its types, and what they must fulfil.
CHECKS: dict[str, tuple[tuple[type, ...], str, t.Callable[[t.Any], bool]]] = {
    "match": (
        (str,),
        f"text, at most {MAX_PATTERN} characters, with * for anything, ^ and $ for the ends, | between alternatives: "
        "no regular expression",
        lambda v: len(v) <= MAX_PATTERN and not re.search(r"[\\()\[\]{}+?]|\.\*", v),
    ),
    "environment": ((str, type(None)), "the name of an environment", lambda v: True),
    "kind": ((str,), "one of " + ", ".join(KINDS), lambda v: v in KINDS),
    "count": ((int, type(None)), "a whole number, or null for all", lambda v: v is None or v >= 0),
    "skip": ((int,), "a whole number", lambda v: v >= 0),
    "probability": ((int, float), "from 0 to 1", lambda v: 0 <= v <= 1),
    "seed": ((int,), "a whole number", lambda v: True),
    "status": ((int, type(None)), "an HTTP status from 200 to 599", lambda v: v is None or 200 <= v <= 599),
    "headers": (
        (dict,),
        "an object of plain strings",
        lambda v: all(re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", k) and _plain(x) for k, x in v.items()),
    ),
    "body": ((object,), "anything", lambda v: True),
    "seconds": ((int, float), "from 0 to 3600", lambda v: 0 <= v <= 3600),
    "hint": ((str,), "one of " + ", ".join(HINTS), lambda v: v in HINTS),
    "commit": ((bool,), "true or false", lambda v: True),
    "changes": ((int,), "a whole number", lambda v: v >= 0),
}


def _plain(value: t.Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"[\x20-\x7e]*", value))


def rule_from(given: dict[str, t.Any]) -> Rule:
    """The rule that somebody asks for.

    Raises:
        ApiProblem: 400, naming what is wrong with it.
    """
    for name, value in given.items():
        if name not in CHECKS:
            raise ApiProblem(400, "input-validation", f"a fault has no '{name}'; it has {', '.join(CHECKS)}")
        kinds, wanted, good = CHECKS[name]
        # bool is an int to Python.
        wrong_type = not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds and name != "body")
        if wrong_type or not good(value):
            raise ApiProblem(400, "input-validation", f"{name} must be {wanted}")
    return Rule(**given)


def shown(path: str) -> str:
    """A path that may be logged: a write key in it shows as its fingerprint."""
    return re.sub(r"(?<=/writekey/)[^/]+", lambda key: fingerprint(key[0]), path)
