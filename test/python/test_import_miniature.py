# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The import of the ViT-S as torch exports it, on its miniature."""

import re
import subprocess

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from commands_fixtures import nlq, sqnr
from nlq.demo_vits.package import BATCH, INPUT, TOKENS
from nlq.onnx_import import import_onnx
from vits_fixtures import onnxruntime_values
from vits_miniature import BLOCKS, CHANNELS, make_images, make_miniature

LAYER = "/backbone/encoder/layer."


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """The ONNX file, for tests that need nothing built."""
    file = tmp_path_factory.mktemp("miniature") / "model.onnx"
    onnx.save(make_miniature(), file)
    return file


@pytest.fixture(scope="module")
def module(path):
    return import_onnx(path, {BATCH: 1}, outputs=[TOKENS])


def parameter(path, name):
    """An initializer of the ONNX file, in double precision."""
    tensors = {tensor.name: tensor for tensor in onnx.load(path).graph.initializer}
    return numpy_helper.to_array(tensors[name]).astype(np.float64)


def weight_of(path, node_name):
    """The weight that a MatMul of the ONNX file multiplies by."""
    nodes = {node.name: node for node in onnx.load(path).graph.node}
    return parameter(path, nodes[node_name].input[1])


def run_part(folder, scratch, arrays, inputs=(), outputs=(TOKENS,)):
    """The results of a part of the miniature, imported and compiled, on samples."""
    options = ["--dim", f"{BATCH}=1"]
    for name in outputs:
        options += ["--output", name]
    for name in inputs:
        options += ["--input", name]
    nlq("import", folder / "model.onnx", *options, "-o", scratch / "part.mlirbc")
    np.savez(scratch / "x.npz", **arrays)
    nlq("run", scratch / "part.mlirbc", "--samples", scratch / "x.npz", "-o", scratch / "y.npz")
    with np.load(scratch / "y.npz") as archive:
        return dict(archive)


# --- What the module computes ----------------------------------------------------------------


def test_float_module_agrees_with_onnxruntime(miniature, tmp_path):
    images = make_images(8, seed=3)
    found = run_part(miniature, tmp_path, {INPUT: images})[TOKENS]
    for image, tokens in zip(images, found, strict=True):
        (expected,) = onnxruntime_values(miniature / "model.onnx", {INPUT: image}, [TOKENS])
        assert sqnr(expected, tokens.reshape(expected.shape)) >= 100


def test_two_parts_are_the_whole(miniature, tmp_path):
    """Cut in the residual stream: what one returns the other takes."""
    cut = f"{LAYER}0/Add_1_output_0"
    image = make_images(1, seed=4)
    first = run_part(miniature, tmp_path, {INPUT: image}, outputs=[cut])
    second = run_part(miniature, tmp_path, first, inputs=[cut])
    (expected,) = onnxruntime_values(miniature / "model.onnx", {INPUT: image[0]}, [TOKENS])
    assert sqnr(expected, second[TOKENS].reshape(expected.shape)) >= 100


def test_outliers_are_real(miniature):
    """Otherwise the miniature would be no test of quantization."""
    names = [f"{LAYER}{block}/attention/attention/MatMul_output_0" for block in range(BLOCKS)]
    names += [f"{LAYER}{block}/norm2/Add_1_output_0" for block in range(BLOCKS)]
    feeds = {INPUT: make_images(16, seed=1)[:, 0]}
    values = onnxruntime_values(miniature / "model.onnx", feeds, names)
    for scores in values[:BLOCKS]:
        assert abs(scores).max() > 60
    for normalized in values[BLOCKS:]:
        per_channel = abs(normalized).max(axis=(0, 1))
        assert per_channel.max() > 15 * np.median(per_channel)


# --- What it consists of ---------------------------------------------------------------------


def test_operations(module):
    """Layer scale and the scales of queries and keys are gone, and all glue with them."""
    operations = [re.match(r"\S+ = ([\w.]+)", line).group(1) for line in module.body]
    without = ("tensor.collapse_shape", "tensor.expand_shape", "tensor.empty")
    counts = {name: operations.count(name) for name in operations if name not in without}
    assert counts == {
        "nlq.softmax": BLOCKS,
        "nlq.gelu": BLOCKS,
        "nlq.layer_norm": 2 * BLOCKS + 1,
        "linalg.matmul": 6 * BLOCKS + 1,
        "linalg.batch_matmul": 2 * BLOCKS,
        "linalg.fill": 2 * BLOCKS,
        "linalg.broadcast": 6 * BLOCKS + 1,
        "linalg.transpose": 4 * BLOCKS + 3,
        "arith.addf": 2 * BLOCKS + 1,
        "tensor.concat": 1,
    }


def test_slots_have_the_names_of_nodes(module):
    names = re.findall(r'nlq\.\w+ .* loc\("(.*)"\)', "\n".join(module.body))
    kinds = ("norm1/ReduceMean_1", "attention/attention/Softmax", "norm2/ReduceMean_1")
    kinds += ("mlp/activation/Erf",)
    expected = [f"{LAYER}{block}/{kind}" for block in range(BLOCKS) for kind in kinds]
    assert names == [*expected, "/backbone/layernorm/ReduceMean_1"]


@pytest.mark.parametrize(
    ("node", "bias", "scale"),
    [
        ("attention/output/dense", "attention.output.dense.bias", "layer_scale1.lambda1"),
        ("mlp/fc2", "mlp.fc2.bias", "layer_scale2.lambda1"),
        ("attention/attention/query", "attention.attention.query.bias", None),
        ("attention/attention/key", "attention.attention.key.bias", None),
    ],
)
def test_scales_are_in_the_weights(node, bias, scale, module, path):
    prefix = "backbone.encoder.layer.1."
    # The root of 1 / sqrt(head size), as the file has it.
    factor = np.float32((CHANNELS // 3) ** -0.25)
    factors = parameter(path, prefix + scale) if scale else np.float64(factor)
    resources = [array for array in module.resources.values() if array.dtype == np.float32]
    for array in (weight_of(path, f"{LAYER}1/{node}/MatMul"), parameter(path, prefix + bias)):
        wanted = (array * factors).astype(np.float32)
        assert any(np.array_equal(found, wanted) for found in resources)
        assert not any(np.array_equal(found, array.astype(np.float32)) for found in resources)


def test_cubic_resize_is_folded_as_onnxruntime_computes_it(module, path):
    """The position embeddings, made for a square grid, at a grid of 4 x 6."""
    name = "/backbone/embeddings/Concat_6_output_0"
    (expected,) = onnxruntime_values(path, {INPUT: make_images(1, 0)[0]}, [name])
    folded = module.resources[re.sub(r"\W", "_", name)]
    assert folded.shape == expected.shape == (1, 25, CHANNELS)
    assert sqnr(expected, folded) >= 120
    assert np.ptp(folded, axis=1).min() > 0.3  # Far from constant, so that any mistake shows.


# --- What cannot be imported -----------------------------------------------------------------


def test_decoder_is_unsupported(path, run):
    code, error = run(path, "--dim", f"{BATCH}=1")
    assert code == 1
    assert error == (
        "error: 'model.onnx' has 4 unsupported nodes:\n"
        "  /decoder/upconv1/ConvTranspose: ConvTranspose (ai.onnx, opset 14)\n"
        "  /decoder/bn1/BatchNormalization: BatchNormalization (ai.onnx, opset 14)\n"
        "  /decoder/relu1/Relu: Relu (ai.onnx, opset 14)\n"
        "  /decoder/Resize: Resize (ai.onnx, opset 14)\n"
    )


def test_batch_must_be_fixed(path, run):
    code, error = run(path, "--output", TOKENS)
    assert (code, error) == (
        1,
        "error: 'model.onnx' has dynamic dimensions: 'batch_size'; "
        "fix each with --dim batch_size=N\n",
    )


def test_nearest_names(path, run):
    code, error = run(path, "--dim", f"{BATCH}=1", "--output", "/backbone/layernorm/Add_1")
    assert code == 1
    assert error == (
        "error: 'model.onnx' has no value '/backbone/layernorm/Add_1'; the nearest names: "
        "'/backbone/layernorm/Add_1_output_0', '/backbone/layernorm/Add_output_0', "
        "'/backbone/layernorm/Sub_output_0'\n"
    )


# --- Quantized -------------------------------------------------------------------------------


def test_quantized_integer_only(miniature, tmp_path, nlq_opt):
    """Through every step: no float between the casts, and bit for bit what the reference says."""
    samples = ("--samples", miniature / "calib.npz")
    profile = ("--profile", tmp_path / "profile.json")
    nlq("calibrate", miniature / "model.mlirbc", *samples, "-o", tmp_path / "profile.json")
    nlq("quantize", miniature / "model.mlirbc", *profile, "-o", tmp_path / "quantized.mlirbc")
    uniform = ("--policy", "uniform", "--method", "ibert")
    nlq("assign", tmp_path / "quantized.mlirbc", *uniform, "-o", tmp_path / "assigned.mlirbc")
    passes = "builtin.module(nlq-to-kernels,nlq-verify-integer-only)"
    tool = (nlq_opt, tmp_path / "assigned.mlirbc", f"--pass-pipeline={passes}")
    subprocess.run([*tool, "-o", tmp_path / "kernels.mlirbc"], check=True)
    tokens = {}
    modules = {"float": "model.mlirbc", "compiled": "assigned.mlirbc"}
    for name, module in (*modules.items(), ("reference", "assigned.mlirbc")):
        source = miniature if name == "float" else tmp_path
        options = ("--samples", miniature / "test.npz", "-o", tmp_path / "y.npz")
        options += ("--reference",) if name == "reference" else ()
        nlq("run", source / module, *options)
        with np.load(tmp_path / "y.npz") as archive:
            tokens[name] = archive[TOKENS]
    assert tokens["compiled"].tobytes() == tokens["reference"].tobytes()
    assert 12 < sqnr(tokens["float"], tokens["compiled"]) < 60
