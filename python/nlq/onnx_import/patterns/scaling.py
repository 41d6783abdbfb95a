# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Multiplications by constants after a Linear, taken into its weight and bias.

    (x @ w + b) * s = x @ (w * s) + b * s       s one factor, or one per column

Layer scale is one factor per column, of either sign: as an operation of its own it would cost the
integer program a pass over the result and a rounding, in the weights it costs nothing. One factor
for all, which exporters put on queries and keys, may also come after reshapes and transpositions;
without it, what attention multiplies comes straight from linear operations. (Where it stays, as on
scores, quantize takes a positive one as a change of scale.) Products are rounded once, from double
precision.
"""

import dataclasses

import numpy as np

from nlq.onnx_import.graph import NLQ_DOMAIN, Graph, Node

_MOVEMENTS = {"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten"}


def fold_scalings(graph: Graph) -> None:
    """Removes every Mul or Div by a constant whose factors a Linear before it can take.

    Each result on the way from the Linear must have no other user. In the place of the removed node
    comes the one before it.
    """
    for node in list(graph.nodes):
        operand, factors = _scaling(graph, node)
        if operand is None or graph.shape(node.outputs[0]) != graph.shape(operand):
            continue
        linear = _linear_before(graph, operand, through_movements=factors.size == 1)
        if linear is None or factors.size not in (1, graph.shape(linear.outputs[0])[-1]):
            continue
        _scale(graph, linear, factors)
        graph.replace(node, dataclasses.replace(graph.producer(operand), outputs=node.outputs))


def _scaling(graph: Graph, node: Node) -> tuple[str | None, np.ndarray | None]:
    """What the node multiplies, and by which factors (all the same in every row), as doubles."""
    if node.domain or node.op_type not in ("Mul", "Div"):
        return None, None
    # A constant dividend is no factor.
    for index in (1, 0) if node.op_type == "Mul" else (1,):
        array = graph.constants.get(node.input(index))
        if array is None or array.dtype != np.float32:
            continue
        if array.size != 1 and array.size != array.shape[-1]:
            continue
        factors = array.reshape(-1).astype(np.float64)
        if node.op_type == "Div":
            if not factors.all():
                continue
            factors = 1 / factors
        return node.inputs[1 - index], factors
    return None, None


def _linear_before(graph: Graph, name: str, *, through_movements: bool) -> Node | None:
    """The Linear that computes `name`, which nothing but one multiplication uses."""
    while graph.only_user(name) is not None:
        node = graph.producer(name)
        if node is None:
            return None
        if node.op_type == "Linear" and node.domain == NLQ_DOMAIN:
            return node
        if not through_movements or node.domain or node.op_type not in _MOVEMENTS:
            return None
        name = node.inputs[0]
    return None


def _scale(graph: Graph, linear: Node, factors: np.ndarray) -> None:
    """Multiplies the columns of the weight and the elements of the bias."""
    for index in range(1, len(linear.inputs)):
        name = linear.inputs[index]
        scaled = (graph.constants[name] * factors).astype(np.float32)
        linear.inputs[index] = graph.add_constant(f"{name}/scaled", scaled)
