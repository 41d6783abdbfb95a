# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""GELU nodes that some exporters write although the model's opset does not define them.

`Gelu` joined ONNX in opset 20, but files of older opsets hold it all the same, and ONNX Runtime's
optimizer writes `Gelu` and `FastGelu` of the domain com.microsoft. Each is spelled out here in
operators of opset 13, which `patterns.gelu` then takes as any other decomposed GELU.
"""

import math

import onnx
from onnx import helper

NATIVE_OPSET = 20


def expand_legacy_gelu(model: onnx.ModelProto) -> None:
    """Replaces such nodes in place. A FastGelu with a bias is left as it is."""
    versions = {entry.domain: entry.version for entry in model.opset_import}
    version = versions.get("", versions.get("ai.onnx", 0))
    nodes = []
    for node in model.graph.node:
        form = _form(node, version)
        nodes.extend(_expand(node, form) if form else [node])
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _form(node: onnx.NodeProto, version: int) -> str | None:
    """How the node computes GELU ("none" for erf, or "tanh"); None if it stays as it is."""
    if len(node.input) != 1:
        return None
    if node.domain == "com.microsoft":
        return {"Gelu": "none", "FastGelu": "tanh"}.get(node.op_type)
    if node.op_type != "Gelu" or node.domain not in ("", "ai.onnx") or version >= NATIVE_OPSET:
        return None
    for attribute in node.attribute:
        if attribute.name == "approximate":
            return attribute.s.decode()
    return "none"


def _expand(node: onnx.NodeProto, form: str) -> list[onnx.NodeProto]:
    """x/2 * (1 + f(x)), with f(x) = erf(x / sqrt 2) or tanh(sqrt(2/pi) * (x + 0.044715 x^3))."""
    source = node.input[0]
    nodes = []

    def constant(value: float) -> str:
        return add("Constant", value_float=value)

    def add(op_type: str, *inputs: str, output: str | None = None, **attributes) -> str:
        output = output or f"{node.output[0]}/gelu/{len(nodes)}"
        nodes.append(helper.make_node(op_type, inputs, [output], name=node.name, **attributes))
        return output

    if form == "tanh":
        cube = add("Pow", source, constant(3.0))
        inner = add("Add", source, add("Mul", cube, constant(0.044715)))
        bent = add("Tanh", add("Mul", inner, constant(math.sqrt(2 / math.pi))))
    else:
        bent = add("Erf", add("Mul", source, constant(math.sqrt(0.5))))
    half = add("Mul", source, constant(0.5))
    add("Mul", half, add("Add", bent, constant(1.0)), output=node.output[0])
    return nodes
