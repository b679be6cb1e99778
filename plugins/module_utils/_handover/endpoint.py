# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""How a hand-over is carried out by an HTTP endpoint of the user's own. The other channel is a person with a card."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Iterator, Mapping

from .._base.errors import ApiError, OptionError, UnknownOutcome
from .._base.secret import Secret, fingerprint
from .._http.service import REPEATABLE, Service
from .._http.transport import Transport
from .steps import STEPS

# Documented in doc_fragments/_handover.py.
ENDPOINT_OPTIONS: dict[str, t.Any] = {
    "type": "dict",
    "required_together": [["read_url", "read_path"]],
    "options": {
        "url": {"type": "str", "required": True},
        "method": {"type": "str", "choices": ["POST", "PUT", "PATCH"], "default": "POST"},
        "headers": {"type": "dict", "no_log": True},
        "body": {"type": "dict"},
        "success": {
            "type": "dict",
            "required_together": [["path", "value"]],
            "options": {
                "statuses": {"type": "list", "elements": "int"},
                "path": {"type": "str"},
                "value": {"type": "raw"},
            },
        },
        "read_url": {"type": "str"},
        "read_path": {"type": "str"},
    },
}
PLACEHOLDER = re.compile(r"\{(\w+)\}")
FRAMING = frozenset({"content-length", "transfer-encoding"})
# What a card or an endpoint may need, by placeholder.
Values: t.TypeAlias = "Mapping[str, str | Secret]"
# Statuses of a request that was not carried out. Other statuses are uncertain. A gateway can give up (408, 425, 499)
# after it passed the request on. A redirect (303) can follow what was done. 409 can mean that it was done before.
REFUSALS = frozenset({400, 401, 403, 404, 405, 413, 415, 422, 429})
# For a value of an answer that may have any type.
ANYTHING = (object, bool)


class Endpoint:
    """An HTTP endpoint that carries hand-overs out: a gateway, a robot, the sandbox.

    Args:
        transport: Its connections, and the budget for its waits.
        step: A name in the table of steps.
        options: As in :data:`ENDPOINT_OPTIONS`.
        name: The option that has them, for messages.

    Raises:
        OptionError: An option cannot be used. It is raised before anything is sent, in check mode too.
    """

    def __init__(self, transport: Transport, step: str, options: Mapping[str, t.Any], name: str = "endpoint") -> None:
        self.transport, self.step, self.options, self.name = transport, STEPS[step], options, name
        self.headers = _headers(f"{name}.headers", self.options.get("headers") or {})
        self.success = self.options.get("success") or {}
        self.statuses = frozenset(self.success.get("statuses") or range(200, 300))
        if unusable := sorted(status for status in self.statuses if not 200 <= status < 500 or status == 429):
            raise OptionError(
                f"{name}.success.statuses",
                f"{unusable[0]} never means that something was done.",
                "Name statuses from 200 to 499, without 429.",
            )
        unknown = sorted(set(_placeholders(self.options.get("body"))) - set(self.step.placeholders))
        if unknown:
            raise OptionError(
                f"{name}.body",
                f"has {', '.join(f'{{{name}}}' for name in unknown)}, and the {step} hand-over has no such value.",
                f"It has {', '.join(self.step.placeholders)}.",
            )
        self._service("url")
        self.reader = self._service("read_url") if self.options.get("read_url") else None

    @property
    def repeatable(self) -> bool:
        """Return whether a hand-over may be sent again when nobody knows whether it took effect.

        PUT and PATCH promise that; with a read-back it is looked up first.
        """
        return self.reader is not None or self.options["method"] in REPEATABLE

    def read(self) -> str | None:
        """Read back what the console has.

        Returns:
            The value as text, a secret as its fingerprint. Empty when there is none yet; None without a ``read_url``.

        Raises:
            Failure: It cannot be read.
        """
        if self.reader is None:
            return None
        try:
            answer = self.reader.get("", headers=self.headers)
        except ApiError as error:
            if error.status == 404:
                return ""
            raise
        text = _text(answer.get(self.options["read_path"], (str, int, bool), ""))
        if text and self.step.reads_back_secret and not re.fullmatch(r"[0-9a-f]{12}", text):
            return fingerprint(text)
        return self.transport.hidden.in_result(text)[:100]

    def send(self, values: Values) -> None:
        """Send the body, with its placeholders filled in.

        Raises:
            UnknownOutcome: No answer, or one that neither says what ``success`` asks for nor refuses it.
            Failure: It was refused, or never arrived.
        """
        self.transport.hidden.add(*(value for value in values.values() if isinstance(value, Secret)))
        plain = {name: value.reveal() if isinstance(value, Secret) else value for name, value in values.items()}
        body = fill(self.options["body"], plain) if self.options.get("body") else plain
        writer = self._service("url")
        method = self.options["method"]
        try:
            answer = writer.request(method, "", body=body, headers=self.headers, expected=self.statuses)
        except ApiError as failure:
            if failure.status in REFUSALS:
                raise
            problem = f"{failure.message} That does not say whether the hand-over was carried out."
            raise UnknownOutcome(problem, failure.next_step, **failure.facts) from None
        path = self.success.get("path")
        if path and _text(answer.get(path, ANYTHING, None)) != _text(self.success["value"]):
            raise UnknownOutcome(
                f"{writer.name} answered {method} with HTTP {answer.status}, and '{path}' in the answer is not "
                f"'{_text(self.success['value'])[:40]}': whether the hand-over was carried out is not known.",
                f"Look at the endpoint, or correct {self.name}.success.",
                service=writer.name,
                method=method,
                status=answer.status,
            )

    def _service(self, option: str) -> Service:
        url = self.options[option]
        if "?" in url:
            raise OptionError(
                f"{self.name}.{option}",
                "has a query, and queries end up in logs.",
                "Put what is secret into its headers, and the rest into the path or the body.",
            )
        if PLACEHOLDER.search(url):
            raise OptionError(
                f"{self.name}.{option}",
                "has a placeholder in braces; they are for its body.",
                "Use a Jinja expression in the inventory.",
            )
        for text in self.headers.values():
            self.transport.hidden.add_header(text)
        return Service(
            self.transport,
            f"The {self.step.name} endpoint",
            url,
            auth=None,
            credentials=f"{self.name}.headers",
            url_option=f"{self.name}.{option}",
        )


def fill(template: t.Any, values: Mapping[str, str]) -> t.Any:
    """The template with ``{name}`` in its strings replaced by values."""
    if isinstance(template, str):
        return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), template)
    if isinstance(template, Mapping):
        return {key: fill(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [fill(value, values) for value in template]
    return template


def _placeholders(template: t.Any) -> Iterator[str]:
    if isinstance(template, str):
        yield from PLACEHOLDER.findall(template)
    elif isinstance(template, (Mapping, list)):
        for value in template.values() if isinstance(template, Mapping) else template:
            yield from _placeholders(value)


def _headers(option: str, given: Mapping[t.Any, t.Any]) -> dict[str, str]:
    headers = {str(name): _text(value) for name, value in given.items()}
    names = [name.lower() for name in headers]
    for name, value in headers.items():
        if names.count(name.lower()) > 1:
            raise OptionError(option, f"has {name} twice, in different case.", "Keep one of them.")
        if name.lower() in FRAMING:
            raise OptionError(option, f"has {name}, which follows from the body.", "Leave it out.")
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
            raise OptionError(option, "has a name that is no header's name.", "Use letters and hyphens.")
        if not re.fullmatch(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?", value):
            raise OptionError(
                option,
                f"the value of {name} is empty, or has line breaks or characters that no header may have.",
                "Copy it again, without a line break at its end.",
            )
    return headers


def _text(value: t.Any) -> str:
    """A JSON value as text: ``true``, ``1`` and ``ok`` are compared as they are written."""
    return value if isinstance(value, str) else json.dumps(value)
