# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Names of files. It imports nothing of the collection, since plugins of ansible-rulebook load this file alone."""

from __future__ import annotations

import hashlib
import re


def file_name_for(environment: str) -> str:
    """A name for a file or document that no other environment has."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", environment).lstrip(".")[:100] or "_"
    return name if name == environment else f"{name}-{hashlib.sha256(environment.encode()).hexdigest()[:6]}"
