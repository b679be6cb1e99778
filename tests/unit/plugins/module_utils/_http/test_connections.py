# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that environments share, with real sockets on loopback."""

from __future__ import annotations

import http.server
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import BudgetExceeded
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.auth import Bearer
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import (
    Connections,
    HttpSettings,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.proxy import proxy_for
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.service import Service
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only


class Host:
    """A server that keeps connections open, counts them, and sets a cookie with each answer. ``/silent`` it never answers."""

    def __init__(self):
        self.connections, self.headers, self.over = [], [], threading.Event()
        self.closed = threading.Semaphore(0)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Without it each answer waits for the acknowledgement of its head.
            wbufsize = -1

            def setup(self):
                super().setup()
                outer.connections.append(self.connection)

            def finish(self):
                super().finish()
                outer.closed.release()

            def do_GET(self):
                outer.headers.append(self.headers)
                if self.path == "/silent":
                    outer.over.wait(20)
                    return
                self.send_response(200)
                self.send_header("content-length", "2")
                self.send_header("set-cookie", "session=of-the-first; Path=/")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def hosts():
    found = [Host() for _host in range(5)]
    yield found
    for host in found:
        host.close()


def service(connections, url, token="token", **settings):
    transport = Transport(HttpSettings(**settings), connections=connections)
    return Service(transport, "Segment", url, auth=Bearer(Secret(token)), credentials="token", url_option="url")


def test_at_most_one_connection_for_each_thread_and_host(hosts):
    """200 environments of six threads at five hosts."""
    connections, threads, environments = Connections(), 6, 200

    def look(number):
        for host in hosts:
            environment = service(connections, host.url, f"token-{number}")
            assert environment.get("/").status == 200
            environment.transport.close()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(look, range(environments)))
    assert [len(host.headers) for host in hosts] == [environments] * len(hosts)
    assert all(0 < len(host.connections) <= threads for host in hosts)
    connections.close()


def test_authorization_goes_with_the_request_and_cookies_with_none(hosts):
    connections, host = Connections(), hosts[0]
    for token in ("first", "second", "first"):
        service(connections, host.url, token).get("/")
    assert len(host.connections) == 1
    assert [headers["Authorization"] for headers in host.headers] == ["Bearer first", "Bearer second", "Bearer first"]
    assert not any("Cookie" in headers for headers in host.headers)
    connections.close()


def test_only_its_own_connections_are_closed_with_a_transport(hosts):
    connections, host = Connections(), hosts[0]
    for _time in range(2):
        shared = service(connections, host.url)
        shared.get("/")
        shared.transport.close()
    assert len(host.connections) == 1
    alone = service(None, host.url)
    alone.get("/")
    assert len(host.connections) == 2
    alone.transport.close()
    assert host.closed.acquire(timeout=20)
    service(connections, host.url).get("/")
    assert len(host.connections) == 2, "those that are shared are still open"
    connections.close()
    assert host.closed.acquire(timeout=20)


def test_one_environments_deadline_does_not_end_anothers_exchange(hosts):
    """Over the same connections, while one host is silent to some."""
    connections, host = Connections(), hosts[0]

    def hang(number):
        with pytest.raises(BudgetExceeded):
            service(connections, host.url, f"hangs-{number}", timeout=0.2, retry_budget=0.0).get("/silent")

    def look(number):
        environment = service(connections, host.url, f"token-{number}", timeout=20.0, retry_budget=0.0)
        for _time in range(20):
            assert environment.get("/").status == 200

    with ThreadPoolExecutor(8) as pool:
        for job in [pool.submit(hang if number % 2 else look, number) for number in range(8)]:
            job.result(60)
    connections.close()


def test_what_is_under_way_when_they_are_closed_is_closed_after_it(hosts):
    connections, host = Connections(), hosts[0]
    with connections.borrow(host.url, HttpSettings(), None) as connection:
        connections.deadline.start(20)
        connections.close()
        response = connection.handle_request(httpx.Request("GET", host.url))
        assert response.read() == b"{}"
        response.close()
    assert host.closed.acquire(timeout=20)


def test_what_the_server_closed_is_opened_again(hosts):
    connections, host = Connections(), hosts[0]
    environment = service(connections, host.url)
    environment.get("/")
    host.connections[0].shutdown(socket.SHUT_RDWR)
    assert environment.get("/").status == 200
    assert len(host.connections) == 2
    connections.close()


def test_who_waits_for_a_proxy_waits_no_longer_than_its_exchange_may():
    """The first one through it may hang, as on a name server."""
    connections, over = Connections(), threading.Event()
    proxy = proxy_for("https", "api.example.com", 443, "http://user:password@proxy.example.com:3128")

    def second():
        connections.deadline.start(0.01)
        with connections._asked_once(proxy):
            over.set()

    with connections._asked_once(proxy):
        threading.Thread(target=second, daemon=True).start()
        assert over.wait(60)
