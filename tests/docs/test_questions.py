# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the front page to the answer of every question in two clicks: the page of questions, and the place that it names."""

from __future__ import annotations

import re

import pytest
from support.project import ROOT

pytestmark = pytest.mark.newest_only
DOCS = ROOT / "docs"
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")
ASKED = re.findall(r"\[([^\]]+\?)\]\(([^)]+)\)", (DOCS / "questions.md").read_text())


def anchors(text):
    """The names of a page's headings, as GitHub and the site make them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_first_click_is_on_both_front_pages():
    assert re.search(r"^questions$", (DOCS / "docsite/index.md").read_text(), re.MULTILINE)
    assert "/docs/questions.md)" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(("question", "link"), ASKED)
def test_the_second_click_is_on_an_answer(question, link):
    page, _hash, anchor = link.partition("#")
    text = (DOCS / page).read_text()
    assert not anchor or anchor in anchors(text), question


def test_there_are_twelve_at_least():
    assert len({link for _question, link in ASKED}) >= 12


def test_every_link_between_pages_leads_somewhere():
    dead = []
    # The front page of the site lies beside the other pages once it is built.
    for path in sorted({*DOCS.rglob("*.md")} - {DOCS / "docsite/index.md"}):
        for link in LINK.findall(path.read_text()):
            page, _hash, anchor = link.partition("#")
            target = path if not page else path.parent / page
            if "://" in link:
                continue
            if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target.read_text())):
                dead.append(f"{path.relative_to(ROOT)}: {link}")
    assert dead == []
