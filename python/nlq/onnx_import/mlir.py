# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The text of an MLIR module with one function, and of the things in it."""

import dataclasses
import math
import re
from typing import TextIO

import numpy as np

# The alignment of a resource's payload, as its little endian 32-bit header.
_ALIGNMENT = b"\x04\x00\x00\x00"


@dataclasses.dataclass(frozen=True)
class Value:
    """An SSA value: its name with the percent sign, and the shape of its f32 tensor."""

    name: str
    shape: tuple[int, ...]

    @property
    def type(self) -> str:
        """Its type as text."""
        return tensor_type(self.shape)


def tensor_type(shape: tuple[int, ...]) -> str:
    """The f32 tensor type of a shape."""
    return "tensor<" + "".join(f"{size}x" for size in shape) + "f32>"


def quoted(text: str) -> str:
    """A string literal; what is not printable ASCII becomes hexadecimal escapes of UTF-8."""
    return (
        '"'
        + "".join(
            chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:02X}"
            for byte in text.encode()
        )
        + '"'
    )


def location(name: str) -> str:
    """A location that carries a name."""
    return f"loc({quoted(name)})"


def float_literal(value: float | np.float32) -> str:
    """A finite number in the fewest digits that give it back in its own precision."""
    mantissa, _, exponent = str(value).partition("e")
    if "." not in mantissa:
        mantissa += ".0"
    return f"{mantissa}e{exponent}" if exponent else mantissa


def splat_literal(value: np.float32) -> str:
    """The element of a splat of f32; a hexadecimal bit pattern where it is not finite."""
    if not math.isfinite(value):
        return f"0x{int(value.view(np.uint32)):08X}"
    # MLIR reads a literal as a double and then narrows it: the double is spelled in full.
    return float_literal(float(value))


def index_list(values: tuple[int, ...] | list[int]) -> str:
    """A bracketed list of integers."""
    return "[" + ", ".join(map(str, values)) + "]"


class Names:
    """Hands out unique names made of the characters that need no quotes in MLIR."""

    def __init__(self):
        """Starts without any name taken."""
        self._taken: set[str] = set()

    def make(self, wanted: str) -> str:
        """`wanted`, with other characters replaced and a number added if it is taken."""
        base = re.sub(r"[^A-Za-z0-9_.$]", "_", wanted).strip(".") or "value"
        if not (base[0].isalpha() or base[0] == "_"):
            base = f"_{base}"
        name, count = base, 1
        while name in self._taken:
            count += 1
            name = f"{base}_{count}"
        self._taken.add(name)
        return name


@dataclasses.dataclass
class Module:
    """A module with one function `main` and the blobs of its constants.

    Attributes:
        arguments: each argument with the name the model gives it.
        results: each returned value with the name the model gives it.
        constants: the lines of the function that make constants, without indentation.
        body: the other lines but the return.
        resources: the arrays, of float32, by the key they have in dialect_resources.
    """

    arguments: list[tuple[Value, str]]
    results: list[tuple[Value, str]]
    constants: list[str]
    body: list[str]
    resources: dict[str, np.ndarray]

    def write(self, stream: TextIO) -> None:
        """Writes the module as text."""
        arguments = ", ".join(
            f"{value.name}: {value.type} {{nlq.name = {quoted(name)}}} {location(name)}"
            for value, name in self.arguments
        )
        results = ", ".join(
            f"{value.type} {{nlq.name = {quoted(name)}}}" for value, name in self.results
        )
        stream.write("module {\n")
        stream.write(f"  func.func @main({arguments}) -> ({results}) {{\n")
        for line in (*self.constants, *self.body):
            stream.write(f"    {line}\n")
        names = ", ".join(value.name for value, _ in self.results)
        types = ", ".join(value.type for value, _ in self.results)
        stream.write(f"    return {names} : {types} loc(unknown)\n")
        stream.write("  } loc(unknown)\n} loc(unknown)\n")
        if self.resources:
            self._write_resources(stream)

    def _write_resources(self, stream: TextIO) -> None:
        stream.write("\n{-#\n  dialect_resources: {\n    builtin: {\n")
        last = len(self.resources) - 1
        for index, (key, array) in enumerate(self.resources.items()):
            payload = _ALIGNMENT + array.astype("<f4").tobytes()
            end = "" if index == last else ","
            stream.write(f'      {key}: "0x{payload.hex().upper()}"{end}\n')
        stream.write("    }\n  }\n#-}\n")
