# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Softmax, functions of one element, and normalizations."""

import math

import numpy as np

from nlq.onnx_import.builder import Shape
from nlq.onnx_import.emit.registry import Context, Unsupported, converter, normalized_axis
from nlq.onnx_import.graph import NLQ_DOMAIN, Node
from nlq.onnx_import.mlir import Value


@converter("Softmax", attributes=("axis",))
def _softmax(context: Context, node: Node) -> Value:
    """Over another axis than the last one: between two transpositions."""
    value = context.value(node.inputs[0])
    last = len(value.shape) - 1
    axis = normalized_axis(node.attributes.get("axis", -1), len(value.shape))
    # Exchanging two dimensions is its own inverse.
    exchange = list(range(last + 1))
    exchange[axis], exchange[last] = last, axis
    rows = context.builder.transpose(value, tuple(exchange))
    return context.builder.transpose(context.builder.unary("softmax", rows), tuple(exchange))


@converter("MaskedSoftmax", domain=NLQ_DOMAIN, attributes=("causal",))
def _masked_softmax(context: Context, node: Node) -> Value:
    value, *masks = (context.value(name) for name in node.inputs)
    return context.builder.masked_softmax(value, *masks, causal=bool(node.attributes["causal"]))


@converter("Gelu", attributes=("approximate",))
@converter("Gelu", domain=NLQ_DOMAIN, attributes=("approximate",))
def _gelu(context: Context, node: Node) -> Value:
    approximate = node.attributes.get("approximate", b"none")
    forms = {b"none": "erf", b"tanh": "tanh"}
    if approximate not in forms:
        raise Unsupported(f"approximate is '{approximate.decode()}', not 'none' or 'tanh'")
    return context.builder.gelu(context.value(node.inputs[0]), forms[approximate])


@converter("Silu", domain=NLQ_DOMAIN)
def _silu(context: Context, node: Node) -> Value:
    return context.builder.unary("silu", context.value(node.inputs[0]))


@converter("Swish", attributes=("alpha",))
def _swish(context: Context, node: Node) -> Value:
    alpha = node.attributes.get("alpha", 1.0)
    if alpha != 1:
        raise Unsupported(f"alpha is {alpha:g}, not 1")
    return context.builder.unary("silu", context.value(node.inputs[0]))


@converter("Sigmoid")
def _sigmoid(context: Context, node: Node) -> Value:
    return context.builder.unary("sigmoid", context.value(node.inputs[0]))


@converter("Tanh")
def _tanh(context: Context, node: Node) -> Value:
    return context.builder.unary("tanh", context.value(node.inputs[0]))


@converter("Exp")
def _exp(context: Context, node: Node) -> Value:
    return context.builder.unary("exp", context.value(node.inputs[0]))


@converter("LayerNorm", domain=NLQ_DOMAIN, attributes=("epsilon",))
def _layer_norm(context: Context, node: Node) -> Value:
    value, gamma, beta = (context.value(name) for name in node.inputs)
    return context.builder.layer_norm(value, gamma, beta, node.attributes["epsilon"])


@converter("RmsNorm", domain=NLQ_DOMAIN, attributes=("epsilon",))
def _rms_norm(context: Context, node: Node) -> Value:
    value, gamma = (context.value(name) for name in node.inputs)
    return context.builder.rms_norm(value, gamma, node.attributes["epsilon"])


@converter("LayerNormalization", attributes=("axis", "epsilon", "stash_type"))
def _layer_normalization(context: Context, node: Node) -> Value:
    rows, shape = _rows(context, node)
    gamma = _per_channel(context, node, 1, rows.shape[-1], "scale")
    beta = _per_channel(context, node, 2, rows.shape[-1], "bias")
    result = context.builder.layer_norm(rows, gamma, beta, node.attributes.get("epsilon", 1e-5))
    return context.builder.reshape(result, shape)


@converter("RMSNormalization", attributes=("axis", "epsilon", "stash_type"))
def _rms_normalization(context: Context, node: Node) -> Value:
    rows, shape = _rows(context, node)
    gamma = _per_channel(context, node, 1, rows.shape[-1], "scale")
    result = context.builder.rms_norm(rows, gamma, node.attributes.get("epsilon", 1e-5))
    return context.builder.reshape(result, shape)


def _rows(context: Context, node: Node) -> tuple[Value, Shape]:
    """The operand with the dimensions from `axis` on collapsed to one, and its own shape."""
    value = context.value(node.inputs[0])
    axis = normalized_axis(node.attributes.get("axis", -1), len(value.shape))
    channels = math.prod(value.shape[axis:])
    return context.builder.reshape(value, (*value.shape[:axis], channels)), value.shape


def _per_channel(context: Context, node: Node, index: int, channels: int, what: str) -> Value:
    """The constant [channels] of an operand; 0 where an optional one is left out."""
    name = node.input(index)
    if not name:
        return context.builder.constant(f"{node.name}/{what}", np.zeros(channels, np.float32))
    array = context.constant(name)
    if array is None:
        raise Unsupported(f"its {what} is not constant")
    if array.size not in (1, channels):
        raise Unsupported(f"its {what} has shape {list(array.shape)}, not one per channel")
    vector = np.broadcast_to(array.reshape(-1), (channels,))
    return context.broadcast_constant(name, vector, (channels,))
