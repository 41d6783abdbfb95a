# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`make probe-vits`: the digits probe of compiled models."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.table import Table

from nlq.demo_vits.compiled import open_module
from nlq.demo_vits.digits import load_digits
from nlq.demo_vits.float_model import open_backbone
from nlq.demo_vits.probe import (
    ProbeRow,
    class_tokens,
    make_float_row,
    make_row,
    probe,
)
from nlq.files import make_folder, replacing


def run_probe(model: Path, modules: Sequence[Path], output: Path) -> None:
    """Probes assigned modules beside the float model; writes results.json into `output`."""
    start = time.monotonic()
    console = Console(width=max(Console().width, 150))
    # First, so that what is missing is said at once.
    make_folder(output)
    runs = [open_module(path) for path in modules]
    backbone = open_backbone(model)
    digits = load_digits()
    fit = class_tokens(backbone, digits["fit"], _showing(console, "float, to fit"))
    features = [
        class_tokens(run, digits["test"], _showing(console, title))
        for title, run in zip(
            ["float", *(path.stem for path in modules)], [backbone, *runs], strict=True
        )
    ]
    by_float, *others = probe((fit, digits["fit"]), digits["test"], features)
    rows = [make_float_row(by_float)]
    for path, correct in zip(modules, others, strict=True):
        setting, _, assignment = path.stem.partition("-")
        rows.append(make_row(setting, assignment, "", correct, by_float))
    print_rows(console, rows)
    with replacing(output / "results.json") as path:
        path.write_text(json.dumps([row.to_json() for row in rows], indent=1) + "\n")
    console.print(f"{len(rows)} rows in {time.monotonic() - start:.0f} s")


def print_rows(console: Console, rows: Sequence[ProbeRow]) -> None:
    """A table of rows."""
    title = "Digits probe: a classifier fitted on float class tokens"
    table = Table(title=title, title_justify="left")
    for heading in ("setting", "assignment"):
        table.add_column(heading)
    for heading in (
        "correct",
        "accuracy %",
        "points from float",
        "95 % interval",
        "only float",
        "only this",
    ):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            row.setting,
            row.assignment,
            f"{row.correct} of {row.total}",
            f"{100 * row.correct / row.total:.1f}",
            *_paired_cells(row),
        )
    console.print(table)


def _paired_cells(row: ProbeRow) -> tuple[str, ...]:
    if row.difference_points is None:
        return ("-",) * 4
    return (
        f"{row.difference_points:+.2f}",
        f"{row.low_points:+.2f} to {row.high_points:+.2f}",
        str(row.only_float),
        str(row.only_this),
    )


def _showing(console: Console, title: str):
    def show(batches: Iterator[slice], count: int) -> Iterator[slice]:
        return track(batches, title, total=count, console=console, transient=True)

    return show
