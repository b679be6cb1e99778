# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""Checks of values that several modules take."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Collection, Iterator, Mapping

from .._base.errors import OptionError, Refused
from .._base.hidden import KEY_SHAPE
from .._base.secret import KINDS, Secret, shape
from .._base.text import INVISIBLE
from .state import SET_BY_SEGMENT

# A fingerprint, or the digest of a card.
DIGEST = re.compile("[0-9a-f]{12}")
FINGERPRINTS = ("key_fingerprint", "key_fingerprints", "known_fingerprints", "recorded_key_fingerprint")
# What people have to see: cards, records and messages show it.
PATHS = ("ca_path", "state_dir", "report_dir", "export_from", "export_dir", "probe_dir")
SHOWN = ("friendly_name", "source_name", "attest_existing", "confirmed_by", "reason", "user_id", *PATHS)
SOURCE_IDS = ("source_id", "recorded_source_id")
# Segment's.
TOKEN = re.compile("^sgp_|sgp_[A-Za-z0-9]{20}")
# Git's id of a commit and other hashes, as folders are called.
HASH = re.compile(r"(?<![A-Za-z0-9])(?:[0-9a-f]{40}|[0-9a-f]{64})(?![A-Za-z0-9])")


def looks_secret(value: str) -> bool:
    """Return whether it may be a token or a write key, so that no message may quote it."""
    return bool(TOKEN.search(value) or KEY_SHAPE.search(value))


def quoted(value: t.Any) -> str:
    """A name that somebody gave, for a message; what looks like a secret by its shape."""
    return shape(value) if looks_secret(str(value)) else str(value)


def errors_in_shown(given: Mapping[str, t.Any], prefix: str = "") -> Iterator[OptionError]:
    """The errors in values that messages quote. Once the values are checked, nobody has to hide them.

    Args:
        given: Options, or settings.
        prefix: What the names of settings begin with.
    """
    for name in FINGERPRINTS:
        values = given.get(prefix + name) or []
        for value in values if isinstance(values, list) else [values]:
            if value != SET_BY_SEGMENT and not DIGEST.fullmatch(str(value)):
                problem = f"must be the fingerprint of a write key, 12 characters from 0 to 9 and a to f, and is {shape(value)}."
                yield OptionError(prefix + name, problem, "Copy it from a card or a report.")
    for name in (*SHOWN, *SOURCE_IDS, "space_id", "environment"):
        value = str(given.get(prefix + name) or "")
        quotable = HASH.sub("", value) if name in PATHS else value
        # An id has the shape of a write key.
        if looks_secret(quotable) if name in SHOWN else TOKEN.search(value):
            yield OptionError(
                prefix + name,
                f"looks like a secret, being {shape(given[prefix + name])}, and is shown to people.",
                "Correct it.",
            )
    for name in SOURCE_IDS:
        source_id = str(given.get(prefix + name) or "")
        if source_id != SET_BY_SEGMENT and re.search("[^A-Za-z0-9_-]", source_id):
            yield OptionError(
                prefix + name,
                "has characters that no id of a source has.",
                "Copy it from the address of its page in Segment.",
            )


def is_space_id(space: str) -> bool:
    """Return whether it can be the id of a space. Other unusual ids are the API's to judge."""
    return bool(re.fullmatch(r"[A-Za-z0-9_-]{1,255}", space or ""))


def check_space_id(space: str) -> None:
    """Raises OptionError for a space id that cannot be one."""
    if not is_space_id(space):
        raise OptionError(
            "space_id",
            "is empty or has characters that no space id has (such as spaces or slashes).",
            "Copy it from Unify > your space > Unify settings > API access.",
        )


def space_in_messages(space: str) -> str | Secret:
    """A space id for requests and what is said of them. Unlike today's ids it shows as a fingerprint: it may be a token by mistake."""
    return space if space.startswith("spa_") else Secret(space)


def check_source_name(name: str) -> None:
    """Raises OptionError for a name that is empty, or that differs from another one by nothing that anybody sees."""
    if not name.strip():
        raise OptionError("source_name", "is empty.", "Twilio expects 'twilio-unified-profiles'.")
    if name != name.strip() or INVISIBLE.search(name):
        raise OptionError(
            "source_name",
            f"'{name}' has white space at an end, or characters that nobody sees: it is another name.",
            "Type it again. Twilio expects 'twilio-unified-profiles'.",
        )


def check_labels(option: str, labels: Mapping[t.Any, t.Any]) -> None:
    """Raises OptionError for labels whose keys or values are no strings, or look like secrets: reports show them.

    A whole number is taken as its digits. How anything else was written is not known: YAML makes 1.1 of 1.10, and true of yes.
    """
    odd = tuple(kind for kind, _name in KINDS if kind is not int)
    for key, value in labels.items():
        for part, what in ((key, "key"), (value, "value")):
            # Ids and digests are labels that people have: only what has the mixture of a write key is refused.
            mixed = [found for found in KEY_SHAPE.findall(str(part)) if re.search("[a-z].*[A-Z]|[A-Z].*[a-z]", found)]
            if TOKEN.search(str(part)) or mixed:
                problem = f"the {what} of a label looks like a secret, being {shape(part)}, and is shown to people."
                raise OptionError(option, problem, "Correct it, or leave the label out.")
            if isinstance(part, odd):
                problem = f"the {what} of the label '{key}' is {shape(part)}, and must be a string."
                raise OptionError(option, problem, "Quote it in the inventory.")


def check_keys_visible(source_id: str, keys: Collection[str]) -> None:
    """Raises Refused when no write key of a source can be seen, which never means that it has none."""
    if not keys:
        raise Refused(
            f"The write keys of the source {source_id} cannot be seen, so nothing is done with them.",
            "segment_token needs the role Source Admin (or Workspace Owner).",
            problem="keys_not_visible",
        )
