# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""A miniature of the real ViT-S, for tests: `python vits_miniature.py FILE [SEED]` writes it.

It has the architecture of the model of `make demo-vits` (see `nlq.demo_vits.package`), with every
node spelled and named as torch 2.7 exports it at opset 14; test/vits compares both node by node.
Only depth and sizes differ, and are odd: images of 56 x 84 give 4 x 6 patches and 25 tokens, of 36
channels in 3 heads; position embeddings are made for 7 x 7 patches and resized. Weights are random,
with outliers like the real ones: the gains of some channels are 20 times those of others, scores go
beyond 60, and factors of layer scale have either sign.
"""

import argparse
import math
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from nlq.demo_vits.package import BATCH, HEAT_MAP, INPUT

HEIGHT, WIDTH, PATCH = 56, 84, 14
CHANNELS, HEADS, HIDDEN, BLOCKS = 36, 3, 144, 2
GRID = 7  # Position embeddings are made for GRID x GRID patches.
TOKENS = 1 + (HEIGHT // PATCH) * (WIDTH // PATCH)


def make_miniature(seed: int = 0) -> onnx.ModelProto:
    """The model: images [batch_size, 3, 56, 84] to heat maps."""
    export = _Export(seed)
    image = [export.size("", INPUT, axis) for axis in (2, 3)]
    value, *patches = _embeddings(export, *image)
    for block in range(BLOCKS):
        value = _block(export, block, value)
    value = _layer_norm(export, "/backbone/layernorm", value, outliers=4, gain=6)
    _decoder(export, value, image, patches)
    return export.model()


def make_images(count: int, seed: int) -> np.ndarray:
    """Images [count, 1, 3, 56, 84] in the range of normalized photographs: waves and noise."""
    rng = np.random.default_rng(seed)
    rows = np.arange(HEIGHT)[:, None] / HEIGHT
    columns = np.arange(WIDTH)[None, :] / WIDTH
    images = rng.normal(0, 0.2, (count, 1, 3, HEIGHT, WIDTH))
    for image in images.reshape(-1, HEIGHT, WIDTH):
        for _ in range(4):
            down, right, phase = rng.uniform(-4, 4, 3)
            image += 0.6 * np.sin(2 * math.pi * (down * rows + right * columns + phase))
    return images.astype(np.float32)


class _Export:
    """Makes nodes with the names that torch gives them.

    A node is called by its scope, its operator and, from the second on, a number; its result by the
    node with `_output_0`. Constants that the exporter's own rewriting makes have no scope, nor have
    weights that it transposed: these are called by their user and a number.
    """

    def __init__(self, seed: int):
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._counts: Counter[str] = Counter()
        self._unnamed = 300

    def op(self, scope: str, op_type: str, *inputs: str, output: str = "", **attributes) -> str:
        """A node of the scope; returns its result."""
        name = f"{scope}/{op_type}"
        count = self._counts[name]
        self._counts[name] += 1
        name = f"{name}_{count}" if count else name
        output = output or f"{name}_output_0"
        self.nodes.append(helper.make_node(op_type, inputs, [output], name=name, **attributes))
        return output

    def constant(self, scope: str, value: object, dtype: type = np.int64) -> str:
        """A Constant of the scope."""
        return self.op(scope, "Constant", value=numpy_helper.from_array(np.array(value, dtype)))

    def weight(self, name: str, array: np.ndarray) -> str:
        """An initializer."""
        self.initializers.append(numpy_helper.from_array(array.astype(np.float32), name))
        return name

    def unnamed_weight(self, op_type: str, array: np.ndarray) -> str:
        """An initializer that the exporter made."""
        return self.weight(self._unnamed_value(op_type), array)

    def unsqueeze(self, scope: str, value: str) -> str:
        """A number as a vector, by axes that the exporter made a constant of."""
        axes = self._unnamed_value("Unsqueeze")
        tensor = numpy_helper.from_array(np.array([0], np.int64))
        name = f"Constant_{len(self.nodes)}"
        self.nodes.append(helper.make_node("Constant", [], [axes], name=name, value=tensor))
        return self.op(scope, "Unsqueeze", value, axes)

    def size(self, scope: str, value: str, axis: int) -> str:
        """The size of a dimension."""
        shape = self.op(scope, "Shape", value)
        return self.op(scope, "Gather", shape, self.constant(scope, axis), axis=0)

    def linear(self, scope: str, value: str, inputs: int, outputs: int, gain: float = 1) -> str:
        """MatMul and Add, the bias first."""
        weights = self.rng.normal(0, gain / math.sqrt(inputs), (inputs, outputs))
        product = self.op(scope, "MatMul", value, self.unnamed_weight("MatMul", weights))
        bias = self.rng.normal(0, 0.3, outputs)
        return self.op(scope, "Add", self.weight(_parameter(scope, "bias"), bias), product)

    def model(self) -> onnx.ModelProto:
        """The model; its type says nothing about inner values."""
        image = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [BATCH, 3, HEIGHT, WIDTH])
        sizes = [f"Sigmoid{HEAT_MAP}_dim_{axis}" for axis in (1, 2, 3)]
        result = helper.make_tensor_value_info(HEAT_MAP, TensorProto.FLOAT, [BATCH, *sizes])
        graph = helper.make_graph(self.nodes, "main_graph", [image], [result], self.initializers)
        opsets = [helper.make_opsetid("", 14)]
        return helper.make_model(
            graph, opset_imports=opsets, ir_version=7, producer_name="nlq-miniature"
        )

    def _unnamed_value(self, op_type: str) -> str:
        self._unnamed += 1
        return f"onnx::{op_type}_{self._unnamed}"


def _parameter(scope: str, name: str) -> str:
    """What torch calls a parameter of the module whose scope it is."""
    return f"{scope[1:].replace('/', '.')}.{name}"


def _embeddings(export: _Export, height: str, width: str) -> tuple[str, str, str]:
    """Tokens of the patches behind the class token, plus position embeddings.

    Returns them and the numbers of rows and columns of patches.
    """
    scope = "/backbone/embeddings"
    batch = export.size(scope, INPUT, 0)
    patches = _patches(export, f"{scope}/patch_embeddings", _to_float(export, scope, INPUT))
    token = _class_token(export, scope, batch)
    tokens = export.op(scope, "Concat", token, patches, axis=1)
    channels = export.size(scope, tokens, 2)
    rows, columns = (_count_patches(export, scope, size) for size in (height, width))
    grid = _position_grid(export, scope, channels)
    grid = _resized(export, scope, grid, [rows, columns], "cubic")
    grid = export.op(scope, "Transpose", _to_float(export, scope, grid), perm=[0, 2, 3, 1])
    front = [export.constant(scope, [size]) for size in (1, -1)]
    shape = export.op(scope, "Concat", *front, export.unsqueeze(scope, channels), axis=0)
    positions = export.op(scope, "Reshape", grid, shape, allowzero=0)
    first = export.unnamed_weight("Concat", export.rng.normal(0, 0.1, (1, 1, CHANNELS)))
    positions = export.op(scope, "Concat", first, positions, axis=1)
    return export.op(scope, "Add", tokens, positions), rows, columns


def _to_float(export: _Export, scope: str, value: str) -> str:
    return export.op(scope, "Cast", value, to=TensorProto.FLOAT)


def _patches(export: _Export, scope: str, image: str) -> str:
    """[N, patches, channels]."""
    kernel = (CHANNELS, 3, PATCH, PATCH)
    projection = f"{scope}/projection"
    weight = export.rng.normal(0, 1 / math.sqrt(3 * PATCH * PATCH), kernel)
    value = export.op(
        projection,
        "Conv",
        image,
        export.weight(_parameter(projection, "weight"), weight),
        export.weight(_parameter(projection, "bias"), export.rng.normal(0, 0.1, CHANNELS)),
        **_window(PATCH, PATCH, 0),
    )
    kept = _leading_sizes(export, scope, value)
    shape = export.op(scope, "Concat", kept, export.constant(scope, [-1]), axis=0)
    value = export.op(scope, "Reshape", value, shape, allowzero=0)
    return export.op(scope, "Transpose", value, perm=[0, 2, 1])


def _window(kernel: int, stride: int, pad: int) -> dict[str, object]:
    return {
        "dilations": [1, 1],
        "group": 1,
        "kernel_shape": [kernel] * 2,
        "pads": [pad] * 4,
        "strides": [stride] * 2,
    }


def _leading_sizes(export: _Export, scope: str, value: str) -> str:
    """The first two dimensions of a value."""
    shape = export.op(scope, "Shape", value)
    axes, starts, ends = (export.constant(scope, [number]) for number in (0, 0, 2))
    return export.op(scope, "Slice", shape, starts, ends, axes)


def _class_token(export: _Export, scope: str, batch: str) -> str:
    """The class token for every image: -1 in the wanted shape leaves a dimension as it is."""
    batch = export.op(scope, "Unsqueeze", batch, export.constant(scope, [0]))
    same = [export.constant(scope, [-1]) for _ in range(2)]
    wanted = export.op(scope, "Concat", batch, *same, axis=0)
    wanted = export.op(scope, "Reshape", wanted, export.constant(scope, [-1]), allowzero=0)
    shape = export.op(scope, "Shape", wanted)
    one = numpy_helper.from_array(np.array([1], np.int64))
    ones = export.op(scope, "ConstantOfShape", shape, value=one)
    minus = export.op(scope, "Mul", ones, export.constant(scope, -1))
    is_same = export.op(scope, "Equal", wanted, minus)
    shape = export.op(scope, "Where", is_same, ones, wanted)
    token = export.rng.normal(0, 0.1, (1, 1, CHANNELS))
    return export.op(scope, "Expand", export.weight(_parameter(scope, "cls_token"), token), shape)


def _count_patches(export: _Export, scope: str, size: str) -> str:
    count = export.op(scope, "Div", size, export.constant(scope, PATCH))
    for _ in range(2):
        count = export.op(scope, "Cast", count, to=TensorProto.INT64)
    return count


def _position_grid(export: _Export, scope: str, channels: str) -> str:
    """Position embeddings [1, channels, GRID, GRID], the side as the root of their number."""
    number, half = (export.constant(scope, value, np.float32) for value in (GRID * GRID, 0.5))
    side = export.op(scope, "Pow", number, half)
    side = export.op(scope, "Cast", side, to=TensorProto.INT64)
    sizes = [export.constant(scope, [1])]
    sizes += [export.unsqueeze(scope, size) for size in (side, side, channels)]
    shape = export.op(scope, "Concat", *sizes, axis=0)
    embeddings = export.rng.normal(0, 0.3, (1, GRID * GRID, CHANNELS))
    value = export.unnamed_weight("Reshape", embeddings)
    value = export.op(scope, "Reshape", value, shape, allowzero=0)
    value = export.op(scope, "Transpose", value, perm=[0, 3, 1, 2])
    return _to_float(export, scope, value)


def _resized(export: _Export, scope: str, value: str, sizes: list[str], mode: str) -> str:
    """An interpolation to a height and a width."""
    axes = [export.unsqueeze(scope, size) for size in sizes]
    wanted = export.op(scope, "Concat", *axes, axis=0)
    kept = _leading_sizes(export, scope, value)
    wanted = export.op(scope, "Cast", wanted, to=TensorProto.INT64)
    return export.op(
        scope,
        "Resize",
        value,
        "",
        "",
        export.op(scope, "Concat", kept, wanted, axis=0),
        coordinate_transformation_mode="half_pixel",
        cubic_coeff_a=-0.75,
        mode=mode,
        nearest_mode="floor",
    )


def _block(export: _Export, index: int, value: str) -> str:
    """Attention and MLP, each behind a layer normalization and scaled before it is added."""
    scope = f"/backbone/encoder/layer.{index}"
    inner = _layer_norm(export, f"{scope}/norm1", value, outliers=3, gain=4)
    inner = _attention(export, f"{scope}/attention", inner)
    inner = _layer_scale(export, f"{scope}/layer_scale1", inner)
    value = export.op(scope, "Add", inner, value)
    inner = _layer_norm(export, f"{scope}/norm2", value, outliers=2, gain=20)
    inner = export.linear(f"{scope}/mlp/fc1", inner, CHANNELS, HIDDEN, gain=0.4)
    inner = _gelu(export, f"{scope}/mlp/activation", inner)
    inner = export.linear(f"{scope}/mlp/fc2", inner, HIDDEN, CHANNELS)
    inner = _layer_scale(export, f"{scope}/layer_scale2", inner)
    return export.op(scope, "Add", inner, value)


def _layer_norm(export: _Export, scope: str, value: str, outliers: int, gain: float) -> str:
    """With `outliers` channels whose gain is `gain` and not about 1."""
    mean = export.op(scope, "ReduceMean", value, axes=[-1])
    centred = export.op(scope, "Sub", value, mean)
    power = export.op(scope, "Pow", centred, export.constant(scope, 2, np.float32))
    variance = export.op(scope, "ReduceMean", power, axes=[-1])
    safe = export.op(scope, "Add", variance, export.constant(scope, 1e-6, np.float32))
    value = export.op(scope, "Div", centred, export.op(scope, "Sqrt", safe))
    gains = export.rng.uniform(0.5, 1.5, CHANNELS)
    gains[export.rng.choice(CHANNELS, outliers, replace=False)] = gain
    value = export.op(scope, "Mul", value, export.weight(_parameter(scope, "weight"), gains))
    shifts = export.rng.normal(0, 0.4, CHANNELS)
    return export.op(scope, "Add", value, export.weight(_parameter(scope, "bias"), shifts))


def _attention(export: _Export, scope: str, value: str) -> str:
    inner = f"{scope}/attention"
    keys = _heads(export, inner, _projection(export, f"{inner}/key", value, 2))
    values = _heads(export, inner, _projection(export, f"{inner}/value", value, 0.5))
    values = export.op(inner, "Transpose", values, perm=[0, 2, 1, 3])
    queries = _heads(export, inner, _projection(export, f"{inner}/query", value, 2))
    queries = export.op(inner, "Transpose", queries, perm=[0, 2, 1, 3])
    keys = export.op(inner, "Transpose", keys, perm=[0, 2, 3, 1])
    # The root of 1 / sqrt(head size), once for each.
    factor = (CHANNELS // HEADS) ** -0.25
    queries = export.op(inner, "Mul", queries, export.constant(inner, factor, np.float32))
    keys = export.op(inner, "Mul", keys, export.constant(inner, factor, np.float32))
    scores = export.op(inner, "MatMul", queries, keys)
    shares = export.op(inner, "Softmax", scores, axis=-1)
    value = export.op(inner, "MatMul", shares, values)
    value = export.op(inner, "Transpose", value, perm=[0, 2, 1, 3])
    value = _reshaped(export, inner, value, [CHANNELS])
    return export.linear(f"{scope}/output/dense", value, CHANNELS, CHANNELS)


def _projection(export: _Export, scope: str, value: str, gain: float) -> str:
    return export.linear(scope, value, CHANNELS, CHANNELS, gain)


def _heads(export: _Export, scope: str, value: str) -> str:
    return _reshaped(export, scope, value, [HEADS, CHANNELS // HEADS])


def _reshaped(export: _Export, scope: str, value: str, sizes: list[int]) -> str:
    """The first two dimensions as they are, the others by `sizes`."""
    leading = [export.size(scope, value, axis) for axis in (0, 1)]
    leading = [export.unsqueeze(scope, size) for size in leading]
    others = [export.constant(scope, [size]) for size in sizes]
    shape = export.op(scope, "Concat", *leading, *others, axis=0)
    return export.op(scope, "Reshape", value, shape, allowzero=0)


def _layer_scale(export: _Export, scope: str, value: str) -> str:
    factors = export.rng.normal(0, 0.4, CHANNELS)
    return export.op(scope, "Mul", value, export.weight(_parameter(scope, "lambda1"), factors))


def _gelu(export: _Export, scope: str, value: str) -> str:
    root = export.constant(scope, math.sqrt(2), np.float32)
    bent = export.op(scope, "Erf", export.op(scope, "Div", value, root))
    bent = export.op(scope, "Add", bent, export.constant(scope, 1, np.float32))
    product = export.op(scope, "Mul", value, bent)
    return export.op(scope, "Mul", product, export.constant(scope, 0.5, np.float32))


def _decoder(export: _Export, tokens: str, image: list[str], patches: list[str]) -> None:
    """A heat map as large as the image, by operators that nlq does not support."""
    batch, channels = (export.size("", tokens, axis) for axis in (0, 2))
    axes, starts, ends, steps = (export.constant("", [n]) for n in (1, 1, 2**63 - 1, 1))
    value = export.op("", "Slice", tokens, starts, ends, axes, steps)
    value = export.op("", "Transpose", value, perm=[0, 2, 1])
    sizes = [export.unsqueeze("", size) for size in (batch, channels, *patches)]
    shape = export.op("", "Concat", *sizes, axis=0)
    value = export.op("", "Reshape", value, shape, allowzero=0)
    middle = 8
    value = _convolution(export, "upconv1", "ConvTranspose", value, (CHANNELS, middle, 4, 4), 2, 1)
    parameters = [
        export.weight(f"decoder.bn1.{name}", export.rng.uniform(0.5, 1.5, middle))
        for name in ("weight", "bias", "running_mean", "running_var")
    ]
    value = export.op(
        "/decoder/bn1",
        "BatchNormalization",
        value,
        *parameters,
        epsilon=1e-5,
        momentum=0.9,
        training_mode=0,
    )
    value = export.op("/decoder/relu1", "Relu", value)
    value = _convolution(export, "final_conv", "Conv", value, (1, middle, 1, 1), 1, 0)
    value = _resized(export, "/decoder", value, image, "linear")
    export.op("", "Sigmoid", value, output=HEAT_MAP)


def _convolution(
    export: _Export,
    name: str,
    op_type: str,
    value: str,
    shape: tuple[int, ...],
    stride: int,
    pad: int,
) -> str:
    channels = shape[1] if op_type == "ConvTranspose" else shape[0]
    return export.op(
        f"/decoder/{name}",
        op_type,
        value,
        export.weight(f"decoder.{name}.weight", export.rng.normal(0, 0.2, shape)),
        export.weight(f"decoder.{name}.bias", export.rng.normal(0, 0.2, channels)),
        **_window(shape[-1], stride, pad),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Writes the miniature of the ViT-S.")
    parser.add_argument("file", type=Path)
    parser.add_argument("seed", type=int, nargs="?", default=0)
    options = parser.parse_args()
    onnx.save(make_miniature(options.seed), options.file)
