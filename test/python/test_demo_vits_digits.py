# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Digits as inputs, and their class tokens, on pictures made here."""

import numpy as np

from nlq.demo_vits.digits import Digits, make_inputs
from nlq.demo_vits.probe import class_tokens, make_float_row, make_row

BLACK = [-2.117904, -2.035714, -1.804444]
WHITE = [2.248908, 2.428571, 2.64]


def digits(count):
    pixels = np.random.default_rng(0).integers(0, 17, (count, 8, 8)).astype(float)
    return Digits(pixels, np.arange(count))


def test_black_and_white():
    inputs = make_inputs(np.stack([np.zeros((8, 8)), np.full((8, 8), 16.0)]))
    assert inputs.shape == (2, 3, 224, 224) and inputs.dtype == np.float32
    for picture, color in zip(inputs, (BLACK, WHITE), strict=True):
        expected = np.broadcast_to(np.float32(color)[:, None, None], picture.shape)
        np.testing.assert_allclose(picture, expected, atol=1e-5)


def test_pixels_keep_their_place():
    pixels = np.zeros((1, 8, 8))
    pixels[0, 2, 5] = 16
    bright = make_inputs(pixels)[0, 0]
    row, column = np.unravel_index(bright.argmax(), bright.shape)
    assert (row // 28, column // 28) == (2, 5)


def test_class_tokens_in_order():
    """The first token of each, whatever the batches; 19 is no multiple of them."""
    some = digits(19)
    seen = []

    def run(inputs):
        seen.append(len(inputs))
        return np.stack([inputs[:, 0, 14::28, 14::28], inputs[:, 1, 14::28, 14::28] - 9], axis=1)

    tokens = class_tokens(lambda inputs: run(inputs).reshape(len(inputs), 2, 64), some)
    assert sum(seen) == 19 and max(seen) <= 8
    expected = make_inputs(some.pixels)[:, 0, 14::28, 14::28].reshape(19, 64)
    assert np.array_equal(tokens, expected)


def test_rows():
    by_float = np.repeat([True, False], [90, 10])
    correct = by_float.copy()
    correct[[0, 1, 2]] = False
    correct[95] = True
    row = make_row("W8A8", "ours", "u8", correct, by_float)
    assert (row.correct, row.total) == (88, 100)
    assert (row.only_float, row.only_this) == (3, 1)
    assert row.difference_points == -2
    assert row.low_points < -2 < row.high_points
    assert {"model", "setting", "assignment", "low_points"} <= set(row.to_json())
    reference = make_float_row(by_float)
    assert (reference.correct, reference.difference_points) == (90, None)
