# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Passes TCP on, late if asked to, and counts connections and TLS handshakes. The bytes are not looked into."""

from __future__ import annotations

import asyncio
import contextlib
import threading


class Proxy:
    """A listener on a free port of the loopback interface, in a thread of its own.

    Args:
        port: Where the bytes go.

    Attributes:
        delay: Seconds of a round trip. A connection costs one round trip before its first byte arrives, as TCP does,
            and every byte half of one in each direction. TLS then pays its own way.
        connections: How many were opened.
        handshakes: How many of them began with a TLS handshake.
    """

    def __init__(self, port: int) -> None:
        self.target, self.port = port, 0
        self.delay = 0.0
        self.connections = self.handshakes = 0
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        threading.Thread(target=self._serve, args=(ready,), daemon=True).start()
        ready.wait(10)

    def _serve(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=1024))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        opened = self.loop.time()
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
        await asyncio.gather(
            self._pass(reader, there_writer, opened + self.delay, count=True), self._pass(there_reader, writer, 0.0)
        )

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, earliest: float, count: bool = False
    ) -> None:
        """Read on while older bytes are still on their way."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, data = await under_way.get()
                if (wait := due - self.loop.time()) > 0:
                    await asyncio.sleep(wait)
                if not data:
                    break
                writer.write(data)
                await writer.drain()
            writer.close()

        delivery = asyncio.ensure_future(deliver())
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if count:
                    self.handshakes += data[:1] == b"\x16"
                    count = False
                under_way.put_nowait((max(self.loop.time(), earliest) + self.delay / 2, data))
        under_way.put_nowait((self.loop.time() + self.delay / 2, b""))
        with contextlib.suppress(ConnectionError):
            await delivery
