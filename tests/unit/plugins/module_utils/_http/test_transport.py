# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connections to the servers."""

from __future__ import annotations

import importlib
import sys

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import MissingLibrary, OptionError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import libraries
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import transport as transport_module
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.connections import HttpSettings
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.transport import Transport


def test_a_library_that_is_missing_is_told_once_needed(monkeypatch):
    monkeypatch.setitem(sys.modules, "httpx", None)
    monkeypatch.setattr(libraries, "PROBLEM", libraries.check_libraries())
    with pytest.raises(MissingLibrary, match="httpx is not installed") as caught:
        Transport(HttpSettings())
    assert "-m pip install 'httpx>=0.27,<1'" in caught.value.next_step
    assert caught.value.facts["library"] == "httpx"
    transport_module.warm_up()


def test_what_a_library_lacks_itself_is_told():
    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "h11":
                raise ModuleNotFoundError("No module named 'h11'", name="h11")

    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in sys.modules if name.split(".")[0] in ("httpcore", "h11")]:
            patch.delitem(sys.modules, name)
        patch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
        problem = libraries.check_libraries()
        for name in [name for name in sys.modules if name.split(".")[0] == "httpcore"]:
            patch.delitem(sys.modules, name)
    assert problem.facts["library"] == "h11"
    assert "'httpcore>=1.0,<2'" in problem.next_step


@pytest.mark.parametrize(
    ("library", "version", "good"),
    [
        ("httpx", "0.23.1", False),
        ("httpx", "0.26.0", False),
        ("httpx", "0.27.0", True),
        ("httpx", "0.100", True),
        ("httpx", "1.0.dev3", False),
        ("httpx", "1.0", False),
        ("httpx", "of our own", True),
        ("httpcore", "0.17.3", False),
        ("httpcore", "1.0.0", True),
        ("httpcore", "2.0", False),
        ("certifi", "2022.9.24", True),
    ],
)
def test_versions(monkeypatch, library, version, good):
    """Debian 12 has httpx 0.23."""
    monkeypatch.setattr(importlib.import_module(library), "__version__", version)
    problem = libraries.check_libraries()
    assert (problem is None) == good
    if problem:
        assert f"{library} is version {version} for {sys.executable}, and " in problem.message
        assert f"-m pip install '{library}>=" in problem.next_step


def test_unreadable_ca_path_names_the_option(tmp_path):
    transport = Transport(HttpSettings(ca_path=str(tmp_path / "none.pem")))
    with pytest.raises(OptionError) as caught, transport.connection("https://a.test"):
        pass
    assert caught.value.facts == {"option": "ca_path"}
