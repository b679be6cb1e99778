# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lets ansible-test work where only a package index is reachable: ``ansible_test_pip.py HOME``.

ansible-test downloads a script that installs pip from a site of its own, and looks into its cache first. This puts a script
there that does the same with the pip that Python carries (ensurepip).
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import ansible_test

# ensurepip switches pip's settings off, for itself and for all that runs after it; the certificates to trust are among them.
SCRIPT = """\
import ensurepip, os, subprocess, sys
before = dict(os.environ)
ensurepip.bootstrap(upgrade=True, default_pip=True)
pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "-q", "pip=={version}"]
sys.exit(subprocess.call(pip, env=before))
"""


def main(home: Path) -> None:
    requirements = Path(next(iter(ansible_test.__path__)), "_internal", "python_requirements.py").read_text()
    cache = home / ".ansible/test/cache"
    cache.mkdir(parents=True, exist_ok=True)
    for version in set(re.findall(r"pip='([0-9.]+)'", requirements)):
        (cache / f"get_pip_{version.replace('.', '_')}.py").write_text(SCRIPT.format(version=version))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
