# Part of the nlq project, under the Apache License v2.0 with LLVM Exceptions.
# See LICENSE for license information.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

"""Object files and C headers of `nlq compile`, used from C programs."""

import subprocess

import numpy as np
import pytest

from commands_fixtures import images, load, nlq
from nlq.c_header import make_header
from nlq.native import Signature, Tensor

# Reads images from its input and writes the logits of both models for each, from memory that is
# aligned to elements only. Ends with 1 if a model changed its argument.
PROGRAM = """
#include "floats.h"
#include "integers.h"
#include <stdio.h>
#include <string.h>

int main(void) {
  static float image[65], copy[64], logits[2][11];
  while (fread(image + 1, sizeof(float), 64, stdin) == 64) {
    memcpy(copy, image + 1, sizeof copy);
    run_floats(image + 1, logits[0] + 1);
    run_integers(image + 1, logits[1] + 1);
    if (memcmp(copy, image + 1, sizeof copy))
      return 1;
    fwrite(logits[0] + 1, sizeof(float), 10, stdout);
    fwrite(logits[1] + 1, sizeof(float), 10, stdout);
  }
  return 0;
}
"""


def test_two_models_in_one_program(chain, compiler, tmp_path):
    nlq("compile", chain / "model.mlir", "-o", tmp_path / "floats.o", "--entry", "run_floats")
    module = chain / "assigned.mlirbc"
    nlq("compile", module, "-o", tmp_path / "integers.o", "--entry", "run_integers")
    assert {path.name for path in tmp_path.iterdir()} == {
        *("floats.o", "floats.h", "integers.o", "integers.h")
    }
    (tmp_path / "main.c").write_text(PROGRAM)
    sources = ["main.c", "floats.o", "integers.o", "-lm", "-o", "program"]
    subprocess.run([*compiler, *sources], cwd=tmp_path, check=True)
    done = subprocess.run(
        [tmp_path / "program"], input=images(5).tobytes(), capture_output=True, check=True
    )
    logits = np.frombuffer(done.stdout, np.float32).reshape(5, 2, 10)
    samples = ("--samples", chain / "five.npz", "-o", tmp_path / "y.npz")
    nlq("run", module, *samples)
    assert logits[:, 1].tobytes() == load(tmp_path / "y.npz").tobytes()
    nlq("run", chain / "model.mlir", *samples)
    np.testing.assert_allclose(logits[:, 0], load(tmp_path / "y.npz"), rtol=1e-4, atol=1e-4)


def test_arguments_are_not_scratch_space(compiler, tmp_path):
    """A sum could well be made in place."""
    (tmp_path / "m.mlir").write_text(
        "func.func @main(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {\n"
        "  %0 = arith.addf %a, %b : tensor<4xf32>\n"
        "  %1 = nlq.softmax %0 : tensor<4xf32> -> tensor<4xf32>\n"
        "  return %1 : tensor<4xf32>\n"
        "}\n"
    )
    nlq("compile", tmp_path / "m.mlir", "-o", tmp_path / "m.o")
    (tmp_path / "main.c").write_text(
        '#include "m.h"\n'
        "int main(void) {\n"
        "  float a[4] = {0, 1, 2, 3}, b[4] = {4, 5, 6, 7}, y[4];\n"
        "  nlq_main(a, b, y);\n"
        "  for (int i = 0; i < 4; ++i)\n"
        "    if (a[i] != i || b[i] != i + 4)\n"
        "      return 1;\n"
        "  return !(y[0] < y[1] && y[1] < y[2] && y[2] < y[3] && y[3] < 1);\n"
        "}\n"
    )
    subprocess.run([*compiler, "main.c", "m.o", "-lm", "-o", "program"], cwd=tmp_path, check=True)
    assert subprocess.run([tmp_path / "program"], check=False).returncode == 0


# Numbers of processors in ELF files.
@pytest.mark.parametrize(
    ("target", "machine"), [("aarch64", 183), ("x86-64-v3", 62), ("znver4", 62)]
)
def test_targets(target, machine, chain, tmp_path):
    module = chain / "assigned.mlirbc"
    nlq("compile", module, "-o", tmp_path / "m.o", "--target", target)
    content = (tmp_path / "m.o").read_bytes()
    assert content[:5] == b"\x7fELF\x02"
    assert int.from_bytes(content[18:20], "little") == machine
    nlq("compile", module, "-o", tmp_path / "again.o", "--target", target)
    assert (tmp_path / "again.o").read_bytes() == content


def test_header(chain, tmp_path):
    nlq("compile", chain / "assigned.mlirbc", "-o", tmp_path / "m.o", "--entry", "digits")
    text = (tmp_path / "m.h").read_text()
    assert "\nvoid digits(const float *image, float *logits);\n" in text
    assert '//   image: argument "image", float[1][1][8][8]\n' in text
    assert '//   logits: result "logits", float[1][10]\n' in text
    assert "#ifndef DIGITS_H\n#define DIGITS_H\n" in text


def test_header_of_odd_names(compiler, tmp_path):
    names = ["int", "a b", "a.b", "1x", "", "\\", "*/\n#error", "\u00fc", "class", "x", "*/"]
    kinds = ["f32", "i8", "i16", "i32", "i64"]
    tensors = [Tensor(name, kinds[i % 5], (i, 2)) for i, name in enumerate(names)]
    header = make_header({"f": Signature(tensors, tensors[:4])})
    (tmp_path / "h.h").write_text(header)
    (tmp_path / "h.c").write_text(
        '#include "h.h"\n#include "h.h"\n'
        "void (*p)(const float *, const int8_t *, const int16_t *, const int32_t *,\n"
        "          const int64_t *, const float *, const int8_t *, const int16_t *,\n"
        "          const int32_t *, const int64_t *, const float *, float *, int8_t *,\n"
        "          int16_t *, int32_t *) = f;\n"
    )
    subprocess.run([*compiler, "-fsyntax-only", "h.c"], cwd=tmp_path, check=True)
    (tmp_path / "h.c").rename(tmp_path / "h.cpp")
    cpp = [compiler[0], "-x", "c++", "-Wall", "-Wextra", "-pedantic", "-Werror", "-fsyntax-only"]
    subprocess.run([*cpp, "h.cpp"], cwd=tmp_path, check=True)
