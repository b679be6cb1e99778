# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The Python libraries that requests take: whether they are there, and whether they are new enough."""

from __future__ import annotations

import importlib
import logging
import re
import sys

from .._base.errors import MissingLibrary

# The first version that will do, and the first that may not. Of certifi, which is called by the year, any will do.
WANTED = {"httpx": ("0.27", "1"), "httpcore": ("1.0", "2"), "certifi": ("2000", "10000")}


def check_libraries() -> MissingLibrary | None:
    """Return what is missing, or too old or too new, with the way to get it."""
    for name, (least, below) in WANTED.items():
        try:
            found = getattr(importlib.import_module(name), "__version__", "")
        except ImportError as error:
            return _problem(name, error.name or name, f"is not installed for {sys.executable}")
        if not _numbers(least) <= (_numbers(found) or _numbers(least)) < _numbers(below):
            return _problem(
                name, name, f"is version {found} for {sys.executable}, and {least} or newer below {below} is needed"
            )
    return None


def _problem(name: str, lacking: str, problem: str) -> MissingLibrary:
    least, below = WANTED[name]
    return MissingLibrary(
        f"The Python library {lacking} {problem}.",
        f"Install it there: {sys.executable} -m pip install '{name}>={least},<{below}'",
        library=lacking,
        interpreter=sys.executable,
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"^\d+|(?<=\.)\d+", version)[:2])


PROBLEM = check_libraries()

# At INFO they log full URLs, and a write key can be part of one.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)
