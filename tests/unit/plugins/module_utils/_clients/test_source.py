# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which source is meant, and what is wrong with it."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Ambiguous, ApiError, Refused
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import Secret
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients.source import (
    DEFAULT_NAME,
    JAVA,
    LEGACY_NAME,
    Source,
    diagnose,
    find,
    require_java,
    slugs,
)
from hypothesis import given, settings
from hypothesis import strategies as st

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

EXAMPLES = settings(database=None, deadline=None, max_examples=500)
KEY = Secret("a-write-key")
PRINT = KEY.fingerprint


def source(**fields) -> Source:
    name = fields.get("name", DEFAULT_NAME)
    defaults = {
        "id": "src1",
        "slug": name,
        "name": name,
        "enabled": True,
        "type": JAVA["slug"],
        "type_id": JAVA["id"],
        "keys": {PRINT: KEY},
    }
    return Source(**{**defaults, **fields})


OTHER = source(id="other", name="something-else")
UNDERSCORED = DEFAULT_NAME.replace("-", "_")
LEGACY = source(id="old", name=LEGACY_NAME)


def test_slugs():
    assert slugs("a-b_c") == {"a-b_c", "a_b_c"}
    assert slugs("plain") == {"plain"}


def test_view_shows_fingerprints_only():
    seen = source(labels={"b": "2", "a": "1"})
    assert seen.view() == {
        "id": "src1",
        "slug": DEFAULT_NAME,
        "name": DEFAULT_NAME,
        "enabled": True,
        "type": "java",
        "labels": {"a": "1", "b": "2"},
        "key_fingerprints": [PRINT],
    }
    assert KEY.reveal() not in repr(seen) + str(seen.view())


@pytest.mark.parametrize(
    "sources",
    [
        [source()],
        [OTHER, source()],
        [source(slug="any")],
        [source(id="renamed", name="renamed", slug=DEFAULT_NAME), source(slug="any")],
        [LEGACY, source()],
    ],
    ids=["only", "one of two", "other slug", "before a renamed one", "beside the legacy one"],
)
def test_find_exact_name(sources):
    assert find(iter(sources), DEFAULT_NAME).id == "src1"


@pytest.mark.parametrize("slug", [DEFAULT_NAME, UNDERSCORED])
def test_find_renamed(slug):
    renamed = source(name="My source", slug=slug)
    assert find([OTHER, renamed, LEGACY], DEFAULT_NAME) is renamed


@pytest.mark.parametrize(
    "sources", [[], [OTHER], [source(name=DEFAULT_NAME + "-2")], [source(name=DEFAULT_NAME.upper())]]
)
def test_find_nothing(sources):
    assert find(sources, DEFAULT_NAME) is None


@pytest.mark.parametrize(
    "sources",
    [
        [source(id="a"), source(id="b", enabled=False)],
        [source(id="a", name="x", slug=DEFAULT_NAME), source(id="b", name="y", slug=UNDERSCORED)],
    ],
    ids=["same name", "same slug"],
)
def test_find_ambiguous(sources):
    with pytest.raises(Ambiguous) as caught:
        find([OTHER, *sources], DEFAULT_NAME)
    assert caught.value.facts["candidates"] == ["a", "b"]
    assert "source_id" in caught.value.next_step


LEGACY_FORMS = [
    LEGACY,
    source(id="old", name="renamed", slug=LEGACY_NAME),
    source(id="old", name="renamed", slug=LEGACY_NAME.replace("-", "_")),
]


@pytest.mark.parametrize("old", LEGACY_FORMS)
def test_find_legacy(old):
    with pytest.raises(Refused) as caught:
        find([OTHER, old], DEFAULT_NAME)
    assert caught.value.facts == {"candidates": ["old"], "problem": "legacy_name"}
    assert "source_name" in caught.value.next_step
    assert "ignore_legacy" in caught.value.next_step
    assert find([OTHER, old], DEFAULT_NAME, ignore_legacy=True) is None
    assert find([OTHER, old], LEGACY_NAME) is old


def test_find_legacy_name_that_is_not_there():
    assert find([OTHER], LEGACY_NAME) is None


NAMES = st.sampled_from([DEFAULT_NAME, UNDERSCORED, LEGACY_NAME, LEGACY_NAME.replace("-", "_"), ""]) | st.text(
    max_size=5
)
SOURCES = st.lists(st.builds(source, id=st.text(max_size=3), name=NAMES, slug=NAMES, enabled=st.booleans()), max_size=4)


@EXAMPLES
@given(SOURCES, NAMES, st.booleans())
def test_find_gives_a_fit_or_says_why_not(sources, name, ignore_legacy):
    exact = [s for s in sources if s.name == name]
    renamed = [s for s in sources if s.slug in slugs(name)]
    fits = exact or renamed
    if len(fits) > 1:
        with pytest.raises(Ambiguous) as caught:
            find(sources, name, ignore_legacy)
        assert caught.value.facts["candidates"] == [s.id for s in fits]
    elif fits:
        assert find(sources, name, ignore_legacy) is fits[0]
    elif ignore_legacy or name == LEGACY_NAME:
        assert find(sources, name, ignore_legacy) is None
    else:
        old = [s for s in sources if slugs(LEGACY_NAME) & {s.name, s.slug}]
        try:
            assert find(sources, name) is None
        except Refused:
            refused_ = True
        else:
            refused_ = False
        assert refused_ is bool(old)


@pytest.mark.parametrize("fields", [{}, {"type": ""}, {"type_id": ""}])
def test_java(fields):
    require_java(source(**fields))


def test_require_java_refuses():
    with pytest.raises(Refused) as caught:
        require_java(source(type="python", type_id="p"))
    assert caught.value.facts == {"candidates": ["src1"], "problem": "wrong_type"}


def event(type_: str, **fields: str) -> dict[str, str]:
    return {
        "type": type_,
        "at": "2026-01-01T00:00:00Z",
        "by": "kim@example.com",
        "id": "src1",
        "name": DEFAULT_NAME,
        **fields,
    }


def refused() -> Refused:
    with pytest.raises(Refused) as caught:
        find([LEGACY], DEFAULT_NAME)
    return caught.value


def ambiguous() -> Ambiguous:
    with pytest.raises(Ambiguous) as caught:
        find([source(id="a"), source(id="b")], DEFAULT_NAME)
    return caught.value


PYTHON = {"type": "python", "type_id": "p"}
DELETED = event("Source Deleted")


@pytest.mark.parametrize(
    ("seen", "recorded_id", "recorded_key", "audit", "problems"),
    [
        (source(), "src1", PRINT, [], []),
        (source(), None, PRINT, [DELETED], []),
        (None, None, None, [], ["absent"]),
        (None, None, None, [event("Source Deleted", name="another")], ["absent"]),
        (None, None, None, [event("Source Modified")], ["absent"]),
        (None, "src1", None, [], ["deleted"]),
        (None, None, None, [DELETED], ["deleted"]),
        (None, "src1", PRINT, [event("Source Deleted", id="another")], ["deleted"]),
        (source(name="x"), "src1", PRINT, [], ["renamed"]),
        (source(enabled=False), "src1", PRINT, [], ["disabled"]),
        (source(enabled=False), "src1", PRINT, [event("Source Disabled", by="Segment")], ["disabled_by_segment"]),
        (source(enabled=False), "src1", PRINT, [event("Source Disabled", by="__system__")], ["disabled_by_segment"]),
        (source(enabled=False), "src1", PRINT, [event("Source Disabled", by="Segment", id="another")], ["disabled"]),
        (source(enabled=False), "src1", PRINT, [event("Source Disabled", by="Segment", at="2026-01-01T00:00:00Z"),
         event("Source Disabled", by="ann", at="2026-01-02T00:00:00Z")], ["disabled"]),
        (source(**PYTHON), "src1", PRINT, [], ["wrong_type"]),
        (source(keys={}), "src1", PRINT, [], ["keys_not_visible"]),
        (source(keys={}), None, None, [], ["keys_not_visible"]),
        (source(), "src1", "0" * 12, [], ["key_removed"]),
        (source(), "src1", None, [], ["key_never_handed_over"]),
        # Nobody said what is recorded, so nothing is known to be missing.
        (source(), None, None, [], []),
        # Made again, so its key is another one, of course.
        (source(), "src0", "0" * 12, [], ["deleted"]),
        (source(name="x", enabled=False, **PYTHON), None, None, [], ["renamed", "disabled", "wrong_type"]),
        (refused(), None, None, [], ["legacy_name"]),
        (ambiguous(), "a", PRINT, [DELETED], ["ambiguous"]),
        (ApiError("m", status=500), None, None, [], ["api"]),
    ],
)  # fmt: skip
def test_diagnose(seen, recorded_id, recorded_key, audit, problems):
    found = diagnose(seen, DEFAULT_NAME, recorded_id, recorded_key, audit)
    assert [f["problem"] for f in found] == problems
    assert all(set(f) == {"problem", "detail", "by", "since"} and f["detail"] for f in found)
    assert KEY.reveal() not in str(found)


@pytest.mark.parametrize(
    ("seen", "type_"),
    [
        (None, "Source Deleted"),
        (source(name="x"), "Source Modified"),
        (source(enabled=False), "Source Disabled"),
    ],
)
def test_diagnose_names_the_latest_event(seen, type_):
    audit = [
        event(type_, at="2026-01-01T00:00:00Z", by="first"),
        event(type_, at="2026-01-03T00:00:00Z", by="last"),
        event(type_, at="2026-01-02T00:00:00Z", by="middle"),
        event(type_, at="2026-01-04T00:00:00Z", by="elsewhere", id="another"),
        event("Source Created", at="2026-01-05T00:00:00Z", by="creator"),
    ]
    [problem] = diagnose(seen, DEFAULT_NAME, "src1", PRINT, iter(audit))
    assert f"({type_} by last at 2026-01-03T00:00:00Z)" in problem["detail"]
    [problem] = diagnose(seen, DEFAULT_NAME, "src1", PRINT, [event(type_, by="")])
    assert f"({type_} by somebody at " in problem["detail"]
    [problem] = diagnose(seen, DEFAULT_NAME, "src1", PRINT, [])
    assert " by " not in problem["detail"]


def test_source_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        source().name = "x"
