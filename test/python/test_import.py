# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`nlq import` from end to end: what it writes, shape glue and dimensions."""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from nlq.cli import main
from onnx_models import ModelBuilder, simple_model, single_line

DIGITS = Path(__file__).resolve().parents[2] / "examples" / "digits"


# --- The module ------------------------------------------------------------------------------


def test_whole_module(tmp_path, run):
    b = ModelBuilder([1, 4])
    b.inputs[0].name = "image"
    product = b.op("MatMul", "image", b.const([[1], [2], [3], [4]]), name="/fc/MatMul")
    model = b.model(b.op("Softmax", product, name='/last "one"/ä'))
    model.graph.output[0].name = model.graph.node[-1].output[0] = "logits"
    onnx.save(model, str(tmp_path / "model.onnx"))
    assert run(tmp_path / "model.onnx") == (0, "")
    assert (tmp_path / "out.mlir").read_text() == (
        "module {\n"
        '  func.func @main(%image: tensor<1x4xf32> {nlq.name = "image"} loc("image"))'
        ' -> (tensor<1x1xf32> {nlq.name = "logits"}) {\n'
        '    %cst0 = arith.constant dense_resource<c1> : tensor<4x1xf32> loc("c1")\n'
        '    %cst1 = arith.constant 0.0 : f32 loc("/fc/MatMul")\n'
        '    %0 = tensor.empty() : tensor<1x1xf32> loc("/fc/MatMul")\n'
        "    %1 = linalg.fill ins(%cst1 : f32) outs(%0 : tensor<1x1xf32>) -> tensor<1x1xf32>"
        ' loc("/fc/MatMul")\n'
        "    %2 = linalg.matmul ins(%image, %cst0 : tensor<1x4xf32>, tensor<4x1xf32>)"
        ' outs(%1 : tensor<1x1xf32>) -> tensor<1x1xf32> loc("/fc/MatMul")\n'
        "    %3 = nlq.softmax %2 : tensor<1x1xf32> -> tensor<1x1xf32>"
        ' loc("/last \\22one\\22/\\C3\\A4")\n'
        "    return %3 : tensor<1x1xf32> loc(unknown)\n"
        "  } loc(unknown)\n"
        "} loc(unknown)\n"
        "\n{-#\n  dialect_resources: {\n    builtin: {\n"
        '      c1: "0x040000000000803F000000400000404000008040"\n'
        "    }\n  }\n#-}\n"
    )


def test_names_survive_the_tool(tmp_path, run, nlq_opt):
    b = ModelBuilder([1, 4])
    b.inputs[0].name = "a b"
    output = b.op("Softmax", b.op("Add", "a b", b.const([1, 2, 3, 4])), name='/"one"/ä\\n')
    b.initializers[0].name = b.nodes[0].input[1] = "weight:0/ö"
    assert run(b.save(tmp_path / "model.onnx", output)) == (0, "")
    done = subprocess.run(
        [nlq_opt, tmp_path / "out.mlir", "--mlir-print-debuginfo"],
        capture_output=True,
        text=True,
        check=True,
    )
    for name in ('"a b"', '"weight:0/\\C3\\B6"', '"/\\22one\\22/\\C3\\A4\\\\n"'):
        assert f"loc({name}" in done.stdout
    assert 'nlq.name = "a b"' in done.stdout


def test_several_inputs_and_results(text_of):
    b = ModelBuilder([2])
    b.input("y:0", [3])
    text = text_of(b, b.op("Add", "y:0", "y:0"), "x")
    assert '%x: tensor<2xf32> {nlq.name = "x"}' in text
    assert '%y_0: tensor<3xf32> {nlq.name = "y:0"}' in text
    assert '-> (tensor<3xf32> {nlq.name = "v1_0"}, tensor<2xf32> {nlq.name = "x"})' in text
    assert "return %0, %x : tensor<3xf32>, tensor<2xf32>" in text


def test_names_are_unique(text_of):
    """Nodes without a name have that of their result; of equal names the second gets a number."""
    b = ModelBuilder([2])
    first = b.op("Softmax", b.op("Softmax", "x", name="same"), name="same")
    text = text_of(b, b.op("Softmax", first, name=""))
    assert 'loc("same")' in text and 'loc("same#2")' in text and 'loc("v3_0")' in text


def test_input_with_the_name_of_a_constant(text_of):
    b = ModelBuilder([2])
    b.input("cst0", [2])
    text = text_of(b, b.op("Add", "cst0", b.const([1, 2])))
    assert "arith.addf %_cst0, %cst0" in text


def test_text_to_the_terminal(tmp_path, capsys):
    assert main(["import", str(simple_model(tmp_path)), "-o", "-"]) == 0
    assert capsys.readouterr().out.startswith("module {")


def test_bytecode(tmp_path, run, nlq_opt):
    assert run(simple_model(tmp_path), output="out.mlirbc") == (0, "")
    content = (tmp_path / "out.mlirbc").read_bytes()
    assert content[:4] == b"ML\xefR"
    assert tempfile.gettempdir().encode() not in content
    done = subprocess.run([nlq_opt, tmp_path / "out.mlirbc"], capture_output=True, check=True)
    assert b"nlq.softmax %arg0 : tensor<1x4xf32> -> tensor<1x4xf32>" in done.stdout


def test_output_has_ordinary_permissions(tmp_path, run):
    run(simple_model(tmp_path))
    (tmp_path / "plain").touch()
    modes = [(tmp_path / name).stat().st_mode for name in ("out.mlir", "plain")]
    assert modes[0] == modes[1]


@pytest.mark.parametrize("name", ["vit17", "vit65", "vit197"])
def test_trained_models(name, tmp_path, run, nlq_opt):
    model = DIGITS / f"{name}.onnx"
    if not model.exists():
        pytest.skip(f"{model.name} is not there")
    assert run(model) == (0, "")
    text = (tmp_path / "out.mlir").read_text()
    depth = {"vit17": 2}.get(name, 6)
    assert text.count("= nlq.softmax ") == text.count("= nlq.gelu ") == depth
    assert text.count("= nlq.layer_norm ") == 2 * depth + 1
    assert text.count("= linalg.matmul ") == 6 * depth + 2
    assert text.count("= linalg.batch_matmul ") == 2 * depth
    subprocess.run([nlq_opt, tmp_path / "out.mlir", "-o", "-"], capture_output=True, check=True)
    assert "erf :" in text and 'loc("/blocks.0/attn/Softmax")' in text


# --- Shape glue ------------------------------------------------------------------------------


def class_token(batch):
    """What exporters write to repeat a class token along a dynamic batch dimension."""
    b = ModelBuilder([batch, 4, 8])
    size = b.op("Gather", b.op("Shape", "x"), b.const(0, np.int64))
    wanted = b.op("Concat", b.op("Unsqueeze", size, b.ints(0)), b.ints(-1, -1), axis=0)
    ones = b.op("ConstantOfShape", b.op("Shape", wanted), value=helper.make_tensor("", 7, [1], [1]))
    unset = b.op("Equal", wanted, b.op("Mul", ones, b.const(-1, np.int64)))
    token = b.op(
        "Expand", b.const(np.arange(8).reshape(1, 1, 8)), b.op("Where", unset, ones, wanted)
    )
    joined = b.op("Concat", token, "x", axis=1)
    rows = b.op("Concat", b.op("Unsqueeze", size, b.ints(0)), b.ints(5, 2, 4), axis=0)
    return b, b.op("Reshape", joined, rows)


@pytest.mark.parametrize("size", [1, 3])
def test_shape_glue_is_folded(size, body_of):
    b, output = class_token("batch")
    lines = [line.split(" = ")[1] for line in body_of(b, output, dims={"batch": size})]
    assert lines[0].endswith(f"tensor<{size}x1x8xf32>")
    assert lines[1].startswith("tensor.concat dim(1) %cst0, %x")
    assert lines[2].endswith(f"into tensor<{size}x5x2x4xf32>")
    assert len(lines) == 3


def test_constant_arithmetic_is_folded(body_of):
    """1 / sqrt(head size), from the shape."""
    b = ModelBuilder([2, 16])
    width = b.op("Cast", b.op("Gather", b.op("Shape", "x"), b.const(1, np.int64)), to=1)
    scale = b.op("Div", b.const(1), b.op("Sqrt", width))
    assert body_of(b, b.op("Mul", "x", scale))[0].endswith("dense<0.25> : tensor<2x16xf32>")


def test_random_values_are_not_folded(run, tmp_path):
    b = ModelBuilder([2])
    path = b.save(tmp_path / "m.onnx", b.op("Add", "x", b.op("RandomNormal", shape=[2])))
    assert "/RandomNormal_1: RandomNormal (ai.onnx, opset 17)" in run(path)[1]


def test_local_functions_are_inlined(tmp_path, run):
    function = helper.make_function(
        "local",
        "Twice",
        ["a"],
        ["b"],
        [helper.make_node("Add", ["a", "a"], ["b"])],
        [helper.make_opsetid("", 17)],
    )
    b = ModelBuilder([2], extra_domains=["local"])
    model = b.model(b.op("Twice", "x", domain="local"), shape=[2])
    model.functions.append(function)
    onnx.save(model, str(tmp_path / "model.onnx"))
    assert run(tmp_path / "model.onnx") == (0, "")
    assert "arith.addf %x, %x" in (tmp_path / "out.mlir").read_text()


# --- Dimensions ------------------------------------------------------------------------------


def test_dynamic_dimensions_are_named(tmp_path, run):
    path = simple_model(tmp_path, ("batch", None, "tokens"))
    code, error = run(path)
    assert code == 1
    assert error == (
        "error: 'model.onnx' has dynamic dimensions: 'batch', 'x:1', 'tokens'; "
        "fix each with --dim batch=N\n"
    )
    arguments = ["--dim", "batch=2", "--dim", "x:1=3", "--dim", "tokens=5"]
    assert run(path, *arguments) == (0, "")
    assert "%x: tensor<2x3x5xf32>" in (tmp_path / "out.mlir").read_text()


def test_unknown_dimension(tmp_path, run):
    path = simple_model(tmp_path, ("batch", 4))
    code, error = run(path, "--dim", "batsh=1")
    assert (code, error) == (
        1,
        "error: 'model.onnx' has no symbolic dimension 'batsh'; the symbolic ones: 'batch'\n",
    )


@pytest.mark.parametrize("dim", ["batch", "batch=", "=3", "batch=0", "batch=-1", "batch=x"])
def test_malformed_dim_is_a_usage_error(dim, tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(
            ["import", str(simple_model(tmp_path)), "-o", str(tmp_path / "out.mlir"), "--dim", dim]
        )
    assert exit_.value.code == 2
    assert "is not of the form name=N" in capsys.readouterr().err


def test_contradicting_shapes(tmp_path, run):
    b = ModelBuilder(["batch", 4])
    path = b.save(tmp_path / "m.onnx", b.op("Add", "x", b.const(np.ones((2, 4)))), shape=[2, 4])
    assert run(path, "--dim", "batch=1") == (0, "")
    code, error = run(path, "--dim", "batch=3", output="other.mlir")
    assert code == 1
    single_line(error, "the shapes of 'm.onnx' do not fit together: ")


def test_reshape_to_another_number_of_elements(tmp_path, run):
    b = ModelBuilder(["batch", 4])
    path = b.save(tmp_path / "m.onnx", b.op("Reshape", "x", b.ints(2, 2)), shape=[2, 2])
    assert run(path, "--dim", "batch=1") == (0, "")
    code, error = run(path, "--dim", "batch=3", output="other.mlir")
    assert code == 1 and error.endswith("opset 17): it makes shape [2, 2] of [3, 4]\n")
