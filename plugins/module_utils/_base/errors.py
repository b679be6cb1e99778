# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The errors of the collection, worded so that an operator knows what to do next.

Every error that the collection raises on purpose is a :class:`Failure`. ``_module/run.py`` turns it into a failed result. Nothing
else does. A message says what failed, where and why; ``next_step`` says the way out.
"""

from __future__ import annotations

import typing as t


class Failure(Exception):
    """An error meant for the operator.

    Args:
        message: What failed, where and why. Never contains a secret.
        next_step: What to do about it.
        facts: More fields for the structured ``failure`` of the result (JSON types only).
    """

    kind: t.ClassVar[str] = "failure"

    def __init__(self, message: str, next_step: str = "", **facts: t.Any) -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step
        self.facts = facts

    def __copy__(self) -> Failure:
        """For another thread to raise."""
        twin = type(self).__new__(type(self), *self.args)
        twin.__dict__.update(self.__dict__)
        return twin

    @property
    def full_message(self) -> str:
        """Message and way out, for people."""
        return f"{self.message} {self.next_step}".strip()

    def as_result(self) -> dict[str, t.Any]:
        """The failed task result: ``msg`` for people, ``failure`` for programs."""
        failure = {"kind": self.kind, "next_step": self.next_step}
        failure.update({key: value for key, value in self.facts.items() if value is not None})
        return {"failed": True, "msg": self.full_message, "failure": failure}


class OptionError(Failure):
    """An option's value cannot be used. ``option`` names it; the value itself is never repeated when it is a secret."""

    kind = "option"

    def __init__(self, option: str, problem: str, next_step: str) -> None:
        super().__init__(f"{option}: {problem}", next_step, option=option)


class MissingLibrary(Failure):
    """A Python library is not installed where the module runs."""

    kind = "missing_library"


class Unreachable(Failure):
    """No connection, name resolution or proxy; the request was never processed."""

    kind = "unreachable"


class TlsFailure(Unreachable):
    """The server's certificate was not accepted, or there was no common protocol."""

    kind = "tls"


class BudgetExceeded(Failure):
    """The task's retry budget is spent, or the server asks for a longer wait than is left of it."""

    kind = "budget"


class NotReached(Failure):
    """The time for one environment was over before it was asked for everything."""

    kind = "not_reached"

    def __init__(self, message: str, next_step: str, **facts: t.Any) -> None:
        super().__init__(message, next_step, problem="not_reached", **facts)


class ApiError(Failure):
    """The service answered with an error status.

    Facts: ``service``, ``status``, ``code``, ``request_id``, ``method``, ``path`` (secrets replaced by fingerprints).
    """

    kind = "api"

    @property
    def status(self) -> int:
        return int(self.facts["status"])


class UnexpectedAnswer(Failure):
    """The answer is not what the API documents: not JSON, cut short, or of another shape."""

    kind = "unexpected_answer"


class TooLong(Failure):
    """There is more than is read of it, so what was read does not tell."""

    kind = "too_long"


class UnknownOutcome(Failure):
    """A write was sent and no answer tells whether it took effect. It must be looked up, never blindly sent again."""

    kind = "unknown_outcome"


class Ambiguous(Failure):
    """Several objects fit where exactly one may. Facts: ``candidates``."""

    kind = "ambiguous"


class Refused(Failure):
    """The collection declines to do this, for the user's sake."""

    kind = "refused"


class NotFound(Failure):
    """Something that should exist does not."""

    kind = "not_found"


class LedgerError(Failure):
    """The ledger cannot be read or written, or was written by a newer release."""

    kind = "ledger"


class SnapshotError(Failure):
    """A snapshot cannot be read or written, or was written by a newer release."""

    kind = "snapshot"
