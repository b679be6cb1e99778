# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP face of the world: Segment, Twilio, a hand-over gateway and a control plane, on one port."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.types import ASGIApp

from . import console, control, gateway, profiles, segment, twilio
from .faults import Faults
from .world import World

PARTS = (control, console, segment, profiles, twilio, gateway)


def make_app(world: World) -> ASGIApp:
    return Faults(Starlette(routes=[route for part in PARTS for route in part.routes(world)]), world)
