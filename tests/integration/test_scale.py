# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What grows with the number of environments and with the distance: requests, connections, waits, and several runs at once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import pool
from sandbox.server import run_sandbox
from support.chain import Chain, surveyed
from support.project import ROOT

sys.path.append(str(ROOT / "tests/benchmarks"))

from proxy import Proxy

# Requests and connections, which are the same on every core.
pytestmark = pytest.mark.newest_only


def requests(sandbox, environment="dev"):
    return [f"{e['method']} {e['service']} {e['path']}" for e in sandbox.journal() if e["environment"] == environment]


def besides(sent):
    """What is read to foresee what Segment does by itself."""
    return [request for request in sent if request.endswith(("/connected-destinations", "/connected-warehouses"))]


def documented_requests() -> tuple[list[int], list[int], list[int]]:
    """Of the table in docs/performance.md, for first, nothing and recover: the sums of the rows, their row, and what comes besides."""
    counts, told = [], []
    page = (ROOT / "docs/performance.md").read_text()
    for line in page.partition("| task | request |")[2].splitlines()[2:]:
        cells = [cell.strip("* ") for cell in line.split("|")[3:6]]
        numbers = [int(cell or 0) for cell in cells]
        if "**besides**" in line:
            return [sum(column) for column in zip(*counts)], told, numbers
        if "**requests**" in line:
            told = numbers
        else:
            counts.append(numbers)
    raise AssertionError("the table has no last row")


def test_the_requests_of_each_playbook_are_known(project, sandbox):
    """One environment with a gateway that reads back; docs/performance.md says what each request is for."""
    summed, told, more = documented_requests()
    assert told == summed
    limit = ("--limit", "dev")
    project.run("connect", *limit)
    sent = [requests(sandbox)]
    sandbox.clear_journal()
    project.run("connect", *limit)
    sent.append(requests(sandbox))
    sandbox.sabotage("dev", "delete-source")
    sandbox.clear_journal()
    project.run("recover", *limit)
    sent.append(requests(sandbox))
    assert [len(besides(one)) for one in sent] == more, sent
    assert [len(one) - len(besides(one)) for one in sent] == told, sent


def test_a_look_opens_no_more_connections_than_it_reads_at_once(project, sandbox):
    project.run("connect", "--limit", "dev")
    proxy = Proxy(int(sandbox.url.rpartition(":")[2]))
    # Far away, so that what goes out together cannot share a connection by chance.
    proxy.delay = 0.2
    url = f"unified_profiles_sandbox_url=http://127.0.0.1:{proxy.port}"
    sandbox.clear_journal()
    run = project.run("connect", "--limit", "dev", "-e", url)
    assert run.status == 0, run.output
    assert (len(requests(sandbox)) - len(besides(requests(sandbox))), proxy.handshakes) == (9, 0)
    assert proxy.connections <= 8


def test_a_survey_opens_no_more_connections_than_it_has_threads(tmp_path, monkeypatch):
    """30 environments with HTTPS. All services of the sandbox are one server."""
    # A busy machine may leave a connection idle so long that it is opened again.
    monkeypatch.setattr(pool, "IDLE", 60.0)
    with run_sandbox(30, tmp_path / "ca.pem") as far:
        proxy = Proxy(int(far.url.rpartition(":")[2]))
        proxy.delay = 0.02
        far.url = f"https://127.0.0.1:{proxy.port}"
        chains = [Chain(far, tmp_path, name, ca_path=str(tmp_path / "ca.pem")) for name in far.world.environments]
        _looks, statuses = surveyed("connect", {chain.name: chain.variables for chain in chains}, threads=4)
        assert {status["status"] for status in statuses.values()} == {"pending"}
        assert len(far.journal()) >= 30 * 8
        assert 2 <= proxy.handshakes == proxy.connections <= 4


def test_https_costs_one_handshake_for_each_connection(project, tmp_path):
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--quiet", "--environments", "1"]
    command += ["--inventory", str(tmp_path / "far"), "--https", str(tmp_path / "ca.pem")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            proxy = Proxy(int(server.stdout.readline().split()[2].rpartition(":")[2].partition("/")[0]))
            proxy.delay = 0.2
            url = f"unified_profiles_sandbox_url=https://127.0.0.1:{proxy.port}"
            run = project.run("connect", "-e", url, inventory=str(tmp_path / "far"))
            assert run.status == 0, run.output
            opened = proxy.connections
            again = project.run("connect", "-e", url, inventory=str(tmp_path / "far"))
            assert set(again.changed.values()) == {0}, again.output
            assert proxy.handshakes == proxy.connections <= opened + 8
        finally:
            server.terminate()


def test_only_where_something_is_due_do_tasks_run(project, sandbox):
    """The others are looked at once, and have no task and no second look."""
    assert project.run("connect").status == 0
    sandbox.clear_journal()
    assert project.run("connect").status == 0
    idle = Counter(entry["environment"] for entry in sandbox.journal())
    sandbox.sabotage("dev", "rename-source")
    sandbox.clear_journal()
    run = project.run("connect")
    assert run.status == 0, run.output
    assert re.search(r"^changed: \[dev\]", run.output, re.MULTILINE)
    assert not re.search(r"^\w+: \[(prod|eu)\]", run.output, re.MULTILINE), run.output
    asked = Counter(entry["environment"] for entry in sandbox.journal())
    assert {name: asked[name] for name in ("prod", "eu")} == {name: idle[name] for name in ("prod", "eu")}
    assert asked["dev"] > 2 * idle["dev"]


def test_a_rate_limit_is_waited_for_as_told(project, sandbox, monkeypatch):
    """Segment counts by IP address and token. Two requests in five seconds are few: each environment is refused and waits."""
    monkeypatch.setattr("sandbox.limits.DEFAULT_LIMIT", (2, 5.0))
    sandbox.world.switches["rate_limits"] = True
    run = project.run("connect")
    assert run.status == 0, run.output
    answers = {name: [e for e in sandbox.journal() if e["environment"] == name] for name in sandbox.world.environments}
    _summed, told, more = documented_requests()
    first = told[0] + more[0]
    for name, seen in answers.items():
        refused = [e["status"] for e in seen].count(429)
        # Whoever is refused comes back when the time is over, and is served: it is no loop that asks again and again.
        assert (len(seen) - refused, refused <= first // 2) == (first, True), (name, refused)
    assert any(e["status"] == 429 for e in sandbox.journal())


@pytest.mark.parametrize("slices", [2])
def test_two_jobs_at_once_on_slices_of_one_inventory(project, sandbox, slices):
    """What AWX does with job slicing: every job takes each n-th host, and has a report of its own."""
    hosts = list(sandbox.world.environments)

    def job(number):
        limit = ",".join(hosts[number::slices])
        return project.run(
            "connect", "--limit", limit, "-e", f"unified_profiles_report_dir={project.folder}/report-{number}"
        )

    with ThreadPoolExecutor(slices) as pool:
        runs = list(pool.map(job, range(slices)))
    assert [run.status for run in runs] == [0] * slices, [run.output for run in runs]
    for name in hosts:
        assert set(project.ledger(name)) == {"connection", "link", "key"}
    told = [(project.folder / f"report-{number}/report-limited.md").read_text() for number in range(slices)]
    for number, name in ((n % slices, name) for n, name in enumerate(hosts)):
        assert f"| {name} |" in told[number]
        assert f"| {name} |" not in told[1 - number]
    sandbox.clear_journal()
    again = project.run("connect")
    assert set(again.changed.values()) == {0}
    assert sandbox.journal(writes=True) == []


def test_batches_begin_with_a_canary(project, sandbox):
    batches = json.dumps({"unified_profiles_serial": [1, "100%"]})
    assert project.run("connect", "-e", batches).status == 0
    order = [e["environment"] for e in sandbox.journal(writes=True) if e["path"].endswith("/connection")]
    assert order[0] == next(iter(sandbox.world.environments))
    connected = [e["n"] for e in sandbox.journal() if e["path"].endswith("/connection") and e["method"] == "POST"]
    # Before and after that all are looked at.
    first_done = max(e["n"] for e in sandbox.journal(writes=True) if e["environment"] == order[0])
    assert all(n > first_done for n in connected[1:])
