# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m sandbox``: serve simulated Segment and Twilio, on the loopback interface unless forced."""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
import signal
import sys
import typing as t
from pathlib import Path

from . import inventory, state
from .world import World

EPILOG = """\
GET /_sandbox names every URL, workspace, space, token and account; /console/ has the console pages to click through.
Everything else is in docs/sandbox.md."""


class Unusable(Exception):
    """An option that cannot be used; the message says what to do."""


def options() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Simulated Segment and Twilio, for rehearsals. Nothing here talks to a real service.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=int,
        default=os.environ.get("SANDBOX_PORT", "8765"),
        help="0 takes a free one (default: the environment variable SANDBOX_PORT, else 8765)",
    )
    parser.add_argument(
        "--allow-remote",
        action="store_true",
        help="let --host be an address that other machines can reach; whoever reaches it can do everything here",
    )
    parser.add_argument(
        "--environments",
        metavar="N|NAMES",
        help="instead of dev, prod and eu: a number of them, or their names, as in staging,production:eu "
        "(:eu is the EU region)",
    )
    parser.add_argument(
        "--inventory", type=Path, metavar="FOLDER", help="write an inventory for the environments into this folder"
    )
    parser.add_argument(
        "--variables",
        type=Path,
        metavar="FILE",
        help="write variables that send hosts of the same names in an inventory of your own here: "
        "ansible-playbook -i yours -e @FILE",
    )
    parser.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="go on with what this file holds, and save to it at the end and on POST /_sandbox/save",
    )
    parser.add_argument(
        "--https",
        type=Path,
        metavar="CA_FILE",
        help="serve HTTPS with a certificate of its own; what verifies it is written to CA_FILE, for unified_profiles_ca_path",
    )
    parser.add_argument("--quiet", action="store_true", help="no line for each request")
    return parser


# What the collection itself does not need.
LIBRARIES = ("starlette", "uvicorn", "jinja2")
# What YAML or Ansible takes for something else than a host of this name.
RESERVED = {
    *("true", "false", "yes", "no", "on", "off", "y", "n", "null", "none", "nan", "inf"),
    *("all", "ungrouped", "localhost", "unified_profiles"),
}


def main(arguments: t.Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    given = options().parse_args(arguments)
    try:
        serve(given)
    except (Unusable, inventory.InventoryError, state.StateError) as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    return 0


def serve(given: argparse.Namespace) -> None:
    """Serve until a signal comes.

    Raises:
        Unusable: An option cannot be used.
        InventoryError, StateError: A file cannot be read or written.
    """
    try:
        from .faults import Faults
        from .server import bind, make_server, own_certificate
    except ModuleNotFoundError as error:
        if error.name not in LIBRARIES:
            raise
        raise Unusable(
            f"the Python library {error.name} is missing, which only the sandbox needs: pip install starlette uvicorn."
        ) from None
    world = world_of(given)
    address = address_of(given.host, given.port, given.allow_remote)
    try:
        sock = bind(address, given.port)
    except OSError as error:
        raise Unusable(
            f"{address} port {given.port} cannot be used ({error.strerror}): choose another with --port, or 0 for a free one."
        ) from None
    server = make_server(world, Faults(world), address)
    if given.https:
        try:
            own_certificate(server, given.https, given.host)
        except ImportError:
            raise Unusable("--https needs the Python library trustme: pip install trustme.") from None
        except OSError as error:
            raise Unusable(f"--https {given.https} cannot be written ({error.strerror}): name another file.") from None
    host, port = sock.getsockname()[:2]
    url = f"{'https' if given.https else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
    if given.inventory:
        inventory.write(world, url, given.inventory, given.https)
    if given.variables:
        inventory.write_variables(world, url, given.variables, given.https)
    if given.state:
        # What cannot be written is better known now than at the end.
        state.save(world, given.state)

    def stop(number: int, frame: object) -> None:
        server.should_exit = True

    # While it runs the server handles both signals itself; this is for before, and for when it raises them again after.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    announce(given, url)
    if not given.quiet:
        world.log = lambda line: print(line, flush=True)

    server.run(sockets=[sock])
    if given.state:
        state.save(world, given.state)
        print(f"sandbox: state saved to {given.state}", flush=True)


def world_of(given: argparse.Namespace) -> World:
    """The world that the options ask for.

    Raises:
        Unusable: The file of ``--state`` holds other environments.
        StateError: The file cannot be used.
    """
    world = World() if given.environments is None else World(environments(given.environments))
    if given.state and given.state.exists():
        asked = dict(world.seeds)
        state.load(world, given.state)
        if given.environments is not None and dict(world.seeds) != asked:
            raise Unusable(f"{given.state} holds other environments: leave --environments out, or name a new file.")
    world.state_file = given.state
    return world


def announce(given: argparse.Namespace, url: str) -> None:
    """Say where the sandbox is, and what uses it."""
    print(f"sandbox ready: {url}/_sandbox  console pages: {url}/console/", flush=True)
    if given.https:
        print(f"unified_profiles_ca_path: {given.https.resolve()}", flush=True)
    if given.inventory:
        print(f"inventory: ansible-playbook -i {given.inventory} playbooks/connect.yml", flush=True)
    if given.variables:
        print(
            f"variables: ansible-playbook -i <your inventory> -e @{given.variables} playbooks/connect.yml", flush=True
        )


def environments(text: str) -> int | list[tuple[str, str]]:
    """Return how many environments, or their names and regions.

    Raises:
        Unusable: Neither.
    """
    if re.fullmatch("[0-9]{1,6}", text) and 1 <= int(text) <= 100_000:
        return int(text)
    found = re.fullmatch(r"[A-Za-z_][\w.-]*(:eu|:us)?(,[A-Za-z_][\w.-]*(:eu|:us)?)*", text, re.ASCII)
    pairs = [(name, region or "us") for name, _unused, region in (item.partition(":") for item in text.split(","))]
    if not found or len({name for name, _unused in pairs}) < len(pairs):
        raise Unusable("--environments takes a number from 1 to 100000, or different names: staging,production:eu.")
    for name, _unused in pairs:
        if name.lower() in RESERVED:
            raise Unusable(
                f"--environments: YAML or Ansible takes {name} for something else than a host: name it otherwise."
            )
        if len(name) > 100:
            raise Unusable("--environments: a name has at most 100 characters.")
    return pairs


def address_of(host: str, port: int, allow_remote: bool) -> str:
    """The IP address to listen on.

    Raises:
        Unusable: It is none, not loopback and not forced, or the port is no port.
    """
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
    except ValueError:
        raise Unusable(f"--host {host} is not an IP address or localhost.") from None
    if not (address.is_loopback or allow_remote):
        raise Unusable(
            f"--host {host} can be reached from other machines, and whoever reaches the sandbox can do everything in it. "
            "Add --allow-remote if that is wanted."
        )
    if not 0 <= port <= 65535:
        raise Unusable(f"--port {port} is no port: take one from 1 to 65535, or 0 for a free one.")
    return str(address)


if __name__ == "__main__":
    sys.exit(main())
