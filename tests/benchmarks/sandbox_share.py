# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much of a run is the sandbox? `python tests/benchmarks/sandbox_share.py [environments]`, after `make setup`.

Starts a sandbox of that many environments. Sends it the same few reads as fast as one client can, then connects all
environments twice with the collection. Prints what the sandbox's process used of the processor in each part.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {
    **os.environ,
    "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
    "PYTHONPATH": f"{ROOT / 'extensions'}:{ROOT / '.collections'}",
}


def told(url: str) -> dict:
    with urllib.request.urlopen(f"{url}/_sandbox/usage") as answer:
        return json.load(answer)


def part(name: str, url: str, work) -> None:
    before, started = told(url), time.perf_counter()
    work()
    took, after = time.perf_counter() - started, told(url)
    cpu, requests = after["cpu_seconds"] - before["cpu_seconds"], after["requests"] - before["requests"]
    print(
        f"{name}: {requests} requests in {took:.1f} s ({requests / took:.0f}/s); the sandbox used {cpu:.1f} s of the "
        f"processor, {cpu / requests * 1000:.2f} ms a request, {cpu / took:.0%} of one core",
        flush=True,
    )


def hammer(url: str, environments: dict, requests: int = 4000) -> None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    known = list(environments.values())
    for n in range(requests):
        env = known[n % len(known)]
        path = ("", "sources", f"spaces/{env['space']['id']}", "labels")[n % 4]
        connection.request(
            "GET", f"/segment/{env['region']}/{path}", headers={"Authorization": f"Bearer {env['segment_token']}"}
        )
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status


def connect(inventory: str) -> None:
    command = [Path(sys.executable).with_name("ansible-playbook"), "-i", inventory, ROOT / "playbooks/connect.yml"]
    subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True)


def main() -> None:
    count = sys.argv[1] if len(sys.argv) > 1 else "50"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--quiet", "--environments", count]
        started = time.perf_counter()
        with subprocess.Popen(
            [*command, "--inventory", f"{folder}/inventory"], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
        ) as server:
            try:
                url = server.stdout.readline().split()[2].removesuffix("/_sandbox")
                print(f"{count} environments and their inventory: {time.perf_counter() - started:.1f} s", flush=True)
                with urllib.request.urlopen(f"{url}/_sandbox") as answer:
                    environments = json.load(answer)["environments"]
                part("reads, one client", url, lambda: hammer(url, environments))
                part("connect, the first time", url, lambda: connect(f"{folder}/inventory"))
                part("connect, nothing to do", url, lambda: connect(f"{folder}/inventory"))
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
