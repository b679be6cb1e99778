# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import textwrap

# The suboptions of an endpoint: @option is the option that has them, and @notes say where its placeholders are listed.
ENDPOINT = r"""
url:
  description:
    - Where to send the hand-over, with https; plain http is for loopback addresses only.
    - It shows in messages, so it must hold no secret. It has no query and no placeholders.
  type: str
  required: true
method:
  description: The HTTP method. With V(PUT) and V(PATCH) you promise that sending twice does no harm.
  type: str
  choices: [POST, PUT, PATCH]
  default: POST
headers:
  description:
    - HTTP headers, for reads as well. Their values are treated as secrets.
    - Each replaces the one that would be sent, whatever its case. C(Accept-Encoding) is always V(identity).
  type: dict
body:
  description:
    - JSON body. C({placeholders}) in its strings are replaced by the step's values, see @notes. One that does
      not exist is an error.
    - Without it, all of the step's values are sent, by the placeholders' names.
  type: dict
success:
  description:
    - Which answers mean that the hand-over was carried out. Without it, any 2xx does.
    - A body has to be JSON or empty. The statuses 400, 401, 403, 404, 405, 413, 415, 422 and 429 mean that it was refused,
      if they are not named here. With any other one nobody knows whether it was carried out.
  type: dict
  suboptions:
    statuses:
      description: The HTTP statuses, from 200 to 499.
      type: list
      elements: int
    path:
      description: Dotted path to a value in the answer, given together with O(@option.success.value).
      type: str
    value:
      description:
        - The expected value. Numbers and booleans are compared as they are written.
        - With another value, nobody knows whether the hand-over was carried out.
      type: raw
read_url:
  description:
    - Where to read back, with GET, the console's present value. With it the module compares real state, and refuses
      anybody's word against it. A 404 means that no value is set.
  type: str
read_path:
  description:
    - Dotted path to the value to compare in the JSON that O(@option.read_url) answers; see @notes for which.
      Given together with O(@option.read_url).
    - Where the value is that of a secret, it may be the fingerprint or the secret itself, and only a fingerprint shows.
  type: str
"""


def _endpoint(indent: int, option: str, notes: str) -> str:
    text = ENDPOINT.strip("\n").replace("@option", option).replace("@notes", notes)
    return textwrap.indent(text, " " * indent)


class ModuleDocFragment:
    """PRIVATE to this collection. Options of the three hand-over modules; the argument specification is OPTIONS in _handover/handover.py.

    What an endpoint takes and what differs between the steps is filled in, so that it is said once. The annotations keep
    checkers from wanting literals; a test compares what comes out with the specification.
    """

    DOCUMENTATION: str = r"""
options:
  channel:
    description:
      - V(operator) returns a task card for a person, and leaves the hand-over pending until it is confirmed.
      - V(endpoint) calls an HTTP endpoint of your own. No service of Twilio or Segment has one.
    type: str
    choices: [operator, endpoint]
    default: operator
  endpoint:
    description:
      - The endpoint of the channel V(endpoint).
      - What was sent without a clear answer is looked up with O(endpoint.read_url). Without that, a V(POST) is not sent again;
        the hand-over stays pending until a person has looked and says whether it was done, see O(confirm.done).
    type: dict
    suboptions:
{suboptions}  confirm:
    description:
      - What a person says about the step.
      - It is recorded only where the source, and for the key that key, is there. That is read with the Segment token.
    type: dict
    suboptions:
      by:
        description: Who did it, or looked.
        type: str
        required: true
      digest:
        description:
          - The digest on the task card. If something has changed since, it is refused, with what has changed where that is
            known.
        type: str
        required: true
      done:
        description:
          - V(false) says that the step was not done after all. A person is asked again; an endpoint of which nobody knew
            whether it had carried the step out is called again.
        type: bool
        default: true
  confirm_digests:
    description:
      - Digests of task cards whose steps were done by O(confirmed_by). The short form of O(confirm), with those of all environments and
        steps in one list. A digest names environment and step, so every step takes its own.
    type: list
    elements: str
    default: []
  withdraw:
    description:
      - Digests of steps that are recorded as done and were not. A person is asked again. An endpoint that took the step is not called.
    type: list
    elements: str
    default: []
  handover_again:
    description:
      - Digests of steps that are recorded as done and shall be handed over again, such as those of cards about a broken step. The step
        has another digest then, so the same value in a second run changes nothing.
    type: list
    elements: str
    default: []
  confirmed_by:
    description: Who confirms, withdraws, or wants it handed over again.
    type: str
  reason:
    description: Why it is withdrawn or handed over again, for the ledger's history.
    type: str
  attest_existing:
    description:
      - Name of who attests that the values in the console are right already. Nothing is handed over.
      - It is recorded only where the source, and for the key that key, is there. That is read with the Segment token.
      - Does not count for a step that was recorded before, nor for a link or a key that was asked for, nor against a person who
        says that the step was not done, see O(confirm.done).
    type: str
  clock_skew:
    description:
      - How many seconds Segment's clock is ahead of the controller's. Times in the ledger are Segment's.
    type: float
    default: 0.0
""".replace("{suboptions}", _endpoint(6, "endpoint", "the module's notes") + "\n")
