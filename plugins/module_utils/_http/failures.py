# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The failures of a service, as errors for the operator. service.py decides when a request is sent again."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass

from .._base.errors import (
    ApiError,
    BudgetExceeded,
    NotReached,
    TlsFailure,
    UnexpectedAnswer,
    UnknownOutcome,
    Unreachable,
)
from . import libraries
from .response import parse_error, request_id_of
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

# Characters of a path that is too long to be sent.
MAX_SHOWN = 200
# A proxy that answers so will answer so again, and some lock an account that asks often; 408 and 429 pass.
FINAL_OF_PROXIES = re.compile(r"4(?!08|29)[0-9]{2}\b|Invalid username/password")


@dataclass(frozen=True)
class Failures:
    """The errors of one service; see :class:`.service.Service` for what it is made of."""

    transport: Transport
    name: str
    base_url: str
    credentials: str
    url_option: str

    def connection(self, error: httpx.TransportError, shown: str, limit: float) -> Exception:
        """No answer, or not all of it."""
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

    def status(
        self,
        status: int,
        headers: Mapping[str, str],
        content: bytes,
        shown: str,
    ) -> ApiError:
        """An answer that is no success."""
        method, path = shown.split(" ", 1)
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
            request_id=self.request_id(headers),
            method=method,
            path=path,
        )

    def not_json(self, status: int, headers: Mapping[str, str], shown: str, what: str) -> UnexpectedAnswer:
        """Success with a body that cannot be read."""
        method, path = shown.split(" ", 1)
        return UnexpectedAnswer(
            f"{self.name} answered {shown} at {self.base_url} with HTTP {status} and {what}.",
            f"Check {self.url_option} and any proxy in between.",
            service=self.name,
            status=status,
            request_id=self.request_id(headers),
            method=method,
            path=path,
        )

    def no_url(self, shown: str) -> UnexpectedAnswer:
        """An id or a cursor is too long for a URL. Nothing was sent."""
        method, path = shown[:MAX_SHOWN].split(" ", 1)
        return UnexpectedAnswer(
            f"{method} {path} was not sent to {self.name}, because its id or cursor is too long for a URL.",
            "Where an option gives the id, correct it; where the server sent it, please report it.",
            service=self.name,
            method=method,
            path=path,
        )

    def unknown(self, shown: str, reason: str, **facts: t.Any) -> UnknownOutcome:
        """A write that may have taken effect."""
        method, path = shown.split(" ", 1)
        facts = {"service": self.name, "method": method, "path": path, **facts}
        return UnknownOutcome(
            f"Whether {shown} at {self.name} took effect is not known: {reason}.",
            "Run again: the object is looked up before anything is sent.",
            **facts,
        )

    def over_budget(self, shown: str, failure: Exception, wait: float, left: float) -> Exception:
        """A wait that the budget has no time for."""
        seconds = self.transport.settings.retry_budget
        facts = getattr(failure, "facts", {"service": self.name})
        if isinstance(failure, Unreachable) or (seconds <= 0 and isinstance(failure, ApiError)):
            return failure
        return BudgetExceeded(
            f"Gave up on {self.name} ({shown}): {failure} The next attempt would be due in {wait:.0f} s. Of the task's retry_budget "
            f"of {seconds:g} s, {left:.0f} s are left.",
            "Raise retry_budget, or run again later.",
            **{**facts, "waits_for": f"{wait:.0f} s"},
        )

    def not_reached(self, shown: str, failure: Exception | None) -> NotReached:
        """The time for all requests is over. What the last attempt met is reported, if there was one."""
        method, path = shown.split(" ", 1)
        found = NotReached(
            f"The time for this environment was used up at {self.name} ({shown}){f': {failure}' if failure else '.'}",
            "Run again with fewer environments, or with a longer unified_profiles_survey_timeout; or find out what slows this one down.",
            service=self.name,
            method=method,
            path=path,
        )
        self.transport.not_reached.append(found)
        return found

    def request_id(self, headers: Mapping[str, str]) -> str | None:
        return self.transport.hidden.in_request_id(request_id_of(headers) or "") or None
