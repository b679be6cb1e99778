# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that messages quote: what looks like a secret is refused, and what people really have is taken."""

from __future__ import annotations

import pytest
from ansible_collections.flexops.unified_profiles.plugins.module_utils._base.errors import OptionError
from ansible_collections.flexops.unified_profiles.plugins.module_utils._module.values import (
    PATHS,
    check_labels,
    errors_in_shown,
    quoted,
)

TOKEN = "sgp_" + "aB3" * 21 + "c"
WRITE_KEY = "Ab1" * 10 + "cD"
COMMIT, DIGEST, TRACE = "0a1b2" * 8, "0a1b2c3d" * 8, "0a1b2c3d" * 4


@pytest.mark.parametrize("secret", [TOKEN, WRITE_KEY, f"x-{TOKEN}", f"/srv/{WRITE_KEY}/x", TRACE])
@pytest.mark.parametrize("option", ["reason", "friendly_name", *PATHS])
def test_what_may_be_a_secret_is_refused_without_it(option, secret):
    (error,) = errors_in_shown({option: secret})
    assert error.full_message.startswith(f"{option}: looks like a secret")
    assert secret not in error.full_message


@pytest.mark.parametrize("folder", [f"/builds/{COMMIT}/state", f"/srv/{DIGEST}", "/srv/sgp_inventories", "~/state"])
@pytest.mark.parametrize("option", PATHS)
def test_a_folder_may_be_called_as_a_commit(option, folder):
    assert [*errors_in_shown({option: folder})] == []


@pytest.mark.parametrize("reason", [COMMIT, DIGEST])
def test_a_reason_may_not_since_tokens_look_the_same(reason):
    assert [*errors_in_shown({"reason": reason})] != []


@pytest.mark.parametrize("option", ["space_id", "source_id", "recorded_source_id", "environment"])
def test_an_id_may_look_like_a_write_key_and_not_like_a_token(option):
    assert [*errors_in_shown({option: WRITE_KEY})] == []
    assert TOKEN not in " ".join(error.full_message for error in errors_in_shown({option: TOKEN}))
    assert [*errors_in_shown({option: TOKEN})] != []


@pytest.mark.parametrize("secret", [TOKEN, WRITE_KEY])
def test_a_label_with_a_secret_is_refused(secret):
    for labels in ({"a": secret}, {secret: "a"}):
        with pytest.raises(OptionError) as refused:
            check_labels("source_labels", labels)
        assert secret not in refused.value.full_message


@pytest.mark.parametrize("value", [COMMIT, DIGEST, TRACE, "prod", "team-of-profiles", "1.10", "x" * 60])
def test_a_label_may_be_an_id_or_a_digest(value):
    check_labels("source_labels", {"a": value, value: "a"})


def test_a_name_is_quoted_and_a_secret_is_not():
    assert (quoted("dev"), quoted(12)) == ("dev", "12")
    for secret in (TOKEN, WRITE_KEY):
        assert secret not in quoted(secret)
