# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A secret in the place of any option of a module: the module runs with it, in check mode, and shows nothing of it."""

from __future__ import annotations

import importlib
import json

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import run
from support.chain import Chain
from support.environment import STEPS
from support.project import ROOT
from support.settings import MARKED

# A write key has no beginning of its own.
KEY = "Marked0123456789abcdefghijklmnop"
VALUES = {
    "token": MARKED,
    "write key": KEY,
    "URL": f"http://user:{MARKED}@127.0.0.1:9/x",
    "list": [MARKED],
    "list of keys": [KEY],
    "mapping": {MARKED: MARKED},
    "mapping of keys": {"dev": KEY},
    "as template": f"{{{{ {MARKED} }}}}",
}
# These are shown, and a name or an id may have the shape of a write key.
NAMES = ("environment", "source_id", "recorded_source_id", "sync_service", "space_id")
MODULES = {
    path.stem: importlib.import_module(f"ansible_collections.flexops.unified_profiles.plugins.modules.{path.stem}")
    for path in sorted((ROOT / "plugins/modules").glob("*.py"))
}
WITH_A_BODY = {name: module for name, module in MODULES.items() if hasattr(module, "SPEC")}


@pytest.mark.parametrize("name", WITH_A_BODY)
def test_no_option_of_a_module_is_shown(sandbox, tmp_path, name, full, count):
    dev = Chain(sandbox, tmp_path, retry_budget=0.0)
    assert not dev.connect().failure
    (source,) = dev.twilio_sources
    module, spec = WITH_A_BODY[name], WITH_A_BODY[name].SPEC
    given = {
        **{
            "source_id": source.id,
            "profile_token": dev.env.profile_token,
            "friendly_name": "dev",
            "channel": "operator",
        },
        **{"key_fingerprints": ["0123456789ab"], "allow_write_events": True, "restore": ["labels"], "wait_timeout": 0},
        **{"endpoint": dev.endpoint("link"), "endpoints": {step: dev.endpoint(step) for step in STEPS}},
    }
    base = dev.arguments(module, **{option: value for option, value in given.items() if option in spec.argument_spec})
    cases = [(option, kind) for option in spec.argument_spec for kind in VALUES]
    before = len(sandbox.journal(writes=True))
    wrong = []
    for option, kind in cases[:: 1 if full else 5]:
        if kind == "write key" and option in NAMES:
            continue
        result = run(spec, module.run, {**base, option: VALUES[kind]}, name, True)
        shown = json.dumps(result)
        if "arked0123456789" in shown or result.get("failure", {}).get("kind") == "defect":
            at = max(0, shown.find("arked0123456789") - 200)
            wrong.append(f"{option}, {kind}: ...{shown[at : at + 300]}")
        count("secrets in the place of options", 1)
    assert not wrong, f"{len(wrong)} of {len(cases)}:\n" + "\n".join(wrong)
    assert len(sandbox.journal(writes=True)) == before
