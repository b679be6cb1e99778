# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The world in a file, so that a rehearsal survives a restart. Faults and the journal are not part of it."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import tempfile
import typing as t
from pathlib import Path

from . import model
from .model import ApiProblem, Environment
from .world import World

FORMAT = "flexops.unified_profiles sandbox state"
VERSION = 2
CLASSES: dict[str, type] = {
    name: value for name, value in vars(model).items() if isinstance(value, type) and dataclasses.is_dataclass(value)
}


class StateError(Exception):
    """The file cannot be used; the message says why and what to do."""


def save(world: World, path: Path) -> None:
    """Write the world, as a whole or not at all.

    Raises:
        StateError: The file cannot be written.
    """
    with world.lock:
        document = {
            "format": FORMAT,
            "version": VERSION,
            "clock_offset": world.offset.total_seconds(),
            "switches": world.switches,
            "environments": [_plain(env) for env in world.environments.values()],
        }
    temporary = None
    try:
        # Readable to the owner alone, as mkstemp makes it.
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with open(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise StateError(f"{path} cannot be written ({error.strerror}): name another file with --state.") from None


def load(world: World, path: Path) -> None:
    """Put the saved world in place of this one. Nothing changes when the file is not what it should be.

    Raises:
        StateError: It cannot be read, is no saved state, or is of another version of the sandbox.
    """
    way_out = "Name a file that the sandbox saved, or move this one away to start anew."
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StateError(f"{path} cannot be read ({error.strerror}).") from None
    except (ValueError, RecursionError):
        raise StateError(f"{path} is not JSON. {way_out}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise StateError(f"{path} holds no saved sandbox. {way_out}")
    try:
        if document["version"] != VERSION:
            raise ValueError(f"it has version {document['version']}, this sandbox writes {VERSION}")
        offset = datetime.timedelta(seconds=document["clock_offset"])
        # Somewhere else first: nothing changes here when they are wrong.
        checked = World([])
        checked.switch(dict(document["switches"]))
        environments = [_rebuilt(env) for env in document["environments"]]
        if not environments or not all(isinstance(env, Environment) for env in environments):
            raise ValueError("it has no environments")
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, ApiProblem) as error:
        why = f"'{error.args[0]}' is missing" if isinstance(error, KeyError) else error
        raise StateError(f"{path} does not fit this version of the sandbox: {why}. {way_out}") from None
    with world.lock:
        world.seeds = tuple((env.name, env.region) for env in environments)
        world.reset()
        world.offset, world.switches = offset, checked.switches
        world.environments = {env.name: env for env in environments}


def _plain(value: t.Any) -> t.Any:
    """The value in JSON's types; what JSON does not know becomes an object with one key that begins with ``$``."""
    if dataclasses.is_dataclass(value):
        return {f"${type(value).__name__}": {name: _plain(x) for name, x in vars(value).items()}}
    if isinstance(value, dict):
        if all(isinstance(key, str) and not key.startswith("$") for key in value):
            return {key: _plain(x) for key, x in value.items()}
        return {"$dict": [[_plain(key), _plain(x)] for key, x in value.items()]}
    if isinstance(value, datetime.datetime):
        return {"$time": value.isoformat()}
    if isinstance(value, (set, tuple)):
        return {f"${type(value).__name__}": [_plain(x) for x in value]}
    if isinstance(value, list):
        return [_plain(x) for x in value]
    return value


def _rebuilt(value: t.Any) -> t.Any:
    if isinstance(value, list):
        return [_rebuilt(x) for x in value]
    if not isinstance(value, dict):
        return value
    kind: str = next(iter(value)) if len(value) == 1 else ""
    if not kind.startswith("$"):
        return {key: _rebuilt(x) for key, x in value.items()}
    inner: t.Any = value[kind]
    if kind == "$time":
        return datetime.datetime.fromisoformat(inner)
    if kind == "$dict":
        return {_rebuilt(key): _rebuilt(x) for key, x in inner}
    if kind in ("$set", "$tuple"):
        return (set if kind == "$set" else tuple)(_rebuilt(x) for x in inner)
    return _object(kind[1:], {name: _rebuilt(x) for name, x in inner.items()})


def _object(name: str, values: dict[str, t.Any]) -> t.Any:
    """An object of the model; its attributes must be those that a new one has today."""
    if name not in CLASSES:
        raise ValueError(f"{name} is unknown")
    made: t.Any = object.__new__(CLASSES[name])
    vars(made).update(values)
    # An environment has attributes that follow from its name.
    today = vars(Environment("any", "us")) if isinstance(made, Environment) else dict.fromkeys(_fields(made))
    if wrong := set(today) ^ set(values):
        raise ValueError(f"{name} has other attributes than today: {', '.join(sorted(wrong))}")
    for attribute, usual in today.items():
        if usual is not None and type(values[attribute]) is not type(usual):
            raise ValueError(f"{name}.{attribute} is of another type")
    return made


def _fields(made: t.Any) -> list[str]:
    return [field.name for field in dataclasses.fields(made)]
