# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""How a request says who asks. The secret stays wrapped until the header is written."""

from __future__ import annotations

import base64
import typing as t
from dataclasses import dataclass

from .._base.secret import Secret


@dataclass(frozen=True)
class Bearer:
    """A token (RFC 6750)."""

    secret: Secret
    scheme: t.ClassVar = "Bearer"

    @property
    def credential(self) -> Secret:
        """The part of the header's value that follows the scheme."""
        return self.secret


@dataclass(frozen=True)
class Basic:
    """A user with a password (RFC 7617)."""

    user: str
    secret: Secret
    scheme: t.ClassVar = "Basic"

    @property
    def credential(self) -> Secret:
        return _base64(f"{self.user}:{self.secret.reveal()}")


@dataclass(frozen=True)
class BasicToken:
    """A token in the place of a user, without a password: Segment's way."""

    secret: Secret
    scheme: t.ClassVar = "Basic"

    @property
    def credential(self) -> Secret:
        return _base64(f"{self.secret.reveal()}:")


Auth: t.TypeAlias = "Bearer | Basic | BasicToken"


def authorization(auth: Auth) -> str:
    """Return the header's value."""
    return f"{auth.scheme} {auth.credential.reveal()}"


def _base64(pair: str) -> Secret:
    return Secret(base64.b64encode(pair.encode()).decode())
