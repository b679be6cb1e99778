# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A secret shows its fingerprint, and whatever would use it as a string fails."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret, fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.text import printable
from hypothesis import given
from hypothesis import strategies as st
from support.conversation import EXAMPLES

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

VALUE = "write-key-that-nobody-may-see"
SECRET = Secret(VALUE)
SHOWN = f"<secret {fingerprint(VALUE)}>"


@EXAMPLES
@given(st.text())
def test_it_never_shows(value):
    secret = Secret(value)
    shown = f"<secret {fingerprint(value)}>" if len(value) >= 20 else "<secret>"
    assert str(secret) == repr(secret) == ascii(secret) == shown
    assert f"{secret}" == f"{secret!s}" == f"{secret!r}" == format(secret) == shown
    assert "{}".format(secret) == "{!r}".format(secret) == "%s" % secret == "%r" % (secret,) == shown  # noqa: UP031, UP032
    assert str([secret]) == f"[{shown}]"
    assert printable({"key": secret}) == {"key": shown}


@EXAMPLES
@given(st.text(), st.text())
def test_it_reveals_on_request_and_is_compared(value, other):
    assert Secret(value).reveal() == value
    assert (Secret(value) == Secret(other)) == (value == other)
    assert len({Secret(value), Secret(value)}) == 1
    assert Secret(value).fingerprint == fingerprint(value)
    assert Secret(value) != value


def write(path, mode):
    with open(path, mode) as file:
        file.write(SECRET)


USES = {
    "json.dumps": lambda tmp: json.dumps({"key": SECRET}),
    "json.dumps as a key": lambda tmp: json.dumps({SECRET: 1}),
    "join": lambda tmp: "".join(["a", SECRET]),
    "+": lambda tmp: "a" + SECRET,
    "+ from the left": lambda tmp: SECRET + "a",
    "*": lambda tmp: SECRET * 2,
    "slice": lambda tmp: SECRET[:4],
    "index": lambda tmp: SECRET[0],
    "iteration": lambda tmp: list(SECRET),
    "in": lambda tmp: "a" in SECRET,
    "in a string": lambda tmp: SECRET in "a",
    "len": lambda tmp: len(SECRET),
    "order": lambda tmp: sorted([SECRET, SECRET]),
    "encode": lambda tmp: SECRET.encode(),
    "upper": lambda tmp: SECRET.upper(),
    "replace with it": lambda tmp: "x".replace("x", SECRET),
    "format with a width": lambda tmp: f"{SECRET:>40}",
    "bytes": lambda tmp: bytes(SECRET),
    "base64": lambda tmp: base64.b64encode(SECRET),
    "quote": lambda tmp: urllib.parse.quote(SECRET),
    "re": lambda tmp: re.sub("x", SECRET, "x"),
    "file": lambda tmp: write(tmp / "a", "w"),
    "file of bytes": lambda tmp: write(tmp / "a", "wb"),
    "vars": lambda tmp: vars(SECRET),
}


@pytest.mark.parametrize("use", USES)
def test_it_is_no_string(use, tmp_path):
    with pytest.raises((TypeError, AttributeError)) as caught:
        USES[use](tmp_path)
    assert VALUE not in str(caught.value)


def test_the_last_four_characters_are_of_long_ones_only():
    assert SECRET.hint == f"{fingerprint(VALUE)}, ends in ...-see"
    assert Secret("hunter2").hint == "too short for a fingerprint"
