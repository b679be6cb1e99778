# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File systems of a test's own, which can be full or read-only for good; and folders where nothing can be made."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def file_system() -> Iterator[Path]:
    """A file system of 256 KiB, where every user may look. Without the right to mount one the test is skipped."""
    folder = Path(tempfile.mkdtemp())
    mount = shutil.which("mount")
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=256k", "none", folder], capture_output=True, check=False
    )
    if not made or made.returncode:
        folder.rmdir()
        pytest.skip("a file system can only be mounted by root; the same errors are injected in test_file_systems.py")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        folder.rmdir()


def fill(folder: Path) -> None:
    """Take all the room there is, by a file of the name."""
    with contextlib.suppress(OSError), (folder / "fill").open("wb", buffering=0) as handle:
        while True:
            handle.write(b"x" * 4096)


def make_read_only(folder: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)


def unwritable(monkeypatch: pytest.MonkeyPatch, folder: Path, number: int) -> None:
    """Let nothing be made in a folder."""
    real = os.open

    def refuse(path: t.Any, flags: int, *rest: t.Any, **more: t.Any) -> int:
        if flags & os.O_CREAT and str(path).startswith(str(folder)):
            raise OSError(number, os.strerror(number))
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)
