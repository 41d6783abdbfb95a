# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Figures of tokens against a reference, worked out by hand, and the rows they fill."""

import io
import math

import numpy as np
import pytest
from rich.console import Console

from nlq.demo_vits.rows import TokenRow, fill_row, print_rows
from nlq.demo_vits.sqnr import TokenSqnr, mean_sqnr, measure_sqnr


def noisy(*amplitudes, cls=None):
    """A reference of ones, and tokens off by an amplitude per crop (class tokens by `cls`)."""
    reference = np.ones((len(amplitudes), 5, 4), np.float32)
    tokens = reference + np.float32(amplitudes)[:, None, None]
    if cls is not None:
        tokens[:, 0] = 1 + cls
    return reference, tokens


def test_by_hand():
    """Noise of 0.1, 0.01 and 0.001 on ones: 20, 40 and 60 dB."""
    figures = measure_sqnr(*noisy(0.01, -0.1, 0.001))
    assert figures.median == pytest.approx(40, abs=1e-3)
    assert figures.minimum == pytest.approx(20, abs=1e-3)
    total = 10 * math.log10(3 / (0.01 + 0.0001 + 0.000001))
    assert figures.all == pytest.approx(total, abs=1e-3)
    assert figures.cls == pytest.approx(total, abs=1e-3)


def test_class_token_is_the_first():
    figures = measure_sqnr(*noisy(0.1, 0.1, cls=0.001))
    assert figures.cls == pytest.approx(60, abs=1e-2)
    # 16 of 20 values of a crop are off by 0.1.
    assert figures.all == pytest.approx(20 + 10 * math.log10(20 / 16), abs=1e-3)


def test_large_values_do_not_overflow():
    """The squares of float32 tokens are summed in double."""
    reference = np.full((1, 2, 3), 1e25, np.float32)
    assert measure_sqnr(reference, reference * np.float32(1.5)).all == pytest.approx(
        6.0206, abs=1e-3
    )


def test_equal_tokens():
    reference, _ = noisy(0, 0)
    assert measure_sqnr(reference, reference) == TokenSqnr(*[math.inf] * 4)


def test_mean_over_seeds():
    assert mean_sqnr([TokenSqnr(1, 2, 3, 4), TokenSqnr(3, 4, 6, 8)]) == TokenSqnr(2, 3, 4.5, 6)


def test_row():
    row = TokenRow("m", "W8A8", "ours", "u8")
    fill_row(row, [TokenSqnr(20, 21, 10, 5), TokenSqnr(30, 23, 12, 7)], np.array([0.1, 0.3, 0.2]))
    values = row.to_json()
    assert values["logit_sqnr_db"] == 25 and values["seeds_db"] == [20, 30]
    assert (values["median_db"], values["min_db"], values["cls_db"]) == (22, 11, 6)
    assert values["us_per_image"] == 200000
    # The fields of `make demo`'s rows are there too.
    assert {"model", "setting", "assignment", "correct", "bit_exact", "note"} <= set(values)


def test_row_of_the_reference_itself():
    """JSON knows no infinity."""
    row = TokenRow("m", "float32", "float", "float32")
    fill_row(row, [TokenSqnr(*[math.inf] * 4)], np.array([0.1]))
    assert row.logit_sqnr_db is None and row.seeds_db == []


def test_table():
    stream = io.StringIO()
    row = TokenRow("m", "W8A8", "ours", "u8", logit_sqnr_db=28.44, min_db=21.5, us_per_image=58312)
    print_rows(Console(file=stream, width=150), "title", [row])
    cells = [cell.strip() for cell in stream.getvalue().splitlines()[-2].split("│")]
    assert cells[1:-1] == ["W8A8", "ours", "u8", "28.4", "-", "21.5", "-", "58.3", ""]
