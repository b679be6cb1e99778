#!/usr/bin/python
# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: flex_info
short_description: Read what matters of a Twilio Flex account
version_added: 0.1.0
author:
  - The flexops.unified_profiles developers (@flexops)
description:
  - Gives the state of Flex, the version of its UI, and alerts 49008 and 49009 of the Unified Profiles connector.
  - Unified Profiles needs Flex UI 2.6.0 or later. There is no public API that shows the connection or the write key.
extends_documentation_fragment:
  - flexops.unified_profiles._connection
  - flexops.unified_profiles._attributes.info
  - flexops.unified_profiles._attributes.in_process
  - flexops.unified_profiles._attributes.action_group
options:
  alerts_since:
    description: Read the alerts since this time (ISO 8601, UTC). Without it, no alerts are read.
    type: str
  fail_on_problem:
    description: Whether an account without Flex, or with a Flex UI that is too old, fails the task.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Read the Flex account
  flexops.unified_profiles.flex_info:
    twilio_account_sid: "{{ unified_profiles_twilio_account_sid }}"
    twilio_api_key: "{{ unified_profiles_twilio_api_key }}"
    twilio_api_secret: "{{ unified_profiles_twilio_api_secret }}"

- name: Stop where Flex is not ready, and show the connector's alerts of this year
  flexops.unified_profiles.flex_info:
    settings: true
    alerts_since: '2026-01-01T00:00:00Z'
    fail_on_problem: true
"""

RETURN = r"""
flex:
  description: The account, C(status) as the configuration says it, and whether it is ready for Unified Profiles.
  returned: success
  type: dict
  contains:
    account_sid: {description: The account., type: str, sample: AC0123456789abcdef0123456789abcdef}
    status: {description: 'As the configuration says it; C(notstarted) where there is no Flex.', type: str, sample: ok}
    ui_version: {description: The version of the Flex UI., type: str, sample: 2.8.0}
    ready: {description: Whether Unified Profiles can be used., type: bool, sample: true}
    reason: {description: 'Why not, empty where it can.', type: str, sample: ''}
alerts:
  description: Alerts of the connector. Their absence means nothing.
  returned: O(alerts_since) is given
  type: list
  elements: dict
  contains:
    code: {description: 'C(49008) or C(49009).', type: str, sample: '49009'}
    at: {description: When it was raised., type: str, sample: '2026-11-24T10:02:31Z'}
    meaning: {description: What it says., type: str, sample: stored credentials malformed}
"""

from typing import Any

from ansible_collections.flexops.unified_profiles.plugins.module_utils._checks.flex import check_flex
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.context import ModuleContext
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.run import ArgumentSpec, run_as_module

SPEC = ArgumentSpec({"alerts_since": {"type": "str"}, "fail_on_problem": {"type": "bool", "default": False}})


def run(call: ModuleContext) -> dict[str, Any]:
    return check_flex(call, call["fail_on_problem"], call["alerts_since"])


def main() -> None:
    run_as_module(SPEC, run)


if __name__ == "__main__":
    main()
