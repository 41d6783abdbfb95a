# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""A page per method, from the registry and what the compiler proves and measures.

    python -m nlq.method_pages docs/methods

What is written by hand about a method is in the folder's notes/NAME.md, if there is any. About
all of them it is in notes/methods.md, whose line `{methods}` the table of methods replaces.
"""

import math
import re
import sys
from pathlib import Path

from nlq.errors import NlqError
from nlq.methods import describe_widths, figures, is_legal
from nlq.native import list_methods, survey_methods

# What all tables are about; results of 16 bits, so that they show the methods' own errors.
BITS, SCALE, ROW, RESULT_BITS = 8, 0.05, 197, 16
# Scales of the plots: 2^-8 to 2^0.
EXPONENTS = tuple(range(-8, 1))
# A plot's extent in dB.
LOWEST, HIGHEST = -20, 100

_COLORS = ("#0b62a4", "#c1440e", "#3a7d34", "#7a3e9d", "#8a6d00", "#4d4d4d")


def make_pages(folder: Path) -> dict[str, str]:
    """The files of a folder whose notes/ are in it, by name: pages and the plots they show."""
    surveys = _Surveys()
    files = {}
    for method in list_methods():
        files |= _make_page(folder, method, surveys)
    index = folder / "notes" / "methods.md"
    if index.exists():
        made = "<!-- Made by `make docs-methods` from the registry and notes/methods.md. -->\n\n"
        files["methods.md"] = made + index.read_text().replace("{methods}\n", _make_index())
    return files


def write_pages(folder: Path) -> None:
    """Writes all files, each whole or not at all."""
    for name, text in make_pages(folder).items():
        beside = folder / f".{name}.new"
        beside.write_text(text)
        beside.replace(folder / name)


def _make_index() -> str:
    """A row per method: its page, what it computes, in which forms, and its source."""
    lines = [("method", "what it is", "reference form", "corrected form", "source")]
    lines.append(("---",) * len(lines[0]))
    for method in list_methods():
        forms = {"reference": [], "corrected": []}
        for each in method["implementations"]:
            forms[each["form"]].append(f"`{each['function']}`")
        arxiv = r"[arXiv \1](https://arxiv.org/abs/\1)"
        lines.append(
            (
                f"[`{method['name']}`]({method['name']}.md)",
                method["summary"],
                *(", ".join(functions) or "-" for functions in forms.values()),
                re.sub(r"arXiv (\d+\.\d+)", arxiv, method["source"]),
            )
        )
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


class _Surveys:
    """Surveys of operations, made once for all methods."""

    def __init__(self):
        self._kept = {}

    def at(self, operation: str, scale: float, limits: bool = False) -> list[dict]:
        """All candidates at a scale."""
        key = operation, scale, limits
        if key not in self._kept:
            self._kept[key] = survey_methods(operation, BITS, scale, ROW, RESULT_BITS, limits)
        return self._kept[key]


def _make_page(folder: Path, method: dict, surveys: _Surveys) -> dict[str, str]:
    """The page of a method and its plots."""
    name = method["name"]
    operations = list(dict.fromkeys(each["function"] for each in method["implementations"]))
    page = [
        f"<!-- Made by `make docs-methods` from the registry and notes/{name}.md. -->\n",
        f"# {method['title']} (`{name}`)\n",
        f"{method['summary'][0].upper()}{method['summary'][1:]}. {method['source']}.\n",
    ]
    for operation, other in method["fallbacks"].items():
        page.append(f"It has no `{operation}`; `{other}` takes its place.\n")
    notes = folder / "notes" / f"{name}.md"
    if notes.exists():
        page.append(f"## Arithmetic\n\n{notes.read_text()}")
    page.append(
        "## Widths, legal range, error and cost\n\n"
        f"`nlq methods --op NAME --bits {BITS} --scale {SCALE} --row {ROW} "
        f"--result-bits {RESULT_BITS}` prints\nthe first columns of each table: symmetric "
        f"{BITS}-bit operands of scale {SCALE}, rows of {ROW},\n{RESULT_BITS}-bit results. Lanes "
        "are in bits and proved for every input; errors are against\nthe exact function on the "
        "command's fixed sample, worst and rms in steps of the result;\ncost is an estimate in "
        "instructions per element on vectors of 64 bytes. The legal\nscales are powers of two from "
        "2^-24 to 2^6 at these bits and rows, the longest row is at\nthis scale, of at most "
        "2^20, or 2^14 of normalizations.\n"
    )
    files = {}
    for operation in operations:
        plot = f"{name}-{operation}.svg"
        page.append(f"### {operation}\n\n{_table(name, surveys.at(operation, SCALE, True))}")
        page.append(f"![SQNR of {operation} against the operand's scale]({plot})\n")
        files[plot] = _plot(name, operation, surveys)
    return {f"{name}.md": "\n".join(page), **files}


def _table(name: str, entries: list[dict]) -> str:
    header = ("form", "set: in -> out bits", "lanes", "row lanes", "worst", "rms", "SQNR, dB")
    header += ("cost", "table bytes", "legal scales", "longest row")
    lines = [header, ("---",) * len(header)]
    reasons = []
    for entry in entries:
        if entry["method"] != name:
            continue
        if is_legal(entry):
            cells = (*figures(entry)[1:], str(entry["table_bytes"]))
        else:
            cells = (entry["form"], describe_widths(entry), *("-",) * 7)
            reasons.append(f"- {entry['reason']}.\n")
        lines.append((*cells, *_limits(entry)))
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return table + "".join(["\nNot legal there:\n\n", *reasons] if reasons else [])


def _limits(entry: dict) -> tuple[str, str]:
    if not entry["finest_scale"]:
        return "none", "-"
    ends = (round(math.log2(entry[key])) for key in ("finest_scale", "coarsest_scale"))
    return " to ".join(f"2^{end}" for end in ends), str(entry["longest_row"] or "-")


def _plot(name: str, operation: str, surveys: _Surveys) -> str:
    """SQNR against the operand's scale: a line per candidate, broken where it is not legal."""
    lines: dict[str, list[tuple[int, float | None]]] = {}
    for exponent in EXPONENTS:
        for entry in surveys.at(operation, 2.0**exponent):
            if entry["method"] != name:
                continue
            sqnr = entry.get("sqnr") if is_legal(entry) else None
            label = f"{entry['form']}, {describe_widths(entry)}"
            lines.setdefault(label, []).append((exponent, sqnr))
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="320" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="640" height="320" fill="white"/>',
    ]
    for level in range(LOWEST, HIGHEST + 1, 20):
        parts.append(f'<path d="M40 {_y(level):.1f}H400" stroke="#ddd"/>')
        parts.append(f'<text x="34" y="{_y(level) + 4:.1f}" text-anchor="end">{level}</text>')
    for exponent in EXPONENTS:
        parts.append(f'<text x="{_x(exponent):.1f}" y="296" text-anchor="middle">{exponent}</text>')
    parts.append('<text x="220" y="314" text-anchor="middle">log2 of the scale</text>')
    parts.append('<text x="6" y="14">SQNR, dB</text>')
    for number, (label, points) in enumerate(lines.items()):
        color = _COLORS[number % len(_COLORS)]
        dashes = ' stroke-dasharray="5 3"' if label.startswith("reference") else ""
        style = f'fill="none" stroke="{color}" stroke-width="1.6"{dashes}'
        parts.append(f'<path d="{_path(points)}" {style}/>')
        y = 30 + 18 * number
        parts.append(f'<path d="M412 {y - 4}h20" {style}/>')
        parts.append(f'<text x="438" y="{y}">{label.replace("->", "to")}</text>')
    return "\n".join([*parts, "</svg>\n"])


def _x(exponent: int) -> float:
    return 40 + 360 * (exponent - EXPONENTS[0]) / (EXPONENTS[-1] - EXPONENTS[0])


def _y(sqnr: float) -> float:
    return 280 - 260 * (min(max(sqnr, LOWEST), HIGHEST) - LOWEST) / (HIGHEST - LOWEST)


def _path(points: list[tuple[int, float | None]]) -> str:
    """An SVG path through the points that have a figure."""
    path, draws = "", False
    for exponent, sqnr in points:
        if sqnr is not None:
            path += f"{'L' if draws else 'M'}{_x(exponent):.1f} {_y(sqnr):.1f}"
        draws = sqnr is not None
    # A point alone is a dot.
    return path + "h1" if path else "M0 0"


def main() -> int:
    """Writes the pages into the folder that is named on the command line."""
    try:
        write_pages(Path(sys.argv[1]))
    except (NlqError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
