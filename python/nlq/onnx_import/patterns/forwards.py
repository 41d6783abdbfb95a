# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Nodes that only pass their input on: Identity, Dropout at inference, Cast to the same type."""

import onnx

from nlq.onnx_import.graph import Graph, Node


def is_forward(graph: Graph, node: Node) -> bool:
    """Whether the node's first result is its first input, as values and as type.

    Element types must be known for Cast and CastLike; Dropout must not be in training mode, nor its
    mask be used.
    """
    if node.domain:
        return False
    if node.op_type == "Identity":
        return True
    if node.op_type == "Dropout":
        training = graph.scalar(node.input(2)) if node.input(2) else 0.0
        mask_used = any(graph.is_used(name) for name in node.outputs[1:])
        return training == 0.0 and not mask_used
    if node.op_type in ("Cast", "CastLike"):
        if node.op_type == "Cast":
            target = node.attributes.get("to")
        else:
            target = _element_type(graph, node.input(1))
        return target is not None and target == _element_type(graph, node.input(0))
    return False


def bypass_forwards(graph: Graph) -> None:
    """Lets the users of such nodes read the input. A node whose result is returned stays too."""
    source = {node.outputs[0]: node.input(0) for node in graph.nodes if is_forward(graph, node)}
    for node in graph.nodes:
        for index, name in enumerate(node.inputs):
            while name in source:
                name = source[name]
            node.inputs[index] = name
    graph.reindex()


def _element_type(graph: Graph, name: str) -> int | None:
    array = graph.constants.get(name)
    if array is not None:
        return onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
    return graph.types.get(name)
