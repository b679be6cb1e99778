# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What servers say, without the secrets of the task."""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.parse

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.hidden import Hidden
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret, fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.text import printable
from hypothesis import given
from hypothesis import strategies as st
from support.conversation import EXAMPLES

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

KEY = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF"
ODD = "tok en-\"'\\/+&=%41<b>;#\u00e9?~end"
ESCAPES = {
    "itself": str,
    "quote": urllib.parse.quote,
    "quote all": lambda text: urllib.parse.quote(text, safe=""),
    "quote plus": urllib.parse.quote_plus,
    "quote small": lambda text: urllib.parse.quote(text, safe="").replace("%2F", "%2f").replace("%C3", "%c3"),
    "json": lambda text: json.dumps(text)[1:-1],
    "json of the web": lambda text: json.dumps(text, ensure_ascii=False)[1:-1].replace("/", "\\/"),
    "json in json": lambda text: json.dumps(json.dumps(text))[3:-3],
    "html": html.escape,
    "html numbers": lambda text: "".join(c if c.isalnum() and c.isascii() else f"&#{ord(c)};" for c in text),
    "html hex": lambda text: "".join(c if c.isalnum() and c.isascii() else f"&#x{ord(c):x};" for c in text),
    "html half": lambda text: html.escape(text, quote=False),
}


def hidden(*secrets: str) -> Hidden:
    found = Hidden()
    found.add(*map(Secret, secrets))
    return found


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("secret", [KEY, ODD, "a\\\\b\\c-0123456789-xyz"])
def test_every_form(escape, secret):
    said = f"before {ESCAPES[escape](secret)} after"
    shown = f"before <secret {fingerprint(secret)}> after"
    assert hidden(secret).in_words(said) == shown
    assert hidden(secret).in_result(said) == shown
    assert hidden(secret).in_request_id(said) == shown


@EXAMPLES
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=20, max_size=40), st.sampled_from(list(ESCAPES))
)
def test_any_secret_in_any_form(secret, escape):
    assert hidden(secret).in_words(f"({ESCAPES[escape](secret)})") == f"(<secret {fingerprint(secret)}>)"


def test_the_beginning_of_another_one():
    short, long = "write-key-0123456789", "write-key-0123456789-and-more"
    assert hidden(short, long).in_words(f"it is {long}.") == f"it is <secret {fingerprint(long)}>."
    for order in ((short, long), (long, short)):
        found = Hidden()
        found.add_doubtful(order[0])
        found.add(Secret(order[1]))
        shown = found.in_words(f"it is {long}.")
        assert shown in ("it is <secret>.", f"it is <secret {fingerprint(long)}>.")
    # One that begins earlier and ends within.
    assert hidden("xx-write", long).in_words(f"xx-{long}!") == "<secret>!"


def test_the_shape_of_a_key_is_enough():
    """A server may show one that this task never saw."""
    say = Hidden().in_words
    assert say(f"key {KEY} of") == f"key <secret {fingerprint(KEY)}> of"
    assert "x" * 20 not in say("sgp_" + "x" * 64)
    for harmless in (
        "AC" + "0a" * 16,
        "spa_" + "aB3" * 7,
        "qQEHquLrjRDN9j1ByrChyn",
        "85f2a1b0-77aa-4f2d-9a77-000000000001",
    ):
        assert say(f"of {harmless}.") == f"of {harmless}."


def test_words_are_no_secrets():
    found = hidden("eu", "abc", "", "pass")
    found.add_doubtful("prod", "staging", "true")
    said = "the prod space in eu takes no passport or staging (true), abc"
    assert found.in_words(said) == said
    assert found.in_words("user:pass is wrong") == "user:<secret> is wrong"


def test_a_header_hides_the_password_in_it():
    found = Hidden()
    found.add_header("Basic " + base64.b64encode(b"jane:hunter2").decode())
    found.add_header("Basic \x80 or none")
    found.add_header("Bearer gateway-token-of-dev")
    said = "no jane:hunter2, amFuZTpodW50ZXIy or gateway-token-of-dev"
    assert found.in_words(said) == "no jane:<secret>, <secret> or <secret>"


def test_results_keep_what_may_be_an_id():
    found = hidden("connection", KEY)
    found.add_doubtful("a-header-that-equals-an-id")
    kept = {"id": "a-header-that-equals-an-id", "step": "connection", "why": "The connection was attested.", "n": None}
    told = f"<secret {fingerprint(KEY)}>"
    assert printable({**kept, "names": [f"key {KEY}"], KEY: 1}, found.in_result) == {
        **kept,
        "names": [f"key {told}"],
        told: 1,
    }


def test_a_cut_leaves_nothing_of_it():
    """What is cut is cut when nothing is left to hide."""
    for before in range(470, 500):
        shown = hidden(KEY).in_words("m" * 10 + "-" * (before - 10) + KEY)
        assert len(shown) <= 500
        assert KEY[:4] not in shown


def test_request_ids():
    assert hidden().in_request_id("a\x1b[31m\u202eb\x80" + "c" * 500) == "a?[31m?b?" + "c" * 91
    assert hidden().in_request_id("0a" * 16) == "0a" * 16


def test_no_text_of_a_result_begins_a_line_of_its_own():
    forged = "no\r\n\nPLAY RECAP ****\ndev : ok=9\tfailed=0"
    shown = printable({"msg": forged, "names": [forged], forged: 1})
    assert not re.search(r"[\x00-\x1f]", "".join([shown["msg"], *shown["names"], *shown]))
    assert shown["msg"].startswith(r"no\r\n\nPLAY RECAP")
