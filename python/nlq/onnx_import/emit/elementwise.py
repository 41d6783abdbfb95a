# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Addition, subtraction, multiplication and division, with broadcasting."""

import numpy as np

from nlq.onnx_import.emit.registry import Context, converter
from nlq.onnx_import.graph import Node
from nlq.onnx_import.mlir import Value


def _binary(context: Context, node: Node, op: str) -> Value:
    shape = context.result_shape(node)
    lhs, rhs = (context.operand(name, shape) for name in node.inputs)
    return context.builder.binary(op, lhs, rhs)


@converter("Add")
def _add(context: Context, node: Node) -> Value:
    return _binary(context, node, "arith.addf")


@converter("Sub")
def _sub(context: Context, node: Node) -> Value:
    return _binary(context, node, "arith.subf")


@converter("Mul")
def _mul(context: Context, node: Node) -> Value:
    """A constant factor stands on the right."""
    if context.constant(node.inputs[0]) is None:
        return _binary(context, node, "arith.mulf")
    shape = context.result_shape(node)
    rhs, lhs = (context.operand(name, shape) for name in node.inputs)
    return context.builder.binary("arith.mulf", lhs, rhs)


@converter("Div")
def _div(context: Context, node: Node) -> Value:
    """By a constant: a multiplication by the reciprocal."""
    divisor = context.constant(node.inputs[1])
    if divisor is None or divisor.dtype != np.float32 or not divisor.all():
        return _binary(context, node, "arith.divf")
    shape = context.result_shape(node)
    factor = context.broadcast_constant(node.inputs[1], np.float32(1) / divisor, shape)
    return context.builder.binary("arith.mulf", context.operand(node.inputs[0], shape), factor)
