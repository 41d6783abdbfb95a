# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The backbone as peers get it: batch 1, simplified, cut after the last layer normalization."""

from pathlib import Path

import onnx
import onnxsim

from nlq.demo_vits.package import INPUT, SIDE, TOKENS
from nlq.errors import NlqError


def write_backbone(model: Path, output: Path) -> None:
    """Writes the float backbone of the package's model."""
    simplified, equal = onnxsim.simplify(
        onnx.load(model), check_n=1, overwrite_input_shapes={INPUT: [1, 3, SIDE, SIDE]}
    )
    if not equal:
        raise NlqError(f"onnxsim's graph of '{model}' gives other results than the model")
    onnx.save(onnx.utils.Extractor(simplified).extract_model([INPUT], [TOKENS]), output)
