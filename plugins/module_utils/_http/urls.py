# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Where a service is, as DNS and certificates have it."""

from __future__ import annotations

import re
import urllib.parse

from .._base.errors import OptionError
from . import libraries
from .proxy import is_host, is_loopback

if libraries.PROBLEM is None:
    import httpx

# Characters. Servers take no more than about eight thousand, with what is added to it.
MAX_URL = 2000


def check_url(option: str, url: str) -> str:
    """Return a service's URL with its host as DNS and certificates have it: international names encoded, no dot at the end.

    Raises:
        OptionError: Not an absolute https URL, and not http on loopback; or it carries credentials.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urllib.parse.urlsplit(""), None
    host = _in_dns(option, parts.hostname or "")
    unusable = bool(re.search(r"[\x00-\x20\x7f]", url)) or not parts.path.isascii() or parts.query or parts.fragment
    if len(url) > MAX_URL:
        raise OptionError(option, f"has more than {MAX_URL} characters.", "Write it as https://host[:port][/path].")
    if parts.scheme not in ("http", "https") or unusable or not is_host(host):
        raise OptionError(option, "is not a plain absolute http(s) URL.", "Write it as https://host[:port][/path].")
    host = host.removesuffix(".")
    if parts.username is not None or parts.password is not None:
        raise OptionError(option, "carries credentials in the URL.", "Put them into the options made for them.")
    if parts.scheme == "http" and not is_loopback(host):
        raise OptionError(
            option,
            f"uses http to {host}, which would send credentials in the clear.",
            "Use https; plain http is for loopback addresses only.",
        )
    where = (f"[{host}]" if ":" in host else host) + ("" if port is None else f":{port}")
    return urllib.parse.urlunsplit(parts._replace(netloc=where)).rstrip("/")


def _in_dns(option: str, host: str) -> str:
    """The host's name in ASCII (IDNA)."""
    if host.isascii():
        return host
    try:
        return httpx.URL(scheme="https", host=host).raw_host.decode()
    except httpx.InvalidURL:
        raise OptionError(
            option,
            "has a host whose international name is not a valid one.",
            "Write the name as DNS has it, with xn--.",
        ) from None
