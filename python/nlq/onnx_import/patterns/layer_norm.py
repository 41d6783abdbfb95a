# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Layer and RMS normalization over the last dimension, written out.

    d = x - mean x,  v = mean d^2,  y = d / sqrt(v + epsilon) [* gamma] [+ beta]
    v = mean x^2,  y = x / sqrt(v + epsilon) [* gamma]

Spellings: the axes of ReduceMean as attribute (before opset 18) or as input; the square as Pow or
as Mul; d computed once or twice; the division as Div, as Mul by a Reciprocal, by 1 / sqrt, or by a
power of -1/2; either order of operands wherever that is possible.
"""

import dataclasses

import numpy as np

from nlq.onnx_import.graph import NLQ_DOMAIN, Graph, Node


def recognize_layer_norm(graph: Graph) -> None:
    """Replaces every written out normalization in `graph` by a node of the domain nlq.

    It is a LayerNorm, or an RmsNorm where the mean is not subtracted. The new node has the name of
    the ReduceMean that computes the variance.
    """
    for anchor in [node for node in graph.nodes if node.op_type in ("Sqrt", "Pow")]:
        _recognize_at(graph, anchor)


def _recognize_at(graph: Graph, anchor: Node) -> None:
    """Tries the node that takes the root of the variance."""
    exponent = 0.5 if anchor.op_type == "Sqrt" else graph.scalar(anchor.input(1))
    if anchor.domain or exponent not in (0.5, -0.5):
        return
    with_epsilon = _operator(graph, anchor.input(0), "Add")
    epsilon, variance = _split_scalar(graph, with_epsilon)
    square = _mean_operand(graph, variance)
    squared = _square_operand(graph, square)
    x = _centred(graph, squared)
    is_rms = x is None
    if is_rms:
        x = squared
    shape = graph.shape(x) if x else None
    if epsilon is None or not shape:
        return
    root, dividend = _normalized(graph, anchor, exponent)
    if root is None or (dividend if is_rms else _centred(graph, dividend)) != x:
        return
    channels = shape[-1]
    root, gamma = _affine(graph, root, "Mul", channels)
    name = graph.producer(variance).name
    gamma = gamma or graph.add_constant(f"{name}/gamma", np.ones(channels, np.float32))
    inputs = [x, gamma]
    if not is_rms:
        root, beta = _affine(graph, root, "Add", channels)
        beta = beta or graph.add_constant(f"{name}/beta", np.zeros(channels, np.float32))
        inputs.append(beta)
    node = dataclasses.replace(
        root,
        name=name,
        op_type="RmsNorm" if is_rms else "LayerNorm",
        domain=NLQ_DOMAIN,
        inputs=inputs,
        attributes={"epsilon": epsilon},
    )
    graph.replace(root, node)


def _operator(graph: Graph, name: str | None, op_type: str) -> Node | None:
    """The node that computes `name`, if it is of the operator."""
    node = graph.producer(name) if name else None
    return node if node is not None and node.op_type == op_type and not node.domain else None


def _split_scalar(graph: Graph, node: Node | None) -> tuple[float | None, str | None]:
    """The scalar constant and the other operand of a commutative node."""
    for index in (0, 1) if node is not None else ():
        scalar = graph.scalar(node.inputs[index])
        if scalar is not None:
            return scalar, node.inputs[1 - index]
    return None, None


def _mean_operand(graph: Graph, name: str | None) -> str | None:
    """x, if `name` is the mean of x over its last dimension, which is kept with size 1."""
    node = _operator(graph, name, "ReduceMean")
    shape = graph.shape(node.input(0)) if node is not None else None
    if not shape or not node.attributes.get("keepdims", 1):
        return None
    axes = node.attributes.get("axes")
    if axes is None and node.input(1):
        constant = graph.constants.get(node.input(1))
        axes = None if constant is None else constant.reshape(-1).tolist()
    if axes is None or len(axes) != 1 or axes[0] not in (-1, len(shape) - 1):
        return None
    return node.input(0)


def _square_operand(graph: Graph, name: str | None) -> str | None:
    """d, if `name` is d squared."""
    power = _operator(graph, name, "Pow")
    if power is not None and graph.scalar(power.input(1)) == 2.0:
        return power.input(0)
    product = _operator(graph, name, "Mul")
    if product is not None and product.input(0) == product.input(1):
        return product.input(0)
    return None


def _centred(graph: Graph, name: str | None) -> str | None:
    """x, if `name` is x less its mean."""
    node = _operator(graph, name, "Sub")
    if node is not None and _mean_operand(graph, node.input(1)) == node.input(0):
        return node.input(0)
    return None


def _normalized(graph: Graph, anchor: Node, exponent: float) -> tuple[Node | None, str | None]:
    """The node that divides by the result of `anchor`, and what it divides; None if there is none.

    `exponent` is that of `anchor`.
    """
    node = graph.only_user(anchor.outputs[0])
    divisor = anchor.outputs[0]
    if node is not None and exponent > 0 and _is_reciprocal(graph, node, divisor):
        divisor = node.outputs[0]
        node = graph.only_user(divisor)
        exponent = -exponent
    if node is None or node.domain:
        return None, None
    if node.op_type == "Div" and exponent > 0 and node.input(1) == divisor:
        return node, node.input(0)
    if node.op_type == "Mul" and exponent < 0:
        return node, node.inputs[0] if node.inputs[1] == divisor else node.inputs[1]
    return None, None


def _is_reciprocal(graph: Graph, node: Node, name: str) -> bool:
    """Whether the node's result is 1 / `name`."""
    if node.domain:
        return False
    if node.op_type == "Reciprocal":
        return True
    return node.op_type == "Div" and node.input(1) == name and graph.scalar(node.input(0)) == 1.0


def _affine(graph: Graph, root: Node, op_type: str, channels: int) -> tuple[Node, str | None]:
    """Takes the next node in if it applies one constant per channel.

    Returns the new last node and the name of the constant [channels], or `root` and None.
    """
    node = graph.only_user(root.outputs[0])
    if node is None or node.op_type != op_type or node.domain:
        return root, None
    other = node.inputs[0] if node.inputs[1] == root.outputs[0] else node.inputs[1]
    array = graph.constants.get(other)
    if (
        array is None
        or array.size not in (1, channels)
        or graph.shape(node.outputs[0]) != graph.shape(root.outputs[0])
    ):
        return root, None
    if array.size == channels and channels > 1 and array.shape[-1] != channels:
        return root, None
    if array.shape == (channels,):
        return node, other
    vector = np.broadcast_to(array.reshape(-1), (channels,))
    return node, graph.add_constant(f"{other}/{channels}", vector)
