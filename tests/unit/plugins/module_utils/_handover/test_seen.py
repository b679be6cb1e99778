# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What looks saw: what is remembered of them, when that is worth a write, and that two writers lose nothing."""

from __future__ import annotations

import json
import threading

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import (
    ApiError,
    Failure,
    UnknownOutcome,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._clients.twilio_sync import Document
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover import seen_place
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.seen import (
    Unreadable,
    differs,
    document,
    is_news,
    observe,
    parse,
)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.seen_place import SeenFile, SeenSync
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.status import environment_status

# Ansible has no part in it.
pytestmark = pytest.mark.newest_only

DAYS = [f"2026-11-{day:02}T02:00:00Z" for day in range(1, 31)]
HOUR_LATER = "2026-11-01T03:00:00Z"


def verdicts(verdict="proven", at="", event=""):
    said = {"verdict": verdict, "reason": "r", "proven_at": at, "last_event": event}
    return dict.fromkeys(("connection", "link", "key"), said)


def well(at=""):
    return environment_status({"verdicts": verdicts(at=at or DAYS[0])}, False)


def drifted(*found, playbook="drift"):
    known = {"expected": "a", "since": "", "by": "", "mend": "", "accepted": ""}
    differences = [{"attribute": "name", "found": it, **known} for it in found]
    return environment_status({"verdicts": verdicts("attested"), "differences": differences}, False, playbook=playbook)


FAILED = environment_status({"failure": "no way in"}, False)


def after(*looks, before=None):
    """What is remembered after a look a day."""
    for now, found in zip(DAYS, looks):
        before = observe(before, found, now)
    return before


def test_since_when_is_the_first_of_the_looks_that_agree():
    seen = after(well(), drifted("b"), drifted("b", "c"), drifted("b", "c"))
    assert (seen["first_seen"], seen["last_well"]) == (DAYS[0], DAYS[0])
    assert (seen["status"], seen["since"]) == ("drifted", DAYS[1])
    assert [(it["found"], it["since"]) for it in seen["differences"]] == [("b", DAYS[1]), ("c", DAYS[2])]


def using(**tokens):
    return environment_status({"verdicts": verdicts(), "credentials": tokens}, False, playbook="drift")


def test_a_token_is_seen_since_the_first_look_for_drift_that_saw_it():
    seen = after(using(segment_token="a", profile_token="b"), well(), using(segment_token="a", profile_token="c"))
    assert {option: it["since"] for option, it in seen["credentials"].items()} == {
        "segment_token": DAYS[0],
        "profile_token": DAYS[2],
    }
    told = environment_status({"seen": seen, "credentials": {"segment_token": "a", "profile_token": "d"}}, False)
    assert {option: it["since"] for option, it in told["credentials"].items()} == {
        "segment_token": DAYS[0],
        "profile_token": "",
    }
    assert parse(json.loads(json.dumps(document({"dev": seen}))), "x")["dev"] == seen


def test_another_token_is_news_within_a_day():
    before = after(using(segment_token="a"))
    assert not is_news(before, observe(before, using(segment_token="a"), HOUR_LATER))
    assert is_news(before, observe(before, using(segment_token="b"), HOUR_LATER))


def test_what_came_back_is_new():
    seen = after(drifted("b"), well(), drifted("b"))
    assert (seen["since"], seen["differences"][0]["since"]) == (DAYS[2], DAYS[2])


def test_a_look_that_failed_says_nothing_of_differences_and_proofs():
    seen = after(drifted("b"), FAILED, drifted("b"))
    assert seen["differences"][0]["since"] == DAYS[0]
    assert after(well(), FAILED)["proofs"]["key"]["at"] == DAYS[0]


def test_connect_and_drift_find_the_same_well():
    in_sync = environment_status({"verdicts": verdicts()}, False, playbook="drift")
    assert in_sync["status"] != well()["status"]
    assert after(well(), in_sync)["since"] == DAYS[0]


def test_the_next_look_says_since_when():
    before = after(well(), drifted("b"))
    look = {"verdicts": verdicts("attested"), "differences": drifted("b", "new")["differences"], "seen": before}
    told = environment_status(look, False, playbook="drift")
    assert (told["first_seen"], told["last_well"], told["was"], told["since"]) == (DAYS[0], DAYS[0], "drifted", DAYS[1])
    assert [it.get("seen") for it in told["differences"]] == [DAYS[1], None]
    assert told["reasons"][0] == f"name: is b, and should be a (seen since {DAYS[1]})."
    changed = environment_status({"failure": "x", "seen": before}, False)
    assert (changed["was"], changed["since"]) == ("drifted", "")


def test_only_what_changed_is_written(tmp_path):
    place = SeenFile(tmp_path)
    place.remember({"dev": drifted("b"), "prod": FAILED}, DAYS[0])
    first = place.path.read_bytes()
    place.remember({"dev": drifted("b"), "prod": FAILED}, DAYS[1])
    assert place.path.read_bytes() == first
    place.remember({"dev": drifted("b", "c")}, DAYS[2])
    assert place.read()["prod"]["at"] == DAYS[0]
    assert place.read()["dev"]["at"] == DAYS[2]


@pytest.mark.parametrize(
    ("found", "now", "news"),
    [
        (well(), HOUR_LATER, False),
        (well(at=HOUR_LATER), HOUR_LATER, False),
        (well(), DAYS[1], True),
        (drifted("b"), HOUR_LATER, True),
        (FAILED, HOUR_LATER, True),
        (
            environment_status({"verdicts": {**verdicts(at=DAYS[0]), "key": verdicts("attested")["key"]}}, False),
            HOUR_LATER,
            False,
        ),
    ],
)
def test_a_document_is_written_for_news_or_once_a_day(found, now, news):
    before = after(well())
    assert is_news(before, observe(before, found, now)) is news


def test_a_step_that_is_proven_for_the_first_time_is_news():
    before = after(environment_status({"verdicts": {**verdicts(), "key": verdicts("attested")["key"]}}, False))
    assert is_news(before, observe(before, well(), HOUR_LATER))


def test_nothing_new_is_no_difference():
    before = after(FAILED)
    assert not differs(before, observe(before, FAILED, DAYS[9]))
    assert not is_news(before, observe(before, FAILED, DAYS[9]))


def test_many_writers_lose_nothing(tmp_path):
    def write(number):
        SeenFile(tmp_path).remember({f"e{number}": well(), "shared": well()}, DAYS[number])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = SeenFile(tmp_path).read()
    assert {*found} == {"shared", *(f"e{number}" for number in range(12))}
    assert (found["shared"]["first_seen"], found["shared"]["last_well"]) == (DAYS[0], DAYS[11])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is damaged: it is no JSON object"),
        ("[]", "is damaged: it is no JSON object"),
        ('{"format": true, "environments": {}}', "is damaged"),
        ('{"format": 2, "environments": {}}', "has format 2, written by a newer release"),
        ('{"format": 1}', "is damaged: 'environments' should be an object"),
        ('{"format": 1, "environments": {"dev": {"at": 5}}}', "is damaged: 'environments.dev"),
        ("[" * 100_000, "is damaged"),
        ("\ufeff\0", "is not UTF-8"),
    ],
)
def test_a_file_that_is_of_no_use_is_told_and_left_alone(tmp_path, text, told):
    place = SeenFile(tmp_path)
    place.path.write_text(text)
    for use in (place.read, lambda: place.remember({"dev": well()}, DAYS[0])):
        with pytest.raises(Unreadable, match=r"seen\.json") as raised:
            use()
        assert told in raised.value.full_message
    assert place.path.read_text() == text


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure, match=r"cannot be written: .*Nothing is remembered of this run") as raised:
        SeenFile(tmp_path / "file").remember({"dev": well()}, DAYS[0])
    assert "unified_profiles_remember" in raised.value.full_message


class Sync:
    """Documents, as another writer may change them between a read and a write."""

    def __init__(self, *meanwhile):
        self.documents, self.saved, self.meanwhile = {}, 0, [*meanwhile]

    def document(self, service, name):
        return self.documents.get(name)

    def save(self, service, name, data, revision):
        if self.meanwhile and (happened := self.meanwhile.pop(0)):
            happened(self, name)
        current = self.documents.get(name)
        if (current.revision if current else None) != revision:
            raise ApiError("taken", status=412 if revision else 409)
        self.saved += 1
        self.documents[name] = Document(json.loads(data), f"r{self.saved}")
        return self.documents[name]


def by_another(sync, name):
    before = sync.documents.get(name)
    known = parse(before.data, "it").get("dev") if before else None
    seen = observe(known, drifted("other"), "2026-10-01T00:00:00Z")
    sync.documents[name] = Document(document({"dev": seen}), f"other{len(sync.meanwhile)}")


def unanswered(sync, name):
    raise UnknownOutcome("no answer")


@pytest.mark.parametrize("meanwhile", [(), (by_another,), (by_another, by_another), (unanswered, by_another)])
def test_a_document_has_what_both_writers_saw(meanwhile):
    sync = Sync(*meanwhile)
    SeenSync(sync, " ", "dev").remember(well(), DAYS[0])
    seen = SeenSync(sync, "", "dev").read()
    assert (seen["status"], seen["last_well"]) == ("well", DAYS[0])
    assert seen["first_seen"] == ("2026-10-01T00:00:00Z" if by_another in meanwhile else DAYS[0])
    assert [*sync.documents] == ["seen-of-unified-profiles-dev"]
    saved = sync.saved
    SeenSync(sync, "", "dev").remember(well(at=HOUR_LATER), HOUR_LATER)
    assert sync.saved == saved


def test_a_document_that_others_always_write_first_ends_in_a_failure():
    sync = Sync(*[by_another] * seen_place.ATTEMPTS)
    with pytest.raises(ApiError):
        SeenSync(sync, "", "dev").remember(well(), DAYS[0])


def test_a_document_of_a_newer_release_is_left_alone():
    sync = Sync()
    sync.documents["seen-of-unified-profiles-dev"] = Document({"format": 9}, "r")
    with pytest.raises(Unreadable, match="newer release"):
        SeenSync(sync, "", "dev").remember(well(), DAYS[0])
    assert sync.saved == 0
