# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""httpx's transport over httpcore: httpx's own has no option for the network backend, which keeps the deadline."""

from __future__ import annotations

import contextlib
import ssl
import types
import typing as t
import urllib.parse
from collections.abc import Iterator

# What is missing is reported by libraries.py, before this file is used; checkers import it all the same.
try:
    import httpcore
    import httpx
except ImportError:
    _NAMES = ("NetworkError", "ProtocolError", "ProxyError", "TimeoutException", "UnsupportedProtocol")
    httpcore = t.cast(t.Any, types.SimpleNamespace(**dict.fromkeys(_NAMES, Exception)))
    httpx = t.cast(t.Any, types.SimpleNamespace(BaseTransport=object, SyncByteStream=object))

from .proxy import Proxy

# Both libraries call them the same. What else httpcore raises is a defect.
ERRORS = (
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)
# Seconds without a request, after which a connection is opened again: a server may close it while a request is on its way.
IDLE = 5.0


class PoolTransport(httpx.BaseTransport):
    """Sends over one connection, made again where it was closed: a pool of one.

    Args:
        backend: Makes the connection.
        tls: How servers are checked, and a proxy that is reached with TLS.
        proxy: The proxy on the way.

    Raises:
        ValueError: The proxy's scheme is none that there is.
        RuntimeError: It is a SOCKS proxy, and socksio is not installed.
    """

    def __init__(self, backend: httpcore.NetworkBackend, tls: ssl.SSLContext, proxy: Proxy | None) -> None:
        options: dict[str, t.Any] = {
            "ssl_context": tls,
            "network_backend": backend,
            "max_connections": 1,
            "keepalive_expiry": IDLE,
        }
        if proxy is None:
            self._pool = httpcore.ConnectionPool(**options)
            return
        parts = urllib.parse.urlsplit(proxy.url)
        user, password = proxy.credentials
        options["proxy_url"] = httpcore.URL(scheme=parts.scheme, host=parts.hostname or "", port=parts.port, target="/")
        options["proxy_auth"] = (user.encode(), password.encode()) if user or password else None
        if parts.scheme in ("http", "https"):
            own_tls = tls if parts.scheme == "https" else None
            self._pool = httpcore.HTTPProxy(proxy_ssl_context=own_tls, **options)
        elif parts.scheme in ("socks5", "socks5h"):
            self._pool = httpcore.SOCKSProxy(**options)
        else:
            raise ValueError(parts.scheme)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        with _errors_of_httpx():
            response = self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    target,
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response.stream))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, stream: t.Any) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        with _errors_of_httpx():
            yield from self._stream

    def close(self) -> None:
        self._stream.close()


@contextlib.contextmanager
def _errors_of_httpx() -> Iterator[None]:
    try:
        yield
    except ERRORS as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error
