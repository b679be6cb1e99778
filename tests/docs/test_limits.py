# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever the page of limits says that nobody knows, a probe looks for; what no read shows is on the page of the probe."""

from __future__ import annotations

import re

from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.assumptions import ASSUMPTIONS
from support.project import ROOT

PAGE = (ROOT / "docs/limits.md").read_text()
# The begin of each row, and the assumptions that are about it.
QUESTIONS = {
    "Can EU Segment workspaces, or Twilio accounts outside the US region": ["segment_eu", "twilio_regions"],
    "Which status does a taken slug give": ["duplicate_slug", "conflict"],
    "What does Segment answer for a good Profile API token with another space's id": ["foreign_space"],
    "Is the `source_id` that the Profile API shows the id of the Public API": ["profile_source_id"],
    "Which slug does Twilio's form give its source": ["slug"],
    "How long are audit events kept": ["audit_kept"],
    "Does a Unify space count as a destination that keeps a source enabled? Does a warehouse": [
        "space_keeps_nothing",
        "warehouse_keeps",
    ],
    "Does the audit trail name the source or the space": ["audit_connected"],
    "How does Segment spell the types of resources in the audit trail": ["audit_resource_type"],
    "A warehouse's schema keeps its name": ["schema_name"],
    "A connected warehouse keeps a source from being disabled": ["warehouse_keeps"],
    "Selective sync can be set before the new source has sent anything": ["unseen_sync"],
}
# An answer shows what its token may, and not which other role would do.
NOT_ASKED = ["Which role each request takes"]


def section(heading):
    return re.search(rf"^## {heading}[^\n]*\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)[1]


def test_a_probe_looks_for_what_nobody_knows():
    rows = re.findall(r"^\| (.+?) \|", section("What the vendor does not document"), re.MULTILINE)[1:]
    guesses = re.findall(r"^- (.+)", section("What is restored"), re.MULTILINE)
    assert len(rows) + len(guesses) == len(QUESTIONS) + len(NOT_ASKED)
    for known, said in zip([*QUESTIONS, *NOT_ASKED], rows + guesses):
        assert said.startswith(known)
    assert {name for names in QUESTIONS.values() for name in names} <= {one.name for one in ASSUMPTIONS}


def test_the_page_of_the_probe_lists_what_no_read_shows():
    """Whatever is assumed has a row in the probe, and a row that can never be seen says so before anybody runs it."""
    page = (ROOT / "docs/probe.md").read_text().partition("## What no probe sees")[2].partition("These switches")[0]
    listed = {
        name
        for line in re.findall(r"^- [^:]+: ([a-z_, \n]+)\.$", page, re.MULTILINE)
        for name in re.split(r",\s+", line)
    }
    assert listed == {one.name for one in ASSUMPTIONS if one.judge.__qualname__.startswith("never.")}
    assert all(role in page for role in (said.removeprefix("Which ") for said in NOT_ASKED))
