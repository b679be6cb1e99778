# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Requests: authorization, retries, read-only mode, and every failure as one clear error. Knows nothing of Ansible, Segment or Twilio.

Retry rules. 429 was never processed and is always sent again. A request that never left (no connection) is sent again.
GET, PUT, PATCH to a fixed state and DELETE are sent again after timeouts, dropped connections and 5xx. A POST is not:
its outcome is unknown, and the caller has to look the object up.
"""

from __future__ import annotations

import json
import random
import typing as t
import urllib.parse
from collections.abc import Callable, Mapping

from .._base.errors import OptionError, Refused, TlsFailure, Unreachable
from .._base.secret import Secret
from . import libraries
from .auth import Auth, authorization
from .failures import FINAL_OF_PROXIES, Failures
from .response import Exchange, Response, parse_json, requested_wait, retry_after
from .traffic import TimeIsUp
from .transport import Transport
from .urls import check_url

if libraries.PROBLEM is None:
    import httpx

Answer: t.TypeAlias = "tuple[int, Mapping[str, str], bytes]"

READS = frozenset({"GET", "HEAD"})
REPEATABLE = READS | {"PUT", "PATCH", "DELETE"}
# Server errors that say it was not done: not implemented, and a version of HTTP that is not spoken.
DEFINITE = frozenset({501, 505})
# Bytes. A page of 200 sources has about one MiB; JSON of nothing but empty lists takes about 25 times its size in memory.
MAX_BODY = 8 * 1024 * 1024


class Service:
    """One API on one server.

    Args:
        transport: The task's connections.
        name: What an operator calls it; used in messages.
        base_url: Where it is.
        auth: Who asks; None if nobody has to say so.
        credentials: The options that hold its credentials, named in messages about 401 and 403.
        url_option: The option that overrides the base URL.
    """

    def __init__(
        self,
        transport: Transport,
        name: str,
        base_url: str,
        *,
        auth: Auth | None,
        credentials: str,
        url_option: str,
    ) -> None:
        self.transport = transport
        self.name = name
        self.base_url = check_url(url_option, base_url)
        self.auth = auth
        self.failures = Failures(transport, name, self.base_url, credentials, url_option)
        # Called with the headers of each answer, as soon as it is there.
        self.on_answer: Callable[[Mapping[str, str]], None] = lambda headers: None
        if auth:
            transport.hidden.add(auth.secret, auth.credential)

    def get(self, path: str, query: Mapping[str, t.Any] | None = None, **kwargs: t.Any) -> Response:
        return self.request("GET", path, query=query, **kwargs)

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, t.Any] | None = None,
        body: t.Any = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        expected: frozenset[int] = frozenset({200, 201}),
        path_params: Mapping[str, str | Secret] | None = None,
    ) -> Response:
        """Send one request, again where the rules allow it, and give the answer.

        Args:
            method: The HTTP method.
            path: A path template.
            path_params: Its fields, to be percent-encoded; messages show a Secret's fingerprint.
            query: Query parameters, in order; None values are left out.
            body: A JSON body.
            form: A form to send instead, which is what Twilio takes.
            headers: More headers. Each replaces the one of its name that would be sent, except Accept-Encoding.
            expected: The statuses that mean success.

        Raises:
            ApiError: Another status, after the retries that the rules allow.
            BudgetExceeded: The wait that the server asks for does not fit into what is left of the budget.
            NotReached: The transport's time was over first.
            UnknownOutcome: A POST that may have taken effect.
            UnexpectedAnswer: Success without readable JSON; or an id or cursor that no URL can carry.
            Unreachable, TlsFailure: No connection.
        """
        if self.transport.read_only and method not in READS:
            raise AssertionError(f"{method} {path} in read-only mode")
        params = path_params or {}
        self.transport.hidden.add(*(value for value in params.values() if isinstance(value, Secret)))
        sent = {name: value.reveal() if isinstance(value, Secret) else value for name, value in params.items()}
        for name, value in sent.items():
            # httpx would resolve these like a browser, and send the request to another path.
            if value in ("", ".", ".."):
                raise OptionError(name, f"cannot be '{value}'.", "Give the real id.")
        url = self.base_url + path.format(**{name: urllib.parse.quote(value, safe="") for name, value in sent.items()})
        shown_path = path.format(**params)
        shown = f"{method} {shown_path or urllib.parse.urlsplit(self.base_url).path or '/'}"
        content, content_type = None if body is None else json.dumps(body).encode(), "application/json"
        if form is not None:
            content, content_type = urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"
        # None, so that httpx does not read the URL again where there is no query.
        wanted = {k: v for k, v in (query or {}).items() if v is not None} or None
        sent_headers = self._headers(headers or {}, content_type if content is not None else None)
        try:
            wire = httpx.Request(method, url, params=wanted, headers=sent_headers, content=content)
        except httpx.InvalidURL:
            raise self.failures.no_url(shown) from None
        if self.transport.memory is None or method != "GET":
            return self._send(wire, path, shown, expected)
        asked = (str(wire.url), tuple(wire.headers.raw), expected)
        return self.transport.memory.once(asked, lambda: self._send(wire, path, shown, expected))

    def _headers(self, own: Mapping[str, str], content_type: str | None) -> httpx.Headers:
        """The headers to send.

        ``own`` headers replace ours, whatever the case of their names, except ``accept-encoding``.
        """
        headers = httpx.Headers({"accept": "application/json", "user-agent": "flexops.unified_profiles"})
        if content_type:
            headers["content-type"] = content_type
        if self.auth:
            headers["authorization"] = authorization(self.auth)
        headers.update(own)
        # What is not packed cannot be larger than it looks.
        headers["accept-encoding"] = "identity"
        return headers

    def _send(self, wire: httpx.Request, path: str, shown: str, expected: frozenset[int]) -> Response:
        transport, failures, attempt = self.transport, self.failures, 0
        clock, budget, traffic = transport.clock, transport.budget, transport.connections.traffic
        repeatable = wire.method in REPEATABLE
        limit = transport.settings.timeout
        failure: Exception | None = None
        while True:
            if wire.method not in READS and transport.orphaned:
                raise Refused(f"{shown} was not sent to {self.name}, because the run has ended.", "Run again.")
            try:
                answer, took, allowed = self._attempt(wire, limit)
            except TimeIsUp:
                raise failures.not_reached(shown, failure) from None
            status, wait = 0, None
            if isinstance(answer, httpx.TransportError):
                failure = failures.connection(answer, shown, allowed)
                never_sent = isinstance(failure, Unreachable)
                refused = isinstance(answer, httpx.ProxyError) and FINAL_OF_PROXIES.match(str(answer))
                if isinstance(failure, TlsFailure) or refused:
                    raise failure
                transport.tally.wrote |= wire.method not in READS and not never_sent
                if not repeatable and not never_sent:
                    raise failures.unknown(shown, str(failure))
            else:
                status, headers, content = answer
                if transport.watch:
                    transport.watch(Exchange(self.name, path, status, headers, content))
                if status != 429:
                    traffic.served(wire)
                unknown = status >= 500 and status not in DEFINITE
                transport.tally.wrote |= wire.method not in READS and (status in expected or unknown)
                if status in expected:
                    body = self._decode(wire, status, headers, content, shown)
                    return Response(shown, self.name, status, headers, body, failures.request_id(headers), len(content))
                failure = failures.status(status, headers, content, shown)
                if status == 429:
                    wait = requested_wait(headers, content, clock.now())
                elif not unknown:
                    raise failure
                elif not repeatable:
                    raise failures.unknown(shown, f"HTTP {status}", **failure.facts)
                else:
                    # When a rate limit ends says nothing about an error.
                    wait = retry_after(headers, clock.now())
            backoff = min(0.25 * 2**attempt, 10.0) * random.uniform(0.8, 1.2)
            # A server that says "now" forever must not be asked in a tight loop.
            wait = backoff if wait is None else max(wait, backoff / 5)
            attempt += 1
            # What others used up costs no budget, where something else makes an end of it. Its turn comes after the pause.
            if status == 429 and transport.until < float("inf") and traffic.limited(wire, wait):
                continue
            budget.spend(took)
            left = budget.left
            if wait > left or left <= 0:
                raise failures.over_budget(shown, failure, wait, left)
            if traffic.time() + wait >= transport.until:
                raise failures.not_reached(shown, failure)
            budget.spend(wait)
            clock.sleep(wait)
            limit = min(transport.settings.timeout, max(1.0, budget.left))

    def _attempt(self, wire: httpx.Request, limit: float) -> tuple[Answer | httpx.TransportError, float, float]:
        """Send once, when it is this request's turn.

        Returns:
            What came of it, how long that took, and how long it was allowed to take.

        Raises:
            TimeIsUp: It was not sent.
        """
        transport, traffic = self.transport, self.transport.connections.traffic
        with traffic.turn(wire, transport.until):
            started = transport.clock.monotonic()
            limit = min(limit, transport.until - traffic.time())
            answer: Answer | httpx.TransportError
            try:
                answer = self.exchange(wire, limit)
            except httpx.TransportError as error:
                answer = error
            transport.tally.count(isinstance(answer, tuple) and answer[0] == 429)
            return answer, transport.clock.monotonic() - started, limit

    def exchange(self, wire: httpx.Request, limit: float) -> Answer:
        """One round trip, over within ``limit`` seconds."""
        self.transport.connections.deadline.start(limit)
        wire.extensions = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), limit)}
        with self.transport.connection(self.base_url) as connection:
            response = connection.handle_request(wire)
            self.on_answer(response.headers)
            try:
                chunks, size = [], 0
                # Never unpacked: what is packed was not asked for.
                for chunk in t.cast("t.Iterable[bytes]", response.stream):
                    chunks.append(chunk)
                    size += len(chunk)
                    if size > MAX_BODY:
                        raise httpx.RemoteProtocolError(f"the body is larger than {MAX_BODY >> 20} MiB")
                return response.status_code, response.headers, b"".join(chunks)
            finally:
                response.close()

    def _decode(
        self, wire: httpx.Request, status: int, headers: Mapping[str, str], content: bytes, shown: str
    ) -> t.Any:
        if not content.strip():
            return None
        coded = headers.get("content-encoding", "").strip().lower() not in ("", "identity")
        try:
            if coded:
                raise ValueError
            return parse_json(content)
        except (ValueError, RecursionError):
            what = "HTML" if content.lstrip()[:1] == b"<" else "something that is not JSON"
            what = "a content coding that was not asked for" if coded else what
            failure = self.failures.not_json(status, headers, shown, what)
            if wire.method not in REPEATABLE:
                raise self.failures.unknown(shown, failure.message) from None
            raise failure from None
