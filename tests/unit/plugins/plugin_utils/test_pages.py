# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task cards and the report: the vendor's labels, commands that a shell takes, and nothing that a name can break out of."""

from __future__ import annotations

import html
import html.parser
import json
import re
import shlex

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover import cards
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import (
    STATUSES,
    complete,
    environment_status,
)
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils import _pages as pages
from ansible_collections.flexops.unified_profiles.plugins.plugin_utils._fleet import how_to_run
from hypothesis import given
from hypothesis import strategies as st

EVIL = [
    "<script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    "{{ lookup('pipe', 'id') }}{% raw %}",
    "a | b\n# heading\n~~~\n```",
    "[click](javascript:alert(1)) ![](http://example.com/x)",
    "\x1b]0;title\x07\x1b[2J\u202egnp",
    "'; rm -rf /; '$(id)`id`",
]
ANYTHING = st.sampled_from(EVIL) | st.text(st.characters(exclude_categories=["Cs"]))
VALUES = ("friendly_name", "space_id", "profile_token", "write_key", "source_id", "source_name")


def made(step="connection", environment="dev", value="v", **console):
    card = cards.build_card(step, environment, "0d7a52c1e93b", dict.fromkeys(VALUES, value))
    return {**card, "links": cards.links(step, environment, console)}


def outcomes(environment="dev", text="v"):
    steps = {step: {"verdict": "pending", "reason": text} for step in ("connection", "link", "key")}
    waiting = {step: {"status": "pending", "card": made(step, environment, text)} for step in steps}
    look = {"verdicts": steps, "findings": [{"detail": text}], "handovers": waiting}
    return {environment: environment_status(look, False), text + "2": environment_status({"failure": text}, False)}


class Reader(html.parser.HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.urls, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, sorted(name for name, _value in attrs)))
        self.urls += [value for name, value in attrs if name in ("href", "src", "action")]

    def handle_data(self, data):
        self.text += data


LABELS = {
    "connection": [
        "Use existing Segment Unify workspace",
        "Connection friendly name",
        "Segment Unify space ID",
        "Profile API access token",
        "Allow Unified Profiles to write events to Segment",
        "Connect",
    ],
    "link": ["Connect source", "Connect source"],
    "key": ["Update key", "Save"],
}


@pytest.mark.parametrize("step", LABELS)
def test_a_card_has_the_vendors_labels_in_their_order(step):
    labels = [action["label"] for action in made(step)["actions"]]
    assert [label for label in labels if label in LABELS[step]] == LABELS[step]


@pytest.mark.parametrize("step", LABELS)
def test_a_card_is_json_and_is_the_same_everywhere(step):
    card = made(step, value="spa_4fGh7")
    assert json.loads(json.dumps(card)) == card
    shown = [pages.card_text(card, pages.Run()), pages.report_markdown(outcomes(text="spa_4fGh7"), pages.Run())]
    shown.append(Reader(pages.report_html(outcomes(text="spa_4fGh7"), pages.Run())).text)
    for text in shown:
        plain = re.sub(r"\\(.)", r"\1", text)
        assert all(action["label"] in plain for action in card["actions"])
        assert card["check"] in plain
        assert all(warning in plain for warning in card["warnings"])
        assert card["digest"] in plain


def test_values_that_are_not_known_yet_say_which():
    assert "<space_id>" in json.dumps(cards.build_card("link", "dev", "0" * 12, {}))


@pytest.mark.parametrize(
    ("console", "urls"),
    [
        ({}, ["https://console.twilio.com/"]),
        (
            {"region": "eu", "workspace_slug": "acme", "source_slug": "a/b"},
            ["https://console.twilio.com/", "https://eu1.app.segment.com/acme/sources/a%2Fb/overview"],
        ),
        ({"sandbox_url": "http://127.0.0.1:8765/"}, ["http://127.0.0.1:8765/console/dev/key"]),
        ({"sandbox_url": "javascript:alert(1)//"}, ["https://console.twilio.com/"]),
    ],
)
def test_links(console, urls):
    assert [link["url"] for link in made("key", **console)["links"]] == urls


def test_a_digest_and_a_name_confirm():
    line = pages.Run(arguments=("ansible-playbook", "my play.yml")).confirm(made(), {**made("key"), "digest": "1" * 12})
    confirm = "unified_profiles_confirm=0d7a52c1e93b,111111111111"
    named = "unified_profiles_confirmed_by=NAME"
    assert shlex.split(line) == ["ansible-playbook", "my play.yml", "--limit", "dev", "-e", confirm, "-e", named]


@given(ANYTHING)
def test_nothing_steers_a_terminal_or_makes_a_line_of_its_own(text):
    shown = pages.card_text(made(environment=text, value=text), pages.Run())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", shown)
    assert shown.count("\n") == pages.card_text(made(), pages.Run()).count("\n")


@given(ANYTHING.filter(str.strip))  # nothing is shown for an empty value
def test_nothing_becomes_markup_in_the_page(text):
    page = Reader(pages.report_html(outcomes(text, text), pages.Run(playbook=text)))
    assert page.tags == Reader(pages.report_html(outcomes("plain", "plain"), pages.Run())).tags
    assert {url.partition(":")[0] for url in page.urls if not url.startswith("#")} <= {"https"}


def test_the_page_needs_nothing_and_runs_only_its_own_script():
    page = pages.report_html(outcomes(), pages.Run())
    policy = html.unescape(re.search(r'Security-Policy" content="([^"]+)"', page)[1])
    script = re.search(r"<script>(.*)</script>", page, re.DOTALL)[1]
    assert f"script-src 'sha256-{pages.policy_hash(script)}'" in policy
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"<(link|img|iframe|script [^>]*src)\b|@import|url\(", page)


@given(ANYTHING.filter(str.strip))  # nothing is shown for an empty value
def test_nothing_breaks_out_of_the_markdown(text):
    known = pages.report_markdown(outcomes(), pages.Run()).splitlines()
    shown = pages.report_markdown(outcomes(text, text), pages.Run()).splitlines()
    assert len(shown) == len(known)
    assert [line.split(" ")[0] for line in shown if line.startswith("#")] == [
        line.split(" ")[0] for line in known if line.startswith("#")
    ]
    rows = [re.sub(r"\\.", "", line) for line in shown if line.startswith("| ")]
    assert {row.count("|") for row in rows} == {7}
    for line in shown:
        prose = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)|\\.|<https://[^>]*>", "", line)
        if not line.startswith(("ansible-playbook", "{")):
            assert not re.search(r"[<`\[]", prose), line


def test_the_command_is_the_runs_own_without_what_may_be_secret():
    options = {
        "args": ("connect.yml",),
        "inventory": ("/inventories/mine",),
        "vault_password_files": ("~/.vault",),
        "subset": "prod",
        "extra_vars": (
            "@vars.yml",
            "unified_profiles_segment_token=sgp_secret unified_profiles_ledger=sync mine=5",
            "unified_profiles_confirm=0d7a52c1e93b",
            "unified_profiles_friendly_name='Prod of ours'",
            '{"unified_profiles_proof_max_age": 2, "unified_profiles_proxy": "http://me:word@proxy", "unified_profiles_withdraw": "x"}',
        ),
        "check": True,
    }
    command, more = how_to_run(options)
    assert more == ("unified_profiles_segment_token", "mine", "unified_profiles_proxy")
    assert shlex.join(command) == (
        "ansible-playbook connect.yml -i /inventories/mine --vault-password-file '~/.vault' --limit prod -e @vars.yml "
        '-e unified_profiles_ledger=sync -e \'{"unified_profiles_friendly_name": "Prod of ours"}\' '
        "-e '{\"unified_profiles_proof_max_age\": 2}'"
    )
    assert how_to_run({"args": ("all",), "module_name": "x"}) == (cards.HOW_TO_RUN, ())


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("see https://evil.example/x", r"see https\://evil.example/x"),
        ("www.evil.example", r"www\.evil.example"),
        ("_x_ and a_b", r"\_x\_ and a_b"),
        ("a__b__c", r"a\_\_b\_\_c"),
        ("&lt;b&gt;", r"\&lt;b\&gt;"),
        ("12:30", "12:30"),
    ],
)
def test_a_name_is_no_link_and_has_no_emphasis_in_markdown(name, shown):
    assert pages.markdown(name) == shown


@pytest.mark.parametrize(
    ("environments", "limit"),
    [
        (["dev"], ["--limit", "dev"]),
        (["prod", "dev"], ["--limit", "dev,prod"]),
        (["d*"], []),
        (["!dev"], []),
        (["-x"], []),
        (["dev", "a:b"], []),
        (["d\u00e9v"], []),
    ],
)
def test_a_confirmation_runs_the_environments_it_is_about(environments, limit):
    line = pages.Run().confirm(*(made(environment=name) for name in environments))
    assert shlex.split(line)[:-4] == [*cards.HOW_TO_RUN, *limit]


def test_a_confirmation_of_a_limited_run_keeps_its_limit():
    line = pages.Run(arguments=("ansible-playbook", "x.yml", "--limit", "a*")).confirm(made())
    assert line.count("--limit") == 1


def test_the_summary_has_those_in_trouble_first_and_one_line_for_each():
    found = {
        **outcomes("dev", "a\nb"),
        "good": environment_status({"verdicts": {"key": {"verdict": "proven", "reason": "r"}}}, False),
    }
    *lines, counts = pages.summary_text(found, 9).splitlines()
    assert [line.split()[1] for line in lines] == ["failed", "pending", "proven"]
    assert counts == "3 environments: 1 proven, 1 pending (dev), 1 failed (a\\nb2)"
    assert pages.summary_text(found, 1).splitlines()[1] == "and 2 more."


def test_every_status_has_a_look_of_its_own():
    css = (pages.TEMPLATES / "page.css").read_text()
    rules = {
        name: rule.strip()
        for names, rule in re.findall(r"^(\.badge\S*) \{(.*)\}", css, re.MULTILINE)
        for name in names.split(",")
    }
    looks = [rules.get(f".badge.{status}", rules[".badge"]) for status in STATUSES]
    assert len({*looks}) == len(looks)
    assert all(looks)


def test_what_is_well_takes_a_line_and_every_time_is_for_people():
    at = "2026-11-24T10:02:31Z"
    steps = {step: {"verdict": "proven", "reason": f"shown at {at}"} for step in ("connection", "link", "key")}
    seen = {"status": "well", "since": at, "first_seen": at, "last_well": at, "differences": []}
    differs = {"attribute": "name", "expected": "a", "found": "b", "since": at, "by": "", "mend": "m", "accepted": ""}
    looks = {f"well{number}": {"verdicts": steps, "seen": seen} for number in range(17)}
    looks["other"] = {"verdicts": steps, "differences": [differs], "seen": {**seen, "status": "drifted"}}
    looks["failed"] = {"failure": f"Deleted at {at}.", "seen": {**seen, "status": "failed"}}
    found = {name: environment_status(look, False, playbook="drift") for name, look in looks.items()}
    found["other"]["findings"] = [{"detail": "It was disabled.", "mended": f"enabled again at {at}"}]
    page = pages.report_html(found, pages.Run("drift", at))
    assert page.count('<section class="environment"') == 2
    assert at not in page
    assert page.count("2026-11-24 10:02 UTC") > 20


def test_no_command_of_the_page_puts_a_secret_into_the_history_of_a_shell():
    footer = pages.report_html(outcomes(), pages.Run()).partition("<footer>")[2]
    assert "read -rs VALUE" in footer
    assert "'VALUE'" not in footer


@pytest.mark.parametrize(
    ("version", "expected"), [("2.16.19", False), ("2.21.5", False), ("2.22.0.dev0", True), ("3.0.0", True)]
)
def test_the_terminal_says_where_to_look_when_ansible_hides_a_value(monkeypatch, version, expected):
    monkeypatch.setattr(pages.release, "__version__", version)
    drifted = {"dev": {"differences": [{"attribute": "name", "found": "b", "accepted": ""}]}}
    run = pages.Run("drift", "2026-11-26T23:59:59Z")
    assert ("$REDACTED$" in pages.card_text(made(), run)) is expected
    assert ("$REDACTED$" in pages.acceptance_text(drifted, run, 5)) is expected
    assert pages.acceptance_text({}, run, 5) == ""


def test_the_lines_that_accept_drift_lack_only_the_reason():
    found = {"attribute": "labels", "found": "managed-by: {{ x }}\x1b[2J", "accepted": ""}
    known = {"attribute": "name", "found": "b", "accepted": "a trial (until 2026-12-31)"}
    outcomes = {
        "dev": {"differences": [found, known]},
        "prod": {"differences": [known]},
        "eu": {"differences": [found]},
    }
    run = pages.Run("drift", "2026-11-26T23:59:59Z")
    lines = [
        "unified_profiles_accepted_drift:",
        "  - attribute: labels",
        '    value: !unsafe "managed-by: {{ x }}\\u001b[2J"',
        "    reason:",
        '    until: "2026-12-26"',
    ]
    assert pages.acceptance_text(outcomes, run, 1).splitlines() == [
        "# dev: to accept what was found, add to its variables, each with a reason",
        *lines,
        "# and 1 more",
    ]
    assert pages.acceptance_text({"prod": {"differences": [known]}}, run, 1) == ""
    # And in the files, where they can be copied from.
    shown = {
        name: {"expected": "a", "since": "", "by": "", "mend": "", **of} for name, of in (("dev", found), ("eu", known))
    }
    look = {"verdicts": {step: {"verdict": "proven", "reason": "r"} for step in ("connection", "link", "key")}}
    fleet = {name: environment_status({**look, "differences": [it]}, False) for name, it in shown.items()}
    for text in (pages.report_markdown(fleet, run), Reader(pages.report_html(fleet, run)).text):
        assert text.count("\n".join(lines)) == 1
        assert text.count("unified_profiles_accepted_drift:") == 1


def rows_of(page, heading):
    """The rows of a table in a page, as strings."""
    table = page.partition(f">{heading}</h2>")[2].partition("</table>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)[1:]
    return [[re.sub("<.*?>", " ", cell).split() for cell in re.findall(r"<t[hd].*?</t[hd]>", row)] for row in rows]


def test_the_report_has_phase_age_and_date_of_each_key():
    rotation = {"phase": "retire", "key": "3f29a1b07c55", "age_days": 91, "next": "2026-11-27T10:00:00Z"}
    found = {name: complete({"status": "proven", "rotation": of}) for name, of in (("dev", rotation), ("eu", {}))}
    table = pages.report_markdown(found, pages.Run()).partition("## Write keys")[2].splitlines()
    assert [line for line in table if line.startswith("| dev") or line.startswith("| eu")] == [
        "| dev | retire | 3f29a1b07c55 | 91 | 2026-11-27 10:00 UTC |"
    ]
    assert rows_of(pages.report_html(found, pages.Run()), "Write keys") == [
        [["dev"], ["retire"], ["3f29a1b07c55"], ["91"], ["2026-11-27", "10:00", "UTC"]]
    ]
    for render in (pages.report_markdown, pages.report_html):
        assert "Write keys" not in render({"eu": found["eu"]}, pages.Run())


def test_the_report_has_which_environment_uses_which_token_since_when():
    known = {"fingerprint": "3f29a1b07c55", "since": "2026-11-01T10:00:00Z"}
    used = {"segment_token": known, "twilio_auth_token": {"fingerprint": "a3d61230a7fb", "since": ""}}
    found = {name: complete({"status": "in_sync", "credentials": of}) for name, of in (("dev", used), ("eu", {}))}
    table = pages.report_markdown(found, pages.Run()).partition("## Tokens")[2]
    assert "| dev | 3f29a1b07c55, seen since 2026-11-01 10:00 UTC | - | a3d61230a7fb, new |" in table.splitlines()
    seen = ["3f29a1b07c55", "seen", "since", "2026-11-01", "10:00", "UTC"]
    page = pages.report_html(found, pages.Run())
    assert rows_of(page, "Tokens") == [[["dev"], seen, ["\u2013"], ["a3d61230a7fb", "new"]]]
    for text in (table, page):
        assert pages.REPLACED in text
