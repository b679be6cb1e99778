# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a hand-over is carried out: by a person with a task card, or by an HTTP endpoint of the user's own."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Mapping

from ..errors import OptionError
from ..runner import Call
from ..transport import Service

CARDS = {
    "connection": """\
Where: Twilio Console > Explore products > Unified Profiles > Overview > Use existing Segment Unify workspace
  Connection friendly name:   {friendly_name}
  Segment Unify space ID:     {space_id}
  Profile API access token:   the one with the fingerprint {profile_token}
  Tick:                       Allow Unified Profiles to write events to Segment
  Press:                      Connect
Check: the page shows the status Connected.""",
    "link": """\
Where: Segment > Unify > Unify settings > Profiles sources (space {space_id})
  Press:   Connect source
  Select:  {source_name} (source id {source_id})
  Press:   Connect source
Check: the source is listed on the tab Profiles sources.""",
    "key": """\
Where: Twilio Console > Flex > Contact center settings > Unified Profiles
  Next to Flex source write key, press: Update key
  Paste:   the write key with the fingerprint {write_key}
           (copy it in Segment from Connections > Sources > {source_name} > Settings > API Keys)
  Press:   Save""",
}


def card(step: str, environment: str, digest: str, values: Mapping[str, str]) -> str:
    """The exact task for a person. Secrets come as fingerprint and last four characters."""

    class Known(dict[str, str]):
        def __missing__(self, key: str) -> str:
            return f"<{key}>"

    confirm = json.dumps({environment: {step: {"by": "YOUR NAME", "digest": digest}}})
    return (
        f"{environment}: {step}\n{CARDS[step].format_map(Known(values))}\n"
        f"Then confirm: ansible-playbook ... -e '{{\"unified_profiles_confirm\": {confirm}}}'"
    )


class Endpoint:
    """An HTTP endpoint that carries hand-overs out: a gateway, a robot, the sandbox."""

    UNREADABLE = object()

    def __init__(self, call: Call, step: str) -> None:
        self.options = call["endpoint"]
        self.headers = {str(k): str(v) for k, v in (self.options.get("headers") or {}).items()}
        secrets = tuple(v for value in self.headers.values() for v in (value, value.rpartition(" ")[2]) if len(v) > 3)

        def make(option: str) -> Service:
            name, url = f"The {step} endpoint", self.options[option]
            return Service(call.transport, name, url, None, "endpoint.headers", f"endpoint.{option}", secrets)

        self.writer = make("url")
        self.reader = make("read_url") if self.options.get("read_url") else None
        if self.reader and not self.options.get("read_path"):
            raise OptionError("endpoint.read_path", "is missing, and read_url is given.", "Name the value to compare.")

    def read(self) -> t.Any:
        """The value at read_path as text, None when it is null or absent, UNREADABLE when there is no read_url."""
        if self.reader is None:
            return self.UNREADABLE
        value = self.reader.get("", headers=self.headers).get(self.options["read_path"], (str, int, bool), None)
        return None if value is None else str(value)

    def send(self, values: Mapping[str, str]) -> None:
        """Send the body, with ``{placeholders}`` filled in. Any 2xx means accepted."""
        body = fill(self.options["body"], values) if self.options.get("body") else dict(values)
        accepted = frozenset(range(200, 300))
        self.writer.request(self.options["method"], "", body=body, headers=self.headers, expected=accepted)


def fill(template: t.Any, values: Mapping[str, str]) -> t.Any:
    """The template with ``{name}`` replaced in its texts, for the names that are known."""
    if isinstance(template, str):
        return re.sub(r"\{(\w+)\}", lambda m: str.__str__(values.get(m[1], m[0])[:]), template)
    if isinstance(template, dict):
        return {key: fill(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [fill(value, values) for value in template]
    return template
