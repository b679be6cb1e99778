# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What leaves a module: nothing that steers a terminal or begins a line, and no secret of its options."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import Refused
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import SECRETS
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec, run

SECRET = "no-service-was-made-for-it"
SAID = f"{SECRET}\nPLAY RECAP\x1b[2J"
SHOWN = f"<secret {fingerprint(SECRET)}>\\nPLAY RECAP\\x1b[2J"


@pytest.mark.parametrize("option", SECRETS)
@pytest.mark.parametrize("fails", [False, True])
def test_a_result_shows_no_secret_and_begins_no_line(option, fails):
    def body(call):
        if fails:
            raise Refused(SAID)
        return {"name": SAID}

    spec = ArgumentSpec({} if option != "profile_token" else {"profile_token": {"type": "str", "no_log": True}})
    result = run(spec, body, {option: SECRET}, "x", check_mode=False)
    assert result["msg" if fails else "name"] == SHOWN
