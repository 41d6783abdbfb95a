# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""A model whose rows are not along its last dimension, the whole way."""

import json

import numpy as np
import pytest

from commands_fixtures import nlq, sqnr
from onnx_models import ModelBuilder
from whole_way import (
    import_and_calibrate,
    onnxruntime_results,
    quantize,
    run,
    run_compiled,
    skip_without_library,
)

TOKENS, CHANNELS = 10, 24
NAMES = ["/norm", "/pool"]


def make_model(path):
    """y = softmax(norm(x) w, over the tokens) v, normalized over tokens and channels at once."""
    random = np.random.default_rng(0)
    b = ModelBuilder([TOKENS, CHANNELS], opset=18)
    parameters = random.normal(1, 0.2, (TOKENS, CHANNELS)), random.normal(0, 0.1, CHANNELS)
    normal = b.op("LayerNormalization", "x", *map(b.const, parameters), axis=0, name=NAMES[0])
    scores = b.op("MatMul", normal, b.const(random.normal(0, 0.4, (CHANNELS, CHANNELS))))
    shares = b.op("Softmax", scores, axis=0, name=NAMES[1])
    return b.save(path, b.op("MatMul", shares, b.const(random.normal(0, 1, (CHANNELS, 8)))))


@pytest.fixture(scope="module")
def pooled(tmp_path_factory):
    """A folder with the model, its samples, and the files of every step up to quantize."""
    skip_without_library()
    folder = tmp_path_factory.mktemp("pooled")
    make_model(folder / "model.onnx")
    samples = np.random.default_rng(1).normal(size=(24, TOKENS, CHANNELS)).astype(np.float32)
    np.savez(folder / "calibration.npz", x=samples[:16])
    np.savez(folder / "test.npz", x=samples[16:])
    import_and_calibrate(folder)
    quantize(folder, "all")
    return folder


def test_float_model_agrees_with_onnxruntime(pooled, tmp_path):
    result = run(pooled / "model.mlir", pooled, tmp_path / "y.npz")
    assert sqnr(onnxruntime_results(pooled), result) >= 100


def test_assigned_model(pooled, tmp_path):
    """Slots have the nodes' names; compiled code equals the reference, near to the floats."""
    scores, assigned = tmp_path / "scores.json", tmp_path / "assigned.mlir"
    profile = ("--profile", pooled / "profile.json")
    nlq("measure", pooled / "all.mlir", *profile, "-o", scores)
    slots = json.loads(scores.read_text())["slots"]
    assert [slot["op"] for slot in slots] == ["nlq.layer_norm", "nlq.softmax"]
    assert [slot["name"] for slot in slots] == NAMES
    nlq("assign", pooled / "all.mlir", "--scores", scores, "-o", assigned)
    compiled = run_compiled(assigned, pooled, tmp_path)
    assert 25 < sqnr(onnxruntime_results(pooled), compiled) < 60
