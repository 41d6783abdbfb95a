# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""The library of `make bench` and what it is compared with; not its times."""

import ctypes
import json
import subprocess
import sys

import numpy as np
import pytest

from nlq.bench.kernels import Grid, read_kernels
from nlq.bench.library import make_library, make_source
from nlq.native import Module, Runner

# Rows that fill no block of eight.
ROWS = 11


@pytest.fixture(scope="module")
def folder(tmp_path_factory, nlq_opt):
    """A folder with kernels.mlir of all operations, and the library made of it."""
    tool = nlq_opt.with_name("nlq-bench")
    if not tool.exists():
        pytest.skip(f"there is no {tool}")
    path = tmp_path_factory.mktemp("bench")
    module = path / "kernels.mlir"
    command = [tool, "--sizes=tile,image,batch", f"--save-module={module}"]
    subprocess.run(command, check=True)
    make_library(module, read_kernels(module), path, "native")
    return path


def integers(columns):
    """Reproducible rows, from nearly constant ones to those that reach both ends."""
    spread = np.linspace(1, 60, ROWS)[:, np.newaxis]
    values = np.random.default_rng(3).normal(0, spread, (ROWS, columns))
    return np.clip(np.rint(values), -128, 127).astype(np.int8)


def arguments(kernel, values, result, columns):
    """What the library's function is called with."""
    numbers = []
    for grid in (kernel.operand, kernel.result):
        numbers += [ctypes.c_float(grid.scale), ctypes.c_int32(grid.zero_point)]
    extra = []
    if kernel.constants:
        pointers = [array.ctypes.data_as(ctypes.c_void_p) for array in kernel.constants]
        extra = [*pointers, *[None] * (2 - len(pointers)), ctypes.c_float(kernel.epsilon)]
    data = [array.ctypes.data_as(ctypes.c_void_p) for array in (values, result)]
    return [*data, ctypes.c_int64(ROWS), ctypes.c_int64(columns), *numbers, *extra]


def reference(folder, kernel, values):
    """What the function of the module makes of integers, interpreted."""
    text = Module.parse(folder / "kernels.mlir").text(elide=False)
    body = text[text.index(f"func.func @{kernel.function}(") :].split("\n  }")[0] + "\n  }\n"
    types = "".join(line + "\n" for line in text.splitlines() if line.startswith(("!", "#")))
    body = body.replace(kernel.function, "main").replace("tensor<?x", f"tensor<{ROWS}x")
    path = folder / f"{kernel.function}.mlir"
    path.write_text(f"{types}module {{\n{body}}}\n")
    module = Module.parse(path)
    module.run_passes("nlq-set-method")
    (result,), _ = Runner.reference(module).run([values[np.newaxis]])
    return result[0]


def symbol(kernel):
    """As the library's users know it."""
    return {"layer_norm": "nlq_layernorm_i8", "rms_norm": "nlq_rmsnorm_i8"}.get(
        kernel.op, f"nlq_{kernel.op}_i8"
    )


def test_kernels_are_read(folder):
    kernels = {kernel.function: kernel for kernel in read_kernels(folder / "kernels.mlir")}
    softmax = kernels["softmax_1024"]
    assert (softmax.op, softmax.columns) == ("softmax", 1024)
    assert softmax.operand == Grid(0.0625, 0) and softmax.result == Grid(1 / 256, -128)
    norm = kernels["layer_norm_768"]
    assert (norm.op, norm.epsilon, len(norm.constants)) == ("layer_norm", 1e-6, 2)
    gamma, beta = norm.constants
    assert gamma.shape == beta.shape == (768,) and gamma.dtype == np.float32
    assert abs(gamma.mean() - 1) < 0.05 and abs(beta.mean()) < 0.05
    assert 0.15 < gamma.std() < 0.25 and 0.15 < beta.std() < 0.25


def test_library_is_the_reference(folder):
    library = ctypes.CDLL(str(folder / "libnlq_kernels.so"))
    for kernel in read_kernels(folder / "kernels.mlir"):
        values = integers(kernel.columns)
        result = np.empty_like(values)
        getattr(library, symbol(kernel))(*arguments(kernel, values, result, kernel.columns))
        assert (result == reference(folder, kernel, values)).all(), kernel.function
        assert len(np.unique(result)) > 10


CALLER = """
import ctypes, sys
import numpy as np
f = getattr(ctypes.CDLL(sys.argv[1]), sys.argv[2])
x, y, c = np.zeros(9999, np.int8), np.zeros(9999, np.int8), np.ones(999, np.float32)
p = [ctypes.c_void_p(a.ctypes.data) for a in (x, y, c)]
n = [ctypes.c_float(float(sys.argv[4])), ctypes.c_int32(0), ctypes.c_float(0.05), ctypes.c_int32(0)]
f(*p[:2], ctypes.c_int64(1), ctypes.c_int64(int(sys.argv[3])), *n, p[2], p[2], ctypes.c_float(1e-6))
"""


@pytest.mark.parametrize(
    ("function", "columns", "scale", "works"),
    [
        ("nlq_gelu_i8", 3072, 0.05, True),
        ("nlq_gelu_i8", 3071, 0.05, False),
        ("nlq_gelu_i8", 3072, 0.06, False),
        # Other constants than it was made for.
        ("nlq_layernorm_i8", 768, 0.05, False),
    ],
)
def test_numbers_without_a_kernel(function, columns, scale, works, folder):
    words = [folder / "libnlq_kernels.so", function, str(columns), str(scale)]
    done = subprocess.run(
        [sys.executable, "-c", CALLER, *words], check=False, capture_output=True, text=True
    )
    assert (done.returncode == 0) == works
    if not works:
        assert f"error: {function} has no kernel for rows of {columns} columns" in done.stderr


def test_source_has_no_warnings(folder, compiler, tmp_path):
    source = tmp_path / "library.c"
    source.write_text(make_source(read_kernels(folder / "kernels.mlir"), "kernels.h"))
    flags = [flag for flag in compiler[1:] if not flag.startswith("-std")]
    command = [compiler[0], "-std=c11", *flags, f"-I{folder}", "-fsyntax-only", source]
    subprocess.run(command, check=True)


def test_onnx_runtime_computes_the_same(folder):
    """A peer that computed something else would be no peer."""
    pytest.importorskip("onnxruntime")
    from nlq.bench.onnx_runtime import implementations

    for kernel in read_kernels(folder / "kernels.mlir"):
        values = integers(kernel.columns)
        expected = reference(folder, kernel, values).astype(int)
        found = list(implementations(kernel, ROWS))
        assert len(found) >= 2, kernel.op
        for title, is_quantized, run in found:
            grid = kernel.operand
            floats = (grid.scale * (values.astype(np.float64) - grid.zero_point)).astype(np.float32)
            x = values if is_quantized else floats
            y = np.empty_like(x)
            run(x, y)
            if not is_quantized:
                y = np.rint(y / kernel.result.scale) + kernel.result.zero_point
            difference = np.abs(np.clip(y, -128, 127).astype(int) - expected)
            assert difference.max() <= 1, (kernel.function, title)
            assert (difference > 0).mean() < 0.02, (kernel.function, title)


def bench_main():
    """The command, which needs ONNX Runtime."""
    pytest.importorskip("onnxruntime")
    from nlq.bench.__main__ import main

    return main


def test_command(folder, tmp_path, capsys):
    assert bench_main()([str(tmp_path / "out"), "gelu", "--sizes=tile"]) == 0
    printed = capsys.readouterr().out
    assert "target native: " in printed and "onnxruntime float" in printed
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    table = (tmp_path / "out" / "results.md").read_text()
    assert table.startswith("| function | result |") and "\n| gelu | 4x3072 | nlq | i8 |" in table
    (measured,) = results["nlq_bench"]["results"]
    assert measured["function"] == "gelu_3072" and measured["results"] == [[4, 3072]]
    rows = results["beside"]
    assert [row["implementation"] for row in rows[:3]] == ["nlq", "memcpy", "memcpy"]
    assert {"onnxruntime float", "onnxruntime float between casts"} <= {
        row["implementation"] for row in rows
    }
    for row in rows:
        assert (row["op"], row["rows"], row["columns"]) == ("gelu", 4, 3072)
        assert row["ns_per_element"] > 0 and row["memcpy_ratio"] > 0
    assert rows[0]["library_ratio"] == 1 and rows[0]["different"] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["swish"], "unknown operation 'swish'; "),
        (
            ["gelu", "--target=z80"],
            "unknown processor 'z80' for x86_64-linux-gnu",
        ),
        (["gelu", "--sizes=huge"], "unknown size 'huge'; tile, image and batch are known"),
    ],
)
def test_errors(words, message, folder, tmp_path, capsys):
    assert bench_main()([str(tmp_path / "out"), *words]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}") and error.count("\n") == 1
    assert not (tmp_path / "out" / "results.json").exists()
