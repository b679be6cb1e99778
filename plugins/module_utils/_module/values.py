# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of values that several modules take."""

from __future__ import annotations

import re

from .._base.errors import OptionError


def check_space_id(space: str) -> None:
    """Raises OptionError for a space id that cannot be one. Other unusual ids are the API's to judge."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", space or ""):
        raise OptionError(
            "space_id",
            "is empty or has characters that no space id has (such as spaces or slashes).",
            "Copy it from Unify > your space > Unify settings > API access.",
        )
