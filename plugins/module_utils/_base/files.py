# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Files that are never seen half written, on whatever file system; and folders as people write them."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from .errors import OptionError

LOCK_SECONDS = 30.0
# Bytes.
READ_AT_ONCE = 64 * 1024
# As much as a file may grow by before it is looked at again.
PROBE = " " * 32 * 1024
# Of a folder: not every file system can do it (FUSE, CIFS), and not every folder that can be written can be opened.
NO_FSYNC_OF_FOLDERS = (errno.EINVAL, errno.EBADF, errno.EOPNOTSUPP, errno.EACCES, errno.EPERM)
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)
WAYS_OUT = {
    errno.EACCES: "Give the user of this run the right to it",
    errno.EPERM: "Give the user of this run the right to it",
    errno.EROFS: "Its file system is mounted read-only: mount it writable",
    errno.ENOSPC: "Its file system is full: make room on it",
    errno.EDQUOT: "The quota of this run's user is used up: make room, or have it raised",
    errno.ENOTDIR: "A file is where a folder belongs: move it away",
    errno.EEXIST: "A file is where a folder belongs: move it away",
    errno.EISDIR: "A folder is where a file belongs: move it away",
    errno.ELOOP: "It is a link, and this one cannot be followed: put the file itself there",
    errno.ENAMETOOLONG: "Its name is too long for its file system: shorten it",
    errno.ESTALE: "The network file system has lost it: mount it again",
}


class UnusableFile(Exception):
    """The path holds no text file that can be read."""


class NoLocks(OSError):
    """The file system does not give locks."""


class Busy(Exception):
    """Another process has held a lock for longer than anybody waits."""


def way_out(error: OSError) -> str:
    """The way out of an error of the operating system: the beginning of a sentence."""
    return WAYS_OUT.get(error.errno or 0, "See that its file system works")


def lasting_folder(option: str, value: str | None, instead: str) -> Path:
    """The folder that an option names, with the user's folder and environment variables in place.

    Args:
        option: Its name, for the message.
        value: What was given.
        instead: What else a user can do, as a sentence.

    Raises:
        OptionError: It is missing, comes from an inventory without a folder, or names a user or a variable that does
          not exist.
    """
    given = (value or "").strip()
    # "{{ inventory_dir }}/.unified_profiles" where there is none: Ansible gives nothing, or the text None.
    if given in ("", "None") or given.startswith(("/.unified_profiles", "None/")):
        raise OptionError(
            option,
            "is not known, because this inventory has no folder of its own that lasts.",
            f"Set it to a folder that outlives the run. {instead}".rstrip(),
        )
    if not given.isprintable():
        raise OptionError(option, "has a character that cannot be seen, such as a line break.", "Write it again.")
    folder = os.path.expanduser(os.path.expandvars(given))
    if folder.startswith("~"):
        user = folder.split("/")[0]
        raise OptionError(option, f"begins with {user}, and no such user is known here.", "Write the folder from / on.")
    if unset := re.search(r"\$(\w+|\{[^}]*\}?)", folder):
        raise OptionError(
            option,
            f"has {unset[0]} in it, and no such environment variable is set where this runs.",
            "Set it, or write the folder from / on.",
        )
    return Path(folder)


def kept_by_awx(option: str, folder: Path, environ: Mapping[str, str], instead: str = "") -> Path:
    """The folder, if it is none that AWX throws away when the job ends.

    Args:
        option: What names it, for the message.
        folder: As :func:`lasting_folder` gives it.
        environ: The process's environment variables; AWX tells there where its own folder is.
        instead: What else a user can do, as a sentence.

    Raises:
        OptionError: It is one.
    """
    if private := environ.get("AWX_PRIVATE_DATA_DIR"):
        # In its container, AWX's private folder is the one above artifacts/<job id>.
        inside = Path(environ.get("AWX_ISOLATED_DATA_DIR") or "/runner/artifacts/0").parent.parent
        for temporary in (Path(private), inside):
            if Path(os.path.normpath(folder)).is_relative_to(temporary):
                raise OptionError(
                    option,
                    f"is {folder}, and AWX throws {temporary} away when the job ends, with what is written there.",
                    f"Set it to a folder that is mounted into the execution environment. {instead}".rstrip(),
                )
    return folder


def read_text(path: Path, most: int) -> str:
    """Return the content of a text file in UTF-8, with a byte order mark or without.

    Args:
        path: The file. Links are followed.
        most: How many bytes it may have.

    Raises:
        OSError: It is not there or cannot be read.
        UnusableFile: It is not a regular file (which could be without an end), has more bytes, or is not UTF-8. Says which.
    """
    # A pipe is not waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UnusableFile("is not a regular file")
        content = bytearray()
        # Each read reserves the memory that it asks for.
        while len(content) <= most and (more := os.read(descriptor, READ_AT_ONCE)):
            content += more
    finally:
        os.close(descriptor)
    if len(content) > most:
        raise UnusableFile(f"has more than {most} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # so does UTF-16 without a mark look
        raise UnusableFile("is not UTF-8")
    return text


def replace_file(path: Path, text: str, temporary: Path | None = None) -> None:
    """Put a new file in place at once, and make sure that it survives a crash of the machine. Makes the folder if need be.

    A link stays, and its target is replaced. An existing file's permissions stay, and its owner as far as that is allowed.

    Args:
        path: The file.
        text: What it shall hold.
        temporary: Where to write it first, in the same folder; by default a hidden file of this process's own.

    Raises:
        OSError: It cannot be written; what was there before still is.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary or path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    try:
        before: os.stat_result | None = path.stat()
    except FileNotFoundError:
        before = None
    # A new file has the permissions that the user's umask gives: colleagues who share the folder have to read it.
    mode = stat.S_IMODE(before.st_mode) if before else 0o666
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as handle:
            if before:
                _keep_owner_and_mode(handle.fileno(), before, mode)
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    _fsync_folder(path.parent)


def _keep_owner_and_mode(descriptor: int, before: os.stat_result, mode: int) -> None:
    now = os.fstat(descriptor)
    # Only root may give a file away, and a file system of Windows has neither owner nor mode.
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, -1, before.st_gid)
            os.fchown(descriptor, before.st_uid, -1)
    if stat.S_IMODE(now.st_mode) != mode:
        with contextlib.suppress(PermissionError):
            os.fchmod(descriptor, mode)


def _fsync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in NO_FSYNC_OF_FOLDERS:
            raise


def lock_now(descriptor: int) -> bool:
    """Lock a file for this process alone; False if another one has it. Closing the descriptor gives the lock back.

    Raises:
        NoLocks: The file system has none, or none for a descriptor like this one.
        OSError: It cannot be locked.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        # NFS wants a descriptor that is open for writing, and says EBADF of others.
        if error.errno in (*NO_LOCKS, errno.EBADF):
            raise NoLocks(error.errno, error.strerror) from None
        raise
    return True


def is_there(path: Path) -> bool:
    """Return whether it is, without taking "no right to look" for "no".

    Raises:
        OSError: That cannot be known.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


@contextlib.contextmanager
def opened_lock(lock: Path) -> Iterator[int]:
    """A descriptor to lock a file by. A link is not followed: it could make a file anywhere."""
    flags = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | flags, 0o666)
    except PermissionError:
        if not is_there(lock):
            raise
        # Made by another user who shares the folder; to lock it, reading is enough.
        descriptor = os.open(lock, os.O_RDONLY | flags)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(lock: Path) -> Iterator[None]:
    """Keep other processes out. The kernel gives the lock back when a process ends, however it ends. Makes the folder if need be.

    Args:
        lock: A file of its own. A rename gives the guarded file a new inode, so a lock on it would lock nobody out.

    Raises:
        Busy: Another process has held it for :data:`LOCK_SECONDS`.
        OSError: It cannot be locked.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with opened_lock(lock) as descriptor:
        until = time.monotonic() + LOCK_SECONDS
        while not lock_now(descriptor):
            if time.monotonic() > until:
                raise Busy
            time.sleep(0.02)
        yield


@contextlib.contextmanager
def probed(folder: Path, name: str = "") -> Iterator[Path]:
    """See that a file can be written in a folder, or where it would be made. Gives the file, and removes it.

    Raises:
        OSError: It cannot.
    """
    while not is_there(folder):
        folder = folder.parent
    probe = folder / f".unified_profiles-{name}{secrets.token_hex(4)}.probe"
    try:
        replace_file(probe, PROBE)
        yield probe
    finally:
        probe.unlink(missing_ok=True)
