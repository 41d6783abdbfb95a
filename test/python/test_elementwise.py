# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Sigmoid, Tanh, Exp, and spellings of SiLU."""

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from onnx_models import ModelBuilder

SHAPE = [3, 8]
TENSOR = "tensor<3x8xf32>"

EXACT = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "exp": np.exp,
}


def check(builder, output, function, body_of, shape=None):
    """The model computes the function, and becomes one op and nothing else."""
    x = np.linspace(-4, 4, 24, dtype=np.float32).reshape(SHAPE)
    (result,) = ReferenceEvaluator(builder.model(output, shape=shape)).run(None, {"x": x})
    np.testing.assert_allclose(result, EXACT[function](x.astype(np.float64)), rtol=1e-5, atol=1e-6)
    assert body_of(builder, output) == [f"%0 = nlq.{function} %x : {TENSOR} -> {TENSOR}"]


@pytest.mark.parametrize("op", ["Sigmoid", "Tanh", "Exp"])
def test_named(op, body_of):
    b = ModelBuilder(SHAPE)
    check(b, b.op(op, "x"), op.lower(), body_of)


def one_plus_exp(b):
    return b.op("Add", b.const(1), b.op("Exp", b.op("Neg", "x")))


SIGMOIDS = {
    "div": lambda b: b.op("Div", b.const(1), one_plus_exp(b)),
    "reciprocal": lambda b: b.op("Reciprocal", one_plus_exp(b)),
}

SILUS = {
    "right": lambda b: b.op("Mul", "x", b.op("Sigmoid", "x")),
    "left": lambda b: b.op("Mul", b.op("Sigmoid", "x"), "x"),
    "quotient": lambda b: b.op("Div", "x", one_plus_exp(b)),
    "quotient_then_x": lambda b: b.op("Mul", "x", SIGMOIDS["div"](b)),
    "reciprocal_then_x": lambda b: b.op("Mul", SIGMOIDS["reciprocal"](b), "x"),
}


@pytest.mark.parametrize("spelling", SIGMOIDS)
def test_sigmoid(spelling, body_of):
    b = ModelBuilder(SHAPE)
    check(b, SIGMOIDS[spelling](b), "sigmoid", body_of)


@pytest.mark.parametrize("constant_nodes", [False, True])
@pytest.mark.parametrize("spelling", SILUS)
def test_silu(spelling, constant_nodes, body_of):
    b = ModelBuilder(SHAPE, constant_nodes=constant_nodes)
    check(b, SILUS[spelling](b), "silu", body_of)


def test_swish(body_of):
    b = ModelBuilder(SHAPE, opset=24)
    check(b, b.op("Swish", "x"), "silu", body_of)


def test_scaled_swish_is_unsupported(tmp_path, run):
    b = ModelBuilder(SHAPE, opset=24)
    output = b.op("Swish", "x", name="swish", alpha=2.0)
    code, error = run(b.save(tmp_path / "model.onnx", output))
    assert code == 1
    assert error == (
        "error: 'model.onnx' has 1 unsupported node:\n"
        "  swish: Swish (ai.onnx, opset 24): alpha is 2, not 1\n"
    )


def test_sigmoid_with_another_user_stays(body_of):
    """A gate that is read twice is computed once."""
    b = ModelBuilder(SHAPE)
    gate = b.op("Sigmoid", "x")
    lines = body_of(b, b.op("Add", b.op("Mul", "x", gate), gate))
    assert [line.split(" = ")[1].split()[0] for line in lines] == [
        "nlq.sigmoid",
        "arith.mulf",
        "arith.addf",
    ]


def test_gate_of_another_value_stays(body_of):
    b = ModelBuilder(SHAPE)
    b.input("y", SHAPE)
    lines = body_of(b, b.op("Mul", "y", b.op("Sigmoid", "x")))
    assert [line.split(" = ")[1].split()[0] for line in lines] == ["nlq.sigmoid", "arith.mulf"]


def test_location_is_the_sigmoid_node(text_of):
    b = ModelBuilder(SHAPE)
    output = b.op("Mul", "x", b.op("Sigmoid", "x", name="/mlp/act/Sigmoid"))
    assert 'nlq.silu %x : tensor<3x8xf32> -> tensor<3x8xf32> loc("/mlp/act/Sigmoid")' in text_of(
        b, output
    )
