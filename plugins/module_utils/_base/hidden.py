# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The values that one task must not show, wherever a server or a proxy repeats them.

Ansible hides the values of options, and a write key is in none of them.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import html
import re
import threading
import typing as t
import urllib.parse

from .secret import LONG, Secret, fingerprint

# Characters. What is shorter is guessed in no time and is part of many words. Hiding it would spoil what a server says,
# and give it away.
LEAST = 4
# Of what may be no secret at all: a header's value may be "prod" or "eu", a proxy's user "www".
LEAST_DOUBTFUL = 8
# What has the shape of a key, should a server show one that this task never saw. No word is that long, and Twilio's
# SIDs are no secrets.
KEY_SHAPE = re.compile(r"(?<![A-Za-z0-9])(?![A-Z]{2}[0-9a-f]{32}(?![A-Za-z0-9]))[A-Za-z0-9]{32,}")


class Hidden:
    """The secrets of one task: shared by its services, and by their threads."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._doubtful: set[str] = set()
        self._lock = threading.Lock()

    def add(self, *secrets: Secret) -> None:
        """Hide what is a secret by its place: tokens, passwords, write keys."""
        with self._lock:
            self._secrets.update(value for secret in secrets if len(value := secret.reveal()) >= LEAST)

    def add_doubtful(self, *values: str) -> None:
        """Hide in what servers say what may be a secret, or an id that results have to show, such as a header's value."""
        with self._lock:
            self._doubtful.update(value for value in values if len(value) >= LEAST_DOUBTFUL)

    def add_header(self, value: str) -> None:
        """Hide a header's value, what follows its first word, and the password in it."""
        scheme, _space, credential = value.rpartition(" ")
        self.add_doubtful(value, credential)
        if scheme.lower() == "basic":
            with contextlib.suppress(ValueError):
                self.add(Secret(base64.b64decode(credential).decode().partition(":")[2]))

    def in_words(self, text: str) -> str:
        """The words of a server, a proxy or the network, without secrets, and 500 characters at most."""
        known = self._replace(text, lambda value: True)
        return KEY_SHAPE.sub(lambda match: f"<secret {fingerprint(match[0])}>", known)[:500]

    def in_request_id(self, text: str) -> str:
        """A request id as it can be shown. It may have the shape of a key."""
        known = self._replace(text, lambda value: True)
        return re.sub(r"[^\x20-\x7e]", "?", known)[:100]

    def in_result(self, text: str) -> str:
        """Return a string of a result, such as a name, without what is a secret for certain and too long for a word."""
        return self._replace(text, self._certain) if len(text) >= LONG else text

    def _replace(self, text: str, wanted: t.Callable[[str], bool]) -> str:
        with self._lock:
            known = self._doubtful | self._secrets
        found = [
            (*match.span(1), value)
            for value in known
            if _core(value) in text and wanted(value)
            # Compiled where it is needed: hardly any text holds a secret, and to compile is dear.
            for match in _pattern(value).finditer(text)
        ]
        # Where they overlap all of them go, and the longest names it: a secret may be the beginning of another one.
        shown, at = [], 0
        for start, end, value in sorted(found, key=lambda span: (span[0], -span[1], span[2])):
            if start >= at:
                # No fingerprint where one could try all that it may be, as of a user with a short password.
                told = f" {fingerprint(value)}" if self._certain(value) else ""
                shown += [text[at:start], f"<secret{told}>"]
            at = max(at, end)
        return "".join([*shown, text[at:]])

    def _certain(self, value: str) -> bool:
        return len(value) >= LONG and value in self._secrets


@functools.lru_cache(maxsize=4096)
def _core(value: str) -> str:
    """Its longest part that nothing escapes: quick to look for."""
    return max(re.split(r"[^A-Za-z0-9]", value), key=len)


@functools.lru_cache(maxsize=4096)
def _pattern(value: str) -> re.Pattern[str]:
    """Finds the value however it is escaped, also where two of it overlap."""
    spelled = "".join(map(_spellings, value))
    if len(value) < LEAST_DOUBTFUL:  # alone, not within another word
        spelled = rf"(?<![A-Za-z0-9]){spelled}(?![A-Za-z0-9])"
    return re.compile(f"(?=({spelled}))")


@functools.lru_cache(maxsize=1024)
def _spellings(char: str) -> str:
    """A pattern for one character as it is, and as it is written in URLs, JSON, HTML and shells."""
    if char.isascii() and char.isalnum():
        return char
    wide = char.encode("utf-16-be", "surrogatepass")
    forms = {
        urllib.parse.quote_plus(char.encode("utf-8", "surrogatepass"), safe=""),
        "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass")),
        html.escape(char),
        f"&#{ord(char)};",
        f"&#x{ord(char):x};",
    }
    # JSON in JSON has three backslashes before a quotation mark, and four for one.
    itself = r"\\{1,4}" if char == "\\" else r"\\{0,3}" + re.escape(char)
    escaped = "".join(rf"\\{{1,3}}u{unit}" for unit in (wide[:2].hex(), wide[2:].hex()) if unit)
    whole = "|".join(map(re.escape, sorted(forms - {char}, key=len, reverse=True)))
    return f"(?i:{whole}|{escaped}|{itself})"
