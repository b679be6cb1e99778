# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Times as the APIs and the ledger write them: ISO 8601, in UTC."""

from __future__ import annotations

import datetime
import re
import typing as t


def parse_time(text: t.Any) -> datetime.datetime | None:
    """An ISO 8601 time, or None when it is not one."""
    # Python 3.10 knows neither "Z" nor a fraction of other than three or six digits.
    plain = re.sub(r"\.(\d{1,6})\d*", lambda m: "." + m[1].ljust(6, "0"), str(text)).replace("Z", "+00:00")
    try:
        found = datetime.datetime.fromisoformat(plain)
    except ValueError:
        return None
    if not 1970 <= found.year < 9000:  # so that no sum of times can overflow
        return None
    return (found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)).astimezone(datetime.timezone.utc)


def format_time(moment: datetime.datetime) -> str:
    """The time to the second."""
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
