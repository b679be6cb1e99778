# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make bench`: the collection against what one would write by hand, against Ansible's floor, and against bare HTTP.

Everything runs against the sandbox behind a proxy that counts connections and can delay them. Contestants take turns within
a round; what is reported are medians of the rounds and ratios of one run. `--full` is what docs/performance.md shows.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import ansible
import ansible_mitogen
import httpx
import mitogen
import yaml
from proxy import Proxy
from tables import show, show_limits
from where import where

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# By core: where ansible-playbook is.
BIN = {"newest": Path(sys.executable).parent, "2.16": ROOT / ".venv-bench-2.16/bin"}
MITOGEN = {
    "ANSIBLE_STRATEGY": "mitogen_linear",
    "ANSIBLE_STRATEGY_PLUGINS": str(Path(ansible_mitogen.__file__).parent / "plugins/strategy"),
}
SCENARIOS = ("first", "nothing", "recover")
PLAYBOOK = {
    "first": "connect",
    "nothing": "connect",
    "limit": "connect",
    "recover": "recover",
    "one": "recover",
    "drift": "drift",
    "export": "export",
}
REPORT = "TASK [Write the report and show what is to be done]"
# They know no scenarios.
IDLE = {"floor": HERE / "floor.yml", "start": HERE / "start.yml"}
# Where the ledgers are, beside an inventory.
STATE = ".unified_profiles"
SECRETS = ("segment_token", "profile_token", "twilio_api_key", "twilio_api_secret", "gateway_token")


def settings_of(checkout: Path) -> dict[str, str]:
    """The environment variables of a run from a checkout."""
    return {
        "ANSIBLE_CONFIG": str(checkout / "ansible.cfg"),
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_DEPRECATION_WARNINGS": "false",
        "PYTHONPATH": f"{checkout / '.collections'}:{checkout / 'extensions'}",
    }


SETTINGS = settings_of(ROOT)


def report_seconds(log: Path) -> float:
    """Return how long the report's task took, by the times in Ansible's log; 0 where there was none."""
    # Headers, as "2026-11-27 08:40:11,202 p=4711 ... | TASK [...]".
    lines = [line for line in log.read_text().splitlines() if "| TASK [" in line or "| PLAY " in line]
    times = [datetime.datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f") for line in lines]
    took = (end - start for line, start, end in zip(lines, times, times[1:]) if REPORT in line)
    return sum(took, datetime.timedelta()).total_seconds()


@dataclass(frozen=True)
class Part:
    """Who runs against how many environments, how far away, how often; where the secrets are, and on which
    ansible-core.

    ``then`` goes on with what this part has connected: a first connect of a thousand takes longer than all the rest.
    """

    environments: int
    contestants: tuple[str, ...]
    rounds: int
    scenarios: tuple[str, ...] = SCENARIOS
    delay: float = 0.0
    https: bool = False
    layout: str = "inline"
    core: str = "newest"
    limits: str = ""
    then: tuple[Part, ...] = ()


ALL = ("uri", "mitogen", "ours", "role", "start", "floor", "raw")
NOTHING = ("nothing",)
SHORT = (
    Part(1, ALL, 1),
    Part(1, ("ours", "start", "raw"), 1, NOTHING, delay=0.1, https=True),
    Part(3, ("ours", "raw"), 1, NOTHING, layout="example", core="2.16"),
    Part(10, ("mitogen", "ours", "start", "floor", "raw"), 1, NOTHING),
    Part(
        5,
        ("ours",),
        1,
        NOTHING,
        then=(
            Part(5, ("ours",), 1, NOTHING, layout="example"),
            Part(5, ("ours",), 1, ("drift", "export", "limit", "one")),
        ),
    ),
)
THOUSAND = (
    Part(1000, ("ours",), 1, ("drift", "export", "limit")),
    Part(1000, ("floor", "start", "raw"), 1, NOTHING),
    Part(1000, ("ours", "raw"), 1, NOTHING, layout="example"),
    Part(1000, ("ours", "raw"), 1, NOTHING, layout="example", core="2.16"),
    Part(1000, ("ours", "raw"), 1, NOTHING, core="2.16"),
    Part(1000, ("ours",), 1, ("one",)),
)
# What matters most comes first: results are written after every run, and a full run may be ended early.
FULL = (
    Part(1, ("ours", "start", "raw"), 5, ("first", "nothing"), delay=0.1, https=True),
    Part(1000, ("ours",), 1, ("first", "nothing"), then=THOUSAND),
    Part(50, ("before", "ours"), 1, ("first", "nothing")),
    Part(50, ("ours", "floor", "raw"), 2),
    Part(50, ("mitogen", "uri"), 1, NOTHING),
    Part(1, ALL, 5),
    Part(200, ("ours", "start", "floor", "raw"), 1),
    Part(50, ("mitogen", "uri", "role"), 1, ("first", "recover")),
    Part(1, ("ours", "start", "raw"), 5, ("first", "nothing"), delay=0.1),
    Part(1, ("ours", "start", "raw"), 5, ("first", "nothing"), https=True),
)
# Rate limits as Segment publishes them, counted by address and token; and as it would be if all environments shared one count.
LIMITS = (
    Part(200, ("ours",), 1, ("first", "nothing"), limits="token"),
    Part(100, ("ours",), 1, ("first",), limits="address"),
)


@dataclass(frozen=True)
class Measured:
    """One run. Seconds, of these the report's, MiB of the largest process (Ansible's parent), and what reached the services."""

    contestant: str
    scenario: str
    environments: int
    delay: float
    https: bool
    layout: str
    core: str
    limits: str
    wall: float
    report: float
    cpu: float
    peak: float
    requests: int
    connections: int
    handshakes: int
    refused: int


class Stage:
    """A sandbox of some environments, behind a proxy, and an older checkout to run against it if there is one."""

    def __init__(self, folder: Path, part: Part, control: str, proxy: Proxy, before: Path | None) -> None:
        self.folder, self.control, self.proxy, self.before = folder, control, proxy, before
        # Bare HTTP takes its tokens from the inventory as the sandbox writes it.
        self.plain = folder / "inventory"
        self.enter(part)
        self.ca_file = folder / "ca.pem"
        self.url = f"{'https' if part.https else 'http'}://127.0.0.1:{proxy.port}"
        verify = httpx.create_ssl_context(verify=str(self.ca_file)) if part.https else True
        self.client = httpx.Client(base_url=control, verify=verify, trust_env=False, timeout=60)

    def enter(self, part: Part) -> None:
        """Go on with a part, on what is here."""
        self.part = part
        self.inventory = self.plain if part.layout == "inline" else self._as_in_the_example()
        self.vault = ["--vault-password-file", str(self.folder / "password")] if part.layout == "example" else []

    def _as_in_the_example(self) -> Path:
        """The inventory with its secrets in an encrypted file of its own."""
        inventory = self.folder / "example"
        if inventory.exists():
            return inventory
        shutil.copytree(self.plain, inventory, ignore=shutil.ignore_patterns(STATE))
        (inventory / STATE).symlink_to(self.plain / STATE)
        hosts = yaml.safe_load((inventory / "hosts.yml").read_text())
        secret: dict[str, dict[str, str]] = {}
        for name, settings in hosts["unified_profiles"]["hosts"].items():
            secret[name] = {option: settings.pop(option) for option in [f"unified_profiles_{name}" for name in SECRETS]}
        (inventory / "hosts.yml").write_text(yaml.safe_dump(hosts))
        (inventory / "vault.yml").write_text(yaml.safe_dump({"unified_profiles": {"hosts": secret}}))
        (self.folder / "password").write_text("of the benchmark\n")
        command = [BIN["newest"] / "ansible-vault", "encrypt", "--vault-password-file", self.folder / "password"]
        subprocess.run([*command, inventory / "vault.yml"], check=True, stderr=subprocess.DEVNULL)
        return inventory

    def tell(self, what: str, **body: object) -> None:
        self.client.post(what, json=body).raise_for_status()

    def prepare(self, scenario: str) -> None:
        if scenario == "first":
            self.tell("/reset")
            shutil.rmtree(self.plain / STATE, ignore_errors=True)
        else:
            self.tell("/clock", advance=120)
        if scenario in ("recover", "one"):
            names = list(self.client.get(self.control).json()["environments"])
            for name in names[:1] if scenario == "one" else names:
                self.tell("/sabotage", environment=name, name="delete-source")
        self.tell("/switches", rate_limits=bool(self.part.limits), rate_limit_scope=self.part.limits or "token")

    def refused(self) -> int:
        # A child's peak begins with what this process has when it forks, so a thousand environments' journal must stay out.
        if not self.part.limits:
            return 0
        return sum(entry["status"] == 429 for entry in self.client.get("/journal").json()["journal"])

    def command(self, contestant: str, scenario: str) -> list[str]:
        if contestant == "raw":
            ca_file = [str(self.ca_file)] if self.part.https else []
            return [sys.executable, str(HERE / "raw.py"), PLAYBOOK[scenario], str(self.plain), self.url, *ca_file]
        if contestant == "role":
            playbook = HERE / f"role_{PLAYBOOK[scenario]}.yml"
        else:
            folders = {"uri": HERE / "uri", "mitogen": HERE / "uri", "before": (self.before or ROOT) / "playbooks"}
            folder = folders.get(contestant, ROOT / "playbooks")
            playbook = IDLE.get(contestant, folder / f"{PLAYBOOK[scenario]}.yml")
        command = [str(BIN[self.part.core] / "ansible-playbook"), str(playbook), "-i", str(self.inventory), *self.vault]
        command += ["-e", f"unified_profiles_sandbox_url={self.url}"]
        if contestant in ("uri", "mitogen"):
            command += ["-e", f"ansible_python_interpreter={sys.executable}"]
        if scenario == "recover" and contestant in ("ours", "role", "before"):
            # So many sources are never deleted at once but here.
            command += ["-e", "unified_profiles_recover_max_percentage=100"]
        if scenario == "limit":
            command += ["--limit", next(iter(self.client.get(self.control).json()["environments"]))]
        if scenario == "export":
            command += ["-e", f"unified_profiles_export_dir={self.folder / 'exported'}"]
        if self.part.limits == "address":
            # Segment answers a request of each snapshot twice a minute: a hundred would take fifty.
            command += ["-e", "unified_profiles_retry_budget=600", "-e", "unified_profiles_snapshot=false"]
        return command

    def run(self, contestant: str, scenario: str) -> Measured:
        self.prepare(scenario)
        environment = {**os.environ, **settings_of(self.before if contestant == "before" and self.before else ROOT)}
        if contestant in ("mitogen", "role"):
            environment |= MITOGEN
        if self.part.https:
            environment["SSL_CERT_FILE"] = str(self.ca_file)
        log, times = self.folder / "log.txt", self.folder / "times.txt"
        times.write_text("")
        environment["ANSIBLE_LOG_PATH"] = str(times)
        proxy, asked, refused = self.proxy, self.client.get("/usage").json()["requests"], self.refused()
        connections, handshakes = proxy.connections, proxy.handshakes
        proxy.delay = self.part.delay
        started = time.perf_counter()
        with log.open("w") as out:
            process = subprocess.Popen(
                self.command(contestant, scenario), env=environment, stdout=out, stderr=out, stdin=subprocess.DEVNULL
            )
            _unused, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            sys.exit(f"{contestant} failed in {scenario}:\n{log.read_text()[-3000:]}")
        return Measured(
            contestant,
            scenario,
            self.part.environments,
            self.part.delay,
            self.part.https,
            self.part.layout,
            self.part.core,
            self.part.limits,
            round(wall, 3),
            round(report_seconds(times), 3),
            round(usage.ru_utime + usage.ru_stime, 3),
            round(usage.ru_maxrss / 1024, 1),
            self.client.get("/usage").json()["requests"] - asked,
            proxy.connections - connections,
            proxy.handshakes - handshakes,
            self.refused() - refused,
        )


@contextlib.contextmanager
def stage(part: Part, before: Path | None = None) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--quiet", "--environments", str(part.environments)]
        command += ["--inventory", str(folder / "inventory")]
        if part.https:
            command += ["--https", str(folder / "ca.pem")]
        with subprocess.Popen(command, env={**os.environ, **SETTINGS}, stdout=subprocess.PIPE, text=True) as server:
            try:
                control = server.stdout.readline().split()[2]
                yield Stage(folder, part, control, Proxy(int(control.rpartition(":")[2].partition("/")[0])), before)
            finally:
                server.terminate()


def perform(part: Part, before: Path | None) -> Iterator[Measured]:
    with stage(part, before) as on:
        for _round in range(part.rounds):
            for contestant in part.contestants:
                if contestant == "before" and before is None:
                    continue
                if part.scenarios[0] != "first" and contestant not in IDLE:
                    # Only the collection keeps a ledger, and has something to record where it is not there.
                    on.run(contestant if contestant in ("ours", "before") else "raw", "first")
                for scenario in NOTHING if contestant in IDLE else part.scenarios:
                    yield on.run(contestant, scenario)
        for sequel in part.then:
            on.enter(sequel)
            for contestant in sequel.contestants:
                for scenario in sequel.scenarios:
                    yield on.run(contestant, scenario)


def price(environments: int) -> dict[str, object]:
    """Return where the time of a connect with nothing to do goes."""
    with stage(Part(environments, (), 0)) as on:
        on.run("ours", "first")
        on.prepare("nothing")
        return {"environments": environments, "seconds": where(on.command("ours", "nothing"), SETTINGS)}


def machine() -> dict[str, object]:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "ansible_core": ansible.__version__,
        "httpx": httpx.__version__,
        "mitogen": ".".join(map(str, mitogen.__version__)),
        "load_before": round(os.getloadavg()[0], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="everything, for docs/performance.md")
    parser.add_argument("--before", type=Path, help="an older checkout, set up, to measure beside this one")
    parser.add_argument("--limits", action="store_true", help="two hundred environments under rate limits instead")
    parser.add_argument(
        "--out", type=Path, help="folder for results (default: build/bench, or docs/performance with --full)"
    )
    given = parser.parse_args()
    out = given.out or ROOT / ("docs/performance" if given.full or given.limits else "build/bench")
    file = out / ("limits.json" if given.limits else "results.json")
    out.mkdir(parents=True, exist_ok=True)
    document: dict = {"machine": machine(), "runs": []}
    started = time.perf_counter()
    if not given.limits:
        document["where"] = price(200 if given.full else 20)
    for part in LIMITS if given.limits else FULL if given.full else SHORT:
        for measured in perform(part, given.before and given.before.resolve()):
            document["runs"].append(asdict(measured))
            print(f"{time.perf_counter() - started:6.0f} s  {measured}", flush=True)
            file.write_text(json.dumps(document, indent=1) + "\n")
    document["seconds"] = round(time.perf_counter() - started)
    file.write_text(json.dumps(document, indent=1) + "\n")
    print((show_limits if given.limits else show)(document, out))


if __name__ == "__main__":
    main()
