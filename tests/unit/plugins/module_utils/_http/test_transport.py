# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connections to the servers."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import MissingLibrary, OptionError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import transport as transport_module
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import HttpSettings, Transport


def test_missing_library(monkeypatch):
    monkeypatch.setattr(transport_module, "HTTPX_ERROR", ImportError("No module named 'httpx'", name="httpx"))
    with pytest.raises(MissingLibrary, match="httpx is not installed") as caught:
        Transport(HttpSettings())
    assert "pip install" in caught.value.next_step
    assert caught.value.facts["library"] == "httpx"
    transport_module.warm_up()


def test_one_client_per_server():
    transport = Transport(HttpSettings(validate_certs=False))
    try:
        first = transport.client("https://a.test/x")
        assert transport.client("https://a.test/y") is first
        assert transport.client("https://a.test:444") is not first
        assert first.follow_redirects is False
    finally:
        transport.close()


def test_unreadable_ca_path_names_the_option(tmp_path):
    transport = Transport(HttpSettings(ca_path=str(tmp_path / "none.pem")))
    with pytest.raises(OptionError) as caught:
        transport.client("https://a.test")
    assert caught.value.facts == {"option": "ca_path"}
