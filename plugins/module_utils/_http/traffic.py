# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Who may send when: a few requests at once on one token. A host that limits by address gets none until it takes some again."""

from __future__ import annotations

import collections
import contextlib
import sys
import threading
import typing as t
from collections.abc import Iterator

from .._base.secret import fingerprint
from .clock import Clock

if t.TYPE_CHECKING:
    import httpx

# Requests under way on one token, at one host.
AT_ONCE = 4
# Segment's published limits are for a minute, and this is the lowest: whoever sent fewer has not reached a limit of its own.
WINDOW, LOWEST_LIMIT = 60.0, 25
# Seconds. A limit for a minute takes no longer to pass, as dates are rounded and clocks differ.
LONGEST_PAUSE = 2 * WINDOW


class TimeIsUp(Exception):
    """It is not a request's turn before its time is over."""


class Token:
    """The requests on one token to one host, or to one host without any token."""

    def __init__(self, at_once: int) -> None:
        self.at_once = threading.Semaphore(at_once)
        # When the latest requests were sent.
        self.sent: collections.deque[float] = collections.deque(maxlen=LOWEST_LIMIT)
        # Whether a limit by address was the last that it heard.
        self.limited = False


class Traffic:
    """Requests of all environments, as the hosts and their limits see them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: dict[tuple[t.Any, str], Token] = {}
        self._pauses: dict[t.Any, float] = {}
        # When any host is left alone: from and until, the latest last, none at the same time as another. Replaced, since threads read it.
        self._still: tuple[tuple[float, float], ...] = ()

    def time(self) -> float:
        """The clock's monotonic time, which stands still while a host is left alone: nobody is charged for what others used up."""
        return self._clock.monotonic() - self.paused()

    def paused(self) -> float:
        """For how many seconds any host was left alone so far."""
        now = self._clock.monotonic()
        return sum(min(now, end) - begin for begin, end in self._still)

    @contextlib.contextmanager
    def turn(self, request: httpx.Request, until: float) -> Iterator[None]:
        """Wait until the request may be sent, and hold its place until it was answered.

        Args:
            request: What is to be sent.
            until: By :meth:`time`.

        Raises:
            TimeIsUp: That is not before ``until``.
        """
        token, now = self._token(request), self._clock.monotonic
        while not token.at_once.acquire(timeout=None if until == float("inf") else max(0.0, until - self.time())):
            if not self._still or self.time() >= until:
                raise TimeIsUp
        try:
            # With its place held: all others that wait for it would have to wait for the host as well.
            while (pause := self._paused_until(request)) > now():
                self._clock.sleep(pause - now())
            if self.time() >= until:
                raise TimeIsUp
            token.sent.append(now())
            yield
        finally:
            token.at_once.release()

    def served(self, request: httpx.Request) -> None:
        """Take note of an answer that is no 429."""
        self._token(request).limited = False

    def limited(self, request: httpx.Request, wait: float) -> bool:
        """Take note of a 429. Return whether the limit is one by address, and the host is left alone as long as it asks.

        It is, if the token sent too little for a limit of its own. A token that gets another 429 right after its wait
        shares its limit with somebody else. It must not hold up the others forever.
        """
        token, now = self._token(request), self._clock.monotonic()
        with self._lock:
            paused = self._paused_until(request) > now
            busy = len(token.sent) == LOWEST_LIMIT and token.sent[0] > now - WINDOW
            if busy or wait > LONGEST_PAUSE or (token.limited and not paused):
                return False
            token.limited = True
            self._pauses[_host(request)] = max(self._paused_until(request), now + wait)
            self._stand_still(now, now + wait)
            return True

    def _stand_still(self, begin: float, end: float) -> None:
        earlier = self._still
        if earlier and begin <= earlier[-1][1]:
            begin, end = earlier[-1][0], max(end, earlier[-1][1])
            earlier = earlier[:-1]
        self._still = (*earlier, (begin, end))

    def _paused_until(self, request: httpx.Request) -> float:
        return self._pauses.get(_host(request), 0.0)

    def _token(self, request: httpx.Request) -> Token:
        authorization = request.headers.get("authorization", "")
        with self._lock:
            key = (_host(request), fingerprint(authorization))
            if key not in self._tokens:
                self._tokens[key] = Token(AT_ONCE if authorization else sys.maxsize)
            return self._tokens[key]


def _host(request: httpx.Request) -> tuple[str, str, int | None]:
    return request.url.scheme, request.url.host, request.url.port
