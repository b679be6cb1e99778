# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Builds the collection's archive: the same bytes from the same files, wherever and whenever it runs.

``build.py BIN FOLDER`` writes the archive, its parts list (CycloneDX) and SHA256SUMS into a folder, with the programs in BIN.
``build.py BIN --verify ARCHIVE`` builds it again from this checkout, and fails where a byte differs.

ansible-galaxy writes the time of the build, the files' times and the order in which the disk lists them into the archive. This packs what
ansible-galaxy made once more, without them.
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


def build(programs: Path, folder: Path) -> Path:
    """Build into the folder, and return the archive's path."""
    with tempfile.TemporaryDirectory() as made:
        command = [str(programs / "ansible-galaxy"), "collection", "build", "--output-path", made, str(ROOT)]
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


def describe(programs: Path, archive: Path) -> None:
    """Write the parts list of an archive, and the checksums of both, beside it."""
    command = [str(programs / "cyclonedx-py"), "requirements", str(ROOT / "requirements.txt")]
    command += ["--output-reproducible", "--of", "JSON", "-o", "-"]
    made = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    parts = json.loads(made)
    namespace, name, version = archive.name.removesuffix(".tar.gz").split("-", 2)
    about = {"type": "library", "group": namespace, "name": name, "version": version, "bom-ref": f"{namespace}.{name}"}
    parts["metadata"]["component"] = {**about, "licenses": [{"license": {"id": "GPL-3.0-or-later"}}]}
    needed = [component["bom-ref"] for component in parts["components"]]
    parts["dependencies"].append({"ref": about["bom-ref"], "dependsOn": needed})
    listed = archive.with_name(archive.name.replace(".tar.gz", ".cdx.json"))
    listed.write_bytes(_json(parts) + b"\n")
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in (listed, archive)]
    archive.with_name("SHA256SUMS").write_text("".join(sums))


def verify(programs: Path, archive: Path) -> str:
    """The reason why an archive is not built from this checkout; empty if it is, byte by byte."""
    with tempfile.TemporaryDirectory() as folder:
        built = build(programs, Path(folder))
        if built.name != archive.name:
            return f"{archive}: this checkout builds {built.name}. Check out the tag of that release."
        if built.read_bytes() != archive.read_bytes():
            return f"{archive}: differs from what this checkout builds. Do not install it."
    return ""


def main() -> None:
    programs, archive = Path(sys.argv[1]), Path(sys.argv[-1])
    if "--verify" in sys.argv:
        if problem := verify(programs, archive):
            sys.exit(problem)
        print(f"{archive}: the same bytes as this checkout builds.")
        return
    built = build(programs, archive)
    describe(programs, built)
    print(built)


if __name__ == "__main__":
    main()
