# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The compiler's C interface (nlq-c/NLQ.h) as Python classes over numpy arrays."""

import ctypes
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nlq.c_library import MeasureOptions, call, function, pointers, take_text

_DTYPES = {"f32": np.float32, "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64}


def list_methods() -> list[dict]:
    """The compiler's methods, as nlqListMethods describes them."""
    return json.loads(take_text(function("nlqListMethods")()))


def survey_methods(
    operation: str, bits: int, scale: float, row: int, result_bits: int, limits: bool = False
) -> list[dict]:
    """All candidates for an operation, as nlqSurveyMethods describes them."""
    numbers = (bits, scale, row, result_bits, limits)
    return json.loads(take_text(call("nlqSurveyMethods", operation.encode(), *numbers)))


@dataclass(frozen=True)
class Tensor:
    """The name, element kind (f32, i8, i16, i32 or i64) and shape of an argument or result.

    An extent is None if it is known at run time only. `quantized` is the quantized type that the
    elements are stored integers of. `limits` holds, for each extent of an argument, the largest
    that compiled functions take, or None where they take any. `strided` is whether they are told
    how many elements lie between the beginnings of two rows.
    """

    name: str
    kind: str
    shape: tuple[int | None, ...]
    quantized: str | None = None
    limits: tuple[int | None, ...] = ()
    strided: bool = False

    @property
    def dtype(self) -> type:
        """The element type of arrays that hold it."""
        return _DTYPES[self.kind]


@dataclass(frozen=True)
class Signature:
    """What a function takes and makes."""

    arguments: list[Tensor]
    results: list[Tensor]

    @classmethod
    def from_json(cls, text: str) -> "Signature":
        """Reads what nlqModuleSignature describes."""
        return cls.from_lists(json.loads(text))

    @classmethod
    def from_lists(cls, lists: dict[str, list[dict]]) -> "Signature":
        """Takes the lists of arguments and results."""
        return cls(*(_tensors(lists[key]) for key in ("arguments", "results")))


def _tensors(entries: list[dict]) -> list[Tensor]:
    return [
        Tensor(
            entry["name"],
            entry["kind"],
            tuple(entry["shape"]),
            entry["quantized"],
            tuple(entry["limits"]),
            entry["strided"],
        )
        for entry in entries
    ]


class Module:
    """An MLIR module."""

    def __init__(self, handle: int):
        self._handle = handle

    def __del__(self):
        function("nlqModuleDestroy")(self._handle)

    @classmethod
    def parse(cls, path: Path) -> "Module":
        """Reads a module from a file, text or bytecode."""
        return cls(call("nlqModuleParse", os.fsencode(path)))

    def clone(self) -> "Module":
        """A copy."""
        return Module(function("nlqModuleClone")(self._handle))

    def run_passes(self, pipeline: str) -> list[str]:
        """Runs passes in nlq-opt's syntax; returns their remarks."""
        remarks = ctypes.c_void_p()
        call("nlqModuleRunPasses", self._handle, pipeline.encode(), ctypes.byref(remarks))
        return take_text(remarks.value).splitlines()

    def text(self, elide: bool = True) -> str:
        """The module as text, large constants left out if `elide`."""
        return take_text(function("nlqModulePrint")(self._handle, int(elide)))

    def write(self, path: Path) -> None:
        """Writes bytecode."""
        call("nlqModuleWriteBytecode", self._handle, os.fsencode(path))

    def signature(self) -> Signature:
        """The names and types of the arguments and results of `main`."""
        return Signature.from_json(take_text(call("nlqModuleSignature", self._handle)))

    def functions(self) -> dict[str, Signature]:
        """The public functions, which emit_object and emit_library export, in their order."""
        entries = json.loads(take_text(call("nlqModuleFunctions", self._handle)))
        return {entry["function"]: Signature.from_lists(entry) for entry in entries}

    def emit_object(self, target: str, entry: str, path: Path, threads: str = "none") -> None:
        """Compiles a float module, or an assigned one, to an object file; main becomes `entry`.

        `threads` is none or openmp: what runs the rows of kernels in parallel.
        """
        names = target.encode(), threads.encode(), entry.encode(), os.fsencode(path)
        call("nlqModuleEmitObject", self._handle, *names)

    def emit_library(
        self, target: str, entry: str, name: str, path: Path, threads: str = "none"
    ) -> None:
        """The same, to a shared library that says it is called `name`."""
        names = target.encode(), threads.encode(), entry.encode(), os.fsencode(name)
        call("nlqModuleEmitLibrary", self._handle, *names, os.fsencode(path))

    def calibrate(
        self, samples: Sequence[np.ndarray], kept: int, path: Path, target: str = "native"
    ) -> None:
        """Saves the profile of a float module over samples, one array [N, ...] per argument."""
        arrays = [np.ascontiguousarray(array, np.float32) for array in samples]
        call(
            "nlqCalibrate",
            self._handle,
            len(arrays[0]),
            pointers(arrays),
            kept,
            target.encode(),
            os.fsencode(path),
        )

    def measure(
        self,
        model: "Module",
        samples: Sequence[np.ndarray],
        path: Path,
        options: dict[str, object] | None = None,
        target: str = "native",
    ) -> None:
        """Saves the scores of this quantized module's candidates.

        They are held to the float module `model` over `samples`, one array [N, ...] per argument.
        `options` are the pass nlq-measure's metrics, methods, form, set, in-bits, out-bits and
        threads; those that are None or missing set nothing, and threads are one per core.
        """
        arrays = [np.ascontiguousarray(array, np.float32) for array in samples]
        given = {key: value for key, value in (options or {}).items() if value is not None}
        fields = MeasureOptions(in_bits=-1, out_bits=-1, threads=0)
        for key, value in given.items():
            setattr(
                fields, key.replace("-", "_"), value.encode() if isinstance(value, str) else value
            )
        call(
            "nlqMeasure",
            self._handle,
            model._handle,
            len(arrays[0]),
            pointers(arrays),
            ctypes.byref(fields),
            target.encode(),
            os.fsencode(path),
        )

    def slots(self) -> list[dict]:
        """The slots of a quantized module and then its results, as nlqModuleSlots describes."""
        return json.loads(take_text(call("nlqModuleSlots", self._handle)))

    def compare(
        self,
        samples: Sequence[np.ndarray],
        target: str = "native",
        other: "Module | None" = None,
        other_target: str = "native",
        model: "Module | None" = None,
    ) -> dict:
        """Runs this quantized module on samples and looks at every slot.

        It is compared with `other`, a module of the same slots, and with the float module `model`,
        where they are given. Targets are processors or `reference`. Returns what nlqCompare
        describes.
        """
        arrays = []
        for array, tensor in zip(samples, self.signature().arguments, strict=True):
            arrays.append(np.ascontiguousarray(array, tensor.dtype))
        text = call(
            "nlqCompare",
            self._handle,
            target.encode(),
            other and other._handle,
            other_target.encode(),
            model and model._handle,
            len(arrays[0]),
            pointers(arrays),
        )
        return json.loads(take_text(text))


class Runner:
    """A model that runs on arrays."""

    def __init__(self, handle: int):
        self._handle = handle
        signature = Signature.from_json(take_text(function("nlqRunnerSignature")(handle)))
        self._arguments = [(tensor.dtype, tensor.shape) for tensor in signature.arguments]
        self._results = [(tensor.dtype, tensor.shape) for tensor in signature.results]

    def __del__(self):
        function("nlqRunnerDestroy")(self._handle)

    @classmethod
    def compile(cls, module: Module, target: str = "native") -> "Runner":
        """Compiles a float module, or a quantized one whose operations have methods."""
        return cls(call("nlqRunnerCompile", module._handle, target.encode()))

    @classmethod
    def reference(cls, module: Module) -> "Runner":
        """The whole-model reference of a quantized module."""
        return cls(call("nlqRunnerReference", module._handle))

    def run(self, samples: Sequence[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
        """Runs samples, one array [N, ...] per argument (a leading dimension of 1 may be left out).

        Returns one array [N, ...] per result and the CPU seconds each sample took.
        """
        count = len(samples[0])
        arrays = []
        for array, (dtype, shape) in zip(samples, self._arguments, strict=True):
            arrays.append(np.ascontiguousarray(array, dtype).reshape((count, *shape)))
        results = [np.empty((count, *shape), dtype) for dtype, shape in self._results]
        seconds = np.empty(count)
        call(
            "nlqRunnerRun",
            self._handle,
            count,
            pointers(arrays),
            pointers(results),
            seconds.ctypes.data_as(ctypes.POINTER(ctypes.c_double)),
        )
        return results, seconds
