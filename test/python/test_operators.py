# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The other operators, one by one."""

import numpy as np
import pytest

from onnx_models import ModelBuilder


def operations(lines):
    return [line.split(" = ", 1)[1] for line in lines]


@pytest.mark.parametrize(("op", "arith"), [("Add", "addf"), ("Sub", "subf"), ("Div", "divf")])
def test_two_activations(op, arith, body_of):
    b = ModelBuilder([2, 3])
    b.input("y", [2, 3])
    assert body_of(b, b.op(op, "x", "y")) == [f"%0 = arith.{arith} %x, %y : tensor<2x3xf32>"]


def test_activations_are_broadcast(body_of):
    b = ModelBuilder([2, 1, 3])
    b.input("y", [4, 3])
    assert body_of(b, b.op("Mul", "x", "y")) == [
        "%0 = tensor.collapse_shape %x [[0, 1], [2]] : tensor<2x1x3xf32> into tensor<2x3xf32>",
        "%1 = tensor.empty() : tensor<2x4x3xf32>",
        "%2 = linalg.broadcast ins(%0 : tensor<2x3xf32>) outs(%1 : tensor<2x4x3xf32>) "
        "dimensions = [1]",
        "%3 = tensor.empty() : tensor<2x4x3xf32>",
        "%4 = linalg.broadcast ins(%y : tensor<4x3xf32>) outs(%3 : tensor<2x4x3xf32>) "
        "dimensions = [0]",
        "%5 = arith.mulf %2, %4 : tensor<2x4x3xf32>",
    ]


@pytest.mark.parametrize("constant_nodes", [False, True])
@pytest.mark.parametrize("left", [False, True])
def test_scale_is_a_splat_on_the_right(left, constant_nodes, body_of):
    b = ModelBuilder([2, 3], constant_nodes=constant_nodes)
    operands = "x", b.const([0.25])
    assert body_of(b, b.op("Mul", *(operands[::-1] if left else operands))) == [
        "%cst0 = arith.constant dense<0.25> : tensor<2x3xf32>",
        "%0 = arith.mulf %x, %cst0 : tensor<2x3xf32>",
    ]


def test_division_by_a_constant_is_a_product(body_of):
    b = ModelBuilder([2, 3])
    assert body_of(b, b.op("Div", "x", b.const(8))) == [
        "%cst0 = arith.constant dense<0.125> : tensor<2x3xf32>",
        "%0 = arith.mulf %x, %cst0 : tensor<2x3xf32>",
    ]


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (np.float32(0.1), "0.10000000149011612"),
        (1e-6, "9.999999974752427e-07"),
        (1e30, "1.0000000150474662e+30"),
        (-3.0, "-3.0"),
        (-np.inf, "0xFF800000"),
        (np.nan, "0x7FC00000"),
    ],
)
def test_splat_literals(value, literal, body_of):
    b = ModelBuilder([2])
    lines = body_of(b, b.op("Add", "x", b.const(value)))
    assert lines[0] == f"%cst0 = arith.constant dense<{literal}> : tensor<2xf32>"


def test_constant_of_full_shape_stays(text_of):
    b = ModelBuilder([1, 2, 3])
    array = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    text = text_of(b, b.op("Add", "x", b.const(array)))
    assert "%cst0 = arith.constant dense_resource<c1> : tensor<1x2x3xf32> loc(" in text
    assert f'c1: "0x04000000{array.tobytes().hex().upper()}"' in text


def test_small_constant_is_broadcast_at_import(body_of):
    b = ModelBuilder([2, 3])
    lines = body_of(b, b.op("Add", "x", b.const([1, 2, 3])))
    assert lines[-1] == "%0 = arith.addf %x, %cst0 : tensor<2x3xf32>"


def test_large_constant_is_broadcast_by_the_module(body_of):
    b = ModelBuilder([1000, 30])
    lines = body_of(b, b.op("Add", "x", b.const(np.arange(30))))
    assert lines[0] == "%cst0 = arith.constant dense_resource<c1> : tensor<30xf32>"
    assert "linalg.broadcast ins(%cst0 : tensor<30xf32>)" in lines[2]


def test_equal_constants_are_made_once(body_of):
    b = ModelBuilder([2, 3])
    y = b.op("Add", "x", b.const([[1, 2, 3], [4, 5, 6]]))
    lines = body_of(b, b.op("Mul", y, b.const([[1, 2, 3], [4, 5, 6]])))
    assert [line for line in lines if "arith.constant" in line] == lines[:1]


def test_softmax_on_the_last_axis(body_of):
    b = ModelBuilder([2, 3])
    line = "%0 = nlq.softmax %x : tensor<2x3xf32> -> tensor<2x3xf32>"
    assert body_of(b, b.op("Softmax", "x")) == [line]
    b = ModelBuilder([2, 3])
    assert body_of(b, b.op("Softmax", "x", axis=1)) == [line]


def test_softmax_on_another_axis(body_of):
    b = ModelBuilder([2, 3, 4])
    assert operations(body_of(b, b.op("Softmax", "x", axis=1))) == [
        "nlq.softmax %x {axis = 1 : i64} : tensor<2x3x4xf32> -> tensor<2x3x4xf32>"
    ]
    b = ModelBuilder([2, 3, 4])
    assert operations(body_of(b, b.op("Softmax", "x", axis=-3))) == [
        "nlq.softmax %x {axis = 0 : i64} : tensor<2x3x4xf32> -> tensor<2x3x4xf32>"
    ]


def test_transpose(body_of):
    b = ModelBuilder([2, 3, 4])
    lines = body_of(b, b.op("Transpose", "x", perm=[1, 2, 0]))
    assert lines == [
        "%0 = tensor.empty() : tensor<3x4x2xf32>",
        "%1 = linalg.transpose ins(%x : tensor<2x3x4xf32>) outs(%0 : tensor<3x4x2xf32>) "
        "permutation = [1, 2, 0]",
    ]


def test_transpose_reverses_by_default(body_of):
    b = ModelBuilder([2, 3, 4])
    assert body_of(b, b.op("Transpose", "x"))[1].endswith("permutation = [2, 1, 0]")


RESHAPES = {
    "reshape": lambda b: b.op("Reshape", "x", b.ints(0, -1)),
    "flatten": lambda b: b.op("Flatten", "x", axis=1),
    "squeeze": lambda b: b.op("Squeeze", b.op("Reshape", "x", b.ints(2, 12, 1)), b.ints(2)),
}


@pytest.mark.parametrize("form", RESHAPES)
def test_reshapes(form, body_of):
    b = ModelBuilder([2, 3, 4])
    lines = operations(body_of(b, RESHAPES[form](b)))
    assert lines[0].startswith("tensor.collapse_shape %x [[0], [1, 2]]")
    assert lines[-1].endswith("into tensor<2x12xf32>")


def test_reshape_that_collapses_and_expands(body_of):
    b = ModelBuilder([2, 3, 4])
    assert body_of(b, b.op("Reshape", "x", b.ints(3, 2, 4))) == [
        "%0 = tensor.collapse_shape %x [[0, 1], [2]] : tensor<2x3x4xf32> into tensor<6x4xf32>",
        "%1 = tensor.expand_shape %0 [[0, 1], [2]] output_shape [3, 2, 4] : "
        "tensor<6x4xf32> into tensor<3x2x4xf32>",
    ]


def test_unsqueeze(body_of):
    b = ModelBuilder([2, 3])
    assert body_of(b, b.op("Unsqueeze", "x", b.ints(0))) == [
        "%0 = tensor.expand_shape %x [[0, 1], [2]] output_shape [1, 2, 3] : "
        "tensor<2x3xf32> into tensor<1x2x3xf32>"
    ]


@pytest.mark.parametrize("index", [1, -2])
def test_gather_one_index_drops_the_dimension(index, body_of):
    b = ModelBuilder([2, 3, 4])
    assert body_of(b, b.op("Gather", "x", b.const(index, np.int64), axis=1)) == [
        "%0 = tensor.extract_slice %x[0, 1, 0] [2, 1, 4] [1, 1, 1] : "
        "tensor<2x3x4xf32> to tensor<2x4xf32>"
    ]


def test_gather_at_equal_distances(body_of):
    b = ModelBuilder([2, 6])
    assert body_of(b, b.op("Gather", "x", b.ints(1, 3, 5), axis=1)) == [
        "%0 = tensor.extract_slice %x[0, 1] [2, 3] [1, 2] : tensor<2x6xf32> to tensor<2x3xf32>"
    ]


def test_gather_out_of_order_is_refused(body_of):
    b = ModelBuilder([2, 6])
    with pytest.raises(Exception, match="Gather .*: its indices are not at equal"):
        body_of(b, b.op("Gather", "x", b.ints(1, 0), axis=1))


def test_slice(body_of):
    b = ModelBuilder([4, 9])
    limit = np.iinfo(np.int64).max
    output = b.op("Slice", "x", b.ints(-3, 1), b.ints(limit, -1), b.ints(0, 1), b.ints(1, 3))
    assert body_of(b, output) == [
        "%0 = tensor.extract_slice %x[1, 1] [3, 3] [1, 3] : tensor<4x9xf32> to tensor<3x3xf32>"
    ]


def test_slice_backwards_is_refused(body_of):
    b = ModelBuilder([4])
    with pytest.raises(Exception, match="Slice .*: its steps"):
        body_of(b, b.op("Slice", "x", b.ints(-1), b.ints(-9), b.ints(0), b.ints(-1)))


def split_by_sizes(b):
    return b.op("Split", "x", b.ints(2, 4), axis=-1, outputs=2)


def split_by_count(b):
    return b.op("Split", "x", axis=1, outputs=2)


def split_by_attribute(b):
    b.opset = 18
    return b.op("Split", "x", axis=1, outputs=2, num_outputs=2)


@pytest.mark.parametrize(
    ("split", "first"), [(split_by_sizes, 2), (split_by_count, 3), (split_by_attribute, 3)]
)
def test_split(split, first, body_of):
    b = ModelBuilder([2, 6])
    assert body_of(b, *split(b)) == [
        f"%0 = tensor.extract_slice %x[0, 0] [2, {first}] [1, 1] : "
        f"tensor<2x6xf32> to tensor<2x{first}xf32>",
        f"%1 = tensor.extract_slice %x[0, {first}] [2, {6 - first}] [1, 1] : "
        f"tensor<2x6xf32> to tensor<2x{6 - first}xf32>",
    ]


def test_concat(body_of):
    b = ModelBuilder([1, 2, 3])
    output = b.op("Concat", b.const(np.ones((1, 1, 3))), "x", axis=-2)
    assert body_of(b, output) == [
        "%cst0 = arith.constant dense<1.0> : tensor<1x1x3xf32>",
        "%0 = tensor.concat dim(1) %cst0, %x : "
        "(tensor<1x1x3xf32>, tensor<1x2x3xf32>) -> tensor<1x3x3xf32>",
    ]


def test_expand(body_of):
    b = ModelBuilder([1, 3])
    lines = body_of(b, b.op("Expand", "x", b.ints(2, 1)))
    assert lines[0] == (
        "%0 = tensor.collapse_shape %x [[0, 1]] : tensor<1x3xf32> into tensor<3xf32>"
    )
    assert lines[2].endswith("outs(%1 : tensor<2x3xf32>) dimensions = [0]")


def test_returned_identity(text_of):
    b = ModelBuilder([2])
    assert "return %x : tensor<2xf32>" in text_of(b, b.op("Identity", "x"))
