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
from .front import Front
from .limits import Limits
from .model import ApiProblem
from .world import World

SERVICES = (segment, profiles, twilio, sync, gateway)
ERRORS = {
    "profiles": profiles.error,
    "tracking": profiles.error,
    "twilio": twilio.error,
    "_sandbox": control.error,
}


def refusal(request: Request, problem: ApiProblem) -> Response:
    """A problem in the words of the service that the path belongs to."""
    service = request.scope["path"].split("/")[1:2]
    error = ERRORS.get(service[0] if service else "", access.error)
    return JSONResponse(error(problem), problem.status)


def refused(request: Request, exception: Exception) -> Response:
    """No such path, or not with this method."""
    status = exception.status_code if isinstance(exception, HTTPException) else 404
    service = request.url.path.split("/")[1]
    code = {"twilio": {404: "20404", 405: "20004"}, "profiles": {404: "not_found"}}.get(service, {}).get(status)
    message = "There is nothing here" if status == 404 else "Method not allowed"
    return refusal(request, ApiProblem(status, code or "not-found", message))


def make_routes(world: World, faults: Faults) -> list[Route]:
    """Every path that the sandbox serves."""
    limits = Limits(world)
    found = [route for service in SERVICES for route in service.routes(world, limits)]
    return [*found, *console.routes(world), *control.routes(world, faults)]


def make_app(world: World, faults: Faults, host: str = "127.0.0.1") -> ASGIApp:
    """The application: a world, what is to go wrong in it, and the address that it is served on."""
    app = Starlette(routes=make_routes(world, faults), exception_handlers={HTTPException: refused})
    # The services answer a path with a slash too many with 404.
    app.router.redirect_slashes = False
    return Front(FaultLayer(app, faults), world, host, refusal)
