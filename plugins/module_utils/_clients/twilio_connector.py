# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""An undocumented read of Twilio: seen in public code only, may change without notice, and shows very little.

Nothing is ever written here: another call of the same product can create profiles.
"""

from __future__ import annotations

import typing as t

from .._http.service import Service


class ConnectorApi:
    """The connector between an account and a Unify space, as ``preview.twilio.com`` shows it."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def exists(self, account: str) -> bool:
        """True when a connector is shown. It says nothing of its space, token or key.

        Raises:
            Failure: Anything else, 404 included, which all mean "unknown".
        """
        answer = self.service.get("/ProfileConnector/Instances/{account}", path_params={"account": account})
        return bool(t.cast(str, answer.get("configuration_id", str)))
