# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Matrix products and their biases."""

import numpy as np
import pytest

from onnx_models import ModelBuilder

WEIGHT = np.arange(32, dtype=np.float32).reshape(8, 4)
BIAS = np.arange(4, dtype=np.float32)


def payload(array):
    """A resource's blob as the module spells it."""
    return '"0x04000000' + np.asarray(array, "<f4").tobytes().hex().upper() + '"'


BIASED = [
    "%0 = tensor.collapse_shape %x [[0, 1], [2]] : tensor<1x3x8xf32> into tensor<3x8xf32>",
    "%1 = tensor.empty() : tensor<3x4xf32>",
    "%2 = linalg.broadcast ins(%cst1 : tensor<4xf32>) outs(%1 : tensor<3x4xf32>) dimensions = [0]",
    "%3 = linalg.matmul ins(%0, %cst0 : tensor<3x8xf32>, tensor<8x4xf32>) "
    "outs(%2 : tensor<3x4xf32>) -> tensor<3x4xf32>",
    "%4 = tensor.expand_shape %3 [[0, 1], [2]] output_shape [1, 3, 4] : "
    "tensor<3x4xf32> into tensor<1x3x4xf32>",
]


@pytest.mark.parametrize("bias_left", [False, True])
@pytest.mark.parametrize("bias", [BIAS, BIAS[None, None]])
@pytest.mark.parametrize("weight", [WEIGHT, WEIGHT[None]])
def test_matmul_with_bias(weight, bias, bias_left, text_of, body_of):
    b = ModelBuilder([1, 3, 8])
    operands = b.op("MatMul", "x", b.const(weight), name="/fc/MatMul"), b.const(bias)
    output = b.op("Add", *(operands[::-1] if bias_left else operands))
    assert body_of(b, output)[2:] == BIASED
    text = text_of(b, output)
    assert payload(WEIGHT) in text and payload(BIAS) in text
    assert text.count('loc("/fc/MatMul")') == len(BIASED)


def test_matmul_without_bias(body_of):
    b = ModelBuilder([3, 8])
    assert body_of(b, b.op("MatMul", "x", b.const(WEIGHT))) == [
        "%cst0 = arith.constant dense_resource<c1> : tensor<8x4xf32>",
        "%cst1 = arith.constant 0.0 : f32",
        "%0 = tensor.empty() : tensor<3x4xf32>",
        "%1 = linalg.fill ins(%cst1 : f32) outs(%0 : tensor<3x4xf32>) -> tensor<3x4xf32>",
        "%2 = linalg.matmul ins(%x, %cst0 : tensor<3x8xf32>, tensor<8x4xf32>) "
        "outs(%1 : tensor<3x4xf32>) -> tensor<3x4xf32>",
    ]


def test_product_used_twice_keeps_its_addition(body_of):
    b = ModelBuilder([3, 8])
    product = b.op("MatMul", "x", b.const(WEIGHT))
    lines = body_of(b, product, b.op("Add", product, b.const(BIAS)))
    assert any("linalg.fill" in line for line in lines)
    assert lines[-1] == "%3 = arith.addf %2, %cst2 : tensor<3x4xf32>"


def test_addition_per_row_is_no_bias(body_of):
    b = ModelBuilder([4, 8])
    product = b.op("MatMul", "x", b.const(WEIGHT))
    lines = body_of(b, b.op("Add", product, b.const(BIAS.reshape(4, 1))))
    assert any("linalg.fill" in line for line in lines)
    assert lines[-1].startswith("%3 = arith.addf %2, ")


@pytest.mark.parametrize("trans_b", [0, 1])
@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 1.0), (0.5, 2.0)])
@pytest.mark.parametrize("bias", [BIAS, BIAS[None], None])
def test_gemm(trans_b, alpha, beta, bias, text_of, body_of):
    b = ModelBuilder([3, 8])
    operands = ["x", b.const(WEIGHT.T if trans_b else WEIGHT)]
    if bias is not None:
        operands.append(b.const(bias))
    output = b.op("Gemm", *operands, transB=trans_b, alpha=alpha, beta=beta)
    lines = body_of(b, output)
    assert lines[-1].startswith("%2 = linalg.matmul ins(%x, %cst0 : tensor<3x8xf32>, ")
    assert ("linalg.fill" in lines[-2]) == (bias is None)
    text = text_of(b, output)
    assert payload(alpha * WEIGHT) in text
    assert bias is None or payload(beta * BIAS) in text


def test_gemm_with_two_activations_is_refused(body_of):
    b = ModelBuilder([3, 8])
    b.input("y", [8, 4])
    with pytest.raises(Exception, match=r"Gemm \(ai.onnx, opset 17\): A must be"):
        body_of(b, b.op("Gemm", "x", "y"))


def test_one_weight_with_two_factors(text_of):
    b = ModelBuilder([3, 8])
    weight = b.const(WEIGHT)
    halves = b.op("Gemm", "x", weight, alpha=0.5)
    doubles = b.op("Gemm", "x", weight, alpha=2.0)
    text = text_of(b, halves, doubles)
    assert payload(0.5 * WEIGHT) in text and payload(2 * WEIGHT) in text


def test_two_activations(body_of):
    b = ModelBuilder([1, 2, 3, 8])
    b.input("y", [1, 2, 8, 5])
    assert body_of(b, b.op("MatMul", "x", "y")) == [
        "%cst0 = arith.constant 0.0 : f32",
        "%0 = tensor.collapse_shape %x [[0, 1], [2], [3]] : "
        "tensor<1x2x3x8xf32> into tensor<2x3x8xf32>",
        "%1 = tensor.collapse_shape %y [[0, 1], [2], [3]] : "
        "tensor<1x2x8x5xf32> into tensor<2x8x5xf32>",
        "%2 = tensor.empty() : tensor<2x3x5xf32>",
        "%3 = linalg.fill ins(%cst0 : f32) outs(%2 : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>",
        "%4 = linalg.batch_matmul ins(%0, %1 : tensor<2x3x8xf32>, tensor<2x8x5xf32>) "
        "outs(%3 : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>",
        "%5 = tensor.expand_shape %4 [[0, 1], [2], [3]] output_shape [1, 2, 3, 5] : "
        "tensor<2x3x5xf32> into tensor<1x2x3x5xf32>",
    ]


def test_patches(body_of):
    """A convolution that cuts an image into patches."""
    b = ModelBuilder([1, 3, 8, 4])
    weight = b.const(np.arange(5 * 3 * 4).reshape(5, 3, 2, 2))
    output = b.op("Conv", "x", weight, b.const(np.arange(5)), kernel_shape=[2, 2], strides=[2, 2])
    operations = [line.split(" = ", 1)[1] for line in body_of(b, output)]
    assert any(line.startswith("linalg.matmul") and "<8x12xf32>" in line for line in operations)
    assert "permutation = [0, 2, 4, 1, 3, 5]" in "".join(operations)
    assert operations[-1].endswith("permutation = [0, 3, 1, 2]")


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"strides": [1, 1]}, "its strides are not the size of its kernel"),
        ({"strides": [2, 2], "pads": [1, 1, 1, 1]}, "it pads its input"),
        ({"strides": [2, 2], "dilations": [2, 2]}, "its kernel is dilated"),
    ],
)
def test_other_convolutions_are_refused(attributes, reason, body_of):
    b = ModelBuilder([1, 3, 8, 8])
    weight = b.const(np.arange(5 * 3 * 4).reshape(5, 3, 2, 2))
    with pytest.raises(Exception, match=f"Conv .*: {reason}"):
        body_of(b, b.op("Conv", "x", weight, **attributes))
