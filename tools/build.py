# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the collection's archive: the same bytes from the same files, wherever and whenever it runs.

``build.py ANSIBLE_GALAXY FOLDER``. ansible-galaxy writes the time of the build, the files' times and the order in which the
disk lists them into the archive. This packs what ansible-galaxy made once more, without them.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build(galaxy: str, folder: Path) -> Path:
    """Build into the folder, and return the archive's path."""
    with tempfile.TemporaryDirectory() as made:
        command = [galaxy, "collection", "build", "--output-path", made, str(ROOT)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(made).glob("*.tar.gz")
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / archive.name
        target.write_bytes(repack(archive))
    return target


def repack(archive: Path) -> bytes:
    contents: dict[str, bytes | None] = {}
    modes: dict[str, int] = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            file = tar.extractfile(member)
            contents[member.name], modes[member.name] = file.read() if file else None, member.mode
    files = json.loads(contents["FILES.json"] or b"")
    files["files"].sort(key=lambda entry: entry["name"])
    listed = contents["FILES.json"] = _json(files)
    manifest = json.loads(contents["MANIFEST.json"] or b"")
    manifest["file_manifest_file"]["chksum_sha256"] = hashlib.sha256(listed).hexdigest()
    contents["MANIFEST.json"] = _json(manifest)
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", fileobj=buffer, mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for name in sorted(contents, key=lambda name: (name not in ("MANIFEST.json", "FILES.json"), name)):
            content, member = contents[name], tarfile.TarInfo(name)
            member.mode = modes[name]
            if content is None:
                member.type = tarfile.DIRTYPE
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1).encode()


if __name__ == "__main__":
    print(build(sys.argv[1], Path(sys.argv[2])))
