# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The registry of operators and what their functions work with.

To support one more operator, write a function with the decorator `converter` in a file of this
folder. It gets the context and the node and returns the value of the node's result (or a list of
values, one per result). What it cannot take it refuses by raising Unsupported with the reason; an
attribute that the decorator does not list is refused before the function is called.
"""

from collections.abc import Callable

import numpy as np

from nlq.onnx_import.builder import Builder, Shape
from nlq.onnx_import.graph import Graph, Node
from nlq.onnx_import.mlir import Value

# Constants up to this size are broadcast at import, larger ones by the module.
_BROADCAST_BYTES = 1 << 16


class Unsupported(Exception):
    """A node cannot be imported; the text says why, or is empty if its operator says it all."""


class Context:
    """What has been emitted of a graph so far.

    Attributes:
        graph: the graph.
        builder: where ops are emitted to.
    """

    def __init__(self, graph: Graph, builder: Builder, values: dict[str, Value]):
        """Starts with the values of the graph's inputs."""
        self.graph = graph
        self.builder = builder
        self._values = values

    def set_value(self, name: str, value: Value) -> None:
        """Says which value stands for a result."""
        self._values[name] = value

    def value(self, name: str) -> Value:
        """The value that stands for an operand, a constant included."""
        if name in self.graph.constants:
            return self.builder.constant(name, self._float_constant(name))
        return self._values[name]

    def operand(self, name: str, shape: Shape) -> Value:
        """An operand broadcast to `shape`."""
        return self.broadcast_constant(name, self.constant(name), shape) or (
            self.builder.broadcast_to(self.value(name), shape)
        )

    def broadcast_constant(self, name: str, array: np.ndarray | None, shape: Shape) -> Value | None:
        """The value of a constant broadcast to `shape`; None if there is no constant.

        A constant that gets large by broadcasting is broadcast by the module.
        """
        if array is None:
            return None
        if array.dtype != np.float32:
            raise Unsupported(f"constant '{name}' is of {array.dtype}, not float32")
        if array.size == 1 or 4 * np.prod(shape) <= _BROADCAST_BYTES:
            return self.builder.constant(name, np.broadcast_to(array, shape))
        return self.builder.broadcast_to(self.builder.constant(name, array), shape)

    def constant(self, name: str) -> np.ndarray | None:
        """The array of a constant operand; None if it is none."""
        return self.graph.constants.get(name)

    def integers(self, node: Node, index: int, what: str) -> list[int] | None:
        """The elements of an operand that must be constant; None if it is left out."""
        name = node.input(index)
        if not name:
            return None
        array = self.constant(name)
        if array is None:
            raise Unsupported(f"its {what} are not constant")
        return [int(element) for element in array.reshape(-1)]

    def shape(self, name: str) -> Shape:
        """The static shape of a value."""
        shape = self.graph.shape(name)
        if shape is None:
            raise Unsupported(f"the shape of '{name}' is not known before it runs")
        if 0 in shape:
            raise Unsupported(f"'{name}' has no elements (shape {list(shape)})")
        return shape

    def result_shape(self, node: Node) -> Shape:
        """The static shape of a node's first result."""
        return self.shape(node.outputs[0])

    def _float_constant(self, name: str) -> np.ndarray:
        array = self.graph.constants[name]
        if array.dtype != np.float32:
            raise Unsupported(f"constant '{name}' is of {array.dtype}, not float32")
        return array


Converter = Callable[[Context, Node], Value | list[Value]]

_CONVERTERS: dict[tuple[str, str], tuple[Converter, frozenset[str]]] = {}


def converter(
    op_type: str, *, domain: str = "", attributes: tuple[str, ...] = ()
) -> Callable[[Converter], Converter]:
    """Registers the decorated function for an operator whose `attributes` it understands."""

    def register(function: Converter) -> Converter:
        _CONVERTERS[domain, op_type] = (function, frozenset(attributes))
        return function

    return register


def is_registered(node: Node) -> bool:
    """Whether there is a converter for the node's operator."""
    return (node.domain, node.op_type) in _CONVERTERS


def convert(context: Context, node: Node) -> None:
    """Emits a node of a registered operator.

    Raises Unsupported if the converter does not take this node.
    """
    function, understood = _CONVERTERS[node.domain, node.op_type]
    for name in node.attributes:
        if name not in understood:
            raise Unsupported(f"its attribute '{name}' is not supported")
    for name in filter(None, node.outputs):
        if context.graph.is_used(name):
            context.shape(name)
    results = function(context, node)
    results = results if isinstance(results, list) else [results]
    for index, name in enumerate(node.outputs):
        if index < len(results):
            context.set_value(name, results[index])
        elif name and context.graph.is_used(name):
            raise Unsupported(f"its result '{name}' is not supported")


def normalized_axis(axis: int, rank: int) -> int:
    """An axis counted from the front, where negative ones count from the back."""
    if not -rank <= axis < rank:
        raise Unsupported(f"it has an axis {axis}, but its operand {rank} dimensions")
    return axis + rank if axis < 0 else axis
