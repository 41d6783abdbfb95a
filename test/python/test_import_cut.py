# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""`nlq import --output` and `--input`: a part of a model, cut out at named values."""

import numpy as np
import onnx
from onnx import TensorProto, helper

from onnx_models import ModelBuilder, simple_model, single_line


def lines_of(tmp_path):
    """The operations of the written module, without locations."""
    text = (tmp_path / "out.mlir").read_text().split("\n{-#")[0]
    return [line.strip().split(" loc(")[0] for line in text.splitlines()]


def signature_of(tmp_path):
    return (tmp_path / "out.mlir").read_text().splitlines()[1]


def backbone_and_decoder(tmp_path):
    """x -> Softmax -> Add -> Relu, which is unsupported, and an input `mask` for the decoder."""
    b = ModelBuilder([1, 4])
    b.input("mask", ["length", 4])
    soft = b.op("Softmax", "x", name="/backbone/Softmax")
    moved = b.op("Add", soft, b.const([1, 2, 3, 4]), name="/backbone/Add")
    relu = b.op("Relu", b.op("Mul", moved, "mask"), name="/decoder/Relu")
    b.op("Add", relu, b.const([7, 7, 7, 8]), name="/decoder/Add")
    return b, soft, moved, b.save(tmp_path / "m.onnx", b.nodes[-1].output[0], shape=["n", 4])


# --- Outputs ---------------------------------------------------------------------------------


def test_only_what_leads_to_the_output_is_kept(tmp_path, run):
    """No unsupported node, no input of the rest with its dynamic dimension, no weight of it."""
    _, _, moved, path = backbone_and_decoder(tmp_path)
    assert run(path, "--output", moved) == (0, "")
    assert signature_of(tmp_path) == (
        '  func.func @main(%x: tensor<1x4xf32> {nlq.name = "x"} loc("x"))'
        f' -> (tensor<1x4xf32> {{nlq.name = "{moved}"}}) {{'
    )
    assert lines_of(tmp_path)[3:5] == [
        "%0 = nlq.softmax %x : tensor<1x4xf32> -> tensor<1x4xf32>",
        "%1 = arith.addf %0, %cst0 : tensor<1x4xf32>",
    ]
    assert "0000E040" not in (tmp_path / "out.mlir").read_text()  # 7.0


def test_without_the_option_the_whole_model_is_imported(tmp_path, run):
    _, _, _, path = backbone_and_decoder(tmp_path)
    code, error = run(path, "--dim", "length=1")
    assert code == 1
    assert error == (
        "error: 'm.onnx' has 1 unsupported node:\n  /decoder/Relu: Relu (ai.onnx, opset 17)\n"
    )


def test_several_outputs_in_their_order(tmp_path, run):
    _, soft, moved, path = backbone_and_decoder(tmp_path)
    assert run(path, "--output", moved, "--output", soft, "--output", moved) == (0, "")
    lines = lines_of(tmp_path)
    assert "return %1, %0 : tensor<1x4xf32>, tensor<1x4xf32>" in lines
    assert signature_of(tmp_path).index(f'nlq.name = "{moved}"') < signature_of(tmp_path).index(
        f'nlq.name = "{soft}"'
    )


def test_output_whose_shape_follows_from_shape_glue(tmp_path, run):
    """No type is recorded for it, and inference alone does not find one."""
    b = ModelBuilder(["batch", 6])
    size = b.op("Gather", b.op("Shape", "x"), b.const(0, np.int64))
    rows = b.op("Concat", b.op("Unsqueeze", size, b.ints(0)), b.ints(2, -1), axis=0)
    shaped = b.op("Reshape", "x", rows)
    path = b.save(tmp_path / "m.onnx", b.op("Relu", shaped), shape=["batch", 2, 3])
    assert run(path, "--dim", "batch=5", "--output", shaped) == (0, "")
    assert f'-> (tensor<5x2x3xf32> {{nlq.name = "{shaped}"}})' in signature_of(tmp_path)


def test_output_of_another_element_type(tmp_path, run):
    b = ModelBuilder([1, 4])
    shape = b.op("Shape", "x")
    path = b.save(tmp_path / "m.onnx", b.op("Softmax", "x"), b.op("Cast", shape, to=1), shape=None)
    code, error = run(path, "--output", shape)
    assert code == 1
    single_line(error, f"'{shape}' of 'm.onnx' has element type int64; only float is supported")


def test_values_that_subgraphs_read_are_kept(tmp_path, run):
    """The If is unsupported; the model without what its branches read would be malformed."""
    b = ModelBuilder([1, 4])
    read = b.op("Softmax", "x")
    branches = {
        name: helper.make_graph(
            [helper.make_node(op, [read], [f"{name}_out"])],
            name,
            [],
            [helper.make_tensor_value_info(f"{name}_out", TensorProto.FLOAT, [1, 4])],
        )
        for name, op in (("then_branch", "Abs"), ("else_branch", "Neg"))
    }
    chosen = b.op("If", b.const(True, bool), name="/If", **branches)
    path = b.save(tmp_path / "m.onnx", b.op("Tan", chosen), shape=[1, 4])
    code, error = run(path, "--output", chosen)
    assert code == 1
    assert error == "error: 'm.onnx' has 1 unsupported node:\n  /If: If (ai.onnx, opset 17)\n"


# --- Inputs ----------------------------------------------------------------------------------


def test_inner_value_as_an_argument(tmp_path, run):
    """What computes it goes, unsupported nodes and the model's own input included."""
    b = ModelBuilder(["batch", 4], extra_domains=["com.example"])
    own = b.op("Add", b.op("Relu", "x"), b.const([1, 2, 3, 4]))
    b.op("Own", own, domain="com.example")
    path = b.save(tmp_path / "m.onnx", b.op("Softmax", own), shape=["batch", 4])
    assert run(path, "--dim", "batch=3", "--input", own) == (0, "")
    assert f'@main(%{own}: tensor<3x4xf32> {{nlq.name = "{own}"}}' in signature_of(tmp_path)
    assert lines_of(tmp_path)[2:4] == [
        f"%0 = nlq.softmax %{own} : tensor<3x4xf32> -> tensor<3x4xf32>",
        "return %0 : tensor<3x4xf32>",
    ]


def test_named_inputs_come_first(tmp_path, run):
    b = ModelBuilder([1, 4])
    b.input("y", [1, 4])
    first, second = b.op("Softmax", "x"), b.op("Softmax", "y")
    path = b.save(tmp_path / "m.onnx", b.op("Add", b.op("Add", first, second), "x"))
    assert run(path, "--input", second, "--input", first) == (0, "")
    names = [f"%{second}: ", f"%{first}: ", "%x: "]
    places = [signature_of(tmp_path).index(name) for name in names]
    assert places == sorted(places) and "%y" not in signature_of(tmp_path)


def test_constant_as_an_argument(tmp_path, run):
    """Nothing that depends on it may be folded."""
    b = ModelBuilder([1, 4])
    weight = b.const([1, 2, 3, 4])
    twice = b.op("Add", weight, weight)
    path = b.save(tmp_path / "m.onnx", b.op("Add", "x", twice))
    assert run(path, "--input", weight, "--input", "x") == (0, "")
    assert f"@main(%{weight}: tensor<4xf32>" in signature_of(tmp_path)
    assert f"%0 = arith.addf %{weight}, %{weight} : tensor<4xf32>" in lines_of(tmp_path)


def test_folded_value_as_an_argument(tmp_path, run):
    b = ModelBuilder([1, 4])
    twice = b.op("Add", b.const([1, 2, 3, 4]), b.const([1, 2, 3, 4]))
    path = b.save(tmp_path / "m.onnx", b.op("Add", "x", b.op("Softmax", twice)))
    assert run(path, "--input", twice) == (0, "")
    assert f"%0 = nlq.softmax %{twice} : tensor<4xf32> -> tensor<4xf32>" in lines_of(tmp_path)


def test_input_that_is_computed_beside_a_needed_value(tmp_path, run):
    b = ModelBuilder([1, 4])
    left, right = b.op("Split", "x", b.ints(1, 3), axis=1, outputs=2)
    path = b.save(tmp_path / "m.onnx", b.op("Concat", left, b.op("Softmax", right), axis=1))
    assert run(path, "--input", right) == (0, "")
    assert f"@main(%{right}: tensor<1x3xf32>" in signature_of(tmp_path)
    lines = lines_of(tmp_path)
    assert lines[2].startswith("%0 = tensor.extract_slice %x[0, 0] [1, 1] ")
    assert f"nlq.softmax %{right} :" in "\n".join(lines)


def test_input_that_is_returned(tmp_path, run):
    _, soft, moved, path = backbone_and_decoder(tmp_path)
    assert run(path, "--input", soft, "--output", moved, "--output", soft) == (0, "")
    assert f"return %0, %{soft} : tensor<1x4xf32>, tensor<1x4xf32>" in lines_of(tmp_path)


# --- Errors ----------------------------------------------------------------------------------


def long_names(tmp_path):
    b = ModelBuilder([1, 4])
    model = b.model(b.op("Softmax", b.op("Add", "x", "x", name="/blocks.0/norm/Add")))
    for index, name in enumerate(["/blocks.0/norm/Add_output_0", "/head/Softmax_output_0"]):
        model.graph.node[index].output[0] = name
    model.graph.node[1].input[0] = "/blocks.0/norm/Add_output_0"
    model.graph.output[0].name = "/head/Softmax_output_0"
    onnx.save(model, str(tmp_path / "m.onnx"))
    return tmp_path / "m.onnx"


def test_unknown_output(tmp_path, run):
    code, error = run(long_names(tmp_path), "--output", "/blocks.0/nrom/Add_output_0")
    assert code == 1
    assert error == (
        "error: 'm.onnx' has no value '/blocks.0/nrom/Add_output_0'; the nearest names: "
        "'/blocks.0/norm/Add_output_0', '/head/Softmax_output_0', 'x'\n"
    )


def test_name_of_a_node(tmp_path, run):
    """Its result comes first, although other names may be nearer."""
    code, error = run(long_names(tmp_path), "--input", "/blocks.0/norm/Add")
    assert code == 1
    single_line(
        error,
        "'m.onnx' has no value '/blocks.0/norm/Add'; the nearest names: "
        "'/blocks.0/norm/Add_output_0', ",
    )


def test_input_that_leads_nowhere(tmp_path, run):
    b, soft, _, path = backbone_and_decoder(tmp_path)
    code, error = run(path, "--output", soft, "--input", b.nodes[2].output[0])
    assert code == 1
    single_line(error, f"no output of 'm.onnx' depends on '{b.nodes[2].output[0]}'")


def test_input_without_a_shape(tmp_path, run):
    b = ModelBuilder([1, 4], extra_domains=["com.example"])
    own = b.op("Own", "x", domain="com.example")
    path = b.save(tmp_path / "m.onnx", b.op("Softmax", own), shape=[1, 4])
    code, error = run(path, "--input", own)
    assert code == 1
    single_line(
        error, f"'{own}' of 'm.onnx' cannot be an input: its shape is not known before it runs"
    )


def test_input_of_another_element_type(tmp_path, run):
    b = ModelBuilder([2, 2])
    shape = b.op("Mul", b.op("Shape", "x"), b.ints(1, 1))
    path = b.save(tmp_path / "m.onnx", b.op("Reshape", "x", shape))
    code, error = run(path, "--input", shape)
    assert code == 1
    single_line(error, f"'{shape}' of 'm.onnx' has element type int64; only float is supported")


def test_dimension_of_a_part_that_is_left_out(tmp_path, run):
    """It is neither asked for nor taken."""
    _, soft, _, path = backbone_and_decoder(tmp_path)
    code, error = run(path, "--output", soft, "--dim", "length=1")
    assert code == 1
    single_line(error, "'m.onnx' has no symbolic dimension 'length'; the symbolic ones: none")


def test_an_empty_name_is_no_value(tmp_path, run):
    code, error = run(simple_model(tmp_path), "--output", "")
    assert code == 1
    single_line(error, "'model.onnx' has no value ''; the nearest names: ")
