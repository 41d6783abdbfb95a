# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Spellings of GELU. Each must be GELU by the formula before the importer may say so."""

import itertools
import math

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from onnx_models import ModelBuilder

SHAPE = [3, 8]


def exact(x, form):
    if form == "erf":
        bent = np.vectorize(math.erf)(x / math.sqrt(2))
    else:
        bent = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    return x / 2 * (1 + bent)


def check(builder, output, form, body_of):
    """The model computes GELU, and becomes one nlq.gelu and nothing else."""
    x = np.linspace(-4, 4, 24, dtype=np.float32).reshape(SHAPE)
    (result,) = ReferenceEvaluator(builder.model(output)).run(None, {"x": x})
    np.testing.assert_allclose(result, exact(x, form), atol=2e-3)
    assert body_of(builder, output) == [f"%0 = nlq.gelu %x {form} : {TENSOR} -> {TENSOR}"]


TENSOR = "tensor<3x8xf32>"

ARGUMENTS = {
    "div": lambda b: b.op("Div", "x", b.const(math.sqrt(2))),
    "mul": lambda b: b.op("Mul", "x", b.const(math.sqrt(0.5))),
    "mul_left": lambda b: b.op("Mul", b.const(math.sqrt(0.5)), "x"),
    "rank_1_constant": lambda b: b.op("Mul", "x", b.const([math.sqrt(0.5)])),
    "16_bit_constant": lambda b: b.op("Div", "x", b.const(np.float16(math.sqrt(2)))),
}

ADDITIONS = {
    "one_right": lambda b, t: b.op("Add", t, b.const(1)),
    "one_left": lambda b, t: b.op("Add", b.const(1), t),
}

PRODUCTS = {
    "x_then_half": lambda b, s: b.op("Mul", b.op("Mul", "x", s), b.const(0.5)),
    "x_right_then_half_left": lambda b, s: b.op("Mul", b.const(0.5), b.op("Mul", s, "x")),
    "half_then_x": lambda b, s: b.op("Mul", "x", b.op("Mul", s, b.const(0.5))),
    "half_x": lambda b, s: b.op("Mul", b.op("Mul", "x", b.const(0.5)), s),
    "half_x_right": lambda b, s: b.op("Mul", s, b.op("Mul", b.const(0.5), "x")),
    "div_2": lambda b, s: b.op("Div", b.op("Mul", "x", s), b.const(2)),
    "x_div_2": lambda b, s: b.op("Mul", b.op("Div", "x", b.const(2)), s),
}


@pytest.mark.parametrize("constant_nodes", [False, True])
@pytest.mark.parametrize(
    ("argument", "addition", "product"), [*itertools.product(ARGUMENTS, ADDITIONS, PRODUCTS)]
)
def test_erf(argument, addition, product, constant_nodes, body_of):
    b = ModelBuilder(SHAPE, constant_nodes=constant_nodes)
    bent = b.op("Erf", ARGUMENTS[argument](b))
    check(b, PRODUCTS[product](b, ADDITIONS[addition](b, bent)), "erf", body_of)


def test_erf_distributed(body_of):
    """x/2 * erf + x/2."""
    b = ModelBuilder(SHAPE)
    half = b.op("Mul", "x", b.const(0.5))
    check(b, b.op("Add", half, b.op("Mul", half, b.op("Erf", ARGUMENTS["div"](b)))), "erf", body_of)


def cube_of_products(b):
    return b.op("Mul", b.op("Mul", "x", "x"), "x")


def cube_of_power(b):
    return b.op("Pow", "x", b.const(3))


@pytest.mark.parametrize("cube", [cube_of_products, cube_of_power])
@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("factor", [math.sqrt(2 / math.pi), 0.79772403])
def test_tanh(cube, product, factor, body_of):
    b = ModelBuilder(SHAPE)
    inner = b.op("Add", "x", b.op("Mul", b.const(0.044715), cube(b)))
    bent = b.op("Tanh", b.op("Mul", inner, b.const(factor)))
    check(b, PRODUCTS[product](b, b.op("Add", bent, b.const(1))), "tanh", body_of)


def test_tanh_factored(body_of):
    """tanh(x * 0.79788 * (1 + 0.044715 * x * x))."""
    b = ModelBuilder(SHAPE)
    square = b.op("Mul", b.op("Mul", b.const(0.044715), "x"), "x")
    scaled = b.op("Mul", "x", b.const(0.7978845608))
    bent = b.op("Tanh", b.op("Mul", scaled, b.op("Add", b.const(1), square)))
    check(b, PRODUCTS["half_x"](b, b.op("Add", bent, b.const(1))), "tanh", body_of)


def test_x_is_itself_a_product(body_of):
    """The product with 2 before it belongs to x, not to GELU."""
    b = ModelBuilder(SHAPE)
    x = b.op("Mul", "x", b.const(2))
    bent = b.op("Erf", b.op("Div", x, b.const(math.sqrt(2))))
    output = b.op("Mul", b.op("Mul", x, b.op("Add", bent, b.const(1))), b.const(0.5))
    assert [line.split(" = ")[1].split()[0] for line in body_of(b, output)] == [
        "arith.constant",
        "arith.mulf",
        "nlq.gelu",
    ]


@pytest.mark.parametrize(("approximate", "form"), [("none", "erf"), ("tanh", "tanh")])
def test_named(approximate, form, body_of):
    b = ModelBuilder(SHAPE, opset=20)
    check(b, b.op("Gelu", "x", approximate=approximate), form, body_of)


def test_named_before_its_opset(body_of):
    b = ModelBuilder(SHAPE, opset=17)
    output = b.op("Gelu", "x", name="/act/Gelu", approximate="tanh")
    assert body_of(b, output, shape=SHAPE) == [f"%0 = nlq.gelu %x tanh : {TENSOR} -> {TENSOR}"]


@pytest.mark.parametrize(("op", "form"), [("Gelu", "erf"), ("FastGelu", "tanh")])
def test_contributed(op, form, body_of):
    b = ModelBuilder(SHAPE, extra_domains=["com.microsoft"])
    output = b.op(op, "x", domain="com.microsoft")
    assert body_of(b, output, shape=SHAPE) == [f"%0 = nlq.gelu %x {form} : {TENSOR} -> {TENSOR}"]


def test_location_is_the_erf_node(text_of):
    b = ModelBuilder(SHAPE)
    bent = b.op("Erf", ARGUMENTS["div"](b), name="/blocks.0/mlp/act/Erf")
    output = PRODUCTS["half_x"](b, b.op("Add", bent, b.const(1)))
    assert f'nlq.gelu %x erf : {TENSOR} -> {TENSOR} loc("/blocks.0/mlp/act/Erf")' in text_of(
        b, output
    )


@pytest.mark.parametrize(
    ("divisor", "one", "half"), [(1.40, 1, 0.5), (math.sqrt(2), 1.01, 0.5), (math.sqrt(2), 1, 0.51)]
)
def test_something_else_is_not_taken_for_it(divisor, one, half, body_of):
    b = ModelBuilder(SHAPE)
    bent = b.op("Erf", b.op("Div", "x", b.const(divisor)), name="the_erf")
    output = b.op("Mul", b.op("Mul", "x", b.op("Add", bent, b.const(one))), b.const(half))
    with pytest.raises(Exception, match="the_erf: Erf"):
        body_of(b, output)


def test_inner_value_used_elsewhere_is_kept(body_of):
    b = ModelBuilder(SHAPE)
    bent = b.op("Erf", ARGUMENTS["div"](b), name="the_erf")
    output = PRODUCTS["half_x"](b, b.op("Add", bent, b.const(1)))
    with pytest.raises(Exception, match="the_erf: Erf"):
        body_of(b, output, bent)
