# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Times of the library beside memcpy and other tools, in one run."""

import ctypes
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from nlq.bench.kernels import Kernel
from nlq.bench.library import symbol
from nlq.bench.onnx_runtime import implementations

_ROUNDS = 15
_SAMPLE_SECONDS = 0.005


@dataclass
class Row:
    """An implementation of an operation on an array of one size; times in ns."""

    op: str
    rows: int
    columns: int
    implementation: str
    elements: str
    ns_per_element: float
    # Against a copy of as many elements of the same size, and against the library.
    memcpy_ratio: float
    library_ratio: float
    # Integers of results that differ from the library's, and the largest difference.
    different: int | None = None
    largest_difference: int | None = None

    def to_json(self) -> dict:
        """The fields."""
        return asdict(self)


@dataclass
class _Entry:
    title: str
    elements: str
    call: Callable[[], None]
    result: np.ndarray | None
    calls: int = 1
    samples: list[float] | None = None


def compare(kernel: Kernel, rows: int, library: Path) -> list[Row]:
    """The library's function, memcpy and ONNX Runtime, taking turns; CPU time, medians."""
    shape = (rows, kernel.columns)
    generator = np.random.default_rng(1)
    x8 = _aligned(shape, np.int8)
    x8[:] = np.clip(np.rint(generator.normal(0, 42, shape)), -128, 127)
    x32 = _aligned(shape, np.float32)
    x32[:] = kernel.operand.scale * (x8.astype(np.float32) - kernel.operand.zero_point)

    y8 = _aligned(shape, np.int8, 3136)
    entries = [
        _Entry("nlq", "i8", _library_call(library, kernel, x8, y8), y8),
        _copy("i8", x8),
        _copy("f32", x32),
    ]
    for title, is_quantized, run in implementations(kernel, rows):
        x = x8 if is_quantized else x32
        y = _aligned(shape, x.dtype, 3136)
        call = lambda run=run, x=x, y=y: run(x, y)  # noqa: E731
        entries.append(_Entry(title, "i8" if is_quantized else "f32", call, y))
    _measure(entries)
    medians = [statistics.median(entry.samples) for entry in entries]
    copies = {
        entry.elements: median for entry, median in zip(entries[1:3], medians[1:3], strict=True)
    }
    found = []
    for entry, median in zip(entries, medians, strict=True):
        row = Row(
            kernel.op,
            rows,
            kernel.columns,
            entry.title,
            entry.elements,
            median * 1e9 / x8.size,
            median / copies[entry.elements],
            median / medians[0],
        )
        if entry.result is not None:
            difference = np.abs(_to_integers(kernel, entry.result) - y8.astype(np.int32))
            row.different = int((difference > 0).sum())
            row.largest_difference = int(difference.max())
        found.append(row)
    return found


def _to_integers(kernel: Kernel, values: np.ndarray) -> np.ndarray:
    """Floats on the grid of the result."""
    if values.dtype == np.int8:
        return values.astype(np.int32)
    rounded = np.rint(values.astype(np.float64) / kernel.result.scale) + kernel.result.zero_point
    return np.clip(rounded, -128, 127).astype(np.int32)


def _aligned(shape: tuple[int, ...], dtype: type, offset: int = 0) -> np.ndarray:
    """Zeros that begin `offset` bytes after a page: see 4 KiB aliasing in docs/performance.md."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    memory = np.zeros(size + 8192, np.uint8)
    start = -memory.ctypes.data % 4096 + offset
    return memory[start : start + size].view(dtype).reshape(shape)


def _copy(elements: str, source: np.ndarray) -> _Entry:
    target = _aligned(source.shape, source.dtype, 3136)
    addresses = ctypes.c_void_p(target.ctypes.data), ctypes.c_void_p(source.ctypes.data)
    keep = (source, target)
    return _Entry(
        "memcpy", elements, lambda keep=keep: ctypes.memmove(*addresses, source.nbytes), None
    )


def _library_call(
    library: Path, kernel: Kernel, x: np.ndarray, y: np.ndarray
) -> Callable[[], None]:
    function = getattr(ctypes.CDLL(str(library)), symbol(kernel.op))
    arguments = [
        *(ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(y.ctypes.data)),
        *(ctypes.c_int64(extent) for extent in x.shape),
    ]
    for grid in (kernel.operand, kernel.result):
        arguments += [ctypes.c_float(grid.scale), ctypes.c_int32(grid.zero_point)]
    if kernel.constants:
        columns = [ctypes.c_void_p(array.ctypes.data) for array in kernel.constants]
        arguments += [*columns, *[None] * (2 - len(columns)), ctypes.c_float(kernel.epsilon)]
    return lambda: function(*arguments)


def _measure(entries: list[_Entry]) -> None:
    """Fills in samples: seconds of a call, every entry in turn, round after round."""
    for entry in entries:
        entry.call()
        entry.calls = max(1, round(_SAMPLE_SECONDS / max(_sample(entry), 1e-7)))
        entry.samples = []
    for _ in range(_ROUNDS):
        for entry in entries:
            entry.call()  # the caches are another's
            entry.samples.append(_sample(entry))


def _sample(entry: _Entry) -> float:
    start = time.process_time_ns()
    for _ in range(entry.calls):
        entry.call()
    return (time.process_time_ns() - start) * 1e-9 / entry.calls
