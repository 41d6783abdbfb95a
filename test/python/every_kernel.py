# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Modules with a kernel of every method, operation and form, and adversarial rows for them."""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nlq.errors import NlqError
from nlq.native import Module, Runner, list_methods

_NORMS = ("layer_norm", "rms_norm")
_SHARES = "!quant.uniform<i16:f32, 3.0517578125e-05>"


@dataclass(frozen=True)
class Operand:
    """Stored integers of `bits` in [low, high]; one scale, or one per column over two octaves."""

    bits: int
    low: int
    high: int
    scale: float
    per_column: bool = False

    def type(self, columns: int) -> str:
        """The quantized type."""
        head = f"!quant.uniform<i{self.bits}<{self.low}:{self.high}>:f32"
        if not self.per_column:
            return f"{head}, {self.scale:.17e}>"
        scales = self.scale * 2 ** np.linspace(-1, 1, columns)
        return f"{head}:1, {{{', '.join(f'{scale:.17e}' for scale in scales)}}}>"

    def narrowed(self) -> "Operand":
        """A type of 8 bits of about the same reach."""
        return Operand(8, -127, 127, float(self.scale * self.high / 127))


@dataclass(frozen=True)
class Kernel:
    """One operation by one method, on rows of a tensor."""

    name: str
    text: str
    operand: Operand
    columns: int


def kernels(columns: int, thorough: bool) -> Iterator[Kernel]:
    """Legal kernels for rows of so many columns: of all operands and widths, or of two each."""
    for method in list_methods():
        for entry in method["implementations"]:
            widths = sorted({each["out_bits"] for each in entry["candidates"]}, reverse=True)
            legal = [
                kernel
                for operand in _operands(entry["function"])
                for narrows in ((False,) if operand.bits == 8 else (True, False))
                for bits in widths
                if _is_legal(
                    kernel := _kernel(method["name"], entry, operand, narrows, bits, columns)
                )
            ]
            some = legal if thorough or len(legal) < 3 else [legal[0], legal[-1]]
            yield from some
            if entry["function"] == "softmax":
                yield from filter(_is_legal, map(_make_causal, some[:2]))
                # Bytes to bytes, in rows so long that they may have a table of their own.
                bits = widths if thorough else widths[:1]
                for operand in _operands("softmax")[:1] + [Operand(8, -128, 127, 0.01)]:
                    for width in bits:
                        kernel = _kernel(
                            method["name"], entry, operand, False, width, columns + 150
                        )
                        yield from filter(_is_legal, [_make_bytes(kernel)])
    yield from _without_methods(columns)


def _operands(function: str) -> list[Operand]:
    if function == "softmax":
        return [
            Operand(8, -127, 127, 0.0625),
            Operand(16, -32767, 32767, 0.0006),
            Operand(32, -130000, 130000, 2.0e-4),
        ]
    if function in _NORMS:
        return [Operand(16, -32767, 32767, 0.001), Operand(8, -127, 127, 0.03)]
    return [
        Operand(8, -127, 127, 0.05),
        Operand(16, -32767, 32767, 2.0e-4),
        Operand(32, -284261, 284261, 2.0e-5),
        Operand(32, -284261, 284261, 2.0e-5, per_column=True),
    ]


def _make_bytes(softmax: Kernel) -> Kernel:
    text = softmax.text.replace(_SHARES, "!quant.uniform<i8:f32, 0.00390625:-128>")
    return replace(softmax, name=f"{softmax.name}, to bytes", text=text)


def _make_causal(softmax: Kernel) -> Kernel:
    text = softmax.text.replace("%x ", "%x causal ")
    return replace(softmax, name=f"{softmax.name}, causal", text=text)


def _without_methods(columns: int) -> Iterator[Kernel]:
    """nlq.requantize with every rounding, and nlq.lookup."""
    generator = np.random.default_rng(columns)
    narrow, _, wide, per_column = _operands("requantize")
    for rounding in ("floor", "toward_zero", "half_up", "half_even", "half_away"):
        for operand in (narrow, wide, per_column):
            result = (
                f"tensor<@x!quant.uniform<i8:f32, {operand.scale * operand.high / 100:.17e}:3>>"
            )
            text = f"nlq.requantize %x {rounding} : tensor<@x{operand.type(columns)}> -> {result}"
            name = f"requantize {rounding} of i{operand.bits} {operand.per_column}, {columns}"
            yield Kernel(name, text, operand, columns)
    for least, most, bits in ((-128, 127, 8), (-30000, 30000, 16)):
        entries = generator.integers(least, most + 1, narrow.high - narrow.low + 1).tolist()
        result = f"tensor<@x!quant.uniform<i{bits}:f32, 1.0e-3>>"
        text = f"nlq.lookup %x {entries} : tensor<@x{narrow.type(columns)}> -> {result}"
        yield Kernel(f"lookup to i{bits}, {columns}", text, narrow, columns)


def _kernel(
    method: str, entry: dict, operand: Operand, narrows: bool, bits: int, columns: int
) -> Kernel:
    function, form = entry["function"], entry["form"]
    in_type = (operand.narrowed() if narrows else operand).type(columns)
    out_type = "!quant.uniform<i8:f32, 0.03>"
    if function == "softmax":
        out_type = _SHARES
    attribute = f"method = #nlq.{method}<form = {form}, in = {in_type}, out_bits = {bits}>"
    source, result = f"tensor<@x{operand.type(columns)}>", f"tensor<@x{out_type}>"
    row = f"tensor<{columns}xf32>"
    if function in _NORMS:
        constants = ["%gamma", "%beta"][: 2 if function == "layer_norm" else 1]
        text = f"nlq.{function} %x, {', '.join(constants)} {{epsilon = 1.0e-6, {attribute}}} : "
        text += f"{source}, {', '.join([row] * len(constants))} -> {result}"
    else:
        kind = " erf" if function == "gelu" else ""
        text = f"nlq.{function} %x{kind} {{{attribute}}} : {source} -> {result}"
    narrowed = " narrowed" if narrows else ""
    name = f"{method} {form} {function} of i{operand.bits}{narrowed}, {bits} bits, {columns}"
    return Kernel(name, text, operand, columns)


def make_module(some: list[Kernel], rows: int, path: Path) -> Module:
    """A module whose main takes an operand of each kernel and returns all results."""
    body, arguments, values, types = [], [], [], []
    generator = np.random.default_rng(5)
    for number, kernel in enumerate(some):
        text = kernel.text.replace("@", f"{rows}x{kernel.columns}").replace("%x", f"%x{number}")
        source, result = re.search(r" : (tensor<[^ ].*?>>).* -> (.*)$", text).groups()
        for name in ("gamma", "beta"):
            if f"%{name}" in text:
                text = text.replace(f"%{name}", f"%{name}{number}")
                centre = 1 if name == "gamma" else 0
                drawn = np.round(generator.normal(centre, 0.4, kernel.columns), 3) + 1.0e-4
                body.append(
                    f"%{name}{number} = arith.constant dense<{drawn.tolist()}> : "
                    f"tensor<{kernel.columns}xf32>"
                )
        body.append(f"%y{number} = {text}")
        arguments.append(f"%x{number}: {source}")
        values.append(f"%y{number}")
        types.append(result)
    body.append(f"return {', '.join(values)} : {', '.join(types)}")
    lines = "\n  ".join(body)
    path.write_text(
        f"func.func @main({', '.join(arguments)}) -> ({', '.join(types)}) {{\n  {lines}\n}}\n"
    )
    return Module.parse(path)


def make_rows(kernel: Kernel, rows: int) -> np.ndarray:
    """Extremes, constants, one-hot and alternating rows first, then random ones."""
    low, high, columns = kernel.operand.low, kernel.operand.high, kernel.columns
    generator = np.random.default_rng(columns)
    made = [np.full(columns, value) for value in (low, high, 0)]
    for others, one in ((low, high), (high, low), (0, 1)):
        made.append(np.full(columns, others))
        made[-1][columns // 2] = one
    made.append(np.where(np.arange(columns) % 2, low, high))
    made.append(np.arange(columns) % 3 - 1)
    made.append(generator.integers(low, high + 1, columns))
    while len(made) < rows:
        sigma = high * 10 ** generator.uniform(-3, 0)
        made.append(np.clip(np.rint(generator.normal(0, sigma, columns)), low, high))
    return np.array(made[:rows], np.int64)


def _is_legal(kernel: Kernel) -> bool:
    """Whether the method takes the operand; a refusal is one of the product's own errors."""
    with tempfile.TemporaryDirectory() as folder:
        module = make_module([kernel], 1, Path(folder) / "kernel.mlir")
        try:
            Runner.reference(module)
        except NlqError:
            return False
        return True
