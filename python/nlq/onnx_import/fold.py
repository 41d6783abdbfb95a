# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Folding of constant subgraphs and shape glue.

What exporters write around a model (Shape, Gather, Concat, ConstantOfShape, Equal, Where, ...)
depends on shapes only, and shapes are static here. Every node whose inputs are constants is
evaluated by the reference evaluator of onnx; a Shape or Size of a value with a static shape counts
as such a node. Folding the shape operand of a Reshape makes its result's shape known, and more can
be folded: so inference and folding alternate until nothing changes.

Only this alternation is ours: what operators compute, and which shapes they make, is the business
of the onnx package. docs/Rationale.md says why no simplifier does the rest too.
"""

import numpy as np
import onnx
import onnx.reference
import onnx.shape_inference

from nlq.errors import NlqError
from nlq.onnx_import.load import LoadedModel, declare_constant

_SHAPE_ONLY = {"Shape", "Size"}
_RANDOM = {
    "Bernoulli",
    "Dropout",
    "Multinomial",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
}


def fold_constants(model: LoadedModel) -> None:
    """Folds in place; afterwards the model carries the inferred shape of every value.

    Raises NlqError if the shapes of the model contradict each other.
    """
    while True:
        _infer_shapes(model)
        if not _fold_once(model):
            return


def static_shape(value: onnx.ValueInfoProto) -> tuple[int, ...] | None:
    """The shape of a value, None where it is unknown."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    if not all(dim.HasField("dim_value") for dim in tensor.shape.dim):
        return None
    return tuple(dim.dim_value for dim in tensor.shape.dim)


def static_shapes(graph: onnx.GraphProto) -> dict[str, tuple[int, ...]]:
    """The shapes of all values of a graph whose shapes are known."""
    shapes = {}
    for value in [*graph.value_info, *graph.input, *graph.output]:
        shape = static_shape(value)
        if shape is not None:
            shapes[value.name] = shape
    return shapes


def _infer_shapes(model: LoadedModel) -> None:
    # A model with unknown operators has gaps; the list of unsupported nodes will say so.
    strict = model.well_formed
    try:
        model.proto = onnx.shape_inference.infer_shapes(
            model.proto, check_type=strict, strict_mode=strict, data_prop=True
        )
    except (onnx.shape_inference.InferenceError, ValueError) as error:
        text = " ".join(str(error).split())
        raise NlqError(f"the shapes of '{model.name}' do not fit together: {text}") from error


def _fold_once(model: LoadedModel) -> bool:
    """Folds every node that is constant by what is known now; returns whether there was one."""
    graph = model.proto.graph
    shapes = static_shapes(graph)
    remaining = []
    for node in graph.node:
        feeds = _constant_inputs(node, model.constants, shapes)
        results = None if feeds is None else _evaluate(node, feeds, model)
        if results is None:
            remaining.append(node)
            continue
        for name, array in results.items():
            model.constants[name] = array
            declare_constant(model, name, array)
    folded = len(remaining) < len(graph.node)
    if folded:
        del graph.node[:]
        graph.node.extend(remaining)
    return folded


def _constant_inputs(
    node: onnx.NodeProto, constants: dict[str, np.ndarray], shapes: dict[str, tuple[int, ...]]
) -> dict[str, np.ndarray] | None:
    """The values of the node's inputs, None if the node is not constant."""
    if node.op_type in _RANDOM or any(a.HasField("g") or a.graphs for a in node.attribute):
        return None
    feeds = {}
    for name in filter(None, node.input):
        if name in constants:
            feeds[name] = constants[name]
        elif node.op_type in _SHAPE_ONLY and name in shapes:
            # The values do not matter: one zero seen through a view of the right shape.
            feeds[name] = np.broadcast_to(np.float32(0), shapes[name])
        else:
            return None
    return feeds


def _evaluate(
    node: onnx.NodeProto, feeds: dict[str, np.ndarray], model: LoadedModel
) -> dict[str, np.ndarray] | None:
    """The node's results by name, None if onnx cannot evaluate it."""
    opsets = {entry.domain: entry.version for entry in model.proto.opset_import}
    try:
        evaluator = onnx.reference.ReferenceEvaluator(node, opsets=opsets)
        results = evaluator.run(None, feeds)
    except Exception:  # noqa: BLE001
        # The evaluator raises whatever numpy raises. The node stays and is listed as unsupported.
        return None
    named = zip(node.output, results, strict=False)
    arrays = {name: np.asarray(result) for name, result in named if name}
    return arrays if all(array.dtype != object for array in arrays.values()) else None
