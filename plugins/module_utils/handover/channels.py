# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a hand-over is carried out by an HTTP endpoint of the user's own. The other channel is a person with a card."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping

from ..errors import OptionError
from ..runner import Call
from ..transport import Service


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
