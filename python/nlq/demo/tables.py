# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Tables and sentences that the demonstration prints."""

import math
import re

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nlq.demo.settings import Assignment, Setting
from nlq.demo.steps import Row


def wilson_interval(correct: int, total: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a share (E. B. Wilson, 1927)."""
    z = 1.959964
    share = correct / total
    centre = share + z * z / (2 * total)
    spread = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return (centre - spread) / scale, (centre + spread) / scale


def print_results(console: Console, setting: Setting, rows: list[Row]) -> None:
    """The table of one setting, the float model first."""
    table = Table(title=f"{setting.model}, {setting.name}", title_justify="left")
    table.add_column("assignment")
    table.add_column("widths")
    for heading in ("accuracy %", "95 % interval", "SQNR dB", "us/image", "bit exact"):
        table.add_column(heading, justify="right")
    table.add_column("note")
    for row in rows:
        table.add_row(row.assignment, row.widths, *_figures(row), row.note)
    console.print(table)


def _figures(row: Row) -> tuple[str, ...]:
    if row.correct is None or row.total is None:
        return ("-",) * 5
    low, high = wilson_interval(row.correct, row.total)
    exact = {None: "-", True: "yes", False: "NO"}[row.bit_exact]
    return (
        f"{100 * row.correct / row.total:.1f}",
        f"{100 * low:.1f}-{100 * high:.1f}",
        "-" if row.logit_sqnr_db is None else f"{row.logit_sqnr_db:.1f}",
        f"{row.us_per_image:.0f}",
        f"{exact} ({row.exact_images})" if row.exact_images else exact,
    )


def print_slots(
    console: Console, setting: Setting, scores: dict, chosen: dict[str, dict[str, str]]
) -> None:
    """Every slot: the score of each candidate by the consumer metric (and the paper's), best first.

    The marks before a candidate name the assignments that chose it.
    """
    marks = {title: chr(ord("a") + index) for index, title in enumerate(chosen)}
    legend = ", ".join(f"{mark} = {title}" for title, mark in marks.items())
    table = Table(title=f"{setting.model}, {setting.name}: slots", title_justify="left")
    table.caption = (
        f"chosen by: {legend}; * = published form; figures are dB by consumer metric "
        "(by the paper's)"
    )
    table.caption_justify = "left"
    for heading in ("slot", "op", "candidates, in/out bits"):
        table.add_column(heading)
    for slot in scores["slots"]:
        candidates = sorted(slot["candidates"], key=_score, reverse=True)
        cells = []
        for candidate in candidates:
            label = _short(candidate["method"])
            picked = "".join(
                mark
                for title, mark in marks.items()
                if _short(chosen[title].get(slot["name"], "")) == label
            )
            cells.append(f"{f'[{picked}] ' if picked else ''}{label} {_figure(candidate)}")
        table.add_row(slot["name"], slot["op"].removeprefix("nlq."), escape(", ".join(cells)))
    console.print(table)


def _score(candidate: dict) -> float:
    return candidate["own"] if candidate["consumer"] is None else candidate["consumer"]


def _figure(candidate: dict) -> str:
    paper = "" if candidate["paper"] is None else f" ({candidate['paper']:.1f})"
    return f"{_score(candidate):.1f}{paper}"


def _short(method: str) -> str:
    """A method attribute as its name, its form where that is the published one, and its widths.

    Both spellings occur: `#nlq.ibert<form = reference, in = i8, out_bits = 16>` in remarks and
    `#nlq.ibert<form = reference, in = !quant.uniform<i8<-127:127>:f32, 0.04>>` in scores, which
    leaves defaults out.
    """
    name, _, rest = method.removeprefix("#nlq.").partition("<")
    form = "*" if "form = reference" in rest else ""
    narrowed = re.search(r"in = (?:!quant\.uniform<)?([iu])(\d+)(?:<(-?\d+):(-?\d+)>)?", rest)
    width = "-"
    if narrowed:
        sign, bits, low, high = narrowed.groups()
        if high is not None:
            bits = str((int(high) - int(low)).bit_length())
        width = f"{sign}{bits}"
    out_bits = re.search(r"out_bits = (\d+)", rest)
    return f"{name}{form} {width}/{out_bits[1] if out_bits else 16}"


def summarize(setting: Setting, assignments: list[Assignment], rows: list[Row]) -> list[str]:
    """Whether choosing per operation paid, against the uniform assignments at any widths."""
    ran = [(a, r) for a, r in zip(assignments, rows, strict=True) if r.correct is not None]
    uniform = [r for a, r in ran if a.is_uniform]
    chosen = [r for a, r in ran if a.options is not None and not a.is_uniform]
    if not uniform or not chosen:
        return [f"{setting.key}: nothing to compare."]
    best = max(uniform, key=lambda r: r.logit_sqnr_db)
    top = max(uniform, key=lambda r: r.correct)
    return [
        f"{setting.key}, {row.assignment}: "
        f"{_compare(row.logit_sqnr_db, best.logit_sqnr_db, best, 'dB')}; "
        f"{_compare(row.correct, top.correct, top, 'images')}."
        for row in chosen
    ]


def _compare(mine: float, other: float, uniform: Row, unit: str) -> str:
    """A clause on a row's figure against that of the uniform row that is best by it."""
    name = f"{uniform.assignment} ({uniform.widths})"
    difference = mine - other
    if abs(difference) < (0.05 if unit == "dB" else 1):
        return f"ties with {name}"
    amount = f"{abs(difference):.1f} dB" if unit == "dB" else f"{abs(difference)} of the images"
    return f"beats {name} by {amount}" if difference > 0 else f"LOSES to {name} by {amount}"
