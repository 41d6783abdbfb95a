# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Emission: one small function per operator, found through a registry (see `registry`)."""

import dataclasses

from nlq.errors import NlqError
from nlq.onnx_import.builder import Builder
from nlq.onnx_import.emit import convolution, elementwise, linear, nonlinear, shapes  # noqa: F401
from nlq.onnx_import.emit.registry import Context, Unsupported, convert, is_registered
from nlq.onnx_import.graph import Graph, Node
from nlq.onnx_import.mlir import Module

__all__ = ["emit_module"]

# Shape glue that folding would have removed, had the shape been known.
_GLUE = {"Shape", "Size"}


@dataclasses.dataclass
class _Unknown:
    """What is known of the values behind unsupported nodes.

    Attributes:
        tensors: values that could not be emitted.
        glue: values that would be constants if shapes were known.
    """

    tensors: set[str]
    glue: set[str]


def emit_module(graph: Graph) -> Module:
    """The module of a graph.

    Raises NlqError that lists all unsupported nodes if there is one.
    """
    builder = Builder()
    values = {name: builder.argument(name, graph.shapes[name]) for name in graph.inputs}
    context = Context(graph, builder, values)
    unknown = _Unknown(set(), set())
    unsupported: list[str] = []
    for node in graph.nodes:
        builder.location = node.name
        reason = _emit_node(context, node, unknown)
        if reason is not None:
            unsupported.append(_describe(node) + (f": {reason}" if reason else ""))
    if unsupported:
        count = f"{len(unsupported)} unsupported node" + ("s" if len(unsupported) > 1 else "")
        raise NlqError(f"'{graph.name}' has {count}:\n  " + "\n  ".join(unsupported))
    builder.location = "results"
    return builder.finish([(context.value(name), name) for name in graph.outputs])


def _emit_node(context: Context, node: Node, unknown: _Unknown) -> str | None:
    """Emits a node.

    Returns None if that was possible, or if it was impossible only for lack of an operand; else why
    the node is unsupported ("" if there is nothing to add to its operator).
    """
    inputs = [name for name in node.inputs if name and name not in context.graph.constants]
    outputs = set(filter(None, node.outputs))
    if not unknown.tensors.isdisjoint(inputs) or not unknown.glue.isdisjoint(inputs):
        if node.op_type in _GLUE or unknown.glue.issuperset(inputs):
            unknown.glue |= outputs
            return None
        unknown.tensors |= outputs
        return None if is_registered(node) else _why_unregistered(node)
    if not is_registered(node):
        unknown.tensors |= outputs
        return _why_unregistered(node)
    try:
        convert(context, node)
    except Unsupported as error:
        unknown.tensors |= outputs
        return str(error)
    return None


def _why_unregistered(node: Node) -> str:
    return "" if node.known or node.domain else "not an operator of this opset"


def _describe(node: Node) -> str:
    version = "not imported" if node.version is None else f"opset {node.version}"
    return f"{node.name}: {node.op_type} ({node.domain or 'ai.onnx'}, {version})"
