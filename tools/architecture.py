# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Draws docs/images/architecture.svg from the imports of plugins/module_utils, so that the picture shows what the code is."""

from __future__ import annotations

import ast
import textwrap
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOUSE = ROOT / "plugins/module_utils"
PICTURE = ROOT / "docs/images/architecture.svg"
# Each room, its layer, and what it is for. A test asserts that an import points only to a lower layer.
ROOMS = {
    "_checks": (6, "what can be said of one environment before anything changes"),
    "_source": (5, "the source and its keys as managed resources"),
    "_handover": (5, "the three steps without an API: decide, send, record, judge"),
    "_module": (4, "options, one run, the only state machine, results"),
    "_clients": (3, "one class for each API, no Ansible"),
    "_http": (2, "connections, deadline, retries, answers"),
    "_base": (1, "errors, secrets, text, times, files"),
}
WIDTH, TOP, HEIGHT, GAP = 960, 96, 90, 12
STYLE = """
    .room { fill: #fff; stroke: #5b6b7b; stroke-width: 1.5 }
    .top { fill: #f3f6f9; stroke: #9aa8b5; stroke-width: 1.5 }
    .name { font-weight: 600; fill: #14202b }
    .note { fill: #3c4b59; font-size: 13px }
    .files { fill: #5b6b7b; font-size: 12px }
    .layer { fill: #1d4e89; font-size: 22px; font-weight: 700 }
    .down { stroke: #2d6a4f; stroke-width: 2.5; fill: none; marker-end: url(#g) }
"""


def imported(file: Path) -> list[str]:
    """Return what a file imports, as dotted names; relative ones from module_utils on."""
    here, found = file.relative_to(HOUSE).parts[:-1], []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else ()
            found.append(".".join([*base, *filter(None, [node.module])]) or node.names[0].name)
    return found


def files(room: str) -> list[Path]:
    return sorted(path for path in (HOUSE / room).rglob("*.py") if path.stem != "__init__")


def neighbours(room: str) -> list[str]:
    """Return the other rooms that the files of a room import from, the nearest layer first."""
    names = {name.split(".")[0] for file in files(room) for name in imported(file)}
    return sorted((names & set(ROOMS)) - {room}, key=lambda name: (-ROOMS[name][0], name))


def picture() -> str:
    """Return the whole picture, as SVG."""
    layers = sorted({layer for layer, _note in ROOMS.values()}, reverse=True)
    height = TOP + len(layers) * (HEIGHT + GAP) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, \'Segoe UI\', Helvetica, '
        'Arial, sans-serif" font-size="15" role="img" aria-labelledby="t d">',
        '  <title id="t">The house of the collection</title>',
        '  <desc id="d">Playbooks and roles call modules. Modules use six layers of module_utils, and an import points only to a '
        "lower layer.</desc>",
        f"  <style>{STYLE}  </style>",
        '  <defs><marker id="g" markerWidth="6" markerHeight="6" refX="6" refY="4" viewBox="0 0 8 8" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#2d6a4f"/></marker></defs>',
        f'  <rect width="{WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for number, (name, note) in enumerate(
        (
            ("playbooks and roles", "the order of things"),
            ("modules and action plugins", "documentation and a short body"),
            ("plugin_utils", "in process, settings, pages"),
        )
    ):
        x = 64 + number * 298
        parts += _box("top", x, 16, 280, 58, name, note, [])
    parts.append(f'  <path class="down" d="M28 20V{height - 24}"/>')
    for row, layer in enumerate(layers):
        y = TOP + row * (HEIGHT + GAP)
        rooms = [name for name, (of, _note) in ROOMS.items() if of == layer]
        parts.append(f'  <text class="layer" x="40" y="{y + 52}">{layer}</text>')
        x = 64
        for number, room in enumerate(rooms, 1):
            # The last one of a row takes what is left of it.
            width = WIDTH - 20 - x if number == len(rooms) else 320
            below = ", ".join(neighbours(room)) or "nothing"
            names = ", ".join(path.stem for path in files(room))
            parts += _box(
                "room", x, y, width, HEIGHT, f"{room} → {below}", ROOMS[room][1], textwrap.wrap(names, int(width / 6.4))
            )
            x += width + GAP
    return "\n".join([*parts, "</svg>", ""])


def _box(kind: str, x: int, y: int, width: int, height: int, name: str, note: str, listed: list[str]) -> list[str]:
    lines = [
        f'  <rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="8"/>',
        f'  <text class="name" x="{x + 14}" y="{y + 24}">{escape(name)}</text>',
        f'  <text class="note" x="{x + 14}" y="{y + 44}">{escape(note)}</text>',
    ]
    return lines + [
        f'  <text class="files" x="{x + 14}" y="{y + 63 + 16 * number}">{escape(line)}</text>'
        for number, line in enumerate(listed)
    ]


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
