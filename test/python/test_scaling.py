# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Constant factors after a matrix product, which its weight and bias take in."""

import numpy as np
import pytest

from onnx_models import ModelBuilder
from test_linear import payload

WEIGHT = np.arange(1, 33, dtype=np.float32).reshape(8, 4)
BIAS = np.arange(1, 5, dtype=np.float32)
FACTORS = np.array([0.5, -3, 1e-5, 0], np.float32)


def rounded(array, factors):
    """The product in double precision, as single."""
    return (array.astype(np.float64) * factors).astype(np.float32)


def linear(b, bias=BIAS):
    product = b.op("MatMul", "x", b.const(WEIGHT), name="/fc/MatMul")
    return product if bias is None else b.op("Add", product, b.const(bias))


@pytest.mark.parametrize("shape", [(4,), (1, 1, 4)])
@pytest.mark.parametrize("left", [False, True])
@pytest.mark.parametrize("bias", [BIAS, None])
def test_layer_scale(bias, left, shape, text_of):
    """One factor per column, zero and negative ones too."""
    b = ModelBuilder([1, 3, 8])
    operands = linear(b, bias), b.const(FACTORS.reshape(shape))
    output = b.op("Mul", *(operands[::-1] if left else operands), name="/ls/Mul")
    text = text_of(b, output)
    assert "arith.mulf" not in text and "/ls/Mul" not in text
    assert payload(rounded(WEIGHT, FACTORS)) in text
    assert payload(WEIGHT) not in text
    if bias is not None:
        assert payload(rounded(BIAS, FACTORS)) in text


def test_division(text_of):
    b = ModelBuilder([1, 3, 8])
    text = text_of(b, b.op("Div", linear(b), b.const([3, 5, 7, -11])))
    factors = 1 / np.array([3, 5, 7, -11], np.float64)
    assert payload(rounded(WEIGHT, factors)) in text and payload(rounded(BIAS, factors)) in text
    assert "arith." not in text.replace("arith.constant", "")


def test_two_factors_in_a_row(text_of):
    b = ModelBuilder([1, 3, 8])
    halved = b.op("Mul", linear(b), b.const(0.5))
    text = text_of(b, b.op("Mul", halved, b.const([2, 4, 8, 16])))
    assert payload(WEIGHT * [1, 2, 4, 8]) in text and "arith.mulf" not in text


def heads(b, value):
    """As exporters split the columns over attention heads."""
    split = b.op("Reshape", value, b.ints(1, 3, 2, 2), name="/Reshape")
    return b.op("Transpose", split, perm=[0, 2, 1, 3], name="/Transpose")


@pytest.mark.parametrize("factor", [0.3, -0.3])
def test_one_factor_behind_the_split_into_heads(factor, text_of):
    b = ModelBuilder([1, 3, 8])
    text = text_of(b, b.op("Mul", heads(b, linear(b)), b.const(factor)))
    assert "arith.mulf" not in text and text.count('loc("/Transpose")') == 2
    assert payload(rounded(WEIGHT, np.float32(factor))) in text
    assert payload(rounded(BIAS, np.float32(factor))) in text


def test_a_weight_that_is_used_twice(text_of):
    b = ModelBuilder([1, 3, 8])
    weight = b.const(WEIGHT)
    scaled = b.op("Mul", b.op("MatMul", "x", weight), b.const(2))
    text = text_of(b, scaled, b.op("MatMul", "x", weight))
    assert payload(WEIGHT) in text and payload(2 * WEIGHT) in text


@pytest.mark.parametrize(
    "scaled",
    [
        pytest.param(lambda b: b.op("Mul", linear(b), b.const(BIAS[:3, None])), id="per row"),
        pytest.param(
            lambda b: b.op("Mul", heads(b, linear(b)), b.const([2, 3])), id="per column of heads"
        ),
        pytest.param(
            lambda b: b.op("Mul", linear(b), b.const(np.ones((2, 1, 1)) * 2)), id="repeated"
        ),
        pytest.param(lambda b: b.op("Div", b.const(2), linear(b)), id="dividend"),
        pytest.param(lambda b: b.op("Div", linear(b), b.const([1, 2, 0, 3])), id="division by 0"),
        pytest.param(lambda b: b.op("Mul", b.op("Softmax", linear(b)), b.const(2)), id="softmax"),
        pytest.param(lambda b: b.op("Mul", "x", b.const(2)), id="argument"),
    ],
)
def test_other_factors_stay(scaled, text_of):
    b = ModelBuilder([1, 3, 8])
    text = text_of(b, scaled(b))
    assert text.count("= arith.mulf ") + text.count("= arith.divf ") == 1


@pytest.mark.parametrize("where", ["linear", "heads"])
def test_a_result_with_other_users_is_not_scaled(where, text_of):
    b = ModelBuilder([1, 3, 8])
    shared = linear(b)
    value = shared if where == "linear" else heads(b, shared)
    text = text_of(b, b.op("Mul", value, b.const(2)), shared)
    assert text.count("= arith.mulf ") == 1 and payload(WEIGHT) in text
