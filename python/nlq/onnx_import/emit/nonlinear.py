# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Softmax, functions of one element, and normalizations."""

import math

import numpy as np

from nlq.onnx_import.emit.registry import Context, Unsupported, converter, normalized_axis
from nlq.onnx_import.graph import NLQ_DOMAIN, Node
from nlq.onnx_import.mlir import Value


@converter("Softmax", attributes=("axis",))
def _softmax(context: Context, node: Node) -> Value:
    value = context.value(node.inputs[0])
    axis = normalized_axis(node.attributes.get("axis", -1), len(value.shape))
    return context.builder.softmax(value, axis)


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
    value = context.value(node.inputs[0])
    gamma = _row_parameter(context, node, 1, "scale")
    beta = _row_parameter(context, node, 2, "bias")
    return context.builder.layer_norm(value, gamma, beta, node.attributes.get("epsilon", 1e-5))


@converter("RMSNormalization", attributes=("axis", "epsilon", "stash_type"))
def _rms_normalization(context: Context, node: Node) -> Value:
    value = context.value(node.inputs[0])
    gamma = _row_parameter(context, node, 1, "scale")
    return context.builder.rms_norm(value, gamma, node.attributes.get("epsilon", 1e-5))


def _row_parameter(context: Context, node: Node, index: int, what: str) -> Value:
    """A constant of the dimensions from `axis` on; 0 where an optional one is left out."""
    shape = context.shape(node.inputs[0])
    shape = shape[normalized_axis(node.attributes.get("axis", -1), len(shape)) :]
    name = node.input(index)
    if not name:
        return context.builder.constant(f"{node.name}/{what}", np.zeros(shape, np.float32))
    array = context.constant(name)
    if array is None:
        raise Unsupported(f"its {what} is not constant")
    if array.size == math.prod(shape):
        array = array.reshape(shape)
    try:
        array = np.broadcast_to(array, shape)
    except ValueError:
        raise Unsupported(
            f"its {what} has shape {list(array.shape)}, which does not fit {list(shape)}"
        ) from None
    return context.broadcast_constant(name, array, shape)
