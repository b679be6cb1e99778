# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of the ledger's parts that its tests share, and a generator of whole documents."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger import (
    LedgerDocument,
    digest,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.steps import STEPS
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = settings(database=None, deadline=None, max_examples=300)
# Of whole documents, which take long to make.
FEWER = settings(EXAMPLES, max_examples=100, suppress_health_check=[HealthCheck.too_slow])


def record(name: str, at: str = "2026-11-24T10:00:00Z", **more: t.Any) -> dict[str, t.Any]:
    subject = {"key_fingerprint": name}
    said = {"channel": "operator", "how": "attested", "by": "jane"}
    return {"subject": subject, "digest": digest("dev", "key", subject), **said, "at": at, **more}


def asked(name: str, at: str = "2026-11-24T10:00:00Z", **more: t.Any) -> dict[str, t.Any]:
    return record(name, at, **{"how": "asked", "by": "", "asked_at": at, **more})


def entry(what: str, at: str = "2026-11-24T10:00:00Z", why: str = "", **more: t.Any) -> dict[str, t.Any]:
    return {"at": at, "what": what, "by": "jane", "why": why, **more}


def recorded(**steps: dict[str, t.Any]) -> LedgerDocument:
    """A document of the environment dev with these records."""
    empty = LedgerDocument("dev")
    return replace(empty, steps={**empty.steps, **steps})


FULL: dict[str, t.Any] = {
    "format": 2,
    "environment": "dev",
    "steps": {"key": {"done": record("k1"), "asked": asked("k2")}},
    "history": [entry("asked"), entry("withdrawn", step="key", digest="0" * 12, subject={"a": True}, why="by mistake")],
    "acknowledged": [{"alert": "NO1", "at": "2026-11-24T10:00:00Z", "by": "jane", "why": "same key pasted again"}],
    "proofs": {"key": {"at": "2026-11-24T10:00:00Z", "last_event": "2026-11-24T09:58:00Z", "reason": "12 engagements"}},
    "findings": [{"at": "2026-11-24T10:00:00Z", "what": "renamed", "detail": "by joe", "mended": "named back"}],
    "seen_keys": {"3f29a1b07c55": "2026-11-24T10:00:00Z"},
    "rotation": {"at": "2026-11-24T10:00:00Z", "phase": "retire", "old": "k1", "before": ["k1"], "new": "k2"},
    "restore": {"at": "2026-11-24T10:00:00Z", "snapshot": "s1", "items": {"labels": "done", "warehouses": "open"}},
    "added_later": {"by": ["a release"]},
}

TIMES = st.integers(0, 9).map(lambda second: f"2026-11-24T10:00:0{second}Z")
RECORDS = st.builds(record, st.sampled_from(["k1", "k2", "k3"]), TIMES)
STEP = st.fixed_dictionaries({}, optional={"done": RECORDS, "asked": RECORDS})
WORDS = st.sampled_from(["", "jane", "long " * 100, "\u00e9" * 400])
ROTATIONS = st.builds(
    lambda at, phase: {"at": at, "phase": phase, "old": "k1", "before": ["k1"]}, TIMES, st.sampled_from(["add", "test"])
)
RESTORES = st.builds(
    lambda at, state: {"at": at, "snapshot": "s1", "items": {"labels": state}}, TIMES, st.sampled_from(["open", "done"])
)
DOCUMENTS = st.builds(
    LedgerDocument,
    st.just("dev"),
    steps=st.fixed_dictionaries(dict.fromkeys(STEPS, STEP)),
    history=st.lists(st.builds(entry, st.sampled_from(["asked", "attested"]), TIMES, WORDS), max_size=4),
    acknowledged=st.lists(
        st.builds(
            lambda n, at, why: {"alert": f"NO{n}", "at": at, "by": "jane", "why": why}, st.integers(0, 3), TIMES, WORDS
        ),
        max_size=3,
        unique_by=lambda item: item["alert"],
    ),
    proofs=st.dictionaries(
        st.sampled_from(list(STEPS)), st.builds(lambda at, why: {"at": at, "reason": why}, TIMES, WORDS), max_size=2
    ),
    findings=st.lists(
        st.builds(
            lambda at, what: {"at": at, "what": what, "detail": ""}, TIMES, st.sampled_from(["renamed", "disabled"])
        ),
        max_size=3,
    ),
    seen_keys=st.dictionaries(st.sampled_from(["k1", "k2", "k3"]), TIMES, max_size=3),
    rotation=st.none() | ROTATIONS,
    restore=st.none() | RESTORES,
    other=st.dictionaries(
        st.sampled_from(["later", "still_later"]), st.integers(0, 2) | st.just({"a": []}), max_size=2
    ),
)
