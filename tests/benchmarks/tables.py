# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make bench` found out, as a table, as targets, and as a plot: `tables.py RESULTS.json` does it again."""

from __future__ import annotations

import itertools
import json
import statistics
import sys
from pathlib import Path

NAMES = {"uri": "uri", "module": "module", "ours": "this collection", "floor": "floor", "raw": "raw HTTP"}
SAID = {"first": "first connect", "nothing": "connect, nothing to do", "recover": "recover"}
COLORS = {"uri": "#c0392b", "module": "#e08e0b", "ours": "#1f6fb2", "floor": "#7f8c8d", "raw": "#27ae60"}
FIGURES = ("wall", "cpu", "peak", "requests", "connections", "handshakes")
Key = tuple[str, str, int, float, bool]


def medians(document: dict) -> dict[Key, dict[str, float]]:
    """By contestant, scenario, environments, delay and HTTPS."""
    rows: dict[Key, list[dict]] = {}
    for run in document["runs"]:
        key = tuple(run[name] for name in ("contestant", "scenario", "environments", "delay", "https"))
        rows.setdefault(key, []).append(run)
    return {
        key: {**{name: statistics.median(run[name] for run in runs) for name in FIGURES}, "rounds": len(runs)}
        for key, runs in rows.items()
    }


def table(found: dict[Key, dict[str, float]]) -> str:
    lines = [
        "| environments | scenario | who | wall, s | CPU, s | peak, MiB | requests | connections | TLS handshakes | rounds |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    ranked = sorted(found.items(), key=lambda i: (i[0][4], i[0][3], i[0][2], list(SAID).index(i[0][1])))
    for (who, scenario, environments, delay, https), row in ranked:
        far = (" HTTPS" if https else "") + (f" {delay * 1000:.0f} ms" if delay else "")
        said = "ten `debug` tasks" if who == "floor" else SAID[scenario]
        lines.append(
            f"| {environments}{far} | {said} | {NAMES[who]} | {row['wall']:.1f} | {row['cpu']:.1f} | {row['peak']:.0f} | "
            f"{row['requests']:.0f} | {row['connections']:.0f} | {row['handshakes']:.0f} | {row['rounds']} |"
        )
    return "\n".join(lines)


def targets(found: dict[Key, dict[str, float]]) -> str:
    """The targets as ratios; a line is left out when its runs are."""
    lines = ["| target | wall | CPU |", "|---|---|---|"]

    def ratio(text: str, over: Key, under: Key, figures: tuple[str, ...] = ("wall", "cpu"), each: bool = False) -> None:
        if over in found and under in found:
            scale = under[2] / over[2] if each else 1.0
            cells = [
                f"{found[over][name] / found[under][name] * scale:.2f}" if name in figures else ""
                for name in ("wall", "cpu")
            ]
            lines.append(f"| {text} | {cells[0]} | {cells[1]} |")

    for n in sorted({key[2] for key in found}):
        for scenario, wanted in (("nothing", 10), ("first", 8), ("recover", 8)):
            said = f"{n} environment{'s' * (n > 1)}, {SAID[scenario]}: `uri` / ours (target at 50: at least {wanted})"
            ratio(said, ("uri", scenario, n, 0.0, False), ("ours", scenario, n, 0.0, False))
    for scenario in ("first", "nothing"):
        said = f"1 environment, {SAID[scenario]}, 100 ms: `uri` / ours (no target)"
        ratio(said, ("uri", scenario, 1, 0.1, False), ("ours", scenario, 1, 0.1, False))
    for n in sorted({key[2] for key in found}):
        said = f"{n} environment{'s' * (n > 1)}, nothing to do: ours / `floor` (target at 50: at most 2.5)"
        ratio(said, ("ours", "nothing", n, 0.0, False), ("floor", "nothing", n, 0.0, False))
    for scenario, said in SAID.items():
        ratio(
            f"{said}, for each environment: at 1,000 / at 50 (at most 1.2)",
            ("ours", scenario, 1000, 0.0, False),
            ("ours", scenario, 50, 0.0, False),
            each=True,
        )
    for https, scenario in itertools.product((False, True), ("first", "nothing")):
        keys = [(who, scenario, 1, 0.1, https) for who in ("ours", "raw")]
        floor = ("floor", "nothing", 1, 0.0, False)
        if all(key in found for key in (*keys, floor)):
            ours, raw = (found[key]["wall"] for key in keys)
            start = found[floor]["wall"]
            lines.append(
                f"| one environment, {SAID[scenario]}, 100 ms{', HTTPS' if https else ''}: (ours - Ansible's start and ten tasks, {start:.1f} s) / raw "
                f"(at most 2) | {(ours - start) / raw:.2f} | |"
            )
    for scenario, said in SAID.items():
        large = [found.get((*key, 1000, 0.0, False)) for key in (("ours", scenario), ("floor", "nothing"))]
        if all(large):
            memory = large[0]["peak"] / large[1]["peak"]
            lines.append(f"| peak memory at 1,000, {said}: ours / `floor` (at most 1.3) | {memory:.2f} | |")
    return "\n".join(lines)


def where(document: dict) -> str:
    """What a task costs, in milliseconds of the processor, and what the workers use it for."""
    seen = document.get("where")
    if not seen:
        return ""
    lines = [f"| {seen['environments']} environments, for each task | this collection | floor |", "|---|---|---|"]
    rows = {
        "tasks in all": [f"{seen[who]['tasks']}" for who in ("ours", "floor")],
        "parent; ms": [f"{seen[who]['parent']:.0f}" for who in ("ours", "floor")],
        **{
            f"of that {name}; ms": [
                f"{seen[who]['parent_split'][name] * seen[who]['parent']:.1f}" for who in ("ours", "floor")
            ]
            for name in seen["ours"].get("parent_split", ())
        },
        "worker, system: pages copied after the fork; ms": [
            f"{seen[who]['worker_system']:.0f}" for who in ("ours", "floor")
        ],
        "worker, user; ms": [f"{seen[who]['worker_user']:.0f}" for who in ("ours", "floor")],
    }
    for name in seen["ours"]["split"]:
        rows[f"of the worker's {name}; ms"] = [
            f"{seen[who]['split'][name] * seen[who]['worker_user']:.1f}" for who in ("ours", "floor")
        ]
    lines += [f"| {name} | {cells[0]} | {cells[1]} |" for name, cells in rows.items()]
    return "\n".join(lines)


def plot(found: dict[Key, dict[str, float]]) -> str:
    """Wall time per environment over the number of environments, both logarithmic, as SVG."""
    import math

    width, height, left, top, right, bottom = 760, 420, 70, 40, 150, 55
    series: dict[str, list[tuple[int, float]]] = {}
    for (who, scenario, n, delay, https), row in sorted(found.items(), key=lambda i: i[0][2]):
        if scenario == "nothing" and not delay and not https:
            series.setdefault(who, []).append((n, row["wall"] / n))
    values = [value for points in series.values() for _n, value in points]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    most = math.log10(max(n for points in series.values() for n, _value in points)) or 1

    def x(n: float) -> float:
        return left + math.log10(n) / most * (width - left - right)

    def y(value: float) -> float:
        return height - bottom - (math.log10(value) - low) / (high - low) * (height - top - bottom)

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{left}" y="22" font-size="15">Connect with nothing to do: seconds per environment</text>',
        f'<text x="{(left + width - right) / 2}" y="{height - 12}" text-anchor="middle">environments</text>',
    ]
    for power in range(low, high + 1):
        out.append(
            f'<line x1="{left}" x2="{width - right}" y1="{y(10**power):.1f}" y2="{y(10**power):.1f}" stroke="#ddd"/>'
        )
        out.append(f'<text x="{left - 8}" y="{y(10**power) + 4:.1f}" text-anchor="end">{10**power:g} s</text>')
    for n in sorted({n for points in series.values() for n, _value in points}):
        out.append(f'<text x="{x(n):.1f}" y="{height - bottom + 18}" text-anchor="middle">{n:,}</text>')
    for who, points in series.items():
        path = " ".join(f"{x(n):.1f},{y(value):.1f}" for n, value in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{COLORS[who]}" stroke-width="2"/>')
        out += [f'<circle cx="{x(n):.1f}" cy="{y(v):.1f}" r="3.5" fill="{COLORS[who]}"/>' for n, v in points]
        n, value = points[-1]
        out.append(
            f'<text x="{x(n) + 8:.1f}" y="{y(value) + 4:.1f}" fill="{COLORS[who]}">{NAMES[who]} {value:.2f} s</text>'
        )
    return "\n".join([*out, "</svg>"]) + "\n"


def about(document: dict) -> str:
    machine = document["machine"]
    took = f"{document['seconds']} s in all" if "seconds" in document else "ended early, so the last parts are missing"
    return (
        f"Measured on {machine['date']}: {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['system']}, Python {machine['python']}, ansible-core {machine['ansible_core']}, httpx {machine['httpx']}; "
        f"load before it began {machine['load_before']}; {took}."
    )


def fill(page: Path, parts: dict[str, str]) -> None:
    """Put each part between its two marks in a page."""
    text = page.read_text()
    for name, part in parts.items():
        before, _begin, rest = text.partition(f"<!-- {name} -->\n")
        _old, end, after = rest.partition(f"<!-- end of {name} -->\n")
        text = f"{before}<!-- {name} -->\n\n{part}\n\n{end}{after}"
    page.write_text(text)


def show(document: dict, out: Path) -> str:
    """Write results.md and plot.svg into a folder, fill the page beside it if there is one, and give the text."""
    found = medians(document)
    parts = {"targets": f"{about(document)}\n\n{targets(found)}", "results": table(found), "where": where(document)}
    text = "# Results\n\n" + "\n\n".join(part for part in parts.values() if part) + "\n"
    (out / "results.md").write_text(text)
    (out / "plot.svg").write_text(plot(found))
    if (page := out.with_suffix(".md")).exists():
        fill(page, {name: parts[name] for name in ("targets", "where")})
    return text


def show_limits(document: dict, out: Path) -> str:
    """Fill in the runs under rate limits, and give the text."""
    counted = {"token": "by address and token", "address": "by address alone"}
    lines = ["| environments | scenario | counted | wall, s | requests | of these 429 |", "|---|---|---|---|---|---|"]
    for run in document["runs"]:
        lines.append(
            f"| {run['environments']} | {SAID[run['scenario']]} | {counted[run['limits']]} | {run['wall']:.0f} | "
            f"{run['requests']} | {run['refused']} |"
        )
    text = "\n".join(lines)
    if (page := out.with_suffix(".md")).exists():
        fill(page, {"limits": text})
    return text


if __name__ == "__main__":
    results = Path(sys.argv[1]).resolve()
    print(show(json.loads(results.read_text()), results.parent))
