# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Libraries of kernels that `nlq compile` makes of functions of quantized operations."""

import ctypes
import subprocess

import numpy as np
import pytest

from commands_fixtures import nlq
from nlq.native import Module, Runner

TYPES = """
!x = !quant.uniform<i8:f32, 0.05>
!p = !quant.uniform<i8:f32, 0.00390625:-128>
!a = !quant.uniform<i32<-64516:64516>:f32, 1.0e-04>
"""

GELU = """
func.func @{name}(%x: tensor<{rows}x67x!x>) -> tensor<{rows}x67x!x> {{
  %y = nlq.gelu %x erf : tensor<{rows}x67x!x> -> tensor<{rows}x67x!x>
  return %y : tensor<{rows}x67x!x>
}}
"""

SOFTMAX = """
func.func @{name}(%x: tensor<{rows}x49x!x> {{nlq.name = "scores"}})
    -> (tensor<{rows}x49x!p> {{nlq.name = "shares"}}) {{
  %y = nlq.softmax %x {{method = #nlq.ibert<>}} : tensor<{rows}x49x!x> -> tensor<{rows}x49x!p>
  return %y : tensor<{rows}x49x!p>
}}
"""

# Two operations in a row, on accumulators, with a private function between.
CHAIN = """
func.func private @inner(%x: tensor<4x5x!a>) -> tensor<4x5x!x> {{
  %y = nlq.gelu %x erf {{method = #nlq.ibert<>}} : tensor<4x5x!a> -> tensor<4x5x!x>
  return %y : tensor<4x5x!x>
}}
func.func @{name}(%x: tensor<4x5x!a>) -> tensor<4x5x!p> {{
  %y = call @inner(%x) : (tensor<4x5x!a>) -> tensor<4x5x!x>
  %z = nlq.softmax %y : tensor<4x5x!x> -> tensor<4x5x!p>
  return %z : tensor<4x5x!p>
}}
"""

# The same in one function.
CHAIN_IN_ONE = """
func.func @{name}(%x: tensor<4x5x!a>) -> tensor<4x5x!p> {{
  %y = nlq.gelu %x erf {{method = #nlq.ibert<>}} : tensor<4x5x!a> -> tensor<4x5x!x>
  %z = nlq.softmax %y : tensor<4x5x!x> -> tensor<4x5x!p>
  return %z : tensor<4x5x!p>
}}
"""

BATCH = """
func.func @{name}(%x: tensor<{rows}x{rows}x49x!x>) -> tensor<{rows}x{rows}x49x!p> {{
  %g = nlq.gelu %x erf : tensor<{rows}x{rows}x49x!x> -> tensor<{rows}x{rows}x49x!x>
  %y = nlq.softmax %g : tensor<{rows}x{rows}x49x!x> -> tensor<{rows}x{rows}x49x!p>
  return %y : tensor<{rows}x{rows}x49x!p>
}}
"""


def write(path, *functions):
    """Writes a module of functions."""
    path.write_text(TYPES + "".join(functions))
    return path


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A folder with lib.so and lib.h of five functions."""
    folder = tmp_path_factory.mktemp("library")
    module = write(
        folder / "kernels.mlir",
        GELU.format(name="gelu", rows=197),
        GELU.format(name="gelu_rows", rows="?"),
        SOFTMAX.format(name="softmax_rows", rows="?"),
        BATCH.format(name="batch", rows="?"),
        CHAIN.format(name="main"),
    )
    arguments = ("--method", "table", "--entry", "scores_of")
    nlq("compile", module, *arguments, "-o", folder / "lib.so")
    return folder


def reference(folder, function, values, method="table"):
    """What a function named main makes of stored integers, interpreted."""
    module = Module.parse(write(folder / "main.mlir", function))
    module.run_passes(f'nlq-set-method{{method="{method}"}}')
    (result,), _ = Runner.reference(module).run([values[np.newaxis]])
    return result[0]


def call(library, name, values, *extents):
    """What a function of a library writes, with a guard after it."""
    result = np.full(values.size + 1, 77, np.int8)
    pointers = (values.ctypes.data_as(ctypes.c_void_p), result.ctypes.data_as(ctypes.c_void_p))
    getattr(ctypes.CDLL(str(library / "lib.so")), name)(*pointers, *map(ctypes.c_int64, extents))
    assert result[-1] == 77
    return result[:-1].reshape(values.shape)


def integers(*shape, low=-128, high=127, dtype=np.int8):
    """Reproducible integers."""
    return np.random.default_rng(5).integers(low, high, shape, dtype, endpoint=True)


def test_static_function(library, tmp_path):
    values = integers(197, 67)
    expected = reference(tmp_path, GELU.format(name="main", rows=197), values)
    assert (call(library, "gelu", values) == expected).all()
    assert len(np.unique(expected)) > 20


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 130])
@pytest.mark.parametrize(
    ("name", "function", "columns"),
    [("gelu_rows", GELU, 67), ("softmax_rows", SOFTMAX, 49)],
)
def test_any_number_of_rows(name, function, columns, rows, library, tmp_path):
    values = integers(rows, columns)
    expected = reference(tmp_path, function.format(name="main", rows=rows), values)
    assert (call(library, name, values, rows) == expected).all()


def test_no_rows(library):
    call(library, "softmax_rows", np.empty((0, 49), np.int8), 0)


def test_several_dynamic_extents(library, tmp_path):
    values = integers(3, 3, 49)
    expected = reference(tmp_path, BATCH.format(name="main", rows=3), values)
    assert (call(library, "batch", values, 3, 3) == expected).all()
    # Extents that differ: the same rows, however they are grouped.
    flat = values.reshape(1, 9, 49)
    assert (call(library, "batch", flat, 1, 9).reshape(3, 3, 49) == expected).all()


def test_main_is_the_entry(library, tmp_path):
    values = integers(4, 5, low=-64516, high=64516, dtype=np.int32)
    expected = reference(tmp_path, CHAIN_IN_ONE.format(name="main"), values)
    assert (call(library, "scores_of", values) == expected).all()


def test_only_public_functions_are_exported(library):
    loaded = ctypes.CDLL(str(library / "lib.so"))
    assert not hasattr(loaded, "inner") and not hasattr(loaded, "main")


def test_header(library, compiler, tmp_path):
    text = (library / "lib.h").read_text()
    scores = 'scores: argument "scores", int8_t[scores_0][49]'
    for line in [
        "void gelu(const int8_t *arg0, int8_t *result0);",
        f"//   {scores} of !quant.uniform<i8:f32, 5.000000e-02>",
        '//   shares: result "shares", int8_t[?][49] of !quant.uniform<i8:f32, 3.906250e-03:-128>',
        "void softmax_rows(const int8_t *scores, int8_t *shares, int64_t scores_0);",
        "void batch(const int8_t *arg0, int8_t *result0, int64_t arg0_0, int64_t arg0_1);",
        "void scores_of(const int32_t *arg0, int8_t *result0);",
    ]:
        assert f"\n{line}\n" in text
    assert "inner" not in text
    (tmp_path / "main.c").write_text(
        '#include "lib.h"\n#include <stdio.h>\n'
        "int main(void) {\n"
        "  int8_t x[49] = {0}, y[49];\n"
        "  softmax_rows(x, y, 1);\n"
        '  printf("%d %d\\n", y[0], y[48]);\n'
        "  return 0;\n"
        "}\n"
    )
    command = [*compiler, f"-I{library}", "main.c", library / "lib.so", f"-Wl,-rpath,{library}"]
    subprocess.run([*command, "-o", "program"], cwd=tmp_path, check=True)
    printed = subprocess.run([tmp_path / "program"], check=True, capture_output=True, text=True)
    # 256/49 rounds to 5; the zero point is -128.
    assert printed.stdout == "-123 -123\n"


# Numbers of processors in ELF files.
@pytest.mark.parametrize(
    ("target", "machine"), [("aarch64", 183), ("x86-64-v3", 62), ("x86-64-v4", 62)]
)
@pytest.mark.parametrize(("suffix", "kind"), [("o", 1), ("so", 3)])
def test_targets(target, machine, suffix, kind, tmp_path):
    module = write(tmp_path / "m.mlir", SOFTMAX.format(name="softmax", rows="?"))
    output = tmp_path / f"m.{suffix}"
    nlq("compile", module, "--target", target, "-o", output)
    content = output.read_bytes()
    assert content[:5] == b"\x7fELF\x02"
    assert int.from_bytes(content[16:18], "little") == kind
    assert int.from_bytes(content[18:20], "little") == machine


def test_whole_attribute_as_method(tmp_path):
    function = GELU.replace("erf", "tanh")
    module = write(tmp_path / "m.mlir", function.format(name="gelu", rows=3))
    method = "#nlq.ibert<in = !quant.uniform<i8:f32, 0.1>>"
    nlq("compile", module, "--method", method, "-o", tmp_path / "lib.so")
    values = integers(3, 67)
    found = call(tmp_path, "gelu", values)
    function = function.format(name="main", rows=3)
    assert (found == reference(tmp_path, function, values, method)).all()
    assert (found != reference(tmp_path, function, values)).any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "'nlq.gelu' op has no method; assign one first (nlq-assign)"),
        (["--method", "best"], "nlq-set-method: unknown method 'best'; ibert, ivit, fqvit"),
        (["--method", "table,ibert"], "one method is needed, found 'table,ibert'"),
        (["--method", "#nlq.best<>"], "'#nlq.best<>' is no method attribute: "),
        (["--method", "#nlq.rounding<floor>"], "'#nlq.rounding<floor>' is no method attribute"),
        (["--method", "table", "--entry", "f"], "has no function main that could be called f"),
        (["--method", "table", "--target", "z80"], "unknown processor 'z80' for x86_64-linux-gnu"),
    ],
)
def test_errors(arguments, message, tmp_path, fail):
    module = write(tmp_path / "m.mlir", GELU.format(name="gelu", rows=3))
    error = fail("compile", module, *arguments, "-o", tmp_path / "m.so")
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no public function to compile"),
        ("func.func private @f() { return }", "has no public function to compile"),
        ('func.func @"a-b"() { return }', "has a function 'a-b', which is not a name in C"),
        (
            "func.func @f(%x: tensor<4xf64>) { return }",
            "f has the type tensor<4xf64> in its signature; tensors of f32, i8, i16, i32 or i64, "
            "or quantized in one of these, can be run",
        ),
        (
            "func.func @memset(%x: tensor<4xi8>) -> tensor<4xi8> { return %x : tensor<4xi8> }",
            "the function 'memset' can't be called 'memset': this name is taken",
        ),
        (
            "func.func @main() { return } func.func @nlq_main() { return }",
            "has a function 'nlq_main' and main, which is to be called so",
        ),
        (
            "func.func @f(%x: tensor<?x4xi8>) -> tensor<?xi8> {\n"
            "  %y = tensor.collapse_shape %x [[0, 1]] : tensor<?x4xi8> into tensor<?xi8>\n"
            "  return %y : tensor<?xi8>\n"
            "}",
            "dimension 0 of result 0 of 'f' is dynamic and no dimension of an argument",
        ),
        (
            "func.func @f(%x: tensor<?x4xi8>) -> tensor<?x4xi8> { return %x : tensor<?x4xi8> }\n"
            "func.func @g(%x: tensor<?x4xi8>) -> tensor<?x4xi8> {\n"
            "  %y = call @f(%x) : (tensor<?x4xi8>) -> tensor<?x4xi8>\n"
            "  return %y : tensor<?x4xi8>\n"
            "}",
            "'f' has dynamic extents and is called by another function; only functions of static "
            "shapes may be called",
        ),
    ],
)
def test_errors_of_modules(text, message, tmp_path, fail):
    module = tmp_path / "m.mlir"
    module.write_text(text)
    error = fail("compile", module, "-o", tmp_path / "m.so")
    assert message in error and error.count("\n") == 1
