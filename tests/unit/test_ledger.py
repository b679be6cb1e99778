# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger in a file: what it holds, who may write at the same time, and what happens when a writer dies."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import LedgerError, OptionError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover import ledger as ledger_module
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger import (
    FileLedger,
    digest,
    document,
    file_name_for,
    merge,
    parse,
    persistent_dir,
)
from hypothesis import given, settings
from hypothesis import strategies as st

EXAMPLES = settings(database=None, deadline=None, max_examples=300)


def record(name: str, at: str = "2026-11-24T10:00:00Z", **more: object) -> dict:
    subject = {"key_fingerprint": name, **more}
    return {
        "subject": subject,
        "digest": digest("dev", "key", subject),
        "channel": "operator",
        "how": "asked",
        "by": "",
        "at": at,
    }


# What it holds


def test_what_is_written_is_read_and_reads_well(tmp_path):
    ledger = FileLedger(tmp_path, "dev")
    assert ledger.read() == {}
    ledger.write("key", {"asked": record("k1")})
    ledger.write("connection", {"done": record("c1")})
    text = (tmp_path / "ledger/dev.json").read_text()
    assert FileLedger(tmp_path, "dev").read()["key"] == {"asked": record("k1")}
    assert text.endswith("}\n")
    assert text.index('"connection"') < text.index('"key"')
    # One fact a line, always in the same order, so that a review shows what changed and nothing else.
    assert '        "subject": {\n          "key_fingerprint": "c1"\n        }' in text
    again = FileLedger(tmp_path, "dev")
    again.read()
    again.write("key", {"asked": record("k1")})
    assert (tmp_path / "ledger/dev.json").read_text() == text


def test_colleagues_can_read_it(tmp_path):
    before = os.umask(0o027)
    try:
        FileLedger(tmp_path, "dev").write("key", {"done": record("k1")})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "ledger/dev.json").stat().st_mode) == 0o640


GOOD = document("dev", {"key": {"done": record("k1")}})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "format 2, written by a newer release"),
        ({"format": "1"}, "it has no format number"),
        ({"environment": "prod"}, "the one of the environment 'prod', not of 'dev'"),
        ({"steps": []}, "'steps' should have connection, link, key"),
        ({"steps": {"keys": {}}}, "'steps' should have connection, link, key"),
        ({"steps": {"key": []}}, "'key' should have 'done', 'asked'"),
        ({"steps": {"key": {"Done": {}}}}, "'key' should have 'done', 'asked'"),
        ({"steps": {"key": {"done": {}}}}, "'key.done' has no subject"),
        ({"steps": {"key": {"done": {**record("k1"), "at": None}}}}, "'key.done.at' is missing or no text"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path, change, said):
    path = tmp_path / "ledger/dev.json"
    path.parent.mkdir()
    path.write_text(json.dumps({**GOOD, **change}))
    with pytest.raises(LedgerError) as caught:
        FileLedger(tmp_path, "dev").read()
    assert said in caught.value.message
    assert str(path) in caught.value.message
    assert caught.value.next_step


@pytest.mark.parametrize("content", [b"", b"{", b"<<<<<<< HEAD\n{}", b"\xff\xfe", b"null", b"[" * 100_000])
def test_a_damaged_file_says_so_and_is_not_overwritten(tmp_path, content):
    path = tmp_path / "ledger/dev.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=r"is damaged|cannot be read"):
        FileLedger(tmp_path, "dev").write("key", {"done": record("k1")})
    assert path.read_bytes() == content


@EXAMPLES
@given(st.text(min_size=1), st.text(min_size=1))
def test_no_two_environments_share_a_file(one, other):
    assert "/" not in file_name_for(one)
    assert not file_name_for(one).startswith(".")
    if one != other:
        assert file_name_for(one) != file_name_for(other)


VALUES = st.dictionaries(st.sampled_from("abc"), st.text(max_size=3) | st.booleans(), max_size=3)


@EXAMPLES
@given(VALUES, VALUES, st.sampled_from(["connection", "link"]), st.sampled_from(["dev", "prod"]))
def test_a_digest_stands_for_one_subject_of_one_step_of_one_environment(one, other, step, environment):
    same = (one, "link", "dev") == (other, step, environment)
    assert (digest("dev", "link", one) == digest(environment, step, other)) == same
    assert digest("dev", "link", one) == digest("dev", "link", dict(reversed(one.items())))


# Where it may be kept

AWX = {"AWX_PRIVATE_DATA_DIR": "/tmp/awx_61_x", "AWX_ISOLATED_DATA_DIR": "/runner/artifacts/61"}


@pytest.mark.parametrize(
    ("folder", "environ"),
    [
        (None, {}),
        ("  ", {}),
        ("/.unified_profiles", {}),
        ("/runner/project/inventories/prod/.unified_profiles", AWX),
        ("/runner/inventory/.unified_profiles", AWX),
        ("/runner/inventory/.unified_profiles", {"AWX_PRIVATE_DATA_DIR": "/tmp/awx_1_y"}),
        ("/tmp/awx_61_x/project/.unified_profiles", AWX),
    ],
)
def test_a_folder_that_does_not_last_is_refused_with_the_way_out(folder, environ):
    with pytest.raises(OptionError) as caught:
        persistent_dir(folder, environ)
    assert caught.value.facts["option"] == "state_dir"
    assert "ledger: sync" in caught.value.next_step


@pytest.mark.parametrize(
    ("folder", "environ"),
    [
        ("/srv/state", {}),
        ("/srv/state", AWX),
        # ansible-runner on its own keeps its folder.
        ("/home/ops/private/inventory/.unified_profiles", {"AWX_ISOLATED_DATA_DIR": "/home/ops/private/artifacts/1"}),
        ("/runners/state", AWX),
    ],
)
def test_a_folder_that_lasts_is_taken(folder, environ):
    assert persistent_dir(folder, environ) == Path(folder)


# Several writers

ALSO_THERE = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])}
WRITER = """
import sys
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger import FileLedger
from pathlib import Path
from test_ledger import record
step = sys.argv[1]
for n in range(60):
    ledger = FileLedger(Path(sys.argv[2]), "dev")
    ledger.read()
    ledger.write(step, {"asked": record(f"{step}-{n}")})
ledger.write(step, {"done": record(step)})
"""


def test_writers_in_parallel_lose_nothing(tmp_path):
    script = tmp_path / "writer.py"
    script.write_text(WRITER)
    writers = [
        subprocess.Popen([sys.executable, script, step, tmp_path], stderr=subprocess.PIPE, text=True, env=ALSO_THERE)
        for step in ("connection", "link", "key")
    ]
    for writer in writers:
        assert writer.wait(60) == 0, writer.stderr.read()
    assert FileLedger(tmp_path, "dev").read() == {
        step: {"done": record(step)} for step in ("connection", "link", "key")
    }
    assert sorted(p.name for p in (tmp_path / "ledger").iterdir()) == ["dev.json", "dev.lock"]


def test_two_writers_of_one_step_keep_both_records(tmp_path):
    one, two = FileLedger(tmp_path, "dev"), FileLedger(tmp_path, "dev")
    one.read()
    two.read()
    one.write("key", {"done": record("k1")})
    two.write("key", {"asked": record("k2")})
    assert FileLedger(tmp_path, "dev").read()["key"] == {"done": record("k1"), "asked": record("k2")}


def test_what_was_confirmed_meanwhile_is_not_asked_for_again():
    assert merge({}, {"asked": record("k1")}, {"done": record("k1")}) == {"done": record("k1")}
    # Asked for again by one writer, though: it had been asked to do something else since.
    again = {"done": record("k1"), "asked": record("k1", at="2026-11-24T11:00:00Z")}
    seen = {"done": record("k1"), "asked": record("k2")}
    assert merge(seen, again, seen) == again


@contextlib.contextmanager
def another_process_holds(lock: Path):
    hold = f"import fcntl, time; f = open({str(lock)!r}, 'w'); fcntl.flock(f, 2); print('held', flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE)
    process.stdout.readline()
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_lock_is_not_waited_for_without_end_and_a_stale_one_is_harmless(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger_module, "LOCK_SECONDS", 0.05)
    (tmp_path / "ledger").mkdir()
    ledger = FileLedger(tmp_path, "dev")
    with another_process_holds(tmp_path / "ledger/dev.lock") as process:
        with pytest.raises(LedgerError, match="has been locked by another process") as caught:
            ledger.write("key", {"done": record("k1")})
        assert "dev.lock" in caught.value.next_step
        process.send_signal(signal.SIGKILL)
        process.wait()
        ledger.write("key", {"done": record("k1")})
    assert ledger.read()["key"] == {"done": record("k1")}


def test_a_lock_file_of_another_user_still_locks(tmp_path, monkeypatch):
    FileLedger(tmp_path, "dev").write("key", {"done": record("k1")})
    real = os.open

    def refuse(path, flags, *rest, **kwargs):
        if str(path).endswith(".lock") and flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *rest, **kwargs)

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(ledger_module, "LOCK_SECONDS", 0.05)
    FileLedger(tmp_path, "dev").write("key", {"done": record("k2")})
    with open(tmp_path / "ledger/dev.lock") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(LedgerError, match="locked"):
            FileLedger(tmp_path, "dev").write("key", {"done": record("k3")})


# Crashes


def test_a_writer_that_dies_leaves_the_old_record_and_the_next_one_goes_on(tmp_path):
    FileLedger(tmp_path, "dev").write("key", {"done": record("k1")})
    before = (tmp_path / "ledger/dev.json").read_text()
    die = f"""
import os
from pathlib import Path
os.replace = lambda *_: os.kill(os.getpid(), 9)
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger import FileLedger
FileLedger(Path({str(tmp_path)!r}), "dev").write("key", {{"done": {record("k2")!r}}})
"""
    assert subprocess.run([sys.executable, "-c", die], check=False, env=ALSO_THERE).returncode == -signal.SIGKILL
    assert (tmp_path / "ledger/dev.json").read_text() == before
    assert (tmp_path / "ledger/dev.new").exists()
    FileLedger(tmp_path, "dev").write("key", {"done": record("k3")})
    assert FileLedger(tmp_path, "dev").read()["key"]["done"] == record("k3")
    assert not (tmp_path / "ledger/dev.new").exists()


def test_file_and_folder_reach_the_disk_in_the_right_order(tmp_path, monkeypatch):
    steps = []
    fsync, replace = os.fsync, os.replace

    def synced(descriptor):
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def replaced(*paths):
        steps.append("rename")
        replace(*paths)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    FileLedger(tmp_path, "dev").write("key", {"done": record("k1")})
    assert steps == ["file", "rename", "folder"]


def test_a_folder_that_cannot_be_written_says_which(tmp_path):
    (tmp_path / "ledger").write_text("a file where the folder should be")
    with pytest.raises(LedgerError, match="cannot be written") as caught:
        FileLedger(tmp_path, "dev").write("key", {"done": record("k1")})
    assert str(tmp_path) in caught.value.message


# Merging

RECORDS = st.builds(
    lambda name, at: record(name, at=f"2026-11-24T10:00:0{at}Z"), st.sampled_from(["k1", "k2", "k3"]), st.integers(0, 9)
)
STEP = st.fixed_dictionaries({}, optional={"done": RECORDS, "asked": RECORDS})


def crossing(seen, now):
    """A record done and one asked for the same thing, both new: no single writer makes that."""
    new = [now.get(state) for state in ("done", "asked") if now.get(state) != seen.get(state)]
    return len(new) == 2 and None not in new and new[0]["subject"] == new[1]["subject"]


@EXAMPLES
@given(STEP, STEP)
def test_a_writer_alone_gets_what_it_wrote(seen, now):
    if not crossing(seen, now):
        assert merge(seen, now, seen) == now
        assert merge(seen, seen, now) == now
        assert merge(seen, now, now) == now


@EXAMPLES
@given(STEP, STEP, STEP)
def test_what_either_writer_recorded_as_done_stays(seen, ours, theirs):
    merged = merge(seen, ours, theirs)
    new = [side["done"] for side in (ours, theirs) if side.get("done") not in (None, seen.get("done"))]
    if new:
        assert merged["done"] in new
        assert merged["done"]["at"] == max(done["at"] for done in new)
    assert all(merged[state] in (ours.get(state), theirs.get(state)) for state in merged)


@EXAMPLES
@given(STEP, STEP, STEP)
def test_what_either_writer_asked_for_stays_unless_the_other_has_done_it(seen, ours, theirs):
    merged = merge(seen, ours, theirs)
    for side in (ours, theirs):
        asked = side.get("asked")
        if asked and asked != seen.get("asked") and "asked" not in merged:
            assert merged["done"] != seen.get("done")
            assert any(
                merged["done"]["subject"] == other["asked"]["subject"] for other in (ours, theirs) if "asked" in other
            )


@EXAMPLES
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=4))
def test_anything_else_than_a_ledger_is_damaged(found):
    with pytest.raises(LedgerError):
        parse(found, "dev", "The ledger")
