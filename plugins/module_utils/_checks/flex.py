# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The parts of a Flex account that matter to Unified Profiles."""

from __future__ import annotations

import re
import typing as t

from .._base.errors import ApiError, OptionError, Refused
from .._base.times import parse_time
from .._module.context import ModuleContext

OLDEST_UI = (2, 6, 0)
# Twilio no longer supports it, nor what is older.
END_OF_LIFE = (2, 14)


def check_flex(call: ModuleContext, fail: bool = True, alerts_since: str | None = None) -> dict[str, t.Any]:
    """See the module flex_info.

    Raises:
        OptionError: An option cannot be used.
        Refused: Flex is not ready for Unified Profiles, and ``fail`` is true.
    """
    expected = call.sid("twilio_account_sid") if call["twilio_account_sid"] else ""
    flex = call.flex()
    try:
        found = flex.configuration()
    except ApiError as error:
        if error.status != 404:
            raise
        found = {"account_sid": expected, "status": "notstarted", "ui_version": ""}
    reason = ""
    if found["status"] != "ok":
        reason = f"Flex is not ready on this account (status '{found['status']}'; provisioning: {_provisioning(flex)})."
    elif (version := _version(found["ui_version"])) and version < OLDEST_UI:
        reason = f"Flex UI {found['ui_version']} is too old: Unified Profiles needs 2.6.0 or later."
    elif version and version[:2] <= END_OF_LIFE:
        call.warnings.append(f"Flex UI {found['ui_version']} is past its end of life at Twilio: update Flex.")
    if not reason and expected and found["account_sid"] and expected != found["account_sid"]:
        reason = f"twilio_account_sid is {expected}, and the credentials belong to {found['account_sid']}."
    if reason and fail:
        raise Refused(reason, "Set Flex up for this account, or correct the credentials.", problem="flex_not_ready")
    result: dict[str, t.Any] = {"flex": {**found, "ready": not reason, "reason": reason}}
    if alerts_since:
        since = parse_time(alerts_since)
        if since is None:
            raise OptionError("alerts_since", "is not an ISO 8601 time.", "Write it like 2026-11-24T10:02:31Z.")
        result["alerts"] = call.monitor().connector_alerts(since, call.transport.clock.now())
    return result


def _provisioning(flex: t.Any) -> str:
    try:
        return t.cast(str, flex.provision_status())
    except ApiError:
        return "unknown"


def _version(text: str) -> tuple[int, ...] | None:
    """The version, if the text is one and no range of them."""
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)([-+].*)?", text)
    return tuple(map(int, match.groups()[:3])) if match else None
