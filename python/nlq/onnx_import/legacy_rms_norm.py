# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""SimplifiedLayerNormalization, which ONNX Runtime has beside the standard.

Exporters write RMS normalization so in models of opsets before 23. onnx knows no such operator, so
that it infers no shape behind it. Written out, it is recognized as RMS normalization again.
"""

import onnx
from onnx import helper

_AXES_AS_INPUT = 18


def expand_legacy_rms_norm(model: onnx.ModelProto) -> None:
    """Replaces such nodes in place; one with another axis than the last, or with more than one
    result in use, is left as it is.
    """
    versions = {entry.domain: entry.version for entry in model.opset_import}
    version = versions.get("", versions.get("ai.onnx", 0))
    nodes = []
    for node in model.graph.node:
        nodes.extend(_expand(node, version) if _is_taken(node) else [node])
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _is_taken(node: onnx.NodeProto) -> bool:
    if node.op_type != "SimplifiedLayerNormalization":
        return False
    if node.domain not in ("", "ai.onnx", "com.microsoft") or len(node.input) != 2:
        return False
    return _attribute(node, "axis", -1) == -1 and not any(node.output[1:])


def _attribute(node: onnx.NodeProto, name: str, default: float) -> float:
    for attribute in node.attribute:
        if attribute.name == name:
            return helper.get_attribute_value(attribute)
    return default


def _expand(node: onnx.NodeProto, version: int) -> list[onnx.NodeProto]:
    """x / sqrt(mean(x^2) + epsilon) * scale."""
    source, scale = node.input
    nodes = []

    def add(op_type: str, *inputs: str, output: str | None = None, **attributes) -> str:
        output = output or f"{node.output[0]}/rms_norm/{len(nodes)}"
        nodes.append(helper.make_node(op_type, inputs, [output], name=node.name, **attributes))
        return output

    square = add("Mul", source, source)
    if version < _AXES_AS_INPUT:
        mean = add("ReduceMean", square, axes=[-1], keepdims=1)
    else:
        mean = add("ReduceMean", square, add("Constant", value_ints=[-1]), keepdims=1)
    epsilon = add("Constant", value_float=_attribute(node, "epsilon", 1e-5))
    root = add("Sqrt", add("Add", mean, epsilon))
    add("Mul", add("Div", source, root), scale, output=node.output[0])
    return nodes
