# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m sandbox``: serve simulated Segment and Twilio on the loopback interface."""

from __future__ import annotations

import argparse
import os
import sys

from .server import bind, make_server
from .world import World


def main() -> int:
    parser = argparse.ArgumentParser(prog="sandbox", description="Simulated Segment and Twilio.")
    parser.add_argument(
        "--port",
        type=int,
        default=int(os.environ.get("SANDBOX_PORT", "8765")),
        help="port on 127.0.0.1; 0 takes a free one (default: the environment variable SANDBOX_PORT, else 8765)",
    )
    port = parser.parse_args().port
    try:
        sock = bind("127.0.0.1", port)
    except OSError as error:
        print(f"sandbox: port {port} cannot be used ({error.strerror}); choose another with --port.", file=sys.stderr)
        return 1
    # Listening from here on: whoever reads the line can connect at once.
    sock.listen(128)
    print(f"sandbox ready: http://127.0.0.1:{sock.getsockname()[1]}/_sandbox", flush=True)
    make_server(World()).run(sockets=[sock])
    return 0


if __name__ == "__main__":
    sys.exit(main())
