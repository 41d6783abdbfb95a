# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""OpenVINO: float, and int8 by NNCF."""

from pathlib import Path

import nncf
import numpy as np
import openvino

from nlq.demo_vits.peers.peer import Peer, Run


def peers() -> list[Peer]:
    """The float model, then int8."""
    return [
        Peer("float32", "OpenVINO", "float32", lambda model, *_: _open(_read(model))),
        Peer(
            "int8",
            "OpenVINO, NNCF for transformers (SmoothQuant, bias correction)",
            "u8 or s8 per tensor, weights s8 per channel",
            _quantize,
        ),
    ]


def _quantize(model: Path, calibration: np.ndarray, _: Path) -> Run:
    # A model type of transformer brings SmoothQuant; the slower bias correction is the better one.
    quantized = nncf.quantize(
        _read(model),
        nncf.Dataset([sample[None] for sample in calibration]),
        model_type=nncf.ModelType.TRANSFORMER,
        subset_size=len(calibration),
        fast_bias_correction=False,
    )
    return _open(quantized)


def _read(model: Path) -> openvino.Model:
    return openvino.Core().read_model(model)


def _open(model: openvino.Model) -> Run:
    options = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": 1,
        # What is not int8 is float, not bfloat16.
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
    return lambda sample: request.infer({0: sample})[0].copy()
