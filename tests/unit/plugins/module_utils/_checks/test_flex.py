# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the version of the Flex UI says, in each way in which Flex tells it."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.modules import flex_info
from support.environment import Environment

OLD, PAST, FINE = "is too old", "is past its end of life", ""


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("2.5.9", OLD),
        ("1.34.0", OLD),
        ("2.6.0", PAST),
        ("2.14.7", PAST),
        ("2.15.0", FINE),
        ("2.17.0-beta.1", FINE),
        ("3.0.0", FINE),
        # A range, or nothing: unknown, and not too old.
        (None, FINE),
        ("", FINE),
        ("~2.4", FINE),
        ("2.4.x", FINE),
        ("2.0.0 - 2.17.0", FINE),
        (">=1.0.0", FINE),
    ],
)
def test_the_version_of_the_ui(sandbox, tmp_path, version, said):
    dev = Environment(sandbox, tmp_path)
    dev.env.flex_ui_version = version
    result = dev.run(flex_info)
    told = " ".join([result["flex"]["reason"], *result.get("warnings", [])])
    assert (result["flex"]["ready"], bool(told), said in told) == (said != OLD, said != FINE, True)
