# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates and proxies, with real sockets on loopback."""

from __future__ import annotations

import base64
import datetime
import http.server
import ipaddress
import ssl
import threading

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import (
    OptionError,
    TlsFailure,
    Unreachable,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.service import Service
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import HttpSettings, Transport
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Answers(http.server.BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = b'{"data": 1}'
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server():
    handler = type("Handler", (Answers,), {"asked": []})
    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture
def certificate(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "ca.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def tls_url(server, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return f"https://127.0.0.1:{server.server_address[1]}"


def get(url, **settings):
    transport = Transport(HttpSettings(retry_budget=0.5, **settings))
    try:
        return Service(transport, "Test API", url, None, "token", "url").get("/x").get("data", int)
    finally:
        transport.close()


def test_an_untrusted_certificate_is_refused_and_names_ca_path(tls_url):
    with pytest.raises(TlsFailure) as caught:
        get(tls_url)
    assert "ca_path" in caught.value.next_step


def test_a_ca_file_is_trusted(tls_url, certificate):
    assert get(tls_url, ca_path=str(certificate)) == 1


def test_the_check_can_be_switched_off(tls_url):
    assert get(tls_url, validate_certs=False) == 1


def test_a_ca_file_that_is_none_names_the_option(tls_url, tmp_path):
    with pytest.raises(OptionError, match="ca_path"):
        get(tls_url, ca_path=str(tmp_path / "nowhere.pem"))


@pytest.fixture
def proxy():
    """A proxy that lets nobody through, and says whom it turned away; its URL, and what it was asked."""

    class Refuses(http.server.BaseHTTPRequestHandler):
        asked: list[str] = []

        def do_CONNECT(self) -> None:
            self.asked.append(self.requestline)
            said = base64.b64decode(self.headers["proxy-authorization"].split()[1]).decode()
            self.send_response(407, f"Denied for {said}")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"jane-the-user:correct%20horse@127.0.0.1:{found.server_address[1]}", Refuses.asked
        found.shutdown()


@pytest.mark.parametrize("source", ["proxy", "https_proxy", "ALL_PROXY"])
def test_a_proxy_that_refuses_is_asked_once_and_named(proxy, monkeypatch, source):
    url, asked = proxy
    for name in ("https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    if source != "proxy":
        monkeypatch.setenv(source, url)
    with pytest.raises(Unreachable) as caught:
        get("https://api.test", proxy=url if source == "proxy" else None)
    assert asked == ["CONNECT api.test:443 HTTP/1.1"]
    assert f"the proxy named by {source} answered 407 Denied for <secret>:<secret>." in caught.value.message
    assert source in caught.value.next_step
    assert "jane" not in caught.value.full_message
    assert "horse" not in caught.value.full_message


def test_loopback_is_reached_without_the_proxy(server, proxy, tls_url):
    url, asked = proxy
    assert get(tls_url, proxy=url, validate_certs=False) == 1
    assert asked == []


def test_plain_http_is_never_sent_to_a_proxy(server, proxy):
    url, asked = proxy
    assert get(f"http://127.0.0.1:{server.server_address[1]}", proxy=url) == 1
    assert asked == []
