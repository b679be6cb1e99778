# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which proxy a request takes, and what is said of one that cannot be used."""

from __future__ import annotations

import sys

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import OptionError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import transport as transport_module
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import HttpSettings
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.proxy import Proxy, proxy_for
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

PROXY = "http://proxy.test:3128"


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": PROXY}, Proxy(PROXY, "HTTPS_PROXY")),
        ({"HTTPS_PROXY": "proxy.test:3128"}, Proxy(PROXY, "HTTPS_PROXY")),
        ({"HTTPS_PROXY": " proxy.test:3128\n"}, Proxy(PROXY, "HTTPS_PROXY")),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other.test"}, Proxy(PROXY, "https_proxy")),
        ({"https_proxy": "", "HTTPS_PROXY": PROXY}, Proxy(PROXY, "HTTPS_PROXY")),
        ({"all_proxy": PROXY}, Proxy(PROXY, "all_proxy")),
        (
            {"ALL_PROXY": PROXY, "HTTPS_PROXY": "u:p@proxy.test:3128"},
            Proxy("http://u:p@proxy.test:3128", "HTTPS_PROXY"),
        ),
        ({"HTTP_PROXY": PROXY, "http_proxy": PROXY}, None),
    ],
)
def test_the_environment(monkeypatch, variables, expected):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for("https", "a.test", None, None) == expected
    assert proxy_for("https", "a.test", None, "o.test") == Proxy("http://o.test", "proxy")


@pytest.mark.parametrize("url", ["ftp://a", "http://[::1", "://", "http://host:port"])
def test_a_proxy_that_cannot_be_used_is_no_matter_to_what_does_not_take_it(monkeypatch, url):
    monkeypatch.setenv("ALL_PROXY", url)
    monkeypatch.setenv("NO_PROXY", "a.test")
    assert proxy_for("https", "a.test", None, None) is None
    with Transport(HttpSettings()).connection("https://a.test"), pytest.raises(OptionError, match=r"^ALL_PROXY: "):
        Transport(HttpSettings()).connection("https://b.test").__enter__()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_loopback_is_never_proxied(monkeypatch, host, scheme):
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:1080")
    assert proxy_for(scheme, host, 8080, None) is None
    assert proxy_for(scheme, host, 8080, PROXY) is None


@pytest.mark.parametrize(
    ("listed", "host", "direct"),
    [
        ("*", "a.test", True),
        ("b.test, *", "a.test", True),
        ("a.test", "a.test", True),
        ("A.TEST", "a.test", True),
        ("a.test", "x.a.test", True),
        (".a.test", "x.a.test", True),
        (".a.test", "a.test", True),
        ("*.a.test", "x.a.test", True),
        ("a.test.", "a.test", True),
        ("a.test", "a.test.", True),
        ("a.test", "ba.test", False),
        (".", "a.test", False),
        ("b.test a.test", "a.test", True),
        (" b.test ,\ta.test ", "a.test", True),
        ("b.test,,", "a.test", False),
        ("a.test:443", "a.test", True),
        ("a.test:8443", "a.test", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.7/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.0.0.0/8", "10.test", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3:443", "10.1.2.3", True),
        ("10.1.2.3:444", "10.1.2.3", False),
        ("fd00::/8,localhost", "fd00::1", True),
        ("fd00::/8,localhost", "fe00::1", False),
        ("fd00::/8,localhost", "a.test", False),
        ("fd00::/8", "10.1.2.3", False),
        ("[fd00::1]", "fd00::1", True),
        ("fd00:0::1", "fd00::1", True),
        ("[fd00::1]:443", "fd00::1", True),
        ("[fd00::1]:444", "fd00::1", False),
        ("[fd00::]/8", "fd00::1", True),
        ("10.0.0.0/99,:::,[,]:1,a:b:c,%,a.test", "a.test", True),
        ("10.0.0.0/99,:::,[,]:1,a:b:c,%", "a.test", False),
    ],
)
def test_exceptions(monkeypatch, listed, host, direct):
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", listed)
    assert (proxy_for("https", host, None, None) is None) == direct
    assert proxy_for("https", host, None, PROXY) == Proxy(PROXY, "proxy"), "the option says it for this task"
    monkeypatch.setenv("no_proxy", "c.test")
    assert proxy_for("https", host, None, None), "the lower case counts"


@pytest.mark.parametrize(
    "value",
    [
        "http://",
        "http://user:pass/word@proxy.test:3128",
        "http://user:12/word@proxy.test:3128",
        "user:pa#ss@proxy.test:3128",
        "user:pa?ss@proxy.test:3128",
        "http://user:word@proxy.test:port",
        "http://user:word@proxy.test:99999",
        "http://user:word@proxy.test:0",
        "http://user:word@[::1",
        f"http://user:word@{'a' * 64}.test",
        "http://user:word@a..test",
        "http://user:word@a.test..",
        "http://user:word@m\u00fcller.test",
        "http://user:word@pro xy.test",
        "word://user@proxy.test",
        "socks://user:word@127.0.0.1:1080",
        "socks4://user:word@127.0.0.1:1080",
        "socks5://user:word@127.0.0.1:1080",
        "socks5h://user:word@127.0.0.1:1080",
    ],
)
@pytest.mark.parametrize("source", ["ALL_PROXY", "https_proxy", "proxy"])
def test_what_cannot_be_used_is_told_by_name(monkeypatch, value, source):
    monkeypatch.setitem(sys.modules, "socksio", None)
    if source != "proxy":
        monkeypatch.setenv(source, value)
    transport = Transport(HttpSettings(proxy=value if source == "proxy" else None, validate_certs=False))
    with pytest.raises(OptionError) as caught, transport.connection("https://a.test"):
        pass
    assert caught.value.facts == {"option": source}
    assert caught.value.message.startswith(f"{source}: ")
    assert "word" not in caught.value.full_message.replace("password", "")
    with transport.connection("http://127.0.0.1:9"):
        pass
    transport.close()


def test_loading_reads_no_proxy(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "socks5h://127.0.0.1:1080")
    monkeypatch.setenv("NO_PROXY", "fd00::/8,localhost")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    transport_module.warm_up()


def test_its_credentials_are_hidden():
    transport = Transport(HttpSettings(proxy="jane-the-user:p%40ss%2Fword@proxy.test:1", validate_certs=False))
    with transport.connection("https://a.test"):
        pass
    transport.close()
    said = transport.hidden.in_words
    assert said("Denied for jane-the-user:p@ss/word.") == "Denied for <secret>:<secret>."
    assert said("p%40ss%2fword") == said("p@ss/word") == "<secret>"
    assert "amFuZS10" not in said("Basic amFuZS10aGUtdXNlcjpwQHNzL3dvcmQ=")
    assert "p%40ss" not in repr(transport.proxy("https://a.test"))
