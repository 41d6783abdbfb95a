# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Inner values of a model as its inputs."""

import dataclasses
from collections.abc import Sequence

import onnx

from nlq.errors import NlqError
from nlq.onnx_import.cut import remove_unneeded, replace_values
from nlq.onnx_import.fold import fold_constants, static_shape
from nlq.onnx_import.load import LoadedModel, is_known


def make_inputs(model: LoadedModel, names: Sequence[str]) -> None:
    """Makes the values `names` the first inputs, in their order, and removes what computes them.

    The model's own inputs stay after them where they are still needed. A constant may become an
    input too.

    Raises NlqError if no result depends on one of them, or if its shape is not static.
    """
    names = tuple(dict.fromkeys(names))
    if not names:
        return
    whole = onnx.ModelProto()
    whole.CopyFrom(model.proto)
    whole = dataclasses.replace(model, proto=whole, constants=dict(model.constants))
    graph = model.proto.graph
    needed = remove_unneeded(graph, frozenset(names))
    for name in names:
        if name not in needed:
            raise NlqError(f"no output of '{model.name}' depends on '{name}'")
    values = _typed(whole, names)
    replace_values(graph.input, [*values, *(v for v in graph.input if v.name not in names)])
    by_name = {value.name: value for value in values}
    replace_values(graph.output, [by_name.get(value.name, value) for value in graph.output])
    for name in names:
        model.constants.pop(name, None)
    model.well_formed = all(is_known(node, model.opset(node.domain)) for node in graph.node)


def _typed(model: LoadedModel, names: Sequence[str]) -> list[onnx.ValueInfoProto]:
    """The values with their types, as they are after folding, which is done in place."""
    fold_constants(model)
    graph = model.proto.graph
    known = {value.name: value for value in [*graph.value_info, *graph.input, *graph.output]}
    values = []
    for name in names:
        array = model.constants.get(name)
        if array is not None:
            element = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
            values.append(onnx.helper.make_tensor_value_info(name, element, array.shape))
        elif name in known and static_shape(known[name]) is not None:
            values.append(known[name])
        else:
            raise NlqError(
                f"'{name}' of '{model.name}' cannot be an input: its shape is not known before it "
                "runs"
            )
    return values
