# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an answer says: errors, waits, pages, and the shape that is expected."""

from __future__ import annotations

import json

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import UnexpectedAnswer
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http import response as answer_module
from ansible_collections.flexops.unified_profiles.plugins.module_utils._http.response import (
    Response,
    pages,
    parse_error,
    requested_wait,
)
from hypothesis import example, given
from hypothesis import strategies as st
from support.conversation import EXAMPLES, START, FakeClock

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"errors": [{"type": "t", "message": "m", "field": "f"}]}, ("t", "m")),
        ({"error": {"code": "not_found", "message": "m"}}, ("not_found", "m")),
        ({"code": 20404, "message": "m", "status": 404}, (20404, "m")),
        ({"errors": []}, (None, "")),
        ({"errors": ["no"]}, (None, "")),
        ({"error": "no"}, (None, "")),
        ({"code": 1, "message": ["no"]}, (1, "")),
        ([], (None, "")),
        (None, (None, "")),
    ],
)
def test_error_of_shapes(body, expected):
    assert parse_error(json.dumps(body).encode()) == expected


def test_error_of_other_content():
    assert parse_error(b"") == (None, "")
    assert parse_error(b" \n") == (None, "")
    assert parse_error(b"<html>") == (None, "(no JSON body)")
    assert parse_error(b"[" * 200_000)[0] is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["errors", "error", "code", "type", "message", "data", "msBeforeNext"]) | st.text(), inner
        )
    ),
    max_leaves=12,
)
CONTENT = st.binary() | JSON.map(lambda value: json.dumps(value).encode())


@EXAMPLES
@given(CONTENT)
def test_error_of_never_raises(content):
    code, message = parse_error(content)
    assert code is None or isinstance(code, (str, int))
    assert isinstance(message, str)


DATES = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Mon", "Xxx"]),
    st.integers(-1, 40),
    st.sampled_from(["Jan", "Feb", "Foo"]),
    st.integers(0, 99999),
    st.integers(-1, 30),
    st.integers(-1, 70),
    st.integers(-1, 70),
    st.sampled_from(["GMT", "+0100", "-2359", "+9999", "EST", ""]),
)
VALUES = st.text(st.characters(max_codepoint=255), max_size=40) | DATES | st.from_regex(r"[0-9]{0,12}\.?[0-9]*")
WAIT_HEADERS = st.dictionaries(st.sampled_from(["retry-after", "x-ratelimit-reset", "date"]), VALUES)


@EXAMPLES
@given(WAIT_HEADERS, CONTENT)
@example({"retry-after": "Mon, 999999999999 Jan 2024"}, b"")
@example({"date": "Mon, 999999999999 Jan 2024", "x-ratelimit-reset": "Mon, 01 Jan 999999999999 00:00:00 GMT"}, b"")
def test_requested_wait_never_raises(headers, content):
    wait = requested_wait(headers, content, START)
    assert wait is None or wait >= 0


def test_endless_pages(monkeypatch):
    monkeypatch.setattr(answer_module, "MAX_PAGES", 5)
    asked = []

    def fetch(cursor: str | None) -> Response:
        asked.append(cursor)
        return Response("GET /x", "Segment", 200, {}, {"items": [len(asked)], "next": f"c{len(asked)}"})

    with pytest.raises(UnexpectedAnswer, match="never end: 5 pages"):
        list(pages(fetch, FakeClock().monotonic, "items", "next"))
    assert asked == [None, "c1", "c2", "c3", "c4"]


@pytest.mark.parametrize(("seconds", "size", "most"), [(29.0, 100, 21), (0.0, 24 << 20, 6)])
def test_a_listing_has_an_end_in_time_and_in_size(seconds, size, most):
    """Each page is in time and not too large, and has a new cursor."""
    clock, asked = FakeClock(), []

    def fetch(cursor: str | None) -> Response:
        clock.sleep(seconds)
        asked.append(cursor)
        return Response("GET /x", "Segment", 200, {}, {"items": [], "next": f"c{len(asked)}"}, size=size)

    with pytest.raises(UnexpectedAnswer, match=f"never end: {most} pages"):
        list(pages(fetch, clock.monotonic, "items", "next"))
    assert len(asked) == most


def test_a_listing_that_ends_is_taken_whole():
    clock = FakeClock()

    def fetch(cursor: str | None) -> Response:
        clock.sleep(answer_module.MAX_SECONDS)
        return Response("GET /x", "Segment", 200, {}, {"items": [1], "next": None if cursor else "c"}, size=1)

    assert len(list(pages(fetch, clock.monotonic, "items", "next"))) == 2


def test_answer_get():
    answer = Response("GET /x", "Segment", 200, {}, {"a": {"n": 1, "b": True, "s": "x", "none": None}})
    assert answer.get("a.n", int) == 1
    assert answer.get("a.none", str, "default") == "default"
    assert answer.get("a.b.c", str, None) is None
    for path in ("a.b", "a.s", "a.none", "x.y.z"):
        with pytest.raises(UnexpectedAnswer):
            answer.get(path, int)
