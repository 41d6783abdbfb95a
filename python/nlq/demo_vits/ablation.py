# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What each option of nlq-quantize is worth on the ViT-S: one changed at a time."""

import json
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

from rich.console import Console
from rich.table import Table

from nlq.demo import make_progress
from nlq.demo.settings import CANDIDATES, RECIPE
from nlq.demo_vits import steps
from nlq.demo_vits.crops import SELECT, TESTS
from nlq.demo_vits.sqnr import TokenSqnr, mean_sqnr
from nlq.errors import NlqError
from nlq.files import replacing

# What is changed, and the options of nlq-quantize that say so; the rest is default.
CHANGES = {
    "defaults": "",
    "one scale per tensor, no zero points, extremes, no correction": RECIPE,
    "no zero points": "asymmetric=false",
    "no factors after layer normalization": "norm-exponent=0",
    "no factors after GELU": "gelu-exponent=0",
    "no factors after attention": "attention-exponent=0",
    "no factors of values": "value-exponent=0",
    "queries and keys not balanced": "query-key-exponent=0",
    "weight scales by extremes": "weight-scales=extremes",
    "weights rounded to nearest": "weight-rounding=nearest",
    "no bias correction": "bias-correction=false",
    "99.99 % of activations covered": "ranges=percentile",
    "activations of least squared error": "ranges=least-squares",
    "softmax and GELU from 16 bits": "operand-bits=16",
    "softmax and GELU from 8 bits": "operand-bits=8",
    "probabilities of 8 bits": "probability-bits=8",
    "residual of 8 bits": "residual-bits=8",
}


@dataclass
class Change:
    """A row: figures on the crops that choices are made by, and on the test crops, in dB."""

    change: str
    options: str
    select: TokenSqnr
    test: TokenSqnr


def run_ablation(folder: Path) -> list[Change]:
    """Measures CHANGES with exact functions, on what `run_demo` has left in `folder`.

    Prints a table and writes ablation.json. Raises NlqError where the demonstration has not run.
    """
    if not steps.float_path(folder).exists():
        raise NlqError(f"'{folder}' holds no float model; `make demo-vits` makes it")
    console = Console()
    with (
        ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool,
        make_progress(console) as progress,
    ):
        task = progress.add_task("ablation", total=len(CHANGES))
        futures = [pool.submit(measure_change, folder, *change) for change in CHANGES.items()]
        for future in futures:
            future.add_done_callback(lambda _: progress.advance(task))
        rows = [future.result() for future in futures]
    _print(console, rows)
    with replacing(folder / "ablation.json") as path:
        path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    return rows


def measure_change(folder: Path, change: str, options: str) -> Change:
    """Quantizes at 8 bits with exact functions and runs the crops."""
    run = steps.make_exact_runner(folder, f"candidates={CANDIDATES} {options}")
    figures = [steps.measure_file(folder, run, file) for file in (SELECT, *TESTS)]
    return Change(change, options, figures[0], mean_sqnr(figures[1:]))


def _print(console: Console, rows: list[Change]) -> None:
    table = Table(title="W8A8, exact functions, tokens dB", title_justify="left")
    table.add_column("change")
    for heading in ("select", "median", "min", "test", "median", "min"):
        table.add_column(heading, justify="right")
    for row in rows:
        cells = [
            f"{value:.1f}"
            for figures in (row.select, row.test)
            for value in (figures.all, figures.median, figures.minimum)
        ]
        table.add_row(row.change, *cells)
    console.print(table)
