# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What a peer is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Runs one input [1, 3, 224, 224] on one core; its tokens [1, 257, 384].
Run = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Peer:
    """A tool and its way to quantize.

    `prepare` takes the float model's file, the calibration inputs [N, 3, 224, 224] and a folder
    for files of its own.
    """

    setting: str
    title: str
    widths: str
    prepare: Callable[[Path, np.ndarray, Path], Run]
