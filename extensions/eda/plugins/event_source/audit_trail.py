# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event source for ansible-rulebook: Segment's audit trail, for whoever has no address that Segment can reach."""

from __future__ import annotations

import asyncio
import datetime
import email.utils
import json
import logging
import os
import re
import runpy
import tempfile
import time
import typing as t
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

DOCUMENTATION = r"""
---
short_description: Segment's audit trail, of many environments
description:
  - Requests the audit trail of each environment's workspace, and hands new events on as C({environment, audit}).
  - With O(state_dir), the cursor passes a relevant event only once a run has looked at the environment since. Until then the event is
    handed on again after O(again), also after a crash. What a run has looked into already is not handed on.
  - While a run of C(connect), C(recover) or C(rotate) acts on an environment, its relevant events wait until the run has ended.
  - The cursor passes any other event one interval after the event was handed on. So what was handed on shortly before a crash comes again.
  - At the first start, events from then on are handed on. All times are Segment's own, so the controller's clock does not matter.
  - What cannot be read is tried again, at first after O(interval), at last once an hour, or when Segment says. It is reported once, as
    C({environment, problem}), and so is its end.
  - Segment is reached through the proxy that E(HTTPS_PROXY) or E(ALL_PROXY) names, unless E(NO_PROXY) has it. A sandbox never is.
  - Needs a workspace owner's token for each environment. It was only ever run against the sandbox of this collection.
options:
  environments:
    description: By name, C({segment_token, segment_region}).
    type: dict
    required: true
  cursor:
    description: The file that holds how far each environment was read. It has ids and times only. Keep it on a lasting disk.
    type: str
    required: true
  interval:
    description: Seconds between two requests of one environment.
    type: float
    default: 60
  sandbox_url:
    description: A sandbox, in place of Segment.
    type: str
  state_dir:
    description:
      - The folder of C(unified_profiles_state_dir), where runs of this machine write when they looked.
      - Leave it out where the rules start no run that writes there, such as a job in AWX.
    type: str
  recover:
    description: Whether the rules run C(recover) for V(Source Deleted). Then no run but one of C(recover) has looked into such an event.
    type: bool
    default: false
  again:
    description:
      - Seconds after which an event is handed on again, if no run has looked since. The wait doubles each time. After seven times the event is
        given up, which is reported as a problem.
      - Longer than the throttle of the rule, which would leave the event out.
    type: float
    default: 360
"""

EXAMPLES = r"""
- flexops.unified_profiles.audit_trail:
    cursor: /var/lib/unified-profiles/audit.json
    environments:
      prod:
        segment_token: "{{ prod_segment_token }}"
        segment_region: us
    state_dir: /var/lib/unified-profiles
"""

HOSTS = {"us": "https://api.segmentapis.com", "eu": "https://eu1.api.segmentapis.com"}
# An event may show in the trail after a later one: so far back, the trail is read again.
OVERLAP = datetime.timedelta(minutes=10)
LONGEST = 3600.0
PAGES = 500
# An event is handed on as often as this: within six hours.
TIMES = 7
# Bytes. A page has 200 events.
MAX_BODY = 8 * 1024 * 1024
# The lower case first, as curl does.
PROXIES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")

# What an event is about, and whether it was looked into, is said once.
FILTER = runpy.run_path(str(Path(__file__).resolve().parents[1] / "event_filter/environment.py"))
OPTIONS = ("environments", "cursor", "interval", "sandbox_url", "state_dir", "recover", "again")

logger = logging.getLogger(__name__)


class CannotRead(Exception):
    """A trail that could not be read.

    Attributes:
        wait: Seconds to wait, if Segment says so.
    """

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


class Queue(t.Protocol):
    """Where ansible-rulebook takes the events from."""

    async def put(self, event: dict[str, t.Any], /) -> None:
        """Add an event, and wait while the queue is full."""


class Cursor:
    """How far each environment was read: in a file, as ``{name: {"since", "until", "seen", "open"}}``.

    ``since`` is when it was first read, ``until`` the newest event, ``seen`` the time of each event that may come again, by its id.
    ``open`` has those that no run has looked into, as ``{"at", "times", "handed_on"}``. These are when it happened, how often it was handed
    on, and when last, in seconds of this machine's clock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.places: dict[str, dict[str, t.Any]] = {}
        if path.exists():
            try:
                found = json.loads(path.read_text())
                for name, place in found.items():
                    parse_time(place["since"]), parse_time(place["until"])
                    waiting = dict(place.get("open", {}))
                    for it in waiting.values():
                        parse_time(it["at"]), int(it["times"]), float(it["handed_on"])
                    self.places[str(name)] = {**place, "seen": dict(place["seen"]), "open": waiting}
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
                raise ValueError(f"cursor: {path} is no cursor of this source. Remove it to begin anew.") from error
        self.save()

    def save(self) -> None:
        """Replace the file. It is there in whole at any moment."""
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(handle, "w") as file:
                json.dump(self.places, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self.path)
        except BaseException:
            os.unlink(name)
            raise


@dataclass
class Trail:
    """The trail of one environment."""

    name: str
    url: str
    token: str = field(repr=False)
    interval: float
    state_dir: str = ""
    recover: bool = False
    again: float = 360.0
    failures: int = 0

    async def follow(self, client: httpx.AsyncClient, cursor: Cursor, queue: Queue) -> None:
        """Hand events on forever."""
        handed_on: dict[str, t.Any] | None = None
        while True:
            # The rules had an interval to take what was handed on.
            if handed_on is not None:
                cursor.places[self.name] = handed_on
                cursor.save()
            handed_on, wait = await self.look(client, cursor, queue)
            if handed_on is not None and self.name not in cursor.places:
                cursor.places[self.name] = handed_on
                cursor.save()
            await asyncio.sleep(wait)

    async def look(
        self, client: httpx.AsyncClient, cursor: Cursor, queue: Queue
    ) -> tuple[dict[str, t.Any] | None, float]:
        """Hand on what is new. Returns the place behind it, and how many seconds to wait."""
        try:
            if self.name not in cursor.places:
                _events, now = await self._page(client, {"pagination.count": "1"})
                found = {"since": now, "until": now, "seen": {}, "open": {}}
            else:
                found = await self._hand_on(client, cursor, queue)
        except CannotRead as problem:
            self.failures += 1
            if self.failures == 1:
                logger.warning("%s: %s", self.name, problem)
                await queue.put({"environment": self.name, "problem": str(problem)})
            longer = min(self.interval * 2 ** min(self.failures, 12), LONGEST)
            return None, longer if problem.wait is None else min(max(problem.wait, self.interval), LONGEST)
        if self.failures:
            self.failures = 0
            logger.info("%s: the audit trail can be read again", self.name)
            await queue.put({"environment": self.name, "problem": ""})
        return found, self.interval

    async def _hand_on(self, client: httpx.AsyncClient, cursor: Cursor, queue: Queue) -> dict[str, t.Any]:
        place = cursor.places[self.name]
        seen, until, waiting = dict(place["seen"]), str(place["until"]), place["open"]
        since = max(parse_time(until) - OVERLAP, parse_time(place["since"]))
        since = min([since, *(parse_time(it["at"]) for it in waiting.values())])
        query = {"startTime": since.strftime("%Y-%m-%dT%H:%M:%SZ"), "pagination.count": "200"}
        events: list[dict[str, t.Any]] = []
        for _page in range(PAGES):
            answer, _now = await self._page(client, query)
            events += answer["events"]
            if not answer["next"]:
                break
            query["pagination.cursor"] = str(answer["next"])
        else:
            problem = f"The audit trail has more than {len(events)} events since {query['startTime']}. The older ones are left out."
            await queue.put({"environment": self.name, "problem": problem})
        events.reverse()  # newest first, as they came
        for event in sorted(events, key=lambda event: parse_time(event["timestamp"])):
            id_, at = event["id"], event["timestamp"]
            if id_ not in seen and await self._done(event, cursor, queue):
                seen[id_] = at
                waiting.pop(id_, None)
            until = max(until, at, key=parse_time)
        first = min([parse_time(until) - OVERLAP, *(parse_time(it["at"]) for it in waiting.values())])
        kept = {id_: at for id_, at in seen.items() if parse_time(at) >= first}
        return {"since": place["since"], "until": until, "seen": kept, "open": waiting}

    async def _done(self, event: Mapping[str, t.Any], cursor: Cursor, queue: Queue) -> bool:
        """Hand an event on if its time has come. Returns whether the cursor may pass it."""
        handed_on = {"environment": self.name, "audit": event}
        about = FILTER["main"](handed_on, environments={}, state_dir="")[0]["unified_profiles"]
        if not self.state_dir or not about["relevant"] or about["own"]:
            await queue.put(handed_on)
            return True
        deleted = self.recover and event["type"] == FILTER["DELETED"]
        if FILTER["looked"](self.state_dir, self.name, event["timestamp"], "recover" if deleted else ""):
            return True
        waiting = cursor.places[self.name]["open"]
        before = waiting.setdefault(event["id"], {"at": event["timestamp"], "times": 0, "handed_on": 0.0})
        wait = self.again * 2 ** (before["times"] - 1) if before["times"] else 0.0
        # A clock that was put back must not make it longer.
        if FILTER["at_work"](self.state_dir, self.name) or 0 <= time.time() - before["handed_on"] < wait:
            return False
        if before["times"] == TIMES:
            problem = f"{event['type']} ({event['id']}) was handed on {TIMES} times, and no run has looked since. It is given up."
            await queue.put({"environment": self.name, "problem": problem})
            return True
        waiting[event["id"]] = {**before, "times": before["times"] + 1, "handed_on": time.time()}
        # Before it is: its run may outlive this process, and must not be started a second time.
        cursor.save()
        await queue.put(handed_on)
        return False

    async def _page(self, client: httpx.AsyncClient, query: Mapping[str, str]) -> tuple[dict[str, t.Any], str]:
        """A page of the trail (operation listAuditEvents) as ``{"events", "next"}``, and the time at Segment.

        Raises:
            CannotRead: Nothing came, or not what was asked for.
        """
        # What is not packed cannot be larger than it looks.
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Encoding": "identity"}
        content = bytearray()
        try:
            async with client.stream("GET", f"{self.url}/audit-events", params=dict(query), headers=headers) as answer:
                async for chunk in answer.aiter_raw():
                    content += chunk
                    if len(content) > MAX_BODY:
                        raise CannotRead(f"Segment's answer is larger than {MAX_BODY >> 20} MiB.")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CannotRead(f"Segment cannot be reached: {type(error).__name__}") from None
        now = moment(answer.headers.get("date"))
        if answer.status_code in (401, 403):
            raise CannotRead(
                f"Segment refused the token for the audit trail ({answer.status_code}). It takes a workspace owner's token."
            )
        if answer.status_code == 429:
            raise CannotRead("Segment's rate limit is reached.", told_wait(answer, now))
        if answer.status_code != 200:
            raise CannotRead(f"Segment answered with status {answer.status_code}.", told_wait(answer, now))
        try:
            data = json.loads(content)["data"]
            page = {"events": data["events"], "next": (data.get("pagination") or {}).get("next")}
            for event in page["events"]:
                parse_time(event["timestamp"])
                "".join((event["id"], event["type"]))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise CannotRead("Segment's answer is no audit trail.") from None
        if now is None:
            raise CannotRead("Segment's answer has no date.")
        return page, now.strftime("%Y-%m-%dT%H:%M:%SZ")


def told_wait(answer: httpx.Response, now: datetime.datetime | None) -> float | None:
    """Return how many seconds the answer says to wait; None if it does not."""
    told = answer.headers.get("retry-after", "")
    if told.isdecimal():
        return float(told)
    until = moment(told) or moment(answer.headers.get("x-ratelimit-reset"))
    return max((until - now).total_seconds(), 0.0) if until and now else None


def moment(text: str | None) -> datetime.datetime | None:
    """The time in a header; None if it is none."""
    try:
        return email.utils.parsedate_to_datetime(text or "").astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None


def parse_time(text: str) -> datetime.datetime:
    """Raises ValueError if it is no time."""
    found = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)


def trails(args: Mapping[str, t.Any]) -> Iterator[Trail]:
    """The trail of each environment.

    Raises:
        ValueError: An argument is wrong; it is named.
    """
    unknown = sorted(set(args) - {*OPTIONS, "eda_feedback_queue"})
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: unknown; there are {', '.join(OPTIONS)}")
    environments = args.get("environments")
    if not isinstance(environments, dict) or not environments:
        raise ValueError(
            "environments: a dictionary is wanted, such as {prod: {segment_token: ..., segment_region: us}}"
        )
    interval, again = seconds(args, "interval", 60), seconds(args, "again", 360)
    state_dir = a_path("state_dir", args["state_dir"]) if args.get("state_dir") not in (None, "") else ""
    recover = str(args.get("recover", False)).lower()
    if recover not in ("true", "false"):
        raise ValueError("recover: true or false is wanted")
    for name, settings in environments.items():
        token = settings.get("segment_token") if isinstance(settings, dict) else None
        if not isinstance(token, str) or not token.strip():
            raise ValueError(f"environments.{name}.segment_token: missing")
        if not (token.isascii() and token.strip().isprintable()):
            raise ValueError(f"environments.{name}.segment_token: has a character that no token has. Copy it again")
        region = str(settings.get("segment_region", "us"))
        if region not in HOSTS:
            raise ValueError(f"environments.{name}.segment_region: us or eu is wanted")
        sandbox = args.get("sandbox_url")
        url = f"{str(sandbox).rstrip('/')}/segment/{region}" if sandbox else HOSTS[region]
        yield Trail(str(name), url, token.strip(), interval, str(state_dir), recover == "true", again)


def seconds(args: Mapping[str, t.Any], name: str, default: float) -> float:
    """Raises ValueError if they cannot be waited for."""
    try:
        found = float(args.get(name, default))
    except (TypeError, ValueError, OverflowError):
        found = 0.0
    if not 0 < found <= LONGEST:
        raise ValueError(f"{name}: seconds above 0 and up to {LONGEST:g} are wanted")
    return found


def a_path(name: str, given: t.Any) -> Path:
    """Raises ValueError if it is no path, or names a user or a variable that does not exist."""
    if not isinstance(given, str) or not given.strip() or not given.isprintable():
        raise ValueError(f"{name}: a path is wanted")
    path = Path(os.path.expanduser(os.path.expandvars(given)))
    if given.startswith("~") and not path.is_absolute():
        raise ValueError(f"{name}: begins with a user that is not known here. Write the path from / on")
    if unset := re.search(r"\$(\w+|\{[^}]*\}?)", str(path)):
        raise ValueError(
            f"{name}: has {unset[0]} in it, and no such environment variable is set. Write the path from / on"
        )
    return path


def new_client(sandbox: bool) -> httpx.AsyncClient:
    """The client for all trails.

    Args:
        sandbox: Whether there is one. It is reached directly: over plain HTTP, a proxy would read the token.

    Raises:
        ValueError: An environment variable about certificates or proxies cannot be used. It is named, and its value is not shown.
    """
    try:
        tls = httpx.create_ssl_context()
    except OSError as error:
        named = " or ".join(name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name))
        raise ValueError(f"{named}: has no certificates: {error.strerror}. Correct it, or unset it") from None
    source, url = next(((name, found) for name in PROXIES if (found := os.environ.get(name, "").strip())), ("", ""))
    proxy = (url if "://" in url else f"http://{url}") if url and not sandbox else None
    direct = [host for host in HOSTS.values() if urllib.request.proxy_bypass_environment(f"{host.split('/')[-1]}:443")]
    try:
        # httpx itself takes no network in NO_PROXY.
        return httpx.AsyncClient(
            timeout=30, follow_redirects=False, verify=tls, trust_env=False, proxy=proxy, mounts=dict.fromkeys(direct)
        )
    except ImportError:
        raise ValueError(f"{source}: is a SOCKS proxy, and those take the Python library socksio. Install it") from None
    except (ValueError, httpx.InvalidURL):
        raise ValueError(f"{source}: is not the URL of a proxy, such as http://user:password@host:port") from None


async def main(queue: Queue, args: dict[str, t.Any]) -> None:
    """Follow the trail of each environment."""
    path = a_path("cursor", args.get("cursor"))
    following = list(trails(args))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        cursor = Cursor(path)
    except OSError as error:
        raise ValueError(f"cursor: {path} cannot be written: {error.strerror}") from error
    async with new_client(bool(args.get("sandbox_url"))) as client:
        await asyncio.gather(*(trail.follow(client, cursor, queue) for trail in following))
