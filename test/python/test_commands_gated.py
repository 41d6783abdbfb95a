# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""A block of a language model the whole way: RMS normalization and a gated MLP."""

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

TOKENS, CHANNELS, HIDDEN = 12, 32, 80
NAMES = ["/norm1/Mul", "/mlp/act/Sigmoid", "/norm2/Mul"]


def make_model(path):
    """y = head(norm2(x + down(silu(gate(n)) * up(n)))), n = norm1(x)."""
    random = np.random.default_rng(0)
    b = ModelBuilder([TOKENS, CHANNELS], opset=18)

    def linear(value, rows, columns):
        weight = random.normal(0, rows**-0.5, (rows, columns))
        return b.op("MatMul", value, b.const(weight))

    def norm(value, name):
        squares = b.op("ReduceMean", b.op("Mul", value, value), b.ints(-1), name=name)
        root = b.op("Sqrt", b.op("Add", squares, b.const(1e-6)))
        scaled = b.op("Mul", value, b.op("Div", b.const(1), root))
        return b.op("Mul", b.const(random.normal(1, 0.2, CHANNELS)), scaled)

    normal = norm("x", NAMES[0])
    gate = linear(normal, CHANNELS, HIDDEN)
    act = b.op("Mul", gate, b.op("Sigmoid", gate, name=NAMES[1]))
    gated = b.op("Mul", act, linear(normal, CHANNELS, HIDDEN))
    residual = b.op("Add", "x", linear(gated, HIDDEN, CHANNELS))
    return b.save(path, linear(norm(residual, NAMES[2]), CHANNELS, 16))


@pytest.fixture(scope="module")
def gated(tmp_path_factory):
    """A folder with the model, its samples, and the files of every step up to quantize."""
    skip_without_library()
    folder = tmp_path_factory.mktemp("gated")
    make_model(folder / "model.onnx")
    samples = np.random.default_rng(1).normal(size=(24, TOKENS, CHANNELS)).astype(np.float32)
    np.savez(folder / "calibration.npz", x=samples[:16])
    np.savez(folder / "test.npz", x=samples[16:])
    import_and_calibrate(folder)
    for candidates in ("seed", "all"):
        quantize(folder, candidates)
    return folder


def test_float_model_agrees_with_onnxruntime(gated, tmp_path):
    result = run(gated / "model.mlir", gated, tmp_path / "y.npz")
    assert sqnr(onnxruntime_results(gated), result) >= 100


@pytest.mark.parametrize("group", ["seed", "all"])
def test_assigned_model(group, gated, tmp_path):
    """Compiled code equals the reference, and both are near to ONNX Runtime's floats."""
    scores, assigned = tmp_path / "scores.json", tmp_path / "assigned.mlir"
    profile = ("--profile", gated / "profile.json")
    nlq("measure", gated / f"{group}.mlir", *profile, "-o", scores)
    slots = json.loads(scores.read_text())["slots"]
    assert [slot["op"] for slot in slots] == ["nlq.rms_norm", "nlq.silu", "nlq.rms_norm"]
    assert [slot["name"] for slot in slots] == NAMES
    nlq("assign", gated / f"{group}.mlir", "--scores", scores, "-o", assigned)
    compiled = run_compiled(assigned, gated, tmp_path)
    assert 30 < sqnr(onnxruntime_results(gated), compiled) < 60


def test_every_method_throughout(gated, tmp_path):
    """What a method lacks, the first that has it computes, in published forms too."""
    for method in list_methods():
        forms = {each["form"] for each in method["implementations"]}
        for form in ("", *(forms & {"reference"})):
            options = ("--form", form) if form else ()
            uniform = ("--policy", "uniform", "--method", method["name"], *options)
            nlq("assign", gated / "all.mlir", "-o", tmp_path / "a.mlir", *uniform)
            run_compiled(tmp_path / "a.mlir", gated, tmp_path, method["name"])
