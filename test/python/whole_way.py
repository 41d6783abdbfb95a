# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""A small ONNX model taken through all commands, and what ONNX Runtime computes of it.

A folder holds `model.onnx`, `calibration.npz` and `test.npz`; the functions add the files of
the steps to it.
"""

import numpy as np
import onnxruntime
import pytest

from commands_fixtures import nlq
from nlq.errors import NlqError
from nlq.native import list_methods


def skip_without_library():
    """Skips the test where the library is not built."""
    try:
        list_methods()
    except NlqError as error:
        pytest.skip(str(error))


def import_and_calibrate(folder):
    """Makes `model.mlir` and `profile.json`."""
    nlq("import", folder / "model.onnx", "-o", folder / "model.mlir")
    samples = ("--samples", folder / "calibration.npz")
    nlq("calibrate", folder / "model.mlir", *samples, "-o", folder / "profile.json")


def quantize(folder, candidates):
    """Makes a quantized module of the name of its candidates."""
    options = ("--profile", folder / "profile.json", "--candidates", candidates)
    nlq("quantize", folder / "model.mlir", *options, "-o", folder / f"{candidates}.mlir")


def run(module, folder, output, *options):
    """The results of the test samples."""
    nlq("run", module, "--samples", folder / "test.npz", "-o", output, *options)
    with np.load(output) as archive:
        return archive[archive.files[0]]


def run_compiled(module, folder, tmp_path, about=None):
    """The results of compiled code, which are those of the reference."""
    compiled = run(module, folder, tmp_path / "compiled.npz")
    reference = run(module, folder, tmp_path / "reference.npz", "--reference")
    assert compiled.tobytes() == reference.tobytes(), about
    return compiled


def onnxruntime_results(folder):
    """ONNX Runtime's, sample by sample."""
    session = onnxruntime.InferenceSession(
        folder / "model.onnx", providers=["CPUExecutionProvider"]
    )
    with np.load(folder / "test.npz") as archive:
        samples = zip(*(archive[name] for name in archive.files), strict=True)
        feeds = [dict(zip(archive.files, sample, strict=True)) for sample in samples]
    return np.stack([session.run(None, feed)[0] for feed in feeds])
