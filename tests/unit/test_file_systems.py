# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What file systems do to the ledger: links, locks, permissions, encodings, and folders that are full or read-only."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base import files
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import LedgerError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover import ledger_file
from ansible_collections.flexops.unified_profiles.plugins.module_utils._handover.ledger_file import FileLedger
from support.ledgers import FULL, record
from support.mounts import file_system, fill, make_read_only

DONE = {"done": record("k1")}


@pytest.fixture
def ledger(tmp_path: Path) -> FileLedger:
    return FileLedger(tmp_path / "state", "dev")


@pytest.fixture
def written(ledger: FileLedger) -> FileLedger:
    ledger.write("key", DONE)
    return ledger


def tree(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    """Every file and folder with its mode and content."""
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.read_bytes() if path.is_file() else None)
        for path in sorted(folder.rglob("*"))
    }


def failing(
    monkeypatch: pytest.MonkeyPatch, name: str, number: int, only: Callable[..., bool] = lambda *_: True
) -> None:
    """Let a function of the operating system fail, where ``only`` says so of its arguments."""
    module = fcntl if name == "flock" else os
    real = getattr(module, name)

    def fail(*args: Any, **kwargs: Any) -> Any:
        if only(*args):
            raise OSError(number, os.strerror(number), args[0] if isinstance(args[0], (str, Path)) else None)
        return real(*args, **kwargs)

    monkeypatch.setattr(module, name, fail)


def is_folder(descriptor: int) -> bool:
    return stat.S_ISDIR(os.fstat(descriptor).st_mode)


# fsync


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EBADF, errno.EOPNOTSUPP, errno.EACCES, errno.EPERM])
def test_a_file_system_that_cannot_sync_folders_is_taken(ledger, monkeypatch, number):
    failing(monkeypatch, "fsync", number, is_folder)
    ledger.ensure_writable()
    ledger.write("key", DONE)
    assert ledger.read().steps["key"] == DONE


def test_a_folder_that_can_be_written_and_not_read_is_taken(written, monkeypatch):
    failing(monkeypatch, "open", errno.EACCES, lambda path, flags, *_: flags & os.O_DIRECTORY)
    written.write("key", {"done": record("k2")})
    assert written.read().steps["key"]["done"] == record("k2")


def test_a_disk_that_fails_is_told_of_folders_as_well(ledger, monkeypatch):
    failing(monkeypatch, "fsync", errno.EIO, is_folder)
    with pytest.raises(LedgerError, match="cannot be written: Input/output error"):
        ledger.write("key", DONE)


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_file_that_did_not_reach_the_disk_is_never_ignored(written, monkeypatch, number):
    before = tree(written.folder)
    failing(monkeypatch, "fsync", number, lambda descriptor: not is_folder(descriptor))
    with pytest.raises(LedgerError, match="cannot be written"):
        written.write("key", {"done": record("k2")})
    assert tree(written.folder) == before


# Locks


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
@pytest.mark.parametrize("act", ["ensure_writable", "write"])
def test_a_file_system_without_locks_says_so_and_what_to_do(ledger, monkeypatch, number, act):
    failing(monkeypatch, "flock", number)
    with pytest.raises(LedgerError) as caught:
        ledger.ensure_writable() if act == "ensure_writable" else ledger.write("key", DONE)
    assert f"the file system of {ledger.path.parent} has no locks" in caught.value.message
    assert os.strerror(number) in caught.value.message
    assert "Mount it with locks" in caught.value.next_step
    assert "ledger: sync" in caught.value.next_step
    assert not ledger.path.exists()


def test_the_lock_is_opened_for_writing_as_nfs_wants_it(ledger, monkeypatch):
    real = fcntl.flock

    def nfs(descriptor: int, operation: int) -> None:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", nfs)
    ledger.ensure_writable()
    ledger.write("key", DONE)
    # Another user's lock file, which may only be read.
    failing(
        monkeypatch, "open", errno.EACCES, lambda path, flags, *_: str(path).endswith(".lock") and flags & os.O_RDWR
    )
    for act in (ledger.ensure_writable, lambda: ledger.write("key", {"done": record("k2")})):
        with pytest.raises(LedgerError, match="locks a file only for those who may write to it") as caught:
            act()
        assert "dev.lock" in caught.value.next_step


def test_a_lock_that_is_a_link_is_not_followed(ledger, tmp_path):
    ledger.path.parent.mkdir(parents=True)
    ledger.path.with_suffix(".lock").symlink_to(tmp_path / "elsewhere")
    for act in (ledger.ensure_writable, lambda: ledger.write("key", DONE)):
        with pytest.raises(LedgerError, match="cannot be written") as caught:
            act()
        assert "dev.lock" in caught.value.message
        assert "It is a link" in caught.value.next_step
    assert not (tmp_path / "elsewhere").exists()
    assert not ledger.path.exists()


def test_a_lock_that_is_a_pipe_is_not_waited_for(ledger, monkeypatch):
    ledger.path.parent.mkdir(parents=True)
    os.mkfifo(ledger.path.with_suffix(".lock"))
    failing(
        monkeypatch, "open", errno.EACCES, lambda path, flags, *_: str(path).endswith(".lock") and flags & os.O_RDWR
    )
    with contextlib.suppress(LedgerError):
        ledger.write("key", DONE)


# Links


@pytest.mark.parametrize("absolute", [True, False])
def test_a_link_stays_and_what_it_links_to_is_written(ledger, tmp_path, absolute):
    ledger.path.parent.mkdir(parents=True)
    shared = tmp_path / "shared/dev.json"
    shared.parent.mkdir()
    shared.write_text(json.dumps(FULL))
    ledger.path.symlink_to(shared if absolute else "../../shared/dev.json")
    ledger.read()
    ledger.ensure_writable()
    ledger.write("key", {"done": record("k9")})
    assert ledger.path.is_symlink()
    assert json.loads(shared.read_text())["steps"]["key"] == {"done": record("k9")}
    # All who link to it take one lock.
    assert [path.name for path in ledger.path.parent.iterdir()] == ["dev.json"]
    assert sorted(path.name for path in shared.parent.iterdir()) == ["dev.json", "dev.lock"]


def test_a_folder_that_is_a_link_is_followed(ledger, tmp_path):
    (tmp_path / "shared").mkdir()
    ledger.folder.mkdir()
    (ledger.folder / "ledger").symlink_to(tmp_path / "shared")
    ledger.ensure_writable()
    ledger.write("key", DONE)
    assert (tmp_path / "shared/dev.json").exists()


def test_a_report_that_is_a_link_stays_one(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "report.md").symlink_to("shared/report.md")
    files.replace_file(tmp_path / "report.md", "new")
    assert (tmp_path / "report.md").is_symlink()
    assert [path.name for path in (tmp_path / "shared").iterdir()] == ["report.md"]
    assert (tmp_path / "shared/report.md").read_text() == "new"


@pytest.mark.parametrize("act", ["read", "write"])
def test_a_link_to_what_is_not_there_is_no_empty_ledger(ledger, tmp_path, act):
    """A share that is not mounted does not have everything asked for again."""
    ledger.path.parent.mkdir(parents=True)
    ledger.path.symlink_to(tmp_path / "not_mounted/dev.json")
    with pytest.raises(LedgerError, match=r"is a link to .*not_mounted/dev.json, which is not there") as caught:
        ledger.read() if act == "read" else ledger.write("key", DONE)
    assert "Mount" in caught.value.next_step


def test_a_link_to_itself_is_told(ledger):
    ledger.path.parent.mkdir(parents=True)
    ledger.path.symlink_to(ledger.path)
    with pytest.raises(LedgerError, match="cannot be read"):
        ledger.read()


# What is there is no text file


def pipe(path: Path) -> None:
    os.mkfifo(path)


def sparse(path: Path) -> None:
    with path.open("wb") as handle:
        handle.truncate(9 * 1024**3)


def listening(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the path of a socket has to be short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (pipe, "it is not a regular file"),
        (Path.mkdir, "it is not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "it is not a regular file"),
        (lambda path: path.symlink_to("/dev/null"), "it is not a regular file"),
        (sparse, f"it has more than {ledger_file.MAX_FILE} bytes"),
        (listening, "cannot be read: No such device or address"),
        (lambda path: path.write_bytes(json.dumps(FULL).encode("utf-16")), "it is not UTF-8"),
        (lambda path: path.write_bytes(json.dumps(FULL).encode("utf-16-le")), "it is not UTF-8"),
        (lambda path: path.write_bytes(json.dumps(FULL).encode("utf-32")), "it is not UTF-8"),
        (lambda path: path.write_bytes(b'{"environment": "d\xe9v"}'), "it is not UTF-8"),
        (lambda path: path.write_text('{"a":' * 1000 + "1" + "}" * 1000), "is damaged"),
        (lambda path: path.write_text("[" * 1000 + "]" * 1000), "is damaged"),
    ],
)
def test_what_is_no_text_file_is_refused_at_once_and_stays(ledger, make, said):
    ledger.path.parent.mkdir(parents=True)
    make(ledger.path)
    before = ledger.path.lstat()
    for act in (ledger.read, lambda: ledger.write("key", DONE)):
        with pytest.raises(LedgerError) as caught:
            act()
        assert said in caught.value.message
        assert caught.value.next_step
    assert ledger.path.lstat().st_ino == before.st_ino


def test_a_byte_order_mark_is_read_over(ledger):
    ledger.path.parent.mkdir(parents=True)
    ledger.path.write_bytes(json.dumps(FULL).encode("utf-8-sig"))
    assert ledger.read().as_json() == FULL
    ledger.write("link", DONE)
    assert not ledger.path.read_bytes().startswith(b"\xef\xbb\xbf")


# Permissions


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o666])
def test_an_existing_file_keeps_its_mode_and_a_new_one_has_the_umasks(ledger, mode):
    before = os.umask(0o027)
    try:
        ledger.write("key", DONE)
        assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o640
        ledger.path.chmod(mode)
        ledger.write("key", {"done": record("k2")})
    finally:
        os.umask(before)
    assert stat.S_IMODE(ledger.path.stat().st_mode) == mode


def test_a_secret_mode_is_never_wider_for_a_moment(written, monkeypatch):
    written.path.chmod(0o600)
    modes = []
    real = os.replace

    def watched(source: Path, target: Path) -> None:
        modes.append(stat.S_IMODE(os.stat(source).st_mode))
        real(source, target)

    monkeypatch.setattr(os, "replace", watched)
    # A file system of Windows, which has no modes to change.
    failing(monkeypatch, "fchmod", errno.EPERM)
    written.write("key", {"done": record("k2")})
    assert modes == [0o600]


@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root may give files away; the tests' container is run as root in CI"
)
def test_root_does_not_take_a_file_from_its_owner(written):
    written.path.chmod(0o600)
    os.chown(written.path, 65534, 65534)
    written.write("key", {"done": record("k2")})
    found = written.path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (65534, 65534, 0o600)


# A folder that cannot be written


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EACCES, "Give the user of this run the right to it"),
        (errno.EPERM, "Give the user of this run the right to it"),
        (errno.EROFS, "mounted read-only"),
        (errno.ENOSPC, "is full"),
        (errno.EDQUOT, "quota"),
        (errno.ENAMETOOLONG, "too long"),
        (errno.ESTALE, "mount it again"),
        (errno.EIO, "See that its file system works"),
    ],
)
@pytest.mark.parametrize("act", ["ensure_writable", "write"])
def test_the_advice_fits_the_error(ledger, monkeypatch, number, advice, act):
    failing(monkeypatch, "open", number, lambda path, flags, *_: flags & os.O_CREAT)
    with pytest.raises(LedgerError) as caught:
        ledger.ensure_writable() if act == "ensure_writable" else ledger.write("key", DONE)
    assert str(ledger.path) in caught.value.message
    assert os.strerror(number) in caught.value.message
    assert advice in caught.value.next_step
    assert caught.value.next_step.endswith(
        "or set state_dir to another folder, or keep the ledger in Twilio Sync with ledger: sync."
    )


@pytest.mark.parametrize("there", ["nothing", "the folder", "a ledger", "a deeper folder to make"])
def test_what_was_looked_at_is_as_it_was(tmp_path, there):
    folder = tmp_path / ("a/b/c" if there == "a deeper folder to make" else "state")
    ledger = FileLedger(folder, "dev")
    if there == "the folder":
        folder.mkdir()
    if there == "a ledger":
        ledger.write("key", DONE)
    before = tree(tmp_path)
    ledger.ensure_writable()
    assert tree(tmp_path) == before


@pytest.mark.parametrize("name", ["open", "fsync", "replace"])
def test_nothing_is_left_behind_by_a_look_that_failed(written, monkeypatch, name):
    before = tree(written.folder)
    if name == "open":
        failing(monkeypatch, name, errno.EDQUOT, lambda path, flags, *_: flags & os.O_CREAT)
    else:
        failing(monkeypatch, name, errno.EDQUOT)
    with pytest.raises(LedgerError, match="cannot be written"):
        written.ensure_writable()
    assert tree(written.folder) == before


def test_that_another_run_holds_the_lock_is_no_fault(written, monkeypatch):
    with written.path.with_suffix(".lock").open() as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        written.ensure_writable()


def test_a_file_where_a_folder_belongs_is_named(tmp_path):
    (tmp_path / "state").write_text("a file where the folder should be")
    ledger = FileLedger(tmp_path / "state", "dev")
    for act in (ledger.read, ledger.ensure_writable, lambda: ledger.write("key", DONE)):
        with pytest.raises(LedgerError, match="cannot be") as caught:
            act()
        assert str(tmp_path) in caught.value.message
        assert "A file is where a folder belongs" in caught.value.next_step


@pytest.fixture
def mounted() -> Iterator[Path]:
    with file_system() as folder:
        yield folder


def test_a_disk_that_is_really_full_is_found_before_anything_is_recorded(mounted):
    ledger = FileLedger(mounted, "dev")
    ledger.write("key", DONE)
    fill(mounted)
    before = tree(mounted)
    with pytest.raises(LedgerError, match="No space left on device") as caught:
        ledger.ensure_writable()
    assert "is full" in caught.value.next_step
    assert tree(mounted) == before
    (mounted / "fill").unlink()
    ledger.ensure_writable()


def test_a_file_system_that_is_really_read_only_is_found_and_still_read(mounted):
    FileLedger(mounted, "dev").write("key", DONE)
    make_read_only(mounted)
    ledger = FileLedger(mounted, "dev")
    assert ledger.read().steps["key"] == DONE
    with pytest.raises(LedgerError, match="Read-only file system") as caught:
        ledger.ensure_writable()
    assert "mount it writable" in caught.value.next_step


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try it as another user; EACCES is injected above")
def test_a_folder_of_another_user_is_really_found(mounted):
    mounted.chmod(0o755)
    os.seteuid(65534)
    try:
        with pytest.raises(LedgerError, match="cannot be written: Permission denied"):
            FileLedger(mounted, "dev").ensure_writable()
    finally:
        os.seteuid(0)


# Git


def test_what_is_not_to_be_committed_is_told_to_git_once(ledger):
    ledger.ensure_writable()
    assert not ledger.folder.exists()
    ledger.write("key", DONE)
    ignored = ledger.folder / ".gitignore"
    assert ignored.read_text() == ledger_file.GITIGNORE
    ignored.write_text("# mine\n")
    ledger.write("key", {"done": record("k2")})
    assert ignored.read_text() == "# mine\n"


def test_git_sees_the_ledger_and_nothing_else(ledger):
    git = shutil.which("git")
    if not git:
        pytest.skip("git is not installed; the rules themselves are compared above")
    ledger.write("key", DONE)
    for name in (
        "report.md",
        "report.html",
        "ledger/dev.new",
        "ledger/.unified_profiles-dev-0a1b2c3d.probe",
        "poetry.lock",
    ):
        (ledger.folder / name).write_text("")
    quiet = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run([git, "init", "-q"], cwd=ledger.folder, env=quiet, check=True)
    run = subprocess.run(
        [git, "status", "--porcelain", "-uall"],
        cwd=ledger.folder,
        env=quiet,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line[3:] for line in run.stdout.splitlines()] == [".gitignore", "ledger/dev.json", "poetry.lock"]


def test_a_gitignore_that_cannot_be_written_fails_nothing(ledger):
    (ledger.folder / ".gitignore").mkdir(parents=True)
    ledger.write("key", DONE)
    assert ledger.read().steps["key"] == DONE
