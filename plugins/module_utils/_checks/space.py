# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""All checks of a space at once, each with its own verdict."""

from __future__ import annotations

import functools
import re
import typing as t

from .._base.errors import ApiError, Failure, NotFound, OptionError, Refused
from .._base.gather import gather
from .._module.context import ModuleContext
from .._module.values import check_space_id, space_in_messages
from .clock import ServerClock

Check = dict[str, str]
# Of a workspace, in a message.
MOST_SPACES = 10


def validate(call: ModuleContext, rights: bool, fail: bool = True) -> dict[str, t.Any]:
    """Run the checks; requests go out together.

    Args:
        call: The module's run.
        rights: Whether to list the sources as well.
        fail: Whether a failed check is a failure.

    Raises:
        Refused: At least one check failed, and ``fail`` is true.
    """
    problems: list[Failure] = []
    for test in (
        lambda: check_space_id(call["space_id"]),
        lambda: call.required("segment_token"),
        lambda: call.required("profile_token"),
    ):
        try:
            test()
        except OptionError as failure:
            problems.append(failure)
    if problems:
        if fail and len(problems) == 1:
            raise problems[0]
        return _result(fail, [_check("format", "failed", str(p), p) for p in problems], {}, {}, 0.0)

    public, profile, space = call.public_api(), call.profile_api(), space_in_messages(call["space_id"])

    clock = ServerClock(call.transport.clock, [public.service, profile.service])
    reads: dict[str, t.Callable[[], t.Any]] = {
        "workspace": public.workspace,
        "space": lambda: public.space(space),
        "pair": lambda: profile.check_token_matches_space(space),
    }
    if rights:
        reads["rights"] = public.sources
    found = gather(reads, call.workers)

    checks = [_check("format", "passed", "Space id and tokens look usable.")]
    if not re.fullmatch(r"sgp_[A-Za-z0-9]{64}", call["segment_token"]):
        call.warnings.append("segment_token does not look like a Public API token (sgp_ and 64 characters).")
    checks.append(_space_check(found["space"], space, functools.partial(_others, call) if fail else str))
    checks.append(pair_check(found["pair"]))
    checks.append(_region_check(call, found))
    checks.append(_rights_check(found.get("rights")))
    if isinstance(found["workspace"], Failure) and not isinstance(found["space"], Failure):
        # Without it nobody could tell whether two environments share a workspace.
        checks.append(_check("workspace", "failed", found["workspace"].message, found["workspace"]))
    if not call["sandbox_url"]:  # whose clock is moved on purpose
        if wrong := clock.failure():
            checks.append(_check("clock", "failed", wrong.message, wrong))
        call.warnings.extend(clock.warnings())
    workspace: dict[str, str] = {} if isinstance(found["workspace"], Failure) else found["workspace"]
    space_view: dict[str, str] = {} if isinstance(found["space"], Failure) else found["space"]
    return _result(fail, checks, workspace, space_view, clock.skew)


def _check(name: str, verdict: str, reason: str, failure: Failure | None = None) -> Check:
    return {
        "check": name,
        "verdict": verdict,
        "reason": reason,
        **({"next_step": failure.next_step} if failure else {}),
    }


def _space_check(found: t.Any, space: object, others: t.Callable[[], str]) -> Check:
    if not isinstance(found, Failure):
        return _check("space", "passed", f"The space is '{found['name']}'.")
    if isinstance(found, NotFound) or (isinstance(found, ApiError) and found.status == 404):
        found.next_step = "Check space_id, and that segment_token belongs to that space's workspace."
        reason = f"space_id: no space '{space}' is known to this token: it does not exist, or is in another workspace."
        return _check("space", "failed", reason + others(), found)
    return _check("space", "failed", found.message, found)


def _others(call: ModuleContext) -> str:
    """The spaces that there are in place of the one that was named, as far as the token may see them."""
    try:
        spaces = call.aside().public_api().spaces()
    except Failure:
        return ""
    told = [f"{space['id']} ({space['name']})" for space in spaces[:MOST_SPACES]]
    more = [f"and {len(spaces) - MOST_SPACES} more"] * (len(spaces) > MOST_SPACES)
    return f" The workspace has {', '.join([*told, *more])}." if told else " The workspace has no space."


def pair_check(found: t.Any) -> Check:
    """Return whether space id and Profile API token belong together, from what asking for both gave: nothing, or a failure."""
    if not isinstance(found, Failure):
        return _check("pair", "passed", "The space id and the Profile API token belong together.")
    if isinstance(found, ApiError) and found.status < 500:
        found.next_step = "Check profile_token and space_id; generate a new token if it was lost or revoked."
    return _check("pair", "failed", found.message, found)


def _region_check(call: ModuleContext, found: dict[str, t.Any]) -> Check:
    """When the token is refused, ask the other region: only there would it be good."""
    refused = isinstance(found["workspace"], ApiError) and found["workspace"].status in (401, 403)
    if not refused:
        known = not isinstance(found["workspace"], Failure)
        return _check("region", "passed" if known else "unknown", f"segment_region is '{call['segment_region']}'.")
    url, other = call["segment_api_url"], "eu" if call["segment_region"] == "us" else "us"
    if url and "{region}" not in url:
        return _check(
            "region", "unknown", "segment_api_url is set without {region}, so the other region was not asked."
        )
    try:
        call.public_api(other).workspace()
    except Failure:
        return _check("region", "unknown", "The token is refused in both regions.")
    return _check(
        "region",
        "failed",
        f"segment_region: the token is refused in '{call['segment_region']}' and accepted in '{other}'.",
        Failure("", f"Set segment_region to '{other}'."),
    )


def _rights_check(found: t.Any) -> Check:
    if found is None:
        return _check("rights", "unknown", "Not asked for.")
    if isinstance(found, Failure):
        return _check("rights", "failed", found.message, found)
    if not found:
        return _check("rights", "unknown", "Whether the token has Source Admin shows only once a source exists.")
    if any(source.keys for source in found):
        return _check("rights", "passed", "The token can see write keys.")
    no_keys = Failure("", "Make a token with the role Source Admin (or Workspace Owner).")
    return _check("rights", "failed", "segment_token cannot see the write keys of any source.", no_keys)


def _result(
    fail: bool, checks: list[Check], workspace: dict[str, str], space: dict[str, str], skew: float
) -> dict[str, t.Any]:
    if fail:
        refuse(checks)
    return {"checks": checks, "workspace": workspace, "space": space, "clock_skew": skew}


def refuse(checks: list[Check]) -> None:
    """Raises Refused where one of the checks failed."""
    # A wrong region explains what the others met.
    failed = sorted((it for it in checks if it["verdict"] == "failed"), key=lambda it: it["check"] != "region")
    if failed:
        told = " ".join(f"[{c['check']}] {c['reason']} {c.get('next_step', '')}".strip() for c in failed)
        raise Refused(f"{len(failed)} of the checks failed. {told}", checks=checks, problem=failed[0]["check"])
