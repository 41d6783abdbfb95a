# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Matrix products."""

import math

import numpy as np

from nlq.onnx_import.builder import Shape
from nlq.onnx_import.emit.registry import Context, Unsupported, converter
from nlq.onnx_import.graph import NLQ_DOMAIN, Node
from nlq.onnx_import.mlir import Value


@converter("Linear", domain=NLQ_DOMAIN)
def _linear(context: Context, node: Node) -> Value:
    """[..., K] times a constant [K, N], plus a constant [N] if there is a third input."""
    lhs = context.value(node.inputs[0])
    weight = context.value(node.inputs[1])
    bias = context.value(node.inputs[2]) if node.input(2) else None
    rows = (math.prod(lhs.shape[:-1]), lhs.shape[-1])
    product = context.builder.matmul(context.builder.reshape(lhs, rows), weight, bias)
    return context.builder.reshape(product, (*lhs.shape[:-1], weight.shape[1]))


@converter("MatMul")
def _matmul(context: Context, node: Node) -> Value:
    """Two tensors with batch dimensions that broadcast; both collapse to rank 3."""
    left, right = (context.shape(name) for name in node.inputs)
    # A vector on the left is a row, one on the right a column; the reshape at the end drops it.
    left_matrix = left if len(left) > 1 else (1, *left)
    right_matrix = right if len(right) > 1 else (*right, 1)
    batch = np.broadcast_shapes(left_matrix[:-2], right_matrix[:-2])
    lhs = _batched(context, node.inputs[0], left_matrix, batch)
    rhs = _batched(context, node.inputs[1], right_matrix, batch)
    product = context.builder.batch_matmul(lhs, rhs)
    return context.builder.reshape(product, context.result_shape(node))


def _batched(context: Context, name: str, matrix: Shape, batch: Shape) -> Value:
    """A factor as [B, rows, columns]; `matrix` is its shape with a rank of at least 2."""
    shape = (*batch, *matrix[-2:])
    if context.shape(name) == matrix:
        value = context.operand(name, shape)
    else:
        value = context.builder.reshape(context.value(name), matrix)
        value = context.builder.broadcast_to(value, shape)
    return context.builder.reshape(value, (math.prod(batch), *matrix[-2:]))


@converter("Gemm", attributes=("alpha", "beta", "transA", "transB"))
def _gemm(context: Context, node: Node) -> Value:
    # What patterns.linear takes is gone by now.
    raise Unsupported("A must be an untransposed activation, B a constant, C one per column")
