# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What tests on the miniature of the ViT-S share."""

import numpy as np
import onnx
import onnxruntime
import pytest

from commands_fixtures import nlq
from nlq.demo_vits.package import BATCH, INPUT, TOKENS
from nlq.errors import NlqError
from nlq.native import list_methods
from vits_miniature import make_images, make_miniature


def onnxruntime_values(path, feeds, names):
    """What ONNX Runtime computes for the values `names` of an ONNX file, whatever they are."""
    model = onnx.load(path)
    known = {value.name for value in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in known)
    options = onnxruntime.SessionOptions()
    # An inner value of a fused chain would be lost.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(list(names), feeds)


@pytest.fixture(scope="session")
def miniature(tmp_path_factory):
    """A folder with the miniature and its float module; tests must not write into it.

    model.onnx, model.mlirbc (batch 1, to the backbone's tokens), and the samples calib.npz,
    test.npz.
    """
    try:
        list_methods()
    except NlqError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("miniature")
    onnx.save(make_miniature(), folder / "model.onnx")
    part = ("--dim", f"{BATCH}=1", "--output", TOKENS)
    nlq("import", folder / "model.onnx", *part, "-o", folder / "model.mlirbc")
    np.savez(folder / "calib.npz", **{INPUT: make_images(16, seed=1)})
    np.savez(folder / "test.npz", **{INPUT: make_images(8, seed=2)})
    return folder
