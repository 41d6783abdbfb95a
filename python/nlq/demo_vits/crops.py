# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The sample files of the demonstration: `python -m nlq.demo_vits.crops FOLDER` writes them."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nlq.demo_vits.package import INPUT
from nlq.demo_vits.photographs import load_crops
from nlq.files import replacing


@dataclass(frozen=True)
class CropFile:
    """A sample file: so many crops of a split, by a seed."""

    name: str
    split: str
    count: int
    seed: int


TEST_SEEDS = (0, 1, 2)

FILES = (
    CropFile("crops-calib.npz", "fit", 24, 0),
    CropFile("crops-select.npz", "select", 16, 0),
    CropFile("crops-confirm.npz", "confirm", 12, 0),
    *(CropFile(f"crops-test-seed{seed}.npz", "test", 24, seed) for seed in TEST_SEEDS),
)


def write_crops(folder: Path) -> None:
    """Writes FILES.

    Each holds the model's input under its name, `pixels` before they were normalized, and the
    names of the `photographs`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in FILES:
        crops = load_crops(file.split, file.count, file.seed)
        arrays = {INPUT: crops.inputs(), "pixels": crops.pixels, "photographs": crops.photographs}
        with replacing(folder / file.name) as path:
            np.savez(path, **arrays)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Writes the crops of the photographs.")
    parser.add_argument("folder", type=Path)
    write_crops(parser.parse_args().folder)
