# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Spellings of layer normalization."""

import itertools

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from onnx_models import ModelBuilder

SHAPE = [1, 5, 8]
GAMMA = np.linspace(0.5, 1.5, 8, dtype=np.float32)
BETA = np.linspace(-1, 1, 8, dtype=np.float32)
EPSILON = 1e-5


def exact(x, gamma, beta):
    x = x.astype(np.float64)
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON) * gamma + beta


def mean(b, value, axis=-1):
    """ReduceMean with the axes where the opset has them."""
    if b.opset < 18:
        return b.op("ReduceMean", value, axes=[axis], keepdims=1)
    return b.op("ReduceMean", value, b.ints(axis), keepdims=1)


SQUARES = {
    "pow": lambda b, d: b.op("Pow", d, b.const(2)),
    "mul": lambda b, d: b.op("Mul", d, d),
}

DIVISIONS = {
    "div": lambda b, d, v: b.op("Div", d, b.op("Sqrt", v)),
    "reciprocal": lambda b, d, v: b.op("Mul", d, b.op("Reciprocal", b.op("Sqrt", v))),
    "reciprocal_left": lambda b, d, v: b.op("Mul", b.op("Reciprocal", b.op("Sqrt", v)), d),
    "pow_half": lambda b, d, v: b.op("Div", d, b.op("Pow", v, b.const(0.5))),
    "pow_minus_half": lambda b, d, v: b.op("Mul", d, b.op("Pow", v, b.const(-0.5))),
}

AFFINES = {
    "right": lambda b, y: b.op("Add", b.op("Mul", y, b.const(GAMMA)), b.const(BETA)),
    "left": lambda b, y: b.op("Add", b.const(BETA), b.op("Mul", b.const(GAMMA), y)),
    "rank_3": lambda b, y: b.op(
        "Add", b.op("Mul", y, b.const(GAMMA[None, None])), b.const(BETA[None, None])
    ),
}


def normalized(b, square="pow", division="div", epsilon_left=False, axis=-1):
    d = b.op("Sub", "x", mean(b, "x", axis))
    variance = mean(b, SQUARES[square](b, d), axis)
    operands = (variance, b.const(EPSILON))
    return DIVISIONS[division](b, d, b.op("Add", *(operands[::-1] if epsilon_left else operands)))


def check(builder, output, body_of, gamma=GAMMA, beta=BETA):
    """The model computes layer normalization, and becomes one nlq.layer_norm."""
    x = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    (result,) = ReferenceEvaluator(builder.model(output)).run(None, {"x": x})
    np.testing.assert_allclose(result, exact(x, gamma, beta), atol=1e-5)
    lines = body_of(builder, output)
    operations = [line for line in lines if "arith.constant" not in line]
    assert operations == [
        "%0 = nlq.layer_norm %x, %cst0, %cst1 {epsilon = 1.0e-05 : f64} : tensor<1x5x8xf32>, "
        "tensor<8xf32>, tensor<8xf32> -> tensor<1x5x8xf32>"
    ]
    assert len(lines) == 3


@pytest.mark.parametrize("opset", range(13, 21))
@pytest.mark.parametrize("constant_nodes", [False, True])
def test_every_opset(opset, constant_nodes, body_of):
    b = ModelBuilder(SHAPE, opset=opset, constant_nodes=constant_nodes)
    check(b, AFFINES["right"](b, normalized(b)), body_of)


@pytest.mark.parametrize(
    ("square", "division", "affine", "epsilon_left"),
    [*itertools.product(SQUARES, DIVISIONS, AFFINES, [False, True])],
)
def test_every_spelling(square, division, affine, epsilon_left, body_of):
    b = ModelBuilder(SHAPE)
    check(b, AFFINES[affine](b, normalized(b, square, division, epsilon_left)), body_of)


def test_axis_counted_from_the_front(body_of):
    b = ModelBuilder(SHAPE, opset=18)
    check(b, AFFINES["right"](b, normalized(b, axis=2)), body_of)


def test_difference_computed_twice(body_of):
    b = ModelBuilder(SHAPE)
    average = mean(b, "x")
    variance = mean(b, SQUARES["pow"](b, b.op("Sub", "x", average)))
    y = DIVISIONS["div"](b, b.op("Sub", "x", average), b.op("Add", variance, b.const(EPSILON)))
    check(b, AFFINES["right"](b, y), body_of)


@pytest.mark.parametrize("cast", ["Cast", "CastLike", "Identity", "Dropout"])
def test_casts_between(cast, body_of):
    """Casts to the type the value has anyway, as mixed precision exports leave them."""
    b = ModelBuilder(SHAPE)

    def same(value):
        if cast == "Cast":
            return b.op("Cast", value, to=1)
        return b.op(cast, value, "x") if cast == "CastLike" else b.op(cast, value)

    d = same(b.op("Sub", same("x"), mean(b, same("x"))))
    variance = same(mean(b, same(b.op("Pow", d, b.const(2)))))
    y = same(b.op("Div", d, b.op("Sqrt", b.op("Add", variance, b.const(EPSILON)))))
    check(b, AFFINES["right"](b, y), body_of)


def test_without_gamma_and_beta(text_of):
    text = text_of(b := ModelBuilder(SHAPE), normalized(b))
    assert "%cst0 = arith.constant dense<1.0> : tensor<8xf32>" in text
    assert "%cst1 = arith.constant dense<0.0> : tensor<8xf32>" in text
    assert "nlq.layer_norm %x, %cst0, %cst1" in text


def test_gamma_only(text_of):
    b = ModelBuilder(SHAPE)
    text = text_of(b, b.op("Mul", normalized(b), b.const(GAMMA)))
    assert "dense_resource<c" in text and "dense<0.0> : tensor<8xf32>" in text


def test_other_factors_stay(body_of):
    """A factor per row is not gamma."""
    b = ModelBuilder(SHAPE)
    lines = body_of(b, b.op("Mul", normalized(b), b.const(np.arange(1, 6).reshape(5, 1))))
    assert lines[-1].startswith("%1 = arith.mulf %0, ")


@pytest.mark.parametrize("opset", [17, 20])
def test_named(opset, body_of):
    b = ModelBuilder(SHAPE, opset=opset)
    gamma, beta = b.const(GAMMA), b.const(BETA)
    check(b, b.op("LayerNormalization", "x", gamma, beta, epsilon=EPSILON), body_of)


def test_named_defaults(text_of):
    """Axis -1, epsilon 1e-5, no beta."""
    b = ModelBuilder(SHAPE)
    text = text_of(b, b.op("LayerNormalization", "x", b.const(GAMMA)))
    assert "{epsilon = 1.0e-05 : f64}" in text and "dense<0.0> : tensor<8xf32>" in text


def test_named_over_two_dimensions(body_of):
    b = ModelBuilder(SHAPE)
    weights = b.const(np.arange(40).reshape(5, 8)), b.const(np.arange(40, 80).reshape(5, 8))
    lines = body_of(b, b.op("LayerNormalization", "x", *weights, axis=-2))
    assert [line.split(" = ")[1].split()[0] for line in lines[2:]] == ["nlq.layer_norm"]
    assert ": tensor<1x5x8xf32>, tensor<5x8xf32>, tensor<5x8xf32> -> tensor<1x5x8xf32>" in lines[2]


def test_named_with_parameters_that_are_broadcast(body_of):
    b = ModelBuilder(SHAPE)
    y = b.op("LayerNormalization", "x", b.const(GAMMA), b.const(np.ones((5, 1))), axis=1)
    assert "tensor<5x8xf32>, tensor<5x8xf32> ->" in body_of(b, y)[-1]


def test_named_with_parameters_that_do_not_fit(body_of):
    b = ModelBuilder(SHAPE)
    y = b.op("LayerNormalization", "x", b.const(np.ones(5)), axis=1)
    with pytest.raises(Exception, match=r"its scale has shape \[5\], which does not fit \[5, 8\]"):
        body_of(b, y)


def test_another_axis_is_not_taken_for_it(body_of):
    b = ModelBuilder(SHAPE)
    with pytest.raises(Exception, match="ReduceMean"):
        body_of(b, normalized(b, axis=1))


def test_location_is_the_variance(text_of):
    b = ModelBuilder(SHAPE)
    d = b.op("Sub", "x", mean(b, "x"))
    square = SQUARES["pow"](b, d)
    variance = b.op("ReduceMean", square, axes=[-1], keepdims=1, name="/norm1/ReduceMean_1")
    text = text_of(b, DIVISIONS["div"](b, d, b.op("Add", variance, b.const(EPSILON))))
    assert 'tensor<1x5x8xf32> loc("/norm1/ReduceMean_1")' in text
