# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP: authorization, time budget, retries, read-only mode. Knows nothing of Ansible, Segment or Twilio.

Retry rules. 429 was never processed and is always sent again. A request that never left (no connection) is sent again.
GET, PUT, PATCH to a fixed state and DELETE are sent again after time-outs, dropped connections and 5xx. A POST is not:
its outcome is unknown, and the caller has to look the object up.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import email.utils
import functools
import ipaddress
import json
import logging
import os
import random
import re
import ssl
import threading
import time
import typing as t
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .errors import (
    ApiError,
    BudgetExceeded,
    MissingLibrary,
    OptionError,
    TlsFailure,
    UnexpectedAnswer,
    UnknownOutcome,
    Unreachable,
)
from .secret import Secret, fingerprint

try:
    import certifi
    import httpx
except ImportError as error:
    HTTPX_ERROR: ImportError | None = error
else:
    HTTPX_ERROR = None
    # At INFO they log full URLs, and a write key can be part of one.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("httpcore").setLevel(logging.WARNING)
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
RETRIED_STATUSES = frozenset({500, 502, 503, 504})
MAX_BODY = 32 * 1024 * 1024
MAX_PAGES = 1000


@dataclass(frozen=True)
class HttpSettings:
    """How to reach servers. Times in seconds."""

    validate_certs: bool = True
    ca_path: str | None = None
    proxy: str | None = None
    timeout: float = 30.0
    retry_budget: float = 60.0


class Clock:
    """Time, so that tests can bring their own."""

    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.timezone.utc)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class Budget:
    """The time that one task may lose to waits and failed attempts. Shared by its threads."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._spent = 0.0
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        return max(0.0, self.seconds - self._spent)

    def spend(self, seconds: float) -> None:
        with self._lock:
            self._spent += seconds


@dataclass(frozen=True)
class Answer:
    """A successful answer: its status, headers and decoded JSON body (None when there was no body)."""

    request: str
    service: str
    status: int
    headers: Mapping[str, str]
    body: t.Any

    def get(self, path: str, kind: type | tuple[type, ...], default: t.Any = ...) -> t.Any:
        """The value at a dotted path of the body.

        Raises:
            UnexpectedAnswer: It is absent and there is no default, or it is of another type.
        """
        return pick(self.body, path, kind, default, self)


def pick(body: t.Any, path: str, kind: type | tuple[type, ...], default: t.Any, answer: Answer) -> t.Any:
    """The value at a dotted path below ``body``, a part of ``answer``; see :meth:`Answer.get`."""
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
            request_id=answer.headers.get("request-id") or answer.headers.get("x-request-id"),
        )
    return value


class Transport:
    """The connections of one task: at most one pool of connections per server, one budget for all.

    Args:
        settings: How to reach servers.
        read_only: Refuse whatever is not a read. Check mode sets it, so that no code above can write by mistake.
        clock: Time source.
    """

    def __init__(self, settings: HttpSettings, read_only: bool = False, clock: Clock | None = None) -> None:
        if HTTPX_ERROR is not None:
            raise MissingLibrary(
                f"The Python library {HTTPX_ERROR.name or 'httpx'} is not installed for {_interpreter()}.",
                f"Install it there: {_interpreter()} -m pip install 'httpx>=0.27,<1'",
                library=HTTPX_ERROR.name or "httpx",
                interpreter=_interpreter(),
            )
        self.settings = settings
        self.read_only = read_only
        self.clock = clock or Clock()
        self.budget = Budget(settings.retry_budget)
        self._clients: dict[tuple[str, str], httpx.Client] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    def client(self, base_url: str) -> httpx.Client:
        """The client for the server of this URL; created on first use."""
        parts = urllib.parse.urlsplit(base_url)
        with self._lock:
            key = (parts.scheme, parts.netloc)
            if key not in self._clients:
                verify = _tls_context(self.settings)
                proxy = self.settings.proxy or _proxy_from_environment(parts.scheme, parts.hostname or "")
                try:
                    self._clients[key] = httpx.Client(verify=verify, proxy=proxy, trust_env=False)
                except (ValueError, httpx.InvalidURL, ImportError):
                    raise OptionError(
                        "proxy", "is not the URL of a proxy.", "Write it as http://[user:password@]host:port."
                    ) from None
            return self._clients[key]


class Service:
    """One API on one server.

    Args:
        transport: The task's connections.
        name: What an operator calls it; used in messages.
        base_url: Without a trailing slash.
        authorization: The Authorization header's value, or None.
        credentials: The options that hold its credentials, named in messages about 401 and 403.
        url_option: The option that overrides the base URL.
        secrets: More values that must never show in an error message, wherever a server might echo them.
    """

    def __init__(
        self,
        transport: Transport,
        name: str,
        base_url: str,
        authorization: str | None,
        credentials: str,
        url_option: str,
        secrets: tuple[str, ...] = (),
    ) -> None:
        check_url(url_option, base_url)
        self.transport = transport
        self.name = name
        self.base_url = base_url.rstrip("/")
        self.authorization = authorization
        self.credentials = credentials
        self.url_option = url_option
        self.secrets = secrets

    def get(self, path: str, query: Mapping[str, t.Any] | None = None, **kwargs: t.Any) -> Answer:
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
        **values: str,
    ) -> Answer:
        """Send one request, again where the rules allow it, and give the answer.

        Args:
            method: The HTTP method.
            path: A path template. Its fields are filled from ``values``, percent-encoded; a Secret shows as its
                fingerprint in messages.
            query: Query parameters, in order; None values are left out.
            body: A JSON body.
            form: A form to send instead, which is what Twilio takes.
            headers: More headers.
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
        for name, value in values.items():
            # httpx would resolve these like a browser, and send the request to another path.
            if _plain(value) in ("", ".", ".."):
                raise OptionError(name, f"cannot be '{value}'.", "Give the real id.")
        url = self.base_url + path.format(**{k: urllib.parse.quote(_plain(v), safe="") for k, v in values.items()})
        shown_path = path.format(**{k: str(v) for k, v in values.items()})
        shown = f"{method} {shown_path or urllib.parse.urlsplit(self.base_url).path or '/'}"
        sent_headers = {"accept": "application/json", "user-agent": "flexops.unified_profiles", **(headers or {})}
        if self.authorization:
            sent_headers["authorization"] = self.authorization
        content = None if body is None else json.dumps(body).encode()
        if content is not None:
            sent_headers["content-type"] = "application/json"
        if form is not None:
            content = urllib.parse.urlencode(form).encode()
            sent_headers["content-type"] = "application/x-www-form-urlencoded"
        wire = httpx.Request(
            method,
            url,
            params={k: v for k, v in (query or {}).items() if v is not None},
            headers=sent_headers,
            content=content,
        )
        echoes = tuple(value for value in values.values() if isinstance(value, Secret))
        return self._send(wire, shown, expected, echoes)

    def _send(self, wire: httpx.Request, shown: str, expected: frozenset[int], echoes: tuple[str, ...]) -> Answer:
        transport, attempt = self.transport, 0
        repeatable = wire.method in REPEATABLE
        limit = transport.settings.timeout
        while True:
            started = transport.clock.monotonic()
            failure: Exception
            wait: float | None = None
            try:
                status, headers, content = self._exchange(wire, limit)
            except httpx.TransportError as error:
                failure = self._transport_failure(error, shown, limit)
                never_sent = isinstance(failure, Unreachable)
                if isinstance(failure, TlsFailure):
                    raise failure from None
                if not repeatable and not never_sent:
                    raise self._unknown(shown, str(failure)) from None
            else:
                if status in expected:
                    return Answer(
                        shown, self.name, status, headers, self._decode(wire, status, headers, content, shown)
                    )
                failure = self._api_error(wire, status, headers, content, shown, echoes)
                if status == 429:
                    wait = requested_wait(headers, content, transport.clock.now())
                elif status not in RETRIED_STATUSES:
                    raise failure
                elif not repeatable:
                    raise self._unknown(shown, f"HTTP {status}", **failure.facts)
                else:
                    wait = requested_wait(headers, b"", transport.clock.now())
            transport.budget.spend(transport.clock.monotonic() - started)
            backoff = min(0.25 * 2**attempt, 10.0) * random.uniform(0.8, 1.2)
            # A server that says "now" for ever must not be asked in a tight loop.
            wait = backoff if wait is None else max(wait, backoff / 5)
            left = transport.budget.left
            if wait > left or left <= 0:
                raise self._over_budget(shown, failure, wait, left)
            transport.budget.spend(wait)
            transport.clock.sleep(wait)
            attempt += 1
            limit = min(transport.settings.timeout, max(1.0, transport.budget.left))

    def _exchange(self, wire: httpx.Request, limit: float) -> tuple[int, Mapping[str, str], bytes]:
        """One round trip against a deadline; httpx itself only knows time-outs between two bytes."""
        clock = self.transport.clock
        deadline = clock.monotonic() + limit
        wire.extensions = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), limit)}
        response = self.transport.client(self.base_url).send(wire, stream=True)
        try:
            chunks, size = [], 0
            for chunk in response.iter_bytes():
                chunks.append(chunk)
                size += len(chunk)
                if clock.monotonic() > deadline:
                    raise httpx.ReadTimeout(f"the body was still arriving after {limit:g} s")
                if size > MAX_BODY:
                    raise httpx.RemoteProtocolError(f"the body is larger than {MAX_BODY >> 20} MiB")
            return response.status_code, response.headers, b"".join(chunks)
        except httpx.DecodingError as error:
            raise httpx.RemoteProtocolError(f"the body cannot be decompressed ({type(error).__name__})") from None
        finally:
            response.close()

    def _decode(
        self, wire: httpx.Request, status: int, headers: Mapping[str, str], content: bytes, shown: str
    ) -> t.Any:
        if not content.strip():
            return None
        try:
            return json.loads(content)
        except (ValueError, RecursionError):
            what = "HTML" if content.lstrip()[:1] == b"<" else "something that is not JSON"
            problem = f"{self.name} answered {shown} at {self.base_url} with HTTP {status} and {what}."
            if wire.method not in REPEATABLE:
                raise self._unknown(shown, problem) from None
            raise UnexpectedAnswer(
                problem,
                f"Check {self.url_option} and any proxy in between.",
                service=self.name,
                status=status,
                request_id=_request_id(headers),
                method=wire.method,
                path=shown.partition(" ")[2],
            ) from None

    def _transport_failure(self, error: httpx.TransportError, shown: str, limit: float) -> Exception:
        reason = str(error) or type(error).__name__
        where = f"{self.name} at {self.base_url} ({shown})"
        # Only while connecting: a TLS error later on may come after the request was processed.
        if isinstance(error, httpx.ConnectError) and _is_tls(error):
            return TlsFailure(
                f"No trusted TLS connection to {where}: {self._scrub(reason)}.",
                "If the server uses a private CA, set ca_path to its certificate.",
                service=self.name,
            )
        if isinstance(error, NEVER_SENT):
            return Unreachable(
                f"Cannot reach {where}: {self._scrub(reason)}.",
                f"Check {self.url_option}, the network and the proxy.",
                service=self.name,
            )
        if isinstance(error, httpx.TimeoutException):
            return TimeoutError(f"no complete answer from {where} within {limit:.0f} s.")
        return ConnectionError(f"{where} broke the connection off: {self._scrub(reason)}.")

    def _api_error(
        self,
        wire: httpx.Request,
        status: int,
        headers: Mapping[str, str],
        content: bytes,
        shown: str,
        echoes: tuple[str, ...],
    ) -> ApiError:
        code, message = error_of(content)
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
        detail = self._scrub(": " + message.rstrip(".") if message else "", echoes)
        return ApiError(
            f"{self.name} answered {shown} with HTTP {status}{detail}.",
            next_step,
            service=self.name,
            status=status,
            code=self._scrub(str(code), echoes) if code is not None else None,
            request_id=self._scrub(_request_id(headers) or "") or None,
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

    def _scrub(self, text: str, echoes: tuple[str, ...] = ()) -> str:
        """The text without this service's credentials and the request's secrets, should a server or proxy echo them."""
        authorization = (self.authorization or "").rpartition(" ")[2]
        for secret in (*self.secrets, authorization, *echoes):
            if secret:
                text = text.replace(_plain(secret), f"<secret {fingerprint(secret)}>")
        return text[:500]


def pages(
    fetch: t.Callable[[str | None], Answer], items: str, cursor: str = "data.pagination.next"
) -> Iterator[tuple[t.Any, Answer]]:
    """All items of a paginated listing, with the answer each came in.

    Raises:
        UnexpectedAnswer: A page without its list, or cursors that go in circles.
    """
    token: str | None = None
    seen: set[str] = set()
    for _page in range(MAX_PAGES):
        answer = fetch(token)
        for item in answer.get(items, list):
            yield item, answer
        token = answer.get(cursor, str, None)
        if not token:
            return
        if token in seen:
            break
        seen.add(token)
    raise UnexpectedAnswer(
        f"{answer.service} answered {answer.request} with pages that never end.",
        "Please report it.",
        service=answer.service,
    )


def bearer(token: str) -> str:
    return f"Bearer {_plain(token)}"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{_plain(user)}:{_plain(password)}".encode()).decode()


def check_url(option: str, url: str) -> None:
    """Refuse a URL that would send credentials in the clear or cannot be used.

    Raises:
        OptionError: Not an absolute https URL, and not http on loopback; or it carries credentials.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        parts, host = urllib.parse.urlsplit(""), None
    unusable = re.search(r"[^\x21-\x7e]", url) or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not host or unusable or not re.fullmatch(r"[A-Za-z0-9._:-]+", host):
        raise OptionError(option, "is not a plain absolute http(s) URL.", "Write it as https://host[:port][/path].")
    if parts.username is not None or parts.password is not None:
        raise OptionError(option, "carries credentials in the URL.", "Put them into the options made for them.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise OptionError(
            option,
            f"uses http to {host}, which would send credentials in the clear.",
            "Use https; plain http is for loopback addresses only.",
        )


def requested_wait(headers: Mapping[str, str], content: bytes, now: datetime.datetime) -> float | None:
    """How many seconds the server asks to wait: Retry-After (seconds or date), msBeforeNext, the reset date; or None."""
    after = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", after):
        return float(after)
    if after and (seconds := _seconds_until(after, now)) is not None:
        return seconds
    try:
        milliseconds = json.loads(content)["errors"][0]["data"]["msBeforeNext"]
        if isinstance(milliseconds, (int, float)) and 0 <= milliseconds < 1e12:
            return milliseconds / 1000
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    return _seconds_until(headers.get("x-ratelimit-reset", ""), now)


def error_of(content: bytes) -> tuple[t.Any, str]:
    """Code and message of an error body in any of the shapes that Segment and Twilio use."""
    try:
        body = json.loads(content)
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


def _plain(value: str) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _request_id(headers: Mapping[str, str]) -> str | None:
    return next((headers[k] for k in ("request-id", "x-request-id", "twilio-request-id") if k in headers), None)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _interpreter() -> str:
    import sys

    return sys.executable


def _proxy_from_environment(scheme: str, host: str) -> str | None:
    """The proxy that the environment names for this host. httpx's own look-up crashes forked workers on macOS."""
    proxies = urllib.request.getproxies_environment()
    if _is_loopback(host) or urllib.request.proxy_bypass_environment(host, proxies):  # type: ignore[attr-defined]
        return None
    return proxies.get(scheme) or proxies.get("all") or None


@functools.lru_cache(maxsize=8)
def _context_for(ca_path: str | None) -> ssl.SSLContext:
    if ca_path is None:
        # The system's store for companies' own roots, certifi's for Pythons built without one.
        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
        return context
    if os.path.isdir(ca_path):
        return ssl.create_default_context(capath=ca_path)
    return ssl.create_default_context(cafile=ca_path)


def _tls_context(settings: HttpSettings) -> ssl.SSLContext:
    if not settings.validate_certs:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        return _context_for(settings.ca_path)
    except (OSError, ssl.SSLError) as error:
        raise OptionError(
            "ca_path",
            f"no certificates could be read from {settings.ca_path} ({error}).",
            "Name a PEM file or a folder.",
        ) from None


def warm_up() -> None:
    """Import all of httpx, which loads its half only with the first client, and build the TLS context of this environment.

    Processes that are forked from this one inherit both.
    """
    if HTTPX_ERROR is None:
        with (
            contextlib.suppress(OSError, ssl.SSLError),
            httpx.Client(verify=_context_for(os.environ.get("SSL_CERT_FILE"))),
        ):
            pass
