# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The sample files of the demonstration: which there are, and how they are read."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nlq.demo_vits.package import INPUT
from nlq.errors import NlqError


@dataclass(frozen=True)
class CropFile:
    """A sample file: so many crops of the photographs of a split, by a seed."""

    name: str
    split: str
    count: int
    seed: int


FIT = CropFile("crops-calib.npz", "fit", 24, 0)
SELECT = CropFile("crops-select.npz", "select", 24, 0)
CONFIRM = CropFile("crops-confirm.npz", "confirm", 12, 0)
TESTS = tuple(CropFile(f"crops-test-seed{seed}.npz", "test", 24, seed) for seed in range(3))

FILES = (FIT, SELECT, CONFIRM, *TESTS)


def read_inputs(folder: Path, file: CropFile) -> np.ndarray:
    """The model's inputs in a file, float32 [N, 3, 224, 224]."""
    return _read(folder, file, INPUT)


def read_pixels(folder: Path, file: CropFile) -> np.ndarray:
    """The same before they were normalized, [N, 224, 224, 3] of 8 bits."""
    return _read(folder, file, "pixels")


def read_photographs(folder: Path, file: CropFile) -> list[str]:
    """The name of each crop's photograph."""
    return _read(folder, file, "photographs").tolist()


def _read(folder: Path, file: CropFile, name: str) -> np.ndarray:
    path = folder / file.name
    try:
        with np.load(path) as arrays:
            return arrays[name]
    except OSError as error:
        raise NlqError(f"cannot read '{path}': {error.strerror}") from error
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise NlqError(f"'{path}' is not a file of crops; `make demo-vits` writes it") from error
