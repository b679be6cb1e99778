# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The answers that the collection assumes of the services, in one table. Pure.

How certain each fact is, is said before anybody has seen it: by the vendor's documentation, by public code, or by a conclusion.
"""

from __future__ import annotations

from dataclasses import dataclass

from .._clients.services import (
    SEGMENT_PROFILE,
    SEGMENT_PUBLIC,
    TWILIO_CONNECTOR,
    TWILIO_FLEX,
    TWILIO_MONITOR,
    TWILIO_SYNC,
)
from .._clients.source import IDLE_DAYS
from .._clients.twilio_sync import DOCUMENT
from . import judges as on

# What of several environments counts for a report of all of them: the first that one of them has.
VERDICTS = (on.CONTRADICTED, on.SEEN, on.NOT_LOOKED_AT, on.NOT_VISIBLE)
DOCUMENTED, CODE, INFERRED, NOWHERE = "documented", "seen in public code", "inferred", "found nowhere"


@dataclass(frozen=True)
class Assumption:
    """A row of the table.

    Attributes:
        name: For machines.
        grade: How certain it is.
        text: What is assumed, as a sentence.
        judge: What an environment shows of it.
        more: The read beyond a survey that shows it, where a survey's own may not.
    """

    name: str
    grade: str
    text: str
    judge: on.Judge
    more: str = ""


def judge_all(observed: on.Observed, more: bool) -> dict[str, on.Judgement]:
    """The judgement of one environment on each assumption, by the assumption's name.

    Args:
        observed: What was answered.
        more: Whether the reads beyond a survey were made.
    """
    found = {}
    for one in ASSUMPTIONS:
        judgement = one.judge(observed)
        if judgement["verdict"] == on.NOT_VISIBLE and one.more and not more:
            judgement = {"verdict": on.NOT_LOOKED_AT, "detail": one.more}
        found[one.name] = judgement
    return found


ASSUMPTIONS = (
    Assumption("segment_token", CODE, "A Public API token is sgp_ and 64 letters and digits.", on.token_form),
    Assumption(
        "public_media_type",
        CODE,
        "The Public API answers in its own media types or in plain JSON.",
        on.media(SEGMENT_PUBLIC, expected=on.VENDORS),
    ),
    Assumption(
        "plain_json",
        CODE,
        "A space can be read as plain application/json, though it is alpha.",
        on.status_of(on.PLAIN_SPACE, 200),
        on.PLAIN_SPACE,
    ),
    Assumption(
        "public_errors",
        DOCUMENTED,
        "An error of the Public API is a list of errors, each with type and message.",
        on.errors(SEGMENT_PUBLIC, where=("errors", 0), fields={"type": on.STRING, "message?": on.STRING}),
        on.NO_SOURCE,
    ),
    Assumption(
        "not_found_type",
        CODE,
        "What is missing has the type not-found, and not NotFound.",
        on.not_found_type,
        on.NO_SOURCE,
    ),
    Assumption(
        "lacks_permission",
        INFERRED,
        "A token that lacks a right is refused with 403, and not with 401.",
        on.refused,
        on.TRAIL,
    ),
    Assumption(
        "public_date",
        DOCUMENTED,
        "The Public API tells its time in the header Date.",
        on.header("date", SEGMENT_PUBLIC, is_good=on.is_date),
    ),
    Assumption(
        "limit_remaining",
        DOCUMENTED,
        "An answer of the Public API has the header X-RateLimit-Remaining.",
        on.header("x-ratelimit-remaining", SEGMENT_PUBLIC, is_good=str.isdigit),
    ),
    Assumption(
        "limit_reset",
        DOCUMENTED,
        "An answer of the Public API has the header X-RateLimit-Reset, a date.",
        on.header("x-ratelimit-reset", SEGMENT_PUBLIC, is_good=on.is_date),
    ),
    Assumption(
        "limit_wait",
        DOCUMENTED,
        "A 429 tells the wait in Retry-After as whole seconds, or in msBeforeNext.",
        on.wait_is_told,
    ),
    Assumption(
        "limit_alone", INFERRED, "The limit of an endpoint has msBeforeNext and no Retry-After.", on.limit_alone
    ),
    Assumption(
        "limit_scope",
        DOCUMENTED,
        "Requests are counted for each address and token.",
        on.never("one look has one token"),
    ),
    Assumption("space_fields", DOCUMENTED, "A space has the fields id, slug and name, and no others.", on.space_fields),
    Assumption("space_id", CODE, "The id of a space begins with spa_.", on.space_id),
    Assumption("spaces", DOCUMENTED, "The spaces of a workspace can be listed.", on.all_spaces, on.ALL_SPACES),
    Assumption(
        "source_fields",
        DOCUMENTED,
        "A source has the documented fields.",
        on.listed("/sources", "sources", on.SOURCE, "no source"),
    ),
    Assumption("source_metadata", DOCUMENTED, "The type of a source has id, slug, name and status.", on.metadata),
    Assumption("source_id", CODE, "The id of a source has 22 or 10 letters and digits.", on.source_ids),
    Assumption(
        "write_keys",
        INFERRED,
        "A write key has 22 or 32 letters and digits; without the right the list is empty.",
        on.write_keys,
    ),
    Assumption("java", DOCUMENTED, "Twilio's source is of the type Java, with the id that the catalog has.", on.java),
    Assumption(
        "slug", INFERRED, "The slug of Twilio's source is the name, as it is or with underscores.", on.source_slug
    ),
    Assumption(
        "audit_fields",
        DOCUMENTED,
        "An event of the audit trail has the documented fields.",
        on.listed(on.AUDIT, "events", on.EVENT, "no event"),
        on.TRAIL,
    ),
    Assumption("audit_types", DOCUMENTED, "The types of events are spelled as documented.", on.event_types, on.TRAIL),
    Assumption("audit_resource_type", CODE, "The types of resources are in lower case.", on.resource_types, on.TRAIL),
    Assumption(
        "audit_connected",
        INFERRED,
        "An event about a source and a space has the id of the source as resourceId.",
        on.connected_resource,
        on.TRAIL,
    ),
    Assumption(
        "space_keeps_nothing",
        NOWHERE,
        f"A space alone does not keep Segment from disabling a source after {IDLE_DAYS} days.",
        on.kept_by_segment(by_warehouse=False),
        on.KEEPERS,
    ),
    Assumption(
        "warehouse_keeps",
        INFERRED,
        "A warehouse keeps Segment from disabling a source.",
        on.kept_by_segment(by_warehouse=True),
        on.KEEPERS,
    ),
    Assumption(
        "volume_fields", DOCUMENTED, "Counted events come with path, query and result.", on.counted_fields, on.COUNTS
    ),
    Assumption(
        "volume_rows",
        DOCUMENTED,
        "Counts are grouped by event and source, as asked for by groupBy.0 and groupBy.1.",
        on.count_rows,
        on.COUNTS,
    ),
    Assumption("volume_integers", INFERRED, "Counts are whole numbers.", on.whole_numbers, on.COUNTS),
    Assumption(
        "volume_source_id", INFERRED, "Counts name a source by its id in the Public API.", on.counted_ids, on.COUNTS
    ),
    Assumption("flex_events", DOCUMENTED, "Flex writes events of the documented names.", on.flex_events, on.COUNTS),
    Assumption(
        "space_events",
        DOCUMENTED,
        "An event of a space has name, type and lastSeenAt.",
        on.listed(on.SPACE_EVENTS, "events", on.SPACE_EVENT, "no event"),
        on.OF_SPACE,
    ),
    Assumption(
        "replay_dates", INFERRED, "A replayed event keeps the time at which it happened.", on.replayed, on.OF_SPACE
    ),
    Assumption(
        "profile_media_type", DOCUMENTED, "The Profile API answers in application/json.", on.media(SEGMENT_PROFILE)
    ),
    Assumption(
        "pair", DOCUMENTED, "A valid pair of space and token gets 404 not_found about the profile.", on.pair_answer
    ),
    Assumption(
        "profile_errors",
        DOCUMENTED,
        "An error of the Profile API has code and message.",
        on.errors(SEGMENT_PROFILE, where=("error",), fields={"code": on.STRING, "message": on.STRING}),
    ),
    Assumption(
        "profile_codes", INFERRED, "The Profile API's codes are the documented ones.", on.profile_codes, on.OTHER_SPACE
    ),
    Assumption(
        "foreign_space",
        INFERRED,
        "A good Profile API token is refused with 401 for another space.",
        on.status_of(on.OTHER_SPACE, 401, "the workspace has no other space"),
        on.OTHER_SPACE,
    ),
    Assumption(
        "profile_source_id",
        INFERRED,
        "The Profile API names a source by its id in the Public API.",
        on.profile_sources,
        on.OF_TEST_EVENT,
    ),
    Assumption(
        "twilio_media_type",
        DOCUMENTED,
        "Twilio answers in application/json.",
        on.media(TWILIO_FLEX, TWILIO_MONITOR, TWILIO_SYNC),
    ),
    Assumption(
        "twilio_errors",
        DOCUMENTED,
        "An error of Twilio has code, message, more_info and status.",
        on.errors(TWILIO_FLEX, TWILIO_MONITOR, TWILIO_SYNC, TWILIO_CONNECTOR, where=(), fields=on.TWILIO_ERROR),
        on.CONNECTOR,
    ),
    Assumption(
        "flex_fields", DOCUMENTED, "Flex has account_sid and one of the documented statuses.", on.flex_configuration
    ),
    Assumption("ui_version", INFERRED, "Flex tells the version of its UI as a single version.", on.ui_version),
    Assumption("no_flex", DOCUMENTED, "An account without Flex gets 404 with code 45101.", on.no_flex),
    Assumption(
        "alert_fields", DOCUMENTED, "An alert has a string as error_code, and date_generated.", on.alerts, on.OLD_ALERTS
    ),
    Assumption(
        "old_alerts",
        INFERRED,
        "Alerts from more than 30 days ago are left out, and not refused.",
        on.status_of(on.OLD_ALERTS, 200),
        on.OLD_ALERTS,
    ),
    Assumption("connector", CODE, "An undocumented read shows a connector, or 404.", on.connector, on.CONNECTOR),
    Assumption(
        "sync_etag", DOCUMENTED, "A Sync document comes with an ETag.", on.header("etag", TWILIO_SYNC, path=DOCUMENT)
    ),
    Assumption("sync_codes", DOCUMENTED, "A Sync document that is missing has the code 54100 or 54300.", on.sync_codes),
    Assumption(
        "segment_eu",
        NOWHERE,
        "A workspace in the EU can be connected.",
        on.elsewhere(lambda it: it.segment_region == "eu"),
        on.OF_SPACE,
    ),
    Assumption(
        "twilio_regions",
        NOWHERE,
        "An account outside the US region can be connected.",
        on.elsewhere(lambda it: it.twilio_region not in ("", "us1")),
        on.OF_SPACE,
    ),
    Assumption("duplicate_slug", INFERRED, "A slug that is taken is refused with 409.", on.ONLY_A_WRITE),
    Assumption("conflict", CODE, "What breaks a rule is refused with 400 and the type bad-request.", on.ONLY_A_WRITE),
    Assumption("create_with_name", DOCUMENTED, "As alpha, a source can be created with a name.", on.ONLY_A_WRITE),
    Assumption("key_event", DOCUMENTED, "Adding or removing a key is an event Source Modified.", on.ONLY_A_WRITE),
    Assumption("key_removal", NOWHERE, "A removed key is refused within 15 minutes.", on.ONLY_A_WRITE),
    Assumption("wrong_key", CODE, "The Tracking API answers 200 to a wrong key.", on.ONLY_A_WRITE),
    Assumption("wrong_region", CODE, "The Tracking API answers 200 in the wrong region.", on.ONLY_A_WRITE),
    Assumption("schema_name", INFERRED, "The schema of a warehouse keeps its name with the slug.", on.ONLY_A_WRITE),
    Assumption(
        "unseen_sync", INFERRED, "Selective sync can be set before a source has sent anything.", on.ONLY_A_WRITE
    ),
    Assumption(
        "account_by_key",
        INFERRED,
        "A standard key may not read the account.",
        on.never("never read, since the answer may have the account's auth token"),
    ),
    Assumption(
        "audit_kept",
        DOCUMENTED,
        "The audit trail goes back 90 days.",
        on.never("nobody knows what is missing before its first event"),
    ),
)
