# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""What `nlq import` says when it cannot, and that it leaves nothing behind."""

import os

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from nlq.cli import main
from onnx_models import ModelBuilder, simple_model, single_line

# --- Bad files -------------------------------------------------------------------------------


def test_missing_file(tmp_path, run):
    code, error = run(tmp_path / "absent.onnx")
    assert code == 1
    single_line(error, f"cannot read '{tmp_path}/absent.onnx': No such file or directory")


def test_folder_instead_of_file(tmp_path, run):
    code, error = run(tmp_path)
    assert code == 1
    single_line(error, f"cannot read '{tmp_path}': Is a directory")


@pytest.mark.parametrize(
    "content", [b"", b"hello, this is text\n", b"\x00" * 64, bytes(range(256)), b"PK\x03\x04zip"]
)
def test_not_onnx(content, tmp_path, run):
    (tmp_path / "bad.onnx").write_bytes(content)
    code, error = run(tmp_path / "bad.onnx")
    assert code == 1
    single_line(error, f"'{tmp_path}/bad.onnx' is not an ONNX model")


def test_every_truncation(tmp_path, run):
    b = ModelBuilder([1, 4])
    path = b.save(tmp_path / "m.onnx", b.op("MatMul", "x", b.const(np.ones((4, 2)))))
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        code, error = run(path)
        assert code == 1, length
        assert error.startswith("error: ") and error.count("\n") == 1, (length, error)


def test_weight_of_the_wrong_size(tmp_path, run):
    b = ModelBuilder([1, 4])
    model = b.model(b.op("MatMul", "x", b.const(np.ones((4, 2)))))
    model.graph.initializer[0].raw_data = b"\x00" * 7
    onnx.save(model, str(tmp_path / "m.onnx"))
    code, error = run(tmp_path / "m.onnx")
    assert code == 1
    single_line(error, "initializer 'c1' of 'm.onnx' is malformed: ")


def external(tmp_path):
    b = ModelBuilder([1, 4])
    model = b.model(b.op("MatMul", "x", b.const(np.arange(8).reshape(4, 2))))
    onnx.save(
        model,
        str(tmp_path / "m.onnx"),
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    return tmp_path / "m.onnx"


def test_external_data(tmp_path, run):
    assert run(external(tmp_path)) == (0, "")
    expected = np.arange(8, dtype="<f4").tobytes().hex().upper()
    assert expected in (tmp_path / "out.mlir").read_text()


def test_missing_external_data(tmp_path, run):
    path = external(tmp_path)
    os.remove(tmp_path / "weights.bin")
    code, error = run(path)
    assert code == 1
    single_line(error, f"cannot read the external data of '{path}'")


def test_truncated_external_data(tmp_path, run):
    path = external(tmp_path)
    (tmp_path / "weights.bin").write_bytes(b"\x00" * 9)
    code, error = run(path)
    assert code == 1
    assert error.startswith("error: ") and error.count("\n") == 1


def test_invalid_graph(tmp_path, run):
    b = ModelBuilder([1, 4])
    path = b.save(tmp_path / "m.onnx", b.op("Add", "x", "nowhere"), shape=[1, 4])
    code, error = run(path)
    assert code == 1
    single_line(error, "'m.onnx' is not a valid ONNX model: ")


@pytest.mark.parametrize("opset", [12, 99])
def test_opset_out_of_range(opset, tmp_path, run):
    b = ModelBuilder([1, 4], opset=opset)
    path = b.save(tmp_path / "m.onnx", b.op("Relu", "x"), shape=[1, 4])
    code, error = run(path)
    assert code == 1
    single_line(error, f"'m.onnx' uses opset {opset}; 13 to ")


def test_other_element_types(tmp_path, run):
    b = ModelBuilder([1, 4])
    b.input("ids", [2], TensorProto.INT64)
    path = b.save(tmp_path / "m.onnx", b.op("Softmax", "x"))
    code, error = run(path)
    assert code == 1
    single_line(error, "'ids' of 'm.onnx' has element type int64; only float is supported")


# --- Unsupported models ----------------------------------------------------------------------


def test_all_unsupported_nodes_are_listed(tmp_path, run):
    """With the consequences of the first left out: glue that folds once shapes are known."""
    b = ModelBuilder([1, 4], extra_domains=["com.example"])
    relu = b.op("Relu", "x", name="/a/Relu")
    own = b.op("Own", relu, name="/b/Own", domain="com.example")
    invented = b.op("Invented", own, name="/c/Invented")
    sliced = b.op("Slice", "x", b.ints(3), b.ints(0), b.ints(1), b.ints(-1), name="/d/Slice")
    size = b.op("Gather", b.op("Shape", own), b.const(0, np.int64))
    rows = b.op("Concat", b.op("Unsqueeze", size, b.ints(0)), b.ints(-1), axis=0)
    shaped = b.op("Reshape", invented, rows)
    total = b.op("Add", b.op("Softmax", shaped), sliced)
    b.op("Tan", "x", name="/unused/Tan")
    path = b.save(tmp_path / "m.onnx", b.op("Selu", total, name="/e/Selu"), shape=[1, 4])
    code, error = run(path)
    assert code == 1
    assert error == (
        "error: 'm.onnx' has 5 unsupported nodes:\n"
        "  /a/Relu: Relu (ai.onnx, opset 17)\n"
        "  /b/Own: Own (com.example, opset 1)\n"
        "  /c/Invented: Invented (ai.onnx, opset 17): not an operator of this opset\n"
        "  /d/Slice: Slice (ai.onnx, opset 17): its steps [-1] are not all positive\n"
        "  /e/Selu: Selu (ai.onnx, opset 17)\n"
    )


def test_attributes_that_are_not_understood(tmp_path, run):
    b = ModelBuilder([1, 4], opset=18)
    path = b.save(tmp_path / "m.onnx", b.op("Cast", "x", to=TensorProto.FLOAT16), shape=[1, 4])
    code, error = run(path)
    assert code == 1 and error.startswith("error: ")


def test_quantized_models_list_their_nodes(tmp_path, run):
    b = ModelBuilder([1, 4])
    scale = b.const(0.5)
    quantized = b.op("QuantizeLinear", "x", scale, b.const(0, np.int8))
    path = b.save(
        tmp_path / "m.onnx",
        b.op("DequantizeLinear", quantized, scale, b.const(0, np.int8)),
        shape=[1, 4],
    )
    error = run(path)[1]
    assert "2 unsupported nodes" in error
    assert ": QuantizeLinear (ai.onnx, opset 17)" in error
    assert ": DequantizeLinear (ai.onnx, opset 17)" in error


# --- Outputs ---------------------------------------------------------------------------------


def test_failure_keeps_the_old_output(tmp_path, capsys):
    (tmp_path / "out.mlir").write_text("old")
    assert main(["import", str(tmp_path / "no.onnx"), "-o", str(tmp_path / "out.mlir")]) == 1
    assert (tmp_path / "out.mlir").read_text() == "old"


def test_output_folder_does_not_exist(tmp_path, capsys):
    output = tmp_path / "no" / "out.mlir"
    assert main(["import", str(simple_model(tmp_path)), "-o", str(output)]) == 1
    single_line(capsys.readouterr().err, f"cannot write '{output}': No such file or directory")


def test_output_of_unknown_kind_is_a_usage_error(tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["import", str(simple_model(tmp_path)), "-o", "out.txt"])
    assert exit_.value.code == 2
    assert "'out.txt' ends in neither .mlir nor .mlirbc" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["import"], ["import", "m.onnx"], ["explode"]])
def test_usage_errors(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2


def test_bytecode_without_the_tool(tmp_path, run, monkeypatch):
    monkeypatch.setenv("NLQ_OPT", str(tmp_path / "nowhere"))
    code, error = run(simple_model(tmp_path), output="out.mlirbc")
    assert code == 1
    single_line(error, f"NLQ_OPT names '{tmp_path}/nowhere', which is not an executable file")


def test_bytecode_when_the_tool_fails(tmp_path, run, monkeypatch):
    tool = tmp_path / "failing-tool"
    tool.write_text("#!/bin/sh\necho half > \"$3\"\necho 'it broke' >&2\nexit 3\n")
    tool.chmod(0o755)
    monkeypatch.setenv("NLQ_OPT", str(tool))
    code, error = run(simple_model(tmp_path), output="out.mlirbc")
    assert code == 1
    single_line(error, "nlq-opt failed with exit code 3: it broke")
