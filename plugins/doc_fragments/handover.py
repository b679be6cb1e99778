# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of the three hand-over modules; the argument specification is OPTIONS in handover/step.py."""

    DOCUMENTATION = r"""
options:
  channel:
    description:
      - V(operator) writes a task card for a person and leaves the hand-over pending until it is confirmed.
      - V(endpoint) calls an HTTP endpoint of your own.
    type: str
    choices: [operator, endpoint]
    default: operator
  endpoint:
    description: The endpoint of the channel V(endpoint).
    type: dict
    suboptions:
      url:
        description: Where to send the hand-over. Any 2xx answer means accepted.
        type: str
        required: true
      method:
        description: The HTTP method.
        type: str
        choices: [POST, PUT, PATCH]
        default: POST
      headers:
        description: HTTP headers. Their values are treated as secrets.
        type: dict
      body:
        description:
          - JSON body. C({placeholders}) in its texts are replaced by the step's values, see the module's notes.
          - Without it, all of the step's values are sent.
        type: dict
      read_url:
        description: Where to read back what stands in the console. With it the module compares real state.
        type: str
      read_path:
        description: Dotted path to the value to compare in the JSON that O(endpoint.read_url) answers.
        type: str
  confirm:
    description: Confirms that a person has done the step.
    type: dict
    suboptions:
      by:
        description: Who did it.
        type: str
        required: true
      digest:
        description: The digest on the task card. A digest of something that has changed since is refused.
        type: str
        required: true
  existing_by:
    description: Name of who attests that what stands in the console already is right. Nothing is handed over.
    type: str
  clock_skew:
    description:
      - How many seconds Segment's clock is ahead of the controller's. Times in the ledger are Segment's.
    type: float
    default: 0.0
"""
