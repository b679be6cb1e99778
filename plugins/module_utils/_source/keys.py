# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The write keys of a source as a managed resource, by fingerprint."""

from __future__ import annotations

from collections.abc import Mapping

from .._base.errors import Refused
from .._base.secret import Secret
from .._module.context import ModuleContext
from .._module.state import SET_BY_SEGMENT, Plan, Resource, State
from .._module.values import check_keys_visible


class ManagedKeys(Resource):
    """The write keys of one source: one more than those that are known, or without one of them."""

    def __init__(self, call: ModuleContext) -> None:
        self.call = call
        self.api = call.public_api()
        self.source_id: str = call["source_id"]
        self.keys: Mapping[str, Secret] = {}

    def fetch(self) -> State:
        self.keys = self.api.source(self.source_id).keys
        check_keys_visible(self.source_id, self.keys)
        return {"key_fingerprints": sorted(self.keys)}

    def desired(self, current: State | None) -> State:
        keys = set(current["key_fingerprints"]) if current else set()
        if self.call["state"] == "absent":
            return {"key_fingerprints": sorted(keys - {self.call["key_fingerprint"]})}
        new = [] if keys - set(self.call["known_fingerprints"]) else [SET_BY_SEGMENT]
        return {"key_fingerprints": [*sorted(keys), *new]}

    def check(self, plan: Plan) -> None:
        if not plan.after["key_fingerprints"]:
            raise Refused(
                f"The key {self.call['key_fingerprint']} is the last one of the source, and is never removed.",
                "Add another one first, and hand it over.",
                problem="last_key",
            )

    def apply(self, plan: Plan) -> State:
        if self.call["state"] == "absent":
            for removed in self.keys.keys() - set(plan.changes["key_fingerprints"]):
                self.api.remove_key(self.source_id, self.keys[removed])
            return plan.after
        return {"key_fingerprints": sorted(self.api.add_key(self.source_id, self.keys).keys)}
