# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The functions that nlq-bench makes of operations, as numbers."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from nlq.errors import NlqError
from nlq.native import Module, Signature, Tensor


@dataclass(frozen=True)
class Grid:
    """An 8-bit quantized type: a number is scale * (q - zero_point)."""

    scale: float
    zero_point: int


@dataclass(frozen=True)
class Kernel:
    """A function on any number of rows of one length.

    `constants` are the operation's f32 operands with an entry per column: gamma, or gamma and
    beta. `epsilon` is that of normalizations.
    """

    function: str
    op: str
    columns: int
    operand: Grid
    result: Grid
    constants: list[np.ndarray] = field(default_factory=list)
    epsilon: float | None = None


def read_kernels(path: Path) -> list[Kernel]:
    """Reads a module that `nlq-bench --save-module` wrote: its functions of rows, from 8 bits to
    8 bits."""
    module = Module.parse(path)
    bodies = dict(
        re.findall(r"func\.func @(\w+)\(.*?\n(.*?)\n  }", module.text(elide=False), re.DOTALL)
    )
    return [
        _read_kernel(name, signature, bodies[name])
        for name, signature in module.functions().items()
        if all(
            tensor.kind == "i8" and len(tensor.shape) == 2
            for tensor in (*signature.arguments, *signature.results)
        )
    ]


def _read_kernel(name: str, signature: Signature, body: str) -> Kernel:
    (operand,), (result,) = signature.arguments, signature.results
    op = re.search(r" nlq\.(\w+) ", body)
    epsilon = re.search(r"epsilon = ([-+.\deE]+)", body)
    if op is None or operand.shape[-1] is None:
        raise NlqError(f"'{name}' is not a function that nlq-bench made")
    return Kernel(
        name,
        op[1],
        operand.shape[-1],
        _read_grid(operand),
        _read_grid(result),
        [
            np.frombuffer(bytes.fromhex(digits), "<f4")
            for digits in re.findall(r'dense<"0x([0-9A-F]+)"> : tensor<\d+xf32>', body)
        ],
        float(epsilon[1]) if epsilon else None,
    )


def _read_grid(tensor: Tensor) -> Grid:
    found = re.fullmatch(
        r"!quant\.uniform<i8:f32, ([-+.\deE]+)(?::(-?\d+))?>", tensor.quantized or ""
    )
    if found is None:
        raise NlqError(f"'{tensor.quantized}' is not a type of 8 bits with one scale")
    return Grid(float(found[1]), int(found[2] or 0))
