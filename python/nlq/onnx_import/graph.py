# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The model as patterns and emission see it."""

import dataclasses
from collections import Counter
from typing import Any

import numpy as np
import onnx
import onnx.helper

from nlq.errors import NlqError
from nlq.onnx_import.fold import static_shapes
from nlq.onnx_import.load import LoadedModel, is_known

# The domain of the nodes that `patterns` makes: LayerNorm, Gelu and Linear (see there).
NLQ_DOMAIN = "nlq"


@dataclasses.dataclass
class Node:
    """One operator.

    Attributes:
        name: unique in the model; the node's own name, or else that of its first result.
        op_type: the operator, such as "MatMul".
        domain: "" for ONNX's own operators.
        version: the version of the domain the model imports, None if it imports none.
        known: whether onnx defines the operator in that version.
        inputs: names of values, "" for an optional input left out.
        outputs: names of values, "" for an optional result left out.
        attributes: Python values (int, float, bytes, lists, TensorProto) by name.
    """

    name: str
    op_type: str
    domain: str
    version: int | None
    known: bool
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]

    def input(self, index: int) -> str:
        """The name of an input, "" if it is left out."""
        return self.inputs[index] if index < len(self.inputs) else ""


@dataclasses.dataclass
class Graph:
    """Nodes in topological order, constants and the shapes that are known.

    Attributes:
        inputs: names of the model's inputs.
        outputs: names of the model's results.
        shapes: static shapes by value name; complete for models that are supported.
        types: element types (onnx.TensorProto numbers) by value name, where known.
    """

    name: str
    nodes: list[Node]
    constants: dict[str, np.ndarray]
    inputs: list[str]
    outputs: list[str]
    shapes: dict[str, tuple[int, ...]]
    types: dict[str, int]

    def __post_init__(self):
        """Indexes the nodes."""
        self.reindex()

    def reindex(self) -> None:
        """Brings `producer` and `users` up to date after `nodes` has changed."""
        self._producers = {name: node for node in self.nodes for name in node.outputs if name}
        self._users: dict[str, list[Node]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(filter(None, node.inputs)):
                self._users.setdefault(name, []).append(node)

    def producer(self, name: str) -> Node | None:
        """The node that computes a value, None for inputs and constants."""
        return self._producers.get(name)

    def only_user(self, name: str) -> Node | None:
        """The node that alone uses a value, None if several do or the model returns it."""
        users = self._users.get(name, [])
        return users[0] if len(users) == 1 and name not in self.outputs else None

    def is_used(self, name: str) -> bool:
        """Whether a node uses a value or the model returns it."""
        return name in self._users or name in self.outputs

    def scalar(self, name: str) -> float | None:
        """The value of a constant with one element, None for anything else."""
        array = self.constants.get(name)
        return float(array.reshape(())) if array is not None and array.size == 1 else None

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The static shape of a value, None where it is unknown."""
        array = self.constants.get(name)
        return self.shapes.get(name) if array is None else array.shape

    def add_constant(self, base: str, array: np.ndarray) -> str:
        """Adds a constant under a name made from `base`; returns the name."""
        name, count = base, 1
        while name in self.constants or name in self.shapes:
            count += 1
            name = f"{base}#{count}"
        self.constants[name] = array
        return name

    def replace(self, old: Node, new: Node) -> None:
        """Puts `new` in the place of `old`, whose results it computes."""
        self.nodes[self.nodes.index(old)] = new
        self.reindex()

    def remove_dead_nodes(self) -> None:
        """Removes nodes whose results nobody uses."""
        needed = set(self.outputs)
        kept = []
        for node in reversed(self.nodes):
            if needed.intersection(filter(None, node.outputs)):
                needed.update(node.inputs)
                kept.append(node)
        self.nodes = kept[::-1]
        self.reindex()


def build_graph(model: LoadedModel) -> Graph:
    """The graph of a folded model.

    Raises NlqError if an input or result is not of element type float32, or a node is of the domain
    that `patterns` uses.
    """
    proto = model.proto.graph
    inputs = [value for value in proto.input if value.name not in model.constants]
    for value in [*inputs, *proto.output]:
        found = value.type.tensor_type.elem_type
        if found != onnx.TensorProto.FLOAT:
            raise NlqError(
                f"'{value.name}' of '{model.name}' has element type "
                f"{onnx.TensorProto.DataType.Name(found).lower()}; only float is supported"
            )
    graph = Graph(
        name=model.name,
        nodes=_nodes(model),
        constants=model.constants,
        inputs=[value.name for value in inputs],
        outputs=[value.name for value in proto.output],
        shapes=static_shapes(proto),
        types={
            value.name: value.type.tensor_type.elem_type
            for value in [*proto.value_info, *proto.input, *proto.output]
        },
    )
    graph.remove_dead_nodes()
    return graph


def _nodes(model: LoadedModel) -> list[Node]:
    seen: Counter[str] = Counter()
    nodes = []
    for proto in model.proto.graph.node:
        if proto.domain == NLQ_DOMAIN:
            raise NlqError(f"'{model.name}' uses the domain '{NLQ_DOMAIN}', which is reserved")
        name = proto.name or next(filter(None, proto.output), proto.op_type)
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name}#{seen[name]}"
        version = model.opset(proto.domain)
        nodes.append(
            Node(
                name=name,
                op_type=proto.op_type,
                domain="" if proto.domain == "ai.onnx" else proto.domain,
                version=version,
                known=is_known(proto, version),
                inputs=list(proto.input),
                outputs=list(proto.output),
                attributes={
                    attribute.name: onnx.helper.get_attribute_value(attribute)
                    for attribute in proto.attribute
                },
            )
        )
    return nodes
