# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Softmax with masks."""

import numpy as np
import pytest

from onnx_models import ModelBuilder

SHAPE = [2, 3, 4, 4]
TYPE = "tensor<2x3x4x4xf32>"
TRI = np.tri(4, dtype=bool)
PADDING = np.array([[[[1, 1, 1, 0]]], [[[1, 0, 0, 0]]]], bool)


def softmaxes(lines):
    return [line.split(" = ", 1)[1] for line in lines if "nlq.softmax" in line]


def added(takes_part, level):
    return np.where(takes_part, 0, level).astype(np.float32)


@pytest.mark.parametrize("level", [-100, -1e4, -1e9, np.finfo(np.float32).min, -np.inf])
@pytest.mark.parametrize("left", [False, True])
def test_constant_that_is_added(level, left, text_of, body_of):
    b = ModelBuilder(SHAPE)
    operands = "x", b.const(added(PADDING, level))
    y = b.op("Softmax", b.op("Add", *(operands[::-1] if left else operands)))
    lines = body_of(b, y)
    assert lines[-1] == (
        f"%0 = nlq.softmax %x mask(%cst0 : tensor<2x1x1x4xf32>) : {TYPE} -> {TYPE}"
    )
    payload = added(PADDING, level).tobytes().hex().upper()
    assert f'"0x04000000{payload}"' in text_of(b, y)


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("level", [-1e9, -np.inf])
def test_constant_that_selects(level, inverted, text_of, body_of):
    b = ModelBuilder(SHAPE)
    condition = b.const(PADDING ^ inverted, bool)
    branches = "x", b.const(level)
    y = b.op("Softmax", b.op("Where", condition, *(branches[::-1] if inverted else branches)))
    assert softmaxes(body_of(b, y)) == [
        f"nlq.softmax %x mask(%cst0 : tensor<2x1x1x4xf32>) : {TYPE} -> {TYPE}"
    ]
    assert added(PADDING, level).tobytes().hex().upper() in text_of(b, y)


@pytest.mark.parametrize("level", [-1e9, -np.inf])
@pytest.mark.parametrize("op", ["Add", "Where"])
@pytest.mark.parametrize("leading", [(), (1, 1), (2, 3)])
def test_causal_constant(leading, op, level, body_of):
    b = ModelBuilder(SHAPE)
    seen = np.broadcast_to(TRI, (*leading, 4, 4))
    if op == "Add":
        scores = b.op("Add", "x", b.const(added(seen, level)))
    else:
        scores = b.op("Where", b.const(seen, bool), "x", b.const(level))
    assert body_of(b, b.op("Softmax", scores)) == [f"%0 = nlq.softmax %x causal : {TYPE} -> {TYPE}"]


def test_causal_with_more_keys_than_queries(body_of):
    b = ModelBuilder([2, 3, 5])
    seen = np.tri(3, 5, 2, dtype=bool)
    y = b.op("Softmax", b.op("Add", "x", b.const(added(seen, -1e9))))
    assert softmaxes(body_of(b, y)) == [
        "nlq.softmax %x causal : tensor<2x3x5xf32> -> tensor<2x3x5xf32>"
    ]
    b = ModelBuilder([2, 3, 5])
    shifted = np.tri(3, 5, 1, dtype=bool)
    y = b.op("Softmax", b.op("Add", "x", b.const(added(shifted, -1e9))))
    assert "mask(" in softmaxes(body_of(b, y))[0]


def test_nothing_is_left_out(body_of):
    b = ModelBuilder(SHAPE)
    y = b.op("Softmax", b.op("Add", "x", b.const(np.zeros((4, 4)))))
    assert body_of(b, y) == [f"%0 = nlq.softmax %x : {TYPE} -> {TYPE}"]


def test_input_that_is_added(body_of):
    """Moved and scaled as exporters do: (1 - m) * -10000."""
    b = ModelBuilder(SHAPE)
    b.input("m", [2, 4])
    mask = b.op("Unsqueeze", "m", b.ints(1, 2))
    mask = b.op("Mul", b.op("Sub", b.const(1), mask), b.const(-10000))
    y = b.op("Softmax", b.op("Add", b.op("Sigmoid", "x"), mask))
    lines = body_of(b, y)
    assert softmaxes(lines)[0].startswith("nlq.softmax %")
    assert "mask(%4 : tensor<2x1x1x4xf32>)" in softmaxes(lines)[0] or "mask(%" in lines[-1]
    assert not any("addf" in line for line in lines)


def test_several_masks(body_of):
    b = ModelBuilder(SHAPE)
    b.input("m", [2, 1, 1, 4])
    scores = b.op("Add", b.op("Sigmoid", "x"), b.const(added(TRI, -np.inf)))
    scores = b.op("Add", scores, b.const(added(PADDING, -np.inf)))
    lines = body_of(b, b.op("Softmax", b.op("Add", scores, "m")))
    (softmax,) = softmaxes(lines)
    assert softmax.endswith(f" : tensor<2x1x1x4xf32>) causal : {TYPE} -> {TYPE}")
    assert [line for line in lines if "addf" in line] == [
        "%1 = arith.addf %m, %cst0 : tensor<2x1x1x4xf32>"
    ]


@pytest.mark.parametrize(
    ("constant", "reason"),
    [
        (np.linspace(-1, 0, 16).reshape(4, 4), "relative positions"),
        (added(TRI, -10), "not far below"),
        (-added(TRI, -1e9), "above"),
        (added(TRI[:, :1], -1e9), "whole rows only"),
        (np.float32(-100), "one number"),
    ],
)
def test_other_sums_stay(constant, reason, body_of):
    b = ModelBuilder(SHAPE)
    lines = body_of(b, b.op("Softmax", b.op("Add", "x", b.const(constant))))
    assert any("arith.addf" in line for line in lines), reason
    assert "mask" not in lines[-1]


def test_scores_that_are_used_elsewhere_stay(body_of):
    b = ModelBuilder(SHAPE)
    scores = b.op("Add", "x", b.const(added(TRI, -1e9)))
    lines = body_of(b, b.op("Softmax", scores), scores)
    assert any("arith.addf" in line for line in lines)


def test_another_axis_stays(body_of):
    b = ModelBuilder(SHAPE)
    scores = b.op("Add", "x", b.const(added(TRI, -1e9)))
    lines = body_of(b, b.op("Softmax", scores, axis=2))
    assert any("arith.addf" in line for line in lines)
