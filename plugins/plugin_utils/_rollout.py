# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# PRIVATE to the collection: no API. It may change with any release.

"""The values that the settings of a rollout accept, and when the rollout stops. Pure."""

from __future__ import annotations

import re
import typing as t
from collections.abc import Mapping, Sequence

NOT_TRIED = "Not tried"


def batches_problem(serial: t.Any) -> str:
    """Return what is wrong with ``unified_profiles_serial``, or nothing.

    Ansible itself ends with a traceback for some of it, and does all at once for the rest.
    """
    sizes = list(serial) if isinstance(serial, (list, tuple)) else [serial]
    if sizes and all(map(_is_batch, sizes)):
        return ""
    return (
        "unified_profiles_serial: is no size of a batch. Write a number of environments, a whole percentage such as 10%, or a "
        'list of these, as in -e \'{"unified_profiles_serial": [1, "10%"]}\'. Or leave it out.'
    )


def limit_problem(percentage: t.Any) -> str:
    """Return what is wrong with ``unified_profiles_max_fail_percentage``, or nothing."""
    match = re.fullmatch(r"(\d{1,3}(?:\.\d+)?)%?", str(percentage), re.ASCII)
    if match and not isinstance(percentage, bool) and float(match[1]) <= 100:
        return ""
    return "unified_profiles_max_fail_percentage: is no percentage. Write a number from 0 to 100, or leave it out."


def _is_batch(size: t.Any) -> bool:
    return not isinstance(size, bool) and bool(re.fullmatch(r"[1-9][0-9]{0,6}|[1-9][0-9]?%|100%", str(size)))


def stop(order: Sequence[str], batch: Sequence[str], failures: Mapping[str, str], percentage: t.Any) -> str:
    """Return why the environments of a batch are not tried, or nothing.

    A failed environment is only recorded, so Ansible's own max_fail_percentage would never see it.

    Args:
        order: All environments that are to be acted on, in the order of the batches.
        batch: Those of this batch.
        failures: Why an environment failed, by its name.
        percentage: How many of a hundred may fail.
    """
    before = order[: order.index(batch[0])]
    tried = [name for name in before if not failures.get(name, "").startswith(NOT_TRIED)]
    failed = [name for name in tried if name in failures]
    if not failed or len(failed) * 100 <= float(str(percentage).rstrip("%")) * len(tried):
        return ""
    return (
        f"{NOT_TRIED}, because {len(failed)} of the {len(tried)} environments in the batches before failed ({', '.join(failed)}): more than "
        f"unified_profiles_max_fail_percentage, which is {percentage}. Mend those, then run again."
    )
