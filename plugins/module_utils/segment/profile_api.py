# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Segment Profile API: only the cheapest check that a space id and a token belong together."""

from __future__ import annotations

import uuid

from ..errors import ApiError
from ..transport import Service


class ProfileApi:
    """Profiles of a space (docs: Segment > Unify > Profile API)."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def pair_is_valid(self, space: str) -> None:
        """Ask for the metadata of a profile that cannot exist: "not found" about the profile means the pair is good.

        Raises:
            ApiError: Any other answer; 401 means the token is wrong, revoked, or (not documented) of another space.
        """
        try:
            self.service.get(
                "/v1/spaces/{space}/collections/users/profiles/{profile}/metadata",
                space=space,
                profile=f"user_id:{uuid.uuid4()}",
            )
        except ApiError as error:
            if error.status != 404 or error.facts.get("code") != "not_found":
                raise
