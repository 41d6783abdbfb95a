# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Spellings of RMS normalization."""

import itertools

import numpy as np
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

from onnx_models import ModelBuilder

SHAPE = [1, 5, 8]
TENSOR = "tensor<1x5x8xf32>"
GAMMA = np.linspace(0.5, 1.5, 8, dtype=np.float32)
EPSILON = 1e-2


def exact(x, gamma=GAMMA):
    x = x.astype(np.float64)
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + EPSILON) * gamma


def inputs():
    return np.random.default_rng(5).normal(size=SHAPE).astype(np.float32)


def check(builder, output, body_of, gamma=GAMMA):
    """The model computes RMS normalization, and becomes one nlq.rms_norm of its constants."""
    x = inputs()
    (result,) = ReferenceEvaluator(builder.model(output)).run(None, {"x": x})
    np.testing.assert_allclose(result, exact(x, gamma), atol=1e-5)
    check_body(body_of(builder, output))


def check_body(lines):
    assert lines[-1] == (
        f"%0 = nlq.rms_norm %x, %cst0 {{epsilon = 0.01 : f64}} : "
        f"{TENSOR}, tensor<8xf32> -> {TENSOR}"
    )
    assert [line.split(" = ")[1].split()[0] for line in lines[:-1]] == ["arith.constant"]


def mean_of_squares(b, square):
    squared = b.op("Pow", "x", b.const(2)) if square == "pow" else b.op("Mul", "x", "x")
    if b.opset < 18:
        return b.op("ReduceMean", squared, axes=[-1], keepdims=1)
    return b.op("ReduceMean", squared, b.ints(-1), keepdims=1)


DIVISIONS = {
    "div": lambda b, v: b.op("Div", "x", b.op("Sqrt", v)),
    "reciprocal": lambda b, v: b.op("Mul", "x", b.op("Reciprocal", b.op("Sqrt", v))),
    "one_div": lambda b, v: b.op("Mul", "x", b.op("Div", b.const(1), b.op("Sqrt", v))),
    "one_div_left": lambda b, v: b.op("Mul", b.op("Div", b.const(1), b.op("Sqrt", v)), "x"),
    "pow_minus_half": lambda b, v: b.op("Mul", "x", b.op("Pow", v, b.const(-0.5))),
}

GAINS = {
    "right": lambda b, y: b.op("Mul", y, b.const(GAMMA)),
    "left": lambda b, y: b.op("Mul", b.const(GAMMA), y),
    "rank_3": lambda b, y: b.op("Mul", y, b.const(GAMMA[None, None])),
}


@pytest.mark.parametrize("opset", [17, 18])
@pytest.mark.parametrize(
    ("square", "division", "gain"), [*itertools.product(["pow", "mul"], DIVISIONS, GAINS)]
)
def test_written_out(square, division, gain, opset, body_of):
    b = ModelBuilder(SHAPE, opset=opset)
    variance = b.op("Add", mean_of_squares(b, square), b.const(EPSILON))
    check(b, GAINS[gain](b, DIVISIONS[division](b, variance)), body_of)


def test_without_gamma(body_of):
    b = ModelBuilder(SHAPE)
    variance = b.op("Add", mean_of_squares(b, "pow"), b.const(EPSILON))
    check(b, DIVISIONS["div"](b, variance), body_of, gamma=1)


def test_named(body_of):
    b = ModelBuilder(SHAPE, opset=23)
    check(b, b.op("RMSNormalization", "x", b.const(GAMMA), epsilon=EPSILON), body_of)


def test_named_over_several_dimensions(body_of):
    """They are those of gamma."""
    b = ModelBuilder(SHAPE, opset=23)
    gamma = np.linspace(-1, 1, 40, dtype=np.float32).reshape(5, 8)
    lines = body_of(b, b.op("RMSNormalization", "x", b.const(gamma), axis=1, epsilon=EPSILON))
    assert [line.split(" = ")[1].split()[0] for line in lines] == [
        "arith.constant",
        "nlq.rms_norm",
    ]
    assert "tensor<1x5x8xf32>, tensor<5x8xf32> -> tensor<1x5x8xf32>" in lines[1]


@pytest.mark.parametrize("opset", [17, 18])
@pytest.mark.parametrize("domain", ["", "com.microsoft"])
def test_simplified(opset, domain, body_of, tmp_path):
    """ONNX Runtime's operator, to which it is the oracle."""
    b = ModelBuilder(SHAPE, opset=opset, extra_domains=["com.microsoft"])
    output = b.op(
        "SimplifiedLayerNormalization", "x", b.const(GAMMA), domain=domain, axis=-1, epsilon=EPSILON
    )
    if not domain:
        path = b.save(tmp_path / "simplified.onnx", output, shape=SHAPE)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        (result,) = session.run(None, {"x": inputs()})
        np.testing.assert_allclose(result, exact(inputs()), atol=1e-5)
    check_body(body_of(b, output, shape=SHAPE))


def test_division_of_another_value_is_not_taken_for_it(body_of):
    b = ModelBuilder(SHAPE)
    b.input("y", SHAPE)
    variance = b.op("Add", mean_of_squares(b, "mul"), b.const(EPSILON))
    output = b.op("Div", "y", b.op("Sqrt", variance, name="the_root"))
    with pytest.raises(Exception, match="the_root: Sqrt"):
        body_of(b, output)


def test_gamma_must_be_constant(tmp_path, run):
    b = ModelBuilder(SHAPE, opset=23)
    b.input("scale", [8])
    output = b.op("RMSNormalization", "x", "scale", name="norm")
    code, error = run(b.save(tmp_path / "model.onnx", output))
    assert code == 1
    assert error == (
        "error: 'model.onnx' has 1 unsupported node:\n"
        "  norm: RMSNormalization (ai.onnx, opset 23): its scale is not constant\n"
    )


def test_location_is_the_mean(text_of):
    b = ModelBuilder(SHAPE)
    variance = b.op(
        "Add",
        b.op("ReduceMean", b.op("Mul", "x", "x"), axes=[-1], name="/norm/ReduceMean"),
        b.const(EPSILON),
    )
    output = GAINS["right"](b, DIVISIONS["one_div"](b, variance))
    assert 'loc("/norm/ReduceMean")' in text_of(b, output)
