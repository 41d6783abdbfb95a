# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""A product with a constant matrix and the addition of a bias after it."""

import dataclasses

import numpy as np

from nlq.onnx_import.graph import NLQ_DOMAIN, Graph, Node


def recognize_linear(graph: Graph) -> None:
    """Replaces MatMul by a constant, and Gemm with a constant B, by a Linear of the domain nlq.

    An Add of one constant per column that alone uses the product becomes the bias. The new node
    has the name of the MatMul or Gemm.
    """
    for node in list(graph.nodes):
        if node.domain:
            continue
        if node.op_type == "MatMul":
            _recognize_matmul(graph, node)
        elif node.op_type == "Gemm":
            _recognize_gemm(graph, node)


def _recognize_matmul(graph: Graph, node: Node) -> None:
    weight = graph.constants.get(node.input(1))
    lhs = graph.shape(node.input(0))
    # A single matrix; leading dimensions of 1 must not raise the rank of the result.
    if weight is None or weight.ndim < 2 or weight.size != np.prod(weight.shape[-2:]):
        return
    if lhs is None or node.input(0) in graph.constants or weight.ndim > max(2, len(lhs)):
        return
    weight_name = node.input(1)
    if weight.ndim > 2:
        weight_name = graph.add_constant(f"{weight_name}/2d", weight.reshape(weight.shape[-2:]))
    _replace(graph, node, [node.input(0), weight_name])


def _recognize_gemm(graph: Graph, node: Node) -> None:
    weight = graph.constants.get(node.input(1))
    if weight is None or node.attributes.get("transA", 0) or node.input(0) in graph.constants:
        return
    weight_name = node.input(1)
    transposed = node.attributes.get("transB", 0)
    alpha = np.float32(node.attributes.get("alpha", 1.0))
    if transposed or alpha != 1:
        suffix = "transposed" if transposed else "scaled"
        weight = alpha * (weight.T if transposed else weight)
        weight_name = graph.add_constant(f"{weight_name}/{suffix}", weight)
    if not node.input(2):
        _replace(graph, node, [node.input(0), weight_name])
        return
    columns = weight.shape[1]
    bias = graph.constants.get(node.input(2))
    if bias is None or not _is_per_column(bias, columns):
        return
    beta = np.float32(node.attributes.get("beta", 1.0))
    bias_name = _bias(graph, node.input(2), columns, beta)
    graph.replace(node, _linear(node, node, [node.input(0), weight_name, bias_name]))


def _replace(graph: Graph, node: Node, inputs: list[str]) -> None:
    """Replaces the product `node`, and with it the Add of a bias if there is one."""
    product = node.outputs[0]
    columns = graph.constants[inputs[1]].shape[1]
    add = graph.only_user(product)
    if (
        add is not None
        and add.op_type == "Add"
        and not add.domain
        and graph.shape(add.outputs[0]) == graph.shape(product)
    ):
        other = add.inputs[1] if add.inputs[0] == product else add.inputs[0]
        bias = graph.constants.get(other)
        if bias is not None and _is_per_column(bias, columns):
            bias_name = _bias(graph, other, columns, np.float32(1))
            graph.replace(add, _linear(node, add, [*inputs, bias_name]))
            return
    graph.replace(node, _linear(node, node, inputs))


def _linear(product: Node, last: Node, inputs: list[str]) -> Node:
    return dataclasses.replace(
        product,
        op_type="Linear",
        domain=NLQ_DOMAIN,
        inputs=inputs,
        outputs=last.outputs,
        attributes={},
    )


def _is_per_column(array: np.ndarray, columns: int) -> bool:
    """Whether broadcasting the array against [..., columns] makes all rows the same."""
    return array.size == 1 or (array.size == columns and array.shape[-1] == columns)


def _bias(graph: Graph, name: str, columns: int, factor: np.float32) -> str:
    """The name of the constant [columns] that `name`, times `factor`, is in every row."""
    array = graph.constants[name]
    if array.shape == (columns,) and factor == 1:
        return name
    vector = factor * np.broadcast_to(array.reshape(-1), (columns,))
    return graph.add_constant(f"{name}/{columns}", vector)
