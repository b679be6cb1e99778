# Copyright (c) 2026 flexops
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `make bench` found out, as a table, as targets, and as a plot: `tables.py RESULTS.json` does it again."""

from __future__ import annotations

import json
import re
import statistics
import sys
import textwrap
import typing as t
from pathlib import Path

NAMES = {
    "uri": "`uri`",
    "mitogen": "`uri` under Mitogen",
    "ours": "this collection",
    "before": "the collection before",
    "role": "its role alone, under Mitogen",
    "start": "one `debug` for one host",
    "floor": "ten `debug` tasks",
    "raw": "raw HTTP",
}
SAID = {
    "first": "first connect",
    "nothing": "connect, nothing to do",
    "limit": "connect, nothing to do, --limit one of them",
    "drift": "drift, nothing to tell",
    "export": "export",
    "recover": "recover",
    "one": "recover of one of them",
}
COLORS = {"uri": "#c0392b", "mitogen": "#e08e0b", "ours": "#1f6fb2", "floor": "#7f8c8d", "raw": "#27ae60"}
# A row of the targets whose target is empty.
NO_TARGET = r"^\| [^|\n]+ \|  \| .*\n"
FIGURES = ("wall", "report", "cpu", "peak", "requests", "connections", "handshakes")


class Key(t.NamedTuple):
    """What is compared, beside who: figures of different keys are of different runs."""

    contestant: str
    scenario: str = "nothing"
    environments: int = 1
    delay: float = 0.0
    https: bool = False
    layout: str = "inline"
    core: str = "newest"

    @property
    def place(self) -> str:
        """Return where it ran, where that is out of the ordinary."""
        parts = [
            "HTTPS" * self.https,
            f"{self.delay * 1000:.0f} ms" if self.delay else "",
            "secrets in a vault" if self.layout == "example" else "",
            "" if self.core == "newest" else f"ansible-core {self.core}",
        ]
        return ", ".join(part for part in parts if part)


Found = dict[Key, dict[str, float]]


def medians(document: dict) -> Found:
    """The medians of the rounds."""
    rows: dict[Key, list[dict]] = {}
    for run in document["runs"]:
        rows.setdefault(Key(*(run[name] for name in Key._fields)), []).append(run)
    return {
        key: {**{name: statistics.median(run[name] for run in runs) for name in FIGURES}, "rounds": len(runs)}
        for key, runs in rows.items()
    }


def table(found: Found) -> str:
    lines = [
        "| environments | scenario | who | wall, s | CPU, s | peak, MiB | requests | connections | TLS handshakes | rounds |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    ranked = sorted(
        found.items(), key=lambda item: (item[0].place, item[0].environments, [*SAID].index(item[0].scenario))
    )
    for key, row in ranked:
        said = "-" if key.contestant in ("floor", "start") else SAID[key.scenario]
        lines.append(
            f"| {key.environments}{', ' * bool(key.place)}{key.place} | {said} | {NAMES[key.contestant]} | {row['wall']:.1f} | "
            f"{row['cpu']:.1f} | {row['peak']:.0f} | {row['requests']:.0f} | {row['connections']:.0f} | {row['handshakes']:.0f} | "
            f"{row['rounds']} |"
        )
    return "\n".join(lines)


def targets(found: Found) -> str:
    """The targets as ratios of one run; a line is left out when its runs are."""
    lines = ["| target | wanted | wall | CPU |", "|---|---|---|---|"]

    def ratio(text: str, wanted: str, over: Key, under: Key, figures: tuple[str, ...] = ("wall", "cpu")) -> None:
        if over in found and under in found:
            cells = [f"{found[over][name] / found[under][name]:.2f}" for name in figures]
            lines.append(f"| {text} | {wanted} | {cells[0]} | {cells[1] if len(cells) > 1 else ''} |")

    sizes = sorted({key.environments for key in found})
    for n in sizes:
        of_n = f"{n:,} environment{'s' * (n > 1)}"
        ours, floor, raw = (Key(who, environments=n) for who in ("ours", "floor", "raw"))
        at_1000, at_50 = n == 1000, n == 50
        nothing = f"{of_n}, nothing to do:"
        ratio(f"{nothing} ours / ten `debug` tasks", "at most 0.35" * at_1000, ours, floor)
        ratio(f"{nothing} ours / raw", "at most 3" * at_1000, ours, raw)
        for core in ("newest", "2.16"):
            for layout in ("inline", "example"):
                where = Key("ours", environments=n, layout=layout, core=core)
                if where != ours:
                    said = f"{nothing} {where.place}: ours / raw"
                    ratio(said, "at most 5" * at_1000, where, where._replace(contestant="raw"))
        ratio(f"{nothing} `uri` / ours", "at least 40" * at_50, Key("uri", environments=n), ours)
        ratio(f"{nothing} `uri` under Mitogen / ours", "at least 12" * at_50, Key("mitogen", environments=n), ours)
        for scenario in ("first", "recover"):
            mine = ours._replace(scenario=scenario)
            for who in ("uri", "mitogen"):
                ratio(f"{of_n}, {SAID[scenario]}: {NAMES[who]} / ours", "", mine._replace(contestant=who), mine)
        first = ours._replace(scenario="first")
        before = first._replace(contestant="before")
        ratio(f"{of_n}, first connect: the version before / ours", "at least 1.5" * at_50, before, first)
        drift = ours._replace(scenario="drift")
        ratio(f"{of_n}: drift / connect with nothing to do", "at most 1.1" * at_1000, drift, ours)
        export = ours._replace(scenario="export")
        ratio(f"{of_n}: export / connect with nothing to do", "at most 2" * at_1000, export, ours)
        limit = ours._replace(scenario="limit")
        ratio(f"{of_n}: `--limit` one of them / Ansible's start", "", limit, ours._replace(contestant="start"))
        one = ours._replace(scenario="one")
        ratio(f"{of_n}, {SAID['one']}: ours / ten `debug` tasks", "at most 0.4" * at_1000, one, floor)
        if ours in found:
            share = f"{found[ours]['report'] / found[ours]['wall']:.3f}"
            lines.append(f"| {nothing} the report / the run | {'at most 0.01' * at_1000} | {share} | |")
        ratio(f"{nothing} peak memory, ours / ten `debug` tasks", "at most 1.3" * at_1000, ours, floor, ("peak",))
    for https in (False, True):
        for scenario in ("first", "nothing"):
            ours = Key("ours", scenario, 1, 0.1, https)
            start, raw = ours._replace(contestant="start", scenario="nothing"), ours._replace(contestant="raw")
            if {ours, start, raw} <= found.keys():
                value = (found[ours]["wall"] - found[start]["wall"]) / found[raw]["wall"]
                wanted = "at most 1.5" * (https and scenario == "nothing")
                said = f"1 environment, {SAID[scenario]}, {ours.place}: (ours - Ansible's start) / raw"
                lines.append(f"| {said} | {wanted} | {value:.2f} | |")
    return "\n".join(lines)


def where(document: dict) -> str:
    """What a connect with nothing to do uses the processor for, in milliseconds for each environment."""
    seen = document.get("where")
    if not seen:
        return ""
    whole = sum(seen["seconds"].values())
    lines = [
        f"| {seen['environments']} environments, nothing to do | ms of the processor, for each | of all |",
        "|---|---|---|",
    ]
    for name, seconds in sorted(seen["seconds"].items(), key=lambda item: -item[1]):
        lines.append(f"| {name} | {seconds / seen['environments'] * 1000:.1f} | {seconds / whole:.0%} |")
    return "\n".join(lines)


def plot(found: Found) -> str:
    """Wall time per environment over the number of environments, both logarithmic, as SVG."""
    import math

    width, height, left, top, right, bottom = 760, 420, 70, 40, 150, 55
    series: dict[str, list[tuple[int, float]]] = {}
    for key, row in sorted(found.items()):
        if key == Key(key.contestant, environments=key.environments) and key.contestant in COLORS:
            series.setdefault(key.contestant, []).append((key.environments, row["wall"] / key.environments))
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
            f'<text x="{x(n) + 8:.1f}" y="{y(value) + 4:.1f}" fill="{COLORS[who]}">{NAMES[who].replace("`", "")} {value:.2f} s</text>'
        )
    return "\n".join([*out, "</svg>"]) + "\n"


def about(document: dict) -> str:
    machine = document["machine"]
    took = f"It took {document['seconds']} s" if "seconds" in document else "Ended early, so the last parts are missing"
    text = (
        f"Measured on {machine['date']} with Python {machine['python']}, ansible-core {machine['ansible_core']}, "
        f"httpx {machine['httpx']} and Mitogen {machine['mitogen']}. The machine: {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB, {machine['system']}. Load before it began: {machine['load_before']}. {took}."
    )
    return textwrap.fill(text, 120, break_on_hyphens=False)


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
        wanted = re.sub(NO_TARGET, "", parts["targets"], flags=re.MULTILINE)
        fill(page, {"targets": wanted, "where": parts["where"]})
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
