# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The float model's two parts in ONNX Runtime: image to tokens, tokens to heat map."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from nlq.demo_vits.package import HEAT_MAP, INPUT, TOKENS


def open_backbone(model: Path) -> Callable[[np.ndarray], np.ndarray]:
    """A function from inputs [N, 3, 224, 224] to tokens [N, 257, 384]."""
    session = _open(model, [INPUT], TOKENS)
    return lambda inputs: session.run(None, {INPUT: inputs})[0]


def open_decoder(model: Path) -> Callable[[np.ndarray], np.ndarray]:
    """A function from tokens [N, 257, 384] to heat maps [N, 224, 224] of 0 to 1."""
    # The decoder asks the image for its shape, nothing else.
    session = _open(model, [TOKENS, INPUT], HEAT_MAP)
    _, *shape = next(value.shape for value in session.get_inputs() if value.name == INPUT)

    def decode(tokens: np.ndarray) -> np.ndarray:
        image = np.zeros((len(tokens), *shape), np.float32)
        return session.run(None, {TOKENS: tokens, INPUT: image})[0][:, 0]

    return decode


def _open(model: Path, inputs: list[str], output: str) -> onnxruntime.InferenceSession:
    # Only values whose types are recorded can be cut at.
    typed = onnx.shape_inference.infer_shapes(onnx.load(model))
    part = onnx.utils.Extractor(typed).extract_model(inputs, [output])
    return onnxruntime.InferenceSession(
        part.SerializeToString(), providers=["CPUExecutionProvider"]
    )
