# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make demo`: the main job on the sandbox, start to end. Stops what it started."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from sandbox.server import SandboxHandle, run_sandbox

ROOT = Path(__file__).resolve().parent.parent
STEPS = ("connection", "link", "key")


def say(text: str) -> None:
    print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)


def play(name: str, url: str, inventory: Path, *arguments: str) -> None:
    """Run a playbook, quietly, and show what its survey found due, what its tasks changed, and the report."""
    shown = " ".join([f"ansible-playbook playbooks/{name}.yml -i inventories/sandbox", *arguments])
    command: list[str | Path] = [
        Path(sys.executable).with_name("ansible-playbook"),
        "-i",
        inventory,
        ROOT / f"playbooks/{name}.yml",
        *arguments,
    ]
    environment = {**os.environ, "SANDBOX_PORT": url.rpartition(":")[2], "ANSIBLE_NOCOLOR": "1"}
    print(f"$ {shown}", flush=True)
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(run.stdout + run.stderr)
    # The first of the list is no environment.
    told = run.stdout.partition("TASK [Report where something is due]")[2].partition("\nPLAY ")[0]
    due = sorted(re.findall(r"item=(\w+)\)", told)[1:])
    print(
        f"  survey: something is due in {', '.join(due)}"
        if due
        else "  survey: nothing is due, so no environment gets a task"
    )
    changes = dict(re.findall(r"^(\w+) +: ok=\d+ +changed=(\d+)", run.stdout, re.MULTILINE))
    for host in due:
        print(f"  {host:5} changed={changes[host]}")
    report(inventory, "report-check.json" if "--check" in arguments else "report.json")


def report(inventory: Path, name: str) -> None:
    found = json.loads((inventory / f".unified_profiles/{name}").read_text())["environments"]
    rows = [["environment", "status", *STEPS, "what was found, and why"]]
    for environment, of in sorted(found.items()):
        rows.append([environment, of["status"], *(of["steps"][step]["verdict"] for step in STEPS), of["why"]])
    widths = [max(len(row[n]) for row in rows) for n in range(5)]
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths)) + "  " + row[5])


def blind(inventory: Path, environment: str) -> None:
    """Give an environment a gateway that takes hand-overs and cannot show what is set in the consoles."""
    settings = yaml.safe_load((inventory / "group_vars/unified_profiles.yml").read_text())
    endpoints = settings["unified_profiles_endpoints"]
    taken = {
        step: {name: value for name, value in endpoint.items() if not name.startswith("read_")}
        for step, endpoint in endpoints.items()
    }
    (inventory / "host_vars").mkdir()
    (inventory / f"host_vars/{environment}.yml").write_text(yaml.safe_dump({"unified_profiles_endpoints": taken}))


def time_passes(sandbox: SandboxHandle, what: str) -> None:
    say(f"{what}: the sandbox's clock moves on, and agents wrap up five engagements in each environment.")
    sandbox.work(count=5)


def main() -> None:
    with run_sandbox() as sandbox, tempfile.TemporaryDirectory() as folder:
        inventory = Path(folder) / "sandbox"
        shutil.copytree(ROOT / "inventories/sandbox", inventory, ignore=shutil.ignore_patterns(".unified_profiles"))
        print("Simulated Segment and Twilio run at", sandbox.url, "- nothing here touches a real service.")
        blind(inventory, "prod")
        say(
            "1. Connect three environments that were never connected. A simulated gateway fills the consoles' forms in.\n"
            "   For dev and eu it also reads back what is set there now. For prod it only says that it is done."
        )
        play("connect", sandbox.url, inventory)
        time_passes(sandbox, "2. Work goes on")
        say("3. Connect again. Nothing changes, and now the engagements prove prod's hand-overs as well.")
        sandbox.clear_journal()
        play("connect", sandbox.url, inventory)
        print(f"  write requests sent: {len(sandbox.journal(writes=True))}")
        say("4. Sabotage: prod's source is deleted, dev's is renamed, eu's is disabled.")
        sandbox.sabotage("prod", "delete-source")
        sandbox.sabotage("dev", "rename-source", to="test, please ignore")
        sandbox.sabotage("eu", "disable-source")
        say(
            "5. A look at that, with --check: recover would repair all three, and says what was done to them, and by whom."
        )
        play("recover", sandbox.url, inventory, "--check")
        say("6. Recover repairs all that. prod has a new source, and no proof of its key yet.")
        play("recover", sandbox.url, inventory)
        time_passes(sandbox, "7. Work goes on")
        say("8. The verdicts after that: the engagements came through prod's new source.")
        play("connect", sandbox.url, inventory)
    print("\nThe sandbox is stopped. What was shown here was only ever run against the sandbox.")


if __name__ == "__main__":
    main()
