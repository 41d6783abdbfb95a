# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What is said where the compiler's library is missing or does not belong to this package."""

import _ctypes
import os
import subprocess
import sys
from pathlib import Path

from nlq import cli
from onnx_models import single_line


def run_with(library, folder):
    """The error of a command with another library."""
    (folder / "m.mlir").write_text("module {}")
    words = ["compile", folder / "m.mlir", "-o", folder / "m.o"]
    environment = {"PYTHONPATH": str(Path(cli.__file__).parents[1]), "NLQ_LIBRARY": str(library)}
    done = subprocess.run(
        [sys.executable, "-m", "nlq", *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    assert done.returncode == 1
    return done.stderr


def test_missing_library(tmp_path):
    message = f"the compiler's library {tmp_path}/no.so is missing; build it with `make build`\n"
    assert run_with(tmp_path / "no.so", tmp_path) == "error: " + message


def test_library_of_another_version(tmp_path):
    """Any shared library will do: an extension module of Python has none of our functions."""
    other = Path(_ctypes.__file__)
    message = f"the compiler's library {other} is of another version, it has no nlqModuleParse; "
    single_line(run_with(other, tmp_path), message)
