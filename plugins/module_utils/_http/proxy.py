# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Which proxy a request takes, read as curl and requests read it. Nothing of a proxy's URL is ever shown: it may hold a password."""

from __future__ import annotations

import ipaddress
import os
import re
import urllib.parse
from dataclasses import dataclass, field

from .._base.errors import OptionError

# Only these: plain http is for loopback, and loopback is never proxied. The lower case first, as curl does.
VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
EXCEPTIONS = ("no_proxy", "NO_PROXY")


@dataclass(frozen=True)
class Proxy:
    """A proxy and who named it.

    Attributes:
        url: With its scheme.
        source: The option or the environment variable that was read.
    """

    url: str = field(repr=False)
    source: str

    @property
    def credentials(self) -> tuple[str, str]:
        """User and password, decoded; empty where there is none."""
        parts = urllib.parse.urlsplit(self.url)
        return urllib.parse.unquote(parts.username or ""), urllib.parse.unquote(parts.password or "")

    def unusable(self) -> OptionError:
        """The error for a URL that httpx takes for none, or that this check does."""
        return OptionError(
            self.source,
            "is not the URL of a proxy that can be used.",
            "Write it as http://[user:password@]host:port, with special characters of user and password percent-encoded. "
            "https and socks5 are the other schemes.",
        )


def proxy_for(scheme: str, host: str, port: int | None, option: str | None) -> Proxy | None:
    """The proxy for one server: never one for loopback, then the option's, then the environment's.

    Raises:
        OptionError: It is not the URL of a proxy.
    """
    if scheme != "https" or is_loopback(host):
        return None
    named = {"proxy": option or ""}
    if not option and not _is_exception(host, port or 443):
        named = {name: os.environ.get(name, "") for name in VARIABLES}
    for source, value in named.items():
        if url := value.strip():
            proxy = Proxy(url if "://" in url else f"http://{url}", source)
            _check(proxy)
            return proxy
    return None


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_host(host: str) -> bool:
    """Return whether it can be a host's name or address. httpx fails on others in a way of its own."""
    # The names of RFC 1035, 2.3.1; a dot at the end means the root.
    labels = all(0 < len(label) < 64 for label in host.removesuffix(".").split("."))
    return labels and re.fullmatch(r"[A-Za-z0-9._:-]+", host) is not None


def _check(proxy: Proxy) -> None:
    try:
        parts = urllib.parse.urlsplit(proxy.url)
        usable = is_host(parts.hostname or "") and parts.port != 0
    except ValueError:
        usable = False
    # A path or more is what is left of a password with a slash that nobody encoded.
    if not usable or parts.path.strip("/") or parts.query or parts.fragment:
        raise proxy.unusable()


def _is_exception(host: str, port: int) -> bool:
    """Return whether the environment names the server as one to be reached without a proxy."""
    listed = next((value for name in EXCEPTIONS if (value := os.environ.get(name, "").strip())), "")
    return any(_covers(entry, host.rstrip("."), port) for entry in re.split(r"[\s,]+", listed.lower()) if entry)


def _covers(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    if match := re.fullmatch(r"(\[.*\]|[^:]*):([0-9]+)", entry):
        entry = match[1]
        if int(match[2]) != port:
            return False
    entry = re.sub(r"[\[\]]", "", entry).lstrip("*").strip(".")
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return bool(entry) and f".{host}".endswith(f".{entry}")
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return False
