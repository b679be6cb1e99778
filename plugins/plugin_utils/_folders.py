# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Files and folders on the controller that a setting names, for a task that serves the whole run."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import OptionError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.files import lasting_folder
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import shape
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.values import errors_in_shown


def named_path(setting: str, value: t.Any) -> Path:
    """The file or folder that a setting names.

    Args:
        setting: Its name, for the message.
        value: What it evaluates to. No environment's check has seen it.

    Raises:
        OptionError: It is no string, looks like a secret, is missing, or names a user or a variable that is not there.
    """
    if not isinstance(value, str):
        raise OptionError(setting, f"must be a string, and is {shape(value)}.", "Write a path.")
    for error in errors_in_shown({setting: value}, "unified_profiles_"):
        raise error
    return lasting_folder(setting, value, "")
