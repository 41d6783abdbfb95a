# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What the tests of the commands share: the tiny model taken the whole way once."""

from pathlib import Path

import numpy as np
import pytest

from nlq.cli import main
from nlq.errors import NlqError
from nlq.native import list_methods

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "digits"
ONNX = EXAMPLES / "vit17.onnx"
CALIBRATION = EXAMPLES / "vit17-calib.npz"
TEST = EXAMPLES / "vit17-test.npz"

# Its non-linear operations: two blocks of four, and the last layer normalization.
SLOTS = 9


def nlq(*arguments):
    """Runs a command that must work."""
    assert main([str(argument) for argument in arguments]) == 0


def images(count):
    """The first images of the test set."""
    with np.load(TEST) as archive:
        return archive["image"][:count]


def load(path):
    """The logits in a file that `nlq run` wrote."""
    with np.load(path) as archive:
        assert archive.files == ["logits"]
        return archive["logits"]


def sqnr(signal, other):
    """Signal-to-quantization-noise ratio in dB."""
    signal, other = signal.astype(np.float64), other.astype(np.float64)
    return 10 * np.log10((signal**2).sum() / ((signal - other) ** 2).sum())


@pytest.fixture(scope="session")
def chain(tmp_path_factory):
    """A folder with the files of every step; tests must not write into it."""
    try:
        list_methods()
    except NlqError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("chain")
    nlq("import", ONNX, "-o", folder / "model.mlir")
    nlq("calibrate", folder / "model.mlir", "--samples", CALIBRATION, "-o", folder / "profile.json")
    profile = ("--profile", folder / "profile.json")
    nlq("quantize", folder / "model.mlir", *profile, "-o", folder / "quantized.mlir")
    nlq("measure", folder / "quantized.mlir", *profile, "-o", folder / "scores.json")
    scores = ("--scores", folder / "scores.json")
    nlq("assign", folder / "quantized.mlir", *scores, "-o", folder / "assigned.mlirbc")
    np.savez(folder / "five.npz", image=images(5))
    return folder
