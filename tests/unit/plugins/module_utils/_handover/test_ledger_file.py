# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger in a file: who may write at the same time, what happens when a writer dies."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base import files
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import LedgerError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger import LedgerDocument
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_file import FileLedger
from support.ledgers import FULL, asked, entry, record

# What it holds


def test_what_is_written_is_read_and_reads_well(tmp_path):
    ledger = FileLedger(tmp_path, "dev")
    assert ledger.read() == LedgerDocument("dev")
    ledger.write("key", {"asked": asked("k1")})
    ledger.write("connection", {"done": record("c1")})
    text = (tmp_path / "ledger/dev.json").read_text()
    assert FileLedger(tmp_path, "dev").read().steps["key"] == {"asked": asked("k1")}
    assert text.endswith("}\n")
    assert text.index('"connection"') < text.index('"key"')
    # One fact a line, always in the same order, so that a review shows what changed and nothing else.
    assert '        "subject": {\n          "key_fingerprint": "c1"\n        }' in text
    again = FileLedger(tmp_path, "dev")
    again.read()
    again.write("key", {"asked": asked("k1")})
    assert (tmp_path / "ledger/dev.json").read_text() == text


def test_format_1_becomes_format_2_when_something_is_recorded_and_not_before(tmp_path):
    path = tmp_path / "ledger/dev.json"
    path.parent.mkdir()
    old = json.dumps({"format": 1, "environment": "dev", "steps": {"link": {"done": record("l1")}}})
    path.write_text(old)
    ledger = FileLedger(tmp_path, "dev")
    ledger.read()
    ledger.write("link", {"done": record("l1")})
    assert path.read_text() == old
    ledger.write("key", {"done": record("k1")}, entry("attested"))
    assert json.loads(path.read_text()) == {
        "format": 2,
        "environment": "dev",
        "steps": {"link": {"done": record("l1")}, "key": {"done": record("k1")}},
        "history": [entry("attested")],
    }


def test_what_a_later_release_added_stays(tmp_path):
    path = tmp_path / "ledger/dev.json"
    path.parent.mkdir()
    path.write_text(json.dumps(FULL))
    ledger = FileLedger(tmp_path, "dev")
    ledger.read()
    ledger.write("link", {"done": record("l1")})
    assert json.loads(path.read_text())["added_later"] == FULL["added_later"]


def test_a_rotation_that_another_run_went_on_with_is_refused_and_nothing_is_written(tmp_path):
    path = tmp_path / "ledger/dev.json"
    path.parent.mkdir()
    path.write_text(json.dumps(FULL))
    one, two = FileLedger(tmp_path, "dev"), FileLedger(tmp_path, "dev")
    seen = one.read()
    two.read()
    two.save(replace(seen, rotation=None))
    stands = path.read_text()
    with pytest.raises(LedgerError, match="Another run has changed the rotation"):
        one.save(replace(seen, rotation={**seen.rotation, "phase": "prove"}, history=[entry("rotated")]))
    assert path.read_text() == stands


@pytest.mark.parametrize("content", [b"", b"{", b"<<<<<<< HEAD\n{}", b"\xff\xfe", b"null", b"[" * 100_000])
def test_a_damaged_file_says_so_and_is_not_overwritten(tmp_path, content):
    path = tmp_path / "ledger/dev.json"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=r"is damaged|cannot be used"):
        FileLedger(tmp_path, "dev").write("key", {"done": record("k1")})
    assert path.read_bytes() == content


# Several writers

ALSO_THERE = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
WRITER = """
import sys
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_file import FileLedger
from pathlib import Path
from support.ledgers import asked, entry, record
step = sys.argv[1]
for n in range(60):
    ledger = FileLedger(Path(sys.argv[2]), "dev")
    ledger.read()
    ledger.write(step, {"asked": asked(f"{step}-{n}")})
ledger.write(step, {"done": record(step)}, entry("attested", step=step))
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
    found = FileLedger(tmp_path, "dev").read()
    assert found.steps == {step: {"done": record(step)} for step in ("connection", "link", "key")}
    assert [said["step"] for said in found.history] == ["connection", "key", "link"]
    assert sorted(p.name for p in (tmp_path / "ledger").iterdir()) == ["dev.json", "dev.lock"]


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
    monkeypatch.setattr(files, "LOCK_SECONDS", 0.05)
    (tmp_path / "ledger").mkdir()
    ledger = FileLedger(tmp_path, "dev")
    with another_process_holds(tmp_path / "ledger/dev.lock") as process:
        with pytest.raises(LedgerError, match="has been locked by another process") as caught:
            ledger.write("key", {"done": record("k1")})
        assert "dev.lock" in caught.value.next_step
        process.send_signal(signal.SIGKILL)
        process.wait()
        ledger.write("key", {"done": record("k1")})
    assert ledger.read().steps["key"] == {"done": record("k1")}


def test_a_lock_file_of_another_user_still_locks(tmp_path, monkeypatch):
    FileLedger(tmp_path, "dev").write("key", {"done": record("k1")})
    real = os.open

    def refuse(path, flags, *rest, **kwargs):
        if str(path).endswith(".lock") and flags & os.O_RDWR:
            raise PermissionError(13, "Permission denied")
        return real(path, flags, *rest, **kwargs)

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(files, "LOCK_SECONDS", 0.05)
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
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_file import FileLedger
FileLedger(Path({str(tmp_path)!r}), "dev").write("key", {{"done": {record("k2", "2026-11-24T10:00:01Z")!r}}})
"""
    assert subprocess.run([sys.executable, "-c", die], check=False, env=ALSO_THERE).returncode == -signal.SIGKILL
    assert (tmp_path / "ledger/dev.json").read_text() == before
    assert (tmp_path / "ledger/dev.new").exists()
    later = record("k3", "2026-11-24T10:00:02Z")
    FileLedger(tmp_path, "dev").write("key", {"done": later})
    assert FileLedger(tmp_path, "dev").read().steps["key"]["done"] == later
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
