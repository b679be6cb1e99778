# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The answers of servers: bodies, pages of listings, errors and rate limits. Knows nothing of connections."""

from __future__ import annotations

import datetime
import email.utils
import functools
import itertools
import json
import re
import typing as t
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .._base.errors import UnexpectedAnswer

MAX_PAGES = 1000
# Of one listing. A thousand pages take about half a second each.
MAX_SECONDS = 600.0
# Bytes, of all pages. Ten thousand sources have about 50 MiB.
MAX_BYTES = 128 * 1024 * 1024


@dataclass(frozen=True)
class Response:
    """A successful answer: its status, headers and decoded JSON body (None when there was no body); its size in bytes."""

    request: str
    service: str
    status: int
    headers: Mapping[str, str]
    body: t.Any
    request_id: str | None = None
    size: int = 0

    def get(self, path: str, kind: type | tuple[type, ...], default: t.Any = ...) -> t.Any:
        """The value at a dotted path of the body.

        Raises:
            UnexpectedAnswer: It is absent and there is no default, or it is of another type.
        """
        return value_at(self.body, path, kind, default, self)


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, for whoever watches a transport.

    Attributes:
        service: As an operator calls it.
        path: The template of the path, without what was put into it.
    """

    service: str
    path: str
    status: int
    headers: Mapping[str, str]
    content: bytes

    @functools.cached_property
    def body(self) -> t.Any:
        """The decoded JSON; None where it is none."""
        try:
            return parse_json(self.content)
        except (ValueError, RecursionError):
            return None


def value_at(body: t.Any, path: str, kind: type | tuple[type, ...], default: t.Any, answer: Response) -> t.Any:
    """The value at a dotted path below ``body``, a part of ``answer``; see :meth:`Response.get`."""
    value = body
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if value is None and default is not ...:
        return default
    # bool is an int to Python and never to an API.
    if not isinstance(value, kind) or (isinstance(value, bool) and bool not in _types(kind)):
        found = "nothing" if value is None else type(value).__name__
        wanted = "/".join(k.__name__ for k in _types(kind))
        raise UnexpectedAnswer(
            f"{answer.service} answered {answer.request} with a body of an unexpected shape: "
            f"'{path}' should be {wanted}, and is {found}.",
            "Check the URL options; if they are right, the API has changed: please report it.",
            service=answer.service,
            status=answer.status,
            field=path,
            request_id=answer.request_id,
        )
    return value


def pages(
    fetch: t.Callable[[str | None], Response],
    monotonic: t.Callable[[], float],
    items: str,
    cursor: str = "data.pagination.next",
) -> Iterator[tuple[t.Any, Response]]:
    """All items of a paginated listing, with the answer each came in.

    Args:
        fetch: Gives the page of a cursor.
        monotonic: Gives the time, in seconds.
        items: The path of the list in a page.
        cursor: The path of the next page's cursor.

    Raises:
        UnexpectedAnswer: A page without its list, cursors that go in circles, or a listing that is too long.
    """
    until, size = monotonic() + MAX_SECONDS, 0
    token: str | None = None
    seen: set[str] = set()
    for page in itertools.count(1):
        answer = fetch(token)
        for item in answer.get(items, list):
            yield item, answer
        token = answer.get(cursor, str, None)
        if not token:
            return
        size += answer.size
        if token in seen or page == MAX_PAGES or size > MAX_BYTES or monotonic() > until:
            break
        seen.add(token)
    raise UnexpectedAnswer(
        f"{answer.service} answered {answer.request} with pages that never end: "
        f"{page} pages and {size >> 20} MiB so far.",
        "Please report it.",
        service=answer.service,
    )


def parse_json(content: bytes) -> t.Any:
    """The JSON in a body, with a question mark for each lone surrogate: JSON can carry one, and no output can.

    Raises:
        ValueError: It is not JSON.
        RecursionError: It is nested too deeply.
    """

    def refuse(constant: str) -> t.NoReturn:
        raise ValueError(f"{constant} is not JSON")

    # As json.loads does it, but strictly: it lets halves of characters pass here as well.
    text = content.decode(json.detect_encoding(content))
    body = json.loads(text, parse_constant=refuse)
    if "\\u" in text:
        body = json.loads(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))
    return body


def requested_wait(headers: Mapping[str, str], content: bytes, now: datetime.datetime) -> float | None:
    """Return how many seconds the server asks to wait: Retry-After (seconds or date), msBeforeNext, the reset date; or None."""
    if (seconds := retry_after(headers, now)) is not None:
        return seconds
    try:
        milliseconds = json.loads(content)["errors"][0]["data"]["msBeforeNext"]
        if isinstance(milliseconds, (int, float)) and 0 <= milliseconds < 1e12:
            return milliseconds / 1000
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    return _seconds_until(headers.get("x-ratelimit-reset", ""), now)


def retry_after(headers: Mapping[str, str], now: datetime.datetime) -> float | None:
    """Return how many seconds Retry-After (RFC 9110, 10.2.3) asks to wait, which may be a number or a date; or None."""
    after = headers.get("retry-after", "").strip()
    return float(after) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", after) else _seconds_until(after, now)


def parse_error(content: bytes) -> tuple[t.Any, str]:
    """Code and message of an error body in any of the shapes that Segment and Twilio use."""
    try:
        body = parse_json(content)
    except (ValueError, RecursionError):
        return None, "(no JSON body)" if content.strip() else ""
    if not isinstance(body, dict):
        return None, ""
    error: t.Any = body
    errors = body.get("errors")
    if isinstance(errors, list) and errors:  # Public API: {"errors": [{"type", "message", "field"}]}
        error = errors[0]
    elif isinstance(body.get("error"), dict):  # Profile API: {"error": {"code", "message"}}
        error = body["error"]
    if not isinstance(error, dict):
        return None, ""
    code = next((error[k] for k in ("code", "type") if isinstance(error.get(k), (str, int))), None)
    message = error.get("message")
    return code, message if isinstance(message, str) else ""


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """The request id that the vendor's support needs, under any of its names; None where there is none."""
    return next((headers[k] for k in ("request-id", "x-request-id", "twilio-request-id") if k in headers), None)


def _seconds_until(date: str, now: datetime.datetime) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(date)
    except (TypeError, ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return max(0.0, (moment - now).total_seconds())


def _types(kind: type | tuple[type, ...]) -> tuple[type, ...]:
    return kind if isinstance(kind, tuple) else (kind,)
