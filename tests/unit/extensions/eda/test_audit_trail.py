# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source follows audit trails: nothing is lost, and what cannot be read is reported once and waited for."""

from __future__ import annotations

import asyncio
import datetime
import email.utils
import functools
import gzip
import json
import os
import re
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import httpcore
import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.process import run_process
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_file import FileLedger
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.looked import LookedFile
from support.project import ROOT

pytestmark = pytest.mark.newest_only
# As ansible-rulebook loads it.
PLUGIN = runpy.run_path(str(ROOT / "extensions/eda/plugins/event_source/audit_trail.py"))
# In the past: a look that is still to come counts for nothing.
START = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(days=2)
ARGS = {"environments": {"dev": {"segment_token": "of dev"}, "eu": {"segment_token": "of eu", "segment_region": "eu"}}}


def at(minutes: float) -> str:
    return (START + datetime.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def looks(first: float, last: float | None = None) -> dict[str, str]:
    return {"first": at(first), "last": at(first if last is None else last)}


def event(name: str, minutes: float) -> dict[str, str]:
    return {"id": name, "type": "Source Modified", "timestamp": at(minutes), "actor": "user_1"}


class Killed(Exception):
    """The process is gone."""


class Raw(httpx.AsyncByteStream):
    """A body as it comes, not read yet."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    async def __aiter__(self):
        for start in range(0, len(self.content), 1 << 20):
            yield self.content[start : start + (1 << 20)]


class Segment:
    """Its audit trails, and a clock that only waiting moves."""

    def __init__(self, monkeypatch) -> None:
        self.events, self.minutes, self.answers, self.requests, self.waited = [], 0.0, [], [], []
        self.each_wait = lambda: None
        self.page_size = 200
        # In the plugin alone: the sandbox's own loop waits in a thread beside it.
        inside = PLUGIN["main"].__globals__
        transport = httpx.MockTransport(self._as_it_is_now)
        client = functools.partial(httpx.AsyncClient, transport=transport)
        monkeypatch.setitem(inside, "httpx", SimpleNamespace(**{**vars(httpx), "AsyncClient": client}))
        monkeypatch.setitem(inside, "asyncio", SimpleNamespace(gather=asyncio.gather, sleep=self.sleep))
        # No test pulls the plug.
        monkeypatch.setattr(os, "fsync", lambda descriptor: None)
        monkeypatch.setitem(inside, "time", SimpleNamespace(time=lambda: START.timestamp() + self.minutes * 60))

    def _as_it_is_now(self, request):
        # A test may give another answer in between.
        answer = self.answer(request)
        return (
            answer
            if isinstance(answer.stream, Raw)
            else httpx.Response(answer.status_code, headers=answer.headers, stream=Raw(answer.content))
        )

    def answer(self, request):
        self.requests.append(request)
        date = email.utils.format_datetime(START + datetime.timedelta(minutes=self.minutes), usegmt=True)
        if self.answers:
            status, headers = self.answers.pop(0)
            return httpx.Response(status, headers={"Date": date, **headers})
        query = request.url.params
        shown = [one for one in reversed(self.events) if one["timestamp"] >= query.get("startTime", "")]
        first = int(query.get("pagination.cursor", 0))
        following = str(first + self.page_size) if first + self.page_size < len(shown) else None
        data = {"events": shown[first : first + self.page_size], "pagination": {"next": following}}
        return httpx.Response(200, json={"data": data}, headers={"Date": date})

    async def sleep(self, seconds):
        self.waited.append(seconds)
        self.minutes += seconds / 60
        self.each_wait()


class Queue(list):
    async def put(self, found):
        self.append(found)


@pytest.fixture
def segment(monkeypatch):
    return Segment(monkeypatch)


@pytest.fixture
def follow(segment, tmp_path):
    """Follows the trail of dev for so many requests, then kills the source; returns what was handed on."""

    def run(rounds, before_each=lambda n: None, **args):
        queue, seen = Queue(), []

        def each_wait():
            seen.append(None)
            if len(seen) == rounds:
                raise Killed
            before_each(len(seen))

        segment.each_wait = each_wait
        given = {"environments": {"dev": {"segment_token": "of dev"}}, "cursor": str(tmp_path / "cursor.json"), **args}
        with pytest.raises(Killed):
            asyncio.run(PLUGIN["main"](queue, given))
        return [found["audit"]["id"] if "audit" in found else found["problem"] for found in queue]

    return run


def test_events_from_the_first_start_on_are_handed_on_once(segment, follow):
    segment.events.append(event("before", -5))
    handed_on = follow(4, lambda n: segment.events.append(event(f"e{n}", n - 0.5)))
    assert handed_on == ["e1", "e2", "e3"]
    assert segment.requests[-1].headers["Authorization"] == "Bearer of dev"
    assert segment.requests[-1].url.host == "api.segmentapis.com"


@pytest.mark.parametrize("killed_after", [1, 2, 3, 4, 5, 6])
def test_whenever_it_is_killed_nothing_is_lost(segment, follow, killed_after):
    def happen(n):
        segment.events.append(event(f"e{len(segment.events)}", segment.minutes - 0.5))

    first = follow(killed_after, happen)
    happen(0)  # while it was down
    second = follow(4, happen)
    assert set(first) | set(second) == {one["id"] for one in segment.events[: len(segment.events)]}
    assert second == sorted(set(second), key=second.index), "twice in one life"


class Rulebook(Queue):
    """What ansible-rulebook does with the events of one life: the first of five minutes begins a run, which ends one wait later.

    Args:
        segment: Whose clock counts.
        folder: Where the report of a run is recorded.
        runs: Of all lives, as the minutes at which those began that ended.
        step: Called before and after each event that is handed on.
    """

    def __init__(self, segment, folder, runs, step):
        super().__init__()
        self.segment, self.file, self.runs, self.step = segment, LookedFile(folder), runs, step
        self.began, self.at_work = [], False

    async def put(self, found):
        self.step()
        await super().put(found)
        if not self.began or self.segment.minutes - self.began[-1] >= 5:
            self.began.append(self.segment.minutes)
            self.at_work = True
        self.step()

    def wait(self):
        if self.at_work and self.segment.minutes > self.began[-1]:
            self.at_work = False
            self.runs.append(self.began[-1])
            self.file.record("drift", {"dev": looks(self.began[-1])})


class Life:
    """The source and its rulebook, until they are killed at a step.

    Steps are each request, each event that is handed on, each time the cursor is written, and each wait: before and after.
    """

    def __init__(self, segment, folder, monkeypatch):
        self.segment, self.folder, self.runs = segment, folder, []
        self.steps, self.killed_at = 0, 0
        answer, save = segment.answer, PLUGIN["Cursor"].save
        segment.answer = lambda request: (self.step(), answer(request))[1]

        def saved(cursor):
            self.step()
            save(cursor)
            self.step()

        monkeypatch.setattr(PLUGIN["Cursor"], "save", saved)

    def step(self):
        self.steps += 1
        if self.steps == self.killed_at:
            raise Killed

    def live(self, happen, killed_at=0, waits=0):
        self.steps, self.killed_at = 0, killed_at
        queue = Rulebook(self.segment, self.folder, self.runs, self.step)
        waited = []

        def each_wait():
            waited.append(None)
            if len(waited) == waits:
                raise Killed
            self.step()
            queue.wait()
            happen(len(waited))
            self.step()

        self.segment.each_wait = each_wait
        given = {"environments": {"dev": {"segment_token": "of dev"}}, "cursor": str(self.folder / "cursor.json")}
        with pytest.raises(Killed):
            asyncio.run(PLUGIN["main"](queue, {**given, "state_dir": str(self.folder)}))
        return queue


# As many as a life of eight waits has.
@pytest.mark.parametrize(
    "killed_at", [step if step % 3 == 0 else pytest.param(step, marks=pytest.mark.full) for step in range(1, 51)]
)
def test_killed_at_any_step_a_run_looks_after_each_event(segment, tmp_path, monkeypatch, killed_at):
    life = Life(segment, tmp_path, monkeypatch)
    life.live(lambda n: None, waits=1)

    def happen(n):
        if n in (1, 2, 5):
            segment.events.append(event(f"e{len(segment.events)}", segment.minutes - 0.5))

    life.live(happen, killed_at, waits=9)
    happen(1)  # while nothing runs
    segment.minutes += 1
    last = life.live(lambda n: None, waits=20)
    for one in segment.events:
        assert any(at(began) > one["timestamp"] for began in life.runs), one
    # Nothing is handed on once it was looked into.
    assert len(last.began) <= 2
    assert json.loads((tmp_path / "cursor.json").read_text())["dev"]["open"] == {}
    assert life.live(lambda n: None, waits=5) == []


def test_what_no_run_looks_into_is_given_up_and_told(segment, follow, tmp_path):
    follow(1)
    segment.events.append(event("e1", 0.5))
    told = follow(30, interval=3600, state_dir=str(tmp_path / "state"))
    assert told == ["e1"] * 7 + [
        "Source Modified (e1) was handed on 7 times, and no run has looked since. It is given up."
    ]
    assert follow(9, state_dir=str(tmp_path / "state")) == []


def test_an_event_that_waits_is_read_again_whatever_came_since(segment, follow, tmp_path):
    follow(1)
    segment.minutes = 31
    segment.events += [event("e1", 0.5), {**event("e2", 30), "type": "Warehouse Created"}]
    assert follow(3, state_dir=str(tmp_path / "state")) == ["e1", "e2"]
    # A run that was started by a life before this one may still go on.
    assert follow(3, state_dir=str(tmp_path / "state")) == []
    assert follow(3, state_dir=str(tmp_path / "state")) == ["e1"]
    segment.minutes = 0  # the clock was put back
    assert follow(3, state_dir=str(tmp_path / "state")) == ["e1"]


def test_what_leads_to_no_run_is_waited_for_by_nobody(segment, follow, tmp_path, monkeypatch):
    monkeypatch.setenv("UNIFIED_PROFILES_OWN_ACTORS", "robot")
    follow(1)
    segment.events += [{**event("e1", 0.5), "type": "Warehouse Created"}, {**event("e2", 0.6), "actor": "robot"}]
    assert follow(30, state_dir=str(tmp_path / "state")) == ["e1", "e2"]


def test_only_recover_answers_to_a_deletion_where_that_is_wanted(segment, follow, tmp_path):
    follow(1)
    deleted = {**event("e1", 0.5), "type": "Source Deleted"}
    segment.events.append(deleted)
    LookedFile(tmp_path).record("drift", {"dev": looks(2)})
    assert follow(3, state_dir=str(tmp_path), recover="true") == ["e1"]
    # A run that had begun before did not act on it, though its last look saw it.
    LookedFile(tmp_path).record("recover", {"dev": looks(0.4, 2)})
    assert follow(9, state_dir=str(tmp_path), recover=True) == ["e1"]
    LookedFile(tmp_path).record("recover", {"dev": looks(2)})
    assert follow(3, state_dir=str(tmp_path), recover=True) == []


def test_while_a_run_acts_its_events_wait(segment, follow, tmp_path):
    """What it looked into before it ended is its own; anything later is handed on."""
    follow(1)
    ledger, here = FileLedger(tmp_path, "dev"), run_process()
    ledger.read_lock()
    ledger.write_lock({"host": here.host, "pid": here.pid, "started": here.started, "renewed": at(0)})
    segment.events += [event("own", 0.2), event("another's", 0.9)]

    def ends(n):
        if n == 3:
            ledger.read_lock()
            ledger.write_lock(None)
        if n == 5:
            LookedFile(tmp_path).record("connect", {"dev": looks(0.5)})
            (tmp_path / "ledger/dev.ran").write_text("{}")  # no such process

    assert follow(5, ends, state_dir=str(tmp_path)) == []
    ends(5)
    assert follow(3, state_dir=str(tmp_path)) == ["another's"]


def test_what_shows_late_is_handed_on(segment, follow):
    def late(n):
        if n == 1:
            segment.events.append(event("now", 1))
        if n == 2:
            segment.events.insert(0, event("late", 0.2))

    assert follow(5, late) == ["now", "late"]


def test_all_pages_are_read_oldest_first(segment, follow):
    segment.page_size = 3
    assert follow(2, lambda n: segment.events.extend(event(f"e{i}", 0.01 * i) for i in range(8))) == [
        f"e{i}" for i in range(8)
    ]


def test_more_than_is_read_at_once_is_told(segment, follow, monkeypatch):
    follow(1)
    monkeypatch.setitem(PLUGIN["main"].__globals__, "PAGES", 2)
    segment.page_size = 3
    segment.events.extend(event(f"e{n}", 0.1 * n) for n in range(7))
    told = follow(1)
    assert told[0] == f"The audit trail has more than 6 events since {at(0)}. The older ones are left out."
    assert told[1:] == [f"e{n}" for n in range(1, 7)]


@pytest.mark.parametrize(
    ("status", "told"),
    [(401, "owner's token"), (403, "owner's token"), (429, "rate limit"), (503, "status 503"), (404, "status 404")],
)
def test_what_cannot_be_read_is_told_once_and_waited_for(segment, follow, status, told):
    follow(1)
    segment.answers, segment.waited = [(status, {})] * 8, []
    handed_on = follow(10)
    assert (told in handed_on[0], handed_on[1:]) == (True, [""])
    assert segment.waited[:8] == [120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_a_wait_that_segment_asks_for_counts(segment, follow):
    follow(1)
    segment.answers, segment.waited = [(429, {"Retry-After": "300"}), (429, {"Retry-After": "999999"})], []
    follow(3)
    assert segment.waited[:2] == [300, 3600]
    date = email.utils.format_datetime(START + datetime.timedelta(minutes=segment.minutes + 10), usegmt=True)
    segment.answers, segment.waited = [(429, {"X-RateLimit-Reset": date})], []
    follow(1)
    assert segment.waited == [600]


def test_one_environment_that_cannot_be_read_stops_no_other(segment, tmp_path):
    queue = Queue()

    def each_wait():
        if len(segment.waited) >= 12:
            raise Killed

    segment.each_wait = each_wait
    answer = segment.answer
    segment.answer = lambda request: httpx.Response(500) if "eu1" in request.url.host else answer(request)
    with pytest.raises(Killed):
        asyncio.run(PLUGIN["main"](queue, {**ARGS, "cursor": str(tmp_path / "c.json")}))
    assert [found for found in queue if "problem" in found] == [
        {"environment": "eu", "problem": "Segment answered with status 500."}
    ]
    assert set(json.loads((tmp_path / "c.json").read_text())) == {"dev"}


def test_no_token_is_in_the_cursor_or_in_what_is_handed_on(segment, follow, tmp_path):
    segment.answers = [(401, {})]
    told = follow(3)
    assert "of dev" not in str(told) + (tmp_path / "cursor.json").read_text()


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"cursor": ""}, "cursor: "),
        ({"environments": {}}, "environments: "),
        ({"environments": {"dev": {}}}, r"environments\.dev\.segment_token: "),
        (
            {"environments": {"dev": {"segment_token": "x", "segment_region": "mars"}}},
            r"environments\.dev\.segment_region: ",
        ),
        ({"interval": "often"}, "interval: "),
        ({"interval": 0}, "interval: "),
        ({"again": 0}, "again: "),
        ({"recover": "perhaps"}, "recover: "),
        ({"state_dir": 7}, "state_dir: "),
        ({"intervall": 5}, "intervall: unknown"),
        ({"cursor": "/proc/no/such"}, "cursor: "),
        ({"cursor": "~nosuchuser/c"}, "cursor: begins with a user"),
        ({"cursor": "/tmp/c\0"}, "cursor: "),
        ({"cursor": ["/tmp/c"]}, "cursor: "),
        ({"interval": 10**400}, "interval: "),
        ({"environments": {"dev": {"segment_token": "sgp_é"}}}, r"environments\.dev\.segment_token: has a character"),
        ({"environments": {"dev": {"segment_token": "a\nb"}}}, r"environments\.dev\.segment_token: has a character"),
        (
            {"environments": {"dev": {"segment_token": "x", "segment_region": ["us"]}}},
            r"environments\.dev\.segment_region: ",
        ),
    ],
)
def test_a_wrong_argument_is_named(args, told, tmp_path):
    with pytest.raises(ValueError, match=f"^{told}"):
        asyncio.run(PLUGIN["main"](Queue(), {**ARGS, "cursor": str(tmp_path / "c"), **args}))


def test_a_variable_in_a_path_is_put_in_place_or_named(monkeypatch):
    """None makes a folder of its own name."""
    monkeypatch.setenv("PUT_IN_PLACE", "/srv/up")
    assert PLUGIN["a_path"]("cursor", "$PUT_IN_PLACE/c") == Path("/srv/up/c")
    for variable in ("$NOT_SET_ANYWHERE", "${NOT_SET_ANYWHERE}"):
        with pytest.raises(ValueError, match=f"^cursor: has {re.escape(variable)} in it, "):
            PLUGIN["a_path"]("cursor", f"/tmp/{variable}/c")


def test_a_damaged_cursor_is_named(tmp_path):
    (tmp_path / "c").write_text('{"dev": {"until": "x"}}')
    with pytest.raises(ValueError, match="no cursor of this source"):
        asyncio.run(PLUGIN["main"](Queue(), {**ARGS, "cursor": str(tmp_path / "c")}))


VARIABLES = ("https_proxy", "all_proxy", "http_proxy", "no_proxy", "ssl_cert_file", "ssl_cert_dir")


@pytest.fixture
def of_the_shell(monkeypatch):
    """Sets environment variables, and none but those."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return lambda named: [monkeypatch.setenv(name, value) for name, value in named.items()]


SECRET = "hunter-the-second"


@pytest.mark.parametrize(
    "named",
    [
        {"ALL_PROXY": f"socks5h://jane:{SECRET}@127.0.0.1:1080"},
        {"https_proxy": f"ftp://jane:{SECRET}@127.0.0.1"},
        {"HTTPS_PROXY": f"http://jane:{SECRET}@[::1"},
        {"HTTPS_PROXY": f"http://jane:{SECRET}@host:port"},
        {"SSL_CERT_FILE": f"/nosuch/{SECRET}"},
    ],
)
def test_a_variable_of_the_shell_that_cannot_be_used_is_named_and_not_shown(of_the_shell, tmp_path, monkeypatch, named):
    monkeypatch.setitem(sys.modules, "socksio", None)
    of_the_shell(named)
    (name,) = named
    with pytest.raises(ValueError, match=f"^{name}: ") as caught:
        asyncio.run(PLUGIN["main"](Queue(), {**ARGS, "cursor": str(tmp_path / "c")}))
    assert SECRET not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)


@pytest.mark.parametrize(
    ("named", "sandbox", "through"),
    [
        ({}, False, {"us": False, "eu": False}),
        ({"HTTPS_PROXY": "proxy.test:3128", "NO_PROXY": "fd00::/8,[::1"}, False, {"us": True, "eu": True}),
        ({"all_proxy": "https://proxy.test", "no_proxy": ".segmentapis.com"}, False, {"us": False, "eu": False}),
        (
            {"all_proxy": "https://proxy.test", "NO_PROXY": "eu1.api.segmentapis.com:443"},
            False,
            {"us": True, "eu": False},
        ),
        ({"HTTP_PROXY": "http://proxy.test"}, False, {"us": False, "eu": False}),
        # The token would be seen.
        ({"HTTP_PROXY": "http://proxy.test", "ALL_PROXY": "http://proxy.test"}, True, {"us": False, "eu": False}),
    ],
)
def test_the_proxy_of_the_shell_is_taken_for_segment_alone(of_the_shell, named, sandbox, through):
    of_the_shell(named)

    async def asked():
        connected = []

        async def connect_tcp(self, host, *_args, **_named):
            connected.append(host)
            raise httpcore.ConnectError("nobody there")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("httpcore._backends.auto.AutoBackend.connect_tcp", connect_tcp)
            async with PLUGIN["new_client"](sandbox) as client:
                for url in ["http://127.0.0.1:9"] * 2 if sandbox else PLUGIN["HOSTS"].values():
                    with pytest.raises(httpx.ConnectError):
                        await client.get(url)
        return dict(zip(("us", "eu"), [host == "proxy.test" for host in connected], strict=True))

    assert asyncio.run(asked()) == through


def test_an_answer_is_taken_as_it_comes_and_bounded(segment, follow):
    answer = segment.answer
    packed = gzip.compress(json.dumps({"data": {"events": [], "pagination": {}}}).encode())
    now = {"Date": email.utils.format_datetime(START, usegmt=True)}

    def told(status, headers, content):
        segment.answer = lambda request: httpx.Response(status, headers={**now, **headers}, stream=Raw(content))
        return follow(1)

    assert told(200, {"Content-Encoding": "gzip"}, packed) == ["Segment's answer is no audit trail."]
    assert told(200, {}, b" " * (9 << 20)) == ["Segment's answer is larger than 8 MiB."]
    assert told(200, {}, b"[" * 100_000) == ["Segment's answer is no audit trail."]
    assert told(200, {}, b'{"data": {"events": [], "pagination": [1]}}') == ["Segment's answer is no audit trail."]
    odd = b'{"data": {"events": [{"id": [], "type": [], "timestamp": "2026-11-26"}]}}'
    assert told(200, {}, odd) == ["Segment's answer is no audit trail."]
    assert told(503, {"Date": "Mon, 999999999999 Jan 2024"}, b"") == ["Segment answered with status 503."]
    segment.answer = answer
    assert follow(1) == []
    assert segment.requests[-1].headers["Accept-Encoding"] == "identity"


def test_a_cursor_of_segment_that_no_url_can_carry_is_told(segment, follow):
    follow(1)
    data = {"data": {"events": [], "pagination": {"next": "x" * 70_000}}}
    now = {"Date": email.utils.format_datetime(START, usegmt=True)}
    segment.answer = lambda request: httpx.Response(200, json=data, headers=now)
    assert follow(1) == ["Segment cannot be reached: InvalidURL"]
