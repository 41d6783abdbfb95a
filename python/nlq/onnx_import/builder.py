# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The operation forms an imported module consists of.

The passes that quantize a module rely on these forms. All tensors are static and of f32.
"""

import math

import numpy as np

from nlq.onnx_import.mlir import (
    Module,
    Names,
    Value,
    float_literal,
    index_list,
    location,
    splat_literal,
    tensor_type,
)
from nlq.onnx_import.reshape import Reassociation, reassociate

Shape = tuple[int, ...]


class Builder:
    """Builds the one function of a module, op after op.

    Every op gets the location `self.location`, a name.
    """

    def __init__(self):
        """Starts an empty function without arguments."""
        self.location = ""
        self._names = Names()
        self._arguments: list[tuple[Value, str]] = []
        self._constants: list[str] = []
        self._body: list[str] = []
        self._resources: dict[str, np.ndarray] = {}
        self._resource_names = Names()
        self._known_constants: dict[tuple[Shape, bytes], Value] = {}
        self._zero = ""

    def argument(self, name: str, shape: Shape) -> Value:
        """Appends an argument; `name` is what the model calls it."""
        # %cst0, %cst1, ... are the constants.
        wanted = f"_{name}" if name.startswith("cst") else name
        value = Value(f"%{self._names.make(wanted)}", shape)
        self._arguments.append((value, name))
        return value

    def finish(self, results: list[tuple[Value, str]]) -> Module:
        """The module, whose function returns `results` (value, name)."""
        return Module(self._arguments, results, self._constants, self._body, self._resources)

    # --- Constants -----------------------------------------------------------------------

    def constant(self, name: str, array: np.ndarray) -> Value:
        """A constant: a splat where all elements have the same bits, else a resource.

        `name` becomes its location and, as far as the characters allow, the resource's key. Equal
        constants are made once.
        """
        array = np.ascontiguousarray(array, np.float32)
        bits = array.view(np.uint32) if array.ndim else array.reshape(1).view(np.uint32)
        is_splat = array.size > 0 and bool((bits == bits.flat[0]).all())
        key = (array.shape, bits.flat[0].tobytes() if is_splat else array.tobytes())
        if key in self._known_constants:
            return self._known_constants[key]
        if is_splat:
            literal = f"dense<{splat_literal(array.flat[0])}>"
        else:
            resource = self._resource_names.make(name)
            self._resources[resource] = array
            literal = f"dense_resource<{resource}>"
        value = Value(f"%cst{len(self._constants)}", array.shape)
        self._constants.append(
            f"{value.name} = arith.constant {literal} : {value.type} {location(name)}"
        )
        self._known_constants[key] = value
        return value

    def zeros(self, shape: Shape) -> Value:
        """A tensor filled with 0, to accumulate into."""
        if not self._zero:
            self._zero = f"%cst{len(self._constants)}"
            self._constants.append(
                f"{self._zero} = arith.constant 0.0 : f32 {location(self.location)}"
            )
        init = self._empty(shape)
        return self._op(
            f"linalg.fill ins({self._zero} : f32) outs({init.name} : {init.type}) -> {init.type}",
            shape,
        )

    # --- Linear algebra ------------------------------------------------------------------

    def matmul(self, lhs: Value, rhs: Value, bias: Value | None) -> Value:
        """lhs [M, K] times rhs [K, N], plus bias [N] in every row: [M, N]."""
        shape = (lhs.shape[0], rhs.shape[1])
        init = self.zeros(shape) if bias is None else self.broadcast(bias, shape, (0,))
        return self._product("linalg.matmul", lhs, rhs, init)

    def batch_matmul(self, lhs: Value, rhs: Value) -> Value:
        """lhs [B, M, K] times rhs [B, K, N]: [B, M, N]."""
        init = self.zeros((*lhs.shape[:2], rhs.shape[2]))
        return self._product("linalg.batch_matmul", lhs, rhs, init)

    def _product(self, op: str, lhs: Value, rhs: Value, init: Value) -> Value:
        return self._op(
            f"{op} ins({lhs.name}, {rhs.name} : {lhs.type}, {rhs.type}) "
            f"outs({init.name} : {init.type}) -> {init.type}",
            init.shape,
        )

    # --- Shape ---------------------------------------------------------------------------

    def broadcast(self, value: Value, shape: Shape, dimensions: Shape) -> Value:
        """Repeats a value along `dimensions` of `shape`, which it does not have itself."""
        init = self._empty(shape)
        return self._op(
            f"linalg.broadcast ins({value.name} : {value.type}) outs({init.name} : {init.type}) "
            f"dimensions = {index_list(dimensions)}",
            shape,
        )

    def broadcast_to(self, value: Value, shape: Shape) -> Value:
        """Broadcasts by the rules of numpy and ONNX."""
        padded = (1,) * (len(shape) - len(value.shape)) + value.shape
        kept = tuple(size for size, wanted in zip(padded, shape, strict=True) if size == wanted)
        repeated = tuple(axis for axis, size in enumerate(padded) if size != shape[axis])
        if not repeated:
            return self.reshape(value, shape)
        return self.broadcast(self.reshape(value, kept), shape, repeated)

    def transpose(self, value: Value, permutation: Shape) -> Value:
        """Dimension i of the result is dimension permutation[i] of the value."""
        if permutation == tuple(range(len(permutation))):
            return value
        shape = tuple(value.shape[axis] for axis in permutation)
        init = self._empty(shape)
        return self._op(
            f"linalg.transpose ins({value.name} : {value.type}) outs({init.name} : {init.type}) "
            f"permutation = {index_list(permutation)}",
            shape,
        )

    def reshape(self, value: Value, shape: Shape) -> Value:
        """A collapse_shape, an expand_shape, both, or nothing."""
        if value.shape == shape:
            return value
        collapse, expand = reassociate(value.shape, shape)
        middle = tuple(math.prod(value.shape[axis] for axis in group) for group in collapse)
        if middle != value.shape:
            value = self._op(
                f"tensor.collapse_shape {value.name} {_groups(collapse)} : "
                f"{value.type} into {tensor_type(middle)}",
                middle,
            )
        if middle == shape:
            return value
        return self._op(
            f"tensor.expand_shape {value.name} {_groups(expand)} "
            f"output_shape {index_list(shape)} : {value.type} into {tensor_type(shape)}",
            shape,
        )

    def extract_slice(
        self, value: Value, offsets: Shape, sizes: Shape, strides: Shape, shape: Shape
    ) -> Value:
        """A slice; `shape` is `sizes`, or `sizes` without some dimensions of size 1."""
        if shape == value.shape:
            return value
        return self._op(
            f"tensor.extract_slice {value.name}{index_list(offsets)} {index_list(sizes)} "
            f"{index_list(strides)} : {value.type} to {tensor_type(shape)}",
            shape,
        )

    def concat(self, axis: int, values: list[Value], shape: Shape) -> Value:
        """The values one after the other along `axis`."""
        names = ", ".join(value.name for value in values)
        types = ", ".join(value.type for value in values)
        return self._op(
            f"tensor.concat dim({axis}) {names} : ({types}) -> {tensor_type(shape)}", shape
        )

    # --- Elements and rows ---------------------------------------------------------------

    def binary(self, op: str, lhs: Value, rhs: Value) -> Value:
        """An elementwise op of the arith dialect on two values of one shape."""
        return self._op(f"{op} {lhs.name}, {rhs.name} : {lhs.type}", lhs.shape)

    def softmax(self, value: Value, axis: int) -> Value:
        """Softmax over one dimension, counted from the front."""
        if axis == len(value.shape) - 1:
            return self.unary("softmax", value)
        return self._op(
            f"nlq.softmax {value.name} {{axis = {axis} : i64}} : {value.type} -> {value.type}",
            value.shape,
        )

    def unary(self, function: str, value: Value) -> Value:
        """A function without parameters: softmax (over the last dimension), silu, ..."""
        return self._op(f"nlq.{function} {value.name} : {value.type} -> {value.type}", value.shape)

    def masked_softmax(self, value: Value, mask: Value | None = None, *, causal: bool) -> Value:
        """Softmax over the last dimension of `value` plus `mask`; an infinite element is left out.

        The dimensions of the mask are the last of the value's, or 1 in front of the row.
        """
        added = f" mask({mask.name} : {mask.type})" if mask else ""
        return self._op(
            f"nlq.softmax {value.name}{added}{' causal' if causal else ''} : "
            f"{value.type} -> {value.type}",
            value.shape,
        )

    def gelu(self, value: Value, form: str) -> Value:
        """GELU; `form` is erf or tanh."""
        return self._op(f"nlq.gelu {value.name} {form} : {value.type} -> {value.type}", value.shape)

    def layer_norm(self, value: Value, gamma: Value, beta: Value, epsilon: float) -> Value:
        """Layer normalization over the last dimensions, those of gamma and beta.

        `epsilon` has single precision in ONNX and is written in the digits that give that back.
        """
        return self._op(
            f"nlq.layer_norm {value.name}, {gamma.name}, {beta.name} "
            f"{{epsilon = {float_literal(np.float32(epsilon))} : f64}} : "
            f"{value.type}, {gamma.type}, {beta.type} -> {value.type}",
            value.shape,
        )

    def rms_norm(self, value: Value, gamma: Value, epsilon: float) -> Value:
        """RMS normalization over the last dimensions, those of gamma."""
        return self._op(
            f"nlq.rms_norm {value.name}, {gamma.name} "
            f"{{epsilon = {float_literal(np.float32(epsilon))} : f64}} : "
            f"{value.type}, {gamma.type} -> {value.type}",
            value.shape,
        )

    # --- Lines ---------------------------------------------------------------------------

    def _empty(self, shape: Shape) -> Value:
        return self._op(f"tensor.empty() : {tensor_type(shape)}", shape)

    def _op(self, text: str, shape: Shape) -> Value:
        value = Value(f"%{len(self._body)}", shape)
        self._body.append(f"{value.name} = {text} {location(self.location)}")
        return value


def _groups(groups: Reassociation) -> str:
    return index_list([index_list(group) for group in groups])
