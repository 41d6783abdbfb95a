# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Makes the sample files of the demonstration."""

from pathlib import Path

import numpy as np

from nlq.demo_vits.crops import FILES
from nlq.demo_vits.package import INPUT
from nlq.demo_vits.photographs import load_crops
from nlq.files import make_folder, replacing


def write_crops(folder: Path) -> None:
    """Writes FILES.

    Each holds the model's input under its name, `pixels` before they were normalized, and the
    names of the `photographs`.
    """
    make_folder(folder)
    for file in FILES:
        crops = load_crops(file.split, file.count, file.seed)
        arrays = {INPUT: crops.inputs(), "pixels": crops.pixels, "photographs": crops.photographs}
        with replacing(folder / file.name) as path:
            np.savez(path, **arrays)
