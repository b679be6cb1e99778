# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""One run at a time acts on an environment: who is at work is written beside its ledger.

Every task is a process of its own, so no task can hold a lock of the kernel's for a run. The lock names the process of the run
instead, and is free once that process has ended, however it ended.
"""

from __future__ import annotations

import datetime
import getpass
import typing as t
from dataclasses import asdict, dataclass

from .._base.errors import Failure, LedgerError, Refused, UnknownOutcome
from .._base.process import Process, run_process
from .._base.times import format_time, parse_time
from .._module.context import ModuleContext
from .ledger import HELD_SECONDS, Ledger
from .ledger_place import open_ledger

ATTEMPTS = 5


@dataclass(frozen=True)
class Holder:
    """The run that is at work.

    Attributes:
        user: Who started it.
        host, pid, started: Which process it is, see :class:`Process`.
        since: When it began, as :func:`format_time` writes it.
        renewed: When it last said so.
    """

    user: str
    host: str
    pid: int
    started: str
    since: str
    renewed: str

    @classmethod
    def parse(cls, found: t.Any) -> Holder | None:
        """The holder that a lock names; None where it names nobody, as when a person has edited it."""
        fields = {"user": str, "host": str, "pid": int, "started": str, "since": str, "renewed": str}
        if not isinstance(found, dict) or isinstance(found.get("pid"), bool):
            return None
        if not all(isinstance(found.get(name), kind) for name, kind in fields.items()):
            return None
        return cls(**{name: found[name] for name in fields})

    @property
    def process(self) -> Process:
        return Process(self.host, self.pid, self.started)

    @property
    def for_people(self) -> dict[str, t.Any]:
        """The holder as a result shows it."""
        return {"user": self.user, "host": self.host.partition(" ")[0], "pid": self.pid, "since": self.since}

    def is_at_work(self, now: datetime.datetime) -> bool:
        """Return whether its run still goes on, as far as can be known from here."""
        if self.process.is_here:
            return self.process.lives
        renewed = parse_time(self.renewed)
        # A clock that is far ahead must not keep the lock forever.
        return renewed is not None and abs((now - renewed).total_seconds()) < HELD_SECONDS


def hold_or_release(call: ModuleContext) -> dict[str, t.Any]:
    """Take or give back the lock of an environment; see profiles_lock.

    Raises:
        Refused: Another run is at work. Says who, since when, and what to do.
        Failure: The lock cannot be read or written.
    """
    ledger = open_ledger(call)
    if call["state"] == "held":
        holder, mine = _take(call, ledger)
        return {"holder": holder.for_people, "taken": not mine}
    if not call.check_mode:
        try:
            _release(ledger)
        except Failure as failure:
            call.warnings.append(
                f"The lock of {ledger.environment} stays until this run has ended. {failure.full_message}"
            )
    return {"holder": None, "taken": False}


def _take(call: ModuleContext, ledger: Ledger) -> tuple[Holder, bool]:
    """The run that has the lock now, and whether it had it before."""
    run, clock = run_process(), call.transport.clock
    if not run.lives:
        raise Refused("The lock was not taken, because the run has ended.", "Run again.")
    for attempt in range(ATTEMPTS):
        now = clock.now()
        found = Holder.parse(ledger.read_lock())
        mine = found is not None and found.process == run
        if found and not mine and found.is_at_work(now):
            raise _at_work(found, ledger)
        since = found.since if found and mine else format_time(now)
        holder = Holder(_user(), run.host, run.pid, run.started, since, format_time(now))
        try:
            if call.check_mode or ledger.write_lock(asdict(holder)):
                return holder, mine
        except UnknownOutcome:
            if attempt == ATTEMPTS - 1:
                raise
    raise LedgerError(
        f"The lock of {ledger.environment}, {ledger.lock_name}, was changed by somebody else {ATTEMPTS} times in a row.",
        "Run again.",
    )


def _release(ledger: Ledger) -> None:
    found = Holder.parse(ledger.read_lock())
    if found and found.process == run_process():
        ledger.write_lock(None)


def _at_work(holder: Holder, ledger: Ledger) -> Refused:
    told = holder.for_people
    who = "{user}@{host} (process {pid}) has been at work on {on} since {since}.".format(**told, on=ledger.environment)
    renewed, ends = parse_time(holder.renewed), ""
    if renewed and not holder.process.is_here:
        until = format_time(renewed + datetime.timedelta(seconds=HELD_SECONDS))
        ends = f" Whether it still runs cannot be seen from here, so its lock ends at {until}."
    return Refused(
        f"{who}{ends}",
        f"Run again when that run has ended. If it is known to be over, delete {ledger.lock_name}.",
        holder=told,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user may have no name
        return "somebody"
