# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Masked attention the whole way: causal, with padding that a model's input tells."""

import json

import numpy as np
import pytest

from commands_fixtures import nlq, sqnr
from nlq.native import list_methods
from onnx_models import ModelBuilder
from whole_way import (
    import_and_calibrate,
    onnxruntime_results,
    quantize,
    run,
    run_compiled,
    skip_without_library,
)

TOKENS, CHANNELS, HEADS = 12, 32, 4
NAME = "/attention/Softmax"


def make_model(path):
    """y = (softmax(q k^T / sqrt(D) + causal + mask) v) w; the mask is 0 or -10000."""
    random = np.random.default_rng(0)
    b = ModelBuilder([TOKENS, CHANNELS], opset=18)
    b.input("mask", [TOKENS])

    def linear(value):
        weight = random.normal(0, CHANNELS**-0.5, (CHANNELS, CHANNELS))
        return b.op("MatMul", value, b.const(weight))

    def heads(value, order):
        split = b.op("Reshape", value, b.ints(TOKENS, HEADS, CHANNELS // HEADS))
        return b.op("Transpose", split, perm=order)

    query, key = heads(linear("x"), [1, 0, 2]), heads(linear("x"), [1, 2, 0])
    scores = b.op("Mul", b.op("MatMul", query, key), b.const((HEADS / CHANNELS) ** 0.5 * 3))
    causal = np.where(np.tri(TOKENS, dtype=bool), 0, -np.inf)
    scores = b.op("Add", scores, b.const(causal))
    scores = b.op("Add", scores, b.op("Unsqueeze", "mask", b.ints(0, 1)))
    shares = b.op("Softmax", scores, name=NAME)
    mixed = b.op("Transpose", b.op("MatMul", shares, heads(linear("x"), [1, 0, 2])), perm=[1, 0, 2])
    return b.save(path, linear(b.op("Reshape", mixed, b.ints(TOKENS, CHANNELS))))


def make_samples(path, count, seed):
    """The first token always takes part, so that every query sees one."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, TOKENS + 1, count)
    mask = np.where(np.arange(TOKENS) < lengths[:, None], 0, -10000)
    x = random.normal(size=(count, TOKENS, CHANNELS))
    np.savez(path, x=x.astype(np.float32), mask=mask.astype(np.float32))


@pytest.fixture(scope="module")
def masked(tmp_path_factory):
    """A folder with the model, its samples, and the files of every step up to quantize."""
    skip_without_library()
    folder = tmp_path_factory.mktemp("masked")
    make_model(folder / "model.onnx")
    make_samples(folder / "calibration.npz", 16, 1)
    make_samples(folder / "test.npz", 8, 2)
    import_and_calibrate(folder)
    quantize(folder, "all")
    return folder


def test_float_model_agrees_with_onnxruntime(masked, tmp_path):
    result = run(masked / "model.mlir", masked, tmp_path / "y.npz")
    assert sqnr(onnxruntime_results(masked), result) >= 100


def test_masks_become_bytes(masked):
    """Causality is an attribute, and the model's input a byte per key."""
    text = (masked / "all.mlir").read_text()
    (softmax,) = [line for line in text.splitlines() if "nlq.softmax" in line]
    assert f": tensor<1x1x{TOKENS}xi8>) causal " in softmax


def test_assigned_model(masked, tmp_path):
    """Compiled code equals the reference, and both are near to ONNX Runtime's floats."""
    scores, assigned = tmp_path / "scores.json", tmp_path / "assigned.mlir"
    profile = ("--profile", masked / "profile.json")
    nlq("measure", masked / "all.mlir", *profile, "-o", scores)
    slots = json.loads(scores.read_text())["slots"]
    assert [(slot["op"], slot["name"]) for slot in slots] == [("nlq.softmax", NAME)]
    nlq("assign", masked / "all.mlir", "--scores", scores, "-o", assigned)
    compiled = run_compiled(assigned, masked, tmp_path)
    assert 30 < sqnr(onnxruntime_results(masked), compiled) < 60


def test_every_method(masked, tmp_path):
    for method in list_methods():
        uniform = ("--policy", "uniform", "--method", method["name"])
        nlq("assign", masked / "all.mlir", "-o", tmp_path / "a.mlir", *uniform)
        run_compiled(tmp_path / "a.mlir", masked, tmp_path, method["name"])


def test_other_levels_are_refused(masked, tmp_path, fail):
    """A mask with values between its levels has no integer form."""
    make_samples(tmp_path / "odd.npz", 4, 3)
    with np.load(tmp_path / "odd.npz") as archive:
        np.savez(tmp_path / "odd.npz", x=archive["x"], mask=archive["mask"] - 3)
    profile = tmp_path / "odd.json"
    nlq("calibrate", masked / "model.mlir", "--samples", tmp_path / "odd.npz", "-o", profile)
    message = fail(
        "quantize", masked / "model.mlir", "--profile", profile, "-o", tmp_path / "q.mlir"
    )
    assert "cannot be quantized: its mask has had values in the samples about -" in message
    assert "only 0 and values of at most -64" in message
