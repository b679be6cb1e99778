# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP face of the world: Segment, Twilio, a hand-over gateway and a control plane, on one port."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from . import access, console, control, gateway, profiles, segment, sync, twilio
from .faults import FaultLayer, Faults
from .limits import Limits
from .model import ApiProblem
from .world import World

SERVICES = (segment, profiles, twilio, sync, gateway)
ERRORS = {"profiles": profiles.error, "tracking": profiles.error, "twilio": twilio.error}


def refused(request: Request, exception: Exception) -> Response:
    """No such path, or not with this method: in the words of the service that the path belongs to."""
    status = exception.status_code if isinstance(exception, HTTPException) else 404
    service = request.url.path.split("/")[1]
    code = {"twilio": {404: "20404", 405: "20004"}, "profiles": {404: "not_found"}}.get(service, {}).get(status)
    message = "There is nothing here" if status == 404 else "Method not allowed"
    problem = ApiProblem(status, code or "not-found", message)
    return JSONResponse(ERRORS.get(service, access.error)(problem), status)


def make_routes(world: World, faults: Faults) -> list[Route]:
    """Every path that the sandbox serves."""
    limits = Limits(world)
    found = [route for service in SERVICES for route in service.routes(world, limits)]
    return [*found, *console.routes(world), *control.routes(world, faults)]


def make_app(world: World, faults: Faults) -> ASGIApp:
    """The application: a world, and what is to go wrong in it."""
    app = Starlette(routes=make_routes(world, faults), exception_handlers={HTTPException: refused})
    # The services answer a path with a slash too many with 404.
    app.router.redirect_slashes = False
    return FaultLayer(app, faults)
