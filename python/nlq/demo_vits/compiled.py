# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Assigned modules as programs from inputs to tokens."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from nlq.errors import NlqError
from nlq.native import Module, Runner

# The module of the demonstration that is compared with peers and probed, beside the crops.
BEST = "W8A8-best.mlirbc"


def open_module(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """The compiled program of an assigned module, from inputs [N, 3, 224, 224] to tokens.

    Raises NlqError where the file is missing, is no module, or cannot be compiled.
    """
    if not path.exists():
        raise NlqError(f"'{path}' is missing; `make demo-vits` writes it")
    runner = Runner.compile(Module.parse(path))

    def run(inputs: np.ndarray) -> np.ndarray:
        (tokens,), _ = runner.run([inputs])
        return tokens.reshape(len(inputs), *tokens.shape[-2:])

    return run
