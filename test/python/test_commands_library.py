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

# Rows of any length up to 300.
ANY_SOFTMAX = """
func.func @{name}(%x: tensor<{rows}x{columns}x!x>) -> tensor<{rows}x{columns}x!p> {{
  %y = nlq.softmax %x {{max_row_length = 300 : i64}}
      : tensor<{rows}x{columns}x!x> -> tensor<{rows}x{columns}x!p>
  return %y : tensor<{rows}x{columns}x!p>
}}
"""

# Rows of any length at all, by a method that looks at one element at a time.
ANY_GELU = """
func.func @{name}(%x: tensor<{rows}x{columns}x!a>) -> tensor<{rows}x{columns}x!x> {{
  %y = nlq.gelu %x erf {{method = #nlq.ibert<>}}
      : tensor<{rows}x{columns}x!a> -> tensor<{rows}x{columns}x!x>
  return %y : tensor<{rows}x{columns}x!x>
}}
"""

# Rows that lie apart, of which the argument has two dimensions more.
STRIDED = """
func.func @{name}(%x: tensor<{rows}x3x{columns}x!x> {strided})
    -> (tensor<{rows}x3x{columns}x!p> {strided}) {{
  %g = nlq.gelu %x erf : tensor<{rows}x3x{columns}x!x> -> tensor<{rows}x3x{columns}x!x>
  %y = nlq.softmax %g {{max_row_length = 300 : i64}}
      : tensor<{rows}x3x{columns}x!x> -> tensor<{rows}x3x{columns}x!p>
  return %y : tensor<{rows}x3x{columns}x!p>
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
    """A folder with lib.so and lib.h."""
    folder = tmp_path_factory.mktemp("library")
    module = write(
        folder / "kernels.mlir",
        GELU.format(name="gelu", rows=197),
        GELU.format(name="gelu_rows", rows="?"),
        SOFTMAX.format(name="softmax_rows", rows="?"),
        BATCH.format(name="batch", rows="?"),
        CHAIN.format(name="main"),
        ANY_SOFTMAX.format(name="any_softmax", rows="?", columns="?"),
        ANY_GELU.format(name="any_gelu", rows="?", columns="?"),
        STRIDED.format(name="strided", rows="?", columns="?", strided="{nlq.strided}"),
        STRIDED.format(name="strided_67", rows=4, columns=67, strided="{nlq.strided}"),
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


LENGTHS = [1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 49, 63, 64, 65, 127, 128, 197, 257, 299, 300]


@pytest.mark.parametrize("columns", LENGTHS)
def test_rows_of_any_length(columns, library, tmp_path):
    values = integers(9, columns)
    expected = reference(tmp_path, ANY_SOFTMAX.format(name="main", rows=9, columns=columns), values)
    assert (call(library, "any_softmax", values, 9, columns) == expected).all()


@pytest.mark.parametrize("flags", [[], ["--reference"]])
def test_samples_say_how_long_rows_are(flags, library, tmp_path):
    function = ANY_SOFTMAX.replace("300 : i64", "300 : i64, method = #nlq.table<>")
    module = write(tmp_path / "m.mlir", function.format(name="main", rows="?", columns="?"))
    values = integers(2, 9, 49)
    np.savez(tmp_path / "x.npz", arg0=values)
    nlq("run", module, "--samples", tmp_path / "x.npz", "-o", tmp_path / "y.npz", *flags)
    found = np.load(tmp_path / "y.npz")["result0"]
    for sample, rows in zip(values, found, strict=True):
        assert (call(library, "any_softmax", sample, 9, 49) == rows).all()


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 9), "'arg0' has the shape [2, 9]; the model takes [N, ?, ?]"),
        ((2, 9, 301), "'nlq.softmax' op has rows of 301 elements and a max_row_length of 300"),
    ],
)
def test_samples_that_do_not_fit(shape, message, tmp_path, fail):
    function = ANY_SOFTMAX.replace("300 : i64", "300 : i64, method = #nlq.table<>")
    module = write(tmp_path / "m.mlir", function.format(name="main", rows="?", columns="?"))
    np.savez(tmp_path / "x.npz", arg0=np.zeros(shape, np.int8))
    error = fail("run", module, "--samples", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "y.npz").exists()


def test_rows_that_lie_apart_are_not_run(tmp_path, fail):
    function = STRIDED.format(name="main", rows=4, columns=5, strided="{nlq.strided}")
    module = write(tmp_path / "m.mlir", function)
    np.savez(tmp_path / "x.npz", arg0=np.zeros((1, 4, 3, 5), np.int8))
    error = fail("run", module, "--samples", tmp_path / "x.npz", "-o", tmp_path / "y.npz")
    assert "main has 'nlq.strided' in its signature; dense arrays can be run" in error
    assert error.count("\n") == 1 and not (tmp_path / "y.npz").exists()


@pytest.mark.parametrize("columns", [1, 31, 33, 1000])
def test_any_length_at_all(columns, library, tmp_path):
    values = integers(3, columns, low=-64516, high=64516, dtype=np.int32)
    expected = reference(tmp_path, ANY_GELU.format(name="main", rows=3, columns=columns), values)
    assert (call(library, "any_gelu", values, 3, columns) == expected).all()


@pytest.mark.parametrize("columns", [0, 301, -1, 2**62])
def test_longer_rows_are_refused(columns, library):
    result = np.full(4, 77, np.int8)
    function = ctypes.CDLL(str(library / "lib.so")).any_softmax
    pointer = result.ctypes.data_as(ctypes.c_void_p)
    assert function(None, pointer, ctypes.c_int64(3), ctypes.c_int64(columns)) == 1
    assert (result == 77).all()


def strided_call(library, name, values, gap, *extents):
    """What a function writes on rows with `gap` elements between them, all 77 before."""
    columns = values.shape[-1]
    apart = [np.full((*values.shape[:-1], columns + each), 77, np.int8) for each in gap]
    apart[0][..., :columns] = values
    pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in apart]
    numbers = [*extents, *(columns + each for each in gap)]
    function = getattr(ctypes.CDLL(str(library / "lib.so")), name)
    function(*pointers, *map(ctypes.c_int64, numbers))
    assert (apart[1][..., columns:] == 77).all()
    return apart[1][..., :columns]


@pytest.mark.parametrize("gap", [(0, 0), (61, 0), (0, 5), (59, 191)])
@pytest.mark.parametrize("columns", [5, 67, 197])
def test_strided_rows(columns, gap, library, tmp_path):
    values = integers(4, 3, columns)
    function = STRIDED.format(name="main", rows=4, columns=columns, strided="")
    expected = reference(tmp_path, function, values)
    assert (strided_call(library, "strided", values, gap, 4, columns) == expected).all()
    if columns == 67:
        assert (strided_call(library, "strided_67", values, gap) == expected).all()


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
        "// Returns 0, or 1 if arg0_1 is not from 1 to 300; then nothing is written.",
        "int32_t any_softmax(const int8_t *arg0, int8_t *result0, int64_t arg0_0, int64_t arg0_1);",
        "void any_gelu(const int32_t *arg0, int8_t *result0, int64_t arg0_0, int64_t arg0_1);",
        "void strided_67(const int8_t *arg0, int8_t *result0, int64_t arg0_stride, "
        "int64_t result0_stride);",
        '//   result0: result "result0", int8_t[4][3][67] of '
        "!quant.uniform<i8:f32, 3.906250e-03:-128>, a row every result0_stride elements",
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


@pytest.fixture(scope="module")
def threaded(tmp_path_factory):
    """A folder with lib.so, of functions whose rows OpenMP runs in parallel."""
    # What the library leaves to the program that loads it.
    try:
        ctypes.CDLL("libomp.so.5", ctypes.RTLD_GLOBAL)
    except OSError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("threaded")
    module = write(
        folder / "kernels.mlir",
        GELU.format(name="gelu", rows=197),
        SOFTMAX.format(name="softmax_rows", rows="?"),
        BATCH.format(name="batch", rows="?"),
        ANY_SOFTMAX.format(name="any_softmax", rows="?", columns="?"),
        STRIDED.format(name="strided", rows="?", columns="?", strided="{nlq.strided}"),
    )
    nlq("compile", module, "--method", "table", "--threads", "openmp", "-o", folder / "lib.so")
    return folder


def test_threads(threaded, library):
    assert b"__kmpc_fork_call" in (threaded / "lib.so").read_bytes()
    assert b"__kmpc" not in (library / "lib.so").read_bytes()
    for name, values, extents in [
        ("gelu", integers(197, 67), ()),
        ("softmax_rows", integers(1001, 49), (1001,)),
        ("softmax_rows", integers(1, 49), (1,)),
        ("softmax_rows", integers(0, 49), (0,)),
        ("batch", integers(40, 30, 49), (40, 30)),
        ("any_softmax", integers(333, 299), (333, 299)),
        ("any_softmax", integers(333, 3), (333, 3)),
    ]:
        expected = call(library, name, values, *extents)
        for _ in range(3):
            assert (call(threaded, name, values, *extents) == expected).all()
    values = integers(100, 3, 197)
    expected = strided_call(library, "strided", values, (3, 7), 100, 197)
    assert (strided_call(threaded, "strided", values, (3, 7), 100, 197) == expected).all()


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
        (
            ["--method", "table", "--target", "z80"],
            "unknown processor 'z80' for x86_64-linux-gnu",
        ),
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
            "'f' has dynamic extents or strided rows and is called by another function; only "
            "functions of static shapes may be called",
        ),
        (
            "!x = !quant.uniform<i8:f32, 0.1>\n"
            "func.func @f(%x: tensor<?x?x!x>) -> tensor<?x!x> {\n"
            "  %y = tensor.collapse_shape %x [[0, 1]] : tensor<?x?x!x> into tensor<?x!x>\n"
            "  %z = nlq.softmax %y {max_row_length = 9 : i64, method = #nlq.table<>}\n"
            "      : tensor<?x!x> -> tensor<?x!x>\n"
            "  return %z : tensor<?x!x>\n"
            "}",
            "'nlq.kernel' op has rows whose length is no dimension of an argument of 'f', which "
            "could be checked",
        ),
    ],
)
def test_errors_of_modules(text, message, tmp_path, fail):
    module = tmp_path / "m.mlir"
    module.write_text(text)
    error = fail("compile", module, "-o", tmp_path / "m.so")
    assert message in error and error.count("\n") == 1
