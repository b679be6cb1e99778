# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from collections.abc import Callable

from ansible.errors import AnsibleFilterError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import fingerprint as of_text
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.secret import shape

DOCUMENTATION = r"""
name: fingerprint
short_description: The fingerprint of a secret
version_added: 0.2.0
author: The flexops.unified_profiles developers (@flexops)
description:
  - Returns the first 12 hexadecimal digits of the SHA-256 of a secret, as reports, task cards and the ledger show them.
  - So a key in a vault can be compared with the fingerprint in a report, and nobody sees the key.
options:
  _input:
    description: The secret. It must be a string, and not empty.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: The key in the vault is the one that was handed over
  ansible.builtin.assert:
    that: vaulted_write_key | flexops.unified_profiles.fingerprint == '2c26b46b68ff'
  vars:
    vaulted_write_key: foo
"""

RETURN = r"""
_value:
  description: The fingerprint.
  type: str
  sample: 2c26b46b68ff
"""


def fingerprint(value: t.Any) -> str:
    # What is vaulted is an object of its own before ansible-core 2.19.
    text = str(value) if getattr(value, "__ENCRYPTED__", False) else value
    if not isinstance(text, str) or not text:
        raise AnsibleFilterError(
            f"fingerprint: takes the text of a secret, and was given {shape(text)}. Write the variable that holds it."
        )
    return of_text(text)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., t.Any]]:
        return {"fingerprint": fingerprint}
