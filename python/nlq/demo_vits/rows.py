# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Rows of the results on the ViT-S, and the table that is printed of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from rich.console import Console
from rich.table import Table

from nlq.demo.steps import Row
from nlq.demo_vits.sqnr import TokenSqnr, mean_sqnr

MODEL = "vit_s_focus"


@dataclass
class TokenRow(Row):
    """A row whose `logit_sqnr_db` is over all tokens of the test crops, the mean of the crop seeds.

    So are `median_db` and `min_db`, over single crops, and `cls_db`, over class tokens;
    `seeds_db` has the figure over all tokens of each seed.
    """

    median_db: float | None = None
    min_db: float | None = None
    cls_db: float | None = None
    seeds_db: list[float] = field(default_factory=list)


def fill_row(row: TokenRow, figures: Sequence[TokenSqnr], seconds: np.ndarray) -> None:
    """Enters the figures of each crop seed and the seconds of each image."""
    mean = mean_sqnr(figures)
    row.logit_sqnr_db = _round(mean.all)
    row.median_db = _round(mean.median)
    row.min_db = _round(mean.minimum)
    row.cls_db = _round(mean.cls)
    row.seeds_db = [round(f.all, 2) for f in figures if math.isfinite(f.all)]
    row.us_per_image = round(float(np.median(seconds)) * 1e6, 1)


def print_rows(console: Console, title: str, rows: Sequence[TokenRow]) -> None:
    """A table of rows."""
    table = Table(title=title, title_justify="left")
    for heading in ("setting", "assignment", "widths"):
        table.add_column(heading)
    for heading in ("tokens dB", "median", "min", "CLS dB", "ms/image"):
        table.add_column(heading, justify="right")
    table.add_column("note")
    for row in rows:
        decibels = (row.logit_sqnr_db, row.median_db, row.min_db, row.cls_db)
        cells = ["-" if value is None else f"{value:.1f}" for value in decibels]
        cells.append("-" if row.us_per_image is None else f"{row.us_per_image / 1000:.1f}")
        table.add_row(row.setting, row.assignment, row.widths, *cells, row.note)
    console.print(table)


def _round(decibel: float) -> float | None:
    return round(decibel, 2) if math.isfinite(decibel) else None
