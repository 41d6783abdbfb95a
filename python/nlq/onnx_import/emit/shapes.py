# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Reshapes, transpositions, slices and concatenation."""

import math

from nlq.onnx_import.emit.registry import Context, Unsupported, converter, normalized_axis
from nlq.onnx_import.graph import Node
from nlq.onnx_import.mlir import Value
from nlq.onnx_import.patterns.forwards import is_forward


@converter("Reshape", attributes=("allowzero",))
@converter("Squeeze")
@converter("Unsqueeze")
@converter("Flatten", attributes=("axis",))
def _reshape(context: Context, node: Node) -> Value:
    """Shape inference has done the work, but takes a Reshape's word for its shape."""
    value = context.value(node.inputs[0])
    shape = context.result_shape(node)
    if math.prod(value.shape) != math.prod(shape):
        raise Unsupported(f"it makes shape {list(shape)} of {list(value.shape)}")
    return context.builder.reshape(value, shape)


@converter("Identity")
@converter("Dropout", attributes=("seed",))
@converter("Cast", attributes=("to", "saturate", "round_mode"))
@converter("CastLike", attributes=("saturate", "round_mode"))
def _forward(context: Context, node: Node) -> Value:
    """What is left of these returns a result of the model, or does not merely pass it on."""
    if not is_forward(context.graph, node):
        raise Unsupported("it changes its input; only float32 at inference is supported")
    return context.value(node.inputs[0])


@converter("Expand")
def _expand(context: Context, node: Node) -> Value:
    return context.operand(node.inputs[0], context.result_shape(node))


@converter("Transpose", attributes=("perm",))
def _transpose(context: Context, node: Node) -> Value:
    value = context.value(node.inputs[0])
    reverse = range(len(value.shape))[::-1]
    return context.builder.transpose(value, tuple(node.attributes.get("perm", reverse)))


@converter("Concat", attributes=("axis",))
def _concat(context: Context, node: Node) -> Value:
    shape = context.result_shape(node)
    axis = normalized_axis(node.attributes["axis"], len(shape))
    values = [context.value(name) for name in node.inputs]
    if len(values) == 1:
        return values[0]
    return context.builder.concat(axis, values, shape)


@converter("Slice")
def _slice(context: Context, node: Node) -> Value:
    value = context.value(node.inputs[0])
    starts = context.integers(node, 1, "starts")
    ends = context.integers(node, 2, "ends")
    axes = context.integers(node, 3, "axes") or range(len(starts))
    steps = context.integers(node, 4, "steps") or [1] * len(starts)
    if min(steps, default=1) < 1:
        raise Unsupported(f"its steps {list(steps)} are not all positive")
    rank = len(value.shape)
    offsets, strides = [0] * rank, [1] * rank
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        axis = normalized_axis(axis, rank)
        # The clamping of Python's slices is that of ONNX for positive steps.
        offsets[axis], _, strides[axis] = slice(start, end, step).indices(value.shape[axis])
    shape = context.result_shape(node)
    return context.builder.extract_slice(value, tuple(offsets), shape, tuple(strides), shape)


@converter("Split", attributes=("axis", "num_outputs"))
def _split(context: Context, node: Node) -> list[Value]:
    value = context.value(node.inputs[0])
    rank = len(value.shape)
    axis = normalized_axis(node.attributes.get("axis", 0), rank)
    parts, offset = [], 0
    for name in node.outputs:
        shape = context.shape(name)
        offsets = tuple(offset if dim == axis else 0 for dim in range(rank))
        parts.append(context.builder.extract_slice(value, offsets, shape, (1,) * rank, shape))
        offset += shape[axis]
    return parts


@converter("Gather", attributes=("axis",))
def _gather(context: Context, node: Node) -> Value:
    """One constant index (its dimension goes), or constant indices at equal distances."""
    value = context.value(node.inputs[0])
    rank = len(value.shape)
    axis = normalized_axis(node.attributes.get("axis", 0), rank)
    indices = context.integers(node, 1, "indices")
    size = value.shape[axis]
    indices = [index + size if index < 0 else index for index in indices]
    distances = {after - before for before, after in zip(indices, indices[1:], strict=False)}
    if len(distances) > 1 or min(distances, default=1) < 1:
        raise Unsupported("its indices are not at equal, positive distances")
    if not all(0 <= index < size for index in indices):
        raise Unsupported(f"its indices leave the {size} elements of axis {axis}")

    def along_axis(inner: int, outer: tuple[int, ...]) -> tuple[int, ...]:
        return (*outer[:axis], inner, *outer[axis + 1 :])

    offsets = along_axis(indices[0], (0,) * rank)
    strides = along_axis(max(distances, default=1), (1,) * rank)
    sizes = along_axis(len(indices), value.shape)
    shape = context.result_shape(node)
    if len(shape) < rank:
        return context.builder.extract_slice(value, offsets, sizes, strides, shape)
    part = context.builder.extract_slice(value, offsets, sizes, strides, sizes)
    return context.builder.reshape(part, shape)
