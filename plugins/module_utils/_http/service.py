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
import re
import typing as t
import urllib.parse
from collections.abc import Mapping

from .._base.errors import (
    ApiError,
    BudgetExceeded,
    OptionError,
    Refused,
    TlsFailure,
    UnexpectedAnswer,
    UnknownOutcome,
    Unreachable,
)
from .._base.secret import Secret
from . import libraries
from .auth import Auth, authorization
from .proxy import is_host, is_loopback
from .response import Response, parse_error, parse_json, request_id_of, requested_wait, retry_after
from .transport import Transport

if libraries.PROBLEM is None:
    import httpx

    from .certificates import explain, tls_error

    NEVER_SENT = (
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.LocalProtocolError,
        httpx.PoolTimeout,
        httpx.ProxyError,
        httpx.UnsupportedProtocol,
    )

READS = frozenset({"GET", "HEAD"})
REPEATABLE = READS | {"PUT", "PATCH", "DELETE"}
# Server errors that say it was not done: not implemented, and a version of HTTP that is not spoken.
DEFINITE = frozenset({501, 505})
# Bytes. A page of 200 sources has about one MiB; JSON of nothing but empty lists takes about 25 times its size in memory.
MAX_BODY = 8 * 1024 * 1024
# A proxy that answers so will answer so again, and some lock an account that asks often; 408 and 429 pass.
FINAL_OF_PROXIES = re.compile(r"4(?!08|29)[0-9]{2}\b|Invalid username/password")


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
        self.credentials = credentials
        self.url_option = url_option
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
            UnknownOutcome: A POST that may have taken effect.
            UnexpectedAnswer: Success without readable JSON.
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
        wire = httpx.Request(
            method,
            url,
            params={k: v for k, v in (query or {}).items() if v is not None},
            headers=self._headers(headers or {}, content_type if content is not None else None),
            content=content,
        )
        return self._send(wire, shown, expected)

    def _headers(self, own: Mapping[str, str], content_type: str | None) -> httpx.Headers:
        """What is sent: ``own`` headers replace ours. Names of headers count whatever their case."""
        headers = httpx.Headers({"accept": "application/json", "user-agent": "flexops.unified_profiles"})
        if content_type:
            headers["content-type"] = content_type
        if self.auth:
            headers["authorization"] = authorization(self.auth)
        headers.update(own)
        # What is not packed cannot be larger than it looks.
        headers["accept-encoding"] = "identity"
        return headers

    def _send(self, wire: httpx.Request, shown: str, expected: frozenset[int]) -> Response:
        transport, attempt = self.transport, 0
        repeatable = wire.method in REPEATABLE
        limit = transport.settings.timeout
        while True:
            if wire.method not in READS and transport.orphaned:
                raise Refused(f"{shown} was not sent to {self.name}, because the run has ended.", "Run again.")
            started = transport.clock.monotonic()
            failure: Exception
            wait: float | None = None
            try:
                status, headers, content = self._exchange(wire, limit)
            except httpx.TransportError as error:
                failure = self._transport_failure(error, shown, limit)
                never_sent = isinstance(failure, Unreachable)
                refused = isinstance(error, httpx.ProxyError) and FINAL_OF_PROXIES.match(str(error))
                if isinstance(failure, TlsFailure) or refused:
                    raise failure from None
                if not repeatable and not never_sent:
                    raise self._unknown(shown, str(failure)) from None
            else:
                if status in expected:
                    body = self._decode(wire, status, headers, content, shown)
                    return Response(shown, self.name, status, headers, body, self._request_id(headers), len(content))
                failure = self._api_error(wire, status, headers, content, shown)
                if status == 429:
                    wait = requested_wait(headers, content, transport.clock.now())
                elif status < 500 or status in DEFINITE:
                    raise failure
                elif not repeatable:
                    raise self._unknown(shown, f"HTTP {status}", **failure.facts)
                else:
                    # When a rate limit ends says nothing about an error.
                    wait = retry_after(headers, transport.clock.now())
            transport.budget.spend(transport.clock.monotonic() - started)
            backoff = min(0.25 * 2**attempt, 10.0) * random.uniform(0.8, 1.2)
            # A server that says "now" forever must not be asked in a tight loop.
            wait = backoff if wait is None else max(wait, backoff / 5)
            left = transport.budget.left
            if wait > left or left <= 0:
                raise self._over_budget(shown, failure, wait, left)
            transport.budget.spend(wait)
            transport.clock.sleep(wait)
            attempt += 1
            limit = min(transport.settings.timeout, max(1.0, transport.budget.left))

    def _exchange(self, wire: httpx.Request, limit: float) -> tuple[int, Mapping[str, str], bytes]:
        """One round trip, over within ``limit`` seconds."""
        self.transport.deadline.start(limit)
        wire.extensions = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), limit)}
        response = self.transport.client(self.base_url).send(wire, stream=True)
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
            problem = f"{self.name} answered {shown} at {self.base_url} with HTTP {status} and {what}."
            if wire.method not in REPEATABLE:
                raise self._unknown(shown, problem) from None
            raise UnexpectedAnswer(
                problem,
                f"Check {self.url_option} and any proxy in between.",
                service=self.name,
                status=status,
                request_id=self._request_id(headers),
                method=wire.method,
                path=shown.partition(" ")[2],
            ) from None

    def _transport_failure(self, error: httpx.TransportError, shown: str, limit: float) -> Exception:
        reason = self.transport.hidden.in_words(str(error).rstrip(".")) or type(error).__name__
        where = f"{self.name} at {self.base_url} ({shown})"
        # Only while connecting: a TLS error later on may come after the request was processed.
        if isinstance(error, httpx.ConnectError) and (tls := tls_error(error)):
            reason, next_step = explain(tls, self.transport.settings.ca_path, self.url_option)
            return TlsFailure(f"No trusted TLS connection to {where}: {reason}.", next_step, service=self.name)
        if isinstance(error, NEVER_SENT):
            proxy = self.transport.proxy(self.base_url)
            named = f" named by {proxy.source}" if proxy else ""
            next_step = f"Check {self.url_option}, the network and the proxy{named}."
            if isinstance(error, httpx.ProxyError):
                reason = f"the proxy{named} answered {reason}"
                if FINAL_OF_PROXIES.match(str(error)):
                    next_step = f"Check the proxy{named}, its user and password and what it lets through."
            return Unreachable(f"Cannot reach {where}: {reason}.", next_step, service=self.name)
        if isinstance(error, httpx.TimeoutException):
            return TimeoutError(f"no complete answer from {where} within {limit:.0f} s.")
        return ConnectionError(f"{where} broke the connection off: {reason}.")

    def _api_error(
        self,
        wire: httpx.Request,
        status: int,
        headers: Mapping[str, str],
        content: bytes,
        shown: str,
    ) -> ApiError:
        code, message = parse_error(content)
        if status in (401, 403):
            next_step = f"The credential in {self.credentials} is missing, wrong, revoked, or lacks the permission."
        elif status == 404:
            next_step = "Check the ids in the request."
        elif 300 <= status < 400:
            next_step = (
                f"Redirects are not followed, since they would carry the credential away: check {self.url_option}."
            )
        else:
            next_step = "If it stays, give the request id to the vendor's support."
        said = self.transport.hidden.in_words
        detail = said(": " + message.rstrip(".") if message else "")
        return ApiError(
            f"{self.name} answered {shown} with HTTP {status}{detail}.",
            next_step,
            service=self.name,
            status=status,
            code=said(str(code)) if code is not None else None,
            request_id=self._request_id(headers),
            method=wire.method,
            path=shown.partition(" ")[2],
        )

    def _unknown(self, shown: str, reason: str, **facts: t.Any) -> UnknownOutcome:
        method, path = shown.split(" ", 1)
        facts = {"service": self.name, "method": method, "path": path, **facts}
        return UnknownOutcome(
            f"Whether {shown} at {self.name} took effect is not known: {reason}.",
            "Run again: the object is looked up before anything is sent.",
            **facts,
        )

    def _over_budget(self, shown: str, failure: Exception, wait: float, left: float) -> Exception:
        seconds = self.transport.settings.retry_budget
        facts = getattr(failure, "facts", {"service": self.name})
        if isinstance(failure, Unreachable) or (seconds <= 0 and isinstance(failure, ApiError)):
            return failure
        return BudgetExceeded(
            f"Gave up on {self.name} ({shown}): {failure} The next attempt would be due in {wait:.0f} s, and {left:.0f} s "
            f"of the task's retry_budget of {seconds:g} s are left.",
            "Raise retry_budget, or run again later.",
            **{**facts, "waits_for": f"{wait:.0f} s"},
        )

    def _request_id(self, headers: Mapping[str, str]) -> str | None:
        return self.transport.hidden.in_request_id(request_id_of(headers) or "") or None


def check_url(option: str, url: str) -> str:
    """Return a service's URL with its host as DNS and certificates have it: international names encoded, no dot at the end.

    Raises:
        OptionError: Not an absolute https URL, and not http on loopback; or it carries credentials.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urllib.parse.urlsplit(""), None
    host = _in_dns(option, parts.hostname or "")
    unusable = bool(re.search(r"[\x00-\x20\x7f]", url)) or not parts.path.isascii() or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or unusable or not is_host(host):
        raise OptionError(option, "is not a plain absolute http(s) URL.", "Write it as https://host[:port][/path].")
    host = host.removesuffix(".")
    if parts.username is not None or parts.password is not None:
        raise OptionError(option, "carries credentials in the URL.", "Put them into the options made for them.")
    if parts.scheme == "http" and not is_loopback(host):
        raise OptionError(
            option,
            f"uses http to {host}, which would send credentials in the clear.",
            "Use https; plain http is for loopback addresses only.",
        )
    where = (f"[{host}]" if ":" in host else host) + ("" if port is None else f":{port}")
    return urllib.parse.urlunsplit(parts._replace(netloc=where)).rstrip("/")


def _in_dns(option: str, host: str) -> str:
    """The host's name in ASCII (IDNA)."""
    if host.isascii():
        return host
    try:
        return httpx.URL(scheme="https", host=host).raw_host.decode()
    except httpx.InvalidURL:
        raise OptionError(
            option,
            "has a host whose international name is not a valid one.",
            "Write the name as DNS has it, with xn--.",
        ) from None
