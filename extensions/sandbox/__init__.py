# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated Segment and Twilio, for rehearsals, demos, tests and benchmarks. Start it with ``python -m sandbox``."""

from __future__ import annotations

NAME = "flexops.unified_profiles sandbox"
VERSION = "0.1.0"
