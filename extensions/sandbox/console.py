# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The console pages to click through, with the vendor's labels. They act on the same world as everything else.

Labels are those of the vendor's page "Connect your Segment space"; the text around them is the sandbox's own.
"""

from __future__ import annotations

import base64
import hashlib
import typing as t
import urllib.parse
from pathlib import Path

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from . import events, handovers
from .catalog import CATALOG, JAVA
from .endpoints import refuse_control_characters
from .model import ApiProblem, Environment, fingerprint
from .world import World

Form = dict[str, str]
PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "pages"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# Nothing comes from elsewhere, and nothing goes elsewhere.
BASE = (Path(__file__).parent / "pages/base.html").read_text(encoding="utf-8")


def _only(tag: str) -> str:
    """The one script or style that the pages have, as a policy names it."""
    inner = BASE.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
    return f"'sha256-{base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()}'"


POLICY = (
    f"default-src 'none'; img-src data:; style-src {_only('style')}; script-src {_only('script')}; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ENGAGEMENTS, MINUTES = 5, 2


def connect(world: World, env: Environment, form: Form) -> str:
    """**Connect**, in the form of Unified Profiles."""
    fields = {"friendly_name": "Connection friendly name", **SPACE_FIELDS}
    for name, label in fields.items():
        if not form.get(name):
            raise ApiProblem(400, "input-validation", f"{label} is required")
    consent = form.get("allow_write_events") == "true"
    handovers.connect(world, env, {**{name: form[name] for name in fields}, "allow_write_events": consent})
    return "Connected."


def link(world: World, env: Environment, form: Form) -> str:
    """**Connect source**, in Profiles sources."""
    if not form.get("source_id"):
        raise ApiProblem(400, "input-validation", "Select a source")
    handovers.link(world, env, {"space_id": env.space["id"], "source_id": form["source_id"]})
    return f"Source connected: {env.sources[form['source_id']].name}."


def key(world: World, env: Environment, form: Form) -> str:
    """**Save**, in Flex."""
    handovers.store_key(world, env, form.get("write_key", ""))
    return "Saved: Flex source write key."


def add_source(world: World, env: Environment, form: Form) -> str:
    """**Add Source**, in Sources."""
    if not form.get("name"):
        raise ApiProblem(400, "input-validation", "Name is required")
    # The app makes slugs of its own from names.
    slug = "_".join("".join(c if c.isalnum() else " " for c in form["name"].lower()).split())
    source = world.make_source(env, slug, form.get("type", ""), name=form["name"])
    return f"Source added: {source.name}."


def work(world: World, env: Environment, form: Form) -> str:
    """Agents work for a while."""
    world.advance(MINUTES * 60)
    events.engage(world, env, ENGAGEMENTS)
    world.advance(MINUTES * 60)
    return f"Agents wrapped up {ENGAGEMENTS} engagements, and the clock moved on by {2 * MINUTES} minutes."


SPACE_FIELDS = {"space_id": "Segment Unify space ID", "profile_token": "Profile API access token"}
ACTIONS: dict[str, t.Callable[[World, Environment, Form], str]] = {
    "connection": connect,
    "link": link,
    "key": key,
    "sources": add_source,
    "environment": work,
}


def routes(world: World) -> list[Route]:
    """The routes of the pages."""

    def page(name: str, status: int = 200, **values: t.Any) -> Response:
        values = {"said": "", "problem": "", "form": {}, "now": world.now(), **values}
        return HTMLResponse(
            PAGES.get_template(f"{name}.html").render(values), status, {"Content-Security-Policy": POLICY}
        )

    async def index(request: Request) -> Response:
        with world.lock:
            return page("index", environments=list(world.environments.values()))

    async def show(request: Request) -> Response:
        name = request.path_params.get("page", "environment")
        form: Form = {}
        if request.method == "POST":
            raw = (await request.body()).decode("utf-8", "replace")
            form = dict(urllib.parse.parse_qsl(raw, keep_blank_values=True))
        with world.lock:
            env = world.environments.get(request.path_params["environment"])
            if env is None or name not in ACTIONS:
                return page("missing", 404, environments=list(world.environments))
            common: dict[str, t.Any] = {
                "env": env,
                "catalog": CATALOG,
                "java": JAVA,
                "form": form,
                "fingerprint": fingerprint,
            }
            if request.method == "GET":
                return page(name, said=request.query_params.get("said", ""), **common)
            try:
                refuse_control_characters(form)
                said = ACTIONS[name](world, env, form)
            except ApiProblem as problem:
                return page(name, problem.status, problem=problem.message, **common)
        # To a GET, so that a reload does not send the form again.
        return RedirectResponse(f"{request.url.path}?{urllib.parse.urlencode({'said': said})}", 303)

    return [
        Route("/console", lambda request: RedirectResponse("/console/")),
        Route("/console/", index),
        Route("/console/{environment}", show, methods=["GET", "POST"]),
        Route("/console/{environment}/{page}", show, methods=["GET", "POST"]),
    ]
