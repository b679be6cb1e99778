# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Segment Profile API: no more than the metadata of two kinds of profiles, one that nobody makes and the test event."""

from __future__ import annotations

from .._base.errors import ApiError
from .._base.secret import Secret
from .._http.service import Service

# The same at every look, so that a message about it is the same as well.
NOBODY = "no-user-of-unified-profiles"


class ProfileApi:
    """Profiles of a space (docs: Segment > Unify > Profile API)."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def check_token_matches_space(self, space: str | Secret) -> None:
        """Ask for the metadata of a profile that nobody makes: "not found" about the profile means the pair is good.

        Raises:
            ApiError: Any other answer; 401 means the token is wrong, revoked, or (not documented) of another space.
        """
        self.profile_messages(space, NOBODY)

    def profile_messages(self, space: str | Secret, user_id: str) -> dict[str, str]:
        """The first and the last message of a user's profile, as ``{message_id: source_id}``; empty without a profile.

        Raises:
            ApiError: Any answer but the profile's metadata, or "not found" about the profile.
        """
        path = "/v1/spaces/{space}/collections/users/profiles/{profile}/metadata"
        try:
            answer = self.service.get(path, path_params={"space": space, "profile": f"user_id:{user_id}"})
        except ApiError as error:
            # Of a space that it does not know, it says that the resource was not found.
            said = error.message.partition(" with HTTP ")[2].lower()
            if error.status != 404 or error.facts.get("code") != "not_found" or "profile" not in said:
                raise
            return {}
        pairs = [
            [answer.get(f"metadata.{n}_{what}_id", str, "") for what in ("message", "source")]
            for n in ("first", "last")
        ]
        return {message: source for message, source in pairs if message}
