# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Sample files: .npz archives with an array per argument or result of a model, under its name.

The first dimension counts the samples. A leading dimension of 1 in the model's own shape (its
batch) may be left out when reading, and is left out when writing: images [N, 1, 8, 8] fit an
argument [1, 1, 8, 8].
"""

import warnings
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nlq.errors import NlqError
from nlq.native import Tensor


def read_samples(path: Path, arguments: Sequence[Tensor]) -> list[np.ndarray]:
    """The arrays [N, ...] of a file, one per argument in order; other arrays are ignored.

    Raises NlqError where the file is no .npz, where an argument's array is missing or has another
    shape or element type than the argument, where numbers are not finite, and where there are no
    samples.
    """
    archive = _open(path)
    with archive:
        arrays = [_read(path, archive, argument) for argument in arguments]
    for argument, array in zip(arguments, arrays, strict=True):
        if len(array) != len(arrays[0]):
            raise NlqError(
                f"'{path}': '{argument.name}' has {len(array)} samples and "
                f"'{arguments[0].name}' {len(arrays[0])}; all arguments need as many"
            )
        if not len(array):
            raise NlqError(f"'{path}': there are no samples: '{argument.name}' is empty")
    return arrays


def read_extents(path: Path, arguments: Sequence[Tensor]) -> list[int]:
    """The dynamic extents of the arguments, in order, as the arrays of a file have them.

    Raises NlqError as read_samples, and where an array has another number of dimensions.
    """
    extents = []
    with _open(path) as archive:
        for argument in arguments:
            if None not in argument.shape:
                continue
            shape = _load(path, archive, argument).shape
            if len(shape) != 1 + len(argument.shape):
                wanted = _shape("N", *("?" if each is None else each for each in argument.shape))
                raise NlqError(
                    f"'{path}': '{argument.name}' has the shape {_shape(*shape)}; the model takes "
                    f"{wanted}"
                )
            pairs = zip(argument.shape, shape[1:], strict=True)
            extents += [found for extent, found in pairs if extent is None]
    return extents


def write_samples(path: Path, results: Sequence[Tensor], arrays: Sequence[np.ndarray]) -> None:
    """Writes the arrays [N, ...] of a model's results under their names."""
    # Not numpy.savez, for which some names are parameters, and which stores the time.
    with zipfile.ZipFile(path, "w") as archive:
        for result, array in zip(results, arrays, strict=True):
            if result.shape[:1] == (1,):
                array = array.reshape(len(array), *result.shape[1:])
            entry = zipfile.ZipInfo(result.name + ".npy")
            with archive.open(entry, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, array, allow_pickle=False)


def _open(path: Path) -> np.lib.npyio.NpzFile:
    try:
        # numpy warns about entries that are no arrays; only the named ones matter here.
        with warnings.catch_warnings(action="ignore"):
            archive = np.load(path, allow_pickle=False)
    except OSError as error:
        if error.strerror is None:
            raise NlqError(f"'{path}' is not an .npz file") from error
        raise NlqError(f"cannot read '{path}': {error.strerror}") from error
    except (ValueError, EOFError, zipfile.BadZipFile, RuntimeError) as error:
        raise NlqError(f"'{path}' is not an .npz file") from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise NlqError(f"'{path}' is not an .npz file: it holds one array without a name")
    return archive


def _read(path: Path, archive: np.lib.npyio.NpzFile, argument: Tensor) -> np.ndarray:
    return _convert(f"'{path}': '{argument.name}'", _load(path, archive, argument), argument)


def _load(path: Path, archive: np.lib.npyio.NpzFile, argument: Tensor) -> np.ndarray:
    """The array as it is in the file."""
    if argument.name not in archive.files:
        found = ", ".join(f"'{name}'" for name in archive.files) or "nothing"
        raise NlqError(f"'{path}' has no array '{argument.name}'; it has {found}")
    what = f"'{path}': '{argument.name}'"
    try:
        array = archive[argument.name]
    except (OSError, ValueError, EOFError, KeyError, RuntimeError, MemoryError) as error:
        raise NlqError(f"{what} cannot be read: {_first_line(error)}") from error
    except (zipfile.BadZipFile, zlib.error) as error:
        raise NlqError(f"{what} cannot be read: {_first_line(error)}") from error
    if not isinstance(array, np.ndarray):
        raise NlqError(f"{what} is not an array")
    return array


def _convert(what: str, array: np.ndarray, argument: Tensor) -> np.ndarray:
    """The array in the argument's type; `what` names it in errors."""
    allowed = ["float32", "float64"] if argument.kind == "f32" else [np.dtype(argument.dtype).name]
    if array.dtype.name not in allowed:
        raise NlqError(f"{what} has elements of type {array.dtype}; {' or '.join(allowed)} is read")
    shapes = [argument.shape]
    if argument.shape[:1] == (1,):
        shapes.insert(0, argument.shape[1:])
    if array.ndim == 0 or array.shape[1:] not in shapes:
        wanted = " or ".join(_shape("N", *shape) for shape in shapes)
        raise NlqError(f"{what} has the shape {_shape(*array.shape)}; the model takes {wanted}")
    # A float64 beyond float32 becomes an infinity, which the check below finds.
    with np.errstate(over="ignore"):
        converted = np.ascontiguousarray(array, argument.dtype)
    if argument.kind == "f32":
        finite = np.isfinite(converted).all(axis=tuple(range(1, converted.ndim)))
        if not finite.all():
            index = int(finite.argmin())
            raise NlqError(f"{what} has a NaN or an infinity in sample {index}")
    return converted


def _shape(*extents: int | str) -> str:
    return "[" + ", ".join(map(str, extents)) + "]"


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
