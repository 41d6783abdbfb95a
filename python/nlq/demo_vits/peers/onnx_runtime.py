# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""ONNX Runtime: float, static and dynamic int8."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_dynamic,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

from nlq.demo_vits.package import INPUT
from nlq.demo_vits.peers.peer import Peer, Run

# The operations whose integer forms every tool has; softmax, GELU, LayerNorm stay float.
_LINEAR = ("MatMul", "Gemm", "Conv")


def peers() -> list[Peer]:
    """The float model, then the ways of int8.

    With weights of both signs: signed ones saturate where a processor multiplies bytes without
    the VNNI instructions, unsigned ones do not.
    """
    weights = {"s8": QuantType.QInt8, "u8": QuantType.QUInt8}
    found = [Peer("float32", "onnxruntime", "float32", lambda model, *_: _open(model))]
    for title, operations in (("all operations", None), ("MatMul and Conv", _LINEAR)):
        found += [
            Peer(
                "int8",
                f"onnxruntime static QDQ, {title}",
                f"u8 per tensor, weights {name} per channel",
                _static(kind, operations),
            )
            for name, kind in weights.items()
        ]
    found += [
        Peer(
            "int8",
            "onnxruntime dynamic",
            f"u8 per tensor and call, weights {name} per channel",
            _dynamic(kind),
        )
        for name, kind in weights.items()
    ]
    return found


class _Samples(CalibrationDataReader):
    def __init__(self, inputs: np.ndarray):
        self._rest = iter(inputs)

    def get_next(self) -> dict[str, np.ndarray] | None:
        sample = next(self._rest, None)
        return None if sample is None else {INPUT: sample[None]}


def _static(weights: QuantType, operations: Sequence[str] | None):
    def prepare(model: Path, calibration: np.ndarray, folder: Path) -> Run:
        quantized = folder / "onnxruntime-static.onnx"
        quantize_static(
            _prepared(model, folder),
            quantized,
            _Samples(calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=operations,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=weights,
            calibrate_method=CalibrationMethod.MinMax,
        )
        return _open(quantized)

    return prepare


def _dynamic(weights: QuantType):
    def prepare(model: Path, _: np.ndarray, folder: Path) -> Run:
        quantized = folder / "onnxruntime-dynamic.onnx"
        quantize_dynamic(_prepared(model, folder), quantized, per_channel=True, weight_type=weights)
        return _open(quantized)

    return prepare


def _prepared(model: Path, folder: Path) -> Path:
    """The model after ONNX Runtime's own preparation; shapes are static, no need to solve them."""
    prepared = folder / "onnxruntime-prepared.onnx"
    if not prepared.exists():
        quant_pre_process(model, prepared, skip_symbolic_shape=True)
    return prepared


def _open(model: Path) -> Run:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda sample: session.run(None, {INPUT: sample})[0]
