# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Twilio's accounts: the name that people know one by."""

from __future__ import annotations

import typing as t

from .._http.service import Service


class AccountsApi:
    """Accounts, read only (OpenAPI document twilio_api_v2010)."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def name(self, account: str) -> str:
        """Return the friendly name of an account (operation FetchAccount). The answer has the account's auth token as well.

        Raises:
            Failure: Among others 401 or 403: a standard API key may not read accounts.
        """
        answer = self.service.get("/2010-04-01/Accounts/{account}.json", path_params={"account": account})
        return t.cast(str, answer.get("friendly_name", str))
