# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which URLs a service may have, and how they are written."""

from __future__ import annotations

import httpx
import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import OptionError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import HttpSettings
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.service import Service
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.urls import check_url
from hypothesis import given
from hypothesis import strategies as st
from support.conversation import EXAMPLES, OK, Turn

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only


@pytest.mark.parametrize(
    "url",
    [
        "https://api.segmentapis.com",
        "https://proxy.example:8443/segment/",
        "http://127.0.0.1:8080",
        "http://127.9.9.9",
        "http://[::1]:8080/x",
        "http://localhost:1",
    ],
)
def test_check_url_accepts(url):
    assert check_url("public_api_url", url) == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://api.segmentapis.com./x/", "https://api.segmentapis.com/x"),
        ("https://API.example:8443", "https://api.example:8443"),
        ("http://localhost.:8080", "http://localhost:8080"),
        ("https://m\u00fcller.example/segment", "https://xn--mller-kva.example/segment"),
        ("https://M\u00dcLLER.example.:1", "https://xn--mller-kva.example:1"),
        ("https://\u4f8b\u3048.jp", "https://xn--r8jz45g.jp"),
    ],
)
def test_a_host_is_written_as_dns_and_certificates_have_it(converse, url, sent):
    assert check_url("url", url) == sent
    service = converse(Turn("GET", httpx.URL(sent + "/y").path, 200, OK)).service(base_url=url)
    assert service.get("/y").status == 200
    assert service.base_url == sent


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://api.segmentapis.com", "in the clear"),
        ("http://10.0.0.1", "in the clear"),
        ("http://localhost.example.com", "in the clear"),
        ("https://user:pass@host", "credentials in the URL"),
        ("https://user@host", "credentials in the URL"),
        ("https://@host", "credentials in the URL"),
        ("http://127.0.0.1@evil.example", "credentials in the URL"),
        ("/relative", "not a plain absolute"),
        ("api.segmentapis.com", "not a plain absolute"),
        ("//host/x", "not a plain absolute"),
        ("ftp://host", "not a plain absolute"),
        ("https://", "not a plain absolute"),
        ("https:///path", "not a plain absolute"),
        ("", "not a plain absolute"),
        ("https://host:99999", "not a plain absolute"),
        ("https://host:port", "not a plain absolute"),
        ("https://[::1", "not a plain absolute"),
        ("https://api..segment.com", "not a plain absolute"),
        (f"https://{'a' * 64}.com", "not a plain absolute"),
        ("https://api.segment.com..", "not a plain absolute"),
        ("https://.", "not a plain absolute"),
        ("https://api.segment.com/m\u00fcller", "not a plain absolute"),
        ("https://a\u00ad\u2603.example", "international name"),
        ("https://m\u00fcller_.example", "international name"),
        ("https://j\u00e4ne:word@host", "credentials in the URL"),
        ("https://\u2024/", "not a plain absolute|international name"),
        (f"https://a.test/{'x' * 70_000}", "has more than 2000 characters"),
    ],
)
def test_check_url_refuses(url, words):
    with pytest.raises(OptionError, match=words) as caught:
        check_url("public_api_url", url)
    assert caught.value.facts == {"option": "public_api_url"}
    with pytest.raises(OptionError):
        Service(Transport(HttpSettings()), "Segment", url, auth=None, credentials="token", url_option="public_api_url")


@EXAMPLES
@given(st.text() | st.text().map(lambda text: "https://" + text))
def test_check_url_raises_nothing_else(url):
    try:
        check_url("url", url)
    except OptionError:
        pass
