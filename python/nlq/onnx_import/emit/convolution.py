# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Convolution, as far as vision transformers use it: to cut an image into patches."""

import math

import numpy as np

from nlq.onnx_import.emit.registry import Context, Unsupported, converter
from nlq.onnx_import.graph import Node
from nlq.onnx_import.mlir import Value


@converter("Conv", attributes=("auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"))
def _conv(context: Context, node: Node) -> Value:
    """A convolution whose patches do not overlap and cover the image is a matrix product.

    [N, C, H, W] becomes rows of patches [N * H/p * W/q, C * p * q], these are multiplied by the
    weight [O, C, p, q] as a matrix, and the channels go back to the front: [N, O, H/p, W/q].
    Any number of spatial dimensions.
    """
    weight = context.constant(node.inputs[1])
    bias = context.constant(node.input(2))
    if weight is None or (node.input(2) and bias is None):
        raise Unsupported("its weight or bias is not constant")
    image = context.value(node.inputs[0])
    kernel = weight.shape[2:]
    _check_patches(node, image.shape, weight.shape)
    batch, channels, *spatial = image.shape
    counts = [size // step for size, step in zip(spatial, kernel, strict=True)]
    builder = context.builder
    dims = len(kernel)

    split = [size for pair in zip(counts, kernel, strict=True) for size in pair]
    patches = builder.reshape(image, (batch, channels, *split))
    order = (0, *range(2, 2 + 2 * dims, 2), 1, *range(3, 3 + 2 * dims, 2))
    patches = builder.transpose(patches, order)
    columns = channels * math.prod(kernel)
    rows = builder.reshape(patches, (batch * math.prod(counts), columns))
    matrix = np.ascontiguousarray(weight.reshape(weight.shape[0], columns).T)
    product = builder.matmul(
        rows,
        builder.constant(node.inputs[1], matrix),
        None if bias is None else builder.constant(node.input(2), bias),
    )
    result = builder.reshape(product, (batch, *counts, weight.shape[0]))
    return builder.transpose(result, (0, dims + 1, *range(1, dims + 1)))


def _check_patches(node: Node, image: tuple[int, ...], weight: tuple[int, ...]) -> None:
    kernel = weight[2:]
    dims = len(kernel)
    attributes = node.attributes
    if attributes.get("group", 1) != 1 or image[1] != weight[1]:
        raise Unsupported("it has groups")
    if tuple(attributes.get("strides", (1,) * dims)) != kernel:
        raise Unsupported("its strides are not the size of its kernel")
    if any(attributes.get("pads", ())) or attributes.get("auto_pad", b"NOTSET") not in (
        b"NOTSET",
        b"VALID",
    ):
        raise Unsupported("it pads its input")
    if any(dilation != 1 for dilation in attributes.get("dilations", ())):
        raise Unsupported("its kernel is dilated")
    if any(size % step for size, step in zip(image[2:], kernel, strict=True)):
        raise Unsupported(f"its patches {list(kernel)} do not cover the image {list(image[2:])}")
