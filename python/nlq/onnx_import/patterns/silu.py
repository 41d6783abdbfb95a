# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""SiLU, written out: x * sigmoid(x), in either order, or x / (1 + exp(-x)).

1 / (1 + exp(-x)) is taken for sigmoid(x).
"""

import dataclasses

from nlq.onnx_import.graph import NLQ_DOMAIN, Graph, Node


def recognize_silu(graph: Graph) -> None:
    """Replaces every written out SiLU in `graph` by a Silu of the domain nlq.

    The new node has the name of the Sigmoid or the Exp.
    """
    for anchor in [node for node in graph.nodes if node.op_type == "Exp" and not node.domain]:
        _recognize_quotient(graph, anchor)
    for anchor in [node for node in graph.nodes if node.op_type == "Sigmoid" and not node.domain]:
        x, value = anchor.input(0), anchor.outputs[0]
        root = graph.only_user(value)
        if root is not None and _is(root, "Mul") and sorted(root.inputs) == sorted([x, value]):
            _replace(graph, root, anchor.name, "Silu", NLQ_DOMAIN, x)


def _recognize_quotient(graph: Graph, anchor: Node) -> None:
    """1 / (1 + exp(-x)) or x / (1 + exp(-x)), `anchor` the exponential."""
    negated = graph.producer(anchor.input(0))
    divisor = graph.only_user(anchor.outputs[0])
    if negated is None or not _is(negated, "Neg") or divisor is None or not _is(divisor, "Add"):
        return
    if not any(graph.scalar(name) == 1.0 for name in divisor.inputs):
        return
    x, value = negated.input(0), divisor.outputs[0]
    root = graph.only_user(value)
    if root is None or graph.shape(root.outputs[0]) != graph.shape(x):
        return
    if _is(root, "Div") and root.input(1) == value:
        if root.input(0) == x:
            _replace(graph, root, anchor.name, "Silu", NLQ_DOMAIN, x)
        elif graph.scalar(root.input(0)) == 1.0:
            _replace(graph, root, anchor.name, "Sigmoid", "", x)
    elif _is(root, "Reciprocal"):
        _replace(graph, root, anchor.name, "Sigmoid", "", x)


def _is(node: Node, op_type: str) -> bool:
    return node.op_type == op_type and not node.domain


def _replace(graph: Graph, root: Node, name: str, op_type: str, domain: str, x: str) -> None:
    node = dataclasses.replace(
        root, name=name, op_type=op_type, domain=domain, inputs=[x], attributes={}
    )
    graph.replace(root, node)
