# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The functions of the compiler's shared library (nlq-c/NLQ.h), by ctypes."""

import ctypes
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from nlq.errors import NlqError

_POINTER, _TEXT, _INTEGER = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64
_STATUS = ctypes.c_int
_OUT_TEXT = ctypes.POINTER(ctypes.c_void_p)
_POINTERS = ctypes.POINTER(ctypes.c_void_p)
_DOUBLES = ctypes.POINTER(ctypes.c_double)


class MeasureOptions(ctypes.Structure):
    """NlqMeasureOptions."""

    _fields_ = [
        *((name, _TEXT) for name in ("metrics", "methods", "form", "set")),
        *((name, _INTEGER) for name in ("in_bits", "out_bits", "threads")),
    ]


# Result and arguments by name; a last argument _OUT_TEXT is the error.
_SIGNATURES = {
    "nlqFreeString": (None, [_POINTER]),
    "nlqModuleParse": (_POINTER, [_TEXT, _OUT_TEXT]),
    "nlqModuleClone": (_POINTER, [_POINTER]),
    "nlqModuleDestroy": (None, [_POINTER]),
    "nlqModuleRunPasses": (_STATUS, [_POINTER, _TEXT, _OUT_TEXT, _OUT_TEXT]),
    "nlqModulePrint": (_POINTER, [_POINTER, ctypes.c_int]),
    "nlqModuleWriteBytecode": (_STATUS, [_POINTER, _TEXT, _OUT_TEXT]),
    "nlqModuleSignature": (_POINTER, [_POINTER, _OUT_TEXT]),
    "nlqModuleFunctions": (_POINTER, [_POINTER, _OUT_TEXT]),
    "nlqModuleEmitLibrary": (_STATUS, [_POINTER, *([_TEXT] * 5), _OUT_TEXT]),
    "nlqModuleEmitObject": (_STATUS, [_POINTER, *([_TEXT] * 4), _OUT_TEXT]),
    "nlqListMethods": (_POINTER, []),
    "nlqSurveyMethods": (
        _POINTER,
        [_TEXT, _INTEGER, ctypes.c_double, _INTEGER, _INTEGER, ctypes.c_int, _OUT_TEXT],
    ),
    "nlqRunnerCompile": (_POINTER, [_POINTER, _TEXT, _OUT_TEXT]),
    "nlqRunnerReference": (_POINTER, [_POINTER, _OUT_TEXT]),
    "nlqRunnerDestroy": (None, [_POINTER]),
    "nlqRunnerSignature": (_POINTER, [_POINTER]),
    "nlqRunnerRun": (_STATUS, [_POINTER, _INTEGER, _POINTERS, _POINTERS, _DOUBLES, _OUT_TEXT]),
    "nlqCalibrate": (
        _STATUS,
        [_POINTER, _INTEGER, _POINTERS, _INTEGER, _TEXT, _TEXT, _OUT_TEXT],
    ),
    "nlqModuleSlots": (_POINTER, [_POINTER, _OUT_TEXT]),
    "nlqCompare": (
        _POINTER,
        [
            *(_POINTER, _TEXT, _POINTER, _TEXT, _POINTER),
            *(_INTEGER, _POINTERS, _OUT_TEXT),
        ],
    ),
    "nlqMeasure": (
        _STATUS,
        [
            *(_POINTER, _POINTER, _INTEGER, _POINTERS),
            *(ctypes.POINTER(MeasureOptions), _TEXT, _TEXT, _OUT_TEXT),
        ],
    ),
}


def _library_path() -> Path:
    """The shared library: $NLQ_LIBRARY, or that of the build tree beside this package."""
    named = os.environ.get("NLQ_LIBRARY")
    if named:
        return Path(named)
    return Path(__file__).resolve().parents[2] / "build" / "lib" / "libNlqC.so"


@cache
def _library() -> ctypes.CDLL:
    path = _library_path()
    if not path.exists():
        raise NlqError(f"the compiler's library {path} is missing; build it with `make build`")
    return ctypes.CDLL(str(path))


@cache
def function(name: str):
    """A function of the library.

    Raises NlqError where the library is missing or was built before there was this function.
    """
    try:
        found = getattr(_library(), name)
    except AttributeError as error:
        raise NlqError(
            f"the compiler's library {_library_path()} is of another version, it has no {name}; "
            "build it again with `make build`"
        ) from error
    found.restype, found.argtypes = _SIGNATURES[name]
    return found


def take_text(address: int | None) -> str:
    """The string at an address the library allocated, which is released."""
    if not address:
        return ""
    # A message may quote a file that is no text.
    value = ctypes.string_at(address).decode(errors="replace")
    function("nlqFreeString")(address)
    return value


def call(name: str, *arguments):
    """Calls a function whose last argument is the error; raises NlqError if it fails."""
    error = ctypes.c_void_p()
    result = function(name)(*arguments, ctypes.byref(error))
    failed = not result if function(name).restype is _POINTER else result != 0
    if failed:
        raise NlqError(take_text(error.value) or f"{name} failed")
    return result


def pointers(arrays: Sequence[np.ndarray]) -> ctypes.Array:
    """Where the elements of arrays lie."""
    return (ctypes.c_void_p * len(arrays))(*(array.ctypes.data for array in arrays))
