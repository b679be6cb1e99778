# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""One event sent through a source and looked for in the space: the only proof that the source feeds it."""

from __future__ import annotations

import re
import typing as t
import uuid

from .._base.errors import Failure, OptionError, UnknownOutcome
from .._base.times import format_time
from .._module.context import ModuleContext
from .._module.values import check_keys_visible, check_space_id
from .._module.wait import wait_for

# Reserved: no person can have it.
USER = "flexops-unified-profiles-test-event"
TRAITS = {"name": "flexops.unified_profiles test event", "note": "not a person"}
POLL = 3.0


def send(call: ModuleContext) -> dict[str, t.Any]:
    """Send one event through the source, look for it in the space and return how that ended; see segment_test_event.

    Raises:
        OptionError: No consent, or a value that cannot be used.
        Refused: The token cannot see the source's write keys.
        Failure: What reading the source and the one write raise. Not being able to look for the test event is a result.
    """
    space, source_id, user = call["space_id"], call["source_id"], call["user_id"]
    _check(call)
    profiles, source = call.profile_api(), call.public_api().source(source_id)
    check_keys_visible(source_id, source.keys)
    message = f"test-event-{uuid.uuid4()}"
    sent = format_time(call.segment_now())
    test_event = {"source_id": source_id, "space_id": space, "user_id": user}

    def ended(status: str, reason: str, **more: str) -> dict[str, t.Any]:
        return {"changed": True, "test_event": {**test_event, "status": status, "reason": reason, **more}}

    if call.check_mode:
        return ended("not_sent", f"one identify of the user {user} would be sent through the source")
    # Any key will do: the test event shows which space the source feeds, not which key Flex has.
    fingerprint = call["key_fingerprint"] or min(source.keys)
    if fingerprint not in source.keys:
        raise OptionError(
            "key_fingerprint", f"the source has no key {fingerprint}.", f"It has {', '.join(source.keys)}."
        )
    key = source.keys[fingerprint]
    test_event["key_fingerprint"] = fingerprint
    doubt = ""
    try:
        call.tracking_api(key).identify(user, message, TRAITS)
    except UnknownOutcome:
        doubt = ", and whether Segment received it is not known"  # looking for it tells
    test_event |= {"message_id": message, "sent_at": sent}
    seconds = call["test_event_timeout"]
    try:
        through = wait_for(
            call, "the test event", lambda: profiles.profile_messages(space, user).get(message), seconds, every=POLL
        )
    except Failure as failure:
        return ended("unknown", f"the test event was sent, and could not be looked for: {failure.message}")
    if through is None:
        where = "look at Unify > Unify settings > Profiles sources"
        return ended("not_seen", f"the test event did not reach the space within {seconds:g} s{doubt}: {where}")
    if through != source_id:
        other = f"the test event was read back with the source id '{through}' instead of '{source_id}'"
        return ended("other_source", other, seen_source_id=through)
    return ended("arrived", "the test event was read back with this source's id", seen_source_id=through)


def _check(call: ModuleContext) -> None:
    """Refuse an event without consent, or one of a user that somebody could be."""
    user = call["user_id"]
    if not re.fullmatch(r"[a-z0-9._-]{8,100}", user):
        raise OptionError(
            "user_id",
            "is not 8 to 100 lower-case letters, digits, dots, hyphens and underscores.",
            "Reserve one that no person can have.",
        )
    if call["test_event"] is not True:
        raise OptionError(
            "test_event",
            f"is not true. The test event creates a real profile in the space, that of the user '{user}'. It counts as one "
            "tracked user, and stays until you delete it.",
            "Set it to true if you agree; there is no default.",
        )
    check_space_id(call["space_id"])
