# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates and proxies, with real sockets on loopback."""

from __future__ import annotations

import base64
import contextlib
import datetime
import http.server
import ipaddress
import socket
import ssl
import sys
import threading
import time

import httpcore
import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import (
    OptionError,
    TlsFailure,
    Unreachable,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.certificates import (
    context_for,
    explain,
    tls_context,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import (
    Connections,
    HttpSettings,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.deadline import Deadline, DeadlineBackend
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.pool import PoolTransport
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.proxy import Proxy
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.service import Service
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only


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


def make_certificate(path, *, day=0, name="127.0.0.1", subject="sandbox", signed_by=None):
    """A certificate and its key, valid around a day from now; a CA of its own unless another one signs it."""
    key = ec.generate_private_key(ec.SECP256R1())
    named, issuer, signer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]), None, key
    if signed_by:
        pem = signed_by.read_bytes()
        issuer = x509.load_pem_x509_certificate(pem).subject
        signer = serialization.load_pem_private_key(pem, None)
    middle = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=day)
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(issuer or named)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(middle - datetime.timedelta(days=1))
        .not_valid_after(middle + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=not signed_by, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


def listen_with(server, certificate):
    """The server's URL, from now on with TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return f"https://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def certificate(tmp_path):
    return make_certificate(tmp_path / "ca.pem")


@pytest.fixture
def tls_url(server, certificate):
    return listen_with(server, certificate)


def get(url, **settings):
    transport = Transport(HttpSettings(retry_budget=0.5, **settings))
    try:
        return (
            Service(transport, "Test API", url, auth=None, credentials="token", url_option="url")
            .get("/x")
            .get("data", int)
        )
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


@pytest.mark.parametrize("source", ["ca_path", "SSL_CERT_FILE"])
@pytest.mark.parametrize(
    ("what", "words"), [("nothing", "No such file"), ("text", "certificate"), ("key", "certificate")]
)
def test_what_was_read_is_named(tls_url, tmp_path, certificate, monkeypatch, source, what, words):
    path = tmp_path / "ca"
    if what != "nothing":
        path.write_text("no certificate" if what == "text" else certificate.read_text().partition("-----BEGIN PRIV")[2])
    if source == "SSL_CERT_FILE":
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
    else:
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(OptionError, match=f"^{source}: no certificates could be read from {path} .*{words}") as caught:
        get(tls_url, ca_path=str(path))
    assert caught.value.facts == {"option": source}


def test_plain_http_needs_no_certificates(server):
    assert get(f"http://127.0.0.1:{server.server_address[1]}", ca_path="/nosuch") == 1


def test_a_path_with_a_character_that_no_path_has_is_no_defect():
    with pytest.raises(OptionError, match=r"^ca_path: no certificates could be read"):
        tls_context(True, "/a\0b")


def test_a_log_of_keys_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    """Python opens it with each context, and its error says nothing of the variable."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "nosuch/keys"))
    context_for.cache_clear()
    with pytest.raises(OptionError, match=r"^SSLKEYLOGFILE: cannot be written"):
        tls_context(True, None)
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    tls_context(True, None)
    context_for.cache_clear()


def test_an_empty_ca_path_means_the_default_ones(tls_url):
    with pytest.raises(TlsFailure, match="the server's certificate was refused: self-signed certificate"):
        get(tls_url, ca_path="")


@pytest.mark.parametrize(
    ("day", "name", "ca_path", "words", "way_out"),
    [
        (0, "127.0.0.1", False, "self-signed certificate", "set ca_path"),
        (0, "127.0.0.2", True, "IP address mismatch", "Check url, or have the certificate made for this name"),
        (-9, "127.0.0.1", True, "certificate has expired", "Have it renewed, or set this machine's clock"),
        (9, "127.0.0.1", True, "certificate is not yet valid", "clock"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told(server, tmp_path, day, name, ca_path, words, way_out):
    url = listen_with(server, make_certificate(tmp_path / "ca.pem", day=day, name=name))
    with pytest.raises(TlsFailure, match=f"the server's certificate.* was refused: .*{words}") as caught:
        get(url, ca_path=str(tmp_path / "ca.pem") if ca_path else None)
    assert way_out in caught.value.next_step
    assert ("ca_path" in caught.value.full_message) is not ca_path


def test_another_ca_than_the_one_that_is_trusted(tls_url, tmp_path, monkeypatch):
    other = make_certificate(tmp_path / "other.pem", subject="other")
    with pytest.raises(TlsFailure) as caught:
        get(tls_url, ca_path=str(other))
    assert f"ca_path ({other}) has no certificate of the CA that signed it" in caught.value.next_step
    monkeypatch.setenv("SSL_CERT_FILE", str(other))
    with pytest.raises(TlsFailure) as caught:
        get(tls_url, ca_path=str(other))
    assert f"SSL_CERT_FILE ({other}) has no certificate" in caught.value.next_step


def test_no_tls_at_all(server):
    with pytest.raises(TlsFailure) as caught:
        get(f"https://127.0.0.1:{server.server_address[1]}")
    assert "Check url: there may be no TLS there" in caught.value.next_step
    assert "ca_path" not in caught.value.full_message


@pytest.mark.parametrize(
    ("code", "said", "which"),
    [
        (
            92,
            "CA cert does not include key usage extension",
            "the CA's certificate in ca_path (/ca.pem) was refused: CA cert",
        ),
        (
            89,
            "Basic Constraints of CA cert not marked critical",
            "the CA's certificate in ca_path (/ca.pem) was refused: Basic",
        ),
        (
            85,
            "Missing Authority Key Identifier",
            "the server's certificate, or the CA's certificate in ca_path (/ca.pem) was",
        ),
    ],
)
def test_what_python_is_strict_about_names_the_certificate(code, said, which):
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, said
    told, way_out = explain(error, "/ca.pem", "url")
    assert told.startswith(which)
    assert told.endswith(said)
    assert "Python 3.13 and newer" in way_out
    assert "set ca_path" not in way_out


@pytest.mark.skipif(sys.version_info < (3, 13), reason="older ones are not strict")
def test_a_private_ca_without_key_usage(server, tmp_path):
    ca = make_certificate(tmp_path / "ca.pem", subject="ca")
    url = listen_with(server, make_certificate(tmp_path / "server.pem", signed_by=ca))
    with pytest.raises(TlsFailure, match=r"was refused: .*(key usage|Key Identifier)") as caught:
        get(url, ca_path=str(ca))
    assert f"ca_path ({ca})" in caught.value.message
    assert "RFC 5280" in caught.value.next_step


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


@pytest.fixture
def tunnel():
    """A proxy that connects to whatever it is asked for, and then passes bytes on; what it was asked, with whose password."""

    class Connects(http.server.BaseHTTPRequestHandler):
        asked: list[tuple[str, str]] = []

        def do_CONNECT(self) -> None:
            self.asked.append((self.path, self.headers["proxy-authorization"]))
            host, port = self.path.split(":")
            with socket.create_connection((host, int(port))) as other:
                self.send_response(200)
                self.end_headers()
                back = threading.Thread(target=self.copy, args=(other, self.connection))
                back.start()
                self.copy(self.connection, other)
                back.join()

        def copy(self, from_: socket.socket, to: socket.socket) -> None:
            # Whoever does not trust the certificate hangs up.
            with contextlib.suppress(OSError):
                while data := from_.recv(65536):
                    to.sendall(data)
                to.shutdown(socket.SHUT_WR)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Connects) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://jane:correct%20horse@127.0.0.1:{found.server_address[1]}", Connects.asked
        found.shutdown()


def test_tls_in_a_tunnel(tls_url, certificate, tunnel):
    url, asked = tunnel
    deadline = Deadline(time.monotonic)
    deadline.start(60)
    tls = ssl.create_default_context(cafile=certificate)
    over = PoolTransport(DeadlineBackend(deadline), tls, Proxy(url, "proxy"))
    with httpx.Client(transport=over) as client:
        assert [client.get(f"{tls_url}/x").json() for _time in range(2)] == [{"data": 1}] * 2
        deadline.start(0)
        with pytest.raises(httpx.TimeoutException, match="the exchange took too long"):
            client.get(f"{tls_url}/x")
    expected = "Basic " + base64.b64encode(b"jane:correct horse").decode()
    assert set(asked) == {(tls_url.removeprefix("https://"), expected)}


def test_what_makes_connections_equal(server, tls_url, certificate, tmp_path, tunnel):
    """Two CAs, no check at all, a proxy beside none, and two users of it: each has connections of its own."""
    other_ca, (proxy_url, asked) = make_certificate(tmp_path / "other.pem", subject="other"), tunnel
    connections = Connections()

    def ask(proxy=None, **settings):
        with connections.borrow(tls_url, HttpSettings(**settings), proxy) as connection:
            connections.deadline.start(60)
            limits = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), 20)}
            response = connection.handle_request(httpx.Request("GET", f"{tls_url}/x", extensions=limits))
            try:
                return response.read()
            finally:
                response.close()

    trusted = {"ca_path": str(certificate)}
    jane, john = (Proxy(proxy_url.replace("jane", user), "proxy") for user in ("jane", "john"))
    for _time in range(2):
        assert ask(**trusted) == ask(validate_certs=False) == b'{"data": 1}'
        for wrong in ({"ca_path": str(other_ca)}, {}):
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                ask(**wrong)
        before = len(asked)
        ask(jane, **trusted)
        ask(john, **trusted)
        sent = [base64.b64decode(header.split()[1]).decode().split(":")[0] for _path, header in asked[before:]]
        assert sent == ["jane", "john"]
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            ask(jane, ca_path=str(other_ca))
    connections.close()


@pytest.mark.parametrize(
    ("url", "kind", "auth", "own_tls"),
    [
        ("http://proxy.test", "HTTPProxy", None, False),
        ("http://jane:p%40ss@proxy.test:3128", "HTTPProxy", (b"jane", b"p@ss"), False),
        ("https://proxy.test:3128", "HTTPProxy", None, True),
        ("socks5://jane:p%40ss@proxy.test:1080", "SOCKSProxy", (b"jane", b"p@ss"), None),
        ("socks5h://[::1]:1080", "SOCKSProxy", None, None),
    ],
)
def test_each_kind_of_proxy(monkeypatch, url, kind, auth, own_tls):
    made = []
    monkeypatch.setattr(httpcore, kind, lambda **options: made.append(options))
    tls = ssl.create_default_context()
    PoolTransport(httpcore.MockBackend([]), tls, Proxy(url, "proxy"))
    (options,) = made
    assert options["proxy_auth"] == auth
    assert options["proxy_url"].host.decode() in url
    assert options["ssl_context"] is tls
    if own_tls is not None:
        assert options["proxy_ssl_context"] is (tls if own_tls else None)


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


def test_a_proxy_that_refuses_its_user_is_asked_once_for_a_whole_fleet(proxy):
    """Some lock an account that asks often."""
    url, asked = proxy
    connections, told = Connections(), []

    def look(number: int, proxy: str) -> None:
        transport = Transport(HttpSettings(proxy=proxy), connections=connections)
        try:
            for part in ("a", "b"):
                server = f"https://{part}{number}.test"
                service = Service(transport, "Segment", server, auth=None, credentials="token", url_option="url")
                with pytest.raises(Unreachable, match="answered 407") as caught:
                    service.get("/x")
                told.append(caught.value.next_step)
        finally:
            told.append("ended")

    threads = [threading.Thread(target=look, args=(number, url)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(asked) == 1
    assert len(told) == 24
    assert len(set(told)) == 2
    # Another user of the same proxy.
    look(9, url.replace("jane", "john"))
    assert len(asked) == 2


@pytest.mark.parametrize("said", ["403 Forbidden", "502 Bad Gateway"])
def test_a_proxy_that_refuses_one_server_is_asked_for_the_others(said):
    connections, reached = Connections(), []
    proxy = Proxy("http://jane:horse@proxy.test", "proxy")
    for host in ("a", "b"):
        with (
            contextlib.suppress(httpx.ProxyError),
            connections.borrow(f"https://{host}.test", HttpSettings(validate_certs=False), proxy),
        ):
            reached.append(host)
            raise httpx.ProxyError(said)
    assert reached == ["a", "b"]


def test_loopback_is_reached_without_the_proxy(server, proxy, tls_url):
    url, asked = proxy
    assert get(tls_url, proxy=url, validate_certs=False) == 1
    assert asked == []


def test_plain_http_is_never_sent_to_a_proxy(server, proxy):
    url, asked = proxy
    assert get(f"http://127.0.0.1:{server.server_address[1]}", proxy=url) == 1
    assert asked == []
